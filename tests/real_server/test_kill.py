"""Killed in the middle of a stream: the chain goes on from what was completed, and nothing is half-saved (contract 4.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from openai import OpenAI

from channels.responses.tests.oracles import check_response
from tests.real_server.servers import Server, started


def begin_and_kill(server: Server, client: Any, **body: str) -> str:
    """The id of a response that had begun to speak when its server was killed."""
    response_id = ""
    events: Any = client.responses.create(model="m", input="hang", stream=True, **body)
    for event in events:
        if event.type == "response.created":
            response_id = event.response.id
        if event.type == "response.output_text.delta":
            server.kill()
            return response_id
    raise AssertionError("nothing was said")


def official(server: Server) -> OpenAI:
    return OpenAI(base_url=server.url, api_key="k", max_retries=0)


def test_a_chain_and_a_conversation_go_on_after_a_kill(tmp_path: Path) -> None:
    with started(tmp_path) as server, official(server) as client:
        first = client.responses.create(model="m", input="a")
        conversation = client.conversations.create().id
        client.responses.create(model="m", input="one", conversation=conversation)
        begin_and_kill(server, client, conversation=conversation)
    with started(tmp_path) as server, official(server) as client:
        second = client.responses.create(model="m", input="b", previous_response_id=first.id)
        killed = begin_and_kill(server, client, previous_response_id=second.id)
    with started(tmp_path) as server, official(server) as client:
        cut_off = client.responses.retrieve(killed)
        assert (cut_off.status, cut_off.error.code, cut_off.output) == ("failed", "server_error", [])
        check_response(cut_off.model_dump(mode="json", exclude_unset=True))
        for previous in (second.id, killed):
            third = client.responses.create(model="m", input="c", previous_response_id=previous)
            assert third.output_text == "a|b|c"
        assert (
            client.responses.create(model="m", input="two", conversation=conversation).output_text
            == "one|two"
        )
        assert len(client.conversations.items.list(conversation).data) == 4


def test_a_killed_invocation_has_failed_and_its_session_goes_on(tmp_path: Path) -> None:
    with started(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        client.post("/invocations", json={"input": "a", "session_id": "s"})
        headers = {"x-agent-invocation-id": "job"}
        body = {"input": "hang", "session_id": "s", "stream": True}
        with client.stream("POST", "/invocations", json=body, headers=headers) as stream:
            texts = stream.iter_text()  # held, for one that is collected hangs up
            assert "partial" in next(texts)
            server.kill()
    with started(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        stored = client.get("/invocations/job").json()
        again = client.post("/invocations", json=body, headers=headers)
        after = client.post("/invocations", json={"input": "b", "session_id": "s"}).json()

    assert (stored["status"], stored["error"]["code"]) == ("failed", "interrupted")
    assert (again.status_code, again.json()["error"]["code"]) == (500, "interrupted")
    assert after["output"] == "a|b"
