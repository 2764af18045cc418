"""The checks of the rules as they are written: read from the rules' modules, never run."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .registry import Rule, written_rules

_CHECKS = frozenset({"check", "equal", "control"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCall:
    """One check as it is written.

    Args:
        where: The rule's id for a check in its body, otherwise `module.function`.
        line: Line of the check in its module.
        kind: `check`, `equal` or `control`.
        source: The check's text on one line.
    """

    where: str
    line: int
    kind: str
    source: str


def by_module(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Rules by the name of the module that they are written in."""
    of_module: dict[str, list[Rule]] = {}
    for rule in rules:
        of_module.setdefault(rule.body.__module__, []).append(rule)
    return of_module


def checks_in(module: str, rules: Iterable[Rule]) -> list[tuple[int, CheckCall]]:
    """The checks of these rules of a module and of the functions beside them, each with its place among all."""
    ids = {rule.body.__name__: rule.id for rule in rules}
    others = {rule.body.__name__ for rule in written_rules().values() if rule.body.__module__ == module}
    return [
        (index, _told(module, ids.get(function, ""), function, call))
        for index, (function, call) in enumerate(calls_in(module_tree(module)))
        if function in ids or function not in others
    ]


def checks_of(rule: Rule) -> list[CheckCall]:
    """The checks of a rule's body and of the functions of its module that it comes to."""
    module, name = rule.body.__module__, rule.body.__name__
    reached = _reached(module_tree(module), name)
    calls = calls_in(module_tree(module))
    return [
        _told(module, rule.id if function == name else "", function, call)
        for function, call in calls
        if function in reached
    ]


def _reached(tree: ast.Module, first: str) -> set[str]:
    """The functions of a module that one of them names, and those that these name."""
    named = {
        node.name: {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        for node in functions_of(tree)
    }
    reached, waiting = set[str](), [first]
    while waiting:
        name = waiting.pop()
        if name in named and name not in reached:
            reached.add(name)
            waiting += named[name]
    return reached


def _told(module: str, id: str, function: str, call: ast.Call) -> CheckCall:
    return CheckCall(
        where=id or f"{module.rpartition('.')[2]}.{function}",
        line=call.lineno,
        kind=kind_of(call),
        source=" ".join(ast.unparse(call).split()),
    )


def functions_of(tree: ast.Module) -> list[ast.AsyncFunctionDef | ast.FunctionDef]:
    """The functions at the top of a module."""
    return [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]


def module_tree(module: str) -> ast.Module:
    """A module of rules without the decorators that would register them again."""
    tree = ast.parse(_source(module))
    for node in functions_of(tree):
        node.decorator_list = [one for one in node.decorator_list if not _registers(one)]
    return tree


@cache
def _source(module: str) -> str:
    return inspect.getsource(importlib.import_module(module))


def _registers(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id == "rule"


def calls_in(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    """The checks of a module with the function that each is in, in the order of the text."""
    found = [
        (function.name, node)
        for function in functions_of(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and kind_of(node) in _CHECKS
    ]
    return sorted(found, key=lambda pair: (pair[1].lineno, pair[1].col_offset))


def kind_of(call: ast.Call) -> str:
    """`check` for `k.check(...)`; "" for any other call."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="k"), attr=name):
            return name
        case _:
            return ""
