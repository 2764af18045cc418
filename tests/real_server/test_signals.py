"""SIGINT and SIGTERM: what is under way gets its time and is told; nothing holds the server longer (contract 1.7)."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
from openai import OpenAI
from websockets.sync.client import connect

from channels.responses.tests.oracles import check_stream
from tests.real_server.servers import started


def test_a_stream_is_told_that_the_server_stops_and_the_server_ends(tmp_path: Path) -> None:
    with started(tmp_path) as server, OpenAI(base_url=server.url, api_key="k") as client:
        events = []
        for event in client.responses.create(model="m", input="hang", stream=True):
            events.append(event.model_dump(mode="json", exclude_unset=True))
            if event.type == "response.output_text.delta":
                server.process.send_signal(signal.SIGINT)
        code = server.process.wait(timeout=10)

    assert check_stream(events)["status"] == "failed"
    assert code == 0


def test_an_open_websocket_does_not_hold_the_server(tmp_path: Path) -> None:
    with (
        started(tmp_path) as server,
        connect(f"ws://127.0.0.1:{server.port}/responses") as idle,
        connect(f"ws://127.0.0.1:{server.port}/responses") as busy,
    ):
        busy.send(json.dumps({"type": "response.create", "input": "hang"}))
        while json.loads(busy.recv())["type"] != "response.output_text.delta":
            pass
        server.process.terminate()
        code = server.process.wait(timeout=10)
        last = list(busy)[-1]

        assert list(idle) == []
        assert idle.close_code == 1001
        assert json.loads(last)["type"] == "response.failed"
        assert code == 0


def test_an_ended_server_leaves_what_was_answered(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        body = httpx.post(f"{server.url}/responses", json={"input": "a"}).json()
        server.process.terminate()
        server.process.wait(timeout=10)
    with started(tmp_path, server="uvicorn") as server:
        again = httpx.get(f"{server.url}/responses/{body['id']}").json()

    assert again == body
