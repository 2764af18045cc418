"""The OpenAPI document says what the parser takes: examples made from it pass, spoilt ones do not (protocols 2, pitfall 9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.invocations.tests.serving import PATH, invoke, serve
from hosting import RequestError
from hosting_invocations.codec import parse_envelope
from hosting_invocations.codec.openapi import invocation_schemas
from hosting_testkit.targets import Echo, Scripted, steps

SCHEMAS = invocation_schemas()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=5),
    "integer": st.integers(-9, 9),
    "number": st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "null": st.none(),
    "array": st.lists(ANYTHING, max_size=2),
    "object": st.dictionaries(st.text(max_size=3), ANYTHING, max_size=2),
}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def valid(schema: Mapping[str, Any], value: Any) -> bool:
    """A validator of the few keywords that the document uses; an unknown one is an error."""
    schema = resolved(schema)
    known = {
        "type",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "required",
        "properties",
        "items",
        "minItems",
        "pattern",
    }
    unknown = schema.keys() - known - {"title", "description", "default", "discriminator"}
    assert not unknown, f"teach this test the keywords {unknown}"
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    kind = kinds.get(type(value), "null")
    if "type" in schema and schema["type"] not in (kind, "number" if kind == "integer" else kind):
        return False
    if value not in schema.get("enum", [value]) or schema.get("const", value) is not value:
        return False
    if kind == "string" and not re.search(schema.get("pattern", ""), value):
        return False
    if kind == "array" and (
        len(value) < schema.get("minItems", 0)
        or not all(valid(schema.get("items", {}), item) for item in value)
    ):
        return False
    if kind == "object":
        properties = schema.get("properties", {})
        if any(name not in value for name in schema.get("required", ())):
            return False
        if not all(valid(properties[name], item) for name, item in value.items() if name in properties):
            return False
    if "anyOf" in schema and not any(valid(option, value) for option in schema["anyOf"]):
        return False
    return "oneOf" not in schema or sum(valid(option, value) for option in schema["oneOf"]) == 1


def examples(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that look like what the schema describes, some of them a little wrong."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of([examples(option) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "pattern" in schema:
        return st.from_regex(schema["pattern"]) | st.just(" ")
    if schema.get("type") == "array" and "items" in schema:
        return st.lists(examples(schema["items"]), max_size=2)
    if schema.get("type") == "object" and "properties" in schema:
        required = schema.get("required", [])
        fields = {name: examples(field) | ANYTHING for name, field in schema["properties"].items()}
        good = {name: examples(field) for name, field in schema["properties"].items()}
        optional = [name for name in fields if name not in required]
        shapes = [
            st.fixed_dictionaries(
                {name: kind[name] for name in required}, optional={name: kind[name] for name in optional}
            )
            for kind in (good, good, fields)
        ]
        return st.one_of(shapes)
    return BY_TYPE.get(schema.get("type", ""), ANYTHING)


def one_input() -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with one of the three inputs, so that most of them may be right."""
    properties = SCHEMAS["Invocation"]["properties"]
    others = {name: examples(properties[name]) for name in ("session_id", "stream", "background")}
    names = ("input", "message", "messages")
    return st.one_of(
        [st.fixed_dictionaries({name: examples(properties[name])}, optional=others) for name in names]
    )


def taken(body: dict[str, Any]) -> bool:
    try:
        parse_envelope(body)
    except RequestError:
        return False
    return True


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(one_input() | examples({"$ref": "#/components/schemas/Invocation"}))
def test_the_parser_takes_what_the_document_says_and_nothing_else(body: dict[str, Any]) -> None:
    assert taken(body) == valid(SCHEMAS["Invocation"], body)


def test_the_examples_are_of_both_kinds() -> None:
    seen: set[bool] = set()

    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(one_input())
    def look(body: dict[str, Any]) -> None:
        seen.add(taken(body))

    look()
    assert seen == {True, False}


@pytest.mark.parametrize(
    "body",
    [
        {"input": "x\n"},
        {"message": "x", "session_id": None},
        {"input": {"order": 1}, "stream": None, "background": False, "extra": 1},
        {"messages": [{"role": "user", "content": "x"}]},
    ],
)
def test_known_examples_are_right(body: dict[str, Any]) -> None:
    assert taken(body)
    assert valid(SCHEMAS["Invocation"], body)


@pytest.mark.parametrize("session_id", ["x" * 257, "a\n", "a b", ""])
def test_ids_are_bounded_in_both(session_id: str) -> None:
    body = {"input": "x", "session_id": session_id}
    assert not taken(body)
    assert not valid(SCHEMAS["Invocation"], body)


async def test_the_document_names_every_route_and_describes_answers_as_they_are() -> None:
    target = Scripted("a", steps.Approval("tool"), steps.Usage())
    async with serve(target) as host:
        document = (await host.get(f"{PATH}/docs/openapi.json")).json()
        answer = (await invoke(host)).json()
        error = (await host.get(f"{PATH}/none")).json()
    operations = {
        (path, name) for path, item in document["paths"].items() for name in item if name != "parameters"
    }
    assert operations == {
        (PATH, "post"),
        (f"{PATH}/{{invocation_id}}", "get"),
        (f"{PATH}/{{invocation_id}}/cancel", "post"),
    }
    schemas = document["components"]["schemas"]
    assert schemas.keys() >= SCHEMAS.keys() | {"Answer", "Error", "Item", "AnswerMessage"}
    assert answer.keys() == set(schemas["Answer"]["required"]) == set(schemas["Answer"]["properties"])
    assert answer["status"] in schemas["Answer"]["properties"]["status"]["enum"]
    assert error["error"].keys() <= schemas["Error"]["properties"]["error"]["properties"].keys()
    assert not [ref for ref in re.findall(r"schemas/(\w+)", str(document)) if ref not in schemas]


async def test_with_a_parser_of_its_own_the_document_takes_any_content() -> None:
    async with serve(Echo(), parser=lambda *_: None) as host:
        document = (await host.get(f"{PATH}/docs/openapi.json")).json()
    assert list(document["paths"][PATH]["post"]["requestBody"]["content"]) == ["*/*"]
    assert "Invocation" not in document["components"]["schemas"]
