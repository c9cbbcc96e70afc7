"""A report as Markdown, short enough for a ticket. Floor 8.

In: a :class:`~.data.Report` and the result that it was made from. Out: the verdict, the figures, the worst findings
with their frames, the calls to look at, flow charts (Mermaid) of the worst of them, and how far the capture can be
trusted. Everything is escaped in :mod:`.marks`.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence

from ...facts import SEVERITIES, Finding
from ...result import Call, Result
from ..cells import Cell, number
from ..columns import column
from ..derived import findings_of
from ..display_filter import call_filter
from ..flow.chart import make_chart
from ..flow.mermaid import draw_mermaid
from ..marks import code, fenced, grid, words
from ..summary_parts import bytes_text, count_of
from ..tables import row_order
from .data import Report, Sheet
from .naming import with_short_names

__all__ = ["MOST", "render_markdown"]

MOST = 60_000
"""Characters: trackers refuse a text of 65,536. Flow charts give way first."""
_FINDINGS = 20
_CALLS = 30
_FLOWS = 5
_ALIKE = 3
"""Findings of one code that have their sentences; the others are counted."""
_EVIDENCE = 8
_CAPTURES = 20
_ANOMALIES = 10
_COLUMNS = (
    "start", "caller", "callee", "state", "status_code", "duration_s", "loss_percent", "mos", "mos_scale", "findings",
    "call_id",
)  # fmt: skip
_CODE = frozenset({"caller", "callee", "call_id"})
_FACTS = (
    "status_code", "reason", "released_by", "src", "dst", "transport", "user_agent", "server", "post_dial_delay_ms",
    "setup_latency_ms", "duration_s", "codecs", "loss_percent", "max_jitter_ms", "mos", "mos_scale",
)  # fmt: skip


def render_markdown(result: Result, report: Report, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The report as Markdown.

    Parameters
    ----------
    result : Result
        Of an analysis.
    report : Report
        Made from it; its details are not asked for.
    tz : datetime.tzinfo
        Zone of the flow charts.

    Returns
    -------
    str
        At most :data:`MOST` characters where that is possible at all.
    """
    result = with_short_names(result)
    sheets = {each.name: each for each in report.sheets}
    end = [*_captures(sheets.get("captures")), *_anomalies(report), *_settings(report), "", _foot(report)]
    lines = [f"# {words(report.title)}", "", f"**{words(report.verdict.headline)}**", ""]
    lines += [line for each in report.verdict.doubts for line in (words(each), "")]
    lines += _tiles(report)
    lines += [*_findings(result), *_calls(result, report, sheets.get("calls"))]
    left = MOST - sum(len(line) + 1 for line in [*lines, *end])
    return "\n".join([*lines, *_flows(result, report, sheets.get("calls"), tz, left), *end]) + "\n"


def _foot(report: Report) -> str:
    return (
        f"Made {report.made} ({words(report.zone)}) by sipanalyzer {report.version}; times are in {words(report.zone)}."
    )


def _settings(report: Report) -> Iterator[str]:
    if report.settings:
        told = ", ".join(f"{name}={value}" for name, value, _ in report.settings)
        yield from ("", f"Settings that are not the defaults: {words(told, 2_000)}.")


def _tiles(report: Report) -> Iterator[str]:
    rows = []
    for tile in report.tiles:
        value = words(f"{tile.value} {tile.unit}".strip())
        rows.append([words(tile.label), f"**{value}**" if tile.severity else value, words(tile.note)])
    return grid(("figure", "value", ""), rows, right=(1,))


# ---- findings
def _findings(result: Result) -> Iterator[str]:
    found = sorted(findings_of(result), key=lambda each: SEVERITIES.index(each.severity))
    if not found:
        return
    yield from ("", "## Findings", "")
    known = {call.call_id for call in result.calls}
    several = len(result.captures) > 1
    seen: Counter[str] = Counter()
    told = 0
    for finding in found:
        seen[finding.code] += 1
        if told < _FINDINGS and seen[finding.code] <= _ALIKE:
            told += 1
            yield from _finding(finding, result, known, several, seen[finding.code] > 1)
            seen[f"told {finding.code}"] += 1
    more = [(code, count - seen[f"told {code}"]) for code, count in seen.items() if not code.startswith("told ")]
    left = ", ".join(f"{count:,} {code}" for code, count in more if count)
    if left:
        yield f"- And more: {words(left)}."


def _finding(finding: Finding, result: Result, known: set[str], several: bool, again: bool) -> Iterator[str]:
    parts = [words(finding.explanation)]
    if finding.call_id in known and finding.call_id is not None:
        parts.append(f"Call {code(finding.call_id)}.")
    if finding.frames:
        some = ", ".join(map(str, finding.frames[:_EVIDENCE])) + (", ..." if len(finding.frames) > _EVIDENCE else "")
        where = f" of {code(result.captures[finding.capture].file)}" if several and finding.capture is not None else ""
        parts.append(f"Frame{'' if len(finding.frames) == 1 else 's'} {some}{where}.")
    if finding.doubtful:
        parts.append(f"Doubtful: {words(finding.doubtful)}.")
    yield f"- **{finding.severity}: {finding.code}** {' '.join(parts)}"
    if finding.severity != "info" and not again:
        yield f"  What to do: {words(finding.advice)}"


# ---- calls
def _bad(result: Result, report: Report) -> list[int]:
    """Rows of the calls that have an error or a warning, the gravest first."""
    grave = {each.call_id for each in findings_of(result) if each.severity != "info"}
    grave |= {
        call_id
        for each in findings_of(result)
        if each.severity != "info" and each.stream is not None
        for call_id in (result.streams[each.stream].call_id, *result.streams[each.stream].also_call_ids)
    }
    order = row_order(result, "calls")
    return [row for row in report.detailed if result.calls[order[row]].call_id in grave]


def _calls(result: Result, report: Report, sheet: Sheet | None) -> Iterator[str]:
    rows = _bad(result, report) if sheet is not None else []
    if not rows or sheet is None:
        return
    places = {each.name: at for at, each in enumerate(sheet.headings)}
    kept = [
        name for name in _COLUMNS if name in places and any(sheet.rows[row][places[name]] is not None for row in rows)
    ]
    table = [[_cell(name, sheet.rows[row][places[name]]) for name in kept] for row in rows[:_CALLS]]
    numbers = [at for at, name in enumerate(kept) if column("calls", name).dtype in ("int", "float")]
    yield from ("", "## Calls to look at", "", *grid(kept, table, numbers))
    if len(rows) > _CALLS:
        yield from ("", f"{count_of(len(rows) - _CALLS, 'more call')} have errors or warnings.")


def _cell(name: str, value: Cell) -> str:
    if value is None:
        return ""
    about = column("calls", name)
    if about.dtype == "text":
        return code(str(value), 80) if name in _CODE else words(str(value).replace(",", ", "))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str) else number(value, about.unit)


def _flows(result: Result, report: Report, sheet: Sheet | None, tz: datetime.tzinfo, left: int) -> Iterator[str]:
    """The worst calls, each with facts and its flow, while there is room."""
    rows = _bad(result, report) or (list(report.detailed) if len(report.detailed) == 1 else [])
    if sheet is None:
        return
    order = row_order(result, "calls")
    for row in rows[:_FLOWS]:
        call = result.calls[order[row]]
        for lines in (
            _call(result, call, sheet, row, tz, drawn=True),
            _call(result, call, sheet, row, tz, drawn=False),
        ):
            size = sum(len(line) + 1 for line in lines)
            if size <= left:
                left -= size
                yield from lines
                break


def _call(result: Result, call: Call, sheet: Sheet, row: int, tz: datetime.tzinfo, *, drawn: bool) -> list[str]:
    places = {each.name: at for at, each in enumerate(sheet.headings)}
    facts = [
        [name, _fact(name, sheet.rows[row][places[name]])]
        for name in _FACTS
        if name in places and sheet.rows[row][places[name]] is not None
    ]
    who = f"{code(call.caller or '?', 60)} to {code(call.callee or '?', 60)}"
    lines = [
        "",
        f"## Call of {who}: {call.state}",
        "",
        f"Call-ID {code(call.call_id)}",
        "",
        *grid(("fact", "value"), facts),
        "",
        f"Wireshark: {code(call_filter(call.call_id, [result.streams[each] for each in call.streams]), 2_000)}",
    ]
    if drawn:
        return [*lines, "", *fenced(draw_mermaid(make_chart(result, [call]), tz), "mermaid")]
    return [*lines, "", "Its flow chart has no room here: `sipanalyzer flow` draws it."]


def _fact(name: str, value: Cell) -> str:
    about = column("calls", name)
    if isinstance(value, str):
        return words(value.replace(",", ", ") if name == "codecs" else value)
    unit = f" {about.unit}" if about.unit and about.unit not in name and about.unit != "%" else ""
    return f"{number(value, about.unit)}{unit}" if isinstance(value, int | float) else ""


# ---- the capture
def _captures(sheet: Sheet | None) -> Iterator[str]:
    if sheet is None:
        return
    places = {each.name: at for at, each in enumerate(sheet.headings)}
    wanted = [
        name for name in ("file", "packets", "bytes", "first", "last", "grade", "doubts", "damage") if name in places
    ]
    rows = [[_captured(name, row[places[name]]) for name in wanted] for row in sheet.rows[:_CAPTURES]]
    yield from ("", "## Capture", "", *grid(wanted, rows))
    if len(sheet.rows) > _CAPTURES:
        yield from ("", f"And {count_of(len(sheet.rows) - _CAPTURES, 'more file')}.")


def _captured(name: str, value: Cell) -> str:
    if value is None:
        return ""
    if name == "bytes" and isinstance(value, int):
        return bytes_text(value)
    if name == "file":
        return code(str(value), 200)
    return f"{value:,}" if isinstance(value, int) else words(str(value))


def _anomalies(report: Report) -> Iterator[str]:
    if report.anomalies:
        yield ""
    for _, meaning, count, frames in report.anomalies[:_ANOMALIES]:
        several: Sequence[str] = frames.split(", ") if frames else ()
        where = f" (frame{'' if len(several) == 1 else 's'} {', '.join(several[:3])})" if several else ""
        yield f"- {count:,} x {words(meaning)}{where}"
