"""One suite for every durable task runner (contract 11): give it a back end, run every check.

@pytest.mark.parametrize("name", CHECKS)
async def test_my_runner(name: str) -> None:
    await CHECKS[name].run(MyHarness())
"""

from . import checks
from .harness import Attempts, RunnerHarness
from .over_store import Line, StoreHarness, line_to
from .registry import CHECKS, Check, NotApplicable

__all__ = [
    "CHECKS",
    "Attempts",
    "Check",
    "Line",
    "NotApplicable",
    "RunnerHarness",
    "StoreHarness",
    "checks",
    "line_to",
]
