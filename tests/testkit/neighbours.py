"""A scratch project with an ordinary suite, and the plugins of strangers that a pytest run may be full of."""

from __future__ import annotations

from pathlib import Path

INSTALLED = (
    "asyncio",
    "anyio",
    "xdist",
    "syrupy",
    "respx",
    "hypothesispytest",
)
"""Of what the project pins: names of plugins, each of which a suite that does not use it hardly notices."""

LOCAL = {
    "adds_an_option": "def pytest_addoption(parser):\n    parser.addoption('--level', default='')\n",
    "adds_an_ini_key": "def pytest_addoption(parser):\n    parser.addini('conformity', 'x', default='')\n",
    "cleans_the_environment": (
        "import os, pytest\n@pytest.fixture(autouse=True)\ndef clean():\n    kept = dict(os.environ)\n"
        "    yield\n    os.environ.clear()\n    os.environ.update(kept)\n"
    ),
    "checks_for_tasks": (
        "import pytest, threading\n@pytest.fixture(autouse=True)\ndef no_threads():\n"
        "    before = threading.active_count()\n    yield\n    assert threading.active_count() == before\n"
    ),
    "patches_time": (
        "import pytest\n@pytest.fixture(autouse=True)\ndef slow(monkeypatch):\n"
        "    monkeypatch.setattr('time.sleep', lambda seconds: None)\n"
    ),
    "reverses_the_order": "def pytest_collection_modifyitems(items):\n    items.reverse()\n",
    "marks_everything": (
        "import pytest\ndef pytest_configure(config):\n    config.addinivalue_line('markers', 'must: theirs')\n"
        "def pytest_collection_modifyitems(items):\n    for item in items:\n        item.add_marker(pytest.mark.must)\n"
    ),
    "wraps_reports": (
        "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
        "    report = yield\n    report.user_properties.append(('theirs', item.name))\n    return report\n"
    ),
    "wraps_protocols": (
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_runtest_protocol(item):\n"
        "    return (yield)\n"
    ),
    "times_out": (
        "import pytest, signal\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_call(item):\n"
        "    signal.setitimer(signal.ITIMER_REAL, 3600)\n    try:\n        return (yield)\n"
        "    finally:\n        signal.setitimer(signal.ITIMER_REAL, 0)\n"
    ),
    "writes_a_header": "def pytest_report_header():\n    return 'theirs: here'\n",
    "writes_a_summary": (
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.section('theirs')\n    terminalreporter.write_line('nothing to say')\n"
    ),
    "names_statuses": (
        "def pytest_report_teststatus(report):\n"
        "    if report.when == 'call' and report.passed:\n        return 'passed', '+', 'FINE'\n"
    ),
    "collects_texts": (
        "import pytest\nclass Line(pytest.Item):\n    def runtest(self):\n        pass\n"
        "class Text(pytest.File):\n    def collect(self):\n        yield Line.from_parent(self, name='line')\n"
        "def pytest_collect_file(file_path, parent):\n    if file_path.suffix == '.text':\n"
        "        return Text.from_parent(parent, path=file_path)\n"
    ),
    "makes_parameters": (
        "def pytest_generate_tests(metafunc):\n    if 'colour' in metafunc.fixturenames:\n"
        "        metafunc.parametrize('colour', ['red', 'green'])\n"
    ),
    "explains_assertions": (
        "def pytest_assertrepr_compare(op, left, right):\n    if op == '==':\n        return [f'{left} is not {right}']\n"
    ),
}
"""Small plugins, each with a habit of the well-known ones; by module name."""

SUITE = {
    "conftest.py": "import pytest\n@pytest.fixture\ndef number():\n    return 7\n",
    "some.text": "one line\n",
    "test_own.py": (
        "import unittest, pytest\n"
        "def test_passes(number):\n    assert number == 7\n"
        "def test_fails(number, capsys):\n    print('said before')\n    assert number == 8\n"
        "@pytest.mark.skip(reason='later')\ndef test_later():\n    pass\n"
        "@pytest.mark.xfail(reason='known', strict=True)\ndef test_known():\n    assert False\n"
        "@pytest.mark.parametrize('text', ['a', 'b[c]'])\ndef test_texts(text):\n    assert text\n"
        "def test_colours(colour):\n    assert colour\n"
        "class TestOld(unittest.TestCase):\n    def test_method(self):\n        self.assertEqual(1, 1)\n"
        "def test_breaks(tmp_path):\n    (tmp_path / 'missing').read_text()\n"
    ),
    "test_loops.py": (
        "import asyncio, pytest\n@pytest.mark.asyncio\nasync def test_waits():\n    await asyncio.sleep(0)\n"
        "@pytest.mark.anyio\nasync def test_waits_elsewhere(anyio_backend_name):\n    assert anyio_backend_name\n"
    ),
}
"""An ordinary suite: of every outcome one, and two that need a loop; by file name."""


def write_project(folder: Path) -> None:
    """Writes the suite and the local plugins."""
    for name, text in SUITE.items():
        (folder / name).write_text(text)
    for name, text in LOCAL.items():
        (folder / f"{name}.py").write_text(text)
