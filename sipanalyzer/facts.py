"""What else an analysis finds, beside messages, calls and streams: frozen data without behaviour. Floor 1.

Sessions, registrations, pages, subscriptions, probes, RTCP, digits, intervals, holes, and faults of the network. Times
are int64 ns since 1970 (UTC) or None; a `capture` is an index into `Result.captures`, a `stream` one into
`Result.streams`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = [
    "SEVERITIES",
    "Connection",
    "Digit",
    "Endpoint",
    "Evidence",
    "Finding",
    "IcmpError",
    "Intervals",
    "MediaCheck",
    "MsrpSession",
    "Outage",
    "Page",
    "Probe",
    "Quality",
    "Registration",
    "Rtcp",
    "Session",
    "Subscription",
]

Endpoint = tuple[str, int]
"""Address as text (IPv6 without brackets) and port."""

SEVERITIES = ("error", "warning", "info")
"""The worst first."""


# ---- quality
@dataclass(frozen=True, slots=True)
class Quality:
    """A stream by the E-model (ITU-T G.107, G.107.1, G.107.2), and what the figures rest on."""

    r_factor: float
    mos: float
    scale: str
    """``NB``, ``WB`` or ``FB``: not comparable with each other."""
    basis: str
    """``published`` where ITU-T G.113 has the codec's Ie and Bpl, ``assumed`` where it has not."""
    loss_percent: float
    """After the jitter buffer: lost or discarded."""
    burst_ratio: float
    """Mean run of such packets over that of random loss; at least 1."""
    delay_ms: float
    """One way, mouth to ear."""
    equipment_impairment: float
    """Ie."""
    loss_robustness: float
    """Bpl."""
    relative: float
    """R over the highest R of its scale, times that of the narrowband scale: comparable with G.109's bands."""
    notes: tuple[str, ...] = ()
    """What was assumed, a clause each."""


@dataclass(frozen=True)
class Intervals:
    """Quality over time: one entry an interval of a stream, in order of stream, then time. All arrays of one length."""

    stream: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    start: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Beginning of the interval, ns; intervals are counted from the stream's first packet."""
    packets: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Received, duplicates included."""
    expected: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    lost: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    discarded: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    max_jitter_ms: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    """NaN where there was no difference to take."""
    whole: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    """Whether the stream ran on to the interval's end."""
    r_factor: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    mos: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    """NaN where it cannot be said."""

    def __len__(self) -> int:
        return len(self.stream)


@dataclass(frozen=True, slots=True)
class Outage:
    """Five packets of a stream or more missing in a row."""

    stream: int
    start: int
    """Arrival of the packet before the hole."""
    end: int
    """Arrival of the packet after it."""
    lost: int


# ---- digits
@dataclass(frozen=True, slots=True)
class Digit:
    """A key pressed."""

    time: int
    """First packet or message that tells of it."""
    key: str
    """``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``, ``flash``."""
    duration_ms: float | None
    method: str
    """``rfc4733`` or ``info``."""
    direction: str | None
    """``caller-to-callee``, ``callee-to-caller`` or None."""
    stream: int | None
    capture: int
    frame: int


# ---- RTCP and what else tells of quality far away
@dataclass(frozen=True, slots=True)
class Rtcp:
    """One report block, or one RTCP packet without any; likewise a quality report in SIP."""

    time: int
    frame: int
    capture: int
    src: Endpoint
    dst: Endpoint
    type: str
    """``SR``, ``RR``, ``SDES``, ``BYE``, ``APP``, ``XR``...; of SIP ``vq-rtcpxr``, ``X-RTP-Stat`` and so on."""
    ssrc: int | None
    """Of the sender."""
    reported_ssrc: int | None = None
    fraction_lost_percent: float | None = None
    cumulative_lost: int | None = None
    extended_highest: int | None = None
    jitter_ms: float | None = None
    """None where the clock of the stream reported on is not known."""
    rtt_ms: float | None = None
    """From the capture point to the reporter and back."""
    call_id: str | None = None
    stream: int | None = None
    """The stream reported on."""
    values: tuple[tuple[str, float], ...] = ()
    """Further figures by name (RFC 3611 4.7: ``mos_lq``, ``mos_cq``, ``r_factor``, ``discard_percent``...)."""


# ---- calls and their like
@dataclass(frozen=True, slots=True)
class Evidence:
    """Why two calls are legs of one conversation."""

    kind: str
    """``Session-ID``, ``X-CID``, ``icid``, ``Replaces``, ``Via``, ``SDP origin``, ``numbers``, ``media``..."""
    text: str
    """The value that they share, for people."""
    score: float
    calls: tuple[str, str]
    """The two Call-IDs."""


@dataclass(frozen=True, slots=True)
class Session:
    """Calls that are legs of one conversation across a back-to-back user agent."""

    number: int
    """From 1, by start of the first leg."""
    call_ids: tuple[str, ...]
    """In order of start."""
    score: float
    """Of the weakest link; 0 of a session of one call."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """A REGISTER with its 401/407/423 rounds up to its final response."""

    aor: str | None
    contact: str | None
    registrar: Endpoint
    source: Endpoint
    refresh: bool
    state: str
    """``registered``, ``unregistered``, ``rejected``, ``challenged`` or ``no-response``."""
    expires_s: float | None
    registration_delay_ms: float | None
    status_code: int | None
    attempts: int
    start: int
    end: int | None
    call_id: str | None
    capture: int
    first_frame: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A MESSAGE transaction (pager model, RFC 3428)."""

    time: int
    from_uri: str | None
    to_uri: str | None
    call_id: str | None
    src: Endpoint
    dst: Endpoint
    transport: str
    content_type: str | None
    size_bytes: int
    request_bytes: int
    status_code: int | None
    delivery_ms: float | None
    over_limit: bool
    text: str | None
    capture: int
    first_frame: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A dialog made by SUBSCRIBE or REFER, with its NOTIFYs (RFC 6665)."""

    event: str | None
    subscriber: str | None
    notifier: str | None
    state: str | None
    """``active``, ``pending``, ``terminated``; ``rejected`` or ``no-response`` where it was never accepted."""
    expires_s: float | None
    notifies: int
    status_code: int | None
    start: int
    end: int | None
    call_id: str
    capture: int
    first_frame: int


@dataclass(frozen=True, slots=True)
class Probe:
    """OPTIONS from one peer to another."""

    src: Endpoint
    dst: Endpoint
    sent: int
    """Transactions; a retransmission is none."""
    answered: int
    answered_percent: float
    mean_response_ms: float | None
    max_response_ms: float | None
    start: int
    capture: int
    first_frame: int


# ---- faults of the network
@dataclass(frozen=True, slots=True)
class IcmpError:
    """ICMP errors of one kind about packets from one socket to another."""

    time: int
    frame: int
    capture: int
    sender: str
    """Address of the host that complains."""
    kind: str
    """``port-unreachable``, ``host-unreachable``, ``net-unreachable``, ``administratively-prohibited``,
    ``fragmentation-needed``, ``time-exceeded``..."""
    protocol: str
    """Of the packet quoted: ``UDP``, ``TCP`` or ``SCTP``."""
    src: Endpoint
    dst: Endpoint
    """Of the packet quoted."""
    count: int
    last: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection that failed, or attempts of one kind between two hosts."""

    time: int
    frame: int
    capture: int
    client: Endpoint
    server: Endpoint
    fault: str
    """``refused`` (RST to the SYN), ``no-answer`` (SYNs and nothing), ``reset`` (RST in mid-connection),
    ``tls-alert`` (fatal alert in the handshake), ``tls-no-answer`` (ClientHello and nothing), ``tls-closed``."""
    detail: str | None
    """Name of the TLS alert, number of SYNs; for people."""
    count: int
    sip: bool
    """Whether SIP went over it, or it went to or from a port or host that spoke SIP."""


@dataclass(frozen=True, slots=True)
class MediaCheck:
    """ICE connectivity checks and DTLS handshakes from one socket to another."""

    time: int
    frame: int
    capture: int
    src: Endpoint
    dst: Endpoint
    stun_requests: int
    stun_successes: int
    """Responses to them that came back."""
    stun_errors: int
    last_error: int | None
    dtls_hellos: int
    """ClientHellos."""
    dtls_answers: int
    """Handshake records that came back."""
    dtls_finished: bool
    """Whether both sides changed to encryption (ChangeCipherSpec, or records of a later epoch)."""
    dtls_alert: str | None


# ---- the session model of messaging
@dataclass(frozen=True, slots=True)
class MsrpSession:
    """Messages between two MSRP endpoints over one hop, both ways (RFC 4975)."""

    time: int
    """First request or response."""
    frame: int
    capture: int
    src: Endpoint
    dst: Endpoint
    """Of the TCP connection that it came over."""
    from_path: str
    to_path: str
    """The two endpoints: the last URI of From-Path and To-Path, as `sipanalyzer.sip.msrp.path_key` writes it; the
    same of an SDP's ``a=path`` names the call."""
    messages: int
    """Sent whole; what only binds the connection, without a body, is none."""
    bytes: int
    """Of their bodies."""
    failures: int
    """Responses and REPORTs of 400 and above."""
    last_failure: int | None
    """Status code of the last of them."""
    last: int
    """Time of the last request or response."""


# ---- findings
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    code: str
    severity: str
    """One of :data:`SEVERITIES`."""
    explanation: str
    """One sentence with the measured values in it."""
    advice: str
    call_id: str | None = None
    stream: int | None = None
    time: int | None = None
    capture: int | None = None
    frame: int | None = None
    """The first of `frames`."""
    frames: tuple[int, ...] = ()
    """Frames that show it, in that capture."""
    affects: str | None = None
    """Who notices: an address, a URI, ``caller``, ``callee``."""
    doubtful: str | None = None
    """Why the severity was lowered, if it was."""
    causes: tuple[str, ...] = ()
    """Codes of the findings that it is a consequence of."""
    likelihood: int = 50
    """How likely it explains the call's trouble, 0 to 100; findings of a call are ordered by it."""
