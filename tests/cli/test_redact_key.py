"""Where the key of a redaction may come from, and that it is refused in one line."""

from __future__ import annotations

import pathlib

import pytest

from sipanalyzer.cli import main

SAMPLE = str(pathlib.Path(__file__).parents[2] / "sample_pcaps" / "plain.pcap")
VARIABLE = "SIPANALYZER_REDACT_KEY"


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["calls", SAMPLE, "--format", "csv", *arguments]) == 0
    return capsys.readouterr().out


def test_a_file_and_the_environment_give_the_same_as_the_option(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"a lock\r\nmore\n")
    expected = shown(capsys, "--redact", "--redact-key", "a lock")
    assert shown(capsys, "--redact", "--redact-key-file", str(file)) == expected
    monkeypatch.setenv(VARIABLE, "a lock")
    assert shown(capsys, "--redact") == expected
    assert shown(capsys, "--redact", "--redact-key", "another") != expected


def test_a_variable_that_was_left_over_changes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shown(capsys)
    monkeypatch.setenv(VARIABLE, "a lock")
    assert shown(capsys) == plain
    monkeypatch.setenv(VARIABLE, "")
    assert shown(capsys, "--redact") != plain


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"", ["--redact"], "nothing in its first line"),
        (None, ["--redact"], "cannot be read"),
        (b"k", [], "goes with --redact"),
        (b"k", ["--redact", "--redact-key", "x"], "exclude each other"),
    ],
)
def test_a_key_file_that_is_of_no_use_is_refused_in_one_line(
    content: bytes | None, options: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    assert main(["calls", SAMPLE, "--redact-key-file", str(file), *options]) == 2
    assert told in capsys.readouterr().err
