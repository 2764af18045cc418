"""Tokens of an identity provider (contract 17.1, 17.2)."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.utils import base64url_encode
from starlette.requests import HTTPConnection

from hosting.errors import ChannelConfigurationError, NotAuthenticated, NotReady
from hosting.web import JwtBearer
from hosting_testkit.clock import START, VirtualClock
from tests.web.asgi import Exchange

ISSUER, AUDIENCE, URL = "https://id.example.com", "api://hosting", "https://id.example.com/keys"
SECRET = b"0123456789abcdef0123456789abcdef"


@functools.cache
def private_key(name: str) -> Any:
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str) -> bytes:
    public = private_key(name).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(name: str, **members: Any) -> dict[str, Any]:
    algorithm: Any = jwt.get_algorithm_by_name("ES256" if name.startswith("ec") else "RS256")
    return (
        json.loads(algorithm.to_jwk(private_key(name).public_key())) | {"kid": name, "use": "sig"} | members
    )


def token(key: Any = "rsa-1", algorithm: str = "RS256", header: Any = None, **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "exp": int(START) + 600,
        "iat": int(START),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"kid": key} if header is None and isinstance(key, str) else header
    signing_key = private_key(key) if isinstance(key, str) else key
    return jwt.encode(claims, signing_key, algorithm=algorithm, headers=header)


def carrying(credential: str) -> HTTPConnection:
    return HTTPConnection(Exchange(headers={"authorization": f"Bearer {credential}"}).scope)


class Provider:
    """A key set at an address, with a switch."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.fetches = 0
        self.down = False

    async def fetch(self, url: str) -> Mapping[str, Any]:
        assert url == URL
        self.fetches += 1
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionError("secret detail")
        return {"keys": self.keys}


def with_key(key: Any = None, **options: Any) -> JwtBearer:
    options = {"issuer": ISSUER, "audience": AUDIENCE, "time_source": VirtualClock()} | options
    return JwtBearer(key=key or public_pem("rsa-1"), **options)


def with_provider(provider: Provider, clock: VirtualClock, **options: Any) -> JwtBearer:
    options = {"issuer": ISSUER, "audience": AUDIENCE, "time_source": clock} | options
    return JwtBearer(jwks_url=URL, fetch=provider.fetch, **options)


async def test_a_valid_token_gives_its_caller_and_claims() -> None:
    caller = await with_key()(carrying(token(scope="chat")))

    assert caller.id == '["https://id.example.com","u1"]'
    assert caller.claims["scope"] == "chat"


async def test_two_callers_never_share_an_id() -> None:
    auth = with_key(caller_claims=("tid", "oid"))
    pairs = [("a", "b"), ("a,", "b"), ("a", ",b"), ('a","', "b"), ("a", '","b')]

    ids = {(await auth(carrying(token(tid=tenant, oid=person)))).id for tenant, person in pairs}

    assert len(ids) == len(pairs)


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", "rsa-1"), ("PS256", "rsa-1"), ("RS512", "rsa-1"), ("ES256", "ec-1")]
)
async def test_asymmetric_algorithms_work_out_of_the_box(algorithm: str, key: str) -> None:
    assert await with_key(public_pem(key))(carrying(token(key, algorithm)))


async def test_a_shared_secret_works_only_when_asked_for() -> None:
    signed = token(SECRET, "HS256")

    assert await with_key(SECRET, algorithms=["HS256"])(carrying(signed))
    with pytest.raises(NotAuthenticated):
        await with_key()(carrying(signed))


def confused() -> str:
    """An HS256 token signed with the RSA public key as if it were a secret."""
    unsigned = token(SECRET, "HS256").rpartition(".")[0].encode()
    hs256: Any = jwt.get_algorithm_by_name("HS256")
    return f"{unsigned.decode()}.{base64url_encode(hs256.sign(unsigned, public_pem('rsa-1'))).decode()}"


BAD_TOKENS: dict[str, Any] = {
    "foreign key": lambda: token("rsa-2", header={"kid": "rsa-1"}),
    "unsigned": lambda: token(None, "none", header={}),
    "swapped algorithm": confused,
    "other key type": lambda: token("ec-1", "ES256", header={"kid": "rsa-1"}),
    "wrong issuer": lambda: token(iss="https://evil.example.com"),
    "no issuer": lambda: token(iss=None),
    "wrong audience": lambda: token(aud="api://other"),
    "no audience": lambda: token(aud=None),
    "expired": lambda: token(exp=int(START) - 61),
    "no expiry": lambda: token(exp=None),
    "expiry is no number at all": lambda: token(exp=float("nan")),
    "start is endless": lambda: token(nbf=10**400),
    "subject is half a character": lambda: token(sub="\ud800"),
    "expiry is no number": lambda: token(exp="never"),
    "not yet valid": lambda: token(nbf=int(START) + 61),
    "issued in the future": lambda: token(iat=int(START) + 61),
    "no subject": lambda: token(sub=None),
    "empty subject": lambda: token(sub=""),
    "subject is no string": lambda: token(sub=7),
    "endless subject": lambda: token(sub="x" * 2000),
    "truncated": lambda: token()[:-10],
    "no token at all": lambda: "a.b.c",
    "not ascii": lambda: "tök",
    "deep header": lambda: base64url_encode(b"[" * 20_000).decode() + ".e30.c2ln",
    "critical extension": lambda: token(header={"kid": "rsa-1", "crit": ["exp"]}),
}


@pytest.mark.parametrize("defect", BAD_TOKENS)
@pytest.mark.parametrize("source", ["key", "provider"])
async def test_a_token_with_a_defect_is_refused(defect: str, source: str) -> None:
    provider = Provider(jwk("rsa-1"))
    auth = with_key() if source == "key" else with_provider(provider, VirtualClock())
    assert await auth(carrying(token()))

    with pytest.raises(NotAuthenticated):
        await auth(carrying(BAD_TOKENS[defect]()))


@pytest.mark.parametrize("changes", [{"exp": START - 59}, {"nbf": START + 59}, {"iat": START + 59}])
async def test_clocks_may_differ_by_the_leeway(changes: dict[str, Any]) -> None:
    assert await with_key()(carrying(token(**changes)))
    with pytest.raises(NotAuthenticated):
        await with_key(leeway=10)(carrying(token(**changes)))


async def test_keys_are_fetched_once_and_again_when_they_are_old() -> None:
    provider, clock = Provider(jwk("rsa-1"), jwk("ec-1")), VirtualClock()
    auth = with_provider(provider, clock)

    for _ in range(3):
        await auth(carrying(token()))
        await auth(carrying(token("ec-1", "ES256")))
    assert provider.fetches == 1

    clock.advance(601)
    await auth(carrying(token(exp=START + 2000)))
    assert provider.fetches == 2


async def test_an_unknown_key_id_fetches_the_keys_once_per_cooldown() -> None:
    provider, clock = Provider(jwk("rsa-1")), VirtualClock()
    auth = with_provider(provider, clock)
    await auth(carrying(token()))

    provider.keys.append(jwk("rsa-2"))
    assert await auth(carrying(token("rsa-2")))
    assert provider.fetches == 2

    for number in range(5):
        with pytest.raises(NotAuthenticated):
            await auth(carrying(token(header={"kid": f"made-up-{number}"})))
    assert provider.fetches == 2

    clock.advance(31)
    with pytest.raises(NotAuthenticated):
        await auth(carrying(token(header={"kid": "made-up"})))
    assert provider.fetches == 3


async def test_an_outage_fails_closed_and_recovers() -> None:
    provider, clock = Provider(jwk("rsa-1")), VirtualClock()
    auth = with_provider(provider, clock)
    provider.down = True

    with pytest.raises(NotReady) as refused:
        await auth(carrying(token()))
    assert "secret detail" not in refused.value.message

    provider.down = False
    assert await auth(carrying(token()))


async def test_an_outage_does_not_touch_keys_that_are_still_good() -> None:
    provider, clock = Provider(jwk("rsa-1")), VirtualClock()
    auth = with_provider(provider, clock)
    await auth(carrying(token()))
    provider.down = True

    with pytest.raises(NotAuthenticated):
        await auth(carrying(token(header={"kid": "made-up"})))
    assert await auth(carrying(token()))

    clock.advance(601)
    with pytest.raises(NotReady):
        await auth(carrying(token(exp=START + 2000)))


@pytest.mark.parametrize(
    "document", [[], {}, {"keys": []}, {"keys": "x"}, {"keys": [{"kty": "oct", "k": "AAAA"}]}]
)
async def test_a_document_that_holds_no_key_trusts_nobody(document: Any) -> None:
    async def fetch(url: str) -> Any:
        return document

    auth = JwtBearer(issuer=ISSUER, audience=AUDIENCE, jwks_url=URL, fetch=fetch, time_source=VirtualClock())

    with pytest.raises((NotAuthenticated, NotReady)):
        await auth(carrying(token()))


async def test_requests_that_wait_share_one_fetch() -> None:
    provider = Provider(jwk("rsa-1"))
    auth = with_provider(provider, VirtualClock())

    await asyncio.gather(*(auth(carrying(token())) for _ in range(20)))

    assert provider.fetches == 1


async def test_requests_that_wait_share_one_failure() -> None:
    provider = Provider(jwk("rsa-1"))
    provider.down = True
    auth = with_provider(provider, VirtualClock())

    outcomes = await asyncio.gather(*(auth(carrying(token())) for _ in range(20)), return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {NotReady}
    assert provider.fetches == 1


async def test_a_request_that_is_cancelled_does_not_spoil_the_fetch_for_others() -> None:
    provider = Provider(jwk("rsa-1"))
    auth = with_provider(provider, VirtualClock())
    first = asyncio.ensure_future(auth(carrying(token())))
    second = asyncio.ensure_future(auth(carrying(token())))
    await asyncio.sleep(0)

    first.cancel()

    assert (await second).id


async def test_encryption_keys_are_not_for_signing() -> None:
    auth = with_provider(Provider(jwk("rsa-1", use="enc"), jwk("rsa-2")), VirtualClock())

    assert await auth(carrying(token("rsa-2")))
    with pytest.raises(NotAuthenticated):
        await auth(carrying(token("rsa-1")))


async def test_a_token_without_a_key_id_is_served_where_there_is_one_key() -> None:
    assert await with_provider(Provider(jwk("rsa-1")), VirtualClock())(carrying(token(header={})))
    with pytest.raises(NotAuthenticated):
        await with_provider(Provider(jwk("rsa-1"), jwk("rsa-2")), VirtualClock())(carrying(token(header={})))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"key": b"not a key"},
        {"key": b"short", "algorithms": ["HS256"]},
        {"key": SECRET, "algorithms": ["RS256"]},
        {"key": SECRET, "algorithms": ["none"]},
        {"key": SECRET, "algorithms": ["HS256", "RS256"]},
        {"key": SECRET, "algorithms": []},
        {"key": SECRET, "algorithms": ["HS256"], "jwks_url": URL},
        {"jwks_url": URL},
        {"jwks_url": URL, "fetch": Provider().fetch, "algorithms": ["HS256"]},
        {"key": SECRET, "algorithms": ["HS256"], "issuer": ""},
        {"key": SECRET, "algorithms": ["HS256"], "audience": [""]},
        {"key": SECRET, "algorithms": ["HS256"], "caller_claims": []},
    ],
)
def test_options_that_cannot_be_safe_are_refused_at_construction(options: dict[str, Any]) -> None:
    with pytest.raises(ChannelConfigurationError) as refused:
        JwtBearer(**{"issuer": ISSUER, "audience": AUDIENCE, **options})

    assert SECRET.decode() not in str(refused.value)


def test_without_pyjwt_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "hosting.web.jwt_bearer.find_spec", lambda name: None if name == "jwt" else real(name)
    )

    with pytest.raises(ChannelConfigurationError, match=r"hosting\[jwt\]"):
        with_key(b"any")
