"""The sample captures: made again byte for byte, found by sipanalyzer as their rows say, and confirmed by tshark."""

from __future__ import annotations

import functools
import math
import pathlib
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sample_pcaps import make

FOLDER = pathlib.Path(make.__file__).parent
FILES: list[dict[str, Any]] = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))["file"]
BY_NAME = {entry["name"]: entry for entry in FILES}
STREAM_KEY = ("ssrc", "src", "src_port", "dst", "dst_port")
LATER = {"dtmf"}
"""Columns that may still be missing; where they have a value it must be right."""
HARMLESS = {
    "mirror_port.pcap": {"sip-capture-duplicate"},
}
TOLERANCE = {"_ms": 0.002, "_s": 2e-6, "_percent": 1e-6}
"""By unit: recordings are in microseconds, and tshark gives jitter to three places."""


def each_file() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["name"])


# the files


def test_make_writes_the_committed_files_byte_for_byte() -> None:
    command = [sys.executable, str(FOLDER / "make.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, ""), f"differing: {run.stdout} {run.stderr}"


def test_a_changed_byte_is_noticed() -> None:
    name, content = next(iter(make.products()))
    assert make.stands(name, content)
    assert not make.stands(name, content[:-1] + bytes([content[-1] ^ 1]))


def test_every_capture_has_a_row_and_every_row_a_capture() -> None:
    captures = {path.name for path in FOLDER.iterdir() if ".pcap" in path.name}
    assert captures == set(BY_NAME)
    assert len(captures) >= 22
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in captures:
        assert readme.count(f"| `{name}` |") == 1


@each_file()
def test_a_sample_is_small(entry: dict[str, Any]) -> None:
    assert (FOLDER / entry["name"]).stat().st_size < 300_000


# what sipanalyzer finds


@functools.cache
def analysis_of(name: str) -> Any:
    import sipanalyzer

    return sipanalyzer.analyze(str(FOLDER / name))


def is_missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT or bool(pd.isna(value))  # type: ignore[call-overload]


def differences(found: Any, wanted: dict[str, Any]) -> list[str]:
    """What a row of a table has other than it should."""
    wrong = [
        f"{name}: {found[name]!r}, must be missing" for name in wanted.get("missing", ()) if not is_missing(found[name])
    ]
    for name, value in wanted.items():
        if name == "missing":
            continue
        there = found[name]
        if is_missing(there):
            same = name in LATER
        elif isinstance(value, float):
            unit = next((suffix for suffix in TOLERANCE if name.endswith(suffix)), None)
            same = math.isclose(float(there), value, rel_tol=1e-9, abs_tol=TOLERANCE[unit] if unit else 0.0)
        else:
            same = there == value
        if not same:
            wrong.append(f"{name}: {there!r}, must be {value!r}")
    return wrong


@each_file()
def test_every_call_is_found_as_its_row_says(entry: dict[str, Any]) -> None:
    table = analysis_of(entry["name"]).calls
    assert sorted(table["call_id"]) == sorted(row["call_id"] for row in entry.get("calls", []))
    rows = {row["call_id"]: row for row in table.to_dict("records")}
    wrong = {row["call_id"]: differences(rows[row["call_id"]], row) for row in entry.get("calls", [])}
    assert not {call: found for call, found in wrong.items() if found}


@each_file()
def test_every_stream_is_found_as_its_row_says(entry: dict[str, Any]) -> None:
    table = analysis_of(entry["name"]).streams
    rows = {tuple(row[key] for key in STREAM_KEY): row for row in table.to_dict("records")}
    wanted = {tuple(row[key] for key in STREAM_KEY): row for row in entry.get("streams", [])}
    assert len(rows) == len(table)
    assert sorted(rows) == sorted(wanted)
    wrong = {key: differences(rows[key], row) for key, row in wanted.items()}
    assert not {key: found for key, found in wrong.items() if found}


@each_file()
def test_every_message_is_found_once(entry: dict[str, Any]) -> None:
    table = analysis_of(entry["name"]).messages
    assert len(table) == entry["messages"]
    for call in entry.get("calls", []):
        mine = table[table["call_id"] == call["call_id"]]
        assert (len(mine), int(mine["retransmission"].sum())) == (call["messages"], call["retransmissions"])


@each_file()
def test_every_frame_is_counted(entry: dict[str, Any]) -> None:
    table = analysis_of(entry["name"]).captures
    assert list(table["packets"]) == [entry["frames"]]


@each_file()
def test_nothing_in_a_sample_is_malformed(entry: dict[str, Any]) -> None:
    counts = analysis_of(entry["name"]).result.captures[0].anomalies.counts()
    harmless = HARMLESS.get(entry["name"], set())
    assert set(counts) <= harmless


# what tshark finds

tshark_needed = pytest.mark.skipif(shutil.which("tshark") is None, reason="the outside witness tshark is not installed")
FIELDS = ("sip.Call-ID", "rtp.ssrc", "ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst", "udp.dstport",
          "frame.protocols", "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status")  # fmt: skip
NO_HOMER = {"hep3.pcap"}
"""tshark 4.0 does not know HEP."""
NO_SDP = {"partial.pcap", "nat.pcap"}
"""tshark finds these streams by its heuristic only."""


def ask_tshark(name: str) -> list[dict[str, list[str]]]:
    command = ["tshark", "-r", str(FOLDER / name), "-Y", "sip || rtp || _ws.malformed", "-T", "fields"]
    for preference in ("tcp.reassemble_out_of_order", "ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"):
        command += ["-o", f"{preference}:TRUE"]
    if name in NO_SDP:
        command += ["--enable-heuristic", "rtp_udp"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = (line.split("\t") for line in run.stdout.splitlines())
    return [
        {field: value.split(",") if value else [] for field, value in zip(FIELDS, row, strict=True)} for row in rows
    ]


@pytest.fixture(scope="module")
def tshark() -> dict[str, list[dict[str, list[str]]]]:
    """What tshark says of every sample."""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(BY_NAME, pool.map(ask_tshark, BY_NAME), strict=True))


@tshark_needed
@each_file()
def test_tshark_sees_the_same_messages(entry: dict[str, Any], tshark: dict[str, list[dict[str, list[str]]]]) -> None:
    if entry["name"] in NO_HOMER:
        return
    seen = Counter(call_id for row in tshark[entry["name"]] for call_id in row["sip.Call-ID"])
    doubled = 2 if entry["name"] == "mirror_port.pcap" else 1
    assert sum(seen.values()) == doubled * entry["messages"]
    for call in entry.get("calls", []):
        assert seen[call["call_id"]] == doubled * call["messages"]


@tshark_needed
@each_file()
def test_tshark_sees_the_same_streams(entry: dict[str, Any], tshark: dict[str, list[dict[str, list[str]]]]) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for row in tshark[entry["name"]]:
        if row["rtp.ssrc"]:
            ends = [row["ip.src"] or row["ipv6.src"], row["udp.srcport"], row["ip.dst"] or row["ipv6.dst"]]
            seen[(row["rtp.ssrc"][-1], *(values[-1] for values in ends), row["udp.dstport"][-1])] += 1
    wanted = {tuple(str(row[key]) for key in STREAM_KEY): row["packets"] for row in entry.get("streams", [])}
    assert dict(seen) == wanted


@tshark_needed
@each_file()
def test_tshark_finds_no_malformed_packet_and_no_wrong_checksum(
    entry: dict[str, Any], tshark: dict[str, list[dict[str, list[str]]]]
) -> None:
    recorded = "recorded" in entry  # the loopback interface leaves UDP's and TCP's checksums unfinished
    for row in tshark[entry["name"]]:
        assert "_ws.malformed" not in row["frame.protocols"][0]
        assert "0" not in row["ip.checksum.status"]
        assert recorded or "0" not in row["udp.checksum.status"] + row["tcp.checksum.status"]
