"""A guide whose commands, edits and outputs are followed in order: what `docs/` says is what happens.

Marks stand before fenced blocks: `run` (each line a command; `run: fails`: the last one does), `says` (lines that the last
output holds), `edit: PATH` (a diff with enough context to be found), `file: PATH` (a whole file).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.documents import ROOT

_BLOCK = re.compile(
    r"<!-- (?P<mark>run|says|edit|file)(?:: (?P<argument>\S+))? -->\n```\w+\n(?P<text>.*?)```", re.DOTALL
)
_PYTEST = ("-p", "hosting_testkit.pytest_plugin", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Step:
    """One marked block."""

    mark: str
    argument: str
    text: str


def steps(document: str) -> Iterator[Step]:
    """The marked blocks of a document, in order."""
    for match in _BLOCK.finditer((ROOT / document).read_text()):
        yield Step(match["mark"], match["argument"] or "", match["text"])


class Reader:
    """Follows a guide in a folder; packages are installed into a folder of their own, without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.output = ""
        self.followed: list[str] = []

    def follow(self, step: Step) -> None:
        """Does what one block says, and checks what it claims."""
        self.followed.append(step.mark)
        match step.mark:
            case "run":
                self._run(step.text.splitlines(), fails=step.argument == "fails")
            case "says":
                said = _squeezed(self.output)
                missing = [line for line in step.text.splitlines() if _squeezed(line) not in said]
                assert not missing, f"not in the output: {missing}\n{self.output}"
            case "edit":
                self._edit(self.folder / step.argument, step.text.splitlines(keepends=True))
            case _:
                (self.folder / step.argument).write_text(step.text)

    def _edit(self, path: Path, diff: list[str]) -> None:
        old = "".join(line[1:] or "\n" for line in diff if line[0] != "+")
        new = "".join(line[1:] or "\n" for line in diff if line[0] != "-")
        text = path.read_text()
        assert text.count(old) == 1, f"{path.name}: found {text.count(old)} times:\n{old}"
        path.write_text(text.replace(old, new))
        self._install()

    def _run(self, commands: list[str], *, fails: bool) -> None:
        for number, command in enumerate(commands, start=1):
            words = shlex.split(command)
            if words[0] == "cd":
                self.folder /= words[1]
            elif words[:2] == ["pip", "install"]:
                if "-e" in words:
                    self._install()
            elif words[0] == "rm":
                (self.folder / words[1]).unlink()
            else:
                code = self._call(words)
                expected = fails and number == len(commands)
                assert (code != 0) == expected, f"{command} ended with {code}\n{self.output}"

    def _call(self, words: list[str]) -> int:
        module = {"hosting": "hosting.cli"}.get(words[0], words[0])
        more = _PYTEST if module == "pytest" else ()
        path = os.pathsep.join([str(self.site), str(ROOT / "src")])
        done = subprocess.run(
            [sys.executable, "-m", module, *more, *words[1:]],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": path,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PIP_NO_INDEX": "1",
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    def _install(self) -> None:
        options = ("-q", "--no-deps", "--no-build-isolation", "--upgrade", "--target", str(self.site), ".")
        assert self._call(["pip", "install", *options]) == 0, self.output


def _squeezed(text: str) -> str:
    """`text` with every stretch of white space as one space, as terminals of any width show it."""
    return " ".join(text.split())
