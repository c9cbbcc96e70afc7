"""What a report says, as plain data: made in :mod:`.making`, rendered by :mod:`.page` and :mod:`.markdown`. Floor 8.

Nothing here is escaped, all of it is harmless text (:func:`~sipanalyzer.output.cells.visible`), numbers, True, False
and None: strict JSON holds it. Times are texts in the report's zone (``2022-01-12 23:38:26.123``), which sort as text;
what is not known is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

from ..cells import Cell

__all__ = [
    "Detail",
    "FindingItem",
    "Heading",
    "Limits",
    "Member",
    "MessageItem",
    "Method",
    "OutageItem",
    "Report",
    "Series",
    "Sheet",
    "StreamItem",
    "Tile",
    "Timeline",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a report holds at most. Each limit that bites is told in the report."""

    details: int = 10_000
    """Calls with facts, flow and messages: those with findings first, the gravest before."""
    rows: int = 50_000
    """Rows of a sheet."""
    messages: int = 400
    """Messages of a call in its detail."""
    message_bytes: int = 8_192
    """Bytes of a message in a detail."""
    streams: int = 100
    """Streams of a call in its detail."""
    points: int = 600
    """Points of a series."""
    buckets: int = 120
    """Bars of the timeline."""
    packets: int = 150_000
    """RTP packets of all streams in the details, up to which captures are read once more for figures by the second."""
    read_bytes: int = 500_000_000
    """Size of the captures up to which they are."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in words."""

    severity: str | None
    """``error``, ``warning``, ``info``; None where nothing was found."""
    headline: str
    """``2 of 40 calls failed, 3 sound bad; the likeliest reason: ...``."""
    sentences: tuple[str, ...]
    """What was found, the worst first; then `doubts`."""
    doubts: tuple[str, ...] = ()
    """What makes the figures doubtful: captures that are not good, files that were not read."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the first screen."""

    key: str
    """``calls``, ``answered``, ``failed``, ``asr``, ``ner``, ``pdd``, ``pdd95``, ``mos-nb``, ``loss``, ``grade``..."""
    label: str
    value: str
    """As people read it; ``-`` where it is not known."""
    unit: str
    note: str
    """What stands below it, small; may be empty."""
    severity: str | None
    """``error``, ``warning``, ``info`` where a threshold says so; None otherwise."""
    meaning: str
    """What the figure is: for a tooltip."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Calls over time: bars by how they went, and how many were up at once. All tuples of one length."""

    start: str
    step_s: float
    """Width of a bar."""
    labels: tuple[str, ...]
    """Beginning of each bar: the time of day, with the date where it changes."""
    answered: tuple[int, ...]
    unanswered: tuple[int, ...]
    """Busy, no answer, cancelled, redirected."""
    failed: tuple[int, ...]
    """Rejected or failed."""
    unknown: tuple[int, ...]
    """The capture ends before they were decided, or begins after they began."""
    concurrent: tuple[int, ...]
    """Most calls that were answered and not ended at once, within the bar."""
    remarks: tuple[str, ...] = ()
    """``2 calls stand outside: ...``."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a sheet (:mod:`sipanalyzer.output.columns`)."""

    name: str
    unit: str
    meaning: str
    dtype: str
    """``text``, ``int``, ``float``, ``time`` or ``bool``."""
    rank: int | None
    """1 is the most important; None of what a first look does not need."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table."""

    name: str
    """As in ``sipanalyzer.output.columns.COLUMNS``."""
    title: str
    meaning: str
    """What its rows are, in a sentence."""
    headings: tuple[Heading, ...]
    """In the order to show them, the wanted ones first; columns in which nothing is known are left out."""
    rows: list[list[Cell]]
    more: int = 0
    """Rows left out."""


class FindingItem(TypedDict):
    """A finding."""

    severity: str
    code: str
    title: str
    """What the code means in general, a few words."""
    explanation: str
    advice: str
    evidence: list[int]
    """Frames."""
    more_evidence: int
    """Frames left out."""
    file: str | None
    """The capture that those frames are in, where the report is of several."""
    time: str | None
    affects: str | None
    doubtful: str | None
    causes: list[str]
    """Codes of the findings that it is a consequence of."""
    stream: int | None
    """Which of the detail's streams, if one."""


class MessageItem(TypedDict):
    """A SIP message."""

    time: str
    offset_s: float
    """Since the call's first message."""
    frame: int
    file: str | None
    """Where the report is of several captures."""
    src: str
    dst: str
    transport: str
    label: str
    """``INVITE sip:bob@example.com``, ``200 OK (INVITE)``."""
    kind: str
    """Key of ``sipanalyzer.output.flow.palette.KINDS``."""
    method: str | None
    status: int
    """0 of a request."""
    retransmission: bool
    defects: list[list[str]]
    """Code and meaning of each (``sipanalyzer.sip.defects.MEANING``)."""
    raw: str
    r"""The text as :func:`~sipanalyzer.output.flow.raw_message.message_text` gives it: line ends as they were, other
    bytes that are no printable UTF-8 as ``\xff``; credentials and keys are blanked."""
    cut: int
    """Bytes left out at its end."""
    previous: int | None
    """The message (of this detail) that its difference is told against: the last before it that says the same."""


class Series(TypedDict):
    """Figures of a stream over time; all lists of one length."""

    step_s: float
    """Between points; 10 of intervals."""
    t: list[float]
    """Seconds since the call's start, middle of the step."""
    loss: list[float | None]
    """Percent of those expected."""
    discarded: list[float | None]
    """Percent, too late for the jitter buffer."""
    jitter: list[float | None]
    """Highest in the step, ms."""
    mos: list[float | None]
    delta: list[float | None]
    """Longest time between two packets in the step, ms; empty where the packets were not read once more."""


class OutageItem(TypedDict):
    """A run of lost packets."""

    start_s: float
    """Since the call's start."""
    end_s: float
    lost: int


class StreamItem(TypedDict):
    """An RTP stream of a call."""

    row: int
    """Of the sheet `streams`."""
    title: str
    """``192.0.2.1:4000 to 192.0.2.2:5000, PCMA``."""
    direction: str | None
    severity: str | None
    """Of the worst finding about it."""
    facts: list[list[str]]
    """Name, text, meaning."""
    start_s: float
    end_s: float
    """Since the call's start."""
    series: Series | None
    outages: list[OutageItem]
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class Member:
    """A leg of a call's conversation."""

    row: int
    """Of the sheet `calls`."""
    title: str
    """``alice to bob, completed``."""
    call_id: str
    own: bool
    """Whether it is the call itself."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One call whole."""

    call_id: str
    row: int
    """Of the sheet `calls`."""
    title: str
    """``alice to bob``."""
    subtitle: str
    """``completed, 200 OK, 10.2 s, started 2022-01-12 23:38:26.123``."""
    severity: str | None
    """Of its worst finding."""
    facts: list[list[str]]
    """Name, text with its unit, meaning; in the order to show them."""
    findings: list[FindingItem]
    """The likeliest explanation first."""
    remarks: list[str]
    """What to bear in mind, a sentence each."""
    flow: str | None
    """SVG; arrows carry ``data-message="k"``, bars ``data-stream="k"`` (k counts in `messages` and `streams`)."""
    session: list[Member]
    """Empty where the call is the only leg."""
    messages: list[MessageItem]
    messages_left_out: int
    streams: list[StreamItem]
    streams_left_out: int
    digits: list[list[str]]
    """Keys pressed in a row: time, keys, direction, method."""
    filter: str
    """Wireshark display filter."""


class Method(TypedDict):
    """A section of the methods page: plain text."""

    title: str
    paragraphs: list[str]
    tables: list[dict[str, Any]]
    """Each with ``headings`` (list of text) and ``rows`` (lists of text)."""


@dataclass(frozen=True)
class Report:
    """A report."""

    title: str
    made: str
    """When, in the report's zone."""
    version: str
    """Of sipanalyzer."""
    zone: str
    """Name of the time zone that times are in."""
    command: str | None
    """A command that shows one call that has no detail, ``sipanalyzer call FILE ID``; None where it is not known."""
    settings: tuple[tuple[str, str, str], ...]
    """Settings that are not the defaults: name, value, meaning."""
    verdict: Verdict
    tiles: tuple[Tile, ...]
    timeline: Timeline | None
    """None where no call has a time."""
    sheets: tuple[Sheet, ...]
    """Only those with rows; ``calls`` first."""
    anomalies: tuple[tuple[str, str, int, str], ...]
    """Code, meaning, how often, first frames: what was wrong with single packets."""
    methods: tuple[Method, ...]
    details: Iterator[Detail]
    """Made one by one as they are asked for, once."""
    detailed: tuple[int, ...]
    """Rows of the sheet `calls` that have a detail, in the order of `details`."""
    details_left_out: int
    """Calls without one."""
