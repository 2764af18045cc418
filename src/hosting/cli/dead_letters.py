"""`hosting dead-letters`: what hosts gave up, to be looked at, tried again or dropped, while they run."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ..clock import SystemTime, epoch_ms
from ..state.base import HostStateStore
from .letters import Letter, NoSuchLetter, drop, every_letter, find, retry
from .loading import exit_code
from .stores import add_store_flags, named_store, opened

if TYPE_CHECKING:
    from .new_channel import Commands

_Act = Callable[[HostStateStore, argparse.Namespace], Awaitable[int]]

_TWICE = "nobody knows whether it arrived, and sent again it may be seen twice"


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "dead-letters", help="events and replies that were given up: look at them, try again, drop"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    _add_action(actions, "list", _list, "one line each")
    show = _add_action(actions, "show", _show, "all that is known of some", ids=True)
    show.add_argument("--content", action="store_true", help="also what people wrote")
    again = _add_action(actions, "retry", _retry, "try some again", ids=True)
    every = _add_action(actions, "retry-all", _retry_all, "try all again")
    for parser in (again, every):
        parser.add_argument(
            "--even-if-unknown", action="store_true", help="also replies that may have arrived already"
        )
    _add_action(actions, "drop", _drop, "give some up for good", ids=True)


def _add_action(
    actions: Commands, name: str, act: _Act, help: str, *, ids: bool = False
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--host", dest="host_path", metavar="MODULE:HOST", help="the host whose store it is")
    add_store_flags(parser, which)
    if ids:
        parser.add_argument("ids", nargs="+", metavar="ID", help="as `list` shows it")
    else:
        parser.add_argument("--channel", help="only those of this channel")
    parser.set_defaults(run=_run, act=act)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    return exit_code(lambda: asyncio.run(_act_on_store(arguments)))


async def _act_on_store(arguments: argparse.Namespace) -> int:
    act: _Act = arguments.act
    async with opened(named_store(arguments)) as store:
        try:
            return await act(store, arguments)
        except NoSuchLetter as error:
            print(f"hosting: {error}", file=sys.stderr)
            return 1


async def _list(store: HostStateStore, arguments: argparse.Namespace) -> int:
    letters = await _of_channel(store, arguments)
    if arguments.json:
        _print_json(letters)
    else:
        for letter in letters:
            print(letter.line())
        print(f"{len(letters)} dead letters")
    return 0


async def _show(store: HostStateStore, arguments: argparse.Namespace) -> int:
    letters = [await find(store, id) for id in arguments.ids]
    if arguments.json:
        _print_json(letters, content=arguments.content)
        return 0
    for letter in letters:
        for name, value in letter.to_dict(content=arguments.content).items():
            print(f"{name:<12} {value}")
    return 0


async def _retry(store: HostStateStore, arguments: argparse.Namespace) -> int:
    return await _tried_again(store, [await find(store, id) for id in arguments.ids], arguments)


async def _retry_all(store: HostStateStore, arguments: argparse.Namespace) -> int:
    letters = await _of_channel(store, arguments)
    if not arguments.even_if_unknown:
        letters = [letter for letter in letters if letter.state != "unknown"]
    return await _tried_again(store, letters, arguments)


async def _tried_again(
    store: HostStateStore, letters: Sequence[Letter], arguments: argparse.Namespace
) -> int:
    done: list[Letter] = []
    for letter in letters:
        if letter.state == "unknown":
            print(f"hosting: {letter.id}: {_TWICE}", file=sys.stderr)
            if not arguments.even_if_unknown:
                print("hosting: not tried again; --even-if-unknown does it all the same", file=sys.stderr)
                continue
        await retry(store, letter, now_ms=epoch_ms(SystemTime()))
        done.append(letter)
    _say(done, "tried again within seconds, by the hosts that run", arguments)
    return 0 if len(done) == len(letters) else 1


async def _drop(store: HostStateStore, arguments: argparse.Namespace) -> int:
    letters = [await find(store, id) for id in arguments.ids]
    for letter in letters:
        await drop(store, letter)
    _say(letters, "dropped", arguments)
    return 0


def _say(letters: Sequence[Letter], what: str, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps({"ids": [letter.id for letter in letters]}))
    else:
        print(f"{len(letters)} dead letters: {what}")


async def _of_channel(store: HostStateStore, arguments: argparse.Namespace) -> list[Letter]:
    letters = await every_letter(store)
    return [letter for letter in letters if arguments.channel in (None, letter.channel)]


def _print_json(letters: Sequence[Letter], *, content: bool = False) -> None:
    print(json.dumps([letter.to_dict(content=content) for letter in letters], indent=2))
