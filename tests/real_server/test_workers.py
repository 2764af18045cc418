"""`hosting serve --workers N`: one socket, a worker that dies is replaced, a signal drains all (contract 1.2, 1.7)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx
import psutil
import pytest
from openai import OpenAI

from channels.responses.tests.oracles import check_stream
from tests.real_server.servers import ROOT, Server, process_environment, started
from tests.state import postgres_server

TWO = ("--workers", "2")


def soon(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for what other processes do."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@contextmanager
def two_workers(folder: Path, **environment: str) -> Iterator[Server]:
    log = folder / "server.log"
    earlier = serving(log)
    with started(folder, options=TWO, environment=environment) as server:
        soon(lambda: serving(log) == earlier + 2)
        yield server


def serving(log: Path) -> int:
    """How many workers have ever served."""
    return log.read_text().count("Running on") if log.exists() else 0


def open_stream(client: OpenAI) -> Iterator[dict]:
    """The events of a stream that says one word and waits."""
    for event in client.responses.create(model="m", input="hang", stream=True):
        yield event.model_dump(mode="json", exclude_unset=True)


def until_it_speaks(stream: Iterator[dict]) -> list[dict]:
    events: list[dict] = []
    while not events or events[-1]["type"] != "response.output_text.delta":
        events.append(next(stream))
    return events


class Talk(threading.Thread):
    """One client that goes on with its chain until told to stop; where its connection breaks it asks again."""

    def __init__(self, url: str, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self.url, self.stop = url, stop
        self.said: list[str] = []
        self.broken = 0
        self.answer = ""
        self.failure: Exception | None = None

    def run(self) -> None:
        previous: str | None = None
        try:
            while not self.stop.is_set():
                body = self._ask(f"{self.name}{len(self.said)}", previous)
                previous, self.answer = body["id"], body["output"][0]["content"][0]["text"]
                self.said.append(f"{self.name}{len(self.said)}")
        except Exception as failure:
            self.failure = failure

    def _ask(self, text: str, previous: str | None) -> dict:
        while True:
            try:
                ask = {"input": text, "previous_response_id": previous}
                answer = httpx.post(f"{self.url}/responses", json=ask, timeout=40)
            except httpx.TransportError:
                self.broken += 1
            else:
                assert answer.status_code == 200, answer.text
                return answer.json()


@contextmanager
def talking(server: Server) -> Iterator[list[Talk]]:
    """Four clients at once."""
    stop = threading.Event()
    talks = [Talk(server.url, name, stop) for name in "abcd"]
    for talk in talks:
        talk.start()
    try:
        yield talks
    finally:
        stop.set()
        for talk in talks:
            talk.join()


def all_go_on(talks: list[Talk]) -> None:
    """Waits until each of them got five more answers."""
    before = [len(talk.said) for talk in talks]
    soon(
        lambda: all(talk.failure or len(talk.said) >= n + 5 for talk, n in zip(talks, before, strict=True)),
        seconds=90,
    )


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_killed_worker_is_replaced_while_the_other_answers_and_no_session_is_lost(
    tmp_path: Path, engine: str
) -> None:
    own = postgres_server.own_schema() if engine == "postgres" else nullcontext("")
    with own as schema, two_workers(tmp_path, SCHEMA=schema) as server, talking(server) as talks:
        all_go_on(talks)
        before = server.pids
        killed = before.pop()
        os.kill(killed, signal.SIGKILL)
        soon(lambda: serving(server.log) == 3)
        after = server.pids
        all_go_on(talks)

    assert len(after) == 2 and killed not in after and after > before
    assert [talk.failure for talk in talks] == [None] * 4
    for talk in talks:
        assert talk.answer == "|".join(talk.said)


def test_a_signal_ends_all_streams_in_their_protocol_and_frees_folder_and_port(tmp_path: Path) -> None:
    with two_workers(tmp_path) as server, OpenAI(base_url=server.url, api_key="k") as client:
        first = client.responses.create(model="m", input="a").id
        second = serve("tests.real_server.hosts:agent", *TWO, STATE_DIR=str(tmp_path / "state"))
        streams = [open_stream(client) for _ in range(6)]
        begun = [until_it_speaks(stream) for stream in streams]
        server.process.send_signal(signal.SIGTERM)
        ends = [check_stream([*events, *stream]) for events, stream in zip(begun, streams, strict=True)]
        code = server.process.wait(timeout=60)
    with started(tmp_path, options=TWO) as server, OpenAI(base_url=server.url, api_key="k") as client:
        again = client.responses.create(model="m", input="b", previous_response_id=first)

    assert {end["status"] for end in ends} == {"failed"}
    assert code == 0
    assert again.output_text == "a|b"
    assert second.returncode == 1
    assert second.stderr.count("hosting: ") == 1 and "in use by process" in second.stderr


def test_a_second_signal_cuts(tmp_path: Path) -> None:
    with two_workers(tmp_path, DRAIN="60") as server, OpenAI(base_url=server.url, api_key="k") as client:
        stream = open_stream(client)
        until_it_speaks(stream)
        server.process.terminate()
        soon(lambda: "draining 2 workers" in server.log.read_text())
        assert server.process.poll() is None
        server.process.terminate()
        assert server.process.wait(timeout=60) == 1


def test_workers_whose_supervisor_was_killed_drain_and_free_the_port(tmp_path: Path) -> None:
    with two_workers(tmp_path) as server, OpenAI(base_url=server.url, api_key="k") as client:
        workers = [psutil.Process(pid) for pid in server.pids]
        stream = open_stream(client)
        begun = until_it_speaks(stream)
        server.process.kill()
        end = check_stream([*begun, *stream])
        gone, alive = psutil.wait_procs(workers, timeout=60)
        for process in alive:
            process.kill()

    assert end["status"] == "failed"
    assert (len(gone), alive) == (2, [])


def test_what_is_wrong_at_the_start_shows_once_and_ends_all(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "hosting.db").write_text("no database " * 20)

    ended = serve("tests.real_server.hosts:agent", *TWO, STATE_DIR=str(folder))

    assert ended.returncode == 1
    assert ended.stderr.count("found a damaged database") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("options", [(), TWO])
def test_an_address_in_use_is_told_in_one_line(tmp_path: Path, options: Sequence[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = serve("tests.real_server.hosts:agent", *options, "--port", port, STATE_DIR=str(tmp_path))

    assert ended.returncode == 1
    assert f"hosting: 127.0.0.1:{port}: Address already in use; stop" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("tests.real_server.hosts:agent", "several workers share their state through a durable store"),
        ("tests.real_server.nowhere:agent", "there is no module 'tests.real_server.nowhere' here"),
    ],
)
def test_what_the_author_must_change_is_said_before_a_worker_starts(host: str, said: str) -> None:
    ended = serve(host, *TWO, STATE_DIR="")

    assert ended.returncode == 2
    assert said in ended.stderr and "Traceback" not in ended.stderr


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`hosting serve` that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "hosting.cli", "serve", "--port", "0", *arguments],
        env=process_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
