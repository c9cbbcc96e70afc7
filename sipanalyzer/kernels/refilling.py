"""Reading on from within a kernel: the next stretch of a file, without Python in between. Floor 1.

Comes in: the bytes that a walk has not used, the rows that it wrote, and a file's descriptor. Goes out: these bytes in
front of the next stretch of the file, and the bytes of the few rows (all but RTP) in a place where they can stay. A
stretch is small enough to be in the core's cache still when it is walked; with a call of Python for each, the two
threads would wait for its lock more often than they work.
"""

from __future__ import annotations

import os

from . import rare_helper, system_helper
from .columns import AT, LENGTH
from .octets import Matrix, Octets
from .walkstate import DESCRIPTOR, END, FEW_KEPT, KEPT, READ, TO_READ

__all__ = ["keep_few", "refill"]


@system_helper("read")
def _read(descriptor: int, data: Octets, at: int, count: int) -> int:
    """Read to ``data[at : at + count]``; how many bytes, 0 at the end, -1 where the system refuses."""
    try:
        return os.readv(descriptor, [data[at : at + count]])  # type: ignore[list-item]  # a memoryview here
    except OSError:
        return -1


@system_helper("memmove")
def _move(data: Octets, at: int, count: int, other: Octets, to: int) -> None:
    """Copy ``data[at : at + count]`` to ``other[to : to + count]``."""
    other[to : to + count] = data[at : at + count]


@rare_helper
def keep_few(data: Octets, rows: Matrix, few: Matrix, count: int, kept: Octets, state: Matrix) -> bool:
    """Copy the bytes of rows to where they can stay, one after another, and let their `AT` count there.

    Parameters
    ----------
    data : uint8[n]
        What `AT` of the rows counts in.
    rows : int64[n, 16]
        A block's rows; `AT` is changed.
    few : int64[n]
        Numbers of rows; those from ``state[FEW_KEPT]`` on are meant.
    count : int
        Length of `few` so far.
    kept : uint8[n]
        Where to, from ``state[KEPT]`` on.
    state : int64[STATE]
        Moved on: `KEPT`, `FEW_KEPT`.

    Returns
    -------
    bool
        False where there is not room enough: nothing was done.
    """
    begin = int(state[FEW_KEPT])
    to = int(state[KEPT])
    room = kept.shape[0] - to
    for k in range(begin, count):
        room -= int(rows[few[k], LENGTH])
    if room < 0:
        return False
    for k in range(begin, count):
        i = few[k]
        length = int(rows[i, LENGTH])
        _move(data, int(rows[i, AT]), length, kept, to)
        rows[i, AT] = to
        to += length
    state[KEPT] = to
    state[FEW_KEPT] = count
    return True


@rare_helper
def refill(
    data: Octets, at: int, slack: int, rows: Matrix, few: Matrix, count: int, kept: Octets, state: Matrix
) -> int:
    """Read the next stretch behind what is left from `at` on, which moves; where it begins then, -1: nothing was done.

    Parameters
    ----------
    data : uint8[n]
        A stretch of the file, up to ``state[END]``; overwritten.
    at : int
        Where what is left begins.
    slack : int
        Where in `data` the next stretch goes; what is left goes in front of it.
    rows, few, count, kept
        As :func:`keep_few` takes them.
    state : int64[STATE]
        Moved on: `END`, `TO_READ`, `READ`, `KEPT`, `FEW_KEPT`.
    """
    left = int(state[END]) - at
    if int(state[TO_READ]) <= 0 or left > slack or not keep_few(data, rows, few, count, kept, state):
        return -1
    begin = slack - left
    _move(data, at, left, data, begin)
    got = _read(int(state[DESCRIPTOR]), data, slack, data.shape[0] - slack)
    if got <= 0:  # the end, or Python shall say what is wrong
        got = 0
        state[TO_READ] = 0
    state[TO_READ] -= got
    state[READ] += got
    state[END] = slack + got
    return begin
