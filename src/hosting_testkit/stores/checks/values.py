"""What is stored comes back as it was, and sorts by its bytes."""

from __future__ import annotations

from hosting.state.tables import records, sessions

from ..check import StoreCheck, StoreDefect, must_be, must_raise
from ..materials import NOW, get, keys, miss, opened, pairs, put
from ..place import StorePlace

_TEXTS = (
    "",
    " ",
    "tail ",
    "Case",
    "case",
    "ß",
    "é",
    "e\u0301",
    "\ufffd",
    "\U0001f600",
    "\U0010ffff",
    "\ue000",
    "日本語",
    "\u202e",
    "a\nb\r\nc\td",
    "'; DROP TABLE records; --",
    '"{}" %s %(a)s ? :name $1 \\ \\x00 \\n',
    "NULL",
    "0",
    "1e3",
    "\x01\x1f\x7f",
)
_NUMBERS = (0, 1, -1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))


async def _texts(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(*(put(text, text) for text in _TEXTS))
        wanted = sorted(_TEXTS, key=str.encode)
        must_be(await keys(store), wanted, "keys in the order of their UTF-8 bytes")
        for text in _TEXTS:
            (rows,) = await store.execute(get(text))
            must_be([row[:2] for row in rows], [(text, text)], f"the record of the key {text!r}")


async def _ranges(place: StorePlace) -> None:
    async with opened(place) as store:
        names = ["a", "a\x01", "a/", "a/b", "a/\U0001f600", "a\ue000", "a\U0010ffff", "b", "Z"]
        await store.execute(*(put(name) for name in names))
        for descending in (False, True):
            wanted = sorted(
                (name for name in names if name.startswith("a")), key=str.encode, reverse=descending
            )
            found: list[str] = []
            while True:
                scan = records.scan_records(
                    "suite",
                    prefix="a",
                    after=found[-1] if found else None,
                    limit=2,
                    descending=descending,
                    now_ms=NOW,
                )
                page = records.read_records((await store.execute(scan))[0])
                if not page:
                    break
                found += [record.key for record in page]
                if len(found) > len(names):
                    raise StoreDefect(f"paging through keys found no end: {found}")
            must_be(found, wanted, f"keys that begin with 'a', page by page, descending={descending}")


async def _numbers(place: StorePlace) -> None:
    async with opened(place) as store:
        for number in _NUMBERS:
            await store.execute(
                sessions.create_session(
                    isolation_key="me",
                    key=str(number),
                    session_id=str(number),
                    now_ms=number,
                    expires_ms=None if number == 0 else number,
                )
            )
            (rows,) = await store.execute(sessions.load_session("me", str(number)))
            session = sessions.read_session(rows)
            found = (session.updated_ms, session.expires_ms, session.parent_id) if session else None
            must_be(
                found, (number, number or None, None), "a 64-bit number, and nothing where nothing was given"
            )
            must_be(type(session and session.updated_ms), int, "the type of a number")


async def _too_large(place: StorePlace) -> None:
    async with opened(place) as store:
        for number in (2**63, -(2**63) - 1, 10**40):
            unit = (put("a"), records.put_record("suite", "b", "1", now_ms=number))
            await must_raise(Exception, store.execute(*unit), f"the number {number}, beyond 64 bits")
            must_be(await keys(store), [], "records after a unit with a number that cannot be stored")
        await store.execute(put("a"))


async def _unfit(place: StorePlace) -> None:
    async with opened(place) as store:
        await must_raise(
            ValueError, store.execute(put("a"), put("lone \ud800 surrogate")), "a lone surrogate"
        )
        must_be(await keys(store), [], "records after a unit with a text that cannot be stored")
        try:
            await store.execute(put("a"), put("b", "nul \0 inside"))
        except Exception:
            must_be(await keys(store), [], "records after a NUL was refused")
        else:
            must_be(
                (await pairs(store))[-1:], [("b", "nul \0 inside")], "a text with a NUL that was not refused"
            )
        await store.execute(put("c"))


async def _large(place: StorePlace) -> None:
    async with opened(place) as store:
        large = '"' + "ü€😀x" * 500_000 + '"'
        await store.execute(put("small"), put("large", large), put("behind"))
        must_be(await keys(store), ["behind", "large", "small"], "records beside a large one")
        (rows,) = await store.execute(get("large"))
        must_be(rows[0][1], large, "a text of 5 MB")
        await must_raise(Exception, store.execute(put("gone", large), miss()), "a large unit that misses")
        many = [put(f"{number:05}", "x" * 100) for number in range(2_000)]
        await store.execute(*many)
        must_be(
            len(await keys(store)), 2_003, "records of a unit of two thousand statements, and those before it"
        )


async def _long_keys(place: StorePlace) -> None:
    """Keys may have 1 KiB each (contract 6.10), also where a compressor finds nothing."""
    async with opened(place) as store:
        long = [
            "".join(chr(0x4E00 + (number * 7919 + index * 104729) % 20_000) for index in range(341))
            for number in (1, 2)
        ]
        create = sessions.create_session(isolation_key=long[0], key=long[1], session_id="s", now_ms=NOW)
        await store.execute(create, put(long[0]), put(long[1]))
        (rows,) = await store.execute(sessions.load_session(long[0], long[1]))
        session = sessions.read_session(rows)
        must_be(
            session and (session.isolation_key, session.key),
            (long[0], long[1]),
            "a session with keys of 1 KiB",
        )
        must_be(await keys(store), sorted(long, key=str.encode), "records with keys of 1 KiB")


CHECKS = (
    StoreCheck("keeps_texts_as_they_are_and_sorts_them_by_bytes", _texts),
    StoreCheck("reads_a_range_of_keys_page_by_page", _ranges),
    StoreCheck("keeps_numbers_of_64_bits", _numbers),
    StoreCheck("refuses_larger_numbers_whole", _too_large),
    StoreCheck("refuses_or_keeps_texts_that_are_hard_to_store", _unfit),
    StoreCheck("keeps_large_texts_and_large_units", _large),
    StoreCheck("keeps_keys_of_a_kibibyte", _long_keys),
)
