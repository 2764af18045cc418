"""Checkpoints of one turn and their text (contract 4.4, 8.4, 8.5)."""

import dataclasses
import json

import pytest
from agent_framework import (
    AgentExecutorResponse,
    AgentResponse,
    InMemoryCheckpointStorage,
    Message,
    WorkflowCheckpoint,
    WorkflowEvent,
    WorkflowMessage,
)
from agent_framework.exceptions import WorkflowCheckpointException

from hosting.serialization import UnregisteredType, register_type
from hosting.targets.checkpoints import (
    StagedCheckpointStorage,
    WorkflowChanged,
    decode_checkpoint,
    encode_checkpoint,
    quiet_checkpoint,
)


@register_type
@dataclasses.dataclass
class Ask:
    prompt: str


@dataclasses.dataclass
class Foreign:
    x: int = 1


def checkpoint(id: str = "c1", *, under_way: bool = False, **fields) -> WorkflowCheckpoint:
    messages = {"a": [WorkflowMessage(data="text", source_id="a")]} if under_way else {}
    return WorkflowCheckpoint(
        workflow_name="w", graph_signature_hash="hash", checkpoint_id=id, messages=messages, **fields
    )


def test_a_checkpoint_comes_back_from_its_text():
    before = checkpoint(
        under_way=True,
        previous_checkpoint_id="c0",
        iteration_count=3,
        state={"_executor_state": {"a": {"cache": [Message("user", ["hi"], message_id="m")], "n": (1, {2})}}},
        pending_request_info_events={"r": WorkflowEvent.request_info("r", "a", Ask("why?"), bool)},
        metadata={"note": "x"},
    )

    after = decode_checkpoint(encode_checkpoint(before))

    for name in (
        "checkpoint_id",
        "previous_checkpoint_id",
        "iteration_count",
        "timestamp",
        "metadata",
        "version",
    ):
        assert getattr(after, name) == getattr(before, name)
    assert after.messages == before.messages
    restored = after.state["_executor_state"]["a"]
    assert restored["n"] == (1, {2})
    assert restored["cache"][0].to_dict() == before.state["_executor_state"]["a"]["cache"][0].to_dict()
    event = after.pending_request_info_events["r"]
    assert (event.data, event.response_type, event.source_executor_id) == (Ask("why?"), bool, "a")


def test_a_checkpoint_inside_another_comes_back():
    state = {"_executor_state": {"sub": {"sub_workflow_checkpoint": checkpoint("inner", iteration_count=2)}}}

    after = decode_checkpoint(encode_checkpoint(checkpoint(state=state)))

    assert after.state["_executor_state"]["sub"]["sub_workflow_checkpoint"].iteration_count == 2


def test_answers_that_wait_for_others_come_back_whole():
    waiting = AgentExecutorResponse("a", AgentResponse(messages=[Message("assistant", ["one"])]), [])
    state = {"_edge_state": {"join": {"buffer": {"a": [WorkflowMessage(data=waiting, source_id="a")]}}}}

    after = decode_checkpoint(encode_checkpoint(checkpoint(state=state)))

    message = after.state["_edge_state"]["join"]["buffer"]["a"][0]
    assert message.data.agent_response.text == "one"


def test_the_text_is_ascii_json_and_holds_no_pickle():
    text = encode_checkpoint(checkpoint(state={"x": "ä\ud800\x00", "m": Message("user", ["hi"])}))

    assert text.isascii()
    assert "pickle" not in text
    assert json.loads(text)["value"]["state"]["x"] == "ä\ud800\x00"


def test_an_unregistered_type_is_named():
    with pytest.raises(UnregisteredType, match="Foreign"):
        encode_checkpoint(checkpoint(state={"x": Foreign()}))


@pytest.mark.parametrize("text", ["", "{", '{"$type":"core.WorkflowCheckpoint","value":{"gone":1}}'])
def test_text_that_no_longer_fits_says_that_the_workflow_changed(text):
    with pytest.raises(WorkflowChanged) as refusal:
        decode_checkpoint(text)

    assert (refusal.value.status, refusal.value.code) == (409, "workflow_changed")


async def test_a_staged_storage_gives_what_the_session_had_and_keeps_the_newest():
    storage = StagedCheckpointStorage(checkpoint("before"))
    assert storage.last
    assert (storage.last.checkpoint_id, storage.changed) == ("before", False)

    for number in range(5):
        assert await storage.save(checkpoint(f"c{number}")) == f"c{number}"

    latest = await storage.get_latest(workflow_name="w")
    assert latest
    assert (latest.checkpoint_id, storage.last.checkpoint_id, storage.changed) == ("c4", "c4", True)
    assert await storage.list_checkpoint_ids(workflow_name="w") == ["before", "c4"]
    assert [held.checkpoint_id for held in await storage.list_checkpoints(workflow_name="w")] == [
        "before",
        "c4",
    ]
    assert (await storage.load("before")).checkpoint_id == "before"
    assert await storage.delete("c4") is False
    with pytest.raises(WorkflowCheckpointException):
        await storage.load("c1")


async def test_an_empty_staged_storage_has_nothing():
    storage = StagedCheckpointStorage()

    assert storage.last is None
    assert await storage.get_latest(workflow_name="w") is None
    assert await storage.list_checkpoints(workflow_name="w") == []


async def test_a_run_cannot_reach_into_what_is_staged():
    ask = Ask("before")
    saved = checkpoint(pending_request_info_events={"r": WorkflowEvent.request_info("r", "a", ask, str)})
    storage = StagedCheckpointStorage()
    await storage.save(saved)

    ask.prompt = "changed by the run"
    loaded = await storage.load("c1")
    loaded.pending_request_info_events["r"].data.prompt = "changed by another run"

    assert storage.last
    assert storage.last.pending_request_info_events["r"].data == Ask("before")


async def test_the_quiet_checkpoint_is_the_newest_with_no_message_under_way():
    storage = InMemoryCheckpointStorage()
    assert await quiet_checkpoint(storage, "w") is None

    for second, (id, under_way) in enumerate(
        [("old", False), ("end", False), ("entry", True), ("cut off", True)]
    ):
        await storage.save(checkpoint(id, under_way=under_way, timestamp=f"2026-01-01T00:00:0{second}+00:00"))

    quiet = await quiet_checkpoint(storage, "w")
    assert quiet
    assert quiet.checkpoint_id == "end"


async def test_there_is_no_quiet_checkpoint_in_a_first_turn_that_was_cut_off():
    storage = InMemoryCheckpointStorage()
    await storage.save(checkpoint(under_way=True))

    assert await quiet_checkpoint(storage, "w") is None
