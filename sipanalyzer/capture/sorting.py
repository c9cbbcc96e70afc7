"""Rows of one capture put in order of time, within a window of so many rows. Floor 2.

Comes in: matrices of rows as they stand in the file. Goes out: matrices in order of time, the same rows whatever the
sizes of those that came in.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from sipanalyzer.kernels.columns import TIME, WIDTH

__all__ = ["Orderer", "Rows"]

Rows = npt.NDArray[np.int64]
_LOWEST = -(1 << 63)


class Orderer:
    """A priority queue of rows that holds so many and no more.

    Parameters
    ----------
    sort_records : int
        Rows held.
    sort_ns : int
        A row earlier than the latest one by more than this begins an epoch: all that is held goes first.

    Notes
    -----
    The exact rule, on which tests hold it to a slow twin: rows go into a queue ordered by (time, arrival). When it
    holds more than `sort_records`, the first of it goes out. At the beginning of an epoch, and at the end, all of it
    goes out. So a row that stands up to `sort_records` rows too late comes in its place, and in no other way does a row
    move.
    """

    def __init__(self, sort_records: int, sort_ns: int) -> None:
        self._capacity = max(0, sort_records)
        self._sort_ns = sort_ns
        self._held: Rows = np.empty((0, WIDTH), np.int64)  # in order of time, all of one epoch
        self._highest = _LOWEST

    def feed(self, rows: Rows, in_order: bool = False) -> list[Rows]:
        """Take rows in; returns what goes out, in order; parts of it may be views of `rows`.

        `in_order` says that they are known to be in order among themselves.
        """
        if not len(rows):
            return []
        times = rows[:, TIME]
        if times[0] >= self._highest and (in_order or (times[1:] >= times[:-1]).all()):
            self._highest = int(times[-1])
            return self._pass_on(rows)
        return self._sort(rows)

    def finish(self) -> list[Rows]:
        """The rest."""
        held, self._held = self._held, self._held[:0]
        self._highest = _LOWEST
        return [held] if len(held) else []

    def _pass_on(self, rows: Rows) -> list[Rows]:
        """Everything is in order: only the last rows are held back."""
        held = self._held
        ready = len(held) + len(rows) - self._capacity
        if ready <= 0:
            self._held = np.concatenate([held, rows])
            return []
        if ready < len(held):
            self._held = np.concatenate([held[ready:], rows])
            return [held[:ready]]
        cut = ready - len(held)
        self._held = rows[cut:].copy()  # the buffer behind rows is used again
        return [part for part in (held, rows[:cut]) if len(part)]

    def _sort(self, new: Rows) -> list[Rows]:
        already = len(self._held)
        rows = np.concatenate([self._held, new])
        times = rows[:, TIME].copy()
        starts = self._epochs(times, already)
        count = len(rows)
        # all at once: a stable sort within epochs is what the queue does, as long as no row comes too late for it
        lengths = np.diff([*starts, count])
        begins = np.repeat(starts, lengths)
        order = np.lexsort((times, begins))
        last = max(starts[-1], count - self._capacity)
        if (order[:last] > np.arange(last) + self._capacity).any():
            order = self._queue(times, starts)
        self._held = rows[order[last:]]
        return [rows[order[:last]]] if last else []

    def _epochs(self, times: npt.NDArray[np.int64], already: int) -> list[int]:
        """Where epochs begin; moves the highest time on. Gallops: a step costs no more than the rows up to it."""
        starts, at, stride, count = [0], already, 64, len(times)
        highest = self._highest
        while at < count:
            piece = times[at : at + stride]
            top = np.maximum(np.maximum.accumulate(piece), highest)
            stepped = np.flatnonzero((top - piece).view(np.uint64) > np.uint64(self._sort_ns))  # up to 2**63 apart
            if len(stepped):
                at += int(stepped[0])
                highest = int(times[at])
                if at > 0:
                    starts.append(at)
                at += 1
                stride = 64
            else:
                highest = int(top[-1])
                at += len(piece)
                stride *= 2
        self._highest = highest
        return starts

    def _queue(self, times: npt.NDArray[np.int64], starts: list[int]) -> npt.NDArray[np.int64]:
        """The rule itself, for rows that come later than the window reaches."""
        order: list[int] = []
        for begin, end in zip(starts, [*starts[1:], len(times)], strict=True):
            heap: list[tuple[int, int]] = []
            for index in range(begin, end):
                heapq.heappush(heap, (int(times[index]), index))
                if len(heap) > self._capacity:
                    order.append(heapq.heappop(heap)[1])
            order.extend(index for _, index in sorted(heap))
        return np.array(order, np.int64)
