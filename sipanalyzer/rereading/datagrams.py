"""Datagrams that an analysis makes nothing of (T.38 over UDPTL, BFCP), found by their sockets. Floor 6.

In: captures, sockets that SDP announced. Out: the places of UDP packets from or to them. Addresses and ports stand side
by side in a packet, so that bytes are searched, not headers decoded: that finds them in whatever tunnel they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from ..capture.chosen import read_matching
from ..capture.source import Input
from ..options import Options
from ..rtp.figures import Socket
from .segments import Place

__all__ = ["find_datagrams"]

_MAPPED = 0xFFFF
_WORD = (1 << 64) - 1
_UDP = 17

Belongs = Callable[[Socket, Socket, int], bool]
"""Told source, destination and time (ns) of a datagram."""


def find_datagrams(
    one: Input, number: int, sockets: Collection[Socket], belongs: Belongs, options: Options
) -> Iterator[Place]:
    """Places of the datagrams from or to some sockets.

    Parameters
    ----------
    one : Input
        The capture.
    number : int
        Goes into the places.
    sockets : collection of Socket
        Which.
    belongs : callable
        Has the last word.
    options : Options
        Of the analysis.
    """
    ports: dict[bytes, set[bytes]] = {}
    for high, low, port in sockets:
        ports.setdefault(_address(high, low), set()).add(port.to_bytes(2, "big"))
    patterns = [re.compile(_behind(address, each), re.DOTALL) for address, each in ports.items()]
    if not patterns:
        return
    time: int | None = None
    for record in read_matching(one, patterns, options):
        if record.ticks is not None:
            time = record.section.interfaces[record.which].time_ns(record.ticks)
        for pattern in patterns:
            for match in pattern.finditer(record.data):
                ends = _ends(record.data, match)
                if ends is not None and time is not None and belongs(*ends, time):
                    yield number, record.frame, time
                    break
            else:
                continue
            break


def _address(high: int, low: int) -> bytes:
    if high == 0 and low >> 32 == _MAPPED:
        return (low & 0xFFFFFFFF).to_bytes(4, "big")
    return (high & _WORD).to_bytes(8, "big") + (low & _WORD).to_bytes(8, "big")


def _behind(address: bytes, ports: Collection[bytes]) -> bytes:
    """An address with one of its ports behind it: as the source, with the destination between, or as that."""
    either = b"|".join(re.escape(port) for port in sorted(ports))
    between = b".{%d}" % len(address)
    return re.escape(address) + b"(?:(?P<src>" + between + b"(?:" + either + b"))|..(?:" + either + b"))"


def _ends(packet: bytes, match: re.Match[bytes]) -> tuple[Socket, Socket] | None:
    """Source and destination where the match stands in the header of a UDP packet."""
    text = match.group()
    size = 16 if len(text) in (20, 34) else 4
    begin = match.start() - (0 if match.group("src") is not None else size)  # of the source address
    head = begin - (12 if size == 4 else 8)
    if head < 0 or begin + 2 * size + 4 > len(packet):
        return None
    if size == 4:
        if packet[head] != 0x45 or packet[head + 9] != _UDP:
            return None
    elif packet[head] >> 4 != 6 or packet[head + 6] != _UDP:
        return None
    at = begin + 2 * size
    return (
        (*_words(packet[begin : begin + size]), int.from_bytes(packet[at : at + 2], "big")),
        (*_words(packet[begin + size : at]), int.from_bytes(packet[at + 2 : at + 4], "big")),
    )


def _words(address: bytes) -> tuple[int, int]:
    if len(address) == 4:
        return 0, _MAPPED << 32 | int.from_bytes(address, "big")
    return int.from_bytes(address[:8], "big", signed=True), int.from_bytes(address[8:], "big", signed=True)
