"""The layout of a flow chart: participants, and rows in order of time. Floor 8. Data without behaviour.

Every renderer draws exactly this. Times are ns since 1970; a `capture` is an index into ``Result.captures``, a
`message` one into ``Result.messages``, a `stream` one into ``Result.streams`` (of the result that the chart was made
from). Participants are named by their place in :attr:`FlowChart.participants`, calls by theirs in
:attr:`FlowChart.legs`. Texts are clean and short enough to show; none is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FlowChart", "Fold", "Keys", "Leg", "Media", "Message", "Note", "Participant", "Row"]


@dataclass(frozen=True, slots=True)
class Participant:
    """A vertical line: a host, or (where one host talks to itself) a socket."""

    address: str
    """Address, or ``address:port`` where ports tell participants of one host apart; unique in a chart."""
    name: str | None
    """Who it is, for people: the user behind it, its product, or its role."""
    detail: str | None
    """What else is known: product, addresses of its media that are not its own."""
    role: str
    """``caller``, ``callee``, ``between`` (a proxy or B2BUA) or ``media`` (only RTP touches it)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A call on the chart."""

    call_id: str
    """As it was on the wire, cleaned."""
    title: str
    """``alice to bob, completed``."""
    state: str


@dataclass(frozen=True, slots=True)
class Message:
    """An arrow: one SIP message."""

    time: int
    offset: int
    """ns since the chart's start."""
    gap: int | None
    """ns since the message before it, drawn or folded; None of the first."""
    source: int
    target: int
    """Participants; the same where a host sends to itself and cannot be told apart."""
    kind: str
    """A key of :data:`.palette.KINDS`."""
    label: str
    """``INVITE``, ``180 Ringing``, ``200 OK``: what stands on the arrow."""
    detail: str | None
    """Second line, quieter: what a request asks for (its URI where it matters), the SDP in a few words."""
    method: str | None
    """Of a response that of its CSeq."""
    status: int
    """0 of a request."""
    cseq: int | None
    leg: int
    frame: int
    capture: int
    message: int
    retransmission: bool
    ports: tuple[int, int]
    transport: str
    severity: str | None = None
    """Of the worst finding that names its frame as evidence."""


@dataclass(frozen=True, slots=True)
class Media:
    """A bar: one RTP stream, where it begins."""

    time: int
    offset: int
    end: int
    """Its last packet."""
    source: int
    target: int
    label: str
    """``RTP PCMA``."""
    detail: str
    """``10.1 s, 451 packets, 9.8 % lost, jitter 3.1 ms, MOS 3.18 NB``, what is known of it."""
    codec: str | None
    packets: int
    loss_percent: float
    max_jitter_ms: float | None
    mos: float | None
    mos_scale: str | None
    shades: tuple[float, ...]
    """Lost or discarded, percent, in equal parts of the time between `time` and `end`; one where it is short."""
    leg: int
    stream: int
    ports: tuple[int, int]
    frame: int
    capture: int
    severity: str | None = None
    """Of the worst finding about the stream."""
    until: str | None = None
    """How it ended against the call, if that says something: ``stops 12.0 s before the call ends``."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys pressed one after another, by one side and method."""

    time: int
    offset: int
    source: int
    target: int
    keys: str
    method: str
    """``rfc4733`` or ``info``."""
    leg: int
    frame: int
    capture: int


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence across some participants: a finding, hold, a change of codec, a long silence."""

    time: int
    offset: int
    text: str
    severity: str | None
    """``error``, ``warning``, ``info``; None of what only happened (``on hold``, ``codec now PCMU``)."""
    code: str | None
    """Of a finding."""
    first: int
    last: int
    """Participants that it stands over, the leftmost and the rightmost."""
    leg: int | None
    frame: int | None
    capture: int | None


@dataclass(frozen=True, slots=True)
class Fold:
    """Messages that are not drawn one by one: the same exchange again and again."""

    time: int
    offset: int
    end: int
    text: str
    """``OPTIONS and its 200, 24 times more in 240 s``."""
    source: int
    target: int
    kind: str
    """As of the first message folded."""
    messages: tuple[int, ...]
    """Indices into ``Result.messages``, in order of time."""
    leg: int
    severity: str | None = None
    """Of the worst finding that names a frame of theirs as evidence."""


Row = Message | Media | Keys | Note | Fold


@dataclass(frozen=True, slots=True)
class FlowChart:
    """A chart, ready to be drawn."""

    title: str
    legs: tuple[Leg, ...]
    participants: tuple[Participant, ...]
    """From left to right, as the first call travels."""
    rows: tuple[Row, ...]
    """From top to bottom, by time."""
    start: int
    """Time of the first row; offsets count from it."""
    remarks: tuple[str, ...] = ()
    """What to bear in mind, a sentence each: the capture began later, rows left out, the capture's grade."""
