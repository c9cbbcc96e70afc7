"""Checksums of IP, UDP, TCP, ICMP (RFC 1071) and SCTP (RFC 9260 appendix A). Floor 3. Bytes in, checksum out."""

from __future__ import annotations

import functools

__all__ = ["crc32c", "internet_checksum"]

_CASTAGNOLI = 0x82F63B78


def internet_checksum(data: bytes | bytearray) -> bytes:
    """Checksum of some bytes in which its own field is zero."""
    if len(data) % 2:
        data = data + b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF  # 2**16 is 1 modulo 65535: so the words are added up
    if total == 0 and any(data):
        total = 0xFFFF
    return (0xFFFF - total).to_bytes(2, "big")


@functools.cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_CASTAGNOLI if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """CRC-32C of some bytes."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
