"""The summary for people: eighty columns, the answer first. Floor 8.

In: the data of :func:`.summary.summarize`. Out: styled lines (see :mod:`.terminal`).
"""

from __future__ import annotations

import datetime
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

from .cells import local_time, parse_time, visible
from .terminal import Line, fit, width_of

__all__ = ["passed_over", "summary_lines"]

_LEFT = 14
_FILES = 3
_UNREADABLE = 8
_PASSED_OVER = 4
_FINDINGS = 8
_SIZES = ("B", "kB", "MB", "GB", "TB")
_SPREADS = (
    ("  post-dial", "post_dial_delay_ms", "ms"),
    ("  set-up", "setup_latency_ms", "ms"),
    ("  talk", "duration_s", "s"),
)
_STYLE = {
    "completed": "green", "in-call": "green", "rejected": "red", "failed": "red", "ringing": "cyan", "setup": "cyan",
}  # fmt: skip


def summary_lines(
    data: dict[str, Any], width: int = 80, tz: datetime.tzinfo = datetime.UTC, captures: Sequence[str] = ()
) -> list[Line]:
    """The page.

    Parameters
    ----------
    data : dict
        What :func:`.summary.summarize` gave.
    width : int
        Columns of the page; texts from the capture are cut to fit.
    tz : datetime.tzinfo
        Zone in which times are shown.
    captures : sequence of str
        What the user typed, for the commands that the page proposes; none: no proposals.
    """
    parts = [
        _verdict_part(data, width),
        _finding_part(data["findings"], width),
        _capture_part(data, tz),
        _call_part(data["calls"], width),
        _stream_part(data["streams"], width),
        _message_part(data["messages"], width),
        _anomaly_part(data["anomalies"], width),
    ]
    lines: list[Line] = []
    for part in parts:
        if part and lines:
            lines.append([])
        lines += part
    more = _more_part(data, captures)
    return [fit(line, width) for line in lines] + ([[], *more] if more else [])  # to be copied: never cut


def _item(name: str, *pieces: tuple[str, str] | str) -> Line:
    return [
        (f"{name:<{_LEFT}}", "bold" if name else ""),
        *((each, "") if isinstance(each, str) else each for each in pieces),
    ]


def _flow(name: str, first: str, pieces: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """A heading and pieces with commas between them, on as many lines as they need."""
    lines = [_item(name, *([(f"{first}  ", "bold")] if first else []))]
    used = _LEFT + (len(first) + 2 if first else 0)
    for at, (text, style) in enumerate(pieces):
        text = visible(text)
        comma = ", " if at < len(pieces) - 1 else ""
        if used + width_of(text) + 1 > width and used > _LEFT:
            lines.append(_item(""))
            used = _LEFT
        lines[-1] += [(text, style), (comma, "")]
        used += width_of(text) + len(comma)
    return lines


def _verdict_part(data: dict[str, Any], width: int) -> list[Line]:
    """The answer: calls, success, quality, how far the capture can be trusted."""
    verdict, calls, quality = data["verdict"], data["calls"], data["quality"]
    word = verdict["word"]
    style = {"trouble": "bold red", "look closer": "bold yellow"}.get(word, "bold green")
    counts = [
        f"{_count(verdict[which], which[:-1])}"
        + (f" in {_count(verdict[f'calls_with_{which}'], 'call')}" if some else "")
        for which in ("errors", "warnings")
        if verdict[which]
        for some in [verdict[f"calls_with_{which}"]]
    ]
    lines = [_item("Verdict", (word + (": " if counts else ""), style), ", ".join(counts))]
    told = []
    if calls["count"]:
        told.append(_count(calls["count"], "call"))
        if calls["decided"]:
            told.append(f"{calls['answered']} of {calls['decided']} answered ({calls['answered_percent']:.1f} %)")
    if quality["rated_calls"]:
        bands = [f"{quality[band]} {band}" for band in ("good", "fair", "poor") if quality[band]]
        scores = [f"MOS {each['median']:.2f} {scale}" for scale, each in quality["mos"].items()]
        told.append(f"quality {' and '.join(bands)} (median {', '.join(scores)})")
    if told:
        lines += [_item("", line) for line in _wrapped("; ".join(told), width - _LEFT, "")]
    if verdict["capture_grade"] not in (None, "good"):
        lines.append(
            _item("", (f"the capture is {verdict['capture_grade']}: see below what to bear in mind", "yellow"))
        )
    return lines


def _finding_part(findings: Sequence[dict[str, Any]], width: int) -> list[Line]:
    """The worst findings, each with the number of calls that it concerns."""
    shown = findings[:_FINDINGS]
    lines = []
    names = max((len(each["code"]) for each in shown), default=0)
    for at, each in enumerate(shown):
        style = {"error": "red", "warning": "yellow"}.get(each["severity"], "")
        calls = _count(each["calls"], "call") if each["calls"] else f"{each['count']:,} x"
        code, title = (f"{each['code']:<{names}}", style), (each["title"], "")
        lines.append(_item("Findings" if at == 0 else "", code, f"  {calls:>9}  ", title))
        if each["severity"] != "info":
            lines += [_item("", (f"  {line}", "dim")) for line in _wrapped(each["example"], width - _LEFT - 2, "")[:3]]
    if len(findings) > len(shown):
        lines.append(_item("", (f"and {len(findings) - len(shown)} more kinds", "dim")))
    return lines


def _capture_part(data: dict[str, Any], tz: datetime.tzinfo) -> list[Line]:
    captures = data["captures"]
    lines: list[Line] = []
    if len(captures) > _FILES:  # the whole, and only those files of which there is something to tell
        packets, size = (sum(each[key] for each in captures) for key in ("packets", "bytes"))
        lines.append(
            _item("Captures", (_count(len(captures), "file"), "bold"), f", {_count(packets, 'packet')}, {_bytes(size)}")
        )
        times = [each for each in captures if each["first"] is not None]
        if times:
            span = {"first": min(each["first"] for each in times), "last": max(each["last"] for each in times)}
            lines.append(_item("", _span(span, tz)))
    for at, capture in enumerate(captures):
        notes = _capture_notes(capture)
        if len(captures) <= _FILES or notes:
            lines.append(_item("Capture" if at == 0 and not lines else "", (capture["file"], "bold")))
        if len(captures) <= _FILES:
            kind = f"{capture['format']}, {', '.join(capture['link_types']) or 'no packets'}"
            lines.append(_item("", f"{kind}, {_count(capture['packets'], 'packet')}, {_bytes(capture['bytes'])}"))
            lines += [_item("", _span(capture, tz))] if capture["first"] is not None else []
        lines += [_item("", note) for note in notes]
    lines += [_item("", (f"not read: {reason}", "red")) for reason in data["unreadable"][:_UNREADABLE]]
    if data["passed_over"]:
        lines.append(_item("", (passed_over(data["passed_over"]), "dim")))
    return lines


def passed_over(names: Sequence[str]) -> str:
    """One line on the files of a folder that are no captures: ``passed over 3 files that are no captures: a, b, c``."""
    some = ", ".join(pathlib.PurePath(name).name for name in names[:_PASSED_OVER])
    more = f" and {len(names) - _PASSED_OVER} more" if len(names) > _PASSED_OVER else ""
    files = "1 file that is no capture" if len(names) == 1 else f"{len(names)} files that are no captures"
    return f"passed over {files}: {some}{more}"


def _capture_notes(capture: dict[str, Any]) -> list[tuple[str, str]]:
    """What may make the figures doubtful."""
    told = {
        "cut_packets": f"{_count(capture['cut_packets'], 'packet')} cut by the snapshot length",
        "dropped": f"{_count(capture['dropped'] or 0, 'packet')} dropped while capturing",
        "clock_steps": _count(capture["clock_steps"], "clock step"),
    }
    del told
    notes = [(text, "yellow") for text in capture["doubts"]]
    return notes + ([(f"damaged: {capture['damage']}", "red")] if capture["damage"] else [])


def _span(capture: dict[str, Any], tz: datetime.tzinfo) -> str:
    first, last = parse_time(capture["first"]), parse_time(capture["last"])
    begin, end = local_time(first, tz)[:19], local_time(last, tz)[:19]
    same_day = begin[:10] == end[:10]
    name = "UTC" if tz is datetime.UTC else str(tz)
    return f"{begin} to {end[11:] if same_day else end} {name} ({_time_text((last - first) / 1e9)})"


def _call_part(calls: dict[str, Any], width: int) -> list[Line]:
    if not calls["count"]:
        return [_item("Calls", "none")]
    states = [(f"{count} {state}", _STYLE.get(state, "yellow")) for state, count in calls["by_state"].items()]
    lines = _flow("Calls", str(calls["count"]), states, width)
    if calls["decided"]:
        share = calls["answered_percent"]
        lines.append(
            _item("  answered", (f"{share:.1f} %", _share_style(share)), f"  {calls['answered']} of {calls['decided']}")
        )
    for name, key, unit in _SPREADS:
        spread = calls[key]
        if spread is not None:
            scale = 1e-3 if unit == "ms" else 1.0
            figures = ", ".join(
                f"{word} {_time_text(spread[which] * scale)}"
                for word, which in (("median", "median"), ("95 % within", "p95"), ("longest", "max"))
            )
            lines.append(_item(name, figures if spread["count"] > 1 else _time_text(spread["max"] * scale)))
    for failure in calls["failures"]:
        reason = " ".join(str(part) for part in (failure["status_code"], failure["reason"]) if part is not None)
        lines.append(_item("  unanswered", (f"{failure['calls']} x {reason or 'no response'}", "yellow")))
    notes = [
        f"{calls['one_way']} with media in one direction only" if calls["one_way"] else "",
        f"{calls['partial']} began before the capture" if calls["partial"] else "",
        f"{calls['retransmissions']} retransmitted messages" if calls["retransmissions"] else "",
    ]
    return lines + [_item("", (note, "yellow")) for note in notes if note]


def _share_style(share: float) -> str:
    return "green" if share >= 60 else "yellow" if share >= 40 else "red"


def _stream_part(streams: dict[str, Any], width: int) -> list[Line]:
    if not streams["count"]:
        return [_item("RTP streams", "none")]
    codecs = [(f"{count} {codec}", "") for codec, count in streams["codecs"].items()]
    lines = _flow("RTP streams", str(streams["count"]), codecs, width)
    loss = streams["loss_percent"]
    figures = f"{_count(streams['packets'], 'packet')}, {streams['lost']} lost"
    if loss is not None:
        figures += f" ({loss:.2f} %)"
    if streams["max_jitter_ms"] is not None:
        figures += f", jitter up to {streams['max_jitter_ms']:.1f} ms"
    lines.append(_item("", figures))
    apart = streams["count"] - streams["in_calls"]
    notes = [
        f"{apart} belong{'s' if apart == 1 else ''} to no call" if apart else "",
        f"{streams['encrypted']} encrypted" if streams["encrypted"] else "",
    ]
    lines += [_item("", note) for note in notes if note]
    if streams["worst"]:
        lines.append(_item("  worst", ("   loss     jitter", "dim")))
    for worst in streams["worst"]:
        jitter = "-" if worst["max_jitter_ms"] is None else f"{worst['max_jitter_ms']:.1f} ms"
        style = "red" if worst["loss_percent"] >= 5 else "yellow"
        where = f"  {worst['src']} > {worst['dst']}  {worst['codec'] or ''}".rstrip()
        lines.append(_item("", (f"{worst['loss_percent']:5.2f} %  {jitter:>9}", style), where))
    return lines


def _message_part(messages: dict[str, Any], width: int) -> list[Line]:
    lines = [_item("SIP messages", (f"{messages['count']}", "bold") if messages["count"] else "none")]
    outside = messages["requests_outside_calls"]
    if outside:
        lines += _flow(
            "  not calls", "", [(f"{count} {method}", "") for method, count in list(outside.items())[:20]], width
        )
    return lines


def _anomaly_part(anomalies: list[dict[str, Any]], width: int) -> list[Line]:
    lines = []
    for at, each in enumerate(anomalies):
        places = ""
        if each["frames"]:
            more = ", ..." if each["count"] > 3 and len(each["frames"]) > 3 else ""
            places = f" (frame {', '.join(map(str, each['frames'][:3]))}{more})"
        details = f" [{'; '.join(each['details'][:3])}]" if each["details"] else ""
        text = f"{each['count']} x {each['meaning']}{details}{places}"
        for line_number, line in enumerate(_wrapped(text, width - _LEFT)):
            lines.append(_item("Anomalies" if at == 0 and line_number == 0 else "", (line, "yellow")))
    return lines


def _wrapped(text: str, width: int, indent: str = "    ") -> list[str]:
    import textwrap

    return textwrap.wrap(visible(text), max(width, 20), subsequent_indent=indent) or [""]


def _more_part(data: dict[str, Any], captures: Sequence[str]) -> list[Line]:
    if not captures:
        return []
    files = " ".join(shlex.quote(each) for each in captures[:2]) + (" ..." if len(captures) > 2 else "")
    lines = []
    if data["findings"]:
        lines.append(f"sipanalyzer findings {files}")
        lines.append(f"sipanalyzer explain {data['findings'][0]['code']}")
    if data["calls"]["count"]:
        worst = next((each["call_id"] for each in data["findings"] if each["call_id"] is not None), None)
        lines.append(f"sipanalyzer calls {files}")
        lines.append(f"sipanalyzer call {files} --id {shlex.quote(worst or data['calls']['first_call_id'])}")
    if data["streams"]["count"]:
        lines.append(f"sipanalyzer streams {files} --sort -loss_percent")
    if data["messages"]["count"]:
        lines.append(f"sipanalyzer messages {files}")
    return [_item("More" if at == 0 else "", (visible(line), "dim")) for at, line in enumerate(lines)]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _bytes(number: int) -> str:
    size, unit = float(number), 0
    while size >= 1000 and unit < len(_SIZES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_SIZES[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {_SIZES[unit]}"


def _time_text(seconds: float) -> str:
    """``35 ms``, ``1.24 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    days, hours = divmod(whole // 3600, 24)
    return (f"{days} d " if days else "") + f"{hours} h {whole % 3600 // 60:02d} min"
