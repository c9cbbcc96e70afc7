"""Findings gathered by code."""

from __future__ import annotations

from sipanalyzer.output.report.page import render_html
from sipanalyzer.output.report.page_findings import group_findings, worst_of_calls
from tests.output.report.made_report import make_report


def test_findings_of_a_code_stand_together_with_the_calls_that_they_concern() -> None:
    calls, findings, _ = make_report(40).sheets
    groups = group_findings(calls, findings)
    assert [(each.severity, each.code, each.count, each.concerned, each.calls) for each in groups] == [
        ("error", "high-loss", 4, 4, [0, 10, 20, 30]),
        ("info", "early-media", 1, 1, [1]),
    ]
    assert len(groups[0].sentences) == 3


def test_links_are_few_and_counts_whole() -> None:
    calls, findings, _ = make_report(1000).sheets
    group = group_findings(calls, findings)[0]
    assert (group.concerned, len(group.calls)) == (100, 24)


def test_a_call_is_as_grave_as_its_worst_finding() -> None:
    calls, findings, _ = make_report(40).sheets
    findings.rows.append(["warning", "held", calls.rows[10][0], "x", "y", None])
    worst = worst_of_calls(calls, findings)
    assert (worst[0], worst[1], worst[2], worst[10]) == ("error", "info", None, "error")
    assert worst_of_calls(calls, None) == [None] * 40


def test_some_doubtful_findings_do_not_make_all_of_them_doubtful() -> None:
    report = make_report(40)
    findings = next(each for each in report.sheets if each.name == "findings")
    findings.rows[0][5] = "the capture lost packets"
    page = b"".join(render_html(report)).decode()
    assert "<b>1 of them is doubtful:</b> the capture lost packets." in page
    assert "<b>Doubtful:</b>" in page  # the only one of its kind
