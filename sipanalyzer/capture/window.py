"""A capture's bytes, stretch by stretch in one buffer, and slots for the rows that are decoded from them. Floor 2.

Comes in: a :class:`~sipanalyzer.capture.source.Source`. Goes out: a window that is filled as far as it will go, so that
how the bytes came in (short reads, pipes) shows nowhere; what is left of a record at its end is carried along. The
window is small enough to stay in the core's cache from the reading to the decoding. Of most packets the row is all that
is wanted; bytes of the few others are kept in the slot.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.source import Source
from sipanalyzer.kernels.columns import AT, LENGTH, WIDTH
from sipanalyzer.kernels.walkstate import DESCRIPTOR, END, FEW, FEW_KEPT, KEPT, POSITION, READ, ROWS, TO_READ

__all__ = ["SLACK", "Slot", "Window"]

SLACK = 128 << 10
"""Room for a packet record beside its packet: headers and pcapng options."""
STRETCH_BYTES = 512 << 10
"""Bytes read at a time where the kernel reads: they are in the core's cache still when they are walked."""
LONG_STRETCH_BYTES = 8 << 20
"""Bytes read at a time where Python reads: two threads that ask for its lock more often wait for it more than work."""
FEWEST_ROWS = 1024
_PLACES = [ROWS, FEW, FEW_KEPT, KEPT, END, DESCRIPTOR, TO_READ, READ]
_RESULTS = [POSITION, ROWS, FEW, FEW_KEPT, KEPT, END, READ]


class Slot:
    """Rows decoded from a block of a capture, and the bytes of those that are not RTP; made once, filled many times.

    Parameters
    ----------
    block_bytes : int
        Rows take no more memory than this, and the bytes are expected not to.
    """

    __slots__ = ("block_bytes", "data", "few_count", "in_order", "kept", "numbers", "row_count", "rows", "until")

    def __init__(self, block_bytes: int) -> None:
        self.block_bytes = block_bytes
        # memory that is never touched costs nothing, so the worst case may be allowed for
        self.rows: npt.NDArray[np.int64] = np.empty((max(FEWEST_ROWS, block_bytes // (8 * WIDTH)), WIDTH), np.int64)
        self.numbers: npt.NDArray[np.int64] = np.empty(len(self.rows), np.int64)
        """Of the rows that are not RTP, which are few."""
        self.data: npt.NDArray[np.uint8] = np.empty(block_bytes, np.uint8)
        """Bytes of the few; `AT` of their rows counts in it."""
        self.clear(0)

    def clear(self, offset: int) -> None:
        """Make room for a new block, which begins at this offset in the capture."""
        self.until = offset + self.block_bytes
        """Offset at which it is complete."""
        self.row_count = self.few_count = self.kept = 0
        self.in_order = False
        """Whether the rows are known to stand in order of time."""

    @property
    def full(self) -> bool:
        """Whether there is no room for another row."""
        return self.row_count == len(self.rows)

    def keep(self, data: npt.NDArray[np.uint8], begin: int) -> None:
        """Keep the bytes of the few from number `begin` of them on, for which the kernel had no room.

        Until now their `AT` counts in `data`.
        """
        few = self.numbers[begin : self.few_count]
        places, lengths, at = self.rows[few, AT], self.rows[few, LENGTH], self.kept
        self.rows[few, AT] = at + np.cumsum(lengths) - lengths
        stretches = [data[begin : begin + n] for begin, n in zip(places.tolist(), lengths.tolist(), strict=True)]
        self.kept += int(lengths.sum())
        self.data = np.concatenate([self.data[:at], *stretches, np.empty(self.kept, np.uint8)])


class Window:
    """The stretch of a capture that is in memory.

    Parameters
    ----------
    source : Source
        Read from where it stands.
    block_bytes : int
        No more than these are read at a time.
    max_record_bytes : int
        Largest packet; room for one that is carried over stands in front of the stretch.
    ahead : bytes
        Bytes already taken from `source`; they come first.
    """

    def __init__(self, source: Source, block_bytes: int, max_record_bytes: int, ahead: bytes = b"") -> None:
        self._source = source
        self.slack = max_record_bytes + SLACK
        """Where in `data` a stretch begins; what was left of the one before stands in front of it."""
        stretch = min(block_bytes, STRETCH_BYTES if source.descriptor >= 0 else LONG_STRETCH_BYTES)
        self.data: npt.NDArray[np.uint8] = np.empty(self.slack + stretch, np.uint8)
        self._view = self.data.data
        self.start = self.slack - len(ahead)
        """Where in `data` the bytes not yet used begin."""
        self.end = self.start + len(ahead)
        """Where in `data` they end."""
        self.data[self.start : self.end] = np.frombuffer(ahead, np.uint8)
        self._offset = -self.start
        self.ended = False
        """Whether the capture has no more bytes than these."""

    @property
    def offset(self) -> int:
        """Offset in the (decompressed) capture of the byte at `start`."""
        return self._offset + self.start

    @property
    def bytes_read(self) -> int:
        """Offset in the capture of the first byte not yet read."""
        return self._offset + self.end

    def fill(self) -> None:
        """Read until the buffer is full or the capture ends."""
        view = self._view
        while not self.ended and self.end < len(view):
            count = self._source.readinto(view[self.end :])
            if count == 0:
                self.ended = True
            self.end += count

    def ready(self, slot: Slot, state: npt.NDArray[np.int64]) -> None:
        """Tell a kernel through its state where the bytes end, where rows go, and how far it may read on by itself."""
        descriptor = self._source.descriptor
        state[_PLACES] = (
            slot.row_count, slot.few_count, slot.few_count, slot.kept, self.end,
            descriptor, 0 if descriptor < 0 else slot.until - self.bytes_read, 0,
        )  # fmt: skip

    def walked(self, slot: Slot, state: npt.NDArray[np.int64]) -> None:
        """Take over what a kernel did, as its state says, and keep in the slot what must be kept."""
        self.start, rows, few, few_kept, slot.kept, end, read = state[_RESULTS].tolist()
        if read:
            self._source.was_read(read)
        self._offset += self.end + read - end
        self.end = end
        slot.row_count, slot.few_count = rows, few
        if few > few_kept:
            slot.keep(self.data, few_kept)

    def turn(self) -> None:
        """Make room for another stretch; what was not yet used stays."""
        left = self.end - self.start
        self._move(max(0, self.slack - left))

    def want(self, size: int) -> bool:
        """Whether `size` bytes stand at `start`; does what it can to get them, up to the largest record."""
        if self.end - self.start < size and not self.ended:
            if self.start + size > self.data.size:
                self._move(0)
            self.fill()
        return self.end - self.start >= size

    def skip(self, size: int) -> bool:
        """Pass over `size` bytes; false where the capture ends before."""
        while True:
            step = min(size, self.end - self.start)
            self.start += step
            size -= step
            if size == 0:
                return True
            if self.ended:
                return False
            self._move(0)
            self.fill()

    def only_zeros(self) -> bool:
        """Whether nothing but zeros follows up to the capture's end; uses them up."""
        while True:
            if self.data[self.start : self.end].any():
                return False
            self.start = self.end
            if self.ended:
                return True
            self._move(0)
            self.fill()

    def peek(self, size: int) -> bytes:
        """Up to `size` bytes at `start`."""
        return self.data[self.start : min(self.end, self.start + size)].tobytes()

    def tail_of(self, size: int) -> bytes:
        """The last four of `size` bytes at `start`, all of which are in memory."""
        return self.data[self.start + size - 4 : self.start + size].tobytes()

    def _move(self, to: int) -> None:
        """Let the bytes not yet used begin at `to`."""
        offset, left = self.offset, self.end - self.start
        self.data[to : to + left] = self.data[self.start : self.end]  # numpy minds the overlap
        self.start, self.end = to, to + left
        self._offset = offset - to
