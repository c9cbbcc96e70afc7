"""A stream over time in equal steps, for charts that have room for some hundred points. Floor 8, numpy only.

In: a stream, its packets and what it was told (:mod:`sipanalyzer.rereading`). Out: :class:`Series`, plain lists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...kernels import columns as row
from ...options import Options
from ...rereading.replay import PacketFigures, follow_packets
from ...rereading.steps import follow_steps
from ...result import Stream
from ...rtp.streams import Turn

__all__ = ["STEPS_NS", "Series", "make_series", "make_series_of", "series_of", "share_losses"]

Ints = npt.NDArray[np.int64]

STEPS_NS = tuple(
    ms * 1_000_000
    for ms in (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000)
)
"""Steps that people read easily."""


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """A stream in steps of equal time; all lists of one length. Summed over all steps, counts are the stream's."""

    start_ns: int
    """Beginning of the first step: the stream's first packet."""
    step_ns: int
    received: list[int]
    """Packets that arrived in the step, duplicates included."""
    lost: list[int]
    """Packets that should have arrived in it, shared out evenly between those around a hole."""
    max_jitter_ms: list[float | None]
    """Highest jitter after a packet of the step; None where none was timed."""
    max_delta_ms: list[float | None]
    """Longest time to the packet before, breaks left out; None likewise."""
    discarded: list[int]
    """Packets that arrived in it too late for the jitter buffer."""


def make_series(
    stream: Stream, rows: npt.NDArray[np.int64], turns: Sequence[Turn], options: Options, most: int = 600
) -> Series:
    """A stream over time.

    Parameters
    ----------
    stream : Stream
        As the analysis found it.
    rows : int64[n, 16]
        Its packets (:func:`sipanalyzer.rereading.rows.read_packets_of`).
    turns : sequence of Turn
        What it was told by SDP, and when: ``Result.extra["turns"]``, at the stream's number in ``Result.streams``.
    options : Options
        Those of the analysis.
    most : int
        Steps at most; they last 20 ms or longer.

    Raises
    ------
    ValueError
        If `most` is below 1.
    """
    return series_of(follow_packets(rows, turns, options), stream.start, stream.end, most)


def make_series_of(
    streams: Sequence[Stream],
    rows_of: Sequence[npt.NDArray[np.int64]],
    turns_of: Sequence[Sequence[Turn]],
    options: Options,
    most: Sequence[int],
) -> list[Series]:
    """Several streams over time: what :func:`make_series` says of each, in a fraction of its time.

    Parameters
    ----------
    streams, rows_of, turns_of : sequence
        Of each stream what is asked for there.
    options : Options
        Those of the analysis.
    most : sequence of int
        Steps of each at most.

    Raises
    ------
    ValueError
        If a number in `most` is below 1.
    """
    grids = [
        _grid(rows[:, row.TIME], stream.start, stream.end, limit)
        for stream, rows, limit in zip(streams, rows_of, most, strict=True)
    ]
    made = []
    for stream, rows, turns, limit, (step, count, at), figures in zip(
        streams, rows_of, turns_of, most, grids, follow_steps(rows_of, turns_of, [at for *_, at in grids], options),
        strict=True,
    ):  # fmt: skip
        if figures is None:
            made.append(make_series(stream, rows, turns, options, limit))
            continue
        missing = figures.lost_before
        lost = (
            share_losses(rows[:, row.TIME], figures.extended, missing, stream.start, step, count).tolist()
            if missing.any()
            else [0] * count
        )
        behind = count - len(figures.discarded)  # steps after the last packet
        none: list[float | None] = [None] * behind
        made.append(
            Series(
                start_ns=stream.start,
                step_ns=step,
                received=np.bincount(at, minlength=count).tolist(),
                lost=lost,
                max_jitter_ms=_known(figures.max_jitter_ms) + none,
                max_delta_ms=_known(figures.max_delta_ms) + none,
                discarded=figures.discarded.tolist() + [0] * behind,
            )
        )
    return made


def _known(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _grid(time_ns: Ints, start_ns: int, end_ns: int, most: int) -> tuple[int, int, Ints]:
    """The steps from one time to another: their length, how many there are, and which each packet falls into."""
    if most < 1:
        raise ValueError(f"there must be a step at least, not {most}")
    span = max(0, end_ns - start_ns)
    step = next((ns for ns in STEPS_NS if span < ns * most), span // most + 1)
    count = span // step + 1 if len(time_ns) else 0
    return step, count, np.clip((time_ns - start_ns) // step, 0, max(0, count - 1))


def series_of(packets: PacketFigures, start_ns: int, end_ns: int, most: int = 600) -> Series:
    """Packets over time.

    Parameters
    ----------
    packets : PacketFigures
        In order of arrival.
    start_ns, end_ns : int
        What the steps reach over; what is outside (a clock was set) counts in the first and the last.
    most : int
        Steps at most.

    Raises
    ------
    ValueError
        If `most` is below 1.
    """
    step, count, at = _grid(packets.time_ns, start_ns, end_ns, most)
    return Series(
        start_ns=start_ns,
        step_ns=step,
        received=np.bincount(at, minlength=count).tolist(),
        lost=share_losses(packets.time_ns, packets.extended, packets.lost_before, start_ns, step, count).tolist(),
        max_jitter_ms=_highest(packets.jitter_ms, at, count),
        max_delta_ms=_highest(packets.delta_ms, at, count),
        discarded=np.bincount(at[packets.late], minlength=count).tolist(),
    )


def _highest(values: npt.NDArray[np.float64], at: Ints, count: int) -> list[float | None]:
    """Highest value of each step."""
    highest = np.full(count, -np.inf)
    known = ~np.isnan(values)
    np.maximum.at(highest, at[known], values[known])
    return [None if value == -np.inf else value for value in highest.tolist()]


def share_losses(
    time_ns: Ints, extended: Ints, lost_before: Ints, start_ns: int, step_ns: int, count: int
) -> Ints:  # fmt: skip
    """Packets lost in each step: number j of the m that are missing was due after j / (m + 1) of the gap.

    Parameters
    ----------
    time_ns, extended, lost_before : int64[n]
        Of each packet: arrival, extended sequence number, packets missing before it.
    start_ns, step_ns, count : int
        Where the steps begin, how long each is, how many there are.

    Returns
    -------
    int64[count]
        Their sum is the stream's loss.
    """
    lost = np.zeros(max(1, count), np.int64)
    order = np.argsort(extended, kind="stable")
    holes = np.flatnonzero(lost_before[order])
    missing = lost_before[order[holes]]
    end = time_ns[order[holes]] - start_ns
    begin = np.where(holes > 0, np.minimum(time_ns[order[holes - 1]] - start_ns, end), end)
    last = max(0, count - 1)
    first_step, last_step = (np.clip(edge // step_ns, 0, last) for edge in (begin, end))
    within = first_step == last_step
    np.add.at(lost, first_step[within], missing[within])
    for hole in np.flatnonzero(~within).tolist():
        count_of, gap, offset = int(missing[hole]), int(end[hole] - begin[hole]), int(begin[hole])
        before = 0
        for at in range(int(first_step[hole]), int(last_step[hole])):
            due = min(count_of, max(0, (((at + 1) * step_ns - offset) * (count_of + 1) - 1) // gap))
            lost[at] += due - before
            before = due
        lost[last_step[hole]] += count_of - before
    return lost[:count]
