"""Packets inside packets: GRE, VXLAN, GTP-U, HEP3 and WebSocket frames as bytes.

Owns: the tunnel headers. In: the bytes to carry. Out: the bytes that carry them, without the outer IP and UDP.
"""

from __future__ import annotations

import ipaddress
import struct


def gre(packet: bytes, kind: int = 0x0800, key: int | None = None) -> bytes:
    """GRE (RFC 2784, 2890) around an IPv4 packet, or (`kind` 0x6558) an Ethernet frame."""
    return (
        struct.pack("!HH", 0x2000 if key is not None else 0, kind)
        + (b"" if key is None else struct.pack("!I", key))
        + packet
    )


def vxlan(frame: bytes, network: int) -> bytes:
    """VXLAN (RFC 7348) around an Ethernet frame; goes to UDP port 4789."""
    return struct.pack("!II", 0x08 << 24, network << 8) + frame


def gtp_u(packet: bytes, tunnel: int, sequence: int | None = None) -> bytes:
    """GTP-U version 1 G-PDU (3GPP TS 29.281) around an IP packet; goes to UDP port 2152."""
    extra = b"" if sequence is None else struct.pack("!HBB", sequence, 0, 0)
    return struct.pack("!BBHI", 0x30 | (0x02 if extra else 0), 255, len(extra) + len(packet), tunnel) + extra + packet


def hep3(
    payload: bytes, src: str, src_port: int, dst: str, dst_port: int, time_ns: int, *, correlation: str | None = None,
    protocol: int = 17, kind: int = 1, agent: int = 2001,
) -> bytes:  # fmt: skip
    """HEP3 around a message (`kind` 1 is SIP), with its own addresses and time (Homer's encapsulation, port 9060)."""

    def chunk(number: int, value: bytes) -> bytes:
        return struct.pack("!HHH", 0, number, 6 + len(value)) + value

    six = ":" in src
    seconds, rest = divmod(time_ns, 10**9)
    body = (
        chunk(1, bytes([10 if six else 2]))
        + chunk(2, bytes([protocol]))
        + chunk(5 if six else 3, ipaddress.ip_address(src).packed)
        + chunk(6 if six else 4, ipaddress.ip_address(dst).packed)
        + chunk(7, struct.pack("!H", src_port))
        + chunk(8, struct.pack("!H", dst_port))
        + chunk(9, struct.pack("!I", seconds))
        + chunk(10, struct.pack("!I", rest // 1000))
        + chunk(11, bytes([kind]))
        + chunk(12, struct.pack("!I", agent))
    )
    if correlation is not None:
        body += chunk(17, correlation.encode())
    body += chunk(15, payload)
    return b"HEP3" + struct.pack("!H", 6 + len(body)) + body


def websocket(payload: bytes, *, mask: bytes | None = None, opcode: int = 1, final: bool = True) -> bytes:
    """A WebSocket frame (RFC 6455 section 5.2); a client's has a `mask` of 4 bytes."""
    first = (0x80 if final else 0) | opcode
    flag = 0x80 if mask is not None else 0
    if len(payload) < 126:
        head = bytes([first, flag | len(payload)])
    elif len(payload) < 65536:
        head = struct.pack("!BBH", first, flag | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, flag | 127, len(payload))
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
