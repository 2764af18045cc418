"""What HC-LIFE-007 lets happen to the polls of a worker, one kind after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat

from ...drivers.trouble import AnswerLost, PlatformAnswer, Trouble, Unreachable
from ...drivers.turn import Turn
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit

OUTAGE = 120.0
LONGEST_BACKOFF = 120.0
_LONG_OUTAGE = 86_400.0
_MOST_TRIES = 120
_QUIET = 280.0
_DEAD = 600.0
_HANGING = 1800.0
_SOON = 30.0
_HICCUPS = 9
_LIMIT = 300.0
_BETWEEN_HICCUPS = 150.0


async def quiet(k: Kit, h: HostedChannel) -> None:
    """A poll that the platform holds open is no failure, however little happens."""
    await h.rest(_QUIET)
    await answered(k, h, "an event after a quiet time is answered")


_PAGE = b"<html><body>Please sign in.</body></html>"
_TROUBLES: Mapping[str, Trouble] = {
    "that is never answered": AnswerLost("timeout", arrives=False),
    "that something in between answers with a page": PlatformAnswer(
        status=200, headers={"content-type": "text/html"}, body=_PAGE
    ),
    **{
        f"that is answered with {what}": PlatformAnswer(status=200, body=body)
        for what, body in {
            "other JSON": b'{"maintenance": true}',
            "null": b"null",
            "a result that is null": b'{"ok": true, "result": null}',
            "a list of null": b'{"ok": true, "result": [null]}',
        }.items()
    },
    **{
        f"that is refused with {status}": PlatformAnswer(status=status)
        for status in (400, 401, 403, 404, 409, 429, 500, 502, 503)
    },
}
"""The connection has died without a word, or does not lead to the platform; or that one has a bad day."""


async def fetches_in_trouble(k: Kit, h: HostedChannel) -> bool:
    """A poll with an end like this is over some time, and then comes the next one; False if it does not."""
    for what, trouble in _TROUBLES.items():
        met = await _fetches_meet(h, [trouble], _DEAD)
        k.control(met > 0, f"there is a poll {what}; the driver names its path in `fetches`", observed=met)
        if not await answered(k, h, f"an event after a poll {what} is answered"):
            return False
    return True


async def hiccups(k: Kit, h: HostedChannel) -> None:
    """Many polls failed, each between others that went well: none makes the next one worse."""
    met = sum([await _fetches_meet(h, [Unreachable()], _BETWEEN_HICCUPS) for _ in range(_HICCUPS)])
    k.control(met == _HICCUPS, "polls fail now and then", observed=met)
    for path in h.env.fetches:
        h.env.troubles.plan(path, [Unreachable()])
    while not any(h.env.troubles.met[path] for path in h.env.fetches):
        await h.rest(1.0)
    await answered(k, h, f"an event after a hiccup, the {_HICCUPS + 1}th of a long day, is answered")


async def limited(k: Kit, h: HostedChannel) -> None:
    """A platform that asks for a pause gets it, for polls as for messages."""
    refusal = ask_driver(lambda: h.driver.rate_limited(_LIMIT), "rate_limited()")
    for path in h.env.fetches:
        h.env.troubles.plan(path, [refusal] * 2)
    await h.rest(4 * _LIMIT + LONGEST_BACKOFF)
    met = sorted(at for path in h.env.fetches for at in h.env.troubles.over(path))
    k.control(len(met) == 2, "two polls are refused with a limit", observed=met)
    name = f"seconds between a poll that is refused for {_LIMIT:g} s and the next"
    k.check(name, met[1] - met[0] >= _LIMIT, expected=f"{_LIMIT:g} at least", observed=met[1] - met[0])


async def outage(k: Kit, h: HostedChannel) -> bool:
    """However long it was: it is told, with no more tries than are of use; False if what comes afterwards is lost."""
    told = len(k.logs)
    h.env.reachable = False
    await h.rest(OUTAGE)
    tries = h.env.refusals
    k.check(
        f"tries in an outage of {OUTAGE:g} s",
        tries <= _MOST_TRIES,
        expected=f"<= {_MOST_TRIES}",
        observed=tries,
    )
    h.env.reachable = True
    _warned(k, told, f"an outage of {OUTAGE:g} s")
    if not await answered(k, h, "an event after an outage is answered", within=LONGEST_BACKOFF):
        return False
    h.env.reachable = False
    await h.rest(_LONG_OUTAGE)
    h.env.reachable = True
    await h.wire(h.inbound(Turn(text=(said := k.nonce()))))
    await h.rest(LONGEST_BACKOFF)
    ran = sum(run.text == said for run in h.runs)
    if not k.equal(f"runs of an event after an outage of {_LONG_OUTAGE:g} s, before long", ran, 1):
        return False
    told = len(k.logs)
    await _fetches_meet(h, repeat(AnswerLost("timeout", arrives=False)), _HANGING)
    _warned(k, told, f"{_HANGING:g} s in which no poll is answered")
    await h.rest(LONGEST_BACKOFF)
    return True


def _warned(k: Kit, mark: int, what: str) -> None:
    """Somebody is told that the bot is deaf."""
    lines = [line for line in k.logs[mark:] if line.startswith(("WARNING", "ERROR"))]
    k.check(f"the log warns of {what}", bool(lines), expected="a warning", observed=k.logs[mark:])


async def _fetches_meet(h: HostedChannel, troubles: Iterable[Trouble], seconds: float) -> int:
    """How many polls met the troubles in so many seconds; the rest of them is taken back."""
    for path in h.env.fetches:
        h.env.troubles.plan(path, troubles)
    await h.rest(seconds)
    return sum(len(h.env.troubles.over(path)) for path in h.env.fetches)


async def answered(k: Kit, h: HostedChannel, name: str, *, within: float = _SOON) -> bool:
    """An ordinary event is answered in so many virtual seconds."""
    async with h.open(h.inbound(Turn(text=(said := k.nonce())))) as opened:
        shown = await opened.shows(lambda reply: said in reply.text, within=within)
        reply = await opened.reply()
    return k.check(name, shown, expected=said, observed=reply.text)
