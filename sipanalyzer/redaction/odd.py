"""Link layers that only few captures have: where the packet inside stands, in place. Floor 3.

In: a packet of a link type that :mod:`sipanalyzer.network.encapsulation` takes off. Out: where the inner packet stands
and what it begins with; what stands before it and may be personal is replaced. What cannot be found is wiped.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ParseError
from ..network.encapsulation import unwrap
from .media import wipe

__all__ = ["find_inner"]

_ETHERNET, _RAW_IP, _IEEE_802_11, _PPI, _RADIOTAP, _EXPORTED = 1, 101, 105, 192, 127, 252
_PRISM = (119, 163)
_WIRED = {6: (2, 8), 10: (1, 7)}
"""Token Ring and FDDI: where two hardware addresses stand."""
_ADDRESSES = {20: 4, 21: 4, 22: 16, 23: 16}
_KEPT = frozenset((12, 13, 14, *range(24, 34)))
"""Tags of exported PDUs that stay: names of protocols, ports and numbers (exported_pdu_tlvs.h)."""

Replace = Callable[[bytearray, int, int], None]


def find_inner(
    data: bytearray, link: int, hardware: Replace, address: Replace, message: Replace
) -> tuple[int, int, int, int | None] | None:
    """Find the packet inside an odd link layer.

    Parameters
    ----------
    data : bytearray
        The packet; changed in place.
    link : int
        Its link type.
    hardware, address, message : callable
        Replace a hardware address, an IP address (both by begin and end), a payload.

    Returns
    -------
    tuple or None
        Where it begins and ends, its link type, and its layer where the link type does not say it; None where nothing
        is left to be done.
    """
    whole = bytes(data)
    try:
        inner = unwrap(whole, link)
    except ParseError:
        inner = None
    if inner is None:
        wipe(data, min(4, len(data)), len(data))
        return None
    packet, kind = inner
    if link == _EXPORTED:
        return _exported(data, address, message)
    head = 14 if kind == _ETHERNET else 0
    at = whole.rfind(packet[head:])
    if at < 0 or len(packet) <= head:
        wipe(data, min(4, len(data)), len(data))
        return None
    end = at + len(packet) - head
    wipe(data, end, len(data))
    if kind != _ETHERNET:
        return at, end, kind, None
    for place in _WIRED.get(link, ()):
        hardware(data, place, place + 6)
    if link not in _WIRED:
        _radio(data, link, at, hardware)
    return at, end, kind, int.from_bytes(packet[12:14], "big")


def _radio(data: bytearray, link: int, end: int, hardware: Replace) -> None:
    """Addresses of an IEEE 802.11 header, whatever stands before it."""
    at = 0
    while link != _IEEE_802_11:
        if link == _PPI:
            link, size = (
                int.from_bytes(data[at + 4 : at + 8], "little"),
                int.from_bytes(data[at + 2 : at + 4], "little"),
            )
        elif link in _PRISM:
            orders = [int.from_bytes(data[at + 4 : at + 8], "big"), int.from_bytes(data[at + 4 : at + 8], "little")]
            link, size = _IEEE_802_11, orders[0] if data[at : at + 3] == b"\x80\x21\x10" else min(orders)
        else:
            link, size = _IEEE_802_11, int.from_bytes(data[at + 2 : at + 4], "little")
        at += size
        if size < 8 or at + 32 > len(data):
            return
    four = data[at + 1] & 3 == 3
    for place in (4, 10, 16, 24)[: 4 if four else 3]:
        hardware(data, at + place, at + place + 6)
    if data[at] & 0x80 and data[at + (30 if four else 24)] & 0x80:  # aggregated: two more
        for place in (end - 22, end - 16):
            hardware(data, place, place + 6)


def _exported(data: bytearray, address: Replace, message: Replace) -> tuple[int, int, int, int | None] | None:
    at, name = 0, b""
    while True:
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
        if kind == 0:
            break
        if _ADDRESSES.get(kind) == size:
            address(data, at, size)
        elif kind not in _KEPT:
            wipe(data, at, at + size)
        elif kind == 12:
            name = bytes(data[at : at + size]).rstrip(b"\0")
        at += size
    if name in (b"ip", b"ipv6"):
        return at, len(data), _RAW_IP, None
    message(data, at, len(data))
    return None
