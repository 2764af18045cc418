"""Looks for checks that no seeded defect needs: removes and negates each in turn, and runs the kill table again.

A check that can be removed without a mutant surviving shows nothing that the kit is sure of; one that can be negated
without a reference failing is never reached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ..drivers.base import ChannelDriver
from .engine import run_item
from .excused import EXCUSES, Excuse, How
from .kill import SEED, says
from .kit import Kit
from .model import RuleStopped, Verdict
from .mutants import Mutant, mutants
from .registry import Rule, written_rules
from .report.terminal import evidence_text
from .selection import Item, Selection
from .written_checks import CheckCall, by_module, calls_in, checks_in, kind_of, module_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A check that nothing needs.

    Args:
        check: Which.
        how: As in `Excuse`.
    """

    check: CheckCall
    how: How

    @property
    def where(self) -> str:
        """As in `CheckCall`."""
        return self.check.where

    def __str__(self) -> str:
        return f"{self.where} line {self.check.line}, {self.how}: {self.check.source[:90]}"


def dead_checks(
    pattern: str,
    references: Sequence[type[ChannelDriver]],
    excuses: Sequence[Excuse] = EXCUSES,
    *,
    seeded: Sequence[Mutant] | None = None,
) -> Iterator[Dead | Excuse]:
    """The dead checks of rules, and of the functions beside them; then the excuses that excuse none of them.

    Args:
        pattern: Id or glob of rules, such as `HC-STREAM-*`.
        references: Channels that keep every rule.
        excuses: Dead checks that are left out.
        seeded: The defects that show that a check is needed; those of the kit by default.

    Raises:
        RuntimeError: The rules do not find their mutants as they are, so a change could prove nothing.
    """
    seeded = mutants() if seeded is None else seeded
    meant = [
        rule for rule in written_rules().values() if fnmatchcase(rule.id, pattern) and not rule.provisional
    ]
    of_module = by_module(meant)
    unused = [one for one in excuses if fnmatchcase(one.where, pattern) or _beside(one, of_module)]
    for module, rules in of_module.items():
        for dead in _dead_in(module, rules, references, seeded):
            excuse = next((one for one in excuses if one.how == dead.how and one.means(dead.check)), None)
            if excuse is None:
                yield dead
            elif excuse in unused:
                unused.remove(excuse)
    yield from unused


def _beside(excuse: Excuse, modules: Iterable[str]) -> bool:
    """Whether an excuse is for a function beside rules of the modules."""
    return excuse.where.partition(".")[0] in {module.rpartition(".")[2] for module in modules}


def _dead_in(
    module: str, rules: Sequence[Rule], references: Sequence[type[ChannelDriver]], seeded: Sequence[Mutant]
) -> Iterator[Dead]:
    unchanged = _changed(module, rules, -1, "kept") if calls_in(module_tree(module)) else rules
    if lost := [f"{rule.id} {one.id}" for rule, one in _hunts(unchanged, seeded) if not _finds(rule, one)]:
        raise RuntimeError(f"not found although nothing is changed: {', '.join(lost)}")
    passing = {rule.id: _passing(rule, references) for rule in unchanged}
    for index, check in checks_in(module, rules):
        meant = [rule for rule in rules if rule.id == check.where] or rules
        removed, negated = (_changed(module, meant, index, how) for how in ("removed", "negated"))
        if check.kind != "control" and all(_finds(rule, one) for rule, one in _hunts(removed, seeded)):
            yield Dead(check=check, how="removed")
        if all(_passes(rule, reference) for rule in negated for reference in passing[rule.id]):
            yield Dead(check=check, how="negated")


def _passing(rule: Rule, references: Sequence[type[ChannelDriver]]) -> list[type[ChannelDriver]]:
    """The references that keep a rule; one that is there for a single rule need not keep all."""
    return [reference for reference in references if _passes(rule, reference)]


def _hunts(rules: Sequence[Rule], seeded: Sequence[Mutant]) -> Iterator[tuple[Rule, Mutant]]:
    """Each rule with each mutant that it must find."""
    return ((rule, mutant) for rule in rules for mutant in seeded if rule.id in mutant.kills)


def _changed(module: str, rules: Sequence[Rule], index: int, how: str) -> list[Rule]:
    """The rules with one check of their module changed."""
    tree = module_tree(module)
    _, call = calls_in(tree)[index]
    call.args.insert(0, ast.Constant(kind_of(call)))
    kit = ast.Name("k", ast.Load())
    call.func = ast.Call(func=ast.Name("_changed_check", ast.Load()), args=[kit], keywords=[])
    namespace: dict[str, Any] = {
        "__name__": module,
        "__package__": module.rpartition(".")[0],
        "_changed_check": _REPLACED[how],
    }
    exec(compile(ast.fix_missing_locations(tree), f"<{module}, changed>", "exec"), namespace)
    return [replace(rule, body=namespace[rule.body.__name__]) for rule in rules]


def _removed(k: Kit) -> Any:
    def call(kind: str, *args: Any, **kwargs: Any) -> bool:
        return True

    return call


def _negated(k: Kit) -> Any:
    def call(kind: str, *args: Any, **kwargs: Any) -> bool:
        checks = len(k.checks)
        with suppress(RuleStopped):
            getattr(k, kind)(*args, **kwargs)
        for number in range(checks, len(k.checks)):
            k.checks[number] = replace(k.checks[number], ok=not k.checks[number].ok)
        return True

    return call


def _kept(k: Kit) -> Any:
    def call(kind: str, *args: Any, **kwargs: Any) -> bool:
        return getattr(k, kind)(*args, **kwargs)

    return call


_REPLACED = {"removed": _removed, "negated": _negated, "kept": _kept}


def _finds(rule: Rule, mutant: Mutant) -> bool:
    """Whether the rule still finds the mutant, in the words that name it, on each transport."""
    for item in Selection(patterns=[rule.id]).items(mutant.driver()):
        result = run_item(mutant.driver, Item(rule, item.variant), seed=SEED)
        text = evidence_text(result, mutant.driver.name)
        if result.verdict not in (Verdict.FAIL, Verdict.UNPROVEN) or not says(text, mutant.kills[rule.id]):
            return False
    return True


def _passes(rule: Rule, reference: type[ChannelDriver]) -> bool:
    """Whether a reference still keeps the rule, or the rule does not apply to it."""
    items = Selection(patterns=[rule.id]).items(reference())
    fine = (Verdict.PASS, Verdict.NOT_APPLICABLE)
    return all(run_item(reference, Item(rule, item.variant), seed=SEED).verdict in fine for item in items)
