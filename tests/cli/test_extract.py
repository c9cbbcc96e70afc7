"""The command `extract`, as typed."""

from __future__ import annotations

import io
import pathlib
import sys
from types import SimpleNamespace

import pytest

from sipanalyzer import cli
from sipanalyzer.pipeline import analyze


def test_a_call_becomes_a_file(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "x.pcapng"
    assert cli.main(["extract", str(samples / "refused.pcap"), "--id", "2", "-o", str(target)]) == 0
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", f"sipanalyzer: wrote {target}\n")
    assert [call.status_code for call in analyze(target).calls] == [503]


def test_a_session_is_asked_for(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.pcapng"
    assert cli.main(["extract", str(samples / "two_legs.pcap"), "--id", "1", "--session", "-o", str(target)]) == 0
    assert len(analyze(target).calls) == 2


def test_only_the_time_asked_for(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.pcapng"
    words = ["extract", str(samples / "plain.pcap"), "--id", "0", "-o", str(target)]
    assert cli.main([*words, "--to-time", "2026-03-02T09:10:03Z"]) == 0
    capture = analyze(target).captures[0]
    assert capture.packets < 200
    assert capture.last is not None
    assert capture.last <= 1_772_442_603 * 10**9


def test_a_file_that_exists_is_left(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.pcapng"
    target.write_text("mine")
    words = ["extract", str(samples / "plain.pcap"), "--id", "0", "-o", str(target)]
    assert cli.main(words) == 2
    assert target.read_text() == "mine"
    assert cli.main([*words, "--force"]) == 0
    assert analyze(target).calls


def test_standard_input_cannot_be_read_twice(
    samples: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (samples / "plain.pcap").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert cli.main(["extract", "-", "--id", "0", "-o", str(tmp_path / "x.pcapng")]) == 2
    assert "can be read once only" in capsys.readouterr().err
    assert sys.stdin.buffer.tell() == 0  # said before anything is read
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_is_not_there(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "x.pcapng"
    assert cli.main(["extract", str(samples / "plain.pcap"), "--id", "nobody", "-o", str(target)]) == 2
    assert not target.exists()


def test_a_capture_that_breaks_off_says_so_and_is_extracted(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    broken, target = tmp_path / "a.pcap", tmp_path / "x.pcapng"
    broken.write_bytes((samples / "plain.pcap").read_bytes()[:-5])
    assert cli.main(["extract", str(broken), "--id", "0", "-o", str(target)]) == 1
    assert analyze(target).captures[0].packets == 812
