"""The benchmarks' captures are what they say they are, and the script that times commands says what it saw."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
from types import ModuleType
from typing import Any

import dpkt
import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
VARIANTS = [
    [],
    ["--container", "pcapng", "--vlan", "7"],
    ["--ipv6"],
    ["--gtp"],
    ["--container", "pcapng", "--vlan", "7", "--ipv6", "--gtp"],
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


make_captures, run = load("make_captures"), load("run")


def make(folder: pathlib.Path, name: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARKS / "make_captures.py"), name, "--folder", str(folder), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    written: dict[str, Any] = json.loads(done.stdout)
    return written


def test_the_named_loads_are_as_large_as_the_documentation_says() -> None:
    packets = {name: load.calls * load.seconds * 50 * 2 for name, load in make_captures.LOADS.items() if load.media}
    assert packets == {"rtp-heavy": 12_000_000, "rtp-600k": 600_000}
    assert make_captures.LOADS["sip-heavy"].calls * 7 == 350_000


def test_dpkt_counts_what_the_generator_says_in_order_of_time(tmp_path: pathlib.Path) -> None:
    written = make(tmp_path, "rtp-600k", "--calls", "5", "--seconds", "3", "--concurrent", "2")
    times, kinds = [], []
    with pathlib.Path(written["file"]).open("rb") as file:
        for time, frame in dpkt.pcap.Reader(file):
            udp = dpkt.ethernet.Ethernet(frame).data.data
            times.append(time)
            kinds.append("sip" if udp.dport == 5060 else "rtp" if udp.data[:1] == b"\x80" else "?")
    assert times == sorted(times)
    assert (kinds.count("sip"), kinds.count("rtp"), len(kinds)) == (35, 2 * 5 * 3 * 50, 35 + 1500)
    assert (written["messages"], written["rtp_packets"], written["packets"]) == (35, 1500, 1535)
    assert (written["calls"], written["streams"]) == (5, 10)
    assert pathlib.Path(written["file"]).stat().st_size == written["bytes"]


def test_a_capture_of_signalling_has_seven_messages_a_call(tmp_path: pathlib.Path) -> None:
    written = make(tmp_path, "sip-heavy", "--calls", "20", "--seconds", "1", "--concurrent", "4")
    with pathlib.Path(written["file"]).open("rb") as file:
        lines = [dpkt.ethernet.Ethernet(frame).data.data.data.split(b" ")[0] for _, frame in dpkt.pcap.Reader(file)]
    assert {line: lines.count(line) for line in lines} == {b"INVITE": 20, b"SIP/2.0": 80, b"ACK": 20, b"BYE": 20}
    assert (written["messages"], written["rtp_packets"]) == (140, 0)


def test_the_same_bytes_are_written_every_time(tmp_path: pathlib.Path) -> None:
    first, second = (make(tmp_path / name, "rtp-600k", "--calls", "2", "--seconds", "1") for name in "ab")
    assert pathlib.Path(first["file"]).read_bytes() == pathlib.Path(second["file"]).read_bytes()


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: " ".join(options) or "plain")
def test_tshark_finds_every_call_and_stream_and_nothing_wrong(tmp_path: pathlib.Path, options: list[str]) -> None:
    written = make(tmp_path, "rtp-600k", "--calls", "3", "--seconds", "2", *options)
    fields = ["rtp.ssrc", "sip.Call-ID", "sdp.media.port", "_ws.expert.message", "vlan.id", "frame.time_delta"]
    command = ["tshark", "-r", written["file"], "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    command += ["-T", "fields", *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == written["packets"]
    ssrc, call_id, ports, expert, vlan, delta = zip(*rows, strict=True)
    streams = {value: ssrc.count(value) for value in set(ssrc) - {""}}
    assert sorted(streams.values()) == [100] * 6
    assert len(set(call_id) - {""}) == 3
    assert sum(value != "" for value in call_id) == written["messages"] == 21
    assert sum(value != "" for value in ports) == 6
    assert set(expert) == {""}
    assert set(vlan) == ({"7"} if "--vlan" in options else {""})
    assert min(map(float, delta)) >= 0


def test_the_faster_command_has_a_ratio_below_one(tmp_path: pathlib.Path) -> None:
    pair = run.Pair("a capture", "sleep 0.01", "sleep 0.2", limit=0.9, limit_mb=1000)
    cells = run.measure(pair, tmp_path, 2)
    assert 0 < float(cells[3].split()[0]) < 0.9
    assert cells[4].endswith("met")
    assert float(cells[7].split()[0]) > 0


def test_a_ratio_beyond_its_limit_is_said_to_be_missed(tmp_path: pathlib.Path) -> None:
    cells = run.measure(run.Pair("a capture", "sleep 0.1", "sleep 0.01", limit=0.5, limit_mb=0.001), tmp_path, 1)
    assert "missed (time, memory)" in cells[4]


def test_a_tool_that_is_absent_is_named_and_left_out(tmp_path: pathlib.Path) -> None:
    cells = run.measure(run.Pair("a capture", "true", "no-such-program FILE"), tmp_path, 1)
    assert cells[3] == "no-such-program is not installed"


def test_a_command_that_fails_is_not_timed() -> None:
    with pytest.raises(SystemExit, match="exit status 1"):
        run.run(["false"])
