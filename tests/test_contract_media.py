"""The contract's sentences on streams and media, each on a capture made for it: bytes in, tables out, nothing between.

What is expected was worked out by hand from the contract and the RFCs it names, or is computed here in the slow obvious
way. The package is only called from outside.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from tests.builders import gtp_u, receiver_report, rtp, sender_report, udp_frame, vxlan
from tests.tape import PCMA, A, B, C, P, Tape, sdp, section

N, PRIVATE = "203.0.113.5", "192.168.1.10"
"""An address outside a NAT, and one behind it."""


def call(end: float = 30.0, formats: Sequence[str] = PCMA, **words: Any) -> Tape:
    """An answered call between A:4000 and B:5000, media to be added from 2.1 s on."""
    tape = Tape()
    tape.set_up(sdp(A, 4000, formats, **words), sdp(B, 5000, formats, **words))
    tape.bye(end)
    return tape


def talk(count: int = 100, **words: Any) -> Tape:
    """That call with one stream from A to B."""
    return call().talk(2.1, A, 4000, B, 5000, count, **words)


def both(tape: Tape, at: float, count: int, a: tuple[str, int] = (A, 4000), b: tuple[str, int] = (B, 5000),
         ssrcs: tuple[int, int] = (0xA, 0xB), **words: Any) -> Tape:  # fmt: skip
    """Media both ways, the callee's 5 ms after the caller's."""
    tape.talk(at, *a, *b, count, ssrc=ssrcs[0], **words)
    return tape.talk(at + 0.005, *b, *a, count, ssrc=ssrcs[1], **words)


def some(row: dict[str, Any], names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names.split())


COUNTS = "packets expected lost duplicates out_of_order restarts"


# ---- the reference's known streams


@pytest.mark.parametrize(
    ("story", "words", "counts"),
    [
        ("five dropped", {"lost": [10, 20, 30, 40, 41]}, (95, 100, 5, 0, 0, 0)),
        ("five twice", {"twice": [10, 20, 30, 40, 41]}, (105, 100, 0, 5, 0, 0)),
        ("duplicates and loss", {"twice": [10, 20], "lost": [30, 31, 32]}, (99, 100, 3, 2, 0, 0)),
        ("last two swapped", {"late": {98: 0.021}}, (100, 100, 0, 0, 1, 0)),
        ("first two swapped", {"late": {0: 0.021}}, (100, 100, 0, 0, 1, 0)),
        ("16-bit wrap", {"seq": 65_500}, (100, 100, 0, 0, 0, 0)),
        ("wrap with the packets at the seam lost", {"seq": 65_500, "lost": [35, 36]}, (98, 100, 2, 0, 0, 0)),
    ],
)
def test_loss_duplicates_swaps_and_wraps_are_told_apart(
    story: str, words: dict[str, Any], counts: tuple[int, ...]
) -> None:
    stream = talk(**words).stream()
    assert some(stream, COUNTS) == counts, story
    assert stream["loss_percent"] == pytest.approx(100 * counts[2] / counts[1])


def test_a_mirror_port_makes_duplicates_and_hides_no_loss() -> None:
    stream = talk().doubled().stream()
    assert some(stream, COUNTS) == (200, 100, 0, 100, 0, 0)
    stream = talk(200, lost=range(5, 200, 10)).doubled().stream()
    assert some(stream, COUNTS + " loss_percent max_jitter_ms") == (360, 200, 20, 180, 0, 0, 10.0, 0.0)


def jumped(delta: int, gap: float = 0.02, count: int = 50, sdp_seen: bool = True, ticks: int | None = None) -> Tape:
    """150 packets, then `count` more whose numbers begin `delta` behind the last one, `gap` seconds after it."""
    tape = call(end=2000.0) if sdp_seen else Tape()
    tape.talk(2.1, A, 4000, B, 5000, 150)
    stamp = 5000 + 149 * 160 + (round(gap * 8000) if ticks is None else ticks)
    return tape.talk(2.1 + 149 * 0.02 + gap, A, 4000, B, 5000, count, seq=1149 + delta, timestamp=stamp)


@pytest.mark.parametrize(
    ("tape", "counts"),
    [
        (jumped(3000), (200, 3199, 2999, 0, 0, 0)),  # not more than 3000 forward
        (jumped(3001), (200, 200, 0, 0, 0, 1)),
        (jumped(28_850), (200, 200, 0, 0, 0, 1)),
        (jumped(3001, count=1), (151, 150, 0, 0, 0, 0)),  # nothing confirms it: a stray
        (jumped(-101), (200, 200, 0, 0, 0, 1)),
        (jumped(-100), (200, 150, 0, 0, 50, 0)),  # not more than 100 back: other packets under the same numbers
        (jumped(2000, 40.0), (200, 2199, 1999, 0, 0, 0)),
        (jumped(3500, 70.0), (200, 3699, 3499, 0, 0, 0)),  # the gap explains it: an outage
        (jumped(3100, 77.0), (200, 3299, 3099, 0, 0, 0)),  # 62 s of packets, 19.5 % less than the gap
        (jumped(3100, 78.0), (200, 200, 0, 0, 0, 1)),  # 20.5 %
        (jumped(90_000, 1800.0), (200, 90_199, 89_999, 0, 0, 0)),  # once round the 16 bits
    ],
)
def test_a_jump_is_a_restart_unless_it_is_small_or_the_gap_explains_it(tape: Tape, counts: tuple[int, ...]) -> None:
    stream = tape.stream()
    assert some(stream, COUNTS) == counts
    assert (stream["max_jitter_ms"], stream["max_skew_ms"]) == (0, 0)


def test_a_restart_seen_twice_is_timed_by_its_first_copy() -> None:
    stream = jumped(3001).doubled(0.003).stream()
    assert some(stream, COUNTS + " max_jitter_ms max_delta_ms") == (400, 200, 0, 200, 0, 1, 0, 20)


def test_a_packet_late_by_99_is_out_of_order_and_no_loss() -> None:
    assert some(talk(300, late={50: 99.5 * 0.02}).stream(), COUNTS) == (300, 300, 0, 0, 1, 0)


def test_the_same_number_with_another_timestamp_is_no_duplicate() -> None:
    tape = talk(50)
    tape.rtp(2.505, A, 4000, B, 5000, seq=1010, timestamp=77_777)
    assert some(tape.stream(), COUNTS) == (51, 50, 0, 0, 1, 0)


def test_a_stray_packet_counts_as_received_and_ends_the_stream_where_it_is_last() -> None:
    tape = talk(50)
    tape.rtp(9.1, A, 4000, B, 5000, seq=40_000, timestamp=1)
    stream = tape.stream()
    assert some(stream, "packets expected lost duration_s") == (51, 50, 0, 7.0)


def test_silence_of_a_minute_with_a_restart_begins_a_stream_only_where_no_sdp_speaks() -> None:
    assert [row["packets"] for row in jumped(30_000, 70.0, sdp_seen=False).streams()] == [150, 50]
    assert [row["packets"] for row in jumped(30_000, 50.0, sdp_seen=False).streams()] == [200]
    assert [row["packets"] for row in jumped(30_000, 70.0).streams()] == [200]
    assert [row["packets"] for row in jumped(1, 70.0, sdp_seen=False).streams()] == [200]


# ---- timing


def test_a_key_press_moves_no_timing_figure() -> None:
    tape = talk(50)
    following = tape.key(3.1, A, 4000, B, 5000, "5", seq=1050, timestamp=5000 + 50 * 160, parts=10)
    tape.talk(3.1 + 12 * 0.02, A, 4000, B, 5000, 50, seq=following, timestamp=5000 + 62 * 160)
    stream = tape.stream()
    assert some(stream, COUNTS) == (112, 112, 0, 0, 0, 0)
    assert some(stream, "codec payload_types max_jitter_ms max_delta_ms mean_delta_ms") == ("PCMA", "8,101", 0, 20, 20)


def held(marker: bool, resumed: bool = False) -> Tape:
    """5 s of hold during which the RTP timestamp stands still."""
    tape = talk(50).talk(8.1, A, 4000, B, 5000, 50, seq=1050, timestamp=5000 + 50 * 160, marks=[0] if marker else [])
    if resumed:
        tape.reinvite(3.2, A, B, sdp(A, 4000, version=2, lines=["sendonly"]), sdp(B, 5000, version=2))
        tape.reinvite(7.9, A, B, sdp(A, 4000, version=3), sdp(B, 5000, version=3), cseq=6)
    return tape


def test_a_hold_is_a_break_where_a_marker_or_sdp_says_it() -> None:
    assert some(held(marker=True).stream(), "max_jitter_ms max_delta_ms lost") == (0, 20, 0)
    assert some(held(marker=False, resumed=True).stream(), "max_jitter_ms max_delta_ms lost") == (0, 20, 0)
    assert some(held(marker=False).stream(), "max_jitter_ms max_delta_ms") == (312.5, 5020.0)


def test_a_jump_of_the_timestamp_is_a_break() -> None:
    tape = talk(50).talk(3.1, A, 4000, B, 5000, 50, seq=1050, timestamp=5000 + 50 * 160 + 400_000)
    assert some(tape.stream(), "max_jitter_ms max_skew_ms lost") == (0, 0, 0)


def test_a_clock_that_is_no_whole_khz_has_no_jitter_of_its_own() -> None:
    tape = call(formats=("96 L16/11025",), ptime=None)
    tape.talk(2.1, A, 4000, B, 5000, 200, payload_type=96, step=441, gap=0.04, payload=bytes(882))
    stream = tape.stream()
    assert some(stream, "codec clock_rate ptime_ms") == ("L16", 11_025, 40.0)
    assert stream["max_jitter_ms"] == pytest.approx(0, abs=1e-9)


def literal(tape: Tape, clock: int, dst_port: int = 5000) -> list[float]:
    """RFC 3550 A.8 after each packet but the first, in ms, from the bytes."""
    value, values, before = 0.0, [], None
    for time, data in sorted((p.time_ns, p.data[42:]) for p in tape.packets):
        if data[0] == 0x80:
            stamp = struct.unpack("!I", data[4:8])[0]
            if before is not None:
                value += (abs((time - before[0]) * clock / 1e9 - (stamp - before[1])) - value) / 16
                values.append(value * 1000 / clock)
            before = time, stamp
    return values


def test_jitter_of_random_delay_is_that_of_the_rfc() -> None:
    rng = random.Random(7)
    tape = talk(200, late={k: rng.uniform(0, 0.03) for k in range(200)})
    values, stream = literal(tape, 8000), tape.stream()
    assert stream["max_jitter_ms"] == pytest.approx(max(values))
    assert stream["mean_jitter_ms"] == pytest.approx(sum(values) / len(values))
    assert stream["max_jitter_ms"] > 5


def test_video_follows_the_rfc_to_the_letter() -> None:
    rng = random.Random(3)
    tape = call(formats=("96 H264/90000",), media="video", ptime=None)
    for k in range(160):
        picture = k // 4
        jump = 500_000 if picture > 20 else 0  # no break in video
        tape.rtp(
            2.1 + picture / 30 + k % 4 * 0.004 + rng.uniform(0, 0.003), A, 4000, B, 5000, seq=k,
            timestamp=3000 * picture + jump, payload_type=96, marker=k % 4 == 3,
        )  # fmt: skip
    values, stream = literal(tape, 90_000), tape.stream()
    assert some(stream, "media codec clock_rate ptime_ms") == ("video", "H264", 90_000, None)
    assert stream["max_jitter_ms"] == pytest.approx(max(values))
    assert stream["mean_jitter_ms"] == pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize("ppm", [200, -200])
def test_drift_is_positive_and_skew_negative_where_the_senders_clock_is_fast(ppm: int) -> None:
    stream = talk(600, gap=0.02 / (1 + ppm * 1e-6)).stream()
    assert stream["clock_drift_ppm"] == pytest.approx(ppm, abs=0.01)
    assert stream["max_skew_ms"] == pytest.approx(-12 * ppm / 1000, rel=0.01)


def test_a_late_packet_has_positive_skew() -> None:
    assert talk(100, late={50: 0.03}).stream()["max_skew_ms"] == pytest.approx(30)


def test_one_packet_has_no_figures_that_take_two() -> None:
    stream = talk(1).stream()
    assert some(stream, "packets expected lost duration_s loss_percent") == (1, 1, 0, 0, 0)
    names = "ptime_ms kbit_s mean_jitter_ms max_jitter_ms max_delta_ms mean_delta_ms max_skew_ms clock_drift_ppm vlan"
    assert some(stream, names) == (None,) * 9


# ---- payload


@pytest.mark.parametrize(
    "words",
    [
        {"extension": b"\xbe\xde" + bytes(8)},
        {"csrc": [1, 2, 3]},
        {"padding": 12},
        {"extension": b"\xbe\xde" + bytes(4), "csrc": [1], "padding": 4},
        {"cut": 54},  # the capture kept the RTP header and nothing behind it
    ],
)
def test_bytes_and_rate_are_those_of_the_payload(words: dict[str, Any]) -> None:
    assert some(talk(**words).stream(), "packets bytes kbit_s lost") == (100, 16_000, 64.0, 0)


def test_packets_cut_before_their_ssrc_are_no_rtp() -> None:
    assert talk(cut=52).streams() == []


@pytest.mark.parametrize(
    ("format_", "payload_type", "step", "gap", "codec", "clock"),
    [
        ("9 G722/8000", 9, 160, 0.02, "G722", 8000),
        ("111 opus/48000/2", 111, 960, 0.02, "opus", 48_000),
        ("97 amr-wb/16000", 97, 320, 0.02, "AMR-WB", 16_000),
        ("8", 8, 160, 0.02, "PCMA", 8000),
        ("4", 4, 240, 0.03, "G723", 8000),
    ],
)
def test_codec_and_clock_come_from_sdp(
    format_: str, payload_type: int, step: int, gap: float, codec: str, clock: int
) -> None:
    tape = call(formats=(format_,)).talk(2.1, A, 4000, B, 5000, 50, payload_type=payload_type, step=step, gap=gap)
    assert some(tape.stream(), "codec clock_rate ptime_ms max_jitter_ms") == (codec, clock, gap * 1000, 0)


def test_a_static_payload_type_needs_no_sdp() -> None:
    stream = Tape().talk(0, A, 4000, B, 5000, 50, payload_type=18, payload=bytes(20)).stream()
    assert some(stream, "codec clock_rate matched call_id direction") == ("G729", 8000, "rtp-only", None, None)
    assert some(stream, "ptime_negotiated_ms encrypted kbit_s") == (None, None, 8.0)


@pytest.mark.parametrize(
    ("clock", "step", "ptime_ms"), [(48_000, 960, 20), (16_000, 320, 20), (8000, 480, 60), (11_025, 441, 40)]
)
@pytest.mark.parametrize("count", [10, 600])
def test_a_dynamic_payload_type_without_sdp_has_a_clock_and_no_codec(
    clock: int, step: int, ptime_ms: int, count: int
) -> None:
    stream = Tape().talk(0, A, 4000, B, 5000, count, payload_type=96, step=step, gap=ptime_ms / 1000).stream()
    assert some(stream, "codec clock_rate ptime_ms media") == (None, clock, ptime_ms, "audio")
    assert stream["max_jitter_ms"] == pytest.approx(0, abs=1e-9)


def test_all_payload_types_of_an_ssrc_share_one_sequence_space() -> None:
    formats = ("0 PCMU/8000", "13 CN/8000", "121 red/8000")
    tape = call(formats=formats)
    for k in range(60):
        payload_type = {20: 13, 40: 121, 41: 121}.get(k, 0)
        tape.rtp(
            2.1 + 0.02 * k, A, 4000, B, 5000, seq=k, timestamp=160 * k, payload_type=payload_type,
            payload=bytes(1 if payload_type == 13 else 160),
        )  # fmt: skip
    stream = tape.stream()
    assert some(stream, "packets lost payload_types codec max_jitter_ms") == (60, 0, "0,13,121", "PCMU", 0)


def test_a_payload_type_that_a_reinvite_gives_another_codec_was_both() -> None:
    tape = call(formats=("96 opus/48000/2",))
    tape.talk(2.1, A, 4000, B, 5000, 80, payload_type=96, step=960)
    other = ("96 AMR-WB/16000",)
    tape.reinvite(3.8, A, B, sdp(A, 4000, other, version=2), sdp(B, 5000, other, version=2))
    tape.talk(3.9, A, 4000, B, 5000, 30, payload_type=96, step=320, seq=1080, timestamp=5000 + 90 * 960)
    (made,), (stream,) = tape.both()
    assert made["codecs"] == "opus,AMR-WB"
    assert some(stream, "codec clock_rate payload_types lost max_jitter_ms") == ("opus", 48_000, "96", 0, 0)


def test_codecs_stand_in_order_of_first_use_over_all_streams() -> None:
    tape = call(formats=("8 PCMA/8000", "0 PCMU/8000", "9 G722/8000"))
    tape.talk(2.1, A, 4000, B, 5000, 50).talk(2.3, B, 5000, A, 4000, 50, payload_type=0)
    tape.talk(3.1, A, 4000, B, 5000, 50, payload_type=9, seq=1050, timestamp=5000 + 50 * 160)
    assert tape.both()[0][0]["codecs"] == "PCMA,PCMU,G722"


def test_ptime_negotiated_is_what_the_receiver_asked_for() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000, ptime=30), sdp(B, 5000, ptime=40))
    assert [row["ptime_negotiated_ms"] for row in both(tape, 2.1, 20).streams()] == [40, 30]
    tape = Tape()
    tape.set_up(sdp(A, 4000, ptime=None), sdp(B, 5000, ptime=40))
    assert [row["ptime_negotiated_ms"] for row in both(tape, 2.1, 20).streams()] == [40, None]


def test_dscp_and_vlan_are_the_most_frequent() -> None:
    tape = Tape()
    for dscp, count, vlans in ((10, 10, ()), (20, 20, (7,)), (30, 30, (7,))):
        tape.dscp, tape.vlans = dscp, vlans
        tape.talk(dscp / 10, A, 4000, B, 5000, count, seq=count, timestamp=dscp * 800)
    assert some(tape.stream(), "dscp vlan") == (30, 7)
    assert some(talk().stream(), "dscp vlan") == (0, None)


# ---- which UDP is RTP


def test_what_only_looks_like_rtp_makes_no_stream() -> None:
    rng = random.Random(1)
    makers = [
        lambda k: b"\x80" + rng.randbytes(40),  # version bits 2, and nothing else
        lambda k: struct.pack("!HHHHHH", 0x8000 + k, 0x0100, 1, 0, 0, 0) + b"\x03www\x00\0\1\0\1",  # DNS
        lambda k: bytes([0x80 | rng.randrange(64)]) + rng.randbytes(60),  # QUIC, greased
        lambda k: struct.pack("!HHI", 1, 0, 0x2112A442) + rng.randbytes(12),  # STUN
        lambda k: b"\x16\xfe\xfd" + rng.randbytes(60),  # DTLS
        lambda k: b"\x10\0" + struct.pack("!H", k) + b"ZRTP" + rng.randbytes(60),
        lambda k: struct.pack("!H", k) + b"\x06\x01" + rng.randbytes(30),  # T.38 UDPTL
        lambda k: receiver_report(0xA) + sender_report(0xA, 0, 0, k, k),  # RTCP alone
    ]
    for make in makers:
        noise = Tape()
        for k in range(60):
            noise.udp(3 + 0.02 * k, A, 4000, B, 5000, make(k))
        assert noise.streams() == []


def test_noise_on_an_announced_port_makes_hardly_a_stream() -> None:
    rng = random.Random(2)
    tape = talk(20)
    for k in range(300):
        tape.udp(5 + 0.02 * k, A, 4001, B, 5000, b"\x80" + rng.randbytes(40))
    assert len(tape.streams()) < 10  # two of 128 payload types are described there


def test_a_payload_type_that_no_sdp_has_is_a_stream_of_the_call_after_probation() -> None:
    tape = call().talk(2.1, A, 4000, B, 5000, 50, payload_type=0)
    assert some(tape.stream(), "packets codec matched") == (50, "PCMU", "sdp")


def test_media_in_a_tunnel_and_beside_it_are_one_stream_with_duplicates() -> None:
    for wrap, port in ((lambda frame: vxlan(frame, 7), 4789), (lambda frame: gtp_u(frame[14:], 9), 2152)):
        tape = talk(50)
        for k in range(50):
            inner = udp_frame(rtp(seq=1000 + k, timestamp=5000 + 160 * k, ssrc=0x1234), A, 4000, B, 5000)
            tape.udp(2.10001 + 0.02 * k, "172.16.0.1", 40_000, "172.16.0.2", port, wrap(inner))
        assert some(tape.stream(), COUNTS) == (100, 50, 0, 50, 0, 0)


# ---- streams and their calls


def test_both_directions_are_two_streams_even_with_one_ssrc() -> None:
    (made,), streams = both(call(), 2.1, 50, ssrcs=(7, 7)).both()
    assert [some(row, "direction matched packets ssrc_changes") for row in streams] == [
        ("caller-to-callee", "sdp", 50, 0),
        ("callee-to-caller", "sdp", 50, 0),
    ]
    assert some(made, "packets lost one_way media_latency_ms") == (100, 0, False, pytest.approx(105))


def test_early_media_has_a_negative_latency_and_is_the_calls() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), ringing=sdp(B, 5000))
    tape.talk(0.6, B, 5000, A, 4000, 100)
    (made,), (stream,) = tape.both()
    assert (made["media_latency_ms"], stream["direction"]) == (-1400, "callee-to-caller")


def test_rtp_before_its_sdp_is_tied_and_rtp_before_the_call_is_not() -> None:
    assert {row["matched"] for row in both(call(), 1.5, 100).streams()} == {"sdp"}
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), at=20)
    (made,), streams = both(tape, 0, 100).both()  # over 18 s before the INVITE
    assert {row["matched"] for row in streams} == {"rtp-only"}
    assert some(made, "streams packets media_latency_ms") == (0, None, None)


def test_rtp_after_the_bye_is_the_calls_only_at_once() -> None:
    for at, matched in ((5.0, "sdp"), (14.0, "rtp-only")):
        tape = both(call(end=4.0), 2.1, 50)
        tape.talk(at, A, 4000, B, 5000, 20, ssrc=0xC)
        assert tape.streams()[-1]["matched"] == matched


def test_media_of_two_forks_belong_to_the_call() -> None:
    tape = Tape()
    tape.request(0, A, P, "INVITE", sdp(A, 4000), initial=True)
    tape.reply(0.5, P, A, 183, sdp(B, 5000), tags=("a", "b"))
    tape.reply(0.6, P, A, 183, sdp(C, 6000), tags=("a", "c"))
    tape.talk(0.7, B, 5000, A, 4000, 60, ssrc=0xB, lost=[9]).talk(0.8, C, 6000, A, 4000, 200, ssrc=0xC)
    tape.reply(2, P, A, 200, sdp(C, 6000), tags=("a", "c"))
    tape.talk(2.1, A, 4000, C, 6000, 100, ssrc=0xA)
    (made,), streams = tape.both()
    assert [some(row, "ssrc direction matched") for row in streams] == [
        ("0x0000000b", "callee-to-caller", "sdp"),
        ("0x0000000c", "callee-to-caller", "sdp"),
        ("0x0000000a", "caller-to-callee", "sdp"),
    ]
    assert some(made, "packets lost one_way") == (359, 1, False)


def test_a_reinvite_moves_the_media() -> None:
    tape = both(call(), 2.1, 50)
    tape.reinvite(3.2, A, B, sdp(A, 4400, version=2), sdp(B, 5500, version=2))
    tape.talk(3.05, A, 4400, B, 5500, 50, ssrc=0xA, seq=1048, timestamp=5000 + 48 * 160)  # two packets overlap
    (made,), streams = tape.both()
    assert [some(row, "matched direction ssrc_changes") for row in streams][-1] == ("sdp", "caller-to-callee", 0)
    assert made["packets"] == 150  # one after the other, not two hops


@pytest.mark.parametrize("port", [4000, 4400])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refused_reinvite_or_update_leaves_the_media_as_they_were(method: str, port: int) -> None:
    tape = both(call(), 2.1, 50)
    tape.request(3.2, A, B, method, sdp(A, port, version=2, ptime=40), cseq=5)
    tape.reply(3.25, B, A, 488, cseq=5, method=method)
    for row in both(tape, 7, 50, ssrcs=(0xAA, 0xBB)).streams()[2:]:
        assert some(row, "matched ptime_negotiated_ms ssrc_changes") == ("sdp", 20, 1)


@pytest.mark.parametrize(
    ("pause", "bye"), [(6.0, True), (6.0, False), (1.3, True), (27.0, False)]
)  # 27 s: whatever device it was
def test_a_port_used_again_by_the_next_call_parts_the_same_ssrc(pause: float, bye: bool) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), call="first")
    both(tape, 2.1, 50)
    if bye:
        tape.bye(3.2, call="first")
    at = 3.2 + pause
    tape.set_up(sdp(A, 4000), sdp(B, 5000), at=at, call="second")
    both(tape, at + 2.1, 50, seq=1050, timestamp=5000 + 50 * 160)
    calls, streams = tape.both()
    assert [some(row, "call_id also_call_ids packets lost restarts") for row in streams] == [
        ("first", None, 50, 0, 0), ("first", None, 50, 0, 0), ("second", None, 50, 0, 0), ("second", None, 50, 0, 0),
    ]  # fmt: skip
    assert [some(row, "packets media_latency_ms") for row in calls] == [(100, pytest.approx(105))] * 2


def test_packets_under_way_when_the_next_call_begins_are_not_its() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    tape.reply(0.5, B, A, 183, sdp(B, 5000))
    tape.talk(0.6, B, 5000, A, 4000, 100)  # until 2.58
    tape.request(2, A, B, "CANCEL", initial=True)
    tape.reply(2.1, B, A, 487)
    tape.set_up(sdp(A, 4000), sdp(B, 5000), at=2.3, call="two")
    calls, streams = both(tape, 4.5, 50).both()
    assert [some(row, "call_id also_call_ids packets") for row in streams] == [
        ("one", None, 100), ("two", None, 50), ("two", None, 50),
    ]  # fmt: skip
    assert calls[1]["media_latency_ms"] == pytest.approx(205)


def test_ssrc_changes_count_within_a_direction_and_survive_a_new_port() -> None:
    tape = call()
    for k in range(3):
        tape.talk(2.1 + k, A, 4000, B, 5000, 40, ssrc=k + 1)
    tape.reinvite(5.2, A, B, sdp(A, 4400, version=2), sdp(B, 5500, version=2))
    tape.talk(5.5, A, 4400, B, 5500, 40, ssrc=9)
    assert [row["ssrc_changes"] for row in tape.streams()] == [0, 1, 2, 3]


def test_audio_and_video_on_one_port_are_told_apart() -> None:
    def bundle(address: str, port: int) -> bytes:
        video = section(port, ("96 VP8/90000",), media="video", lines=["mid:1"], ptime=None)
        audio = {"session": ["group:BUNDLE 0 1"], "lines": ["mid:0", "rtcp-mux"]}
        return sdp(address, port, ("111 opus/48000/2",), video, **audio)

    tape = Tape()
    tape.set_up(bundle(A, 4000), bundle(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, 50, ssrc=1, payload_type=111, step=960)
    tape.talk(2.11, A, 4000, B, 5000, 30, ssrc=2, payload_type=96, step=3000, gap=1 / 30)
    tape.udp(2.2, A, 4000, B, 5000, sender_report(1, 0, 0, 10, 10))  # rtcp-mux
    (made,), streams = tape.both()
    assert [some(row, "media codec ptime_negotiated_ms ssrc_changes") for row in streams] == [
        ("audio", "opus", 20, 0),
        ("video", "VP8", None, 0),
    ]
    assert made["codecs"] == "opus,VP8"


def test_media_at_a_candidates_address_is_the_calls() -> None:
    tape = Tape()
    candidate = f"candidate:1 1 UDP 2130706431 {A} 4000 typ host"
    tape.set_up(sdp(N, 40_000, lines=[candidate]), sdp(B, 5000))
    assert {row["matched"] for row in both(tape, 2.1, 20).streams()} == {"sdp"}


def test_ipv6_addresses_match_however_they_are_spelt() -> None:
    x, y = "2001:db8::1", "2001:db8::2"
    tape = Tape()
    tape.set_up(sdp("2001:DB8:0:0:0:0:0:1", 4000), sdp("2001:db8:0::2", 5000), src=x, dst=y)
    streams = both(tape, 2.1, 20, (x, 4000), (y, 5000)).streams()
    assert [some(row, "src matched direction") for row in streams] == [
        (x, "sdp", "caller-to-callee"),
        (y, "sdp", "callee-to-caller"),
    ]


def test_multicast_is_told_by_who_sends_and_a_host_name_by_who_signals() -> None:
    group = "224.2.1.1"
    tape = Tape()
    tape.set_up(sdp(group + "/127", 4000), sdp(group + "/127", 4000))
    tape.talk(2.1, A, 4000, group, 4000, 20, ssrc=1).talk(2.2, B, 4000, group, 4000, 20, ssrc=2)
    assert [row["direction"] for row in tape.streams()] == ["caller-to-callee", "callee-to-caller"]
    tape = Tape()
    tape.set_up(sdp("phone.example.org", 4000), sdp("pbx.example.org", 5000))
    assert {row["call_id"] for row in both(tape, 2.1, 20).streams()} == {"one"}


@pytest.mark.parametrize(
    ("offered", "answered", "near", "far", "matched"),
    [
        ((PRIVATE, 4000), (B, 5000), (N, 62_000), (B, 5000), ["sdp", "nat"]),  # symmetric, another port outside
        ((PRIVATE, 4000), (B, 5000), (N, 4000), (B, 5000), ["sdp", "nat"]),  # the port is kept
        ((PRIVATE, 4000), (B, 5000), ("203.0.113.99", 62_000), (B, 5000), ["sdp", "nat"]),  # not where SIP comes from
        ((PRIVATE, 4000), ("10.9.9.9", 5000), (N, 62_000), (B, 5000), ["nat", "nat"]),  # both private, a port kept
        ((PRIVATE, 4000), ("10.9.9.9", 5000), (N, 62_000), (B, 51_000), ["nat", "nat"]),  # only addresses fit
    ],
)
def test_media_through_nat_are_tied(
    offered: tuple[str, int], answered: tuple[str, int], near: tuple[str, int], far: tuple[str, int], matched: list[str]
) -> None:
    tape = Tape()
    tape.set_up(sdp(*offered), sdp(*answered, ptime=30), src=N)
    tape.bye(30, N)
    (made,), streams = both(tape, 2.1, 50, near, far).both()
    assert [row["matched"] for row in streams] == matched
    assert [row["direction"] for row in streams] == ["caller-to-callee", "callee-to-caller"]
    assert [row["ptime_negotiated_ms"] for row in streams] == [30, 20]
    assert some(made, "streams one_way packets") == (2, False, 100)


def legs(direct: bool) -> Tape:
    """A call through a back-to-back user agent: two legs, two Call-IDs."""
    tape = Tape()
    tape.request(0, A, P, "INVITE", sdp(A, 4000), initial=True, call="near")
    leg = {"call": "far", "tags": ("p", "b")}
    tape.request(0.1, P, B, "INVITE", sdp(A, 4000) if direct else sdp(P, 7002), initial=True, **leg)
    tape.reply(2, B, P, 200, sdp(B, 5000), **leg)
    tape.request(2.02, P, B, "ACK", **leg)
    tape.reply(2.03, P, A, 200, sdp(B, 5000) if direct else sdp(P, 7000), call="near")
    tape.request(2.05, A, P, "ACK", call="near")
    tape.bye(6, A, P, call="near")
    tape.bye(6.05, P, B, **leg)
    return tape


def test_direct_media_behind_a_b2bua_belong_to_both_legs() -> None:
    calls, streams = both(legs(direct=True), 2.1, 100).both()
    assert [some(row, "call_id also_call_ids direction") for row in streams] == [
        ("near", "far", "caller-to-callee"),
        ("near", "far", "callee-to-caller"),
    ]
    assert [some(row, "call_id packets one_way") for row in calls] == [("near", 200, False), ("far", 200, False)]


def test_media_through_a_b2bua_belong_to_their_leg() -> None:
    tape = both(legs(direct=False), 2.1, 100, b=(P, 7000), lost=[5])
    tape.talk(2.11, P, 7002, B, 5000, 100, ssrc=0xC, lost=[5, 6])
    calls, streams = tape.both()
    assert [some(row, "call_id also_call_ids") for row in streams] == [("near", None), ("near", None), ("far", None)]
    assert [some(row, "call_id packets lost") for row in calls] == [("near", 198, 2), ("far", 98, 2)]


@pytest.mark.parametrize("same_ssrc", [True, False])
def test_media_that_a_proxy_relays_count_at_their_worst_hop(same_ssrc: bool) -> None:
    tape = Tape()
    tape.request(0, A, P, "INVITE", sdp(A, 4000), initial=True)
    tape.request(0.01, P, B, "INVITE", sdp(P, 7002), initial=True)
    tape.reply(2, B, P, 200, sdp(B, 5000))
    tape.reply(2.01, P, A, 200, sdp(P, 7000))
    tape.request(2.03, A, P, "ACK")
    tape.request(2.04, P, B, "ACK")
    tape.bye(6, A, P)
    tape.talk(2.1, A, 4000, P, 7000, 100, ssrc=0xA, lost=[5])
    tape.talk(2.102, P, 7002, B, 5000, 100, ssrc=0xA if same_ssrc else 0xFA, lost=[5, 6, 7])
    tape.talk(2.2, B, 5000, P, 7002, 100, ssrc=0xB)
    tape.talk(2.25, P, 7000, A, 4000, 100, ssrc=0xB if same_ssrc else 0xFB, lost=[50])
    (made,), streams = tape.both()
    assert some(made, "streams packets lost one_way") == (4, 97 + 99, 3 + 1, False)
    assert made["loss_percent"] == pytest.approx(100 * 4 / 200)
    assert made["media_latency_ms"] == pytest.approx(240)  # from the caller's 200 to the packet that reaches the caller
    assert [row["ssrc_changes"] for row in streams] == [0, 0, 0, 0]


def test_one_way_is_said_only_where_it_can_be_judged() -> None:
    def judged(tape: Tape) -> Any:
        return tape.both()[0][0]["one_way"]

    assert judged(talk(20)) is True
    assert judged(both(call(), 2.1, 20)) is False
    assert judged(call()) is None
    sends = Tape()
    sends.set_up(sdp(A, 4000, lines=["sendonly"]), sdp(B, 5000, lines=["recvonly"]))
    assert judged(sends.talk(2.1, A, 4000, B, 5000, 20)) is None
    refused = Tape()
    refused.set_up(sdp(A, 4000), sdp(B, 0))
    assert judged(refused.talk(2.1, B, 5000, A, 4000, 20)) is None
    on_hold = both(call(), 2.1, 20)
    on_hold.reinvite(3, A, B, sdp(A, 4000, version=2, lines=["sendonly"]), sdp(B, 5000, version=2, lines=["recvonly"]))
    assert judged(on_hold) is False
    unanswered = Tape()
    unanswered.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    unanswered.reply(0.5, B, A, 183, sdp(B, 5000))
    assert judged(unanswered.talk(0.6, B, 5000, A, 4000, 20)) is None


def test_a_partial_call_has_media_and_no_direction() -> None:
    tape = both(Tape(), 0, 200)
    tape.reinvite(1, A, B, sdp(A, 4000), sdp(B, 5000))
    tape.bye(5)
    (made,), streams = tape.both()
    assert some(made, "partial packets media_latency_ms one_way") == (True, 400, None, None)
    assert [some(row, "call_id direction matched") for row in streams] == [("one", None, "sdp")] * 2


def test_srtp_is_encrypted() -> None:
    words = {
        "profile": "RTP/SAVP",
        "lines": ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9"],
    }
    assert call(**words).talk(2.1, A, 4000, B, 5000, 20).stream()["encrypted"] is True
    assert talk(20).stream()["encrypted"] is False


def test_the_row_of_a_plain_stream_is_whole() -> None:
    stream = talk(100).stream()
    expected = {
        "ssrc": "0x00001234", "src": A, "src_port": 4000, "dst": B, "dst_port": 5000, "call_id": "one",
        "also_call_ids": None, "direction": "caller-to-callee", "matched": "sdp", "media": "audio",
        "payload_types": "8", "codec": "PCMA", "clock_rate": 8000, "ptime_ms": 20.0, "ptime_negotiated_ms": 20.0,
        "kbit_s": 64.0, "dscp": 0, "vlan": None, "duration_s": pytest.approx(1.98), "packets": 100, "bytes": 16_000,
        "expected": 100, "lost": 0, "loss_percent": 0.0, "duplicates": 0, "out_of_order": 0, "restarts": 0,
        "mean_jitter_ms": 0.0, "max_jitter_ms": 0.0, "max_delta_ms": 20.0, "mean_delta_ms": 20.0, "max_skew_ms": 0.0,
        "clock_drift_ppm": None, "ssrc_changes": 0, "encrypted": False, "first_frame": 5, "last_frame": 104,
    }  # fmt: skip
    assert {name: stream[name] for name in expected} == expected
