"""The plain packet: the next one of its stream, as it was due. Nearly all are. Floor 1.

A stream's column `PLAIN` holds the payload type (no marker) that the next packet must have to be plain, or -1 while no
packet can be: a jump waits to be confirmed, a break in timing is due, something came late or out of order, the packet
time is not settled. :func:`expect_plain` says so after each packet that is not plain, and that holds until another such
packet comes or Python tells the stream something (and sets -1). So :func:`is_plain` has little to ask, and
:func:`move_plain` little to do: what `take`, `move_timing` and the counting in :mod:`.rtp` do for such a packet, to the
bit, with half the work and within the first four cache lines of the row.

All that grows by one with each plain packet is counted once, in `PLAIN_COUNT`; :func:`count_plain` gives it to the
columns that are meant, and moves on what follows from the reference, before anybody else looks at them.
"""

from __future__ import annotations

from . import hot_helper, kernel, rare_helper
from .bursts import spoil
from .columns import FRAME, PT, SEQ, SIZE, STAMP, TIME, TRAFFIC
from .streamstate import (
    AUDIO,
    BREAK,
    BYTES,
    DELTA_SUM,
    DISTINCT,
    EXT_BITS,
    HIGHEST,
    JITTER_COUNT,
    LAST_FRAME,
    LAST_TIME,
    NEXT_TIME,
    OPEN_BAD,
    PACKETS,
    PENDING,
    PLAIN,
    PLAIN_COUNT,
    PLAIN_FROM,
    PLAIN_MS,
    PLAIN_TYPE,
    PREVIOUS_STEP,
    PTIME_TICKS,
    REFERENCE_CLOCK,
    REFERENCE_EXT,
    REFERENCE_STAMP,
    REFERENCE_TIME,
    RING,
    RING_AT,
    STEP_0,
    STEP_0_COUNT,
    TRAFFIC_0,
    TRAFFIC_0_COUNT,
)
from .timing import measure

__all__ = ["count_plain", "expect_plain", "is_plain", "move_plain", "settle_counts"]


@hot_helper
def is_plain(rows, i: int, s: int, ints) -> bool:  # type: ignore[no-untyped-def]
    """Whether row i is the packet that stream `s` waits for, and nothing is due before it."""
    ext: int = ints[s, HIGHEST] + 1
    now: int = rows[i, TIME]
    expected: bool = (
        rows[i, PT] == ints[s, PLAIN]
        and rows[i, SEQ] == ext & 0xFFFF
        and rows[i, STAMP] == (ints[s, REFERENCE_STAMP] + ints[s, PTIME_TICKS]) & 0xFFFFFFFF
        and rows[i, TRAFFIC] == ints[s, TRAFFIC_0]
        and now < ints[s, NEXT_TIME]
        and now >= ints[s, REFERENCE_TIME]
        and ext - ints[s, OPEN_BAD] < RING - 1
    )
    return expected


@hot_helper
def move_plain(rows, i: int, s: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Take a plain packet: its step is the usual one, which has its milliseconds in `PLAIN_MS`."""
    now, stamp = rows[i, TIME], rows[i, STAMP]
    ext = ints[s, HIGHEST] + 1
    ints[s, RING_AT + (ext & (RING - 1))] = ((ext & EXT_BITS) << 32) | stamp
    ints[s, HIGHEST] = ext
    ints[s, PLAIN_COUNT] = ints[s, PLAIN_COUNT] + 1
    ints[s, BYTES] = ints[s, BYTES] + rows[i, SIZE]
    ints[s, LAST_FRAME] = rows[i, FRAME]
    late = measure(
        s, now, now - ints[s, REFERENCE_TIME], ints[s, PTIME_TICKS], reals[s, PLAIN_MS], ints[s, REFERENCE_CLOCK],
        False, ints, reals,
    )  # fmt: skip
    ints[s, REFERENCE_TIME] = now
    ints[s, REFERENCE_STAMP] = stamp
    if late:
        spoil(s, ext, ints)


@rare_helper
def count_plain(s: int, ints, counts) -> None:  # type: ignore[no-untyped-def]
    """Give the plain packets since the last time to all that counts them."""
    count: int = ints[s, PLAIN_COUNT]
    if count == 0:
        return
    payload_type: int = ints[s, PLAIN_TYPE]
    ints[s, PLAIN_COUNT] = 0
    ints[s, PACKETS] = ints[s, PACKETS] + count
    ints[s, DISTINCT] = ints[s, DISTINCT] + count
    ints[s, STEP_0_COUNT] = ints[s, STEP_0_COUNT] + count
    ints[s, TRAFFIC_0_COUNT] = ints[s, TRAFFIC_0_COUNT] + count
    ints[s, JITTER_COUNT] = ints[s, JITTER_COUNT] + count
    ints[s, DELTA_SUM] = ints[s, DELTA_SUM] + ints[s, REFERENCE_TIME] - ints[s, PLAIN_FROM]
    ints[s, PLAIN_FROM] = ints[s, REFERENCE_TIME]
    ints[s, LAST_TIME] = ints[s, REFERENCE_TIME]
    ints[s, REFERENCE_EXT] = ints[s, HIGHEST]
    counts[s, payload_type] = int(counts[s, payload_type]) + count


@hot_helper
def expect_plain(s: int, payload_type: int, clock: int, role: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """After a packet of this payload type: whether the next may be plain."""
    step = ints[s, PTIME_TICKS]
    ints[s, PLAIN] = -1
    if (
        role == AUDIO
        and clock > 0
        and ints[s, REFERENCE_CLOCK] == clock
        and ints[s, BREAK] == 0
        and ints[s, PENDING] < 0
        and ints[s, REFERENCE_EXT] == ints[s, HIGHEST]
        and step > 0
        and step * 5 <= clock
        and step == ints[s, STEP_0]
        and step == ints[s, PREVIOUS_STEP]
    ):
        ints[s, PLAIN] = payload_type
        ints[s, PLAIN_TYPE] = payload_type
        ints[s, PLAIN_FROM] = ints[s, REFERENCE_TIME]
        reals[s, PLAIN_MS] = step * 1000.0 / clock


@kernel
def settle_counts(s: int, ints, counts) -> None:  # type: ignore[no-untyped-def]
    """Before Python looks at what stream `s` has counted."""
    count_plain(s, ints, counts)
