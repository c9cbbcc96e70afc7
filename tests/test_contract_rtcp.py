"""What the far end reported in RTCP, checked on whole captures: loss, jitter, round trips, extended reports."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from tests.builders import receiver_report, report_block, sender_report
from tests.lossy import (
    BEGIN,
    ask_and_answer,
    bare,
    by_ssrc,
    call,
    figures,
    middle,
    some,
    stamp,
    talk,
    two_ways,
)
from tests.tape import A, B, P, Tape, records, sdp

# ---- RTCP


def test_round_trips_of_both_directions_make_the_delay_of_the_e_model() -> None:
    """30 ms to B and back, 110 ms to A and back: 140 ms there and back, 70 ms one way, and 60 ms of buffer."""
    tape = two_ways()
    for k in range(5):
        ask_and_answer(tape, 3.0 + k, (0.03, 0.02, 0.03, 0.04, 0.9)[k], highest=1000 + 50 * k)
        ask_and_answer(tape, 3.2 + k, 0.11, way="BA", highest=7000 + 50 * k)
    rows = by_ssrc(tape)
    there, back = rows["0x00000011"], rows["0x00000022"]
    assert there["rtt_ms"] == pytest.approx(30.0, abs=0.04)  # the median; LSR and DLSR are cut to 1/65536 s
    assert back["rtt_ms"] == pytest.approx(110.0, abs=0.04)
    for row in (there, back):
        assert row["delay_ms"] == pytest.approx(130.0, abs=0.1)
        assert row["r_factor"] == pytest.approx(talk(600).stream(one_way_delay_ms=130.0)["r_factor"], abs=0.01)
        assert "round trip" in row["mos_notes"]


def test_one_direction_alone_tells_no_delay() -> None:
    tape = two_ways()
    ask_and_answer(tape, 3.0, 0.2, highest=1100)
    row = by_ssrc(tape)["0x00000011"]
    assert row["rtt_ms"] == pytest.approx(200.0, abs=0.04)
    assert row["delay_ms"] == 60.0 and "unknown" in row["mos_notes"]


def test_reports_within_sender_reports_count_as_receiver_reports_do() -> None:
    tape = two_ways()
    tape.udp(3.0, A, 4001, B, 5001, sender_report(0x11, stamp(3.0), 0, 100, 16_000))
    block = report_block(0x11, fraction=64, lost=25, highest=1099, jitter=160, lsr=middle(3.0), dlsr=65_536)
    tape.udp(4.04, B, 5001, A, 4001, sender_report(0x22, stamp(4.04), 0, 100, 16_000, [block]))
    row = by_ssrc(tape)["0x00000011"]
    assert some(row, "rtcp_lost_percent rtcp_jitter_ms") == (25.0, 20.0)
    assert row["rtt_ms"] == pytest.approx(40.0, abs=0.04)
    lines = records(tape.analyze(), "rtcp")
    assert [some(line, "type reported_ssrc fraction_lost_percent cumulative_lost jitter_ms") for line in lines] == [
        ("SR", None, None, None, None), ("SR", "0x00000011", 25.0, 25, 20.0),
    ]  # fmt: skip
    assert lines[1]["rtt_ms"] == row["rtt_ms"]


@pytest.mark.parametrize(
    ("ports", "lines"),
    [
        ((4001, 5001), ((), ())),
        ((4000, 5000), (("rtcp-mux",), ("rtcp-mux",))),
        ((4444, 5555), (("rtcp:4444",), ("rtcp:5555",))),
        ((4444, 5001), ((f"rtcp:4444 IN IP4 {A}",), ())),
    ],
)
def test_rtcp_is_found_on_the_next_port_on_the_same_and_where_sdp_says(
    ports: tuple[int, int], lines: tuple[Sequence[str], Sequence[str]]
) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000, lines=lines[0]), sdp(B, 5000, lines=lines[1]))
    tape.talk(BEGIN, A, 4000, B, 5000, 600, ssrc=0x11)
    tape.talk(BEGIN, B, 5000, A, 4000, 600, ssrc=0x22, seq=7000)
    ask_and_answer(tape, 4.0, 0.05, ports=ports, fraction=26, lost=10, highest=1099, jitter=80)
    rows = by_ssrc(tape)
    assert len(rows) == 2
    assert some(rows["0x00000011"], "rtcp_lost_percent rtcp_jitter_ms") == (10.0, 10.0)
    assert rows["0x00000011"]["rtt_ms"] == pytest.approx(50, abs=0.04)
    assert rows["0x00000022"]["rtcp_lost_percent"] is None


@pytest.mark.parametrize(
    ("formats", "words", "ticks", "ms"),
    [
        (("8 PCMA/8000",), {"payload_type": 8}, 240, 30.0),
        (("96 AMR-WB/16000",), {"payload_type": 96, "step": 320}, 240, 15.0),
        (("96 opus/48000/2",), {"payload_type": 96, "step": 960}, 240, 5.0),
        (("9 G722/8000",), {"payload_type": 9}, 240, 30.0),
    ],
)
def test_jitter_is_in_the_streams_own_clock(formats: tuple[str], words: dict[str, Any], ticks: int, ms: float) -> None:
    tape = talk(600, formats=formats, ssrc=0x11, **words)
    tape.udp(5, B, 5001, A, 4001, receiver_report(0x22, [report_block(0x11, highest=1100, jitter=ticks)]))
    assert tape.stream()["rtcp_jitter_ms"] == ms
    assert records(tape.analyze(), "rtcp")[0]["jitter_ms"] == ms


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        ([(4.0, 0, 1099), (8.0, 0, 1299)], 0.0),
        ([(4.0, 10, 1099), (8.0, 30, 1299)], 10.0),  # the last one: 30 of 300
        ([(4.0, -3, 1099), (8.0, -5, 1299)], 0.0),  # duplicates: negative, which is no loss
        ([(4.0, 5, 65_536 + 1099), (8.0, 15, 65_536 + 1299)], 5.0),  # its count of cycles began at one
        ([(4.0, 10, 1099), (8.0, 30, 1299), (8.5, 30, 1299)], 10.0),
    ],
)
def test_far_end_loss_is_the_last_reports(said: list[tuple[float, int, int]], percent: float) -> None:
    tape = two_ways()
    for at, lost, highest in said:
        block = report_block(0x11, lost=lost, highest=highest, fraction=max(0, lost) and 1)
        tape.udp(at, B, 5001, A, 4001, receiver_report(0x22, [block]))
    assert by_ssrc(tape)["0x00000011"]["rtcp_lost_percent"] == pytest.approx(percent, abs=1e-6)
    told = [row["cumulative_lost"] for row in records(tape.analyze(), "rtcp")]
    assert told == [lost for _, lost, _ in said]


def test_far_end_loss_over_a_wrap_of_the_sequence() -> None:
    tape = call().talk(BEGIN, A, 4000, B, 5000, 1000, ssrc=0x11, seq=65_036)
    for at, lost, highest in ((4.0, 5, 65_135), (14.0, 25, 65_536 + 99), (20.0, 45, 65_536 + 399)):
        tape.udp(at, B, 5001, A, 4001, receiver_report(0x22, [report_block(0x11, lost=lost, highest=highest)]))
    assert tape.stream()["rtcp_lost_percent"] == pytest.approx(100 * 45 / 900)


def test_the_clamp_of_24_bits_is_no_loss_of_eight_million() -> None:
    tape = two_ways()
    block = report_block(0x11, lost=0x7FFFFF, highest=1299, fraction=26)
    tape.udp(8.0, B, 5001, A, 4001, receiver_report(0x22, [block]))
    percent = by_ssrc(tape)["0x00000011"]["rtcp_lost_percent"]
    assert percent is None or 0 <= percent <= 100
    assert percent == pytest.approx(100 * 26 / 256, abs=1e-6)


def test_a_call_that_was_up_before_the_capture_counts_only_what_changed() -> None:
    """2000 lost before the capture began: the reports' difference tells 20 of 200."""
    tape = Tape()
    tape.talk(BEGIN, A, 4000, B, 5000, 600, ssrc=0x11, seq=30_000)
    tape.talk(BEGIN, B, 5000, A, 4000, 600, ssrc=0x22, seq=7000)
    for at, lost, highest in ((4.0, 2000, 30_099), (8.0, 2020, 30_299)):
        block = report_block(0x11, lost=lost, highest=highest, fraction=25)
        tape.udp(at, B, 5001, A, 4001, receiver_report(0x22, [block]))
    tape.bye(30.0)
    assert by_ssrc(tape)["0x00000011"]["rtcp_lost_percent"] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("fraction", "percent"),
    [
        (10, 100 * 10 / 150),  # 100 of 150 lost, and 4 % of the last: it counted before, and the difference is sound
        (170, 100 * 110 / 300),  # 66 % of the last: it is the first
    ],
)
def test_without_sip_a_report_tells_by_its_fraction_whether_it_is_the_first(fraction: int, percent: float) -> None:
    tape = bare(600, ssrc=0x11, seq=30_000)
    for at, lost, highest, last in ((5.0, 100, 30_149, fraction), (8.0, 110, 30_299, 17)):
        block = report_block(0x11, lost=lost, highest=highest, fraction=last)
        tape.udp(at, B, 5001, A, 4001, receiver_report(0x22, [block]))
    assert tape.stream()["rtcp_lost_percent"] == pytest.approx(percent, abs=1e-6)


def test_reports_about_nobody_move_no_stream() -> None:
    tape = two_ways()
    tape.udp(4.0, B, 5001, A, 4001, receiver_report(0x22, [report_block(0x99, lost=50, highest=1099, fraction=128)]))
    tape.udp(4.1, P, 5001, "10.0.0.8", 4001,
             receiver_report(0x22, [report_block(0x11, lost=50, highest=1099, fraction=128)]))  # fmt: skip
    tape.udp(4.2, B, 5001, A, 4001, receiver_report(0x22))
    for row in by_ssrc(tape).values():
        assert some(row, "rtcp_lost_percent rtcp_jitter_ms rtt_ms") == (None, None, None)
    lines = records(tape.analyze(), "rtcp")
    assert [line["reported_ssrc"] for line in lines] == ["0x00000099", "0x00000011", None]
    assert [line["fraction_lost_percent"] for line in lines] == [50.0, 50.0, None]
    assert [line["jitter_ms"] for line in lines] == [None] * 3  # the clock is not known


def test_an_answer_to_a_report_that_was_not_captured_tells_no_round_trip() -> None:
    tape = two_ways()
    block = report_block(0x11, highest=1099, lsr=middle(1.0), dlsr=65_536)
    tape.udp(4.0, B, 5001, A, 4001, receiver_report(0x22, [block]))
    tape.udp(5.0, A, 4001, B, 5001, sender_report(0x11, stamp(5.0), 0, 100, 16_000))
    impossible = report_block(0x11, highest=1150, lsr=middle(5.0), dlsr=10 * 65_536)  # it says it waited ten seconds
    tape.udp(6.0, B, 5001, A, 4001, receiver_report(0x22, [impossible]))
    assert by_ssrc(tape)["0x00000011"]["rtt_ms"] is None


def test_each_hop_of_a_relay_has_its_own_reports() -> None:
    """A sends to P, P the same packets on to B: the reports of P and of B are about their own hop."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(P, 6000), dst=P)
    tape.set_up(sdp(P, 6002), sdp(B, 5000), at=0.01, src=P, dst=B)
    tape.talk(2.2, A, 4000, P, 6000, 600, ssrc=0x11)
    tape.talk(2.21, P, 6002, B, 5000, 600, ssrc=0x11)
    for at, trip, near, far, lost in ((4.0, 0.01, (A, 4001), (P, 6001), 0), (4.1, 0.25, (P, 6003), (B, 5001), 10)):
        tape.udp(at, *near, *far, sender_report(0x11, stamp(4.0), 0, 100, 16_000))
        block = report_block(0x11, lost=lost, fraction=lost, highest=1099, lsr=middle(4.0), dlsr=65_536)
        tape.udp(at + trip + 1, *far, *near, receiver_report(0x22, [block]))
    rows = {row["dst"]: row for row in tape.streams()}
    assert [rows[P]["rtcp_lost_percent"], rows[B]["rtcp_lost_percent"]] == [0.0, 10.0]
    assert rows[P]["rtt_ms"] == pytest.approx(10, abs=0.04)
    assert rows[B]["rtt_ms"] == pytest.approx(250, abs=0.04)


def extended(ssrc: int, *blocks: bytes) -> bytes:
    body = struct.pack("!I", ssrc) + b"".join(blocks)
    return struct.pack("!BBH", 0x80, 207, len(body) // 4) + body


def test_extended_and_reduced_size_reports() -> None:
    """VoIP metrics (RFC 3611 4.7) in a packet without SR or RR (RFC 5506), behind one that has."""
    tape = two_ways()
    voip = struct.pack("!BBHIBBBBHHHHBBBBBBBBBBHHH", 7, 0, 8, 0x11, 13, 26, 128, 3, 120, 5000, 140, 20, 127, 127, 127,
                       16, 82, 127, 41, 40, 0, 0, 60, 80, 200)  # fmt: skip
    tape.udp(4.0, B, 5001, A, 4001, extended(0x22, voip))
    block = report_block(0x11, highest=1099, jitter=8, lost=5, fraction=13)
    tape.udp(5.0, B, 5001, A, 4001, receiver_report(0x22, [block]) + extended(0x22, voip))
    lines = records(tape.analyze(), "rtcp")
    assert [some(line, "type reported_ssrc") for line in lines] == [
        ("XR", "0x00000011"), ("RR", "0x00000011"), ("XR", "0x00000011"),
    ]  # fmt: skip
    for word in ("mos_lq=4.1", "mos_cq=4", "r_factor=82", "burst_ms=120", "burst_density_percent=50"):
        assert word in lines[0]["values"]
    row = by_ssrc(tape)["0x00000011"]
    assert some(row, "rtcp_lost_percent rtcp_jitter_ms") == (5.0, 1.0)
    assert row["mos"] == by_ssrc(two_ways())["0x00000011"]["mos"]  # the far end's MOS is never mixed in


def test_who_only_receives_learns_the_round_trip_by_dlrr() -> None:
    """Receiver reference time of B, DLRR of A (RFC 3611 4.4, 4.5): from the capture to A and back."""
    tape = two_ways()
    reference = struct.pack("!BBHQ", 4, 0, 2, stamp(4.0))
    tape.udp(4.0, B, 5001, A, 4001, receiver_report(0x22) + extended(0x22, reference))
    dlrr = struct.pack("!BBHIII", 5, 0, 3, 0x22, middle(4.0), 65_536)
    tape.udp(5.08, A, 4001, B, 5001, sender_report(0x11, stamp(5.08), 0, 100, 16_000) + extended(0x11, dlrr))
    (line,) = [line for line in records(tape.analyze(), "rtcp") if line["rtt_ms"] is not None]
    assert line["rtt_ms"] == pytest.approx(80, abs=0.04)
    assert by_ssrc(tape)["0x00000022"]["rtt_ms"] == pytest.approx(80, abs=0.04)


def test_srtcp_gives_its_type_and_no_figures() -> None:
    secret: dict[str, Any] = {"profile": "RTP/SAVP", "lines": ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]}
    tape = call(**secret)
    tape.talk(BEGIN, A, 4000, B, 5000, 600, ssrc=0x11)
    rng = random.Random(1)
    for k in range(20):
        head = receiver_report(0x22, [bytes(24)])[:8]
        sealed = head + rng.randbytes(24) + struct.pack("!I", 0x80000000 | k) + rng.randbytes(10)
        tape.udp(4 + k / 2, B, 5001, A, 4001, sealed)
    row = tape.stream()
    assert some(row, "rtcp_lost_percent rtcp_jitter_ms rtt_ms") == (None, None, None)
    for line in records(tape.analyze(), "rtcp"):
        assert some(line, "type ssrc reported_ssrc cumulative_lost") == ("RR", "0x00000022", None, None)


def test_mirrored_reports_stand_once_in_the_table() -> None:
    tape = two_ways()
    ask_and_answer(tape, 4.0, 0.05, lost=5, highest=1099, fraction=13)
    once = figures(tape.analyze())
    twice = figures(tape.doubled().analyze())
    assert twice["rtcp"] == once["rtcp"]
    row = next(row for row in twice["streams"] if row["ssrc"] == "0x00000011")
    assert row["rtcp_lost_percent"] == 5.0
