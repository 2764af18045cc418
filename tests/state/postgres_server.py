"""The PostgreSQL server that tests use: `HOSTING_TEST_POSTGRES`, or the one on this machine. Each test has its own schema."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

URL = os.environ.get("HOSTING_TEST_POSTGRES", "postgresql://127.0.0.1/test")


def require() -> None:
    """Skips the test where no server answers, and fails it where CI says that one must."""
    if reason := _missing():
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def own_schema() -> Iterator[str]:
    """The name of a schema that does not exist yet, and is dropped behind."""
    require()
    schema = f"test_{secrets.token_hex(6)}"
    try:
        yield schema
    finally:
        run(f"SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE")


def run(sql: str) -> list[Any]:
    """Runs SQL beside the store; the rows of the last statement, where it returns some."""
    with psycopg.connect(URL, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@functools.cache
def _missing() -> str | None:
    try:
        psycopg.connect(URL, connect_timeout=5).close()
    except psycopg.Error:
        return "no PostgreSQL answers: start one and name it with HOSTING_TEST_POSTGRES=postgresql://host/database"
    return None
