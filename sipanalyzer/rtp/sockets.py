"""The sockets that SDP announced, as the kernels look them up. Floor 4."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..kernels import announcing as kernel
from .figures import Socket

__all__ = ["NOWHERE", "AnnouncedSockets"]

NOWHERE = np.full((2, 3), -1, np.int64)
"""A table of announced sockets without any."""


class AnnouncedSockets:
    """A hash table of sockets that grows. What is added waits until somebody looks, and is entered in one go."""

    def __init__(self) -> None:
        self._table: npt.NDArray[np.int64] = np.full((1024, 3), -1, np.int64)
        self._count = 0
        self._waiting: list[Socket] = []

    def add(self, high: int, low: int, port: int) -> None:
        """Announce a socket, once."""
        self._waiting.append((high, low, port))

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """int64[power of two, 3]: halves of the address and port, -1 where there is none."""
        if self._waiting:
            self._enter()
        return self._table

    def _enter(self) -> None:
        size = len(self._table)
        while 2 * (self._count + len(self._waiting)) > size:
            size *= 2
        if size > len(self._table):
            old, self._table = self._table, np.full((size, 3), -1, np.int64)
            kernel.announce(self._table, old)
        self._count += kernel.announce(self._table, np.array(self._waiting, np.int64))
        self._waiting.clear()
