"""What is said on standard error is harmless text, whatever was typed and however files are called."""

from __future__ import annotations

import pathlib

import pytest

from sipanalyzer.cli import USAGE, main

ATTACK = "\x1b]0;evil\x07\x1b[2J\x9b31m\u202ex"
SAMPLE = "sample_pcaps/lossy.pcap"


@pytest.mark.parametrize(
    "arguments",
    [
        ["calls", SAMPLE, "--where", ATTACK],
        ["calls", SAMPLE, "--columns", ATTACK],
        ["calls", SAMPLE, "--sort", ATTACK],
        ["calls", SAMPLE, "--tz", ATTACK],
        ["calls", SAMPLE, "--set", f"{ATTACK}=1"],
        ["calls", SAMPLE, "--format", ATTACK],
        ["calls", SAMPLE, "--limit", ATTACK],
        ["calls", SAMPLE, "--fail-on", ATTACK],
        ["calls", SAMPLE, "--from-time", ATTACK],
        ["calls", SAMPLE, "-o", f"/nowhere/{ATTACK}/x.csv"],
        ["calls", SAMPLE, f"--{ATTACK}"],
        ["call", SAMPLE, "--id", ATTACK],
        ["flow", SAMPLE, "--id", "0", "-o", f"x.{ATTACK}"],
        ["explain", ATTACK],
        [ATTACK],
    ],
)
def test_wrong_usage_is_told_in_harmless_lines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE
    said = capsys.readouterr().err
    assert said and all(line.isprintable() for line in said.splitlines())
    assert "\\x1b" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["calls", "report", "extract", "export"])
def test_a_file_that_exists_is_named_in_harmless_text(
    command: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"{ATTACK}.{'pcapng' if command == 'extract' else 'md'}"
    target.write_text("mine")
    which = ["--id", "0"] if command == "extract" else []
    if command == "export":
        folder = tmp_path / ATTACK
        folder.mkdir()
        (folder / "calls.csv").write_text("mine")
    assert main([command, SAMPLE, *which, "-o", str(folder if command == "export" else target)]) == USAGE
    said = capsys.readouterr().err
    assert "exists; only --force" in said and all(line.isprintable() for line in said.splitlines())
    assert target.read_text() == "mine"


def test_a_capture_that_is_not_there_is_named_in_harmless_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calls", f"{ATTACK}.pcap"]) == 3
    assert capsys.readouterr().err.rstrip("\n").isprintable()
