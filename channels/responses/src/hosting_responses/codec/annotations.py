"""Citations of core as the annotations of an `output_text` part, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .wire import Item

if TYPE_CHECKING:
    from agent_framework import Annotation


def wire_annotations(annotations: Iterable[Annotation] | None) -> list[Item]:
    """What the wire can say of `annotations`: those that name a file or a URL; it has no form for the others."""
    found = (_wire_annotation(cast("Mapping[str, Any]", annotation)) for annotation in annotations or ())
    return [annotation for annotation in found if annotation is not None]


def core_annotations(annotations: Any) -> list[Annotation]:
    """The annotations of a part that a client gives back; unknown kinds are left out."""
    if not isinstance(annotations, list):
        return []
    given = cast("list[Any]", annotations)
    known = [_core_annotation(cast("Item", item)) for item in given if isinstance(item, dict)]
    return [annotation for annotation in known if annotation is not None]


def _wire_annotation(annotation: Mapping[str, Any]) -> Item | None:
    url, file_id = annotation.get("url"), annotation.get("file_id")
    extra: Mapping[str, Any] = annotation.get("additional_properties") or {}
    start, end = _span(annotation)
    name = annotation.get("title") or url or file_id
    if file_id and extra.get("container_id"):
        return {
            "type": "container_file_citation",
            "container_id": str(extra["container_id"]),
            "file_id": file_id,
            "filename": name,
            "start_index": start,
            "end_index": end,
        }
    if file_id:
        index = extra.get("index")
        return {
            "type": "file_citation",
            "file_id": file_id,
            "filename": name,
            "index": index if isinstance(index, int) else start,
        }
    if url:
        title = annotation.get("title") or ""
        return {"type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end}
    return None


def _span(annotation: Mapping[str, Any]) -> tuple[int, int]:
    regions = annotation.get("annotated_regions") or ()
    for region in regions:
        start, end = region.get("start_index"), region.get("end_index")
        if isinstance(start, int) and isinstance(end, int):
            return start, end
    return 0, 0


def _core_annotation(item: dict[str, Any]) -> Annotation | None:
    extra = {key: item[key] for key in ("index", "container_id") if key in item}
    found: dict[str, Any] = {"type": "citation", "additional_properties": extra}
    match item.get("type"):
        case "url_citation":
            found |= {"title": item.get("title"), "url": item.get("url")}
        case "file_citation" | "container_file_citation" | "file_path":
            found |= {"file_id": item.get("file_id"), "title": item.get("filename")}
        case _:
            return None
    start, end = item.get("start_index"), item.get("end_index")
    if isinstance(start, int) and isinstance(end, int):
        found["annotated_regions"] = [{"type": "text_span", "start_index": start, "end_index": end}]
    return cast("Annotation", found)
