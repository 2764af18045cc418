"""Messages of all sessions, one row each, with a pointer to the message before it (contract 6.6, 6.11).

A session holds the id of its last message. Two forks share the rows before they part, so a fork copies nothing, and a
turn adds only what it said. When a session or snapshot goes, the entry it held is noted in `history_ends`, so that the
sweep looks only at what was let go of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..base import Rows, Statement

# From the oldest end that a session or snapshot let go of, up to where a branch, session or snapshot needs an entry.
_FREE = """NOT EXISTS (SELECT 1 FROM sessions s WHERE s.head = h.id)
    AND NOT EXISTS (SELECT 1 FROM snapshots p WHERE p.head = h.id)"""
_UNUSED = f"""WITH RECURSIVE unused (id, parent_id, depth) AS (
        SELECT h.id, h.parent_id, 1 FROM history h
        WHERE h.id = (SELECT entry_id FROM history_ends ORDER BY seq LIMIT 1) AND {_FREE}
        AND NOT EXISTS (SELECT 1 FROM history c WHERE c.parent_id = h.id)
        UNION ALL
        SELECT h.id, h.parent_id, u.depth + 1 FROM unused u JOIN history h ON h.id = u.parent_id
        WHERE u.depth <= :limit AND {_FREE}
        AND NOT EXISTS (SELECT 1 FROM history c WHERE c.parent_id = h.id AND c.id <> u.id))"""

SQL: Mapping[str, str] = {
    "history.append": """INSERT INTO history (id, parent_id, turn_id, message, created_ms)
        VALUES (:id, :parent_id, :turn_id, :message, :now)""",
    "history.load": """WITH RECURSIVE chain (id, parent_id, turn_id, message, created_ms, depth) AS (
            SELECT id, parent_id, turn_id, message, created_ms, 1 FROM history WHERE id = :head
            UNION ALL
            SELECT h.id, h.parent_id, h.turn_id, h.message, h.created_ms, c.depth + 1
            FROM chain c JOIN history h ON h.id = c.parent_id WHERE c.depth < :limit)
        SELECT id, parent_id, turn_id, message, created_ms FROM chain ORDER BY depth DESC""",
    "history.keep_rest": f"""{_UNUSED} INSERT INTO history_ends (entry_id)
        SELECT id FROM unused WHERE depth = :limit + 1""",
    "history.expire": f"""{_UNUSED} DELETE FROM history
        WHERE id IN (SELECT id FROM unused WHERE depth <= :limit) RETURNING 1""",
    "history.drop_end": """DELETE FROM history_ends
        WHERE seq = (SELECT MIN(seq) FROM history_ends) RETURNING 1""",
}

_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One message of a chain.

    Args:
        id: Its id; a session's `head` is such an id.
        parent_id: The message before it, or None for the first.
        turn_id: The turn that added it.
        message: JSON text.
        created_ms: When it was added.
    """

    id: str
    parent_id: str | None
    turn_id: str
    message: str
    created_ms: int


def entry_id(turn_id: str, index: int) -> str:
    """Id of the `index`-th message (from 0) that a turn adds."""
    return f"{turn_id}:{index}"


def append_messages(
    *, parent_id: str | None, turn_id: str, messages: Sequence[str], now_ms: int
) -> tuple[list[Statement], str | None]:
    """What a turn adds to a chain: one statement per message, and the new head.

    The statements conflict where `parent_id` is no entry, or the turn has added messages before.

    Args:
        parent_id: Head of the chain so far; None begins one.
        turn_id: The turn; ids of the new entries are made from it.
        messages: JSON texts, oldest first; none leaves the head as it is.
        now_ms: Time of the turn's end.
    """
    statements: list[Statement] = []
    head = parent_id
    for index, message in enumerate(messages):
        new = entry_id(turn_id, index)
        params = {"id": new, "parent_id": head, "turn_id": turn_id, "message": message, "now": now_ms}
        statements.append(Statement("history.append", params, 1))
        head = new
    return statements, head


def load_history(head: str, *, last: int | None = None) -> Statement:
    """The chain that ends in `head`, oldest first, or its `last` entries; read the rows with `read_history`."""
    return Statement("history.load", {"head": head, "limit": _ALL if last is None else last})


def expire_history(limit: int) -> tuple[Statement, ...]:
    """Looks at one end of the chains that sessions and snapshots let go of, and removes what nothing reaches from it.

    At most `limit` entries go; the rest stays for the next call. The last statement returns a row if there was an end.
    """
    params = {"limit": limit}
    return (
        Statement("history.keep_rest", params),
        Statement("history.expire", params),
        Statement("history.drop_end", {}),
    )


def read_history(rows: Rows) -> list[HistoryEntry]:
    """The entries of a chain, oldest first."""
    return [HistoryEntry(*row) for row in rows]
