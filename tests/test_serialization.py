"""Values as JSON and back, without pickle (contract 3.3, 8.5)."""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import typing
import uuid

import pytest
from agent_framework import (
    AgentExecutorResponse,
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    Content,
    Message,
    WorkflowEvent,
    WorkflowMessage,
)
from pydantic import BaseModel

from hosting.envelope import ReadOnlyMap
from hosting.errors import ChannelConfigurationError, UnprocessableInput
from hosting.serialization import (
    UnregisteredType,
    from_json,
    hint_from_json,
    hint_to_json,
    register_type,
    to_json,
    to_text,
    type_name,
)


class Size(enum.Enum):
    SMALL = "s"
    LARGE = ("l", 2)


@dataclasses.dataclass
class Item:
    name: str
    size: Size
    tags: set[str]
    label: str = dataclasses.field(init=False, default="")


class Order(BaseModel):
    items: list[str]
    at: datetime.datetime


class Unknown:
    pass


class Child(Item):
    pass


for cls in (Size, Item, Order):
    register_type(cls)


def through_text(value):
    return from_json(json.loads(json.dumps(to_json(value), allow_nan=False)))


UTC = datetime.UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "text",
        "\ud800 alone",
        1.5,
        -(2**63),
        2**63,
        [1, [2]],
        {"a": {"b": 1}},
        {1: "int", (1, 2): "tuple"},
        {"$type": "set", "value": [1]},
        {"value": 1},
        (1, (2, "x")),
        {1, 2},
        frozenset({"a"}),
        b"\x00\xff",
        math.inf,
        datetime.datetime(2026, 11, 21, 12, 30, 1, 5, tzinfo=UTC),
        datetime.date(2026, 11, 21),
        datetime.time(12, 30),
        datetime.timedelta(days=-1, microseconds=3),
        uuid.UUID(int=7),
        decimal.Decimal("1.10"),
        ReadOnlyMap({"a": 1}),
        Size.LARGE,
        Order(items=["a"], at=datetime.datetime(2026, 1, 1, tzinfo=UTC)),
        Content.from_text("hi", additional_properties={"at": datetime.date(2026, 1, 1)}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_from_json_as_it_was(value):
    again = through_text(value)

    assert again == value
    assert type(again) is type(value)


def test_not_a_number_comes_back():
    assert math.isnan(through_text([math.nan])[0])


def test_a_dataclass_comes_back_with_nested_types_and_computed_fields():
    item = Item("a", Size.SMALL, {"x"})
    item.label = "set later"

    assert through_text({"items": [item]}) == {"items": [item]}


@pytest.mark.parametrize(
    "value", [Unknown(), Child("a", Size.SMALL, set()), object, 1j], ids=lambda value: type(value).__name__
)
def test_a_type_that_was_not_registered_is_refused_with_the_fix(value):
    with pytest.raises(UnregisteredType, match=r"hosting\.register_type") as refusal:
        to_json([value])

    assert isinstance(refusal.value, UnprocessableInput)
    assert refusal.value.code == "unprocessable_input"
    assert type(value).__name__ in refusal.value.message


def test_a_tag_that_nobody_registered_is_refused():
    with pytest.raises(UnregisteredType, match=r"app\.Gone"):
        from_json({"$type": "app.Gone", "value": {}})


def test_a_stored_value_that_no_longer_fits_its_type_is_told():
    data = to_json(Item("a", Size.SMALL, set()))
    del data["value"]["name"]

    with pytest.raises(ValueError, match=r"Item does not fit .*Item any more"):
        from_json(data)


def test_a_type_of_its_own_kind_is_stored_by_its_functions():
    class Point:
        def __init__(self, x):
            self.x = x

    register_type(
        Point,
        tag="test.point",
        to_json=lambda point: (point.x, Size.SMALL),
        from_json=lambda parts: Point(parts[0]),
    )

    assert to_json(Point(1))["$type"] == "test.point"
    assert through_text(Point(2)).x == 2


def test_a_type_without_a_known_form_cannot_be_registered_bare():
    with pytest.raises(ChannelConfigurationError, match="give to_json and from_json"):
        register_type(Unknown)
    with pytest.raises(ChannelConfigurationError, match="together"):
        register_type(Unknown, to_json=str)


def test_two_types_cannot_have_one_tag():
    with pytest.raises(ChannelConfigurationError, match=r"'set' of .*Size belongs to builtins\.set"):
        register_type(Size, tag="set")


def test_registering_a_type_again_changes_nothing():
    assert register_type(Size) is Size
    assert through_text(Size.SMALL) is Size.SMALL


def test_text_for_clients_has_no_tags():
    item = Item("ä", Size.LARGE, {"x"})

    assert json.loads(to_text((item, datetime.date(2026, 1, 1)))) == [
        {"name": "ä", "size": ["l", 2], "tags": ["x"], "label": ""},
        "2026-01-01",
    ]
    assert to_text("ä") == '"ä"'


def test_messages_keep_what_core_would_drop():
    message = Message(
        "assistant",
        [Content.from_text("a"), Content.from_function_result("c1", result="r")],
        author_name="agent",
        message_id="m",
        additional_properties={"at": datetime.date(2026, 1, 1), "map": ReadOnlyMap({"a": 1})},
    )

    again = through_text(message)

    assert again.to_dict() == message.to_dict()
    assert again.additional_properties == message.additional_properties


def test_a_message_with_a_foreign_object_is_refused():
    with pytest.raises(UnregisteredType, match="Unknown"):
        to_json(Message("user", ["a"], additional_properties={"x": Unknown()}))


def test_a_response_keeps_usage_and_its_structured_value():
    response = AgentResponse(
        messages=[Message("assistant", ['{"items":["a"],"at":"2026-01-01T00:00:00Z"}'])],
        response_format=Order,
        usage_details={"total_token_count": 3},
        finish_reason="stop",
    )

    again = through_text(AgentExecutorResponse("agent", response, [Message("user", ["q"])]))

    assert again.executor_id == "agent"
    assert again.agent_response.value == response.value
    assert again.agent_response.usage_details == {"total_token_count": 3}
    assert [message.text for message in again.full_conversation] == ["q"]


def test_a_response_whose_text_is_not_of_the_asked_shape_is_stored_without_a_value():
    response = AgentResponse(messages=[Message("assistant", ["no json"])], response_format=Order)

    assert through_text(response).value is None


def test_updates_sessions_and_workflow_messages_come_back():
    update = AgentResponseUpdate(contents=[Content.from_text("a")], role="assistant", message_id="m")
    session = AgentSession(session_id="s")
    session.state["n"] = 1
    event = WorkflowEvent.request_info("r1", "asker", Item("a", Size.SMALL, set()), str)
    message = WorkflowMessage(data=(update,), source_id="x", original_request_info_event=event)

    assert through_text(update).to_dict() == update.to_dict()
    assert through_text(session).to_dict() == session.to_dict()
    again = through_text(message)
    assert again.data[0].to_dict() == update.to_dict()
    assert again.original_request_info_event.data == event.data
    assert again.original_request_info_event.response_type is str


HINTS = [
    (str, "str"),
    (typing.Any, "Any"),
    (list[Message], "list[Message]"),
    (dict[str, list[Size]], "dict[str, list[Size]]"),
    (str | None, "str | None"),
    (int | list[Item], "int | list[Item]"),
    (typing.Literal["yes", 2], "Literal['yes', 2]"),
    (tuple[int, ...], "tuple[int, ...]"),
    (list, "list"),
    (Content, "Content"),
]


@pytest.mark.parametrize(("hint", "name"), HINTS, ids=[name for _, name in HINTS])
def test_a_type_comes_back_and_is_named_as_its_author_wrote_it(hint, name):
    assert hint_from_json(json.loads(json.dumps(hint_to_json(hint)))) == hint
    assert type_name(hint) == name


def test_a_hint_with_a_foreign_class_is_refused():
    with pytest.raises(UnregisteredType, match="Unknown"):
        hint_to_json(list[Unknown])
