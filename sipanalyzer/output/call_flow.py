"""The flow of one call on its page. Floor 8.

In: a result and one of its calls. Out: styled lines (see :mod:`.terminal`). Findings have their sentences above on the
page; in the flow only their names say where they happened.
"""

from __future__ import annotations

import dataclasses
import datetime

from ..result import Call, Result
from .cells import local_time
from .flow.chart import make_chart
from .flow.model import FlowChart, Fold, Note
from .flow.text import draw_parts
from .terminal import Line, wrap

__all__ = ["flow_lines"]

_ROWS = (150, 50)
"""Of a long call: rows that are shown from its beginning, and from its end."""
_SCREEN = 40
"""Lines after which the participants are named again."""


def flow_lines(result: Result, call: Call, width: int, tz: datetime.tzinfo) -> list[Line]:
    """The call's flow under its heading, `width` columns wide."""
    chart = _brief(make_chart(result, [call]))
    zone = "UTC" if tz is datetime.UTC else str(tz)
    count = len(call.rows)
    about = f"{count:,} message{'' if count == 1 else 's'}, seconds since {local_time(chart.start, tz)} {zone}"
    lines: list[Line] = [[], [("Flow", "bold"), (f"  {about}", "dim")]]
    begin, end = _ROWS
    left_out = max(0, len(chart.rows) - begin - end)
    if left_out:  # what is not shown is not drawn either
        chart = dataclasses.replace(chart, rows=chart.rows[:begin] + chart.rows[-end:])
    drawn = draw_parts(chart, width, tz)
    lines += drawn.head
    since = len(drawn.head)
    for at, row in enumerate(drawn.rows):
        if left_out and at == begin:
            text = f"... {left_out:,} rows are left out here; sipanalyzer flow --all draws every message"
            lines += [[(line, "yellow")] for line in wrap(text, width)]
        if drawn.again and since > _SCREEN:
            lines.append(drawn.again)
            since = 0
        lines += row
        since += len(row)
    if not left_out and any(isinstance(row, Fold) for row in chart.rows):
        lines += [[(line, "dim")] for line in wrap("sipanalyzer flow --all draws every message", width)]
    return [*lines, *drawn.remarks]


def _brief(chart: FlowChart) -> FlowChart:
    rows = tuple(dataclasses.replace(row, text="") if isinstance(row, Note) and row.code else row for row in chart.rows)
    return dataclasses.replace(chart, rows=rows)
