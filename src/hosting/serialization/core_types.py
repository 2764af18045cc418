"""Forms of core's types: what workflows keep in checkpoints, take and give (contract 8.5).

Core's own `to_dict` drops what it cannot say in JSON, so free fields go through the codec, which refuses it instead.
"""

from __future__ import annotations

import functools
from typing import Any

import agent_framework as core
from agent_framework import AgentResponse, AgentResponseUpdate, AgentSession, Content, Message, WorkflowEvent

from .hints import hint_from_json, hint_to_json
from .registry import register_type

_FREE = {"additional_properties"}


@functools.cache
def register_core_types() -> None:
    register_type(Content, tag="core.Content", to_json=_content_fields, from_json=Content.from_dict)
    register_type(
        Message, tag="core.Message", to_json=_message_fields, from_json=lambda fields: Message(**fields)
    )
    register_type(
        AgentResponse,
        tag="core.AgentResponse",
        to_json=_response_fields,
        from_json=lambda fields: AgentResponse(**fields),
    )
    register_type(
        AgentResponseUpdate,
        tag="core.AgentResponseUpdate",
        to_json=_update_fields,
        from_json=lambda fields: AgentResponseUpdate(**fields),
    )
    register_type(
        AgentSession, tag="core.AgentSession", to_json=AgentSession.to_dict, from_json=AgentSession.from_dict
    )
    register_type(WorkflowEvent, tag="core.WorkflowEvent", to_json=_request_fields, from_json=_request)
    register_type(
        core.WorkflowMessage,
        tag="core.WorkflowMessage",
        to_json=core.WorkflowMessage.to_dict,
        from_json=core.WorkflowMessage.from_dict,
    )
    register_type(
        core.WorkflowCheckpoint,
        tag="core.WorkflowCheckpoint",
        to_json=core.WorkflowCheckpoint.to_dict,
        from_json=lambda fields: core.WorkflowCheckpoint(**fields),
    )
    for cls in (
        core.AgentExecutorRequest,
        core.AgentExecutorResponse,
        core.SubWorkflowRequestMessage,
        core.SubWorkflowResponseMessage,
    ):
        register_type(cls, tag=f"core.{cls.__name__}")


def _content_fields(content: Content) -> dict[str, Any]:
    return {**content.to_dict(exclude=_FREE), "additional_properties": content.additional_properties}


def _message_fields(message: Message) -> dict[str, Any]:
    return {
        "role": message.role,
        "contents": message.contents,
        "author_name": message.author_name,
        "message_id": message.message_id,
        "additional_properties": dict(message.additional_properties),
    }


def _response_fields(response: AgentResponse[Any]) -> dict[str, Any]:
    return {
        "messages": response.messages,
        "response_id": response.response_id,
        "agent_id": response.agent_id,
        "created_at": response.created_at,
        "finish_reason": response.finish_reason,
        "usage_details": response.usage_details,
        "value": _structured_value(response),
        "continuation_token": response.continuation_token,
        "additional_properties": dict(response.additional_properties),
    }


def _structured_value(response: AgentResponse[Any]) -> Any:
    try:
        return response.value
    except ValueError:  # the text was not of the asked shape; whoever reads the value is told so
        return None


def _update_fields(update: AgentResponseUpdate) -> dict[str, Any]:
    return {
        "contents": update.contents,
        "role": update.role,
        "author_name": update.author_name,
        "agent_id": update.agent_id,
        "response_id": update.response_id,
        "message_id": update.message_id,
        "merge_mode": update.merge_mode,
        "created_at": update.created_at,
        "finish_reason": update.finish_reason,
        "continuation_token": update.continuation_token,
        "additional_properties": update.additional_properties,
    }


def _request_fields(event: WorkflowEvent[Any]) -> dict[str, Any]:
    return {
        "request_id": event.request_id,
        "source_executor_id": event.source_executor_id,
        "data": event.data,
        "response_type": hint_to_json(event.response_type),
    }


def _request(fields: dict[str, Any]) -> WorkflowEvent[Any]:
    return WorkflowEvent.request_info(
        request_id=fields["request_id"],
        source_executor_id=fields["source_executor_id"],
        request_data=fields["data"],
        response_type=hint_from_json(fields["response_type"]),
    )
