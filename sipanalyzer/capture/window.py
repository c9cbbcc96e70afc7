"""A capture's bytes in recycled buffers: what is left of a record at the end of one is carried into the next. Floor 2.

Comes in: a :class:`~sipanalyzer.capture.source.Source`. Goes out: :class:`Slot` after slot, filled as far as it will
go, so that how the bytes came in (short reads, pipes) shows nowhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sipanalyzer.capture.source import Source
from sipanalyzer.kernels.columns import WIDTH

__all__ = ["SLACK", "Slot", "Window"]

SLACK = 128 << 10
"""Room for a packet record beside its packet: headers and pcapng options."""
SMALLEST_RECORD = 16
"""Bytes of the smallest record there is (pcap; a pcapng simple packet): gives the number of rows in a slot."""


class Slot:
    """One buffer with the rows decoded from it; made once, filled many times.

    Parameters
    ----------
    block_bytes : int
        Bytes read at a time.
    max_record_bytes : int
        Largest packet; room for one that is carried over stands in front of the block.
    """

    __slots__ = ("data", "few_count", "in_order", "numbers", "row_count", "rows", "slack", "view")

    def __init__(self, block_bytes: int, max_record_bytes: int) -> None:
        self.slack = max_record_bytes + SLACK
        # memory that is never touched costs nothing, so the worst case may be allowed for
        self.data: npt.NDArray[np.uint8] = np.empty(self.slack + block_bytes, np.uint8)
        self.view = self.data.data
        self.rows: npt.NDArray[np.int64] = np.empty((self.data.size // SMALLEST_RECORD + 1, WIDTH), np.int64)
        self.numbers: npt.NDArray[np.int64] = np.empty(len(self.rows), np.int64)
        """Of the rows that are not RTP, which are few."""
        self.row_count = self.few_count = 0
        self.in_order = False
        """Whether the rows are known to stand in order of time."""


class Window:
    """The stretch of a capture that is in memory.

    Parameters
    ----------
    source : Source
        Read from where it stands.
    take : callable
        Gives a free slot; may be the one used before when that was handed on already.
    position : int
        Offset in the capture of the next byte of `source`.
    ahead : bytes
        Bytes already taken from `source`; they come first.
    """

    def __init__(self, source: Source, take: Callable[[], Slot], ahead: bytes = b"") -> None:
        self._source = source
        self._take = take
        self.slot = take()
        self.slot.row_count = self.slot.few_count = 0
        self.start = self.slot.slack - len(ahead)
        """Where in ``slot.data`` the bytes not yet used begin."""
        self.end = self.start + len(ahead)
        """Where in ``slot.data`` they end."""
        self.slot.data[self.start : self.end] = np.frombuffer(ahead, np.uint8)
        self._offset = -self.start
        self.ended = False
        """Whether the capture has no more bytes than these."""

    @property
    def offset(self) -> int:
        """Offset in the (decompressed) capture of the byte at `start`."""
        return self._offset + self.start

    def fill(self) -> None:
        """Read until the slot is full or the capture ends."""
        view = self.slot.view
        while not self.ended and self.end < len(view):
            count = self._source.readinto(view[self.end :])
            if count == 0:
                self.ended = True
            self.end += count

    def turn(self) -> None:
        """Go on in a free slot; what was not yet used goes with it."""
        before, start, left = self.slot.data, self.start, self.end - self.start
        self.slot = self._take()
        self.slot.row_count = self.slot.few_count = 0
        offset = self.offset
        self.start = max(0, self.slot.slack - left)
        self.end = self.start + left
        self.slot.data[self.start : self.end] = before[start : start + left]
        self._offset = offset - self.start

    def want(self, size: int) -> bool:
        """Whether `size` bytes stand at `start`; does what it can to get them, without a row being lost.

        Only to be called while the slot holds no rows that nobody has seen, and for sizes up to the slack.
        """
        if self.end - self.start < size and not self.ended:
            if self.start + size > self.slot.data.size:
                self._to_front()
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
            self._to_front()
            self.fill()

    def only_zeros(self) -> bool:
        """Whether nothing but zeros follows up to the capture's end; uses them up."""
        while True:
            if self.slot.data[self.start : self.end].any():
                return False
            self.start = self.end
            if self.ended:
                return True
            self._to_front()
            self.fill()

    def peek(self, size: int) -> bytes:
        """Up to `size` bytes at `start`."""
        return self.slot.data[self.start : min(self.end, self.start + size)].tobytes()

    def tail_of(self, size: int) -> bytes:
        """The last four of `size` bytes at `start`, all of which are in memory."""
        return self.slot.data[self.start + size - 4 : self.start + size].tobytes()

    def _to_front(self) -> None:
        left = self.end - self.start
        offset = self.offset
        self.slot.data[:left] = self.slot.data[self.start : self.end].copy()
        self.start, self.end = 0, left
        self._offset = offset
