"""Capture files from words, malformed ones too, and what the readers make of them."""

from __future__ import annotations

import io
import struct
from typing import Any

from sipanalyzer.capture.block import Block
from sipanalyzer.capture.order import Reading
from sipanalyzer.capture.source import expand
from sipanalyzer.kernels import columns as row
from sipanalyzer.options import Options
from sipanalyzer.result import Capture

ODD_LINK = 127
"""A link type whose packets come out as they are: radiotap."""


def pcap_header(
    magic: int = 0xA1B2C3D4, link: int = ODD_LINK, order: str = "<", version: tuple[int, int] = (2, 4)
) -> bytes:
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65_535, link)


def record(
    seconds: int, fraction: int, data: bytes, order: str = "<", wire: int | None = None, captured: int | None = None
) -> bytes:
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    return struct.pack(order + "IIII", seconds, fraction, captured, wire) + data


def block(kind: int, body: bytes, order: str = "<", total: int | None = None, again: int | None = None) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    total = size if total is None else total
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total if again is None else again)


def section(order: str = "<", length: int = -1, options: bytes = b"", version: int = 1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, length) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(
    link: int = ODD_LINK,
    resolution: int | None = None,
    offset_s: int | None = None,
    snaplen: int = 0,
    order: str = "<",
    more: bytes = b"",
) -> bytes:
    options = b"" if resolution is None else option(9, bytes([resolution]), order)
    if offset_s is not None:
        options += option(14, struct.pack(order + "q", offset_s), order)
    options += more
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options + (bytes(4) if options else b""), order)


def enhanced(
    ticks: int, data: bytes, which: int = 0, order: str = "<", wire: int | None = None, captured: int | None = None,
    options: bytes = b"", total: int | None = None, again: int | None = None,
) -> bytes:  # fmt: skip
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    head = struct.pack(order + "IIIII", which, ticks >> 32, ticks & 0xFFFFFFFF, captured, wire)
    return block(6, head + data + bytes(-len(data) % 4) + options, order, total, again)


def simple(data: bytes, wire: int | None = None, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)


def old(ticks: int, data: bytes, which: int = 0, drops: int = 0xFFFF, order: str = "<") -> bytes:
    head = struct.pack(order + "HHIIII", which, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(2, head + data, order)


def statistics(which: int = 0, ifdrop: int | None = None, osdrop: int | None = None, order: str = "<") -> bytes:
    options = option(4, struct.pack(order + "Q", 12_345), order)
    if ifdrop is not None:
        options += option(5, struct.pack(order + "Q", ifdrop), order)
    if osdrop is not None:
        options += option(7, struct.pack(order + "Q", osdrop), order)
    return block(5, struct.pack(order + "III", which, 0, 0) + options + bytes(4), order)


class Dribble(io.RawIOBase):
    """A file object that gives what it is asked for in pieces of given sizes, over and over."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes, self._at, self._turn = data, sizes, 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        size = self._sizes[self._turn % len(self._sizes)]
        self._turn += 1
        piece = self._data[self._at : self._at + min(size, len(view))]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def observe(captures: Any, **options: Any) -> tuple[list[tuple[int, int, int, bytes]], Capture]:
    """Frame, time, link type and bytes of each packet in order of arrival, and what is said of the file."""
    found: list[tuple[int, int, int, bytes]] = []

    def intake(block: Block) -> Any:
        for line in block.rows.tolist():
            at, length = line[row.AT], line[row.LENGTH]
            found.append((line[row.FRAME], line[row.TIME], line[row.LAYER], block.data[at : at + length].tobytes()))
        return block.rows

    if isinstance(captures, bytes):
        captures = io.BytesIO(captures)
    reading = Reading(expand(captures), Options(**options), intake)
    for _ in reading:
        pass
    return found, reading.captures()[0]


def rows_of(captures: Any, **options: Any) -> tuple[list[list[int]], list[int], Reading]:
    """Rows in order of time without what depends on the block, and each one's capture."""
    if isinstance(captures, bytes):
        captures = io.BytesIO(captures)

    def intake(block: Block) -> Any:
        rows = block.rows.copy()
        rows[rows[:, row.KIND] != row.RTP, row.AT] = 0
        return rows

    reading = Reading(expand(captures), Options(**options), intake)
    rows: list[list[int]] = []
    files: list[int] = []
    for matrix, which in reading:
        rows.extend(matrix.tolist())
        files.extend([which] * len(matrix) if isinstance(which, int) else which.tolist())
    return rows, files, reading
