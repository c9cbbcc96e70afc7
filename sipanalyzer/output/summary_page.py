"""The summary for people: eighty columns, the answer first, nothing twice. Floor 8.

In: the data of :func:`.summary.summarize`. Out: styled lines (see :mod:`.terminal`). What was read, and how, stands in
:mod:`.summary_sources`.
"""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Sequence
from typing import Any

from .cells import visible
from .summary import DOUBT, NOTHING, TROUBLE
from .summary_parts import LEFT, count_of, flow, item, time_text
from .summary_sources import anomaly_part, capture_part, passed_over, setting_part
from .terminal import Line, fit, wrap

__all__ = ["passed_over", "summary_lines"]

_FINDINGS = 8
_ADVISED = 3
"""Of so many findings the advice stands beside them; of the others ``explain`` has it."""
_MANY = 10
"""Values from which a 95th percentile says more than the longest."""
_SHARE = 20
"""Kinds of requests and codecs that are named."""
_SPREADS = (
    ("post-dial", "post_dial_delay_ms", 1e-3),
    ("set-up", "setup_latency_ms", 1e-3),
    ("talk", "duration_s", 1.0),
)
_STYLE = {
    "completed": "green", "in-call": "green", "rejected": "red", "failed": "red", "ringing": "cyan", "setup": "cyan",
    "registered": "green", "active": "green", "unregistered": "", "terminated": "", "no-response": "red",
}  # fmt: skip
_VERDICT = {TROUBLE: "bold red", DOUBT: "bold yellow", NOTHING: "bold"}
_SEVERITY = {"error": "red", "warning": "yellow"}
_BANDS = {"good": "green", "fair": "yellow", "poor": "red"}


def summary_lines(
    data: dict[str, Any],
    width: int = 80,
    tz: datetime.tzinfo = datetime.UTC,
    captures: Sequence[str] = (),
    typed: Sequence[str] = (),
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
    typed : sequence of str
        Options that the user typed and that those commands need too.
    """
    parts = [
        _verdict_part(data, width),
        [*_call_part(data, width), *_other_part(data, width)],
        _finding_part(data, width),
        _stream_part(data, width),
        _message_part(data["messages"], width),
        capture_part(data, width, tz),
        setting_part(data["settings"], width),
        anomaly_part(data, width),
    ]
    lines: list[Line] = []
    for part in parts:
        if part and lines:
            lines.append([])
        lines += part
    more = _more_part(data, captures, typed)
    return [fit(line, width) for line in lines] + ([[], *more] if more else [])  # to be copied: never cut


# ---- the answer
def _verdict_part(data: dict[str, Any], width: int) -> list[Line]:
    """The answer in a line, and how far it can be trusted."""
    verdict, calls = data["verdict"], data["calls"]
    word = verdict["word"]
    counts: list[str] = []
    for which, told in (("errors", "calls_with_errors"), ("warnings", "calls_with_warnings")):
        if verdict[which]:
            among = count_of(verdict[told], "call") if counts else f"{verdict[told]:,} of {calls['count']:,} calls"
            where = f" in {among}" if verdict[told] and calls["count"] > 1 else ""
            where = " outside calls" if calls["count"] and not verdict[told] else where
            counts.append(count_of(verdict[which], which[:-1]) + where)
    if not counts and verdict["notes"]:
        counts.append(count_of(verdict["notes"], "note"))
    if word == NOTHING:
        counts = ["no SIP and no RTP was found"]
    lines = [item("Verdict", (word, _VERDICT.get(word, "bold green")), f": {', '.join(counts)}" if counts else "")]
    if data["number"] is not None:
        lines.append(item("", f"of the calls of {data['number']} alone"))
    weight = {"fair": "figures may be a little off", "poor": "figures may be wrong"}.get(verdict["capture_grade"] or "")
    if weight:
        text = f"the capture is {verdict['capture_grade']}: {weight} (below stands why)"
        lines += [item("", (line, "yellow")) for line in wrap(text, width - LEFT)]
    return lines


def _call_part(data: dict[str, Any], width: int) -> list[Line]:
    calls = data["calls"]
    if not calls["count"]:
        return [item("Calls", "none")]
    only = calls["only"]
    states = [(f"{count:,} {state}", _STYLE.get(state, "yellow")) for state, count in calls["by_state"].items()]
    if only is not None:
        who = f"{only['caller'] or '?'} to {only['callee'] or '?'}" if only["caller"] or only["callee"] else ""
        lines = flow("Calls", "", [*states, *([(who, "")] if who else [])], width)
    else:
        lines = flow("Calls", f"{calls['count']:,}", states, width)
        if calls["decided"]:
            share = calls["answered_percent"]
            answered = f"{calls['answered']:,} of {calls['decided']:,} "
            lines.append(item("  answered", answered, (f"({share:.1f} %)", _share_style(share))))
    failures = [
        (("" if only else f"{each['calls']:,} x ") + (_status(each) or "no response"), "yellow")
        for each in calls["failures"]
    ]
    lines += flow("  unanswered", "", failures, width) if failures else []
    lines += _quality_lines("  quality", data["quality"], data["quality"]["rated_calls"], only is not None, width)
    if not data["quality"]["rated_calls"] and data["quality"]["reason"] and calls["answered"]:
        lines += flow("  quality", "", [(f"not rated: {data['quality']['reason']}", "")], width)
    lines += _times(calls, width)
    notes = [
        f"{calls['one_way']:,} with media in one direction only"
        if calls["one_way"] and not _told(data, "one-way-audio")
        else "",
        f"{calls['partial']:,} began before the capture" if calls["partial"] else "",
    ]
    return lines + [item("", (note, "yellow")) for note in notes if note]


def _told(data: dict[str, Any], code: str) -> bool:
    return any(each["code"] == code for each in data["findings"])


def _status(failure: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (failure["status_code"], failure["reason"]) if part is not None)


def _quality_lines(name: str, quality: dict[str, Any], rated: int, single: bool, width: int) -> list[Line]:
    if not rated:
        return []
    bands = [(band if single else f"{quality[band]:,} {band}", _BANDS[band]) for band in _BANDS if quality[band]]
    scores = [f"{each['median']:.2f} {scale}" for scale, each in quality["mos"].items()]
    median = "MOS" if rated == 1 else "median MOS"
    return flow(
        name, "", [*bands, *((f"{median} {score}" if at == 0 else score, "") for at, score in enumerate(scores))], width
    )


def _times(calls: dict[str, Any], width: int) -> list[Line]:
    """How long things took; of one call in one line."""
    spreads = [(name, calls[key], scale) for name, key, scale in _SPREADS if calls[key] is not None]
    if all(spread["count"] == 1 for _, spread, _ in spreads):
        told = [(f"{name} {time_text(spread['max'] * scale)}", "") for name, spread, scale in spreads]
        return flow("  times", "", told, width) if told else []
    return [
        item(
            f"  {name}",
            ", ".join(
                f"{word} {time_text(spread[which] * scale)}"
                for word, which in (("median", "median"), ("95 % within", "p95"), ("longest", "max"))
                if which != "p95" or spread["count"] >= _MANY
            )
            if spread["count"] > 1
            else time_text(spread["max"] * scale),
        )
        for name, spread, scale in spreads
    ]


def _share_style(share: float) -> str:
    return "green" if share >= 60 else "yellow" if share >= 40 else "red"


def _other_part(data: dict[str, Any], width: int) -> list[Line]:
    """Registrations and the like: what else may have gone well or not."""
    lines: list[Line] = []
    for name, key in (("Registrations", "registrations"), ("Subscriptions", "subscriptions")):
        if data[key]["count"]:
            states = [(f"{n:,} {state}", _STYLE.get(state, "yellow")) for state, n in data[key]["by_state"].items()]
            lines += flow(name, f"{data[key]['count']:,}" if len(states) != 1 else "", states, width)
    return lines


# ---- what is wrong
def _finding_part(data: dict[str, Any], width: int) -> list[Line]:
    """The worst findings, each with the number of calls that it concerns; what is only worth knowing in a line."""
    findings, several = data["findings"], data["calls"]["count"] > 1
    grave = [each for each in findings if each["severity"] != "info"]
    lines: list[Line] = []
    room = width - LEFT
    for at, each in enumerate(grave[:_FINDINGS]):
        style = _SEVERITY[each["severity"]]
        lines.append(item(f"  {each['severity']}", (each["code"], f"bold {style}"), (_concerns(each, several), "")))
        lines += [item("", line) for line in wrap(each["example"], room)]
        if each["doubtful"]:
            lines += [item("", (line, "yellow")) for line in wrap(f"Doubtful: {each['doubtful']}.", room)]
        if at < _ADVISED and each["advice"]:
            lines += [item("", (line, "dim")) for line in wrap(f"What to do: {each['advice']}", room)]
    if len(grave) > _FINDINGS:
        lines += flow("  also", "", [(_named(each, several), "") for each in grave[_FINDINGS:]], width)
    notes = [each for each in findings if each["severity"] == "info"]
    if notes:
        lines += flow("  notes" if grave else "Notes", "", [(_named(each, several), "") for each in notes], width)
    return [item("Findings"), *lines] if grave else lines


def _concerns(each: dict[str, Any], several: bool) -> str:
    if each["calls"] and several:
        such = "" if each["call_id"] is None else f", {'as in ' if each['calls'] > 1 else ''}{each['call_id']}"
        return f" in {count_of(each['calls'], 'call')}{such}"
    return f", {each['count']:,} times" if each["count"] > 1 else ""


def _named(each: dict[str, Any], several: bool) -> str:
    if each["calls"] and several:
        return f"{each['code']} ({count_of(each['calls'], 'call')})"
    return f"{each['code']} ({each['count']:,} times)" if each["count"] > 1 else str(each["code"])


# ---- what was there
def _stream_part(data: dict[str, Any], width: int) -> list[Line]:
    streams, quality = data["streams"], data["quality"]["streams"]
    if not streams["count"]:
        return [item("RTP streams", "none")]
    codecs = [(f"{count:,} {codec}", "") for codec, count in list(streams["codecs"].items())[:_SHARE]]
    one = len(codecs) == 1 and sum(streams["codecs"].values()) == streams["count"]
    lines = flow("RTP streams", "" if one else f"{streams['count']:,}", codecs, width)
    loss = streams["loss_percent"]
    figures = [f"{count_of(streams['packets'], 'packet')}", f"{streams['lost']:,} lost"]
    if loss is not None:
        figures[-1] += f" ({loss:.2f} %)"
    if streams["max_jitter_ms"] is not None:
        figures.append(f"jitter up to {streams['max_jitter_ms']:.1f} ms")
    lines += flow("", "", [(each, "") for each in figures], width)
    apart = streams["count"] - streams["in_calls"]
    if apart and data["calls"]["count"]:
        lines.append(item("", f"{apart:,} belong{'s' if apart == 1 else ''} to no call"))
    lines += [item("", f"{streams['encrypted']:,} encrypted")] if streams["encrypted"] else []
    lines += _quality_lines("  quality", quality, quality["rated"], apart == 1, width)
    told = {each["ssrc"] for each in data["findings"] if each["severity"] != "info"}  # their sentence says it all
    worst = [each for each in streams["worst"] if each["ssrc"] not in told]
    if worst:
        lines.append(item("  worst", ("   loss     jitter   MOS", "dim")))
    for each in worst:
        jitter = "-" if each["max_jitter_ms"] is None else f"{each['max_jitter_ms']:.1f} ms"
        mos = "-" if each["mos"] is None else f"{each['mos']:.2f}"
        style = "red" if each["loss_percent"] >= 5 else "yellow"
        where = f"  {each['src']} > {each['dst']}  {each['codec'] or ''}".rstrip()
        lines.append(item("", (f"{each['loss_percent']:5.2f} %  {jitter:>9}  {mos:>4}", style), where))
    return lines


def _message_part(messages: dict[str, Any], width: int) -> list[Line]:
    if not messages["count"]:
        return []
    again = messages["retransmissions"]
    lines = [
        item("SIP messages", (f"{messages['count']:,}", "bold"), f", {again:,} of them sent again" if again else "")
    ]
    outside = messages["requests_outside_calls"]
    if outside:
        some = [(f"{count:,} {method}", "") for method, count in list(outside.items())[:_SHARE]]
        lines += flow("  not calls", "", some, width)
    return lines


# ---- what shows more
def _more_part(data: dict[str, Any], captures: Sequence[str], typed: Sequence[str]) -> list[Line]:
    if not captures:
        return []
    files = " ".join(shlex.quote(each) for each in captures[:2]) + (" ..." if len(captures) > 2 else "")
    files += "".join(f" {shlex.quote(each)}" for each in typed)
    findings, calls, streams = data["findings"], data["calls"], data["streams"]
    lines = []
    if findings:
        lines += [f"sipanalyzer findings {files}", f"sipanalyzer explain {findings[0]['code']}"]
    if calls["count"]:
        worst = next((each["call_id"] for each in findings if each["call_id"] is not None), calls["first_call_id"])
        lines.append(f"sipanalyzer call {files} --id {shlex.quote(worst)}")
        lines += [f"sipanalyzer calls {files}"] if calls["count"] > 1 else []
    if data["registrations"]["count"] and not calls["count"]:
        lines.append(f"sipanalyzer registrations {files}")
    if streams["count"]:
        lines.append(f"sipanalyzer streams {files}" + (" --sort -loss_percent" if streams["lost"] else ""))
    if data["messages"]["count"]:
        lines.append(f"sipanalyzer messages {files}")
    if not lines:
        lines.append(f"sipanalyzer captures {files}")
    return [item("More" if at == 0 else "", (visible(line), "dim")) for at, line in enumerate(lines)]
