"""How deep a jitter buffer one stream needs: depth against discards, delay and quality. Floor 8.

In: a stream and its packets. Out: rows for a DataFrame, and a picture of them (matplotlib, loaded when it is drawn).
The stream's packets go through the same kernel once a depth, so a sweep at the analysis' own depth gives its figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..metrics.quality import rate_stream
from ..options import Options
from ..result import Measures, Stream
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..rtp.streams import StreamTable, Turn

if TYPE_CHECKING:
    import matplotlib.axes
    import pandas

__all__ = ["DEPTHS_MS", "SweepRow", "draw_sweep", "sweep_playout"]

DEPTHS_MS = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 120.0, 150.0, 200.0, 300.0)
"""Depths that are tried where none are named."""


@dataclasses.dataclass(frozen=True, slots=True)
class SweepRow:
    """A stream behind a jitter buffer of one depth."""

    depth_ms: float
    discarded: int
    discarded_percent: float
    effective_loss_percent: float
    """Lost or discarded, over expected."""
    delay_ms: float
    r_factor: float | None
    mos: float | None


def sweep_playout(
    stream: Stream,
    packets: npt.NDArray[np.int64],
    turns: Sequence[Turn],
    options: Options,
    depths_ms: Sequence[float] = DEPTHS_MS,
) -> list[SweepRow]:
    """Try jitter buffers of several depths on one stream.

    Parameters
    ----------
    stream : Stream
        As the analysis found it.
    packets : int64[n, 16]
        Its packets (:func:`sipanalyzer.rereading.rows.read_packets`).
    turns : sequence of Turn
        What it was told by SDP, and when (``Result.extra["turns"]``).
    options : Options
        Those of the analysis; `playout_mode` is fixed here.
    depths_ms : sequence of float
        Depths, ms.

    Raises
    ------
    ValueError
        If a depth is negative, or the stream's timing says nothing (video, or no clock rate).
    """
    if stream.discarded is None or not len(packets):
        raise ValueError("this stream has no timing that a jitter buffer could go by (video, or no known clock rate)")
    network_ms = None if stream.quality is None else stream.quality.delay_ms - options.playout_ms
    rows = []
    for depth in depths_ms:
        tried = dataclasses.replace(options, playout_ms=float(depth), playout_mode="fixed")
        measured = _measure(packets, turns, tried)
        behind = dataclasses.replace(stream, **{name: getattr(measured, name) for name in _MEASURED})
        quality = rate_stream(behind, tried, one_way_delay_ms=network_ms)
        discarded = measured.discarded or 0
        expected = max(measured.expected, 1)
        rows.append(
            SweepRow(
                depth_ms=float(depth),
                discarded=discarded,
                discarded_percent=100.0 * discarded / expected,
                effective_loss_percent=100.0 * min(expected, measured.lost + discarded) / expected,
                delay_ms=float(depth) if quality is None else quality.delay_ms,
                r_factor=None if quality is None else quality.r_factor,
                mos=None if quality is None else quality.mos,
            )
        )
    return rows


_MEASURED = tuple(field.name for field in dataclasses.fields(Measures))


def _measure(packets: npt.NDArray[np.int64], turns: Sequence[Turn], options: Options) -> Measures:
    """Figures of the packets, with what the stream was told at the same places among them."""
    known: dict[int, Format | None] = {}

    def describe(src: Socket, dst: Socket, payload_type: int, time: int) -> Format | None:
        del src, dst, time
        return known.get(payload_type)

    table = StreamTable(dataclasses.replace(options, probation_packets=0), describe)
    table.announce((int(packets[0, 5]), int(packets[0, 6]), int(packets[0, 7]) & 0xFFFF))
    fed = 0
    for turn in turns:
        table.feed(packets, fed, turn.packets, 0)
        fed = max(fed, turn.packets)
        if turn.payload_type is None:
            table.interrupt(range(table.count))
        else:
            known[turn.payload_type] = turn.format
            table.forget_formats(range(table.count), turn.payload_type)
    table.feed(packets, fed, len(packets), 0)
    return max(table.finish(), key=lambda figures: figures.packets)


def draw_sweep(frame: pandas.DataFrame, axes: matplotlib.axes.Axes | None = None) -> matplotlib.axes.Axes:
    """Draw a sweep: effective loss against depth, and R on the right, its best marked.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of :class:`SweepRow`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    """
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(figsize=(7, 4), layout="constrained").subplots()
    axes.plot(frame["depth_ms"], frame["effective_loss_percent"], color="#d55e00", marker="o", label="loss")
    axes.set_xlabel("depth of the jitter buffer (ms)")
    axes.set_ylabel("lost or discarded (%)", color="#d55e00")
    axes.set_ylim(bottom=0)
    ratings = frame["r_factor"].to_numpy(np.float64, na_value=np.nan)
    title = "Packets lost or too late, by depth of the jitter buffer"
    if not np.isnan(ratings).all():
        best = int(np.nanargmax(ratings))
        depth = float(frame["depth_ms"].to_numpy()[best])
        right = axes.twinx()
        right.plot(frame["depth_ms"], ratings, color="#0072b2", marker="s", label="R")
        right.set_ylabel("R (ITU-T G.107)", color="#0072b2")
        right.set_ylim(0, max(100.0, 1.05 * ratings[best]))  # below 0 all is equally bad
        right.axvline(depth, color="#0072b2", linestyle=":", linewidth=1)
        title = f"Best R {ratings[best]:.0f} behind a jitter buffer of {depth:g} ms"
    axes.set_title(title)
    return axes
