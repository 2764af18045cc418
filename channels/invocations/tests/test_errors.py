"""What is refused, and in which shape (contract 14)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from channels.invocations.tests.serving import (
    ANN,
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    invoke,
    serve,
    serve_ann_and_bob,
)
from hosting import ChannelConfigurationError, ChannelRequest, HookRejected, HostLimits
from hosting_invocations import InvocationsChannel
from hosting_testkit.targets import Echo, Gate, Recorder

BAD_BODIES: dict[str, tuple[Any, str | None]] = {
    "nothing said": ({}, None),
    "two inputs": ({"input": "a", "message": "b"}, None),
    "blank input": ({"input": " \n"}, "input"),
    "null input": ({"input": None}, "input"),
    "blank message": ({"message": ""}, "message"),
    "no messages": ({"messages": []}, "messages"),
    "blank content": ({"messages": [{"role": "user", "content": " "}]}, "messages[0].content"),
    "empty content": ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    "unknown role": ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role"),
    "unknown part": (
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        "messages[0].content[0].type",
    ),
    "a file of no kind": (
        {"messages": [{"role": "user", "content": [{"type": "file", "uri": "file:///etc/passwd"}]}]},
        "messages[0].content[0].uri",
    ),
    "broken base64": (
        {"messages": [{"role": "user", "content": [{"type": "file", "uri": "data:image/png;base64,x"}]}]},
        "messages[0].content[0].uri",
    ),
    "stream of another type": ({"input": "x", "stream": "yes"}, "stream"),
    "background of another type": ({"input": "x", "background": "yes"}, "background"),
    "session of another type": ({"input": "x", "session_id": 1}, "session_id"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_body_that_is_no_invocation_is_400_and_runs_nothing(name: str) -> None:
    body, target_of_error = BAD_BODIES[name]
    target = Recorder(Echo())
    async with serve(target) as host:
        reply = await host.post(PATH, json=body, headers={INVOCATION_ID: "job"})
        assert (await host.get(f"{PATH}/job")).status_code == 404
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], target.runs) == (400, "invalid_request", [])
    assert (error["details"][0]["target"] if "details" in error else None) == target_of_error
    assert reply.headers[INVOCATION_ID] == "job"
    assert reply.headers[SESSION_ID]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"hello", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"input": "x"', "application/json", 400),
        (b'{"input": "\xff"}', "application/json", 400),
        (b'{"input": "x"}', "text/plain", 415),
        (b'{"input": "x"}', "application/xml", 415),
        (b'{"input": "' + b"x" * 2**20 + b'"}', "application/json", 413),
    ],
)
async def test_a_body_that_cannot_be_read(content: bytes, content_type: str, status: int) -> None:
    async with serve(Echo()) as host:
        reply = await host.post(PATH, content=content, headers={"content-type": content_type})
    assert reply.status_code == status
    assert reply.json()["error"].keys() == {"code", "message"}
    assert reply.headers[INVOCATION_ID]
    assert reply.headers[SESSION_ID]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("PUT", PATH, 405, "method_not_allowed", "POST"),
        ("DELETE", f"{PATH}/job", 405, "method_not_allowed", "GET, HEAD"),
        ("GET", f"{PATH}/job/cancel", 405, "method_not_allowed", "POST"),
        ("GET", f"{PATH}/job/other", 404, "not_found", None),
        ("POST", f"{PATH}/", 404, "not_found", None),
    ],
)
async def test_addresses_and_methods_that_are_none_have_the_protocols_shape(
    method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    async with serve(Echo()) as host:
        reply = await host.client.request(method, path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.headers.get("allow") == allow


@pytest.mark.parametrize("path", [PATH, f"{PATH}/job/cancel"])
async def test_a_caller_that_is_not_known_is_401_with_the_ids(path: str) -> None:
    async with serve_ann_and_bob(Echo()) as host:
        reply = await host.post(path, json={"input": "x"}, headers={INVOCATION_ID: "job"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "not_authenticated")
    assert (reply.headers[INVOCATION_ID], reply.headers["www-authenticate"]) == ("job", "Bearer")


async def test_the_document_is_for_callers_only() -> None:
    async with serve_ann_and_bob(Echo()) as host:
        assert (await host.get(f"{PATH}/docs/openapi.json")).status_code == 401
        assert (await host.get(f"{PATH}/docs/openapi.json", headers=ANN)).status_code == 200


async def test_a_browser_origin_is_refused_unless_it_is_listed() -> None:
    origin = {"origin": "https://app.example.com"}
    async with serve(Echo()) as host:
        assert (await invoke(host, headers=origin)).status_code == 403
    async with serve(Echo(), allowed_origins=["https://app.example.com"]) as host:
        assert (await invoke(host, headers=origin)).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hooks_refusal_is_told_and_replayed(stream: bool) -> None:
    def run_hook(request: ChannelRequest) -> ChannelRequest:
        raise HookRejected("not today", status=451, code="closed")

    async with serve(Echo(), run_hook=run_hook) as host:
        for _ in range(2):
            reply = await invoke(host, stream=stream, headers={INVOCATION_ID: "job"})
            assert (reply.status_code, reply.json()) == (
                451,
                {"error": {"code": "closed", "message": "not today"}},
            )
        assert (await host.get(f"{PATH}/job")).json()["status"] == "failed"


async def test_an_input_that_the_target_does_not_take_is_422() -> None:
    async with serve(Echo()) as host:
        reply = await host.post(PATH, json={"input": {"order": 1}})
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "unprocessable_input")


async def test_a_refusal_that_may_pass_leaves_no_record() -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0)
    async with serve(gate, host_options={"limits": limits}) as host, asyncio.TaskGroup() as group:
        group.create_task(invoke(host, "wait"))
        await gate.reached("wait")
        for stream in (False, True):
            reply = await invoke(host, "other", stream=stream, headers={INVOCATION_ID: f"job-{stream}"})
            assert (reply.status_code, reply.json()["error"]["code"]) == (429, "rate_limited")
            assert (await host.get(f"{PATH}/job-{stream}")).status_code == 404
        gate.release("wait")


@pytest.mark.parametrize(
    ("field", "value"),
    [("auth", {"token": "x"}), ("store_ttl", 0), ("parser", "json")],
)
def test_a_bad_option_is_named(field: str, value: Any) -> None:
    with pytest.raises(ChannelConfigurationError) as caught:
        InvocationsChannel(**{field: value})
    assert caught.value.field == field
