"""The repository is the same on every machine: no file names a folder of one, or where packages come from."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout.source_tree import REPOSITORY, files

# In parts, so that this file passes its own test.
REGISTRIES = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"))
]
MACHINE = re.compile(
    "|".join([r"(?<![\w.])/(?:work|root|Users)/", r"\bfarm" + "-", *map(re.escape, REGISTRIES)])
)


def traces_of_a_machine(root: Path) -> Iterator[str]:
    for path in files(root):
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if found := MACHINE.search(line):
                yield f"{path.relative_to(root)}:{number}: {found[0]!r} exists on one machine only"


def test_no_file_names_a_machine_or_a_registry():
    offences = list(traces_of_a_machine(REPOSITORY))

    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("docs/guide.md", "Look into /" + "work/main for it."),
        ("scripts/setup.sh", "cache=/" + "root/.cache"),
        ("requirements/dev.in", f"--index-url=https://{REGISTRIES[0]}/simple"),
        (".ci/run", "source farm" + "-profile"),
    ],
)
def test_a_trace_is_found_with_its_line(path, line, tmp_path):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(f"first\nsecond: docs/work/x is no trace\n{line}\n")

    assert [offence.split(": ")[0] for offence in traces_of_a_machine(tmp_path)] == [f"{path}:3"]
