"""The blocks of a pcapng file: sections, interfaces and statistics here, packets in the kernel. Floor 2.

Comes in: a window on a file that begins with a section header. Goes out: decoded rows, in slots. Source:
draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.resuming import Trust, believable_block, block_stands, find_block, reach, resume
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.capture.window import SLACK, Slot, Window
from sipanalyzer.errors import CaptureError
from sipanalyzer.kernels import records
from sipanalyzer.kernels.walkstate import (
    FOUND,
    FRAME,
    MAX_OFFSET_S,
    NEEDED,
    NOTE_BLOCK,
    TRUSTED,
    note,
)
from sipanalyzer.options import Options

__all__ = ["read_pcapng"]

MAX_INTERFACES = 65_536
"""Interfaces of one section that are kept; packets of later ones count as those of an interface not described."""
KNOWN_BYTES = 64 << 10
"""So much of a section, interface or statistics block is looked at; what counts stands at its beginning."""
NUMBERED = (
    records.JOURNAL,
    records.CUSTOM,
    records.CUSTOM_NO_COPY,
    records.SYSDIG_EVENT,
    records.SYSDIG_EVENT_V2,
    records.SYSDIG_EVENT_V2_LARGE,
)
OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14
OPTION_IFDROP, OPTION_OSDROP = 5, 7


@dataclass(slots=True)
class _Section:
    """What the blocks of the current section said."""

    number: int = 0
    big: bool = False
    interfaces: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((8, records.INTERFACE), np.int64))
    count: int = 0

    def integer(self, data: bytes, signed: bool = False) -> int:
        return int.from_bytes(data, "big" if self.big else "little", signed=signed)


@dataclass(frozen=True, slots=True)
class _Head:
    """A block's first bytes."""

    kind: int
    total: int
    """Its length as it says; 0 where a section header says no byte order."""
    big: bool

    @property
    def size(self) -> int:
        """Rounded up to a multiple of four."""
        return (self.total + 3) & ~3


def read_pcapng(window: Window, options: Options, stats: CaptureStats, take: Callable[[], Slot]) -> Iterator[None]:
    """Put rows of the file's packets into slots, a stretch of it at a time; where it breaks off stands in `stats`.

    Parameters
    ----------
    window : Window
        Stands at the beginning of the file.
    options : Options
        Of use here: max_record_bytes, max_block_bytes, max_tunnel_depth, sort_ns.
    stats : CaptureStats
        Moved on.
    take : callable
        Gives the slot for the next stretch; one that has room for a row.

    Raises
    ------
    CaptureError
        If the first section header is not whole, or of another version than 1.

    Notes
    -----
    A section's length is not made use of: it is often wrong, and sections are recognised without it.

    Where no block can be made out, the file is damaged; it is read on at the next one that is found
    (:mod:`sipanalyzer.capture.resuming`).
    """
    largest = options.max_record_bytes
    trust = Trust()
    section = _Section()
    state = stats.state
    while True:
        window.fill()
        reason = _walk(window, take(), section, options, stats, trust)
        yield
        if reason == records.ENOUGH:
            return
        window.turn()
        offset, left = window.offset, window.end - window.start
        if reason == records.ABSURD:
            stats.break_off(offset, "a length of a block", f"{int(state[FOUND])}")
        elif reason == records.PADDING:
            if window.only_zeros():
                return
            stats.break_off(offset, "a block", "zeros, then other bytes")
        elif reason == records.DOUBTFUL:
            size = int(state[NEEDED])
            if size > reach(largest):  # of no packet: passed over like any other
                believed = True
            else:
                window.want(size + 12)
                believed = believable_block(window.peek(size + 12)[size:], section.big, options.max_block_bytes)
            if believed:
                state[TRUSTED] = trust.up_to(int(state[FRAME]))
                continue
            stats.break_off(offset, "a block", "one of two lengths, and none behind it")
        elif reason == records.BLOCK:
            if _pass_careful(window, section, options, stats, trust):
                continue
        elif reason == records.USED_UP and window.ended:
            if not any(window.peek(left)):
                return
            stats.break_off(offset, f"{int(state[NEEDED])} bytes of a block", f"{left}")
        else:
            continue
        if not resume(window, partial(find_block, big=section.big, max_record_bytes=largest), reach(largest)):
            return
        stats.read_on(offset, window.offset)


def _walk(window: Window, slot: Slot, section: _Section, options: Options, stats: CaptureStats, trust: Trust) -> int:
    """Decode what is in memory; returns why the kernel stopped (`BLOCK`: the block there is not whole in memory)."""
    state = stats.state
    while True:
        window.ready(slot, state)
        reason = records.walk_pcapng(
            window.data,
            window.start,
            window.slack,
            section.big,
            section.interfaces,
            section.count,
            options.max_record_bytes + SLACK // 2,
            options.max_block_bytes,
            options.max_record_bytes,
            options.max_tunnel_depth,
            options.sort_ns,
            slot.rows,
            slot.numbers,
            slot.data,
            stats.counts,
            state,
            stats.notes,
        )
        window.walked(slot, state)
        size = int(state[NEEDED])
        behind = window.end - window.start >= size + 12
        if reason == records.DOUBTFUL and behind and size <= reach(options.max_record_bytes):
            after = window.peek(size + 12)[size:]
            if not believable_block(after, section.big, options.max_block_bytes):
                return int(reason)
            state[TRUSTED] = trust.up_to(int(state[FRAME]))
            continue
        if reason != records.BLOCK or window.end - window.start < 12:
            return int(reason)
        head = _head(window.peek(12), section)
        if not 12 <= head.total <= options.max_block_bytes or head.size > window.end - window.start:
            return records.BLOCK
        if state[FRAME] >= state[TRUSTED] and not _ends_well(window.tail_of(head.size), head):
            return records.BLOCK
        _handle(head, window.peek(min(head.size, KNOWN_BYTES)), section, stats)
        _check_end(window.tail_of(head.size), head, stats)
        window.start += head.size


def _pass_careful(window: Window, section: _Section, options: Options, stats: CaptureStats, trust: Trust) -> bool:
    """Handle a block that was not whole in memory, or is odd; false where the file breaks off in it."""
    offset = window.offset
    if not window.want(12):
        _broken(window.end - window.start, 12, offset, stats)
        return False
    head = _head(window.peek(12), section)
    if not 12 <= head.total <= options.max_block_bytes:
        if offset == 0:
            raise CaptureError(stats.name, "not a capture", offset=4, needed="a section length", found=f"{head.total}")
        stats.break_off(offset, "a length of a block", f"{head.total}")
        return False
    trusted = bool(stats.state[FRAME] < stats.state[TRUSTED])
    stands, odd = block_stands(window, head.total, head.big, trusted, options.max_record_bytes, options.max_block_bytes)
    if not stands:
        if odd:
            stats.break_off(offset, "a block", "one of two lengths, and none behind it")
        else:
            _broken(window.end - window.start, head.size, offset, stats)
        return False
    if odd:
        stats.state[TRUSTED] = trust.up_to(int(stats.state[FRAME]))
    known = min(head.size, KNOWN_BYTES)
    if window.want(known):
        begin = window.peek(known)
        if window.skip(head.size - 4) and window.want(4):
            _handle(head, begin, section, stats)
            _check_end(window.peek(4), head, stats)
            window.start += 4
            return True
    _broken(window.offset - offset + window.end - window.start, head.size, offset, stats)
    return False


def _broken(found: int, needed: int, offset: int, stats: CaptureStats) -> None:
    if offset == 0:
        raise CaptureError(
            stats.name, "not a capture", offset=0, needed=f"{needed} bytes of section header", found=f"{found}"
        )
    stats.break_off(offset, f"{needed} bytes of a block", f"{found}")


def _head(data: bytes, section: _Section) -> _Head:
    big = section.big
    kind = int.from_bytes(data[:4], "big" if big else "little")
    if kind == records.SECTION_HEADER:  # reads the same in both byte orders; the order follows it
        big = data[8:12] == b"\x1a\x2b\x3c\x4d"
        if not big and data[8:12] != b"\x4d\x3c\x2b\x1a":
            return _Head(kind, 0, big)
    return _Head(kind, int.from_bytes(data[4:8], "big" if big else "little"), big)


def _ends_well(again: bytes, head: _Head) -> bool:
    """Whether a block's second length is its first."""
    return int.from_bytes(again, "big" if head.big else "little") in (head.total, head.size)


def _check_end(again: bytes, head: _Head, stats: CaptureStats) -> None:
    """Count a block whose second length is another one than its first."""
    if not _ends_well(again, head):
        note(stats.notes, NOTE_BLOCK, int(stats.state[FRAME]) + 1)


def _handle(head: _Head, data: bytes, section: _Section, stats: CaptureStats) -> None:
    """Take in a block that is not for the kernel; `data` begins with its type."""
    if head.kind == records.SECTION_HEADER:
        section.number += 1
        section.big = head.big
        section.count = 0
        version = section.integer(data[12:14])
        if version != 1 and section.number == 1:
            raise CaptureError(
                stats.name, "not a capture this reads", offset=12, needed="pcapng version 1", found=f"{version}"
            )
    elif head.kind == records.INTERFACE_DESCRIPTION:
        _add_interface(data, section, stats)
    elif head.kind == records.INTERFACE_STATISTICS:
        _add_statistics(data, section, stats)
    elif head.kind in NUMBERED:
        stats.state[FRAME] += 1


def _add_interface(data: bytes, section: _Section, stats: CaptureStats) -> None:
    if section.count >= MAX_INTERFACES:
        return
    if section.count == len(section.interfaces):
        section.interfaces = np.concatenate([section.interfaces, np.zeros_like(section.interfaces)])
    row = section.interfaces[section.count]
    section.count += 1
    if len(data) < 20:
        note(stats.notes, NOTE_BLOCK, int(stats.state[FRAME]) + 1)
        data = data[:-4] if len(data) >= 14 else data[:8]  # the second length is no link type
    link = section.integer(data[8:10])
    row[:] = 0
    row[records.IF_LINK] = link
    row[records.IF_EXPONENT] = 6
    row[records.IF_SNAPLEN] = section.integer(data[12:16])
    for code, value in _options(data, 16, section):
        if code == OPTION_TSRESOL and len(value) == 1:
            row[records.IF_BINARY] = value[0] >> 7
            row[records.IF_EXPONENT] = value[0] & 0x7F
        elif code == OPTION_TSOFFSET and len(value) == 8:
            row[records.IF_OFFSET_S] = max(-MAX_OFFSET_S, min(MAX_OFFSET_S, section.integer(value, signed=True)))
    stats.add_link(link)


def _add_statistics(data: bytes, section: _Section, stats: CaptureStats) -> None:
    interface = section.integer(data[8:12])
    if interface >= section.count:
        note(stats.notes, NOTE_BLOCK, int(stats.state[FRAME]) + 1)
        return
    drops = [
        section.integer(value)
        for code, value in _options(data, 20, section)
        if code in (OPTION_IFDROP, OPTION_OSDROP) and len(value) == 8
    ]
    if drops:
        stats.drops[section.number, interface] = sum(drops)


def _options(data: bytes, at: int, section: _Section) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option; the block's second length at the end of `data` is not looked at."""
    end = len(data) - 4
    while at + 4 <= end:
        code, length = section.integer(data[at : at + 2]), section.integer(data[at + 2 : at + 4])
        at += 4
        if code == 0 or at + length > end:
            return
        yield code, data[at : at + length]
        at += (length + 3) & ~3
