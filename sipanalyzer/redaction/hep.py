"""Homer's encapsulation (HEP), in place: what a capture agent saw is replaced like what was captured. Floor 3.

In: the payload of a HEP datagram. Out: the same chunks with other addresses, identifiers and payload. Chunks that
nobody knows, keys and compressed payload are wiped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernels import columns as row
from .layout import payload_kind
from .media import wipe

if TYPE_CHECKING:
    from .packets import Packets

__all__ = ["redact_hep"]

_KEPT = frozenset((1, 2, 7, 8, 9, 10, 11, 12, 13, 18))
_ADDRESSES = {3: 4, 4: 4, 5: 16, 6: 16}
_PAYLOAD, _CORRELATION = 15, frozenset((17, 19))


def redact_hep(packets: Packets, data: bytearray, at: int, end: int) -> None:
    """Replace what is personal in a HEP datagram of any version."""
    if data[at : at + 4] == b"HEP3":
        _chunks(packets, data, at, end)
    else:
        _structures(packets, data, at, end)


def _inside(packets: Packets, data: bytearray, at: int, end: int, wire: int) -> None:
    if payload_kind(data, at, end, wire) == row.HEP:
        wipe(data, at, end)
    else:
        packets.payload(data, at, end, wire)


def _chunks(packets: Packets, data: bytearray, at: int, end: int) -> None:
    place = at + 6
    while place + 6 <= end:
        vendor, kind, size = (int.from_bytes(data[place + i : place + i + 2], "big") for i in (0, 2, 4))
        if size < 6:
            break
        begin, stop = place + 6, min(place + size, end)
        if vendor == 0 and _ADDRESSES.get(kind) == stop - begin:
            packets.address(data, begin, stop - begin)
        elif vendor == 0 and kind == _PAYLOAD:
            _inside(packets, data, begin, stop, place + size)
        elif vendor == 0 and kind in _CORRELATION:
            data[begin:stop] = packets.messages.text(bytes(data[begin:stop]))
        elif vendor or kind not in _KEPT or stop - begin > 4:
            wipe(data, begin, stop)
        place = stop
    wipe(data, place, end)


def _structures(packets: Packets, data: bytearray, at: int, end: int) -> None:
    count = 4 if data[at + 2] == 2 else 16
    begin = at + 8 + 2 * count + (12 if data[at] == 2 else 0)
    if begin > end:
        wipe(data, at + 8, end)
        return
    packets.address(data, at + 8, count)
    packets.address(data, at + 8 + count, count)
    _inside(packets, data, begin, end, end)
