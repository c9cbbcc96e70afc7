"""Many streams are judged once more, step by step of time, by the kernels that judged them first. Floor 6.

In: rows of streams (:mod:`.rows`), their turns, and the step of time that each packet falls into. Out: what happened in
each step (:class:`StepFigures`), the same as :mod:`.replay` says packet by packet, to the bit.

Why it is fast: all streams stand in one table, and one call of the kernel takes the next step of every stream. Between
two calls the highest jitter and delta are read and set back to nothing, so that each is that of one step. Streams do
not know of each other, so it does not matter that their packets come in another order than they did.

A stream in which a packet far outside the sequence waited for the next, or packets waited for a clock rate, or time ran
backwards, is left to :mod:`.replay`: what comes of its packets is settled later than they arrive.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..kernels import columns as row
from ..kernels import streamstate as state
from ..options import Options
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..rtp.streams import StreamTable, Turn
from .replay import missing_before

__all__ = ["StepFigures", "follow_steps"]

Rows = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_TOGETHER = 512
"""Streams in one table: a stream's state takes some kB."""
_MOST_AHEAD, _MOST_BEHIND = 3000, 100
"""Within these steps of the highest sequence number no packet waits (RFC 3550 A.1)."""
_NO_INTERVALS_NS = 1_000_000_000 * 86_400 * 365 * 10
"""Length of an interval that does not end: at the end of one the kernel sets the highest jitter back itself."""
_ODD_MULTIPLIER = 2_654_435_761


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class StepFigures:
    """A stream in steps of time."""

    extended: Ints
    """Extended sequence number of each packet."""
    lost_before: Ints
    """Of each packet: numbers missing for good directly before it, in order of sequence."""
    max_jitter_ms: Floats
    """Of each step: highest jitter after a packet of it; NaN where none was timed."""
    max_delta_ms: Floats
    """Of each step: longest time to the packet before; NaN likewise."""
    discarded: Ints
    """Of each step: packets that arrived in it too late for the jitter buffer."""


def follow_steps(
    rows_of: Sequence[Rows],
    turns_of: Sequence[Sequence[Turn]],
    steps_of: Sequence[Ints],
    options: Options,
) -> list[StepFigures | None]:
    """What happened to some streams, step by step.

    Parameters
    ----------
    rows_of : sequence of int64[n, 16]
        Packets of each stream (:func:`.rows.read_packets_of`).
    turns_of : sequence of sequences of Turn
        What each was told by SDP, and when (``Result.extra["turns"]``).
    steps_of : sequence of int64[n]
        The step that each packet falls into; the last packet's is the last there is.
    options : Options
        Those of the analysis.

    Returns
    -------
    list of StepFigures or None
        In the order asked for; None for a stream that only :func:`.replay.follow_packets` can follow.
    """
    made: list[StepFigures | None] = [None] * len(rows_of)
    calm: list[tuple[int, Ints]] = []
    for number, (rows, steps) in enumerate(zip(rows_of, steps_of, strict=True)):
        extended = _extended(rows, steps)
        if extended is not None:
            calm.append((number, extended))
    for first in range(0, len(calm), _TOGETHER):
        part = calm[first : first + _TOGETHER]
        numbers = [number for number, _ in part]
        figures = _follow([rows_of[k] for k in numbers], [turns_of[k] for k in numbers], [steps_of[k] for k in numbers],
                          options)  # fmt: skip
        for (number, extended), (jitter, delta, discarded) in zip(part, figures, strict=True):
            if jitter is not None:
                whole = bool((np.diff(extended) == 1).all())
                lost = np.zeros(len(extended), np.int64) if whole else missing_before(extended)
                made[number] = StepFigures(extended, lost, jitter, delta, discarded)
    return made


def _extended(rows: Rows, steps: Ints) -> Ints | None:
    """Extended sequence numbers; None where a packet waited to be confirmed, or time ran backwards."""
    if not len(rows) or (np.diff(rows[:, row.TIME]) < 0).any() or (np.diff(steps) < 0).any():
        return None
    sequence = rows[:, row.SEQ]
    moved = ((np.diff(sequence) + 32768) & 0xFFFF) - 32768
    extended = np.empty(len(rows), np.int64)
    extended[0] = 65536 + sequence[0]
    np.cumsum(moved, out=extended[1:])
    extended[1:] += extended[0]
    if (moved != 1).any():
        ahead = extended[1:] - np.maximum.accumulate(extended)[:-1]
        if ahead.max() > _MOST_AHEAD or ahead.min() <= -_MOST_BEHIND:
            return None
    return extended


class _Table(StreamTable):
    """A table that notes whose packets waited for a clock rate."""

    def __init__(self, *about: object) -> None:
        super().__init__(*about)  # type: ignore[arg-type]
        self.waited: set[int] = set()

    def _settle(self, s: int, rows: Rows, i: int, described: Format | None = None) -> None:
        super()._settle(s, rows, i, described)
        if self._ints[s, state.EARLY] >= 0:
            self.waited.add(s)

    def take_figures(self, streams: Ints) -> tuple[Ints, Floats, Ints, Ints]:
        """Differences counted so far, highest jitter and delta (ns) since this was asked last, packets too late."""
        jitter, delta = self._reals[streams, state.JITTER_MAX], self._ints[streams, state.DELTA_MAX]
        self._reals[streams, state.JITTER_MAX] = 0.0
        self._ints[streams, state.DELTA_MAX] = 0
        counted = self._ints[streams, state.JITTER_COUNT] + self._ints[streams, state.PLAIN_COUNT]
        return counted, jitter, delta, self._ints[streams, state.DISCARDED]


def _follow(
    rows_of: Sequence[Rows], turns_of: Sequence[Sequence[Turn]], steps_of: Sequence[Ints], options: Options
) -> list[tuple[Floats | None, Floats, Ints]]:
    """Highest jitter and delta and packets too late in each step of each stream; jitter None if it cannot be told."""
    count = len(rows_of)
    table_number = np.full(count, -1, np.int64)
    known: list[dict[int, Format | None]] = [{} for _ in range(count)]

    def describe(src: Socket, dst: Socket, payload_type: int, time: int) -> Format | None:
        del dst, time
        return known[src[1]].get(payload_type)

    def created(s: int, src: Socket, dst: Socket, time: int) -> None:
        del dst, time
        table_number[src[1]] = s

    alone = dataclasses.replace(options, probation_packets=0, interval_ns=_NO_INTERVALS_NS, max_streams=count)
    table = _Table(alone, describe, created)
    table.announce((0, 0, 0))
    rounds = _Rounds(rows_of, turns_of, steps_of)
    counted, late = np.zeros(count, np.int64), np.zeros(count, np.int64)
    sizes = np.array([int(steps[-1]) + 1 for steps in steps_of], np.int64)
    begins = np.cumsum(sizes) - sizes
    jitter, delta = np.full(int(sizes.sum()), np.nan), np.full(int(sizes.sum()), np.nan)
    discarded = np.zeros(int(sizes.sum()), np.int64)
    for at, (begin, end) in enumerate(rounds.edges):
        for number, turn in rounds.turns.get(at, ()):
            told = table_number[number : number + 1].tolist() if table_number[number] >= 0 else []
            if turn.payload_type is None:
                table.interrupt(told)
            else:
                known[number][turn.payload_type] = turn.format
                table.forget_formats(told, turn.payload_type)
        table.feed(rounds.rows, begin, end, 0)
        low, high = rounds.pieces[at], rounds.pieces[at + 1]
        which = rounds.streams[low:high]
        if (table_number[which] < 0).any():  # not even promoted: nothing can be told
            return [(None, delta, discarded)] * count
        now, highest, longest, gone = table.take_figures(table_number[which])
        places = begins[which] + rounds.steps[low:high]
        timed = now > counted[which]
        jitter[places[timed]] = np.fmax(jitter[places[timed]], highest[timed])
        delta[places[timed]] = np.fmax(delta[places[timed]], longest[timed] / 1e6)
        discarded[places] += gone - late[which]
        counted[which], late[which] = now, gone
    figures: list[tuple[Floats | None, Floats, Ints]] = []
    for number, (begin, size) in enumerate(zip(begins.tolist(), sizes.tolist(), strict=True)):
        part = slice(begin, begin + size)
        odd = int(table_number[number]) in table.waited
        figures.append((None if odd else jitter[part], delta[part], discarded[part]))
    return figures


class _Rounds:
    """The packets of several streams in rounds: in each the next piece of every stream that goes on.

    A piece is what a stream received in one step without being told anything in between.
    """

    def __init__(self, rows_of: Sequence[Rows], turns_of: Sequence[Sequence[Turn]], steps_of: Sequence[Ints]) -> None:
        sizes = np.array([len(rows) for rows in rows_of], np.int64)
        stream = np.repeat(np.arange(len(sizes)), sizes)
        step = np.concatenate(list(steps_of))
        first = np.cumsum(sizes) - sizes
        cut = np.ones(len(step), np.bool_)
        cut[1:] = (step[1:] != step[:-1]) | (stream[1:] != stream[:-1])
        for number, turns in enumerate(turns_of):
            for turn in turns:
                if turn.packets < sizes[number]:
                    cut[first[number] + turn.packets] = True
        piece = np.cumsum(cut) - 1
        round_of = piece - piece[first][stream]
        order = np.argsort(round_of, kind="stable")
        rows = np.concatenate(list(rows_of))[order]
        rows[:, [row.SRC_HI, row.DST_HI, row.DST_LO, row.PORTS]] = 0  # keys of our own, so that no two are alike
        rows[:, row.SRC_LO] = stream[order]
        rows[:, row.HASH] = stream[order] * _ODD_MULTIPLIER & 0xFFFFFFFF
        self.rows: Rows = rows
        ends = np.cumsum(np.bincount(round_of))
        self.edges = list(zip([0, *ends.tolist()], ends.tolist(), strict=False))
        """Where each round begins and ends in `rows`."""
        starts = np.flatnonzero(cut)
        starts = starts[np.argsort(round_of[starts], kind="stable")]
        self.streams, self.steps = stream[starts], step[starts]
        """Of the pieces, round by round."""
        self.pieces = [0, *np.cumsum(np.bincount(round_of[starts])).tolist()]
        """Where each round begins in them."""
        self.turns: dict[int, list[tuple[int, Turn]]] = defaultdict(list)
        """By round: what is told before it."""
        for number, turns in enumerate(turns_of):
            for turn in turns:
                if turn.packets < sizes[number]:
                    self.turns[int(round_of[first[number] + turn.packets])].append((number, turn))
