"""HC-SEC-001: addresses that come with the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_PRIVATE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0")


@rule(
    "HC-SEC-001",
    needs=["outbound_urls"],
    why="whoever chooses an address reads what only the server can reach: metadata, databases, the loopback",
)
async def addresses_from_input_are_checked(k: Kit) -> None:
    """Only https, only listed hosts, only at public addresses, and the same again at each redirect."""
    host = str(k.claim("outbound_urls").params["host"])
    async with k.host(Echo()) as h:
        h.env.pages["/file"] = (200, {"content-type": "text/plain"}, b"content")
        asked = await _fetch(k, h, f"https://{host}/file")
        k.control(asked == [host] and len(h.runs) == 1, "a listed address is fetched", observed=asked)
        for name, url in _refused(host).items():
            k.equal(f"{name}: requests", await _fetch(k, h, url), [])
        for address in _PRIVATE:
            h.env.addresses[host] = address
            k.equal(
                f"a name that resolves to {address}: requests", await _fetch(k, h, f"https://{host}/file"), []
            )
        del h.env.addresses[host]
        for name, url in _refused(host).items():
            h.env.pages["/away"] = (302, {"location": url}, b"")
            k.equal(
                f"requests after a redirect to {name}", await _fetch(k, h, f"https://{host}/away"), [host]
            )
        k.equal("runs of refused addresses", len(h.runs), 1)
        k.equal("failures in the log", [text.splitlines()[-1] for text in k.logs if "Traceback" in text], [])


def _refused(host: str) -> Mapping[str, str]:
    return {
        "plain http": f"http://{host}/file",
        "another scheme": f"ftp://{host}/file",
        "another host": "https://evil.example/file",
        "a host that ends like a listed one": f"https://evil{host}/file",
        "a host that begins like a listed one": f"https://{host}.evil.example/file",
        "a listed host as the user": f"https://{host}@evil.example/file",
        "a loopback address": "https://127.0.0.1/file",
        "a private address over IPv6": "https://[fd00::1]/file",
        "the metadata service": "https://169.254.169.254/file",
        "a number that is an address": "https://2130706433/file",
    }


async def _fetch(k: Kit, h: HostedChannel, url: str) -> Sequence[str]:
    """The hosts, by the name that was asked for, to which requests went."""
    before = len(h.env.requests)
    await h.wire(ask_driver(lambda: h.driver.fetching(Turn(text=k.nonce()), url), "fetching(turn, url)"))
    return [request.headers.get("host", request.url.host) for request in h.env.requests[before:]]
