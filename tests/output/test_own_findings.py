"""Findings of one's own: they stand among the others, in every table and picture; what cannot be meant is refused."""

from __future__ import annotations

import pathlib
from typing import Any

import pandas
import pytest

import sipanalyzer


@pytest.fixture(scope="module")
def lossy(samples: pathlib.Path) -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(samples / "lossy.pcap")


def test_a_finding_of_ones_own_stands_in_every_table(lossy: sipanalyzer.Analysis) -> None:
    call_id = lossy.calls.call_id[0]
    own = lossy.with_findings(
        [
            {"code": "my-rule", "severity": "error", "call_id": call_id, "explanation": "It is so.", "frame": 4,
             "advice": "Change it.", "likelihood": 99, "stream": 1},
        ]
    )  # fmt: skip
    first = own.findings.iloc[0]
    assert (first.code, first.severity, first.call_id, first.frame, first.evidence, first.advice) == (
        "my-rule", "error", call_id, 4, "4", "Change it."
    )  # fmt: skip
    assert first.ssrc == lossy.streams.ssrc[1]
    assert own.calls.findings[0].split(",")[0] == "my-rule"
    assert "my-rule" in own.streams.findings[1] and len(own.findings) == len(lossy.findings) + 1
    assert "my-rule" not in lossy.calls.findings[0]  # the analysis that it was made from stays as it was
    assert "It is so." in own.call(0).flow().text(200) or "my-rule" in own.call(0).flow().text(200)
    assert "my-rule" in str(own) and "It is so." in str(own.call(0))


def test_a_frame_of_pandas_with_missing_values_is_read(lossy: sipanalyzer.Analysis) -> None:
    rows = pandas.DataFrame(
        {
            "code": ["a-b", "c"],
            "explanation": ["One.", "Two."],
            "severity": ["info", None],
            "time": [lossy.calls.start[0], pandas.NaT],
            "frame": [3.0, float("nan")],
            "evidence": ["3,5", None],
            "call_id": [lossy.calls.call_id[0], None],
        }
    )
    found = lossy.with_findings(rows).findings.set_index("code")
    assert found.loc["a-b", "time"] == lossy.calls.start[0] and found.loc["a-b", "evidence"] == "3,5"
    assert found.loc["c", "severity"] == "warning" and pandas.isna(found.loc["c", "call_id"])


def test_the_table_of_findings_itself_can_be_given_back(lossy: sipanalyzer.Analysis) -> None:
    again = lossy.with_findings(lossy.findings)
    assert sorted(again.findings.code) == sorted([*lossy.findings.code, *lossy.findings.code])


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"code": "Not a code", "explanation": "x"}, "is no code"),
        ({"code": "a"}, "a has no explanation"),
        ({"explanation": "x"}, "is no code"),
        ({"code": "a", "explanation": "x", "severity": "fatal"}, "there is no severity 'fatal'"),
        ({"code": "a", "explanation": "x", "colour": "red"}, "there is no column 'colour'"),
        ({"code": "a", "explanation": "x", "stream": 9}, "there is no stream in row 9"),
        ({"code": "a", "explanation": "x", "capture": "b.pcap"}, "there is no capture 'b.pcap'"),
        ({"code": "a", "explanation": "x", "likelihood": 300}, "likelihood goes from 0 to 100"),
        ({"code": "a", "explanation": "x", "time": "noon"}, "is no time"),
        ("a", "a dictionary is needed"),
    ],
)
def test_what_cannot_be_meant_is_refused(lossy: sipanalyzer.Analysis, row: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        lossy.with_findings([row])


@pytest.mark.parametrize("rows", ["text", {"code": "a"}, 5])
def test_what_is_no_list_of_findings_is_refused(lossy: sipanalyzer.Analysis, rows: Any) -> None:
    with pytest.raises(ValueError, match="a DataFrame or a list"):
        lossy.with_findings(rows)


def test_its_report_and_markdown_name_it(lossy: sipanalyzer.Analysis, tmp_path: pathlib.Path) -> None:
    own = lossy.with_findings(
        [{"code": "my-rule", "severity": "error", "explanation": "It is so.", "call_id": lossy.calls.call_id[0]}]
    )
    own.report(tmp_path / "own.html")
    own.report(tmp_path / "own.md")
    assert "It is so." in (tmp_path / "own.html").read_text() and "It is so" in (tmp_path / "own.md").read_text()
