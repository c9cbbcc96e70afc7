"""Senders and receivers of messages as small integers. Floor 4.

Comes in: addresses in two halves and ports, as rows carry them. Goes out: indices into a list of endpoints.
"""

from __future__ import annotations

import ipaddress

import numpy as np

from ..result import Endpoint, Ints

__all__ = ["Endpoints", "Socket"]

Socket = tuple[int, int, int]
"""Halves of the address and port, as in :mod:`sipanalyzer.kernels.columns`."""


_MIX = np.array([0x1E35A7BD1E35A7BD, 0x27D4EB2F165667C5, 0x5851F42D4C957F2D, 0x14057B7EF767814F, 0x2545F4914F6CDD1D])
"""Odd factors: a sum of products, wrapping, that few different keys have in common."""


_FEW = 100
"""Messages whose endpoints are looked up one by one, which a block of RTP with its calls rarely has more of."""


class Endpoints:
    """Numbers for address and port, counted up in order of first sight."""

    def __init__(self) -> None:
        self._numbers: dict[Socket, int] = {}
        self.sockets: list[Socket] = []
        """What stands behind each number."""
        self._pairs: dict[tuple[int, int, int, int, int], tuple[int, int]] = {}

    def pair(self, src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, ports: int) -> tuple[int, int]:
        """Numbers of sender and receiver; `ports` is source << 16 | destination."""
        key = (src_hi, src_lo, dst_hi, dst_lo, ports)
        pair = self._pairs.get(key)
        if pair is None:
            src = self._number((src_hi, src_lo, ports >> 16))
            pair = self._pairs[key] = src, self._number((dst_hi, dst_lo, ports & 0xFFFF))
        return pair

    def pairs(self, keys: Ints) -> tuple[Ints, Ints]:
        """Numbers of senders and receivers of many messages.

        Parameters
        ----------
        keys : int64[n, 5]
            Of each what :meth:`pair` takes.
        """
        if len(keys) <= _FEW:
            numbers = np.array([self.pair(*key) for key in keys.tolist()], np.int64).reshape(-1, 2)
            return numbers[:, 0], numbers[:, 1]
        keys = np.ascontiguousarray(keys)
        _, first, which = np.unique(keys @ _MIX, return_index=True, return_inverse=True)
        if (keys[first[which]] != keys).any():  # two of one hash: each by itself
            first = which = np.arange(len(keys))
        numbers = np.empty((len(first), 2), np.int64)
        for k in np.argsort(first).tolist():  # in order of first sight
            numbers[k] = self.pair(*keys[first[k]].tolist())
        return numbers[which, 0], numbers[which, 1]

    def _number(self, socket: Socket) -> int:
        number = self._numbers.setdefault(socket, len(self.sockets))
        if number == len(self.sockets):
            self.sockets.append(socket)
        return number

    def listed(self) -> list[Endpoint]:
        """All endpoints in order of their numbers."""
        return [(_address(hi, lo), port) for hi, lo, port in self.sockets]


def _address(hi: int, lo: int) -> str:
    if hi == 0 and lo >> 32 == 0xFFFF:  # IPv4, RFC 4291 2.5.5.2
        return str(ipaddress.IPv4Address(lo & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address((hi & 0xFFFFFFFFFFFFFFFF) << 64 | lo & 0xFFFFFFFFFFFFFFFF))
