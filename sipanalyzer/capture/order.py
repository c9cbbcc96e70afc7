"""Several captures become one sequence of rows in order of time. Floor 2.

Comes in: inputs, and a function that makes a block's rows independent of its bytes. Goes out: matrices of rows with the
number of the capture each row is from. Files that do not overlap in time are read one after the other, so that a folder
of a thousand rotated files keeps no more of them open than a moment belongs to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.capture.block import Block, Opened, SlotPool, open_capture, read_blocks, read_first_time
from sipanalyzer.capture.sorting import Orderer, Rows
from sipanalyzer.capture.source import Input
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.capture.stopping import NOT_READ
from sipanalyzer.errors import CaptureError, ForeignFileError
from sipanalyzer.kernels import set_compiled
from sipanalyzer.kernels.columns import COUNTERS, TIME
from sipanalyzer.options import Options
from sipanalyzer.result import Capture

__all__ = ["Intake", "Reading", "merge"]

Intake = Callable[[Block], Rows]
"""Copies what it needs of a block's bytes and gives the rows that go on; they do not refer to the block any more."""

THREADED = 2
"""Captures open at a time that are read ahead by a thread of their own."""
SMALL_BLOCK = 128 << 10
"""Block of each further capture that is open at the same time."""
_LOWEST = -(1 << 63)


@dataclass(slots=True)
class Run:
    """One capture's rows on their way into the merge."""

    number: int
    bound: int
    """Its rows are taken to be no earlier than this."""
    open_: Callable[[int], Generator[Rows]]
    """Opens it; told how many others are open."""
    rows: Rows = field(default_factory=lambda: np.empty((0, 0), np.int64))
    keys: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Times of `rows`, never less than those before: where a clock was set back, rows stay behind what came first."""
    highest: int = _LOWEST
    source: Generator[Rows] | None = None

    def advance(self) -> bool:
        """Get the next rows; false at the end."""
        if self.source is None:
            return False
        for rows in self.source:
            if len(rows):
                self.rows = rows
                self.keys = np.maximum(np.maximum.accumulate(rows[:, TIME]), max(self.highest, self.bound))
                self.highest = int(self.keys[-1])
                return True
        self.source = None
        return False

    def take(self, count: int) -> Rows:
        """The first `count` rows, which are then gone."""
        taken = self.rows[:count]
        self.rows, self.keys = self.rows[count:], self.keys[count:]
        return taken


def merge(runs: Sequence[Run]) -> Iterator[tuple[Rows, int | npt.NDArray[np.int64]]]:
    """Rows of all runs by (time, number of the run), with the number or numbers of their runs.

    Parameters
    ----------
    runs : sequence of Run
        A run is opened only when its turn may have come.

    Yields
    ------
    rows : int64[n, 16]
        Valid until the next are asked for.
    numbers : int, or int64[n]
        The run, or each row's run.
    """
    waiting = sorted(runs, key=lambda run: (run.bound, run.number), reverse=True)
    active: list[Run] = []
    try:
        while waiting or active:
            if not active:
                _open(waiting.pop(), active)
                continue
            horizon = min(run.highest for run in active)
            if waiting and waiting[-1].bound <= horizon:
                _open(waiting.pop(), active)
                continue
            if len(active) == 1:
                run = active[0]
                yield run.take(len(run.rows)), run.number
            else:
                yield _merge_up_to(horizon, active)
            active = [run for run in active if len(run.rows) or run.advance()]
    finally:
        for run in active:
            if run.source is not None:
                run.source.close()


def _open(run: Run, active: list[Run]) -> None:
    run.source = run.open_(len(active))
    if run.advance():
        active.append(run)
        active.sort(key=lambda run: run.number)


def _merge_up_to(horizon: int, active: list[Run]) -> tuple[Rows, int | npt.NDArray[np.int64]]:
    """What of the rows at hand is sure to come first: all up to the time at which the first run's rows end.

    At that very time itself, runs behind the one that ends there must wait: it may go on with the same time.
    """
    taken: list[Rows] = []
    keys: list[npt.NDArray[np.int64]] = []
    numbers: list[int] = []
    ends = False
    for run in active:
        count = int(np.searchsorted(run.keys, horizon, side="left" if ends else "right"))
        ends = ends or run.highest == horizon
        if count:
            keys.append(run.keys[:count])
            taken.append(run.take(count))
            numbers.append(run.number)
    if len(taken) == 1:
        return taken[0], numbers[0]
    order = np.argsort(np.concatenate(keys), kind="stable")
    which = np.repeat(np.array(numbers, np.int64), [len(rows) for rows in taken])
    return np.concatenate(taken)[order], which[order]


class Reading:
    """All captures of one analysis, read in order of time.

    Iterating gives (rows, captures): ``int64[n, 16]``, valid until the next are asked for, and the capture's number, or
    ``int64[n]`` with each row's. Numbers are indices of :meth:`captures`.

    Parameters
    ----------
    inputs : sequence of Input
        What to read.
    options : Options
        Settings.
    intake : callable
        Called with each block as it comes from a file, in the file's order; gives the rows that go on.
    anomalies : list of Anomalies, optional
        Gets one counter a capture before its first block, the one that is in its `Capture` later.

    Raises
    ------
    CaptureError
        While iterating: no input could be read; the first one's.
    """

    def __init__(
        self, inputs: Sequence[Input], options: Options, intake: Intake, anomalies: list[Anomalies] | None = None
    ) -> None:
        self._inputs = list(inputs)
        self._options = options
        self._intake = intake
        self._anomalies = anomalies if anomalies is not None else []
        self._pool = SlotPool(options)
        self._stats: list[CaptureStats] = []
        self._frozen: list[Capture] | None = None
        self.unreadable: list[CaptureError] = []
        """What kept inputs from being read while others could be."""
        self.passed_over: list[str] = []
        """Files in folders that are no captures."""

    def __iter__(self) -> Iterator[tuple[Rows, int | npt.NDArray[np.int64]]]:
        if sum(one.size or 0 for one in self._inputs) >= self._options.compile_bytes:
            set_compiled(True)
        runs = self._runs()
        if not runs:
            raise self._nothing()
        if len(runs) == 1:
            for rows in runs[0].open_(0):
                yield rows, 0
        else:
            yield from merge(runs)

    @property
    def packets(self) -> int:
        """Packets read so far."""
        return sum(stats.packets for stats in self._stats)

    def progress(self) -> tuple[int, int]:
        """Bytes read of the files as they are stored, and how many there are in all (0: not known)."""
        sizes = [stats.size for stats in self._stats]
        total = sum(size for size in sizes if size is not None) if None not in sizes else 0
        return sum(stats.consumed for stats in self._stats), total

    def captures(self) -> list[Capture]:
        """What is to be said of each file that could be read; after the last row."""
        if self._frozen is None:
            self._frozen = [stats.freeze() for stats in self._stats]
        return self._frozen

    def counts(self) -> npt.NDArray[np.int64]:
        """Packets of each kind, over all files (`columns.COUNTERS`)."""
        total = np.zeros(COUNTERS, np.int64)
        for stats in self._stats:
            total += stats.counts
        return total

    def _runs(self) -> list[Run]:
        """One run for each input that can be read. Of several, each is opened for a moment to see where it begins."""
        runs: list[Run] = []
        alone = len(self._inputs) == 1
        for one in self._inputs:
            opened: Opened | None = None
            bound = _LOWEST
            if one.stop is not None and one.stop.asked:
                self.unreadable.append(CaptureError(one.name, NOT_READ))
                continue
            try:
                if alone or not one.reopenable:
                    opened = open_capture(one)
                else:
                    first = read_first_time(one, self._options)
                    if first is not None:
                        # up to so much earlier a row of the same epoch may be
                        bound = max(_LOWEST, first - self._options.sort_ns)
            except CaptureError as error:
                if one.passable and isinstance(error, ForeignFileError):
                    self.passed_over.append(one.name)
                else:
                    self.unreadable.append(error.with_traceback(None))  # whose frames would hold all this
                continue
            stats = CaptureStats(one.name)
            stats.size = one.size if opened is None else opened.source.size
            self._stats.append(stats)
            self._anomalies.append(stats.anomalies)
            number = len(runs)
            runs.append(Run(number, bound, self._opener(one, opened, stats, number)))
        return runs

    def _nothing(self) -> Exception:
        """Why nothing could be read."""
        if self.unreadable:
            return self.unreadable.pop(0)
        if not self.passed_over:
            return ValueError("no capture given")
        folder = next(one.folder or "" for one in self._inputs)
        files = len(self.passed_over)
        return CaptureError(
            folder,
            "a folder without captures",
            needed="files with a pcap or pcapng header",
            found=f"{files} other file{'' if files == 1 else 's'}",
        )

    def _opener(
        self, one: Input, opened: Opened | None, stats: CaptureStats, number: int
    ) -> Callable[[int], Generator[Rows]]:
        def open_(others: int) -> Generator[Rows]:
            small = None if others < THREADED else min(SMALL_BLOCK, self._options.block_bytes)
            orderer = Orderer(self._options.sort_records, self._options.sort_ns)
            if opened is None and one.stop is not None and one.stop.asked:
                stats.damage = NOT_READ
                return
            try:
                now = opened or open_capture(one)
                with contextlib.closing(read_blocks(now, self._options, stats, self._pool, number, small)) as blocks:
                    for block in blocks:
                        yield from orderer.feed(self._intake(self._within(block)), block.in_order)
            except CaptureError as error:
                if len(self._inputs) == 1:
                    raise
                stats.damage = str(error)  # its beginning could be read a moment ago
            yield from orderer.finish()

        return open_

    def _within(self, block: Block) -> Block:
        """The block with the rows between the options' times only."""
        since, until = self._options.from_time_ns, self._options.to_time_ns
        if since is None and until is None:
            return block
        times = block.rows[:, TIME]
        wanted = np.ones(len(times), np.bool_)
        if since is not None:
            wanted &= times >= since
        if until is not None:
            wanted &= times <= until
        if wanted.all():
            return block
        few = (np.cumsum(wanted) - 1)[block.few[wanted[block.few]]]
        return Block(block.data, block.rows[wanted], block.capture, few, block.in_order)
