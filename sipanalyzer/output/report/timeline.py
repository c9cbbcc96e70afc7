"""Calls over time, as bars. Floor 8.

In: the calls of a result. Out: a :class:`~.data.Timeline` of at most so many bars, whose width is a round time. A
record far in the future or the past (a clock that was wrong) does not press all others into one bar: what stands apart
is left out, and told.
"""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Callable, Sequence

from ...result import Call
from ..bulk import bulk_of
from ..cells import moment
from .data import Timeline

__all__ = ["STEPS_S", "make_timeline", "outcome_of"]

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
"""Widths of a bar; then as many days as are needed."""

_OUTCOMES = {
    "completed": "answered", "in-call": "answered", "busy": "unanswered", "no-answer": "unanswered",
    "cancelled": "unanswered", "redirected": "unanswered", "rejected": "failed", "failed": "failed",
    "ringing": "unknown", "setup": "unknown",
}  # fmt: skip
_DAY_NS = 86_400 * 10**9


def outcome_of(call: Call) -> str:
    """``answered``, ``unanswered``, ``failed`` or ``unknown``."""
    return _OUTCOMES.get(call.state, "unknown")


def make_timeline(
    calls: Sequence[Call], tz: datetime.tzinfo, clock: Callable[[int], str], most: int
) -> Timeline | None:
    """Bars of calls by outcome and of how many were up at once.

    Parameters
    ----------
    calls : sequence of Call
        In any order.
    tz : datetime.tzinfo
        Zone whose round times the bars begin at.
    clock : callable
        Writes a time.
    most : int
        Bars, at most.

    Returns
    -------
    Timeline or None
        None where there is no call.
    """
    if not calls:
        return None
    starts = sorted(map(_start, calls))
    first, last = bulk_of(starts)
    begin, step, count = _grid(first, last, tz, max(most, 1))
    edges = [begin + at * step for at in range(count + 1)]
    bars = {outcome: [0] * count for outcome in ("answered", "unanswered", "failed", "unknown")}
    outside = []
    for call in calls:
        start = _start(call)
        if first <= start <= last:
            bars[outcome_of(call)][min((start - begin) // step, count - 1)] += 1
        else:
            outside.append(start)
    remarks = []
    if outside:
        told = "1 call stands" if len(outside) == 1 else f"{len(outside):,} calls stand"
        when = clock(min(outside))[:19] + ("" if len(outside) == 1 else f" to {clock(max(outside))[:19]}")
        remarks.append(f"{told} far from the others and not in this chart ({when}): a clock may have been wrong.")
    return Timeline(
        start=clock(begin),
        step_s=step / 1e9,
        labels=tuple(_labels(edges[:-1], tz, step)),
        answered=tuple(bars["answered"]),
        unanswered=tuple(bars["unanswered"]),
        failed=tuple(bars["failed"]),
        unknown=tuple(bars["unknown"]),
        concurrent=tuple(_concurrent(calls, edges)),
        remarks=tuple(remarks),
    )


def _start(call: Call) -> int:
    return call.first_time if call.start is None else call.start


def _grid(first: int, last: int, tz: datetime.tzinfo, most: int) -> tuple[int, int, int]:
    """Begin, width (ns) and number of the bars: the least round width with which they are few enough."""
    offset = moment(first, tz).utcoffset() or datetime.timedelta()
    shift = int(offset.total_seconds()) * 10**9
    days = (last - first) // _DAY_NS // max(most - 2, 1) + 1
    for step in (*(seconds * 10**9 for seconds in STEPS_S), days * _DAY_NS):
        begin = (first + shift) // step * step - shift
        count = (last - begin) // step + 1
        if count <= most:
            return begin, step, count
    return first, last - first + 1, 1


def _labels(edges: Sequence[int], tz: datetime.tzinfo, step: int) -> list[str]:
    """The time of day at which each bar begins, with the day where that changes."""
    labels, day = [], ""
    for edge in edges:
        local = moment(edge, tz)
        today = f"{local.year:04d}-{local:%m-%d}"
        clock = "" if step >= _DAY_NS else f"{local:%H:%M}" if step >= 60 * 10**9 else f"{local:%H:%M:%S}"
        labels.append(f"{today} {clock}".strip() if today != day or not clock else clock)
        day = today
    return labels


def _concurrent(calls: Sequence[Call], edges: Sequence[int]) -> list[int]:
    """Most calls that were up at once within each bar."""
    events = []
    for call in calls:
        if outcome_of(call) != "answered":
            continue
        begin = call.first_time if call.answered is None else call.answered
        end = call.last_time if call.end is None else call.end
        events += [(begin, 1), (max(begin, end), -1)]
    events.sort(key=lambda event: (event[0], -event[1]))  # who hangs up as another is answered was up with him
    most, now = [0] * (len(edges) - 1), 0
    last = -1
    for time, change in events:
        at = bisect.bisect_right(edges, time) - 1
        for between in range(max(last + 1, 0), min(at, len(most) - 1) + 1):  # bars in which nothing had happened before
            most[between] = max(most[between], now)
        now += change
        if 0 <= at < len(most):
            most[at] = max(most[at], now)
        last = max(last, at)
    return most
