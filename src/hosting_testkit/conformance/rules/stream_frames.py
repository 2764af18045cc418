"""HC-STREAM: what the single frames of a stream look like."""

from __future__ import annotations

from collections.abc import Sequence

from ...drivers.turn import Turn
from ...drivers.wire import Delta, Reply, Text
from ...streams.sse import validate_sse
from ...targets import steps
from ...targets.corpora import BROKEN_TEXTS, INJECTIONS, NASTY_TEXTS
from ...targets.scripted import Scripted
from ...transports.asgi import BridgeOptions
from ..hand_reader import HandReader, read_by_hand
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule

_LONG = "\U0001f600\u6f22\u00e9" * 300
_LINES = "one\ntwo\r\nthree\rfour\u2028five\u0085six\n\ndata: seven\n\nevent: eight"
_BOM = b"\xef\xbb\xbf"


@rule(
    "HC-STREAM-009",
    needs=["streaming"],
    unless=["edits"],
    why="a client that decodes frame by frame sees garbage where a character was cut",
)
async def frames_hold_whole_characters(k: Kit) -> None:
    """Every frame decodes by itself, and no piece of text holds half a character."""
    for name, said in {
        "a long text": [_LONG],
        "hard texts": NASTY_TEXTS,
        "broken texts": BROKEN_TEXTS,
    }.items():
        async with (
            k.host(Scripted(*said)) as h,
            read_by_hand(h, h.inbound(Turn(stream=True)), BridgeOptions(window=0)) as reader,
        ):
            pieces = await _pieces(reader)
            outs = await h.decode(reader.wire)
        shown = Reply(reader.wire, outs).text
        if name != "broken texts":
            k.equal(f"{name}: what comes", shown, "".join(said))
        k.equal(f"{name}: frames that do not decode", [piece for piece in pieces if not _decodes(piece)], [])
        texts = [out.text for out in outs if isinstance(out, Delta | Text)]
        k.equal(f"{name}: texts with lone surrogates", [text for text in texts if _has_surrogate(text)], [])


async def _pieces(reader: HandReader) -> Sequence[bytes]:
    pieces: list[bytes] = []
    while (piece := await reader.read()) is not None:
        pieces.append(piece)
    return pieces


def _decodes(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_surrogate(text: str) -> bool:
    return any(0xD800 <= ord(character) <= 0xDFFF for character in text)


@rule(
    "HC-STREAM-010",
    needs=["streaming", "sse"],
    why="browsers drop a whole stream for one wrong line, in silence",
)
async def event_streams_are_legal(k: Kit) -> None:
    """Media type, lines and ends are as the standard says, whatever the text holds."""
    for name, said in {
        "a plain answer": "plain",
        "many lines": _LINES,
        "hostile text": "".join(INJECTIONS),
    }.items():
        async with k.host(Scripted(said)) as h:
            wire = await h.wire(h.inbound(Turn(stream=True)))
            violations = validate_sse(wire.headers.get("content-type", ""), wire.body)
            found = [f"{found.rule} in frame {found.frame}: {found.detail}" for found in violations]
            k.equal(f"{name}: what a strict reader objects to", found, [])
            k.equal(f"{name}: content-length of a stream", wire.headers.get("content-length"), None)
            k.check(
                f"{name}: no byte order mark", not wire.body.startswith(_BOM), expected="no byte order mark"
            )
            if not found:
                k.equal(f"{name}: what comes", Reply(wire, await h.decode(wire)).text, said)


@rule(
    "HC-STREAM-011",
    needs=["streaming", "sequence_numbers"],
    why="a gap looks like a lost event, and a client resumes after a number",
)
async def numbers_have_no_gaps(k: Kit) -> None:
    """Each event is one more than the one before, also past updates that show nothing."""
    first = k.claim("sequence_numbers").params.get("first", 0)
    pause = steps.Sleep(0.2)
    silent: list[steps.Step] = [steps.Usage(), pause, steps.ToolCall("tool"), steps.ToolResult("r"), pause]
    scripts: dict[str, list[steps.Step]] = {
        "a plain answer": ["a", pause, "b", pause, "c"],
        "updates that show nothing": ["a", pause, *silent, "b", pause, "", "c"],
    }
    for name, script in scripts.items():
        async with k.host(Scripted(*script)) as h:
            wire = await h.wire(h.inbound(Turn(stream=True)))
            numbers = list(ask_driver(lambda wire=wire: h.driver.sequence(wire), "sequence(wire)"))
        k.control(len(numbers) > 1, f"{name}: the stream has numbered events", observed=numbers)
        k.equal(f"{name}: the numbers", numbers, list(range(first, first + len(numbers))))


@rule(
    "HC-STREAM-012",
    needs=["streaming"],
    unless=["edits"],
    why="a client finds its answer again by the id that the stream named",
)
async def ids_are_constant(k: Kit) -> None:
    """One id for the response and one for each item, from the first event to the final object, and new ones each turn."""
    pause = steps.Sleep(0.2)
    async with k.host(Scripted("a", pause, "b", pause, steps.NextMessage(), "c")) as h:
        seen: list[dict[str, list[str]]] = []
        for _ in range(2):
            wire = await h.wire(h.inbound(Turn(stream=True)))
            pairs = ask_driver(lambda wire=wire: h.driver.ids(wire), "ids(wire)")
            k.control(len(pairs) > 1, "the stream names ids", observed=pairs)
            kinds = dict.fromkeys(kind for kind, _ in pairs)
            seen.append({name: [id for kind, id in pairs if kind == name] for name in kinds})
        for kind, ids in seen[0].items():
            k.equal(f"different ids of the {kind}", sorted(set(ids)), ids[:1])
            k.check(
                f"another turn's {kind} has another id",
                not set(ids) & set(seen[1].get(kind, ())),
                expected="another id",
                observed=seen[1].get(kind),
            )
