"""Every setting of an analysis, with its default and why. Floor 0.

All caps are finite: what an attacker writes into a capture cannot make memory grow without end. A cap that bites leaves
an anomaly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["LIMITS", "Options", "parse_settings"]

_AT_LEAST_ONE = frozenset({"block_bytes", "max_record_bytes", "max_block_bytes", "gmin", "interval_ns"})
"""Without a byte of room a reader could not move on; nor could time."""
_SECRET = frozenset({"redact_key"})
"""Texts that are shown nowhere."""
_CHOICES = {"playout_mode": ("fixed", "adaptive")}


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one analysis; the defaults suit nearly everything."""

    # reading
    block_bytes: int = 24 << 20
    """Size of the blocks in which a capture is read; results do not depend on it."""
    max_record_bytes: int = 262_144
    """Largest packet record believed; a larger length means that the file is damaged (libpcap's MAXIMUM_SNAPLEN)."""
    max_block_bytes: int = 64 << 20
    """Largest pcapng block of another kind than packets that is skipped rather than called damage."""
    max_inflated_bytes: int = 1 << 30
    """A compressed capture may always grow to this; beyond it only by `max_inflated_ratio`."""
    max_inflated_ratio: int = 200
    """Decompressed bytes for each compressed one that are believed of a capture; beyond it no more is read."""
    sort_records: int = 1_000
    """Sorting window in records: a record may stand this many records too late."""
    sort_ns: int = 1_000_000_000
    """Sorting window in time (ns): a record earlier by more than this is a clock step, and left where it is."""
    from_time_ns: int | None = None
    """Packets before this time (ns since 1970) are left out."""
    to_time_ns: int | None = None
    """Packets after this time (ns since 1970) are left out."""
    redact: bool = False
    """Numbers, names, hosts, addresses, identifiers, bodies and media are replaced before anything is read of them."""
    redact_key: str | None = field(default=None, repr=False)
    """Text on which the replacements depend: equal keys, equal replacements. None: a random one for each analysis."""
    max_redaction_bytes: int = 384 << 20
    """Bytes of TCP, SCTP and fragments that a redaction keeps to replace them as a whole; what follows is wiped."""
    show_secrets: bool = False
    """Answers to challenges, passwords in URIs and keys of media are shown in messages; they are blanked otherwise."""
    # network
    max_tunnel_depth: int = 8
    """Tunnels and tags nested deeper are not decoded."""
    max_hep_inflated_bytes: int = 262_144
    """Bytes that a compressed payload of HEP may become; a larger one is not decoded."""
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
    max_messages: int = 1_000_000
    """SIP messages kept."""
    max_calls: int = 150_000
    """Different Call-IDs; messages of further ones are dropped. Each costs some 5 kB with its messages."""
    max_call_bindings: int = 1_024
    """Sockets that the descriptions of one call keep open at a time; further ones are not tied to it."""
    max_body_parts: int = 64
    """Parts read of the body of one message, those of nested multiparts included."""
    max_body_depth: int = 4
    """Multiparts opened inside each other; what is nested deeper stays whole."""
    max_sdp_bytes: int = 65_536
    """Bytes read of a session description."""
    max_sdp_lines: int = 2_000
    """Lines read of a session description."""
    max_sdp_media: int = 64
    """Media read of a session description."""
    max_sdp_values: int = 128
    """Formats, and likewise candidates, keys and attributes that mean nothing here, kept of one media description."""
    duplicate_ns: int = 50_000_000
    """The same bytes between the same endpoints sooner than this are a capture duplicate, later a retransmission."""
    transaction_timeout_ns: int = 32_000_000_000
    """RFC 3261 timers B, F, H: 64 times T1. After this a request is unanswered."""
    # RTP
    probation_packets: int = 2
    """Packets in sequence that make a stream where no SDP announces the socket (RFC 3550 A.1 MIN_SEQUENTIAL)."""
    probation_candidates: int = 8_192
    """Candidates held in each of the two generations of the probation table."""
    max_streams: int = 100_000
    """RTP streams tabled; each costs some 8 kB."""
    silence_split_ns: int = 60_000_000_000
    """Without SDP a key that comes back with a restart after this silence is a new stream."""
    stale_binding_ns: int = 10_000_000_000
    """A call without BYE gives its sockets up to the next call once its media and signalling were silent this long."""
    unanswered_binding_ns: int = 180_000_000_000
    """A call without answer, end and media keeps its sockets this long after its last message (RFC 3261 timer C)."""
    # playout and quality
    playout_ms: float = 60.0
    """Depth of the jitter buffer that decides what came too late."""
    playout_mode: str = "fixed"
    """``fixed``; ``adaptive``: from `playout_ms` as far up as lateness asks for, to `playout_most_ms`."""
    playout_most_ms: float = 200.0
    """Depth that an adaptive jitter buffer does not exceed."""
    gmin: int = 16
    """Good packets in a row that end a burst (RFC 3611 4.7.2)."""
    interval_ns: int = 10_000_000_000
    """Length of the intervals of the table `intervals`."""
    max_intervals: int = 1_000_000
    """Intervals tabled."""
    max_outages: int = 100_000
    """Holes of five packets and more that are remembered with their times."""
    max_digits: int = 100_000
    """Telephone events remembered."""
    concealment: bool = True
    """Receivers of G.711 conceal lost packets (ITU-T G.711 Appendix I); without it Bpl is 4.3 instead of 25.1."""
    one_way_delay_ms: float | None = None
    """One-way delay of the E-model; None: half the round trip from RTCP and the playout delay, else that alone."""
    talker_echo_loudness_db: float = 65.0
    """TELR of the E-model (ITU-T G.107 table 3)."""
    advantage: float = 0.0
    """Advantage factor A of the E-model: up to 10 for mobile networks, 20 for satellites (ITU-T G.107 table 2)."""
    # evidence beside the messages
    max_rtcp: int = 500_000
    """Lines of the table `rtcp`."""
    max_faults: int = 100_000
    """ICMP errors, and likewise failed connections, remembered one by one; what is the same is counted together."""
    large_segment_bytes: int = 2_000
    """A TCP segment with more payload is larger than Ethernet carries (1,500 bytes): a network card cut it up later."""
    connect_timeout_ns: int = 3_000_000_000
    """A SYN that was sent again is unanswered after this (RFC 6298: sent again after 1 s, then after 2 s)."""
    tls_timeout_ns: int = 5_000_000_000
    """A TLS ClientHello is unanswered after this."""
    # statistics
    max_statistics_scopes: int = 1_000
    """Pairs of hosts, and likewise hours, that have statistics of their own; the others are taken together."""
    # sessions
    correlation_headers: tuple[str, ...] = (
        "X-Call-ID",
        "X-CID",
        "X-Correlation-ID",
        "X-Original-Call-ID",
        "X-UCID",
        "X-Asterisk-Call-ID",
        "X-B2B-Call-ID",
        "X-BroadWorks-Correlation-Info",
        "X-Inin-Crn",
        "P-Asterisk-Linkedid",
        "Cisco-Guid",
        "Av-Global-Session-ID",
        "X-Sip-Call-ID",
        "User-to-User",
    )
    """Headers whose equal value in two calls, or the other's Call-ID in one, makes them legs of one conversation."""
    session_score: float = 1.0
    """Evidence from which two calls are joined."""
    session_window_ns: int = 10_000_000_000
    """Legs that only numbers join begin within this of each other."""
    # findings: thresholds
    min_quality_ns: int = 5_000_000_000
    """Streams shorter than this raise no finding of quality, and set no call's MOS."""
    high_loss_warning_percent: float = 1.0
    """Loss after the jitter buffer from which `high-loss` is a warning (Cisco QoS SRND: no more than 1 %)."""
    high_loss_error_percent: float = 5.0
    """Such loss from which it is an error (ITU-T G.1010 asks for less than 3 % of conversational voice)."""
    high_jitter_warning_ms: float = 30.0
    """Highest interarrival jitter from which `high-jitter` is a warning (Cisco QoS SRND: no more than 30 ms)."""
    high_jitter_error_ms: float = 60.0
    """Such jitter from which it is an error, where packets came too late; the depth of the default jitter buffer."""
    low_mos_warning_r: float = 70.0
    """R below which `low-mos` is a warning, on the narrowband scale's range (ITU-T G.109: many users dissatisfied)."""
    low_mos_error_r: float = 60.0
    """R below which it is an error, likewise (ITU-T G.109: nearly all users dissatisfied)."""
    post_dial_delay_warning_ms: float = 8_000.0
    """Delay from which `high-post-dial-delay` is a warning (ITU-T E.721: 95 % of toll calls)."""
    post_dial_delay_error_ms: float = 11_000.0
    """Delay from which it is an error (ITU-T E.721: 95 % of international calls)."""
    late_media_ms: float = 1_500.0
    """First packet this long after the answer is `late-media`, per direction (ITU-T E.721, answer signal delay)."""
    media_timeout_ns: int = 10_000_000_000
    """Media stopped this long before the BYE while the other direction ran on."""
    clock_drift_ppm: float = 100.0
    """Drift from which `clock-drift` is found; crystals keep within 50 ppm each."""
    clock_drift_ns: int = 60_000_000_000
    """Shortest stream whose drift is judged."""
    retransmissions: int = 2
    """Retransmissions in one transaction from which `retransmissions` is found."""
    missing_ack: int = 2
    """Times that a 2xx was sent again while no ACK came, from which `missing-ack` is found (RFC 3261 13.3.1.4)."""
    unanswered_retransmissions: int = 3
    """Times that a request was sent again while no response came (RFC 3261 timers A and E)."""
    missing_bye_ns: int = 60_000_000_000
    """An answered call's media ended this long before the capture's end, and no BYE."""
    scanner_targets: int = 10
    """Targets that one source must have tried within `scanner_window_ns` to be a `scanner`."""
    scanner_window_ns: int = 60_000_000_000
    """Length of the window in which its targets are counted."""
    scanner_failed_percent: float = 80.0
    """Share of the answers it drew that must have been refusals."""
    duplicated_percent: float = 45.0
    """Share of packets that stand twice, from which the capture was taken at a mirror port."""
    # the engine room
    compile_packets: int = 20_000
    """Work (packets) from which compiled kernels pay for loading them; below it they run interpreted."""
    compile_bytes: int = 4 << 20
    """A capture whose file is at least this large is taken as work enough."""

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.default)
        if self.from_time_ns is not None and self.to_time_ns is not None and self.from_time_ns > self.to_time_ns:
            raise ValueError("the time to begin at is later than the time to end at: nothing can be between them")


LIMITS: dict[str, tuple[str, ...]] = {
    "max_record_bytes": (),
    "max_block_bytes": (),
    "max_inflated_bytes": ("inflated-limit",),
    "max_inflated_ratio": ("inflated-limit",),
    "max_redaction_bytes": ("redaction-limit",),
    "max_tunnel_depth": ("tunnel-depth",),
    "max_hep_inflated_bytes": ("malformed-tunnel",),
    "max_fragments": ("fragment-limit",),
    "max_fragment_bytes": ("fragment-limit",),
    "max_datagram_bytes": ("fragment-limit", "fragment-missing"),
    "max_tcp_connections": ("tcp-limit",),
    "max_tcp_pending_bytes": ("tcp-lost-segment",),
    "max_pending_bytes": ("tcp-limit", "tcp-lost-segment", "sctp-missing-chunk"),
    "max_sip_message_bytes": ("sip-too-large",),
    "max_sip_bytes": ("sip-limit",),
    "max_messages": ("sip-limit",),
    "max_calls": ("sip-call-limit",),
    "max_call_bindings": ("sdp-limit",),
    "max_body_parts": ("sip-body-limit",),
    "max_body_depth": ("sip-body-limit",),
    "max_sdp_bytes": ("sdp-malformed",),
    "max_sdp_lines": ("sdp-malformed",),
    "max_sdp_media": ("sdp-malformed",),
    "max_sdp_values": ("sdp-malformed",),
    "max_streams": ("rtp-stream-limit",),
    "max_intervals": ("rtp-interval-limit",),
    "max_outages": ("rtp-outage-limit",),
    "max_digits": ("rtp-event-limit",),
    "max_rtcp": ("rtcp-limit",),
    "max_faults": ("fault-limit", "msrp-limit"),
    "max_statistics_scopes": (),
}
"""Every cap, with the anomalies that tell of it. Where there is none the file is damaged there (status 1, one line says
where), or what is more is counted together."""


def _check(name: str, value: object, default: object) -> None:
    """Refuse a value that is not of the default's kind."""
    if name in _SECRET:
        if value is not None and (not isinstance(value, str) or not value):
            raise ValueError(f"option {name} must be a text that is not empty")
    elif isinstance(default, tuple):
        if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"option {name} must be a tuple of texts, not {value!r}")
    elif isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError(f"option {name} must be True or False, not {value!r}")
    elif isinstance(default, str):
        if value not in _CHOICES[name]:
            raise ValueError(f"option {name} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
    elif value is None and default is None:
        return
    elif isinstance(default, float) or name == "one_way_delay_ms":
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
            raise ValueError(f"option {name} must be a number of at least 0, not {value!r}")
    elif not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"option {name} must be a whole number, not {value!r}")
    else:
        least = 1 if name in _AT_LEAST_ONE else 0
        if value < least and default is not None:
            raise ValueError(f"option {name} must be at least {least}, not {value}")


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Options from ``name=value`` as people type them.

    Parameters
    ----------
    texts : iterable of str
        Whole numbers may have ``_`` between digits; a tuple's texts have commas between them; ``none`` is None.

    Raises
    ------
    ValueError
        If there is no such option, or the value is not of its kind.
    """
    known = {each.name: each.default for each in fields(Options)}
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals:
            raise ValueError(f"{text!r} is no setting; write OPTION=VALUE")
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]!r}" if near else "; sipanalyzer options lists them"
            raise ValueError(f"there is no option {name!r}{hint}")
        settings[name] = _parsed(name, value, known[name])
        _check(name, settings[name], known[name])
    return settings


def _parsed(name: str, value: str, default: object) -> object:
    if default is None and value.lower() == "none":
        return None
    if name in _SECRET:
        return value
    if isinstance(default, bool):
        truth = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower())
        if truth is None:
            raise ValueError(f"option {name} is yes or no, not {value!r}")
        return truth
    if isinstance(default, tuple):
        return tuple(each.strip() for each in value.split(",") if each.strip())
    if isinstance(default, str):
        return value
    try:
        return float(value) if isinstance(default, float) or name == "one_way_delay_ms" else int(value)
    except ValueError:
        raise ValueError(f"option {name} is a number, not {value!r}") from None
