"""The store that an operator's command looks into, opened beside the hosts that run.

Nothing is made, migrated or held: a command can run at any time, and never stands in a host's way.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..errors import ChannelConfigurationError
from ..state import HostStateStore, PostgresHostStateStore, SqliteHostStateStore, open_store
from ..state.errors import StateError
from ..state.schema import SCHEMA_VERSION
from .loading import load_host


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """The options that name a store."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("host_path", nargs="?", metavar="MODULE:HOST", help="the host whose store it is")
    add_store_flags(parser, which)


def add_store_flags(parser: argparse.ArgumentParser, which: Any) -> None:
    """`--state` and `--state-dir`, of which `which` takes one."""
    which.add_argument("--state", metavar="URL", help="its URL, such as postgresql://host/database")
    which.add_argument("--state-dir", metavar="DIR", help="the folder that a host has as state_dir")
    parser.add_argument("--schema", default="hosting", help="schema of a PostgreSQL store (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def named_store(arguments: argparse.Namespace) -> HostStateStore:
    """The store that the options name; not open.

    Raises:
        ChannelConfigurationError: They name none that other processes can see.
    """
    if arguments.host_path:
        store = load_host(arguments.host_path).store
    elif arguments.state_dir:
        store = SqliteHostStateStore(Path(arguments.state_dir) / "hosting.db")
    elif arguments.state.startswith(("postgresql:", "postgres:")):
        store = PostgresHostStateStore(arguments.state, schema=arguments.schema)
    else:
        store = open_store(arguments.state)
    if not store.durable:
        raise ChannelConfigurationError(
            "found a store in memory, which only its own process sees; name a durable one", field="state"
        )
    return beside(store)


def beside(store: HostStateStore) -> HostStateStore:
    """The same state, without the hold that a host has on its folder."""
    return SqliteHostStateStore(store.path) if isinstance(store, SqliteHostStateStore) else store


async def check_version(store: HostStateStore) -> int | None:
    """The version of the store's schema, if it is this release's; None where the store does not say.

    Raises:
        StateError: There is no state yet, or an older or newer release's.
    """
    if not isinstance(store, SqliteHostStateStore | PostgresHostStateStore):
        return None
    version = await store.schema_version()
    if not version:
        raise StateError(f"{_place(store)}: found no state, expected that of a host: none has run on it yet")
    if version < SCHEMA_VERSION:
        raise StateError(
            f"{_place(store)}: found schema version {version}, expected {SCHEMA_VERSION}: start a host of this release, "
            "which brings it up to date"
        )
    return version


@asynccontextmanager
async def opened(store: HostStateStore) -> AsyncGenerator[HostStateStore]:
    """The store, open, if it is of this release."""
    await check_version(store)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _place(store: HostStateStore) -> str:
    return str(store.path) if isinstance(store, SqliteHostStateStore) else store.describe()
