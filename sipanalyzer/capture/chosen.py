"""Records of a capture by their numbers, as they stand in the file. Floor 2.

Comes in: an :class:`~sipanalyzer.capture.source.Input`, and numbers of frames or bytes to be found in them. Goes out:
:class:`Record` after :class:`Record`, in the file's order: the packet's bytes, its time in the clock of its interface,
its options. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.block import open_capture
from sipanalyzer.capture.formats import PcapHeader, parse_pcap_header
from sipanalyzer.capture.resuming import (
    Trust,
    believable_block,
    believable_record,
    block_stands,
    find_block,
    find_record,
    reach,
    resume,
)
from sipanalyzer.capture.source import Input
from sipanalyzer.capture.window import SLACK, Window
from sipanalyzer.kernels import picking, records
from sipanalyzer.kernels.walkstate import MAX_OFFSET_S, NO_TIME, to_nanoseconds
from sipanalyzer.options import Options

__all__ = ["Interface", "Record", "Section", "read_chosen", "read_matching"]

Ints = npt.NDArray[np.int64]

FILE_HEADER_BYTES = 24
BATCH = 4_096
"""Records found at a time."""
NUMBERED = (
    records.JOURNAL,
    records.CUSTOM,
    records.CUSTOM_NO_COPY,
    records.SYSDIG_EVENT,
    records.SYSDIG_EVENT_V2,
    records.SYSDIG_EVENT_V2_LARGE,
)
"""Blocks without a packet that have a frame number all the same."""
RESOLUTION, OFFSET = 9, 14
"""Options of an interface: if_tsresol, if_tsoffset."""
_FCS_LENGTH = 13
_DROPS = 4
_NO_DROPS = 0xFFFF

_INTERFACE_OPTIONS = {
    1: "bytes", 2: "bytes", 3: "bytes", 4: "bytes", 5: "bytes", 6: "bytes", 7: "bytes", 8: "u64", RESOLUTION: "bytes",
    10: "u32", 11: "filter", 12: "bytes", _FCS_LENGTH: "bytes", OFFSET: "u64", 15: "bytes", 16: "u64", 17: "u64",
}  # fmt: skip
"""Options of an interface that are kept, and what their values are made of."""
_PACKET_OPTIONS = {1: "bytes", 2: "u32", 3: "bytes", _DROPS: "u64", 5: "u64", 6: "u32"}
"""Likewise of a packet: comment, flags, hash, drops, packet id, queue."""
_SWAPPED = {"u32": ">I", "u64": ">Q"}


@dataclass(frozen=True, slots=True)
class Interface:
    """What packets were captured on."""

    link: int
    """Link type, a number of tcpdump's registry."""
    snaplen: int
    """0: no limit."""
    options: tuple[tuple[int, bytes], ...] = ()
    """As pcapng has them, numbers little-endian."""

    def value(self, code: int) -> bytes | None:
        """Value of an option; None where it has none."""
        return next((value for each, value in self.options if each == code), None)

    def _clock(self) -> tuple[int, int, int]:
        """Whether a tick is a power of two, its exponent, and seconds to be added."""
        resolution, offset = self.value(RESOLUTION) or b"\x06", self.value(OFFSET) or bytes(8)
        return resolution[0] >> 7, resolution[0] & 0x7F, int.from_bytes(offset, "little", signed=True)

    def ticks(self, time_ns: int) -> int:
        """A time in units of its clock."""
        binary, exponent, offset = self._clock()
        a_second = 1 << exponent if binary else 10**exponent
        return max(0, -(-(time_ns - offset * 1_000_000_000) * a_second // 1_000_000_000)) & 0xFFFFFFFFFFFFFFFF

    def time_ns(self, ticks: int) -> int | None:
        """A time of its clock in ns since 1970; None where it cannot be believed."""
        binary, exponent, offset = self._clock()
        offset = max(-MAX_OFFSET_S, min(MAX_OFFSET_S, offset))
        time = to_nanoseconds(ticks >> 32, ticks & 0xFFFFFFFF, binary, exponent, offset)
        return None if time == NO_TIME else time


@dataclass(slots=True, eq=False)
class Section:
    """Interfaces that are numbered together: of a section of a pcapng file, or the one of a pcap file."""

    interfaces: list[Interface] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Record:
    """One packet as it stands in a file."""

    frame: int
    section: Section
    which: int
    """Index of its interface in the section."""
    ticks: int | None
    """Its time in units of the interface's clock; None: a simple packet, which has none."""
    data: bytes
    wire_length: int
    options: tuple[tuple[int, bytes], ...] = ()
    """As pcapng has them, numbers little-endian."""


def read_chosen(one: Input, frames: Ints, options: Options) -> Iterator[Record]:
    """Records by number.

    Parameters
    ----------
    one : Input
        The capture.
    frames : int64[n]
        Numbers of the frames wanted, ascending; what does not exist is passed over.
    options : Options
        Of use here: block_bytes, max_record_bytes, max_block_bytes.

    Raises
    ------
    CaptureError
        If it cannot be opened, or is no capture.
    """
    if len(frames):
        yield from _read(one, _Picker(np.ascontiguousarray(frames, np.int64)), options)


def read_matching(one: Input, patterns: Sequence[re.Pattern[bytes]], options: Options) -> Iterator[Record]:
    """Records in which bytes are found; a match may begin in what the file has beside the packet.

    Parameters
    ----------
    one : Input
        The capture.
    patterns : sequence of re.Pattern
        What is looked for; each should begin with bytes that are rare, or this is slow.
    options : Options
        As above.

    Raises
    ------
    CaptureError
        If it cannot be opened, or is no capture.
    """
    yield from _read(one, _Picker(None, patterns), options)


def _read(one: Input, picker: _Picker, options: Options) -> Iterator[Record]:
    opened = open_capture(one)
    try:
        window = Window(opened.source, options.block_bytes, options.max_record_bytes, opened.head)
        if opened.header is None:
            yield from _of_pcapng(window, picker, options)
        else:
            yield from _of_pcap(window, opened.header, picker, options)
    finally:
        opened.source.close()


class _Picker:
    """What is looked for: frames by number, or all in which bytes are found."""

    def __init__(self, wanted: Ints | None, patterns: Sequence[re.Pattern[bytes]] = ()) -> None:
        self.state = np.zeros(picking.STATE, np.int64)
        self.picked = np.zeros((BATCH, picking.PICK), np.int64)
        self.wanted = np.empty(0, np.int64) if wanted is None else wanted
        self._patterns = patterns

    def found(self, window: Window) -> list[list[int]]:
        """Rows of what was picked, and looked for; moves the window on."""
        rows = self.picked[: self.state[picking.PICKED]]
        start, stop = window.start, int(self.state[picking.AT])
        window.start = stop
        if not len(self.wanted):
            view = window.data[start:stop].data
            places = [start + match.start() for pattern in self._patterns for match in pattern.finditer(view)]
            at = np.searchsorted(rows[:, picking.RECORD], np.array(places, np.int64), side="right") - 1
            rows = rows[np.unique(at[at >= 0])]
        return rows.tolist()  # type: ignore[no-any-return]


# ---- pcap
def _of_pcap(window: Window, header: PcapHeader, picker: _Picker, options: Options) -> Iterator[Record]:
    trust, section = Trust(), _of_file_header(window.peek(FILE_HEADER_BYTES), header)
    window.start += FILE_HEADER_BYTES
    while True:
        window.fill()
        data = window.data
        reason = picking.pick_pcap(
            data, window.start, window.end, header.big, header.tick_ns, header.extra, header.swapped,
            options.max_record_bytes, picker.wanted, picker.picked, picker.state,
        )  # fmt: skip
        a_second = 1_000_000_000 // header.tick_ns
        order = ">II" if header.big else "<II"
        for at, size, wire, frame in picker.found(window):
            seconds, fraction = struct.unpack_from(order, data.data, at)
            begin = at + 16 + header.extra
            packet = data[begin : begin + size].tobytes()
            yield Record(frame, section, 0, seconds * a_second + fraction, packet, wire)
        if reason == records.FILE_HEADER and window.want(FILE_HEADER_BYTES):
            head = window.peek(FILE_HEADER_BYTES)
            another = parse_pcap_header(head)
            if another is not None:
                header, section = another, _of_file_header(head, another)
                window.start += FILE_HEADER_BYTES
                continue
        if reason == records.ROWS_FULL:
            continue
        if reason in (records.ENOUGH, records.FILE_HEADER):
            return
        if reason == records.USED_UP and not window.ended:
            window.turn()
            continue
        if reason == records.DOUBTFUL:
            size = int(picker.state[picking.NEEDED])
            window.want(size + FILE_HEADER_BYTES)
            if believable_record(window.peek(size + FILE_HEADER_BYTES), size, header, options.max_record_bytes):
                picker.state[picking.TRUSTED] = trust.up_to(int(picker.state[picking.FRAME]))
                continue
        elif reason == records.PADDING and window.only_zeros():
            return
        find = partial(find_record, header=header, max_record_bytes=options.max_record_bytes)
        if not resume(window, find, reach(options.max_record_bytes)):
            return


def _of_file_header(head: bytes, header: PcapHeader) -> Section:
    """The interface that a pcap file header describes."""
    snaplen, link = struct.unpack_from(">II" if header.big else "<II", head, 16)
    options = [(RESOLUTION, b"\x09" if header.tick_ns == 1 else b"\x06")]
    if link & 0x04000000:
        options.append((_FCS_LENGTH, bytes([(link >> 28) * 16 & 0xFF])))
    return Section([Interface(header.link, snaplen, tuple(options))])


# ---- pcapng
def _of_pcapng(window: Window, picker: _Picker, options: Options) -> Iterator[Record]:
    trust, section, big = Trust(), Section(), False
    while True:
        window.fill()
        data = window.data
        reason = picking.pick_pcapng(
            data, window.start, window.end, big, options.max_record_bytes + SLACK // 2, options.max_block_bytes,
            picker.wanted, picker.picked, picker.state,
        )  # fmt: skip
        for at, size, kind, frame in picker.found(window):
            record = _packet(data[at : at + size].tobytes(), kind, frame, section, big)
            if record is not None:
                yield record
        if reason == records.ROWS_FULL:
            continue
        state, largest = picker.state, options.max_record_bytes
        if reason == records.BLOCK and window.want(12):
            head = window.peek(12)
            if head[:4] == b"\x0a\x0d\x0d\x0a":
                big = head[8:12] == b"\x1a\x2b\x3c\x4d"
                section = Section()
            kind, total = struct.unpack_from(">II" if big else "<II", head)
            size = (total + 3) & ~3
            trusted = bool(state[picking.FRAME] < state[picking.TRUSTED])
            stands, odd = block_stands(window, total, big, trusted, largest, options.max_block_bytes)
            if stands:
                if odd:
                    state[picking.TRUSTED] = trust.up_to(int(state[picking.FRAME]))
                if kind == records.INTERFACE_DESCRIPTION:
                    section.interfaces.append(_interface(window.peek(size), big))
                elif kind in NUMBERED:
                    state[picking.FRAME] += 1
                if not window.skip(size):
                    return
                continue
        elif reason == records.ENOUGH:
            return
        elif reason == records.USED_UP and not window.ended:
            window.turn()
            continue
        elif reason == records.DOUBTFUL:
            size = int(state[picking.NEEDED])
            believed = size > reach(largest)
            if not believed:
                window.want(size + 12)
                believed = believable_block(window.peek(size + 12)[size:], big, options.max_block_bytes)
            if believed:
                state[picking.TRUSTED] = trust.up_to(int(state[picking.FRAME]))
                continue
        elif reason == records.PADDING and window.only_zeros():
            return
        if not resume(window, partial(find_block, big=big, max_record_bytes=largest), reach(largest)):
            return


def _interface(block: bytes, big: bool) -> Interface:
    """An interface description block."""
    order = ">" if big else "<"
    if len(block) < 20:
        return Interface(struct.unpack_from(order + "H", block, 8)[0] if len(block) >= 14 else 0, 0)
    link, snaplen = struct.unpack_from(order + "HxxI", block, 8)
    return Interface(link, snaplen, tuple(_options(block, 16, big, _INTERFACE_OPTIONS)))


def _packet(block: bytes, kind: int, frame: int, section: Section, big: bool) -> Record | None:
    """A packet block of any kind; None where it is too short, or its interface was not described."""
    order = ">" if big else "<"
    stop = len(block) - 4
    drops = _NO_DROPS
    if kind == records.SIMPLE_PACKET:
        if len(block) < 16 or not section.interfaces:
            return None
        wire = struct.unpack_from(order + "I", block, 8)[0]
        size = min(wire, stop - 12, section.interfaces[0].snaplen or wire)
        return Record(frame, section, 0, None, block[12 : 12 + size], wire)
    if len(block) < 32:
        return None
    if kind == records.ENHANCED_PACKET:
        which, high, low, size, wire = struct.unpack_from(order + "5I", block, 8)
    else:
        which, drops, high, low, size, wire = struct.unpack_from(order + "HH4I", block, 8)
    if which >= len(section.interfaces) or 28 + size > stop:
        return None
    options = list(_options(block, 28 + ((size + 3) & ~3), big, _PACKET_OPTIONS))
    if drops != _NO_DROPS:
        options.append((_DROPS, struct.pack("<Q", drops)))
    return Record(frame, section, which, high << 32 | low, block[28 : 28 + size], wire, tuple(options))


def _options(block: bytes, at: int, big: bool, kept: dict[int, str]) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option that is kept, numbers little-endian."""
    end = len(block) - 4
    order = ">HH" if big else "<HH"
    while at + 4 <= end:
        code, length = struct.unpack_from(order, block, at)
        at += 4
        if code == 0 or at + length > end:
            return
        value = block[at : at + length]
        kind = kept.get(code)
        if kind == "filter":
            kind = None if big and value[:1] != b"\0" else "bytes"  # a text; else numbers of a program
        if kind == "bytes":
            yield code, value
        elif kind is not None and length == struct.calcsize(_SWAPPED[kind]):
            yield code, value[::-1] if big else value
        at += (length + 3) & ~3
