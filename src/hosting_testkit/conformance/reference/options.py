"""The options that every channel takes (contract 2.3, channels 0.1)."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from hosting import ChannelResponseHook, ChannelRunHook, ChannelStreamUpdateHook


class CommonOptions(TypedDict, total=False):
    """Given at construction; the host reads them from the channel under the same names."""

    run_hook: ChannelRunHook | None
    response_hook: ChannelResponseHook | None
    stream_update_hook: ChannelStreamUpdateHook | None
    stream_with_response_hook: bool
    allowlist: Any
    require_link: bool
    confidentiality_tier: str | None
    accept_response_target: bool
    on_disconnect: Literal["cancel", "continue"]
    conversation_scope: Literal["per_user", "per_user_per_conversation", "per_conversation"] | None
    allow_command: Any
    apology: str | None


DEFAULTS: CommonOptions = {
    "run_hook": None,
    "response_hook": None,
    "stream_update_hook": None,
    "stream_with_response_hook": False,
    "allowlist": "inherit",
    "require_link": False,
    "confidentiality_tier": None,
    "accept_response_target": False,
    "on_disconnect": "cancel",
    "conversation_scope": None,
    "allow_command": None,
    "apology": None,
}


def keep_common(channel: object, given: CommonOptions) -> None:
    """Makes each option an attribute of the channel.

    Raises:
        TypeError: There is no such option.
    """
    if unknown := given.keys() - DEFAULTS.keys():
        raise TypeError(f"{type(channel).__name__}() has no option {', '.join(sorted(unknown))}")
    for name, value in {**DEFAULTS, **given}.items():
        setattr(channel, name, value)
