"""Sequence numbers of RTP streams: what is expected, distinct, duplicate, out of order; restarts and outages. Floor 1.

Sources: RFC 3550 A.1 (jumps, confirmation by the next packet), A.3 (expected).
"""

from __future__ import annotations

from . import helper, hot_helper
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
    FIRST_TIME,
    HIGHEST,
    LAST_TIME,
    LOWEST,
    OUT_OF_ORDER,
    PENDING,
    PTIME_TICKS,
    REUSED,
    RING,
    STRAYS,
    TELEPHONE_EVENT,
    VIDEO,
)
from .timing import move_timing


@helper
def packet_time_ns(s: int, clock: int, ints) -> float:  # type: ignore[no-untyped-def]
    """Packet time in ns: the usual timestamp step, or the mean gap of arrival where that is not known; 0 if neither."""
    if clock > 0 and int(ints[s, PTIME_TICKS]) > 0:
        return int(ints[s, PTIME_TICKS]) * 1e9 / clock
    steps = int(ints[s, HIGHEST]) - int(ints[s, LOWEST])
    if steps > 0:
        return (int(ints[s, LAST_TIME]) - int(ints[s, FIRST_TIME])) / steps
    return int(ints[s, DEFAULT_TICKS]) * 1e9 / clock if clock > 0 else 0.0


@helper
def outage_step(s: int, sequence: int, time: int, clock: int, ints) -> int:  # type: ignore[no-untyped-def]
    """Sequence steps that the arrival gap before a jump explains (an outage), or -1: a restart.

    The step may have gone round the 16 bits more than once; it explains the gap when it is within 20 % of it.
    """
    gap = float(time - int(ints[s, LAST_TIME]))
    packet_time = packet_time_ns(s, clock, ints)
    step = (sequence - int(ints[s, HIGHEST])) & 0xFFFF
    if packet_time <= 0.0 or gap <= 0.0:
        return -1
    rounds = int((gap / packet_time - step) / 65536.0 + 0.5)
    if rounds > 0 and rounds < 1000:
        step += rounds * 65536
    if abs(step * packet_time - gap) > 0.2 * gap:
        return -1
    return step


@hot_helper
def take(  # type: ignore[no-untyped-def]
    s: int, ext: int, time: int, stamp: int, second: int, clock: int, role: int, ints, reals, ring, early
) -> bool:
    """Count a packet whose extended sequence number is settled; True when its stream's early packets are full."""
    at = ext & (RING - 1)
    seen = int(ring[s, at])
    if seen >> 32 == ext:
        if seen & 0xFFFFFFFF == stamp:
            ints[s, DUPLICATES] = int(ints[s, DUPLICATES]) + 1
            return False
        ints[s, REUSED] = int(ints[s, REUSED]) + 1  # another packet under a number that is taken: no duplicate
    else:
        ints[s, DISTINCT] = int(ints[s, DISTINCT]) + 1
    ring[s, at] = (ext << 32) | stamp
    if ext > int(ints[s, HIGHEST]):
        ints[s, HIGHEST] = ext
    elif ext < int(ints[s, HIGHEST]):
        ints[s, OUT_OF_ORDER] = int(ints[s, OUT_OF_ORDER]) + 1
        if ext < int(ints[s, LOWEST]):
            ints[s, LOWEST] = ext
    if role >= TELEPHONE_EVENT:
        ints[s, BREAK] = 1
        return False
    if clock > 0:
        move_timing(s, time, stamp, ext, second >> 7, clock, role == VIDEO, ints, reals)
        return False
    count = int(ints[s, EARLY_COUNT])
    if count < EARLY_PACKETS and int(ints[s, EARLY]) >= 0:
        row = int(ints[s, EARLY]) * EARLY_PACKETS + count
        early[row, EARLY_TIME] = time
        early[row, EARLY_STAMP] = stamp
        early[row, EARLY_EXT] = ext
        early[row, EARLY_MARKER] = second >> 7
        early[row, EARLY_BREAK] = ints[s, BREAK]
        ints[s, BREAK] = 0
        ints[s, EARLY_COUNT] = count + 1
        return count + 1 == EARLY_PACKETS
    return False


@helper
def start_segment(s: int, sequence: int, ints) -> int:  # type: ignore[no-untyped-def]
    """Begin a segment at this sequence number, far from what came before; its extended sequence number."""
    highest = int(ints[s, HIGHEST])
    ext = ((highest >> 16) + 2) * 65536 + sequence
    ints[s, EXPECTED_BEFORE] = int(ints[s, EXPECTED_BEFORE]) + highest - int(ints[s, LOWEST]) + 1
    ints[s, HIGHEST] = ext - 1
    ints[s, LOWEST] = ext
    ints[s, BREAK] = 1
    return ext


@hot_helper
def drop_pending(s: int, ints) -> None:  # type: ignore[no-untyped-def]
    """The pending packet was not confirmed: it is a stray, received but in no segment."""
    if int(ints[s, PENDING]) >= 0:
        ints[s, STRAYS] = int(ints[s, STRAYS]) + 1
        ints[s, PENDING] = -1
