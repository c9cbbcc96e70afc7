"""Findings that a defect of the capture makes doubtful. Floor 7.

Owns the table of which defect makes what doubtful. In: findings, and what captures say of themselves. Out: findings,
where a doubtful one says so and has lost one step of severity. A defect counts only where it meets what the finding is
about: the same capture, and the same time, frames or hosts where these are known of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..facts import SEVERITIES, Finding
from ..result import Call, Capture, Stream
from .context import Context

__all__ = ["DOUBTS", "Doubt", "mark_doubtful"]

SLACK_NS = 1_000_000_000
"""A defect this near to a call meets it."""
_EXPLAINED = 0.5
"""Share of a stream's lost packets that the capture must have lost itself to make their count doubtful."""
_DROPPED = 1e-4
"""Share of a capture's packets that it must have dropped to make anything doubtful."""
_LOSS = frozenset({"high-loss", "low-mos"})
_ABSENCE = ("one-way-audio", "no-media", "late-media", "media-timeout", "no-rtp-captured")
_MISSING = ("missing-ack", "missing-prack", "missing-bye", "unanswered-request", "registration-failure", "auth-failure")
_TO_THE_END = frozenset({"missing-bye", "unanswered-request", "missing-ack", "media-timeout"})
"""Findings about something that did not come until the capture ended."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a defect of a capture makes doubtful."""

    codes: frozenset[str]
    clause: str


DOUBTS: dict[str, Doubt] = {
    "capture-drops": Doubt(
        frozenset((*_MISSING, *_ABSENCE, *_LOSS, "sequence-reset", "codec-mismatch")), "the capture itself lost packets"
    ),
    "capture-duplicates": Doubt(
        frozenset(("retransmissions", "missing-ack", "missing-prack")), "packets stand twice in the capture"
    ),
    "one-sided-capture": Doubt(
        frozenset((*_MISSING, *_ABSENCE, "retransmissions", "dtmf-not-negotiated", "codec-mismatch")),
        "one direction is missing in the capture",
    ),
    "truncated-capture": Doubt(
        frozenset((*_MISSING, *_ABSENCE, "malformed-sip", "codec-mismatch", "dtmf-not-negotiated", "ptime-mismatch")),
        "the capture was cut",
    ),
    "clock-step": Doubt(
        frozenset(
            (
                *("high-jitter", "high-loss", "low-mos", "clock-drift", "late-media", "media-timeout", "missing-bye"),
                *("high-post-dial-delay", "session-timer-expiry", "unanswered-request", "retransmissions"),
            )
        ),
        "the capture's clock was set back",
    ),
    "partial": Doubt(
        frozenset((*_ABSENCE, "codec-mismatch", "ptime-mismatch", "dtmf-not-negotiated", "auth-failure")),
        "the capture began in mid-call",
    ),
}
"""By code of the finding about the capture (and ``partial`` for a call that began before it)."""


@dataclass(frozen=True, slots=True)
class _Defect:
    """One defect of one capture; of what is None nothing is known, and it is everywhere."""

    begin: int | None = None
    end: int | None = None
    frame: int | None = None
    hosts: frozenset[str] | None = None
    cut_messages: bool = False
    packets: int | None = None
    """How many packets it cost."""


def mark_doubtful(findings: Iterable[Finding], context: Context) -> list[Finding]:
    """Say which findings are doubtful, and lower them by one step.

    Parameters
    ----------
    findings : iterable of Finding
        As the rules found them.
    context : Context
        Of the result that they are about.

    Returns
    -------
    list of Finding
        In the same order. A finding that its rule called doubtful is not lowered again.
    """
    found = list(findings)
    defects = _defects(found, context)
    if not defects and not any(call.partial for call in context.result.calls):
        return found
    return [_judged(each, defects, context) for each in found]


def _judged(finding: Finding, defects: dict[tuple[int, str], list[_Defect]], context: Context) -> Finding:
    clauses = []
    call = context.calls.get(finding.call_id or "")
    for code, doubt in DOUBTS.items():
        if finding.code not in doubt.codes:
            continue
        if code == "partial":
            if call is not None and call.partial:
                clauses.append(doubt.clause)
        elif finding.capture is not None and _meets(
            finding, code, defects.get((finding.capture, code), ()), call, context
        ):
            clauses.append(doubt.clause)
    clauses = [clause for clause in clauses if clause not in (finding.doubtful or "")]
    if not clauses:
        return finding
    if finding.doubtful is not None:
        return replace(finding, doubtful="; ".join((finding.doubtful, *clauses)))
    lower = SEVERITIES[min(SEVERITIES.index(finding.severity) + 1, len(SEVERITIES) - 1)]
    return replace(finding, doubtful="; ".join(clauses), severity=lower)


# ---- what is wrong with the captures


def _defects(findings: list[Finding], context: Context) -> dict[tuple[int, str], list[_Defect]]:
    found: dict[tuple[int, str], list[_Defect]] = defaultdict(list)
    for number, capture in enumerate(context.result.captures):
        for code, defect in _of_capture(capture, context):
            found[number, code].append(defect)
    for each in findings:
        told = each.call_id is None and each.stream is None and each.code in DOUBTS and each.capture is not None
        if told and (each.capture, each.code) not in found:
            found[each.capture or 0, each.code] = [_Defect(begin=each.time, end=each.time)]
    return found


def _of_capture(capture: Capture, context: Context) -> Iterator[tuple[str, _Defect]]:
    for begin, end in capture.holes:
        yield "capture-drops", _Defect(begin=begin, end=end)
    if capture.dropped and capture.dropped >= _DROPPED * capture.packets:
        yield "capture-drops", _Defect(packets=capture.dropped)
    for pair in capture.one_sided:
        yield "one-sided-capture", _Defect(hosts=frozenset(pair))
    if capture.cut_packets:
        yield "truncated-capture", _Defect(cut_messages=True)
    if capture.damage is not None:
        yield "truncated-capture", _Defect(begin=capture.last, end=capture.last)
    if capture.clock_steps:
        frames = capture.anomalies["clock-step"].frames if "clock-step" in capture.anomalies else []
        if capture.clock_steps > len(frames):
            yield "clock-step", _Defect()
        for frame in frames:
            yield "clock-step", _Defect(frame=frame)
    if (capture.duplicated_percent or 0.0) >= max(1.0, context.options.duplicated_percent):
        yield "capture-duplicates", _Defect()


# ---- whether they meet a finding


def _meets(finding: Finding, code: str, defects: Iterable[_Defect], call: Call | None, context: Context) -> bool:
    stream = None if finding.stream is None else context.result.streams[finding.stream]
    met = [each for each in defects if _touches(finding, each, call, stream, context)]
    if not met or code != "capture-drops" or stream is None or finding.code not in _LOSS:
        return bool(met)
    return _lost_by_capture(finding.stream or 0, stream, met, context) >= _EXPLAINED * max(1, stream.lost)


def _touches(finding: Finding, defect: _Defect, call: Call | None, stream: Stream | None, context: Context) -> bool:
    if defect.cut_messages:
        if call is None:
            return finding.code == "malformed-sip"
        return any(bool(context.messages.truncated[row]) for row in call.rows)
    if defect.hosts is not None:
        return defect.hosts <= _hosts(call, stream, context)
    thing = stream if stream is not None else call
    if thing is None:
        return True
    if defect.frame is not None:
        return thing.first_frame <= defect.frame <= thing.last_frame or finding.code in _TO_THE_END
    if defect.begin is None or defect.end is None:
        return True
    begin, end = (stream.start, stream.end) if stream is not None else _span(call, context)
    return defect.end >= begin - SLACK_NS and (defect.begin <= end + SLACK_NS or finding.code in _TO_THE_END)


def _span(call: Call | None, context: Context) -> tuple[int, int]:
    """First and last time of a call, media included."""
    if call is None:
        return 0, 0
    return call.first_time, max([call.last_time, *(stream.end for _, stream in context.streams(call))])


def _hosts(call: Call | None, stream: Stream | None, context: Context) -> set[str]:
    found = set() if stream is None else {stream.src[0], stream.dst[0]}
    messages = context.messages
    for row in call.rows[:1_000] if call is not None else ():
        found.add(messages.endpoints[int(messages.src[row])][0])
        found.add(messages.endpoints[int(messages.dst[row])][0])
    return found


def _lost_by_capture(number: int, stream: Stream, defects: list[_Defect], context: Context) -> int:
    """How many of a stream's lost packets the capture may have lost."""
    dropped = sum(each.packets or 0 for each in defects)
    holes = [(each.begin, each.end) for each in defects if each.begin is not None and each.end is not None]
    outages = context.outages.get(number, ())
    gone = sum(each.lost for each in outages if any(each.start <= end and each.end >= begin for begin, end in holes))
    return dropped + gone
