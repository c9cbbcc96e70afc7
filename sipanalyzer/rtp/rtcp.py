"""Bytes of one RTCP datagram to its packets. Floor 4.

Comes in: a UDP payload that begins as RTCP does. Goes out: one :class:`Packet` for each packet in it, in order, with
what was wrong in `defects` (:data:`DEFECTS`). Extended reports are read by :mod:`.xr`. Sources: RFC 3550 section 6 and
A.2, RFC 5506 (reduced size: any packet may be the first), RFC 4585 and 5104 (feedback), RFC 3711 3.4 and RFC 7714 9.2
(SRTCP), RFC 5761 section 4 (packet types).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from ..errors import ParseError
from .xr import Extended, parse_extended

__all__ = ["DEFECTS", "Packet", "ReportBlock", "SenderInfo", "parse_rtcp"]

DEFECTS = {
    "cut": "ends before its length says",
    "short": "too short for what its counts promise; what fits was read",
    "bad-padding": "padding that is impossible, or not on the last packet",
    "trailing-bytes": "bytes behind the last packet that are none",
}
"""What can be wrong with a packet, in a clause for people."""

_HEAD = struct.Struct("!BBH")
_WORD = struct.Struct("!I")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!6I")
_FIRST_TYPE, _LAST_TYPE = 192, 223
_CNAME = 1
_TRAILERS = (4, 5, 6, 8, 14, 15, 16, 18)
"""How far before the end an SRTCP index may stand: tags of 0 (AES-GCM has its own before it), 4 and 10 bytes, MKI of 0,
1, 2 and 4."""
_HIGHEST_INDEX = 1 << 20
"""The index counts packets from 0 or 1: a month of RTCP stays below it, random bytes rarely do."""


class SenderInfo(NamedTuple):
    """Second section of a sender report (RFC 3550 6.4.1)."""

    ntp: int
    """64 bits: seconds since 1900 and their fraction."""
    timestamp: int
    packets: int
    """Sent since the beginning."""
    octets: int


class ReportBlock(NamedTuple):
    """What a receiver says of one source (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Since the report before, in 1/256."""
    cumulative_lost: int
    """Since the beginning, signed 24 bits: duplicates can make it negative."""
    extended_highest: int
    """Highest sequence number, with the count of its cycles in the upper 16 bits."""
    jitter: int
    """In ticks of the source's clock."""
    last_sr: int
    """Middle 32 bits of the NTP time of the last sender report that came; 0: none did."""
    delay_since_sr: int
    """From that sender report to this report, in 1/65536 s."""


class Packet(NamedTuple):
    """One RTCP packet."""

    type: str
    """``SR``, ``RR``, ``SDES``, ``BYE``, ``APP``, ``RTPFB``, ``PSFB``, ``XR``; ``PT-n`` of another type n."""
    ssrc: int | None
    """Of its sender; None where it has none (SDES and BYE without a source)."""
    reports: tuple[ReportBlock, ...] = ()
    sender: SenderInfo | None = None
    cnames: tuple[tuple[int, str], ...] = ()
    """SSRC and canonical name, of SDES."""
    sources: tuple[int, ...] = ()
    """Those that leave (BYE), or whose media feedback is about."""
    text: str | None = None
    """Reason of a BYE, name of an APP."""
    values: tuple[tuple[str, float], ...] = ()
    """What feedback asks for, with how often: ``nack`` (packets), ``pli``, ``fir`` and so on."""
    extended: tuple[Extended, ...] = ()
    """Report blocks of an XR."""
    encrypted: bool = False
    """SRTCP: type and sender are all that can be read."""
    defects: tuple[str, ...] = ()


def parse_rtcp(payload: bytes, *, encrypted: bool = False) -> tuple[Packet, ...]:
    """Read the packets of one datagram.

    Parameters
    ----------
    payload : bytes
        Of the datagram, perhaps cut by a snapshot length.
    encrypted : bool
        Whether it is known to be SRTCP: then only type and sender of its first packet are readable. Otherwise it is
        taken for SRTCP where packets do not fill it and an SRTCP index stands where one can.

    Returns
    -------
    tuple of Packet
        At least one. What stands before a defect is kept; the defect is noted with the last packet.

    Raises
    ------
    ParseError
        If it does not begin with a header of RTCP version 2.

    Notes
    -----
    RFC 3550 A.2 has compound packets begin with SR or RR and without padding. Neither is asked for here: RFC 5506
    allows any packet to be first, and what is read is evidence, not trusted state.
    """
    end = len(payload)
    at = 0
    packets: list[Packet] = []
    while end - at >= 4:
        first, kind, words = _HEAD.unpack_from(payload, at)
        if first >> 6 != 2 or not _FIRST_TYPE <= kind <= _LAST_TYPE:
            break
        stop = at + 4 * words + 4
        if encrypted:
            return (_sealed(payload),)
        limit, defect = stop, ""
        if stop > end:
            stop = limit = end
            defect = "cut"
        elif first & 32:
            padding = payload[stop - 1]
            if stop == end and padding and not padding & 3 and padding <= 4 * words:
                limit -= padding
            else:
                defect = "bad-padding"
        reader = _READERS.get(kind)
        if reader is None:
            packet = Packet(f"PT-{kind}", _WORD.unpack_from(payload, at + 4)[0] if limit - at >= 8 else None)
        else:
            packet = reader(payload, at, limit, first & 31)
        if defect and packet.defects != (defect,):
            packet = packet._replace(defects=(defect, *packet.defects))
        packets.append(packet)
        at = stop
        if defect == "cut":
            break
    if not packets:
        raise ParseError("rtcp", "no header of RTCP version 2", at)
    if at < end or packets[-1].defects:
        if _is_sealed(payload):
            return (_sealed(payload),)
        if at < end:
            packets[-1] = packets[-1]._replace(defects=(*packets[-1].defects, "trailing-bytes"))
    return tuple(packets)


# ---- SRTCP
def _sealed(payload: bytes) -> Packet:
    """What is readable of SRTCP: the first eight bytes (RFC 3711 3.4)."""
    kind = payload[1]
    ssrc = int(_WORD.unpack_from(payload, 4)[0]) if len(payload) >= 8 else None
    return Packet(_NAMES.get(kind, f"PT-{kind}"), ssrc, encrypted=True)


def _is_sealed(payload: bytes) -> bool:
    """Whether an SRTCP index with the flag of encryption stands where one can: behind the first packet, at a word."""
    end = len(payload)
    first_stop = 4 * int.from_bytes(payload[2:4], "big") + 4
    for back in _TRAILERS:
        at = end - back
        if at >= first_stop and not at & 3:
            index = int(_WORD.unpack_from(payload, at)[0])
            if 0x80000000 <= index < 0x80000000 + _HIGHEST_INDEX:
                return True
    return False


# ---- packets by type: payload, begin, end and the five bits of the header's count
_SHORT = ("short",)


def _sender_of(payload: bytes, at: int, limit: int) -> int | None:
    return int(_WORD.unpack_from(payload, at + 4)[0]) if limit - at >= 8 else None


def _read_blocks(payload: bytes, at: int, limit: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for where in range(at, min(at + 24 * count, limit - 23), 24):
        ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(payload, where)
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 0x1000000
        blocks.append(ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _read_sr(payload: bytes, at: int, limit: int, count: int) -> Packet:
    if limit - at < 28:
        return Packet("SR", _sender_of(payload, at, limit), defects=_SHORT)
    sender = SenderInfo(*_SENDER.unpack_from(payload, at + 8))
    blocks = _read_blocks(payload, at + 28, limit, count) if count else ()
    defects = _SHORT if len(blocks) < count else ()
    return Packet("SR", _WORD.unpack_from(payload, at + 4)[0], blocks, sender, defects=defects)


def _read_rr(payload: bytes, at: int, limit: int, count: int) -> Packet:
    ssrc = _sender_of(payload, at, limit)
    blocks = _read_blocks(payload, at + 8, limit, count) if count else ()
    return Packet("RR", ssrc, blocks, defects=_SHORT if ssrc is None or len(blocks) < count else ())


def _read_sdes(payload: bytes, at: int, limit: int, count: int) -> Packet:
    cnames: list[tuple[int, str]] = []
    where = at + 4
    first = None
    for _ in range(count):
        if limit - where < 4:
            return Packet("SDES", first, cnames=tuple(cnames), defects=_SHORT)
        ssrc = int(_WORD.unpack_from(payload, where)[0])
        if first is None:
            first = ssrc
        where += 4
        while True:
            if where >= limit:
                return Packet("SDES", first, cnames=tuple(cnames), defects=_SHORT)
            item = payload[where]
            if item == 0:  # the end of the chunk, filled up to a multiple of four bytes
                where = at + ((where - at + 4) & ~3)
                break
            if where + 2 > limit or where + 2 + payload[where + 1] > limit:
                return Packet("SDES", first, cnames=tuple(cnames), defects=_SHORT)
            stop = where + 2 + payload[where + 1]
            if item == _CNAME:
                cnames.append((ssrc, _text(payload[where + 2 : stop])))
            where = stop
    return Packet("SDES", first, cnames=tuple(cnames))


def _read_bye(payload: bytes, at: int, limit: int, count: int) -> Packet:
    there = min(count, (limit - at - 4) // 4)
    sources = struct.unpack_from(f"!{there}I", payload, at + 4)
    where = at + 4 + 4 * there
    text, defects = None, _SHORT if there < count else ()
    if there == count and where < limit:
        stop = where + 1 + payload[where]
        text = _text(payload[where + 1 : min(stop, limit)]) or None
        if stop > limit:
            defects = _SHORT
    return Packet("BYE", sources[0] if sources else None, sources=sources, text=text, defects=defects)


def _read_app(payload: bytes, at: int, limit: int, count: int) -> Packet:
    if limit - at < 12:
        return Packet("APP", _sender_of(payload, at, limit), defects=_SHORT)
    return Packet("APP", _sender_of(payload, at, limit), text=_text(payload[at + 8 : at + 12]))


_RTPFB = {1: "nack", 3: "tmmbr", 4: "tmmbn", 5: "sr_request", 8: "ecn", 10: "pause_resume", 15: "transport_cc"}
_PSFB = {
    1: "pli", 2: "sli", 3: "rpsi", 4: "fir", 5: "tstr", 6: "tstn", 7: "vbcm", 8: "pslei", 9: "roi", 10: "lrr",
    15: "application",
}  # fmt: skip
_ENTRY_BYTES = {"nack": 4, "tmmbr": 8, "tmmbn": 8, "sli": 4, "fir": 8, "tstr": 8, "tstn": 8}
"""Length of one entry where a packet may hold several (RFC 4585 section 6, RFC 5104 section 4)."""
_ENTRIES_NAME_SOURCES = frozenset({"tmmbr", "tmmbn", "fir", "tstr", "tstn"})
"""The media source in the header is unused; each entry begins with one."""


def _read_feedback(name: str, kinds: dict[int, str], payload: bytes, at: int, limit: int, count: int) -> Packet:
    ssrc = _sender_of(payload, at, limit)
    if limit - at < 12:
        return Packet(name, ssrc, defects=_SHORT)
    kind = kinds.get(count, f"format_{count}")
    source = int(_WORD.unpack_from(payload, at + 8)[0])
    size = _ENTRY_BYTES.get(kind)
    entries = range(at + 12, limit - size + 1, size) if size else range(1)
    wanted = len(entries)
    if kind == "nack":  # a packet, and those of the sixteen behind it whose bits are set
        wanted += sum((_WORD.unpack_from(payload, where)[0] & 0xFFFF).bit_count() for where in entries)
    elif kind == "application" and payload[at + 12 : at + 16] == b"REMB":
        kind = "remb"
    if source == 0 and entries and kind in _ENTRIES_NAME_SOURCES:
        source = int(_WORD.unpack_from(payload, entries[0])[0])
    return Packet(name, ssrc, sources=(source,), values=((kind, float(wanted)),))


def _read_rtpfb(payload: bytes, at: int, limit: int, count: int) -> Packet:
    return _read_feedback("RTPFB", _RTPFB, payload, at, limit, count)


def _read_psfb(payload: bytes, at: int, limit: int, count: int) -> Packet:
    return _read_feedback("PSFB", _PSFB, payload, at, limit, count)


def _read_xr(payload: bytes, at: int, limit: int, count: int) -> Packet:
    ssrc = _sender_of(payload, at, limit)
    blocks, whole = parse_extended(payload, at + 8, limit)
    return Packet("XR", ssrc, extended=blocks, defects=() if whole and ssrc is not None else _SHORT)


def _text(data: bytes) -> str:
    """Text for people: UTF-8, what is none or cannot be shown as escapes."""
    text = data.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


_READERS: dict[int, Callable[[bytes, int, int, int], Packet]] = {
    200: _read_sr, 201: _read_rr, 202: _read_sdes, 203: _read_bye, 204: _read_app, 205: _read_rtpfb,
    206: _read_psfb, 207: _read_xr,
}  # fmt: skip
_NAMES = {
    200: "SR", 201: "RR", 202: "SDES", 203: "BYE", 204: "APP", 205: "RTPFB", 206: "PSFB", 207: "XR",
}  # fmt: skip
