"""What must hold after a crash, whatever it hit (contract 4.4, 4.5, 4.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .processes import Victim
from .stage import Stage

APOLOGY = "something went wrong"


_CHANGES = {
    "sending": ("outbox.take", "outbox.end", "outbox.retry"),
    "seen": ("events.mark_seen", "events.end"),
    "claimed": ("turns.begin", "turns.finish"),
}
"""What changes a fact about a dead process; while such a unit is under way, the fact is not known."""


def may_be(dead: Victim | None, fact: str) -> set[int]:
    """How often a fact held when a process died: 1, 0, or either where a unit that changes it was under way."""
    if dead is None:
        return {0}
    unsure = not set(_CHANGES[fact]).isdisjoint(dead.said["under_way"])
    return {0, 1} if unsure else {int(dead.said[fact])}


def chat_defects(stage: Stage, texts: Sequence[str], *, answer: str = "{}: heard ") -> list[str]:
    """What is wrong with the replies to `texts`, which ann wrote, and with the records of them.

    Args:
        stage: After everything has settled.
        texts: What she wrote, in the order in which the host accepted it.
        answer: How the answer to a text begins.
    """
    return [
        *_reply_defects(stage, [answer.format(text) for text in texts]),
        *_record_defects(stage, len(texts)),
        *state_defects(stage, texts),
    ]


def state_defects(stage: Stage, texts: Sequence[str]) -> Iterator[str]:
    """What is wrong with the state itself."""
    said = stage.books.said()
    for text in texts:
        if said[text] > 1:
            yield f"the history has {text!r} {said[text]} times"
    if damage := stage.books.damage():
        yield f"the database is damaged: {damage}"


def outcome(stage: Stage) -> str:
    """What came of a run, in a word."""
    if stage.books.turns()["interrupted"]:
        return "interrupted"
    return "unknown" if stage.books.deliveries()["unknown"] else "answered"


def _reply_defects(stage: Stage, answers: Sequence[str]) -> Iterator[str]:
    seen = stage.sim.chat("ann").bot_texts
    unknown, interrupted = stage.books.deliveries()["unknown"], stage.books.turns()["interrupted"]
    found = [[text for text in seen if text.startswith(answer)] for answer in answers]
    for answer, replies in zip(answers, found, strict=True):
        if len(replies) > 1:
            yield f"{answer!r} was seen {len(replies)} times: {seen}"
    missing = sum(not replies for replies in found)
    if missing > unknown + interrupted:
        yield f"{missing} of {list(answers)} were never answered, and nothing says why: {seen}"
    apologies = sum(APOLOGY in text for text in seen)
    if apologies > interrupted or apologies < interrupted - unknown:
        yield f"found {apologies} apologies, expected {interrupted}: {seen}"
    order = [answers.index(a) for text in seen for a in answers if text.startswith(a)]
    if order != sorted(order):
        yield f"answered out of order: {seen}"


def _record_defects(stage: Stage, count: int) -> Iterator[str]:
    deliveries, turns, events = stage.books.deliveries(), stage.books.turns(), stage.books.events()
    sending, shown = may_be(stage.dead, "sending"), may_be(stage.dead, "seen")
    if deliveries["unknown"] not in sending or deliveries["unknown"] + deliveries["sent"] != count:
        yield f"found deliveries {dict(deliveries)}, expected {sending} unknown and the rest of {count} sent"
    if turns["interrupted"] not in shown or turns["interrupted"] + turns["completed"] != count:
        yield f"found turns {dict(turns)}, expected {shown} interrupted and the rest of {count} completed"
    if events != {"done": count}:
        yield f"found events {dict(events)}, expected {count} done"
