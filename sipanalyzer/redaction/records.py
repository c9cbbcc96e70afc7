"""The records of a capture file, replaced as they pass. Floor 3.

In: the bytes of a pcap or pcapng file. Out: as many bytes, in which packets were replaced, and comments, names,
filters, hashes and keys of the file itself were blanked. Record headers, times and lengths stay. Where a file breaks
off, the rest is zeros: what cannot be understood does not pass.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Protocol

from ..capture.formats import HEAD_BYTES, PcapHeader, parse_pcap_header

__all__ = ["replaced"]

Redact = Callable[[bytearray, int, int], None]
"""Replaces a packet in place: bytes, link type, length on the wire."""

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _NAMES, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
_ZEROS = 1 << 16
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


def replaced(source: _Reader, redact: Redact, largest: int) -> Iterator[bytes]:
    """The bytes of a capture, replaced.

    Parameters
    ----------
    source : file-like
        Its `read` gives fewer bytes than asked for only at the end.
    redact : callable
        Replaces a packet in place.
    largest : int
        Bytes of the largest record that is believed.
    """
    head = source.read(HEAD_BYTES)
    header = parse_pcap_header(head)
    if header is not None:
        rest = _Ahead(head[24:], source)
        yield head[:24]
        yield from _pcap(rest, header, redact, largest)
    elif head[:4] == b"\x0a\x0d\x0d\x0a" and len(head) == HEAD_BYTES:
        yield from _pcapng(_Ahead(head, source), redact, largest)
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


def _zeros(first: int, source: _Reader) -> Iterator[bytes]:
    """Zeros for some bytes and all that are still to come."""
    yield bytes(max(0, first))
    while data := source.read(_ZEROS):
        yield bytes(len(data))


def _pcap(source: _Reader, header: PcapHeader, redact: Redact, largest: int) -> Iterator[bytes]:
    order = ">" if header.big else "<"
    while True:
        head = source.read(16 + header.extra)
        if len(head) < 16 + header.extra:
            yield head[:16]
            yield bytes(max(0, len(head) - 16))
            return
        captured, wire = struct.unpack_from(f"{order}II", head, 8)
        if header.swapped == 1 or (header.swapped == 2 and captured > wire):
            captured, wire = wire, captured
        yield head
        if captured > largest:
            yield from _zeros(0, source)
            return
        data = bytearray(source.read(captured))
        if len(data) < captured:
            yield bytes(len(data))
            return
        redact(data, header.link, wire)
        yield bytes(data)


def _pcapng(source: _Reader, redact: Redact, largest: int) -> Iterator[bytes]:
    order = "<"
    interfaces: list[tuple[int, int]] = []
    while True:
        head = source.read(12)
        if len(head) < 12:
            yield head
            return
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            order = ">" if head[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        kind, total = struct.unpack_from(f"{order}II", head)
        yield head[:8]
        if total < 12 or total > largest + (1 << 16):
            yield from _zeros(4, source)
            return
        stored = (total + 3) // 4 * 4
        body = bytearray(head[8:] + source.read(stored - 12))
        if len(body) < stored - 8:
            yield bytes(len(body))
            return
        _block(body, kind, order, stored - 12, interfaces, redact)
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
