"""The methods of the bot API about the bot itself: updates, webhook, commands, presses."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from ..parts.updates import Superseded, Update
from . import wire
from .core import BotCore, Command, Webhook

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LONGEST_POLL = 50.0


def get_me(core: BotCore, params: wire.Nothing) -> dict[str, Any]:
    """The bot's own account."""
    return wire.person_json(core.bot)


async def get_updates(core: BotCore, params: wire.GetUpdates) -> list[dict[str, Any]]:
    """A poll."""
    refuse = core.behaviours.refuse
    refuse("webhook_active", "a webhook is set; delete it to poll", when=core.webhook)
    sound = 1 <= params.limit <= core.limits.updates and 0 <= params.timeout <= _LONGEST_POLL
    refuse("bad_poll", f"found limit {params.limit}, timeout {params.timeout}", when=not sound)
    if params.kinds is not None:
        core.updates.kinds = params.kinds
    if params.offset is not None:
        core.updates.confirm(params.offset)
    try:
        found = await core.updates.poll(params.limit, params.timeout)
    except Superseded:
        refuse("poll_superseded", "another poll began or a webhook was set; run one poller only")
        return []
    return [update_json(update) for update in found]


def set_webhook(core: BotCore, params: wire.SetWebhook) -> bool:
    """From now on updates are posted; polls end."""
    core.behaviours.refuse(
        "bad_webhook",
        f"url: found {params.url!r}, expected https or loopback",
        when=not _reachable(params.url),
    )
    sound = 16 <= len(params.secret) <= 256
    core.behaviours.refuse(
        "bad_webhook",
        f"secret: found {len(params.secret)} characters, expected 16 to 256",
        when=not sound,
    )
    if params.kinds is not None:
        core.updates.kinds = params.kinds
    if params.drop_pending:
        core.updates.clear()
    core.webhook = Webhook(params.url, params.secret)
    core.updates.end_polls()
    return True


def delete_webhook(core: BotCore, params: wire.DeleteWebhook) -> bool:
    """Back to polling; what was not acknowledged waits."""
    core.webhook = None
    if params.drop_pending:
        core.updates.clear()
    return True


def get_webhook(core: BotCore, params: wire.Nothing) -> dict[str, Any]:
    """Where updates are posted, and how many wait."""
    return {"url": core.webhook.url if core.webhook else "", "pending": len(core.updates.pending)}


def set_commands(core: BotCore, params: wire.SetCommands) -> bool:
    """The whole menu anew."""
    refuse, limit, many = core.behaviours.refuse, core.limits.commands, len(params.commands)
    refuse("too_many_commands", f"found {many}, expected at most {limit}", when=many > limit)
    for command in params.commands:
        sound = _COMMAND.fullmatch(command.name) and 1 <= len(command.description) <= 256
        refuse("bad_command", f"found {command.name!r}: {command.description!r}", when=not sound)
    core.commands = tuple(Command(command.name, command.description) for command in params.commands)
    return True


def get_commands(core: BotCore, params: wire.Nothing) -> list[dict[str, Any]]:
    """The menu."""
    return [{"name": command.name, "description": command.description} for command in core.commands]


def answer_button(core: BotCore, params: wire.AnswerButton) -> bool:
    """Tells the one who pressed."""
    limit = core.limits.answer
    core.behaviours.refuse(
        "answer_too_long",
        f"found {len(params.text)} characters, expected at most {limit}",
        when=len(params.text) > limit,
    )
    press = core.presses.get(params.press)
    stale = press is None or press.answer is not None
    late = press is not None and core.clock.now() - press.at > core.limits.answer_within
    core.behaviours.refuse(
        "unknown_press", f"press {params.press!r} is unknown, answered or too old", when=stale or late
    )
    if press is not None:
        press.answer = params.text
    return True


def update_json(update: Update) -> dict[str, Any]:
    """An update on the wire."""
    return {"id": update.id, "kind": update.kind, **update.payload}


def _reachable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _loopback(host)))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
