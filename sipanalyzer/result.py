"""What an analysis is: frozen data without behaviour. Floor 1.

The pipeline makes one :class:`Result`; tables, pictures and reports are made from it. Times are int64 nanoseconds
since 1970 (UTC) or None, durations say their unit in their name, unknown is None. Names are those of the public
contract where the contract has a column for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .anomalies import Anomalies
from .facts import (
    Connection,
    Digit,
    Endpoint,
    IcmpError,
    Intervals,
    MediaCheck,
    Outage,
    Page,
    Probe,
    Quality,
    Registration,
    Rtcp,
    Session,
    Subscription,
)
from .options import Options

__all__ = [
    "LATENESS_MS",
    "RUN_LENGTHS",
    "TRANSPORTS",
    "Call",
    "Capture",
    "Dialog",
    "Endpoint",
    "Measures",
    "Messages",
    "Result",
    "Stream",
    "Transaction",
    "fill_in",
    "host_port",
]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TRANSPORTS = ("UDP", "TCP", "TLS", "WS", "WSS", "SCTP")
"""Names behind `Messages.transport`."""

LATENESS_MS = (5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500)
"""Limits of the classes of `Measures.lateness`, ms."""
RUN_LENGTHS = (1, 2, 3, 4, 9, 19, 49)
"""Limits of the classes of `Measures.loss_runs`, packets."""


def host_port(endpoint: Endpoint) -> str:
    """``address:port``, IPv6 as ``[address]:port``."""
    address, port = endpoint
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, slots=True)
class Capture:
    """One file that was read."""

    file: str
    format: str
    """``pcap``, ``pcap-ns`` or ``pcapng``; with the compression as a suffix, as in ``pcap.gz``."""
    link_types: tuple[str, ...]
    packets: int
    bytes: int
    """Captured bytes of all packets (without record headers)."""
    first: int | None
    last: int | None
    cut_packets: int
    dropped: int | None
    """Drops that the file admits (pcapng ISB or epb_dropcount); None where it says nothing."""
    clock_steps: int
    anomalies: Anomalies
    damage: str | None = None
    """Where and how the file broke off, one line; None where it was read to its end."""
    duplicated_percent: float | None = None
    """Share of its SIP and RTP packets that stand twice."""
    large_frames: int = 0
    """TCP segments larger than a link carries: taken from a host that leaves segmentation to its network card."""
    grade: str | None = None
    """``good``, ``fair`` or ``poor``; None of a capture without packets."""
    doubts: tuple[str, ...] = ()
    """What to bear in mind when its figures are read, a clause each; why it is not ``good``, if it is not."""
    holes: tuple[tuple[int, int], ...] = ()
    """Begin and end of moments in which all streams miss packets, both ways: the capture lost them, not the network."""
    one_sided: tuple[tuple[str, str], ...] = ()
    """Sender and receiver of signalling that was captured in this direction only."""


@dataclass(frozen=True)
class Messages:
    """Every SIP message in order of time, as columns; ids are small integers for equal byte strings, -1 where missing.

    All arrays have one entry a message. ``texts[column]`` maps the ids of an interned column to strings.
    """

    time: Ints
    frame: Ints
    capture: Ints
    """Index into `Result.captures`."""
    src: Ints
    dst: Ints
    """Indices into `endpoints`."""
    transport: Ints
    """Index into :data:`TRANSPORTS`."""
    status: Ints
    """Status code; 0 for a request."""
    method: Ints
    """id in ``texts['method']``: of a request its method, of a response the method of its CSeq (-1: no CSeq)."""
    cseq: Ints
    """CSeq number, -1 where missing."""
    call_id: Ints
    from_tag: Ints
    to_tag: Ints
    branch: Ints
    """Of the top Via."""
    from_uri: Ints
    to_uri: Ints
    request_uri: Ints
    reason: Ints
    """Reason phrase of a response."""
    contact: Ints
    """URI of the first Contact."""
    user_agent: Ints
    """User-Agent, else Server."""
    content_type: Ints
    content_length: Ints
    """As the header says; -1 where it is missing."""
    whole: Ints
    """id of the whole message's bytes: equal id, equal bytes."""
    retransmission: Bools
    truncated: Bools
    at: Ints
    length: Ints
    """Where the message stands in `data`."""
    body_at: Ints
    body_length: Ints
    """Where its body stands in `data`; length 0 where there is none."""
    data: npt.NDArray[np.uint8]
    endpoints: list[Endpoint]
    texts: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.time)

    def raw(self, row: int) -> bytes:
        """The message's bytes as they were on the wire."""
        at = int(self.at[row])
        return self.data[at : at + int(self.length[row])].tobytes()

    def body(self, row: int) -> bytes:
        """The message's body."""
        at = int(self.body_at[row])
        return self.data[at : at + int(self.body_length[row])].tobytes()

    def text(self, column: str, row: int) -> str | None:
        """The string of an interned column in one row; None where missing."""
        number = int(getattr(self, column)[row])
        return None if number < 0 else self.texts[column][number]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A request with its responses at one hop (RFC 3261 section 17)."""

    call_id: str
    method: str
    branch: str | None
    src: Endpoint
    dst: Endpoint
    start: int
    first_response: int | None
    final_response: int | None
    status_code: int | None
    """Of the final response, else of the last provisional; None without any."""
    retransmissions: int
    capture: int
    first_frame: int
    rows: tuple[int, ...]
    """Its messages (rows of `Messages`), in order of time; the ACK of a non-2xx is one of them."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """Call-ID with the unordered pair of tags (RFC 3261 section 12)."""

    call_id: str
    from_tag: str
    """Tag of the side that sent the request that made the dialog."""
    to_tag: str
    state: str
    """``early``, ``confirmed`` or ``terminated``."""
    start: int
    confirmed: int | None
    end: int | None
    local_uri: str | None
    """URI of the side behind `from_tag`."""
    remote_uri: str | None
    route_set: str | None
    capture: int
    first_frame: int


@dataclass(frozen=True, slots=True)
class Call:
    """All messages of one Call-ID that has an INVITE outside a dialog, or (partial) other call methods."""

    call_id: str
    state: str
    status_code: int | None
    reason: str | None
    caller: str | None
    callee: str | None
    from_uri: str | None
    to_uri: str | None
    request_uri: str | None
    asserted_identity: str | None
    diversion: str | None
    src: Endpoint | None
    dst: Endpoint | None
    transport: str | None
    user_agent: str | None
    server: str | None
    start: int | None
    ringing: int | None
    answered: int | None
    end: int | None
    acknowledged: int | None
    """First ACK for the first 2xx."""
    first_bye: int | None
    bye_final: int | None
    """Final response, other than 401/407, to the first BYE."""
    released_by: str | None
    release_cause: str | None
    messages: int
    retransmissions: int
    dialogs: int
    auth: str | None
    """``none``, ``challenged`` or ``failed``; None where the capture ends before the verdict."""
    dtmf_info: bool
    """Whether digits came in INFO requests."""
    codecs_offered: tuple[str, ...]
    codecs_answered: tuple[str, ...]
    dtmf_negotiated: bool
    """Whether SDP of both sides has telephone-event."""
    partial: bool
    capture: int
    first_frame: int
    last_frame: int
    first_time: int
    """First message of any kind (also of a partial call)."""
    last_time: int
    caller_tag: str | None
    """From tag of the initial INVITE."""
    rows: tuple[int, ...]
    """Its messages (rows of `Messages`), in order of time."""
    # filled in where signalling and media meet
    streams: tuple[int, ...] = ()
    """Its streams (indices into `Result.streams`)."""
    codecs: tuple[str, ...] = ()
    dtmf_method: str | None = None
    packets: int | None = None
    lost: int | None = None
    expected: int | None = None
    max_jitter_ms: float | None = None
    media_latency_ns: int | None = None
    one_way: bool | None = None
    mos: float | None = None
    """Of the worst stream that lasted long enough."""
    mos_scale: str | None = None
    digits: tuple[Digit, ...] = ()
    """All that was dialled in it, both ways and by either method, in order of time."""
    media: tuple[str, ...] = ()
    """Kinds that were negotiated (where only one side was heard: that it wanted) or seen: ``audio``, ``video``,
    ``text``, ``image``, ``message``, ``application``."""
    text_messages: int | None = None
    """MSRP messages in it; None where no MSRP of it was captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What was measured of an RTP stream, whosever it is."""

    ptime_ms: float | None
    dscp: int | None
    vlan: int | None
    start: int
    end: int
    packets: int
    bytes: int
    expected: int
    lost: int
    duplicates: int
    out_of_order: int
    restarts: int
    mean_jitter_ms: float | None
    max_jitter_ms: float | None
    mean_delta_ms: float | None
    max_delta_ms: float | None
    max_skew_ms: float | None
    clock_drift_ppm: float | None
    capture: int
    first_frame: int
    last_frame: int
    anomalies: tuple[str, ...] = ()
    # playout: after a jitter buffer (`Options.playout_ms`); None where timing says nothing (video, no clock rate)
    discarded: int | None = None
    """Packets that came too late for it."""
    lateness: tuple[int, ...] = ()
    """Packets by how late they came on the stream's own schedule: below each of :data:`LATENESS_MS`, and the rest."""
    # bursts and gaps (RFC 3611 4.7.2); a bad packet is one lost or discarded
    bursts: int = 0
    burst_packets: int = 0
    """Length of all bursts together, in packets."""
    burst_bad: int = 0
    """Bad packets in bursts; all others are in gaps."""
    bad: int = 0
    """Bad packets."""
    bad_runs: int = 0
    """Runs of bad packets that follow each other directly."""
    max_consecutive_lost: int = 0
    loss_runs: tuple[int, ...] = ()
    """Runs of lost packets by length: up to each of :data:`RUN_LENGTHS`, and longer."""
    # what tells streams of one medium apart from others
    first_sequence: int = 0
    first_stamp: int = 0
    last_sequence: int = 0
    last_stamp: int = 0
    """Of the first and the last audio or video packet in order of sequence: 16 and 32 bits."""
    fingerprint: tuple[int, ...] = ()
    """First four payload bytes of each of the first fifty packets."""

    @property
    def duration_s(self) -> float:
        """First to last packet."""
        return (self.end - self.start) / 1e9

    @property
    def loss_percent(self) -> float:
        """Lost over expected."""
        return 100.0 * self.lost / self.expected if self.expected else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Measures):
    """One direction of RTP: source, destination, SSRC."""

    ssrc: int
    src: Endpoint
    dst: Endpoint
    call_id: str | None
    also_call_ids: tuple[str, ...]
    direction: str | None
    matched: str
    media: str | None
    payload_types: tuple[int, ...]
    codec: str | None
    codecs: tuple[str, ...]
    """All codecs in order of first use, telephone-event and comfort noise included."""
    clock_rate: int | None
    ptime_negotiated_ms: float | None
    ssrc_changes: int
    encrypted: bool | None
    """None where no SDP says it."""
    formats: tuple[tuple[int, str | None, int], ...] = ()
    """Payload type, codec and clock rate (0: not known) of each, in order of first use."""
    # quality (ITU-T G.107); None where it cannot be said
    quality: Quality | None = None
    mos_min: float | None = None
    """MOS of the worst whole interval."""
    # what RTCP says of it
    rtcp_lost_percent: float | None = None
    rtcp_jitter_ms: float | None = None
    rtt_ms: float | None = None
    dtmf: str | None = None
    """RFC 4733 digits, in order."""


_Made = TypeVar("_Made", Call, Stream)


def fill_in(thing: _Made, **values: object) -> _Made:
    """Fill in fields of a call or stream just made, which nobody else has seen yet; the same one.

    Signalling and media meet late, and a copy of sixty fields costs twenty times as much as setting five.
    """
    for name, value in values.items():
        object.__setattr__(thing, name, value)
    return thing


@dataclass(frozen=True)
class Result:
    """One analysis."""

    options: Options
    captures: tuple[Capture, ...]
    messages: Messages
    transactions: tuple[Transaction, ...]
    dialogs: tuple[Dialog, ...]
    calls: tuple[Call, ...]
    streams: tuple[Stream, ...]
    packets_by_kind: dict[str, int]
    """How many packets of each kind were seen: ``rtp``, ``rtcp``, ``stun``, ``sip`` and so on."""
    sessions: tuple[Session, ...] = ()
    registrations: tuple[Registration, ...] = ()
    pages: tuple[Page, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    probes: tuple[Probe, ...] = ()
    rtcp: tuple[Rtcp, ...] = ()
    intervals: Intervals = field(default_factory=Intervals)
    outages: tuple[Outage, ...] = ()
    icmp: tuple[IcmpError, ...] = ()
    connections: tuple[Connection, ...] = ()
    """TCP connections that failed in some way."""
    checks: tuple[MediaCheck, ...] = ()
    """ICE and DTLS between two sockets."""
    extra: dict[str, Any] = field(default_factory=dict)
