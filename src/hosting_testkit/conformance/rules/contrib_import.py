"""HC-CONTRIB: what importing a channel does."""

from __future__ import annotations

import sys
from pathlib import Path

from ..hosted import ask_driver
from ..kit import Kit
from ..model import Unproven
from ..packages import Examination, examine, package_of
from ..packages.examination import ExaminationFailed
from ..registry import rule
from .pkg import examined


@rule("HC-CONTRIB-006", once=True, why="tools and tests import every package, with no thought of its doings")
async def importing_does_nothing(k: Kit) -> None:
    """In a Python of its own the package is imported, and nothing else happens."""
    seen = _imported(k)
    k.control(not seen.error, "the package can be imported", observed=seen.error)
    k.equal("what the import does besides", list(seen.effects), [])


def _imported(k: Kit) -> Examination:
    """The channel's package, or the module of a channel that has none."""
    driver = k.driver()
    distribution = ask_driver(driver.distribution, "distribution()")
    if distribution is not None:
        return examined(package_of(distribution))
    module = type(k.build(driver)).__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        raise Unproven(f"the channel's module {module!r} has no file to import")
    path = [str(Path(file).parents[module.count(".")]), *filter(None, sys.path)]
    try:
        return examine([module], root=Path(file).parent, path=path)
    except ExaminationFailed as error:
        raise Unproven(str(error)) from error
