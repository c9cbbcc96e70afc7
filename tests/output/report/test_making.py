"""The whole report: what it is called, what it is written as, that a file is whole or not there."""

from __future__ import annotations

import datetime
import pathlib
import zoneinfo

import pytest

import sipanalyzer
from sipanalyzer.output.report import report_format, write_report
from sipanalyzer.output.report.making import make_report
from tests.output.results import empty_result, make_capture, make_result


def test_it_says_what_it_is_of_and_how_it_was_made(samples: pathlib.Path) -> None:
    path = samples / "plain.pcap"
    report = make_report(sipanalyzer.analyze(path).result, [str(path)], tz=zoneinfo.ZoneInfo("Europe/Berlin"))
    assert report.title == "Calls in plain.pcap"
    assert (report.version, report.zone) == (sipanalyzer.__version__, "Europe/Berlin")
    assert report.command == "sipanalyzer call plain.pcap --id"
    datetime.datetime.strptime(report.made, "%Y-%m-%d %H:%M:%S")
    assert report.timeline is not None
    assert report.timeline.start == "2026-03-02 10:10:00.000"


def test_a_title_is_made_harmless() -> None:
    assert make_report(empty_result(), title="a\x1b\u202eb").title == "a\\x1b\\u202eb"


def test_many_captures_are_not_all_in_the_title() -> None:
    captures = tuple(make_capture(file=f"/x/{name}.pcap") for name in "abcde")
    assert make_report(make_result(captures=captures)).title == "Calls in a.pcap, b.pcap, c.pcap and 2 more"


def test_a_command_is_proposed_only_where_the_captures_have_names(samples: pathlib.Path) -> None:
    with (samples / "plain.pcap").open("rb") as stream:
        assert make_report(make_result(), [stream]).command is None
    assert make_report(make_result(), None).command is None
    assert make_report(make_result(), ["a b.pcap"]).command == "sipanalyzer call 'a b.pcap' --id"


def test_nothing_makes_a_report() -> None:
    report = make_report(empty_result())
    assert report.timeline is None
    assert list(report.details) == []
    assert report.tiles


@pytest.mark.parametrize(
    ("name", "format", "written"),
    [
        ("x.html", None, "html"), ("x.HTM", None, "html"), ("x.md", None, "md"), ("x.markdown", None, "md"),
        ("x", None, "html"), ("x.txt", "md", "md"), ("x.html", "md", "md"), ("/dev/stdout", None, "html"),
    ],
)  # fmt: skip
def test_the_name_says_what_it_is_written_as(name: str, format: str | None, written: str) -> None:
    assert report_format(name, format) == written


def test_another_name_or_format_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\.html or \.md"):
        report_format("x.pdf")
    with pytest.raises(ValueError, match="cannot be written as 'pdf'; there are html, md"):
        report_format("x.pdf", "pdf")


def test_a_file_is_written_and_not_overwritten(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "plain.pcap")
    target = tmp_path / "r.md"
    assert analysis.report(target) == target
    assert target.read_text("utf-8").startswith("# Calls in plain.pcap\n")
    with pytest.raises(FileExistsError):
        analysis.report(target)
    analysis.report(target, force=True, title="Mine")
    assert target.read_text("utf-8").startswith("# Mine\n")


def test_a_page_that_cannot_be_finished_leaves_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sipanalyzer.output.report import making

    monkeypatch.setattr(making, "make_report", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no")))
    with pytest.raises(RuntimeError, match="no"):
        write_report(empty_result(), None, tmp_path / "r.md")
    assert list(tmp_path.iterdir()) == []
