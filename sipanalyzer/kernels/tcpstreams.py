"""Plain SIP over TCP: segments that continue their stream exactly, and bring whole messages or parts of them. Floor 1.

Comes in: rows of TCP segments in order, with their bytes, and what is known of the directions that are followed here
(one row each, the two directions of a connection next to each other). Goes out: the messages, one after another in one
array, and the number of the first row that is not plain; whoever calls decides about it, and comes back.

Plain is: a segment with payload, not cut, that begins at the very next sequence number, of a connection whose both
directions are known here; and in it nothing but what may stand between messages, and messages whose start line, header
lines and one Content-Length are written as everybody writes them, or the beginning of one. What is accepted here is a
subset of what :mod:`sipanalyzer.network.tcp` and :mod:`sipanalyzer.sip.framer` accept, and read the same; nothing is
guessed. A message under way is scanned again from its first byte when more of it comes: it is at most `MOST_PENDING`
long, so a segment costs a bounded time.
"""

from __future__ import annotations

from . import helper, kernel
from .columns import (
    AT,
    DST_HI,
    DST_LO,
    FRAME,
    KIND,
    LENGTH,
    PORTS,
    SIP_START,
    SRC_HI,
    SRC_LO,
    TCP,
    TCP_ACK,
    TCP_FLAGS,
    TCP_SEQ,
    TCP_WIRE,
    TIME,
    WIRE_LENGTH,
)
from .octets import Matrix, Octets
from .sipcut import FOUND, FULL, MOST_PENDING, WRITTEN, cut_messages

__all__ = ["FOUND", "MOST_PENDING", "WRITTEN", "enter", "follow"]

# columns of a direction's row; the first five are its key (source, destination, ports)
STATE = 5
NEXT = 6  # unwrapped sequence number of the next byte
ACKED = 7  # highest acknowledgement by the other side, unwrapped, and when it came
ACKED_TIME = 8
SIDE = 9  # who that is: handed through to LAST_SIDE
LAST_SIDE = 10  # in the connection's first row: who sent more than a keep-alive last, and when
LAST_TIME = 11
TAIL_AT = 12  # payload of the last segment, in `data`; -1: none came since it was noted elsewhere
TAIL_LENGTH = 13
PENDING_AT = 14  # bytes of the message under way, in `pool`, and the room there
PENDING_LENGTH = 15
PENDING_ROOM = 16
FED_TIME = 17  # time and frame of the last segment
FED_FRAME = 18
DIRECTION = 19

# states
GONE = 0  # not followed
PLAIN = 1
PASSIVE = 2  # only acknowledgements of it are noted: its own segments are not plain

# counts: FOUND and WRITTEN of `sipcut`, and
POOLED = 2  # bytes of `pool` in use
TOUCHED = 3  # entries of `touched`
WHY = 4  # why it stopped
COUNTS = 5

# why
ALL = 0  # no row is left
UNUSUAL = 1  # this row is not plain
NO_ROOM = 2  # take the messages away, and the dead bytes of the pool; then go on

# columns of a message: those of `columns` up to PORTS, AT, LENGTH and WIRE_LENGTH; and
ROW = 12
"""Number of the row that completed it."""

LARGEST_SEGMENT = 65_536
PROBES = 32
"""Places of the table at which a key may stand: nobody can make a search long."""

_ENDS = 7  # FIN, SYN, RST
_ACK = 16
_KEEP_ALIVE = 8
_WINDOW = 4 << 20
_MASK = 0xFFFFFFFF
_HALF = 1 << 31


@helper
def _first_place(src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, ports: int, size: int) -> int:
    """Where in a table of `size` places (a power of two) the search for a key begins."""
    h = (src_lo ^ (src_lo >> 32) ^ (src_hi >> 7)) & _MASK
    h = (h * 0x2C1B3C6D) & _MASK
    h = (h ^ (h >> 15) ^ dst_lo ^ (dst_lo >> 32) ^ (dst_hi >> 9)) & _MASK
    h = (h * 0x297A2D39) & _MASK
    h = (h ^ (h >> 15) ^ ports) & _MASK
    h = (h * 0x2C1B3C6D) & _MASK
    return (h ^ (h >> 15)) & (size - 1)


@helper
def _find(slots: Matrix, table: Matrix, src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, ports: int) -> int:
    """Row of a direction, -1 where there is none."""
    size = table.shape[0]
    place = _first_place(src_hi, src_lo, dst_hi, dst_lo, ports, size)
    for _ in range(PROBES):
        slot = int(table[place]) - 1
        if slot < 0:
            return -1
        if (
            int(slots[slot, 4]) == ports
            and int(slots[slot, 1]) == src_lo
            and int(slots[slot, 3]) == dst_lo
            and int(slots[slot, 0]) == src_hi
            and int(slots[slot, 2]) == dst_hi
        ):
            return slot
        place = (place + 1) & (size - 1)
    return -1


@kernel
def enter(slots: Matrix, table: Matrix, first: int) -> int:
    """Enter the keys of a connection's two rows in the table; 0 where there is no place for one of them.

    Parameters
    ----------
    slots : int64[n, DIRECTION]
        Directions.
    table : int64[size]
        1 + the row of a direction, 0 where nothing stands; a power of two of places.
    first : int
        The first of the two rows. Their keys do not stand in the table yet.
    """
    size = table.shape[0]
    entered = 0
    for slot in range(first, first + 2):
        place = _first_place(
            int(slots[slot, 0]), int(slots[slot, 1]), int(slots[slot, 2]), int(slots[slot, 3]), int(slots[slot, 4]),
            size,
        )  # fmt: skip
        for _ in range(PROBES):
            if int(table[place]) == 0:
                table[place] = slot + 1
                entered += 1
                break
            place = (place + 1) & (size - 1)
    return 1 if entered == 2 else 0


@kernel
def follow(
    data: Octets,
    rows: Matrix,
    begin: int,
    deadline: int,
    limit: int,
    slots: Matrix,
    table: Matrix,
    pool: Octets,
    out: Octets,
    found: Matrix,
    touched: Matrix,
    counts: Matrix,
    cut: Matrix,
) -> int:
    """Follow streams from row `begin` on as long as rows are plain; the number of the row at which it stopped.

    Parameters
    ----------
    data : uint8[:]
        What `AT` of the rows counts in.
    rows : int64[n, 16]
        Rows in order (:mod:`~sipanalyzer.kernels.columns`).
    begin : int
        The first to look at.
    deadline : int
        Time (ns) at which something else is to be done first.
    limit : int
        Bytes of the longest message that is whole.
    slots, table : int64[m, DIRECTION], int64[size]
        Directions (above) and where to find them (:func:`enter`).
    pool : uint8[:]
        Beginnings of messages whose end is to come.
    out : uint8[:]
        Messages, one after another.
    found : int64[:, 16]
        One row a message.
    touched : int64[n or more]
        Directions in the order of their segments.
    counts : int64[COUNTS]
        How much of these is in use; moved on.
    cut : int64[2]
        Scratch.

    Returns
    -------
    int
        ``len(rows)``, or the row that is not plain or has no room, by ``counts[WHY]``.
    """
    counts[WHY] = ALL
    for r in range(begin, rows.shape[0]):
        counts[WHY] = UNUSUAL
        flags = int(rows[r, TCP_FLAGS]) & ~SIP_START
        length = int(rows[r, LENGTH])
        time = int(rows[r, TIME])
        if int(rows[r, KIND]) != TCP or flags & _ENDS or time >= deadline:
            return r
        if length == 0 or length != int(rows[r, TCP_WIRE]) or length > LARGEST_SEGMENT:
            return r
        slot = _find(
            slots, table, int(rows[r, SRC_HI]), int(rows[r, SRC_LO]), int(rows[r, DST_HI]), int(rows[r, DST_LO]),
            int(rows[r, PORTS]),
        )  # fmt: skip
        if slot < 0:
            return r
        following = int(slots[slot, NEXT])
        if int(slots[slot, STATE]) != PLAIN or int(rows[r, TCP_SEQ]) != following & _MASK:
            return r
        at = int(rows[r, AT])
        kept = int(slots[slot, PENDING_LENGTH])
        if int(counts[POOLED]) + 2 * (kept + length) > pool.shape[0]:
            counts[WHY] = NO_ROOM
            return r
        if kept > 0:
            if kept + length > int(slots[slot, PENDING_ROOM]):
                old = int(slots[slot, PENDING_AT])
                to = int(counts[POOLED])
                for k in range(kept):
                    pool[to + k] = pool[old + k]
                slots[slot, PENDING_AT] = to
                slots[slot, PENDING_ROOM] = 2 * (kept + length)
                counts[POOLED] += 2 * (kept + length)
            first = int(slots[slot, PENDING_AT])
            end = first + kept + length
            for k in range(length):
                pool[first + kept + k] = data[at + k]
            rest = cut_messages(pool, first, end, limit, out, found, counts, cut)
        else:
            first = at
            end = at + length
            rest = cut_messages(data, first, end, limit, out, found, counts, cut)
        if rest < 0:
            if rest == FULL:
                counts[WHY] = NO_ROOM
            return r
        # it is plain: from here on all is noted
        for k in range(int(counts[FOUND]), int(cut[0])):
            for column in range(PORTS + 1):
                found[k, column] = rows[r, column]
            found[k, KIND] = 0
            found[k, WIRE_LENGTH] = found[k, LENGTH]
            found[k, ROW] = r
        counts[FOUND] = cut[0]
        counts[WRITTEN] = cut[1]
        if kept > 0:
            slots[slot, PENDING_ROOM] -= rest - first
            slots[slot, PENDING_AT] = rest
        elif rest < end:
            to = int(counts[POOLED])
            for k in range(end - rest):
                pool[to + k] = data[rest + k]
            slots[slot, PENDING_AT] = to
            slots[slot, PENDING_ROOM] = 2 * (end - rest)
            counts[POOLED] += 2 * (end - rest)
        slots[slot, PENDING_LENGTH] = end - rest
        if flags & _ACK:
            other = slot ^ 1
            there = int(slots[other, NEXT])
            acked = there + ((int(rows[r, TCP_ACK]) - there + _HALF) & _MASK) - _HALF
            if int(slots[other, ACKED]) < acked and acked <= there + _WINDOW:
                slots[other, ACKED] = acked
                slots[other, ACKED_TIME] = time
        slots[slot, NEXT] = following + length
        slots[slot, TAIL_AT] = at
        slots[slot, TAIL_LENGTH] = length
        slots[slot, FED_TIME] = time
        slots[slot, FED_FRAME] = rows[r, FRAME]
        if length > _KEEP_ALIVE:
            slots[slot & ~1, LAST_SIDE] = slots[slot, SIDE]
            slots[slot & ~1, LAST_TIME] = time
        touched[int(counts[TOUCHED])] = slot
        counts[TOUCHED] += 1
        counts[WHY] = ALL
    return int(rows.shape[0])
