"""Where the database is: a connection URL, checked, and put in words without its secrets."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ...errors import ChannelConfigurationError

_DEFAULTS = {"application_name": "hosting", "client_encoding": "UTF8", "connect_timeout": "10"}
_KEEPALIVE = {"keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"}
"""A machine that vanished is noticed within half a minute, not within hours."""


def parameters_of(url: str) -> dict[str, Any]:
    """The parameters of a connection URL, with our defaults where it says nothing.

    Raises:
        ChannelConfigurationError: It is none. The error repeats nothing of it.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        raise ChannelConfigurationError(
            "found an address that PostgreSQL's library does not understand, expected "
            "'postgresql://user:password@host:5432/database', special characters percent-encoded",
            field="state",
        ) from None
    return {**_DEFAULTS, **_KEEPALIVE, **given}


def in_words(parameters: dict[str, Any], schema: str) -> str:
    """The database for the operator: where it is and what it is called, never how to get in."""
    database = parameters.get("dbname") or parameters.get("user") or "default"
    host = parameters.get("host") or parameters.get("hostaddr")
    at = f" on {host}" if host and not str(host).startswith("/") else ""
    return f"PostgreSQL database {database}{at}, schema {schema}"
