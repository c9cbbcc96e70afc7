"""Columns of the row matrix, ``int64[n, WIDTH]``: one self-contained row a packet, as the decoding kernel writes it.

Columns 0-7 and `TRAFFIC`, `HASH` mean the same in every row that has an IP header; columns 8-13 depend on `KIND`.
An address is 128 bits in two signed columns, big-endian halves; IPv4 stands as ``::ffff:a.b.c.d`` (RFC 4291 2.5.5.2),
so its low half is ``0xffff00000000 | a.b.c.d`` and its high half 0.
"""

from __future__ import annotations

WIDTH = 16
"""Columns of the matrix."""

TIME = 0  # ns since 1970
FRAME = 1  # number of the record in its file, from 1
KIND = 2  # one of the kinds below
SRC_HI = 3
SRC_LO = 4
DST_HI = 5
DST_LO = 6
PORTS = 7  # source << 16 | destination

# rows of kind RTP
SSRC = 8
SEQ = 9  # 16 bits
STAMP = 10  # RTP timestamp, 32 bits
SIZE = 11  # payload bytes on the wire, without CSRC, header extension and padding
PT = 12  # marker << 7 | payload type
EVENT = 13  # first four payload bytes, big-endian; 0 where there are fewer

# every other kind: the bytes that somebody else reads
AT = 8  # where they begin (in the block; later in whatever keeps them)
LENGTH = 9  # how many were captured
# rows of kind TCP
TCP_SEQ = 10
TCP_ACK = 11
TCP_FLAGS = 12  # the flag byte; | SIP_START where the payload begins like a SIP message
TCP_WIRE = 13  # payload bytes on the wire (more than LENGTH where the packet was cut)
# rows of kind ODD, UNKNOWN, MALFORMED
LAYER = 10  # ODD: LINK type of the bytes at AT; UNKNOWN: the link type; MALFORMED: a code below
# rows of kind SIP, RTCP, SCTP, HEP, STUN, DTLS
WIRE_LENGTH = 11  # how many bytes there were on the wire (more than LENGTH where the packet was cut)

TRAFFIC = 14  # DSCP | (VLAN id + 1) << 8; the innermost VLAN, 0 in the upper part where there is none
HASH = 15  # 32 bits over addresses, ports and (RTP) SSRC

SIP_START = 256

# kinds
OTHER = 0  # of no interest here; not written
RTP = 1
RTCP = 2
STUN = 3  # (AT, LENGTH: the UDP payload)
SIP = 4  # UDP payload that begins with a SIP start line (AT, LENGTH: the payload)
TCP = 5  # segment with payload, SYN, FIN or RST (AT, LENGTH: its payload)
FRAGMENT = 6  # IP fragment (AT, LENGTH: the whole IP packet)
SCTP = 7  # (AT, LENGTH: the SCTP packet)
HEP = 8  # Homer encapsulation (AT, LENGTH: the UDP payload)
ODD = 9  # a link layer that the kernel does not know (AT, LENGTH: the whole packet; LAYER: its link type)
DTLS = 10  # (AT, LENGTH: the UDP payload)
TURN = 11  # TURN channel data other than RTP and RTCP (these count as themselves); not written, counted
ICMP = 12  # ICMP and ICMPv6 (AT, LENGTH: the ICMP message)
UNKNOWN = 13  # link type that nobody here decodes (LAYER)
MALFORMED = 14  # (LAYER: which)
KINDS = 15

# what was malformed
BAD_LINK = 1
BAD_IP = 2
BAD_TRANSPORT = 3
BAD_TUNNEL = 4
TOO_DEEP = 5
BAD_RTP = 6

# counters that the decoding kernel keeps: int64[COUNTERS]
CUT = KINDS  # packets cut by the snapshot length
COUNTERS = KINDS + 1
