"""Chains fork, conversations are one line, and everything belongs to its caller (channels 1.4, contract 6)."""

from __future__ import annotations

import openai
import pytest
from agent_framework import Agent

from channels.responses.tests.wire.conftest import Serve
from hosting import Caller, InMemoryHostStateStore
from hosting.clock import epoch_ms
from hosting.state import sweep
from hosting.state.tables.sessions import load_session
from hosting.web import bearer_token
from hosting_testkit import VirtualClock
from hosting_testkit.targets import Counting, Echo, Recorder, ScriptedChatClient

DAY = 86_400.0


def memory_agent() -> Agent:
    """Answers with everything that users have said in its session so far."""
    return Agent(
        client=ScriptedChatClient(
            script=lambda messages, options: "|".join(
                message.text for message in messages if message.role == "user"
            )
        )
    )


def by_token(connection) -> Caller:
    return Caller(id=(bearer_token(connection) or b"nobody").decode())


async def test_two_continuations_of_one_response_do_not_see_each_other(serve: Serve):
    served = await serve(memory_agent())
    create = served.openai.responses.create

    first = await create(model="m", input="a")
    left = await create(model="m", input="b", previous_response_id=first.id)
    right = await create(model="m", input="c", previous_response_id=first.id)
    deep = await create(model="m", input="d", previous_response_id=left.id)

    assert [response.output_text for response in (left, right, deep)] == ["a|b", "a|c", "a|b|d"]
    assert deep.previous_response_id == left.id


async def test_a_chain_goes_on_after_a_restart_and_through_streams(serve: Serve):
    served = await serve(memory_agent())
    async with served.openai.responses.stream(model="m", input="a") as stream:
        first = await stream.get_final_response()
    await served.host.restart()

    second = await served.post(json={"input": "b", "previous_response_id": first.id})

    assert second.json()["output"][0]["content"][0]["text"] == "a|b"


async def test_a_response_without_parent_or_conversation_starts_anew(serve: Serve):
    served = await serve(memory_agent())
    await served.openai.responses.create(model="m", input="a")

    assert (await served.openai.responses.create(model="m", input="b")).output_text == "b"


async def test_a_conversation_is_one_line(serve: Serve):
    served = await serve(memory_agent())
    conversation = await served.openai.conversations.create()

    await served.openai.responses.create(model="m", input="a", conversation=conversation.id)
    second = await served.openai.responses.create(model="m", input="b", conversation={"id": conversation.id})

    assert second.output_text == "a|b"
    assert second.conversation
    assert second.conversation.id == conversation.id


async def test_a_response_of_a_conversation_can_be_continued_outside_of_it(serve: Serve):
    served = await serve(memory_agent())
    create = served.openai.responses.create
    first = await create(model="m", input="a", conversation="mine")
    await create(model="m", input="b", conversation="mine")

    branch = await create(model="m", input="c", previous_response_id=first.id)

    assert branch.output_text == "a|c"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_unknown_previous_response_is_400_with_its_own_code(serve: Serve, stream: bool):
    served = await serve(Echo())

    with pytest.raises(openai.BadRequestError) as caught:
        await served.openai.responses.create(
            model="m", input="x", previous_response_id="resp_none", stream=stream
        )

    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


async def test_an_unknown_conversation_of_ours_is_404(serve: Serve):
    served = await serve(Echo())

    with pytest.raises(openai.NotFoundError) as caught:
        await served.openai.responses.create(model="m", input="x", conversation="conv_none")

    assert caught.value.param == "conversation"


async def test_conversation_and_previous_response_together_are_refused(serve: Serve):
    served = await serve(Echo())
    first = await served.openai.responses.create(model="m", input="x")

    with pytest.raises(openai.BadRequestError):
        await served.openai.responses.create(
            model="m", input="x", conversation="c", previous_response_id=first.id
        )


async def test_what_belongs_to_another_looks_like_what_does_not_exist(serve: Serve):
    served = await serve(memory_agent(), auth=by_token)
    bob = served.openai.with_options(api_key="bob")
    mine = await served.openai.responses.create(model="m", input="secret")
    conversation = await served.openai.conversations.create()

    as_bob = {"authorization": "Bearer bob"}
    foreign = await served.get(f"/responses/{mine.id}", headers=as_bob)
    unknown = await served.get("/responses/resp_none", headers=as_bob)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    with pytest.raises(openai.BadRequestError) as caught:
        await bob.responses.create(model="m", input="x", previous_response_id=mine.id)
    assert caught.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        await bob.conversations.retrieve(conversation.id)
    with pytest.raises(openai.NotFoundError):
        await bob.responses.delete(mine.id)
    assert (await bob.responses.create(model="m", input="x", conversation="shared")).output_text == "x"
    alice = await served.openai.responses.create(model="m", input="y", conversation="shared")
    assert alice.output_text == "y"


async def test_store_false_leaves_nothing_to_retrieve_or_continue(serve: Serve):
    served = await serve(memory_agent())
    for stream in (False, True):
        body = {"input": "x", "store": False, "stream": stream}
        answer = await served.post(json=body)
        response_id = answer.json()["id"] if not stream else answer.text.split('"id":"')[1].split('"')[0]

        assert (await served.get(f"/responses/{response_id}")).status_code == 404
        refused = await served.post(json={"input": "y", "previous_response_id": response_id})
        assert refused.json()["error"]["code"] == "previous_response_not_found"


async def test_store_false_does_not_change_that_the_turn_has_a_session(serve: Serve):
    recorder = Recorder(Counting())
    served = await serve(recorder)

    await served.post(json={"input": "x", "store": False})

    assert recorder.runs[0].session is not None


async def test_a_session_that_only_a_response_names_is_forgotten_with_it(serve: Serve):
    clock, store = VirtualClock(), InMemoryHostStateStore()
    served = await serve(memory_agent(), auth=by_token, host={"time_source": clock, "state": store})
    create = served.openai.responses.create
    first = await create(model="m", input="a")
    unstored = await create(model="m", input="x", store=False)
    within = await create(model="m", input="b", conversation="mine")

    clock.advance(29 * DAY)
    fork = await create(model="m", input="c", previous_response_id=within.id)
    child = await create(model="m", input="d", previous_response_id=first.id)
    clock.advance(2 * DAY + 1)
    await sweep(store, epoch_ms(clock))

    assert (fork.output_text, child.output_text) == ("b|c", "a|d")
    names = (first.id, unstored.id, "mine", fork.id, child.id)
    loads = [load_session("alice", name) for name in names]
    assert [bool(rows) for rows in await store.execute(*loads)] == [False, False, True, True, True]
    grandchild = await create(model="m", input="e", previous_response_id=child.id)
    assert grandchild.output_text == "a|d|e"
