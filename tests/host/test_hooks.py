"""The app's hooks (contract 5)."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hosting import ChannelResponseContext, ChannelSession, HookRejected
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, Echo, Recorder


async def post(host: InMemoryHost, **body: Any) -> tuple[int, Any]:
    answer = await host.post("/say", json={"say": "hi", **body})
    return answer.status_code, answer.json()


async def test_what_the_run_hook_returns_is_what_runs(say_channel: Any) -> None:
    async def hook(request: Any) -> Any:
        return request.replace(input=request.input + "!", session=ChannelSession("own", key="k"))

    async with InMemoryHost(Counting(), [say_channel(run_hook=hook)]) as host:
        await post(host)
        await post(host, session="other")
        assert await post(host, say="recall") == (200, {"said": ["turn 3"]})


async def test_a_run_hook_gets_the_keywords_that_it_takes(say_channel: Any) -> None:
    seen: list[Any] = []

    def hook(request: Any, *, target: Any, protocol_request: Any) -> Any:
        seen.append((target.kind, target.name, protocol_request["say"]))
        return request

    async with InMemoryHost(Echo(name="fred"), [say_channel(run_hook=hook)]) as host:
        assert await post(host) == (200, {"said": ["hi"]})
    assert seen == [("agent", "fred", "hi")]


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (HookRejected("not on Sundays"), 422, "request_rejected", "not on Sundays"),
        (HookRejected("pay", status=402, code="unpaid"), 402, "unpaid", "pay"),
        (ValueError("secret"), 422, "request_rejected", None),
        (KeyError("secret"), 500, "internal_error", None),
    ],
)
async def test_a_run_hook_refuses_with_its_own_words_or_with_none(
    say_channel: Any, error: Exception, status: int, code: str, message: str | None
) -> None:
    def hook(request: Any) -> Any:
        raise error

    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [say_channel(run_hook=hook)]) as host:
        got, body = await post(host, session="s")
        assert (got, body["error"]["code"]) == (status, code)
        assert "secret" not in str(body)
        assert message is None or body["error"]["message"] == message
        assert recorder.runs == []


@pytest.mark.parametrize(
    "changed", [None, "text", {"channel": "else"}, {"delivery_id": "d"}, {"caller": None}], ids=str
)
async def test_a_run_hook_that_breaks_the_contract_is_told_so_in_the_log(
    say_channel: Any, changed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(request: Any) -> Any:
        return request.replace(**changed) if isinstance(changed, dict) else changed

    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [say_channel(run_hook=hook)]) as host:
        with caplog.at_level(logging.ERROR, "hosting"):
            assert (await post(host))[0] == 500
    assert "run hook" in caplog.text
    assert recorder.runs == []


async def test_the_response_hook_knows_for_whom_it_is_called(say_channel: Any) -> None:
    seen: list[ChannelResponseContext] = []

    def hook(result: Any, *, context: ChannelResponseContext) -> Any:
        seen.append(context)
        return result

    async with InMemoryHost(Echo(), [say_channel(response_hook=hook)]) as host:
        await post(host)
    (context,) = seen
    assert (context.channel_name, context.originating, context.is_echo) == ("say", True, False)
    assert context.request.input == "hi"


async def test_a_failing_response_hook_shows_nothing_and_saves_nothing(say_channel: Any) -> None:
    failing = [True]

    def hook(result: Any) -> Any:
        if failing[0]:
            raise RuntimeError(result.text)
        return result

    async with InMemoryHost(Counting(), [say_channel(response_hook=hook)]) as host:
        status, body = await post(host, session="s")
        assert status == 500
        assert "turn" not in str(body)
        failing[0] = False
        assert await post(host, session="s") == (200, {"said": ["turn 1"]})


async def test_the_id_of_an_opaque_error_stands_in_the_log(
    say_channel: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(request: Any) -> Any:
        raise RuntimeError("the reason")

    async with InMemoryHost(Echo(), [say_channel(run_hook=hook)]) as host:
        _, body = await post(host)
    error_id = body["error"]["message"].split("Quote ")[1].split(" ")[0]
    assert error_id in caplog.text
    assert "the reason" in caplog.text
