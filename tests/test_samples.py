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
HARMLESS = {
    "mirror_port.pcap": {"sip-capture-duplicate"},
}
UNITS = ("_ms", "_s", "_percent")
TOLERANCE = {
    "rtt_ms": 0.04,
    "delay_ms": 0.04,
    "_ms": 0.002,
    "_s": 2e-6,
    "_percent": 1e-6,
    "burst_ratio": 1e-6,
    "value": 1e-6,
}
"""By column or unit: recordings are in microseconds, tshark gives jitter to three places, RTCP has 1/65536 s."""
WHOLE = ("registrations", "pages", "probes", "subscriptions", "rtcp")
"""Tables of which every row must be written down; of a recording only where it has any."""
SOME = {"captures": (), "endpoints": ("address",), "statistics": ("metric", "scope"), "intervals": ("stream", "start")}
"""Tables of which the telling rows are written down, and what finds a row."""
ALARMS = {"error", "warning"}
"""Severities of which every finding must be written down."""
R_TOLERANCE, MOS_TOLERANCE = 0.11, 0.011
"""The grid has R to one place and MOS to two."""


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
    assert len(captures) >= 56
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
    """What a row of a table has other than it should; of a list, all must be among what is there."""
    wrong = [
        f"{name}: {found[name]!r}, must be missing" for name in wanted.get("missing", ()) if not is_missing(found[name])
    ]
    for name, value in wanted.items():
        if name == "missing":
            continue
        there = found[name]
        if is_missing(there):
            same = False
        elif isinstance(value, float):
            unit = name if name in TOLERANCE else next((u for u in UNITS if name.endswith(u)), None)
            same = math.isclose(float(there), value, rel_tol=1e-9, abs_tol=TOLERANCE[unit] if unit else 0.0)
        elif isinstance(value, list):
            same = set(value) <= set(there.split(","))
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
def test_every_row_of_the_other_tables_is_found(entry: dict[str, Any]) -> None:
    analysis = analysis_of(entry["name"])
    for table in WHOLE:
        wanted = entry.get(table, [])
        if "recorded" in entry and not wanted:
            continue
        rows = sorted(with_milliseconds(analysis, table), key=lambda row: row["at_ms"])
        wrong = [differences(row, want) for row, want in zip(rows, sorted_as_told(wanted), strict=False)]
        assert (table, len(rows), [each for each in wrong if each]) == (table, len(wanted), [])


def with_milliseconds(analysis: Any, table: str) -> list[dict[str, Any]]:
    """Rows of a table, with the time of each since the capture's first packet."""
    first = analysis.captures["first"].iloc[0]
    rows = getattr(analysis, table).to_dict("records")
    for row in rows:
        row["at_ms"] = (row["time" if "time" in row else "start"] - first).total_seconds() * 1000
    return rows  # type: ignore[no-any-return]


def sorted_as_told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in order of time where they tell it, else as they stand."""
    return sorted(rows, key=lambda row: row["at_ms"]) if all("at_ms" in row for row in rows) else rows


@each_file()
def test_the_telling_rows_of_tables_are_found(entry: dict[str, Any]) -> None:
    analysis = analysis_of(entry["name"])
    for table, keys in SOME.items():
        rows = getattr(analysis, table).to_dict("records")
        for want in entry.get(table, []):
            mine = [row for row in rows if all(row[key] == want[key] for key in keys)]
            assert len(mine) == 1, f"{table}: {want}"
            assert not differences(mine[0], want)


@each_file()
def test_the_calls_of_a_conversation_share_a_session(entry: dict[str, Any]) -> None:
    sessions: dict[int, set[str]] = {}
    for row in analysis_of(entry["name"]).calls.to_dict("records"):
        sessions.setdefault(row["session"], set()).add(row["call_id"])
    wanted = entry.get("sessions") or [{"call_ids": [row["call_id"]]} for row in entry.get("calls", [])]
    assert sorted(map(sorted, sessions.values())) == sorted(sorted(each["call_ids"]) for each in wanted)


@each_file()
def test_every_key_that_was_pressed_is_found(entry: dict[str, Any]) -> None:
    result = analysis_of(entry["name"]).result
    pressed = [(digit, call.call_id) for call in result.calls for digit in call.digits]
    wanted = entry.get("digits", [])
    assert len(pressed) == len(wanted)
    for (digit, call_id), want in zip(sorted(pressed, key=lambda each: each[0].time), wanted, strict=True):
        row = {name: getattr(digit, name) for name in ("key", "duration_ms", "method", "direction")}
        assert not differences(row | {"at_ms": (digit.time - result.captures[0].first) / 1e6, "call_id": call_id}, want)


@each_file()
def test_every_stream_has_the_quality_that_the_grid_gives_it(entry: dict[str, Any]) -> None:
    by_delay: dict[float, list[dict[str, Any]]] = {}
    for want in entry.get("rated", []):
        by_delay.setdefault(want["one_way_delay_ms"], []).append(want)
    for delay_ms, wanted in by_delay.items():
        rows = rated_at(entry["name"], delay_ms).streams.to_dict("records")
        for want in wanted:
            (row,) = [row for row in rows if all(row[key] == want[key] for key in ("ssrc", "src_port", "dst_port"))]
            assert row["r_factor"] == pytest.approx(want["r_factor"], abs=R_TOLERANCE)
            assert row["mos"] == pytest.approx(want["mos"], abs=MOS_TOLERANCE)
            assert (row["mos_scale"], row["mos_basis"]) == ("NB", "published")


def rated_at(name: str, delay_ms: float) -> Any:
    import sipanalyzer

    return sipanalyzer.analyze(str(FOLDER / name), one_way_delay_ms=float(delay_ms))


# what sipanalyzer says of it


@each_file()
def test_every_finding_is_made_and_no_other_alarm_is_raised(entry: dict[str, Any]) -> None:
    found = analysis_of(entry["name"]).findings.to_dict("records")
    wanted = entry.get("findings", [])
    alarms = Counter(named(row) for row in found if row["severity"] in ALARMS)
    assert alarms == Counter(named(row) for row in wanted if row["severity"] in ALARMS)
    for want in wanted:
        mine = [row for row in found if named(row) == named(want) and not finding_differences(row, want)]
        assert mine, f"{want} is not among {[row for row in found if row['code'] == want['code']]}"
    assert not {row["code"] for row in found} & set(entry.get("quiet", ()))


def named(row: dict[str, Any]) -> tuple[str, str, str | None]:
    call_id = row.get("call_id")
    return row["severity"], row["code"], None if is_missing(call_id) else call_id


def finding_differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What a finding has other than it should; the values must be in its sentence."""
    plain = {key: value for key, value in wanted.items() if key not in ("values", "doubtful", "call_id")}
    wrong = differences(found, plain)
    wrong += [value for value in wanted.get("values", ()) if value not in found["explanation"]]
    if is_missing(found["doubtful"]) == wanted.get("doubtful", False):
        wrong.append("doubtful")
    return wrong


@each_file()
def test_the_findings_of_a_call_stand_in_order_of_likelihood(entry: dict[str, Any]) -> None:
    found = analysis_of(entry["name"]).findings.to_dict("records")
    wanted = entry.get("findings", [])
    for call in entry.get("calls", []):
        codes = [row["code"] for row in wanted if row.get("call_id") == call["call_id"]]
        mine = [row["code"] for row in found if row["call_id"] == call["call_id"] and row["code"] in codes]
        assert mine == codes


@each_file()
def test_every_finding_has_frames_of_the_file_and_advice(entry: dict[str, Any]) -> None:
    for row in analysis_of(entry["name"]).findings.to_dict("records"):
        assert row["explanation"] and row["advice"]
        frames = [] if is_missing(row["evidence"]) else [int(frame) for frame in row["evidence"].split(",")]
        assert all(1 <= frame <= entry["frames"] for frame in frames)
        assert frames or row["call_id"] is None or is_missing(row["call_id"])


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
NO_SDP = {"partial.pcap", "nat.pcap", "one_sided.pcap", "webrtc_failed.pcap"}
"""tshark finds these streams by its heuristic only."""
LOSES_SIGHT = {"t38.pcap": "0x73800011"}
"""A stream that tshark takes for T.38 from the offer on, though it was refused."""


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
    lost = {key: count for key, count in wanted.items() if key[0] == LOSES_SIGHT.get(entry["name"])}
    assert all(0 < seen.pop(key) < wanted.pop(key) for key in lost)
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
