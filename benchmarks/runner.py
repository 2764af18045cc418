"""Runs one scenario where no other one has left garbage, warm caches or threads: in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from . import machine
from .catalogue import SCENARIOS
from .report import Result
from .scale import Scale


def run_in_own_process(name: str, scale: Scale) -> Result:
    """Runs the scenario of that name to its end; what it raises is raised here."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, name, scale).result()


def _run(name: str, scale: Scale) -> Result:
    scenario, began = SCENARIOS[name], time.monotonic()
    rows = scenario.measure(scale)
    return Result(
        name=name,
        title=scenario.title,
        rows=rows,
        seconds=time.monotonic() - began,
        load_average=machine.load_average(),
        left_out=scenario.left_out,
    )
