"""HC-TEXT: what a platform's bounds do to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_LENGTH: Mapping[str, Callable[[str], int]] = {
    "utf16": lambda text: len(text.encode("utf-16-le")) // 2,
    "utf8": lambda text: len(text.encode()),
    "codepoints": len,
}

_MESSAGES = 30
_SHOWN = 20  # characters of a line


@rule(
    "HC-TEXT-001",
    needs=["text_limit"],
    why="a message that is too long is refused as a whole, and the person sees nothing",
)
async def long_text_is_split(k: Kit) -> None:
    """Each part keeps the limit in the platform's unit, and nothing is lost between them."""
    params = k.claim("text_limit").params
    limit, length = params["limit"], _LENGTH[params["unit"]]
    for name, text in _texts(limit).items():
        async with k.host(Scripted(text)) as h:
            reply = await h.turn(k.nonce())
        k.equal(
            f"{name}: parts over the limit",
            [length(part) for part in reply.texts if length(part) > limit],
            [],
        )
        k.equal(f"{name}: the parts joined", _without_space(reply.text), _without_space(text))
        if not params.get("trims"):
            k.equal(f"{name}: indented lines that begin elsewhere", _moved(reply.texts, text), [])
        refused = [call.status for call in reply.wire.calls if call.status >= 400]
        k.equal(f"{name}: messages that the platform refused", refused, [])


def _texts(limit: int) -> dict[str, str]:
    """Texts with no markup and one kind of cut each; numbered, so that a lost or repeated part shows."""
    words = " ".join(f"word{number}" for number in range(limit * _MESSAGES // 5))
    digits = "".join(str(number % 10) for number in range(limit))
    return {
        "exactly the limit": digits,
        "one above the limit": f"{digits}!",
        "many words": words[: 3 * limit].rstrip(),
        f"words for {_MESSAGES} messages": words[: _MESSAGES * limit].rstrip(),
        "indented lines": "\n".join(f"if {n}:\n        then {n}" for n in range(limit // 4))[
            : 3 * limit
        ].rstrip(),
        "one long word": (digits * 3)[: 2 * limit + 7],
        "emoji, two UTF-16 units each": "".join(chr(0x1F600 + number % 64) for number in range(2 * limit)),
    }


def _without_space(text: str) -> str:
    """Where parts were cut at a space, that space may be gone."""
    return "".join(text.split())


def _moved(parts: Sequence[str], text: str) -> list[str]:
    """The lines at the beginning of a part that have lost the blanks before them."""
    moved: list[str] = []
    at = 0
    for part in parts:
        begin = at
        while not text.startswith(part, at) and text[at : at + 1].isspace():
            at += 1
        if text[begin:at].rpartition("\n")[1:] not in (("", text[begin:at]), ("\n", "")):
            moved.append(part[:_SHOWN])
        at += len(part)
    return moved
