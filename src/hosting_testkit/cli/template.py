"""The text of a driver to fill in, made from the kit's own classes, so that no hook and no capability is left out."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..conformance.levels import levels
from ..drivers import ChannelDriver, HttpJsonDriver, WebhookBotDriver
from ..drivers.capabilities import NAMES, PROFILES, Capabilities, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What differs between kinds of channels.

    Args:
        base: The driver to derive from.
        profile: What it claims to be.
        transport: Its transport.
        hooks: Methods that have to be written, with a body to start from.
    """

    base: type[ChannelDriver]
    profile: Profile
    transport: str
    hooks: Mapping[str, str]


_CREDENTIALS = """key = self.env.secret(user)
return bearer(credential, key)  # missing, wrong, truncated and so on; see bearer()"""
_CREATE = 'raise NotImplementedError("return MyChannel(token=env.secret(user), **env.options)")'
_UPDATE = (
    'return {"id": delivery_id, "from": turn.user, "chat": turn.conversation or turn.user, "text": turn.text}'
)
_CALL = 'return [Text(call.json["text"], to=str(call.json["chat"]))]'

_KINDS: Mapping[str, _Kind] = {
    "rpc": _Kind(
        base=HttpJsonDriver,
        profile="rpc",
        transport="http",
        hooks={
            "make": _CREATE,
            "payload": 'return {"input": turn.text, "session": turn.conversation}',
            "credentials": _CREDENTIALS,
            "reply": 'return [Text(body["text"])]',
        },
    ),
    "webhook-bot": _Kind(
        base=WebhookBotDriver,
        profile="webhook-bot",
        transport="webhook",
        hooks={"make": _CREATE, "update": _UPDATE, "credentials": _CREDENTIALS, "call": _CALL},
    ),
    "polling-bot": _Kind(
        base=WebhookBotDriver,
        profile="poll-bot",
        transport="polling",
        hooks={
            "make": _CREATE,
            "update": _UPDATE,
            "credentials": "return {}  # the channel fetches its events; nobody signs them",
            "call": _CALL,
            "inbound": 'event = json_body(self.payload(turn))\nreturn Inbound(path="/events", body=event, to="platform")',
            "platform": 'raise NotImplementedError("return the app of a simulator that hands out events")',
        },
    ),
}
KINDS = tuple(_KINDS)


def driver_file(name: str, kind: str) -> str:
    """A module with a driver for a channel `name`; it can be imported, and fails where it is not filled in."""
    chosen = _KINDS[kind]
    body = "\n\n".join(
        [
            _attributes(name, chosen),
            *(_method(chosen.base, hook, text) for hook, text in chosen.hooks.items()),
            "    # Every other hook. Write those whose capability you declare SUPPORTED.",
            *_optional(chosen),
        ]
    )
    return (
        f'"""Drives the {name} channel for the conformance kit: `hosting-testkit check MODULE:Driver`."""\n\n'
        f"{_imports(chosen, body)}\n\n"
        f'class Driver({chosen.base.__name__}):\n    """Translates between the kit\'s turns and the wire of {name}."""\n\n'
        f"{body}\n"
    )


def _attributes(name: str, kind: _Kind) -> str:
    level = levels()[-1]
    year = int(level.partition(".")[0]) + 1
    credentials = "()" if kind.profile == "poll-bot" else '("missing", "wrong", "truncated")'
    return "\n".join(
        [
            f'    name = "{name}"',
            f'    profile = "{kind.profile}"',
            f'    contract = ">={level},<{year}"',
            f"    bad_credentials = {credentials}",
            "    capabilities = Capabilities.of(",
            f'        "{kind.profile}",',
            f'        transports={{"{kind.transport}": SUPPORTED}},',
            *_claims(kind),
            "    )",
        ]
    )


def _claims(kind: _Kind) -> Iterator[str]:
    """Every capability that the kind may have, with what it means."""
    meanings = dict(re.findall(r"^ {8}(\w+): (.*)$", Capabilities.__doc__ or "", re.MULTILINE))
    fixed = Capabilities.of(kind.profile)
    for name in NAMES:
        if fixed[name].state == "unknown":
            state = "SUPPORTED" if name in PROFILES[kind.profile] else "UNKNOWN"
            yield f"        # {meanings.get(name, '')}"
            yield f"        {name}={state},"


def _optional(kind: _Kind) -> Iterator[str]:
    names = [name for name, found in vars(ChannelDriver).items() if inspect.isfunction(found)]
    extra = [name for name in vars(kind.base) if inspect.isfunction(vars(kind.base)[name])]
    for name in dict.fromkeys([*extra, *names]):
        if name.startswith("_") or name in kind.hooks or name in ("lacks", "fresh_id", "decoded", "outbound"):
            continue
        stub = _method(kind.base, name, f'raise self.lacks("{name}")')
        if name not in ("inbound", "payload", "post", "make"):
            yield "\n".join(f"    # {line[4:]}".rstrip() for line in stub.splitlines())


def _method(base: type[Any], name: str, body: str) -> str:
    """A method with the signature and the first words of its documentation."""
    source = textwrap.dedent(inspect.getsource(getattr(base, name)))
    found = ast.parse(source).body[0]
    assert isinstance(found, ast.FunctionDef)
    head = (
        f"def {name}({ast.unparse(found.args)}) -> {ast.unparse(found.returns) if found.returns else 'None'}:"
    )
    told = (ast.get_docstring(found) or "").partition("\n\n")[0].replace("\n", " ")
    return textwrap.indent("\n".join([head, f'    """{told}"""', textwrap.indent(body, "    ")]), "    ")


def _imports(kind: _Kind, body: str) -> str:
    """What the body uses, comments included, so that a stub works when it is uncommented."""
    import hosting_testkit.drivers as drivers

    used = set(re.findall(r"\w+", body)) | {kind.base.__name__, "Capabilities"}
    kit = ", ".join(name for name in drivers.__all__ if name in used)
    abc = ", ".join(name for name in ("Callable", "Mapping", "Sequence") if name in used)
    extra = [
        "from hosting_testkit.streams.sse import SSEEvent" if "SSEEvent" in used else "",
        "from hosting_testkit.transports.asgi import ASGIApp" if "ASGIApp" in used else "",
    ]
    lines = [
        "from __future__ import annotations",
        "",
        f"from collections.abc import {abc}",
        "from typing import Any",
        "",
        "from hosting import Channel",
        "from hosting_testkit.drivers import (  # noqa: F401 - stubs use them",
        *textwrap.wrap(f"{kit},", 100, initial_indent="    ", subsequent_indent="    "),
        ")",
        *(f"{line}  # noqa: F401" for line in extra if line),
    ]
    return "\n".join(lines) + "\n"
