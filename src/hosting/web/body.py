"""Reading request bodies: bounded, in pieces, and told apart by what is wrong with them (contract 6.10, 14.1, 16.1)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ..errors import BodyTooLarge, BodyTooSlow, RequestError, UnsupportedMedia
from .disconnect import ClientGone
from .unread import BODY_WAS_READ

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_JSON_DEPTH = 128
"""How deep arrays and objects may nest; what is deeper cannot be relied on to encode again."""

BODY_PATIENCE = 20.0
"""Seconds that a body may take, beside one second for every `SLOWEST_BODY` bytes that came."""

SLOWEST_BODY = 500
"""Bytes per second under which a sender only holds a connection; a phone on a bad line is far above."""

_SMALLEST_INT, _LARGEST_INT = -(1 << 63), (1 << 64) - 1
_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
_BYTE_OFFSET = re.compile(r"\(byte (\d+)\)")
_JSON_TYPES = {
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, read in pieces.

    Args:
        request: Its body must not have been read before.
        limit: Largest body in bytes.

    Raises:
        BodyTooLarge: As soon as the limit is passed; what is left is not kept (413).
        UnsupportedMedia: The body is compressed (415), so that none can grow while it is decoded.
        RequestError: `Content-Length` is not a number (400).
        BodyTooSlow: It comes slower than `SLOWEST_BODY` once `BODY_PATIENCE` is over (408).
        ClientGone: The client left while it sent.
    """
    _check_headers(request, limit)
    try:
        async with asyncio.timeout(BODY_PATIENCE) as patience:
            return await _read_pieces(request, limit, patience)
    except TimeoutError:
        raise BodyTooSlow("The request body came too slowly; it was not read to its end.") from None


async def _read_pieces(request: Request, limit: int, patience: asyncio.Timeout) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        last = not message.get("more_body", False)
        if last:
            request.scope[BODY_WAS_READ] = True
        if size > limit:
            raise _too_large(limit)
        if last:
            return b"".join((*pieces, piece)) if pieces else piece
        pieces.append(piece)
        deadline = patience.when()
        if deadline is not None:
            patience.reschedule(deadline + len(piece) / SLOWEST_BODY)


def require_json(headers: Mapping[str, str]) -> None:
    """Refuses a body that its headers call anything else than JSON; for those who read the bytes themselves.

    Raises:
        UnsupportedMedia: The content type is neither `application/json` nor `…+json` (415). One that is not said passes.
    """
    content_type = headers.get("content-type")
    if content_type is not None and not _is_json(content_type):
        raise UnsupportedMedia("The Content-Type of the request must be application/json.")


async def read_json_object(request: Request, limit: int) -> dict[str, Any]:
    """The body as one JSON object.

    Raises:
        UnsupportedMedia: The content type is missing, or is neither `application/json` nor `…+json` (415).
        RequestError: What `decode_json_object` raises (400).
        BodyTooLarge, BodyTooSlow: As `read_body` (413, 408).
        ClientGone: As `read_body`.
    """
    require_json(request.headers)
    raw = await read_body(request, limit)
    if raw and "content-type" not in request.headers:
        raise UnsupportedMedia("The request has no Content-Type; it must be application/json.")
    return decode_json_object(raw)


def decode_json_object(raw: bytes) -> dict[str, Any]:
    """`raw` as a JSON object that can be stored and sent on.

    Raises:
        RequestError: It is empty, malformed, truncated, not UTF-8 or not an object, nests deeper than
            `MAX_JSON_DEPTH`, or holds NUL, a lone surrogate, NaN or a number beyond 64 bits (contract 6.10).
    """
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The request body is not valid JSON: {_what_is_wrong(raw, error)}.") from None
    if not isinstance(value, dict):
        raise RequestError(f"The request body must be a JSON object; found {_JSON_TYPES[type(value)]}.")
    body = cast("dict[str, Any]", value)
    _check_values(body)
    return body


def _check_headers(request: Request, limit: int) -> None:
    headers = request.headers
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia(
            "Compressed request bodies are not read; send the body without Content-Encoding."
        )
    declared = headers.get("content-length")
    if declared is None:
        return
    if not (declared.isascii() and declared.isdigit()):
        raise RequestError("The Content-Length of the request is not a number.")
    if len(declared) > 18 or int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request body is larger than {limit} bytes.")


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _check_values(body: dict[str, Any]) -> None:
    """One pass over what was decoded, level by level so that depth costs no stack.

    Measured against looking for suspicious bytes first: no dearer for the usual request, and it cannot miss.
    """
    level: list[Any] = [body]
    for _ in range(MAX_JSON_DEPTH):
        deeper: list[Any] = []
        for container in level:
            for value in _values(container):
                if isinstance(value, str):
                    _check_text(value)
                elif isinstance(value, (dict, list)):
                    deeper.append(value)
                elif isinstance(value, int) and not _SMALLEST_INT <= value <= _LARGEST_INT:
                    raise RequestError(
                        "The request body holds an integer beyond 64 bits; send it as a string."
                    )
        if not deeper:
            return
        level = deeper
    raise RequestError(f"The request body nests deeper than {MAX_JSON_DEPTH} levels.")


def _values(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    if isinstance(container, list):
        return container
    _check_text("".join(container))
    return container.values()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise RequestError("The request body holds a NUL character (\\u0000), which text may not contain.")


def _what_is_wrong(raw: bytes, error: Exception) -> str:
    """The decoder's complaint in words that are safe to send back and name the place."""
    if isinstance(error, RecursionError):
        return f"it nests deeper than {MAX_JSON_DEPTH} levels"
    if not raw.strip():
        return "it is empty"
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        return f"byte {undecodable.start} is not UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return "it holds a number out of range"
    if _LONE_SURROGATE.search(raw):
        return "it holds a lone surrogate (\\ud800 to \\udfff)"
    place = _BYTE_OFFSET.search(str(error))
    return f"unexpected input at byte {place[1]}" if place else "it ends too early"
