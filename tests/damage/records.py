"""Capture files taken apart into their records and put together again, by nothing but their lengths.

Knows pcap (either byte order) and pcapng, whole files only: what is damaged is made here, not read. Owes nothing to the
readers of sipanalyzer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

SECTION, INTERFACE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 3, 6


@dataclass(frozen=True)
class Pieces:
    """A capture file in pieces."""

    head: bytes
    """The file header of pcap; of pcapng, nothing."""
    records: tuple[bytes, ...]
    """Records, or blocks of any kind."""
    order: str
    """``<`` or ``>``."""

    @property
    def pcapng(self) -> bool:
        return not self.head

    def packets(self) -> list[int]:
        """Indices of the records that hold a packet."""
        if not self.pcapng:
            return list(range(len(self.records)))
        return [number for number, each in enumerate(self.records) if self.kind(each) in (2, SIMPLE, ENHANCED)]

    def kind(self, record: bytes) -> int:
        return int(struct.unpack_from(self.order + "I", record)[0])

    def packet_at(self, record: bytes) -> tuple[int, int]:
        """Where a record's packet begins and how long it is."""
        if not self.pcapng:
            return 16, len(record) - 16
        if self.kind(record) == SIMPLE:
            return 12, len(record) - 16
        return 28, int(struct.unpack_from(self.order + "I", record, 20)[0])

    def bytes(self, records: Iterable[bytes] | None = None) -> bytes:
        return self.head + b"".join(self.records if records is None else records)

    def boundaries(self) -> list[int]:
        """Offsets between records: after the head, and after each of them."""
        found = [len(self.head)]
        for each in self.records:
            found.append(found[-1] + len(each))
        return found

    def with_records(self, records: Iterable[bytes]) -> Pieces:
        return replace(self, records=tuple(records))


def take_apart(data: bytes) -> Pieces | None:
    """The pieces of a capture; None where it is of another make than those known here, or not whole."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _blocks(data)
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        return None
    order = "<" if data[0] != 0xA1 else ">"
    at, records = 24, []
    while at + 16 <= len(data):
        (size,) = struct.unpack_from(order + "I", data, at + 8)
        records.append(data[at : at + 16 + size])
        at += 16 + size
    return Pieces(data[:24], tuple(records), order) if at == len(data) else None


def _blocks(data: bytes) -> Pieces | None:
    order = ">" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
    at, records = 0, []
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(order + "I", data, at + 4)
        if size < 12 or size % 4:
            return None
        records.append(data[at : at + size])
        at += size
    return Pieces(b"", tuple(records), order) if at == len(data) else None


def at_time(pieces: Pieces, record: bytes, time_ns: int) -> bytes:
    """A record at another time (64 bits of whatever it counts in are cut to what the format has room for)."""
    if pieces.pcapng:
        if pieces.kind(record) != ENHANCED:
            return record
        ticks = (time_ns // 1000) & 0xFFFFFFFFFFFFFFFF
        return record[:12] + struct.pack(pieces.order + "II", ticks >> 32, ticks & 0xFFFFFFFF) + record[20:]
    nano = pieces.head[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return struct.pack(pieces.order + "II", seconds & 0xFFFFFFFF, rest if nano else rest // 1000) + record[8:]


def time_of(pieces: Pieces, record: bytes) -> int:
    """Time of a record, ns; of an interface in microseconds where it is pcapng."""
    if pieces.pcapng:
        high, low = struct.unpack_from(pieces.order + "II", record, 12)
        return int(high << 32 | low) * 1000
    nano = pieces.head[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    seconds, rest = struct.unpack_from(pieces.order + "II", record)
    return int(seconds) * 1_000_000_000 + int(rest) * (1 if nano else 1000)
