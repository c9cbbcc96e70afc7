"""Extended reports (RFC 3611) built byte by byte."""

from __future__ import annotations

import struct

import pytest

from sipanalyzer.rtp.rtcp import parse_rtcp


def xr(*blocks: bytes) -> bytes:
    body = struct.pack("!I", 0x77) + b"".join(blocks)
    return struct.pack("!BBH", 0x80, 207, len(body) // 4) + body


def block(kind: int, specific: int, body: bytes) -> bytes:
    return struct.pack("!BBH", kind, specific, len(body) // 4) + body


VOIP = bytes.fromhex(
    "0000abcd"  # source
    "1a0d8040"  # loss 26/256, discard 13/256, burst density 128/256, gap density 64/256
    "00c81f40"  # bursts of 200 ms, gaps of 8000 ms
    "00960050"  # round trip 150 ms, end system 80 ms
    "ebce3710"  # signal -21 dBm, noise -50 dBm, RERL 55 dB, Gmin 16
    "5a7f2a29"  # R 90, no external R, MOS-LQ 4.2, MOS-CQ 4.1
    "e7000028"  # standard concealment, adaptive, rate 7; nominal 40 ms
    "00500078"  # maximum 80 ms, at most 120 ms
)


def read(*blocks: bytes):
    (packet,) = parse_rtcp(xr(*blocks))
    assert (packet.type, packet.ssrc) == ("XR", 0x77)
    return packet


def test_voip_metrics_by_hand():
    (metrics,) = read(block(7, 0, VOIP)).extended
    assert metrics.ssrc == 0xABCD
    assert dict(metrics.values) == pytest.approx(
        {
            "loss_percent": 10.15625, "discard_percent": 5.078125, "burst_density_percent": 50.0,
            "gap_density_percent": 25.0, "burst_ms": 200, "gap_ms": 8000, "round_trip_ms": 150,
            "end_system_delay_ms": 80, "signal_dbm": -21, "noise_dbm": -50, "rerl_db": 55, "gmin": 16, "r_factor": 90,
            "mos_lq": 4.2, "mos_cq": 4.1, "concealment": 3, "jb_adaptive": 2, "jb_rate": 7, "jb_nominal_ms": 40,
            "jb_maximum_ms": 80, "jb_absolute_maximum_ms": 120,
        }
    )  # fmt: skip


def test_what_is_unavailable_or_not_allowed_is_no_figure():
    body = bytearray(VOIP)
    body[12:14] = b"\0\0"  # no round trip yet
    body[16:19] = b"\x7f\x7f\x7f"
    body[20:24] = bytes([127, 101, 127, 9])
    names = dict(read(block(7, 0, bytes(body))).extended[0].values)
    assert not {"round_trip_ms", "signal_dbm", "noise_dbm", "rerl_db", "r_factor", "external_r", "mos_lq", "mos_cq"} & (
        names.keys()
    )
    assert names["gmin"] == 16


def test_a_statistics_summary_tells_what_its_flags_say():
    body = struct.pack("!IHH6I4B", 0xABCD, 10, 110, 3, 1, 8, 80, 16, 4, 50, 64, 60, 2)
    whole = dict(read(block(6, 0x80 | 0x40 | 0x20 | 0x08, body)).extended[0].values)
    assert whole == {
        "begin_sequence": 10, "end_sequence": 110, "lost_packets": 3, "duplicate_packets": 1, "min_jitter_ticks": 8,
        "max_jitter_ticks": 80, "mean_jitter_ticks": 16, "deviation_jitter_ticks": 4, "min_ttl": 50, "max_ttl": 64,
        "mean_ttl": 60, "deviation_ttl": 2,
    }  # fmt: skip
    assert set(dict(read(block(6, 0x80, body)).extended[0].values)) == {
        "begin_sequence", "end_sequence", "lost_packets",
    }  # fmt: skip


def test_receiver_time_and_the_delay_since_it():
    packet = read(
        block(4, 0, bytes.fromhex("b44db70520000000")),
        block(5, 0, struct.pack("!6I", 0x55, 0xB7052000, 0x54000, 0x56, 1, 2)),
    )
    assert packet.extended[0].receiver_time == 0xB7052000
    assert packet.extended[1].delays == ((0x55, 0xB7052000, 0x54000), (0x56, 1, 2))


def test_run_lengths_tell_their_range_and_unknown_blocks_are_passed_over():
    packet = read(block(200, 0, bytes(8)), block(1, 3, struct.pack("!IHHI", 9, 100, 164, 0x4001_C000)))
    assert [tuple(b[:2]) for b in packet.extended] == [(9, (("loss_rle_begin", 100.0), ("loss_rle_end", 164.0)))]
    assert not packet.defects


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 6, 7])
def test_a_block_too_short_for_its_type_is_a_defect_and_the_next_is_read(kind):
    packet = read(block(kind, 0, bytes(4)), block(7, 0, VOIP))
    assert packet.defects == ("short",)
    assert [b.ssrc for b in packet.extended] == [0xABCD]


def test_a_block_longer_than_its_packet_is_a_defect():
    data = bytearray(xr(block(7, 0, VOIP)))
    data[11] = 9
    assert parse_rtcp(bytes(data))[0].defects == ("short",)
