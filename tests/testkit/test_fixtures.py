"""Fixtures load as they were written, show any change, and never hide where they come from (conformance kit 4.13)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import FrozenInstanceError, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting_testkit.fixtures import (
    STALE_AFTER,
    Fixture,
    FixtureError,
    Provenance,
    Record,
    age,
    load_fixture,
    write_fixture,
)

TRANSCRIPTS = Path(__file__).parent / "transcripts"
PROVENANCE = Provenance(
    source="synthetic", platform="example", api_version="1", date=date(2026, 1, 1), licence="MIT"
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_the_kept_synthetic_transcript_loads() -> None:
    fixture = load_fixture(TRANSCRIPTS / "echo_turn.jsonl")
    assert (fixture.provenance.source, fixture.provenance.platform) == ("synthetic", "example")
    assert [payload["text"] for payload in fixture.payloads("in")] == ["hi", "caf\u00e9 \u2028"]
    assert [record.at for record in fixture.records] == [0.0, 0.1, 5.0]


def test_the_kept_documented_transcript_loads_and_names_its_document() -> None:
    fixture = load_fixture(TRANSCRIPTS / "json_rpc_call.jsonl")
    assert fixture.provenance.source == "documented"
    assert fixture.provenance.reference == "https://www.jsonrpc.org/specification"
    assert [payload["id"] for payload in fixture.payloads("out")] == [1, "b"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["in", "out"]), json_values), max_size=4))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, wire: list[Any]) -> None:
    records = [Record(direction=way, at=float(at), payload=payload) for at, (way, payload) in enumerate(wire)]
    path = tmp_path_factory.mktemp("fixture") / "x.jsonl"
    write_fixture(path, Fixture(PROVENANCE, records))
    assert load_fixture(path) == Fixture(PROVENANCE, records)


def test_a_fixture_is_frozen() -> None:
    fixture = load_fixture(TRANSCRIPTS / "echo_turn.jsonl")
    assert isinstance(fixture.records, tuple)
    with pytest.raises(FrozenInstanceError):
        fixture.provenance.source = "recorded"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "x.jsonl"
    records = [
        Record(direction="in", at=0, payload={"text": "hi"}),
        Record(direction="out", at=1, payload="yes"),
    ]
    write_fixture(path, Fixture(PROVENANCE, records))
    return path


def rewrite_header(path: Path, **changes: Any) -> None:
    """Changes fields of the first line, None removes one; the hash of the rest stays right."""
    head, _, rest = path.read_text().partition("\n")
    header = {name: value for name, value in (json.loads(head) | changes).items() if value is not None}
    path.write_text(json.dumps(header) + "\n" + rest)


def test_a_record_changed_by_hand_is_found_out(written: Path) -> None:
    written.write_text(written.read_text().replace('"hi"', '"ho"'))
    with pytest.raises(FixtureError, match=r"x\.jsonl: line 1: sha256: found .*changed by hand"):
        load_fixture(written)


def test_a_removed_hash_is_found_out(written: Path) -> None:
    rewrite_header(written, sha256=None)
    with pytest.raises(FixtureError, match="sha256: found None"):
        load_fixture(written)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "guessed"}, "source: found 'guessed', expected one of recorded, documented, synthetic"),
        ({"source": "recorded"}, "sanitiser: found none"),
        ({"source": "documented"}, "reference: found nothing"),
        ({"platform": ""}, "platform: found ''"),
        ({"api_version": 5}, "api_version: found 5"),
        ({"licence": None}, r"missing fields \['licence'\]"),
        ({"source": None}, r"missing fields \['source'\]"),
        ({"sanitizer": "x"}, r"unknown fields \['sanitizer'\]"),
        ({"date": "yesterday"}, "date: found 'yesterday', expected YYYY-MM-DD"),
        ({"date": None}, "date: found None"),
        ({"format": 2}, "format: found 2, expected 1"),
    ],
)
def test_a_wrong_header_is_refused(written: Path, changes: dict[str, Any], message: str) -> None:
    rewrite_header(written, **changes)
    with pytest.raises(FixtureError, match=f"line 1: .*{message}"):
        load_fixture(written)


@pytest.mark.parametrize("text", ["", "[]\n", "no json\n", "\xff\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FixtureError, match="line 1: found no JSON object"):
        load_fixture(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"direction": "up", "at": 0, "payload": 1}, "line 2: direction: found 'up'"),
        ({"direction": "in", "at": -1, "payload": 1}, "line 2: at: found -1"),
        ({"direction": "in", "at": "0", "payload": 1}, "line 2: at: found '0'"),
        ({"direction": "in", "at": 0}, r"line 2: .*missing fields \['payload'\]"),
        ([], "line 2: found no JSON object"),
    ],
)
def test_a_wrong_record_is_refused_though_its_hash_is_right(tmp_path: Path, line: Any, message: str) -> None:
    rest = json.dumps(line) + "\n"
    path = tmp_path / "x.jsonl"
    write_fixture(path, Fixture(PROVENANCE, []))
    head = json.loads(path.read_text()) | {"sha256": hashlib.sha256(rest.encode()).hexdigest()}
    path.write_text(json.dumps(head) + "\n" + rest)
    with pytest.raises(FixtureError, match=message):
        load_fixture(path)


def test_records_out_of_order_are_refused() -> None:
    late, early = (Record(direction="in", at=at, payload=1) for at in (2, 1))
    with pytest.raises(FixtureError, match="found 1 after 2"):
        Fixture(PROVENANCE, [late, early])


def test_a_payload_that_is_not_json_is_refused(tmp_path: Path) -> None:
    fixture = Fixture(PROVENANCE, [Record(direction="in", at=0, payload=object())])
    with pytest.raises(FixtureError, match="payload: found what JSON cannot hold"):
        write_fixture(tmp_path / "x.jsonl", fixture)
    assert not (tmp_path / "x.jsonl").exists()


def test_age_counts_from_the_day_in_the_header() -> None:
    fixture = Fixture(replace(PROVENANCE, date=date(2025, 1, 1)), [])
    assert age(fixture, date(2025, 1, 11)) == timedelta(days=10)
    assert age(fixture, date(2026, 6, 1)) > STALE_AFTER
