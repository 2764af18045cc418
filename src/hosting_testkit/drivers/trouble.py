"""What a rule lets happen to calls of a channel to its platform."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Literal

import httpx

Pass = Callable[[httpx.Request], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformAnswer:
    """An answer of the platform in its own shape, such as a refusal; the call has no effect.

    Args:
        status: The HTTP status.
        headers: The headers.
        body: The body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No connection comes about: the call surely does not arrive.

    Args:
        how: It is refused, or the client's time for it runs out.
    """

    how: Literal["refused", "timeout"] = "refused"


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """No answer comes: the client's time runs out, or the connection breaks, or is closed in good order.

    Args:
        how: Which of the three.
        arrives: Whether the call takes effect, which the client cannot know.
    """

    how: Literal["timeout", "reset", "closed"] = "timeout"
    arrives: bool = True


@dataclass(frozen=True, slots=True)
class AnswerLate:
    """The call takes effect at once, and its answer comes later; `Env.latency` waits before the effect.

    Args:
        seconds: How much later. Who does not wait so long sees a timeout.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class AnswerSpoilt:
    """The call takes effect, and something in between answers as if the platform had failed.

    Args:
        status: The HTTP status of that.
    """

    status: int = 500


@dataclass(frozen=True, slots=True)
class AnswerAltered:
    """The call takes effect, and its answer holds something else than the platform would say.

    Args:
        find: What it says.
        put: What stands there instead, as it is on the wire.
    """

    find: str
    put: str


@dataclass(frozen=True, slots=True)
class Struck:
    """Something happens at the moment of the call, such as the death of the process that makes it.

    Args:
        event: What happens.
        arrives: Whether the call takes effect before it.
    """

    event: Callable[[], None]
    arrives: bool


Trouble = PlatformAnswer | Unreachable | AnswerLost | AnswerLate | AnswerSpoilt | AnswerAltered | Struck

_PATIENCE = 7200.0
"""Seconds until a connection on which nothing comes breaks, for clients that would wait for ever.

Longer than any rule waits, so that a missing timeout is seen.
"""


class Troubles:
    """The trouble that is planned, by a text that calls hold in their body, or by their path.

    Attributes:
        met: When such a call met trouble, by the text or path, in loop time.
    """

    def __init__(self) -> None:
        self.met: dict[str, list[float]] = {}
        self._planned: dict[str, Iterator[Trouble]] = {}

    def plan(self, text: str, troubles: Trouble | Iterable[Trouble]) -> None:
        """One trouble for every call with `text`, or one for each such call until there are no more."""
        one = isinstance(troubles, Trouble)
        self._planned[text] = repeat(troubles) if one else iter(troubles)
        self.met[text] = []

    def over(self, text: str) -> Sequence[float]:
        """From now on calls with `text` go through; when those before met trouble."""
        self._planned.pop(text, None)
        return self.met.get(text, [])

    def next(self, path: str, body: bytes) -> Trouble | None:
        """What this call meets."""
        for text, troubles in self._planned.items():
            if (text == path or text.encode() in body) and (found := next(troubles, None)) is not None:
                self.met[text].append(asyncio.get_running_loop().time())
                return found
        return None


async def troubled(trouble: Trouble, request: httpx.Request, arrives: Pass) -> httpx.Response:
    """The end of a call that meets trouble; `arrives` makes it take effect.

    Raises:
        httpx.HTTPError: There is no answer.
    """
    match trouble:
        case PlatformAnswer():
            return httpx.Response(trouble.status, headers=dict(trouble.headers), content=trouble.body)
        case Unreachable("timeout"):
            raise httpx.ConnectTimeout("no connection in time, as the rule asked", request=request)
        case Unreachable():
            raise httpx.ConnectError("the connection is refused, as the rule asked", request=request)
        case AnswerSpoilt():
            await arrives(request)
            return httpx.Response(trouble.status, text="a failure in between, as the rule asked")
        case AnswerAltered():
            told = await arrives(request)
            content = told.content.replace(trouble.find.encode(), trouble.put.encode())
            return httpx.Response(told.status_code, headers={"content-type": _type(told)}, content=content)
        case AnswerLate():
            return await _late(trouble.seconds, request, await arrives(request))
        case AnswerLost():
            if trouble.arrives:
                await arrives(request)
            raise await _lost(trouble, request)
        case Struck():
            if trouble.arrives:
                await arrives(request)
            trouble.event()
            raise httpx.ReadError("the connection broke, as the rule asked", request=request)


async def _late(seconds: float, request: httpx.Request, response: httpx.Response) -> httpx.Response:
    try:
        async with asyncio.timeout(_read_timeout(request)):
            await asyncio.sleep(seconds)
    except TimeoutError as error:
        raise httpx.ReadTimeout("the answer took longer than the client waits", request=request) from error
    return response


def _type(response: httpx.Response) -> str:
    return response.headers.get("content-type", "application/json")


def _read_timeout(request: httpx.Request) -> float | None:
    return request.extensions.get("timeout", {}).get("read")


async def _lost(trouble: AnswerLost, request: httpx.Request) -> httpx.HTTPError:
    if trouble.how == "closed":
        return httpx.RemoteProtocolError("closed without an answer, as the rule asked", request=request)
    if trouble.how == "reset":
        return httpx.ReadError("the connection broke, as the rule asked", request=request)
    limit = _read_timeout(request)
    await asyncio.sleep(_PATIENCE if limit is None else limit)
    if limit is None:
        return httpx.RemoteProtocolError("the platform went away without an answer", request=request)
    return httpx.ReadTimeout("no answer within the client's timeout", request=request)
