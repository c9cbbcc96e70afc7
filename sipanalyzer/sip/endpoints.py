"""Senders and receivers of messages as small integers. Floor 4.

Comes in: addresses in two halves and ports, as rows carry them. Goes out: indices into a list of endpoints.
"""

from __future__ import annotations

import ipaddress

from ..result import Endpoint

__all__ = ["Endpoints"]


class Endpoints:
    """Numbers for address and port, counted up in order of first sight."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._pairs: dict[tuple[int, int, int, int, int], tuple[int, int]] = {}

    def pair(self, src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, ports: int) -> tuple[int, int]:
        """Numbers of sender and receiver; `ports` is source << 16 | destination."""
        key = (src_hi, src_lo, dst_hi, dst_lo, ports)
        pair = self._pairs.get(key)
        if pair is None:
            numbers = self._numbers
            src = numbers.setdefault((src_hi, src_lo, ports >> 16), len(numbers))
            pair = self._pairs[key] = src, numbers.setdefault((dst_hi, dst_lo, ports & 0xFFFF), len(numbers))
        return pair

    def listed(self) -> list[Endpoint]:
        """All endpoints in order of their numbers."""
        return [(_address(hi, lo), port) for hi, lo, port in self._numbers]


def _address(hi: int, lo: int) -> str:
    if hi == 0 and lo >> 32 == 0xFFFF:  # IPv4, RFC 4291 2.5.5.2
        return str(ipaddress.IPv4Address(lo & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address((hi & 0xFFFFFFFFFFFFFFFF) << 64 | lo & 0xFFFFFFFFFFFFFFFF))
