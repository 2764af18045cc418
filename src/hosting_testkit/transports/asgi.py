"""ASGI vocabulary of the in-memory transports: types, options of one connection, scope and header checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


class ASGIViolation(RuntimeError):
    """The app broke the ASGI protocol; the text says what it sent and what was expected."""


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """How one in-memory connection behaves; the defaults are those of a common server on one machine.

    `asgi` picks the disconnect style: under "2.3" the app learns it from `receive` alone and `send` does
    nothing, under "2.4" `send` also raises `OSError`.
    `window` and `window_bytes` bound what may be sent and not yet read before `send` waits (`None`: no bound);
    `window=0` is reader-driven: `send` returns when its chunk was taken.
    `drop_after` disconnects the client when it has read that many chunks (0: after the response head).
    `request_chunk` cuts the request body into pieces of at most that many bytes.
    `grace` is how many seconds of loop time an app may go on after a disconnect when it is closed; then it is
    cancelled (0: cancelled at once, as servers do that cancel on disconnect; `None`: waited for without end).
    `await_app`: the last read of the body returns only when the app has returned, so that its late errors are
    raised there; `False` ends the body with its last chunk, as a socket does.
    `raise_app_errors=False` hides app errors as a server does: 500 before the head, a broken body after it.
    `client`, `server`, `scheme`, `http_version`, `root_path` and `state` go into the scope; `server` and `scheme`
    replace those of the request; `root_path` is put in front of the path, as a server behind a prefix does.
    """

    asgi: Literal["2.3", "2.4"] = "2.4"
    window: int | None = None
    window_bytes: int | None = 65_536
    drop_after: int | None = None
    request_chunk: int | None = None
    grace: float | None = 1.0
    await_app: bool = True
    raise_app_errors: bool = True
    client: tuple[str, int] | None = ("127.0.0.1", 50_000)
    server: tuple[str, int | None] | None = None
    scheme: str | None = None
    http_version: str = "1.1"
    root_path: str = ""
    state: Mapping[str, Any] | None = None

    def has_room(self, chunks: int, size: int) -> bool:
        """True if that many chunks and bytes may be in flight."""
        return (self.window is None or chunks <= self.window) and (
            self.window_bytes is None or size <= self.window_bytes
        )


def connection_scope(
    kind: Literal["http", "websocket"],
    target: str,
    headers: Iterable[tuple[bytes, bytes]],
    options: BridgeOptions,
    *,
    scheme: str,
    server: tuple[str, int | None],
) -> dict[str, Any]:
    """The scope keys that HTTP and WebSocket share; `target` is the path and query of the request line."""
    path, _, query = target.partition("?")
    full_path = options.root_path + path
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": options.asgi},
        "http_version": options.http_version,
        "scheme": options.scheme or scheme,
        "path": unquote(full_path),
        "raw_path": full_path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": options.root_path,
        "headers": [(name.lower(), value) for name, value in headers],
        "client": options.client,
        "server": options.server or server,
        "extensions": {},
    }
    if options.state is not None:
        scope["state"] = dict(options.state)
    return scope


def checked_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Response headers as sent by the app; refuses what a real server would not put on the wire.

    Raises:
        ASGIViolation: if a name or value is not bytes, or holds a line break or NUL (header injection).
    """
    headers: list[tuple[bytes, bytes]] = []
    for name, value in raw:
        for part in (name, value):
            if not isinstance(part, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] - the app is untrusted
                raise ASGIViolation(f"response header {name!r}: found {part!r}, expected bytes; encode it")
            if any(byte in part for byte in b"\r\n\0"):
                raise ASGIViolation(f"response header {name!r}: line break or NUL in {part!r}; strip it")
        headers.append((name, value))
    return tuple(headers)
