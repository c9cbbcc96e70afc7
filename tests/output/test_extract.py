"""Extracted calls: analysed again they are the same, for every call of every capture; others read what was written."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
from typing import Any

import dpkt
import pytest

import sipanalyzer
from sipanalyzer.errors import CaptureError
from sipanalyzer.output.extract import extract_calls
from sipanalyzer.output.tables import table
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.builders import START_NS, SYN, Interface, Packet, pcap_bytes, pcapng_bytes
from tests.rereading.test_frames import HTTP, Trunk, ack, answer, framed, message
from tests.tape import A, B, Tape, sdp

ELSEWHERE = {
    "calls": {"capture", "first_frame", "last_frame", "session", "wireshark_filter", "findings"},
    "streams": {"capture", "first_frame", "last_frame", "session", "wireshark_filter"},
    "messages": {"capture", "frame"},
    "dialogs": {"capture", "first_frame"},
    "transactions": {"capture", "first_frame"},
    "intervals": {"stream"},
    "rtcp": {"capture", "frame", "stream"},
}
"""Columns that say where something stands, or what else there is."""

Difference = tuple[str, str, str, str]
"""File, Call-ID (its beginning), table, column."""

UNANSWERED = ("state", "reason")
"""A request is unanswered once the capture goes on for 32 s: what of it is not the call's was left behind."""
SAMPLES: dict[tuple[str, str], dict[str, set[str]]] = {
    ("timeout.pcap", "timeout-1"): {"calls": set(UNANSWERED)},
    ("unreachable.pcap", "unreachable-1"): {"calls": set(UNANSWERED)},
}
CORPUS: dict[tuple[str, str], dict[str, set[str]]] = {
    # both legs have these streams; without the first leg the second is named, and its SDP counts
    ("NormB__sipnab__b2bua-asterisk.pcapng", "M2Q0ZDc1ZGM1NzIyMTlhZTA3NDU3NT"): {"streams": {"also_call_ids"}},
    ("NormB__sipnab__b2bua-asterisk.pcapng", "37686afc57ce24ac655742b3644a7b"): {
        "streams": {"call_id", "also_call_ids", "ptime_negotiated_ms"},
        "intervals": {"call_id"},
    },
    ("ntop__nDPI__fuzz-2006-06-26-2594.pcap", "105\\xb0"): {"calls": set(UNANSWERED)},
    ("ntop__nDPI__fuzz-2006-06-26-2594.pcap", "85216695-42dcdb1d@192&168.1.2"): {"calls": set(UNANSWERED)},
    ("ntop__nDPI__fuzz-2006-06-26-2594.pcap", "11894297-4432a9f8@192.168.1.2"): {"calls": set(UNANSWERED)},
    ("seladb__PcapPlusPlus__sip_reqs.pcap", "12013223@200.57.7.195"): {"calls": set(UNANSWERED)},
}
"""What is not the same, by file and Call-ID."""
FINDINGS = {
    "unanswered-request": "needs the 32 s after it, in which nothing of the call comes",
    "no-media": "is said where the capture goes on, or has media of others",
    "high-loss": "of a stream of two legs is said of the first",
    "far-end-loss": "likewise",
    "low-mos": "likewise",
}
"""Findings of a call that rest on the rest of the capture, and why."""


def table_rows(result: Result, name: str) -> list[dict[str, Any]]:
    made = table(result, name)
    return [dict(zip((c.name for c in made.columns), row, strict=True)) for row in made.rows()]


def rows_of(result: Result, name: str, call_id: str) -> list[dict[str, Any]]:
    """Rows of a table that tell of a call."""
    every = table_rows(result, name)
    if name == "intervals":
        owners = [owners_of(stream) for stream in table_rows(result, "streams")]
        return [row for row in every if call_id in owners[row["stream"]]]
    return [row for row in every if call_id in owners_of(row)]


def owners_of(row: dict[str, Any]) -> set[Any]:
    return {row.get("call_id"), *str(row.get("also_call_ids") or "").split(",")}


def differences(before: Result, after: Result, call_id: str) -> dict[str, set[str]]:
    """Columns in which the rows of a call differ, by table; ``rows`` where there are more or fewer."""
    found: dict[str, set[str]] = {}
    for name, elsewhere in ELSEWHERE.items():
        old, new = rows_of(before, name, call_id), rows_of(after, name, call_id)
        if len(old) != len(new):
            found[name] = {"rows"}
            continue
        columns = {column for x, y in zip(old, new, strict=True) for column in x if x[column] != y[column]}
        if columns - elsewhere:
            found[name] = columns - elsewhere
    return found


def findings_of(result: Result, call_id: str) -> set[str]:
    return {row["code"] for row in rows_of(result, "findings", call_id)}


def check(path: pathlib.Path, target: pathlib.Path, explained: dict[tuple[str, str], dict[str, set[str]]]) -> int:
    """Extract every call of a capture and compare; how many there were."""
    try:
        before = analyze(path)
    except CaptureError:
        return 0
    for call in before.calls:
        extract_calls(before, [path], [call.call_id], target, force=True)
        after = analyze(target)
        known = next((what for (name, begin), what in explained.items() if name == path.name
                      and call.call_id.startswith(begin)), {})  # fmt: skip
        assert differences(before, after, call.call_id) == known, (path.name, call.call_id)
        changed = findings_of(before, call.call_id) ^ findings_of(after, call.call_id)
        assert changed <= FINDINGS.keys(), (path.name, call.call_id)
        assert [each.call_id for each in after.calls] == [call.call_id], path.name
    return len(before.calls)


def test_every_call_of_every_sample_is_the_same(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    paths = sorted(path for path in samples.iterdir() if ".pcap" in path.name)
    assert sum(check(path, tmp_path / "x.pcapng", SAMPLES) for path in paths) > 50


def test_every_call_of_the_corpus_is_the_same(corpus: pathlib.Path, tmp_path: pathlib.Path) -> None:
    paths = sorted(path for path in corpus.iterdir() if path.is_file() and path.suffix in (".pcap", ".pcapng", ".cap"))
    assert sum(check(path, tmp_path / "x.pcapng", CORPUS) for path in paths) > 100


# ---- what was written, read by others
def packets_of(path: pathlib.Path) -> list[tuple[float, bytes]]:
    with path.open("rb") as stream:
        reader = dpkt.pcapng.Reader if path.suffix == ".pcapng" else dpkt.pcap.Reader
        return [(float(time), bytes(data)) for time, data in reader(stream)]


@pytest.mark.parametrize("name", ["plain", "tcp", "fragmented", "mirror_port", "gtp_vlan", "unreachable", "t38"])
def test_dpkt_finds_the_bytes_and_times_of_the_original_in_its_order(
    name: str, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = samples / f"{name}.pcap"
    analysis = sipanalyzer.analyze(path)
    original = iter(packets_of(path))
    kept = packets_of(analysis.call(0).extract(tmp_path / "x.pcapng"))
    assert kept
    for time, data in kept:
        assert any(data == other and abs(time - when) < 1e-6 for when, other in original)


def test_tshark_reads_the_calls_of_every_sample_without_complaint(
    samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    merged = []
    for path in sorted(path for path in samples.iterdir() if ".pcap" in path.name):
        result = analyze(path)
        if result.calls:
            merged.append(extract_calls(result, [path], [result.calls[-1].call_id], tmp_path / f"{path.name}.pcapng"))
    counts = subprocess.run(
        ["capinfos", "-T", "-r", "-c", *map(str, merged)], capture_output=True, text=True, check=True
    )
    assert not [line for line in counts.stderr.splitlines() if "root" not in line]
    told = {line.split("\t")[0]: int(line.split("\t")[1]) for line in counts.stdout.splitlines()}
    for path in merged:
        assert told[str(path)] == analyze(path).captures[0].packets > 0
    for path in merged[::6]:
        run = subprocess.run(["tshark", "-r", str(path)], capture_output=True, text=True, check=True)
        assert not [line for line in run.stderr.splitlines() if "root" not in line]
        assert len(run.stdout.splitlines()) == told[str(path)]


def tshark(path: pathlib.Path, *fields: str) -> list[list[str]]:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    asked = [word for field in fields for word in ("-e", field)]
    run = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *asked], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in run.stdout.splitlines()]


def test_comments_say_which_call_and_which_frames(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = samples / "plain.pcap"
    result = analyze(path)
    target = extract_calls(result, [path], [result.calls[0].call_id], tmp_path / "x.pcapng")
    info = subprocess.run(["capinfos", str(target)], capture_output=True, text=True, check=True).stdout
    assert "SIP call plain-1@192.0.2.10" in info
    assert "813 packets of plain.pcap (frames 1 to 813)" in info
    frames = {int(text.removeprefix("frame ").removesuffix(" of plain.pcap"))
              for protocol, text in tshark(target, "_ws.col.Protocol", "frame.comment") if text}  # fmt: skip
    assert frames >= {int(frame) for frame in result.messages.frame}
    assert len(frames) == 13


def test_interfaces_stay_as_they_were(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = sipanalyzer.analyze(samples / "two_interfaces.pcapng").call(0).extract(tmp_path / "x.pcapng")
    fields = ["frame.interface_id", "frame.interface_name", "frame.encap_type", "frame.time_epoch"]
    assert tshark(target, *fields) == tshark(samples / "two_interfaces.pcapng", *fields)


# ---- several files, and other ways to be read
def call_in_parts() -> Tape:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, 100).talk(2.1, B, 5000, A, 4000, 100, ssrc=0x99)
    tape.bye(5)
    tape.packets.sort(key=lambda packet: packet.time_ns)
    return tape


def test_several_files_become_one_in_order_of_time(tmp_path: pathlib.Path) -> None:
    packets = call_in_parts().packets
    first = [packet for n, packet in enumerate(packets) if n % 3]
    second = [
        packet._replace(data=packet.data[14:], original_length=None) for n, packet in enumerate(packets) if not n % 3
    ]
    (tmp_path / "a.pcap").write_bytes(pcap_bytes(first, nanoseconds=True))
    (tmp_path / "b.pcapng").write_bytes(pcapng_bytes(second, [Interface(101, 9, 77, "eth7")], big_endian=True))
    other = Tape()
    other.set_up(sdp(A, 4000), sdp(B, 5000), call="another", at=1e6)
    (tmp_path / "c.pcap").write_bytes(other.bytes())
    (tmp_path / "README").write_text("no capture")
    sources = [tmp_path / name for name in ("a.pcap", "b.pcapng", "missing.pcap", "c.pcap")]
    with pytest.warns(sipanalyzer.CaptureWarning):
        analysis = sipanalyzer.analyze(sources)
    target = analysis.call(0).extract(tmp_path / "x.pcapng")
    again = analyze(target)
    assert again.captures[0].link_types == ("Raw IP", "Ethernet")
    assert again.captures[0].packets == len(packets)
    assert again.captures[0].anomalies.counts() == {}
    assert differences(analysis.result, again, "one") == {}
    names = {line[0] for line in tshark(target, "frame.interface_name")}
    assert names == {"a.pcap", "eth7"}


def test_only_what_was_analysed_is_extracted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(call_in_parts().bytes())
    options = sipanalyzer.Options(to_time_ns=START_NS + 3 * 10**9)
    target = sipanalyzer.analyze(path, options=options).call(0).extract(tmp_path / "x.pcapng")
    times = [time for time, _ in packets_of(target)]
    assert START_NS / 1e9 <= min(times) < max(times) <= START_NS / 1e9 + 3


def test_a_file_that_breaks_off_gives_what_is_there(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(call_in_parts().bytes()[:-5])
    with pytest.warns(sipanalyzer.CaptureWarning):
        analysis = sipanalyzer.analyze(path)
    target = analysis.call(0).extract(tmp_path / "x.pcapng")
    assert differences(analysis.result, analyze(target), "one") == {}


def test_a_compressed_file_object_is_read_again(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with (samples / "gzipped.pcap.gz").open("rb") as stream:
        analysis = sipanalyzer.analyze(stream)
        target = analysis.call(0).extract(tmp_path / "x.pcapng")
    assert analyze(target).captures[0].packets == analysis.result.captures[0].packets


def test_nothing_is_left_where_the_capture_is_gone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(call_in_parts().bytes())
    analysis = sipanalyzer.analyze(path)
    other = Tape()
    other.talk(0, A, 1, B, 2, 30)
    path.write_bytes(other.bytes())
    with pytest.raises(CaptureError, match="not there any more"):
        analysis.call(0).extract(tmp_path / "x.pcapng")
    path.unlink()
    with pytest.raises(CaptureError):
        analysis.call(0).extract(tmp_path / "x.pcapng")
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_name_becomes_a_harmless_comment(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a\x1b[31m.pcap"
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), call="x\x1b]0;\u202eevil\x07")
    path.write_bytes(tape.bytes())
    target = sipanalyzer.analyze(path).call(0).extract(tmp_path / "x.pcapng")
    assert not [byte for byte in (b"\x1b[31m", "\u202e".encode()) if byte in target.read_bytes()[:300]]


def test_a_session_has_all_its_legs(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "two_legs.pcap")
    alone = analyze(analysis.call(0).extract(tmp_path / "one.pcapng"))
    both = analyze(analysis.call(0).extract(tmp_path / "both.pcapng", session=True))
    assert [len(alone.calls), len(alone.streams)] == [1, 2]
    assert [len(both.calls), len(both.streams), len(both.sessions)] == [2, 4, 1]


def test_a_packet_longer_than_it_was_on_the_wire_is_no_complaint(tmp_path: pathlib.Path) -> None:
    packets = [Packet(each.time_ns, each.data, 0, 10) for each in call_in_parts().packets]
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap_bytes(packets))
    target = sipanalyzer.analyze(path).call(0).extract(tmp_path / "x.pcapng")
    assert len(tshark(target, "frame.number")) == len(packets)


@pytest.mark.parametrize("web", [False, True])
def test_holes_where_other_calls_were_change_nothing(web: bool, tmp_path: pathlib.Path) -> None:
    """Descriptions on a shared connection come late, since what stood before them is left out: media is the same."""
    opus = ("96 opus/48000/2", "101 telephone-event/8000")
    trunk = Trunk()

    def say(src: str, text: bytes, step: float = 0.1) -> None:
        trunk.segment(src, framed(text, src) if web else text, False, step=step)

    def offer(call: str, port: int) -> bytes:
        return message(lambda t: t.request(0, A, B, "INVITE", sdp(A, port, opus), call=call, initial=True))

    trunk.segment(A, b"", False, flags=SYN)
    if web:
        trunk.segment(A, HTTP, False)
    say(A, offer("two", 4002))
    say(B, answer("two", 180))
    say(A, offer("one", 4000), 1)
    say(A, offer("three", 4004))
    say(B, answer("one", 180))
    say(B, answer("two"))
    say(A, ack("two"))
    say(B, answer("one", 200, sdp(B, 5000, opus)), 2)
    say(B, answer("three"))
    say(A, ack("one"))
    at = (trunk.at - START_NS) / 1e9 + 0.1
    tape = Tape()
    tape.talk(at, A, 4000, B, 5000, 900, payload_type=96, step=960, ssrc=1)
    tape.talk(at, B, 5000, A, 4000, 900, payload_type=96, step=960, ssrc=2)
    say(A, message(lambda t: t.request(0, A, B, "BYE", cseq=90, call="one")), 20)
    say(B, message(lambda t: t.reply(0, B, A, 200, method="BYE", cseq=90, call="one")))
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap_bytes(sorted(trunk.packets + tape.packets, key=lambda p: p.time_ns), nanoseconds=True))
    before = analyze(path)
    after = analyze(extract_calls(before, [path], ["one"], tmp_path / "x.pcapng"))
    assert [stream.codec for stream in after.streams] == ["opus", "opus"]
    assert differences(before, after, "one") == {}
    assert after.packets_by_kind["tcp"] < before.packets_by_kind["tcp"]
