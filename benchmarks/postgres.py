"""The PostgreSQL server that is measured: `HOSTING_TEST_POSTGRES`, or the one on this machine."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

URL = os.environ.get("HOSTING_TEST_POSTGRES", "postgresql://127.0.0.1/test")


@functools.cache
def left_out() -> str:
    """Why nothing is measured on PostgreSQL; "" where a server answers."""
    try:
        psycopg.connect(URL, connect_timeout=5).close()
    except psycopg.Error:
        return "PostgreSQL is left out: no server answers; name one with HOSTING_TEST_POSTGRES=postgresql://host/database"
    return ""


def named(application: str) -> str:
    """The address for connections that go by a name, by which the server tells whose they are."""
    return make_conninfo(URL, application_name=application)


@contextmanager
def own_schema() -> Generator[str]:
    """The name of a schema that does not exist yet, and is dropped behind."""
    schema = f"benchmark_{secrets.token_hex(6)}"
    try:
        yield schema
    finally:
        run(f"SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE")


def run(sql: str) -> list[Any]:
    """Runs SQL beside the store; the rows of its first statement, where that returns some."""
    with psycopg.connect(URL, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []
