"""Who may call an API channel, over HTTP and WebSocket alike (contract 17.1, 17.2)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from hosting.envelope import Caller
from hosting.errors import ChannelConfigurationError, Denied, NotAuthenticated, RateLimited
from hosting.web import LOCAL_CALLER, BearerTokens, Gate, error_headers, resolve_auth
from tests.web.asgi import Exchange

LOCALHOST = {"host": "localhost:8000"}


def connection(headers: Any = LOCALHOST, **scope: Any) -> HTTPConnection:
    return HTTPConnection(Exchange(headers=headers, **scope).scope)


def gate(auth: Any, **options: Any) -> Gate:
    return resolve_auth(auth, channel="api", **options)


def bearer(token: str) -> HTTPConnection:
    return connection({"authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"headers": {"host": "LOCALHOST"}},
        {"headers": {"host": "127.0.0.1:9"}},
        {"headers": {"host": "127.9.9.9"}},
        {"headers": {"host": "[::1]:8000"}, "server": ("::1", 8000), "client": ("::1", 5)},
        {"server": ("::ffff:127.0.0.1", 8000), "client": ("::ffff:127.0.0.1", 5)},
        {"server": ("/run/hosting.sock", None), "client": None},
        {"kind": "websocket"},
    ],
)
async def test_loopback_lets_this_machine_in_as_the_local_caller(scope: dict[str, Any]) -> None:
    assert await gate("loopback")(connection(**scope)) == LOCAL_CALLER


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ({"client": ("192.168.1.7", 5)}, "address"),
        ({"server": ("0.0.0.0", 8000)}, "address"),
        ({"server": None}, "address"),
        ({"client": None}, "address"),
        ({"server": ("/run/hosting.sock", None)}, "address"),
        ({"server": ("localhost.example.com", 8000)}, "address"),
        ({"headers": {}}, "Host"),
        ({"headers": {"host": "rebound.example.com"}}, "Host"),
        ({"headers": {"host": "localhost.example.com"}}, "Host"),
        ({"headers": {"host": "127.0.0.1.example.com"}}, "Host"),
        ({"headers": {"host": "127.0.0.1:80@example.com"}}, "Host"),
        ({"headers": {"host": "[::2]"}}, "Host"),
        ({"headers": {"host": ""}}, "Host"),
        ({"headers": [("host", "localhost"), ("host", "localhost")]}, "Host"),
        ({"headers": LOCALHOST | {"forwarded": "for=1.2.3.4"}}, "proxy"),
        ({"headers": LOCALHOST | {"x-forwarded-for": "127.0.0.1"}}, "proxy"),
        ({"headers": LOCALHOST | {"x-forwarded-prefix": "/"}}, "proxy"),
        ({"headers": LOCALHOST | {"x-real-ip": "127.0.0.1"}}, "proxy"),
        ({"kind": "websocket", "client": ("10.0.0.1", 5)}, "address"),
    ],
)
async def test_loopback_refuses_everybody_else_with_one_log_line(
    scope: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotAuthenticated), caplog.at_level(logging.WARNING):
        await gate("loopback")(connection(**scope))

    [record] = caplog.records
    assert "api" in record.getMessage()
    assert reason in record.getMessage()
    assert "example.com" not in record.getMessage()


async def test_none_lets_everybody_in_as_the_local_caller() -> None:
    assert await gate(None)(connection({}, client=("8.8.8.8", 1), server=("10.0.0.1", 80))) == LOCAL_CALLER


async def test_a_known_token_gives_its_caller() -> None:
    auth = gate(BearerTokens({"tok-a": "alice", "tok-b": Caller(id="bob", claims={"tier": 1})}))

    assert (await auth(bearer("tok-a"))).id == "alice"
    assert (await auth(bearer("tok-b"))).claims["tier"] == 1
    assert (await auth(connection({"authorization": "bearer  tok-a"}))).id == "alice"


async def test_a_caller_has_two_tokens_while_they_rotate() -> None:
    mapped = gate(BearerTokens({"old": "alice", "new": "alice"}))
    listed = gate(BearerTokens(["old", "new"]))

    assert (await mapped(bearer("old"))) == (await mapped(bearer("new")))
    assert (await listed(bearer("old"))) == (await listed(bearer("new")))
    with pytest.raises(NotAuthenticated):
        await gate(BearerTokens({"new": "alice"}))(bearer("old"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer tok"},
        {"authorization": "Bearer tok-a-and-more"},
        {"authorization": "Bearer TOK-A"},
        {"authorization": "Basic tok-a"},
        {"authorization": "tok-a"},
        {"authorization": "Bearer tök"},
        [("authorization", "Bearer tok-a"), ("authorization", "Bearer tok-a")],
        {"x-api-key": "tok-a"},
    ],
)
async def test_every_refused_credential_looks_the_same(headers: Any) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        await gate(BearerTokens({"tok-a": "alice"}))(connection(headers))

    assert refused.value.message == "Authentication is required."
    assert refused.value.__cause__ is None
    assert error_headers(refused.value) == {"www-authenticate": "Bearer"}


def test_tokens_are_not_kept_in_the_clear() -> None:
    assert "tok-a" not in repr(vars(BearerTokens({"tok-a": "alice"})))


@pytest.mark.parametrize("tokens", [{}, [], "tok-a", {"": "alice"}, {"with space": "alice"}, ["ümlaut"], [1]])
def test_tokens_that_cannot_work_are_refused_at_construction_without_being_shown(tokens: Any) -> None:
    with pytest.raises(ChannelConfigurationError) as refused:
        BearerTokens(tokens)

    assert "space" not in str(refused.value)
    assert "mlaut" not in str(refused.value)


async def test_a_callable_may_be_sync_or_async() -> None:
    async def slow(connection: HTTPConnection) -> Caller:
        return Caller(id=connection.headers["x-user"])

    def quick(connection: HTTPConnection) -> Caller:
        return Caller(id=connection.headers["x-user"])

    for auth in (slow, quick):
        assert (await gate(auth)(connection({"x-user": "eve"}))).id == "eve"


async def test_what_a_callable_says_in_refusing_is_not_shown() -> None:
    def refuse(connection: HTTPConnection) -> Caller:
        raise NotAuthenticated("the token expired yesterday")

    with pytest.raises(NotAuthenticated, match=r"^Authentication is required\.$"):
        await gate(refuse)(connection())


async def test_other_errors_of_a_callable_pass() -> None:
    def limit(connection: HTTPConnection) -> Caller:
        raise RateLimited("slow down")

    with pytest.raises(RateLimited):
        await gate(limit)(connection())


@pytest.mark.parametrize("outcome", [None, True, "alice"])
async def test_a_callable_that_gives_no_caller_lets_nobody_in(outcome: Any) -> None:
    def careless(connection: HTTPConnection) -> Any:
        return outcome

    with pytest.raises(TypeError, match="raise NotAuthenticated to refuse"):
        await gate(careless)(connection())


@pytest.mark.parametrize("auth", ["my-secret-token", 7, {"tok": "alice"}])
def test_another_kind_of_auth_is_refused_at_construction_without_being_shown(auth: Any) -> None:
    with pytest.raises(ChannelConfigurationError, match=r"api\.auth: found a") as refused:
        gate(auth)

    assert "my-secret-token" not in str(refused.value)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("auth", ["loopback", None, BearerTokens(["tok-a"])])
async def test_browser_origins_are_refused_unless_listed(auth: Any, kind: str) -> None:
    headers = LOCALHOST | {"authorization": "Bearer tok-a", "origin": "https://App.example.com"}

    for origins in ([], ["https://example.com"], ["http://app.example.com"], "https://app.example.com:8443"):
        with pytest.raises(Denied):
            await gate(auth, allowed_origins=origins)(connection(headers, kind=kind))
    for origins in (["https://app.example.com"], ["https://app.example.com/"], ["*"]):
        await gate(auth, allowed_origins=origins)(connection(headers, kind=kind))


async def test_an_opaque_origin_must_be_listed_too() -> None:
    with pytest.raises(Denied):
        await gate(None)(connection({"origin": "null"}))
    with pytest.raises(Denied):
        await gate(None, allowed_origins=["https://a.b"])(
            connection([("origin", "https://a.b"), ("origin", "https://evil.example.com")])
        )


@pytest.mark.parametrize("origin", ["app.example.com", "https://a.b/path", "", "https://a b"])
def test_an_origin_that_can_never_match_is_refused_at_construction(origin: str) -> None:
    with pytest.raises(ChannelConfigurationError, match="allowed_origins"):
        gate(None, allowed_origins=[origin])


def test_a_gate_describes_itself_for_the_start_line() -> None:
    def by_header(connection: HTTPConnection) -> Caller:
        return Caller(id="x")

    described = [gate(auth).description for auth in ("loopback", None, BearerTokens(["tok-a"]), by_header)]

    assert described == ["loopback", "open", "BearerTokens", "by_header"]
