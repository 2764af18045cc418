"""Channels that read bodies carelessly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import BodyTooLarge, Caller, ChannelSession, RequestError, UnsupportedMedia
from hosting.web import JsonAnswer, decode_json_object, read_body

from ..reference import BotChannel, RpcChannel
from ..reference.rpc_body import KNOWN
from .model import mutant

_LARGEST = 1024 * 1024


@mutant(
    "one-spelling-of-json",
    defect="takes a body for JSON if its type is written in one way",
    kills={"HC-ERR-002": "runs of application/json; charset=utf-8: FAILED"},
)
class OneSpellingOfJson(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        if request.headers.get("content-type") != "application/json":
            raise UnsupportedMedia("The body must be JSON.")
        return await super().receive(request)


@mutant("ignores-content-type", kills={"HC-ERR-002": "status of text/plain: FAILED"})
class IgnoresContentType(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        return decode_json_object(await read_body(request, self.context.limits.body_limit(_LARGEST)))


@mutant("reads-all", kills={"HC-ERR-003": "status of a body that goes on beyond"})
class ReadsAll(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        body = await request.body()
        if len(body) > self.context.limits.body_limit(_LARGEST):
            raise BodyTooLarge("The request body is too large.")
        return decode_json_object(body)


@mutant("keyerror-500", kills={"HC-ERR-004": "status with a wrong input: FAILED"})
class KeyError500(RpcChannel):
    def input(self, body: Mapping[str, Any]) -> str:
        return body["input"].strip()


@mutant("rejects-unknown", kills={"HC-ERR-004": "a turn with an unknown field is answered: FAILED"})
class RejectsUnknown(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        body = await super().read(request)
        if unknown := body.keys() - KNOWN:
            raise RequestError(f"Unknown: {', '.join(sorted(unknown))}.")
        return body


@mutant(
    "names-no-field",
    defect="says only that something is wrong",
    kills={"HC-ERR-004": "the answer names input: FAILED"},
)
class NamesNoField(RpcChannel):
    def input(self, body: Mapping[str, Any]) -> str:
        try:
            return super().input(body)
        except RequestError:
            raise RequestError("The request is wrong.") from None


@mutant("recursion", kills={"HC-ERR-005": "status of deep nesting: FAILED"})
class Recursion(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        body = await request.body()
        try:
            return json.loads(body)
        except ValueError:
            raise RequestError("The request body is no JSON.") from None


@mutant("null-crash", kills={"HC-ERR-005": "status of null at session: FAILED"})
class NullCrash(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        return ChannelSession(key=body.get("session", "").strip())


@mutant("accepts-surrogates", kills={"HC-ERR-005": "status of a lone surrogate in the text: FAILED"})
class AcceptsSurrogates(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        body = await request.body()
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise RequestError("The request body is no JSON.") from None
