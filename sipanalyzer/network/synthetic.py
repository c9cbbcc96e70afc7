"""A raw IP and UDP packet around a payload that travelled in something else. Floor 3.

Comes in: addresses, ports and payload as a capture agent or an export wrote them down. Goes out: bytes of link type 101
that the decoding kernel reads like any packet.
"""

from __future__ import annotations

import ipaddress
import struct

__all__ = ["RAW_IP", "internet_checksum", "udp_packet"]

RAW_IP = 101
"""Link type of what :func:`udp_packet` builds (LINKTYPE_RAW)."""


def internet_checksum(octets: bytes) -> int:
    """The 16-bit one's complement checksum (RFC 1071) of an even number of octets."""
    total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_packet(src: str, sport: int, dst: str, dport: int, payload: bytes, dscp: int = 0) -> bytes:
    """Build an IP packet with one UDP datagram.

    Parameters
    ----------
    src, dst : str
        Addresses; where one is IPv6 the packet is, and the other goes as ``::ffff:a.b.c.d``.
    sport, dport : int
        Ports.
    payload : bytes
        What the datagram carries. One too long for 16-bit lengths gets lengths of 0, as offloading network cards write
        them: the packet's end counts.
    dscp : int
        Differentiated services code point.

    Returns
    -------
    bytes
        The packet; its UDP checksum is 0 (none).

    Raises
    ------
    ValueError
        If an address is none.
    """
    source, destination = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    length = 8 + len(payload)
    udp = struct.pack(">HHHH", sport, dport, length if length + 20 <= 0xFFFF else 0, 0)
    if source.version == 4 and destination.version == 4:
        total = 20 + length if length + 20 <= 0xFFFF else 0
        fields = (0x45, dscp << 2, total, 0, 0x4000, 64, 17)
        header = struct.pack(">BBHHHBBH4s4s", *fields, 0, source.packed, destination.packed)
        header = header[:10] + internet_checksum(header).to_bytes(2, "big") + header[12:]
        return header + udp + payload
    ends = b"".join(bytes(10) + b"\xff\xff" + a.packed if a.version == 4 else a.packed for a in (source, destination))
    first = 6 << 28 | dscp << 22
    return struct.pack(">IHBB", first, length if length + 20 <= 0xFFFF else 0, 17, 64) + ends + udp + payload
