"""Every setting of an analysis, with its default and why. Floor 0.

All caps are finite: what an attacker writes into a capture cannot make memory grow without end. A cap that bites leaves
an anomaly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Options"]

_AT_LEAST_ONE = frozenset({"block_bytes", "max_record_bytes", "max_block_bytes"})
"""Without a byte of room a reader could not move on."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one analysis; the defaults suit nearly everything."""

    # reading
    block_bytes: int = 8 << 20
    """Size of the blocks in which a capture is read; results do not depend on it."""
    max_record_bytes: int = 262_144
    """Largest packet record believed; a larger length means that the file is damaged (libpcap's MAXIMUM_SNAPLEN)."""
    max_block_bytes: int = 64 << 20
    """Largest pcapng block of another kind than packets that is skipped rather than called damage."""
    sort_records: int = 1_000
    """Sorting window in records: a record may stand this many records too late."""
    sort_ns: int = 1_000_000_000
    """Sorting window in time (ns): a record earlier by more than this is a clock step, and left where it is."""
    from_time_ns: int | None = None
    """Packets before this time (ns since 1970) are left out."""
    to_time_ns: int | None = None
    """Packets after this time (ns since 1970) are left out."""
    # network
    max_tunnel_depth: int = 8
    """Tunnels and tags nested deeper are not decoded."""
    max_fragments: int = 4_096
    """IP datagrams under reassembly at a time."""
    max_fragment_bytes: int = 64 << 20
    """Bytes of IP fragments kept, with what keeping each of them costs; the oldest datagram goes first."""
    max_datagram_bytes: int = 65_535
    """Largest reassembled datagram."""
    fragment_timeout_ns: int = 30_000_000_000
    """A datagram whose first fragment is older is given up (RFC 791 proposes 15 s, RFC 8200 60 s)."""
    max_tcp_connections: int = 65_536
    """TCP connections followed at a time; the one silent for longest goes first."""
    max_tcp_pending_bytes: int = 262_144
    """Out-of-order bytes kept for one direction of a TCP connection before the hole is called a loss."""
    max_pending_bytes: int = 64 << 20
    """Out-of-order TCP bytes and SCTP fragments kept over all connections."""
    tcp_hole_timeout_ns: int = 3_000_000_000
    """A hole in a TCP direction that is this old is called a loss."""
    # SIP
    max_sip_message_bytes: int = 262_144
    """Largest SIP message; a longer one is cut."""
    max_sip_bytes: int = 8 << 30
    """All SIP bytes kept."""
    duplicate_ns: int = 50_000_000
    """The same bytes between the same endpoints sooner than this are a capture duplicate, later a retransmission."""
    transaction_timeout_ns: int = 32_000_000_000
    """RFC 3261 timers B, F, H: 64 times T1. After this a request is unanswered."""
    # RTP
    probation_packets: int = 2
    """Packets in sequence that make a stream where no SDP announces the socket (RFC 3550 A.1 MIN_SEQUENTIAL)."""
    probation_candidates: int = 8_192
    """Candidates held in each of the two generations of the probation table."""
    max_streams: int = 1_000_000
    """RTP streams tabled."""
    silence_split_ns: int = 60_000_000_000
    """Without SDP a key that comes back with a restart after this silence is a new stream."""
    stale_binding_ns: int = 10_000_000_000
    """A call without BYE gives its sockets up to the next call once its media and signalling were silent this long."""
    unanswered_binding_ns: int = 180_000_000_000
    """A call without answer, end and media keeps its sockets this long after its last message (RFC 3261 timer C)."""
    # the engine room
    compile_packets: int = 20_000
    """Work (packets) from which compiled kernels pay for loading them; below it they run interpreted."""
    compile_bytes: int = 4 << 20
    """A capture whose file is at least this large is taken as work enough."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValueError(f"option {field.name} must be a whole number, not {value!r}")
            least = 1 if field.name in _AT_LEAST_ONE else 0
            if value < least and field.default is not None:
                raise ValueError(f"option {field.name} must be at least {least}, not {value}")
        if self.from_time_ns is not None and self.to_time_ns is not None and self.from_time_ns > self.to_time_ns:
            raise ValueError("the time to begin at is later than the time to end at: nothing can be between them")
