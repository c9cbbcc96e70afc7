"""The calls of a report one by one. Floor 8.

In: a result, its index, and which calls. Out: an iterator of :class:`~.data.Detail`: each is made when it is asked for,
so that memory does not grow with their number.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ...explanations import finding_title
from ...facts import SEVERITIES, Digit, Finding
from ...result import Call, Result, host_port
from ..cells import Cell, number, visible
from ..columns import Column, column
from ..display_filter import call_filter
from ..flow.chart import make_chart
from ..flow.svg import draw_svg
from ..plots.series import Series as Steps
from ..tables import Table
from .data import Detail, FindingItem, Limits, Member, StreamItem
from .messages import choose_messages, message_items
from .order import Index
from .series import outage_items, read_series, stream_series
from .wording import plain

__all__ = ["Details", "Facts", "choose_facts", "make_details"]

_FACTS = (
    "state", "status_code", "reason", "released_by", "release_cause", "from_uri", "to_uri", "request_uri",
    "asserted_identity", "diversion", "src", "dst", "transport", "user_agent", "server", "start", "ringing", "answered",
    "end", "post_dial_delay_ms", "setup_latency_ms", "answer_to_ack_ms", "media_latency_ms", "disconnect_delay_ms",
    "duration_s", "messages", "retransmissions", "dialogs", "auth", "media", "codecs", "codecs_offered",
    "codecs_answered", "dtmf_method", "digits_from_caller", "digits_from_callee", "text_messages", "streams", "packets",
    "lost", "loss_percent", "max_jitter_ms", "mos", "mos_scale", "one_way", "capture", "first_frame", "last_frame",
    "call_id",
)  # fmt: skip
_STREAM_FACTS = (
    "ssrc", "codec", "payload_types", "clock_rate", "ptime_ms", "ptime_negotiated_ms", "direction", "matched",
    "media", "encrypted", "start", "end", "duration_s", "packets", "expected", "lost", "loss_percent",
    "discarded_percent", "effective_loss_percent", "duplicates", "out_of_order", "restarts", "ssrc_changes",
    "loss_bursts", "burst_density_percent", "gap_density_percent", "burst_ratio", "max_consecutive_lost", "loss_runs",
    "lateness", "mean_jitter_ms", "max_jitter_ms", "mean_delta_ms", "max_delta_ms", "max_skew_ms", "clock_drift_ppm",
    "r_factor", "mos", "mos_min", "mos_scale", "mos_basis", "mos_notes", "delay_ms", "rtcp_lost_percent",
    "rtcp_jitter_ms", "rtt_ms", "dtmf", "kbit_s", "dscp", "vlan", "first_frame", "last_frame", "wireshark_filter",
)  # fmt: skip
_NOTHING = frozenset({"retransmissions", "duplicates", "out_of_order", "restarts", "ssrc_changes", "loss_bursts"})
"""Facts that say something only where they are not 0."""
_EVIDENCE = 50
"""Frames of a finding that are listed."""
_KEPT = 256
"""Facts of a column that are kept."""
_FINDINGS = 200
"""Findings of a call that are told."""
_KEYS_NS = 3_000_000_000
"""Keys pressed sooner after one another than this stand in one row."""


def make_details(
    result: Result,
    index: Index,
    rows: Sequence[int],
    tz: datetime.tzinfo,
    clock: Callable[[int], str],
    limits: Limits,
    sources: Sequence[Any] | None = None,
) -> Details:
    """Details of the calls in these rows, in this order, one after another.

    Parameters
    ----------
    result : Result
        Of an analysis.
    index : Index
        Of it.
    rows : sequence of int
        Of the table `calls`.
    tz : datetime.tzinfo
        Zone of the flow charts.
    clock : callable
        Writes a time.
    limits : Limits
        What a detail holds at most.
    sources : sequence, optional
        What the result was read from: it is read once more, when the first detail is asked for, for figures by the
        second.
    """

    def open_() -> _Place:
        return _open(result, index, rows, tz, clock, limits, sources)

    return Details(rows, open_)


def _open(
    result: Result,
    index: Index,
    rows: Sequence[int],
    tz: datetime.tzinfo,
    clock: Callable[[int], str],
    limits: Limits,
    sources: Sequence[Any] | None,
) -> _Place:
    files = [visible(each.file) for each in result.captures] if len(result.captures) > 1 else []
    streams = [number for row in rows for number in _streams_of(index, row, limits)]
    steps = read_series(result, sources, streams, limits)
    of_calls, of_streams = choose_facts(index.calls, _FACTS, clock), choose_facts(index.streams, _STREAM_FACTS, clock)
    return _Place(result, index, tz, clock, files, limits, steps, of_calls, of_streams)


@dataclass(frozen=True, slots=True)
class _Place:
    """What all details of a report share."""

    result: Result
    index: Index
    tz: datetime.tzinfo
    clock: Callable[[int], str]
    files: Sequence[str]
    limits: Limits
    steps: dict[int, Steps]
    of_calls: Facts
    of_streams: Facts


class Details(Iterator[Detail]):
    """Details of some calls, one after another, or any of them; each is made when it is asked for."""

    def __init__(self, rows: Sequence[int], open_: Callable[[], _Place]) -> None:
        self._rows, self._open, self._next = rows, open_, 0
        self._place: _Place | None = None

    def __len__(self) -> int:
        """Of how many calls."""
        return len(self._rows)

    def __next__(self) -> Detail:
        """The next one."""
        if self._next >= len(self._rows):
            raise StopIteration
        self._next += 1
        return self.at(self._next - 1)

    def prepare(self) -> _Place:
        """Read what all of them need."""
        if self._place is None:
            self._place = self._open()
        return self._place

    def at(self, number: int) -> Detail:
        """That of one of the calls, in the order of their rows."""
        return _detail(self.prepare(), self._rows[number])


def _streams_of(index: Index, row: int, limits: Limits) -> list[int]:
    return sorted(index.call_at[row].streams, key=index.stream_row.__getitem__)[: limits.streams]


def _detail(place: _Place, row: int) -> Detail:
    result, index, clock, limits = place.result, place.index, place.clock, place.limits
    call = index.call_at[row]
    begin = call.first_time
    shown = choose_messages(call.rows, limits.messages)
    streams = _streams_of(index, row, limits)
    findings = index.findings.get(call.call_id, [])
    chart = make_chart(result, [call])
    places = {number: at for at, number in enumerate(streams)}
    return Detail(
        call_id=visible(call.call_id),
        row=row,
        title=visible(f"{call.caller or '?'} to {call.callee or '?'}"),
        subtitle=_subtitle(call, index.calls, row, clock),
        severity=min((each.severity for each in findings), key=SEVERITIES.index, default=None),
        facts=place.of_calls.of(row),
        findings=[_finding(each, places, place.files, clock) for each in findings[:_FINDINGS]],
        remarks=list(_remarks(result, call, len(findings))),
        flow=draw_svg(
            chart,
            place.tz,
            standalone=False,
            interactive=True,
            numbers={row: at for at, row in enumerate(shown)},
            stream_numbers=places,
        ),
        session=_members(index, call),
        messages=message_items(
            result.messages, shown, begin, clock, place.files, limits, secrets=result.options.show_secrets
        ),
        messages_left_out=len(call.rows) - len(shown),
        streams=[_stream(place, each, begin, findings) for each in streams],
        streams_left_out=len(call.streams) - len(streams),
        digits=_digits(call.digits, clock),
        filter=visible(call_filter(call.call_id, [result.streams[each] for each in call.streams])),
    )


def _subtitle(call: Call, calls: Table, row: int, clock: Callable[[int], str]) -> str:
    duration = calls["duration_s"][row]
    status = " ".join(str(part) for part in (call.status_code, call.reason) if part is not None)
    parts = [call.state, status, "" if duration is None else f"{number(float(duration), 's')} s"]
    parts.append(f"started {clock(call.start)}" if call.start is not None else f"first seen {clock(call.first_time)}")
    return visible(", ".join(part for part in parts if part))


# ---- facts
@dataclass(frozen=True, slots=True)
class Facts:
    """Columns of a table that stand as facts in a detail, in order."""

    columns: tuple[tuple[Sequence[Cell], Callable[[Any], list[str] | None]], ...]
    """Values, and what makes name, text with its unit, and meaning of one; None of what says nothing."""

    def of(self, row: int) -> list[list[str]]:
        """Name, text with its unit, and meaning of what is known in one row."""
        facts = []
        for values, write in self.columns:
            value = values[row]
            if value is not None:
                fact = write(value)
                if fact is not None:
                    facts.append(fact)
        return facts


def choose_facts(rows: Table, wanted: Sequence[str], clock: Callable[[int], str]) -> Facts:
    """The facts of a table: these columns; `clock` writes times."""
    found = []
    for name in wanted:
        about = column(rows.name, name)
        values = rows[name]
        if any(value is not None for value in values):  # of most captures half of the columns say nothing
            found.append((values, _fact_writer(about, _writer(about, clock))))
    return Facts(tuple(found))


def _fact_writer(about: Column, write: Callable[[Any], str]) -> Callable[[Any], list[str] | None]:
    """What makes facts of a column's values; that of texts and counts, which come again, keeps them in mind."""
    name, meaning, needless = about.name, plain(about.meaning), about.name in _NOTHING

    def fact(value: Any) -> list[str] | None:
        return None if needless and not value else [name, write(value), meaning]

    return functools.lru_cache(maxsize=_KEPT, typed=True)(fact) if about.dtype in ("text", "int", "bool") else fact


def _writer(about: Column, clock: Callable[[int], str]) -> Callable[[Any], str]:
    """What makes text of the values of a column."""
    if about.dtype == "time":
        return clock
    if about.dtype == "bool":
        return lambda value: "yes" if value else "no"
    if about.dtype == "text":
        return visible
    unit = f" {about.unit}" if about.unit else ""
    return lambda value: number(value, about.unit) + unit


# ---- findings and remarks
def _finding(
    finding: Finding, places: dict[int, int], files: Sequence[str], clock: Callable[[int], str]
) -> FindingItem:
    return {
        "severity": finding.severity,
        "code": finding.code,
        "title": finding_title(finding.code),
        "explanation": visible(finding.explanation),
        "advice": visible(finding.advice),
        "evidence": list(finding.frames[:_EVIDENCE]),
        "more_evidence": max(0, len(finding.frames) - _EVIDENCE),
        "file": files[finding.capture] if files and finding.capture is not None else None,
        "time": None if finding.time is None else clock(finding.time),
        "affects": None if finding.affects is None else visible(finding.affects),
        "doubtful": None if finding.doubtful is None else visible(finding.doubtful),
        "causes": list(finding.causes),
        "stream": None if finding.stream is None else places.get(finding.stream),
    }


def _remarks(result: Result, call: Call, findings: int) -> Iterator[str]:
    if call.partial:
        yield "The capture began after this call did: its beginning is not known."
    capture = result.captures[call.capture] if 0 <= call.capture < len(result.captures) else None
    if capture is not None and capture.grade not in (None, "good"):
        yield visible(f"The capture is {capture.grade}: {'; '.join(capture.doubts)}.")
    if findings > _FINDINGS:
        yield f"{findings - _FINDINGS:,} more findings are left out; the sheet of findings has them."
    wanted = call.answered is not None and (not call.media or not {"audio", "video"}.isdisjoint(call.media))
    if wanted and not call.streams:
        yield "No RTP of this call was captured."


def _members(index: Index, call: Call) -> list[Member]:
    session = index.session.get(call.call_id)
    if session is None:
        return []
    members = []
    for call_id in session.call_ids:
        row = index.call_row.get(call_id)
        if row is not None:
            leg = index.call_at[row]
            title = visible(f"{leg.caller or '?'} to {leg.callee or '?'}, {leg.state}")
            members.append(Member(row, title, visible(call_id), leg is call))
    return members


# ---- media
def _stream(place: _Place, number: int, begin: int, findings: Sequence[Finding]) -> StreamItem:
    result, index = place.result, place.index
    stream, row = result.streams[number], index.stream_row[number]
    own = [each.severity for each in findings if each.stream == number]
    return {
        "row": row,
        "title": visible(f"{host_port(stream.src)} to {host_port(stream.dst)}, {stream.codec or 'unknown codec'}"),
        "direction": stream.direction,
        "severity": min(own, key=SEVERITIES.index, default=None),
        "facts": place.of_streams.of(row),
        "start_s": round((stream.start - begin) / 1e9, 3),
        "end_s": round((stream.end - begin) / 1e9, 3),
        "series": stream_series(result, index, number, begin, place.steps.get(number), place.limits),
        "outages": outage_items(index, number, begin),
        "remarks": [visible(each) for each in stream.anomalies],
    }


def _digits(digits: Sequence[Digit], clock: Callable[[int], str]) -> list[list[str]]:
    """Keys pressed one after another by one side: time, keys, direction, method."""
    rows: list[list[str]] = []
    for (direction, method), group in groupby(digits, key=lambda digit: (digit.direction, digit.method)):
        last = None
        for digit in group:
            key = "!" if digit.key == "flash" else digit.key
            if last is not None and digit.time - last < _KEYS_NS:
                rows[-1][1] += key
            else:
                rows.append([clock(digit.time), key, direction or "", method])
            last = digit.time
    return rows
