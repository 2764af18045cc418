"""The hosts that rules get: other channels beside, several of a kind, a platform that is away."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hosting import HostLimits
from hosting_testkit import virtual_time
from hosting_testkit.conformance import written_rules
from hosting_testkit.conformance.building import refused
from hosting_testkit.conformance.kit import Kit
from hosting_testkit.conformance.model import Failed
from hosting_testkit.conformance.peers import Peer
from hosting_testkit.conformance.probes import PROBES, UNASKED
from hosting_testkit.conformance.reference import BotDriver, RpcDriver
from hosting_testkit.drivers.capabilities import NAMES
from hosting_testkit.targets import Echo


@virtual_time
async def test_a_peer_answers_beside_the_channel_and_tells_its_callers() -> None:
    kit = Kit(RpcDriver, "http")
    async with kit.host(Echo(), peers=lambda one: [Peer("other", kit.log), one]) as h:
        answer = (await h.request("GET", "/other")).json()
        assert answer["answered by"] == "other"
        assert any(name.endswith("ErrorBoundary.__call__") for name in answer["through"])
        assert (await h.turn("hello")).text == "hello"
    assert [event.detail for event in kit.log.events if event.kind == "peer"] == ["other start", "other stop"]


@virtual_time
async def test_a_peer_fails_when_it_is_told_to() -> None:
    kit = Kit(RpcDriver, "http")
    with pytest.raises(Failed, match="broken cannot start"):
        async with kit.host(Echo(), peers=lambda one: [Peer("broken", kit.log, fails="start"), one]):
            pass
    peer = Peer("broken", kit.log, fails="stop")
    async with kit.host(Echo(), peers=lambda one: [peer, one]):
        assert peer.stopped_well
    assert not peer.stopped_well


@virtual_time
async def test_two_of_a_kind_share_a_host_and_its_target() -> None:
    kit = Kit(BotDriver, "webhook")
    async with kit.side_by_side(Echo(), {"left": "/a", "right": "/b"}) as (left, right):
        assert (await left.turn("one")).text == "one"
        assert (await right.turn("two")).text == "two"
        assert [run.hosting["channel"] for run in left.runs] == ["left", "right"]
    await kit.aclose()


@virtual_time
async def test_a_platform_out_of_reach_is_back_when_it_is_told() -> None:
    kit = Kit(BotDriver, "webhook")
    async with kit.host(Echo(), reachable=False) as h:
        assert h.env.refusals  # it offered its commands at its start
        assert not h.env.calls
        h.env.reachable = True
        assert "again" in (await h.turn("again")).text
    await kit.aclose()


class _Small(RpcDriver):
    limits = HostLimits(max_body_bytes=200)


@virtual_time
async def test_a_host_has_the_limits_of_the_driver_unless_the_rule_sets_its_own() -> None:
    kit = Kit(_Small, "http")
    async with kit.host(Echo()) as h:
        assert (await h.turn("x" * 300)).status == 413
    async with kit.host(Echo(), limits=HostLimits()) as h:
        assert (await h.turn("x" * 300)).status == 200
    await kit.aclose()


def test_a_shadowing_channel_is_refused_by_name() -> None:
    def anything(request: Request) -> PlainTextResponse:
        return PlainTextResponse("")

    kit = Kit(RpcDriver, "http")
    channel = kit.build(kit.driver())
    assert refused([channel, Peer("peer", kit.log)]) is None
    error = refused([channel, Peer("peer", kit.log, root_routes=[Route("/{all:path}", anything)])])
    assert error is not None
    assert (error.channel, error.field) == ("peer", "root_routes")


def test_what_is_probed_is_a_capability() -> None:
    assert set(PROBES) <= set(NAMES)
    assert set(UNASKED) <= set(PROBES)


def test_every_capability_is_probed_or_needed_by_a_rule() -> None:
    needed = {need for rule in written_rules().values() for need in (*rule.needs, *rule.any_of)}
    unproven = set(NAMES) - set(PROBES) - needed
    assert unproven <= NOT_YET, sorted(unproven - NOT_YET)


NOT_YET = frozenset(
    {
        "outbound_urls",
        "native_commands",
        "markup",
        "attachments_out",
        "edits",
        "jwt",
        "signature",
        "client_state",
    }
)
"""Their rules are still to be written; an entry that is needed by a rule by now is no harm."""
