"""The checks of the suite, one module per promise; importing this package makes `registry.CHECKS` complete."""

from . import basics, broken, cancels, crashes, drains, order, retries, units

__all__ = ["basics", "broken", "cancels", "crashes", "drains", "order", "retries", "units"]
