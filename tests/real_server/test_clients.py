"""The official client in another process than the server, on both servers (channels 1.1, 1.6)."""

from __future__ import annotations

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from channels.responses.tests.oracles import check_response, check_stream
from tests.real_server.hosts import SECRET
from tests.real_server.servers import Server


class Report(BaseModel):
    city: str
    degrees: int


@pytest.mark.parametrize("ask", ["hello", "weather Kyiv", "clock", "reason", "refuse", "image"])
def test_a_stream_and_a_retrieved_response_are_valid_and_equal(server: Server, ask: str) -> None:
    with OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        events = client.responses.create(model="m", input=ask, stream=True)
        final = check_stream([event.model_dump(mode="json", exclude_unset=True) for event in events])
        stored = client.responses.retrieve(final["id"]).model_dump(mode="json", exclude_unset=True)

    check_response(stored)
    assert stored == final


def test_structured_output_a_chain_a_conversation_and_a_websocket(server: Server) -> None:
    with OpenAI(base_url=server.url, api_key="k") as client:
        parsed = client.responses.parse(model="m", input="json", text_format=Report).output_parsed
        first = client.responses.create(model="m", input="a")
        conversation = client.conversations.create().id
        client.responses.create(model="m", input="one", conversation=conversation)
        second = client.responses.create(model="m", input="two", conversation=conversation)
        with client.responses.connect() as socket:
            socket.response.create(model="m", input="b", previous_response_id=first.id)
            frames = [frame.model_dump(mode="json", exclude_unset=True) for frame in until_end(socket)]

    assert parsed == Report(city="Kyiv", degrees=18)
    assert second.output_text == "one|two"
    assert check_stream(frames)["output"][0]["content"][0]["text"] == "a|b"


def until_end(socket):
    for frame in socket:
        yield frame
        if frame.type == "response.completed":
            return


def test_a_response_is_cancelled_while_it_streams(server: Server) -> None:
    with OpenAI(base_url=server.url, api_key="k") as client:
        types, response_id = list[str](), ""
        for event in client.responses.create(model="m", input="hang", stream=True):
            types.append(event.type)
            if event.type == "response.output_text.delta":
                cancelled = client.responses.cancel(response_id)
            elif event.type == "response.created":
                response_id = event.response.id

        assert (cancelled.status, types[-1]) == ("cancelled", "response.failed")
        assert client.responses.retrieve(response_id).status == "cancelled"


@pytest.mark.parametrize("ask", ["fail", "break"])
@pytest.mark.parametrize("path", ["/responses", "/invocations"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_a_target_raises_stays_inside_and_the_next_turn_works(
    server: Server, path: str, ask: str, stream: bool
) -> None:
    with httpx.Client(base_url=server.url) as client:
        told = client.post(path, json={"input": ask, "stream": stream})
        after = client.post(path, json={"input": "next"})

    assert told.status_code == (200 if ask == "break" and stream else 500)
    assert SECRET not in told.text + str(told.headers)
    assert after.status_code == 200
    quiet = [line for line in server.log.read_text().splitlines() if line.startswith("INFO")]
    assert not [line for line in quiet if SECRET in line]


def test_an_error_is_the_clients_own_kind(server: Server) -> None:
    with OpenAI(base_url=server.url, api_key="k") as client, pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="m", input="x", previous_response_id="resp_none")

    assert (refused.value.code, refused.value.param) == (
        "previous_response_not_found",
        "previous_response_id",
    )
