"""The figures of a report's first screen. Floor 8.

In: a result, and the data of :func:`~sipanalyzer.output.summary.summarize`. Out: tiles. No figure is reckoned here that
a table or the summary has: a tile says the same. A tile has a colour only where a threshold of the settings (or the
grade of the capture, or a finding about the calls that failed) gives it one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...facts import SEVERITIES
from ...result import Result
from ..cells import number, visible
from ..derived import findings_of, statistics_of
from ..summary_parts import count_of, time_text
from .data import Tile
from .wording import explained

__all__ = ["make_tiles", "worse"]

_FAILED = ("rejected", "failed")
_SCALES = {"NB": "narrowband", "WB": "wideband", "FB": "fullband"}
_GRADES = {"poor": "error", "fair": "warning"}
_MEANING = {
    "calls": "Calls: all messages of one Call-ID that has an INVITE outside a dialog, or that was up when the capture "
    "began.",
    "answered": "Calls that were answered, over those whose outcome was captured: neither ringing nor in set-up when "
    "the capture ends, nor up when it began.",
    "failed": "Calls that were rejected (another 4xx or 6xx than those of a busy or absent callee) or failed (5xx, or "
    "no response at all). Busy, no answer, cancelled and redirected are no failures.",
    "registrations": "REGISTER requests with their challenges, up to the final response.",
    "messages": "SIP messages, requests and responses, at every hop that was captured.",
    "streams": "RTP streams: one direction of sound or picture each.",
}


def worse(one: str | None, other: str | None) -> str | None:
    """The graver of two severities; None is none."""
    known = [each for each in (one, other) if each is not None]
    return min(known, key=SEVERITIES.index, default=None)


def make_tiles(result: Result, data: dict[str, Any]) -> Iterator[Tile]:
    """The tiles, in the order to show them.

    Parameters
    ----------
    result : Result
        Of an analysis.
    data : dict
        Its summary.
    """
    if data["calls"]["count"] or not (data["registrations"]["count"] or data["streams"]["count"]):
        yield from _call_tiles(result, data)
    if not data["calls"]["count"] and data["messages"]["count"]:
        kinds = ", ".join(
            f"{count:,} {visible(name)}" for name, count in list(data["messages"]["requests"].items())[:3]
        )
        yield _tile("messages", "SIP messages", f"{data['messages']['count']:,}", note=kinds)
    if data["registrations"]["count"]:
        yield _registration_tile(result, data)
    yield from _quality_tiles(result, data)
    yield from _stream_tiles(result, data)
    yield from _grade_tile(data)


# ---- calls
def _call_tiles(result: Result, data: dict[str, Any]) -> Iterator[Tile]:
    calls = data["calls"]
    states = calls["by_state"]
    partial = f"{calls['partial']:,} began before the capture" if calls["partial"] else ""
    up = f"{states['in-call']:,} still up at its end" if states.get("in-call") else ""
    yield _tile("calls", "Calls", f"{calls['count']:,}", note=", ".join(each for each in (partial, up) if each))
    if not calls["count"]:
        return
    share = "" if calls["answered_percent"] is None else f"{calls['answered_percent']:.1f} % of {calls['decided']:,}"
    yield _tile("answered", "Answered", f"{calls['answered']:,}" if calls["decided"] else "-", note=share)
    failed = {state: states.get(state, 0) for state in _FAILED}
    others = [f"{count:,} {state}" for state, count in states.items() if state in ("busy", "no-answer", "cancelled")]
    told = [f"{count:,} {state}" for state, count in failed.items() if count] if all(failed.values()) else []
    yield _tile(
        "failed", "Failed", f"{sum(failed.values()):,}", note=", ".join(told or others), severity=_of_failed(result)
    )
    for key, metric in (("asr", "ASR"), ("ner", "NER")):
        value, basis = _statistic(result, metric)
        text = "-" if value is None else f"{value:.1f}"
        note = f"of {count_of(basis, 'call')}" if basis else "no call was decided"
        yield _tile(key, metric, text, "%", note, meaning=explained(metric))
    yield from _delay_tiles(result, calls["post_dial_delay_ms"])


def _of_failed(result: Result) -> str | None:
    """The worst that was found about calls that failed."""
    failed = {call.call_id for call in result.calls if call.state in _FAILED}
    severity = None
    for finding in findings_of(result) if failed else ():
        if finding.call_id in failed:
            severity = worse(severity, finding.severity)
    return severity


def _statistic(result: Result, metric: str) -> tuple[float | None, int]:
    """Value and basis of a statistic over all."""
    found = (each for each in statistics_of(result) if each.metric == metric and each.scope == "all")
    return next(((each.value, each.basis) for each in found), (None, 0))


def _delay_tiles(result: Result, spread: dict[str, Any] | None) -> Iterator[Tile]:
    options = result.options
    for key, label, which in (("pdd", "Post-dial delay, median", "median"), ("pdd95", "Post-dial delay, 95 %", "p95")):
        if spread is None:
            yield _tile(key, label, "-", note="no call rang or was answered", meaning=explained("post_dial_delay_ms"))
            continue
        value = spread[which]
        limits = options.post_dial_delay_warning_ms, options.post_dial_delay_error_ms
        text, _, unit = time_text(value / 1e3).partition(" ") if value >= 1 else (f"{value:.2f}", "", "ms")
        note = (
            f"longest {time_text(spread['max'] / 1e3)}" if which == "p95" else f"of {count_of(spread['count'], 'call')}"
        )
        yield _tile(key, label, text, unit, note, _above(value, *limits), explained("post_dial_delay_ms"))


def _registration_tile(result: Result, data: dict[str, Any]) -> Tile:
    states = data["registrations"]["by_state"]
    severity = None
    for finding in findings_of(result):
        if finding.code == "registration-failure":
            severity = worse(severity, finding.severity)
    note = ", ".join(f"{count:,} {visible(state)}" for state, count in states.items())
    return _tile("registrations", "Registrations", f"{data['registrations']['count']:,}", "", note, severity)


# ---- media
def _quality_tiles(result: Result, data: dict[str, Any]) -> Iterator[Tile]:
    """MOS, a tile a scale: figures of two scales are not comparable."""
    quality = data["quality"]
    mos, what = (quality["mos"], "call") if quality["rated_calls"] else (quality["streams"]["mos"], "stream")
    lowest = _lowest(result, of_calls=what == "call")
    for scale, each in mos.items():
        label = "MOS" if len(mos) == 1 and scale == "NB" else f"MOS, {_SCALES.get(scale, scale)}"
        count = each[f"{what}s"]
        note = f"worst {each['min']:.2f}; {count_of(count, what)}" if count > 1 else f"{scale}, {count_of(count, what)}"
        severity = _below(lowest.get(scale), result.options.low_mos_warning_r, result.options.low_mos_error_r)
        meaning = f"Median of the {what}s rated on this scale. {explained('mos')}"
        yield _tile(f"mos-{scale.lower()}", label, f"{each['median']:.2f}", scale, note, severity, meaning)
    if not mos and data["streams"]["count"]:
        yield _tile("mos", "MOS", "-", note=quality["reason"] or "", meaning=explained("mos"))


def _lowest(result: Result, *, of_calls: bool) -> dict[str, float]:
    """The lowest R of each scale, on the narrowband scale's range."""
    found: dict[str, float] = {}
    for stream in result.streams:
        quality = stream.quality
        if quality is None or stream.end - stream.start < result.options.min_quality_ns:
            continue
        if (stream.call_id is not None) == of_calls:
            found[quality.scale] = min(quality.relative, found.get(quality.scale, quality.relative))
    return found


def _stream_tiles(result: Result, data: dict[str, Any]) -> Iterator[Tile]:
    streams = data["streams"]
    if not streams["count"]:
        return
    if not data["calls"]["count"]:
        yield _tile("streams", "Streams", f"{streams['count']:,}", note=count_of(streams["packets"], "packet"))
    loss = streams["loss_percent"]
    if loss is None:
        return
    options = result.options
    severity = _above(loss, options.high_loss_warning_percent, options.high_loss_error_percent)
    note = f"{streams['lost']:,} of {count_of(streams['expected'], 'packet')}"
    if streams["worst"] and streams["count"] > 1 and streams["worst"][0]["lost"]:
        note += f"; worst stream {number(streams['worst'][0]['loss_percent'], '%')} %"
    yield _tile("loss", "Packet loss", number(loss, "%"), "%", note, severity, explained("loss_percent"))


def _grade_tile(data: dict[str, Any]) -> Iterator[Tile]:
    grade = data["verdict"]["capture_grade"]
    if grade is None:
        return
    doubts = [doubt for capture in data["captures"] if capture["grade"] == grade for doubt in capture["doubts"]]
    note = visible(doubts[0]) if doubts and grade != "good" else ""
    yield _tile("grade", "Capture", grade, "", note, _GRADES.get(grade), explained("grade"))


# ---- what tiles are made of
def _tile(
    key: str,
    label: str,
    value: str,
    unit: str = "",
    note: str = "",
    severity: str | None = None,
    meaning: str | None = None,
) -> Tile:
    return Tile(key, label, value, unit, note, severity, _MEANING[key] if meaning is None else meaning)


def _above(value: float, warning: float, error: float) -> str | None:
    return "error" if value >= error else "warning" if value >= warning else None


def _below(value: float | None, warning: float, error: float) -> str | None:
    return None if value is None else "error" if value < error else "warning" if value < warning else None
