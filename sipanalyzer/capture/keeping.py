"""Bytes of packets that wait for their turn in order of time. Floor 2.

Comes in: a block and where in it the bytes of some rows stand. Goes out: those bytes, once the rows have been put in
order, next to each other in one array. They are copied in one piece for each block and forgotten in one piece, when
the last of the block's rows was taken: that costs a packet next to nothing, where an entry of a dictionary cost it a
microsecond.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["KeptBytes"]

Ints = npt.NDArray[np.int64]


class KeptBytes:
    """What was kept and not taken yet; each stretch of bytes has a key, an integer."""

    def __init__(self) -> None:
        self._parts: list[bytearray] = []
        self._bases: list[int] = []
        """Key of each part's first byte, ascending."""
        self._waiting: list[int] = []
        """How many stretches of each part were not taken yet."""
        self._next = 0

    def __len__(self) -> int:
        return sum(self._waiting)

    def keep(self, data: npt.NDArray[np.uint8], at: Ints, length: Ints) -> Ints:
        """Keep some stretches of `data`; their keys.

        Parameters
        ----------
        data : uint8[:]
            A block; contiguous.
        at, length : int64[n]
            Where each begins, and its bytes.
        """
        if not len(at):
            return np.empty(0, np.int64)
        view = memoryview(data)  # type: ignore[arg-type]
        part = bytearray().join([view[i : i + n] for i, n in zip(at.tolist(), length.tolist(), strict=True)])
        part.append(0)  # so that a stretch of no bytes is in this part, and an array of it is never empty
        keys: Ints = self._next + np.cumsum(length) - length
        self._parts.append(part)
        self._bases.append(self._next)
        self._waiting.append(len(at))
        self._next += len(part)
        return keys

    def take(self, keys: Ints, length: Ints) -> tuple[bytearray, Ints]:
        """Give some stretches up: bytes, and where in them each begins.

        Parameters
        ----------
        keys, length : int64[n]
            As :meth:`keep` gave and got them; each may be taken once. At least one.

        Returns
        -------
        bytearray
            Not to be changed.
        int64[n]
        """
        which = np.searchsorted(np.array(self._bases, np.int64), keys, side="right") - 1
        first = int(which[0])
        if (which == first).all():
            data, at = self._parts[first], keys - self._bases[first]
        else:
            pieces = zip(which.tolist(), keys.tolist(), length.tolist(), strict=True)
            parts, bases = [memoryview(part) for part in self._parts], self._bases
            data = bytearray().join([parts[w][key - bases[w] : key - bases[w] + n] for w, key, n in pieces])
            data.append(0)
            at = np.cumsum(length) - length
        for part, count in enumerate(np.bincount(which, minlength=len(self._parts)).tolist()):
            self._waiting[part] -= count
        if 0 in self._waiting:
            left = [part for part, waiting in enumerate(self._waiting) if waiting]
            for name in ("_parts", "_bases", "_waiting"):
                setattr(self, name, [getattr(self, name)[part] for part in left])
        return data, at
