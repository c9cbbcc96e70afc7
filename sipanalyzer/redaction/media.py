"""What shares a media socket: RTP, RTCP, STUN, DTLS and TURN's channel data, in place. Floor 3.

In: bytes of a datagram. Out: the same headers, sequence numbers, timestamps, figures and sizes, with other SSRCs,
names, addresses and keys, and no media. Sources: RFC 3550, RFC 3611, RFC 4585, RFC 4733, RFC 8489, RFC 8656, RFC 6347.
"""

from __future__ import annotations

import zlib

from ..errors import ParseError
from ..rtp.rtcp import parse_rtcp
from .layout import rtp_header_bytes
from .text import Texts

__all__ = ["Media", "wipe"]

_LONGEST_TRAILER = 18
"""Bytes behind encrypted RTCP: index, key identifier, tag (RFC 3711 3.4)."""
_EVENTS = 10
"""Telephone events that are digits."""
_FIRST_DYNAMIC = 96
_COOKIE = 0x2112A442
_PLAIN_ADDRESSES = frozenset((0x0001, 0x0002, 0x0004, 0x0005, 0x000B, 0x8023, 0x802B, 0x802C))
_MASKED_ADDRESSES = frozenset((0x0012, 0x0016, 0x0020, 0x8020))
_TEXTS = frozenset((0x0006, 0x0014, 0x0015, 0x8022))
"""USERNAME, REALM, NONCE, SOFTWARE."""
_FIGURES = frozenset((0x0003, 0x000A, 0x000C, 0x000D, 0x0017, 0x0018, 0x0019, 0x0024, 0x0025, 0x8000, 0x8029, 0x802A))
_LONGEST_FIGURE = 8
"""Bytes; a longer value of such an attribute is no figure."""
_ERROR_CODE, _FINGERPRINT = 0x0009, 0x8028
_FINGERPRINT_MASK = 0x5354554E
_HELLOS = (1, 2)
_SERVER_NAME = 0
_EXTENSIONS = frozenset((1, 5, 10, 11, 13, 14, 15, 16, 18, 22, 23, 27, 28, 43, 45, 49, 50, 65281))
"""Extensions of hellos that say what is supported, and stay (IANA's registry of TLS ExtensionType values)."""
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def wipe(data: bytearray, at: int, end: int) -> None:
    """Write zeros over some bytes."""
    if end > at:
        data[at:end] = bytes(end - at)


def _number(data: bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def is_sealed(payload: bytes) -> bool:
    """Whether RTCP is encrypted, by what stands where its index must."""
    try:
        return parse_rtcp(payload)[0].encrypted
    except ParseError:
        return False


class Media:
    """Replacements of what shares a media socket, under one key."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self._keyed, self._addresses = texts, texts.keyed, texts.addresses
        self._firsts: dict[bytes, bytes] = {}

    def ssrc(self, data: bytearray, at: int, end: int) -> None:
        """Replace the SSRC that stands at `at`; what is cut of it is wiped."""
        if at + 4 <= end:
            data[at : at + 4] = self._keyed.ssrc(_number(data, at, 4)).to_bytes(4, "big")
        else:
            wipe(data, at, end)

    # ---- RTP
    def rtp(self, data: bytearray, at: int, end: int, wire: int) -> None:
        """An RTP packet: payload and header extension are wiped, but for the structure of telephone events.

        The first four bytes of the payload become others, equal ones for equal ones: by them the same medium is
        recognised on both sides of a relay.
        """
        header = rtp_header_bytes(data, at, end, wire)
        for place in range(at + 8, min(at + 12 + 4 * (data[at] & 15), end), 4):
            self.ssrc(data, place, end)
        extension = at + 12 + 4 * (data[at] & 15) + 4
        if data[at] & 16:
            wipe(data, min(extension, end), min(at + header, end))
        payload = min(at + header, end)
        last = data[end - 1] if data[at] & 32 and end == wire and end > payload else None
        size = wire - payload
        if last is not None and last <= size:
            size -= last
        kept = min(4, size, end - payload)
        first = bytes(data[payload : payload + kept])
        wipe(data, payload, end)
        if data[at + 1] & 127 >= _FIRST_DYNAMIC and size % 4 == 0 and 4 <= size <= 16 and kept == 4 and first[0] < 16:
            event = int(self._keyed.key_pressed(str(first[0]))) if first[0] < _EVENTS else first[0]
            data[payload : payload + 4] = bytes([event]) + first[1:]
        elif kept:
            known = self._firsts.get(first)
            if known is None:
                if len(self._firsts) >= 1 << 16:
                    self._firsts.clear()
                known = self._firsts[first] = self._keyed.digest(b"payload", first, kept)
            data[payload : payload + kept] = known
        if last is not None:
            data[end - 1] = last

    # ---- RTCP
    def rtcp(self, data: bytearray, at: int, end: int) -> None:
        """A compound RTCP packet; of SRTCP only type and sender stay."""
        if end - at >= 8 and data[at] >> 6 == 2 and is_sealed(bytes(data[at:end])):
            self.ssrc(data, at + 4, end)
            self._seal(data, at + 8, at, end)
            return
        while at + 4 <= end:
            kind, count = data[at + 1], data[at] & 31
            stop = min(at + 4 + 4 * _number(data, at + 2, 2), end)
            if data[at] >> 6 != 2 or not 192 <= kind <= 223 or stop < at + 4:
                break
            padding = data[stop - 1] if data[at] & 32 else None
            self._rtcp_packet(data, at, stop, kind, count)
            if padding is not None and stop - 1 >= at + 4:
                data[stop - 1] = padding
            at = stop
        wipe(data, at, end)

    def _seal(self, data: bytearray, begin: int, at: int, end: int) -> None:
        """Overwrite what is encrypted, and leave an index where one stands, so that it is still known as that."""
        last = max(begin, end - _LONGEST_TRAILER)
        secret = bytes(data[begin:last])
        for fill in (bytes(len(secret)), *(self._keyed.overwritten(secret + bytes([i]))[:-1] for i in range(8))):
            data[begin:last] = fill
            if is_sealed(bytes(data[at:end])):
                return

    def _rtcp_packet(self, data: bytearray, at: int, stop: int, kind: int, count: int) -> None:
        if kind == 202:
            self._sdes(data, at + 4, stop)
            return
        if kind == 203:
            sources = at + 4 + 4 * count
            for place in range(at + 4, min(sources, stop), 4):
                self.ssrc(data, place, stop)
            if sources < stop:
                self._text(data, sources + 1, min(sources + 1 + data[sources], stop))
                wipe(data, sources + 1 + data[sources], stop)
            return
        self.ssrc(data, at + 4, stop)
        if kind in (200, 201):
            first = at + (28 if kind == 200 else 8)
            for place in range(first, min(first + 24 * count, stop), 24):
                self.ssrc(data, place, stop)
            wipe(data, first + 24 * count, stop)  # a profile's own extension
        elif kind in (205, 206):
            self.ssrc(data, at + 8, stop)
            if (kind, count) in ((206, 4), (205, 3), (205, 4)):
                for place in range(at + 12, stop, 8):
                    self.ssrc(data, place, stop)
            elif (kind, count) == (206, 15) and data[at + 12 : at + 16] == b"REMB":
                for place in range(at + 20, stop, 4):
                    self.ssrc(data, place, stop)
            elif kind == 206 and count not in (1, 2):
                wipe(data, at + 12, stop)
        elif kind == 207:
            self._xr(data, at + 8, stop)
        else:
            wipe(data, at + (12 if kind == 204 else 8), stop)

    def _sdes(self, data: bytearray, at: int, stop: int) -> None:
        while at + 4 <= stop:
            self.ssrc(data, at, stop)
            begin, at = at, at + 4
            while at < stop and data[at]:
                size = data[at + 1] if at + 1 < stop else 0
                self._text(data, at + 2, min(at + 2 + size, stop))
                at += 2 + size
            at = begin + (at - begin) // 4 * 4 + 4
        wipe(data, at, stop)

    def _text(self, data: bytearray, at: int, end: int) -> None:
        text = bytes(data[at:end])
        if any(byte < 32 for byte in text):
            data[at:end] = self._keyed.overwritten(text)
        else:
            data[at:end] = self._texts.value(text)

    def _xr(self, data: bytearray, at: int, stop: int) -> None:
        while at + 4 <= stop:
            kind, end = data[at], at + 4 + 4 * _number(data, at + 2, 2)
            if end > stop:
                break
            if kind == 5:
                for place in range(at + 4, end, 12):
                    self.ssrc(data, place, end)
            elif kind in (1, 2, 3, 6, 7):
                self.ssrc(data, at + 4, end)
            elif kind != 4:
                wipe(data, at + 4, end)
            at = end
        wipe(data, at, stop)

    # ---- STUN
    def stun(self, data: bytearray, at: int, end: int) -> None:
        """A STUN message; its fingerprint is made anew, its integrity cannot be."""
        place = at + 20
        stop = min(end, place + _number(data, at + 2, 2))
        old = bytes(data[at + 4 : at + 20])
        data[at + 8 : at + 20] = self._keyed.overwritten(old[4:])
        masks = old, bytes(data[at + 4 : at + 20])
        while place + 4 <= stop:
            kind, size = _number(data, place, 2), _number(data, place + 2, 2)
            value, after = place + 4, min(place + 4 + size, stop)
            if kind in _PLAIN_ADDRESSES or kind in _MASKED_ADDRESSES:
                self._address(data, value, after, masks if kind in _MASKED_ADDRESSES else (bytes(16), bytes(16)))
            elif kind in _TEXTS:
                data[value:after] = self._texts.atoms(bytes(data[value:after]))
            elif kind == _ERROR_CODE:
                data[value + 4 : after] = self._texts.spoken(bytes(data[value + 4 : after]))
            elif kind == _FINGERPRINT and after == value + 4:
                sum_ = zlib.crc32(bytes(data[at:place])) ^ _FINGERPRINT_MASK
                data[value:after] = sum_.to_bytes(4, "big")
            elif kind not in _FIGURES or size > _LONGEST_FIGURE:
                wipe(data, value, after)
            padded = min(value + (size + 3) // 4 * 4, stop)
            wipe(data, after, padded)
            place = padded if padded > place else stop
        wipe(data, min(place, end), end)

    def _address(self, data: bytearray, at: int, end: int, masks: tuple[bytes, bytes]) -> None:
        """An address of a family, masked by what identifies the transaction: before, and from now on."""
        family = data[at + 1] if at + 1 < end else 0
        size = {1: 4, 2: 16}.get(family, 0)
        if not size or end != at + 4 + size:
            wipe(data, at, end)
            return
        before, after = (int.from_bytes(mask[:size], "big") for mask in masks)
        old = _number(data, at + 4, size) ^ before
        new = self._addresses.four(old) if size == 4 else self._addresses.six(old)
        data[at + 4 : end] = (new ^ after).to_bytes(size, "big")

    # ---- DTLS and TLS
    def dtls(self, data: bytearray, at: int, end: int) -> None:
        """Records of DTLS: heads, hellos and alerts stay, certificates and what is encrypted do not."""
        while at + 13 <= end and data[at + 1] == 0xFE:
            stop = min(end, at + 13 + _number(data, at + 11, 2))
            self._content(data, at + 13, stop, data[at], _number(data, at + 3, 2) == 0, 12)
            at = stop
        wipe(data, at, end)

    def tls(self, data: bytearray, at: int, end: int) -> None:
        """Records of one direction of TLS, likewise; from the beginning of a record."""
        plain = True
        while at + 5 <= end and 20 <= data[at] <= 24 and data[at + 1] == 3:
            stop = min(end, at + 5 + _number(data, at + 3, 2))
            self._content(data, at + 5, stop, data[at], plain, 4)
            plain = plain and data[at] not in (20, 23)
            at = stop
        wipe(data, at, end)

    def _content(self, data: bytearray, at: int, end: int, kind: int, plain: bool, head: int) -> None:
        if not plain:
            wipe(data, at, end)
        elif kind == 22:
            place = at
            while place + head <= end:
                stop = place + head + _number(data, place + (1 if head == 4 else 9), 3)
                whole = stop <= end and (head == 4 or (data[place + 6 : place + 9] == b"\0\0\0"))
                if data[place] in _HELLOS and whole:
                    client = data[place] == 1
                    self._hello(data, place + head, stop, head == 12 and client, client)
                else:
                    wipe(data, place + head, min(stop, end))
                place = min(stop, end)
            wipe(data, place, end)
        elif kind == 20 or (kind == 21 and end - at == 2):
            return
        else:
            wipe(data, at, end)

    def _hello(self, data: bytearray, at: int, end: int, cookie: bool, client: bool) -> None:
        """ClientHello or ServerHello: random numbers and identifiers go, the server's name, and what nobody knows."""
        if at + 35 > end:
            wipe(data, at, end)
            return
        random = bytes(data[at + 2 : at + 34])
        if random != _RETRY:
            data[at + 2 : at + 34] = self._keyed.overwritten(random)
        place = at + 34
        for _ in range(2 if cookie else 1):
            size = data[place] if place < end else 0
            stop = min(place + 1 + size, end)
            data[place + 1 : stop] = self._keyed.overwritten(bytes(data[place + 1 : stop]))
            place += 1 + size
        if client and place + 2 <= end:
            place += 2 + _number(data, place, 2)
            place += 1 + (data[place] if place < end else 0)
        else:
            place += 3
        place += 2
        while place + 4 <= end:
            kind, size = _number(data, place, 2), _number(data, place + 2, 2)
            value, stop = place + 4, min(place + 4 + size, end)
            if kind == _SERVER_NAME and size > 5:
                data[value + 5 : stop] = self._texts.host(bytes(data[value + 5 : stop]))
            elif kind not in _EXTENSIONS:
                wipe(data, value, stop)
            place = stop
        wipe(data, place, end)
