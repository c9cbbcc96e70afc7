"""The packet decoder once more, slowly and obviously: slices, exceptions, recursion, regular expressions."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from sipanalyzer.kernels import columns as c

METHODS = rb"(?:INVITE|ACK|BYE|CANCEL|REGISTER|OPTIONS|PRACK|SUBSCRIBE|NOTIFY|PUBLISH|INFO|REFER|MESSAGE|UPDATE)"
TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]{1,64}"
STATUS = re.compile(rb"SIP/\d+\.\d+[ \t]+\d{3,}(?:[ \t\r\n]|\Z)", re.IGNORECASE)
CLEAR_REQUEST = re.compile(METHODS + rb"[ \t]+(?i:sip:.|sips:|tel:.)", re.DOTALL)
REQUEST = re.compile(TOKEN + rb"[ \t]+[\t\r\x20-\xff]+[ \t]SIP/\d+\.\d+[ \t\r]*\n", re.IGNORECASE)
HEADER = re.compile(rb"^(?=[\s\S]{3})(?:[vif][: \t]|via|fro|cse|cal)", re.IGNORECASE | re.MULTILINE)
WRITTEN = set(range(c.KINDS)) - {c.OTHER, c.TURN}


def looks_like_sip(payload: bytes) -> bool:
    body = payload[:65_536].lstrip(b"\r\n")
    if body[:4].upper() == b"SIP/":
        return bool(STATUS.match(body))
    if CLEAR_REQUEST.match(body):
        return True
    request = REQUEST.match(body)
    if not request:
        return False
    return bool(re.match(METHODS + rb"[ \t]", body) or HEADER.search(body, request.end()))


class Bad(Exception):
    """Malformed; the code."""


class Ignore(Exception):
    """Of no interest."""


@dataclass
class Packet:
    data: bytes
    wire: int
    max_depth: int
    end: int = 0
    depth: int = 0
    vlan: int = 0
    dscp: int = 0
    version: int = 0
    src: int = 0
    dst: int = 0
    ports: int = 0
    kind: int = c.OTHER
    at: int = 0
    more: dict[int, int] = field(default_factory=dict)

    def take(self, at: int, size: int, code: int) -> bytes:
        self.at = at
        if at + size > self.end:
            raise Bad(code)
        return self.data[at : at + size]

    def u16(self, at: int, code: int) -> int:
        return struct.unpack(">H", self.take(at, 2, code))[0]

    def deeper(self) -> None:
        self.depth += 1

    def check_depth(self) -> None:
        if self.depth > self.max_depth:
            raise Bad(c.TOO_DEEP)

    def bound(self, stop: int) -> None:
        self.wire = stop
        self.end = min(self.end, stop)

    # link

    def link(self, link: int) -> None:
        if link == 1:
            return self.ethernet(0)
        if link == 113:
            return self.ethertype(struct.unpack(">H", self.take(0, 16, c.BAD_LINK)[14:])[0], 16)
        if link == 276:
            return self.ethertype(struct.unpack(">H", self.take(0, 20, c.BAD_LINK)[:2])[0], 20)
        if link in (12, 14, 101):
            return self.any_ip(0)
        if link == 228:
            return self.ipv4(0)
        if link == 229:
            return self.ipv6(0)
        if link in (0, 108):
            head = self.take(0, 4, c.BAD_LINK)
            big = int.from_bytes(head, "big")
            family = big if big <= 0xFFFF else int.from_bytes(head[:2], "little")
            if family == 2:
                return self.ipv4(4)
            if family in (10, 23, 24, 28, 30):
                return self.ipv6(4)
            raise Ignore
        if link == 50 and self.end >= 4 and self.data[0] in (0x0F, 0x8F) and self.data[1] == 0:
            return self.ethertype(self.u16(2, c.BAD_LINK), 4)
        if link in (9, 50):
            return self.ppp(0)
        if link == 51:
            return self.pppoe(0)
        if link == 104:
            return self.ethertype(struct.unpack(">H", self.take(0, 4, c.BAD_LINK)[2:])[0], 4)
        self.kind = c.ODD if link in (6, 10, 105, 119, 127, 163, 166, 192, 204, 205, 239, 252) else c.UNKNOWN
        self.more = {c.LAYER: link}
        return None

    def ethernet(self, at: int) -> None:
        self.check_depth()
        kind = struct.unpack(">H", self.take(at, 14, c.BAD_LINK)[12:])[0]
        at += 14
        if kind <= 1500:
            if self.end - at < 8 or self.data[at : at + 6] != b"\xaa\xaa\x03\0\0\0":
                raise Ignore
            kind = self.u16(at + 6, c.BAD_LINK)
            at += 8
        self.ethertype(kind, at)

    def ethertype(self, kind: int, at: int) -> None:
        if kind == 0:
            raise Ignore
        self.check_depth()
        if kind == 0x0800:
            self.ipv4(at)
        elif kind == 0x86DD:
            self.ipv6(at)
        elif kind in (0x8100, 0x88A8, 0x9100, 0x9200):
            tag, kind = struct.unpack(">HH", self.take(at, 4, c.BAD_LINK))
            self.vlan = (tag & 0xFFF) + 1
            self.deeper()
            self.ethertype(kind, at + 4)
        elif kind in (0x8847, 0x8848):
            self.mpls(at)
        elif kind == 0x8864:
            self.pppoe(at)
        elif kind == 0x880B:
            self.ppp(at)
        elif kind == 0x6558:
            self.ethernet(at)
        elif kind == 0x88BE:
            head = self.take(at, 8, c.BAD_TUNNEL)
            if head[0] >> 4 != 1:
                raise Bad(c.BAD_TUNNEL)
            self.deeper()
            self.ethernet(at + 8)
        elif kind == 0x22EB:
            head = self.take(at, 12, c.BAD_TUNNEL)
            if head[0] >> 4 != 2:
                raise Bad(c.BAD_TUNNEL)
            size = 20 if head[11] & 1 else 12
            self.take(at, size, c.BAD_TUNNEL)
            self.deeper()
            frame_type = (head[10] >> 2) & 31
            if frame_type == 0:
                self.ethernet(at + size)
            elif frame_type == 2:
                self.any_ip(at + size)
            else:
                raise Ignore
        else:
            raise Ignore

    def plausible(self, at: int) -> bool:
        if at + 14 > self.end:
            return False
        kind = struct.unpack(">H", self.data[at + 12 : at + 14])[0]
        return kind in (0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806, 0x8864)

    def mpls(self, at: int) -> None:
        while not self.take(at, 4, c.BAD_LINK)[2] & 1:
            at += 4
        at += 4
        self.deeper()
        if at >= self.end:
            raise Bad(c.BAD_LINK)
        nibble = self.data[at] >> 4
        if nibble == 0 and self.plausible(at + 4):
            return self.ethernet(at + 4)
        if nibble not in (4, 6) and self.plausible(at):
            return self.ethernet(at)
        if nibble in (4, 6):
            return self.any_ip(at)
        raise Ignore

    def pppoe(self, at: int) -> None:
        head = self.take(at, 6, c.BAD_LINK)
        if head[0] != 0x11:
            raise Bad(c.BAD_LINK)
        if head[1] != 0:
            raise Ignore
        self.ppp(at + 6)

    def ppp(self, at: int) -> None:
        self.check_depth()
        if self.data[at : min(at + 2, self.end)] == b"\xff\x03":
            at += 2
        first = self.take(at, 1, c.BAD_LINK)[0]
        protocol, size = (first, 1) if first & 1 else (self.u16(at, c.BAD_LINK), 2)
        self.deeper()
        if protocol == 0x21:
            self.check_depth()
            self.ipv4(at + size)
        elif protocol == 0x57:
            self.check_depth()
            self.ipv6(at + size)
        elif protocol in (0x281, 0x283):
            self.check_depth()
            self.mpls(at + size)
        else:
            raise Ignore

    # network

    def any_ip(self, at: int) -> None:
        self.check_depth()
        version = self.take(at, 1, c.BAD_IP)[0] >> 4
        if version == 4:
            self.ipv4(at)
        elif version == 6:
            self.ipv6(at)
        else:
            raise Bad(c.BAD_IP)

    def ipv4(self, at: int) -> None:
        self.check_depth()
        head = self.take(at, 20, c.BAD_IP)
        size, total = (head[0] & 15) * 4, struct.unpack(">H", head[2:4])[0]
        if head[0] >> 4 != 4 or size < 20 or (total and total < size):
            raise Bad(c.BAD_IP)
        self.take(at, size, c.BAD_IP)
        if total:
            self.bound(at + total)
        self.version, self.dscp = 4, head[1] >> 2
        self.src, self.dst = (0xFFFF << 32 | int.from_bytes(a, "big") for a in (head[12:16], head[16:20]))
        if struct.unpack(">H", head[6:8])[0] & 0x3FFF:
            self.kind = c.FRAGMENT
            return
        self.protocol(head[9], at + size)

    def ipv6(self, at: int) -> None:
        self.check_depth()
        head = self.take(at, 40, c.BAD_IP)
        if head[0] >> 4 != 6:
            raise Bad(c.BAD_IP)
        payload = struct.unpack(">H", head[4:6])[0]
        if payload:
            self.bound(at + 40 + payload)
        self.version, self.dscp = 6, (struct.unpack(">H", head[:2])[0] >> 6) & 63
        self.src, self.dst = int.from_bytes(head[8:24], "big"), int.from_bytes(head[24:40], "big")
        begin, following, at = at, head[6], at + 40
        while following in (0, 43, 44, 60, 135):
            extension = self.take(at, 8, c.BAD_IP)
            size = 8
            if following == 44:
                if struct.unpack(">H", extension[2:4])[0] & 0xFFF9:
                    self.kind, self.at = c.FRAGMENT, begin
                    return
            else:
                size += 8 * extension[1]
                self.take(at, size, c.BAD_IP)
            following, at = extension[0], at + size
        self.protocol(following, at)

    def protocol(self, number: int, at: int) -> None:
        self.check_depth()
        if number == 17:
            self.udp(at)
        elif number == 6:
            self.tcp(at)
        elif number == 132:
            self.ports = int.from_bytes(self.take(at, 12, c.BAD_TRANSPORT)[:4], "big")
            self.kind, self.more = c.SCTP, {c.WIRE_LENGTH: self.wire - at}
        elif (number, self.version) in ((1, 4), (58, 6)):
            self.kind, self.at = c.ICMP, at
        elif number in (4, 41):
            self.deeper()
            (self.ipv4 if number == 4 else self.ipv6)(at)
        elif number == 47:
            self.gre(at)
        elif number == 51:
            head = self.take(at, 8, c.BAD_IP)
            size = 8 + 4 * head[1]
            self.take(at, size, c.BAD_IP)
            self.protocol(head[0], at + size)
        elif number == 137:
            self.mpls(at)
        else:
            raise Ignore

    # tunnels

    def gre(self, at: int) -> None:
        flags, kind = struct.unpack(">HH", self.take(at, 4, c.BAD_TUNNEL))
        version = flags & 7
        if flags & 0x4000 or version > 1:
            raise Ignore
        size = (
            4 + 4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000)) + 4 * (version == 1 and flags & 128 > 0)
        )
        self.take(at, size, c.BAD_TUNNEL)
        self.deeper()
        at += size
        if version == 1:
            if kind != 0x880B or not flags & 0x1000:
                raise Ignore
            return self.ppp(at)
        if kind == 0x88BE and not flags & 0x1000:
            return self.ethernet(at)
        return self.ethertype(kind, at)

    def udp_tunnel(self, at: int, source: int, destination: int) -> tuple[int, int] | None:
        """Header bytes and EtherType (0x20000: any IP) of a tunnel, None where it is none."""
        payload, wire = self.data[at : self.end], self.wire - at
        if len(payload) < 8:
            return None
        first = payload[0]
        if destination in (4789, 8472):
            return (8, 0x6558) if first in (0x08, 0x88) and not payload[7] and wire >= 22 else None
        if destination == 4790:
            follow = {1: 0x0800, 2: 0x86DD, 3: 0x6558}
            return (8, follow.get(payload[3], 0)) if first & 0xFC == 0x0C and not payload[7] else None
        if destination == 6081:
            size, kind = 8 + 4 * (first & 63), struct.unpack(">H", payload[2:4])[0]
            if first >> 6 or payload[1] & 63 or payload[7] or size > wire or kind not in (0x6558, 0x0800, 0x86DD):
                return None
            self.take(at, size, c.BAD_TUNNEL)
            return size, 0 if payload[1] & 128 else kind
        if 2152 in (source, destination):
            if first >> 4 != 3 or struct.unpack(">H", payload[2:4])[0] + 8 > wire:
                return None
            if payload[1] in (1, 2, 26, 31, 253, 254):
                return 0, 0
            return self.gtp(at, first) if payload[1] == 255 else None
        return None

    def gtp(self, at: int, first: int) -> tuple[int, int]:
        size = 8
        if first & 7:
            size = 12
            following = self.take(at, 12, c.BAD_TUNNEL)[11]
            while following and first & 4:
                units = self.take(at + size, 1, c.BAD_TUNNEL)[0]
                if not units:
                    raise Bad(c.BAD_TUNNEL)
                following = self.take(at + size, 4 * units, c.BAD_TUNNEL)[-1]
                size += 4 * units
        if self.take(at + size, 1, c.BAD_TUNNEL)[0] >> 4 in (4, 6):
            return size, 0x20000
        return size, 0x6558 if self.plausible(at + size) else 0

    # transport

    def tcp(self, at: int) -> None:
        head = self.take(at, 20, c.BAD_TRANSPORT)
        ports, sequence, acknowledged = struct.unpack(">III", head[:12])
        size, flags = (head[12] >> 4) * 4, head[13]
        if size < 20 or at + size > self.wire:
            raise Bad(c.BAD_TRANSPORT)
        self.ports = ports
        wire = self.wire - at - size
        if not wire and not flags & 7:
            raise Ignore
        self.kind, self.at = c.TCP, min(at + size, self.end)
        start = c.SIP_START if looks_like_sip(self.data[self.at : self.end]) else 0
        self.more = {c.TCP_SEQ: sequence, c.TCP_ACK: acknowledged if flags & 16 else 0}
        self.more |= {c.TCP_FLAGS: flags | start, c.TCP_WIRE: wire}

    def udp(self, at: int) -> None:
        head = self.take(at, 8, c.BAD_TRANSPORT)
        source, destination, length, _ = struct.unpack(">HHHH", head)
        self.ports = source << 16 | destination
        if 0 < length < 8:
            raise Bad(c.BAD_TRANSPORT)
        if length and at + length < self.wire:
            self.bound(at + length)
        at += 8
        tunnel = self.udp_tunnel(at, source, destination)
        if tunnel:
            self.ports = 0
            self.deeper()
            size, kind = tunnel
            return self.any_ip(at + size) if kind == 0x20000 else self.ethertype(kind, at + size)
        self.at = at
        self.kind = self.payload_kind(self.data[at : self.end], self.wire - at)
        if self.kind == c.TURN:
            length = struct.unpack(">H", self.data[at + 2 : at + 4])[0]
            inside = self.payload_kind(self.data[at + 4 : min(self.end, at + 4 + length)], length)
            if inside in (c.RTP, c.RTCP):
                self.kind, self.at = inside, at + 4
                at += 4
                self.bound(at + length)
        if self.kind == c.RTP:
            self.rtp(self.data[at : self.end], self.wire - at)
        elif self.kind in (c.SIP, c.RTCP, c.HEP, c.STUN, c.DTLS):
            self.more = {c.WIRE_LENGTH: self.wire - at}
        return None

    def payload_kind(self, payload: bytes, wire: int) -> int:
        if len(payload) < 4:
            return c.OTHER
        first, second, third = struct.unpack(">BBH", payload[:4])
        family = {2: 16, 10: 40, 24: 40, 28: 40, 30: 40}.get(payload[2])
        if payload[:4] == b"HEP3" and len(payload) >= 6 and 6 < struct.unpack(">H", payload[4:6])[0] <= wire:
            return c.HEP
        if first in (1, 2) and len(payload) >= 8 and family and payload[3] in (6, 17, 132):
            timed = family + 12 * (first == 2)
            if second in (family, timed) and timed < wire:
                return c.HEP
        if looks_like_sip(payload):
            return c.SIP
        if first >> 6 == 2:
            if 192 <= second <= 223 and wire >= 8 and third * 4 + 4 <= wire:
                return c.RTCP
            return c.RTP if self.rtp_header(payload, wire) else c.OTHER
        if first < 4 and len(payload) >= 20:
            if payload[4:8] == bytes.fromhex("2112a442"):
                return c.STUN
            known = (0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112)
            if struct.unpack(">H", payload[:2])[0] in known and third + 20 == wire:
                return c.STUN
        if 20 <= first <= 63 and len(payload) >= 13 and payload[1:3] in (b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc"):
            return c.DTLS
        if 64 <= first <= 79 and 0 <= wire - 4 - third <= 3:
            return c.TURN
        return c.OTHER

    def rtp_header(self, payload: bytes, wire: int) -> int:
        if len(payload) < 12:
            return 0
        size = 12 + 4 * (payload[0] & 15)
        if payload[0] & 16:
            length = struct.unpack(">H", payload[size + 2 : size + 4])[0] if len(payload) >= size + 4 else 0
            size += 4 + 4 * length
        return size if size <= wire else 0

    def rtp(self, payload: bytes, wire: int) -> None:
        _, second, sequence, stamp, ssrc = struct.unpack(">BBHII", payload[:12])
        header = self.rtp_header(payload, wire)
        size = wire - header
        if payload[0] & 32 and len(payload) == wire and size and payload[-1] <= size:
            size -= payload[-1]
        event = payload[header : header + 4]
        first = int.from_bytes(event, "big") if size >= 4 and len(event) == 4 else 0
        self.more = {c.SSRC: ssrc, c.SEQ: sequence, c.STAMP: stamp, c.SIZE: size, c.PT: second, c.EVENT: first}


def _halves(address: int) -> tuple[int, int]:
    high, low = address >> 64, address & (1 << 64) - 1
    return tuple(word - (1 << 64) if word >> 63 else word for word in (high, low))  # type: ignore[return-value]


def decode(data: bytes, wire_length: int, link: int, max_depth: int = 8) -> tuple[int, dict[int, int]]:
    """Kind of the packet, and the columns of its row without time, frame and hash (none where there is no row)."""
    packet = Packet(data, max(wire_length, len(data)), max_depth, end=len(data))
    try:
        packet.link(link)
    except Ignore:
        packet.kind = c.OTHER
    except Bad as bad:
        packet.kind, packet.more = c.MALFORMED, {c.LAYER: bad.args[0]}
    if packet.kind not in WRITTEN:
        return packet.kind, {}
    row = dict.fromkeys(range(2, 15), 0)
    row[c.KIND] = packet.kind
    row[c.SRC_HI], row[c.SRC_LO] = _halves(packet.src)
    row[c.DST_HI], row[c.DST_LO] = _halves(packet.dst)
    row[c.PORTS] = packet.ports
    row[c.TRAFFIC] = packet.dscp | packet.vlan << 8
    if packet.kind != c.RTP:
        row[c.AT], row[c.LENGTH] = packet.at, packet.end - packet.at
    return packet.kind, row | packet.more
