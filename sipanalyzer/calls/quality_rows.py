"""Reports of quality in SIP as lines of the table `rtcp`, with the stream that each is about. Floor 5.

Comes in: what :mod:`sipanalyzer.sip.quality_reports` found, calls and their streams. Goes out:
:class:`~sipanalyzer.facts.Rtcp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..facts import Rtcp
from ..result import Call, Messages, Stream
from ..sip.quality_reports import QualityReport

__all__ = ["quality_rows"]

_OTHER = {"caller-to-callee": "callee-to-caller", "callee-to-caller": "caller-to-callee"}


def quality_rows(
    reports: Iterable[QualityReport], messages: Messages, calls: Sequence[Call], streams: Sequence[Stream]
) -> list[Rtcp]:
    """Lines of the table, in order of the messages.

    The same report of a call at a second hop (a proxy passes it on) makes no second line.
    """
    by_id = {call.call_id: call for call in calls}
    seen: set[tuple[object, ...]] = set()
    rows = []
    for report in reports:
        key = (report.call_id, report.type, report.ssrc, report.reported_ssrc, report.values)
        if key in seen:
            continue
        seen.add(key)
        rows.append(_row(report, messages, by_id, streams))
    return rows


def _row(report: QualityReport, messages: Messages, calls: Mapping[str, Call], streams: Sequence[Stream]) -> Rtcp:
    row = report.row
    call = calls.get(report.call_id) if report.call_id is not None else None
    values = dict(report.values)
    lost = values.get("packets_lost")
    return Rtcp(
        time=int(messages.time[row]),
        frame=int(messages.frame[row]),
        capture=int(messages.capture[row]),
        src=messages.endpoints[int(messages.src[row])],
        dst=messages.endpoints[int(messages.dst[row])],
        type=report.type,
        ssrc=report.ssrc,
        reported_ssrc=report.reported_ssrc,
        cumulative_lost=None if lost is None else int(lost),
        jitter_ms=values.get("jitter_ms"),
        call_id=report.call_id,
        stream=None if call is None else _stream(report, messages, call, streams),
        values=report.values,
    )


def _stream(report: QualityReport, messages: Messages, call: Call, streams: Sequence[Stream]) -> int | None:
    """The stream reported on; None where several, or none, suit."""
    fits = list(call.streams)
    if report.reported_ssrc is not None:
        fits = [k for k in fits if streams[k].ssrc == report.reported_ssrc]
    known = [
        [k for k in fits if streams[k].dst == report.receiver],
        [k for k in fits if streams[k].src == report.sender],
    ]
    for some in known:
        if len(some) == 1:
            return some[0]
    if report.reported_ssrc is not None:
        return fits[0] if len(fits) == 1 else None
    if any(known):  # several: its sockets were used by one stream after another
        return None
    return _by_direction(report, messages, call, streams)


def _by_direction(report: QualityReport, messages: Messages, call: Call, streams: Sequence[Stream]) -> int | None:
    """The only audio stream towards the side that reports (or from it); of several the one at its own host."""
    if call.caller_tag is None:
        return None
    from_caller = messages.text("from_tag", report.row) == call.caller_tag
    if messages.status[report.row]:  # a response is sent by the other side
        from_caller = not from_caller
    towards = "callee-to-caller" if from_caller else "caller-to-callee"
    direction = _OTHER[towards] if report.sent else towards
    fits = [k for k in call.streams if streams[k].direction == direction and streams[k].media in ("audio", None)]
    if len(fits) > 1:
        host = messages.endpoints[int(messages.src[report.row])][0]
        fits = [k for k in fits if (streams[k].src if report.sent else streams[k].dst)[0] == host]
    return fits[0] if len(fits) == 1 else None
