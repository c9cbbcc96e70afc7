"""UDP payloads told apart, and what an RTP header says."""

from __future__ import annotations

import struct

import pytest

from sipanalyzer.kernels import columns as c
from tests.decoding import INVITE, RTCP, RTP, assert_twin, decode, udp_frame


def rtp(first: int, second: int = 0, rest: bytes = bytes(20)) -> bytes:
    return struct.pack(">BBHII", first, second, 1, 2, 3) + rest


HEP_OLD = struct.pack(">BBBBHH", 1, 16, 2, 17, 5060, 5060) + bytes(8)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (rtp(0x80), c.RTP),
        (rtp(0x80, 0, b""), c.RTP),
        (rtp(0x80)[:11], c.OTHER),
        (rtp(0x40), c.OTHER),
        (rtp(0xC0), c.OTHER),
        (rtp(0x8F, 0, bytes(59)), c.OTHER),  # 15 CSRCs need 60 bytes
        (rtp(0x8F, 0, bytes(60)), c.RTP),
        (rtp(0x90, 0, b"\xbe\xde\0\x05" + bytes(19)), c.OTHER),  # an extension of 20 bytes
        (rtp(0x90, 0, b"\xbe\xde\0\x05" + bytes(20)), c.RTP),
        (RTCP, c.RTCP),
        (struct.pack(">BBHI", 0x80, 203, 1, 9), c.RTCP),
        (struct.pack(">BBH", 0x80, 203, 0), c.OTHER),
        (struct.pack(">BBHII", 0x80, 0x80 | 72, 9999, 2, 3) + bytes(160), c.RTP),  # payload type 72 with a marker
        (INVITE, c.SIP),
        (b"\r\n\r\n" + INVITE, c.SIP),
        (b"SIP/2.0 200 OK\r\n\r\n", c.SIP),
        (b"\r\n\r\n", c.OTHER),
        (b"\r\n", c.OTHER),
        (b"\0", c.OTHER),
        (b"", c.OTHER),
        (b"\0" * 4, c.OTHER),
        (bytes.fromhex("0001000c2112a442") + bytes(24), c.STUN),
        (bytes.fromhex("000100082112a443") + bytes(20), c.STUN),  # RFC 3489
        (bytes.fromhex("000100092112a443") + bytes(20), c.OTHER),
        (bytes.fromhex("001100082112a443") + bytes(20), c.OTHER),
        (bytes.fromhex("16fefd0000000000000000001001") + bytes(15), c.DTLS),
        (bytes.fromhex("16fefe0000000000000000001001") + bytes(15), c.OTHER),
        (b"\x40\x01\x00\x04abcd", c.TURN),
        (b"\x40\x01\x00\x05abcd", c.OTHER),
        (b"\x40\x01\x00\x05abcde\0\0\0", c.TURN),
        (b"\x50\x01\x00\x04abcd", c.OTHER),
        (b"HEP3\x00\x10" + bytes(10), c.HEP),
        (b"HEP3\x00\x20" + bytes(10), c.OTHER),
        (HEP_OLD + b"x", c.HEP),
        (HEP_OLD, c.OTHER),
        (b"\x02" + HEP_OLD[1:] + bytes(12) + b"x", c.HEP),
        (b"\x02" + HEP_OLD[1:] + bytes(12), c.OTHER),
        (b"\x03" + HEP_OLD[1:] + b"x" * 30, c.OTHER),
        (b"\x01\x10\x0a\x11" + HEP_OLD[4:] + b"x" * 30, c.OTHER),  # an IPv6 family with an IPv4 length
    ],
)
def test_udp_payloads_are_told_apart_by_content(payload: bytes, kind: int) -> None:
    assert decode(udp_frame(payload))[0] == kind
    assert_twin(udp_frame(payload))


def test_rtp_payload_leaves_out_csrc_extension_and_padding() -> None:
    header = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 2, 96, 1, 2, 3) + bytes(8)  # 2 CSRCs
    extension = b"\xbe\xde\0\x01" + bytes(4)
    payload = header + extension + b"PAYLOAD" + b"\4\4\4\4"
    kind, row = decode(udp_frame(payload))
    assert (kind, row[c.SIZE], row[c.PT]) == (c.RTP, 7, 96)
    assert row[c.EVENT] == int.from_bytes(b"PAYL", "big")
    # cut: the padding's length is not there, so only the UDP length speaks
    frame = udp_frame(payload)
    kind, row = decode(frame[:-1], wire=len(frame))
    assert (kind, row[c.SIZE]) == (c.RTP, 11)
    # padding longer than the packet is an encrypted packet's last byte
    assert decode(udp_frame(payload[:-1] + b"\xff"))[1][c.SIZE] == 11
    # padding alone
    assert decode(udp_frame(struct.pack(">BBHII", 0xA0, 96, 1, 2, 3) + b"\0\0\0\x04"))[1][c.SIZE] == 0


def test_a_cut_rtp_packet_has_its_size_on_the_wire() -> None:
    frame = udp_frame(RTP)
    kind, row = decode(frame[:54], wire=len(frame))  # 14 + 20 + 8 + 12
    assert (kind, row[c.SIZE], row[c.EVENT]) == (c.RTP, 160, 0)
    assert decode(frame[:53], wire=len(frame))[0] == c.OTHER
