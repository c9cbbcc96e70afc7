"""Sockets that SDP announces go into the table that probation looks them up in. Floor 1."""

from __future__ import annotations

from typing import Any

from . import kernel
from .probation import socket_hash

__all__ = ["announce"]


@kernel
def announce(table: Any, sockets: Any) -> int:
    """Enter sockets that are not there yet; returns how many those were.

    Parameters
    ----------
    table : int64[power of two, 3]
        Halves of the address and port, open addressing, port -1 where empty; it must have room.
    sockets : int64[n, 3]
        The same; a port of -1 is passed over, so that one table can be entered into another.
    """
    mask = table.shape[0] - 1
    added = 0
    for i in range(sockets.shape[0]):
        high = int(sockets[i, 0])
        low = int(sockets[i, 1])
        port = int(sockets[i, 2])
        if port < 0:
            continue
        slot = socket_hash(high, low, port) & mask
        while int(table[slot, 2]) >= 0 and not (
            int(table[slot, 2]) == port and int(table[slot, 1]) == low and int(table[slot, 0]) == high
        ):
            slot = (slot + 1) & mask
        if int(table[slot, 2]) < 0:
            table[slot, 0] = high
            table[slot, 1] = low
            table[slot, 2] = port
            added += 1
    return added
