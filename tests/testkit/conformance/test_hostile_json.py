"""The hostile bodies are what their names say."""

from __future__ import annotations

import json

import pytest

from hosting_testkit.conformance.hostile_json import odd_bodies, refused_bodies

WHOLE = b'{"text":"hello","chat":{"id":"c1","tags":["a"]}}'


def test_refused_bodies_break_what_reads_them() -> None:
    bodies = refused_bodies(WHOLE, {"the text": "hello", "an id": "nowhere"})
    assert list(bodies) == [
        "deep nesting",
        "a huge integer",
        "NUL in the text",
        "a lone surrogate in the text",
    ]
    with pytest.raises(RecursionError):
        json.loads(bodies["deep nesting"])
    with pytest.raises(ValueError, match="digits"):
        json.loads(bodies["a huge integer"])
    assert json.loads(bodies["NUL in the text"])["text"] == "a\0b"
    assert json.loads(bodies["a lone surrogate in the text"])["text"] == "a\ud800b"


def test_odd_bodies_have_a_null_in_every_place() -> None:
    bodies = odd_bodies(WHOLE)
    nulls = {name: json.loads(body) for name, body in bodies.items() if name.startswith("null at ")}
    assert list(nulls) == [
        f"null at {path}" for path in ("text", "chat", "chat.id", "chat.tags", "chat.tags.0")
    ]
    assert nulls["null at chat.tags.0"] == {"text": "hello", "chat": {"id": "c1", "tags": [None]}}
    assert json.loads(bodies["nulls everywhere"]) == {"text": None, "chat": None}
    assert bodies["every key twice"].count(b'"chat"') == 2
    assert json.loads(bodies["every key twice"]) == json.loads(WHOLE)
    assert json.loads(bodies["a very long key"])["k" * 100_000] == 1
