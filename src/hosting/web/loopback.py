"""Whether a connection comes from this machine and nowhere else (contract 17.2)."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Scope

_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::\d{1,5})?")


def why_not_loopback(scope: Scope) -> str | None:
    """Why `scope` cannot be trusted to come from this machine, in words for the log; None if it can.

    Server and peer must be loopback addresses, or the server a Unix socket that knows no peer; the `Host` must be
    a loopback name, or a page in a browser here could reach us under its own name (DNS rebinding); and no proxy
    may have forwarded it for somebody else.
    """
    if not _is_local(scope.get("server"), scope.get("client")):
        return "server or peer address is not loopback"
    hosts: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"host":
            hosts.append(value)
        elif name in (b"forwarded", b"x-real-ip") or name.startswith(b"x-forwarded-"):
            return "a proxy forwarded it"
    if len(hosts) != 1 or not _names_loopback(hosts[0]):
        return "Host is not a loopback name"
    return None


def _is_local(server: Any, peer: Any) -> bool:
    if not server:
        return False
    if str(server[0]).startswith("/"):
        return not peer
    return bool(peer) and _is_loopback(str(server[0])) and _is_loopback(str(peer[0]))


@lru_cache(maxsize=256)
def _names_loopback(header: bytes) -> bool:
    parts = _HOST.fullmatch(header.strip().lower())
    if parts is None:
        return False
    host = parts[1].decode("latin-1")
    return host == "localhost" or _is_loopback(host.strip("[]"))


@lru_cache(maxsize=256)
def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
