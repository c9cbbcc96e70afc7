"""A flow chart as matplotlib figures: one as tall as the chart (PNG), or pages (PDF). Floor 8.

In: a chart. Out: figures on white ground, whose axes count inches from the upper left corner. Texts are measured with
matplotlib's own font metrics and cut to the room that they have; none is read as a formula.
"""

from __future__ import annotations

import datetime
import functools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..cells import local_time
from ..fonts import families
from .model import FlowChart, Fold, Keys, Media, Message, Note, Row
from .palette import INK, KINDS, LOSS_STEPS, SEVERITY, Look, loss_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_flow", "draw_pages"]

_TALLEST = 220.0
"""Inches of one picture: beyond, a PNG has more lines than its library takes."""
_PAGE = 10.2
"""Inches of rows on one page of a PDF."""
_LEFT, _RIGHT, _FOOT = 1.3, 0.6, 0.3
"""Room for times on the left, for frame numbers on the right, below."""
_SIZE, _SMALL = 9.0, 7.5
"""Points."""
_LINE = 0.145
"""Inches from one line of text to the next."""
_GAP = 1_000_000_000
"""A pause of a second or more is told."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What drawing a row needs."""

    axes: Axes
    chart: FlowChart
    columns: list[float]
    """Where participants stand, inches from the left."""
    width: float


def draw_flow(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> Figure:
    """The chart as one figure, as tall as it needs to be.

    Parameters
    ----------
    chart : FlowChart
        What to draw.
    tz : datetime.tzinfo
        Zone of the time at which it begins.

    Returns
    -------
    matplotlib.figure.Figure
        At most 220 inches tall; what is below is counted in its last line.
    """
    kept, height = 0, 0.0
    for row in chart.rows:
        height += _height(row, chart)
        if height > _TALLEST:
            break
        kept += 1
    left = len(chart.rows) - kept
    last = f"{left} more rows: as SVG, PDF or text the chart is whole" if left else ""
    return _draw(chart, chart.rows[:kept], tz, "", last)


def draw_pages(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> list[Figure]:
    """The chart as figures of at most one page each, every one with its heads (see :func:`draw_flow`)."""
    pages: list[list[Row]] = [[]]
    room = _PAGE
    for row in chart.rows:
        room -= _height(row, chart)
        if room < 0 and pages[-1]:
            pages.append([])
            room = _PAGE - _height(row, chart)
        pages[-1].append(row)
    count = len(pages)
    return [
        _draw(chart, rows, tz, f"page {at} of {count}" if count > 1 else "", "")
        for at, rows in enumerate(pages, start=1)
    ]


def _draw(chart: FlowChart, rows: Sequence[Row], tz: datetime.tzinfo, page: str, last: str) -> Figure:
    from matplotlib.figure import Figure

    apart = _apart(chart)
    columns = [_LEFT + at * apart + 0.75 for at in range(len(chart.participants))]
    width = max(columns[-1] + 0.75 + _RIGHT if columns else 6.0, 6.0)
    remarks = [line for remark in chart.remarks for line in textwrap.wrap(remark, int(width * 13))]
    head = 1.15 + _LINE * len(remarks)
    height = head + sum(_height(row, chart) for row in rows) + _FOOT + (0.3 if last else 0.0)
    figure = Figure(figsize=(width, height), facecolor=INK["ground"].light)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    sheet = _Sheet(axes, chart, columns, width)
    _draw_head(sheet, remarks, tz, page, head, height)
    top = head
    for row in rows:
        tall = _height(row, chart)
        _DRAWN[type(row)](sheet, row, top, tall)
        top += tall
    if last:
        _write(sheet, width / 2, top + 0.2, last, width - 0.4, colour="quiet", align="center")
    return figure


def _draw_head(
    sheet: _Sheet, remarks: Sequence[str], tz: datetime.tzinfo, page: str, head: float, height: float
) -> None:
    chart, width = sheet.chart, sheet.width
    zone = "UTC" if tz is datetime.UTC else str(tz)
    began = f"{local_time(chart.start, tz)} {zone}" if chart.rows else ""
    _write(sheet, 0.2, 0.22, chart.title, width - 3.6, size=11.0, weight="bold")
    _write(sheet, width - 0.2, 0.22, "  ".join(filter(None, (page, began))), 3.2, colour="quiet", align="right")
    for at, remark in enumerate(remarks):
        _write(sheet, 0.2, 0.42 + at * _LINE, remark, width - 0.4, _SMALL, "quiet")
    top = head - 0.66
    apart = _apart(chart)
    for who, x in zip(chart.participants, sheet.columns, strict=True):
        room = min(apart, 2.7) - 0.12
        _box(sheet, x - room / 2, top, room, 0.5, INK["panel"].light, INK["line"].light)
        told = [text for text in (who.name, who.address, who.detail) if text]
        for line, text in enumerate(told[:3]):
            y = top + 0.25 + (line - (min(len(told), 3) - 1) / 2) * _LINE
            _write(
                sheet, x, y, text, room - 0.1, _SIZE if line == 0 else _SMALL, "text" if line == 0 else "quiet",
                "center", "bold" if line == 0 else "normal",
            )  # fmt: skip
        sheet.axes.plot([x, x], [head - 0.16, height - 0.12], color=INK["line"].light, linewidth=1.0, zorder=1)


# ---- rows
def _draw_message(sheet: _Sheet, row: Message, top: float, tall: float) -> None:
    look = KINDS.get(row.kind, KINDS["request"])
    y = top + 0.24
    alpha = 0.45 if row.retransmission else 1.0
    label = f"{row.label} (again)" if row.retransmission else row.label
    _margins(sheet, row.offset, row.gap, row.frame, y)
    mark = {"error": "✖ ", "warning": "▲ "}.get(row.severity or "", "")
    _arrow(sheet, row.source, row.target, y, look, alpha)
    middle, room = _span(sheet, row.source, row.target)
    bold = "normal" if row.kind in ("request", "provisional") else "bold"
    _write(sheet, middle, y - 0.1, mark + _led(sheet, row.leg) + label, room, colour=look.light, align="center",
           weight=bold, alpha=alpha)  # fmt: skip
    if row.detail and tall > 0.35:
        _write(sheet, middle, y + 0.105, row.detail, room, _SMALL, "quiet", "center", alpha=alpha)


def _draw_media(sheet: _Sheet, row: Media, top: float, tall: float) -> None:
    del tall
    y = top + 0.27
    look = SEVERITY.get(row.severity or "", KINDS["request"])
    middle, room = _span(sheet, row.source, row.target)
    _margins(sheet, row.offset, None, row.frame, y)
    begin, end = _ends(sheet, row.source, row.target)
    length = end - begin
    _stripes(sheet, begin, length, y, row.shades)
    _head(sheet, end, y, 1.0 if length > 0 else -1.0, INK["text"].light, 0.09)
    bold = "bold" if row.severity else "normal"
    _write(sheet, middle, y - 0.125, _led(sheet, row.leg) + row.label, room, colour=look.light, align="center",
           weight=bold)  # fmt: skip
    for at, line in enumerate(_fitted(_below(row), room, _SMALL, 2)):
        _write(sheet, middle, y + 0.14 + at * _LINE, line, room, _SMALL, "quiet", "center")


def _stripes(sheet: _Sheet, begin: float, length: float, y: float, shades: Sequence[float]) -> None:
    from matplotlib.patches import Rectangle

    parts = shades or (0.0,)
    for at, percent in enumerate(parts):  # the first part is the earliest, at the sender's end
        x, across = begin + length * at / len(parts), length / len(parts)
        colour = LOSS_STEPS[loss_step(percent)][1]
        sheet.axes.add_patch(Rectangle((x, y - 0.045), across, 0.09, facecolor=colour, edgecolor="none", zorder=3))
    outline = Rectangle((begin, y - 0.045), length, 0.09, fill=False, edgecolor=INK["quiet"].light, linewidth=0.6)
    outline.set_zorder(4)
    sheet.axes.add_patch(outline)


def _draw_keys(sheet: _Sheet, row: Keys, top: float, tall: float) -> None:
    del tall
    y = top + 0.22
    look = KINDS["invite"]
    middle, room = _span(sheet, row.source, row.target)
    _margins(sheet, row.offset, None, row.frame, y)
    _arrow(sheet, row.source, row.target, y, Look(look.light, look.dark, "", (1, 2), 1.4), 1.0)
    text = f"{_led(sheet, row.leg)}keys {row.keys}  ({row.method})"
    _write(sheet, middle, y - 0.1, text, room, colour=look.light, align="center", weight="bold")


def _draw_note(sheet: _Sheet, row: Note, top: float, tall: float) -> None:
    look = SEVERITY.get(row.severity or "")
    colour = INK["quiet"].light if look is None else look.light
    _margins(sheet, row.offset, None, row.frame, top + 0.16)
    _panel(sheet, row.first, row.last, top, tall, _led(sheet, row.leg) + _told(row), colour)


def _draw_fold(sheet: _Sheet, row: Fold, top: float, tall: float) -> None:
    _margins(sheet, row.offset, None, None, top + 0.16)
    first, last = sorted((row.source, row.target))
    _panel(sheet, first, last, top, tall, _led(sheet, row.leg) + row.text, INK["quiet"].light, "--")


_DRAWN: dict[type, Callable[[_Sheet, Any, float, float], None]] = {
    Message: _draw_message,
    Media: _draw_media,
    Keys: _draw_keys,
    Note: _draw_note,
    Fold: _draw_fold,
}


def _below(row: Media) -> str:
    return ", ".join(filter(None, (row.detail, row.until)))


def _told(row: Note) -> str:
    return f"{row.severity}: {row.text}" if row.severity in ("error", "warning") else row.text


def _apart(chart: FlowChart) -> float:
    """Inches from one participant to the next."""
    people = len(chart.participants)
    return {2: 4.2, 3: 3.1}.get(people, 2.7 if people <= 4 else max(1.5, 10.0 / people))


def _room(source: int, target: int, chart: FlowChart) -> tuple[float, float]:
    """Length of an arrow, and what text along it may take of it."""
    length = abs(target - source) * _apart(chart)
    return (length, length - 0.1) if length else (0.9, 1.4)


def _note_room(first: int, last: int, chart: FlowChart) -> float:
    return max((last - first) * _apart(chart) + 1.3, 2.2)


def _height(row: Row, chart: FlowChart) -> float:
    match row:
        case Message():
            return 0.46 if row.detail else 0.34
        case Media():
            _, room = _room(row.source, row.target, chart)
            return 0.42 + _LINE * len(_fitted(_below(row), room, _SMALL, 2))
        case Keys():
            return 0.36
        case Note():
            return 0.16 + _LINE * len(_lines(_told(row), _note_room(row.first, row.last, chart)))
        case Fold():
            first, last = sorted((row.source, row.target))
            return 0.16 + _LINE * len(_lines(row.text, _note_room(first, last, chart)))


def _lines(text: str, room: float) -> list[str]:
    return _fitted(text, room - 0.15, _SMALL, 4) or [""]


# ---- what rows are drawn with
def _led(sheet: _Sheet, leg: int | None) -> str:
    """The number of a leg, where there are several."""
    return f"[{leg + 1}] " if leg is not None and len(sheet.chart.legs) > 1 else ""


def _margins(sheet: _Sheet, offset: int, gap: int | None, frame: int | None, y: float) -> None:
    _write(sheet, 0.72, y, f"{offset / 1e9:.3f}", 0.6, _SMALL, "quiet", "right")
    if gap is not None and gap >= _GAP:
        _write(sheet, 0.78, y, f"+{gap / 1e9:.1f} s", 0.6, _SMALL - 0.5, "quiet")
    if frame is not None:
        _write(sheet, sheet.width - 0.15, y, str(frame), _RIGHT, _SMALL, "quiet", "right")


def _ends(sheet: _Sheet, source: int, target: int) -> tuple[float, float]:
    begin, end = sheet.columns[source], sheet.columns[target]
    return (begin, begin + 0.9) if source == target else (begin, end)


def _span(sheet: _Sheet, source: int, target: int) -> tuple[float, float]:
    """Middle of an arrow, and the room for text along it."""
    begin, end = _ends(sheet, source, target)
    _, room = _room(source, target, sheet.chart)
    return ((begin + end) / 2 if source != target else begin + 0.75), room


def _arrow(sheet: _Sheet, source: int, target: int, y: float, look: Look, alpha: float) -> None:
    begin, end = _ends(sheet, source, target)
    way = 1.0 if end > begin else -1.0
    style = (0, tuple(float(each) for each in look.dash)) if look.dash else "-"
    stop = end - 0.08 * way
    xs, ys = [begin, stop], [y, y]
    if source == target:  # out and back
        way, stop, xs, ys = (
            -1.0,
            begin + 0.08,
            [begin, end, end, begin + 0.08],
            [y - 0.06, y - 0.06, y + 0.06, y + 0.06],
        )
        end = begin
    sheet.axes.plot(
        xs, ys, color=look.light, linewidth=look.width * 0.8, linestyle=style, alpha=alpha, zorder=3,
        solid_capstyle="butt",
    )  # fmt: skip
    _head(sheet, end, ys[-1], way, look.light, 0.06 + 0.012 * look.width, alpha)


def _head(sheet: _Sheet, x: float, y: float, way: float, colour: str, size: float, alpha: float = 1.0) -> None:
    from matplotlib.patches import Polygon

    corners = [(x, y), (x - way * size * 1.4, y - size * 0.6), (x - way * size * 1.4, y + size * 0.6)]
    sheet.axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor="none", alpha=alpha, zorder=5))


def _panel(
    sheet: _Sheet, first: int, last: int, top: float, tall: float, text: str, colour: str, stroke: str = "-"
) -> None:
    room = _note_room(first, last, sheet.chart)
    middle = (sheet.columns[first] + sheet.columns[last]) / 2
    left = min(max(middle - room / 2, _LEFT - 0.1), sheet.width - room - 0.6)
    _box(sheet, left, top + 0.03, room, tall - 0.06, INK["panel"].light, colour, stroke)
    for at, line in enumerate(_lines(text, room)):
        _write(sheet, left + 0.08, top + 0.08 + _LINE * (at + 0.5), line, room - 0.1, _SMALL, colour)


def _box(
    sheet: _Sheet, left: float, top: float, width: float, height: float, ground: str, edge: str, stroke: str = "-"
) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (left, top), width, height, boxstyle="round,pad=0,rounding_size=0.05", facecolor=ground, edgecolor=edge,
        linewidth=0.9, linestyle=stroke, zorder=6,
    )  # fmt: skip
    sheet.axes.add_patch(shape)


def _write(
    sheet: _Sheet, x: float, y: float, text: str, room: float, size: float = _SIZE, colour: str = "text",
    align: str = "left", weight: str = "normal", alpha: float = 1.0,
) -> None:  # fmt: skip
    from matplotlib.patheffects import withStroke

    ink = INK[colour].light if colour in INK else colour
    written = sheet.axes.text(
        x, y, _cut(text, room, size, weight), fontsize=size, color=ink, ha=align, va="center_baseline", weight=weight,
        alpha=alpha, zorder=7, parse_math=False, fontfamily=families(),
    )  # fmt: skip
    if align == "center":  # a halo, where it stands across a participant's line
        written.set_path_effects([withStroke(linewidth=2.0, foreground=INK["ground"].light)])


def _fitted(text: str, room: float, size: float, most: int) -> list[str]:
    """The text in lines that have room; what needs more than `most` of them is cut."""
    if not text:
        return []
    characters = max(int(room / max(_inches("x" * 10, size, "normal") / 10, 1e-6)), 8)
    lines = textwrap.wrap(text, characters, break_long_words=True)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [_cut(line, room, size, "normal") for line in lines]


def _cut(text: str, room: float, size: float, weight: str) -> str:
    """The longest beginning that has room, with ``…`` where something is cut."""
    if _inches(text, size, weight) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        low, high = (half, high) if _inches(text[:half] + "…", size, weight) <= room else (low, half - 1)
    return text[:low] + "…" if text else text


@functools.lru_cache(4096)
def _inches(text: str, size: float, weight: str) -> float:
    """Width of a text."""
    import warnings

    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font without a letter draws a box of the same width
        width, _, _ = text_to_path.get_text_width_height_descent(
            text, FontProperties(families(), size=size, weight=weight), False
        )
    return float(width) / 72.0
