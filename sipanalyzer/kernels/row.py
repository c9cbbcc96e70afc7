"""What a row says of the bytes behind the headers, and its hash. Floor 1.

Comes in: where the payload begins, where it ends as captured and on the wire, and its kind. Goes out: columns 8-13 of
the row, as :mod:`sipanalyzer.kernels.columns` lays them out for that kind.
"""

from __future__ import annotations

from sipanalyzer.kernels import helper, hot_helper
from sipanalyzer.kernels.columns import (
    AT,
    DTLS,
    EVENT,
    HEP,
    LAYER,
    LENGTH,
    MALFORMED,
    ODD,
    PT,
    RTCP,
    SCTP,
    SEQ,
    SIP,
    SIP_START,
    SIZE,
    SSRC,
    STAMP,
    STUN,
    TCP,
    TCP_ACK,
    TCP_FLAGS,
    TCP_SEQ,
    TCP_WIRE,
    UNKNOWN,
    WIRE_LENGTH,
)
from sipanalyzer.kernels.octets import Matrix, Octets, be16, be32
from sipanalyzer.kernels.payload import rtp_header_bytes
from sipanalyzer.kernels.sipstart import looks_like_sip

__all__ = ["row_hash", "write_bytes", "write_rtp"]


@hot_helper
def row_hash(src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, ports: int, ssrc: int) -> int:
    """The `HASH` column: 32 bits over addresses, ports and SSRC, spread well in the low bits.

    Every product stays under 2**63, so interpreted and compiled agree. The four multiplications wait for nothing, which
    costs half of what a chain of them does.
    """
    mixed = ((src_lo ^ (src_lo >> 32)) & 0xFFFFFFFF) * 0x5BD1E995 & 0xFFFFFFFF
    mixed ^= ((dst_lo ^ (dst_lo >> 32)) & 0xFFFFFFFF) * 0x2C1B3C6D & 0xFFFFFFFF
    mixed ^= ports * 0x297A2D39 & 0xFFFFFFFF
    mixed ^= ssrc * 0x1B56C4E9 & 0xFFFFFFFF
    if src_hi != 0 or dst_hi != 0:
        mixed ^= ((src_hi ^ (src_hi >> 32)) & 0xFFFFFFFF) * 0x165667B1 & 0xFFFFFFFF
        mixed ^= ((dst_hi ^ (dst_hi >> 32)) & 0xFFFFFFFF) * 0x27D4EB2F & 0xFFFFFFFF
    mixed ^= mixed >> 16
    mixed = mixed * 0x21F0AAAD & 0xFFFFFFFF
    mixed ^= mixed >> 15
    mixed = mixed * 0x735A2D97 & 0xFFFFFFFF
    return mixed ^ (mixed >> 15)


@hot_helper
def write_rtp(data: Octets, at: int, end: int, wire: int, rows: Matrix, n: int) -> int:
    """Fill ``rows[n]`` with what an RTP header says (RFC 3550 5.1); returns the SSRC.

    The header is known to fit. Its extension and padding are no payload.
    """
    ssrc = be32(data, at + 8)
    header = rtp_header_bytes(data, at, end, wire)
    size = wire - at - header
    if int(data[at]) & 32 and end == wire and size > 0 and int(data[end - 1]) <= size:
        size -= int(data[end - 1])  # where padding is senseless the packet is encrypted
    rows[n, SSRC] = ssrc
    rows[n, SEQ] = be16(data, at + 2)
    rows[n, STAMP] = be32(data, at + 4)
    rows[n, SIZE] = size
    rows[n, PT] = int(data[at + 1])
    rows[n, EVENT] = be32(data, at + header) if size >= 4 and at + header + 4 <= end else 0
    return ssrc


@helper
def write_bytes(data: Octets, at: int, end: int, wire: int, kind: int, what: int, rows: Matrix, n: int) -> int:
    """Fill ``rows[n]`` with where the bytes of any other kind are; returns where they begin.

    `what` is a link type, or for `MALFORMED` what was malformed.
    """
    rows[n, TCP_SEQ] = 0  # LAYER is the same column, as WIRE_LENGTH is that of TCP_ACK
    rows[n, TCP_ACK] = 0
    rows[n, TCP_FLAGS] = 0
    rows[n, TCP_WIRE] = 0
    if kind == TCP:
        flags = int(data[at + 13])
        rows[n, TCP_SEQ] = be32(data, at + 4)
        if flags & 16:
            rows[n, TCP_ACK] = be32(data, at + 8)
        at += (int(data[at + 12]) & 0xF0) >> 2
        rows[n, TCP_WIRE] = wire - at
        if at > end:
            at = end  # cut within the options
        rows[n, TCP_FLAGS] = flags | SIP_START if looks_like_sip(data, at, end) else flags
    elif kind == SIP or kind == RTCP or kind == SCTP or kind == HEP or kind == STUN or kind == DTLS:
        rows[n, WIRE_LENGTH] = wire - at
    elif kind == MALFORMED or kind == ODD or kind == UNKNOWN:
        rows[n, LAYER] = what
    rows[n, AT] = at
    rows[n, LENGTH] = end - at
    return at
