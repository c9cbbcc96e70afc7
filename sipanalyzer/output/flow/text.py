"""A flow chart as text for a terminal. Floor 8.

In: a chart, a width. Out: styled lines (see :mod:`..terminal`), none wider than that. Where the participants fit beside
each other it is a ladder (:mod:`.text_grid` says where they stand, :mod:`.text_ladder` draws), elsewhere a list
(:mod:`.text_list`); what rows say is told by :mod:`.text_words`, what stands beside them by :mod:`.text_margin`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..cells import local_time, visible
from ..terminal import Line, cut, wrap
from .model import FlowChart
from .text_grid import plan
from .text_ladder import draw_head, draw_row, draw_short_head
from .text_list import draw_legend, draw_listed, list_margin, short_names
from .text_words import QUIET, leg_names, sip_ports, words_of

__all__ = ["Drawing", "draw_parts", "draw_text"]

_LEAST_WIDTH = 40
_SCREEN = 40
"""Lines after which the head is repeated."""
_LEGS = 26
"""Legs that are named above a chart."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart drawn, in parts: for who puts them on a page of his own."""

    legs: list[Line]
    """What each leg is; none where there is one leg."""
    head: list[Line]
    """The participants."""
    rows: list[list[Line]]
    """The lines of each row of the chart, in its order."""
    again: Line
    """The participants on one line, for where the head is out of sight; empty in a list."""
    remarks: list[Line]


def draw_text(chart: FlowChart, width: int = 100, tz: datetime.tzinfo = datetime.UTC) -> list[Line]:
    """The chart as styled lines (see :mod:`..terminal`).

    Parameters
    ----------
    chart : FlowChart
        What is drawn.
    width : int
        Columns of the page (East Asian wide characters take two); under 40 counts as 40.
    tz : datetime.tzinfo
        Zone in which times are shown.
    """
    width = max(width, _LEAST_WIDTH)
    drawn = draw_parts(chart, width, tz)
    zone = "UTC" if tz is datetime.UTC else visible(str(tz))
    lines: list[Line] = [
        [(cut(visible(chart.title), width), "bold")],
        *([(line, QUIET)] for line in wrap(f"seconds since {local_time(chart.start, tz)} {zone}", width)),
        *drawn.legs,
        [],
        *drawn.head,
    ]
    lines += _with_heads(drawn)
    return lines + ([[], *drawn.remarks] if drawn.remarks else [])


def _with_heads(drawn: Drawing) -> Iterator[Line]:
    """The rows; the participants again where their head is out of sight."""
    since = len(drawn.head)
    for row in drawn.rows:
        if drawn.again and since >= _SCREEN:
            yield drawn.again
            since = 0
        yield from row
        since += len(row)
    if drawn.again and since > _SCREEN // 2:
        yield drawn.again


def draw_parts(
    chart: FlowChart, width: int, tz: datetime.tzinfo = datetime.UTC, margin_columns: Sequence[str] = ()
) -> Drawing:
    """The chart drawn, in parts; see :func:`draw_text`.

    `margin_columns` are those of ``frame``, ``clock``, ``seconds`` and ``gap`` that stand beside it, in that order;
    without them it is what the page has room for.
    """
    width = max(width, _LEAST_WIDTH)
    ports = sip_ports(chart)
    words = [words_of(row, ports) for row in chart.rows]
    grid = plan(chart, words, ports, width, tz, margin_columns)
    if grid is not None:
        head, again = draw_head(chart, grid, ports), draw_short_head(chart, grid)
        drawn: dict[object, list[Line]] = {}
        rows = [draw_row(row, said, grid, drawn) for row, said in zip(chart.rows, words, strict=True)]
    else:
        margin = list_margin(chart, width, tz, margin_columns)
        names = short_names(chart, width - margin.width)
        head, again = [*draw_legend(chart, names, ports, width), [], margin.heading()], []
        rows = [draw_listed(row, said, names, margin, width) for row, said in zip(chart.rows, words, strict=True)]
    remarks = [[(line, "yellow")] for text in chart.remarks for line in wrap(text, width)]
    return Drawing(_leg_lines(chart, width), head, rows, again, remarks)


def _leg_lines(chart: FlowChart, width: int) -> list[Line]:
    names = leg_names(len(chart.legs))
    if len(names) < 2:
        return []
    wide = len(names[-1])
    lines: list[Line] = []
    for name, leg in list(zip(names, chart.legs, strict=True))[:_LEGS]:
        title = cut(visible(leg.title), width - wide - 2)
        call_id = cut(f"  {visible(leg.call_id)}", max(0, width - wide - 2 - len(title)))
        lines.append([(f"{name:<{wide}}  ", "bold"), (title, ""), (call_id, QUIET)])
    if len(names) > _LEGS:
        lines.append([(f"and {len(names) - _LEGS} more legs", QUIET)])
    return lines
