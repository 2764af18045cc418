"""The list of models: the one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from hosting import UnknownReference
from hosting.web import Gate, JsonAnswer

from .codec import encode

if TYPE_CHECKING:
    from starlette.requests import Request

    from .service import ResponseService


class ModelRoutes:
    """The endpoints of models.

    Args:
        service: Names the target.
        gate: Says who calls.
    """

    def __init__(self, service: ResponseService, gate: Gate) -> None:
        self._model: dict[str, Any] = {
            "id": service.model,
            "object": "model",
            "created": service.started_at,
            "owned_by": "hosting",
        }
        self._gate = gate

    def at(self, prefix: str) -> list[Route]:
        return [
            Route(prefix, self.list_models, methods=["GET"]),
            Route(f"{prefix}/{{model:path}}", self.retrieve, methods=["GET"]),
        ]

    async def list_models(self, request: Request) -> JsonAnswer:
        await self._gate(request)
        return JsonAnswer(encode({"object": "list", "data": [self._model]}))

    async def retrieve(self, request: Request) -> JsonAnswer:
        await self._gate(request)
        if request.path_params["model"] != self._model["id"]:
            raise UnknownReference("There is no model with this id.", param="model")
        return JsonAnswer(encode(self._model))
