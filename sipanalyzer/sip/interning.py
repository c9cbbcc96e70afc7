"""Equal byte strings become equal small integers. Floor 4.

Comes in: spans of an array of bytes that only grows. Goes out: numbers, counted up in order of first sight, so they do
not depend on how the messages were divided into batches or on whether kernels run compiled. Exact: bytes are compared.
"""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from ..kernels import compiled
from ..kernels import interning as kernel
from ..kernels.joining import join_lines
from .text import decode_text

__all__ = ["Interner"]

Ints = npt.NDArray[np.int64]

_LINES = 16_384
"""Texts that are decoded together: bounds the scratch memory."""


class Interner:
    """One space of numbers; keeps where each string first stood, not the string.

    Compiled, an open-addressed table is searched by a kernel; interpreted, a dict of Python's own hashes is much
    faster than a loop over bytes. Either is brought up to date when it is used after the other. Both hashes are seeded,
    so no capture can be prepared to make them slow.
    """

    def __init__(self) -> None:
        self._first: Ints = np.empty((16, 3), np.int64)
        self._count: Ints = np.zeros(1, np.int64)
        self._size = 0
        self._slots = np.full(32, -1, np.int32)
        self._in_slots = 0
        self._by_hash: dict[int, int] = {}
        self._in_dict = 0
        self._seed = int.from_bytes(os.urandom(4), "little")

    def __len__(self) -> int:
        return self._size

    def intern(self, view: npt.NDArray[np.uint8], spans: Ints, which: int) -> npt.NDArray[np.int32]:
        """Numbers of one span of each message; -1 where it is empty.

        Parameters
        ----------
        view : uint8[:]
            All bytes so far; what was interned before stands where it stood.
        spans : int64[n, k, 2]
            Begin and end.
        which : int
            Second index into `spans`.
        """
        return self._by_kernel(view, spans, which) if compiled() else self._by_dict(view, spans, which)

    def text(self, data: bytearray, number: int) -> str:
        """The string behind a number, decoded as :func:`sipanalyzer.sip.text.decode_text` says."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return decode_text(bytes(data[int(self._first[number, 0]) : int(self._first[number, 1])]))

    def number(self, data: bytearray, wanted: bytes) -> int:
        """The number of a string; -1 where it has none. Looks through all of them."""
        for number in range(len(self)):
            if data[int(self._first[number, 0]) : int(self._first[number, 1])] == wanted:
                return number
        return -1

    def spelled(self, data: bytearray) -> list[bytes]:
        """All strings as they stood, in order of their numbers."""
        with memoryview(data) as view:
            return [view[begin:end].tobytes() for begin, end in self._first[: self._size, :2].tolist()]

    def texts(self, data: bytearray) -> list[str]:
        """All strings in order of their numbers."""
        if not compiled():
            with memoryview(data) as view:
                return [decode_text(view[begin:end].tobytes()) for begin, end in self._first[: self._size, :2].tolist()]
        texts: list[str] = []
        bytes_of = np.frombuffer(data, np.uint8)
        for begin in range(0, self._size, _LINES):  # most are plain, and decoded together
            end = min(self._size, begin + _LINES)
            odd = np.empty(end - begin, np.int64)
            lengths = self._first[begin:end, 1] - self._first[begin:end, 0]
            lines = np.empty(int(lengths.sum()) + len(lengths), np.uint8)
            size, odds = join_lines(bytes_of, self._first, begin, end, lines, odd)
            some = lines[: size - 1].tobytes().decode("ascii").split("\n")
            for number in odd[:odds].tolist():
                some[number - begin] = self.text(data, number)
            texts += some
        return texts

    def _by_kernel(self, view: npt.NDArray[np.uint8], spans: Ints, which: int) -> npt.NDArray[np.int32]:
        n = len(spans)
        ids = np.empty(n, np.int32)
        if self._in_slots < self._size:
            self._enter(view)
        done = 0
        while True:
            done = kernel.intern_spans(
                view, spans, which, done, n, self._seed, self._slots, self._first, self._count, ids
            )
            self._size = self._in_slots = int(self._count[0])
            if done == n:
                return ids
            self._grow_first()
            if self._size * 3 > (len(self._slots) - 1) * 2:
                self._enter(view)

    def _enter(self, view: npt.NDArray[np.uint8]) -> None:
        """Bring the table up to date, in a larger one where it is more than a third full."""
        size = len(self._slots)
        if self._size * 3 > size - 1:
            while self._size * 3 > size - 1:
                size *= 2
            self._slots = np.full(size, -1, np.int32)
            self._in_slots = 0
        kernel.enter_slots(view, self._seed, self._slots, self._first, self._in_slots, self._size)
        self._in_slots = self._size

    def _grow_first(self) -> None:
        count = self._size
        if count == len(self._first):
            larger = np.empty((count + count // 2, 3), np.int64)
            larger[:count] = self._first
            self._first = larger

    def _by_dict(self, view: npt.NDArray[np.uint8], spans: Ints, which: int) -> npt.NDArray[np.int32]:
        ids = []
        data = memoryview(view)  # type: ignore[arg-type]
        for number in range(self._in_dict, self._size):
            self._find(data, int(self._first[number, 0]), int(self._first[number, 1]), number)
        for begin, end in spans[:, which].tolist():
            if end <= begin:
                ids.append(-1)
                continue
            count = self._size
            number = self._find(data, begin, end, count)
            if number == count:
                self._grow_first()
                self._first[count] = begin, end, -1
                self._size = count + 1
            ids.append(number)
        self._in_dict = self._count[0] = self._size
        return np.array(ids, np.int32)

    def _find(self, view: memoryview, begin: int, end: int, new: int) -> int:
        """Number of these bytes; they are entered as `new` where they are not known."""
        wanted = view[begin:end].tobytes()
        key = hash(wanted)
        while (number := self._by_hash.setdefault(key, new)) != new:
            if view[int(self._first[number, 0]) : int(self._first[number, 1])] == wanted:
                return number
            key += 1
        return new
