"""The benchmarks' captures are what they say they are, and the script that times commands says what it saw."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
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
    ["--vxlan"],
    ["--link", "sll2"],
    ["--container", "pcapng", "--vlan", "7", "--ipv6", "--gtp"],
    ["--container", "pcapng", "--link", "sll2", "--ipv6", "--vxlan"],
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


frames, make_captures, rows, run, counts, stages = (
    load(name) for name in ("frames", "make_captures", "rows", "run", "counts", "stages")
)


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


def make_over_tcp(folder: pathlib.Path) -> dict[str, Any]:
    return make(folder, "sip-heavy", "--calls", "200", "--seconds", "2", "--concurrent", "8", "--tcp", "6")


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_finds_every_message_over_tcp_and_nothing_wrong(tmp_path: pathlib.Path) -> None:
    written = make_over_tcp(tmp_path)
    command = ["tshark", "-r", written["file"], "-q", "-o", "tcp.check_checksum:TRUE", "-z", "sip,stat"]
    done = subprocess.run([*command, "-z", "expert,warn"], check=True, capture_output=True, text=True)
    assert "Number of SIP messages: 1400\n" in done.stdout
    assert "Number of resent SIP messages: 0\n" in done.stdout
    assert "Warns" not in done.stdout
    assert "Errors" not in done.stdout
    assert written["messages"] == 1400


def test_messages_over_tcp_share_segments_and_go_over_their_ends(tmp_path: pathlib.Path) -> None:
    written = make_over_tcp(tmp_path)
    times, segments, opened = [], [], 0
    with pathlib.Path(written["file"]).open("rb") as file:
        for time, frame in dpkt.pcap.Reader(file):
            tcp = dpkt.ethernet.Ethernet(frame).data.data
            times.append(time)
            opened += tcp.flags == dpkt.tcp.TH_SYN
            if tcp.data:
                segments.append(bytes(tcp.data))
    assert times == sorted(times)
    assert opened == 6
    starts = [segment.startswith((b"SIP/2.0 ", b"INVITE ", b"ACK ", b"BYE ")) for segment in segments]
    assert 20 < starts.count(False) < len(starts) / 2
    assert sum(segment.count(b"Call-ID: ") > 1 for segment in segments) > 50
    assert max(map(len, segments)) <= 1460


def test_every_row_has_its_captures_and_a_name_of_its_own() -> None:
    assert {name for row in rows.ROWS for name in row.captures} <= set(rows.CAPTURES)
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)
    assert all(pathlib.Path(row.ours.split()[2]).exists() for row in rows.ROWS if not row.captures)


def test_every_row_runs_on_small_captures(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = {line.split(" | ")[0].lstrip("| "): line.split(" | ") for line in done.stdout.splitlines()}
    for row in rows.ROWS:
        if isinstance(row, rows.Growth):
            assert re.fullmatch(r"-?\d+\.\d\d", cells[row.name][4]), cells[row.name]
        elif cells[row.name][1].startswith("mergecap is not installed"):
            assert shutil.which("mergecap") is None
        elif shutil.which(row.theirs.split()[0]) or row.theirs.startswith("python"):
            assert re.fullmatch(r"\d+\.\d\d \(.*\)", cells[row.name][3]), cells[row.name]
            assert "met" not in cells[row.name][4]
        else:
            assert "is not installed" in cells[row.name][3]


def test_large_captures_go_when_no_row_needs_them_any_more(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [run.Pair(name, (f"{capture}.pcap",), "true", "true") for name, capture in ("1a", "2b", "3a")]
    monkeypatch.setattr(run, "ROWS", tuple(pairs))
    monkeypatch.setattr(run, "CAPTURES", {f"{name}.pcap": "rtp-600k --calls 1 --seconds 1" for name in "ab"})
    monkeypatch.setattr(run, "LARGE_BYTES", 1000)
    (tmp_path / "b.pcap").write_bytes(bytes(2000))  # not made by this run
    seen = []
    monkeypatch.setattr(
        run, "measure", lambda pair, *rest: seen.append(sorted(path.name for path in tmp_path.iterdir())) or ["-"]
    )
    monkeypatch.setattr(sys, "argv", ["run.py", "--folder", str(tmp_path)])
    run.main()
    assert seen == [["a.pcap", "b.pcap"]] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["b.pcap"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([100, 150], 1.5), ([2, 5, 17], 1), ([3, 6, 18], 1), ([1, 16, 256], 4), ([2, 5, 18.2], 1.1)],
)
def test_growth_is_one_where_cost_is_linear_whatever_a_start_costs(values: list[float], expected: float) -> None:
    assert run.growth(values) == pytest.approx(expected)


def test_growth_of_memory_beyond_its_limit_is_said_to_be_missed(tmp_path: pathlib.Path) -> None:
    row = run.Growth("more", ("a", "b"), f"{sys.executable} -c 'import sys' FILE", "memory", limit=0.5)
    cells = run.measure_growth(row, [tmp_path / "a", tmp_path / "b"], 1)
    assert cells[5] == "≤ 0.50: **missed**"
    assert 0.8 < float(cells[4]) < 1.2


def test_children_start_as_from_a_users_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    run.run(
        [
            sys.executable,
            "-c",
            "import os, sys; sys.exit(any(name[:8] in ('PYTHONDO', 'PYTHONUN') for name in os.environ))",
        ]
    )


def test_the_faster_command_has_a_ratio_below_one() -> None:
    # A command begins with the memory of what starts it: here of a process that has run many tests.
    pair = run.Pair("a row", (), "sleep 0.01", "sleep 0.2", limit=0.9, limit_mb=100_000)
    cells = run.measure(pair, [], 2)
    assert 0 < float(cells[3].split()[0]) < 0.9
    assert cells[4].endswith("met")
    assert float(cells[7].split()[0]) > 0


def test_what_exceeds_its_limit_is_said_to_be_missed() -> None:
    pair = run.Pair(
        "a row", (), "sleep 0.1", "sleep 0.01", limit=0.5, limit_mb=0.001, messages=1, limit_kb=0.1, limit_first_s=0.05
    )
    assert "missed (time, memory, first run, memory a message)" in run.measure(pair, [], 1)[4]


def test_several_captures_count_together(tmp_path: pathlib.Path) -> None:
    paths = [tmp_path / "0.1", tmp_path / "0.2"]
    total = run.run_on([sys.executable, "-c", "import sys, time; time.sleep(float(sys.argv[1][-3:]))", "FILE"], paths)
    assert total.seconds > 0.3


def test_a_tool_that_is_absent_is_named_and_left_out() -> None:
    cells = run.measure(run.Pair("a row", (), "true", "no-such-program FILE"), [], 1)
    assert cells[3] == "no-such-program is not installed"


def test_a_command_that_fails_is_not_timed() -> None:
    with pytest.raises(SystemExit, match="exit status 1"):
        run.run(["false"])


def test_a_count_above_its_limit_fails_and_one_far_below_asks_for_a_new_one() -> None:
    limits = {"rtp": 1000, "sip": 1000, "sip-tcp": 1000}
    lines, good = counts.judge({"rtp": 1001, "sip": 1000, "sip-tcp": 850}, limits)
    assert not good
    assert "ABOVE the limit of 1,000 by 0.1%" in lines[0]
    assert "within" in lines[1]
    assert "should be lowered" in lines[2]
    assert counts.judge({"rtp": 1000, "sip-tcp": 850}, limits)[1]
    assert counts.judge({"rtp-gtp": 1}, limits) == (
        ["rtp-gtp                   1 instructions a packet; no limit yet: --update"],
        False,
    )


def test_new_limits_let_pass_what_was_counted_and_see_a_tenth_more() -> None:
    before = {"rtp": 5, "sip": 300_000}
    table = tomllib.loads(counts.written({"rtp": 967.3}, before, "3.11"))
    assert table["python"] == "3.11"
    assert table["limits"]["sip"] == 300_000
    assert counts.judge({"rtp": 967.3}, table["limits"])[1]
    assert not counts.judge({"rtp": 967.3 * 1.1}, table["limits"])[1]


def test_every_row_of_counts_has_a_limit_and_the_captures_differ_by_what_it_says(tmp_path: pathlib.Path) -> None:
    table = tomllib.loads(counts.LIMITS.read_text())
    assert set(table["limits"]) == {*counts.WATCHED, counts.WHOLE}
    for watched in counts.WATCHED.values():
        small, large = (
            make(tmp_path, *recipe.split(), "--output", str(tmp_path / "x"))
            for recipe in (watched.small, watched.large)
        )
        what = {"packet": "rtp_packets", "message": "messages"}.get(watched.unit, "calls")
        assert large[what] - small[what] == watched.more


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_slowdown_of_a_tenth_is_seen_whatever_else_the_machine_does(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "WATCHED", {"sip": dataclasses.replace(counts.WATCHED["sip"], more=1)})
    monkeypatch.setattr(counts, "HERE", tmp_path)
    monkeypatch.setattr(counts, "__file__", str(tmp_path / "work.py"))
    (tmp_path / "make_captures.py").write_text("")
    limits: dict[str, float] = {}
    for turns in (100_000, 100_000, 110_000):
        (tmp_path / "work.py").write_text(
            "import os\n"
            f"for size, turns in (('small', 1000), ('large', {turns})):\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            "        for _ in range(turns): pass\n"
            "        os._exit(0)\n"
            "    os.waitpid(child, 0)\n"
            "    print('sip', size, child)\n"
        )
        counted = counts.count(["sip"], tmp_path)
        if not limits:
            limits = tomllib.loads(counts.written(counted, {}, ""))["limits"]
        assert counts.judge(counted, limits)[1] == (turns == 100_000)


@pytest.mark.parametrize("more", [[], ["--functions"]])
def test_stages_add_up_to_the_time_of_the_command(tmp_path: pathlib.Path, more: list[str]) -> None:
    written = make(tmp_path, "rtp-600k", "--calls", "20", "--seconds", "3")
    command = [sys.executable, str(BENCHMARKS / "stages.py"), "streams", written["file"], "--repeats", "1", *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[4:]]
    seen = {name: float(here.split()[0]) for name, here, _ in rows}
    (total,) = (name for name in seen if name.startswith("together"))
    assert seen[total] == pytest.approx(sum(seen.values()) - seen[total], abs=0.3)
    assert seen[total] == pytest.approx(float(total.split()[2]), rel=0.2)
    assert any(name.startswith("start-up") for name in seen)
    assert any(name.startswith("walk and decode") for name in seen)
    assert any(name.startswith("stream state") for name in seen)


def test_every_module_of_the_package_that_works_has_a_stage() -> None:
    package = BENCHMARKS.parent / "sipanalyzer"
    folders = {
        f"sipanalyzer.{path.stem}" for path in package.iterdir() if path.stem not in ("__pycache__", "explanations")
    }
    words = {"errors", "anomalies", "codecs", "options", "result", "facts", "py", "__init__", "__main__"}
    words |= {"frozen", "analysis", "opening", "stream_view", "views"}  # what a person holds, not what a command runs
    missing = {
        name for name in folders if not any(name == start or start.startswith(f"{name}.") for start, _ in stages.STAGES)
    }
    assert missing <= {f"sipanalyzer.{word}" for word in words}
