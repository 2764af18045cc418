"""Background responses over two replicas on PostgreSQL, of which one dies (contract 4.5, 12.2, 12.3)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from openai import OpenAI

from tests.real_server.servers import Server, started
from tests.state import postgres_server


def client_of(server: Server) -> OpenAI:
    return OpenAI(base_url=server.url, api_key="k", max_retries=0, timeout=60)


def plain(events: Any) -> list[Any]:
    return [event.model_dump(mode="json", exclude_unset=True) for event in events]


def text_of(events: Any) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def test_streams_go_on_at_the_other_replica_before_and_after_one_is_killed(tmp_path: Path) -> None:
    with postgres_server.own_schema() as schema:
        environment = {"SCHEMA": schema}
        with (
            started(tmp_path, environment=environment) as doomed,
            started(tmp_path, environment=environment) as other,
            client_of(doomed) as here,
            client_of(other) as there,
        ):
            resumed_elsewhere(here, there)
            unread = here.responses.create(model="m", input="slow unread", background=True)
            stream = here.responses.create(model="m", input="hang", background=True, stream=True)
            read = next(event for event in stream if event.type == "response.created").response
            rest = iter(there.responses.retrieve(read.id, stream=True))
            seen = plain(next(rest) for _ in range(5))
            assert text_of(seen) == "partial "

            doomed.kill()

            seen += plain(rest)
            ended = there.responses.retrieve(read.id)
            again = wait_for(there, unread.id)
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert [event["type"] for event in seen if event["type"].startswith("response.f")] == ["response.failed"]
    assert seen[-1]["type"] == "response.failed" and ended.status == "failed"
    assert ended.output_text == "partial "
    assert (again.status, again.output_text) == ("completed", "".join(f"{word} " for word in range(20)))


def resumed_elsewhere(here: OpenAI, there: OpenAI) -> None:
    """A reader that was cut off at one replica goes on at the other, with no gap and no repeat."""
    stream = here.responses.create(model="m", input="slow read", background=True, stream=True)
    seen: list[Any] = []
    for event in stream:
        seen.append(event)
        if len(text_of(plain(seen))) > 10:
            break
    stream.close()
    response_id, last = seen[0].response.id, seen[-1].sequence_number
    rest = there.responses.retrieve(response_id, stream=True, starting_after=last)
    joined = plain([*seen, *rest])
    assert joined == plain(there.responses.retrieve(response_id, stream=True))
    assert text_of(joined) == "".join(f"{word} " for word in range(20))


def wait_for(client: OpenAI, response_id: str) -> Any:
    deadline = time.monotonic() + 120
    while (response := client.responses.retrieve(response_id)).status in ("queued", "in_progress"):
        assert time.monotonic() < deadline, response
        time.sleep(0.2)
    return response
