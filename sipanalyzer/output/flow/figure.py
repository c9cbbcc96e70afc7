"""A flow chart as matplotlib figures: one as tall as the chart (PNG), or pages (PDF). Floor 8.

In: a chart. Out: figures on white ground, whose axes count inches from the upper left corner. Rows are drawn by
:mod:`.figure_rows`, where things stand says :mod:`.figure_place`; here is what stands around them: title, legs,
remarks, heads, lines, legend.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..cells import local_time, visible
from .figure_place import LINE, SIZE, SMALL, Plan, head_lines, height_of, plan
from .figure_rows import Sheet, draw_box, draw_row, draw_stroke, write
from .figure_text import fitted, inches
from .model import FlowChart, Fold, Media, Message, Row
from .palette import INK, KIND_WORDS, KINDS, LOSS_STEPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_flow", "draw_pages"]

_TALLEST = 220.0
"""Inches of one picture: beyond, a PNG has more lines than its library takes."""
_PAGE = 10.2
"""Inches of rows on one page of a PDF."""
_MOST_LEGS, _MOST_REMARKS = 12, 12
_TOP, _FOOT, _LEGEND, _LAST = 0.42, 0.3, 0.25, 0.3
"""Inches from the upper edge to what follows the title; below the rows; of the legend; of a last sentence."""


def draw_flow(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> Figure:
    """The chart as one figure, as tall as it needs to be.

    Parameters
    ----------
    chart : FlowChart
        What to draw.
    tz : datetime.tzinfo
        Zone in which times are shown.

    Returns
    -------
    matplotlib.figure.Figure
        At most 220 inches tall; what is below is counted in its last line.
    """
    drawn = plan(chart)
    kept, height = 0, 0.0
    for row in chart.rows:
        height += height_of(row, drawn)
        if height > _TALLEST:
            break
        kept += 1
    left = len(chart.rows) - kept
    last = f"{left} more rows: as SVG, PDF or text the chart is whole" if left else ""
    return _draw(drawn, chart.rows[:kept], tz, last=last)


def draw_pages(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> list[Figure]:
    """The chart as figures of at most one page each, every one with its heads (see :func:`draw_flow`)."""
    drawn = plan(chart)
    pages: list[list[Row]] = [[]]
    room = _PAGE
    for row in chart.rows:
        tall = height_of(row, drawn)
        room -= tall
        if room < 0 and pages[-1]:
            pages.append([])
            room = _PAGE - tall
        pages[-1].append(row)
    count = len(pages)
    return [_draw(drawn, rows, tz, page=(at, count) if count > 1 else None) for at, rows in enumerate(pages, start=1)]


def _draw(
    drawn: Plan, rows: Sequence[Row], tz: datetime.tzinfo, page: tuple[int, int] | None = None, last: str = ""
) -> Figure:
    """A figure of some rows; the first page has legs and remarks, the last one the legend."""
    from matplotlib.figure import Figure

    chart, width = drawn.chart, drawn.width
    first, final = page is None or page[0] == 1, page is None or page[0] == page[1]
    intro = _intro(chart, width) if first else []
    heads = [head_lines(who, drawn.head - 0.1) for who in chart.participants]
    box = 0.13 + LINE * max(map(len, heads), default=1)
    head = _TOP + LINE * len(intro) + box + 0.16
    foot = head + sum(height_of(row, drawn) for row in rows) + 0.1
    height = foot + _FOOT + _LEGEND * final + _LAST * bool(last)
    figure = Figure(figsize=(width, height), facecolor=INK["ground"].light)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    sheet = Sheet(axes, drawn, tz)
    _draw_title(sheet, intro, page)
    for lines, x in zip(heads, drawn.columns, strict=True):
        _draw_head(sheet, lines, x, head - 0.16 - box, box)
        axes.plot([x, x], [head - 0.16, foot], color=INK["line"].light, linewidth=1.0, zorder=1)
    for x, name, align in ((0.15, "time", "left"), (1.38, "seconds", "right"), (width - 0.15, "frame", "right")):
        write(sheet, x, head - 0.22, name, 0.6, SMALL - 0.5, "quiet", align)
    top = head
    for row in rows:
        tall = height_of(row, drawn)
        draw_row(sheet, row, top, tall)
        top += tall
    if last:
        write(sheet, width / 2, foot + 0.15, last, width - 0.4, colour="quiet", align="center")
    if final:
        _draw_legend(sheet, height - 0.22)
    return figure


def _intro(chart: FlowChart, width: float) -> list[str]:
    """Lines below the title: what each leg is, and remarks."""
    several = len(chart.legs) > 1
    legs = [f"[{number}] {leg.title}" for number, leg in enumerate(chart.legs[:_MOST_LEGS], start=1)] if several else []
    if len(chart.legs) > _MOST_LEGS:
        legs.append(f"and {len(chart.legs) - _MOST_LEGS} more legs")
    texts = [*legs, *chart.remarks[:_MOST_REMARKS]]
    lines = [line for text in texts for line in fitted(visible(text), width - 0.5, SMALL, 3)]
    return [*lines, ""] if lines else []


def _draw_title(sheet: Sheet, intro: Sequence[str], page: tuple[int, int] | None) -> None:
    chart, width = sheet.plan.chart, sheet.plan.width
    zone = "UTC" if sheet.tz is datetime.UTC else str(sheet.tz)
    began = f"{local_time(chart.start, sheet.tz)} {zone}" if chart.rows else ""
    told = "  ".join(filter(None, (f"page {page[0]} of {page[1]}" if page else "", began)))
    write(sheet, width - 0.2, 0.22, told, 3.6, colour="quiet", align="right")
    room = width - 0.6 - min(inches(told, SIZE), 3.6)
    write(sheet, 0.2, 0.22, chart.title, room, size=11.0, weight="bold")
    for at, line in enumerate(intro):
        write(sheet, 0.2, _TOP + 0.06 + at * LINE, line, width - 0.4, SMALL, "quiet")


def _draw_head(sheet: Sheet, lines: Sequence[tuple[str, bool]], x: float, top: float, tall: float) -> None:
    """The box with who stands at a line."""
    wide = sheet.plan.head
    draw_box(sheet, x - wide / 2, top, wide, tall, INK["panel"].light, INK["line"].light)
    for at, (text, named) in enumerate(lines):
        y = top + tall / 2 + (at - (len(lines) - 1) / 2) * LINE
        size, colour, weight = (SIZE, "text", "bold") if named else (SMALL, "quiet", "normal")
        write(sheet, x, y, text, wide - 0.08, size, colour, "center", weight)


def _draw_legend(sheet: Sheet, y: float) -> None:
    """What strokes and shades mean, of those that are drawn."""
    from matplotlib.patches import Rectangle

    rows, x = sheet.plan.chart.rows, 0.2
    used = {row.kind for row in rows if isinstance(row, Message | Fold)}
    for kind, look in KINDS.items():
        words = KIND_WORDS[kind]
        need = 0.5 + inches(words, SMALL)
        if kind in used and x + need <= sheet.plan.width - 0.2:
            draw_stroke(sheet, (x, x + 0.25), (y, y), look)
            write(sheet, x + 0.3, y, words, need, SMALL, "quiet")
            x += need
    words = "lost or late up to 0, 1, 3, 10 %, more; time runs to the right"
    if any(isinstance(row, Media) for row in rows) and x + 0.9 + inches(words, SMALL) <= sheet.plan.width - 0.1:
        for at, (_, light, _) in enumerate(LOSS_STEPS):
            place = (x + 0.14 * at, y - 0.045)
            sheet.axes.add_patch(
                Rectangle(place, 0.14, 0.09, facecolor=light, edgecolor=INK["quiet"].light, linewidth=0.4)
            )
        write(sheet, x + 0.78, y, words, inches(words, SMALL) + 0.1, SMALL, "quiet")
