"""Where a damaged capture can be read on. Floor 2.

Comes in: bytes of a file behind a place where no record can be made out. Goes out: where the next record stands, told
by its own header and by what follows it. A length that lies, a sector overwritten or missing costs the records that it
touches, not all that stand behind them. Nothing here is asked of a file that is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.formats import PcapHeader, parse_pcap_header
from sipanalyzer.capture.window import SLACK, Window
from sipanalyzer.kernels import records

__all__ = [
    "DAY_S",
    "Finder",
    "Trust",
    "believable_block",
    "believable_record",
    "block_stands",
    "find_block",
    "find_record",
    "first_found",
    "reach",
    "resume",
]

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Finder = Callable[[Octets, bool], int]
"""Given bytes and whether the file ends with them: where the first record begins; -1 where none does."""

DAY_S = 86_400
"""Two records of a capture that follow each other are taken to be no further apart: only where one is looked for."""
KINDS = (1, 2, 3, 4, 5, 6, 9, 10)
"""Types of pcapng blocks that are looked for, beside section headers."""
ASSIGNED = 0x1000
"""Types of blocks are below, but for copies of custom ones."""
_SECTION = b"\x0a\x0d\x0d\x0a"
_MAGIC = {b"\x4d\x3c\x2b\x1a": False, b"\x1a\x2b\x3c\x4d": True}
_LEAST = {1: 20, 2: 32, 3: 16, 5: 24, 6: 32}
"""Bytes of the smallest block of a type."""
_FIRST = 4 << 10
"""Bytes looked through at first: mostly the next record is near."""


class Trust:
    """How far odd records are believed, once one was borne out by what followed it.

    That is the one; where the next is odd as well, four records, then four times as many each time. So a file of which
    every record is odd (lengths or fractions of seconds that some writer gets wrong) is looked at closely a few times,
    and then read like any other.
    """

    def __init__(self) -> None:
        self._times, self._frame = 0, -1

    def up_to(self, frame: int) -> int:
        """Frames below this number are believed from now on, `frame` being the number of those before."""
        self._times = min(self._times + 1, 24) if frame == self._frame else 0
        self._frame = int(frame + 4**self._times)
        return self._frame


def reach(max_record_bytes: int) -> int:
    """Bytes behind a place that must be in memory to say whether a record stands there; less than a window holds."""
    return max_record_bytes + SLACK // 2 + 64


def resume(window: Window, find: Finder, bytes_ahead: int) -> bool:
    """Move on to the first record behind the window's first byte; false where the file has none.

    Parameters
    ----------
    window : Window
        Stands at what is no record.
    find : callable
        :func:`find_record` or :func:`find_block`, with all but the bytes.
    bytes_ahead : int
        What :func:`reach` says.
    """
    if not window.skip(1):
        return False
    while True:
        window.want(bytes_ahead + 1)
        data = window.data[window.start : window.end]
        stop = len(data) if window.ended else len(data) - bytes_ahead
        at = first_found(find, data, window.ended, stop, bytes_ahead)
        if at >= 0:
            window.start += at
            return True
        if window.ended:
            window.start = window.end
            return False
        window.start += stop


def first_found(find: Finder, data: Octets, ended: bool, stop: int, bytes_ahead: int) -> int:
    """Where the first record begins, below `stop`; looks at little before it looks at much.

    Parameters
    ----------
    find : callable
        As for :func:`resume`.
    data : uint8[n]
        Bytes of the file.
    ended : bool
        Whether the file ends with them.
    stop : int
        Places from here on are not looked at.
    bytes_ahead : int
        Bytes behind a place that `find` may want.
    """
    begin, size = 0, _FIRST
    while begin < stop:
        end = min(stop, begin + size)
        last = min(len(data), end + bytes_ahead)
        at = find(data[begin:last], ended and last == len(data))
        if 0 <= at < end - begin:
            return begin + at
        begin, size = end, size * 4
    return -1


# ---- pcap
def _words(data: Octets, at: Ints, big: bool) -> Ints:
    """Unsigned 32 bits at each of some places."""
    four = [data[at + place].astype(np.int64) for place in (range(3, -1, -1) if big else range(4))]
    return four[0] | four[1] << 8 | four[2] << 16 | four[3] << 24


def _good(data: Octets, at: Ints, header: PcapHeader, largest: int) -> tuple[npt.NDArray[np.bool_], Ints, Ints]:
    """Whether record headers stand at some places, where the next ones would stand, and seconds."""
    seconds, fraction, captured, wire = (_words(data, at + place, header.big) for place in (0, 4, 8, 12))
    if header.swapped:
        captured, wire = np.minimum(captured, wire), np.maximum(captured, wire)
    good = (fraction * header.tick_ns < 1_000_000_000) & (captured > 0) & (captured <= wire) & (wire <= largest)
    return good, at + 16 + header.extra + captured, seconds


def find_record(data: Octets, ended: bool, header: PcapHeader, max_record_bytes: int) -> int:
    """Where a pcap record begins that another one follows, or the file's end; -1 where none does.

    Parameters
    ----------
    data : uint8[n]
        Bytes of the file.
    ended : bool
        Whether the file ends with them.
    header : PcapHeader
        What its file header says.
    max_record_bytes : int
        Largest length believed.

    Notes
    -----
    A header is one with less than a second in its fraction, with a packet, and no longer than that was on the wire; of
    the two that follow each other, times are within a day.
    """
    size = 16 + header.extra
    count = len(data) - size + 1
    if count <= 0:
        return -1
    top = max_record_bytes >> 24
    high = (8, 12) if header.big else (11, 15)
    likely = (data[high[0] : high[0] + count] <= top) & (data[high[1] : high[1] + count] <= top)
    at = np.flatnonzero(likely)
    good, following, seconds = _good(data, at, header, max_record_bytes)
    at, following, seconds = at[good], following[good], seconds[good]
    whole = following + size <= len(data)
    fine = (following <= len(data)) & ~whole & ended
    good, _, later = _good(data, following[whole], header, max_record_bytes)
    fine[whole] = good & (np.abs(later - seconds[whole]) <= DAY_S)
    for number in np.flatnonzero(whole & ~fine).tolist()[:64]:  # files strung together: a file header follows
        if parse_pcap_header(data[following[number] : following[number] + 24].tobytes()) is not None:
            fine[number] = True
    return int(at[fine][0]) if fine.any() else -1


def believable_record(data: bytes, size: int, header: PcapHeader, max_record_bytes: int) -> bool:
    """Whether an odd record is borne out by what follows it: another one, however odd, zeros, or the file's end.

    Parameters
    ----------
    data : bytes
        The record and 24 bytes behind it, fewer only at the file's end.
    size : int
        Bytes of the record with its header.
    header : PcapHeader
        What the file header says.
    max_record_bytes : int
        Largest length believed.
    """
    after = data[size:]
    if len(data) < size or len(after) < 16:
        return len(data) >= size
    words = struct.Struct(">IIII" if header.big else "<IIII")
    (now, part, *own), (later, fraction, *lengths) = words.unpack_from(data), words.unpack_from(after)
    captured, wire = sorted(lengths) if header.swapped else lengths
    good = 0 < captured <= min(wire, records.USUAL) and fraction * header.tick_ns < 1_000_000_000
    # of a record that is merely large, the next may be so too
    large = part * header.tick_ns < 1_000_000_000 and (header.swapped > 0 or own[0] <= own[1])
    near = abs(later - now) <= DAY_S and (large or captured <= records.USUAL)
    if not any(after[:16]) or (max(lengths) <= max_record_bytes and (good or near)):
        return True
    return parse_pcap_header(after[:24]) is not None


# ---- pcapng
def find_block(data: Octets, ended: bool, big: bool, max_record_bytes: int) -> int:
    """Where a pcapng block begins whose two lengths are one; -1 where none does.

    Parameters
    ----------
    data, ended, max_record_bytes
        As for :func:`find_record`.
    big : bool
        Byte order of the section; a section header has its own.
    """
    count = len(data) - 11
    if count <= 0:
        return -1
    low, zeros = (3, (0, 1, 2)) if big else (0, (1, 2, 3))
    likely = np.isin(data[low : low + count], KINDS)
    for place in zeros:
        likely &= data[place : place + count] == 0
    at = np.flatnonzero(likely)
    total = _words(data, at + 4, big)
    sane = (total >= 12) & (total % 4 == 0) & (total <= max_record_bytes + SLACK // 2) & (at + total <= len(data))
    at, total = at[sane], total[sane]
    again = _words(data, at + total - 4, big)
    for place, size in zip(at[again == total].tolist(), total[again == total].tolist(), strict=True):
        if size >= _LEAST.get(int(data[place + low]), 12):
            first = int(place)
            break
    else:
        first = -1
    view = data.tobytes() if first < 0 else data[: first + 12].tobytes()
    place = view.find(_SECTION)
    while place >= 0:
        order = _MAGIC.get(view[place + 8 : place + 12])
        if order is not None:
            return place
        place = view.find(_SECTION, place + 1)
    return first


def block_stands(
    window: Window, total: int, big: bool, trusted: bool, max_record_bytes: int, max_block_bytes: int
) -> tuple[bool, bool]:
    """Whether the block at the window's first byte can be believed, and whether its two lengths differ.

    Parameters
    ----------
    window : Window
        Its slot holds no rows that nobody has seen.
    total : int
        Its length as its head says.
    big : bool
        Byte order of the section.
    trusted : bool
        Whether two lengths that differ are believed here.
    max_record_bytes, max_block_bytes : int
        Options.
    """
    ahead, size = reach(max_record_bytes), (total + 3) & ~3
    if not 12 <= total <= max_block_bytes or not window.want(min(size, ahead)):
        return False, False
    if size > ahead:  # of no packet, and too large to look behind it
        return True, False
    odd = int.from_bytes(window.tail_of(size), "big" if big else "little") not in (total, size)
    if not odd or trusted:
        return True, False
    window.want(size + 12)
    return believable_block(window.peek(size + 12)[size:], big, max_block_bytes), True


def believable_block(after: bytes, big: bool, max_block_bytes: int) -> bool:
    """Whether a block of two lengths is borne out by what follows it: another block, zeros, or the file's end.

    Parameters
    ----------
    after : bytes
        What stands behind it, fewer than 12 bytes only at the file's end.
    big : bool
        Byte order of the section.
    max_block_bytes : int
        Largest block believed.
    """
    if len(after) < 12 or after[:4] == _SECTION or not any(after[:12]):
        return True
    kind, total = (int.from_bytes(after[at : at + 4], "big" if big else "little") for at in (0, 4))
    return (kind < ASSIGNED or kind == records.CUSTOM_NO_COPY) and 12 <= total <= max_block_bytes
