"""The checks, by what they are about."""

from . import concurrency, lifetime, trouble, units, values, work

CHECKS = (
    *units.CHECKS,
    *concurrency.CHECKS,
    *work.CHECKS,
    *values.CHECKS,
    *lifetime.CHECKS,
    *trouble.CHECKS,
)

__all__ = ["CHECKS"]
