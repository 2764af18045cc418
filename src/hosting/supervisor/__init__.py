"""Several worker processes behind one socket (contract 1.2)."""

from .supervisor import Supervisor

__all__ = ["Supervisor"]
