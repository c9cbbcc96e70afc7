"""Blocks of decoded rows of one capture, read ahead by a worker thread where that pays. Floor 2.

Comes in: an :class:`~sipanalyzer.capture.source.Input`. Goes out: :class:`Block` after :class:`Block`, the same ones
whatever the size of the blocks and however the bytes came in. Slots are made once and go round between the thread that
reads and decodes and the one that works with the rows.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.formats import HEAD_BYTES, PcapHeader, recognise_format
from sipanalyzer.capture.pcap import read_pcap
from sipanalyzer.capture.pcapng import read_pcapng
from sipanalyzer.capture.source import Input, Source
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.capture.stopping import Stop
from sipanalyzer.capture.window import Slot, Window
from sipanalyzer.kernels import compiled, set_compiled, walkstate
from sipanalyzer.options import Options

__all__ = ["Block", "Opened", "SlotPool", "open_capture", "read_blocks", "read_first_time"]

SLOTS = 2
"""Slots that go round with a worker thread: one being filled, one being worked with. A third, between them, is one
more that has left the processor's cache when its turn comes."""
PEEK_BYTES = 4 << 10
"""Block in which a file's first packet is looked for."""
PATIENCE_S = 2.0
"""How long a worker that may hang in a pipe or a connection is waited for when nobody wants its blocks any more."""
_LOOK_S = 0.2
"""How often a wish to stop is looked for while the worker has nothing ready."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a stretch of one capture, in the file's order."""

    data: npt.NDArray[np.uint8]
    """The bytes that `AT` of the few rows counts in; valid until the next block is asked for."""
    rows: npt.NDArray[np.int64]
    """``int64[n, 16]`` (:mod:`sipanalyzer.kernels.columns`); valid as long as `data`."""
    capture: int
    """The input's number."""
    few: npt.NDArray[np.int64]
    """Numbers of the rows that are not RTP, ascending; valid for ever."""
    in_order: bool
    """Whether rows are known to stand in order of time; those of other blocks may do so, too."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A capture that is open and whose format is known."""

    source: Source
    head: bytes
    """Bytes already taken from `source`."""
    header: PcapHeader | None
    """None: pcapng."""
    stop: Stop | None = None
    """Once it is asked, nothing more is read."""


def open_capture(one: Input) -> Opened:
    """Open a capture and see what it is.

    Raises
    ------
    CaptureError
        If it cannot be opened, or is no capture.
    """
    source = one.open_()
    try:
        head = source.read(HEAD_BYTES)
        return Opened(source, head, recognise_format(source, head), one.stop)
    except BaseException:
        source.close()
        raise


class SlotPool:
    """Slots that were used and can be used again by the next file of the same analysis.

    Parameters
    ----------
    options : Options
        Of use here: block_bytes.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._free: list[Slot] = []

    def take(self, block_bytes: int | None = None) -> Slot:
        """A slot for blocks of `block_bytes` (default: as the options say)."""
        if block_bytes is None or block_bytes == self._options.block_bytes:
            return self._free.pop() if self._free else Slot(self._options.block_bytes)
        return Slot(block_bytes)

    def give(self, slot: Slot) -> None:
        """Take a slot back."""
        if slot.block_bytes == self._options.block_bytes and len(self._free) < 2 * SLOTS:
            self._free.append(slot)


class _Unwanted(Exception):
    """Nobody wants the worker's blocks any more."""


def read_blocks(
    opened: Opened,
    options: Options,
    stats: CaptureStats,
    pool: SlotPool | None = None,
    capture: int = 0,
    small: int | None = None,
) -> Generator[Block]:
    """Blocks of one opened capture; it is closed at the end, or when the iterator is.

    Parameters
    ----------
    opened : Opened
        The capture.
    options : Options
        Settings.
    stats : CaptureStats
        Moved on while reading; where the file breaks off stands in its `damage`.
    pool : SlotPool, optional
        Where buffers come from and go to.
    capture : int
        Goes into the blocks.
    small : int, optional
        Read blocks of this many bytes and without a thread, for one of very many files that are open together.

    Raises
    ------
    CaptureError
        If a pcapng file's first section header is not whole; before the first block.
    """
    if pool is None:
        pool = SlotPool(options)
    source, header = opened.source, opened.header
    try:
        stats.opened(source, header.format if header else "pcapng")
        if source.size is not None and source.size >= options.compile_bytes:
            set_compiled(True)

        block_bytes = options.block_bytes if small is None else small

        def slots(take: Callable[[], Slot]) -> Iterator[Slot]:
            window = Window(source, block_bytes, options.max_record_bytes, opened.head)
            order = _Order(stats)
            slot = take()
            slot.clear(0)
            reader = (
                read_pcap(window, header, options, stats, lambda: slot)
                if header
                else read_pcapng(window, options, stats, lambda: slot)
            )
            for _ in reader:
                if stats.packets >= options.compile_packets and not compiled():
                    set_compiled(True)
                if slot.full or window.bytes_read >= slot.until:
                    slot.in_order = order.kept()
                    yield slot
                    slot = take()
                    slot.clear(window.bytes_read)
            slot.in_order = order.kept()
            yield slot

        if small is not None or (source.size is not None and source.size <= options.block_bytes):
            one = pool.take(small)
            try:
                for slot in slots(lambda: one):
                    if slot.row_count:
                        yield _block(slot, capture)
            finally:
                pool.give(one)
        else:
            yield from _threaded(slots, pool, capture, source, opened.stop)
    finally:
        stats.closed(source)
        source.close()


class _Order:
    """Tells of each block whether the kernel saw all its packets in order of time: nobody need compare them again."""

    def __init__(self, stats: CaptureStats) -> None:
        self._stats = stats
        self._timed, self._disorder = False, 0

    def kept(self) -> bool:
        """Whether no packet since the last call was earlier than one before it.

        The kernel compares times from the first packet on that has one; before, this is not known.
        """
        disorder = int(self._stats.notes[[walkstate.NOTE_ORDER, walkstate.NOTE_STEP], 0].sum())
        timed, kept = self._timed, disorder == self._disorder
        self._timed, self._disorder = bool(self._stats.state[walkstate.TIMED]), disorder
        return timed and kept


def _block(slot: Slot, capture: int) -> Block:
    few = slot.numbers[: slot.few_count].copy()
    return Block(slot.data, slot.rows[: slot.row_count], capture, few, slot.in_order)


def _threaded(
    slots: Callable[[Callable[[], Slot]], Iterator[Slot]],
    pool: SlotPool,
    capture: int,
    source: Source,
    stop: Stop | None,
) -> Iterator[Block]:
    """Blocks that a worker thread reads ahead; its exceptions are raised here."""
    free: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()
    full: queue.SimpleQueue[Slot | BaseException | None] = queue.SimpleQueue()
    every = [pool.take() for _ in range(SLOTS)]
    for slot in every:
        free.put(slot)

    def take() -> Slot:
        slot = free.get()
        if slot is None:
            raise _Unwanted
        return slot

    def work() -> None:
        end: BaseException | None = None
        try:
            for slot in slots(take):
                full.put(slot)
        except _Unwanted:
            pass
        except BaseException as error:  # raised again in the thread that asks for blocks
            end = error
        full.put(end)

    worker = threading.Thread(target=work, name="sipanalyzer-reader", daemon=True)
    worker.start()
    try:
        while isinstance(item := _next(full, source, stop), Slot):
            if item.row_count:
                yield _block(item, capture)
            free.put(item)
        if item is not None:
            raise item
    finally:
        free.put(None)
        # a file is read on at once; a pipe may say nothing for hours: then the thread is left to die with us
        worker.join(None if source.size is not None and not source.interrupted else PATIENCE_S)
        if not worker.is_alive():
            for slot in every:
                pool.give(slot)


def _next(
    full: queue.SimpleQueue[Slot | BaseException | None], source: Source, stop: Stop | None
) -> Slot | BaseException | None:
    """What the worker has ready; None too where it hangs in a file that nobody wants to be read on."""
    while stop is not None:
        try:
            return full.get(timeout=_LOOK_S)
        except queue.Empty:
            if stop.overdue and source.asking:
                source.interrupt()
                return None
    return full.get()


def read_first_time(one: Input, options: Options) -> int | None:
    """Time of a capture's first packet (ns), without reading on; None where it has none.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    stats = CaptureStats(one.name)
    stats.state[walkstate.LIMIT] = 1
    for _ in read_blocks(open_capture(one), options, stats, small=PEEK_BYTES):
        pass
    return int(stats.state[walkstate.FIRST]) if stats.state[walkstate.TIMED] else None
