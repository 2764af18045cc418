"""The report as JUnit XML, for the command line; under pytest its own writer gets the same properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from ..model import ItemResult, Verdict
from ..registry import catalogue, written_rules
from .model import Report
from .terminal import failure_text

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(*reports: Report) -> str:
    """One suite for each channel."""
    root = ElementTree.Element("testsuites")
    for report in reports:
        root.append(_suite(report))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def properties(result: ItemResult, channel: str, level: str) -> list[tuple[str, str]]:
    """What an item carries in JUnit."""
    text = catalogue()[result.rule]
    rule = written_rules().get(result.rule)
    return [
        ("channel", channel),
        ("rule", result.rule),
        ("binding", text.level),
        ("tier", str(text.tier)),
        ("area", text.area),
        ("capability", ",".join(rule.needs) if rule else ""),
        ("variant", result.variant),
        ("verdict", str(result.verdict)),
        ("level", level),
    ]


def _suite(report: Report) -> ElementTree.Element:
    skipped = sum(not result.bad and result.verdict is not Verdict.PASS for result in report.results)
    suite = ElementTree.Element(
        "testsuite",
        name=f"conformance.{report.channel}",
        tests=str(len(report.results) + bool(report.vacuous)),
        failures=str(len(report.bad) + bool(report.vacuous)),
        errors="0",
        skipped=str(skipped),
        time=f"{report.seconds:.3f}",
    )
    suite.extend(_case(result, report) for result in report.results)
    if report.vacuous:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"conformance.{report.channel}", name="HC-CAP-003@summary", time="0"
        )
        ElementTree.SubElement(case, "failure", message=report.vacuous)
    return suite


def _case(result: ItemResult, report: Report) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=f"conformance.{report.channel}",
        name=result.id,
        time=f"{result.seconds:.3f}",
    )
    _properties(case, properties(result, report.channel, report.level.name))
    if result.bad:
        told = failure_text(result, report.channel, level=report.level.name)
        failure = ElementTree.SubElement(
            case, "failure", message=_xml(result.reason), type=str(result.verdict)
        )
        failure.text = _xml(told)
    elif result.verdict is not Verdict.PASS:
        told = f"{result.verdict}: {result.listed or result.reason}"
        ElementTree.SubElement(case, "skipped", message=_xml(told))
    return case


def _properties(case: ElementTree.Element, pairs: Sequence[tuple[str, str]]) -> None:
    holder = ElementTree.SubElement(case, "properties")
    for name, value in pairs:
        ElementTree.SubElement(holder, "property", name=name, value=_xml(value))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
