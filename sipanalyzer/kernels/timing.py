"""Timing of RTP streams: delta, jitter, skew, drift, packet time. Floor 1.

Comes in: one packet after the other, no duplicates. Goes out: columns of :mod:`.streamstate`, moved on in place, and
whether an audio packet came too late for a jitter buffer (:mod:`.playout`).
Sources: RFC 3550 A.8 (jitter); in audio a *break* takes the reference anew (``docs/quality.md``).
"""

from __future__ import annotations

from . import hot_helper, kernel, rare_helper
from .bursts import spoil
from .playout import UNSEEN, end_window, judge, take_anchor
from .streamstate import (
    ANCHOR_TIME,
    BREAK,
    DEFAULT_TICKS,
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
    GROUP_FROM,
    GROUP_X,
    GROUP_XX,
    GROUP_XY,
    GROUP_Y,
    JITTER,
    JITTER_COUNT,
    JITTER_MAX,
    JITTER_SUM,
    LEAST,
    NOTABLE,
    OFFSET_TICKS,
    PLAIN,
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
    TIMED_VIDEO,
    WINDOW_END,
    WINDOW_FIRST,
)

_MARKER_GAP_NS = 200_000_000
_FAR_NS = 1 << 53  # 104 days: two packets so far apart say nothing of each other (a clock that stepped, damage)
_FULL_NS = 1 << 62  # so that no sum of times, each less than that far, leaves int64
"""A marker after a longer gap begins a talk spurt."""


@rare_helper
def close_group(s: int, ints, reals) -> None:  # type: ignore[no-untyped-def]
    """Add the regression sums since the last break to the stream's (each group has a mean of its own)."""
    n = ints[s, JITTER_COUNT] - ints[s, GROUP_FROM] + 1  # the anchor, and all that followed it
    if n > 1:
        x = reals[s, GROUP_X]
        reals[s, DRIFT_XX] += reals[s, GROUP_XX] - x * x / n
        reals[s, DRIFT_XY] += reals[s, GROUP_XY] - x * reals[s, GROUP_Y] / n
        ints[s, DRIFT_SPAN] = ints[s, DRIFT_SPAN] + ints[s, REFERENCE_TIME] - ints[s, ANCHOR_TIME]
    ints[s, GROUP_FROM] = ints[s, JITTER_COUNT] + 1
    reals[s, GROUP_X] = 0.0
    reals[s, GROUP_Y] = 0.0
    reals[s, GROUP_XX] = 0.0
    reals[s, GROUP_XY] = 0.0


@hot_helper
def count_step(s: int, step: int, ints) -> None:  # type: ignore[no-untyped-def]
    """Count a timestamp step of at most 200 ms between packets in sequence (space saving, three places)."""
    if step == ints[s, STEP_0]:
        ints[s, STEP_0_COUNT] = ints[s, STEP_0_COUNT] + 1
    elif step == ints[s, STEP_1]:
        ints[s, STEP_1_COUNT] = ints[s, STEP_1_COUNT] + 1
    elif step == ints[s, STEP_2]:
        ints[s, STEP_2_COUNT] = ints[s, STEP_2_COUNT] + 1
    elif ints[s, STEP_0_COUNT] == 0:
        ints[s, STEP_0] = step
        ints[s, STEP_0_COUNT] = 1
    elif ints[s, STEP_1_COUNT] == 0:
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = 1
    elif ints[s, STEP_1_COUNT] < ints[s, STEP_2_COUNT]:
        ints[s, STEP_1] = step
        ints[s, STEP_1_COUNT] = ints[s, STEP_1_COUNT] + 1
    else:
        ints[s, STEP_2] = step
        ints[s, STEP_2_COUNT] = ints[s, STEP_2_COUNT] + 1


@hot_helper
def measure(  # type: ignore[no-untyped-def]
    s: int, now: int, gap: int, step: int, step_ms: float, clock: int, video: bool, ints, reals
) -> bool:
    """Delta, jitter, skew and drift of a packet with a reference before it; True where it is audio that came too late.

    `gap` and `step` since the reference, `step` also as `step_ms`; the caller counts, and moves the reference on.
    """
    late = False
    if gap > ints[s, DELTA_MAX]:
        ints[s, DELTA_MAX] = gap
    jitter = reals[s, JITTER]
    jitter += (abs(gap * 1e-6 - step_ms) - jitter) / 16.0
    reals[s, JITTER] = jitter
    reals[s, JITTER_SUM] += jitter
    if jitter > reals[s, JITTER_MAX]:
        reals[s, JITTER_MAX] = jitter
    offset = ints[s, OFFSET_TICKS] + step
    ints[s, OFFSET_TICKS] = offset
    since = now - ints[s, ANCHOR_TIME]
    skew = since * 1e-6 - offset * 1000.0 / clock
    if abs(skew) > abs(reals[s, SKEW_MAX]):
        reals[s, SKEW_MAX] = skew
    x = since * 1e-9
    reals[s, GROUP_X] += x
    reals[s, GROUP_Y] += skew
    reals[s, GROUP_XX] += x * x
    reals[s, GROUP_XY] += x * skew
    if video:
        ints[s, TIMED_VIDEO] = ints[s, TIMED_VIDEO] + 1
    else:
        if skew > reals[s, NOTABLE]:
            late = judge(s, skew, ints, reals)
        if skew < reals[s, LEAST]:
            if reals[s, LEAST] == UNSEEN:
                ints[s, WINDOW_FIRST] = now
            reals[s, LEAST] = skew
    return late


@hot_helper
def move_timing(  # type: ignore[no-untyped-def]
    s: int, now: int, stamp: int, ext: int, marker: int, clock: int, video: bool, ints, reals
) -> bool:
    """Delta, jitter, skew and drift (RFC 3550 A.8 and the timing rules) for one packet that is no duplicate.

    True where it is audio that came too late.
    """
    late = False
    broken = ints[s, BREAK] != 0 or ints[s, REFERENCE_CLOCK] != clock
    gap = now - ints[s, REFERENCE_TIME]
    if abs(gap) > _FAR_NS:
        broken = True
    step = ((stamp - ints[s, REFERENCE_STAMP] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    if not video and not broken:
        sequence_step = ext - ints[s, REFERENCE_EXT]
        usual = ints[s, PTIME_TICKS]
        if sequence_step == 1 and step > 0:
            if step * 5 <= clock:
                count_step(s, step, ints)
            if step != usual:
                if usual == 0:
                    default = ints[s, DEFAULT_TICKS]
                    if abs(step - default) <= default or (step * 100 % clock == 0 and step * 5 <= clock):
                        ints[s, PTIME_TICKS] = step
                    else:
                        broken = True
                    usual = step
                elif step == ints[s, PREVIOUS_STEP] and step * 5 <= clock:
                    ints[s, PTIME_TICKS] = step
                    usual = step
            ints[s, PREVIOUS_STEP] = step
        if usual == 0:
            usual = ints[s, DEFAULT_TICKS]
        if abs(step - sequence_step * usual) > usual or (marker != 0 and gap > _MARKER_GAP_NS) or gap < 0:
            broken = True  # packets come in order of time, unless the capture's clock was set back
    if broken:
        close_group(s, ints, reals)
        ints[s, GROUP_FROM] = ints[s, JITTER_COUNT]
        ints[s, BREAK] = 0
        ints[s, REFERENCE_CLOCK] = clock
        ints[s, ANCHOR_TIME] = now
        ints[s, OFFSET_TICKS] = 0
        if not video:
            take_anchor(s, now, ints, reals)
    else:
        if abs(ints[s, DELTA_SUM]) < _FULL_NS:
            ints[s, DELTA_SUM] = ints[s, DELTA_SUM] + gap
        ints[s, JITTER_COUNT] = ints[s, JITTER_COUNT] + 1
        late = measure(s, now, gap, step, step * 1000.0 / clock, clock, video, ints, reals)
    ints[s, REFERENCE_TIME] = now
    ints[s, REFERENCE_STAMP] = stamp
    ints[s, REFERENCE_EXT] = ext
    return late


@kernel
def replay_early(s: int, clock: int, video: bool, ints, reals, early) -> None:  # type: ignore[no-untyped-def]
    """Give the packets that stream `s` kept while its clock rate was unknown to the timing figures.

    What came too late of them is in no burst where its number is final by now, and counts in the interval of now.
    """
    first = ints[s, EARLY] * EARLY_PACKETS
    after = ints[s, BREAK]
    for k in range(ints[s, EARLY_COUNT]):
        row = first + k
        ints[s, BREAK] = early[row, EARLY_BREAK]
        time, ext = early[row, EARLY_TIME], early[row, EARLY_EXT]
        if time >= ints[s, WINDOW_END]:
            end_window(s, time, ints, reals)
        if move_timing(s, time, early[row, EARLY_STAMP], ext, early[row, EARLY_MARKER], clock, video, ints, reals):
            spoil(s, ext, ints)
    ints[s, BREAK] = after
    ints[s, EARLY_COUNT] = 0
    ints[s, PLAIN] = -1
