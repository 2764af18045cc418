"""What a person sees of an answer (channels 0.6)."""

from __future__ import annotations

from agent_framework import AgentResponse, Content, Message

from hosting.messaging import OutboundFile, placeholder, shown_items
from hosting_testkit.targets.steps import PNG


def answer(*contents: Content, role: str = "assistant") -> AgentResponse:
    return AgentResponse(messages=[Message(role, list(contents))])


def test_texts_and_files_come_in_order_and_what_led_to_them_does_not() -> None:
    said = answer(
        Content.from_text_reasoning(text="hm"),
        Content.from_text("look:"),
        Content.from_function_call("c1", "draw", arguments="{}"),
        Content.from_data(PNG, "image/png"),
        Content.from_text("done"),
    )
    assert shown_items(said) == ["look:", OutboundFile("image.png", "image/png", PNG), "done"]


def test_a_file_keeps_its_name() -> None:
    named = Content.from_data(b"a,b", "text/csv", additional_properties={"filename": "table.csv"})
    assert shown_items(answer(named)) == [OutboundFile("table.csv", "text/csv", b"a,b")]


def test_what_cannot_be_carried_is_named() -> None:
    link = Content.from_uri("https://pictures.example/cat.png", media_type="image/png")
    assert shown_items(answer(link)) == ["[image/png: https://pictures.example/cat.png]"]
    assert placeholder(Content.from_hosted_file("file_1")) == "[hosted file]"


def test_what_a_tool_said_is_not_shown() -> None:
    assert shown_items(answer(Content.from_text("secret"), role="tool")) == []
