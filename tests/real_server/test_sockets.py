"""What only a socket can do to a server: send without end, read nothing, leave (contract 7.2, 7.3, 14.3, 16.1)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.real_server.servers import Server

MIB = 1 << 20


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"A" * MIB


@pytest.mark.parametrize(("path", "size"), [("/responses", 100), ("/invocations", 30)])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_above_the_limit_is_413_in_the_protocols_shape_and_is_not_kept(
    server: Server, path: str, size: int, declared: bool
) -> None:
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    content = b"A" * (size * MIB) if declared else pieces(size)

    answer = httpx.post(
        f"{server.url}{path}", content=content, headers={"content-type": "application/json"}, timeout=20
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert process.memory_info().rss - before < 0.8 * size * MIB


def test_a_large_body_of_a_wrong_type_is_answered_too(server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/responses", content=b"A" * (20 * MIB), headers={"content-type": "text/plain"}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["stops reading", "leaves", "leaves while it sends"])
@pytest.mark.parametrize("path", ["/responses", "/invocations"])
def test_a_client_that_is_gone_ends_its_run_and_the_next_turn_works(
    server: Server, path: str, kind: str
) -> None:
    ask = "flood" if kind == "stops reading" else "hang"
    body = json.dumps({"input": ask, "stream": True}).encode()
    already = ended(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        length = 1_000 if kind == "leaves while it sends" else len(body)
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
            + body
        )
        if kind == "stops reading":
            follow(server, already)
        elif kind == "leaves":
            received = b""
            while b"partial" not in received:
                received += client.recv(65_536)
    if kind == "leaves":
        follow(server, already)

    assert httpx.post(f"{server.url}{path}", json={"input": "next"}).status_code == 200


def ended(server: Server) -> int:
    return server.log.read_text().count(": cancelled")


def follow(server: Server, already: int) -> None:
    """Reads the log until another run was cancelled."""
    with httpx.Client(base_url=server.url) as client:
        for _ in range(5_000):
            if ended(server) > already:
                return
            assert client.get("/readiness").status_code == 200
    raise AssertionError("the run goes on")
