"""RTCP meets streams: lines of the table, figures of streams, copies, limits and ciphertext."""

from __future__ import annotations

import dataclasses
import io
import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from sipanalyzer.calls.reports import Reports, ReportTable, where_lost
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Endpoint, Stream
from tests.builders import ntp, receiver_report, report_block, rtcp_bye, sender_report, source_description
from tests.calls.words import table
from tests.output.results import make_call, make_stream
from tests.tape import PCMA, A, B, Tape, sdp

S = 1_000_000_000
MS = 1_000_000
HERE, THERE = ("10.0.0.1", 4001), ("10.0.0.2", 5001)
FORTH = make_stream(
    ssrc=0x11, src=("10.0.0.1", 4000), dst=("10.0.0.2", 5000), start=0, end=10 * S, expected=500, lost=0,
    first_sequence=1000, clock_rate=8000, call_id="one",
)  # fmt: skip
BACK = dataclasses.replace(FORTH, ssrc=0x22, src=FORTH.dst, dst=FORTH.src)

Sent = tuple[float, Endpoint, Endpoint, bytes]


def told(
    packets: Iterable[Sent], streams: Sequence[Stream] = (FORTH, BACK), script: str = "", **options: Any
) -> tuple[Reports, list[str | None]]:
    collected = ReportTable(Options(**options))
    codes = [
        collected.add(src, dst, round(at * S), number, 0, payload)
        for number, (at, src, dst, payload) in enumerate(packets, 1)
    ]
    return collected.finish(streams, [make_call(call_id="one", streams=(0, 1))], table(script)), codes


def forth_and_back(lost: int = 10) -> list[Sent]:
    """Two sender reports of the caller, each answered 40 ms later by a receiver that waited 15 ms."""
    packets: list[Sent] = []
    for at in (2.0, 7.0):
        stamp = ntp(round(at * S) + 1_700_000_000 * S)
        packets.append((at, HERE, THERE, sender_report(0x11, stamp, 160, int(50 * at), 16_000)))
        block = report_block(
            0x11, fraction=5, lost=lost, highest=999 + int(50 * at), jitter=80, lsr=stamp >> 16 & 0xFFFFFFFF,
            dlsr=round(0.015 * 65536),
        )  # fmt: skip
        packets.append((at + 0.040, THERE, HERE, receiver_report(0x22, [block]) + source_description(0x22, "b")))
    return packets


def test_a_line_for_each_block_and_each_packet_without_one():
    reports, codes = told(forth_and_back())
    assert codes == [None] * 4
    assert [row.type for row in reports.rows] == ["SR", "RR", "SDES"] * 2
    answer = reports.rows[1]
    assert (answer.time, answer.frame, answer.src, answer.dst) == (2_040_000_000, 2, THERE, HERE)
    assert (answer.ssrc, answer.reported_ssrc, answer.stream, answer.call_id) == (0x22, 0x11, 0, "one")
    assert (answer.cumulative_lost, answer.extended_highest, answer.jitter_ms) == (10, 1099, 10.0)
    assert answer.fraction_lost_percent == pytest.approx(100 * 5 / 256)
    assert answer.rtt_ms == pytest.approx(25.0, abs=0.05)
    assert reports.rows[0].reported_ssrc is None
    assert dict(reports.rows[0].values) == {"packets_sent": 100, "octets_sent": 16_000}
    assert {row.call_id for row in reports.rows} == {"one"}


def test_figures_of_the_stream():
    ((index, figures),) = told(forth_and_back())[0].by_stream.items()
    assert index == 0
    assert figures.rtcp_lost_percent == pytest.approx(100 * 10 / 350)
    assert (figures.rtcp_jitter_ms, figures.received, figures.reports) == (10.0, True, 2)
    assert figures.rtt_ms == pytest.approx(25.0, abs=0.05)
    assert where_lost(FORTH, figures) == "after"
    assert where_lost(dataclasses.replace(FORTH, lost=14), figures) == "before"


def test_mirrored_copies_are_dropped_and_the_same_a_second_later_is_not():
    packets = [(each[0] + later, *each[1:]) for each in forth_and_back() for later in (0, 0.0001)]
    assert told(packets)[0] == dataclasses.replace(
        told(forth_and_back())[0],
        rows=tuple(dataclasses.replace(row, frame=2 * row.frame - 1) for row in told(forth_and_back())[0].rows),
    )
    same = (THERE, HERE, receiver_report(0x22))
    assert len(told([(1, *same), (1.05, *same), (1.11, *same), (3, *same)])[0].rows) == 3


def test_the_same_bytes_at_another_hop_are_no_copy():
    packets = [(1, THERE, HERE, receiver_report(0x22)), (1.001, HERE, ("10.0.0.9", 1), receiver_report(0x22))]
    assert len(told(packets)[0].rows) == 2


def test_extended_reports_tell_round_trips_to_who_only_receives():
    time = struct.pack("!BBHQ", 4, 0, 2, 0xB44DB705_20000000)
    asks = struct.pack("!BBHI", 0x80, 207, 4, 0x22) + time
    delay = struct.pack("!BBHIII", 5, 0, 3, 0x22, 0xB7052000, 0x4000)
    answers = struct.pack("!BBHI", 0x80, 207, 5, 0x11) + delay
    reports, _ = told([(1.0, THERE, HERE, asks), (1.3, HERE, THERE, answers)])
    assert [(row.type, row.reported_ssrc, row.rtt_ms) for row in reports.rows] == [
        ("XR", None, None), ("XR", 0x22, 50.0),
    ]  # fmt: skip
    assert reports.by_stream[1].rtt_ms == 50.0


def test_figures_of_extended_reports_stand_in_one_line_and_jitter_in_ms():
    summary = struct.pack("!BBHIHH6I4B", 6, 0xA0, 9, 0x11, 0, 9, 3, 0, 8, 80, 16, 4, 0, 0, 0, 0)
    voip = struct.pack("!BBHI", 7, 0, 8, 0x11) + bytes([64, 0, 0, 0]) + bytes(24)
    data = struct.pack("!BBHI", 0x80, 207, 1 + 10 + 9, 0x22) + summary + voip
    (row,) = told([(5, THERE, HERE, data)])[0].rows
    values = dict(row.values)
    assert (row.reported_ssrc, row.stream) == (0x11, 0)
    assert (values["lost_packets"], values["max_jitter_ms"], values["loss_percent"]) == (3, 10.0, 25.0)


def test_what_cannot_be_read_is_told_and_what_stands_before_is_kept():
    reports, codes = told(
        [(1, THERE, HERE, b"\x40none"), (2, THERE, HERE, receiver_report(0x22) + b"\x81"), (3, THERE, HERE, b"")]
    )
    assert codes == ["rtcp-malformed"] * 3
    assert [row.type for row in reports.rows] == ["RR"]


def test_ciphertext_gives_no_figures():
    cipher = receiver_report(0x22, [report_block(0x77, fraction=99, lost=999, highest=5)])
    srtcp = cipher + struct.pack("!I", 0x80000003) + bytes(10)
    unknown = cipher + b"\x5a" * 24
    reports, _ = told([(1, THERE, HERE, srtcp), (2, THERE, HERE, unknown)])
    assert [(row.type, row.ssrc, row.reported_ssrc, row.cumulative_lost) for row in reports.rows] == [
        ("RR", 0x22, None, None)
    ] * 2
    secret = [dataclasses.replace(each, encrypted=True) for each in (FORTH, BACK)]
    cut, _ = told([(1, THERE, HERE, cipher)], secret)  # its end was cut off: SDP says that it is secret
    assert cut.rows[0].reported_ssrc is None
    plain, _ = told(forth_and_back(), secret)  # SSRC and sockets of a stream: not encrypted after all
    assert plain.rows[1].reported_ssrc == 0x11


def test_the_limit_bounds_lines_and_says_so():
    reports, codes = told(forth_and_back(), max_rtcp=4)
    assert len(reports.rows) == 4
    assert codes == [None, None, None, "rtcp-limit"]
    assert told(forth_and_back(), max_rtcp=2)[1] == [None, "rtcp-limit", "rtcp-limit", "rtcp-limit"]
    assert told(forth_and_back(), max_rtcp=0)[0] == Reports()
    script = "9.0 A>B BYE call=one | P-RTP-Stat: PR=7\n"
    assert told(forth_and_back(), script=script, max_rtcp=6)[0].left_out == 1


def test_reports_in_sip_stand_among_them_in_order_of_time():
    script = "5.0 A>B BYE call=one cseq=2 from=a to=b | P-RTP-Stat: PR=7,PL=1\n"
    streams = [FORTH, dataclasses.replace(BACK, direction="callee-to-caller")]
    reports, _ = told(forth_and_back(), streams, script)
    assert [row.type for row in reports.rows] == ["SR", "RR", "SDES", "P-RTP-Stat", "SR", "RR", "SDES"]
    assert (reports.rows[3].stream, reports.rows[3].cumulative_lost) == (1, 1)
    assert reports.by_stream[1].received
    assert reports.by_stream[1].rtcp_lost_percent is None  # not RTCP


def test_who_leaves_and_who_asks_for_a_picture_stands_there():
    pli = struct.pack("!BBHII", 0x81, 206, 2, 0x22, 0x11)
    reports, _ = told([(5, THERE, HERE, pli + rtcp_bye(0x22))])
    assert [(row.type, row.reported_ssrc, row.stream, row.values) for row in reports.rows] == [
        ("PSFB", 0x11, 0, (("pli", 1.0),)), ("BYE", None, None, ()),
    ]  # fmt: skip


def test_each_hop_of_a_relay_has_its_own_figures():
    relay_in, relay_out = ("10.0.0.9", 6001), ("10.0.0.9", 6003)
    near = dataclasses.replace(FORTH, dst=("10.0.0.9", 6000))
    far = dataclasses.replace(FORTH, src=("10.0.0.9", 6002))

    def report(lost: int) -> bytes:
        return receiver_report(0x22, [report_block(0x11, lost=lost, highest=1099, fraction=9)])

    reports, _ = told([(2, THERE, relay_out, report(20)), (2.1, relay_in, HERE, report(1))], [near, far])
    assert [row.stream for row in reports.rows] == [1, 0]
    assert (reports.by_stream[0].lost, reports.by_stream[1].lost) == (1, 20)


def test_memory_is_bounded_whatever_comes():
    collected = ReportTable(Options(max_rtcp=100))
    for k in range(20_000):
        collected.add(HERE, THERE, k * MS, k, 0, sender_report(k, k << 20, 0, 0, 0) + bytes(400))
    assert len(collected._lines) == 100
    assert len(collected._departures._by_source) <= 100
    endless = ReportTable(Options())
    for k in range(5_000):
        endless.add(HERE, THERE, 5, k, 0, receiver_report(k) + bytes(1200))
    assert len(endless._young) + len(endless._old) < 2_000


# ---- whole captures
def test_streams_of_a_capture_meet_their_reports():
    tape = Tape()
    tape.set_up(sdp(A, 4000, PCMA), sdp(B, 5000, PCMA))
    tape.talk(2.1, A, 4000, B, 5000, 500, seq=65_400, ssrc=0x11, lost=range(100, 110))
    result = analyze(io.BytesIO(tape.bytes()))
    (stream,) = result.streams
    collected = ReportTable(Options())
    block = report_block(0x11, fraction=0, lost=15, highest=65536 + 363, jitter=16)
    collected.add((B, 5001), (A, 4001), stream.start + 10 * S, 999, 0, receiver_report(5, [block]))
    reports = collected.finish(result.streams, result.calls, result.messages)
    assert reports.rows[0].call_id == "one"
    assert reports.by_stream[0].rtcp_lost_percent == pytest.approx(3.0)
    assert reports.by_stream[0].rtcp_jitter_ms == 2.0


WITNESSED = [
    "ajbanjara__Wireshark__rtp_conversacion.pcap",
    "negbie__heplify__rtp_rtcp_sip_ipv4_udp.pcap",
    "pentesteracademy__voipshark__SIP-RTP-Normal_Call_two_parties.pcap",
    "p4-team__ctf__transmission.pcap",
    "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng",
]
FIELDS = ("identifier", "fraction", "cum_nr", "ext_high", "jitter", "lsr", "dlsr")


@pytest.mark.parametrize("name", WITNESSED)
def test_tshark_reads_the_same_report_blocks(corpus, name):
    from sipanalyzer.rtp.rtcp import parse_rtcp

    if shutil.which("tshark") is None:
        pytest.skip("no tshark")
    command = ["tshark", "-r", str(corpus / name), "-Y", "rtcp && udp && !icmp", "-T", "fields", "-E", "aggregator=|"]
    for field in ("udp.payload", *(f"rtcp.ssrc.{field}" for field in FIELDS)):
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    blocks = 0
    for line in lines:
        payload, *columns = (line + "\t" * 8).split("\t")[:8]
        if not payload or "|" in payload:
            continue
        said = [[int(value, 0) for value in column.split("|") if value] for column in columns]
        read = [block for packet in parse_rtcp(bytes.fromhex(payload)) for block in packet.reports]
        here = [list(column) for column in zip(*read, strict=True)] or [[]] * 7
        said[0] = said[0][: len(read)]  # it gives SDES chunks the same name
        assert here == said
        blocks += len(read)
    assert blocks > 3


def test_no_messages_and_no_streams_are_fine():
    reports, _ = told(forth_and_back(), [])
    assert not reports.by_stream
    assert {row.stream for row in reports.rows} == {None}
    assert np.all([row.jitter_ms is None for row in reports.rows])
