"""`hosting new-channel`: what it refuses, and that what it writes works, looks well and keeps the contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hosting.cli import main
from hosting.cli.scaffold import KINDS, BadName, package_files, read_name

ROOT = Path(__file__).parents[2]
LONGEST = "a-long-name-of-thirty-letters1"


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python module in a folder, with this interpreter and no plugins but the named ones."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def generate(folder: Path, name: str, kind: str) -> Path:
    """The folder of a new package."""
    assert main(["new-channel", name, "--kind", kind, "--into", str(folder / "package")]) == 0
    return folder / "package"


def test_the_command_tells_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = generate(tmp_path, "Acme.Chat", "rpc")
    told = capsys.readouterr().out
    assert "hosting-acme-chat" in told
    assert "pytest --conformance acme-chat" in told
    assert (package / "src/hosting_acme_chat/channel.py").is_file()


def test_without_a_folder_it_is_named_after_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new-channel", "acme", "--kind", "rpc"]) == 0
    assert (tmp_path / "hosting-acme/pyproject.toml").is_file()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["new-channel", "acme", "--kind", "rpc", "--into", str(tmp_path)]) == 2
    assert "README.md" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", "3m", "a b", "-a", "a-", "héllo", "../up", "a/b", "hosting-", "class", "testkit", "a" * 31]
)
def test_a_name_that_cannot_be_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadName, match="found"):
        read_name(name)
    assert main(["new-channel", "--kind", "rpc", "--", name]) == 2
    assert "expected" in capsys.readouterr().err or name in ("class", "testkit")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "channel", "package", "title"),
    [
        ("acme", "acme", "hosting_acme", "Acme"),
        ("hosting-acme", "acme", "hosting_acme", "Acme"),
        ("Acme__Chat.v2", "acme-chat-v2", "hosting_acme_chat_v2", "AcmeChatV2"),
    ],
)
def test_names_follow_from_one(given: str, channel: str, package: str, title: str) -> None:
    names = read_name(given)
    assert (names.channel, names.package, names.title) == (channel, package, title)


@pytest.mark.parametrize("kind", KINDS)
def test_every_placeholder_is_filled_in_and_the_project_is_whole(kind: str) -> None:
    files = package_files(read_name("acme"), kind, version="0.1.0")
    assert {".gitignore", ".github/workflows/ci.yml", "README.md", "CHANGELOG.md"} <= files.keys()
    assert not [path for path, text in files.items() if "$$" in text or "__package__" in path]
    assert not [path for path, text in files.items() if "TODO" in text or "${Title}" in text]
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["dependencies"][0] == "hosting>=0.1,<0.2"
    assert project["entry-points"]["hosting.channels"] == {"acme": "hosting_acme:AcmeChannel"}
    assert project["entry-points"]["hosting.conformance"] == {"acme": "hosting_acme.conformance:driver"}


@pytest.mark.parametrize("name", ["a", LONGEST])
@pytest.mark.parametrize("kind", KINDS)
def test_it_looks_well_whatever_it_is_called(kind: str, name: str, tmp_path: Path) -> None:
    package = generate(tmp_path, name, kind)
    formatted = run(package, "ruff", "format", "--no-cache", "--diff", ".")
    assert formatted.returncode == 0, formatted.stdout
    checked = run(package, "ruff", "check", "--no-cache", ".")
    assert checked.returncode == 0, checked.stdout


def test_it_type_checks_strictly(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        generate(tmp_path / kind, f"acme-{kind}", kind)
    roots = [{"root": f"{kind}/package", "extraPaths": [f"{kind}/package/src"]} for kind in KINDS]
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "executionEnvironments": roots}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    checked = run(tmp_path, "pyright", "--pythonpath", sys.executable, PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    assert checked.returncode == 0, checked.stdout
    assert " 0 errors" in f" {checked.stdout}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_installed_package_passes_its_tests_and_the_kit(kind: str, tmp_path: Path) -> None:
    """All of tier 1, which holds tier 0; some ten seconds a kind."""
    package = generate(tmp_path, "acme-chat", kind)
    site = tmp_path / "site"
    pip = ("pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site), ".")
    installed = run(package, *pip, PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert installed.returncode == 0, installed.stderr
    kit = ("--conformance", "acme-chat", "--conformance-tier", "1")
    plain = ("pytest", "-q", "-p", "hosting_testkit.pytest_plugin", "-p", "no:cacheprovider", "-W", "error")
    path = os.pathsep.join([str(site), str(ROOT / "src")])
    done = run(package, *plain, *kit, PYTHONPATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 FAIL, 0 unproven" in done.stdout
    assert "test_contract" not in done.stdout  # its own tests, the smoke set among them, passed too


def test_its_tests_start_where_pytest_asyncio_is_installed_too(tmp_path: Path) -> None:
    """Its filters make an error of every warning, and that plugin warns of an option that it is not given."""
    package = generate(tmp_path, "acme", "rpc")
    path = os.pathsep.join([str(package / "src"), str(ROOT / "src")])
    plain = ("pytest", "-q", "-p", "asyncio", "-p", "no:cacheprovider", "tests/test_codec.py")
    done = run(package, *plain, PYTHONPATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
