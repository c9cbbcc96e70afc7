"""One packet into one row: link, tunnels, IP, UDP and TCP, and what the payload is. Floor 1.

Comes in: a captured packet as a stretch of bytes, its link type, time and frame number. Goes out: at most one row of
the matrix that :mod:`sipanalyzer.kernels.columns` lays out, and a counter moved on. Addresses, ports, VLAN and DSCP are
the innermost ones. What only few packets have (IEEE 802.11, HEP, fragments, TCP streams) goes out as a row that says
where its bytes are; floor 3 takes it from there and may come back with :func:`decode_one`.

Every layer checks that its bytes are there before it reads them; two ends are carried along, `end` for what was
captured and `wire` for what was sent, since the snapshot length may have cut the packet. IP and UDP lengths bound both.
"""

from __future__ import annotations

from sipanalyzer.kernels import hot_helper, kernel, rare_helper
from sipanalyzer.kernels.columns import (
    BAD_IP,
    BAD_LINK,
    BAD_TRANSPORT,
    BAD_TUNNEL,
    DST_HI,
    DST_LO,
    FRAGMENT,
    FRAME,
    HASH,
    ICMP,
    KIND,
    MALFORMED,
    ODD,
    OTHER,
    PORTS,
    RTCP,
    RTP,
    SCTP,
    SRC_HI,
    SRC_LO,
    TCP,
    TIME,
    TOO_DEEP,
    TRAFFIC,
    TURN,
    UNKNOWN,
)
from sipanalyzer.kernels.link import (
    BROKEN,
    ERSPAN,
    ERSPAN3,
    ETHERNET,
    FOREIGN,
    IP_ANY,
    IPV4,
    IPV6,
    MPLS,
    MPLS_UPSTREAM,
    NOTHING,
    ODD_LINKS,
    PPP,
    PPPOE,
    PROTOCOL,
    link_layer,
    mpls,
    ppp,
)
from sipanalyzer.kernels.octets import Matrix, Octets, be16, be32, signed64
from sipanalyzer.kernels.payload import payload_kind
from sipanalyzer.kernels.row import row_hash, write_bytes, write_rtp
from sipanalyzer.kernels.tunnels import PLAIN, erspan, gre, is_udp_tunnel_port, udp_tunnel

__all__ = ["decode_one", "decode_packet"]

_MAPPED = 0xFFFF00000000  # RFC 4291 2.5.5.2


@rare_helper
def _next_header(data: Octets, at: int, end: int, protocol: int) -> tuple[int, int]:
    """Bytes and successor of an IPv6 extension header (RFC 8200 4) or an AH (RFC 4302 2); 0 bytes where it is cut."""
    if at + 8 > end:
        return 0, 0
    size = 8 + 8 * int(data[at + 1]) if protocol != 51 else 8 + 4 * int(data[at + 1])
    return (size, int(data[at])) if at + size <= end else (0, 0)


@hot_helper
def decode_packet(
    data: Octets,
    at: int,
    end: int,
    wire_length: int,
    link: int,
    time: int,
    frame: int,
    max_depth: int,
    rows: Matrix,
    n: int,
    counts: Matrix,
) -> int:
    """Decode one captured packet into ``rows[n]``, or into nothing.

    Parameters
    ----------
    data : uint8[:]
        Bytes that hold the packet.
    at, end : int
        Where the packet as captured begins and ends.
    wire_length : int
        How many bytes it had on the wire.
    link : int
        Link type, a number of tcpdump's registry.
    time, frame : int
        Nanoseconds since 1970, and the packet's number in its file; copied into the row.
    max_depth : int
        Tags and tunnels nested deeper make the packet `MALFORMED`, `TOO_DEEP`.
    rows : int64[:, 16]
        Where the row goes (layout: `columns`); ``rows[n]`` must exist.
    n : int
        The row's number.
    counts : int64[:]
        Packets of each kind; moved on by one.

    Returns
    -------
    int
        `n`, or ``n + 1`` where a row was written: for all kinds but `OTHER` and `TURN`.
    """
    p = at
    wire = at + wire_length
    if wire < end:
        wire = end
    kind = OTHER
    bad = 0
    depth = 0
    traffic = 0  # VLAN part
    dscp = 0
    version = 0
    src_hi = 0
    src_lo = 0
    dst_hi = 0
    dst_lo = 0
    ports = 0
    layer = ETHERNET
    if link != 1:
        size, layer = link_layer(data, at, end, link)
        p += size
        if layer == FOREIGN:
            kind = ODD if link in ODD_LINKS else UNKNOWN
            layer = NOTHING
        elif layer == BROKEN:
            bad = BAD_LINK
            layer = NOTHING

    while layer != NOTHING:
        if depth > max_depth:
            bad = TOO_DEEP
            break
        if layer == ETHERNET:
            if p + 14 > end:
                bad = BAD_LINK
                break
            layer = be16(data, p + 12)
            p += 14
            if layer <= 1500:  # IEEE 802.3 length: only SNAP carries IP (RFC 1042)
                if p + 8 > end or be32(data, p) != 0xAAAA0300 or be16(data, p + 4) != 0:
                    break
                layer = be16(data, p + 6)
                p += 8
        if layer == IPV4:
            if p + 20 > end:
                bad = BAD_IP
                break
            first = int(data[p])
            size = 4 * (first & 15)
            total = be16(data, p + 2)
            if first & 0xF0 != 0x40 or size < 20 or p + size > end or (total < size and total != 0):
                bad = BAD_IP
                break
            if total != 0:  # 0: the network card was to cut it up; the frame's end must do
                wire = p + total
                if end > wire:
                    end = wire
            version = 4
            dscp = (int(data[p + 1]) & 0xFC) >> 2
            src_hi = 0
            src_lo = _MAPPED | be32(data, p + 12)
            dst_hi = 0
            dst_lo = _MAPPED | be32(data, p + 16)
            if be16(data, p + 6) & 0x3FFF:
                kind = FRAGMENT
                break
            layer = PROTOCOL | int(data[p + 9])
            p += size
        elif layer == IPV6:
            if p + 40 > end or int(data[p]) & 0xF0 != 0x60:
                bad = BAD_IP
                break
            total = be16(data, p + 4)
            if total != 0:  # 0: a jumbogram, or as above
                wire = p + 40 + total
                if end > wire:
                    end = wire
            version = 6
            dscp = (be16(data, p) >> 6) & 63
            src_hi = signed64(data, p + 8)
            src_lo = signed64(data, p + 16)
            dst_hi = signed64(data, p + 24)
            dst_lo = signed64(data, p + 32)
            packet = p
            protocol = int(data[p + 6])
            p += 40
            while protocol == 0 or protocol == 43 or protocol == 60 or protocol == 44 or protocol == 135:
                if protocol == 44:
                    if p + 8 > end:
                        bad = BAD_IP
                        break
                    if be16(data, p + 2) & 0xFFF9:
                        kind = FRAGMENT
                        break
                    protocol = int(data[p])  # atomic (RFC 6946)
                    p += 8
                    continue
                size, protocol = _next_header(data, p, end, protocol)
                p += size
                if size == 0:
                    bad = BAD_IP
                    break
            if bad != 0:
                break
            if kind == FRAGMENT:
                p = packet
                break
            layer = PROTOCOL | protocol
        elif layer == PROTOCOL | 17:
            if p + 8 > end:
                bad = BAD_TRANSPORT
                break
            ports = be32(data, p)
            total = be16(data, p + 4)
            if total != 0 and total < 8:
                bad = BAD_TRANSPORT
                break
            if total != 0 and p + total < wire:
                wire = p + total
                if end > wire:
                    end = wire
            p += 8
            if is_udp_tunnel_port(ports >> 16, ports & 0xFFFF):
                size, layer = udp_tunnel(data, p, end, wire, ports >> 16, ports & 0xFFFF)
                if layer == BROKEN:
                    bad = BAD_TUNNEL
                    break
                if layer != PLAIN:
                    p += size
                    ports = 0
                    depth += 1
                    continue
            kind = payload_kind(data, p, end, wire)
            if kind == TURN:  # media that a relay passes on (RFC 8656 12.4)
                relayed = p + 4 + be16(data, p + 2)
                inside = payload_kind(data, p + 4, min(end, relayed), relayed)
                if inside == RTP or inside == RTCP:
                    kind = inside
                    p += 4
                    end = min(end, relayed)
                    wire = relayed
            break
        elif layer == PROTOCOL | 6:
            if p + 20 > end:
                bad = BAD_TRANSPORT
                break
            size = (int(data[p + 12]) & 0xF0) >> 2
            if size < 20 or p + size > wire:
                bad = BAD_TRANSPORT
                break
            ports = be32(data, p)
            if wire > p + size or int(data[p + 13]) & 7:  # payload, or SYN, FIN, RST
                kind = TCP
            break
        elif layer == IP_ANY:
            if p >= end or (int(data[p]) & 0xF0 != 0x40 and int(data[p]) & 0xF0 != 0x60):
                bad = BAD_IP
                break
            layer = IPV4 if int(data[p]) & 0xF0 == 0x40 else IPV6
        elif layer == 0x8100 or layer == 0x88A8 or layer == 0x9100 or layer == 0x9200:
            if p + 4 > end:
                bad = BAD_LINK
                break
            traffic = ((be16(data, p) & 0xFFF) + 1) << 8
            layer = be16(data, p + 2)
            p += 4
            depth += 1
        elif layer == MPLS or layer == MPLS_UPSTREAM:
            size, layer = mpls(data, p, end)
            p += size
            depth += 1
            if layer == BROKEN:
                bad = BAD_LINK
                break
        elif layer == PPPOE:
            if p + 6 > end or int(data[p]) != 0x11:
                bad = BAD_LINK
                break
            if int(data[p + 1]) != 0:
                break
            p += 6
            layer = PPP
        elif layer == PPP:
            size, layer = ppp(data, p, end)
            p += size
            depth += 1
            if layer == BROKEN:
                bad = BAD_LINK
                break
        elif layer == PROTOCOL | 4 or layer == PROTOCOL | 41:
            layer = IPV4 if layer == PROTOCOL | 4 else IPV6
            depth += 1
        elif layer == PROTOCOL | 47:
            size, layer = gre(data, p, end)
            p += size
            depth += 1
            if layer == BROKEN:
                bad = BAD_TUNNEL
                break
        elif layer == ERSPAN or layer == ERSPAN3:
            size, layer = erspan(data, p, end, layer)
            p += size
            depth += 1
            if layer == BROKEN:
                bad = BAD_TUNNEL
                break
        elif layer == PROTOCOL | 51:
            size, layer = _next_header(data, p, end, 51)
            if size == 0:
                bad = BAD_IP
                break
            layer |= PROTOCOL
            p += size
        elif layer == PROTOCOL | 132:
            if p + 12 > end:
                bad = BAD_TRANSPORT
                break
            ports = be32(data, p)
            kind = SCTP
            break
        elif (layer == PROTOCOL | 1 and version == 4) or (layer == PROTOCOL | 58 and version == 6):
            kind = ICMP
            break
        elif layer == PROTOCOL | 137:
            layer = MPLS
        else:
            break

    if bad != 0:
        kind = MALFORMED
    counts[kind] += 1
    if kind == OTHER or kind == TURN:
        return n
    rows[n, TIME] = time
    rows[n, FRAME] = frame
    rows[n, KIND] = kind
    rows[n, SRC_HI] = src_hi
    rows[n, SRC_LO] = src_lo
    rows[n, DST_HI] = dst_hi
    rows[n, DST_LO] = dst_lo
    rows[n, PORTS] = ports
    rows[n, TRAFFIC] = dscp | traffic
    ssrc = 0
    if kind == RTP:
        ssrc = write_rtp(data, p, end, wire, rows, n)
    else:
        write_bytes(data, p, end, wire, kind, bad if kind == MALFORMED else link, rows, n)
    rows[n, HASH] = row_hash(src_hi, src_lo, dst_hi, dst_lo, ports, ssrc)
    return n + 1


@kernel
def decode_one(
    data: Octets,
    at: int,
    end: int,
    wire_length: int,
    link: int,
    time: int,
    frame: int,
    max_depth: int,
    rows: Matrix,
    counts: Matrix,
) -> int:
    """Decode a single packet into ``rows[0]``: what was unwrapped or reassembled elsewhere.

    Parameters and result are those of :func:`decode_packet`; 0 or 1 rows are written.
    """
    return decode_packet(data, at, end, wire_length, link, time, frame, max_depth, rows, 0, counts)
