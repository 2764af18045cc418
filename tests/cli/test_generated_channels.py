"""What `hosting new-channel` writes, where platforms and callers are odd, in a host in memory."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_framework import AgentResponseUpdate, Content

from hosting import ChannelConfigurationError, InMemoryHostStateStore
from hosting.cli import main
from hosting.state import Statement
from hosting.state.base import Rows
from hosting.state.tables import outbox
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Echo, Gate, Recorder
from hosting_testkit.targets.agent import FakeAgent, Run, Updates
from tests.host.shared_state import Line

TOKEN = "t" * 16
_CLASSES = {
    "rpc": "OddRpcChannel",
    "polling-bot": "OddPollingBotChannel",
    "webhook-bot": "OddWebhookBotChannel",
}
LONG = "long " * 1000  # two messages


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The channel classes of packages just written, by kind."""
    folder, found = tmp_path_factory.mktemp("generated"), dict[str, Any]()
    with pytest.MonkeyPatch.context() as patch:
        for kind, name in _CLASSES.items():
            _generate(folder / kind, f"odd-{kind}", kind)
            patch.syspath_prepend(str(folder / kind / "src"))
            package = f"odd_{kind.replace('-', '_')}"
            module = importlib.import_module(f"hosting_{package}.channel")
            found[kind] = getattr(module, name)
        yield found


def _generate(folder: Path, name: str, kind: str) -> None:
    assert main(["new-channel", name, "--kind", kind, "--into", str(folder)]) == 0


class Kept(InMemoryHostStateStore):
    """Outlives its host, as a file does."""

    async def close(self) -> None:
        return None


class WritesLate(Line):
    """Holds the writing of who polls until it is let go, whatever happens to the one who waits."""

    def __init__(self, state: InMemoryHostStateStore) -> None:
        super().__init__(state)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def execute(self, *unit: Statement) -> list[Rows]:
        if unit[0].name != "records.put":
            return await super().execute(*unit)
        self.reached.set()
        cancelled: asyncio.CancelledError | None = None
        while not self.go_on.is_set():
            try:
                await self.go_on.wait()
            except asyncio.CancelledError as error:
                cancelled = error
        rows = await super().execute(*unit)
        if cancelled is not None:
            raise cancelled
        return rows


class Quoting(FakeAgent):
    """Repeats what it was asked in the caller's name, then answers."""

    async def answer(self, run: Run) -> Updates:
        yield AgentResponseUpdate(contents=[Content.from_text(run.text)], role="user")
        yield run.update("answer")


class Platform:
    """Answers each call of a method as told, one after the other, then as a platform that has nothing to tell."""

    def __init__(self, **told: list[Any]) -> None:
        self.told = told
        self.calls: list[tuple[float, str]] = []
        self.sent: list[str] = []
        self.moved = asyncio.Condition()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.removeprefix("/bot/")
        async with self.moved:
            self.calls.append((asyncio.get_running_loop().time(), method))
            self.moved.notify_all()
        told = self.told.get(method)
        if told:
            answer = told.pop(0)
            return answer if isinstance(answer, httpx.Response) else ok(answer)
        if method == "getUpdates":
            await asyncio.Event().wait()
        self.sent.append(json.loads(request.content)["text"])
        return ok({"id": len(self.sent)})

    async def called(self, method: str, count: int) -> list[float]:
        """When a method was called, once it was so often; within a day."""
        async with asyncio.timeout(86_400), self.moved:
            await self.moved.wait_for(lambda: len(self.times(method)) >= count)
        return self.times(method)

    def times(self, method: str) -> list[float]:
        return [at for at, called in self.calls if called == method]


def ok(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"ok": True, "result": result})


def slow_down(retry_after: str) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": retry_after})


def update(number: int, text: str) -> dict[str, Any]:
    message = {"chat": {"id": "c_ann", "kind": "private"}, "from": {"id": "u_ann"}, "text": text}
    return {"id": number, "kind": "message", "message": message}


@asynccontextmanager
async def polling(
    channel: Callable[..., Any], target: Any, platform: Platform, **options: Any
) -> AsyncGenerator[InMemoryHost]:
    transport = httpx.MockTransport(platform)
    async with (
        httpx.AsyncClient(transport=transport, base_url="https://bots.example") as client,
        InMemoryHost(target, lambda: [channel(token=TOKEN, http=client)], **options) as host,
    ):
        yield host


@pytest.mark.parametrize("said", ["9" * 400, "nan", "inf", "1e9", "-5", "Fri, 31 Dec 1 00:00:00 +9999", ""])
@virtual_time
async def test_what_is_no_time_to_wait_does_not_hold_the_next_poll(channels: Any, said: str) -> None:
    platform = Platform(getUpdates=[slow_down(said)])
    async with polling(channels["polling-bot"], Echo(), platform):
        first, second = await platform.called("getUpdates", 2)
    assert 0 < second - first <= 60


@virtual_time
async def test_polls_that_are_not_held_do_not_come_in_a_row(channels: Any) -> None:
    platform = Platform(getUpdates=[[] for _ in range(1000)])
    async with polling(channels["polling-bot"], Echo(), platform):
        await asyncio.sleep(60)
    assert 50 <= len(platform.times("getUpdates")) <= 61


def test_a_secret_of_the_environment_is_no_want_of_one(
    channels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_WEBHOOK_BOT_SECRET", "short")
    with pytest.raises(ChannelConfigurationError, match="ODD_WEBHOOK_BOT_SECRET"):
        channels["webhook-bot"](token=TOKEN, dangerously_allow_unauthenticated=True)


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(119, 119, 120), (3000, 3000, 3001), (10**9, 3600, 3601)]
)
@virtual_time
async def test_the_next_poll_waits_as_long_as_asked_and_never_for_ever(
    channels: Any, asked: int, least: float, most: float
) -> None:
    platform = Platform(getUpdates=[slow_down(str(asked))])
    async with polling(channels["polling-bot"], Echo(), platform):
        first, second = await platform.called("getUpdates", 2)
    assert least <= second - first <= most


@virtual_time
async def test_the_rest_of_a_reply_is_not_awaited_for_days(
    channels: Any, caplog: pytest.LogCaptureFixture
) -> None:
    days = slow_down("1000000")
    platform = Platform(getUpdates=[[update(1, LONG), update(2, "next")]], sendMessage=[ok({"id": 1}), days])
    async with polling(channels["polling-bot"], Echo(), platform):
        first, *_, last = await platform.called("sendMessage", 3)
    assert last - first < 60
    assert platform.sent == ["next"]
    assert "is dead: 'status 429'" in caplog.text


@virtual_time
async def test_a_shutdown_does_not_wait_for_the_rest_of_a_reply(channels: Any) -> None:
    store, loop = Kept(), asyncio.get_running_loop()
    platform = Platform(
        getUpdates=[[update(1, LONG)]], sendMessage=[ok({"id": 1}), slow_down("3000"), slow_down("3000")]
    )
    async with polling(channels["polling-bot"], Echo(), platform, state=store) as host:
        await platform.called("sendMessage", 2)
        began = loop.time()
        await host.restart()
        assert loop.time() - began <= host.host.limits.drain_timeout + 1
        await asyncio.sleep(4000)
        assert len(platform.times("sendMessage")) == 2
    (lost,) = outbox.read_deliveries((await store.execute(outbox.load_lost_deliveries()))[0])
    assert lost.state == "unknown"


@virtual_time
async def test_who_stops_to_poll_leaves_once_the_poll_under_way_has_ended(channels: Any) -> None:
    state, channel, platform = Kept(), channels["polling-bot"], Platform()
    store = WritesLate(state)
    async with polling(channel, Echo(), Platform(), state=store) as host:
        await store.reached.wait()
        host.host.begin_drain()
        await asyncio.sleep(1)
        store.go_on.set()
        await asyncio.sleep(1)
        async with polling(channel, Echo(), platform, state=Line(state)):
            async with asyncio.timeout(1):
                await platform.called("getUpdates", 1)


@pytest.mark.parametrize("text", [" /stop now", "\u00a0/stop", "/stop@helper", "/stopp", "please /stop"])
@virtual_time
async def test_what_is_no_stop_command_waits_for_its_turn(channels: Any, text: str) -> None:
    gate = Gate()
    recorder = Recorder(gate)
    platform = Platform(getUpdates=[[update(1, "one"), update(2, "two"), update(3, text)]])
    async with polling(channels["polling-bot"], recorder, platform):
        for said in ("one", "two", text):
            await gate.reached(said)
            gate.release(said)
        await platform.called("sendMessage", 3)
    assert [run.text for run in recorder.runs] == ["one", "two", text]


@pytest.mark.parametrize("text", ["/stop", "/STOP now", "/stop\nnow", "/stop\u2003now"])
@virtual_time
async def test_every_form_of_the_stop_command_passes_its_lane(channels: Any, text: str) -> None:
    gate = Gate()
    platform = Platform(getUpdates=[[update(1, "one"), update(2, text)]])
    async with polling(channels["polling-bot"], gate, platform):
        await platform.called("sendMessage", 1)
        assert gate.waiting("one") == 0
    assert "Stopped." in platform.sent


@pytest.mark.parametrize("key", ["", " ", "\t "])
@pytest.mark.parametrize("stream", [False, True])
@virtual_time
async def test_a_blank_idempotency_key_is_refused(channels: Any, key: str, stream: bool) -> None:
    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [channels["rpc"]()]) as host:
        for said in ("one", "two"):
            body, headers = {"input": said, "stream": stream}, {"idempotency-key": key}
            reply = await host.post("/odd-rpc", json=body, headers=headers)
            assert reply.status_code == 400
            assert reply.json()["error"]["param"] == "Idempotency-Key"
    assert recorder.runs == []


@virtual_time
async def test_a_stream_shows_what_the_answer_holds_and_nothing_of_other_roles(channels: Any) -> None:
    async with InMemoryHost(Quoting(), [channels["rpc"]()]) as host:
        whole = await host.post("/odd-rpc", json={"input": "hello"})
        stream = await host.post("/odd-rpc", json={"input": "hello", "stream": True})
    events = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: ")]
    assert whole.json()["texts"] == ["answer"]
    assert [(event["item"], event["text"]) for event in events[:-1]] == [(0, "answer")]
    assert events[-1]["texts"] == ["answer"]
