"""Run by `examination`, as a script, in a Python of its own: imports a package and watches.

It uses the standard library alone, so that nothing but the package is examined.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_CREDENTIAL = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|KEY")
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto")


class _Guard(MetaPathFinder):
    """Hides what the package did not declare."""

    def __init__(self, forbidden: Sequence[str]) -> None:
        self.refused: list[str] = []
        self._forbidden = frozenset(forbidden)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._forbidden:
            self.refused.append(fullname)
            raise ModuleNotFoundError(f"No module named {fullname!r}, which is not declared", name=fullname)
        return None


class _Watch:
    """Collects what imports do."""

    def __init__(self, root: str) -> None:
        self.effects: list[str] = []
        self._root = root
        self._on = False
        sys.addaudithook(self._audit)
        self._watch_policy()
        self._watch_environment()

    @contextmanager
    def __call__(self) -> Generator[None]:
        handlers, level = _handlers(), logging.getLogger().level
        threads, said = set(threading.enumerate()), io.StringIO()
        self._on = True
        try:
            with redirect_stdout(said):
                yield
        finally:
            self._on = False
        self.effects += [f"adds a handler to the logger {name!r}" for name in _handlers() - handlers]
        if logging.getLogger().level != level:
            self.effects.append("sets the level of the root logger")
        self.effects += [f"starts the thread {one.name!r}" for one in set(threading.enumerate()) - threads]
        if said.getvalue():
            self.effects.append(f"prints {said.getvalue()[:80]!r}")

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event in _NETWORK:
            self.effects.append(f"uses the network ({event})")
            raise OSError(f"{event}: no network while a package is imported")
        if event in ("os.putenv", "os.unsetenv"):
            self.effects.append(f"writes {os.fsdecode(args[0])} to the environment")
        elif event == "open" and isinstance(args[1], str) and set("wxa+") & set(args[1]):
            self.effects.append(f"opens {args[0]} for writing")
        elif event == "subprocess.Popen":
            self.effects.append(f"starts {args[0]}")

    def _watch_policy(self) -> None:
        events: Any = asyncio.events
        package: Any = asyncio
        original: Callable[[Any], None] = events.set_event_loop_policy

        def set_event_loop_policy(policy: Any) -> None:
            if self._on:
                self.effects.append(f"sets the event loop policy to {type(policy).__name__}")
            original(policy)

        package.set_event_loop_policy = events.set_event_loop_policy = set_event_loop_policy

    def _watch_environment(self) -> None:
        kind: Any = type(os.environ)
        original = kind.__getitem__

        def noted(environ: Any, key: str) -> str:
            if self._on and _CREDENTIAL.search(str(key).upper()) and self._is_own(inspect.currentframe()):
                self.effects.append(f"reads {key} from the environment")
            return original(environ, key)

        kind.__getitem__ = noted

    def _is_own(self, frame: Any) -> bool:
        """Whether the package itself asks, not a library that it imports."""
        standard = (__file__, os.__file__, "<frozen os>", "<frozen _collections_abc>")
        while frame is not None and frame.f_code.co_filename in standard:
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith(self._root)


def _handlers() -> set[str]:
    """The loggers that have a handler which does something."""
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    found = [one for one in loggers if isinstance(one, logging.Logger)]
    return {
        one.name for one in found if any(type(handler) is not logging.NullHandler for handler in one.handlers)
    }


def _loaded(value: str) -> dict[str, str]:
    module, _, attribute = value.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"default_name": _default_name(found)}


def _default_name(found: Any) -> str:
    try:
        default: Any = inspect.signature(found).parameters["name"].default
    except (KeyError, TypeError, ValueError):
        default = None
    for name in (default, getattr(found, "name", None)):
        if isinstance(name, str):
            return name
    return ""


def main() -> None:
    """Reads what to do from the standard input, writes what was seen to the standard output."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    watch, guard = _Watch(asked["root"]), _Guard(asked["forbidden"])
    error = ""
    for known in ("hosting", "hosting.web", "hosting.messaging"):  # what these do is not the package's doing
        if "hosting" not in asked["forbidden"]:
            importlib.import_module(known)
    sys.meta_path.insert(0, guard)
    with watch():
        try:
            for module in asked["modules"]:
                importlib.import_module(module)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
    sys.meta_path.remove(guard)
    points = {group: _loaded(value) for group, value in asked["points"].items()}
    seen = {"error": error, "refused": guard.refused, "effects": watch.effects, "points": points}
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
