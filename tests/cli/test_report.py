"""The command ``report``, from outside."""

from __future__ import annotations

import pathlib

import pytest

from sipanalyzer.cli import main


def test_markdown_goes_to_standard_output(samples: pathlib.Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["report", str(samples / "lossy.pcap"), "-o", "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"# Calls in lossy.pcap\n\n**The call had bad sound; ")
    assert err == b""


def test_a_file_is_written_and_told_of(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "r.md"
    assert (
        main(["report", str(samples / "plain.pcap"), "-o", str(target), "--title", "Ticket", "--tz", "Asia/Tokyo"]) == 0
    )
    assert f"wrote {target}" in capsys.readouterr().err
    text = target.read_text("utf-8")
    assert text.startswith("# Ticket\n")
    assert "times are in Asia/Tokyo" in text
    assert main(["report", str(samples / "plain.pcap"), "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["report", str(samples / "plain.pcap"), "-o", str(target), "--force"]) == 0


def test_a_name_that_says_nothing_is_refused_before_anything_is_read(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "none.pcap"), "-o", str(tmp_path / "r.pdf")]) == 2
    assert "ends in .html or .md" in capsys.readouterr().err


def test_findings_decide_the_status_too(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert main(["report", str(samples / "lossy.pcap"), "-o", str(tmp_path / "r.md"), "--fail-on", "high-loss"]) == 4


def test_one_number_alone(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "r.md"
    assert main(["report", str(samples / "transfer.pcap"), "-o", str(target), "--number", "carol"]) == 0
    assert "Only the calls of carol are told here." in target.read_text("utf-8")
