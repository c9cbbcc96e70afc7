"""Packets from words: Ethernet, IPv4, IPv6, UDP, TCP, RTP and RTCP as bytes, with right lengths and checksums.

Owns: the bytes of one packet. In: addresses as text, numbers, payload bytes. Out: bytes. Nothing but the standard
library, and nothing of sipanalyzer: what the tests feed it must not come out of it.
"""

from __future__ import annotations

import ipaddress
import struct
import zlib
from collections.abc import Sequence

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(name: str) -> bytes:
    """A locally administered MAC address that belongs to this name (an IP address, mostly)."""
    return b"\x02" + zlib.crc32(name.encode()).to_bytes(4, "big") + b"\x01"


def ethernet(
    payload: bytes, src: str = "a", dst: str = "b", kind: int | None = None, vlans: Sequence[int] = ()
) -> bytes:
    """An Ethernet II frame; `kind` is the EtherType (None: told from the payload), `vlans` outermost first."""
    if kind is None:
        kind = 0x86DD if payload[0] >> 4 == 6 else 0x0800
    tags = b""
    for depth, vlan in enumerate(vlans):
        outer = depth < len(vlans) - 1  # IEEE 802.1ad: service tag outside, customer tag inside
        tags += struct.pack("!HH", 0x88A8 if outer else 0x8100, vlan)
    return mac(dst) + mac(src) + tags + struct.pack("!H", kind) + payload


def ipv4(
    payload: bytes,
    src: str,
    dst: str,
    protocol: int = UDP,
    *,
    dscp: int = 0,
    ttl: int = 64,
    identification: int = 0,
    offset: int = 0,
    more: bool = False,
    dont_fragment: bool = True,
    options: bytes = b"",
) -> bytes:
    """An IPv4 packet (RFC 791); `offset` in bytes, a multiple of 8; `options` a multiple of 4."""
    fragmented = more or offset
    flags = (0x2000 if more else 0) | (0x4000 if dont_fragment and not fragmented else 0) | offset // 8
    words = 5 + len(options) // 4
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | words, dscp << 2, 4 * words + len(payload), identification, flags, ttl, protocol, 0,
        ipaddress.IPv4Address(src).packed, ipaddress.IPv4Address(dst).packed,
    ) + options  # fmt: skip
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(payload: bytes, src: str, dst: str, protocol: int = UDP, *, dscp: int = 0, hop_limit: int = 64) -> bytes:
    """An IPv6 packet (RFC 8200); `protocol` is the Next Header, `payload` may begin with extension headers."""
    first = 6 << 28 | dscp << 22
    return (
        struct.pack("!IHBB", first, len(payload), protocol, hop_limit)
        + ipaddress.IPv6Address(src).packed
        + ipaddress.IPv6Address(dst).packed
        + payload
    )


def ip(payload: bytes, src: str, dst: str, protocol: int = UDP, *, dscp: int = 0, identification: int = 0) -> bytes:
    """An IPv4 or IPv6 packet, whichever the addresses are."""
    if ":" in src:
        return ipv6(payload, src, dst, protocol, dscp=dscp)
    return ipv4(payload, src, dst, protocol, dscp=dscp, identification=identification)


def _pseudo_header(src: str, dst: str, protocol: int, length: int) -> bytes:
    addresses = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return addresses + (
        struct.pack("!II", length, protocol) if ":" in src else struct.pack("!BBH", 0, protocol, length)
    )


def udp(payload: bytes, src: str, src_port: int, dst: str, dst_port: int) -> bytes:
    """A UDP datagram (RFC 768) with its checksum over the pseudo header of IPv4 or IPv6."""
    length = 8 + len(payload)
    head = struct.pack("!HHHH", src_port, dst_port, length, 0)
    total = checksum(_pseudo_header(src, dst, UDP, length) + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + payload


def tcp(
    payload: bytes,
    src: str,
    src_port: int,
    dst: str,
    dst_port: int,
    *,
    seq: int,
    ack: int = 0,
    flags: int = PSH | ACK,
    window: int = 65535,
    options: bytes = b"",
) -> bytes:
    """A TCP segment (RFC 9293); `options` padded by the caller to a multiple of 4."""
    head = struct.pack(
        "!HHIIBBHHH", src_port, dst_port, seq % 2**32, ack % 2**32, (5 + len(options) // 4) << 4, flags, window, 0, 0
    )
    head += options
    total = checksum(_pseudo_header(src, dst, TCP, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def udp_packet(
    payload: bytes, src: str, src_port: int, dst: str, dst_port: int, *, dscp: int = 0, identification: int = 0
) -> bytes:
    """An IP packet with a UDP datagram in it."""
    return ip(udp(payload, src, src_port, dst, dst_port), src, dst, UDP, dscp=dscp, identification=identification)


def udp_frame(
    payload: bytes,
    src: str = "192.0.2.1",
    src_port: int = 5060,
    dst: str = "192.0.2.2",
    dst_port: int = 5060,
    *,
    dscp: int = 0,
    vlans: Sequence[int] = (),
) -> bytes:
    """An Ethernet frame with a UDP datagram in it."""
    return ethernet(udp_packet(payload, src, src_port, dst, dst_port, dscp=dscp), src, dst, vlans=vlans)


def tcp_frame(
    payload: bytes,
    src: str = "192.0.2.1",
    src_port: int = 5060,
    dst: str = "192.0.2.2",
    dst_port: int = 5060,
    *,
    seq: int,
    ack: int = 0,
    flags: int = PSH | ACK,
) -> bytes:
    """An Ethernet frame with a TCP segment in it."""
    segment = tcp(payload, src, src_port, dst, dst_port, seq=seq, ack=ack, flags=flags)
    return ethernet(ip(segment, src, dst, TCP), src, dst)


def ipv4_fragments(
    payload: bytes, src: str, dst: str, protocol: int = UDP, *, identification: int, size: int, dscp: int = 0
) -> list[bytes]:
    """The IPv4 packets of a datagram cut into pieces of `size` payload bytes (a multiple of 8), in order."""
    return [
        ipv4(
            payload[at : at + size], src, dst, protocol, dscp=dscp, identification=identification, offset=at,
            more=at + size < len(payload),
        )
        for at in range(0, len(payload), size)
    ]  # fmt: skip


def ipv6_fragments(
    payload: bytes, src: str, dst: str, protocol: int = UDP, *, identification: int, size: int
) -> list[bytes]:
    """The IPv6 packets of a datagram cut into pieces of `size` bytes (RFC 8200 section 4.5), in order."""
    return [
        ipv6(
            struct.pack("!BBHI", protocol, 0, at | (at + size < len(payload)), identification)
            + payload[at : at + size],
            src, dst, 44,
        )
        for at in range(0, len(payload), size)
    ]  # fmt: skip


def rtp(
    payload: bytes = bytes(160),
    *,
    seq: int,
    timestamp: int,
    ssrc: int,
    payload_type: int = 8,
    marker: bool = False,
    csrc: Sequence[int] = (),
    extension: bytes | None = None,
    padding: int = 0,
) -> bytes:
    """An RTP packet (RFC 3550 section 5.1); `extension` is profile and data (a multiple of 4), `padding` in bytes."""
    first = 0x80 | (0x20 if padding else 0) | (0x10 if extension is not None else 0) | len(csrc)
    head = struct.pack(
        "!BBHII", first, (0x80 if marker else 0) | payload_type, seq % 65536, timestamp % 2**32, ssrc % 2**32
    )
    head += b"".join(struct.pack("!I", source) for source in csrc)
    if extension is not None:
        head += extension[:2] + struct.pack("!H", (len(extension) - 2) // 4) + extension[2:]
    return head + payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def telephone_event(digit: str, duration: int, *, end: bool = False, volume: int = 10) -> bytes:
    """The payload of RFC 4733: one of ``0123456789*#ABCD``, its duration in timestamp units so far."""
    return struct.pack("!BBH", "0123456789*#ABCD".index(digit), (0x80 if end else 0) | volume, duration)


def report_block(
    ssrc: int, *, fraction: int = 0, lost: int = 0, highest: int = 0, jitter: int = 0, lsr: int = 0, dlsr: int = 0
) -> bytes:
    """A report block of RFC 3550 section 6.4.1; `fraction` of 256, `jitter` in timestamp units, `dlsr` in 1/65536 s."""
    return struct.pack("!I", ssrc) + struct.pack("!IIIII", fraction << 24 | lost & 0xFFFFFF, highest, jitter, lsr, dlsr)


def ntp(time_ns: int) -> int:
    """The 64-bit NTP time stamp of a Unix time in ns (RFC 5905)."""
    seconds, rest = divmod(time_ns, 10**9)
    return (seconds + 2_208_988_800) << 32 | (rest << 32) // 10**9


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def sender_report(
    ssrc: int, ntp_time: int, timestamp: int, packets: int, octets: int, blocks: Sequence[bytes] = ()
) -> bytes:
    """RTCP SR (RFC 3550 section 6.4.1)."""
    head = struct.pack("!IQIII", ssrc, ntp_time, timestamp % 2**32, packets, octets)
    return _rtcp(200, len(blocks), head + b"".join(blocks))


def receiver_report(ssrc: int, blocks: Sequence[bytes] = ()) -> bytes:
    """RTCP RR (RFC 3550 section 6.4.2)."""
    return _rtcp(201, len(blocks), struct.pack("!I", ssrc) + b"".join(blocks))


def source_description(ssrc: int, cname: str) -> bytes:
    """RTCP SDES with a CNAME (RFC 3550 section 6.5)."""
    item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname.encode() + b"\0"
    return _rtcp(202, 1, item + bytes(-len(item) % 4))


def rtcp_bye(ssrc: int) -> bytes:
    """RTCP BYE (RFC 3550 section 6.6)."""
    return _rtcp(203, 1, struct.pack("!I", ssrc))
