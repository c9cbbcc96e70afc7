"""Sequence numbers of RTP streams: what is expected, distinct, duplicate, out of order; restarts and outages. Floor 1.

Sources: RFC 3550 A.1 (jumps, confirmation by the next packet), A.3 (expected).
"""

from __future__ import annotations

from . import hot_helper, rare_helper
from .bursts import advance, close_run, fill, spoil
from .events import note_event, note_last, remember
from .streamstate import (
    BREAK,
    DEFAULT_TICKS,
    DISTINCT,
    DUPLICATES,
    EARLY,
    EARLY_BREAK,
    EARLY_COUNT,
    EARLY_EXT,
    EARLY_MARKER,
    EARLY_PACKETS,
    EARLY_STAMP,
    EARLY_TIME,
    EXPECTED_BEFORE,
    EXT_BITS,
    FIRST_EXT,
    FIRST_STAMP,
    FIRST_TIME,
    HIGHEST,
    LAST_TIME,
    LOWEST,
    OPEN_BAD,
    OUT_OF_ORDER,
    PENDING,
    PTIME_TICKS,
    REFERENCE_EXT,
    REFERENCE_STAMP,
    REUSED,
    RING,
    RING_AT,
    STRAYS,
    TELEPHONE_EVENT,
    VIDEO,
)
from .timing import move_timing

EARLY_IS_FULL, ROOM_IS_SHORT = 1, 2


@rare_helper
def packet_time_ns(s: int, clock: int, ints) -> float:  # type: ignore[no-untyped-def]
    """Packet time in ns: the usual timestamp step, or the mean gap of arrival where that is not known; 0 if neither."""
    ticks: int = ints[s, PTIME_TICKS]
    if clock > 0 and ticks > 0:
        return ticks * 1e9 / clock
    elapsed: int = ints[s, LAST_TIME] - ints[s, FIRST_TIME]
    steps: int = ints[s, HIGHEST] - ints[s, LOWEST]
    if steps > 0:
        return elapsed / steps
    ticks = ints[s, DEFAULT_TICKS]
    return ticks * 1e9 / clock if clock > 0 else 0.0


@rare_helper
def outage_step(s: int, sequence: int, time: int, clock: int, ints) -> int:  # type: ignore[no-untyped-def]
    """Sequence steps that the arrival gap before a jump explains (an outage), or -1: a restart.

    The step may have gone round the 16 bits more than once; it explains the gap when it is within 20 % of it.
    """
    gap = float(time - ints[s, LAST_TIME])
    packet_time = packet_time_ns(s, clock, ints)
    step: int = (sequence - ints[s, HIGHEST]) & 0xFFFF
    if packet_time <= 0.0 or gap <= 0.0:
        return -1
    rounds = int((gap / packet_time - step) / 65536.0 + 0.5)
    if rounds > 0 and rounds < 1000:
        step += rounds * 65536
    if abs(step * packet_time - gap) > 0.2 * gap:
        return -1
    return step


@rare_helper
def keep_early(s: int, ext: int, time: int, stamp: int, marker: int, ints, early) -> bool:  # type: ignore[no-untyped-def]
    """Keep a packet until the clock rate is known; True when there are enough to estimate it."""
    note_last(s, ext, stamp, ints)
    count: int = ints[s, EARLY_COUNT]
    if count == EARLY_PACKETS or ints[s, EARLY] < 0:
        return False
    row = ints[s, EARLY] * EARLY_PACKETS + count
    early[row, EARLY_TIME] = time
    early[row, EARLY_STAMP] = stamp
    early[row, EARLY_EXT] = ext
    early[row, EARLY_MARKER] = marker
    early[row, EARLY_BREAK] = ints[s, BREAK]
    ints[s, BREAK] = 0
    ints[s, EARLY_COUNT] = count + 1
    return count + 1 == EARLY_PACKETS


@rare_helper
def straggle(s: int, ext: int, stamp: int, role: int, known: bool, ints) -> None:  # type: ignore[no-untyped-def]
    """A packet from behind the highest arrives; `known`: its number was there already."""
    ints[s, OUT_OF_ORDER] = ints[s, OUT_OF_ORDER] + 1
    if not known:
        fill(s, ext, ints)
    if role < TELEPHONE_EVENT:
        note_last(s, ints[s, REFERENCE_EXT], ints[s, REFERENCE_STAMP], ints)  # it will be this one
        if ext < ints[s, FIRST_EXT]:
            ints[s, FIRST_EXT] = ext
            ints[s, FIRST_STAMP] = stamp


@hot_helper
def take(  # type: ignore[no-untyped-def]
    s: int, ext: int, time: int, stamp: int, second: int, clock: int, role: int, payload: int, size: int, frame: int,
    rare: bool, ints, reals, prints, early, holes, events, control,
) -> int:  # fmt: skip
    """Count a packet whose extended sequence number is settled; what Python is asked for (:data:`EARLY_IS_FULL`...)."""
    at = RING_AT + (ext & (RING - 1))
    seen = ints[s, at]
    sign = seen >> 63  # -1: it came too late
    fresh = True
    ask = 0
    if (seen ^ sign) >> 32 == ext & EXT_BITS:
        if (seen ^ sign) & 0xFFFFFFFF == stamp:
            ints[s, DUPLICATES] = ints[s, DUPLICATES] + 1
            return 0
        fresh = False
        ints[s, REUSED] = ints[s, REUSED] + 1  # another packet under a number that is taken: no duplicate
        if ext < ints[s, HIGHEST]:
            straggle(s, ext, stamp, role, True, ints)
        ints[s, at] = (((ext & EXT_BITS) << 32) | stamp) ^ sign
    else:
        ints[s, DISTINCT] = ints[s, DISTINCT] + 1
        highest = ints[s, HIGHEST]
        if ext > highest:
            if ext - highest > 1 or ext - ints[s, OPEN_BAD] >= RING - 1:
                if advance(s, ext, time, ints, holes, control):
                    ask = ROOM_IS_SHORT
            ints[s, HIGHEST] = ext
        else:
            straggle(s, ext, stamp, role, False, ints)
        ints[s, at] = ((ext & EXT_BITS) << 32) | stamp
    if role >= TELEPHONE_EVENT:
        ints[s, BREAK] = 1
        if role == TELEPHONE_EVENT and size >= 4:
            if note_event(s, time, stamp, second >> 7, payload, frame, ints, events, control):
                ask = ROOM_IS_SHORT
        return ask
    if rare:
        remember(s, ext, stamp, payload, ints, prints)
    if clock > 0:
        if move_timing(s, time, stamp, ext, second >> 7, clock, role == VIDEO, ints, reals) and fresh:
            spoil(s, ext, ints)
    elif keep_early(s, ext, time, stamp, second >> 7, ints, early):
        ask |= EARLY_IS_FULL
    return ask


@rare_helper
def start_segment(s: int, sequence: int, ints, control) -> int:  # type: ignore[no-untyped-def]
    """Begin a segment at this sequence number, far from what came before; its extended sequence number."""
    close_run(s, ints, control)
    highest: int = ints[s, HIGHEST]
    ext = ((highest >> 16) + 2) * 65536 + sequence
    ints[s, EXPECTED_BEFORE] = ints[s, EXPECTED_BEFORE] + highest - ints[s, LOWEST] + 1
    ints[s, HIGHEST] = ext - 1
    ints[s, LOWEST] = ext
    ints[s, BREAK] = 1
    return ext


@hot_helper
def drop_pending(s: int, ints) -> None:  # type: ignore[no-untyped-def]
    """The pending packet was not confirmed: it is a stray, received but in no segment."""
    if ints[s, PENDING] >= 0:
        ints[s, STRAYS] = ints[s, STRAYS] + 1
        ints[s, PENDING] = -1
