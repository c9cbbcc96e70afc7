"""Session descriptions taken apart: what stays the same from call to call, and what changes. Floor 1.

Comes in: bodies in one array of bytes. Goes out, for each that is plain: its shape (the body without the values of o=,
c= and the ports of m=) and, for each of its media, the address and port. What is not plain is left to the parser in
:mod:`sipanalyzer.sip.sdp`, which decides what a shape means as well; nothing is guessed here. RFC 8866 is the grammar.
"""

from __future__ import annotations

from typing import Any

from . import helper, kernel

MAX_MEDIA = 8
"""Media of a plain description."""
MAX_BYTES = 65_536
"""Bytes of one: no more than the parser reads."""

# columns of a media description
ADDRESS = 0  # IPv4 as in `columns.SRC_LO`; -1: look at its text
PORT = 1
BEGIN = 2
END = 3  # the address as text
MEDIA = 4

_MAPPED = 0xFFFF << 32


@helper
def _line_end(data: Any, i: int, end: int) -> int:
    """The byte behind a line's text: that of its LF, CR LF, or `end`; -1 where a CR stands alone."""
    while i < end and data[i] != 10 and data[i] != 13:
        i += 1
    if i < end and data[i] == 13 and (i + 1 == end or data[i + 1] != 10):
        return -1
    return i


@helper
def _is_origin(data: Any, i: int, end: int) -> bool:
    """Six words of printable ASCII with one space between."""
    words = 1
    length = 0
    while i < end:
        c = data[i]
        if c == 32:
            if length == 0:
                return False
            words += 1
            length = 0
        elif c < 33 or c > 126:
            return False
        else:
            length += 1
        i += 1
    return words == 6 and length > 0


@helper
def _is_address(data: Any, i: int, end: int) -> bool:
    """Nothing but digits, letters A to F, dots and colons."""
    if i >= end:
        return False
    while i < end:
        c = int(data[i])
        letter = c | 32
        if not (48 <= c <= 58 or c == 46 or 97 <= letter <= 102):  # 58 is the colon
            return False
        i += 1
    return True


@helper
def _ipv4(data: Any, i: int, end: int) -> int:
    """A dotted quad without needless zeros as a row has it; -1 for anything else."""
    whole = 0
    parts = 0
    while parts < 4:
        begin = i
        value = 0
        while i < end and i - begin < 4 and 48 <= data[i] <= 57:
            value = value * 10 + int(data[i]) - 48
            i += 1
        if i == begin or value > 255 or (data[begin] == 48 and i - begin > 1):
            return -1
        whole = whole << 8 | value
        parts += 1
        if parts < 4:
            if i >= end or data[i] != 46:
                return -1
            i += 1
    return _MAPPED | whole if i == end else -1


@helper
def _take_one(data: Any, i: int, end: int, shape: Any, w: int, media: Any, first: int) -> tuple[int, int]:
    """One body: (byte behind its shape, number of its media); the second -1 where it is not plain."""
    origins = 0
    count = 0
    address = 0
    begin = 0
    stop = 0  # the session's address, and where it stands
    session = False
    own = False
    while i < end:
        e = _line_end(data, i, end)
        if e < 0 or (e > i and data[i] <= 32):
            return w, -1
        hole = i
        hole_end = i  # what is left out of the shape
        if e >= i + 2 and data[i + 1] == 61:
            if data[i] == 111:  # o=
                hole = i + 2
                hole_end = e
                origins += 1
                if origins > 1 or not _is_origin(data, hole, e):
                    return w, -1
            elif data[i] == 99:  # c=
                hole = i + 9
                hole_end = e
                if (
                    e < i + 9 or data[i + 2] != 73 or data[i + 3] != 78 or data[i + 4] != 32 or data[i + 5] != 73
                    or data[i + 6] != 80 or (data[i + 7] != 52 and data[i + 7] != 54) or data[i + 8] != 32
                    or not _is_address(data, hole, e)
                ):  # fmt: skip
                    return w, -1  # not IN IP4 or IN IP6
                if (count == 0 and session) or own:
                    return w, -1  # only the first of several counts
                if count == 0:
                    session = True
                    address = _ipv4(data, hole, e)
                    begin = hole
                    stop = e
                else:
                    own = True
                    media[first + count - 1, ADDRESS] = _ipv4(data, hole, e)
                    media[first + count - 1, BEGIN] = hole
                    media[first + count - 1, END] = e
            elif data[i] == 109:  # m=
                if count == MAX_MEDIA or (count > 0 and not session and not own):
                    return w, -1
                hole = i + 2
                while hole < e and 33 <= data[hole] <= 126:
                    hole += 1
                if hole == i + 2 or hole >= e or data[hole] != 32:
                    return w, -1
                hole += 1
                hole_end = hole
                port = 0
                while hole_end < e and hole_end - hole < 6 and 48 <= data[hole_end] <= 57:
                    port = port * 10 + int(data[hole_end]) - 48
                    hole_end += 1
                if not 0 < port < 65536 or hole_end >= e or data[hole_end] != 32:
                    return w, -1
                media[first + count, ADDRESS] = address
                media[first + count, PORT] = port
                media[first + count, BEGIN] = begin
                media[first + count, END] = stop
                count += 1
                own = False
        while i < hole:
            shape[w] = data[i]
            w += 1
            i += 1
        i = hole_end
        while i < e:
            shape[w] = data[i]
            w += 1
            i += 1
        while i < end and (data[i] == 13 or data[i] == 10):
            shape[w] = data[i]
            w += 1
            i += 1
            if data[i - 1] == 10:
                break
    if origins == 0 or (count > 0 and not session and not own):
        return w, -1
    return w, count


@kernel
def take_apart(data: Any, at: Any, length: Any, n: int, shape: Any, ends: Any, counts: Any, media: Any) -> int:
    """Take `n` bodies apart.

    Parameters
    ----------
    data : uint8[:]
        Bytes of all messages.
    at, length : int64[n]
        Where each body begins, and its bytes.
    n : int
        Bodies.
    shape : uint8[sum of length]
        Out: shapes, one behind the other.
    ends : int64[n]
        Out: the byte behind each shape; each begins where the one before it ends.
    counts : int64[n]
        Out: media of each; -1 of what is not plain.
    media : int64[n * MAX_MEDIA, MEDIA]
        Out: media of all plain bodies, one behind the other.

    Returns
    -------
    int
        How many rows of `media` there are.
    """
    w = 0
    rows = 0
    for m in range(n):
        begin = int(at[m])
        size = int(length[m])
        before = w
        count = -1
        if size <= MAX_BYTES:
            w, count = _take_one(data, begin, begin + size, shape, w, media, rows)
        if count < 0:
            w = before
        else:
            rows += count
        counts[m] = count
        ends[m] = w
    return rows
