"""A stream's quality over time, for its detail. Floor 8.

In: the intervals of a result; where the captures can be read once more, its packets. Out: :class:`~.data.Series`.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import Any

from ...errors import CaptureError
from ...result import Result
from ..plots.series import Series as Steps
from .data import Limits, OutageItem, Series
from .order import Index

__all__ = ["interval_series", "outage_items", "read_series", "stream_series"]

_OUTAGES = 200
"""Holes of a stream that are listed."""
_FINEST_S = 0.2
"""Shortest step: ten packets of 20 ms, so that a share of them says something."""
_POINTS = 60_000
"""Points of all streams together, where they would be more than one a second."""


def read_series(
    result: Result, sources: Sequence[Any] | None, numbers: Sequence[int], limits: Limits
) -> dict[int, Steps]:
    """Read captures once more for streams by the second, or finer where there are few of them.

    Parameters
    ----------
    result : Result
        Of an analysis.
    sources : sequence or None
        What it was read from; None where that cannot be read once more.
    numbers : sequence of int
        The streams, those first that matter most.
    limits : Limits
        `packets`: those of so many streams are read as have no more packets together; `read_bytes`; `points`.

    Returns
    -------
    dict of int to Steps
        By stream. Empty where nothing can be read; of a stream that is missing only the intervals are known.
    """
    wanted: list[int] = []
    left = limits.packets
    for number in dict.fromkeys(numbers):
        if 0 < result.streams[number].packets <= left:
            left -= result.streams[number].packets
            wanted.append(number)
    far = any(isinstance(source, str) and "://" in source for source in sources or ())  # not once more over a network
    if not sources or not wanted or far or sum(each.bytes for each in result.captures) > limits.read_bytes:
        return {}
    from ...rereading.rows import read_packets_of
    from ..plots.series import make_series_of

    turns = result.extra.get("turns") or ()
    share = _POINTS // len(wanted)
    try:
        read = read_packets_of(list(sources), [result.streams[each] for each in wanted], result.options, limits.packets)
    except (CaptureError, OSError):  # it was there a moment ago: the report stands without
        return {}
    found, rows_of, most = [], [], []
    for number, rows in zip(wanted, read, strict=True):
        if rows is not None and len(rows):
            seconds = result.streams[number].duration_s
            finest = math.ceil(seconds / _FINEST_S) + 1
            found.append(number)
            rows_of.append(rows)
            most.append(max(1, min(limits.points, finest, max(share, math.ceil(seconds) + 1))))
    told = [turns[number] if number < len(turns) else () for number in found]
    series = make_series_of([result.streams[each] for each in found], rows_of, told, result.options, most)
    return dict(zip(found, series, strict=True))


def stream_series(
    result: Result, index: Index, number: int, begin: int, steps: Steps | None, limits: Limits
) -> Series | None:
    """A stream over time: as it was read once more, else by interval; None where nothing is known.

    Parameters
    ----------
    result : Result
        Of an analysis.
    index : Index
        Of it.
    number : int
        The stream.
    begin : int
        Time that the points count from, ns.
    steps : Steps or None
        What :func:`read_series` gave for it.
    limits : Limits
        `points`.
    """
    if steps is None or not steps.received:
        return interval_series(result, index, number, begin, limits.points)
    low, high = index.intervals.get(number, (0, 0))
    starts, scores = result.intervals.start[low:high].tolist(), result.intervals.mos[low:high].tolist()
    made = _empty(steps.step_ns)
    end = result.streams[number].end
    for at, (received, lost) in enumerate(zip(steps.received, steps.lost, strict=True)):
        start = steps.start_ns + at * steps.step_ns
        middle = (start + max(start, min(start + steps.step_ns, end))) // 2
        interval = bisect.bisect_right(starts, middle) - 1
        made["t"].append(round((middle - begin) / 1e9, 3))
        made["loss"].append(_percent(lost, received + lost))
        made["discarded"].append(_percent(steps.discarded[at], received + lost))
        made["jitter"].append(_rounded(steps.max_jitter_ms[at]))
        made["delta"].append(_rounded(steps.max_delta_ms[at]))
        made["mos"].append(_rounded(scores[interval]) if interval >= 0 else None)
    return made


def interval_series(result: Result, index: Index, number: int, begin: int, most: int) -> Series | None:
    """What the intervals say of a stream; None where it has none.

    Parameters
    ----------
    result : Result
        Of an analysis.
    index : Index
        Of it.
    number : int
        The stream.
    begin : int
        Time that the points count from, ns.
    most : int
        Points; of a longer stream neighbours are taken together: sums, the highest jitter, the lowest MOS.
    """
    low, high = index.intervals.get(number, (0, 0))
    if low >= high:
        return None
    intervals, stream = result.intervals, result.streams[number]
    together = -(-(high - low) // max(most, 1))
    step = result.options.interval_ns * together
    made = _empty(step)
    here = slice(low, high)
    starts, expected, lost, discarded = (
        column[here].tolist() for column in (intervals.start, intervals.expected, intervals.lost, intervals.discarded)
    )
    jitters, scores = intervals.max_jitter_ms[here].tolist(), intervals.mos[here].tolist()
    for at in range(0, high - low, together):
        part = slice(at, at + together)
        start = starts[at]
        end = min(start + step, max(stream.end, start))
        due = sum(expected[part])
        made["t"].append(round(((start + end) / 2 - begin) / 1e9, 3))
        made["loss"].append(_percent(sum(lost[part]), due))
        made["discarded"].append(_percent(sum(discarded[part]), due))
        made["jitter"].append(_extreme(jitters[part], max))
        made["mos"].append(_extreme(scores[part], min))
    return made


def _empty(step_ns: int) -> Series:
    return {"step_s": step_ns / 1e9, "t": [], "loss": [], "discarded": [], "jitter": [], "mos": [], "delta": []}


def _percent(part: int, whole: int) -> float | None:
    return round(100.0 * part / whole, 2) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 2)


def _extreme(values: list[float], which: Any) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return round(which(known), 2) if known else None


def outage_items(index: Index, number: int, begin: int) -> list[OutageItem]:
    """Runs of lost packets of a stream."""
    return [
        {
            "start_s": round((each.start - begin) / 1e9, 3),
            "end_s": round((each.end - begin) / 1e9, 3),
            "lost": each.lost,
        }
        for each in index.outages.get(number, ())[:_OUTAGES]
    ]
