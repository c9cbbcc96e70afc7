"""Equal byte strings to equal small integers, exactly. Floor 1.

Comes in: spans of an array of bytes. Goes out: a number for each, counted up in order of first sight; a table that is
searched by hash and compared byte by byte.
"""

from __future__ import annotations

from typing import Any

from . import helper, kernel
from .octets import le32


@helper
def _hash(data: Any, begin: int, end: int, seed: int) -> int:
    """32 bits over some bytes, four at a time."""
    h = seed
    i = begin
    while i + 4 <= end:
        h = ((h ^ le32(data, i)) * 1540483477) & 0xFFFFFFFF
        h ^= h >> 15
        i += 4
    while i < end:
        h = ((h ^ int(data[i])) * 16777619) & 0xFFFFFFFF
        i += 1
    h ^= h >> 15
    h = (h * 739982445) & 0xFFFFFFFF
    return h ^ h >> 12


@kernel
def intern_spans(
    data: Any, spans: Any, which: int, m: int, n: int, seed: int, slots: Any, first: Any, count: Any, ids: Any
) -> int:
    """Give equal byte strings equal numbers, counted up in order of first sight; exact, since bytes are compared.

    Parameters
    ----------
    data : uint8[:]
        Bytes of all messages.
    spans : int64[n, k, 2]
        Begin and end.
    which : int
        Second index into `spans`.
    m : int
        First message.
    n : int
        Message after the last.
    seed : int
        Begin of the hash, 32 bits: nobody can prepare strings that collide.
    slots : int32[2**k]
        Open-addressed table of numbers; -1 where empty.
    first : int64[:, 3]
        Of each number: begin, end, hash.
    count : int64[1]
        How many numbers there are.
    ids : int32[:]
        Out; -1 for an empty span.

    Returns
    -------
    int
        The message to go on with once `slots` and `first` are larger; `n` when done.
    """
    mask = slots.shape[0] - 1
    while m < n:
        begin = int(spans[m, which, 0])
        length = int(spans[m, which, 1]) - begin
        if length <= 0:
            ids[m] = -1
            m += 1
            continue
        h = _hash(data, begin, begin + length, seed)
        slot = h & mask
        number = -1
        while slots[slot] >= 0:
            candidate = int(slots[slot])
            if first[candidate, 2] == h and first[candidate, 1] - first[candidate, 0] == length:
                other = int(first[candidate, 0])
                i = 0
                while i + 4 <= length and le32(data, other + i) == le32(data, begin + i):
                    i += 4
                while i < length and data[other + i] == data[begin + i]:
                    i += 1
                if i == length:
                    number = candidate
                    break
            slot = (slot + 1) & mask
        if number < 0:
            number = int(count[0])
            if number >= first.shape[0] or number * 3 > mask * 2:
                return m
            count[0] = number + 1
            slots[slot] = number
            first[number, 0] = begin
            first[number, 1] = begin + length
            first[number, 2] = h
        ids[m] = number
        m += 1
    return n


@kernel
def enter_slots(data: Any, seed: int, slots: Any, first: Any, begin: int, end: int) -> None:
    """Enter the numbers `begin` to `end` of `first` into `slots`, which must have room.

    A hash that stands there as -1 is made.
    """
    mask = slots.shape[0] - 1
    for number in range(begin, end):
        h = int(first[number, 2])
        if h < 0:
            h = _hash(data, int(first[number, 0]), int(first[number, 1]), seed)
            first[number, 2] = h
        slot = h & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = number
