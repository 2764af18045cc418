"""HC-CMD: what a person asks of the bot itself, and not of the target."""

from __future__ import annotations

from hosting import ChannelCommandContext, ChannelRequest

from ...drivers.turn import Turn
from ...drivers.wire import Reply, Text
from ...targets.echo import Echo
from ..handlers import Handler, offering, replying
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule
from ..shown import logged_id, seen, told


@rule("HC-CMD-001", needs=["commands"], why="a command that the model answers does nothing but talk about it")
async def a_command_reaches_its_handler(k: Kit) -> None:
    """The handler runs and replies; neither target nor run hook is asked, and strangers are refused before."""
    hooked: list[object] = []
    handler = Handler(_name(k), replying(answer := k.nonce()))

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        hooked.append(request.input)
        return request

    options = {"run_hook": run_hook} if k.claim("hooks").runs else {}
    async with k.host(Echo(), make=offering(handler), options=options) as h:
        ordinary = await h.turn(said := k.nonce())
        k.control(said in ordinary.text, "an ordinary turn is answered", observed=ordinary.text)
        reply = await h.turn(arguments := k.nonce(), command=handler.name)
        k.equal("calls of the handler", handler.calls, [arguments])
        k.equal("what the handler's reply shows", reply.texts, [answer])
        k.equal("runs of the target", [run.text for run in h.runs], [said])
        k.equal("calls of the run hook", len(hooked), 1 if options else 0)
        for credential in h.driver.bad_credentials if k.claim("auth").runs else ():
            await h.wire(h.inbound(Turn(command=handler.name, text="", credential=credential)))
            k.equal(f"calls of the handler with a credential that is {credential}", len(handler.calls), 1)


def _name(k: Kit) -> str:
    """The name of a command that nobody else has."""
    return f"c{k.nonce()[:8]}"


@rule("HC-CMD-003", needs=["commands"], why="in a group each bot has to know which commands are its own")
async def platform_forms_of_a_command_work(k: Kit) -> None:
    """Plainly, in upper case and with the bot's own name it is ours; with another bot's name it is not."""
    handler = Handler(_name(k), replying(k.nonce()))
    forms = k.claim("commands").params.get("forms", ("plain", "upper", "own_name", "other_bot"))
    async with k.host(Echo(), make=offering(handler)) as h:
        for form in forms:
            ours = form != "other_bot"
            before = len(handler.calls), len(h.runs)
            reply = await h.turn("", command=handler.name, form=form)
            k.equal(f"calls of the handler, form {form}", len(handler.calls) - before[0], int(ours))
            k.equal(f"runs of the target, form {form}", len(h.runs) - before[1], 0)
            k.equal(f"replies, form {form}", len(reply.texts), int(ours))
        k.control(bool(handler.calls), "the command is understood in one form", observed=forms)
        if k.claim("groups").runs and "other_bot" in forms:
            foreign = Turn(text="", command=handler.name, form="other_bot", group=True, conversation="room")
            before = len(handler.calls), len(h.runs)
            shown = await h.decode(await h.wire(h.inbound(foreign)))
            after = len(handler.calls), len(h.runs)
            k.equal("a command for another bot in a group: calls and runs", after, before)
            k.equal("a command for another bot in a group: what is shown", list(shown), [])


@rule(
    "HC-CMD-004", needs=["commands"], why="a text that begins with a slash is mostly a path, a date or a joke"
)
async def an_unknown_command_is_text(k: Kit) -> None:
    """It reaches the target as it was written."""
    ours = Handler(_name(k), replying("ours"))
    unknown = _name(k)
    texts = (
        f"/{unknown}",
        f"/{unknown}  two  words",
        f"/{unknown}/{k.nonce()}",
        f"/{ours.name}s {k.nonce()}",
    )
    async with k.host(Echo(), make=offering(ours)) as h:
        for text in texts:
            reply = await h.turn(text)
            k.equal("what the target is told", [run.text for run in h.runs][-1:], [text])
            k.equal("what is answered", reply.text, text)


@rule(
    "HC-CMD-005", needs=["commands"], why="one broken command must not bring the platform to send it for ever"
)
async def a_raising_handler_apologises_once(k: Kit) -> None:
    """An apology with an id that is in the log, an acknowledgement, no repetition, and the others go on."""
    canary = k.nonce()

    async def fail(context: ChannelCommandContext) -> None:
        raise RuntimeError(f"canary {canary}")

    broken, sound = Handler(_name(k), fail), Handler(_name(k), replying(answer := k.nonce()))
    async with k.host(Echo(), make=offering(broken, sound)) as h:
        turn = Turn(text="", command=broken.name, delivery_id=k.nonce())
        wire = await h.wire(h.inbound(turn))
        reply = Reply(wire, await h.decode(wire))
        k.equal("calls of the broken handler", len(broken.calls), 1)
        k.check("the event is acknowledged", wire.status < 300, expected="2xx", observed=wire.status)
        k.equal("messages that are shown", len(reply.texts), 1)
        known = logged_id(told(reply), k.logs)
        k.check("an id that is in the log too", known is not None, expected="an id", observed=told(reply))
        k.check(
            "nothing of the exception is told", canary not in seen(wire), expected="nothing", observed=canary
        )
        await h.wire(h.inbound(turn))
        k.equal("calls after a redelivery", len(broken.calls), 1)
        after = await h.turn("", command=sound.name)
        k.equal("what another command shows then", after.texts, [answer])
        k.equal("runs of the target", len(h.runs), 0)


@rule(
    "HC-CMD-006",
    needs=["commands"],
    why="a handler that says three things must not be heard saying the last one",
)
async def replies_of_a_handler_arrive_in_order(k: Kit) -> None:
    """Each `reply()` is a message of its own where the command was given, in order; a long one is split."""
    long = " ".join(k.nonce() for _ in range(60))
    texts = [k.nonce(), long, k.nonce(), k.nonce()]
    beginnings = tuple(text.split()[0] for text in texts)
    handler = Handler(_name(k), replying(*texts))
    once = Handler(_name(k), replying(k.nonce()))
    async with k.host(Echo(), make=offering(handler, once)) as h:
        for place, turn in _places(k).items():
            where = await _shown(h, turn.replace(command=once.name))
            k.control(len(where) == 1, "one reply is shown", observed=where)
            shown = await _shown(h, turn.replace(command=handler.name))
            said = "".join("".join(text.split()) for text, _ in shown)
            k.equal(f"what is said in {place}", said, "".join("".join(text.split()) for text in texts))
            begun = [text for text, _ in shown if text.lstrip().startswith(beginnings)]
            k.equal("messages that begin with a reply", len(begun), len(texts))
            k.equal(f"where it is said in {place}", {where for _, where in shown}, {where[0][1]})


def _places(k: Kit) -> dict[str, Turn]:
    """A private chat, and a group's thread where there is such a thing."""
    places = {"a private chat": Turn(text="")}
    if k.claim("groups").runs and k.claim("threads").runs:
        places["a thread"] = Turn(text="", group=True, conversation="room", thread="topic")
    return places


async def _shown(h: HostedChannel, turn: Turn) -> list[tuple[str, tuple[str | None, str | None]]]:
    """Each message that is there in the end, with conversation and thread."""
    reply = await h.decode(await h.wire(h.inbound(turn)))
    messages: dict[object, Text] = {
        number if out.item is None else out.item: out
        for number, out in enumerate(reply)
        if isinstance(out, Text)
    }
    return [(text.text, (text.to, text.thread)) for text in messages.values()]
