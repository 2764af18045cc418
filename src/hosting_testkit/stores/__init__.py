"""What every `HostStateStore` promises, tried on a store of your own (contract 15.1)."""

from .check import StoreCheck, StoreDefect
from .checks import CHECKS
from .place import StorePlace
from .suite import HostStateStoreSuite

__all__ = ["CHECKS", "HostStateStoreSuite", "StoreCheck", "StoreDefect", "StorePlace"]
