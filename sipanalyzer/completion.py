"""What packets left behind becomes a :class:`~sipanalyzer.result.Result`: calls, streams, and all that is told of them.

Floor 6, the second half of the conductor: nothing here reads packets. Comes in: state of messages, of the media
timeline and streams, of RTCP and of the network. Goes out: the finished result.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .calls.absence import hear, judge_one_way
from .calls.bindings import Binding
from .calls.chats import count_texts
from .calls.digits import find_digits
from .calls.grouping import group_messages
from .calls.kinds import find_kinds, in_order
from .calls.media import match_streams
from .calls.pages import find_pages
from .calls.probes import find_probes
from .calls.registrations import find_registrations
from .calls.reports import ReportTable, StreamReports
from .calls.rows import distinct
from .calls.sessions import join_sessions
from .calls.subscriptions import find_subscriptions
from .facts import Digit, Intervals, MsrpSession, Outage, Quality
from .health import grade_captures
from .metrics.quality import rate_intervals, rate_stream, worst_intervals
from .options import Options
from .result import Call, Capture, Messages, Result, Stream, fill_in
from .rtp.dtmf import merge_events
from .rtp.streams import StreamTable, Turn
from .sip.multipart import part_limits
from .sip.sdp import SdpLimits, sdp_limits
from .unpacking import Unpacker

__all__ = ["Raw", "complete"]

_OTHER_WAY = {"caller-to-callee": "callee-to-caller", "callee-to-caller": "caller-to-callee"}


@dataclass(frozen=True, slots=True)
class Raw:
    """What is there after the last packet."""

    captures: Sequence[Capture]
    messages: Messages
    bindings: Mapping[str, Sequence[Binding]]
    """Sockets that SDP bound, by Call-ID."""
    streams: StreamTable
    reports: ReportTable
    unpacker: Unpacker
    fragmented: frozenset[int]
    """Messages (rows) that came in IP fragments."""
    packets_by_kind: dict[str, int]
    unreadable: Sequence[object]
    passed_over: Sequence[str]


def complete(raw: Raw, options: Options) -> Result:
    """Make the result.

    Parameters
    ----------
    raw : Raw
        What is there.
    options : Options
        Settings.
    """
    messages = raw.messages
    end = max((capture.last for capture in raw.captures if capture.last is not None), default=0)
    transactions, dialogs, calls = group_messages(messages, end, options)
    figures = raw.streams.finish()
    streams, calls, order = match_streams(figures, raw.bindings, calls, options)
    places = {index: number for number, index in enumerate(order)}
    for stream in streams:
        for code in stream.anomalies:
            raw.captures[stream.capture].anomalies.add(code, stream.first_frame)
    digits, dialled = _digits(raw, streams, calls, places)
    reports = raw.reports.finish(streams, calls, messages)
    if reports.left_out:
        raw.captures[0].anomalies.add("rtcp-limit", count=reports.left_out)
    delays = _delays(streams, reports.by_stream)
    qualities = [rate_stream(each, options, one_way_delay_ms=delays.get(n)) for n, each in enumerate(streams)]
    intervals = _intervals(raw.streams, places, qualities, len(streams))
    worst = worst_intervals(intervals.stream, intervals.whole, intervals.mos, len(streams)).tolist()
    for number, stream in enumerate(streams):
        _rate(stream, qualities[number], worst[number], reports.by_stream.get(number), dialled.get(number))
    heard = hear(streams, reports.rows)
    for call in calls:
        one_way = judge_one_way(call, raw.bindings.get(call.call_id, ()), streams, messages, heard)
        _judge(call, streams, digits.get(call.call_id, ()), options, one_way)
    msrp = raw.unpacker.msrp()
    _tell_media(messages, calls, streams, msrp, sdp_limits(options))
    outages = tuple(
        Outage(places[index], start, stop, lost) for index, start, stop, lost in raw.streams.outages().tolist()
    )
    sip_sockets = {messages.endpoints[each] for each in distinct(messages.src).tolist()} if len(messages) else set()
    captures = [
        dataclasses.replace(each, large_frames=raw.unpacker.connections.large_frames.get(n, 0))
        for n, each in enumerate(raw.captures)
    ]
    return Result(
        options=options,
        captures=grade_captures(captures, messages, calls, streams, outages, options),
        messages=messages,
        transactions=tuple(transactions),
        dialogs=tuple(dialogs),
        calls=tuple(calls),
        streams=tuple(streams),
        packets_by_kind=raw.packets_by_kind,
        sessions=tuple(join_sessions(messages, calls, streams, options)),
        registrations=tuple(find_registrations(messages, transactions, end, options)),
        pages=tuple(find_pages(messages, transactions, part_limits(options))),
        subscriptions=tuple(find_subscriptions(messages, transactions, end, options)),
        probes=tuple(find_probes(messages, transactions)),
        rtcp=reports.rows,
        intervals=intervals,
        outages=outages,
        icmp=raw.unpacker.icmp.finish(),
        connections=raw.unpacker.connections.finish(sip_sockets, end),
        checks=raw.unpacker.checks.finish(),
        extra={
            "unreadable": list(raw.unreadable),
            "passed_over": list(raw.passed_over),
            "fragmented": raw.fragmented,
            "bindings": raw.bindings,
            "reports": reports.by_stream,
            "turns": _turns(raw.streams, order),
            "msrp": msrp,
        },
    )


def _digits(
    raw: Raw, streams: Sequence[Stream], calls: Sequence[Call], places: Mapping[int, int]
) -> tuple[dict[str, tuple[Digit, ...]], dict[int, str]]:
    rows = raw.streams.events()
    for row in rows:
        row[0] = places[int(row[0])]
    rates = {n: each.clock_rate or 8000 for n, each in enumerate(streams)} if len(rows) else {}
    return find_digits(merge_events(rows, rates), streams, raw.messages, calls)


def _tell_media(
    messages: Messages,
    calls: Sequence[Call],
    streams: Sequence[Stream],
    msrp: Sequence[MsrpSession],
    limits: SdpLimits,
) -> None:
    """Give each call the kinds of its media, and how many messages were written in it."""
    kinds, describing = find_kinds(messages, calls, streams)
    texts = count_texts(messages, describing, msrp, limits)
    for call, mine in zip(calls, kinds, strict=True):
        written = texts.get(call.call_id)
        if written is not None:
            fill_in(call, media=in_order(mine | {"message"}), text_messages=written)
        elif mine:
            fill_in(call, media=in_order(mine))


def _turns(table: StreamTable, order: Sequence[int]) -> list[tuple[Turn, ...]]:
    """What each stream was told by SDP."""
    turns = table.turns()
    return [turns[index] for index in order]


# ---- quality
def _delays(streams: Sequence[Stream], reports: Mapping[int, StreamReports]) -> dict[int, float]:
    """One-way network delay of the streams whose path's round trip RTCP tells, ms.

    A report tells the round trip from the capture point to its sender and back; the path's is the sum of both ways.
    """
    known = {number: report.rtt_ms for number, report in reports.items() if report.rtt_ms is not None}
    delays: dict[int, float] = {}
    if not known:
        return delays
    by_sockets: dict[tuple[object, object], list[int]] = defaultdict(list)
    for number in known:
        by_sockets[streams[number].src, streams[number].dst].append(number)
    by_way: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    for number in known:
        if streams[number].direction is not None:
            by_way[streams[number].call_id, streams[number].direction].append(number)
    for number, rtt_ms in known.items():
        stream = streams[number]
        other_way = _OTHER_WAY.get(stream.direction or "")
        back = by_sockets.get((stream.dst, stream.src)) or by_way.get((stream.call_id, other_way))
        if back:
            delays[number] = (rtt_ms + known[back[0]]) / 2.0
    return delays


def _intervals(
    table: StreamTable, places: Mapping[int, int], qualities: Sequence[Quality | None], count: int
) -> Intervals:
    """Intervals of all streams, with their quality."""
    raw = table.intervals()
    if not len(raw.index):
        return Intervals()
    numbers = np.zeros(count, np.int64)
    numbers[list(places)] = list(places.values())
    stream = numbers[raw.index]
    order = np.lexsort((raw.start, stream))
    stream = stream[order]
    expected, lost, discarded = raw.expected[order], raw.lost[order], raw.discarded[order]
    r_factor, mos = rate_intervals(expected, lost, discarded, raw.runs[order], stream, qualities)
    return Intervals(
        stream=stream,
        start=raw.start[order],
        packets=raw.packets[order],
        expected=expected,
        lost=lost,
        discarded=discarded,
        max_jitter_ms=raw.max_jitter_ms[order],
        whole=raw.whole[order],
        r_factor=r_factor,
        mos=mos,
    )


def _rate(
    stream: Stream, quality: Quality | None, mos_min: float, reports: StreamReports | None, dialled: str | None
) -> None:
    """Give a stream its quality, and what RTCP and telephone events tell of it."""
    if quality is not None:
        fill_in(stream, quality=quality, mos_min=None if mos_min != mos_min else mos_min)
    if reports is not None:
        fill_in(
            stream,
            rtcp_lost_percent=reports.rtcp_lost_percent,
            rtcp_jitter_ms=reports.rtcp_jitter_ms,
            rtt_ms=reports.rtt_ms,
        )
    if dialled is not None:
        fill_in(stream, dtmf=dialled)


def _judge(
    call: Call, streams: Sequence[Stream], digits: tuple[Digit, ...], options: Options, one_way: bool | None
) -> None:
    """Give a call the MOS of its worst stream that lasted long enough, what was dialled in it, and who was silent."""
    heard = [
        quality
        for number in call.streams
        if (quality := streams[number].quality) is not None
        and streams[number].end - streams[number].start >= options.min_quality_ns
    ]
    if heard:
        worst = min(heard, key=lambda quality: quality.relative)
        fill_in(call, mos=worst.mos, mos_scale=worst.scale)
    if digits:
        fill_in(call, digits=digits)
    if one_way is not call.one_way:
        fill_in(call, one_way=one_way)
