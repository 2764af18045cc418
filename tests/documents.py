"""Python of the documents, as the reader would run it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"<!-- runs: (?P<name>\w+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)


def blocks(document: str) -> dict[str, str]:
    """The runnable blocks of a document by name."""
    return {match["name"]: match["code"] for match in _BLOCK.finditer((ROOT / document).read_text())}


def files(document: str, language: str = "python") -> dict[str, str]:
    """The listings of a document that are whole files, by name."""
    fenced = re.compile(rf"<!-- file: (?P<name>\S+) -->\n```{language}\n(?P<text>.*?)```", re.DOTALL)
    return {match["name"]: match["text"] for match in fenced.finditer((ROOT / document).read_text())}


def run(document: str, *names: str) -> dict[str, Any]:
    """Runs the named blocks in order, in one namespace, and returns it."""
    found = blocks(document)
    namespace: dict[str, Any] = {"__name__": "document"}
    for name in names:
        exec(compile(found[name], f"{document}:{name}", "exec"), namespace)  # our own documents
    return namespace
