"""Several captures of which one is damaged: the others are told as without it; what is extracted of it opens."""

from __future__ import annotations

import gzip
import pathlib
import random
import shutil
import subprocess

import pytest

from sipanalyzer import cli
from sipanalyzer.errors import CaptureError
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.damage import checks, harm
from tests.damage.records import take_apart

OTHERS = ("busy.pcap", "cancelled.pcap", "gzipped.pcap.gz", "register.pcap")
DAMAGED = "plain.pcap"
"""A capture of which no call, address or SSRC is in the others."""
TABLES = ("calls", "streams", "messages", "dialogs", "transactions", "registrations", "rtcp")


@pytest.fixture
def folder(samples: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of captures that are whole."""
    place = tmp_path / "captures"
    place.mkdir()
    for name in OTHERS:
        shutil.copy(samples / name, place)
    return place


def damaged(samples: pathlib.Path, kind: str) -> bytes:
    """One more capture, harmed."""
    data = (samples / DAMAGED).read_bytes()
    if kind == "cut":
        return data[: len(data) * 2 // 3]
    if kind == "compressed and cut":
        return gzip.compress(data, mtime=0)[:-2000]
    if kind == "no header":
        return bytes(400) + data[400:]
    if kind == "empty":
        return b""
    pieces = take_apart(data)
    assert pieces is not None
    return harm.KINDS[kind](pieces, random.Random(1)).data


KINDS = ("cut", "compressed and cut", "no header", "empty", "lying lengths", "a sector overwritten")


def of_the_others(result: Result) -> dict[str, checks.Rows]:
    """Rows of the captures that are whole; sessions are numbered through all of them."""
    found: dict[str, checks.Rows] = {}
    for name in TABLES:
        rows = [row for row in checks.rows(result, name) if not row["capture"].endswith(f"{DAMAGED}'")]
        found[name] = [{key: value for key, value in row.items() if key not in {"session", "findings"}} for row in rows]
    found["captures"] = [row for row in checks.rows(result, "captures") if not row["file"].endswith(f"{DAMAGED}'")]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_in_a_folder_changes_nothing_of_the_others(
    samples: pathlib.Path, folder: pathlib.Path, kind: str
) -> None:
    expected = of_the_others(analyze(folder))
    assert len(expected["captures"]) == len(OTHERS)
    assert all(expected[name] for name in ("calls", "streams", "messages", "registrations"))
    (folder / DAMAGED).write_bytes(damaged(samples, kind))
    for captures in (folder, sorted(folder.iterdir()), sorted(folder.iterdir(), reverse=True)):
        found = of_the_others(analyze(captures))
        for rows in (*expected.values(), *found.values()):
            rows.sort(key=str)
        assert checks.differing(expected, found) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_tells_of_the_others_and_says_which_file_is_damaged(
    samples: pathlib.Path, folder: pathlib.Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / DAMAGED).write_bytes(damaged(samples, kind))
    status = cli.main(["calls", str(folder), "--format", "csv"])
    out, err = capsys.readouterr()
    assert status == 1
    assert "busy-1@192.0.2.10" in out
    assert "cancelled-1@192.0.2.10" in out
    assert sum(DAMAGED in line for line in err.splitlines()) == 1
    assert not any(name in err for name in OTHERS)


EXTRACTED = [kind for kind in KINDS if kind not in ("no header", "empty")]


@pytest.mark.parametrize("kind", EXTRACTED)
@pytest.mark.parametrize("redact", [False, True])
def test_a_call_extracted_of_a_damaged_capture_opens(
    samples: pathlib.Path, tmp_path: pathlib.Path, kind: str, redact: bool
) -> None:
    path, target = tmp_path / DAMAGED, tmp_path / "call.pcapng"
    path.write_bytes(damaged(samples, kind))
    words = ["extract", str(path), "--id", "0", "-o", str(target)]
    assert cli.main([*words, *(["--redact"] if redact else [])]) == 1
    whole, part = analyze(path), analyze(target)
    assert part.captures[0].damage is None
    assert [call.state for call in part.calls] == [call.state for call in whole.calls]
    assert [stream.packets for stream in part.streams] == [stream.packets for stream in whole.streams]
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(target), "-T", "fields", "-e", "frame.number"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (shown.returncode, len(shown.stdout.splitlines())) == (0, part.captures[0].packets)


@pytest.mark.parametrize("kind", ["no header", "empty"])
def test_nothing_is_extracted_of_a_capture_that_is_none(
    samples: pathlib.Path, tmp_path: pathlib.Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, target = tmp_path / DAMAGED, tmp_path / "call.pcapng"
    path.write_bytes(damaged(samples, kind))
    with pytest.raises(CaptureError):
        analyze(path)
    assert cli.main(["extract", str(path), "--id", "0", "-o", str(target)]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not target.exists()
