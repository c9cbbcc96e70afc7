"""One captured packet, in place: what begins it, and what a payload is. Floor 3.

In: a packet as captured, and its link type. Out: the same bytes, replaced (:mod:`.walk`). What a payload is, is decided
as the analysis decides it (:mod:`sipanalyzer.kernels.payload`); what is none of that is wiped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from ..kernels import columns as row
from ..kernels import link as layers
from ..kernels.link import BROKEN, ETHERNET, PROTOCOL
from .hep import redact_hep
from .layout import link_layer, payload_kind
from .media import Media, wipe
from .message import Messages
from .odd import find_inner
from .text import Texts
from .walk import Deferred, FragmentKey, Walk

__all__ = ["Packets"]


class Packets:
    """Replacements of packets under one key."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self._keyed, self._addresses = texts, texts.keyed, texts.addresses
        self.messages = Messages(texts)
        self.media = Media(texts)
        self._hardware: dict[bytes, bytes] = {}
        self.looking = False
        """Whether packets are looked through for segments and fragments only."""
        self._payloads: dict[int, Callable[[bytearray, int, int, int], None]] = {
            row.SIP: self._sip,
            row.RTP: self.media.rtp,
            row.RTCP: lambda data, at, end, wire: self.media.rtcp(data, at, end),
            row.STUN: lambda data, at, end, wire: self._stun(data, at, end),
            row.DTLS: lambda data, at, end, wire: self.media.dtls(data, at, end),
            row.HEP: lambda data, at, end, wire: redact_hep(self, data, at, end),
            row.TURN: self._turn,
        }

    def packet(self, data: bytearray, link: int, wire: int, deferred: Deferred | None) -> None:
        """Replace what is personal in a packet.

        Parameters
        ----------
        data : bytearray
            As captured; changed in place.
        link : int
            Link type, a number of tcpdump's registry.
        wire : int
            Its length on the wire.
        deferred : Deferred, optional
            What is under way in TCP and fragments; without it, those are wiped.
        """
        size = len(data)
        try:
            self._packet(data, link, wire, deferred)
        except (IndexError, ValueError, struct.error):  # a header cut where nobody thought of it: then all of it goes
            data[:] = bytes(size)
        if len(data) != size:
            data[:] = bytes(size)

    def _packet(self, data: bytearray, link: int, wire: int, deferred: Deferred | None) -> None:
        walk = Walk(self, data, deferred)
        if link == 1:
            walk.layer(0, len(data), max(wire, len(data)), ETHERNET)
        elif link in layers.ODD_LINKS:
            inner = find_inner(
                data, link, self.hardware, self.address, lambda data, at, end: self.payload(data, at, end, end)
            )
            if inner is None:
                return
            at, end, link, layer = inner
            if layer is None:
                size, layer = link_layer(data, at, end, link)
                at += size
            if layer in (layers.FOREIGN, BROKEN):
                wipe(data, at, end)
            else:
                walk.layer(at, end, max(end, wire - (len(data) - end)), layer)
        else:
            size, layer = link_layer(data, 0, len(data), link)
            if layer in (layers.FOREIGN, BROKEN):
                wipe(data, 0, len(data))
                return
            for at, count in {113: ((6, 8),), 276: ((12, 8),)}.get(link, ()):
                self.hardware(data, at, at + count)
            walk.layer(size, len(data), max(wire, len(data)), layer)
        walk.settle()

    def hardware(self, data: bytearray, at: int, end: int) -> None:
        """Replace a hardware address; whether it is a group's stays."""
        old = bytes(data[at:end])
        if not old.strip(b"\0") or not old.strip(b"\xff"):
            return
        new = self._hardware.get(old)
        if new is None:
            new = self._keyed.digest(b"mac", old.rstrip(b"\0"), 16)
            new = bytes([old[0] & 3 | new[0] & 0xFC]) + new[1:6] + bytes(10)
            if len(self._hardware) >= 1 << 16:
                self._hardware.clear()
            self._hardware[old] = new = new[: len(old)]
        data[at:end] = new

    def address(self, data: bytearray, at: int, size: int) -> None:
        """Replace an IP address of 4 or 16 bytes."""
        old = int.from_bytes(data[at : at + size], "big")
        new = self._addresses.four(old) if size == 4 else self._addresses.six(old)
        data[at : at + size] = new.to_bytes(size, "big")

    def payload(self, data: bytearray, at: int, end: int, wire: int) -> None:
        """A UDP payload."""
        if self.looking:
            return
        redact = self._payloads.get(payload_kind(data, at, end, wire))
        if redact is None:
            wipe(data, at, end)
        else:
            redact(data, at, end, wire)

    def datagram(self, key: FragmentKey, data: bytes, whole: bool, deferred: Deferred | None) -> bytes:
        """What was put together of fragments, from its beginning."""
        ends = bytearray(key[0] + key[1])
        size = len(key[0])
        for place in (0, size):
            self.address(ends, place, size)
        buffer = ends + data
        walk = Walk(self, buffer, deferred, (4 if size == 4 else 6, 0, size))
        wire = len(buffer) if whole else len(buffer) + 65_536
        walk.layer(2 * size, len(buffer), wire, PROTOCOL | key[3])
        walk.settle()
        return bytes(buffer[2 * size :])

    def _sip(self, data: bytearray, at: int, end: int, wire: int) -> None:
        data[at:end] = self.messages.message(bytes(data[at:end]))

    def _stun(self, data: bytearray, at: int, end: int) -> None:
        self.media.stun(data, at, end)

    def _turn(self, data: bytearray, at: int, end: int, wire: int) -> None:
        relayed = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        inside = min(end, relayed)
        if inside > at + 4 and payload_kind(data, at + 4, inside, relayed) in (row.RTP, row.RTCP):
            self.payload(data, at + 4, inside, relayed)
            wipe(data, inside, end)
        else:
            wipe(data, at + 4, end)
