"""The same application on three servers: JSON, SSE, WebSocket, a client that leaves, SIGTERM (decision S5)."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import httpx
import pytest
from openai import OpenAI
from websockets.sync.client import connect

from channels.responses.tests.oracles import check_response, check_stream
from tests.real_server.servers import Server, ServerName, started

CUTS_AFTER_A_SECOND = {
    "hypercorn": (),
    "uvicorn": ("--timeout-graceful-shutdown", "1"),
    "granian": ("--workers-kill-timeout", "1"),
}
"""How each server is told not to wait for streams for ever; Hypercorn ends them itself, by the host's own drain."""


@pytest.mark.parametrize("name", get_args(ServerName))
def test_everything_works_and_a_signal_ends_it(tmp_path: Path, name: ServerName) -> None:
    options = CUTS_AFTER_A_SECOND[name]
    with started(tmp_path, server=name, options=options) as server:
        first = answers_json(server)
        streams(server)
        speaks_over_a_websocket(server, first)
        notices_that_a_client_left(server)
        begun = is_told_to_stop_while_it_streams(server)
    with started(tmp_path, server=name, options=options) as server:
        goes_on(server, first, begun)


def answers_json(server: Server) -> str:
    body = httpx.post(f"{server.url}/responses", json={"input": "a"}).json()
    check_response(body)
    return body["id"]


def streams(server: Server) -> None:
    with OpenAI(base_url=server.url, api_key="k") as client:
        events = client.responses.create(model="m", input="weather Kyiv", stream=True)
        final = check_stream([event.model_dump(mode="json", exclude_unset=True) for event in events])
    assert final["status"] == "completed"


def speaks_over_a_websocket(server: Server, previous: str) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/responses") as socket:
        ask = {"type": "response.create", "input": "b", "previous_response_id": previous}
        socket.send(json.dumps(ask))
        frames = [json.loads(socket.recv())]
        while frames[-1]["type"] != "response.completed":
            frames.append(json.loads(socket.recv()))
    assert check_stream(frames)["output"][0]["content"][0]["text"] == "a|b"


def notices_that_a_client_left(server: Server) -> None:
    with open_stream(server):
        pass
    deadline = time.monotonic() + 60
    while ": cancelled" not in server.log.read_text():
        assert time.monotonic() < deadline, "the run goes on"
        time.sleep(0.05)


def is_told_to_stop_while_it_streams(server: Server) -> str:
    with open_stream(server) as begun:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=60)
    return begun


@contextmanager
def open_stream(server: Server) -> Iterator[str]:
    """A stream that said its first word and waits; the id of the response."""
    with httpx.stream("POST", f"{server.url}/responses", json={"input": "hang", "stream": True}) as stream:
        id = ""
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                id = id or event["response"]["id"]
                if event["type"] == "response.output_text.delta":
                    break
        yield id


def goes_on(server: Server, first: str, begun: str) -> None:
    with OpenAI(base_url=server.url, api_key="k") as client:
        cut_off = client.responses.retrieve(begun)
        again = client.responses.create(model="m", input="c", previous_response_id=first)
    # Under the other servers a stream is cut before the host learns that they stop, as if its client had left.
    assert cut_off.status in ("failed", "cancelled")
    assert again.output_text == "a|c"
