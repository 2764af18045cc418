"""The files of a new channel's package, made from the texts in `templates/`: pure apart from reading those."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template

PREFIX = "hosting-"
"""How the distributions of channels are named; `hosting_NAME` is the import package."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes up a kind of channel.

    Args:
        folders: Of `templates/`; of two files with one name the later folder's counts.
        requires: What its code imports besides `hosting`.
    """

    folders: tuple[str, ...]
    requires: tuple[str, ...]


_BOT = ("httpx>=0.28,<1", "msgspec>=0.20,<1", "starlette>=1.10,<2", "typing-extensions>=4.12")

KINDS: Mapping[str, Kind] = {
    "rpc": Kind(("every_kind", "rpc"), _BOT[1:]),
    "webhook-bot": Kind(("every_kind", "bot", "webhook_bot"), _BOT),
    "polling-bot": Kind(("every_kind", "bot", "polling_bot"), (_BOT[0], _BOT[3])),
}

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_.]+[a-z0-9]+)*", re.IGNORECASE)
_SUFFIX = ".tmpl"
_LONGEST = 30


class BadName(ValueError):
    """A channel cannot have this name; the text says which it could have."""


@dataclass(frozen=True, slots=True)
class ChannelNames:
    """The names of one channel.

    Args:
        channel: Its own: entry points, default `name`, path.
    """

    channel: str

    @property
    def distribution(self) -> str:
        """What is installed, normalised as packaging tools do (PEP 503)."""
        return PREFIX + self.channel

    @property
    def package(self) -> str:
        """What is imported."""
        return self.distribution.replace("-", "_")

    @property
    def title(self) -> str:
        """The beginning of its classes' names."""
        return "".join(part.capitalize() for part in self.channel.split("-"))

    @property
    def environment(self) -> str:
        """The beginning of its environment variables' names."""
        return self.channel.replace("-", "_").upper()


def read_name(given: str) -> ChannelNames:
    """The names that follow from what somebody typed; `hosting-` in front may be there or not.

    Raises:
        BadName: It is no name of a package, or would be no class in Python.
    """
    name = re.sub(r"[-_.]+", "-", given).lower().removeprefix(PREFIX)
    if not _NAME.fullmatch(given) or not _NAME.fullmatch(name):
        raise BadName(
            f"found the name {given!r}, expected letters, digits and single '-', a letter first, such as acme-chat"
        )
    if len(name) > _LONGEST:
        raise BadName(f"found a name of {len(name)} characters, expected at most {_LONGEST}")
    if name in ("testkit", "cli") or keyword.iskeyword(name):
        raise BadName(f"found the name {name!r}, which Python or this project uses; choose another")
    return ChannelNames(name)


def package_files(names: ChannelNames, kind: str, *, version: str) -> dict[str, str]:
    """The text of each file of a new package, by its path with `/`.

    Args:
        names: What it is called.
        kind: One of `KINDS`.
        version: The version of `hosting` that it is written for.
    """
    major, minor = (int(number) for number in version.split(".")[:2])
    hosting_range = f">={major}.{minor},<{major}.{minor + 1}"
    requires = (f"hosting{hosting_range}", *KINDS[kind].requires)
    words = {
        "channel": names.channel,
        "distribution": names.distribution,
        "package": names.package,
        "Title": names.title,
        "ENVIRONMENT": names.environment,
        "hosting_range": hosting_range,
        "dependencies": "\n".join(f'    "{requirement}",' for requirement in requires),
    }
    root = resources.files("hosting.cli") / "templates"
    return {
        path.replace("__package__", names.package): Template(text).substitute(words)
        for folder in KINDS[kind].folders
        for path, text in _texts(root / folder, "")
    }


def _texts(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield prefix + entry.name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")
