"""What authors of channels and apps test with.

Names load when they are first asked for: pytest imports this package for its plugin in every run on a machine where
it is installed, and most of those runs need nothing of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import VirtualClock, VirtualLoop, run_virtual, virtual_time
    from .host import InMemoryHost
    from .ids import SequentialIds

__all__ = ["InMemoryHost", "SequentialIds", "VirtualClock", "VirtualLoop", "run_virtual", "virtual_time"]

_MODULES = {
    "InMemoryHost": ".host",
    "SequentialIds": ".ids",
    "VirtualClock": ".clock",
    "VirtualLoop": ".clock",
    "run_virtual": ".clock",
    "virtual_time": ".clock",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)
