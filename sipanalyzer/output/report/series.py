"""A stream's quality over time, for its detail. Floor 8.

In: the intervals of a result, or per-second figures of a second reading. Out: :class:`~.data.Series`.
"""

from __future__ import annotations

import math
from typing import Any

from ...result import Result
from .data import OutageItem, Series
from .order import Index

__all__ = ["interval_series", "outage_items"]

_OUTAGES = 200
"""Holes of a stream that are listed."""


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
    step = result.options.interval_ns
    together = -(-(high - low) // max(most, 1))
    made: Series = {
        "step_s": step * together / 1e9, "t": [], "loss": [], "discarded": [], "jitter": [], "mos": [], "delta": [],
    }  # fmt: skip
    for at in range(low, high, together):
        part = slice(at, min(at + together, high))
        start = int(intervals.start[at])
        end = min(start + step * together, max(stream.end, start))
        expected = int(intervals.expected[part].sum())
        made["t"].append(round(((start + end) / 2 - begin) / 1e9, 3))
        made["loss"].append(_percent(int(intervals.lost[part].sum()), expected))
        made["discarded"].append(_percent(int(intervals.discarded[part].sum()), expected))
        made["jitter"].append(_extreme(intervals.max_jitter_ms[part], max))
        made["mos"].append(_extreme(intervals.mos[part], min))
    return made


def _percent(part: int, whole: int) -> float | None:
    return round(100.0 * part / whole, 3) if whole else None


def _extreme(values: Any, which: Any) -> float | None:
    known = [value for value in values.tolist() if not math.isnan(value)]
    return round(which(known), 3) if known else None


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
