"""From what a user names to what will run: the driver of each channel, its rules, and the terms it is judged on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .discovery import UnknownChannel, find_drivers
from .engine import item_keys, judged, run_item, standing_of
from .kit import DriverFactory
from .ledger import LedgerError
from .levels import FrozenDiffers, UnknownLevel
from .model import ItemResult
from .project import ProjectError, Wanted
from .registry import UnknownRule
from .report import Report, UnknownFormat
from .selection import Item, Selection
from .terms import NotAdmitted, Terms

USAGE_ERRORS = (
    FrozenDiffers,
    LedgerError,
    NotAdmitted,
    ProjectError,
    UnknownChannel,
    UnknownFormat,
    UnknownLevel,
    UnknownRule,
)
"""What a front end tells its user in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One channel that will be run.

    Args:
        name: The channel's name.
        address: What finds its driver.
        factory: Makes the driver.
        selection: Which rules.
        terms: How results are judged.
        seed: Of the random texts.
    """

    name: str
    address: str
    factory: DriverFactory
    selection: Selection
    terms: Terms
    seed: int

    def items(self) -> list[Item]:
        """What will run."""
        return list(self.selection.items(self.factory()))

    def run(self, item: Item) -> ItemResult:
        """Runs one item and judges it."""
        return judged(self.name, run_item(self.factory, item, seed=self.seed), self.terms)

    def report(self, results: Sequence[ItemResult]) -> Report:
        """The report of what has run."""
        driver = self.factory()
        return Report.of(driver, results, terms=self.terms, selection=self.selection, seed=self.seed)

    def shows_nothing(self) -> str:
        """Why running it would show too little, known before it runs; "" if it may show something."""
        driver, items = self.factory(), self.items()
        standing = [standing_of(item, driver) for item in items]
        if all(result is not None and not result.verdict.ran for result in standing):
            return "no selected rule applies to this channel, so nothing is shown"
        missing = self.terms.level.scored - {item.rule.id for item in items}
        if self.selection.whole and missing:
            names = ", ".join(sorted(missing)[:5])
            return f"{len(missing)} rules of level {self.terms.level.name} cannot run in this kit: {names}"
        return ""


def plan(wanted: Iterable[Wanted], *, seed: int) -> list[Planned]:
    """What will run, in the order in which it was named.

    Raises:
        UnknownChannel: A driver is not found, or two of them drive channels of one name.
        UnknownRule: A selection matches nothing.
        UnknownLevel: There is no such level.
        LedgerError: A ledger cannot be used, or lists what does not exist.
        NotAdmitted: Strict terms refuse a driver.
    """
    found: dict[str, Planned] = {}
    for one in wanted:
        for planned in _planned(one, seed):
            first = found.setdefault(planned.name, planned)
            if first.address != planned.address:
                raise UnknownChannel(
                    f"{first.address!r} and {planned.address!r} both drive a channel {planned.name!r}; name them apart"
                )
    _check_ledgers(found.values())
    return list(found.values())


def _planned(wanted: Wanted, seed: int) -> Iterable[Planned]:
    wanted.selection.rules()
    for address, factory in find_drivers(wanted.driver).items():
        driver = factory()
        terms = Terms.of(driver, level=wanted.level, ledger=wanted.ledger, strict=wanted.strict)
        yield Planned(
            name=driver.name,
            address=address,
            factory=factory,
            selection=wanted.selection,
            terms=terms,
            seed=seed,
        )


def _check_ledgers(planned: Iterable[Planned]) -> None:
    """An entry without a channel speaks of any channel that shares the file."""
    sharing: dict[str, list[Planned]] = {}
    for one in planned:
        sharing.setdefault(one.terms.ledger.path, []).append(one)
    for users in sharing.values():
        keys = {(one.name, *key) for one in users for key in item_keys(one.factory())}
        users[0].terms.ledger.check_collected(keys, channels=len(users))
