"""A replica is killed in the middle of a stream: the conversation goes on at the other (contract 4.4, 6.7; decision S3)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import httpx2
import psutil
import pytest
from openai import OpenAI, OpenAIError

from samples.two_replicas.__main__ import CONFIGURATION
from tests.real_server.forwarder import forwarding
from tests.real_server.servers import ROOT, free_port, process_environment, started
from tests.state import postgres_server

Kill = Callable[[Mapping[str, str]], None]
"""Kills the replica that sent these headers."""


@contextmanager
def behind_haproxy(folder: Path, schema: str) -> Iterator[tuple[str, Kill]]:
    """The sample, started by its one command."""
    port = three_ports()
    log = folder / "sample.log"
    with log.open("wb") as output:
        sample = subprocess.Popen(
            [sys.executable, "-m", "samples.two_replicas", "tests.real_server.hosts:agent"],
            env=process_environment(PORT=str(port), SCHEMA=schema),
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 120
        while "stands before the replicas" not in log.read_text():
            assert sample.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)

        def kill(headers: Mapping[str, str]) -> None:
            number = ("first", "second").index(headers["x-replica"]) + 1
            for child in psutil.Process(sample.pid).children():
                if child.cmdline()[-1] == str(port + number):
                    child.kill()

        yield f"http://127.0.0.1:{port}", kill
        sample.send_signal(signal.SIGTERM)
        assert sample.wait(timeout=60) == 0
    finally:
        sample.kill()
        sample.wait()


@contextmanager
def behind_a_forwarder(folder: Path, schema: str) -> Iterator[tuple[str, Kill]]:
    with ExitStack() as running:
        replicas = {
            server.port: server
            for server in (
                running.enter_context(started(folder, environment={"SCHEMA": schema})) for _ in range(2)
            )
        }
        forwarder = running.enter_context(forwarding(list(replicas)))
        yield f"http://127.0.0.1:{forwarder.port}", lambda _: replicas[forwarder.last].kill()


PROXIES: dict[str, Any] = {"haproxy": behind_haproxy, "forwarder": behind_a_forwarder}


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_conversation_goes_on_at_the_other_replica(tmp_path: Path, proxy: str) -> None:
    if proxy == "haproxy" and shutil.which("haproxy") is None:
        pytest.skip("no haproxy here: apt-get install haproxy; the forwarder takes its place")
    with (
        postgres_server.own_schema() as schema,
        PROXIES[proxy](tmp_path, schema) as (url, kill),
        OpenAI(base_url=url, api_key="k", max_retries=3, timeout=60) as client,
    ):
        conversation = client.conversations.create().id
        client.responses.create(model="m", input="one", conversation=conversation)
        chained = client.responses.create(model="m", input="a")
        cut_off = begin_and_kill(client, kill, conversation)
        goes_on = client.responses.create(model="m", input="two", conversation=conversation)
        chain = client.responses.create(model="m", input="b", previous_response_id=chained.id)
        stored = client.responses.retrieve(cut_off)

    assert goes_on.output_text == "one|two"
    assert chain.output_text == "a|b"
    assert (stored.status, stored.output) == ("failed", [])


def begin_and_kill(client: OpenAI, kill: Kill, conversation: str) -> str:
    """The id of a response whose replica was killed when it had said its first word."""
    begun = client.responses.with_raw_response.create(
        model="m", input="hang", conversation=conversation, stream=True
    )
    id, killed = "", False
    with suppress(httpx2.TransportError, OpenAIError):
        for event in begun.parse():
            if event.type == "response.created":
                id = event.response.id
            if event.type == "response.output_text.delta":
                kill(begun.headers)
                killed = True
    assert id and killed
    return id


def three_ports() -> int:
    """A port that is free, as are the next two."""
    while True:
        port = free_port()
        if all(_is_free(port + more) for more in (1, 2)):
            return port


def _is_free(port: int) -> bool:
    with httpx.Client() as client:
        try:
            client.get(f"http://127.0.0.1:{port}", timeout=0.2)
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False
    return False


def test_the_sample_says_what_it_misses(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "samples.two_replicas"],
        env={**process_environment(), "PATH": os.fspath(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr == "there is no haproxy here; install it: apt-get install haproxy\n"
    assert CONFIGURATION.exists()
