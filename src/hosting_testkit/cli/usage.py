"""What the commands share: their errors, and the type of the thing they hang themselves on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] - has no public name


class UsageError(ValueError):
    """The command cannot do what was asked; the text says why, in one line."""
