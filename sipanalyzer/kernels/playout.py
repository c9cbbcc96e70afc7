"""Which packets a jitter buffer would have discarded. Floor 1.

A packet's lateness is its skew (arrival since the anchor minus timestamps since the anchor, :mod:`.timing`) above the
stream's base. The base is 0 at an anchor, and is taken anew with it: at a talk spurt, a timestamp jump, a restart,
after a hold. From there it follows the sender's clock and the path, in windows of 2 s of arrival time. At a window's
end it rises to the least skew in it, where that was met over at least 1 s: what comes later for good costs a window or
two, and a stall costs what it should. Or it falls towards the least skew, by at most 1 ms (a clock 500 ppm fast).

A packet is too late when its lateness is more than the buffer's depth, to the nanosecond. An adaptive buffer's depth
grows to the lateness of a packet that was too late, up to its limit, and loses a tenth of what it has grown with each
window in which none was.
"""

from __future__ import annotations

from . import rare_helper
from .streamstate import (
    ANCHORS,
    BASE,
    DEPTH,
    DEPTH_LEAST,
    DEPTH_MOST,
    LATE,
    LATE_CLASSES,
    LEAST,
    NEXT_TIME,
    NOTABLE,
    NOTABLE_LEAST,
    REFERENCE_TIME,
    WINDOW_END,
    WINDOW_FIRST,
    WINDOW_LATE,
)

WINDOW_NS = 2_000_000_000
_SPREAD_NS = WINDOW_NS // 2
_FALL_MS = 1.0
_MOST_MS = 1e6
LIMITS_MS = (5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500)
"""Limits of the classes of lateness."""
UNSEEN = 1e300


@rare_helper
def take_anchor(s: int, now: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """The stream's schedule begins anew with the packet of this moment, which is punctual."""
    ints[s, ANCHORS] = ints[s, ANCHORS] + 1
    reals[s, BASE] = 0.0
    reals[s, LEAST] = 0.0
    reals[s, NOTABLE] = reals[s, NOTABLE_LEAST]
    ints[s, WINDOW_FIRST] = now
    ints[s, WINDOW_LATE] = 0
    ints[s, WINDOW_END] = now + WINDOW_NS
    if now + WINDOW_NS < ints[s, NEXT_TIME]:
        ints[s, NEXT_TIME] = now + WINDOW_NS


@rare_helper
def end_window(s: int, now: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Close the window that ended before `now`: the base follows the clock, an adaptive depth falls back."""
    least = reals[s, LEAST]
    if least < UNSEEN:
        base = reals[s, BASE]
        if least < base:
            base = max(least, base - _FALL_MS)
        elif ints[s, REFERENCE_TIME] - ints[s, WINDOW_FIRST] >= _SPREAD_NS:
            base = least
        reals[s, BASE] = base
        reals[s, NOTABLE] = base + reals[s, NOTABLE_LEAST]
        if ints[s, WINDOW_LATE] == 0:
            depth = ints[s, DEPTH]
            ints[s, DEPTH] = depth - (depth - ints[s, DEPTH_LEAST]) // 10
    reals[s, LEAST] = UNSEEN
    ints[s, WINDOW_LATE] = 0
    end = ints[s, WINDOW_END]
    ints[s, WINDOW_END] = end + ((now - end) // WINDOW_NS + 1) * WINDOW_NS


@rare_helper
def judge(s: int, skew: float, ints, reals) -> bool:  # type: ignore[no-untyped-def]
    """Whether a packet of this skew came too late; its class of lateness is counted."""
    late = int(min(skew - reals[s, BASE], _MOST_MS) * 1e6 + 0.5)
    k = 0
    while k < LATE_CLASSES - 1 and late >= LIMITS_MS[k] * 1_000_000:
        k += 1
    if k > 0:
        ints[s, LATE + k] = ints[s, LATE + k] + 1
    if late <= ints[s, DEPTH]:
        return False
    ints[s, WINDOW_LATE] = 1
    if ints[s, DEPTH_MOST] > ints[s, DEPTH]:
        ints[s, DEPTH] = min(late, ints[s, DEPTH_MOST])
    return True
