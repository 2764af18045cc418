"""Dependencies point one way: contracts, then parts, then the turn, then the host (ARCHITECTURE.md).

A new module of `hosting` takes a place in `LAYERS`; it may import its own layer and those before it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout.source_tree import REPOSITORY, exports, imports, modules

LAYERS = (
    ("envelope", "errors", "limits", "clock", "ids", "results", "serialization", "tasks"),
    ("channel", "commands", "hooks"),
    ("web", "messaging"),
    ("identity", "instance", "sessions", "state", "delivery", "durable", "runs", "targets"),
    ("turn", "telemetry"),
    ("addresses", "app", "assembly", "context", "host", "lifecycle", "options", "parts", "serve"),
    ("supervisor",),
    ("cli",),
)
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}

OPEN_TO_CHANNELS = ("hosting", "hosting.web", "hosting.messaging")
TEST_ONLY = {"hosting_testkit", "hypothesis", "pytest", "syrupy"}


def upward_imports(root: Path) -> Iterator[str]:
    for found in imports(root, root / "src"):
        importer, imported = found.importer.split("."), found.module.split(".")
        if importer[0] != "hosting" or importer == ["hosting"] or imported[0] != "hosting":
            continue
        if imported == ["hosting"]:
            yield f"{found.where}: inside hosting, import the module that defines the name, not the package"
        elif LAYER.get(importer[1], -1) < LAYER.get(imported[1], -1):
            yield f"{found.where}: {importer[1]} is below {imported[1]} and must not know it"


def modules_without_a_layer(root: Path) -> Iterator[str]:
    for name, path in modules(root / "src").items():
        top, _, rest = name.partition(".")
        if top == "hosting" and rest and rest.split(".")[0] not in LAYER:
            yield f"{path.relative_to(root)}: not in LAYERS; give it a layer there"


def run_time_code_that_needs_test_tools(root: Path) -> Iterator[str]:
    for found in imports(root, root / "src"):
        needed = found.module.split(".")[0]
        if found.importer.split(".")[0] == "hosting" and needed in TEST_ONLY:
            yield f"{found.where}: hosting must run without {needed}"


def channels_reaching_past_their_contract(root: Path) -> Iterator[str]:
    public = {name: _public_names(root, name) for name in OPEN_TO_CHANNELS}
    packages = {path.name for path in root.glob("channels/*/src/*") if path.is_dir()}
    for source_root in sorted(root.glob("channels/*/src")):
        for found in imports(root, source_root):
            own, needed = found.importer.split(".")[0], found.module.split(".")[0]
            if needed == "hosting" and found.module not in public:
                yield f"{found.where}: {found.module} is not for channels; only {', '.join(public)} are"
            elif needed == "hosting" and found.name and found.name not in public[found.module]:
                yield f"{found.where}: {found.name} is not a public name of {found.module}"
            elif needed in packages - {own}:
                yield f"{found.where}: a channel must not import another one, {needed}"
            elif needed in TEST_ONLY and found.importer.split(".")[1:2] != ["conformance"]:
                yield f"{found.where}: only {own}.conformance may import {needed}"


def _public_names(root: Path, package: str) -> list[str]:
    init = root.joinpath("src", *package.split("."), "__init__.py")
    return (exports(init) or []) if init.exists() else []


RULES = {
    rule: examples
    for rule, *examples in [
        (
            upward_imports,
            ("src/hosting/envelope.py", "from .channel import Channel"),
            ("src/hosting/state/memory.py", "from ..turn.pipeline import run"),
            ("src/hosting/web/sse.py", "def late():\n    from hosting import host"),
            ("src/hosting/turn/run.py", "import hosting.app"),
            ("src/hosting/turn/run.py", "from hosting import ChannelRequest"),
        ),
        (modules_without_a_layer, ("src/hosting/misplaced.py", "")),
        (
            run_time_code_that_needs_test_tools,
            ("src/hosting/host.py", "from hosting_testkit.clock import VirtualClock"),
            ("src/hosting/cli/serve.py", "import pytest"),
        ),
        (
            channels_reaching_past_their_contract,
            ("channels/a/src/hosting_a/routes.py", "from hosting.turn.pipeline import run"),
            ("channels/a/src/hosting_a/routes.py", "from hosting.web.sse import encode"),
            ("channels/a/src/hosting_a/routes.py", "from hosting import state"),
            ("channels/a/src/hosting_a/routes.py", "import hosting_b.codec"),
            ("channels/a/src/hosting_a/channel.py", "import hosting_testkit"),
        ),
    ]
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_this_repository_has_none_of(rule):
    offences = list(rule(REPOSITORY))

    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        pytest.param(rule, *example, id=f"{rule.__name__}-{n}")
        for rule in RULES
        for n, example in enumerate(RULES[rule])
    ],
)
def test_an_offence_is_found(rule, path, text, tmp_path):
    _write(
        tmp_path, "src/hosting/host.py", "src/hosting/turn/pipeline.py", "channels/b/src/hosting_b/codec.py"
    )
    _write(tmp_path, **{path: text})

    offences = list(rule(tmp_path))

    assert len(offences) == 1
    assert offences[0].startswith(path)


def test_what_a_channel_may_import_is_no_offence(tmp_path):
    package = "channels/a/src/hosting_a"
    _write(
        tmp_path,
        **{
            "src/hosting/__init__.py": '__all__ = ["ChannelRequest"]',
            "src/hosting/web/__init__.py": '__all__ = ["sse"]',
            f"{package}/channel.py": "from hosting import ChannelRequest\nfrom hosting.web import sse",
            f"{package}/conformance.py": "from hosting_testkit.drivers import HttpJsonDriver",
            f"{package}/codec.py": "from . import channel\nfrom .channel import ChannelRequest",
        },
    )

    assert list(channels_reaching_past_their_contract(tmp_path)) == []


def _write(root: Path, *empty: str, **texts: str) -> None:
    for name, text in {**dict.fromkeys(empty, ""), **texts}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
