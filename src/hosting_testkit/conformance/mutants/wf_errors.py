"""Channels that tell of a workflow's failure, or of the wrong input for one, in their own way."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelRequest, HostingError, RunFailed, UnprocessableInput
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "wf-input-as-text",
    defect="makes text of whatever a hook sets as the input",
    kills={"HC-WF-002": "the typed input of a hook: FAILED"},
)
class InputAsText(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.spelt

    def spelt(self, request: ChannelRequest) -> ChannelRequest:
        hooked: ChannelRequest = self.app_hook(request)
        return hooked.replace(input=str(hooked.input))


class _TellsByItself(RpcChannel):
    """Tells some failures of workflows itself."""

    told: type[HostingError]

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except self.told as error:
            if self.context.target_info.kind != "workflow":
                raise
            body = {"error": {"code": self.code(error), "message": self.message(error)}}
            return JsonAnswer(msgspec.json.encode(body), status=error.status)

    def code(self, error: HostingError) -> str:
        return error.code

    def message(self, error: HostingError) -> str:
        return error.message


@mutant(
    "wf-type-unnamed",
    defect="says that the input is wrong and not what would be right",
    kills={"HC-WF-002": "the mismatch names the type: FAILED"},
)
class TypeUnnamed(_TellsByItself):
    told = UnprocessableInput

    def message(self, error: HostingError) -> str:
        return "The input is of the wrong type."


@mutant(
    "wf-type-unsaid",
    defect="answers the wrong input with a status and no word",
    kills={"HC-WF-002": "something is told of a mismatch: FAILED"},
)
class TypeUnsaid(_TellsByItself):
    told = UnprocessableInput

    def message(self, error: HostingError) -> str:
        return ""


@mutant(
    "wf-own-code",
    defect="has a code of its own for workflows that fail",
    kills={"HC-WF-007": "the codes: FAILED"},
)
class OwnCode(_TellsByItself):
    told = RunFailed

    def code(self, error: HostingError) -> str:
        return "workflow_failed"


@mutant(
    "wf-failure-unsaid",
    defect="answers the failure of a workflow with a status and no word",
    kills={"HC-WF-007": "something is told: FAILED"},
)
class FailureUnsaid(_TellsByItself):
    told = RunFailed

    def message(self, error: HostingError) -> str:
        return ""


@mutant(
    "wf-leaks-cause",
    defect="tells with what exception a workflow failed",
    kills={"HC-WF-007": "the exception stays inside: FAILED"},
)
class LeaksCause(_TellsByItself):
    told = RunFailed

    def message(self, error: HostingError) -> str:
        return f"The workflow failed: {error.__context__}"
