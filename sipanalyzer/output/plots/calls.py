"""Calls over time: how many at once, how many began, and what became of them. Floor 8.

In: the table `calls` as a DataFrame. Out: matplotlib Figure.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.patches import Patch

from ..bulk import bulk_of
from .arrays import Bools, Ints, texts, times
from .canvas import (
    BAD,
    DAY_NS,
    FINE,
    GOOD,
    POOR,
    QUIET,
    Canvas,
    days,
    empty,
    label,
    legend_above,
    new_panels,
    place,
    time_axis,
    title,
    whole_numbers,
    zone,
)

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["OUTCOMES", "count_at_once", "draw_calls", "spoken", "steps_of"]

OUTCOMES = (
    ("answered", ("completed", "in-call"), GOOD, ""),
    ("not answered", ("busy", "no-answer", "cancelled", "redirected"), POOR, "////"),
    ("failed or rejected", ("failed", "rejected"), BAD, "xxxx"),
    ("under way", ("setup", "ringing"), "#b6c2d1", "...."),
)
"""What became of calls: name, states, colour, hatch."""
_STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600)
_BARS = 100
_SECOND = 1_000_000_000
_TIMER_B = 32 * _SECOND


def draw_calls(calls: pandas.DataFrame, *, tz: str = "UTC") -> Canvas:
    """Calls over time: above how many were under way at once, below how many began and what became of them.

    Parameters
    ----------
    calls : pandas.DataFrame
        The table `calls`; of use here: start, end, answered, state. A call without a start (the capture began
        later) is left out, as is one days away from the bulk of them (a clock that was wrong); both are counted in the
        title. One without an end lasts as long as the picture, or 32 s where it failed: that is how long its caller
        waited for any response (RFC 3261, timer B).
    tz : str
        Zone in which times are shown.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    in_zone = zone(tz)
    figure, panels = new_panels([2.2, 2.2], sharex=True)
    above, below = panels[:, 0]
    start, begun = times(calls, "start")
    if not begun.any():
        title(above, "Calls over time")
        empty(above, "no call has a start")
        empty(below, "")
        return figure
    end, ended = times(calls, "end")
    answered, up = times(calls, "answered")
    first, last = bulk_of(np.sort(start[begun]).tolist())
    near = begun & (start >= first) & (start <= last)
    apart = int((begun & ~near).sum())
    left_out = int((~begun).sum())
    seen = ended & (near | (~begun & (end <= last + DAY_NS)))
    begun = near
    last = int(max(last, end[seen].max(initial=0), answered[begun & up].max(initial=0)))
    states = np.array([state or "" for state in texts(calls, "state")], object)
    waited = np.where(states == "failed", np.minimum(start + _TIMER_B, last), last)
    end = np.maximum(np.where(ended, end, waited), start)
    most = _draw_at_once(above, start, end, begun, answered, begun & up)
    counts = _draw_begun(below, start, begun, states, first, last, in_zone)
    time_axis(below, first, last, in_zone)
    above.tick_params(labelbottom=False)
    figure.align_ylabels([above, below])
    parts = [f"{count:,} {name}" for name, count in counts.items() if count]
    parts += [f"{left_out:,} began before the capture"] * (left_out > 0)
    parts += [f"{apart:,} far from the others in time"] * (apart > 0)
    if left_out or apart:
        parts[-1] += ", not drawn"
    title(above, f"{int(begun.sum()):,} calls, at most {most:,} at once", ", ".join(parts))
    return figure


def count_at_once(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """How many spans there are at a time.

    Parameters
    ----------
    start, end : int64[n]
        Of each; it lasts up to its end, and not beyond.

    Returns
    -------
    time, count : int64[m]
        From each time on, up to the next.
    """
    moments = np.concatenate([start, end])
    steps = np.repeat([1, -1], [len(start), len(end)])
    time, where = np.unique(moments, return_inverse=True)
    return time, np.cumsum(np.bincount(where, weights=steps, minlength=len(time))).astype(np.int64)


def _draw_at_once(axes: Axes, start: Ints, end: Ints, begun: Bools, answered: Ints, up: Bools) -> int:
    """Steps of calls under way, those that are answered darker; the highest number at once."""
    handles: dict[str, Any] = {}
    most = 0
    for name, since, chosen, colour in (
        ("set up or up", start, begun, "#b9d3e6"),
        ("up", answered, up, FINE),
    ):
        time, count = count_at_once(since[chosen], np.maximum(end, since)[chosen])
        if not len(time):
            continue
        x, y = _reduce_steps(time, count)
        axes.fill_between(days(x), y, step="post", color=colour, linewidth=0, gid=name)
        axes.plot(days(x), y, drawstyle="steps-post", color=FINE, linewidth=0.8, gid=f"{name} line")
        handles[name] = Patch(facecolor=colour)
        if colour != FINE:
            most = int(count.max(initial=0))
            at = int(time[int(np.argmax(count))])
            place(axes, f"{most:,}", (float(days(np.array([at]))[0]), most), xytext=(2, 3),
                  textcoords="offset points", color=QUIET)  # fmt: skip
    axes.set_ylim(0, 1.15 * max(1, most))
    whole_numbers(axes.yaxis)
    label(axes, y="calls at once")
    legend_above(axes, handles)
    return most


def _reduce_steps(time: Ints, count: Ints, columns: int = 1500) -> tuple[Ints, Ints]:
    """Of a long line of steps the least and the most of each column of pixels, and what it ends with."""
    if len(time) <= 4 * columns:
        return time, count
    column = np.minimum((time - time[0]) * columns // max(1, int(time[-1] - time[0])), columns - 1)
    ranked = np.lexsort((count, column))
    edges = np.flatnonzero(np.diff(column)) + 1
    firsts, lasts = np.concatenate([[0], edges]), np.concatenate([edges, [len(time)]]) - 1
    kept = np.unique(np.concatenate([ranked[firsts], ranked[lasts], lasts]))
    return time[kept], count[kept]


def steps_of(first_ns: int, last_ns: int, most: int, tz: datetime.tzinfo, least_s: int = 1) -> Ints:
    """Edges of equal steps, as round as the clock of a zone has them, over a time.

    Parameters
    ----------
    first_ns, last_ns : int
        The time, ns since 1970.
    most : int
        Steps at most, or a few more.
    tz : datetime.tzinfo
        Hours and days begin as they do there at the first of these times.
    least_s : int
        No shorter step.

    Returns
    -------
    int64[n + 1]
        Edges of n steps.
    """
    span = last_ns - first_ns
    step = next((s for s in _STEPS_S if s >= least_s and span < s * _SECOND * most), 0) * _SECOND
    if not step:
        step = -(-span // (most * 7 * DAY_NS)) * 7 * DAY_NS
    local = datetime.datetime.fromtimestamp(first_ns // _SECOND, tz)
    offset = local.utcoffset() or datetime.timedelta(0)
    shift = int(offset.total_seconds()) * _SECOND
    begin = (first_ns + shift) // step * step - shift
    return begin + step * np.arange((last_ns - begin) // step + 2, dtype=np.int64)


def _draw_begun(
    axes: Axes, start: Ints, begun: Bools, states: npt.NDArray[np.object_], first: int, last: int, tz: datetime.tzinfo
) -> dict[str, int]:
    """Bars of calls that began, by what became of them; how many of each."""
    edges = steps_of(first, last, _BARS, tz)
    left, width = days(edges[:-1]), float(edges[1] - edges[0]) / DAY_NS
    below = np.zeros(len(edges) - 1)
    counts: dict[str, int] = {}
    handles: dict[str, Any] = {}
    known = {state for _, those, _, _ in OUTCOMES for state in those}
    groups = [*OUTCOMES, ("of unknown state", tuple(set(states[begun].tolist()) - known), QUIET, "")]
    for name, those, colour, hatch in groups:
        mine = begun & np.isin(states, those) if those else np.zeros(len(states), np.bool_)
        counts[name] = int(mine.sum())
        if not counts[name]:
            continue
        bars = np.histogram(start[mine], edges)[0]
        axes.bar(
            left, bars, width, below, align="edge", color=colour, edgecolor="white", linewidth=0.3, hatch=hatch,
            gid=name,
        )  # fmt: skip
        below += bars
        handles[name] = Patch(facecolor=colour, edgecolor="white", hatch=hatch)
    axes.set_ylim(0, 1.1 * max(1.0, float(below.max())))
    whole_numbers(axes.yaxis)
    label(axes, y=f"begun in {spoken(int(edges[1] - edges[0]) // _SECOND)}")
    legend_above(axes, handles)
    return counts


def spoken(seconds: int) -> str:
    """A length of time in words."""
    for size, name in ((604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size} {name}s" if seconds > size else f"one {name}"
    return f"{seconds} s"
