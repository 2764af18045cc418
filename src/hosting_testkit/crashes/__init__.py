"""Hosts that die as from `kill -9`, at any step, in memory and in virtual time (contract 4.3 to 4.7).

`check_every_crash` is all that most tests of a channel need; `CrashingHost` is a host that is killed and started again.
"""

from .host import CrashingHost
from .kept import KeptOutcomes
from .plan import CrashPlan, CrashPoint, Step, TakesOver, When
from .process import Process, ProcessKilled
from .sweep import CrashRun, check_answered_once, check_every_crash, crash_everywhere

__all__ = [
    "CrashPlan",
    "CrashPoint",
    "CrashRun",
    "CrashingHost",
    "KeptOutcomes",
    "Process",
    "ProcessKilled",
    "Step",
    "TakesOver",
    "When",
    "check_answered_once",
    "check_every_crash",
    "crash_everywhere",
]
