"""The driver of the reference bot."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import Distribution
from typing import Any, ClassVar

from hosting import Channel

from ...drivers import (
    IMPOSSIBLE,
    NOT_IMPLEMENTED,
    SUPPORTED,
    Capabilities,
    Env,
    Inbound,
    Out,
    PlatformAnswer,
    PlatformCall,
    Reply,
    Turn,
    WebhookBotDriver,
    json_body,
)
from ...simulators import BotLimits, BotPlatform
from ...transports.asgi import ASGIApp
from .bot import PLATFORM_URL, BotChannel
from .bot_message import NO, YES
from .bot_replies import TEXT_LIMIT
from .bot_signature import TOLERANCE, signature_of
from .bot_wire import others_of, press_of, refusal, shown_by, update_of
from .package import reference_package


class BotDriver(WebhookBotDriver):
    """Speaks `BotChannel`'s webhook and reads its platform calls.

    Attributes:
        sim: The platform.
    """

    name = "bot"
    profile = "webhook-bot"
    endpoint = "/events"
    contract = ">=2026.1,<2027"
    capabilities = Capabilities.of(
        "webhook-bot",
        transports={"webhook": SUPPORTED},
        http=SUPPORTED,
        webhook=SUPPORTED(deadline=10.0),
        ack_first=SUPPORTED,
        middleware=NOT_IMPLEMENTED("contributes none"),
        root_routes=NOT_IMPLEMENTED("contributes none"),
        auth=SUPPORTED,
        signature=SUPPORTED(tolerance=TOLERANCE),
        jwt=IMPOSSIBLE("the platform signs"),
        sessions=SUPPORTED,
        identity=SUPPORTED,
        hooks=SUPPORTED,
        streaming=NOT_IMPLEMENTED("answers in whole messages"),
        edits=NOT_IMPLEMENTED("answers in whole messages"),
        cancel=SUPPORTED,
        approvals=SUPPORTED,
        workflow=SUPPORTED,
        delivery_ids=SUPPORTED,
        events=SUPPORTED,
        messaging=SUPPORTED(bots={"accept_bots": True}),
        outbound=SUPPORTED,
        outbound_urls=IMPOSSIBLE("files are fetched from the platform, by id"),
        push=SUPPORTED,
        reset=SUPPORTED,
        commands=SUPPORTED,
        native_commands=SUPPORTED(on_failure="warn"),
        groups=SUPPORTED,
        threads=SUPPORTED,
        markup=SUPPORTED,
        attachments_in=SUPPORTED,
        attachments_out=SUPPORTED,
        text_limit=SUPPORTED(limit=TEXT_LIMIT, unit="utf16"),
        input_limit=IMPOSSIBLE("only the body is bounded"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "other_tenant")
    channel_class: ClassVar[type[BotChannel]] = BotChannel
    sim: BotPlatform

    def distribution(self) -> Distribution:
        return reference_package(self.channel_class, type(self), name=self.name, standard=BotChannel)

    def make(self, env: Env) -> Channel:
        env.secrets["token"] = self.sim.token
        env.clients.append(self.sim.http)
        options: dict[str, Any] = {"secret": env.secret("signing"), "token": self.sim.token, **env.options}
        return self.channel_class(http=env.outbound(PLATFORM_URL), **options)

    def platform(self) -> ASGIApp:
        limits = BotLimits(text=TEXT_LIMIT, per_chat=None, per_group=None, overall=None)
        self.sim = BotPlatform(token=secrets.token_hex(16), limits=limits)
        return self.sim.app

    def update(self, turn: Turn, delivery_id: str) -> Mapping[str, Any]:
        return update_of(self.sim, turn, delivery_id)

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        if credential == "missing":
            return {}
        key = self.env.secret("other tenant" if credential == "other_tenant" else "signing")
        timestamp = str(int(self.env.time_source.now()))
        signature = signature_of(body, key, timestamp)
        forms = {"wrong": "sha256=" + "0" * 64, "truncated": signature[:-1]}
        return {"x-timestamp": timestamp, "x-signature": forms.get(credential, signature)}

    def call(self, call: PlatformCall) -> Sequence[Out]:
        return shown_by(call)

    def events(self) -> Mapping[str, Mapping[str, Any]]:
        whole = self.update(Turn(), "")
        return {name: {**event, "id": self.fresh_id()} for name, event in others_of(whole).items()}

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        return self.inbound(turn.replace(command="stop", text="", delivery_id=None))

    def requests(self, reply: Reply) -> Sequence[str]:
        rows = [row for call in reply.wire.calls for row in call.json.get("buttons", ())]
        data = [button["data"] for row in rows for button in row]
        return [found.removeprefix(YES) for found in data if found.startswith(YES)]

    def answer(self, turn: Turn, request_id: str, reply: Reply, *, approve: bool = True) -> Inbound:
        update = self.update(turn, turn.delivery_id or self.fresh_id())
        pressed = press_of(update, (YES if approve else NO) + request_id)
        return self.post(json_body(pressed), credential=turn.credential, user=turn.user)

    def tampered(self, turn: Turn) -> Mapping[str, Inbound]:
        whole = self.inbound(turn)
        later = {**whole.headers, "x-timestamp": str(int(whole.headers["x-timestamp"]) + 1)}
        body = whole.body.replace(b'"message"', b'"message" ', 1)
        return {"body": replace(whole, body=body), "time": replace(whole, headers=later)}

    def dated(self, turn: Turn, seconds: float) -> Inbound:
        whole = self.inbound(turn)
        timestamp = str(int(self.env.time_source.now() + seconds))
        signature = signature_of(whole.body, self.env.secret("signing"), timestamp)
        headers = {**whole.headers, "x-timestamp": timestamp, "x-signature": signature}
        return replace(whole, headers=headers)

    def wrong_fields(self) -> Mapping[str, Inbound]:
        whole = dict(self.payload(Turn()))
        broken = {
            "id": {key: value for key, value in whole.items() if key != "id"},
            "chat": {**whole, "message": {**whole["message"], "chat": 7}},
            "text": {**whole, "message": {**whole["message"], "text": 7}},
        }
        return {field: self.post(json_body(body)) for field, body in broken.items()}

    def unconfigured(self, env: Env) -> Channel:
        client = env.outbound(PLATFORM_URL)
        return self.channel_class(secret=None, token=self.sim.token, http=client, **env.options)

    def opened(self, env: Env) -> Channel:
        options: Any = {"dangerously_allow_unauthenticated": True, **env.options}
        client = env.outbound(PLATFORM_URL)
        return self.channel_class(secret=None, token=self.sim.token, http=client, **options)

    def catalogue(self) -> Mapping[str, str]:
        return {command.name: command.description for command in self.sim.commands}

    def offer(self, name: str, description: str) -> Inbound:
        menu = [{"name": n, "description": d} for n, d in {**self.catalogue(), name: description}.items()]
        headers = {"authorization": f"Bearer {self.sim.token}"}
        body = json_body({"commands": menu})
        return Inbound(path="/bot/setCommands", headers=headers, body=body, to="platform")

    def registers(self, call: PlatformCall) -> bool:
        return call.path == "/bot/setCommands"

    def markup_refused(self) -> tuple[int, bytes]:
        return 400, b'{"error": {"code": "bad_markup", "message": "the markup does not close"}}'

    def rate_limited(self, seconds: float) -> PlatformAnswer:
        return refusal(429, "too_many_requests", wait=seconds)

    def refused_for_good(self) -> Mapping[str, PlatformAnswer]:
        return {"blocked": refusal(403, "blocked"), "unknown chat": refusal(400, "unknown_chat")}

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        token, make = self.sim.token, self.channel_class
        short = env.secret("short", length=8)
        return [
            ("secret", lambda: make(secret="", token=token, **env.options)),
            ("secret", lambda: make(secret=short, token=token, **env.options)),
            ("token", lambda: make(secret=env.secret("signing"), token=short, **env.options)),
        ]
