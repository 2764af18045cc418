"""What a sweep found, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from .sweep import Found

_HEAD = """# Killed at every step

Made by `python -m benchmarks.crashes`, which tells how in [README.md](README.md#crashes). Each death is a SIGKILL that a process
sends itself before or after one step: a unit of the store, a call to the platform, the start of the target. Then another process
goes on with the same state.
"""

_OUTCOMES = ("answered", "unknown", "interrupted")


def as_page(found: Sequence[Found]) -> str:
    """All tables."""
    deaths = sum(run.step is not None for run in found)
    defects = sum(bool(run.defects) for run in found)
    lines = [
        _HEAD,
        f"{deaths} deaths in {len(found)} runs; runs with a defect: {defects}.",
        "",
        *_scenarios(found),
        "",
        "`answered`: everything got its one reply. `unknown`: a process died while it sent, and one reply is recorded as",
        "such, seen or not (contract 4.7). `interrupted`: it died when a part had been shown, or an API turn had begun, and",
        "that turn ended `interrupted` (contract 4.5). Anything else is a defect.",
        "",
        "## By step",
        "",
        "Deaths `before / after` each step, by what came of them, over all scenarios and stores.",
        "",
        *_steps(found),
    ]
    return "\n".join([*lines, *_defects(found), ""])


def _scenarios(found: Sequence[Found]) -> Iterator[str]:
    yield "| scenario | store | deaths | " + " | ".join(_OUTCOMES) + " | defects |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for scenario, store in dict.fromkeys((run.scenario, run.store) for run in found):
        runs = [run for run in found if (run.scenario, run.store) == (scenario, store) and run.step]
        count = Counter(run.outcome for run in runs)
        cells = [
            len(runs),
            *(count[outcome] for outcome in _OUTCOMES),
            sum(bool(run.defects) for run in runs),
        ]
        yield f"| {scenario} | {store} | " + " | ".join(map(str, cells)) + " |"


def _steps(found: Sequence[Found]) -> Iterator[str]:
    yield "| step | " + " | ".join(_OUTCOMES) + " |"
    yield "|---|--:|--:|--:|"
    count = Counter((run.step, run.outcome) for run in found if run.step)
    names = sorted({run.step.partition(" ")[2] for run in found if run.step})
    for name in names:
        cells = [
            f"{count[f'before {name}', outcome]} / {count[f'after {name}', outcome]}" for outcome in _OUTCOMES
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _defects(found: Sequence[Found]) -> Iterator[str]:
    broken = [run for run in found if run.defects]
    if broken:
        yield from ("", "## Defects", "")
    for run in broken:
        yield f"- {run.scenario} on {run.store}, killed {run.step or 'nowhere'}: {'; '.join(run.defects)}"
