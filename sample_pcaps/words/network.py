"""What is below SIP and RTP, as bytes: ICMP errors, STUN checks, records of TLS and DTLS.

Owns: these headers. In: numbers and the bytes to carry. Out: bytes without IP and UDP or TCP, but for ICMP, which goes
straight into IP. Sources: RFC 792, RFC 8489, RFC 8445, RFC 8446, RFC 6347.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

from .packets import checksum, ipv4

ICMP = 1
PORT_UNREACHABLE = 3
CHECK, CHECKED = 0x0001, 0x0101
"""STUN: binding request, and success."""
USERNAME, PRIORITY, MAPPED = 0x0006, 0x0024, 0x0020
HANDSHAKE_FAILURE = 40


def unreachable(datagram: bytes, src: str, dst: str, sender: str, code: int = PORT_UNREACHABLE) -> bytes:
    """An ICMP destination unreachable by `sender` about a UDP datagram from `src` to `dst`: an IP packet."""
    quoted = ipv4(datagram, src, dst)[:28]
    body = struct.pack("!BBHI", 3, code, 0, 0) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ipv4(body, sender, src, ICMP)


def stun(kind: int, transaction: int, *attributes: tuple[int, bytes]) -> bytes:
    """A STUN message with a fingerprint (RFC 8489 sections 5 and 14.7)."""
    body = b""
    for name, value in attributes:
        body += struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)
    head = struct.pack("!HHI", kind, len(body) + 8, 0x2112A442) + transaction.to_bytes(12, "big")
    return head + body + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)


def check(transaction: int, names: str) -> bytes:
    """A connectivity check of ICE (RFC 8445 section 7.1); `names` are ``theirs:mine``."""
    return stun(CHECK, transaction, (USERNAME, names.encode()), (PRIORITY, struct.pack("!I", 1_853_824_767)))


def tls_record(kind: int, content: bytes, version: int = 0x0303) -> bytes:
    """A record of TLS 1.2."""
    return struct.pack("!BHH", kind, version, len(content)) + content


def tls_hello(name: str, *, client: bool) -> bytes:
    """A ClientHello or ServerHello with nothing but what must be in it (RFC 5246 section 7.4.1)."""
    random = hashlib.sha256(name.encode()).digest()
    suites = struct.pack("!HHH", 4, 0xC02F, 0xC030) + b"\x01\x00" if client else struct.pack("!HB", 0xC02F, 0)
    body = b"\x03\x03" + random + b"\x00" + suites
    return tls_record(22, bytes([1 if client else 2]) + len(body).to_bytes(3, "big") + body)


def tls_alert(number: int) -> bytes:
    """A fatal alert."""
    return tls_record(21, bytes([2, number]))


def dtls_record(kind: int, number: int, content: bytes, epoch: int = 0) -> bytes:
    """A record of DTLS 1.2 (RFC 6347 section 4.1)."""
    return (
        struct.pack("!BHH", kind, 0xFEFD, epoch) + number.to_bytes(6, "big") + struct.pack("!H", len(content)) + content
    )


def dtls_handshake(kind: int, number: int, body: bytes) -> bytes:
    """A handshake message of DTLS in one record (RFC 6347 section 4.2.2)."""
    size = len(body).to_bytes(3, "big")
    return dtls_record(22, number, bytes([kind]) + size + struct.pack("!H", number) + bytes(3) + size + body)
