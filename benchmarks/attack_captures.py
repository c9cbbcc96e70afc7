"""Writes captures that attack an analyzer: floods, bombs, nests and endless lines, each between two honest calls.

Every capture is a pcap (or pcapng) file in order of time: a call ``canary-first@honest``, the attack, a call
``canary-last@honest``; where the attack stands in a compressed file or damages the container, what is behind it may be
out of reach. :data:`ATTACKS` has them all; ``count`` says how much of it. Bytes are the same every time.
"""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from frames import Bytes, Ints, Shape, ip_packet, set_columns, tcp_packet, udp_packet

SHAPE = Shape()
BEGIN_US = 1_704_067_200_000_000  # 2024-01-01T00:00:00Z
CHUNK = 1 << 16  # packets made at a time
EVIL, GOOD = ("10.66.0.1", 5060), ("10.66.0.2", 5060)
IP_ID, IP_OFFSET, IP_SRC, SPORT, DPORT, UDP, SEQ, TCP = 18, 20, 26, 34, 36, 42, 38, 54  # where things are in a frame
ZEROS = 64 << 20  # decompressed bytes of a member of a bomb

Field = Callable[[Ints], Bytes]
"""From the numbers of packets to what stands at one place in each of them."""


def number(dtype: str, times: int = 1, plus: int = 0) -> Field:
    """The packet's number as an integer."""
    width = np.dtype(dtype).itemsize
    return lambda at: ((at * times + plus) % (1 << 8 * width)).astype(dtype).view(np.uint8).reshape(len(at), width)


def digits(width: int = 9, each: int = 1) -> Field:
    """The packet's number in decimal digits, the same for `each` in a row."""
    powers = 10 ** np.arange(width - 1, -1, -1)
    return lambda at: ((at[:, None] // each // powers) % 10 + 48).astype(np.uint8)


def noise(width: int) -> Field:
    """Random bytes, the same every time."""
    return lambda at: np.random.default_rng(int(at[0])).integers(0, 256, (len(at), width), np.uint8)


class Tape:
    """A capture that is being written; time moves on with every packet."""

    def __init__(self, file: BinaryIO, step_us: int = 20) -> None:
        self.file, self.step_us, self.now_us = file, step_us, BEGIN_US
        file.write(SHAPE.header())

    def packets(self, packets: Sequence[bytes]) -> None:
        """IP packets, one after the other."""
        for packet in packets:
            self.file.write(SHAPE.record(SHAPE.wrap(packet, ipv6=False), self.now_us))
            self.now_us += self.step_us

    def many(self, packet: bytes, count: int, fields: dict[int, Field], rest_us: int = 0) -> None:
        """`packet` as often as `count` says, with `fields` (by their place in the frame) written anew in each."""
        record = np.frombuffer(SHAPE.record(SHAPE.wrap(packet, ipv6=False), 0), np.uint8)
        step = rest_us or self.step_us
        for begin in range(0, count, CHUNK):
            at = np.arange(begin, min(begin + CHUNK, count))
            records = np.tile(record, (len(at), 1))
            SHAPE.set_times(records, self.now_us + at * step)
            for place, field in fields.items():
                values = field(at)
                records[:, 16 + place : 16 + place + values.shape[1]] = values
            self.file.write(records.tobytes())
        self.now_us += count * step

    def stream(self, data: Iterator[bytes], src: tuple[str, int] = EVIL, dst: tuple[str, int] = GOOD) -> None:
        """A TCP connection that carries `data`, a segment each."""
        self.packets([tcp_packet(src, dst, 2, 999, 0), tcp_packet(dst, src, 18, 4999, 1000)])
        seq = 1000
        for each in data:
            self.packets([tcp_packet(src, dst, 24, seq & 0xFFFFFFFF, 5000, each)])
            seq += len(each)

    def call(self, name: str, wait: bool = True) -> None:
        """An honest call of a second with G.711 both ways."""
        a, b = ("10.0.0.1", 5060), ("10.0.0.2", 5060)
        self.now_us += 1_000_000 if wait else 0
        step, self.step_us = self.step_us, 20_000

        def sip(src: tuple[str, int], dst: tuple[str, int], start: str, cseq: str, body: bool = False) -> bytes:
            return udp_packet(
                src, dst, message(start, f"canary-{name}@honest", cseq, SDP if body else b""), checksum=False
            )

        invite, bye = "sip:b@10.0.0.2 SIP/2.0", "1 INVITE"
        self.packets(
            [
                sip(a, b, f"INVITE {invite}", bye, body=True),
                sip(b, a, "SIP/2.0 180 Ringing", bye),
                sip(b, a, "SIP/2.0 200 OK", bye, body=True),
                sip(a, b, f"ACK {invite}", "1 ACK"),
            ]
        )
        for i in range(50):
            voice = struct.pack("!BBHII", 0x80, 8, i, i * 160, 7) + b"\xd5" * 160
            self.packets([udp_packet(("10.0.0.1", 4000), ("10.0.0.2", 4000), voice, checksum=False)])
            self.packets([udp_packet(("10.0.0.2", 4000), ("10.0.0.1", 4000), voice, checksum=False)])
        self.packets([sip(a, b, f"BYE {invite}", "2 BYE"), sip(b, a, "SIP/2.0 200 OK", "2 BYE")])
        self.step_us = step


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)


def message(
    start: str, call_id: str, cseq: str, body: bytes = b"", headers: bytes = b"", kind: str = "application/sdp"
) -> bytes:
    """A SIP message."""
    text = (
        f"{start}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{call_id[:60]}{cseq[-3:]}\r\nCall-ID: {call_id}\r\n"
        f"From: <sip:a@10.0.0.1>;tag=1\r\nTo: <sip:b@10.0.0.2>;tag=2\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\n"
    )
    content = f"Content-Type: {kind}\r\n" if body else ""
    return text.encode() + headers + f"{content}Content-Length: {len(body)}\r\n\r\n".encode() + body


def udp(payload: bytes, sport: int = 40_000, dport: int = 40_002) -> bytes:
    """A datagram from the attacker."""
    return udp_packet((EVIL[0], sport), (GOOD[0], dport), payload, checksum=False)


def sip_udp(payload: bytes) -> bytes:
    """One from port 5060 to port 5060."""
    return udp(payload, 5060, 5060)


def rtp(size: int = 20, payload_type: int = 0) -> bytes:
    """RTP's header and a payload."""
    return struct.pack("!BBHII", 0x80, payload_type, 1, 160, 1) + bytes(size)


def places(text: bytes, mark: bytes) -> list[int]:
    """Where `mark` stands in the payload of a datagram, counted in its frame."""
    found, at = [], text.find(mark)
    while at >= 0:
        found.append(UDP + at)
        at = text.find(mark, at + 1)
    return found


# ---- floods of packets


def random_udp(tape: Tape, count: int) -> None:
    packet = udp(b"\x80" + bytes(31))
    tape.many(packet, count, {IP_SRC + 1: noise(3), SPORT: noise(4), UDP + 1: noise(31)})


def ssrcs(tape: Tape, count: int) -> None:
    tape.many(udp(rtp()), count, {UDP + 8: number(">u4", 1)})


def ssrcs_in_pairs(tape: Tape, count: int) -> None:
    tape.many(udp(rtp()), 2 * count, {UDP + 2: number(">u2"), UDP + 8: lambda at: number(">u4")(at // 2)})


def ssrcs_announced(tape: Tape, count: int) -> None:
    packet = rtp(payload_type=8)  # what SDP says: another would have to pass probation
    announced = udp_packet(("10.0.0.9", 4000), ("10.0.0.1", 4000), packet, checksum=False)
    body = message("INVITE sip:b@10.0.0.2 SIP/2.0", "announcer@evil", "1 INVITE", SDP)
    tape.packets([udp_packet(("10.0.0.1", 5060), ("10.0.0.2", 5060), body, checksum=False)])
    tape.many(announced, count, {UDP + 8: number(">u4")})


def one_ssrc_everywhere(tape: Tape, count: int) -> None:
    fields = {IP_SRC: lambda at: number(">u4", 1, 0x0B000000)(at // 2), UDP + 2: number(">u2")}
    tape.many(udp(rtp()), 2 * count, fields)


def outages(tape: Tape, count: int) -> None:
    """Two packets, a hole of seven, two packets."""
    fields: dict[int, Field] = {
        UDP + 2: lambda at: number(">u2")(at // 2 * 9 + at % 2),
        UDP + 4: lambda at: number(">u4", 160)(at // 2 * 9 + at % 2),
    }
    tape.many(udp(rtp()), 2 * count, fields, rest_us=90_000)


def intervals(tape: Tape, count: int) -> None:
    tape.many(udp(rtp()), count, {UDP + 2: number(">u2"), UDP + 4: number(">u4", 88_000)}, rest_us=11_000_000)


def events(tape: Tape, count: int) -> None:
    body = message("INVITE sip:b@10.0.0.2 SIP/2.0", "announcer@evil", "1 INVITE", SDP)
    tape.packets([udp_packet(("10.0.0.1", 5060), ("10.0.0.2", 5060), body, checksum=False)])
    event = struct.pack("!BBHIIBBH", 0x80, 0x80 | 101, 1, 160, 9, 5, 0x8A, 800)
    packet = udp_packet(("10.0.0.2", 4000), ("10.0.0.1", 4000), event, checksum=False)
    tape.many(packet, count, {UDP + 2: number(">u2"), UDP + 4: number(">u4", 1600)}, rest_us=200_000)


def rtcp(tape: Tape, count: int) -> None:
    report = struct.pack("!BBHI", 0x9F, 201, 1 + 31 * 6, 1) + bytes(31 * 24)
    tape.many(udp(report, 40_001, 40_003), count, {UDP + 4: noise(4), UDP + 8: noise(31 * 24)})


def checks(tape: Tape, count: int) -> None:
    request = struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12)
    tape.many(udp(request), count, {IP_SRC + 1: noise(3), UDP + 8: noise(12)})


def unreachable(tape: Tape, count: int) -> None:
    quoted = sip_udp(b"OPTIONS sip:")
    packet = ip_packet(EVIL[0], GOOD[0], 1, b"\x03\x03" + bytes(6), quoted, None)
    tape.many(packet, count, {34 + 8 + 12: noise(8), 34 + 8 + 20: noise(4)})


# ---- signalling


def call_ids(tape: Tape, count: int) -> None:
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "#########@evil", "1 INVITE", SDP)
    tape.many(sip_udp(text), count, {at: digits() for at in places(text, b"#" * 9)})


def one_call_id(tape: Tape, count: int) -> None:
    text = message("INFO sip:b@10.0.0.2 SIP/2.0", "one@evil", "######### INFO", headers=b"X: #########\r\n")
    tape.many(sip_udp(text), count, {at: digits() for at in places(text, b"#" * 9)})


def forks(tape: Tape, count: int) -> None:
    text = message("SIP/2.0 200 OK", "fork@evil", "1 INVITE", SDP).replace(b"tag=2", b"tag=#########")
    invite = message("INVITE sip:b@10.0.0.2 SIP/2.0", "fork@evil", "1 INVITE", SDP).replace(b";tag=2", b"")
    tape.packets([udp_packet(GOOD, EVIL, invite, checksum=False)])
    tape.many(sip_udp(text), count, {at: digits() for at in places(text, b"#" * 9)})


def offers(tape: Tape, count: int) -> None:
    """Re-INVITEs of one call, each with another port and version."""
    body = SDP.replace(b"o=- 1 1", b"o=- 1 #########")
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "offers@evil", "######### INVITE", body, b"X: #########\r\n")
    port = UDP + text.index(b"audio 4000") + 6
    fields: dict[int, Field] = {at: digits() for at in places(text, b"#" * 9)}
    tape.many(sip_udp(text), count, {**fields, port: lambda at: digits(4)(1000 + at % 9000)})


def failures(tape: Tape, count: int) -> None:
    """Calls that fail, a finding each; requests and responses one after the other."""
    for begin in range(0, count, CHUNK):
        n = min(CHUNK, count - begin)
        for text, back in (
            (message("INVITE sip:b@10.0.0.2 SIP/2.0", "#########@evil", "1 INVITE").replace(b";tag=2", b""), False),
            (message("SIP/2.0 503 Overloaded", "#########@evil", "1 INVITE"), True),
        ):
            packet = udp_packet(GOOD, EVIL, text, checksum=False) if back else sip_udp(text)
            tape.many(packet, n, {at: lambda i, b=begin: digits()(i + b) for at in places(text, b"#" * 9)})


def probes(tape: Tape, count: int) -> None:
    text = message("OPTIONS sip:b@10.0.0.2 SIP/2.0", "#########@evil", "1 OPTIONS")
    fields: dict[int, Field] = {at: digits() for at in places(text, b"#" * 9)}
    tape.many(sip_udp(text), count, {**fields, IP_SRC: number(">u4", 1, 0x0B000000)})


def registers(tape: Tape, count: int) -> None:
    text = message("REGISTER sip:b SIP/2.0", "#########@evil", "1 REGISTER", headers=b"Contact: <sip:#########@x>\r\n")
    tape.many(sip_udp(text), count, {at: digits() for at in places(text, b"#" * 9)})


def endless_header(tape: Tape, count: int) -> None:
    start = message("INVITE sip:b@10.0.0.2 SIP/2.0", "endless@evil", "1 INVITE").split(b"Content-Length")[0] + b"X: "
    tape.stream(itertools.chain([start], itertools.repeat(b"a" * 1400, count // 1400)))


def _large(tape: Tape, count: int, text: bytes) -> None:
    """`count` times a message too long for a datagram, in one connection."""
    pieces = [text[i : i + 32_000] for i in range(0, len(text), 32_000)]
    tape.stream(piece for _ in range(count) for piece in pieces)


def sdp_lines(tape: Tape, count: int) -> None:
    body = SDP + b"a=x\r\n" * 50_000
    _large(tape, count, message("INVITE sip:b@10.0.0.2 SIP/2.0", "lines@evil", "1 INVITE", body))


def sdp_media(tape: Tape, count: int) -> None:
    body = SDP + b"m=audio 4 RTP/AVP 8\r\n" * 12_000
    _large(tape, count, message("INVITE sip:b@10.0.0.2 SIP/2.0", "media@evil", "1 INVITE", body))


def attributes(tape: Tape, count: int) -> None:
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "#########@evil", "1 INVITE", SDP + b"a=\r\n" * 16_000)
    tape.many(sip_udp(text[:65_000]), count, {at: digits() for at in places(text[:65_000], b"#" * 9)})


def multiparts(tape: Tape, count: int) -> None:
    parts = b"".join(b"--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(4_500))
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "parts@evil", "1 INVITE", parts, kind="multipart/mixed;boundary=b0")
    _large(tape, count, text)


def parts(tape: Tape, count: int) -> None:
    text = message(
        "INVITE sip:b@10.0.0.2 SIP/2.0",
        "list@evil",
        "1 INVITE",
        b"--b\r\n\r\nx\r\n" * 4_000,
        kind="multipart/mixed;boundary=b",
    )
    _large(tape, count, text)


def headers(tape: Tape, count: int) -> None:
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "headers@evil", "1 INVITE", headers=b"X: y\r\n" * 40_000)
    _large(tape, count, text)


def vias(tape: Tape, count: int) -> None:
    value = b"Via: " + b",".join([b"a b"] * 60_000) + b"\r\n"
    _large(tape, count, message("INVITE sip:b@10.0.0.2 SIP/2.0", "vias@evil", "1 INVITE", headers=value))


def websocket(tape: Tape, count: int) -> None:
    hello = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n"
        b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    text = message("INVITE sip:b@10.0.0.2 SIP/2.0", "frames@evil", "1 INVITE", headers=b"X: " + b"y" * 60_000 + b"\r\n")
    frames = [struct.pack("!BB", 1 if i == 0 else 0, 1) + text[i : i + 1] for i in range(len(text))]
    stream = b"".join(itertools.islice(itertools.cycle(frames), min(count, len(frames))))
    pieces = [stream[i : i + 1398] for i in range(0, len(stream), 1398)]
    tape.stream(
        itertools.chain([hello], itertools.islice(itertools.cycle(pieces), count * 3 // 1398)), EVIL, (GOOD[0], 80)
    )


def messages_sessions(tape: Tape, count: int) -> None:
    """MSRP: a session each."""

    def data() -> Iterator[bytes]:
        for i in range(count):
            yield (
                b"MSRP d%d SEND\r\nTo-Path: msrp://10.66.0.2:2855/s%d;tcp\r\nFrom-Path: msrp://10.66.0.1:2855/t%d;tcp\r\n"
                b"Message-ID: %d\r\nByte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nhi\r\n-------d%d$\r\n"
            ) % (i, i, i, i, i)

    tape.stream(data(), (EVIL[0], 2855), (GOOD[0], 2855))


# ---- networks


def gre(tape: Tape, count: int) -> None:
    inner = udp(b"")
    for _ in range(10_000):
        inner = ip_header(47, 24 + len(inner)) + b"\0\0\x08\0" + inner
    tape.packets([inner] * count)


def ip_header(protocol: int, size: int, identity: int = 0, offset: int = 0) -> bytes:
    """An IPv4 header without checksum; a size that is too large for its field becomes 0 (segmentation offload)."""
    source, target = bytes([10, 66, 0, 1]), bytes([10, 66, 0, 2])
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, size if size < 65_536 else 0, identity, offset, 64, protocol, 0)
        + source
        + target
    )


def tags(tape: Tape, count: int) -> None:
    frame = SHAPE.wrap(b"", ipv6=False)[:12] + b"\x81\0\0\1" * 10_000 + b"\x08\0" + udp(rtp())
    for _ in range(count):
        tape.file.write(SHAPE.record(frame, tape.now_us))
        tape.now_us += tape.step_us


def fragments_open(tape: Tape, count: int) -> None:
    packet = ip_header(17, 20 + 1400, 0, 0x2000) + udp(bytes(1392))[20:]
    tape.many(packet, count, {IP_ID: number(">u2"), IP_SRC: lambda at: number(">u4", 1, 0x0B000000)(at >> 16)})


def fragments_overlapping(tape: Tape, count: int) -> None:
    packet = ip_header(17, 20 + 64, 7, 0x2000) + bytes(64)
    tape.many(packet, count, {IP_OFFSET: lambda at: number(">u2", 1, 0x2000)(at * 7919 % 997), UDP: noise(32)})


def fragments_tiny(tape: Tape, count: int) -> None:
    packet = ip_header(17, 20 + 8, 7, 0x2000) + bytes(8)
    tape.many(
        packet,
        count,
        {
            IP_ID: lambda at: number(">u2")(at // 4000),
            IP_OFFSET: lambda at: number(">u2", 1, 0x2000)(1 + at % 4000 * 2),
        },
    )


def tcp_holes(tape: Tape, count: int) -> None:
    packet = tcp_packet(EVIL, GOOD, 24, 0, 1, b"I")
    tape.many(packet, count, {SEQ: number(">u4", 2)})


def tcp_holes_backwards(tape: Tape, count: int) -> None:
    packet = tcp_packet(EVIL, GOOD, 24, 0, 1, b"I")
    tape.many(packet, count, {SEQ: lambda at: number(">u4")((at // 100_000 + 1) * 300_000 - 2 * (at % 100_000))})


def connections(tape: Tape, count: int) -> None:
    packet = tcp_packet(EVIL, GOOD, 24, 1000, 1, b"INVITE sip:b@10.0.0.2 SIP/2.0\r\nCall-ID: unfinished@evil\r\nX: ")
    tape.many(packet, count, {IP_SRC: number(">u4", 1, 0x0B000000)})


def handshakes(tape: Tape, count: int) -> None:
    tape.many(tcp_packet(EVIL, GOOD, 2, 1000, 0), count, {IP_SRC: number(">u4", 1, 0x0B000000)})


def connections_with_holes(tape: Tape, count: int) -> None:
    for seq in (1000, 3000):
        packet = tcp_packet(EVIL, GOOD, 24, seq, 1, b"INVITE sip:b@10.0.0.2 SIP/2.0\r\n" + b"X: y\r\n" * 100)
        tape.many(packet, count // 2, {IP_SRC: number(">u4", 1, 0x0B000000)})


def connections_filled_late(tape: Tape, count: int) -> None:
    """Three segments of each connection, the second one last."""
    data = b"OPTIONS sip:b@10.0.0.2 SIP/2.0\r\n" + b"X: y\r\n" * 100
    for place in (0, 2, 1):
        packet = tcp_packet(EVIL, GOOD, 24, 1000 + place * len(data), 1, data)
        tape.many(packet, count // 3, {IP_SRC: number(">u4", 1, 0x0B000000)})


def hep(tape: Tape, count: int) -> None:
    bomb = zlib.compress(b"INVITE sip:" + bytes(40_000_000), 9)[:60_000]
    chunks = b"".join(
        struct.pack("!HHH", 0, kind, 6 + len(value)) + value
        for kind, value in (
            (1, b"\2"), (2, b"\x11"), (3, bytes(4)), (4, bytes(4)), (7, b"\x13\xc4"), (8, b"\x13\xc4"),
            (9, bytes(4)), (10, bytes(4)), (11, b"\1"), (16, bomb),
        )
    )  # fmt: skip
    tape.packets([udp(b"HEP3" + struct.pack("!H", 6 + len(chunks)) + chunks, 9060, 9060)] * count)


def clock(tape: Tape, count: int) -> None:
    """Times that jump to and fro."""
    rng = np.random.default_rng(5)
    record = np.frombuffer(SHAPE.record(SHAPE.wrap(udp(rtp()), ipv6=False), 0), np.uint8)
    for begin in range(0, count, CHUNK):
        n = min(CHUNK, count - begin)
        records = np.tile(record, (n, 1))
        SHAPE.set_times(records, BEGIN_US + rng.integers(0, 10**12, n))
        set_columns(records, 16 + UDP + 8, np.arange(begin, begin + n), ">u4")
        tape.file.write(records.tobytes())


# ---- containers


def huge_record(tape: Tape, count: int) -> None:
    tape.file.write(struct.pack("<IIII", BEGIN_US // 1_000_000 + 9, 0, count, count))
    tape.file.seek(count, 1)
    tape.file.write(b"\0")


def huge_block(file: BinaryIO, count: int) -> None:
    """A block of a kind that nobody knows, before the honest calls."""
    total = count & ~3
    file.write(Shape("pcapng").header() + struct.pack("<II", 0xBAD, total))
    file.seek(total - 12, 1)
    file.write(struct.pack("<I", total))
    _rest(file)


def interfaces(file: BinaryIO, count: int) -> None:
    file.write(Shape("pcapng").header() + struct.pack("<IIHHII", 1, 20, 1, 0, 262_144, 20) * count)
    _rest(file)


def options(file: BinaryIO, count: int) -> None:
    """Comments of no length in one packet each: 15,000 options."""
    frame = SHAPE.wrap(udp(rtp()), ipv6=False)
    body = frame + bytes(-len(frame) % 4) + struct.pack("<HH", 1, 0) * 15_000 + bytes(4)
    total = 32 + len(body)
    block = struct.pack("<IIIIIII", 6, total, 0, BEGIN_US >> 32, BEGIN_US & 0xFFFFFFFF, len(frame), len(frame))
    file.write(Shape("pcapng").header() + (block + body + struct.pack("<I", total)) * count)
    _rest(file)


def sections(file: BinaryIO, count: int) -> None:
    file.write(Shape("pcapng").header() * count)
    _rest(file)


def _rest(file: BinaryIO) -> None:
    """The honest calls behind what attacks pcapng."""
    shape = Shape("pcapng")

    class Sink:
        def write(self, data: bytes) -> int:
            if len(data) == 24:  # pcap's own header
                return 0
            seconds, micro, _, _ = struct.unpack("<IIII", data[:16])
            return file.write(shape.record(data[16:], seconds * 1_000_000 + micro))

    tape = Tape(Sink())  # type: ignore[arg-type]
    tape.call("first")
    tape.call("last")


def _bomb(squeeze: Callable[[bytes], bytes]) -> Callable[[BinaryIO, int], None]:
    """Empty records without end behind an honest call, member after member."""

    def write(file: BinaryIO, count: int) -> None:
        begin = io.BytesIO()
        Tape(begin).call("first")
        file.write(squeeze(begin.getvalue()))
        file.write(squeeze(bytes(ZEROS)) * (count // ZEROS))

    return write


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


def _lz4(data: bytes) -> bytes:
    import lz4.frame

    return lz4.frame.compress(data)


@dataclass(frozen=True)
class Attack:
    """One way to attack, and how much of it is a full-size attack."""

    what: str
    count: int
    write: Callable[[Tape, int], None] | None = None
    raw: Callable[[BinaryIO, int], None] | None = None
    suffix: str = "pcap"
    reachable: int = 2
    """How many of the two honest calls can be seen by anyone."""


ATTACKS: dict[str, Attack] = {
    "random-udp": Attack("random UDP with RTP's version bits, packets", 10_000_000, random_udp),
    "ssrcs": Attack("SSRCs on one socket, a packet each", 1_000_000, ssrcs),
    "ssrcs-in-pairs": Attack("SSRCs on one socket, two packets each", 1_000_000, ssrcs_in_pairs),
    "ssrcs-announced": Attack("SSRCs on a socket that SDP announces", 1_000_000, ssrcs_announced),
    "one-ssrc": Attack("senders with one SSRC, two packets each", 1_000_000, one_ssrc_everywhere),
    "outages": Attack("holes in one stream", 1_000_000, outages),
    "intervals": Attack("intervals of one stream, a packet each", 1_000_000, intervals),
    "events": Attack("telephone events", 1_000_000, events),
    "rtcp": Attack("RTCP reports of 31 blocks", 1_000_000, rtcp),
    "checks": Attack("STUN requests from as many hosts", 1_000_000, checks),
    "unreachable": Attack("ICMP errors", 1_000_000, unreachable),
    "call-ids": Attack("Call-IDs of one INVITE", 1_000_000, call_ids),
    "one-call-id": Attack("messages of one Call-ID", 1_000_000, one_call_id),
    "forks": Attack("answers to one INVITE, a tag each", 1_000_000, forks),
    "offers": Attack("offers in one call", 1_000_000, offers),
    "failures": Attack("failed calls, a finding each", 1_000_000, failures),
    "probes": Attack("OPTIONS from as many hosts", 1_000_000, probes),
    "registers": Attack("registrations of as many contacts", 1_000_000, registers),
    "endless-header": Attack("bytes of one header line over TCP", 2_000_000_000, endless_header),
    "sdp-lines": Attack("descriptions of 50,000 lines", 2_000, sdp_lines),
    "sdp-media": Attack("descriptions of 12,000 media", 2_000, sdp_media),
    "attributes": Attack("datagrams of 64 kB of `a=`", 10_000, attributes),
    "multiparts": Attack("multiparts nested 4,500 deep", 2_000, multiparts),
    "parts": Attack("multiparts of 4,000 parts", 2_000, parts),
    "headers": Attack("messages of 40,000 headers", 2_000, headers),
    "vias": Attack("messages of 60,000 Via values", 2_000, vias),
    "websocket": Attack("WebSocket frames of one byte", 50_000_000, websocket),
    "msrp": Attack("MSRP sessions", 500_000, messages_sessions),
    "gre": Attack("packets of 10,000 nested GRE headers", 2_000, gre),
    "tags": Attack("packets of 10,000 VLAN tags", 10_000, tags),
    "fragments-open": Attack("datagrams that never end", 1_000_000, fragments_open),
    "fragments-overlapping": Attack("overlapping fragments of one datagram", 2_000_000, fragments_overlapping),
    "fragments-tiny": Attack("fragments of eight bytes with holes", 2_000_000, fragments_tiny),
    "tcp-holes": Attack("TCP segments of one byte, a hole behind each", 2_000_000, tcp_holes),
    "tcp-backwards": Attack("the same, last ones first", 2_000_000, tcp_holes_backwards),
    "connections": Attack("TCP connections with half a request", 1_000_000, connections),
    "handshakes": Attack("SYNs from as many hosts", 1_000_000, handshakes),
    "connections-with-holes": Attack("segments of connections with a hole each", 1_000_000, connections_with_holes),
    "connections-filled": Attack("segments of connections, one too late in each", 1_000_000, connections_filled_late),
    "hep": Attack("HEP packets that inflate to 40 MB", 10_000, hep),
    "clock": Attack("times that jump to and fro", 2_000_000, clock),
    "huge-record": Attack("bytes of one record", 2_000_000_000, huge_record, reachable=1),
    "huge-block": Attack("bytes of one block of a pcapng", 2_000_000_000, raw=huge_block, suffix="pcapng"),
    "interfaces": Attack("interfaces of a pcapng", 1_000_000, raw=interfaces, suffix="pcapng"),
    "options": Attack("packets of 15,000 pcapng options", 5_000, raw=options, suffix="pcapng"),
    "sections": Attack("sections of a pcapng", 1_000_000, raw=sections, suffix="pcapng"),
    "bomb-gz": Attack("decompressed bytes, gzip", 16 << 30, raw=_bomb(gzip.compress), suffix="pcap.gz", reachable=1),
    "bomb-zst": Attack("decompressed bytes, zstd", 16 << 30, raw=_bomb(_zstd), suffix="pcap.zst", reachable=1),
    "bomb-xz": Attack("decompressed bytes, xz", 16 << 30, raw=_bomb(lzma.compress), suffix="pcap.xz", reachable=1),
    "bomb-bz2": Attack("decompressed bytes, bzip2", 16 << 30, raw=_bomb(bz2.compress), suffix="pcap.bz2", reachable=1),
    "bomb-lz4": Attack("decompressed bytes, lz4", 16 << 30, raw=_bomb(_lz4), suffix="pcap.lz4", reachable=1),
}
"""By name."""


def write_attack(name: str, path: Path, count: int) -> None:
    """Write one of :data:`ATTACKS`."""
    attack = ATTACKS[name]
    with path.open("wb") as file:
        if attack.raw is not None:
            attack.raw(file, count)
            return
        assert attack.write is not None
        tape = Tape(file)
        tape.call("first", wait=False)
        tape.now_us += 1_000_000
        attack.write(tape, count)
        if attack.reachable > 1:
            tape.call("last")
