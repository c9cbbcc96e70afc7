"""A stream over time, packet by packet; and both directions of a call beside each other. Floor 8.

In: packets of a stream (:mod:`sipanalyzer.output.packets`) and its intervals, as DataFrames. Out: matplotlib Figure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .arrays import Floats, Ints, numbers, times
from .canvas import (
    BAD,
    DAY_NS,
    FINE,
    GOOD,
    QUIET,
    TEXT,
    Canvas,
    days,
    empty,
    heading,
    label,
    legend,
    new_panels,
    place,
    time_axis,
    title,
    zone,
)
from .reduce import COLUMNS, reduce_line
from .series import STEPS_NS, share_losses
from .spells import OUTAGE, Span, Traffic, find_bursts, find_keys, find_outages, merged

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["draw_call", "draw_stream"]

_BARS = 150
"""Bars of loss at most."""
_MARKS = 60
"""Breaks that are drawn as lines, and keys that are written; of more only the first."""
_COVERED = 0.7
"""Share of the picture above which shading says nothing."""
_BURST, _OUTAGE, _KEY = "#f2d6c4", "#e0814a", "#d8e6f0"


@dataclasses.dataclass(frozen=True, slots=True)
class _Stream:
    """What is drawn of a stream."""

    traffic: Traffic
    intervals: pandas.DataFrame | None
    bursts: list[Span]
    outages: list[Span]
    keys: list[Span]

    @classmethod
    def of(cls, packets: pandas.DataFrame, intervals: pandas.DataFrame | None, gmin: int) -> _Stream:
        traffic = Traffic.of(packets)
        return cls(traffic, intervals, find_bursts(traffic, gmin), find_outages(traffic), find_keys(packets, traffic))

    @property
    def said(self) -> str:
        """The stream in a line."""
        traffic = self.traffic
        jitter, expected = traffic.jitter_ms, traffic.expected
        parts = [f"{len(traffic):,} packet" + "s" * (len(traffic) != 1)]
        if expected:
            parts.append(f"{100 * traffic.lost / expected:.1f} % lost" if traffic.lost else "none lost")
            if traffic.late.any():
                parts.append(f"{100 * traffic.late.sum() / expected:.1f} % too late")
        if not np.isnan(jitter).all():
            parts.append(f"jitter up to {np.nanmax(jitter):.1f} ms")
        return ", ".join(parts)

    @property
    def reach(self) -> tuple[int, int]:
        """First and last arrival."""
        times_ns = self.traffic.time_ns
        return (int(times_ns.min()), int(times_ns.max())) if len(times_ns) else (0, 0)

    @property
    def mos(self) -> tuple[Ints, Floats]:
        """Beginnings of intervals, and their MOS."""
        if self.intervals is None:
            return np.empty(0, np.int64), np.empty(0)
        starts, known = times(self.intervals, "start")
        values = numbers(self.intervals, "mos")
        known &= ~np.isnan(values)
        return starts[known], values[known]


_Draw = Callable[["Axes", _Stream, int, int], None]


def draw_stream(
    packets: pandas.DataFrame,
    intervals: pandas.DataFrame | None = None,
    *,
    about: str | None = None,
    mos_scale: str | None = None,
    gmin: int = 16,
    tz: str = "UTC",
) -> Canvas:
    """A stream over time: delta, jitter, skew, loss and MOS, one above the other.

    Loss bursts and outages are shaded; key presses, breaks in timing, restarts and packets that came too late for the
    jitter buffer are marked. Of long streams the lowest and the highest value of each column of pixels is drawn.

    Parameters
    ----------
    packets : pandas.DataFrame
        As ``stream.packets()`` gives them, or some of them.
    intervals : pandas.DataFrame, optional
        As ``stream.intervals``, for the MOS.
    about : str, optional
        What the picture is of.
    mos_scale : str, optional
        ``NB``, ``WB`` or ``FB``.
    gmin : int
        So many good packets in a row end a burst (RFC 3611).
    tz : str
        Zone in which times are shown.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    stream = _Stream.of(packets, intervals, gmin)
    panels = [each for each in _panels(mos_scale) if each[0] != "MOS" or len(stream.mos[0])]
    figure, axes = new_panels([height for _, _, height, _ in panels], sharex=True)
    _draw_column(axes[:, 0], stream, panels, tz)
    title(axes[0, 0], stream.said if len(stream.traffic) else "No packets", about)
    _explain(figure, [stream])
    return figure


def draw_call(
    directions: Mapping[str, tuple[pandas.DataFrame, pandas.DataFrame | None]],
    *,
    about: str | None = None,
    mos_scale: str | None = None,
    gmin: int = 16,
    tz: str = "UTC",
) -> Canvas:
    """Streams of a call beside each other, on the same scales.

    Parameters
    ----------
    directions : mapping
        By what stands above it: packets and intervals of a stream; without packets, the column says so.
    about, mos_scale, gmin, tz
        As for :func:`draw_stream`.

    Raises
    ------
    ValueError
        If there is no direction, or no such zone.
    """
    if not directions:
        raise ValueError("there is no direction to draw")
    streams = {name: _Stream.of(*frames, gmin) for name, frames in directions.items()}
    rated = any(len(stream.mos[0]) for stream in streams.values())
    panels = [each for each in _panels(mos_scale) if each[0] != "MOS" or rated]
    figure, axes = new_panels(
        [0.85 * height for _, _, height, _ in panels], 6.2 * len(streams), len(streams), sharex="col"
    )
    present = [stream.traffic for stream in streams.values() if len(stream.traffic)]
    whole = None
    if present:
        whole = min(int(each.time_ns.min()) for each in present), max(int(each.time_ns.max()) for each in present)
    for column, (name, stream) in enumerate(streams.items()):
        _draw_column(axes[:, column], stream, panels, tz, whole, first=column == 0)
        title(axes[0, column], stream.said if len(stream.traffic) else "No RTP seen", name)
    drawn = [column for column, stream in enumerate(streams.values()) if len(stream.traffic)]
    for row in axes[:, drawn]:
        limits = np.array([panel.get_ylim() for panel in row])
        for panel in row:
            panel.set_ylim(float(limits[:, 0].min()), float(limits[:, 1].max()))
        for panel in row[1:]:
            panel.tick_params(labelleft=False)
    if about:
        heading(figure, about)
    _explain(figure, list(streams.values()))
    return figure


def _panels(mos_scale: str | None) -> list[tuple[str, str, float, _Draw]]:
    """Name, unit, height and painter of each panel."""
    scale = f"MOS ({mos_scale})" if mos_scale else "MOS"
    return [
        ("delta", "delta (ms)", 1.7, _delta),
        ("jitter", "jitter (ms)", 1.4, _jitter),
        ("skew", "skew (ms)", 1.4, _skew),
        ("loss", "loss (%)", 1.2, _loss),
        ("MOS", scale, 1.1, _mos),
    ]


def _draw_column(
    axes: Sequence[Axes],
    stream: _Stream,
    panels: Sequence[tuple[str, str, float, _Draw]],
    tz: str,
    whole: tuple[int, int] | None = None,
    first: bool = True,
) -> None:
    """Draw one stream from top to bottom."""
    traffic, in_zone = stream.traffic, zone(tz)
    if not len(traffic):
        for panel in axes:
            empty(panel, "no packets" if panel is axes[0] else "")
        return
    start, end = whole or stream.reach
    for panel, (_, unit, _, draw) in zip(axes, panels, strict=True):
        draw(panel, stream, start, end)
        _shade(panel, stream, start, end)
        if first:
            label(panel, y=unit)
    _write_keys(axes[0], stream)
    time_axis(axes[-1], start, end, in_zone)
    for panel in axes[:-1]:
        panel.tick_params(labelbottom=False)
    axes[0].get_figure().align_ylabels(list(axes))  # type: ignore[union-attr]


def _line(axes: Axes, traffic: Traffic, values: Floats, **words: Any) -> None:
    x, y = reduce_line(days(traffic.time_ns), values)
    few = len(x) < 60
    axes.plot(x, y, color=FINE, linewidth=0.9, marker="." if few else "", markersize=4, **words)
    if np.isnan(values).all():
        place(axes, "nothing to measure here", (0.5, 0.5), xycoords="axes fraction", ha="center", color=QUIET)


def _delta(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    del start, end
    _line(axes, stream.traffic, stream.traffic.delta_ms, gid="delta")
    _from_zero(axes, stream.traffic.delta_ms)


def _jitter(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    del start, end
    _line(axes, stream.traffic, stream.traffic.jitter_ms, gid="jitter")
    _from_zero(axes, stream.traffic.jitter_ms)


def _from_zero(axes: Axes, values: Floats) -> None:
    """Begin at 0, and do not make less than two milliseconds look like more."""
    top = max(2.0, 1.25 * float(np.max(values, initial=0.0, where=~np.isnan(values))))
    axes.set_ylim(-0.05 * top, top)


def _skew(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    del start, end
    traffic = stream.traffic
    _line(axes, traffic, traffic.skew_ms, gid="skew")
    low, high = (
        float(edge(traffic.skew_ms, initial=0.0, where=~np.isnan(traffic.skew_ms))) for edge in (np.min, np.max)
    )
    room = max(1.0, 0.08 * (high - low))  # less than a millisecond is not made to look like more
    axes.set_ylim(low - room, high + room)
    if traffic.late.any():
        x, y = days(traffic.time_ns[traffic.late]), traffic.skew_ms[traffic.late]
        if len(x) > 2 * COLUMNS:
            x, y = reduce_line(x, y, COLUMNS // 2)
        axes.plot(x, y, linestyle="", marker="v", markersize=4 if len(x) < 200 else 2, color=BAD, gid="late")


def _loss(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    traffic = stream.traffic
    step = next((ns for ns in STEPS_NS if end - start < ns * _BARS), (end - start) // _BARS + 1)
    count = (end - start) // step + 1
    at = np.clip((traffic.time_ns - start) // step, 0, count - 1)
    lost = share_losses(traffic.time_ns, traffic.extended, traffic.lost_before, start, step, count)
    late = np.bincount(at[traffic.late], minlength=count)
    came = np.bincount(at[~traffic.duplicate & (traffic.extended > 0)], minlength=count)
    expected = np.maximum(came + lost, 1)
    left, width = days(start + step * np.arange(count)), step / DAY_NS
    axes.bar(left, 100 * lost / expected, width, align="edge", color=BAD, gid="lost")
    if late.any():
        axes.bar(
            left, 100 * late / expected, width, 100 * lost / expected, align="edge", color="white", edgecolor=BAD,
            hatch="//////", linewidth=0.5, gid="too late",
        )  # fmt: skip
    axes.set_ylim(0, max(1.0, 1.1 * float(np.max(100 * (lost + late) / expected, initial=0.0))))
    if not lost.any() and not late.any():
        place(axes, "none", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=QUIET)


def _mos(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    del start
    starts, values = stream.mos
    if len(starts):
        edges = np.append(starts, max(end, int(starts[-1]) + 1))
        # an interval ends where the next begins; those without a MOS in between interrupt the line
        usual = int(np.median(np.diff(starts))) if len(starts) > 1 else int(edges[-1] - edges[0])
        ends = np.minimum(edges[1:], starts + max(1, usual))
        x = np.stack([days(starts), days(ends), days(ends)], axis=1).ravel()
        y = np.stack([values, values, np.full(len(values), np.nan)], axis=1).ravel()
        axes.plot(x, y, color=GOOD, linewidth=2.0, gid="MOS")
    axes.set_ylim(0.9, 5.1)
    axes.set_yticks([1, 2, 3, 4, 5])


# ---- what is marked


def _shade(axes: Axes, stream: _Stream, start: int, end: int) -> None:
    """Bursts, outages and keys as spans, breaks and restarts as lines."""
    pixel = max(1, (end - start) // COLUMNS)
    across = axes.get_xaxis_transform()
    looks: tuple[tuple[list[Span], dict[str, Any]], ...] = (
        (stream.bursts, {"facecolor": _BURST, "gid": "loss burst"}),
        (stream.outages, {"facecolor": "none", "edgecolor": _OUTAGE, "hatch": "\\\\\\\\", "gid": "outage"}),
        (stream.keys, {"facecolor": _KEY, "gid": "key"}),
    )
    for spans, look in looks:
        bars = [
            (float(days(np.array([span.start_ns]))[0]), max(span.end_ns - span.start_ns, pixel) / DAY_NS)
            for span in _to_shade(spans, start, end)
        ]
        if bars:
            axes.broken_barh(bars, (0, 1), transform=across, linewidth=0, zorder=0.6, **look)
    breaks, restarts = _breaks(stream.traffic)
    if len(breaks):
        for ns in breaks[:_MARKS]:
            axes.axvline(float(days(ns)), color=QUIET, linestyle=(0, (1, 2)), linewidth=1.0, zorder=0.8, gid="break")
    for ns in restarts[:_MARKS]:
        axes.axvline(float(days(ns)), color=TEXT, linestyle=(0, (6, 2)), linewidth=1.2, zorder=0.8, gid="restart")


def _to_shade(spans: list[Span], start: int, end: int) -> list[Span]:
    """Spans that can be told apart; none where they would cover most of the picture and say nothing."""
    pixel = max(1, (end - start) // COLUMNS)
    apart = merged(spans, pixel)
    covered = sum(max(span.end_ns - span.start_ns, pixel) for span in apart)
    return apart if covered <= _COVERED * max(1, end - start) or len(apart) < 3 else []


def _breaks(traffic: Traffic) -> tuple[Ints, Ints]:
    """When the timing reference was taken anew, after the beginning; and when the sender began anew."""
    first = np.zeros(len(traffic), np.bool_)
    first[np.flatnonzero(traffic.breaks)[:1]] = True
    order = np.flatnonzero(traffic.extended > 0)
    anew = np.zeros(len(traffic), np.bool_)
    anew[order[1:][np.diff(traffic.segment[order]) != 0]] = True
    return traffic.time_ns[traffic.breaks & ~first & ~anew], traffic.time_ns[anew]


def _write_keys(axes: Axes, stream: _Stream) -> None:
    for span in stream.keys[:_MARKS]:
        at = float(days(np.array([(span.start_ns + span.end_ns) // 2]))[0])
        place(axes, span.text, (at, 0.985), most=4, xycoords=axes.get_xaxis_transform(), ha="center", va="top")


def _explain(figure: Canvas, streams: Sequence[_Stream]) -> None:
    """The legend of what there is to be seen."""
    told: dict[str, Any] = {}
    for name, kind, look in (
        ("loss burst (RFC 3611)", "bursts", Patch(facecolor=_BURST)),
        (f"{OUTAGE} or more lost in a row", "outages", Patch(facecolor="none", edgecolor=_OUTAGE, hatch="\\\\\\\\")),
    ):
        there = [stream for stream in streams if getattr(stream, kind)]
        if any(_to_shade(getattr(each, kind), *each.reach) for each in there):
            told[name] = look
        elif there:
            told[f"{name}: nearly everywhere, not shaded"] = Line2D([], [], linestyle="")
    if any(stream.traffic.lost for stream in streams):
        told["lost"] = Patch(facecolor=BAD)
    if any(stream.traffic.late.any() for stream in streams):
        told["too late for the jitter buffer"] = (
            Patch(facecolor="white", edgecolor=BAD, hatch="//////"),
            Line2D([], [], linestyle="", marker="v", color=BAD),
        )
    if any(stream.keys for stream in streams):
        told["key pressed"] = Patch(facecolor=_KEY)
    breaks = [_breaks(stream.traffic) for stream in streams]
    most = max(len(each) for each, _ in breaks)
    if most:
        more = f" (the first {_MARKS} of {most:,})" if most > _MARKS else ""
        told[f"timing taken anew{more}"] = Line2D([], [], color=QUIET, linestyle=(0, (1, 2)))
    if any(len(each) for _, each in breaks):
        told["sender began anew"] = Line2D([], [], color=TEXT, linestyle=(0, (6, 2)))
    legend(figure, told, loc="outside lower left", ncols=4)
