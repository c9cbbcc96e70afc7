"""The records of a capture file, replaced as they pass. Floor 3.

In: the bytes of a pcap or pcapng file. Out: as many bytes, in which packets were replaced, and comments, names,
filters, hashes and keys of the file itself were blanked. Record headers, times and lengths stay. What cannot be
understood does not pass: it is left out where the file can be read on behind it; else bits that are all set stand
in its place.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import numpy as np

from ..capture.formats import HEAD_BYTES, PcapHeader, parse_pcap_header
from ..capture.pcapng import NUMBERED
from ..capture.resuming import (
    DAY_S,
    Finder,
    Trust,
    believable_block,
    believable_record,
    find_block,
    find_record,
    first_found,
    reach,
)
from ..kernels.records import USUAL

__all__ = ["replaced"]

Redact = Callable[[bytearray, int, int], None]
"""Replaces a packet in place: bytes, link type, length on the wire."""
Passed = Callable[[int], None]
"""Told how many bytes were left out."""

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _NAMES, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
_PACKETS, _DESCRIBING = (_OLD_PACKET, _SIMPLE, _PACKET), (_SECTION, _INTERFACE, _STATISTICS)
_VERSIONS = (b"\x02\0\x04\0", b"\0\x02\0\x04")
_ZEROS = 1 << 16
_STRETCH = 1 << 20
_NOTHING = b"\xff"
_BLANK = ord("*")
_NUMBERS = {
    _SECTION: frozenset[int](), _INTERFACE: frozenset((8, 9, 10, 13, 14, 16, 17)), _STATISTICS: frozenset(range(2, 9)),
    _PACKET: frozenset((2, 4, 5, 6)), _OLD_PACKET: frozenset((2,)),
}  # fmt: skip
"""Options that are numbers and stay."""
_TEXTS = {
    _SECTION: frozenset((1, 2, 3, 4)), _INTERFACE: frozenset((1, 2, 3, 12, 15)), _STATISTICS: frozenset((1,)),
    _PACKET: frozenset((1,)), _OLD_PACKET: frozenset((1,)),
}  # fmt: skip
"""Options that are text: stars stand in its place."""


class _Reader(Protocol):
    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""


def replaced(source: _Reader, redact: Redact, largest: int, largest_block: int, passed: Passed) -> Iterator[bytes]:
    """The bytes of a capture, replaced.

    Parameters
    ----------
    source : file-like
        Its `read` gives fewer bytes than asked for only at the end.
    redact : callable
        Replaces a packet in place.
    largest, largest_block : int
        Bytes of the largest record, and of the largest block of another kind, that are believed.
    passed : callable
        Told of each stretch that was left out, since no record could be made out in it: its bytes.
    """
    head = source.read(HEAD_BYTES)
    header = parse_pcap_header(head)
    if header is not None:
        rest = _Ahead(head[24:], source)
        yield head[:24]
        yield from _pcap(rest, header, redact, largest, passed)
    elif head[:4] == b"\x0a\x0d\x0d\x0a" and len(head) == HEAD_BYTES:
        yield from _pcapng(_Ahead(head, source), redact, largest, largest_block, passed)
    else:  # no capture: whoever reads it says so, by its first bytes
        yield head[:4]
        yield from _zeros(len(head) - 4, source)


class _Ahead:
    """A file of which some bytes were read already."""

    def __init__(self, ahead: bytes, source: _Reader) -> None:
        self._ahead, self._source = ahead, source

    def read(self, size: int) -> bytes:
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data + self._source.read(size - len(data)) if len(data) < size else data

    def peek(self, size: int) -> bytes:
        """What :meth:`read` gives, which can be read once more."""
        data = self.read(size)
        self.unread(data)
        return data

    def unread(self, data: bytes) -> None:
        """Let some bytes be read once more."""
        self._ahead = data + self._ahead


def _passed_over(
    source: _Ahead, begin: bytes, head: bytes, find: Finder, ahead: int, passed: Passed
) -> Iterator[bytes]:
    """Pass over bytes in which no record can be made out; to the file's end, what is none stands in their place.

    Parameters
    ----------
    source : _Ahead
        Left where the next record stands.
    begin : bytes
        What was read of it, and turned out to be no record.
    head : bytes
        What its first bytes become where none follows.
    find, ahead
        As for :func:`sipanalyzer.capture.resuming.resume`.
    passed : callable
        Told how many bytes were passed over.
    """
    source.unread(begin)
    count = len(source.read(1))
    while True:
        data = source.read(_STRETCH + ahead)
        ended = len(data) < _STRETCH + ahead
        stop = len(data) if ended else _STRETCH
        at = first_found(find, np.frombuffer(data, np.uint8), ended, stop, ahead)
        count += stop if at < 0 else at
        source.unread(data[stop if at < 0 else at :])
        if at >= 0:
            passed(count)
            return
        if ended:
            break
    yield head[:count]
    for done in range(len(head), count, _STRETCH):
        yield _NOTHING * min(_STRETCH, count - done)


def _zeros(first: int, source: _Reader) -> Iterator[bytes]:
    """Zeros for some bytes and all that are still to come."""
    yield bytes(max(0, first))
    while data := source.read(_ZEROS):
        yield bytes(len(data))


def _pcap(source: _Ahead, header: PcapHeader, redact: Redact, largest: int, passed: Passed) -> Iterator[bytes]:
    trust, trusted, frame = Trust(), 0, 0
    before: int | None = None
    while True:
        order = ">" if header.big else "<"
        head = source.read(16 + header.extra)
        if len(head) < 16 + header.extra:
            yield head[:16]
            yield bytes(max(0, len(head) - 16))
            return
        seconds, fraction, captured, wire = struct.unpack_from(f"{order}IIII", head)
        if header.swapped == 1 or (header.swapped == 2 and captured > wire):
            captured, wire = wire, captured
        if captured == 0 and head[4:8] in _VERSIONS:
            another = parse_pcap_header(head[:24] + source.peek(max(0, 24 - len(head))))
            if another is not None:  # files strung together
                source.unread(head)
                yield source.read(24)
                header = another
                continue
        data = bytearray(source.read(captured)) if captured <= largest else bytearray()
        stands = captured <= largest and len(data) == captured and any(head[:16])
        odd = captured > wire or not 0 < captured <= USUAL or fraction * header.tick_ns >= 1_000_000_000
        if stands and odd and frame >= trusted:
            stands = believable_record(head + data + source.peek(24), len(head) + captured, header, largest)
            trusted = trust.up_to(frame) if stands else trusted
        if not stands:
            timely = fraction * header.tick_ns < 1_000_000_000 and abs(seconds - (before or seconds)) <= DAY_S
            find = partial(find_record, header=header, max_record_bytes=largest)
            # what is in no header may be in a packet
            yield from _passed_over(source, head + data, head[:16] if timely else b"", find, reach(largest), passed)
            continue
        yield head
        frame, before = frame + 1, seconds
        redact(data, header.link, wire)
        yield bytes(data)


def _pcapng(source: _Ahead, redact: Redact, largest: int, largest_block: int, passed: Passed) -> Iterator[bytes]:
    big, trust, trusted, frame = False, Trust(), 0, 0
    interfaces: list[tuple[int, int]] = []
    while True:
        head = source.read(12)
        if len(head) < 12:
            yield head
            return
        ordered = head[:4] != b"\x0a\x0d\x0d\x0a" or head[8:12] in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
        if head[:4] == b"\x0a\x0d\x0d\x0a" and ordered:
            big, interfaces = head[8:12] == b"\x1a\x2b\x3c\x4d", []
        order = ">" if big else "<"
        kind, total = struct.unpack_from(f"{order}II", head)
        stored = (total + 3) // 4 * 4
        stands = ordered and 12 <= total <= (largest + (1 << 16) if kind in _PACKETS else largest_block)
        body = bytearray(head[8:] + source.read(stored - 12)) if stands else bytearray(head[8:])
        if stands and reach(largest) - 8 <= len(body) < stored - 8:  # too large to look behind it
            yield head[:8] + bytes(len(body))
            return
        stands = stands and len(body) == stored - 8
        lengths = (struct.pack(f"{order}I", total), struct.pack(f"{order}I", stored))
        if stands and body[-4:] not in lengths:
            if stored != total and kind not in _DESCRIBING and body[total - 12 : total - 8] == lengths[0]:
                source.unread(bytes(body[total - 8 :]))
                del body[total - 8 :]
            elif frame >= trusted and stored <= reach(largest):
                stands = believable_block(source.peek(12), big, largest_block)
                trusted = trust.up_to(frame) if stands else trusted
        if not stands:
            find = partial(find_block, big=big, max_record_bytes=largest)
            yield from _passed_over(source, head[:8] + body, b"", find, reach(largest), passed)
            continue
        frame += kind in _PACKETS or kind in NUMBERED
        yield head[:8]
        _block(body, kind, order, len(body) - 4, interfaces, redact)
        yield bytes(body)


def _block(body: bytearray, kind: int, order: str, end: int, interfaces: list[tuple[int, int]], redact: Redact) -> None:
    """Replace what stands between the head of a block and its second length, at `end`."""
    at = {_SECTION: 16, _INTERFACE: 8, _PACKET: 20, _OLD_PACKET: 20, _STATISTICS: 12}.get(kind)
    if kind == _SIMPLE and end >= 4:
        wire = int(struct.unpack_from(f"{order}I", body)[0])
        link, snaplen = interfaces[0] if interfaces else (-1, 0)
        _packet(body, 4, min(end, 4 + min(wire, snaplen or wire)), end, link, wire, redact)
        return
    if at is None or end < at:
        body[:end] = bytes(end)
        return
    if kind == _INTERFACE:
        interfaces.append(struct.unpack_from(f"{order}HxxI", body))
    elif kind in (_PACKET, _OLD_PACKET):
        which = int(struct.unpack_from(f"{order}I" if kind == _PACKET else f"{order}H", body)[0])
        captured, wire = struct.unpack_from(f"{order}II", body, 12)
        link = interfaces[which][0] if which < len(interfaces) else -1
        if at + captured > end:
            body[at:end] = bytes(end - at)
            return
        after = min(end, at + (captured + 3) // 4 * 4)
        _packet(body, at, at + captured, after, link, wire, redact)
        at = after
    _options(body, at, end, order, kind)


def _packet(body: bytearray, at: int, end: int, after: int, link: int, wire: int, redact: Redact) -> None:
    data = body[at:end]
    redact(data, link, wire)
    body[at:after] = data.ljust(after - at, b"\0")


def _options(body: bytearray, at: int, end: int, order: str, kind: int) -> None:
    """Blank options that are no numbers."""
    numbers, texts = _NUMBERS[kind], _TEXTS[kind]
    while at + 4 <= end:
        code, size = struct.unpack_from(f"{order}HH", body, at)
        begin, stop = at + 4, at + 4 + size
        if code == 0 or stop > end:
            break
        if code in texts:
            body[begin:stop] = bytes([_BLANK]) * size
        elif code not in numbers or size > 8:
            body[begin:stop] = bytes(size)
        at = stop + (-size) % 4
        body[stop : min(at, end)] = bytes(max(0, min(at, end) - stop))
    body[at + 4 if at + 4 <= end else at : end] = bytes(max(0, end - at - 4) if at + 4 <= end else max(0, end - at))
