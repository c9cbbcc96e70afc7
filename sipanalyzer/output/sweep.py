"""How deep a jitter buffer one stream needs: depth against discards, delay and quality. Floor 8.

In: a stream and its packets. Out: rows for a DataFrame (:mod:`.plots.sweep` draws them).
The stream's packets go through the same kernel once a depth, so a sweep at the analysis' own depth gives its figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..metrics.quality import rate_stream
from ..options import Options
from ..rereading.replay import replay
from ..result import Measures, Stream
from ..rtp.streams import Turn

__all__ = ["DEPTHS_MS", "SweepRow", "sweep_playout"]

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
        measured = max(replay(packets, turns, tried).finish(), key=lambda figures: figures.packets)
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
