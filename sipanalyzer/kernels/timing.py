"""Timing of RTP streams: delta, jitter, skew, drift, packet time. Floor 1.

Comes in: one packet after the other, no duplicates. Goes out: columns of :mod:`.streamstate`, moved on in place.
Sources: RFC 3550 A.8 (jitter); in audio a *break* takes the reference anew (``docs/columns.md``, timing rules).
"""

from __future__ import annotations

from . import helper, hot_helper, kernel
from .streamstate import (
    ANCHOR_TIME,
    BREAK,
    DEFAULT_TICKS,
    DELTA_COUNT,
    DELTA_MAX,
    DELTA_SUM,
    DRIFT_SPAN,
    DRIFT_XX,
    DRIFT_XY,
    EARLY,
    EARLY_BREAK,
    EARLY_COUNT,
    EARLY_EXT,
    EARLY_MARKER,
    EARLY_PACKETS,
    EARLY_STAMP,
    EARLY_TIME,
    GROUP_COUNT,
    GROUP_X,
    GROUP_XX,
    GROUP_XY,
    GROUP_Y,
    JITTER,
    JITTER_COUNT,
    JITTER_MAX,
    JITTER_SUM,
    OFFSET_TICKS,
    PREVIOUS_STEP,
    PTIME_TICKS,
    REFERENCE_CLOCK,
    REFERENCE_EXT,
    REFERENCE_STAMP,
    REFERENCE_TIME,
    SKEW_MAX,
    STEP_0,
    STEP_0_COUNT,
    STEP_1,
    STEP_1_COUNT,
    STEP_2,
    STEP_2_COUNT,
)

_MARKER_GAP_NS = 200_000_000
"""A marker after a longer gap begins a talk spurt."""


@helper
def close_group(s: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Add the regression sums since the last break to the stream's (each group has a mean of its own)."""
    n = int(ints[s, GROUP_COUNT])
    if n > 1:
        x = reals[s, GROUP_X]
        reals[s, DRIFT_XX] += reals[s, GROUP_XX] - x * x / n
        reals[s, DRIFT_XY] += reals[s, GROUP_XY] - x * reals[s, GROUP_Y] / n
        ints[s, DRIFT_SPAN] = int(ints[s, DRIFT_SPAN]) + int(ints[s, REFERENCE_TIME]) - int(ints[s, ANCHOR_TIME])
    ints[s, GROUP_COUNT] = 0
    reals[s, GROUP_X] = 0.0
    reals[s, GROUP_Y] = 0.0
    reals[s, GROUP_XX] = 0.0
    reals[s, GROUP_XY] = 0.0


@hot_helper
def count_step(s: int, step: int, ints) -> None:  # type: ignore[no-untyped-def]
    """Count a timestamp step of at most 200 ms between packets in sequence (space saving, three places)."""
    if step == int(ints[s, STEP_0]):
        ints[s, STEP_0_COUNT] = int(ints[s, STEP_0_COUNT]) + 1
    elif step == int(ints[s, STEP_1]):
        ints[s, STEP_1_COUNT] = int(ints[s, STEP_1_COUNT]) + 1
    elif step == int(ints[s, STEP_2]):
        ints[s, STEP_2_COUNT] = int(ints[s, STEP_2_COUNT]) + 1
    elif int(ints[s, STEP_0_COUNT]) == 0:
        ints[s, STEP_0] = step
        ints[s, STEP_0_COUNT] = 1
    elif int(ints[s, STEP_1_COUNT]) == 0:
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = 1
    elif int(ints[s, STEP_1_COUNT]) < int(ints[s, STEP_2_COUNT]):
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = int(ints[s, STEP_1_COUNT]) + 1
    else:
        ints[s, STEP_2] = step
        ints[s, STEP_2_COUNT] = int(ints[s, STEP_2_COUNT]) + 1


@hot_helper
def move_timing(s: int, now: int, stamp: int, ext: int, marker: int, clock: int, video: bool, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Delta, jitter, skew and drift (RFC 3550 A.8 and the timing rules) for one packet that is no duplicate."""
    broken = int(ints[s, BREAK]) != 0 or int(ints[s, REFERENCE_CLOCK]) != clock
    gap = now - int(ints[s, REFERENCE_TIME])
    step = ((stamp - int(ints[s, REFERENCE_STAMP]) + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    if not video and not broken:
        sequence_step = ext - int(ints[s, REFERENCE_EXT])
        usual = int(ints[s, PTIME_TICKS])
        if sequence_step == 1 and step > 0:
            if step * 5 <= clock:
                count_step(s, step, ints)
            if step != usual:
                if usual == 0:
                    default = int(ints[s, DEFAULT_TICKS])
                    if abs(step - default) <= default or (step * 100 % clock == 0 and step * 5 <= clock):
                        ints[s, PTIME_TICKS] = step
                    else:
                        broken = True
                    usual = step
                elif step == int(ints[s, PREVIOUS_STEP]) and step * 5 <= clock:
                    ints[s, PTIME_TICKS] = step
                    usual = step
            ints[s, PREVIOUS_STEP] = step
        if usual == 0:
            usual = int(ints[s, DEFAULT_TICKS])
        if abs(step - sequence_step * usual) > usual or (marker != 0 and gap > _MARKER_GAP_NS):
            broken = True
    if broken:
        close_group(s, ints, reals)
        ints[s, BREAK] = 0
        ints[s, REFERENCE_CLOCK] = clock
        ints[s, ANCHOR_TIME] = now
        ints[s, OFFSET_TICKS] = 0
    else:
        ints[s, DELTA_SUM] = int(ints[s, DELTA_SUM]) + gap
        ints[s, DELTA_COUNT] = int(ints[s, DELTA_COUNT]) + 1
        if gap > int(ints[s, DELTA_MAX]):
            ints[s, DELTA_MAX] = gap
        jitter = reals[s, JITTER]
        jitter += (abs(gap * 1e-6 - step * 1000.0 / clock) - jitter) / 16.0
        reals[s, JITTER] = jitter
        reals[s, JITTER_SUM] += jitter
        ints[s, JITTER_COUNT] = int(ints[s, JITTER_COUNT]) + 1
        if jitter > reals[s, JITTER_MAX]:
            reals[s, JITTER_MAX] = jitter
        offset = int(ints[s, OFFSET_TICKS]) + step
        ints[s, OFFSET_TICKS] = offset
        since = now - int(ints[s, ANCHOR_TIME])
        skew = since * 1e-6 - offset * 1000.0 / clock
        if abs(skew) > abs(reals[s, SKEW_MAX]):
            reals[s, SKEW_MAX] = skew
        x = since * 1e-9
        reals[s, GROUP_X] += x
        reals[s, GROUP_Y] += skew
        reals[s, GROUP_XX] += x * x
        reals[s, GROUP_XY] += x * skew
    ints[s, GROUP_COUNT] = int(ints[s, GROUP_COUNT]) + 1
    ints[s, REFERENCE_TIME] = now
    ints[s, REFERENCE_STAMP] = stamp
    ints[s, REFERENCE_EXT] = ext


@kernel
def replay_early(s: int, clock: int, video: bool, ints, reals, early) -> None:  # type: ignore[no-untyped-def]
    """Give the packets that stream `s` kept while its clock rate was unknown to the timing figures."""
    first = int(ints[s, EARLY]) * EARLY_PACKETS
    after = int(ints[s, BREAK])
    for k in range(int(ints[s, EARLY_COUNT])):
        row = first + k
        ints[s, BREAK] = early[row, EARLY_BREAK]
        move_timing(
            s, int(early[row, EARLY_TIME]), int(early[row, EARLY_STAMP]), int(early[row, EARLY_EXT]),
            int(early[row, EARLY_MARKER]), clock, video, ints, reals,
        )  # fmt: skip
    ints[s, BREAK] = after
    ints[s, EARLY_COUNT] = 0
