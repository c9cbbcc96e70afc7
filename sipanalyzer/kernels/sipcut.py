"""Whole SIP messages in a stretch of a byte stream, as far as they are written as everybody writes them. Floor 1.

Comes in: bytes that begin where a message may begin. Goes out: the messages, and where one begins whose end is to
come. What is written otherwise is not plain: :mod:`sipanalyzer.sip.framer` reads it. What is accepted here is a subset
of what is accepted there, and is cut at the same places: a start line of one blank each and SIP/2.0; header lines of a
token and a colon right behind it, folded or not; an empty line; one Content-Length of digits on one line. RFC 3261 7
and 25.1.
"""

from __future__ import annotations

from typing import Any

from . import helper
from .columns import AT, LENGTH
from .octets import Matrix, Octets, le32
from .sipstart import LONGEST_METHOD, is_token

__all__ = ["FOUND", "FULL", "MOST_PENDING", "NOT_PLAIN", "WRITTEN", "cut_messages"]

FOUND = 0  # messages so far
WRITTEN = 1  # bytes of them

MOST_PENDING = 8_192
"""Bytes of a message under way: no more than the framer reads of a line."""

NOT_PLAIN = -1
_UNFINISHED = -2
FULL = -3
_NAME_LENGTH = tuple(b"content-length")


@helper
def _line_end(data: Any, p: int, end: int) -> int:
    """Where the next LF stands, `end` where there is none; four bytes at a time as far as they go."""
    while p + 4 <= end:
        word = le32(data, p) ^ 0x0A0A0A0A  # a byte of it is 0 where a LF stands
        if (word - 0x01010101) & ~word & 0x80808080:
            break
        p += 4
    while p < end and data[p] != 10:
        p += 1
    return p


@helper
def _is_start_line(data: Any, begin: int, end: int) -> bool:
    """Whether ``data[begin:end]``, up to its LF, is a start line as everybody writes it."""
    if end - begin < 13:
        return False
    if data[begin] == 83 and data[begin + 1] == 73 and data[begin + 2] == 80 and data[begin + 3] == 47:  # SIP/
        p = begin + 8
        if data[begin + 4] != 50 or data[begin + 5] != 46 or data[begin + 6] != 48 or data[begin + 7] != 32:  # 2.0
            return False
        for k in range(3):
            if data[p + k] < 48 or data[p + k] > 57:
                return False
        return int(data[p + 3]) == 32 or int(data[p + 3]) == 13
    p = begin
    while p < end and p - begin <= LONGEST_METHOD and is_token(int(data[p])):
        p += 1
    if p == begin or p - begin > LONGEST_METHOD or data[p] != 32:
        return False
    last = end - 9  # " SIP/2.0" CR
    if p + 1 >= last or data[p + 1] <= 32:
        return False
    return (
        int(data[last]) == 32
        and data[last + 1] == 83
        and data[last + 2] == 73
        and data[last + 3] == 80
        and data[last + 4] == 47
        and data[last + 5] == 50
        and data[last + 6] == 46
        and data[last + 7] == 48
        and data[last + 8] == 13
    )


@helper
def _is_content_length(data: Any, at: int, length: int) -> bool:
    """Whether a header's name is Content-Length or l, in any case."""
    if length == 1:
        return (int(data[at]) | 32) == 108
    if length != len(_NAME_LENGTH):
        return False
    for k in range(length):
        if k == 7:
            if data[at + k] != 45:
                return False
        elif (int(data[at + k]) | 32) != _NAME_LENGTH[k]:
            return False
    return True


@helper
def _number(data: Any, at: int, end: int) -> int:
    """Value of a line ``data[at:end]`` of one to nine digits with blanks about them; -1 for anything else."""
    while at < end and (data[at] == 32 or data[at] == 9):
        at += 1
    begin = at
    value = 0
    while at < end and data[at] >= 48 and data[at] <= 57 and at - begin < 10:
        value = value * 10 + int(data[at]) - 48
        at += 1
    if at == begin or at - begin > 9:
        return -1
    while at < end and (data[at] == 32 or data[at] == 9):
        at += 1
    if at < end and data[at] == 13:
        at += 1
    return value if at == end else -1


@helper
def _message_end(data: Any, begin: int, end: int) -> int:
    """Where the message ends that begins at `begin`, also where that is to come; -1: not plain; -2: more is needed."""
    p = _line_end(data, begin, end)
    if p >= end:
        return _UNFINISHED
    if not _is_start_line(data, begin, p):
        return NOT_PLAIN
    length = -1
    was_length = False
    p += 1
    while p < end:
        c = int(data[p])
        if c == 10:
            return p + 1 + length if length >= 0 else NOT_PLAIN
        if c == 13:
            if p + 1 >= end:
                return _UNFINISHED
            return p + 2 + length if data[p + 1] == 10 and length >= 0 else NOT_PLAIN
        is_length = False
        colon = p
        if c == 32 or c == 9:  # a folded line (RFC 3261 7.3.1)
            if was_length:
                return NOT_PLAIN
        else:
            while colon < end and is_token(int(data[colon])):
                colon += 1
            if colon >= end:
                return _UNFINISHED
            if colon == p or data[colon] != 58:
                return NOT_PLAIN
            is_length = _is_content_length(data, p, colon - p)
        p = _line_end(data, colon, end)
        if p >= end:
            return _UNFINISHED
        if is_length:
            if length >= 0:
                return NOT_PLAIN
            length = _number(data, colon + 1, p)
            if length < 0:
                return NOT_PLAIN
        was_length = is_length
        p += 1
    return _UNFINISHED


@helper
def cut_messages(
    data: Any, begin: int, end: int, limit: int, out: Octets, found: Matrix, counts: Matrix, cut: Matrix
) -> int:
    """Copy the whole messages of ``data[begin:end]`` to `out`; where the message under way begins, `end` for none.

    Less than 0: something is not plain, or there is no room. `cut` gets how many messages and bytes it is then.
    """
    number = int(counts[FOUND])
    written = int(counts[WRITTEN])
    p = begin
    while p < end:
        c = int(data[p])
        if c == 13 or c == 10 or c == 32 or c == 0 or c == 9:
            p += 1
            continue
        after = _message_end(data, p, end)
        if after == NOT_PLAIN or after - p > limit:
            return NOT_PLAIN
        if after == _UNFINISHED or after > end:
            if end - p > MOST_PENDING or end - p > limit:
                return NOT_PLAIN
            break
        size = after - p
        if number >= found.shape[0] or written + size > out.shape[0]:
            return FULL
        for k in range(size):
            out[written + k] = data[p + k]
        found[number, AT] = written
        found[number, LENGTH] = size
        number += 1
        written += size
        p = after
    cut[0] = number
    cut[1] = written
    return p
