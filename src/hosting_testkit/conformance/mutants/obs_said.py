"""Channels that say too much, too little, or to the wrong ears."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult, InboundEvent, RequestError, RunFailed

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant(
    "logs-what-it-passes-over",
    defect="writes down in full what it cannot read",
    kills={"HC-OBS-003": "log records that hold the text of what was refused or passed over: FAILED"},
)
class LogsWhatItPassesOver(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except RequestError:
            self.context.logger.warning("cannot read %s", payload)
            raise


@mutant("silent-failure", kills={"HC-OBS-003": "one-shot: error records of a failed turn: FAILED"})
class SilentFailure(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        logging.disable(logging.CRITICAL)
        try:
            return await super().run(turn, body)
        finally:
            logging.disable(logging.NOTSET)


@mutant(
    "another-error-id",
    defect="tells another id than the one that stands in the log",
    kills={"HC-OBS-003": "one-shot: it holds the id that was told: FAILED"},
)
class AnotherErrorId(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except RunFailed as failure:
            raise RunFailed(self.context.id_source.new("err")) from failure


class _Logging(RpcChannel):
    """Logs each answer."""

    level: int

    def render(self, result: HostedRunResult[Any], items: Any) -> dict[str, Any]:
        self.context.logger.log(self.level, "answered")
        return super().render(result, items)


@mutant(
    "logs-success-as-error",
    defect="logs every answer as an error",
    kills={"HC-OBS-003": "error records of a whole turn: FAILED"},
)
class LogsSuccessAsError(_Logging):
    level = logging.ERROR


@mutant(
    "warns-at-every-turn",
    defect="logs every answer as a warning",
    kills={"HC-OBS-004": "records at warning level and above: FAILED"},
)
class WarnsAtEveryTurn(_Logging):
    level = logging.WARNING


@mutant("logs-payload", kills={"HC-OBS-003": "log records that hold the text: FAILED"})
class LogsPayload(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        self.context.logger.info("asked %s", turn.input)
        return await super().run(turn, body)


@mutant("logs-native-id", kills={"HC-OBS-003": "log records that hold a native id: FAILED"})
class LogsNativeId(BotChannel):
    async def process(self, event: InboundEvent, /) -> None:
        self.context.logger.info("an event", extra={"sender": event.native_id})
        await super().process(event)


@mutant("prints", kills={"HC-OBS-004": "printed: FAILED"})
class Prints(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Any) -> dict[str, Any]:
        sys.stdout.write("here\n")
        return super().render(result, items)


def _old_way() -> None:
    """As any library has them."""
    warnings.warn("use something newer", DeprecationWarning, stacklevel=2)


@mutant("deprecated-api", kills={"HC-OBS-004": "warnings: FAILED"}, answers=False)
class DeprecatedApi(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Any) -> dict[str, Any]:
        _old_way()
        return super().render(result, items)
