"""Where a channel's routes answer, and what happens to what leaves them (contract 1.4, 2.2, 14.1 to 14.3)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import BaseRoute, Host, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hosting.channel import ErrorAnswer
from hosting.errors import (
    BodyTooLarge,
    ChannelConfigurationError,
    NotAuthenticated,
    NotReady,
    RateLimited,
    RequestError,
    RunFailed,
)
from hosting.web import ChannelRoutes, JsonAnswer, RootRoutes
from tests.web.asgi import Exchange

LOGGER = logging.getLogger("tests.web.routing")
DENIAL = {"websocket.http.response": {}}


def render(*, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer:
    """The error shape of an invented protocol."""
    body = msgspec.json.encode({"shape": "ours", "code": code, "message": message, "param": param})
    return ErrorAnswer(status=status, body=body, headers={"Content-Type": "application/ours+json"})


def options() -> dict[str, Any]:
    return {"logger": LOGGER, "error_id": lambda: "err_1"}


def mounted(path: str, *routes: BaseRoute, middleware: Sequence[Middleware] = ()) -> ChannelRoutes:
    return ChannelRoutes(path, routes, middleware, render, **options())


def app(*routes: BaseRoute) -> Starlette:
    application = Starlette(routes=list(routes))
    application.router.redirect_slashes = False
    return application


def raising(error: Exception) -> Route:
    async def endpoint(request: Request) -> PlainTextResponse:
        raise error

    return Route("/", endpoint, methods=["GET", "POST"])


async def where(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.url.path} root={request.scope['root_path']} {request.path_params}")


async def get(application: ASGIApp, path: str, method: str = "GET", **scope: Any) -> Exchange:
    return await Exchange(method, path, headers={"host": "localhost"}, **scope).run(application)


def error_of(exchange: Exchange) -> dict[str, Any]:
    assert exchange.ended
    assert exchange.headers["content-type"] == "application/ours+json"
    return msgspec.json.decode(exchange.body)


async def test_the_exact_path_and_what_lies_below_it_answer_without_a_redirect() -> None:
    application = app(mounted("/api", Route("/", where), Route("/items/{item}/{n:int}", where)))

    assert (await get(application, "/api")).body == b"/api root= {}"
    assert (await get(application, "/api/items/x/7")).body == b"/api/items/x/7 root= {'item': 'x', 'n': 7}"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/items/", "/api//items", "/api/../items", "/api/unknown", "/api/%2e"]
)
async def test_any_other_address_below_the_path_is_404_in_the_channels_shape(path: str) -> None:
    exchange = await get(app(mounted("/api", Route("/", where), Route("/items", where))), path)

    assert exchange.status == 404
    assert error_of(exchange)["code"] == "not_found"


async def test_a_path_that_only_starts_alike_belongs_to_somebody_else() -> None:
    exchange = await get(app(mounted("/api", Route("/", where))), "/apish")

    assert exchange.status == 404
    assert exchange.body == b"Not Found"


async def test_a_wrong_method_is_405_with_every_method_that_is_allowed() -> None:
    channel = mounted(
        "/api",
        Route("/x", where, methods=["POST"]),
        Route("/x", where),
        Route("/x", where, methods=["DELETE"]),
    )

    for method in ("PUT", "OPTIONS"):
        exchange = await get(app(channel), "/api/x", method)
        assert exchange.status == 405
        assert exchange.headers["allow"] == "DELETE, GET, HEAD, POST"
        assert error_of(exchange)["code"] == "method_not_allowed"


async def test_head_is_answered_where_get_is_and_nowhere_else() -> None:
    channel = mounted("/api", Route("/read", where), Route("/run", where, methods=["POST"]))

    assert (await get(app(channel), "/api/read", "HEAD")).status == 200
    refused = await get(app(channel), "/api/run", "HEAD")
    assert refused.status == 405
    assert refused.body == b""


async def test_the_root_path_of_the_server_is_respected_and_kept() -> None:
    application = app(mounted("/api", Route("/", where)))

    assert (await get(application, "/proxy/api", root_path="/proxy")).body == b"/proxy/api root=/proxy {}"


async def test_the_empty_path_serves_the_root() -> None:
    application = app(Route("/readiness", where), mounted("", Route("/", where), Route("/x", where)))

    assert (await get(application, "/")).body.startswith(b"/ ")
    assert (await get(application, "/x")).body.startswith(b"/x ")
    assert (await get(application, "/readiness")).status == 200
    assert error_of(await get(application, "/y"))["shape"] == "ours"


async def test_the_longer_path_first_leaves_the_rest_to_the_shorter() -> None:
    async def inner(request: Request) -> PlainTextResponse:
        return PlainTextResponse("inner")

    application = app(
        mounted("/c/d", Route("/", inner)), mounted("/c", Route("/", where), Route("/e", where))
    )

    assert (await get(application, "/c/d")).body == b"inner"
    assert (await get(application, "/c/e")).body.startswith(b"/c/e")


async def test_the_same_routes_can_be_mounted_twice() -> None:
    routes = [Route("/items/{item}", where)]
    application = app(mounted("/a", *routes), mounted("/b", *routes))

    assert (await get(application, "/a/items/1")).body.startswith(b"/a/items/1")
    assert (await get(application, "/b/items/2")).body.startswith(b"/b/items/2")
    assert routes[0].path == "/items/{item}"


async def test_names_are_looked_up_in_the_channel_first() -> None:
    async def link(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.url_for("where", item="1")))

    routes = [Route("/", link), Route("/items/{item}", where)]
    application = app(mounted("/a", *routes), mounted("/b", *routes))

    assert (await get(application, "/p/b", root_path="/p")).body == b"http://localhost/p/b/items/1"


async def test_a_mounted_application_keeps_its_own_world() -> None:
    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["root_path"])(scope, receive, send)

    deeper = Mount("/y", routes=[Route("/z", where)])
    sub = Mount("/sub", routes=[Route("/", where), Route("/x", where), deeper])
    channel = mounted("/api", Mount("/raw", app=raw), sub)

    assert (await get(app(channel), "/api/raw/deep")).body == b"/api/raw"
    assert (await get(app(channel), "/api/sub/x")).body.startswith(b"/api/sub/x root=/api/sub")
    assert (await get(app(channel), "/api/sub")).status == 404
    for path in ("/api/sub/x/", "/api/sub/y/z/"):
        assert error_of(await get(app(channel), path))["code"] == "not_found"


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (RequestError("Name the model.", param="model"), 400, "invalid_request", {}),
        (NotAuthenticated("Who are you?"), 401, "not_authenticated", {"www-authenticate": "Bearer"}),
        (BodyTooLarge("Too large."), 413, "body_too_large", {}),
        (RateLimited("Slow down.", retry_after=1.2), 429, "rate_limited", {"retry-after": "2"}),
        (RateLimited("Slow down."), 429, "rate_limited", {"retry-after": "1"}),
        (NotReady("Draining."), 503, "not_ready", {"retry-after": "1"}),
        (RunFailed("err_9"), 500, "internal_error", {}),
        (HTTPException(415, "Send JSON."), 415, "unsupported_media_type", {}),
        (HTTPException(418, headers={"X-Pot": "tea"}), 418, "http_error", {"x-pot": "tea"}),
    ],
)
async def test_an_error_that_may_be_told_has_the_channels_shape(
    error: Exception, status: int, code: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    exchange = await get(app(mounted("/api", raising(error))), "/api")

    assert exchange.status == status
    assert error_of(exchange)["code"] == code
    assert error_of(exchange)["param"] == getattr(error, "param", None)
    assert headers.items() <= exchange.headers.items()
    assert not caplog.records


async def test_any_other_error_is_an_opaque_500_with_the_id_that_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = await get(app(mounted("/api", raising(KeyError("secret")))), "/api")

    assert exchange.status == 500
    assert error_of(exchange)["code"] == "internal_error"
    assert "err_1" in error_of(exchange)["message"]
    assert b"secret" not in exchange.body
    [record] = caplog.records
    assert "err_1" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_without_a_shape_of_its_own_a_channel_has_the_plain_one() -> None:
    channel = ChannelRoutes("/api", [raising(RequestError("Name it.", param="name"))], **options())

    exchange = await get(app(channel), "/api")

    assert exchange.headers["content-type"] == "application/json"
    assert msgspec.json.decode(exchange.body) == {
        "error": {"code": "invalid_request", "message": "Name it.", "param": "name"}
    }


@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_client_that_left_ends_in_silence(version: str, caplog: pytest.LogCaptureFixture) -> None:
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    async def pour(request: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x"

        return StreamingResponse(pieces())

    channel = mounted("/api", raising(ClientDisconnect()), Route("/read", read), Route("/pour", pour))
    for path in ("/api", "/api/read", "/api/pour"):
        exchange = Exchange("GET", path, pieces=[], version=version)
        exchange.leave()
        await exchange.run(app(channel))
        assert exchange.sent == []

    assert not caplog.records


async def test_a_failure_after_the_response_began_is_logged_and_leaves_it_incomplete(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Half:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RequestError("too late")

    exchange = await get(app(mounted("/api", Route("/", Half()))), "/api")

    assert exchange.frames == [b"half"]
    assert not exchange.ended
    [record] = caplog.records
    assert record.exc_info is not None


class Stamp:
    """Middleware that marks each response, and can fail by itself."""

    def __init__(self, app: ASGIApp, fail: bool = False) -> None:
        self.app = app
        self.fail = fail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.fail:
            raise RequestError("refused by middleware")

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", b"1")]
            await send(message)

        await self.app(scope, receive, stamped)


@pytest.mark.parametrize("path", ["/api", "/api/unknown", "/api/broken"])
async def test_middleware_wraps_each_answer_of_its_channel_once_errors_included(path: str) -> None:
    async def broken(request: Request) -> PlainTextResponse:
        raise KeyError("secret")

    channel = mounted("/api", Route("/", where), Route("/broken", broken), middleware=[Middleware(Stamp)])
    application = app(channel, mounted("/other", Route("/", where)))

    stamps = [name for name, _ in (await get(application, path)).sent[0]["headers"] if name == b"x-stamp"]
    assert stamps == [b"x-stamp"]
    assert "x-stamp" not in (await get(application, "/other")).headers


async def test_what_middleware_raises_has_the_channels_shape_too() -> None:
    channel = mounted("/api", Route("/", where), middleware=[Middleware(Stamp, fail=True)])

    assert error_of(await get(app(channel), "/api"))["message"] == "refused by middleware"


async def test_root_routes_answer_at_absolute_addresses_and_leave_the_rest_alone() -> None:
    siblings = RootRoutes(
        [Route("/a/conversations", where), Route("/a/v1/responses", where, methods=["POST"])],
        (), render, **options(),
    )  # fmt: skip
    application = app(siblings, mounted("/a/responses", Route("/", where)), Route("/a/v1/responses", where))

    assert (await get(application, "/a/conversations")).body.startswith(b"/a/conversations root= ")
    assert (await get(application, "/a/v1/responses", "POST")).status == 200
    assert (await get(application, "/a/v1/responses")).status == 200
    assert (await get(application, "/a/responses")).status == 200
    refused = await get(application, "/a/conversations", "DELETE")
    assert refused.headers["allow"] == "GET, HEAD"
    assert error_of(refused)["shape"] == "ours"
    assert (await get(application, "/a/unknown")).body == b"Not Found"


@pytest.mark.parametrize("path", ["api", "/api/", "/"])
def test_a_path_that_cannot_be_mounted_is_refused(path: str) -> None:
    with pytest.raises(ChannelConfigurationError, match="path"):
        mounted(path)


def test_a_route_that_cannot_be_mounted_is_refused() -> None:
    with pytest.raises(ChannelConfigurationError, match="found a Host"):
        mounted("/api", Host("example.com", app=JsonAnswer(b"")))


def websocket(path: str = "/api/ws", **scope: Any) -> Exchange:
    return Exchange(path=path, kind="websocket", **scope)


def socket_route(*errors: Exception, accept: bool = True, close: bool = False) -> ChannelRoutes:
    async def endpoint(socket: WebSocket) -> None:
        if accept:
            socket.scope["path_params"]["seen"] = socket.url.path
            await socket.send({"type": "websocket.accept"})
        if close:
            await socket.send({"type": "websocket.close", "code": 1000})
        for error in errors:
            raise error

    return mounted("/api", WebSocketRoute("/ws", endpoint))


async def test_a_websocket_below_the_path_is_routed() -> None:
    exchange = await websocket().run(app(socket_route()))

    assert [message["type"] for message in exchange.sent] == ["websocket.accept"]


async def test_an_unknown_websocket_is_denied_in_the_channels_shape_where_the_server_can() -> None:
    denied = await websocket("/api/no", extensions=DENIAL).run(app(socket_route()))

    assert [message["type"] for message in denied.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert denied.status == 404
    assert msgspec.json.decode(denied.body)["code"] == "not_found"

    closed = await websocket("/api/no").run(app(socket_route()))
    assert closed.sent == [{"type": "websocket.close", "code": 1008, "reason": "not_found"}]


async def test_a_refusal_before_the_handshake_is_a_denial_or_a_close() -> None:
    channel = socket_route(NotAuthenticated("no"), accept=False)

    denied = await websocket(extensions=DENIAL).run(app(channel))
    assert denied.status == 401
    assert denied.headers["www-authenticate"] == "Bearer"

    closed = await websocket().run(app(channel))
    assert closed.sent == [{"type": "websocket.close", "code": 1008, "reason": "not_authenticated"}]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (RequestError("bad"), 1008, "invalid_request"),
        (NotReady("draining"), 1013, "not_ready"),
        (KeyError("secret"), 1011, "internal_error"),
    ],
)
async def test_an_error_after_the_handshake_is_a_close_code(error: Exception, code: int, reason: str) -> None:
    exchange = await websocket(extensions=DENIAL).run(app(socket_route(error)))

    assert exchange.sent[-1] == {"type": "websocket.close", "code": code, "reason": reason}


async def test_an_error_after_the_close_is_logged_and_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    exchange = await websocket().run(app(socket_route(KeyError("late"), close=True)))

    assert exchange.sent[-1]["code"] == 1000
    assert len(caplog.records) == 1


async def test_an_error_for_a_websocket_client_that_left_raises_nothing() -> None:
    exchange = websocket()
    exchange.leave()

    await exchange.run(app(socket_route(KeyError("late"))))

    assert exchange.sent == []


async def test_a_websocket_endpoint_learns_that_its_client_left_as_starlette_tells_it() -> None:
    seen: list[int] = []

    async def endpoint(socket: WebSocket) -> None:
        await socket.send({"type": "websocket.accept"})
        exchange.leave()
        try:
            await socket.send({"type": "websocket.send", "text": "x"})
        except WebSocketDisconnect as left:
            seen.append(left.code)

    exchange = websocket()
    await exchange.run(app(mounted("/api", WebSocketRoute("/ws", endpoint))))

    assert seen == [1006]
