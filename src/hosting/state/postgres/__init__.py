"""The state store for several machines: PostgreSQL through psycopg 3 (contract 15.1, decision S1)."""

from .store import PostgresHostStateStore

__all__ = ["PostgresHostStateStore"]
