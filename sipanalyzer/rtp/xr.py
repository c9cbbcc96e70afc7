"""Report blocks of RTCP extended reports (RFC 3611). Floor 4.

Comes in: the bytes behind the header of an XR packet. Goes out: one :class:`Extended` for each block that is known,
with its figures by name. Sources: RFC 3611 section 4, IANA's registry of RTCP XR block types.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["Extended", "parse_extended"]

Values = tuple[tuple[str, float], ...]

_HEAD = struct.Struct("!BBH")
_SUB_BLOCK = struct.Struct("!3I")
_SEQUENCES = struct.Struct("!IHH")
_SUMMARY = struct.Struct("!IHH6I4B")
_VOIP = struct.Struct("!I4B4HbbBB4BBxHHH")
_UNAVAILABLE = 127


class Extended(NamedTuple):
    """One report block of an XR packet."""

    ssrc: int | None
    """The source reported on; None where the block has none (receiver reference time) or several (DLRR)."""
    values: Values = ()
    """Figures by name."""
    receiver_time: int | None = None
    """Middle 32 bits of the receiver reference time (4.4): what DLRR blocks refer to."""
    delays: tuple[tuple[int, int, int], ...] = ()
    """DLRR (4.5): receiver's SSRC, middle 32 bits of its reference time, delay since in 1/65536 s."""


def parse_extended(payload: bytes, at: int, limit: int) -> tuple[tuple[Extended, ...], bool]:
    """Read the report blocks of one XR packet.

    Parameters
    ----------
    payload : bytes
        Of the datagram.
    at, limit : int
        Where the blocks begin and end.

    Returns
    -------
    blocks : tuple of Extended
        Those of known types.
    whole : bool
        Whether all were as long as they say and as their type asks.
    """
    blocks: list[Extended] = []
    whole = True
    while limit - at >= 4:
        kind, specific, words = _HEAD.unpack_from(payload, at)
        stop = at + 4 + 4 * words
        if stop > limit:
            return tuple(blocks), False
        if kind in _RLE:
            if words < 2:
                whole = False
            else:
                ssrc, begin, end = _SEQUENCES.unpack_from(payload, at + 4)
                name = _RLE[kind]
                blocks.append(Extended(ssrc, ((f"{name}_begin", float(begin)), (f"{name}_end", float(end)))))
        elif kind == 4:
            if words < 2:
                whole = False
            else:
                ntp = int.from_bytes(payload[at + 4 : at + 12], "big")
                blocks.append(Extended(None, receiver_time=ntp >> 16 & 0xFFFFFFFF))
        elif kind == 5:
            whole = whole and words % 3 == 0
            blocks.append(
                Extended(None, delays=tuple(_SUB_BLOCK.iter_unpack(payload[at + 4 : at + 4 + words // 3 * 12])))
            )
        elif kind == 6:
            if words < 9:
                whole = False
            else:
                blocks.append(_read_summary(payload, at + 4, specific))
        elif kind == 7:
            if words < 8:
                whole = False
            else:
                blocks.append(_read_voip(payload, at + 4))
        at = stop
    return tuple(blocks), whole and at == limit


_RLE = {1: "loss_rle", 2: "duplicate_rle", 3: "receipt_times"}
"""Blocks of which only the range of sequence numbers is told (4.1 to 4.3)."""


def _read_summary(payload: bytes, at: int, flags: int) -> Extended:
    """Statistics summary (4.6): the flags say which figures count; jitter in ticks of the source's clock."""
    (ssrc, begin, end, lost, twice, least, most, mean, deviation, ttl_least, ttl_most, ttl_mean, ttl_deviation) = (
        _SUMMARY.unpack_from(payload, at)
    )
    values: list[tuple[str, float]] = [("begin_sequence", begin), ("end_sequence", end)]
    if flags & 0x80:
        values.append(("lost_packets", lost))
    if flags & 0x40:
        values.append(("duplicate_packets", twice))
    if flags & 0x20:
        values += [
            ("min_jitter_ticks", least), ("max_jitter_ticks", most), ("mean_jitter_ticks", mean),
            ("deviation_jitter_ticks", deviation),
        ]  # fmt: skip
    if flags & 0x18:  # 1: IPv4 TTL, 2: IPv6 hop limit
        values += [
            ("min_ttl", ttl_least), ("max_ttl", ttl_most), ("mean_ttl", ttl_mean), ("deviation_ttl", ttl_deviation)
        ]  # fmt: skip
    return Extended(ssrc, tuple((name, float(value)) for name, value in values))


def _read_voip(payload: bytes, at: int) -> Extended:
    """VoIP metrics (4.7). What is marked unavailable, or outside the range that the RFC allows, is left out."""
    (
        ssrc, loss, discard, burst_density, gap_density, burst, gap, round_trip, end_system, signal, noise, rerl, gmin,
        r_factor, external_r, mos_lq, mos_cq, receiver, nominal, maximum, absolute,
    ) = _VOIP.unpack_from(payload, at)  # fmt: skip
    values: list[tuple[str, float]] = [
        ("loss_percent", loss / 2.56), ("discard_percent", discard / 2.56),
        ("burst_density_percent", burst_density / 2.56), ("gap_density_percent", gap_density / 2.56),
        ("burst_ms", float(burst)), ("gap_ms", float(gap)),
    ]  # fmt: skip
    if round_trip:  # 0 until one was measured
        values.append(("round_trip_ms", float(round_trip)))
    values.append(("end_system_delay_ms", float(end_system)))
    for name, value in (("signal_dbm", signal), ("noise_dbm", noise), ("rerl_db", rerl)):
        if value != _UNAVAILABLE:
            values.append((name, float(value)))
    values.append(("gmin", float(gmin)))
    for name, value in (("r_factor", r_factor), ("external_r", external_r)):
        if value <= 100:
            values.append((name, float(value)))
    for name, value in (("mos_lq", mos_lq), ("mos_cq", mos_cq)):
        if 10 <= value <= 50:
            values.append((name, value / 10))
    values += [
        ("concealment", float(receiver >> 6)), ("jb_adaptive", float(receiver >> 4 & 3)),
        ("jb_rate", float(receiver & 15)), ("jb_nominal_ms", float(nominal)), ("jb_maximum_ms", float(maximum)),
        ("jb_absolute_maximum_ms", float(absolute)),
    ]  # fmt: skip
    return Extended(ssrc, tuple(values))
