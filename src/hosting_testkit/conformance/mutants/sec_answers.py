"""Channels that read more into what a model says than text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import HostedRunResult
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, RpcChannel
from .model import mutant

_TAG = re.compile(r"<[^>]*>")
_HEADER = re.compile(r"^([A-Za-z-]+): (.*)$", re.MULTILINE)


@mutant(
    "strips-tags",
    defect="takes out of an answer whatever looks like a tag",
    kills={"HC-SEC-003": "what is shown: FAILED"},
)
class StripsTags(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(_TAG.sub("", text))


@mutant(
    "headers-from-text",
    defect="takes lines of an answer that look like headers for headers",
    kills={"HC-SEC-003": "further headers: FAILED"},
)
class HeadersFromText(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        answer = await super().handle(request)
        if isinstance(answer, StreamingAnswer):
            return answer
        said = "\n".join(msgspec.json.decode(answer.body)["items"])
        return JsonAnswer(
            answer.body, headers={name.lower(): value.strip() for name, value in _HEADER.findall(said)}
        )


@mutant(
    "latin-answer",
    defect="writes an answer in Latin-1, with question marks for what that lacks",
    kills={"HC-SEC-003": "a text in two scripts and two lines: what is shown: FAILED"},
)
class LatinAnswer(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return [item.encode("latin-1", "replace").decode("latin-1") for item in super().items(result)]


@mutant(
    "one-line",
    defect="puts blanks for the line ends of an answer",
    kills={"HC-SEC-003": "a text in two scripts and two lines: what is shown: FAILED"},
)
class OneLine(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(" ".join(text.splitlines()))


class _ReadsTheEnd(RpcChannel):
    """Looks for signs in an answer before it ends the stream."""

    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return self.end("".join(items), super().done(result, items))

    def end(self, said: str, done: bytes) -> bytes:
        raise NotImplementedError


@mutant(
    "errors-from-text",
    defect="takes an answer that tells of an error for one",
    kills={"HC-SEC-003": "errors: FAILED"},
)
class ErrorsFromText(_ReadsTheEnd):
    def end(self, said: str, done: bytes) -> bytes:
        error = self.frame("error", {"code": "model_error", "message": "The model failed."})
        return error if "event: error" in said else done


@mutant(
    "end-from-text",
    defect="ends the stream where the model writes that it is done, and again where it is",
    kills={"HC-SEC-003": "terminal events: FAILED"},
)
class EndFromText(_ReadsTheEnd):
    def end(self, said: str, done: bytes) -> bytes:
        return done * 2 if "[DONE]" in said else done
