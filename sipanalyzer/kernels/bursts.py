"""Runs of lost and of bad packets, bursts and gaps, exactly and in order of sequence. Floor 1.

A packet is bad when it is lost or came too late (:mod:`.playout`). A number is final once it lies more than 100 behind
the highest, since nothing may come later (RFC 3550 A.1); the ring remembers longer than that. Only bad numbers move
the state here: what lies between them was good. A clean stream never comes here; the numbers of an outage are counted
in one step. Source: RFC 3611 4.7.2: a burst is the longest run that begins and ends with a bad packet and has fewer
than Gmin good ones in a row inside; a bad packet that is alone in that sense belongs to the gap. A segment's end ends
them all.
"""

from __future__ import annotations

from . import rare_helper
from .streamstate import (
    BAD,
    BAD_END,
    BURST_BAD,
    BURST_PACKETS,
    BURSTS,
    CLUSTER_BAD,
    CLUSTER_START,
    DISCARDED,
    EXT_BITS,
    GMIN,
    H_AFTER,
    H_BEFORE,
    H_MISSING,
    H_STREAM,
    HIGHEST,
    HOLES_COUNT,
    HOLES_MISSED,
    HOLES_ROOM,
    LAST_BAD,
    LAST_TIME,
    LOSS_RUNS,
    LOST_END,
    LOST_RUN,
    LOWEST,
    MAX_LOST,
    NEVER,
    OPEN_BAD,
    RING,
    RING_AT,
    RUN_CLASSES,
    RUNS,
)

__all__ = ["advance", "close_run", "fill", "is_bad", "spoil"]

REACH = 100
"""A packet that is further behind the highest is no late one."""
_HOLE = 5
_LENGTHS = (1, 2, 3, 4, 9, 19, 49)
"""Limits of the classes of runs of lost packets."""


@rare_helper
def is_bad(s: int, ext: int, ints) -> bool:  # type: ignore[no-untyped-def]
    """Whether this number of the segment (at most 127 behind the highest) is lost or too late, as far as is known."""
    if ext < ints[s, LOWEST] or ext > ints[s, HIGHEST]:
        return False
    seen: int = ints[s, RING_AT + (ext & (RING - 1))]
    return seen < 0 or seen >> 32 != ext & EXT_BITS


@rare_helper
def end_runs(s: int, lost: bool, bad: bool, ints) -> None:  # type: ignore[no-untyped-def]
    """Count the run of lost packets that ended, and the burst that ended (if it was one)."""
    length = ints[s, LOST_RUN]
    if lost and length > 0:
        k = 0
        while k < RUN_CLASSES - 1 and length > _LENGTHS[k]:
            k += 1
        ints[s, LOSS_RUNS + k] = ints[s, LOSS_RUNS + k] + 1
        ints[s, MAX_LOST] = max(length, ints[s, MAX_LOST])
        ints[s, LOST_RUN] = 0
    if bad:
        in_burst = ints[s, CLUSTER_BAD]
        if in_burst > 1:
            ints[s, BURSTS] = ints[s, BURSTS] + 1
            ints[s, BURST_PACKETS] += ints[s, BAD_END] - ints[s, CLUSTER_START] + 1
            ints[s, BURST_BAD] += in_burst
        ints[s, CLUSTER_BAD] = 0


@rare_helper
def add_bad(s: int, ext: int, count: int, lost: bool, ints, control) -> None:  # type: ignore[no-untyped-def]
    """Let `count` numbers from `ext` on be bad for good; they come in order of sequence."""
    end_runs(
        s, lost and ext != ints[s, LOST_END] + 1, ext - ints[s, BAD_END] - 1 >= control[GMIN], ints
    )  # fmt: skip
    if lost:
        ints[s, LOST_RUN] = ints[s, LOST_RUN] + count
        ints[s, LOST_END] = ext + count - 1
    if ints[s, CLUSTER_BAD] == 0:
        ints[s, CLUSTER_START] = ext
    ints[s, CLUSTER_BAD] = ints[s, CLUSTER_BAD] + count
    ints[s, BAD_END] = ext + count - 1
    ints[s, BAD] = ints[s, BAD] + count


@rare_helper
def finalise(s: int, limit: int, ints, control) -> None:  # type: ignore[no-untyped-def]
    """Let the numbers up to `limit` (which does not lie above the highest) be final."""
    ext = ints[s, OPEN_BAD]
    while ext <= limit:
        seen = ints[s, RING_AT + (ext & (RING - 1))]
        known = (seen ^ (seen >> 63)) >> 32 == ext & EXT_BITS
        if seen < 0 or not known:
            add_bad(s, ext, 1, not known, ints, control)
        ext += 1
    ints[s, OPEN_BAD] = ext if ints[s, LAST_BAD] >= ext else NEVER


@rare_helper
def advance(s: int, ext: int, time: int, ints, holes, control) -> bool:  # type: ignore[no-untyped-def]
    """Before `ext` becomes the highest number: settle what is final, open the hole before it; True to ask for room."""
    highest = ints[s, HIGHEST]
    final = ext - REACH - 1
    finalise(s, min(final, highest), ints, control)
    missing = ext - highest - 1
    if missing == 0:
        return False
    if not is_bad(s, highest, ints):
        ints[s, RUNS] = ints[s, RUNS] + 1
    first = highest + 1
    if final >= first:
        add_bad(s, first, final - highest, True, ints, control)
        first = final + 1
    ints[s, LAST_BAD] = ext - 1
    if first < ints[s, OPEN_BAD]:
        ints[s, OPEN_BAD] = first
    if missing < _HOLE:
        return False
    row: int = control[HOLES_COUNT]
    room: int = control[HOLES_ROOM]
    if row == holes.shape[0]:
        control[HOLES_MISSED] = control[HOLES_MISSED] + 1
        return False
    before = ints[s, LAST_TIME]
    holes[row, H_STREAM] = s
    holes[row, H_BEFORE] = before
    holes[row, H_AFTER] = max(before, time)
    holes[row, H_MISSING] = missing
    control[HOLES_COUNT] = row + 1
    return row + 1 >= room


@rare_helper
def fill(s: int, ext: int, ints) -> None:  # type: ignore[no-untyped-def]
    """A packet behind the highest arrives: before the ring knows it, the runs of bad numbers are set right."""
    lowest = ints[s, LOWEST]
    if ext >= lowest:  # it fills a hole, or a part of it
        change = -1
        if is_bad(s, ext - 1, ints):
            change += 1
        if is_bad(s, ext + 1, ints):
            change += 1
        ints[s, RUNS] = ints[s, RUNS] + change
        return
    if ext < lowest - 1:  # the segment begins sooner than was thought, with a hole
        if not is_bad(s, lowest, ints):
            ints[s, RUNS] = ints[s, RUNS] + 1
        if ext + 1 < ints[s, OPEN_BAD]:
            ints[s, OPEN_BAD] = ext + 1
        if lowest - 1 > ints[s, LAST_BAD]:
            ints[s, LAST_BAD] = lowest - 1
    ints[s, LOWEST] = ext


@rare_helper
def spoil(s: int, ext: int, ints) -> None:  # type: ignore[no-untyped-def]
    """A packet that just came was too late; in bursts where its number is not final already."""
    ints[s, DISCARDED] = ints[s, DISCARDED] + 1
    seen = ints[s, RING_AT + (ext & (RING - 1))]
    if ext < ints[s, HIGHEST] - REACH or seen < 0 or seen >> 32 != ext & EXT_BITS:
        return
    change = 1
    if is_bad(s, ext - 1, ints):
        change -= 1
    if is_bad(s, ext + 1, ints):
        change -= 1
    ints[s, RUNS] = ints[s, RUNS] + change
    ints[s, RING_AT + (ext & (RING - 1))] = ~seen
    if ext < ints[s, OPEN_BAD]:
        ints[s, OPEN_BAD] = ext
    if ext > ints[s, LAST_BAD]:
        ints[s, LAST_BAD] = ext


@rare_helper
def close_run(s: int, ints, control) -> None:  # type: ignore[no-untyped-def]
    """The segment ends: all its numbers are final, and so are its bursts."""
    finalise(s, ints[s, HIGHEST], ints, control)
    end_runs(s, True, True, ints)
    ints[s, OPEN_BAD] = NEVER
    ints[s, LAST_BAD] = -1
