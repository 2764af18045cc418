"""An identity provider for the kit: signs JSON web tokens, true ones and forged ones. Needs PyJWT and cryptography."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
from typing import Any

import msgspec

ISSUER, AUDIENCE = "https://id.example", "api://reference"
LEEWAY = 60.0
LIFETIME = 300.0
"""Seconds that a token is valid."""


class TokenMint:
    """One provider with one key.

    Attributes:
        public_key: As PEM.
    """

    def __init__(self) -> None:
        self._jwt: Any = importlib.import_module("jwt")
        self._curves: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
        formats: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
        self._key = self._new_key()
        self.public_key: bytes = self._key.public_key().public_bytes(
            formats.Encoding.PEM, formats.PublicFormat.SubjectPublicKeyInfo
        )

    def token(self, user: str, now: float, **claims: Any) -> str:
        """A token that was signed `now`, in epoch seconds, with other `claims`."""
        return self._jwt.encode(_claims(user, now, claims), self._key, algorithm="ES256")

    def forgeries(self, user: str, now: float) -> dict[str, str]:
        """Tokens that must be refused, by what is wrong with them."""
        claims = _claims(user, now, {})
        return {
            "issuer": self.token(user, now, iss="https://evil.example"),
            "audience": self.token(user, now, aud="api://other"),
            "unsigned": self._jwt.encode(claims, None, algorithm="none"),
            "algorithm": self._hs256(claims),
            "key": self._jwt.encode(claims, self._new_key(), algorithm="ES256"),
        }

    def _new_key(self) -> Any:
        return self._curves.generate_private_key(self._curves.SECP256R1())

    def _hs256(self, claims: dict[str, Any]) -> str:
        """Signed by a secret that everybody knows, the public key; libraries refuse to make such a token."""
        signed = ".".join(_encoded(part) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        digest = hmac.new(self.public_key, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_base64(digest)}"


def _claims(user: str, now: float, changes: dict[str, Any]) -> dict[str, Any]:
    times = {"iat": int(now), "nbf": int(now), "exp": int(now + LIFETIME)}
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": user, **times, **changes}


def _encoded(part: Any) -> str:
    return _base64(msgspec.json.encode(part))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
