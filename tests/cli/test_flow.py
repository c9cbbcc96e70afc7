"""``sipanalyzer flow`` on standard output and into a text file."""

from __future__ import annotations

import pathlib

import pytest
from click.testing import CliRunner, Result

from sipanalyzer.cli.commands import sipanalyzer
from sipanalyzer.output.terminal import width_of

SAMPLES = pathlib.Path(__file__).parent.parent.parent / "sample_pcaps"
LOSSY, TRANSFER = str(SAMPLES / "lossy.pcap"), str(SAMPLES / "transfer.pcap")


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env={"COLUMNS": "", **environment}).invoke(sipanalyzer, ["flow", *arguments])


def widest(text: str) -> int:
    return max(map(width_of, text.splitlines()))


def test_in_a_pipe_it_is_plain_and_100_columns_wide() -> None:
    done = run(LOSSY, "--id", "0")
    assert done.exit_code == 0 and "\x1b" not in done.stdout
    assert 90 <= widest(done.stdout) <= 100
    assert done.stdout.splitlines()[1] == "seconds since 2026-03-02 12:00:00.000 UTC"
    (invite,) = (line for line in done.stdout.splitlines() if " INVITE " in line and "►" in line)
    assert invite.split()[:2] == ["1", "0.000"]


@pytest.mark.parametrize(("arguments", "columns", "width"), [((), "72", 72), (("--width", "60"), "72", 60)])
def test_its_width_is_that_of_the_terminal_or_what_is_asked_for(
    arguments: tuple[str, ...], columns: str, width: int
) -> None:
    assert width - 8 <= widest(run(LOSSY, "--id", "0", *arguments, COLUMNS=columns).stdout) <= width


def test_a_file_holds_the_same_as_standard_output(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "call.txt"
    assert run(LOSSY, "--id", "0", "-o", str(path)).exit_code == 0
    assert path.read_text(encoding="utf-8") == run(LOSSY, "--id", "0").stdout
    assert run(LOSSY, "--id", "0", "-o", str(path)).exit_code == 2
    assert run(LOSSY, "--id", "0", "-o", str(path), "--force").exit_code == 0


def test_a_file_is_as_wide_as_asked_for_whatever_the_terminal(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "call.txt"
    assert run(LOSSY, "--id", "0", "-o", str(path), COLUMNS="60").exit_code == 0
    assert 90 <= widest(path.read_text(encoding="utf-8")) <= 100
    assert run(LOSSY, "--id", "0", "-o", str(path), "--force", "--width", "64").exit_code == 0
    assert 56 <= widest(path.read_text(encoding="utf-8")) <= 64


def test_a_dash_is_standard_output() -> None:
    assert run(LOSSY, "--id", "0", "-o", "-").stdout == run(LOSSY, "--id", "0").stdout


def test_a_session_has_all_its_legs() -> None:
    text = run(TRANSFER, "--id", "0", "--session").stdout
    assert "[1]  alice to bob" in text and "[3]  bob to carol" in text
    assert "[1]" not in run(TRANSFER, "--id", "0").stdout


def test_times_are_shown_in_the_zone_asked_for() -> None:
    text = run(LOSSY, "--id", "0", "--tz", "Asia/Tokyo", "--width", "140").stdout
    assert "seconds since 2026-03-02 21:00:00.000 Asia/Tokyo" in text and "21:00:02.000" in text


def test_a_name_that_says_no_format_is_refused_before_anything_is_read(tmp_path: pathlib.Path) -> None:
    done = run(str(tmp_path / "absent.pcap"), "--id", "0", "-o", "call.doc")
    assert done.exit_code == 2 and "call.doc" in done.stderr


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.pcap*")))
def test_the_first_call_of_every_sample_fits_any_page(sample: str) -> None:
    from sipanalyzer import analyze
    from sipanalyzer.output.flow.text import draw_text

    analysis = analyze(SAMPLES / sample)
    for number in range(min(1, len(analysis.result.calls))):
        chart = analysis.call(number).flow(session=True).chart
        for width in (40, 57, 80, 100, 132, 200):
            assert widest("\n".join("".join(text for text, _ in line) for line in draw_text(chart, width))) <= width
