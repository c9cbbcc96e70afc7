"""What the far end reported of a stream, as figures; and whether a loss happened before or behind the capture. Floor 5.

Comes in: a stream and the report blocks that are about it. Goes out: :class:`StreamReports`. Sources: RFC 3550 6.4.1
and A.3.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..facts import Rtcp
from ..result import Endpoint, Stream

__all__ = ["NOT_A_JITTER", "Said", "StreamReports", "far_end", "says_received", "where_lost"]

_CYCLE = 1 << 16
_SLACK = 3_000
"""Packets by which a report may be ahead of what was captured by its time (RFC 3550 A.1, MAX_DROPOUT)."""
NOT_A_JITTER = 1 << 31
"""From here on ticks are a negative number that somebody took for an unsigned one."""
_CLEAR_PERCENT = 0.5
"""Difference in loss that is told from none..."""
_CLEAR_SHARE = 0.2
"""... or this share of the larger figure, if that is more: the last report came before the stream's end."""
_CLEAR_PACKETS = 3


class Said(NamedTuple):
    """One report block about a stream."""

    time: int
    src: Endpoint
    ssrc: int | None
    """Of the reporter."""
    fit: int
    """How well its sockets suit the stream's."""
    fraction_lost: int
    cumulative_lost: int
    extended_highest: int
    jitter: int
    rtt_ns: int | None


@dataclass(frozen=True, slots=True)
class StreamReports:
    """What RTCP says of one stream."""

    rtcp_lost_percent: float | None = None
    """Share of the packets expected by the last report that never came to the far end; see :func:`far_end`."""
    rtcp_jitter_ms: float | None = None
    """The highest interarrival jitter that it reported, by the stream's own clock."""
    rtt_ms: float | None = None
    """Median round trip from the capture point to the reporter and back."""
    received: bool = False
    """Whether some report says that the stream, or part of it, came to its receiver."""
    lost: int | None = None
    expected: int | None = None
    """Packets behind `rtcp_lost_percent`; None where it is the fraction of a single report."""
    reports: int = 0
    contradictory: bool = False
    """Whether a loss was counted, and yet no report has a fraction lost: some devices count what was never sent."""


def says_received(row: Rtcp) -> bool:
    """Whether a line of the table tells of a stream that came to the reporter, be it captured or not.

    RTCP: it knows a highest sequence number, and lost less than all since its last report. A block of zeros only is
    what some send before anything came. SIP: packets were received.
    """
    if row.extended_highest is not None:
        told = row.extended_highest or row.cumulative_lost or row.fraction_lost_percent or row.jitter_ms
        return bool(told) and (row.fraction_lost_percent or 0.0) < 99.0
    return dict(row.values).get("packets_received", 0.0) > 0


def far_end(
    stream: Stream,
    said: Sequence[Said],
    *,
    partial: bool = False,
    sent: tuple[int, int] | None = None,
    other_trips: Sequence[int] = (),
) -> StreamReports:
    """Figures of one stream from the report blocks about it.

    Parameters
    ----------
    stream : Stream
        That the reports are about.
    said : sequence of Said
        In order of time.
    partial : bool
        Whether the capture is known to have begun after the call.
    sent : (int, int), optional
        Time of a sender report of the stream, and the packets that it says were sent by then.
    other_trips : sequence of int
        Round trips (ns) told by DLRR (RFC 3611 4.5): they count where receiver reports tell none.

    Returns
    -------
    StreamReports

    Notes
    -----
    Loss is the last report's cumulative loss over the packets expected by then, counted from the stream's first
    captured sequence number: the reporter does not say where it began to count, and its count of cycles starts at 0
    wherever that was. Where it counted before the capture began, only the difference between its first and its last
    report is sound; with a single such report, its fraction lost is all there is. Several reporters (a conference, a
    box between) are not mixed: the one whose sockets fit best counts, then the one with most reports. A reporter that
    starts anew (highest sequence number or loss far below the last) is added up from there. Duplicates can make loss
    negative: that is none.
    """
    reporters: dict[tuple[Endpoint, int | None], list[Said]] = defaultdict(list)
    for each in said:
        reporters[each.src, each.ssrc].append(each)
    chosen = max(reporters.values(), key=lambda reports: (max(r.fit for r in reports), len(reports)), default=[])
    counts = _count(stream, chosen, partial, sent)
    fractions = [100.0 * r.fraction_lost / 256 for r in chosen if _tells(r)]
    if counts is not None:
        percent: float | None = 100.0 * counts[0] / counts[1]
    else:
        percent = fractions[-1] if fractions else None
    ticks = [r.jitter for r in said if r.jitter < NOT_A_JITTER and _tells(r)]
    jitter = 1000.0 * max(ticks) / stream.clock_rate if ticks and stream.clock_rate else None
    trips = [r.rtt_ns for r in said if r.rtt_ns is not None] or other_trips
    return StreamReports(
        rtcp_lost_percent=percent,
        rtcp_jitter_ms=jitter,
        rtt_ms=statistics.median(trips) / 1e6 if trips else None,
        received=any(_tells(r) and r.fraction_lost < 255 for r in said),
        lost=None if counts is None else counts[0],
        expected=None if counts is None else counts[1],
        reports=len(said),
        contradictory=percent is not None and percent > 1.0 and not any(r.fraction_lost for r in said),
    )


def _tells(said: Said) -> bool:
    """Whether a block holds anything but zeros."""
    return bool(said.extended_highest or said.cumulative_lost or said.fraction_lost or said.jitter)


def _count(
    stream: Stream, reports: Sequence[Said], partial: bool, sent: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Packets lost and expected according to one reporter; None where only differences of nothing are known."""
    told = [report for report in reports if report.extended_highest or not report.cumulative_lost]
    told = [report for report in told if _tells(report)]  # a loss up to no sequence number is none
    if not told:
        return None
    first = told[0]
    lost = expected = 0
    if not partial and not _sent_before(stream, sent):
        by_then = _expected_by(stream, first.extended_highest, first.time)
        if by_then is not None and first.cumulative_lost <= by_then and not _counted_before(stream, first, by_then):
            lost, expected = first.cumulative_lost, by_then
    before = first
    for report in told[1:]:
        step = report.extended_highest - before.extended_highest
        change = report.cumulative_lost - before.cumulative_lost
        if step >= 0 and change < -(_CLEAR_PACKETS + step // 50) and report.cumulative_lost >= 0:
            change = report.cumulative_lost  # more than duplicates take away: it counts anew, the sender went on
        if step >= 0 and abs(change) <= step + _SLACK:
            lost, expected = lost + change, expected + step
        elif -_SLACK < step < 0 and report.cumulative_lost >= before.cumulative_lost:
            continue  # an older report overtaken by a newer one
        before = report
    if expected <= 0:
        return None
    return min(max(lost, 0), expected), expected


def _so_far(stream: Stream, time: int) -> float:
    """About how many packets of a stream had passed by then: it is taken as even."""
    length = stream.end - stream.start
    share = min(1.0, (time - stream.start) / length) if length > 0 else 1.0
    return stream.expected * share


def _sent_before(stream: Stream, sent: tuple[int, int] | None) -> bool:
    """Whether the sender had sent far more by some time than was captured: the capture began later."""
    return sent is not None and sent[1] > 1.5 * _so_far(stream, sent[0]) + 500


def _counted_before(stream: Stream, first: Said, expected: int) -> bool:
    """Whether a first report cannot be the reporter's first, where no SIP tells that the capture has it all.

    Then its fraction, of the packets since the report before, is far less than its loss in all.
    """
    since = (first.fraction_lost + 1) * expected / 256  # fractions are cut to 1/256
    return stream.call_id is None and first.cumulative_lost > since + max(_CLEAR_PACKETS, expected // 50)


def _expected_by(stream: Stream, highest: int, time: int) -> int | None:
    """Packets from the first captured one to the highest reported; None where that is beyond belief."""
    about = _so_far(stream, time)
    count = (highest - stream.first_sequence) % _CYCLE + 1
    count += round((about - count) / _CYCLE) * _CYCLE
    return count if 0 < count <= about + _SLACK else None


def where_lost(stream: Stream, reports: StreamReports | float) -> str | None:
    """On which side of the capture point packets of a stream were lost, seen from its sender.

    Parameters
    ----------
    stream : Stream
        As captured.
    reports : StreamReports or float
        What the far end reported; or its share of loss alone (`Stream.rtcp_lost_percent`), where nothing else is known.

    Returns
    -------
    str or None
        ``before``: the capture missed them as well; ``after``: they passed the capture and did not come to the far
        end; ``both``. None where there is no loss to speak of, the far end says too little or contradicts itself, or it
        lost less than the capture did (then the capture dropped packets, or the report is older than the loss).
    """
    if isinstance(reports, StreamReports):
        far, lost, expected = reports.rtcp_lost_percent, reports.lost, reports.expected
        if far is None or lost is None or expected is None or reports.contradictory:
            return None
    else:
        far, expected = reports, stream.expected
        lost = round(far * expected / 100.0)
    near = stream.loss_percent
    margin = max(_CLEAR_PERCENT, _CLEAR_SHARE * max(far, near))
    if near - far > margin:
        return None
    before = near >= _CLEAR_PERCENT and stream.lost >= _CLEAR_PACKETS
    extra = lost - near * expected / 100.0
    after = far - near > margin and extra >= _CLEAR_PACKETS
    return _SIDES[before, after]


_SIDES = {(True, True): "both", (True, False): "before", (False, True): "after", (False, False): None}
