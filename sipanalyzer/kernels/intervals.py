"""Figures of a stream interval by interval, and what else falls due at a time. Floor 1.

Intervals are counted from the stream's first packet; arrival decides. A row is the difference between the stream's
running figures at the interval's two ends. Where an interval ends inside a hole, the numbers missing there are shared
out by the time at which each was due. Intervals in which nothing came have rows of their own, up to :data:`EMPTY_ROWS`
after one another; the last of these stands for all that follow until the stream goes on. A packet far outside the
sequence counts in the interval of its arrival when the next packet confirms it, else in that of the packet which does
not.
"""

from __future__ import annotations

from . import rare_helper
from .playout import end_window
from .streamstate import (
    AT_ONCE,
    DISCARDED,
    DISTINCT,
    EXPECTED_BEFORE,
    FINGERPRINT,
    HIGHEST,
    I_DISCARDED,
    I_DISTINCT,
    I_EXPECTED,
    I_JITTERS,
    I_PACKETS,
    I_RUNS,
    I_START,
    I_STREAM,
    I_WHOLE,
    INTERVAL_END,
    INTERVAL_NS,
    INTERVALS_COUNT,
    INTERVALS_MISSED,
    INTERVALS_ROOM,
    JITTER_COUNT,
    JITTER_MAX,
    JITTER_TOP,
    LAST_TIME,
    LOWEST,
    MARK_DISCARDED,
    MARK_DISTINCT,
    MARK_EXPECTED,
    MARK_JITTERS,
    MARK_PACKETS,
    MARK_RUNS,
    NEXT_TIME,
    PACKETS,
    PACKETS_BEFORE_PENDING,
    PENDING,
    PRINTED,
    RUNS,
    SPLIT,
    WINDOW_END,
)

EMPTY_ROWS = 60
"""Intervals without a packet that have rows, of those that follow each other."""


@rare_helper
def write_interval(  # type: ignore[no-untyped-def]
    s: int, packets: int, share: int, whole: int, ints, reals, intervals, interval_reals, control
) -> None:
    """Write the row of the interval under way; `packets` counted by now, `share` of the hole behind the highest."""
    expected = ints[s, EXPECTED_BEFORE] + ints[s, HIGHEST] - ints[s, LOWEST] + 1 + share
    row = control[INTERVALS_COUNT]
    if row < intervals.shape[0]:
        intervals[row, I_STREAM] = s
        intervals[row, I_START] = ints[s, INTERVAL_END] - control[INTERVAL_NS]
        intervals[row, I_PACKETS] = packets - ints[s, MARK_PACKETS]
        intervals[row, I_EXPECTED] = expected - ints[s, MARK_EXPECTED]
        intervals[row, I_DISTINCT] = ints[s, DISTINCT] - ints[s, MARK_DISTINCT]
        intervals[row, I_DISCARDED] = ints[s, DISCARDED] - ints[s, MARK_DISCARDED]
        intervals[row, I_RUNS] = ints[s, RUNS] - ints[s, MARK_RUNS]
        intervals[row, I_JITTERS] = ints[s, JITTER_COUNT] - ints[s, MARK_JITTERS]
        intervals[row, I_WHOLE] = whole
        interval_reals[row, 0] = reals[s, JITTER_MAX]
        control[INTERVALS_COUNT] = row + 1
    else:
        control[INTERVALS_MISSED] = control[INTERVALS_MISSED] + 1
    ints[s, MARK_PACKETS] = packets
    ints[s, MARK_EXPECTED] = expected
    ints[s, MARK_DISTINCT] = ints[s, DISTINCT]
    ints[s, MARK_DISCARDED] = ints[s, DISCARDED]
    ints[s, MARK_RUNS] = ints[s, RUNS]
    ints[s, MARK_JITTERS] = ints[s, JITTER_COUNT]
    reals[s, JITTER_TOP] = max(reals[s, JITTER_TOP], reals[s, JITTER_MAX])
    reals[s, JITTER_MAX] = 0.0


@rare_helper
def end_intervals(  # type: ignore[no-untyped-def]
    s: int, now: int, missing: int, ints, reals, intervals, interval_reals, control
) -> None:
    """Write the rows of the interval that ended before `now` and of the empty ones behind it."""
    length, end = control[INTERVAL_NS], ints[s, INTERVAL_END]
    before = ints[s, LAST_TIME]
    packets = ints[s, PACKETS]
    if ints[s, PENDING] >= 0:
        packets = ints[s, PACKETS_BEFORE_PENDING]
    unit = 1  # ns; keeps products below 2**63
    while unit < 1_000_000_000 and now - before >= unit << 36:
        unit *= 1000
    empty = (now - end) // length
    rows = min(empty, EMPTY_ROWS)
    for k in range(rows + 1):
        until = now - (now - end) % length if k == EMPTY_ROWS else end + k * length
        share = 0
        if missing > 0 and until - before >= unit:  # number j of the missing was due after j / (missing + 1) of the gap
            share = (((until - before) // unit) * (missing + 1) - 1) // ((now - before) // unit)
        write_interval(s, packets, share, 1, ints, reals, intervals, interval_reals, control)
        ints[s, INTERVAL_END] = end + (k + 1) * length
    ints[s, INTERVAL_END] = end + (empty + 1) * length


@rare_helper
def turn(  # type: ignore[no-untyped-def]
    s: int, now: int, missing: int, ints, reals, intervals, interval_reals, control
) -> bool:
    """Do what is due before a packet of this moment, `missing` numbers ahead, is counted; True to ask for room."""
    if now >= ints[s, WINDOW_END]:
        end_window(s, now, ints, reals)
    full = False
    if now >= ints[s, INTERVAL_END]:
        end_intervals(s, now, missing, ints, reals, intervals, interval_reals, control)
        full = control[INTERVALS_COUNT] >= control[INTERVALS_ROOM]
    if ints[s, PRINTED] < FINGERPRINT or ints[s, SPLIT] != 0:
        ints[s, NEXT_TIME] = AT_ONCE
    else:
        ints[s, NEXT_TIME] = min(ints[s, WINDOW_END], ints[s, INTERVAL_END])
    return full
