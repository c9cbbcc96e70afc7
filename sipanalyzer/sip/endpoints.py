"""Senders and receivers of messages as small integers. Floor 4.

Comes in: addresses in two halves and ports, as rows carry them. Goes out: indices into a list of endpoints.
"""

from __future__ import annotations

import ipaddress

from ..result import Endpoint

__all__ = ["Endpoints", "Socket"]

Socket = tuple[int, int, int]
"""Halves of the address and port, as in :mod:`sipanalyzer.kernels.columns`."""


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
