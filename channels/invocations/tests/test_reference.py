"""The same requests as the reference package was asked, against our channel (channels 2.1).

`fixtures/requests.json` has the requests, `fixtures/reference.json` what the package answered, recorded by
`fixtures/record_reference.py`; `fixtures/differences.json` lists where we answer differently on purpose, and why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from channels.invocations.tests.serving import serve
from hosting_invocations import ParsedInvocation
from hosting_testkit.targets import Echo, Failing

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES: list[dict[str, Any]] = json.loads((FIXTURES / "requests.json").read_text())
REFERENCE: dict[str, Any] = json.loads((FIXTURES / "reference.json").read_text())
DIFFERENCES: dict[str, dict[str, Any]] = json.loads((FIXTURES / "differences.json").read_text())
HEADERS = ("x-agent-invocation-id", "x-agent-session-id", "allow", "location")


def not_implemented(body: bytes, content_type: str | None, headers: Mapping[str, str]) -> ParsedInvocation:
    raise NotImplementedError


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if key == "code" else shape(item) for key, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else type(value).__name__


def header(value: str) -> str:
    return "<made>" if value.startswith(("inv_", "session_")) else value


async def ours(case: dict[str, Any]) -> dict[str, Any]:
    handler, request = case.get("handler", "echo"), case["request"]
    parser = not_implemented if handler == "not_implemented" else None
    async with serve(Failing() if handler == "raise" else Echo(), parser=parser) as host:
        reply = await host.client.request(
            request["method"], request["path"], headers=request.get("headers"), json=request.get("json")
        )
    content_type = reply.headers.get("content-type", "").partition(";")[0]
    return {
        "status": reply.status_code,
        "content_type": content_type,
        "headers": {name: header(reply.headers[name]) for name in HEADERS if name in reply.headers},
        "body": shape(reply.json()) if content_type == "application/json" and reply.is_error else None,
    }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_we_answer_as_the_reference_does(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOUNDRY_AGENT_SESSION_ID", raising=False)
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    difference = DIFFERENCES.get(case["name"], {"ours": {}})
    theirs = REFERENCE["answers"][case["name"]]

    assert await ours(case) == {**theirs, **difference["ours"]}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_one_and_has_a_reason(name: str) -> None:
    difference = DIFFERENCES[name]
    theirs = REFERENCE["answers"][name]

    assert difference["reason"]
    assert all(theirs[key] != value for key, value in difference["ours"].items())


def test_the_recording_says_where_it_comes_from_and_is_complete() -> None:
    assert REFERENCE["packages"]["azure-ai-agentserver-invocations"]
    assert REFERENCE["date"]
    assert REFERENCE["answers"].keys() == {case["name"] for case in CASES}
