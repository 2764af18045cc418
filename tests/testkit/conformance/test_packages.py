"""How the kit looks at the package that a channel comes in (conformance-kit PKG)."""

from __future__ import annotations

from importlib.metadata import Distribution, version
from pathlib import Path
from typing import Any

import pytest

from hosting_testkit.conformance import Verdict, check_channel
from hosting_testkit.conformance.packages import (
    Examination,
    NoPackage,
    PackageFiles,
    built,
    distribution_of,
    examine,
    package_of,
    run_time_imports,
)
from hosting_testkit.conformance.packages.examination import ExaminationFailed
from hosting_testkit.conformance.reference import BotDriver, RpcDriver


def a_package(text: str, *, requires: tuple[str, ...] = ("hosting",), **modules: str) -> Distribution:
    """A package of one module, called `some_channel`."""
    files = {"__init__.py": text, **{f"{name}.py": content for name, content in modules.items()}}
    points = {"hosting.channels": "some = some_channel:Some"}
    return built(PackageFiles(name="some_channel", modules=files, requires=requires, entry_points=points))


def imported(text: str, **options: Any) -> Examination:
    """What importing a module of this text does."""
    package = package_of(a_package(text, **options))
    return examine(
        [package.name], root=package.root, path=[str(package.root.parent)], forbidden=package.forbidden
    )


def test_what_is_written_is_a_distribution_with_its_metadata() -> None:
    distribution = a_package("")
    assert distribution.metadata["Name"] == "some_channel"
    assert distribution.requires == ["hosting"]
    (point,) = distribution.entry_points.select(group="hosting.channels")
    assert (point.name, point.module, point.attr) == ("some", "some_channel", "Some")


def test_the_same_texts_are_written_once() -> None:
    assert a_package("x = 1") is a_package("x = 1")
    assert a_package("x = 1") is not a_package("x = 2")


def test_a_package_is_found_beside_its_metadata() -> None:
    package = package_of(a_package("x = 1"))
    assert package.name == "some_channel"
    assert (package.root / "__init__.py").read_text("utf-8") == "x = 1"


def test_an_installed_channel_is_found_by_its_entry_points() -> None:
    distribution = distribution_of("hosting_responses.conformance")
    assert distribution is not None
    assert distribution.version == version("hosting-responses")
    package = package_of(distribution)
    assert (package.name, package.root.name) == ("hosting_responses", "hosting_responses")


def test_a_module_of_no_package_has_no_distribution() -> None:
    assert distribution_of("nothing_that_is_installed") is None


def test_a_distribution_without_a_package_is_told_so() -> None:
    empty = built(PackageFiles(name="kit_nothing", modules={}))
    with pytest.raises(NoPackage, match="found no source of 'kit_nothing'"):
        package_of(empty)


def test_what_is_declared_may_be_imported_with_all_that_it_brings() -> None:
    forbidden = package_of(a_package("")).forbidden
    assert "pytest" in forbidden
    assert not {"hosting", "starlette", "anyio", "agent_framework", "some_channel"} & forbidden


def test_what_an_extra_brings_counts_only_where_it_is_asked_for() -> None:
    assert "pytest" not in package_of(a_package("", requires=("hosting[testkit]",))).forbidden
    assert "jwt" in package_of(a_package("", requires=("hosting",))).forbidden
    assert "jwt" not in package_of(a_package("", requires=("hosting[jwt]",))).forbidden
    assert "jwt" in package_of(a_package("", requires=("hosting", "pyjwt; extra == 'tokens'"))).forbidden


def test_an_undeclared_import_fails_and_a_guarded_one_does_not() -> None:
    assert imported("import pytest").error.startswith("ModuleNotFoundError: No module named 'pytest'")
    guarded = imported("try:\n    import pytest\nexcept ImportError:\n    pytest = None")
    assert (guarded.error, list(guarded.refused)) == ("", ["pytest"])


def test_an_import_without_effects_is_told_as_such() -> None:
    quiet = "import logging, os\nLOG = logging.getLogger('some')\nLOG.addHandler(logging.NullHandler())\nHOME = os.getenv('HOME')"
    seen = imported(quiet)
    assert (seen.error, list(seen.effects)) == ("", [])


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("import logging\nlogging.getLogger().setLevel(10)", "sets the level of the root logger"),
        (
            "import logging\nlogging.getLogger('some').addHandler(logging.StreamHandler())",
            "adds a handler to the logger 'some'",
        ),
        ("import os\nos.environ['KIT_X'] = '1'", "writes KIT_X to the environment"),
        ("import os\nos.getenv('KIT_API_KEY')", "reads KIT_API_KEY from the environment"),
        (
            "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    pass",
            "uses the network (socket.getaddrinfo)",
        ),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(0.1,), name='t').start()",
            "starts the thread 't'",
        ),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "starts "),
        ("print('hello')", "prints 'hello"),
        ("open('/dev/null', 'w').close()", "opens /dev/null for writing"),
    ],
)
def test_each_effect_of_an_import_is_seen(text: str, effect: str) -> None:
    assert any(found.startswith(effect) for found in imported(text).effects)


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import never\nelse:\n    import otherwise\n"
        "def f():\n    from deep.inside import x\nfrom . import own\n"
    )
    (tmp_path / "a.py").write_text(text, "utf-8")
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "b.py").write_text("import pytest", "utf-8")
    found = [module for _, module in run_time_imports(tmp_path, without="conformance")]
    assert found == ["typing", "otherwise", "deep.inside"]


class Unpackaged(RpcDriver):
    """A channel that is part of an app."""

    def distribution(self) -> Distribution | None:
        return None


def test_a_channel_without_a_package_is_told_what_to_do() -> None:
    report = check_channel(Unpackaged, "HC-PKG-00[1-4]")
    assert {result.verdict for result in report.results} == {Verdict.UNPROVEN}
    assert all("pip install -e ." in result.reason for result in report.results)


def test_a_channel_without_a_package_is_imported_by_its_module() -> None:
    check_channel(Unpackaged, "HC-CONTRIB-006").raise_for_failures()


@pytest.mark.parametrize("driver", [RpcDriver, BotDriver])
def test_the_package_of_a_reference_needs_nothing_of_the_kit(driver: type[RpcDriver | BotDriver]) -> None:
    package = package_of(driver().distribution())
    imports = {
        module.partition(".")[0] for _, module in run_time_imports(package.root, without="conformance")
    }
    assert "hosting" in imports
    assert "hosting_testkit" not in imports


def test_an_import_without_end_is_ended_and_told_each_time() -> None:
    package = package_of(a_package("while True: pass"))
    for _ in range(2):
        with pytest.raises(ExaminationFailed, match=r"did not end in 0\.5 s"):
            examine([package.name], root=package.root, path=[str(package.root.parent)], longest=0.5)
