"""What a UDP payload is: SIP, RTP, RTCP, STUN, DTLS, TURN channel data, HEP or something else. Floor 1.

Comes in: the bytes of one payload, and where it ended on the wire before the snapshot length cut it. Goes out: its
kind, and for RTP how long the header is. Ports decide nothing here. RFC 7983 tells the protocols that share a media
socket apart by their first byte; each of them must also fit its length, since UDP that belongs to none is common.
"""

from __future__ import annotations

from sipanalyzer.kernels import hot_helper, rare_helper
from sipanalyzer.kernels.columns import DTLS, HEP, OTHER, RTCP, RTP, SIP, STUN, TURN
from sipanalyzer.kernels.octets import Octets, be16, be32
from sipanalyzer.kernels.sipstart import looks_like_sip

__all__ = ["payload_kind", "rtp_header_bytes"]


@hot_helper
def rtp_header_bytes(data: Octets, at: int, end: int, wire: int) -> int:
    """Length of an RTP header with its CSRC list and extension (RFC 3550 5.1, 5.3.1), or 0 where it does not fit.

    Parameters
    ----------
    data : uint8[:]
        Bytes of a capture; version 2 has been checked.
    at, end : int
        The UDP payload as captured.
    wire : int
        Where it ended on the wire; `end` or more.
    """
    if at + 12 > end:
        return 0
    first = int(data[at])
    header = 12 + 4 * (first & 15)
    if first & 16:
        if at + header + 4 <= end:
            header += 4 + 4 * be16(data, at + header + 2)
        else:
            header += 4  # the extension's length was cut off
    if at + header > wire:
        return 0
    return header


@rare_helper
def _is_classic_stun(data: Octets, at: int, length: int) -> bool:
    """Whether STUN without a magic cookie (RFC 3489 11.1): one of its six types, and a length that is exact."""
    message = be16(data, at)
    known = (message & 0xFEEF) == 0x0001 or (message & 0xFEEF) == 0x0002
    return known and message != 0x0011 and message != 0x0012 and be16(data, at + 2) + 20 == length


@rare_helper
def _is_old_hep(data: Octets, at: int, end: int, length: int) -> bool:
    """Whether HEP version 1 or 2: the header's length must be that of its address family, the protocol a transport."""
    if at + 8 > end:
        return False
    size = int(data[at + 1])
    family = int(data[at + 2])
    protocol = int(data[at + 3])
    plain = 16
    if family != 2:
        if family != 10 and family != 24 and family != 28 and family != 30:  # AF_INET6 of Linux, the BSDs, Darwin
            return False
        plain = 40
    timed = plain + 12 if int(data[at]) == 2 else plain  # time and capture agent; some count them, some do not
    return (size == plain or size == timed) and (protocol == 17 or protocol == 6 or protocol == 132) and timed < length


@hot_helper
def payload_kind(data: Octets, at: int, end: int, wire: int) -> int:
    """Kind of a UDP payload (a constant of `columns`).

    Parameters
    ----------
    data : uint8[:]
        Bytes of a capture.
    at, end : int
        The payload as captured.
    wire : int
        Where it ended on the wire; `end` or more.
    """
    captured = end - at
    length = wire - at
    if captured < 4:
        return OTHER
    first = int(data[at])
    if first >= 128:
        if first >= 192:
            return OTHER
        second = int(data[at + 1])
        # RFC 5761 4: 192-223 is RTCP; a length that does not fit makes it RTP with a marker and payload type 64-95
        if second >= 192 and second <= 223 and length >= 8 and 4 * be16(data, at + 2) + 4 <= length:
            return RTCP
        if rtp_header_bytes(data, at, end, wire) > 0:
            return RTP
        return OTHER
    if first == 72 and captured >= 6 and be32(data, at) == 0x48455033:  # HEP3
        total = be16(data, at + 4)
        if total > 6 and total <= length:
            return HEP
    if first == 1 or first == 2:
        if _is_old_hep(data, at, end, length):
            return HEP
    if first == 13 or first == 10 or first >= 33:
        if looks_like_sip(data, at, end):
            return SIP
    if first < 4:
        if captured >= 20 and length >= 20:
            if be32(data, at + 4) == 0x2112A442:
                return STUN
            if _is_classic_stun(data, at, length):
                return STUN
        return OTHER
    if first >= 20 and first <= 63:
        version = int(data[at + 2])
        if captured >= 13 and int(data[at + 1]) == 0xFE and (version == 0xFF or version == 0xFD or version == 0xFC):
            return DTLS
        return OTHER
    if first >= 64 and first <= 79:
        fill = length - 4 - be16(data, at + 2)  # over TCP only, padded to four bytes; some pad over UDP too
        if fill >= 0 and fill <= 3:
            return TURN
    return OTHER
