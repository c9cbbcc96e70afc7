"""The sockets that SDP announced, as the kernels look them up. Floor 4."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..kernels import probation

__all__ = ["NOWHERE", "AnnouncedSockets"]

NOWHERE = np.full((2, 3), -1, np.int64)
"""A table of announced sockets without any."""


class AnnouncedSockets:
    """A hash table of sockets that grows."""

    def __init__(self) -> None:
        self.table: npt.NDArray[np.int64] = np.full((1024, 3), -1, np.int64)
        """int64[power of two, 3]: halves of the address and port, -1 where there is none."""
        self._count = 0

    def add(self, high: int, low: int, port: int) -> None:
        """Announce a socket, once."""
        if probation.is_announced(self.table, high, low, port):
            return
        if 2 * self._count >= len(self.table):
            old = self.table
            self.table = np.full((2 * len(old), 3), -1, np.int64)
            for each in old[old[:, 2] >= 0].tolist():
                self._put(*each)
        self._put(high, low, port)
        self._count += 1

    def _put(self, high: int, low: int, port: int) -> None:
        mask = len(self.table) - 1
        slot = probation.socket_hash(high, low, port) & mask
        while self.table[slot, 2] >= 0:
            slot = (slot + 1) & mask
        self.table[slot] = high, low, port
