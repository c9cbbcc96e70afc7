"""Names of layers, and what stands under IP: link types, MPLS and PPP. Floor 1.

Comes in: the bytes of a packet or of what a tunnel carries. Goes out: for each header its length and the layer that
follows. Layers are named by their EtherType; those that have none are named here: ``PROTOCOL |`` IP protocol number,
and `IP_ANY` where the version nibble must tell.
"""

from __future__ import annotations

from sipanalyzer.kernels import helper, rare_helper
from sipanalyzer.kernels.octets import Octets, be16, be32

__all__ = [
    "BROKEN",
    "ERSPAN",
    "ERSPAN3",
    "ETHERNET",
    "FOREIGN",
    "IPV4",
    "IPV6",
    "IP_ANY",
    "MPLS",
    "MPLS_UPSTREAM",
    "NOTHING",
    "ODD_LINKS",
    "PPP",
    "PPPOE",
    "PROTOCOL",
    "is_ethertype",
    "link_layer",
    "mpls",
    "ppp",
]

ODD_LINKS = (6, 10, 105, 119, 127, 163, 166, 192, 204, 205, 239, 252)
"""Link types that :mod:`sipanalyzer.network.encapsulation` unwraps, one packet at a time."""

# layers by EtherType
NOTHING = 0
IPV4 = 0x0800
IPV6 = 0x86DD
ETHERNET = 0x6558  # transparent Ethernet bridging
MPLS = 0x8847
MPLS_UPSTREAM = 0x8848
PPP = 0x880B
PPPOE = 0x8864
ERSPAN = 0x88BE
ERSPAN3 = 0x22EB
# layers without one
PROTOCOL = 0x10000  # | IP protocol number
IP_ANY = 0x20000
BROKEN = -1  # a header that is cut or senseless
FOREIGN = -3  # a link type that is not decoded here


@rare_helper
def link_layer(data: Octets, at: int, end: int, link: int) -> tuple[int, int]:
    """Header bytes and layer behind the header of a link type other than Ethernet (numbers of tcpdump's registry)."""
    if link == 113:  # Linux cooked, version 1
        return (16, be16(data, at + 14)) if at + 16 <= end else (0, BROKEN)
    if link == 276:  # version 2
        return (20, be16(data, at)) if at + 20 <= end else (0, BROKEN)
    if link == 101 or link == 12 or link == 14:  # raw IP
        return 0, IP_ANY
    if link == 228:
        return 0, IPV4
    if link == 229:
        return 0, IPV6
    if link == 0 or link == 108:  # BSD null and loop: a family in some machine's byte order
        if at + 4 > end:
            return 0, BROKEN
        family = be32(data, at)
        if family > 0xFFFF:
            family = (family >> 24) | ((family >> 8) & 0xFF00)
        if family == 2:
            return 4, IPV4
        if family == 24 or family == 28 or family == 30 or family == 10 or family == 23:
            return 4, IPV6
        return 4, NOTHING
    if link == 9 or link == 50:
        if link == 50 and at + 4 <= end and (int(data[at]) == 0x0F or int(data[at]) == 0x8F) and int(data[at + 1]) == 0:
            return 4, be16(data, at + 2)  # Cisco HDLC in what calls itself PPP
        return 0, PPP
    if link == 51:
        return 0, PPPOE
    if link == 104:  # Cisco HDLC
        return (4, be16(data, at + 2)) if at + 4 <= end else (0, BROKEN)
    return 0, FOREIGN


@helper
def is_ethertype(layer: int) -> bool:
    """Whether an Ethernet header of a pseudowire would rather end with this."""
    return layer == IPV4 or layer == IPV6 or layer == 0x8100 or layer == 0x88A8 or layer == 0x0806 or layer == PPPOE


@rare_helper
def mpls(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Bytes and payload of a label stack (RFC 3032), the payload guessed as everybody must: nothing names it."""
    p = at
    while True:
        if p + 4 > end:
            return 0, BROKEN
        bottom = int(data[p + 2]) & 1
        p += 4
        if bottom:
            break
    if p >= end:
        return 0, BROKEN
    if p + 18 <= end and int(data[p]) & 0xF0 == 0 and is_ethertype(be16(data, p + 16)):
        return p + 4 - at, ETHERNET  # a pseudowire with control word (RFC 4448)
    if p + 14 <= end and is_ethertype(be16(data, p + 12)):
        nibble = (int(data[p]) & 0xF0) >> 4
        if nibble != 4 and nibble != 6:
            return p - at, ETHERNET
    nibble = (int(data[p]) & 0xF0) >> 4
    if nibble == 4 or nibble == 6:
        return p - at, IP_ANY
    return p - at, NOTHING


@rare_helper
def ppp(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Header bytes and layer of a PPP frame (RFC 1661 2, RFC 1662 3.1), compressed fields or not."""
    p = at
    if p + 2 <= end and int(data[p]) == 0xFF and int(data[p + 1]) == 0x03:
        p += 2
    if p >= end:
        return 0, BROKEN
    protocol = int(data[p])
    if protocol & 1:  # compressed: one odd byte
        p += 1
    else:
        if p + 2 > end:
            return 0, BROKEN
        protocol = be16(data, p)
        p += 2
    if protocol == 0x21:
        return p - at, IPV4
    if protocol == 0x57:
        return p - at, IPV6
    if protocol == 0x281 or protocol == 0x283:
        return p - at, MPLS
    return p - at, NOTHING
