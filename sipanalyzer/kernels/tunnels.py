"""How long a tunnel's header is, and what it carries: GRE, ERSPAN, VXLAN, GENEVE, GTP-U. Floor 1.

Comes in: the bytes behind an IP, UDP or GRE header. Goes out: for each kind of tunnel the number of header bytes, and
which layer follows, in the names of :mod:`sipanalyzer.kernels.link`.
"""

from __future__ import annotations

from sipanalyzer.kernels import helper, rare_helper
from sipanalyzer.kernels.link import BROKEN, ERSPAN, ETHERNET, IP_ANY, IPV4, IPV6, NOTHING, PPP, is_ethertype
from sipanalyzer.kernels.octets import Octets, be16

__all__ = ["PLAIN", "erspan", "gre", "is_udp_tunnel_port", "udp_tunnel"]

PLAIN = -2
"""Not a tunnel after all: plain UDP."""


@rare_helper
def gre(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Header bytes and layer behind a GRE header (RFC 2784, 2890; version 1: RFC 2637 4.1)."""
    if at + 4 > end:
        return 0, BROKEN
    flags = be16(data, at)
    layer = be16(data, at + 2)
    version = flags & 7
    size = 4
    if flags & 0x4000 or version > 1:  # source routing (RFC 1701) and unknown versions: nobody sends them
        return 0, NOTHING
    if flags & 0x8000:
        size += 4
    if flags & 0x2000:
        size += 4
    if flags & 0x1000:
        size += 4
    if version == 1 and flags & 0x80:
        size += 4
    if at + size > end:
        return 0, BROKEN
    if version == 1:
        if layer != PPP or not flags & 0x1000:  # an acknowledgement alone
            return size, NOTHING
        return size, PPP
    if layer == ERSPAN and not flags & 0x1000:  # type I has neither sequence number nor header of its own
        return size, ETHERNET
    return size, layer


@rare_helper
def erspan(data: Octets, at: int, end: int, layer: int) -> tuple[int, int]:
    """Header bytes and layer behind an ERSPAN type II or III header (draft-foschiano-erspan)."""
    size = 8 if layer == ERSPAN else 12
    if at + size > end:
        return 0, BROKEN
    version = (int(data[at]) & 0xF0) >> 4
    if layer == ERSPAN:
        return size, ETHERNET if version == 1 else BROKEN
    if version != 2:
        return 0, BROKEN
    frame_type = (int(data[at + 10]) & 0x7C) >> 2
    if int(data[at + 11]) & 1:
        size += 8  # platform-specific subheader
    if at + size > end:
        return 0, BROKEN
    if frame_type == 0:
        return size, ETHERNET
    return size, IP_ANY if frame_type == 2 else NOTHING


@helper
def is_udp_tunnel_port(source: int, destination: int) -> bool:
    """Whether a tunnel may be expected; its header must agree."""
    return (
        destination == 4789
        or destination == 8472
        or destination == 4790
        or destination == 6081
        or destination == 2152
        or source == 2152
    )


@helper
def _gtp(data: Octets, at: int, end: int, wire: int) -> tuple[int, int]:
    """GTP-U version 1 (3GPP TS 29.281 5.1)."""
    first = int(data[at])
    message = int(data[at + 1])
    if first & 0xF0 != 0x30 or be16(data, at + 2) + 8 > wire - at:  # version 1, GTP not GTP', spare bit 0
        return 0, PLAIN
    if message == 1 or message == 2 or message == 26 or message == 31 or message == 253 or message == 254:
        return 0, NOTHING
    if message != 255:
        return 0, PLAIN
    size = 8
    if first & 7:
        size = 12
        if at + size > end:
            return 0, BROKEN
        following = int(data[at + 11])
        while following != 0 and first & 4:
            if at + size >= end:
                return 0, BROKEN
            units = int(data[at + size])
            if units == 0 or at + size + 4 * units > end:
                return 0, BROKEN
            size += 4 * units
            following = int(data[at + size - 1])
    if at + size >= end:
        return 0, BROKEN
    nibble = (int(data[at + size]) & 0xF0) >> 4
    if nibble == 4 or nibble == 6:
        return size, IP_ANY
    # a 5G session of type Ethernet, or bytes that we cannot name
    if at + size + 14 <= end and is_ethertype(be16(data, at + size + 12)):
        return size, ETHERNET
    return size, NOTHING


@helper
def udp_tunnel(data: Octets, at: int, end: int, wire: int, source: int, destination: int) -> tuple[int, int]:
    """Header bytes and layer of a tunnel in UDP: VXLAN (RFC 7348 5), VXLAN-GPE, GENEVE (RFC 8926 3.4), GTP-U.

    The port is a hint; a header of another shape makes it plain UDP (`PLAIN`).
    """
    if at + 8 > end:
        return 0, PLAIN
    first = int(data[at])
    if destination == 4789 or destination == 8472:
        # the I flag, alone or with group policy's G; the last byte is reserved
        if (first != 0x08 and first != 0x88) or int(data[at + 7]) != 0 or wire - at < 22:
            return 0, PLAIN
        return 8, ETHERNET
    if destination == 4790:
        if first & 0xFC != 0x0C or int(data[at + 7]) != 0:
            return 0, PLAIN
        following = int(data[at + 3])
        return 8, IPV4 if following == 1 else IPV6 if following == 2 else ETHERNET if following == 3 else NOTHING
    if destination == 6081:
        size = 8 + 4 * (first & 63)
        layer = be16(data, at + 2)
        if first & 0xC0 or int(data[at + 1]) & 0x3F or int(data[at + 7]) != 0 or at + size > wire:
            return 0, PLAIN
        if layer != ETHERNET and layer != IPV4 and layer != IPV6:
            return 0, PLAIN
        if at + size > end:
            return 0, BROKEN
        return size, layer if not int(data[at + 1]) & 0x80 else NOTHING
    return _gtp(data, at, end, wire)
