"""The methods page: every figure explained, with its source; what was set and assumed here."""

from __future__ import annotations

import json
import pathlib
import platform

import sipanalyzer
from sipanalyzer.output.report.making import make_report
from sipanalyzer.result import Result
from tests.output.results import empty_result


def sections(result: Result):  # type: ignore[no-untyped-def]
    return {each["title"]: each for each in make_report(result).methods}


def test_every_statistic_of_the_table_is_explained_with_its_source(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "lossy.pcap").result
    (table,) = sections(result)["Statistics"]["tables"]
    explained = {row[0]: row for row in table["rows"]}
    from sipanalyzer.output.tables import table as made

    rows = made(result, "statistics")
    for metric, scope in zip(rows["metric"], rows["scope"], strict=True):
        name = str(metric).split(" ")[0]
        if scope == "all" and name.isupper():
            assert name in explained, metric
            assert explained[name][2], "a source"


def test_formulae_and_codecs_of_this_capture_are_named(samples: pathlib.Path) -> None:
    tables = sections(sipanalyzer.analyze(samples / "wideband.pcapng").result)["Quality: R and MOS"]["tables"]
    text = json.dumps(tables)
    for word in (
        "ITU-T G.107 (06/2015)",
        "ITU-T G.107.1",
        "ITU-T G.107.2",
        "Ie + (95 - Ie) Ppl",
        "G722",
        "opus",
        "assumed",
    ):
        assert word in text


def test_settings_that_were_changed_stand_with_their_defaults(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "plain.pcap", playout_ms=100.0, one_way_delay_ms=150.0).result
    made = sections(result)
    assert made["Settings"]["tables"][0]["rows"][0][:3] == ["playout_ms", "100.0 (100 ms)", "60.0 (60 ms)"]
    assert any("a jitter buffer of 100 ms, fixed" in each for each in made["Quality: R and MOS"]["paragraphs"])
    assert any("150 ms, as it was set" in each for each in made["Quality: R and MOS"]["paragraphs"])


def test_defaults_are_told_as_such_and_thresholds_with_their_values() -> None:
    made = sections(empty_result())
    assert made["Settings"] == {
        "title": "Settings", "paragraphs": ["All settings have their defaults: nothing was changed."], "tables": [],
    }  # fmt: skip
    thresholds = {row[0]: row[1] for row in made["Thresholds of the findings"]["tables"][0]["rows"]}
    assert thresholds["high_loss_warning_percent"] == "1.0 (1 %)"


def test_files_and_versions_are_named(samples: pathlib.Path) -> None:
    made = sections(sipanalyzer.analyze(samples / "plain.pcap").result)
    read = made["What was read"]["tables"][0]
    row = dict(zip(read["headings"], read["rows"][0], strict=True))
    assert row["file"].endswith("plain.pcap")
    assert row["grade"] == "good"
    assert ["Python", platform.python_version()] in made["Versions"]["tables"][0]["rows"]
    assert ["sipanalyzer", sipanalyzer.__version__] in made["Versions"]["tables"][0]["rows"]


def test_it_is_plain_text_throughout(samples: pathlib.Path) -> None:
    for section in make_report(sipanalyzer.analyze(samples / "rtcp.pcap").result).methods:
        for table in section["tables"]:
            assert all(len(row) == len(table["headings"]) for row in table["rows"])
        text = json.dumps(section, ensure_ascii=False)
        assert "`" not in text
        assert all(each.isprintable() for each in text)
