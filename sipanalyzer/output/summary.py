"""What is in a capture, as plain data: the ground of the command ``summary`` and of ``print(analysis)``. Floor 8.

In: a result. Out: a dictionary that strict JSON can hold; :mod:`.summary_page` writes it for people. Keys keep their
meaning; times are ISO 8601 with ``Z``, units stand in names, what is not known is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..anomalies import MEANING
from ..result import Call, Capture, Result, Stream, host_port
from .calls_table import CALL_CELLS
from .cells import clean, iso, rounded

__all__ = ["WORST_STREAMS", "summarize"]

WORST_STREAMS = 5
"""How many streams the summary names."""

_STATES = (
    "completed", "in-call", "cancelled", "busy", "no-answer", "redirected", "rejected", "failed", "ringing", "setup",
)  # fmt: skip
_UNDECIDED = ("ringing", "setup")


def summarize(result: Result) -> dict[str, Any]:
    """Summary of a result."""
    return {
        "captures": [_capture(capture) for capture in result.captures],
        "unreadable": [clean(str(error)) for error in result.extra.get("unreadable", ())],
        "passed_over": [clean(name) for name in result.extra.get("passed_over", ())],
        "packets_by_kind": dict(result.packets_by_kind),
        "calls": _calls(result),
        "streams": _streams(result.streams),
        "messages": _messages(result),
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
    }


def _calls(result: Result) -> dict[str, Any]:
    calls = result.calls
    states = Counter(call.state for call in calls)
    decided = [call for call in calls if not call.partial and call.state not in _UNDECIDED]
    answered = sum(call.answered is not None for call in decided)
    reasons = Counter(
        (call.status_code, clean(call.reason or ""))
        for call in decided
        if call.answered is None and call.state != "cancelled"
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
        "failures": [
            {"status_code": status, "reason": reason or None, "calls": count}
            for (status, reason), count in reasons.most_common(5)
        ],
        "first_call_id": clean(min(calls, key=lambda call: (call.first_time, call.first_frame)).call_id)
        if calls
        else None,
    }


def _figures(calls: Sequence[Call], result: Result, column: str) -> list[float]:
    values = (CALL_CELLS[column](call, result) for call in calls)
    return [float(value) for value in values if value is not None]


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
