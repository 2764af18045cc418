"""HC-TEXT: what people see of markup, of files, and of what cannot be shown."""

from __future__ import annotations

from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule

_MARKS = "*bold* _under_ `code` \\ <b>tag</b> & [link](https://example.com) ~x~ |y| # > - 1. {z} =!"
_UNCLOSED = "2 * 3 = 6, snake_case, a`b, <i>, ["

_SPACED = "poem\n\n\n\n    four  words\t\tand &lt;b&gt; &amp;amp; %41%20+ \\n: end"

_FILES = {
    "image/png": steps.PNG,
    "application/pdf": b"%PDF-1.7 kit",
    "text/csv": b"a,b\n1,2\n",
    "application/zip": bytes(range(256)) * 2,
}
"""The last one holds each byte, and so every letter of base64."""


@rule("HC-TEXT-003", needs=["markup"], why="an answer with a star in it must neither look wrong nor get lost")
async def markup_is_escaped(k: Kit) -> None:
    """People see the text as it was said; where the platform refuses its markup, they see it plain."""
    refusal = ask_driver(k.driver().markup_refused, "markup_refused()")
    for name, text in {"marks in pairs": _MARKS, "marks that stand alone": _UNCLOSED}.items():
        async with k.host(Scripted(text)) as h:
            reply = await h.turn(k.nonce())
        refused = [call.status for call in reply.wire.calls if call.status >= 400]
        k.equal(f"{name}: messages that the platform refused", refused, [])
        k.equal(f"{name}: the text that people see", reply.text, text)
    async with k.host(Scripted(said := k.nonce())) as h:
        h.env.answers[said] = refusal
        reply = await h.turn("hello")
        k.control(not h.env.answers, "the platform refused the markup once", observed=reply.wire.calls)
        k.equal("the text after the platform refused its markup", reply.text, said)


@rule("HC-TEXT-004", why="an answer that cannot be shown and is not mentioned looks like no answer")
async def nothing_vanishes(k: Kit) -> None:
    """Of an image, a sound and a file something is to be seen: itself, or its name; of two equal texts both are."""
    shown = {
        "an image": steps.Media(),
        "a sound": steps.Media(b"RIFF0000WAVE", "audio/wav"),
        "a file": steps.Media(b"%PDF-1.7", "application/pdf"),
    }
    async with k.host(Scripted(said := k.nonce())) as h:
        plain = await h.turn(k.nonce())
        k.control(said in plain.text, "a plain text is shown", observed=plain.text)
    async with k.host(Scripted(_SPACED)) as h:
        reply = await h.turn(k.nonce())
    k.equal("a text with much white space and escapes in it", reply.text, _SPACED)
    async with k.host(Scripted(said := k.nonce(), steps.NextMessage(), said)) as h:
        twice = (await h.turn(k.nonce())).text.count(said)
        k.equal("how often a text is shown that the answer holds twice", twice, 2)
    for name, step in shown.items():
        async with k.host(Scripted(said := k.nonce(), step)) as h:
            reply = await h.turn(k.nonce())
        k.check(f"the text beside {name}", said in reply.text, expected=said, observed=reply.text)
        more = reply.text.replace(said, "").strip() or reply.files
        k.check(f"{name} is seen, or its name", bool(more), expected="something", observed=reply.outs)


@rule(
    "HC-TEXT-006",
    needs=["attachments_out"],
    why="a picture that arrives broken or as a download is no picture",
)
async def files_arrive_as_they_are(k: Kit) -> None:
    """Bytes and media type are those of the answer, and the text is there too."""
    for media_type, content in _FILES.items():
        async with k.host(Scripted(said := k.nonce(), steps.Media(content, media_type))) as h:
            reply = await h.turn(k.nonce())
        k.check(f"the text beside {media_type}", said in reply.text, expected=said, observed=reply.text)
        k.equal(f"bytes of {media_type}", [file.content for file in reply.files], [content])
        k.equal(f"media type of {media_type}", [file.media_type for file in reply.files], [media_type])
