"""What an app author got wrong is told at construction (contract 1.1, 1.3-1.5)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from hosting import AgentFrameworkHost, ChannelConfigurationError, ChannelContribution, HostLimits
from hosting_testkit.targets import Echo, workflow_echo


class Bare:
    def __init__(self, name: str = "bare", path: str = "/bare", **attributes: Any) -> None:
        self.name, self.path = name, path
        self.root_routes = attributes.pop("root_routes", ())
        for key, value in attributes.items():
            setattr(self, key, value)

    def contribute(self, context: Any) -> ChannelContribution:
        page = Route("/", lambda request: PlainTextResponse("x"))
        return ChannelContribution(routes=[page], root_routes=self.root_routes)


def root(path: str) -> list[Route]:
    return [Route(path, lambda request: PlainTextResponse("x"))]


@pytest.mark.parametrize(
    ("channels", "options", "field"),
    [
        ([Bare(), Bare(path="/b")], {}, "bare.name"),
        ([Bare(), Bare("b")], {}, "b.path"),
        ([Bare(path="bare")], {}, "bare.path"),
        ([Bare(path="/bare/")], {}, "bare.path"),
        ([Bare("No Name")], {}, "No Name.name"),
        ([Bare(path="/liveness")], {}, "bare.path"),
        ([Bare(root_routes=root("/readiness"))], {}, "bare.path"),
        ([Bare(), Bare("b", "/b", root_routes=root("/bare"))], {}, "b.path"),
        ([Bare(root_routes=root("/{anything:path}"))], {}, "bare.root_routes"),
        ([Bare(), Bare("b", "/b", root_routes=root("/{name}"))], {}, "b.root_routes"),
        ([Bare(path="/deep/bare"), Bare("b", "/b", root_routes=root("/deep/{x}"))], {}, "b.root_routes"),
        ([Bare(transport="polling")], {}, "bare.transport"),
        ([Bare(require_link=True)], {}, "bare.require_link"),
        ([Bare(on_disconnect="continue")], {}, "bare.on_disconnect"),
        ([Bare(on_disconnect="stay")], {}, "bare.on_disconnect"),
        ([object()], {}, "host.channels"),
        ([Bare()], {"identity_linker": object()}, "host.identity_linker"),
        ([Bare()], {"runtime_mode": "sometimes"}, "host.runtime_mode"),
        ([Bare()], {"state": "mysql://localhost/x"}, "host.state"),
        ([Bare()], {"state": "nonsense"}, "host.state"),
    ],
)
def test_a_mistake_is_told_with_its_channel_and_field(
    channels: list[Any], options: dict[str, Any], field: str
) -> None:
    with pytest.raises(ChannelConfigurationError) as caught:
        _ = AgentFrameworkHost(Echo(), channels=channels, **options).app
    assert str(caught.value).startswith(f"{field}: ")


def test_root_patterns_that_hide_nobody_are_taken() -> None:
    posted = Route("/bare", lambda request: PlainTextResponse("x"), methods=["POST"])
    channels: list[Any] = [
        Bare(),
        Bare("b", "/b", root_routes=[*root("/deep/{x}"), posted]),
        Bare("c", "/deep"),
    ]
    assert AgentFrameworkHost(Echo(), channels=channels).app


def test_a_mounted_root_route_may_not_hide_another_channel() -> None:
    mounted = Mount("/deep", app=PlainTextResponse("x"))
    with pytest.raises(ChannelConfigurationError, match="takes /deep/bare, which channel 'bare' answers at"):
        _ = AgentFrameworkHost(
            Echo(), channels=[Bare(path="/deep/bare"), Bare("b", "/b", root_routes=[mounted])]
        ).app


@pytest.mark.parametrize("limits", [{"run_timeout": 0}, {"stream_buffer": -1}, {"turn_policy": "maybe"}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ChannelConfigurationError, match=f"limits.{next(iter(limits))}"):
        HostLimits(**limits)


def test_an_option_that_nobody_knows_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="wrong"):
        AgentFrameworkHost(Echo(), channels=[], wrong=1)


def test_a_default_of_an_option_that_is_not_there_yet_is_accepted() -> None:
    AgentFrameworkHost(Echo(), channels=[], identity_linker=None, runtime_mode="auto", shared_state_dir=False)


def test_a_target_that_is_none_is_refused() -> None:
    with pytest.raises(ChannelConfigurationError, match="expected an agent"):
        AgentFrameworkHost(3, channels=[])


def test_building_the_app_needs_no_loop_and_happens_once() -> None:
    host = AgentFrameworkHost(workflow_echo, channels=[Bare()])
    assert host.app is host.app


@pytest.mark.parametrize(
    ("contributed", "said"),
    [
        (None, "contribute: contribute() returned NoneType"),
        (ChannelContribution(commands=["help"]), "commands: found str, expected a ChannelCommand"),  # pyright: ignore[reportArgumentType] - the mistake
        (ChannelContribution(routes=["/x"]), "routes: found str, expected a Starlette route"),  # pyright: ignore[reportArgumentType] - the mistake
        (ChannelContribution(on_startup=[1]), "on_startup: found int, expected a coroutine function"),  # pyright: ignore[reportArgumentType] - the mistake
    ],
)
def test_a_contribution_of_something_else_is_refused(contributed: Any, said: str) -> None:
    class Odd(Bare):
        def contribute(self, context: Any) -> Any:
            return contributed

    with pytest.raises(ChannelConfigurationError) as caught:
        _ = AgentFrameworkHost(Echo(), channels=[Odd()]).app
    assert str(caught.value).startswith(f"bare.{said}")
