"""What is in a capture, as plain data: the ground of the command ``summary`` and of ``print(analysis)``. Floor 8.

In: a result. Out: a dictionary that strict JSON can hold; :mod:`.summary_page` writes it for people. Keys keep their
meaning; times are ISO 8601 with ``Z``, units stand in names, what is not known is None.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ..anomalies import MEANING
from ..explanations import finding_title
from ..facts import SEVERITIES, Finding, Quality, Registration, Subscription
from ..health import GRADES
from ..result import Call, Capture, Result, Stream, host_port
from .calls_table import CALL_COLUMNS
from .cells import clean, iso, rounded
from .derived import findings_of
from .settings import changed_settings

__all__ = ["DOUBT", "FINE", "NOTHING", "TROUBLE", "WORST_STREAMS", "summarize"]

TROUBLE, DOUBT, FINE, NOTHING = "trouble", "look closer", "nothing wrong was found", "nothing to judge"
"""The verdict: there are errors; warnings only; neither; no SIP and no RTP at all."""

WORST_STREAMS = 5
"""How many streams the summary names."""

_STATES = (
    "completed", "in-call", "cancelled", "busy", "no-answer", "redirected", "rejected", "failed", "ringing", "setup",
)  # fmt: skip
_UNDECIDED = ("ringing", "setup")
_ANSWERED = ("completed", "in-call")
_SATISFIED, _SOME_DISSATISFIED = 80.0, 70.0
"""ITU-T G.109: from here users are satisfied; from here some are dissatisfied, below many."""


def summarize(result: Result) -> dict[str, Any]:
    """Summary of a result."""
    findings = _findings(result)
    return {
        "verdict": _verdict(result, findings),
        "findings": findings,
        "quality": _quality(result),
        "settings": changed_settings(result.options),
        "number": result.extra.get("number"),
        "captures": [_capture(capture) for capture in result.captures],
        "unreadable": [clean(str(error)) for error in result.extra.get("unreadable", ())],
        "passed_over": [clean(name) for name in result.extra.get("passed_over", ())],
        "packets_by_kind": dict(result.packets_by_kind),
        "calls": _calls(result),
        "streams": _streams(result.streams),
        "messages": _messages(result),
        "registrations": _states_of(result.registrations),
        "pages": {"count": len(result.pages), "over_limit": sum(page.over_limit for page in result.pages)},
        "subscriptions": _states_of(result.subscriptions),
        "anomalies": _anomalies(result.captures),
    }


def _capture(capture: Capture) -> dict[str, Any]:
    return {
        "file": clean(capture.file),
        "format": capture.format,
        "link_types": list(capture.link_types),
        "packets": capture.packets,
        "bytes": capture.bytes,
        "first": None if capture.first is None else iso(capture.first),
        "last": None if capture.last is None else iso(capture.last),
        "cut_packets": capture.cut_packets,
        "dropped": capture.dropped,
        "clock_steps": capture.clock_steps,
        "damage": None if capture.damage is None else clean(capture.damage),
        "duplicated_percent": None if capture.duplicated_percent is None else rounded(capture.duplicated_percent, "%"),
        "grade": capture.grade,
        "doubts": list(capture.doubts),
    }


# ---- the answer first
def _findings(result: Result) -> list[dict[str, Any]]:
    """Findings by code, the gravest first, with the number of calls that each concerns and the gravest example."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings_of(result):
        found[finding.code].append(finding)
    known = {call.call_id for call in result.calls}
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    entries = []
    for code, group in found.items():
        worst = min(group, key=lambda each: (order[each.severity], each.call_id not in known))
        calls = {call_id for each in group for call_id in _calls_of(each, result, known)}
        stream = None if worst.stream is None else result.streams[worst.stream]
        entries.append(
            {
                "code": code,
                "severity": worst.severity,
                "title": finding_title(code),
                "count": len(group),
                "calls": len(calls),
                "example": clean(worst.explanation),
                "advice": clean(worst.advice),
                "doubtful": None if worst.doubtful is None else clean(worst.doubtful),
                "call_id": clean(worst.call_id) if worst.call_id in known and worst.call_id is not None else None,
                "ssrc": None if stream is None else f"0x{stream.ssrc:08x}",
                "frame": worst.frame,
                "file": None if worst.capture is None else clean(result.captures[worst.capture].file),
            }
        )
    return sorted(entries, key=lambda each: (order[each["severity"]], -each["calls"], -each["count"], each["code"]))


def _calls_of(finding: Finding, result: Result, known: set[str]) -> Iterator[str]:
    """The calls that a finding concerns: not registrations and the like, which have Call-IDs too."""
    if finding.call_id in known and finding.call_id is not None:
        yield finding.call_id
    if finding.stream is not None:
        stream = result.streams[finding.stream]
        yield from (each for each in (stream.call_id, *stream.also_call_ids) if each is not None and each in known)


def _verdict(result: Result, findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One word for the whole, and what it rests on."""
    worst = findings[0]["severity"] if findings else None
    grades = [capture.grade for capture in result.captures if capture.grade is not None]
    nothing = NOTHING if not len(result.messages) and not result.streams else FINE
    counts = Counter(each.severity for each in findings_of(result))
    return {
        "word": {"error": TROUBLE, "warning": DOUBT}.get(worst or "", nothing),
        "errors": counts["error"],
        "warnings": counts["warning"],
        "notes": counts["info"],
        "calls_with_errors": _calls_with(result, "error"),
        "calls_with_warnings": _calls_with(result, "warning"),
        "capture_grade": max(grades, key=GRADES.index, default=None),
    }


def _calls_with(result: Result, severity: str) -> int:
    known = {call.call_id for call in result.calls}
    return len(
        {
            call_id
            for each in findings_of(result)
            if each.severity == severity
            for call_id in _calls_of(each, result, known)
        }
    )


# ---- quality
def _quality(result: Result) -> dict[str, Any]:
    """Rated calls by the bands of ITU-T G.109 (on the narrowband scale's range), and MOS by scale.

    A call is as good as its worst stream that lasted long enough. Streams of no call stand for themselves, under
    ``streams``. Where nothing is rated, ``reason`` says why.
    """
    rated = dict(_rated(result))
    by_call = [
        min(own, key=lambda quality: quality.relative)
        for call in result.calls
        if (own := [rated[number] for number in call.streams if number in rated])
    ]
    alone = [quality for number, quality in rated.items() if result.streams[number].call_id is None]
    bands, mos = _bands(by_call)
    told: dict[str, Any] = {"rated_calls": len(by_call), **bands, "mos": mos}
    bands, mos = _bands(alone, "streams")
    told["streams"] = {"rated": len(alone), **bands, "mos": mos}
    told["reason"] = None if rated else _why_unrated(result)
    return told


def _rated(result: Result) -> Iterator[tuple[int, Quality]]:
    for number, stream in enumerate(result.streams):
        if stream.quality is not None and stream.end - stream.start >= result.options.min_quality_ns:
            yield number, stream.quality


def _bands(rated: Sequence[Quality], what: str = "calls") -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    bands = dict.fromkeys(("good", "fair", "poor"), 0)
    scores: dict[str, list[float]] = {}
    for quality in rated:
        relative = quality.relative
        bands["good" if relative >= _SATISFIED else "fair" if relative >= _SOME_DISSATISFIED else "poor"] += 1
        scores.setdefault(quality.scale, []).append(quality.mos)
    return bands, {
        scale: {
            what: len(values),
            "median": rounded(_quantile(sorted(values), 0.5), ""),
            "min": rounded(min(values), ""),
        }
        for scale, values in sorted(scores.items())
    }


def _why_unrated(result: Result) -> str | None:
    if not result.streams:
        return "no RTP was captured" if any(call.answered is not None for call in result.calls) else None
    rated = [stream for stream in result.streams if stream.quality is not None]
    if rated:
        return f"no stream lasted {result.options.min_quality_ns / 1e9:g} s"
    if all(stream.codec is None for stream in result.streams):
        return "no codec is known: no SDP was captured"
    return "no stream is audio in a codec that the E-model covers"


def _calls(result: Result) -> dict[str, Any]:
    calls = result.calls
    states = Counter(call.state for call in calls)
    decided = [call for call in calls if not call.partial and call.state not in _UNDECIDED]
    answered = sum(call.state in _ANSWERED for call in decided)  # by an ACK or BYE too
    reasons = Counter(
        (call.status_code, clean(call.reason or ""))
        for call in decided
        if call.state not in _ANSWERED and call.state != "cancelled"
    )
    return {
        "count": len(calls),
        "by_state": {state: states[state] for state in _STATES if states[state]},
        "partial": sum(call.partial for call in calls),
        "one_way": sum(call.one_way is True for call in calls),
        "decided": len(decided),
        "answered": answered,
        "answered_percent": rounded(100.0 * answered / len(decided), "%") if decided else None,
        "post_dial_delay_ms": _spread(_figures(calls, result, "post_dial_delay_ms"), "ms"),
        "setup_latency_ms": _spread(_figures(calls, result, "setup_latency_ms"), "ms"),
        "duration_s": _spread(_figures(calls, result, "duration_s"), "s"),
        "retransmissions": sum(call.retransmissions for call in calls),
        "only": None if len(calls) != 1 else {"caller": _name(calls[0].caller), "callee": _name(calls[0].callee)},
        "failures": [
            {"status_code": status, "reason": reason or None, "calls": count}
            for (status, reason), count in reasons.most_common(5)
        ],
        "first_call_id": clean(min(calls, key=lambda call: (call.first_time, call.first_frame)).call_id)
        if calls
        else None,
    }


def _name(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _states_of(rows: Sequence[Registration | Subscription]) -> dict[str, Any]:
    return {"count": len(rows), "by_state": dict(Counter(row.state for row in rows if row.state).most_common())}


def _figures(calls: Sequence[Call], result: Result, column: str) -> list[float]:
    return [float(value) for value in CALL_COLUMNS[column](calls, result) if value is not None]


def _spread(values: list[float], unit: str) -> dict[str, Any] | None:
    """Count, median, mean, 95th percentile (linear between neighbours) and maximum."""
    if not values:
        return None
    values.sort()
    return {
        "count": len(values),
        "median": rounded(_quantile(values, 0.5), unit),
        "mean": rounded(sum(values) / len(values), unit),
        "p95": rounded(_quantile(values, 0.95), unit),
        "max": rounded(values[-1], unit),
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _streams(streams: Sequence[Stream]) -> dict[str, Any]:
    lost, expected = sum(stream.lost for stream in streams), sum(stream.expected for stream in streams)
    jitters = [stream.max_jitter_ms for stream in streams if stream.max_jitter_ms is not None]
    codecs = Counter(stream.codec for stream in streams if stream.codec is not None)
    worst = sorted(
        (stream for stream in streams if stream.lost or (stream.max_jitter_ms or 0.0) >= 30.0),
        key=lambda stream: (-stream.loss_percent, -(stream.max_jitter_ms or 0.0), stream.start),
    )
    return {
        "count": len(streams),
        "in_calls": sum(stream.call_id is not None for stream in streams),
        "encrypted": sum(stream.encrypted is True for stream in streams),
        "packets": sum(stream.packets for stream in streams),
        "expected": expected,
        "lost": lost,
        "loss_percent": rounded(100.0 * lost / expected, "%") if expected else None,
        "with_loss": sum(stream.lost > 0 for stream in streams),
        "max_jitter_ms": rounded(max(jitters), "ms") if jitters else None,
        "codecs": dict(codecs.most_common()),
        "worst": [
            {
                "ssrc": f"0x{stream.ssrc:08x}",
                "src": host_port(stream.src),
                "dst": host_port(stream.dst),
                "codec": stream.codec,
                "packets": stream.packets,
                "lost": stream.lost,
                "loss_percent": rounded(stream.loss_percent, "%"),
                "max_jitter_ms": None if stream.max_jitter_ms is None else rounded(stream.max_jitter_ms, "ms"),
                "mos": None if stream.quality is None else rounded(stream.quality.mos, ""),
                "mos_scale": None if stream.quality is None else stream.quality.scale,
                "call_id": None if stream.call_id is None else clean(stream.call_id),
            }
            for stream in worst[:WORST_STREAMS]
        ],
    }


def _messages(result: Result) -> dict[str, Any]:
    messages = result.messages
    methods = messages.texts.get("method", [])
    requests: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    in_calls = {row for call in result.calls for row in call.rows}
    for row, (status, method, again) in enumerate(
        zip(messages.status.tolist(), messages.method.tolist(), messages.retransmission.tolist(), strict=True)
    ):
        if status == 0 and method >= 0 and not again:
            name = clean(methods[method])
            requests[name] += 1
            if row not in in_calls:
                outside[name] += 1
    return {
        "count": len(messages),
        "requests": dict(requests.most_common()),
        "requests_outside_calls": dict(outside.most_common()),
        "retransmissions": int(messages.retransmission.sum()) if len(messages) else 0,
    }


def _anomalies(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for capture in captures:
        for code, count in capture.anomalies.counts().items():
            entry = found.setdefault(
                code, {"code": code, "count": 0, "meaning": MEANING[code], "details": [], "file": None, "frames": []}
            )
            entry["count"] += count
            anomaly = capture.anomalies[code]
            entry["details"] += [clean(each) for each in anomaly.details if clean(each) not in entry["details"]]
            if anomaly.frames and entry["file"] is None:
                entry["file"], entry["frames"] = clean(capture.file), list(anomaly.frames)
    return sorted(found.values(), key=lambda entry: (-entry["count"], entry["code"]))
