"""Where checkpoints are kept, and which of them a turn goes on at (contract 8.4, 8.5, docs/decisions/0006)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Never

import pytest
from agent_framework import (
    Executor,
    FileCheckpointStorage,
    InMemoryCheckpointStorage,
    Workflow,
    WorkflowBuilder,
    WorkflowCheckpoint,
    WorkflowContext,
    handler,
)

from hosting import (
    AgentFrameworkHost,
    ChannelConfigurationError,
    HostingError,
    HostLimits,
    InMemoryHostStateStore,
    RunFailed,
    SqliteHostStateStore,
    UnknownReference,
    UnprocessableInput,
)
from hosting.sessions.names import SessionName
from hosting.state import Statement, StateUnavailable
from hosting_invocations import InvocationsChannel
from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, Gates, workflow_echo, workflow_pending
from tests.host.test_crash import ROOT
from tests.host.test_workflows import answer
from tests.host.turns import run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])

Location = Callable[[Path], Any]


class Unregistered:
    pass


class Rememberer(Executor):
    """Answers with all it heard so far in this session."""

    @handler
    async def hear(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        heard = [*ctx.get_state("heard", []), text]
        ctx.set_state("heard", heard)
        if text == "keep an object":
            ctx.set_state("object", Unregistered())
        await ctx.yield_output("|".join(heard))


def remembering(name: str = "remembering", executor: str = "rememberer") -> Workflow:
    return WorkflowBuilder(name=name, start_executor=Rememberer(id=executor)).build()


class Watched(InMemoryCheckpointStorage):
    """The app's storage; says what is done with it, and does not do what it is told to be unable to."""

    def __init__(self) -> None:
        super().__init__()
        self.did: list[str] = []
        self.cannot: set[str] = set()

    async def save(self, checkpoint: WorkflowCheckpoint) -> str:
        self._note("save")
        return await super().save(checkpoint)

    async def delete(self, checkpoint_id: str) -> bool:
        self._note("delete")
        return await super().delete(checkpoint_id)

    async def list_checkpoint_ids(self, *, workflow_name: str) -> list[str]:
        self._note("list")
        return await super().list_checkpoint_ids(workflow_name=workflow_name)

    async def ids(self) -> list[str]:
        return await super().list_checkpoint_ids(workflow_name="remembering")

    def _note(self, what: str) -> None:
        self.did.append(what)
        if what in self.cannot:
            raise OSError("the disk is full")


class Store(InMemoryHostStateStore):
    """Says in `did` when a session is committed, unless it cannot."""

    def __init__(self, did: list[str]) -> None:
        super().__init__()
        self.did = did
        self.away = False

    async def execute(self, *unit: Statement) -> Any:
        if any(statement.name in ("sessions.create", "sessions.save") for statement in unit):
            self.did.append("commit")
            if self.away:
                raise StateUnavailable("away")
        return await super().execute(*unit)


def folder(path: Path) -> Path:
    return path / "checkpoints"


def text_folder(path: Path) -> str:
    return str(path / "checkpoints")


def app_files(path: Path) -> FileCheckpointStorage:
    types = ["hosting_testkit.targets.workflows:Question"]
    return FileCheckpointStorage(path / "app", allowed_checkpoint_types=types)


LOCATIONS = pytest.mark.parametrize("location", [folder, text_folder, app_files])


def files(path: Path) -> list[Path]:
    return sorted(found for found in path.rglob("*") if found.is_file() and "hosting.db" not in found.name)


def payloads(path: Path) -> list[str]:
    with closing(sqlite3.connect(path / "hosting.db")) as database:
        return [row[0] for row in database.execute("SELECT payload FROM checkpoints").fetchall()]


@STREAMED
@LOCATIONS
async def test_a_session_goes_on_at_the_checkpoint_elsewhere_also_after_a_restart(
    say_channel: Any, tmp_path: Path, location: Location, stream: bool
) -> None:
    options: dict[str, Any] = {"state_dir": tmp_path, "checkpoint_location": location(tmp_path)}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        for key in ("s", "other"):
            assert (await run(host, "a", key, stream=stream)).text == "a"
            assert (await run(host, "b", key, stream=stream)).text == "a|b"
        await host.restart()
        assert (await run(host, "c", "s", stream=stream)).text == "a|b|c"
    assert len(files(tmp_path)) == 2  # the last of each session, and nothing else
    assert payloads(tmp_path) == ["null", "null"]


@LOCATIONS
async def test_a_fork_begins_with_a_copy_of_its_parents_last(
    say_channel: Any, tmp_path: Path, location: Location
) -> None:
    options: dict[str, Any] = {"state_dir": tmp_path, "checkpoint_location": location(tmp_path)}
    async with InMemoryHost(workflow_pending, [say_channel()], **options) as host:
        asked = await run(host, "q", "root")
        await host.restart()
        assert (await run(host, answer(asked, "yes"), "child", parent="root")).text == "q: yes"
        await host.restart()
        assert (await run(host, "more", "root")).status == "input_required"
        assert (await run(host, "more", "child")).status == "input_required"
    assert len(files(tmp_path)) == 2


async def test_a_folder_holds_our_own_json_and_no_id_names_a_path(say_channel: Any, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "checkpoints"
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=place) as host:
        await run(host, "a", "../../escaped")
    (found,) = files(tmp_path)
    assert found.parent.parent == place
    assert {*found.stem, *found.parent.name} <= {*"0123456789abcdef"}
    assert json.loads(found.read_text("ascii"))["$type"] == "core.WorkflowCheckpoint"
    assert found.stat().st_mode & 0o077 == 0


async def test_what_a_crash_left_in_the_folder_is_ignored_and_goes_with_the_next_turn(
    say_channel: Any, tmp_path: Path
) -> None:
    place = tmp_path / "checkpoints"
    options: dict[str, Any] = {"state_dir": tmp_path, "checkpoint_location": place}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        await run(host, "a", "s")
        await run(host, "x", "other")
    session = next(found.parent for found in files(place) if '"a"' in found.read_text())
    (session / f"{'0' * 64}.json").write_text("{}")
    (session / "half.draft").write_text('{"$ty')
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        assert (await run(host, "b", "s")).text == "a|b"
    assert len(list(session.iterdir())) == 1
    assert len(files(place)) == 2


@pytest.mark.parametrize(("when", "text"), [("before", "a|b"), ("after", "a|cut off|b")])
async def test_a_process_killed_around_the_commit_goes_on_where_the_commit_says(
    say_channel: Any, tmp_path: Path, when: str, text: str
) -> None:
    script = Path(__file__).with_name("crash_checkpoints.py")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(tmp_path), when, env={**os.environ, "PYTHONPATH": path}
    )
    async with asyncio.timeout(30):
        assert await process.wait() == -signal.SIGKILL
    place = tmp_path / "checkpoints"
    assert len(files(place)) == 2
    async with InMemoryHost(
        remembering, [say_channel()], state_dir=tmp_path, checkpoint_location=place
    ) as host:
        assert (await run(host, "b", "s")).text == text
    assert len(files(place)) == 1


async def test_the_checkpoint_is_saved_before_the_commit_and_the_old_one_goes_after(say_channel: Any) -> None:
    storage = Watched()
    store = Store(storage.did)
    async with InMemoryHost(remembering, [say_channel()], state=store, checkpoint_location=storage) as host:
        await run(host, "a", "s")
        await run(host, "b", "s")
    assert storage.did == ["save", "commit", "save", "commit", "delete"]


@STREAMED
async def test_a_failed_save_fails_the_turn(say_channel: Any, stream: bool) -> None:
    storage = Watched()
    store = Store(storage.did)
    async with InMemoryHost(remembering, [say_channel()], state=store, checkpoint_location=storage) as host:
        await run(host, "a", "s")
        storage.cannot = {"save"}
        with pytest.raises(RunFailed):
            await run(host, "lost", "s", stream=stream)
        assert storage.did == ["save", "commit", "save", "delete"]
        storage.cannot = set()
        assert (await run(host, "b", "s")).text == "a|b"


@pytest.mark.parametrize("removable", [True, False], ids=["removed at once", "left behind"])
async def test_a_checkpoint_whose_commit_failed_does_not_count(say_channel: Any, removable: bool) -> None:
    storage = Watched()
    store = Store(storage.did)
    async with InMemoryHost(remembering, [say_channel()], state=store, checkpoint_location=storage) as host:
        await run(host, "a", "s")
        (first,) = await storage.ids()
        await storage.save(WorkflowCheckpoint("remembering", "hash", checkpoint_id="the app's own"))
        store.away = True
        storage.cannot = set() if removable else {"delete"}
        with pytest.raises(HostingError) as caught:
            await run(host, "lost", "s")
        assert caught.value.status == 503
        assert (await storage.ids() == [first, "the app's own"]) is removable
        store.away, storage.cannot = False, set()
        assert (await run(host, "b", "s")).text == "a|b"
    assert "the app's own" in await storage.ids()
    assert len(await storage.ids()) == 2


@STREAMED
async def test_a_turn_cancelled_while_its_checkpoint_is_saved_leaves_the_session_as_it_was(
    say_channel: Any, stream: bool
) -> None:
    gates = Gates()

    class Slow(Watched):
        async def save(self, checkpoint: WorkflowCheckpoint) -> str:
            saved = await super().save(checkpoint)
            await gates.stop(f"save {self.did.count('save')}")
            return saved

    storage = Slow()
    gates.release("save 1")
    gates.release("save 3")
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=storage) as host:
        await run(host, "a", "s")
        turn = asyncio.create_task(run(host, "lost", "s", stream=stream))
        await gates.reached("save 2")
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        assert len(await storage.ids()) == 1
        assert (await run(host, "b", "s")).text == "a|b"


async def test_a_session_that_stays_in_memory_never_lists_the_apps_storage(say_channel: Any) -> None:
    storage = Watched()
    limits = HostLimits(session_cache=2)
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=storage, limits=limits) as host:
        for text in "abc":
            await run(host, text, "s")
        await run(host, "fork", "child", parent="s")
        assert "list" not in storage.did
        await run(host, "x", "third")
        assert (await run(host, "d", "s")).text == "a|b|c|d"
        assert storage.did.count("list") == 1


@LOCATIONS
async def test_a_deleted_session_leaves_no_checkpoint(
    say_channel: Any, tmp_path: Path, location: Location
) -> None:
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=location(tmp_path)) as host:
        for key in ("s", "other"):
            await run(host, "a", key)
        assert await host.host._parts.services.sessions.forget(SessionName("me", "s"))
        assert len(files(tmp_path)) == 1
        assert (await run(host, "b", "s")).text == "b"
        assert (await run(host, "b", "other")).text == "a|b"


async def test_a_checkpoint_that_is_gone_from_its_place_is_said_in_the_log(
    say_channel: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"state_dir": tmp_path, "checkpoint_location": tmp_path / "checkpoints"}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        await run(host, "a", "s")
    del options["checkpoint_location"]
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        with pytest.raises(RunFailed):
            await run(host, "b", "s")
    assert "give the host the checkpoint_location= that it had" in caplog.text


async def test_sessions_that_began_in_the_store_move_to_the_new_place(
    say_channel: Any, tmp_path: Path
) -> None:
    async with InMemoryHost(remembering, [say_channel()], state_dir=tmp_path) as host:
        await run(host, "a", "s")
    options: dict[str, Any] = {"state_dir": tmp_path, "checkpoint_location": tmp_path / "checkpoints"}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        assert (await run(host, "b", "s")).text == "a|b"
    assert payloads(tmp_path) == ["null"]


async def test_an_unregistered_type_is_named_and_nothing_is_kept(say_channel: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"checkpoint_location": tmp_path / "checkpoints"}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        with pytest.raises(UnprocessableInput, match="Unregistered"):
            await run(host, "keep an object", "s")
        assert (await run(host, "a", "s")).text == "a"


async def test_the_folder_leaves_no_thread(say_channel: Any, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=tmp_path) as host:
        await run(host, "a", "s")
        assert set(threading.enumerate()) - before
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("target", "location", "found"),
    [
        (Counting(), "checkpoints", "agent"),
        (workflow_echo, "", "''"),
        (workflow_echo, "sqlite:///x.db", "URL"),
        (workflow_echo, 3, "int"),
        (workflow_echo, InMemoryCheckpointStorage, "type"),
        (workflow_echo, Path, "type"),
    ],
)
def test_a_location_that_makes_no_sense_is_refused(target: Any, location: Any, found: str) -> None:
    with pytest.raises(ChannelConfigurationError, match=rf"^host.checkpoint_location: .*{found}"):
        AgentFrameworkHost(target, channels=[], checkpoint_location=location)


def test_building_a_host_with_a_folder_touches_no_file(tmp_path: Path) -> None:
    AgentFrameworkHost(workflow_echo, channels=[], checkpoint_location=tmp_path / "checkpoints")
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_that_outlive_their_sessions_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AgentFrameworkHost(workflow_echo, channels=[], state_dir=tmp_path, checkpoint_location=tmp_path / "c")
    assert caplog.text == ""
    AgentFrameworkHost(workflow_echo, channels=[], checkpoint_location=tmp_path / "c")
    assert "state_dir=" in caplog.text


async def test_the_start_line_says_where_checkpoints_are(
    say_channel: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with InMemoryHost(workflow_echo, [say_channel()], checkpoint_location=tmp_path):
        pass
    assert "checkpoints: files" in caplog.text
    assert str(tmp_path) not in caplog.text


class Keeping(Watched):
    """The app's storage that keeps everything, so that its hooks can go back."""

    async def delete(self, checkpoint_id: str) -> bool:
        return False


@STREAMED
async def test_host_code_resumes_a_checkpoint_of_the_session(say_channel: Any, stream: bool) -> None:
    storage = Keeping()
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=storage) as host:
        await run(host, "a", "s")
        (first,) = await storage.ids()
        await run(host, "b", "s")
        back = {"workflow.checkpoint_id": first}
        assert (await run(host, "c", "s", attributes=back, stream=stream)).text == "a|c"
        assert (await run(host, "d", "s", stream=stream)).text == "a|c|d"


async def test_the_request_of_a_resumed_checkpoint_can_be_answered(say_channel: Any) -> None:
    storage = Keeping()
    async with InMemoryHost(workflow_pending, [say_channel()], checkpoint_location=storage) as host:
        asked = await run(host, "q", "s")
        (first,) = await storage.list_checkpoint_ids(workflow_name="workflow-pending")
        await run(host, answer(asked, "yes"), "s")
        back = {"workflow.checkpoint_id": first}
        with pytest.raises(HostingError) as caught:  # once over all branches (contract 6.6)
            await run(host, answer(asked, "again"), "s", attributes=back)
        assert caught.value.code == "already_answered"


async def test_a_hook_resumes_the_last_checkpoint_in_the_store(say_channel: Any, tmp_path: Path) -> None:
    named: dict[str, Any] = {}

    def hook(request: Any) -> Any:
        return request.replace(attributes={**request.attributes, **named})

    store = SqliteHostStateStore(tmp_path / "hosting.db")
    async with InMemoryHost(remembering, [say_channel(run_hook=hook)], state=store) as host:
        await run(host, "a", "s")
        with closing(sqlite3.connect(tmp_path / "hosting.db")) as database:
            ((last,),) = database.execute("SELECT checkpoint_id FROM checkpoints").fetchall()
        named["workflow.checkpoint_id"] = last
        assert (await run(host, "b", "s")).text == "a|b"
        with pytest.raises(UnknownReference):
            await run(host, "c", "s")  # the turn before left another one
        named.clear()
        assert (await run(host, "c", "s")).text == "a|b|c"


@STREAMED
@pytest.mark.parametrize("wanted", ["foreign", "nobody's", "", "../x", 7, None])
@pytest.mark.parametrize("session", ["s", "new", None])
async def test_an_unknown_or_foreign_checkpoint_is_an_unknown_reference(
    say_channel: Any, wanted: Any, session: str | None, stream: bool
) -> None:
    storage = Keeping()
    async with InMemoryHost(remembering, [say_channel()], checkpoint_location=storage) as host:
        await run(host, "secret", "other")
        (foreign,) = await storage.ids()
        await run(host, "a", "s")
        id = foreign if wanted == "foreign" else wanted
        with pytest.raises(UnknownReference) as caught:
            await run(host, "b", session, attributes={"workflow.checkpoint_id": id}, stream=stream)
        assert (caught.value.status, caught.value.code) == (404, "unknown_reference")
        assert (await run(host, "b", "s")).text == "a|b"


@pytest.mark.parametrize(
    ("channel", "path", "body"),
    [
        (ResponsesChannel, "/responses", {"store": True}),
        (InvocationsChannel, "/invocations", {}),
    ],
    ids=["responses", "invocations"],
)
async def test_no_body_names_a_checkpoint(channel: Any, path: str, body: dict[str, Any]) -> None:
    storage = Keeping()
    seen: list[dict[str, Any]] = []

    def hook(request: Any) -> Any:
        seen.append(request.attributes.to_dict())
        return request

    served = channel(run_hook=hook)
    async with InMemoryHost(remembering, [served], checkpoint_location=storage) as host:
        assert (await host.post(path, json={"input": "a", **body})).status_code == 200
        (first,) = await storage.ids()
        key = "workflow.checkpoint_id"
        forged = {key: first, "attributes": {key: first}, "hosting": {key: first, "attributes": {key: first}}}
        for named in (forged, {**forged, "metadata": {key: first}}):
            reply = await host.post(path, json={"input": "b", **body, **named})
            assert reply.status_code == 200
            assert "a|b" not in reply.text
    assert len(seen) == 3
    assert all(key not in attributes for attributes in seen)
    assert seen[1]["body"][key] == first


@pytest.mark.parametrize(
    "changed",
    [lambda: remembering(executor="another"), lambda: remembering(name="renamed")],
    ids=["graph", "name"],
)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["store", "folder"])
async def test_a_changed_graph_is_an_error_of_its_own_and_keeps_the_session(
    say_channel: Any, tmp_path: Path, changed: Any, elsewhere: bool
) -> None:
    options: dict[str, Any] = {"state_dir": tmp_path}
    if elsewhere:
        options["checkpoint_location"] = tmp_path / "checkpoints"
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        await host.post("/say", json={"say": "a", "session": "s"})
    async with InMemoryHost(changed, [say_channel()], **options) as host:
        reply = await host.post("/say", json={"say": "b", "session": "s"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "workflow_changed")
        assert "start a new one" in reply.json()["error"]["message"]
        assert (await host.post("/say", json={"say": "x", "session": "new"})).json() == {"said": ["x"]}
    async with InMemoryHost(remembering, [say_channel()], **options) as host:
        reply = await host.post("/say", json={"say": "b", "session": "s"})
        assert reply.json() == {"said": ["a|b"]}


async def test_a_storage_built_into_the_workflow_gives_way_with_a_warning(
    say_channel: Any, caplog: pytest.LogCaptureFixture
) -> None:
    own = InMemoryCheckpointStorage()

    def built() -> Workflow:
        start = Rememberer(id="rememberer")
        return WorkflowBuilder(name="remembering", start_executor=start, checkpoint_storage=own).build()

    async with InMemoryHost(built, [say_channel()]) as host:
        await run(host, "a", "s")
        assert (await run(host, "b", "s")).text == "a|b"
        assert (await run(host, "x", "other")).text == "x"
    assert "'remembering' was built with a checkpoint storage" in caplog.text
    assert await own.list_checkpoint_ids(workflow_name="remembering") == []
