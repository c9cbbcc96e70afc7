"""The way through the headers of one packet, in place. Floor 3.

In: a packet, and the layer that it begins with. Out: the same bytes with other addresses, other payload, and checksums
that fit. What follows a header that nobody knows is wiped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..kernels import columns as row
from ..kernels import link as layers
from ..kernels.link import BROKEN, ETHERNET, IP_ANY, IPV4, IPV6, NOTHING, PROTOCOL
from ..kernels.tunnels import PLAIN, is_udp_tunnel_port
from .checksums import crc32c, internet_checksum
from .layout import LAYERS, gre, payload_kind, udp_tunnel
from .media import wipe

if TYPE_CHECKING:
    from .packets import Packets

__all__ = ["Deferred", "FragmentKey", "Key", "Walk"]

Key = tuple[bytes, bytes, int]
"""Source, destination (4 or 16 bytes each) and ports, replaced already."""
FragmentKey = tuple[bytes, bytes, int, int]
"""Source and destination as captured, the datagram's number, and its protocol."""
_VLANS = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))
_EXTENSIONS = frozenset((0, 43, 60, 44, 135))
_ICMP_ERRORS = {4: frozenset((3, 4, 5, 11, 12)), 6: frozenset((1, 2, 3, 4))}
_TCP_OPTIONS = frozenset((2, 3, 4, 5, 8))
_ARP = 0x0806
_BAD_HEAD = {4: 4, 6: 8}
_SUMS = {"udp": 6, "tcp": 16, "icmp": 2, "gre": 4, "sctp": 8}
_DEEPEST = 32


class Deferred(Protocol):
    """Takes what can be replaced only with other packets at hand, and gives it replaced."""

    def segment(self, key: Key, seq: int, flags: int, data: bytes, wire: int) -> bytes | None:
        """Payload of a TCP segment."""

    def fragment(self, key: FragmentKey, at: int, more: bool, data: bytes) -> bytes | None:
        """Payload of an IP fragment."""

    def chunk(self, key: Key, tsn: int, flags: int, data: bytes) -> bytes | None:
        """User data of an SCTP chunk that is part of a message."""


class Walk:
    """The way through the headers of one packet."""

    def __init__(
        self, packets: Packets, data: bytearray, deferred: Deferred | None, ip: tuple[int, int, int] = (0, 0, 0)
    ) -> None:
        self._packets, self._data, self._deferred = packets, data, deferred
        self._sums: list[tuple[str, int, int, int, tuple[int, int, int]]] = []
        """Checksums that are made when all behind them stands: kind, header, end, wire, addresses."""
        self._ip = ip  # version, where the addresses stand, how many bytes

    def layer(self, at: int, end: int, wire: int, layer: int) -> None:
        """Replace from a layer on."""
        for _ in range(_DEEPEST):
            if layer == NOTHING:
                break
            step = self._step(at, end, wire, layer)
            if step is None:
                return
            at, end, wire, layer = step
        wipe(self._data, at, end)

    def _step(self, at: int, end: int, wire: int, layer: int) -> tuple[int, int, int, int] | None:
        """One header further; None where all is done."""
        data = self._data
        if layer == ETHERNET:
            return self._ethernet(at, end, wire)
        if layer == IP_ANY:
            nibble = data[at] >> 4 if at < end else 0
            return at, end, wire, IPV4 if nibble == 4 else IPV6 if nibble == 6 else NOTHING
        if layer == IPV4:
            return self._ipv4(at, end, wire)
        if layer == IPV6:
            return self._ipv6(at, end, wire)
        if layer in _VLANS and at + 4 <= end:
            return at + 4, end, wire, int.from_bytes(data[at + 2 : at + 4], "big")
        if layer == layers.PPPOE:
            good = at + 6 <= end and data[at] == 0x11 and data[at + 1] == 0
            return (at + 6, end, wire, layers.PPP) if good else (min(at + 6, end), end, wire, NOTHING)
        simple = LAYERS.get(layer)
        if simple is not None:
            size, following = simple(data, at, end)
            return (at + size, end, wire, following) if following != BROKEN else (at, end, wire, NOTHING)
        if layer == _ARP:
            self._arp(at, end)
            return None
        if layer & PROTOCOL and layer > 0:
            return self._transport(at, end, wire, layer & 0xFF)
        return at, end, wire, NOTHING

    def _ethernet(self, at: int, end: int, wire: int) -> tuple[int, int, int, int]:
        data = self._data
        if at + 14 > end:
            return at, end, wire, NOTHING
        self._packets.hardware(data, at, at + 6)
        self._packets.hardware(data, at + 6, at + 12)
        layer, at = int.from_bytes(data[at + 12 : at + 14], "big"), at + 14
        if layer <= 1500:
            if at + 8 > end or data[at : at + 6] != b"\xaa\xaa\x03\0\0\0":
                return at, end, wire, NOTHING
            return at + 8, end, wire, int.from_bytes(data[at + 6 : at + 8], "big")
        return at, end, wire, layer

    def _arp(self, at: int, end: int) -> None:
        data = self._data
        if at + 28 <= end and data[at : at + 6] == b"\0\x01\x08\0\x06\x04":
            for place in (at + 8, at + 18):
                self._packets.hardware(data, place, place + 6)
                self._packets.address(data, place + 6, 4)
            wipe(data, at + 28, end)
        else:
            wipe(data, at, end)

    def _ipv4(self, at: int, end: int, wire: int) -> tuple[int, int, int, int] | None:
        data = self._data
        size = 4 * (data[at] & 15) if at < end else 0
        total = int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 20 > end or data[at] >> 4 != 4 or size < 20 or at + size > end or 0 < total < size:
            return min(at + _BAD_HEAD[4], end), end, wire, NOTHING
        if total:
            wipe(data, min(end, at + total), end)
            wire, end = at + total, min(end, at + total)
        old = bytes(data[at + 12 : at + 20])
        for place in (at + 12, at + 16):
            self._packets.address(data, place, 4)
        wipe(data, at + 20, at + size)
        if data[at + 10] or data[at + 11]:
            data[at + 10 : at + 12] = bytes(2)
            data[at + 10 : at + 12] = internet_checksum(data[at : at + size])
        self._ip = (4, at + 12, 4)
        if data[at + 6] & 0x3F or data[at + 7]:
            key = old[:4], old[4:], int.from_bytes(data[at + 4 : at + 6], "big"), data[at + 9]
            offset = (int.from_bytes(data[at + 6 : at + 8], "big") & 0x1FFF) * 8
            self._fragment(key, offset, bool(data[at + 6] & 0x20), at + size, end)
            return None
        return at + size, end, wire, PROTOCOL | data[at + 9]

    def _ipv6(self, at: int, end: int, wire: int) -> tuple[int, int, int, int] | None:
        data = self._data
        if at + 40 > end or data[at] >> 4 != 6:
            return min(at + _BAD_HEAD[6], end), end, wire, NOTHING
        total = int.from_bytes(data[at + 4 : at + 6], "big")
        if total:
            wipe(data, min(end, at + 40 + total), end)
            wire, end = at + 40 + total, min(end, at + 40 + total)
        old = bytes(data[at + 8 : at + 40])
        for place in (at + 8, at + 24):
            self._packets.address(data, place, 16)
        self._ip = (6, at + 8, 16)
        protocol, p = data[at + 6], at + 40
        while protocol in _EXTENSIONS:
            if p + 8 > end:
                return p, end, wire, NOTHING
            if protocol == 44:
                parts = int.from_bytes(data[p + 2 : p + 4], "big")
                if parts & 0xFFF9:
                    key = old[:16], old[16:], int.from_bytes(data[p + 4 : p + 8], "big"), data[p]
                    self._fragment(key, parts & 0xFFF8, bool(parts & 1), p + 8, end)
                    return None
                protocol, p = data[p], p + 8
                continue
            size = 8 + 8 * data[p + 1]
            if p + size > end:
                return min(p + 2, end), end, wire, NOTHING
            wipe(data, p + (2 if protocol != 43 else 4), p + size)
            protocol, p = data[p], p + size
        return p, end, wire, PROTOCOL | protocol

    def _fragment(self, key: tuple[bytes, bytes, int, int], offset: int, more: bool, at: int, end: int) -> None:
        data = bytes(self._data[at:end])
        new = self._deferred.fragment(key, offset, more, data) if self._deferred is not None else None
        self._data[at:end] = new if new is not None else bytes(len(data))

    # ---- transports
    def _transport(self, at: int, end: int, wire: int, protocol: int) -> tuple[int, int, int, int] | None:
        data = self._data
        if protocol == 17:
            return self._udp(at, end, wire)
        if protocol == 6:
            self._tcp(at, end, wire)
            return None
        if protocol in (4, 41):
            return at, end, wire, IPV4 if protocol == 4 else IPV6
        if protocol == 47:
            size, layer = gre(data, at, end)
            if layer in (BROKEN, NOTHING):
                return min(at + max(size, 4), end), end, wire, NOTHING
            if data[at] & 0x80:
                self._sums.append(("gre", at, end, wire, self._ip))
            return at + size, end, wire, layer
        if protocol == 51 and at + 12 <= end:
            size = 8 + 4 * data[at + 1]
            wipe(data, at + 12, min(at + size, end))
            return min(at + size, end), end, wire, PROTOCOL | data[at]
        if protocol == 137:
            return at, end, wire, layers.MPLS
        if protocol == 132:
            self._sctp(at, end, wire)
            return None
        if (protocol, self._ip[0]) in ((1, 4), (58, 6)):
            self._icmp(at, end, wire)
            return None
        return at, end, wire, NOTHING

    def _udp(self, at: int, end: int, wire: int) -> tuple[int, int, int, int] | None:
        data = self._data
        total = int.from_bytes(data[at + 4 : at + 6], "big")
        if at + 8 > end or 0 < total < 8:
            return min(at + 6, end), end, wire, NOTHING
        if total and at + total < wire:
            wipe(data, min(end, at + total), end)
            wire, end = at + total, min(end, at + total)
        source, destination = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 6] or data[at + 7]:
            self._sums.append(("udp", at, end, wire, self._ip))
        if is_udp_tunnel_port(source, destination):
            size, layer = udp_tunnel(data, at + 8, end, wire, source, destination)
            if layer in (BROKEN, NOTHING):
                return min(at + 16, end), end, wire, NOTHING
            if layer != PLAIN:
                wipe(data, at + 16, at + 8 + size) if destination == 6081 else None
                return at + 8 + size, end, wire, layer
        self._packets.payload(data, at + 8, end, wire)
        return None

    def _tcp(self, at: int, end: int, wire: int) -> None:
        data = self._data
        size = data[at + 12] >> 4 << 2 if at + 20 <= end else 0
        if size < 20 or at + size > wire:
            wipe(data, min(at + 14, end), end)
            return
        self._options(at + 20, min(at + size, end))
        self._sums.append(("tcp", at, end, wire, self._ip))
        begin = min(at + size, end)
        new = None
        if self._deferred is not None and self._ip[0]:
            seq = int.from_bytes(data[at + 4 : at + 8], "big")
            length = max(0, wire - at - size)
            new = self._deferred.segment(self._key(at), seq, data[at + 13], bytes(data[begin:end]), length)
        data[begin:end] = new if new is not None else bytes(end - begin)

    def _key(self, at: int) -> Key:
        """Addresses, and the ports that stand at `at`."""
        _, where, count = self._ip
        data = self._data
        ports = int.from_bytes(data[at : at + 4], "big")
        return bytes(data[where : where + count]), bytes(data[where + count : where + 2 * count]), ports

    def _options(self, at: int, end: int) -> None:
        """TCP options that nobody knows become padding: some hold addresses and cookies."""
        data = self._data
        while at < end and data[at]:
            if data[at] == 1:
                at += 1
                continue
            size = data[at + 1] if at + 1 < end else 0
            stop = min(at + size, end) if size >= 2 else end
            if data[at] not in _TCP_OPTIONS:
                data[at:stop] = b"\x01" * (stop - at)
            at = stop
        wipe(data, at, end)

    def _icmp(self, at: int, end: int, wire: int) -> None:
        data, version = self._data, self._ip[0]
        if at + 8 > end:
            wipe(data, min(at + 2, end), end)
            return
        self._sums.append(("icmp", at, end, wire, self._ip))
        if data[at] in _ICMP_ERRORS[version]:
            if (version, data[at]) == (4, 5):
                self._packets.address(data, at + 4, 4)
            quoted = Walk(self._packets, data, None)  # what is quoted is part of no stream
            quoted.layer(at + 8, end, end, IPV4 if version == 4 else IPV6)
            quoted.settle()
        elif version == 6 and data[at] in (135, 136) and at + 24 <= end:
            self._packets.address(data, at + 8, 16)
            wipe(data, at + 24, end)
        else:
            wipe(data, at + 8, end)

    def _sctp(self, at: int, end: int, wire: int) -> None:
        data = self._data
        if at + 12 > end:
            wipe(data, at, end)
            return
        self._sums.append(("sctp", at, end, wire, self._ip))
        place = at + 12
        while place + 4 <= end:
            kind, size = data[place], int.from_bytes(data[place + 2 : place + 4], "big")
            stop = min(place + size, end)
            if size < 4:
                break
            head = {0: 16, 64: 20, 1: 20, 2: 20, 3: size, 6: 4, 7: size, 8: 4, 14: 4}.get(kind, 4)
            begin = min(place + head, stop)
            if kind in (0, 64) and data[place + 1] & 3 == 3 and payload_kind(data, begin, stop, stop) == row.SIP:
                data[begin:stop] = self._packets.messages.message(bytes(data[begin:stop]))
            elif kind in (0, 64) and self._deferred is not None and data[place + 1] & 3 != 3 and stop > begin:
                tsn = int.from_bytes(data[place + 4 : place + 8], "big")
                new = self._deferred.chunk(self._key(at), tsn, data[place + 1], bytes(data[begin:stop]))
                data[begin:stop] = new if new is not None else bytes(stop - begin)
            else:
                wipe(data, begin, stop)
            padded = min(place + (size + 3) // 4 * 4, end)
            wipe(data, stop, padded)
            place = padded
        wipe(data, place, end)

    # ---- checksums
    def settle(self) -> None:
        """Make the checksums, the innermost first."""
        data = self._data
        if self._packets.looking:
            return
        for kind, at, end, wire, (version, where, count) in reversed(self._sums):
            place = at + _SUMS[kind]
            if place + (4 if kind == "sctp" else 2) > end:
                wipe(data, min(place, end), end)
                continue
            if kind == "sctp":
                data[place : place + 4] = bytes(4)
                if end >= wire:
                    data[place : place + 4] = crc32c(bytes(data[at:end])).to_bytes(4, "little")
                continue
            data[place : place + 2] = bytes(2)
            if end < wire:  # cut: it cannot be checked either
                continue
            pseudo = b""
            if kind in ("udp", "tcp") or (kind == "icmp" and version == 6):
                protocol = {"udp": 17, "tcp": 6, "icmp": 58}[kind]
                pseudo = (
                    bytes(data[where : where + 2 * count]) + (end - at).to_bytes(4, "big") + bytes([0, 0, 0, protocol])
                )
            total = internet_checksum(pseudo + data[at:end])
            data[place : place + 2] = b"\xff\xff" if kind == "udp" and total == b"\0\0" else total
        self._sums.clear()
