"""What streams leave behind row by row: intervals, holes, telephone events. Floor 4.

Owns the arrays that the kernels write to, gives them room as they fill, up to the limits of the options, and settles
the intervals once all is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels import streamstate as state
from ..kernels.intervals import EMPTY_ROWS
from ..options import Options

__all__ = ["Ledgers", "RawIntervals"]

Ints = npt.NDArray[np.int64]

_SLACK = 2 * (EMPTY_ROWS + 2)
"""Rows that one packet may write, at most."""
_MOST = 1 << 60
"""A setting beyond this means the same, and would not fit."""


@dataclass(frozen=True)
class RawIntervals:
    """Figures of streams interval by interval, in order of stream, then time; all arrays of one length.

    Summed over a stream, packets, expected, lost and discarded are the stream's (where `Options.max_intervals` left
    room for all of its rows).
    """

    index: Ints
    """Number of the stream: `Figures.index`."""
    start: Ints
    """Beginning of the interval, ns; intervals are counted from the stream's first packet."""
    packets: Ints
    """Received, duplicates included."""
    expected: Ints
    lost: Ints
    discarded: Ints
    """Too late for the jitter buffer."""
    runs: Ints
    """Runs of packets lost or discarded; one that goes over an interval's end counts in both, so that there is at
    least one wherever a packet was bad."""
    max_jitter_ms: npt.NDArray[np.float64]
    """NaN where there was no difference to take."""
    whole: npt.NDArray[np.bool_]
    """Whether the stream ran on to the interval's end, a packet time less at most."""

    def __len__(self) -> int:
        return len(self.index)


class Ledgers:
    """Three bounded tables, and the `control` array through which kernels know how full they are."""

    def __init__(self, options: Options) -> None:
        self._limits = (options.max_intervals, options.max_outages, options.max_digits)
        self.intervals = np.zeros((0, state.INTERVAL_WIDTH), np.int64)
        self.interval_reals = np.zeros((0, 1), np.float64)
        self.holes = np.zeros((0, state.HOLE_WIDTH), np.int64)
        self.events = np.zeros((0, state.EVENT_WIDTH), np.int64)
        self.control = np.zeros(state.CONTROL, np.int64)
        self.control[state.GMIN] = min(options.gmin, _MOST)
        self.control[state.INTERVAL_NS] = min(options.interval_ns, _MOST)
        self.make_room()

    def make_room(self) -> None:
        """Let each table that is nearly full grow, as far as its limit."""
        for names, count, room, limit in zip(
            (("intervals", "interval_reals"), ("holes",), ("events",)),
            (state.INTERVALS_COUNT, state.HOLES_COUNT, state.EVENTS_COUNT),
            (state.INTERVALS_ROOM, state.HOLES_ROOM, state.EVENTS_ROOM),
            self._limits,
            strict=True,
        ):
            if self.control[count] < self.control[room]:
                continue
            size = min(max(1024, 2 * len(getattr(self, names[0]))), limit)
            for name in names:
                old = getattr(self, name)
                grown = np.zeros((size, old.shape[1]), old.dtype)
                grown[: len(old)] = old
                setattr(self, name, grown)
            self.control[room] = size - _SLACK if size < limit else state.NEVER

    def missed(self) -> dict[str, int]:
        """Rows for which the limits left no room, by the code of their anomaly; only what there was."""
        codes = (
            ("rtp-interval-limit", state.INTERVALS_MISSED),
            ("rtp-outage-limit", state.HOLES_MISSED),
            ("rtp-event-limit", state.EVENTS_MISSED),
        )
        return {code: int(self.control[at]) for code, at in codes if self.control[at]}

    def settled_outages(self) -> Ints:
        """int64[k, 4]: number of the stream, arrival before the hole and after it (ns), packets missing; in order."""
        rows = self.holes[: self.control[state.HOLES_COUNT]]
        return _ordered(rows, state.H_STREAM)

    def settled_events(self) -> Ints:
        """int64[k, 9]: one row an event of a stream while its packets follow each other; in order of stream.

        Number of the stream, first packet (ns), RTP timestamp, event, highest duration (ticks), whether its end was
        seen, marker of the first packet, first frame, last packet (ns).
        """
        rows = self.events[: self.control[state.EVENTS_COUNT]]
        return _ordered(rows, state.E_STREAM)

    def settled_intervals(self) -> RawIntervals:
        """All intervals, with what came late set right.

        A packet that arrives an interval too late fills a hole of an earlier one, and what was discarded while the
        clock rate was unknown counts when it is known: both go back to the rows before as far as these have room.
        """
        count = int(self.control[state.INTERVALS_COUNT])
        order = np.argsort(self.intervals[:count, state.I_STREAM], kind="stable")
        rows = self.intervals[order]
        index, expected = rows[:, state.I_STREAM].copy(), rows[:, state.I_EXPECTED].copy()
        lost, discarded = expected - rows[:, state.I_DISTINCT], rows[:, state.I_DISCARDED].copy()
        runs = rows[:, state.I_RUNS].copy()
        _carry_back(index, lost, np.zeros_like(lost), below=True)
        _carry_back(index, discarded, expected - lost, below=False)
        _carry_back(index, runs, np.zeros_like(runs), below=True)
        bad = lost + discarded
        jitter = self.interval_reals[order, 0]
        jitter[rows[:, state.I_JITTERS] == 0] = np.nan
        return RawIntervals(
            index=index,
            start=rows[:, state.I_START].copy(),
            packets=rows[:, state.I_PACKETS].copy(),
            expected=expected,
            lost=lost,
            discarded=discarded,
            runs=np.minimum(np.maximum(runs, bad > 0), bad),
            max_jitter_ms=jitter,
            whole=rows[:, state.I_WHOLE] != 0,
        )


def _ordered(rows: Ints, column: int) -> Ints:
    return rows[np.argsort(rows[:, column], kind="stable")]


def _carry_back(index: Ints, values: Ints, limits: Ints, below: bool) -> None:
    """Move what is below its limit (or above) to the row before of the same stream; what the first cannot take goes."""
    beyond = np.flatnonzero(values < limits if below else values > limits)
    for last in beyond[::-1].tolist():
        i = last
        while (values[i] < limits[i]) if below else (values[i] > limits[i]):
            if i > 0 and index[i - 1] == index[i]:
                values[i - 1] += values[i] - limits[i]
            values[i] = limits[i]
            i -= 1
            if i < 0 or index[i] != index[i + 1]:
                break
