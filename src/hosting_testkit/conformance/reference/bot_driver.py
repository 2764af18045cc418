"""The driver of the reference bot."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from hosting import Channel

from ...drivers import (
    NOT_IMPLEMENTED,
    SUPPORTED,
    Capabilities,
    Env,
    Out,
    PlatformCall,
    Text,
    Turn,
    WebhookBotDriver,
)
from ...transports.asgi import ASGIApp
from .bot import PLATFORM_URL, BotChannel
from .platform import TEXT_LIMIT, ChatPlatform


class BotDriver(WebhookBotDriver):
    """Speaks `BotChannel`'s webhook and reads its platform calls."""

    name = "bot"
    profile = "webhook-bot"
    endpoint = "/events"
    capabilities = Capabilities(
        transports={"webhook": SUPPORTED},
        http=SUPPORTED,
        streaming=NOT_IMPLEMENTED("answers in whole messages"),
        hooks=SUPPORTED,
        sessions=SUPPORTED,
        reset=SUPPORTED,
        auth=SUPPORTED,
        events=SUPPORTED,
        delivery_ids=SUPPORTED,
        push=SUPPORTED,
        text_limit=SUPPORTED(limit=TEXT_LIMIT, unit="utf16"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "other_tenant")
    channel_class: ClassVar[type[BotChannel]] = BotChannel

    def make(self, env: Env) -> Channel:
        return self.channel_class(
            secret=env.secret("signing"), http=env.outbound(PLATFORM_URL), **env.options
        )

    def platform(self) -> ASGIApp:
        return ChatPlatform().app

    def update(self, turn: Turn, delivery_id: str) -> Mapping[str, Any]:
        return {
            "id": delivery_id,
            "kind": "message",
            "chat": {"id": turn.conversation or f"dm-{turn.user}", "group": turn.group},
            "thread": turn.thread,
            "from": {"id": turn.user},
            "text": "/new" if turn.reset else turn.text,
        }

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        key = self.env.secret("other tenant" if credential == "other_tenant" else "signing")
        signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        forms = {"wrong": "0" * 64, "truncated": signature[:-1]}
        return {} if credential == "missing" else {"x-signature": forms.get(credential, signature)}

    def call(self, call: PlatformCall) -> Sequence[Out]:
        message = call.json
        return [Text(message["text"], to=message["chat"], thread=message["thread"])]

    def events(self) -> Mapping[str, Mapping[str, Any]]:
        whole = self.update(Turn(), self.fresh_id())
        kinds = ("edit", "join", "typing", "receipt", "reaction", "kind-of-next-year")
        return {kind: {**whole, "id": self.fresh_id(), "kind": kind} for kind in kinds}

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        return [
            ("secret", lambda: self.channel_class(secret="", **env.options)),
            ("secret", lambda: self.channel_class(secret=env.secret("short", length=8), **env.options)),
        ]
