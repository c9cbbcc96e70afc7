"""Addresses between the engine room's two integers and text, and endpoints as small integers. Floor 3.

Comes in: halves of addresses as rows hold them (:mod:`sipanalyzer.kernels.columns`). Goes out: text, and numbers to
group by. An IPv4 address stands as ``::ffff:a.b.c.d`` (RFC 4291 2.5.5.2) and is shown as a dotted quad; an IPv6 packet
with such an address is shown alike, which nobody sends.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

__all__ = ["Endpoints", "address_text", "address_words"]

_MAPPED = 0xFFFF
_WORD = (1 << 64) - 1


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


@lru_cache(maxsize=65_536)
def address_text(hi: int, lo: int) -> str:
    """Text of an address.

    Parameters
    ----------
    hi, lo : int
        Its halves as a row has them, signed or unsigned 64 bits.

    Returns
    -------
    str
        A dotted quad for IPv4, else the form of RFC 5952.

    Examples
    --------
    >>> address_text(0, 0xFFFF0A264711)
    '10.38.71.17'
    """
    hi, lo = int(hi) & _WORD, int(lo) & _WORD
    if hi == 0 and lo >> 32 == _MAPPED:
        return str(ipaddress.IPv4Address(lo & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(hi << 64 | lo))


@lru_cache(maxsize=65_536)
def address_words(text: str) -> tuple[int, int]:
    """The halves of an address as a row has them.

    Parameters
    ----------
    text : str
        IPv4 or IPv6, the latter with or without brackets and zone (``[fe80::1%eth0]``); the zone is left out.

    Returns
    -------
    tuple of int
        High and low half, signed 64 bits each.

    Raises
    ------
    ValueError
        If it is no address (a host name, say).
    """
    address = ipaddress.ip_address(text.removeprefix("[").removesuffix("]").partition("%")[0])
    if address.version == 4:
        return 0, _MAPPED << 32 | int(address)
    return _signed(int(address) >> 64), _signed(int(address) & _WORD)


class Endpoints:
    """Endpoints, an address with a port each, as small integers in order of first appearance.

    Examples
    --------
    >>> endpoints = Endpoints()
    >>> endpoints.intern(0, 0xFFFF0A000001, 5060), endpoints.intern(0, 0xFFFF0A000002, 5060)
    (0, 1)
    >>> endpoints.intern(0, 0xFFFF0A000001, 5060)
    0
    >>> endpoints.texts()
    [('10.0.0.1', 5060), ('10.0.0.2', 5060)]
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int, int], int] = {}

    def intern(self, hi: int, lo: int, port: int) -> int:
        """Number of the endpoint with this address (halves as in a row) and port; a new one where it is new."""
        return self._numbers.setdefault((hi, lo, port), len(self._numbers))

    def find(self, hi: int, lo: int, port: int) -> int | None:
        """Number of the endpoint, or None where it has none."""
        return self._numbers.get((hi, lo, port))

    def texts(self) -> list[tuple[str, int]]:
        """Address and port of each, by number."""
        return [(address_text(hi, lo), port) for hi, lo, port in self._numbers]

    def __len__(self) -> int:
        return len(self._numbers)
