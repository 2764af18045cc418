"""Context providers that want to know the request they run for (contract 3.6)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from .base import TargetCall


def binders_of(agent: Any) -> list[Any]:
    """`bind_request_context` of every context provider that has it."""
    providers = getattr(agent, "context_providers", None) or ()
    return [
        provider.bind_request_context for provider in providers if hasattr(provider, "bind_request_context")
    ]


def binding_of(agent: Any, call: TargetCall) -> AbstractAsyncContextManager[None] | None:
    """What has to be around a run of `agent`; often None."""
    binds = binders_of(agent)
    return _bound(binds, call) if binds else None


@asynccontextmanager
async def _bound(binds: list[Any], call: TargetCall) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        for bind in binds:
            binding: Any = bind(
                response_id=call.response_id,
                previous_response_id=call.previous_response_id,
                isolation=call.isolation,
                session=call.session,
            )
            if hasattr(binding, "__aenter__"):
                await stack.enter_async_context(binding)
            elif binding is not None:
                stack.enter_context(binding)
        yield
