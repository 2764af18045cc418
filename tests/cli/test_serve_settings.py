"""The server's settings (decision S5), and what `host.serve` refuses."""

from __future__ import annotations

from typing import Any

import pytest

from hosting import AgentFrameworkHost, ChannelConfigurationError, HostLimits
from hosting.serve import server_settings
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import Echo


def test_the_defaults_are_those_of_the_decision() -> None:
    settings = server_settings(HostLimits(), {})

    assert settings.keep_alive_timeout >= 65
    assert settings.keep_alive_max_requests > 1000
    assert settings.backlog == 1024
    assert settings.websocket_ping_interval == 20
    assert settings.include_server_header is False
    assert settings.graceful_timeout == HostLimits().drain_timeout + 2
    assert (settings.accesslog, settings.read_timeout, settings.max_app_queue_size) == (None, None, 10)


def test_connections_outlast_the_drain_of_their_turns() -> None:
    assert server_settings(HostLimits(drain_timeout=60), {}).graceful_timeout > 60


def test_the_app_has_the_last_word() -> None:
    assert server_settings(HostLimits(), {"backlog": 5}).backlog == 5


@pytest.mark.parametrize(
    ("config", "said"), [({"workers": 2}, "--workers N"), ({"worker": 1}, "no setting of Hypercorn")]
)
def test_what_serve_cannot_do_is_refused(config: dict[str, Any], said: str) -> None:
    host = AgentFrameworkHost(Echo(), channels=[ResponsesChannel()])

    with pytest.raises(ChannelConfigurationError, match=said):
        host.serve(**config)
