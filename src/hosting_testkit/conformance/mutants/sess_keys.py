"""Channels that name conversations wrongly, or open those of others."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import (
    Caller,
    ChannelRequest,
    ChannelSession,
    Denied,
    HostedRunResult,
    InboundEvent,
    NotAuthenticated,
)
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("unscoped-key", kills={"HC-SESS-003": "what the session at the other instance holds"})
class UnscopedKey(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(session=ChannelSession(event.native_id))


@mutant("naive-join", kills={"HC-SESS-004": "the first turn of conversation 'a', thread 'b:c'"})
class NaiveJoin(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        place = f"{event.conversation_id}:{event.thread_id}" if event.thread_id else event.conversation_id
        return super().request(event).replace(session=ChannelSession(f"{event.native_id}:{place}"))


@mutant(
    "names-the-session-in-a-header",
    defect="puts the name of the session into a header of the answer as it is, once the turn has run",
    kills={"HC-SESS-004": "observed status 500"},
)
class NamesTheSession(RpcChannel):
    async def respond(
        self, request: Request, turn: ChannelRequest, body: Mapping[str, Any]
    ) -> JsonAnswer | StreamingAnswer:
        answer = await super().respond(request, turn, body)
        if isinstance(answer, StreamingAnswer):
            return answer
        return JsonAnswer(answer.body, headers={"x-session": str(body.get("session", ""))})


@mutant(
    "ascii-key",
    defect="keeps of a name what is ASCII, and a mark in place of each other letter",
    kills={"HC-SESS-004": "observed turn 2"},
)
class AsciiKey(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        session = super().session(body, caller)
        return session and ChannelSession(key=str(session.key).encode("ascii", "replace").decode())


@mutant(
    "tidies-names",
    defect="takes names for one that differ in case or in blanks around them",
    kills={"HC-SESS-004": "the first turn of conversation 'kg'"},
)
class TidiesNames(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        session = super().session(body, caller)
        return session and ChannelSession(key=str(session.key).strip().lower())


@mutant(
    "composes-names",
    defect="takes names for one that are written alike, of other characters",
    kills={"HC-SESS-004": "the first turn of conversation 'e"},
)
class ComposesNames(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        session = super().session(body, caller)
        return session and ChannelSession(key=unicodedata.normalize("NFC", str(session.key)))


@mutant(
    "one-session-for-the-nameless",
    defect="has all requests of a caller that name no session share one",
    kills={"HC-SESS-004": "a second turn of a caller who names no conversation"},
)
class OneForTheNameless(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        return super().session({"session": "default", **body}, caller)


@mutant("foreign-session", kills={"HC-SESS-005": "what the same chosen id opens for another"})
class ForeignSession(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        session = super().session(body, caller)
        return session and ChannelSession("everybody", key=session.key)


@mutant("reference-oracle", kills={"HC-SESS-005": "a foreign id beside an unknown one"})
class ReferenceOracle(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.owners: dict[str, str] = {}

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        owner = self.owners.get(body.get("after", ""), caller.id)
        if owner != caller.id:
            raise Denied("This answer is somebody else's.")
        self.owners[turn.response_id or ""] = caller.id
        return turn


@mutant(
    "breaks-at-foreign-ids",
    defect="looks a foreign id up without a thought that it may not be there",
    kills={"HC-SESS-005": "what a foreign id opens: FAILED"},
)
class BreaksAtForeignIds(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.issued: dict[tuple[str, str], bool] = {}

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        self.issued[caller.id, turn.response_id or ""] = True
        assert not body.get("after") or self.issued[caller.id, body["after"]]
        return turn


@mutant(
    "prefixes-key-silently",
    kills={"HC-SESS-012": "the next turn under the same name on another channel"},
)
class PrefixesKeySilently(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.prefixed

    def prefixed(self, request: ChannelRequest) -> ChannelRequest:
        hooked: ChannelRequest = self.app_hook(request)
        named = hooked.session
        if named is None or named.key is None:
            return hooked
        return hooked.replace(session=ChannelSession(named.isolation_key, key=f"{self.name}:{named.key}"))


@mutant(
    "state-before-auth",
    kills={
        "HC-SESS-013": "missing: writes to the store: FAILED",
        "HC-AUTH-005": "missing: writes to the store: FAILED",
    },
)
class StateBeforeAuth(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        await self.context.state("visits").put("last", request.url.path)
        return await super().authenticate(request)


class _WaitsForAuthentication(RpcChannel):
    """Keeps what strangers said until somebody authenticates."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.waiting: list[str] = []

    async def authenticate(self, request: Request) -> Caller:
        try:
            return await super().authenticate(request)
        except NotAuthenticated:
            self.waiting.append((await self.read(request))["input"])
            raise


@mutant(
    "runs-what-waited",
    defect="remembers refused turns and runs them for whoever authenticates next",
    kills={"HC-SESS-013": "the first authentic turn: FAILED"},
)
class RunsWhatWaited(_WaitsForAuthentication):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        while self.waiting:
            earlier = turn.replace(input=self.waiting.pop(0), response_id=None, delivery_id=None)
            await self.context.run(earlier, protocol_request=body)
        return await super().run(turn, body)


@mutant(
    "refuses-with-200",
    defect="refuses strangers in the body of an answer that looks like a success",
    kills={"HC-SESS-013": "missing: refused: FAILED"},
)
class RefusesWith200(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except NotAuthenticated as error:
            return JsonAnswer(msgspec.json.encode({"id": "", "status": "failed", "items": [error.message]}))


@mutant(
    "compares-prefixes",
    defect="looks only at the beginning of an id, which all ids have in common",
    kills={"HC-SESS-005": "what a foreign id opens: FAILED"},
)
class ComparesPrefixes(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.issued: dict[str, ChannelSession | None] = {}

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        after: str = body.get("after", "")
        return turn.replace(session=self.issued.get(after[:4])) if after else turn

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.issued.setdefault(result.response_id[:4], result.session)
        return result


@mutant(
    "drops-key",
    defect="keeps of the session that a hook names whose it is, and not which",
    kills={"HC-SESS-012": "the first turn under another name: FAILED"},
)
class DropsKey(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.shortened

    def shortened(self, request: ChannelRequest) -> ChannelRequest:
        hooked: ChannelRequest = self.app_hook(request)
        named = hooked.session
        return hooked.replace(session=named and ChannelSession(named.isolation_key, key="default"))


@mutant(
    "counts-its-answers",
    defect="numbers its answers from one, in each process",
    kills={"HC-SESS-005": "an id after a restart: FAILED"},
)
class CountsItsAnswers(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answers_so_far = count(1)

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        number = f"resp_{next(self.answers_so_far):032x}"
        session = turn.session
        if session is not None and session.key == turn.response_id:
            session = replace(session, key=number)
        return turn.replace(response_id=number, session=session)


@mutant(
    "branches-stay",
    defect="keeps for good what continues an answer",
    kills={"HC-SESS-005": "an answer that continues another, beside that one: FAILED"},
)
class BranchesStay(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        if turn.session is None or turn.session.parent_key is None:
            return turn
        return turn.replace(session=replace(turn.session, continue_for=None))


@mutant(
    "session-first",
    defect="goes on in the conversation that is named, whatever answer is to be continued",
    kills={"HC-SESS-005": "an issued id beside the name of another conversation continues, or is refused"},
)
class SessionFirst(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        given = {name: value for name, value in body.items() if name != "after" or not body.get("session")}
        return super().parse(given, caller, headers)
