"""HC-CMD: the menu of commands that a platform shows to people."""

from __future__ import annotations

from collections.abc import Mapping

from ...targets.echo import Echo
from ..handlers import Handler, offering, replying
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Failed
from ..registry import rule


@rule(
    "HC-CMD-002",
    needs=["native_commands"],
    why="bots share their menu with others and restart often; platforms bound how often it is written",
)
async def the_menu_is_kept_up_to_date(k: Kit) -> None:
    """Ours are added and others' stay, an equal menu is not written, and a platform that is away is borne."""
    handler, foreign = Handler(f"c{k.nonce()[:8]}", replying("ours")), f"f{k.nonce()[:8]}"
    soft = k.claim("native_commands").params.get("on_failure", "warn") == "warn"
    if not soft:
        k.equal("it starts while the platform is away", await _starts(k, handler), False)
    async with k.host(Echo(), make=offering(handler), reachable=not soft) as h:
        h.env.reachable = True
        answered = await h.turn(said := k.nonce())
        k.equal("a turn after the start", answered.text, said)
        await h.wire(ask_driver(lambda: h.driver.offer(foreign, "of somebody else"), "offer(...)"))
        k.control(
            foreign in _menu(h), "the platform's menu can be read and written", observed=sorted(_menu(h))
        )
        await h.restart()
        menu = _menu(h)
        k.equal("our command in the menu", menu.get(handler.name), handler.command.description)
        k.equal("the command of somebody else in the menu", menu.get(foreign), "of somebody else")
        before = _writes(h)
        await h.restart()
        k.equal("writes of an equal menu", _writes(h) - before, 0)
        k.equal("the menu after another start", _menu(h), menu)


async def _starts(k: Kit, handler: Handler) -> bool:
    try:
        async with k.host(Echo(), make=offering(handler), reachable=False):
            return True
    except Failed:
        return False


def _menu(h: HostedChannel) -> Mapping[str, str]:
    return ask_driver(h.driver.catalogue, "catalogue()")


def _writes(h: HostedChannel) -> int:
    return sum(
        ask_driver(lambda call=call: h.driver.registers(call), "registers(call)") for call in h.env.calls
    )
