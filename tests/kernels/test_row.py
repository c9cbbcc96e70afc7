"""What rows say of TCP segments, and the hash."""

from __future__ import annotations

import struct

import numpy as np

from sipanalyzer.kernels import columns as c
from sipanalyzer.kernels.row import row_hash
from tests.decoding import INVITE, RTCP, decode, udp_frame


def tcp_frame(flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
    offset = (20 + len(options)) // 4 << 4
    tcp = struct.pack(">HHIIBBHHH", 5060, 40000, 7, 8, offset, flags, 1000, 0, 0) + options + payload
    ends = bytes([10, 0, 0, 1, 10, 0, 0, 2])
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + ends
    return bytes(12) + b"\x08\0" + ip + tcp


def test_tcp_rows_hold_sequence_flags_and_payload() -> None:
    frame = tcp_frame(0x18, INVITE, bytes(12))
    kind, row = decode(frame)
    assert kind == c.TCP
    assert frame[row[c.AT] : row[c.AT] + row[c.LENGTH]] == INVITE
    assert row[c.TCP_SEQ : c.TCP_WIRE + 1] == [7, 8, 0x18 | c.SIP_START, len(INVITE)]
    assert row[c.PORTS] == 5060 << 16 | 40000
    assert decode(tcp_frame(0x18, b"x"))[1][c.TCP_FLAGS] == 0x18  # a keep-alive probe's byte is payload
    assert decode(tcp_frame(0x10))[0] == c.OTHER
    for flags in (0x02, 0x12, 0x11, 0x04):
        kind, row = decode(tcp_frame(flags) + bytes(6))
        assert (kind, row[c.LENGTH], row[c.TCP_ACK]) == (c.TCP, 0, 8 if flags & 0x10 else 0)


def test_a_cut_tcp_segment_says_how_long_it_was() -> None:
    frame = tcp_frame(0x18, INVITE, bytes(12))
    for cut in (14 + 20 + 32 + 10, 14 + 20 + 32, 14 + 20 + 24):
        kind, row = decode(frame[:cut], wire=len(frame))
        assert (kind, row[c.TCP_WIRE], row[c.LENGTH]) == (c.TCP, len(INVITE), max(cut - 66, 0))


def test_rows_of_control_protocols_say_where_their_bytes_are_and_how_many_there_were() -> None:
    stun = bytes.fromhex("0001000c2112a442") + bytes(24)
    dtls = bytes.fromhex("16fefd0000000000000000001001") + bytes(15)
    for kind, payload in ((c.STUN, stun), (c.DTLS, dtls), (c.RTCP, RTCP)):
        frame = udp_frame(payload)
        assert [decode(frame)[0], *decode(frame)[1][c.AT : c.TCP_WIRE + 1]] == [
            kind, 42, len(payload), 0, len(payload), 0, 0,
        ]  # fmt: skip
        _, row = decode(frame[:-3], wire=len(frame))
        assert (row[c.LENGTH], row[c.WIRE_LENGTH], row[c.PORTS]) == (len(payload) - 3, len(payload), 5080 << 16 | 5062)
    relayed = struct.pack(">HH", 0x4001, len(stun)) + stun
    assert decode(udp_frame(relayed)) == (c.TURN, [])


def test_hashes_spread_in_their_low_bits() -> None:
    low = 0xFFFF0A000000
    hashes = [
        row_hash(0, low + src, 0, low + 500, (10_000 + 2 * port) << 16 | 20_000, ssrc)
        for src in range(32)
        for port in range(64)
        for ssrc in range(4)
    ]
    assert len(set(hashes)) == len(hashes)
    buckets = np.bincount(np.array(hashes) & 0x1FFF, minlength=0x2000)  # 8,192 keys in as many places
    assert 0.33 < np.mean(buckets == 0) < 0.41  # e^-1 where they fall by chance
    assert buckets.max() <= 8
