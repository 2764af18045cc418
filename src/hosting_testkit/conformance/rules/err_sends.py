"""HC-ERR: messages to the platform that do not go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hosting import RetryPolicy

from ...drivers.trouble import AnswerLate, AnswerLost, AnswerSpoilt, PlatformAnswer, Trouble, Unreachable
from ...drivers.turn import Turn
from ...targets.echo import Echo
from ...targets.scripted import Scripted
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas
from ..retry_after import DATE, MISSING, far_from_utc, other_forms
from ..sends import sending

_WAIT = 7.0
_LONG_WAIT = 100.0
_MOST_MORE = 60.0
_SHORTEST = 0.4
_LATE = 3.0
_MINUTE = 60.0
_LONG = 300.0
"""Virtual seconds after which every reply has ended, one way or the other."""


def _most_tries(k: Kit) -> int:
    """A reply that is shown while it grows was tried once before the host sends it."""
    return RetryPolicy().max_attempts + k.claim("edits").runs


async def _answers(k: Kit, h: Replica) -> None:
    reply = await h.turn(said := k.nonce())
    k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)


def _limited(h: Replica, seconds: float = _WAIT) -> PlatformAnswer:
    return ask_driver(lambda: h.driver.rate_limited(seconds), "rate_limited()")


@rule(
    "HC-ERR-010",
    needs=["outbound", "messaging"],
    why="a bot that hurries a platform that is busy is shut out; one that gives up owes an answer",
)
async def a_limited_send_waits_its_time(k: Kit) -> None:
    """Refused with 429 three times it is sent after the time told; refused always it ends on record."""
    async with replicas(k, Echo()) as (h,):
        await _answers(k, h)
        late = await sending(h, Turn(text=(said := k.nonce())), [_limited(h)] * 3, seconds=_LONG)
        k.control(len(late.tries) > 0, "the platform refuses the reply with 429", observed=late.tries)
        early = [wait for wait in late.waits if wait < _WAIT]
        k.equal("waits that were shorter than the platform asked for", early, [])
        k.equal("messages that show the reply after three refusals", late.times(said), 1)
        limits = [_limited(h, _LONG_WAIT)] * 2
        much = await sending(h, Turn(text=(said := k.nonce())), limits, seconds=3 * _LONG_WAIT + _LONG)
        early = [wait for wait in much.waits if wait < _LONG_WAIT]
        k.equal(f"waits that were shorter than {_LONG_WAIT:g} s, as the platform asked for", early, [])
        k.equal(f"messages that show the reply after a limit of {_LONG_WAIT:g} s", much.times(said), 1)
        await _told_otherwise(k, h)
        never = await sending(h, Turn(text=k.nonce()), _limited(h), seconds=_LONG)
        few = len(never.tries) <= _most_tries(k)
        k.check("tries in all", few, expected=f"{_most_tries(k)} at most", observed=len(never.tries))
        k.check(
            "what is on record of a reply that was never sent",
            never.recorded in (["dead"], ["unknown"]),
            expected="dead or unknown",
            observed=never.recorded,
        )


async def _told_otherwise(k: Kit, h: Replica) -> None:
    """A reply is not lost because it was told in another form when to try again."""
    with far_from_utc():
        for form, refusal in other_forms(_limited(h), h.env.time_source.now() + _WAIT).items():
            sent = await sending(h, Turn(text=(said := k.nonce())), [refusal, _limited(h)], seconds=_LONG)
            k.equal(f"messages that show the reply after a Retry-After that {form}", sent.times(said), 1)
            early = [wait for wait in sent.waits if wait < _SHORTEST]
            k.equal(f"waits that are none after a Retry-After that {form}", early, [])
            if form == DATE and not k.claim("edits").runs:
                waited = _WAIT - 1 <= sent.waits[0] <= _WAIT + _MOST_MORE if sent.waits else False
                name = f"the wait after a Retry-After that {form}, on a machine that is far from UTC"
                k.check(name, waited, expected=f"{_WAIT:g} s", observed=sent.waits)


@rule(
    "HC-ERR-011",
    needs=["outbound", "messaging"],
    why="a reply that may have arrived and is sent again is there twice",
)
async def only_what_surely_did_not_arrive_is_sent_again(k: Kit) -> None:
    """Refused connections are tried again, ever more slowly; an answer that is lost leaves an unknown end."""
    async with replicas(k, Echo()) as (h,):
        await _answers(k, h)
        back = await sending(h, Turn(text=(said := k.nonce())), [Unreachable()] * 2, seconds=_LONG)
        k.equal("messages that show the reply once the platform is back", back.times(said), 1)
        late = [Unreachable("timeout")] * 2
        found = await sending(h, Turn(text=(said := k.nonce())), late, seconds=_LONG)
        k.equal("messages that show the reply once a connection comes about in time", found.times(said), 1)
        away = await sending(h, Turn(text=k.nonce()), Unreachable(), seconds=_LONG)
        few = len(away.tries) <= _most_tries(k)
        k.check("tries while it is away", few, expected=f"{_most_tries(k)} at most", observed=len(away.tries))
        slower = away.waits[-1:] > away.waits[:1]
        k.check("waits while it is away", slower, expected="longer and longer", observed=away.waits)
        for how, trouble in _UNSURE.items():
            sent = await sending(h, Turn(text=(said := k.nonce())), trouble, seconds=_LONG)
            k.equal(f"messages that show the reply after {how}", sent.times(said), 1)
            keyed = len(sent.tries) > 1 and list(sent.recorded) == [
                "dead"
            ]  # the platform knew the repetition
            told = keyed or list(sent.recorded) == ["unknown"]
            k.check(f"what is on record after {how}", told, expected="unknown", observed=sent.recorded)


_UNSURE: Mapping[str, Trouble] = {
    "a timeout": AnswerLost("timeout"),
    "a reset": AnswerLost("reset"),
    "a connection that is closed without an answer": AnswerLost("closed"),
    "a status 500": AnswerSpoilt(500),
}
"""The message arrived, and the channel cannot know it."""


@rule(
    "HC-ERR-012",
    needs=["outbound", "messaging"],
    why="platforms block bots that go on writing to people who want nothing of them",
)
async def a_refusal_for_good_is_not_tried_again(k: Kit) -> None:
    """Blocked, gone or not found: one try, and on record as dead."""
    async with replicas(k, Echo()) as (h,):
        await _answers(k, h)
        refusals = ask_driver(h.driver.refused_for_good, "refused_for_good()")
        k.control(bool(refusals), "the platform refuses for good", observed=sorted(refusals))
        most = 1 + k.claim("edits").runs
        for why, refusal in refusals.items():
            sent = await sending(h, Turn(text=k.nonce()), refusal, seconds=_LONG)
            tries = len(sent.tries)
            k.check(f"tries, {why}", tries <= most, expected=f"{most} at most", observed=tries)
            k.equal(f"what is on record, {why}", sent.recorded, ["dead"])


@dataclass(frozen=True, slots=True)
class _Troubles:
    """What a part meets, and how long the platform asks to wait: a list of troubles has an end, and then it is taken."""

    troubles: Trouble | Sequence[Trouble]
    wait: float = 0.0


@rule(
    "HC-ERR-013",
    needs=["outbound", "messaging", "text_limit"],
    why="the beginning of a long answer must not come twice because its end was refused",
)
async def a_part_that_fails_repeats_no_other(k: Kit) -> None:
    """The second of three parts is refused, out of reach or lost: none is there twice, no loss is hidden."""
    limit = k.claim("text_limit").params["limit"]
    parts = [k.nonce() for _ in range(3)]
    filling = f" {'word ' * (limit // 5 + 1)}"
    async with replicas(k, Scripted(filling.join(parts))) as (h,):
        whole = await h.turn(k.nonce())
        seen = [sum(part in text for text in whole.texts) for part in parts]
        k.control(seen == [1, 1, 1] and len(whole.texts) > 2, "a reply of several parts", observed=seen)
        for how, meets in _troubles_of_a_part(h).items():
            await _one_part_fails(k, h, parts, how, meets)


def _troubles_of_a_part(h: Replica) -> dict[str, _Troubles]:
    refused = ask_driver(h.driver.refused_for_good, "refused_for_good()")
    untold = other_forms(_limited(h), 0.0).get(MISSING)
    return {
        "refused for a while": _Troubles([_limited(h)] * 2, _WAIT),
        "refused for a minute": _Troubles([_limited(h, _MINUTE)] * 2, _MINUTE),
        **({"refused without a word for how long": _Troubles([untold] * 2)} if untold else {}),
        **{f"refused for good, {why}": _Troubles(refusal) for why, refusal in refused.items()},
        "refused every time": _Troubles(_limited(h), _WAIT),
        "lost": _Troubles(AnswerLost("reset")),
        "sent and not answered in time": _Troubles(AnswerLost("timeout")),
        "sent and answered with 502": _Troubles(AnswerSpoilt(502)),
        "sent and answered late": _Troubles(AnswerLate(_LATE)),
        "out of reach for a moment": _Troubles([Unreachable()]),
        "out of reach": _Troubles(Unreachable()),
    }


async def _one_part_fails(k: Kit, h: Replica, parts: Sequence[str], how: str, meets: _Troubles) -> None:
    sent = await sending(h, Turn(text=k.nonce()), meets.troubles, seconds=_LONG, at=parts[1])
    times = [sent.times(part) for part in parts]
    k.check(f"parts when one is {how}", max(times) <= 1, expected="none twice", observed=times)
    shown = [parts.index(part) for text in sent.reply.texts for part in parts if part in text]
    k.equal(f"the order of the parts when one is {how}", shown, sorted(shown))
    early = [wait for wait in sent.waits if wait < meets.wait]
    k.equal(f"waits that were shorter than the platform asked for, when one is {how}", early, [])
    passes = isinstance(meets.troubles, Sequence)
    whole = min(times) == 1 or (not passes and sent.recorded in (["dead"], ["unknown"]))
    expected = "all of it" if passes else "the loss"
    k.check(f"what is on record when one is {how}", whole, expected=expected, observed=sent.recorded)
