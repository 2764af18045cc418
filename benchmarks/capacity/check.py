"""The model and the simulation beside a small run of the real thing, under people who come when they like."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from ..hosted import ANSWER, MODEL_SECONDS
from ..servers import Server, serving
from .figures import Figures
from .simulation import Stage, play

_CONVERSATIONS = 200
_SEED = 7


@dataclass(frozen=True, slots=True)
class Checked:
    """One quantity, three ways.

    Args:
        name: What.
        model: By arithmetic.
        simulated: By the simulation.
        measured: By the run.
    """

    name: str
    model: float
    simulated: float
    measured: float


def check(figures: Figures, *, rate: float, seconds: float) -> Sequence[Checked]:
    """Lets turns come to a host on a file, whose model takes its time.

    Args:
        figures: Those of the file.
        rate: Turns per second.
        seconds: How long.
    """
    with serving("slow-agent-sqlite", "uvicorn") as server:
        asyncio.run(_arrivals(server, rate, 1.0))
        cpu, begun = server.cpu_seconds(), time.perf_counter()
        spent = asyncio.run(_arrivals(server, rate, seconds))
        lasted = time.perf_counter() - begun
        cores = (server.cpu_seconds() - cpu) / lasted
    found_rate = len(spent) / lasted
    stage = Stage(
        conversations=_CONVERSATIONS,
        rate=found_rate,
        turn_seconds=MODEL_SECONDS,
        slots=100,
        cores=1,
        turn_cpu_us=figures.turn_cpu_us,
        store_servers=1,
        store_us=figures.writer_us,
    )
    played = play(stage, seconds=600.0, seed=_SEED)
    return (
        Checked(
            "turns at once",
            found_rate * (MODEL_SECONDS + (figures.turn_cpu_us + figures.writer_us) / 1e6),
            played.at_once,
            sum(spent) / lasted,
        ),
        Checked("cores of the host", found_rate * figures.turn_cpu_us / 1e6, played.cores, cores),
    )


async def _arrivals(server: Server, rate: float, seconds: float) -> list[float]:
    """Seconds of each turn; they come at random, however many are under way."""
    chance, spent = random.Random(_SEED), list[float]()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", timeout=60.0, limits=limits
    ) as http:
        ends = time.perf_counter() + seconds
        async with asyncio.TaskGroup() as group:
            while time.perf_counter() < ends:
                await asyncio.sleep(chance.expovariate(rate))
                group.create_task(_turn(http, f"c {chance.randrange(_CONVERSATIONS)}", spent))
    return spent


async def _turn(http: httpx.AsyncClient, conversation: str, spent: list[float]) -> None:
    body = json.dumps({"model": "helper", "input": "And tomorrow?", "conversation": conversation})
    begun = time.perf_counter()
    answer = await http.post("/responses", content=body, headers={"content-type": "application/json"})
    spent.append(time.perf_counter() - begun)
    if ANSWER not in answer.text:
        raise RuntimeError(f"found {answer.status_code}: {answer.text[:200]}")
