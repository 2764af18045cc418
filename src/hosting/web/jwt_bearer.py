"""Bearer tokens that an identity provider signed (RFC 7519, RFC 8725)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import SystemTime, TimeSource
from ..envelope import Caller
from ..errors import ChannelConfigurationError, NotAuthenticated
from .jwks import JwksFetch, KeySet
from .tokens import bearer_token

if TYPE_CHECKING:
    from jwt import PyJWK
    from starlette.requests import HTTPConnection

ASYMMETRIC_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
_MAX_CALLER_ID_BYTES = 1024


class JwtBearer:
    """Authenticates by JSON Web Tokens; needs the extra `hosting[jwt]`.

    Signature, issuer, audience and times are checked; whatever cannot be checked is refused. A token without
    `exp`, `iss` or `aud` is refused.

    Args:
        issuer: The issuer, or those accepted.
        audience: Who the tokens are made out to: one of these must be in `aud`.
        key: The public key as PEM, or with `HS*` algorithms the shared secret.
        jwks_url: Where the provider publishes its keys, in place of `key`.
        fetch: Gets `jwks_url`, such as
            `async def fetch(url): return (await client.get(url)).raise_for_status().json()`.
        algorithms: What may sign; never `none`, and never `HS*` beside others.
        leeway: Seconds by which clocks may differ.
        caller_claims: The claims that make up the caller's id, joined as a JSON array so that no two callers
            share one.
        time_source: Where the time comes from.

    Raises:
        ChannelConfigurationError: PyJWT is missing, the options do not go together, or the key fits no algorithm.
    """

    def __init__(
        self,
        *,
        issuer: str | Sequence[str],
        audience: str | Sequence[str],
        key: str | bytes | None = None,
        jwks_url: str | None = None,
        fetch: JwksFetch | None = None,
        algorithms: Sequence[str] = ASYMMETRIC_ALGORITHMS,
        leeway: float = 60.0,
        caller_claims: Sequence[str] = ("iss", "sub"),
        time_source: TimeSource | None = None,
    ) -> None:
        clock = time_source or SystemTime()
        _require_pyjwt()
        _check_options(issuer, audience, algorithms, caller_claims)
        self._issuers = (issuer,) if isinstance(issuer, str) else tuple(issuer)
        self._audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        self._leeway = leeway
        self._caller_claims = tuple(caller_claims)
        self._clock = clock
        self._key = key
        self._key_set: KeySet | None = None
        if key is not None and jwks_url is None and fetch is None:
            self._algorithms = _fitting(key, algorithms)
        elif key is None and jwks_url is not None and fetch is not None and _SYMMETRIC.isdisjoint(algorithms):
            self._algorithms = tuple(algorithms)
            self._key_set = KeySet(jwks_url, fetch, clock)
        else:
            raise _misconfigured("expected either key, or jwks_url and fetch with asymmetric algorithms")

    async def __call__(self, connection: HTTPConnection, /) -> Caller:
        """The caller whose token the connection carries.

        Raises:
            NotAuthenticated: It carries none, or one that is not valid.
            NotReady: The provider's keys cannot be had.
        """
        claims = await self._verified(bearer_token(connection))
        self._check_times(claims)
        return Caller(id=self._caller_id(claims), claims=claims)

    def _caller_id(self, claims: dict[str, Any]) -> str:
        parts = [claims.get(name) for name in self._caller_claims]
        if not all(isinstance(part, str) and part for part in parts):
            raise NotAuthenticated("The token lacks a claim that names its caller.")
        try:
            caller_id = msgspec.json.encode(parts)
        except UnicodeEncodeError:
            raise NotAuthenticated("A claim that names the caller holds a lone surrogate.") from None
        if len(caller_id) > _MAX_CALLER_ID_BYTES:
            raise NotAuthenticated("The claims that name the caller are too long.")
        return caller_id.decode()

    async def _verified(self, token: bytes) -> dict[str, Any]:
        """The claims of a token with a valid signature, issuer and audience."""
        import jwt

        try:
            key = await self._find_key(jwt.get_unverified_header(token))
            if key is None:
                raise NotAuthenticated("The token's key is unknown.")
            return jwt.decode(
                token,
                key,
                algorithms=list(self._algorithms),
                audience=self._audiences,
                issuer=self._issuers,
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,  # the times are checked here, by the injected clock
                    "verify_nbf": False,
                    "verify_iat": False,
                    "enforce_minimum_key_length": True,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise NotAuthenticated("The token is not valid.") from None

    async def _find_key(self, header: dict[str, Any]) -> PyJWK | str | bytes | None:
        if self._key_set is None:
            return self._key
        if header.get("alg") not in self._algorithms:
            return None
        return await self._key_set.find(header.get("kid"))

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        expires, *starts = (claims.get(name, 0) for name in ("exp", "nbf", "iat"))
        if not all(isinstance(moment, int | float) for moment in (expires, *starts)):
            raise NotAuthenticated("The token's times are not numbers.")
        if not expires > now - self._leeway:
            raise NotAuthenticated("The token has expired.")
        if not all(moment <= now + self._leeway for moment in starts):
            raise NotAuthenticated("The token is not valid yet.")


def _require_pyjwt() -> None:
    if find_spec("jwt") is None or find_spec("cryptography") is None:
        raise _misconfigured("PyJWT or cryptography is not installed; install hosting[jwt]")


def _check_options(
    issuer: str | Sequence[str],
    audience: str | Sequence[str],
    algorithms: Sequence[str],
    caller_claims: Sequence[str],
) -> None:
    for name, value in (
        ("issuer", issuer),
        ("audience", audience),
        ("algorithms", algorithms),
        ("caller_claims", caller_claims),
    ):
        if not value or (not isinstance(value, str) and not all(value)):
            raise _misconfigured(f"{name} is empty")
    unknown = set(algorithms) - _SYMMETRIC - set(ASYMMETRIC_ALGORITHMS)
    if unknown:
        raise _misconfigured(
            f"found the algorithms {sorted(unknown)}, expected some of {ASYMMETRIC_ALGORITHMS}"
        )
    if 0 < len(_SYMMETRIC.intersection(algorithms)) < len(set(algorithms)):
        raise _misconfigured("found HS* beside other algorithms; a public key could then pass as a secret")


def _fitting(key: str | bytes, algorithms: Sequence[str]) -> tuple[str, ...]:
    """The algorithms that `key` is made for and long enough for."""
    import jwt

    fitting: list[str] = []
    for name in algorithms:
        algorithm = jwt.get_algorithm_by_name(name)
        try:
            if algorithm.check_key_length(algorithm.prepare_key(key)) is None:
                fitting.append(name)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    if not fitting:
        raise _misconfigured(f"the key is malformed, too short, or made for none of {list(algorithms)}")
    return tuple(fitting)


def _misconfigured(message: str) -> ChannelConfigurationError:
    return ChannelConfigurationError(message, field="auth")
