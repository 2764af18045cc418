"""HC-RUNHOOK: the app's last word before a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hosting import Caller, ChannelRequest, ChannelSession

from ...targets.counting import Counting
from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule


@rule(
    "HC-RUNHOOK-003",
    needs=["hooks"],
    why="hooks enforce what the app allows; a result that is ignored allows all",
)
async def the_returned_request_runs(k: Kit) -> None:
    """Changed input, options, session and session mode take effect; channel, delivery id and caller never change."""
    text = k.nonce()
    async with k.host(Echo(), options=_changing(input=text, options={"temperature": 0.25})) as h:
        await h.turn(k.nonce())
        k.equal("the input that the hook set", [run.text for run in h.runs], [text])
        k.equal(
            "the options that the hook set", [dict(run.options) for run in h.runs], [{"temperature": 0.25}]
        )
    async with k.host(Counting(), options=_changing(session=ChannelSession("kit", key="shared"))) as h:
        await h.turn(said := k.nonce(), user="ann")
        recalled = await h.turn(Counting.RECALL, user="bob")
        k.check("the session that the hook set", said in recalled.text, expected=said, observed=recalled.text)
    async with k.host(Echo(), options=_changing(session_mode="disabled")) as h:
        await h.turn(k.nonce())
        k.equal("sessions under session_mode='disabled'", [run.session for run in h.runs], [None])
    forbidden = {"channel": "another", "delivery_id": "another", "caller": Caller(id="another")}
    for field, value in forbidden.items():
        async with k.host(Echo(), options=_changing(**{field: value})) as h:
            await h.turn(k.nonce())
            k.equal(f"runs after the hook changed {field!r}", len(h.runs), 0)


def _changing(**changes: Any) -> dict[str, Callable[..., Any]]:
    async def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(**changes)

    return {"run_hook": run_hook}
