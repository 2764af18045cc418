"""A target for tests that say in passing what it should do."""

from __future__ import annotations

from typing import Self

from .echo import Echo
from .recorder import Recorder
from .scripted import Scripted
from .steps import Step

_NAME = "fake"


class FakeTarget(Recorder):
    """Echoes until `says` gives it a script; `runs` is what it was given."""

    def __init__(self) -> None:
        super().__init__(Echo(name=_NAME))

    def says(self, *steps: Step) -> Self:
        """Plays `steps` in every run from now on; see `hosting_testkit.targets.steps`."""
        self.target = Scripted(*steps, name=_NAME)
        return self
