"""What the fuzz targets of `on_network` begin with: packets, fragments, segments, handshakes."""

from __future__ import annotations

import struct

from sipanalyzer.network.encapsulation import LINKS
from tests.builders import hep3, ipv4, ipv4_fragments, ipv6_fragments, tcp, udp, udp_packet
from tests.decoding import INVITE, RTCP, RTP, carriers
from tests.fuzz.drawing import pieces
from tests.fuzz.on_network import LINK_TYPES, ODD


def _datagram(payload: bytes) -> bytes:
    return udp_packet(payload, "10.0.0.1", 5060, "10.0.0.2", 5061)


def packet_seeds() -> list[bytes]:
    """A packet of every carrier, behind its link type."""
    out = []
    for payload in (INVITE, RTP[:40]):
        for link, packet in carriers(payload).values():
            out.append(bytes([LINK_TYPES.index(link), 0, 8]) + packet)
    turn = udp(struct.pack(">HH", 0x4001, len(RTP)) + RTP, "10.0.0.1", 1, "10.0.0.2", 2)
    return [*out, bytes([3, 0, 8]) + _datagram(RTCP), bytes([3, 9, 8]) + ipv4(turn, "10.0.0.1", "10.0.0.2", 17)]


def odd_seeds() -> list[bytes]:
    """Link headers by their lengths and first bytes, with a packet behind."""
    inner = _datagram(INVITE)
    heads = {
        127: bytes([0, 0, 8, 0, 0, 0, 0, 0]),
        119: bytes(24),
        105: b"",
        192: struct.pack("<BBHI", 0, 0, 8, 105),
        239: struct.pack("<BBH", 2, 0, 0) + struct.pack("<HH", 4 + len(inner), 9),
        10: bytes([0x57]) + bytes(12),
        252: struct.pack(">HH", 12, 4) + b"ip\0\0" + bytes(4),
        6: bytes(14),
        166: b"\0\x21",
        204: b"\0\xff\3\0\x21",
    }
    wlan = b"\x08\0\0\0" + bytes(20) + b"\xaa\xaa\3\0\0\0\x08\0"
    return [
        bytes([ODD.index(link)]) + head + (wlan if link in (105, 119, 127, 192) else b"") + inner
        for link, head in heads.items()
        if link in LINKS
    ] + [bytes([number]) + bytes(30) for number in range(len(ODD))]


def fragment_seeds() -> list[bytes]:
    """In order, the other way round, overlapping, of either version."""
    parts = [bytes([2, 0, 64]), bytes([2, 8, 64]), bytes([0, 16, 30])]
    orders = (parts, parts[::-1], [parts[0], bytes([2, 4, 64]), *parts[1:]])
    return [bytes([version]) + b"".join(order) for version in (0, 1) for order in orders]


def segment_seeds() -> list[bytes]:
    """In order, with a hole, one after another."""
    one = b"".join(bytes([4, 0, 0, 100]) for _ in range(6))
    hole = bytes([0, 0, 0, 90, 0, 0, 200, 50, 2, 1, 0, 80, 0, 0, 90, 110])
    return [b"\xff\xff\xff\xf0" + one, bytes(4) + hole, bytes(4) + hole + one]


def sctp_seeds() -> list[bytes]:
    """Whole messages and fragments of both kinds."""
    head = struct.pack(">HHII", 5060, 5061, 77, 0)

    def chunk(kind: int, tsn: int, flags: int, text: bytes = b"INVITE") -> bytes:
        middle = struct.pack(">HHI", 1, 2, 0) if kind == 0 else struct.pack(">HHII", 1, 0, 2, tsn - 5)
        size = 8 + len(middle) + len(text)
        return struct.pack(">BBHI", kind, flags, size, tsn) + middle + text + bytes(-size % 4)

    out = [pieces(head + chunk(kind, 5, 3) + chunk(kind, 6, 3)) for kind in (0, 64)]
    out += [pieces(*(head + chunk(kind, tsn, flags) for tsn, flags in ((5, 2), (6, 0), (7, 1)))) for kind in (0, 64)]
    return [*out, pieces(head + chunk(0, 7, 1), head + chunk(0, 5, 2), head + chunk(0, 6, 0))]


def icmp_seeds() -> list[bytes]:
    """An error of either version."""
    quoted = _datagram(b"x" * 20)
    six = (
        struct.pack(">IHBB", 6 << 28, 16, 60, 64)
        + bytes(32)
        + bytes([17, 0])
        + bytes(6)
        + struct.pack(">HHHH", 1, 2, 8, 0)
    )
    return [bytes([3, 3]) + bytes(6) + quoted, bytes([1, 4]) + bytes(6) + six]


def check_seeds() -> list[bytes]:
    """A check and its answers; a DTLS handshake."""
    cookie = bytes.fromhex("2112a442") + bytes(12)
    ask = struct.pack(">HH", 1, 8) + cookie + struct.pack(">HHI", 0x24, 4, 9)
    refuse = struct.pack(">HH", 0x111, 8) + cookie + struct.pack(">HHI", 9, 4, 0x401)
    hello = bytes([1, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60, 0xFE, 0xFD]) + bytes(46)
    server = b"\2" + hello[1:46] + b"\0\0\0\0" + struct.pack(">HHHH", 6, 43, 2, 0xFEFC)

    def record(kind: int, content: bytes, epoch: int = 0) -> bytes:
        return struct.pack(">BHHHIH", kind, 0xFEFD, epoch, 0, 1, len(content)) + content

    return [
        pieces(ask, struct.pack(">HH", 0x101, 0) + cookie),
        pieces(ask, refuse),
        pieces(record(22, hello), record(22, server)),
        pieces(record(22, hello), record(21, b"\2\x28")),
        pieces(record(20, b"\1") + record(22, bytes(40), 1)),
    ]


def tls_seeds() -> list[bytes]:
    """Records of a handshake, one a segment and cut in two."""
    hello, alert = bytes([22, 3, 1, 0, 4, 1, 0, 0, 0]), bytes([21, 3, 3, 0, 2, 2, 40])
    change, done = bytes([20, 3, 3, 0, 1, 1]), bytes([22, 3, 3, 0, 8]) + bytes(8)

    def sent(*parts: tuple[int, bytes]) -> bytes:
        return b"".join(bytes([side, len(part)]) + part for side, part in parts)

    return [
        sent((0, hello), (1, alert)),
        sent((0, hello), (1, b"\2" + change + done), (0, change + done)),
        sent((0, hello[:3]), (0, hello[3:]), (1, bytes([23, 3, 3, 0, 60]) + bytes(60))),
    ]


def hep_seeds() -> list[bytes]:
    """Versions 1, 2 and 3."""
    old = struct.pack(">BBBBHH", 1, 16, 2, 17, 5060, 5061) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + INVITE
    timed = struct.pack(">BBBBHH", 2, 16, 2, 17, 5060, 5061) + bytes(8) + struct.pack("<IIHH", 5, 6, 7, 0) + INVITE
    return [hep3(INVITE, "10.0.0.1", 5060, "10.0.0.2", 5061, 10**18), old, timed]


def unpack_seeds() -> list[bytes]:
    """Datagrams, fragments, TCP in pieces, SCTP, ICMP, HEP: raw IP, each behind a byte that says how late."""
    ends = ("10.0.0.1", 5060, "10.0.0.2", 5061)
    length = INVITE[:-2] + b"Content-Length: 0\r\n\r\n"
    segments = [
        ipv4(tcp(part, *ends, seq=at, ack=1, flags=flags), ends[0], ends[2], 6)
        for at, part, flags in (
            (9, b"", 2),
            (10, length, 24),
            (10 + len(length), length[:30], 24),
            (40 + len(length), length[30:], 24),
        )
    ]
    whole = udp(INVITE + bytes(40), *ends)
    late = [
        ipv4_fragments(whole, ends[0], ends[2], identification=4, size=48),
        ipv6_fragments(whole, "::1", "::2", identification=4, size=48),
    ]
    plain = [_datagram(INVITE), _datagram(RTCP), ipv4(sctp_seeds()[0][2:], ends[0], ends[2], 132)]
    plain += [ipv4(icmp_seeds()[0], ends[0], ends[2], 1), _datagram(hep_seeds()[0])]
    return [pieces(*(b"\1" + packet for packet in some)) for some in (segments, segments[::-1], *late, plain)]
