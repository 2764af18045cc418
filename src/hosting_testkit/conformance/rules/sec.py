"""HC-SEC: what must not get out, and what must not get in with what the model says."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...drivers.trouble import AnswerLost, AnswerSpoilt, PlatformAnswer
from ...drivers.turn import VALID, Attachment, Inbound, Turn
from ...drivers.wire import Reply, Text, Wire
from ...targets.agent import FakeAgent, Run, Updates
from ...targets.corpora import INJECTIONS
from ...targets.echo import Echo
from ..canaries import answers, found_in, places_of
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..measures import captured_measures
from ..records import everything_said
from ..registry import rule
from ..spans import captured_spans

_TROUBLES = (AnswerSpoilt(502), AnswerLost("reset"), PlatformAnswer(status=400, body=b"no"))
_CREDENTIALS = ("authorization", "cookie", "x-api-key")
_IMAGE = Attachment(name="dot.png", media_type="image/png", content=b"\x89PNG\r\n\x1a\n" + b"0" * 32)


class _Moody(FakeAgent):
    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        yield run.update(run.text)


@dataclass(slots=True)
class _Life:
    """What a channel answered in the life of its host."""

    wires: list[Wire] = field(default_factory=list[Wire])
    shown: list[str] = field(default_factory=list[str])
    right: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, reply: Reply) -> None:
        self.wires.append(reply.wire)
        self.shown += [*reply.texts, *(error.message for error in reply.errors)]


@rule("HC-SEC-002", why="logs, traces and error pages are read by many, and kept for years")
async def secrets_stay_inside(k: Kit) -> None:
    """No secret that the channel was given stands in what it logs, traces, prints, answers or is called."""
    life = _Life()
    with captured_spans() as kept, captured_measures() as measured, everything_said() as said:
        async with k.host(_Moody()) as h:
            await _live(k, h, life)
            secrets = _callers_own(h) | life.right
            built = k.build(h.driver)
            names = [repr(built), str(built), *map(repr, h.contributions)]
    secrets |= {name: value for env in k.envs for name, value in env.secrets.items()}
    k.control(bool(secrets) or not k.claim("auth").runs, "there are secrets to look for")
    places = {
        "the log": [*said.lines, *k.logs],
        "the spans": [span.text for span in kept.spans],
        "the metrics": measured.lines,
        "what is printed": [said.printed],
        "the warnings": said.warnings,
        "the answers": answers(life.wires),
        "what people are shown": life.shown,
        "repr": names,
    }
    k.control(bool(places["the log"]), "something was logged", observed=len(said.lines))
    k.equal("secrets that got out", found_in(secrets, places), [])


def _callers_own(h: HostedChannel) -> dict[str, str]:
    """What callers authenticate with."""
    headers = h.inbound(Turn()).headers.items()
    return {
        f"the caller's {name}": value.split()[-1] for name, value in headers if name.lower() in _CREDENTIALS
    }


def _right(h: HostedChannel, wrong: Inbound) -> dict[str, str]:
    """What a refused request would have needed: its signature, if it was signed."""
    if not h.driver.capabilities["signature"].runs:
        return {}
    valid = ask_driver(lambda: h.driver.raw(wrong.body), "raw()")
    if set(valid.headers) != set(wrong.headers):
        return {}
    changed = {name: value for name, value in valid.headers.items() if wrong.headers[name] != value}
    return {f"the right {name} of a refused request": value for name, value in changed.items()}


async def _live(k: Kit, h: HostedChannel, life: _Life) -> None:
    """Turns that work, that fail, that are refused, and that cannot reach the platform."""
    first = await h.turn(said := k.nonce())
    k.control(said in first.text, "an ordinary turn is answered", observed=first.text)
    life.add(first)
    life.add(await h.turn(f"fail {k.nonce()}"))
    if k.claim("streaming").runs:
        life.add(await h.turn(f"fail {k.nonce()}", stream=True))
    if k.claim("attachments_in").runs:
        life.add(await h.turn(k.nonce(), attachments=[_IMAGE]))
    for credential in h.driver.bad_credentials:
        refused = Turn(text=k.nonce(), credential=credential)
        life.right |= _right(h, wrong := h.inbound(refused))
        life.wires.append(await h.wire(wrong))
    for inbound in h.driver.malformed().values() if k.claim("http").runs else ():
        life.wires.append(await h.wire(inbound))
    for inbound in ask_driver(h.driver.wrong_fields, "wrong_fields()").values():
        life.wires.append(await h.wire(inbound))
    for trouble in _TROUBLES if k.claim("outbound").runs else ():
        h.env.troubles.plan(text := k.nonce(), [trouble])
        life.add(await h.turn(text))
    h.env.reachable = False
    life.wires.append(await h.wire(h.inbound(Turn(text=k.nonce(), credential=VALID))))
    h.env.reachable = True


@rule(
    "HC-SEC-003",
    why="a model repeats what strangers wrote; it must not ring a thousand phones, or forge an answer",
)
async def what_a_model_says_stays_text(k: Kit) -> None:
    """Markup, mentions, commands, headers and frames in an answer are shown as what they are: text, to the letter."""
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        async with k.host(_Injecting()) as h:
            plain = await h.turn("plain", stream=stream)
            k.control("plainly" in plain.text, "an ordinary turn is answered", observed=plain.text)
            how = "a streamed text" if stream else "a text"
            k.equal(f"{how} in two scripts and two lines: what is shown", plain.text, _Injecting.PLAIN)
            for number, text in enumerate(INJECTIONS):
                reply = await h.turn(str(number), stream=stream)
                where = f"{text[:16]!a}{', streamed' if stream else ''}"
                k.equal(f"{where}: what is shown", _bare(reply.text), _bare(text))
                mentioned = [name for out in reply.outs if isinstance(out, Text) for name in out.mentions]
                k.equal(f"{where}: mentions", mentioned, [])
                k.equal(f"{where}: errors", reply.errors, [])
                names = sorted(reply.wire.headers.keys() - plain.wire.headers.keys())
                k.equal(f"{where}: further headers", names, [])
                k.equal(f"{where}: terminal events", len(reply.terminals), len(plain.terminals))


class _Injecting(FakeAgent):
    """Says the text whose number it is told, cut at bad places."""

    PLAIN = (
        "plainly \u00e9 \u8a9e \U0001f600 \U0001f469\u200d\U0001f467 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645,"
        "\n\tin two lines\u00a0- the second one indented"
    )

    async def answer(self, run: Run) -> Updates:
        text = INJECTIONS[int(run.text)] if run.text.isdigit() else self.PLAIN
        for start in range(0, len(text), 5):
            yield run.update(text[start : start + 5])


def _bare(text: str) -> str:
    """Without white space, at which long texts may be cut, and control signs, which may be left out."""
    return "".join(sign for sign in text if sign.isprintable() and not sign.isspace())


@rule("HC-SEC-004", needs=["outbound"], why="a token that goes to another server is somebody else's token")
async def credentials_go_to_the_platform_alone(k: Kit) -> None:
    """Only the platform's own hosts get a secret, and never in an address."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
        if k.claim("attachments_in").runs:
            await h.turn(k.nonce(), attachments=[_IMAGE])
        await h.turn(f"https://elsewhere.example/{k.nonce()}")
    secrets, hosts = h.env.secrets, h.env.hosts
    sent = [(request, places_of(request)) for request in h.env.requests]
    k.control(bool(sent), "the channel calls its platform", observed=len(sent))
    abroad = [
        f"{leak} to {request.url.host}"
        for request, places in sent
        if request.url.host not in hosts
        for leak in found_in(secrets, places)
    ]
    k.equal(f"secrets sent to others than {', '.join(sorted(hosts))}", abroad, [])
    if not k.claim("outbound").params.get("token_in_address"):
        logged = [leak for _, places in sent for leak in found_in(secrets, {"address": places["address"]})]
        k.equal("secrets in addresses", logged, [])
