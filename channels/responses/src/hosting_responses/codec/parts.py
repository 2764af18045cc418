"""Parts of a message or of a tool's output, as contents of core (channels 0.6)."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import urlsplit

from agent_framework import Content

from hosting import RequestError

from .annotations import core_annotations
from .fields import mapping, required_text, sequence, text
from .wire import Item

REFUSAL_MARK = {"core": {"model_output_kind": "refusal"}, "model_output_kind": "refusal"}
"""How core's clients mark a text as a refusal."""

_AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def parse_parts(value: Any, param: str) -> list[Content]:
    """A `content` or `output`: a string, or a list of parts.

    Raises:
        RequestError: Names the part at fault.
    """
    if isinstance(value, str):
        return [Content.from_text(value)]
    return [
        _parse_part(mapping(part, f"{param}[{index}]"), f"{param}[{index}]")
        for index, part in enumerate(sequence(value, param))
    ]


def normal_parts(value: Any, *, assistant: bool) -> list[Item]:
    """The same parts as the API lists them: a string is one text part, and defaults are filled in."""
    if isinstance(value, str):
        value = [{"type": "output_text" if assistant else "input_text", "text": value}]
    return [_normal_part(part, assistant) for part in value]


def _normal_part(part: Item, assistant: bool) -> Item:
    match part.get("type"):
        case "output_text" | "text" if assistant:
            return {"annotations": [], "logprobs": [], **part, "type": "output_text"}
        case "input_text" if assistant:
            return {"type": "output_text", "text": part["text"], "annotations": [], "logprobs": []}
        case "text" | "output_text":
            return {"type": "input_text", "text": part["text"]}
        case "input_image":
            return {"detail": "auto", **{key: value for key, value in part.items() if value is not None}}
        case _:
            return dict(part)


def _parse_part(part: Item, param: str) -> Content:
    match required_text(part, "type", param):
        case "input_text" | "text" | "summary_text" | "reasoning_text":
            return Content.from_text(required_text(part, "text", param))
        case "output_text":
            annotations = core_annotations(part.get("annotations")) or None
            return Content.from_text(required_text(part, "text", param), annotations=annotations)
        case "refusal":
            return Content.from_text(
                required_text(part, "refusal", param), additional_properties=dict(REFUSAL_MARK)
            )
        case "input_image":
            return _image(part, param)
        case "input_file":
            return _file(part, param)
        case "input_audio":
            return _audio(mapping(part.get("input_audio"), f"{param}.input_audio"), f"{param}.input_audio")
        case "input_video":
            return _from_url(required_text(part, "video_url", param), f"{param}.video_url", "video/mp4")
        case kind:
            raise RequestError(
                f"Invalid '{param}.type': '{kind}' is no content part known here.", param=f"{param}.type"
            )


def _image(part: Item, param: str) -> Content:
    url = part.get("image_url")
    if isinstance(url, dict):  # the form of the Chat Completions API
        url = mapping(url, f"{param}.image_url").get("url")
    extra = {"detail": part["detail"]} if part.get("detail") else None
    if url is not None:
        return _from_url(text(url, f"{param}.image_url"), f"{param}.image_url", "image/*", extra=extra)
    return Content.from_hosted_file(
        _file_id(part, param, "image_url"), media_type="image/*", additional_properties=extra
    )


def _file(part: Item, param: str) -> Content:
    name = part.get("filename")
    name = None if name is None else text(name, f"{param}.filename")
    media_type = mimetypes.guess_type(name or "")[0] or "application/octet-stream"
    if part.get("file_data") is not None:
        data = text(part["file_data"], f"{param}.file_data")
        url = data if data.startswith("data:") else f"data:{media_type};base64,{data}"
        return _from_url(url, f"{param}.file_data", media_type, name=name)
    if part.get("file_url") is not None:
        return _from_url(
            text(part["file_url"], f"{param}.file_url"), f"{param}.file_url", media_type, name=name
        )
    return Content.from_hosted_file(_file_id(part, param, "file_data"), name=name)


def _file_id(part: Item, param: str, other: str) -> str:
    if part.get("file_id") is None:
        raise RequestError(f"'{param}' needs '{other}' or 'file_id'.", param=param)
    return text(part["file_id"], f"{param}.file_id")


def _audio(audio: Item, param: str) -> Content:
    kind = required_text(audio, "format", param)
    if kind not in _AUDIO_TYPES:
        raise RequestError(f"Invalid '{param}.format': expected 'mp3' or 'wav'.", param=f"{param}.format")
    data = required_text(audio, "data", param)
    return _from_url(f"data:{_AUDIO_TYPES[kind]};base64,{data}", f"{param}.data", _AUDIO_TYPES[kind])


def _from_url(
    url: str, param: str, media_type: str, *, name: str | None = None, extra: dict[str, Any] | None = None
) -> Content:
    """A content of a data URL, or of the address of a file that the target may fetch."""
    if url.startswith("data:"):
        header, comma, data = url.partition(",")
        if not comma or not header.endswith(";base64") or not _is_base64(data):
            raise RequestError(
                f"'{param}' is not a data URL of the form 'data:<type>;base64,<data>'.", param=param
            )
        return _data(url, header[5:-7] or media_type, param, name, extra)
    if not url.startswith(("https://", "http://")):
        raise RequestError(f"'{param}' must be an https, http or data URL.", param=param)
    guessed = mimetypes.guess_type(urlsplit(url).path)[0] or media_type
    return Content.from_uri(url, media_type=guessed, name=name, additional_properties=extra)


def _data(url: str, media_type: str, param: str, name: str | None, extra: dict[str, Any] | None) -> Content:
    try:
        return Content.from_uri(url, media_type=media_type, name=name, additional_properties=extra)
    except Exception:  # core's own error type for a data URL that it cannot read is not public
        raise RequestError(f"'{param}' is not a data URL that can be read.", param=param) from None


def _is_base64(data: str) -> bool:
    """By its alphabet and length: the cheapest check there is for many megabytes (contract 7.6)."""
    return len(data) % 4 == 0 and data.isascii() and not data.encode().translate(None, _BASE64)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
