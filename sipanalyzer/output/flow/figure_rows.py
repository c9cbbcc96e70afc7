"""The rows of a flow chart on a matplotlib figure. Floor 8.

In: rows, and where things stand (:mod:`.figure_place`). Out: lines, patches and texts on axes that count inches from
the upper left corner. No text is read as a formula.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..cells import local_time
from ..fonts import families
from .figure_place import (
    DETAIL_LINES,
    LINE,
    MARKS,
    SIZE,
    SMALL,
    Plan,
    below,
    leg_mark,
    note_ends,
    note_lines,
    note_room,
    note_text,
    span,
)
from .figure_text import cut, fitted
from .model import Fold, Keys, Media, Message, Note, Row
from .palette import INK, KINDS, LOSS_STEPS, SEVERITY, Look, loss_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Sheet", "draw_box", "draw_row", "draw_stroke", "write"]

_GAP = 1_000_000_000
"""A pause of a second or more is told."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What drawing a row needs."""

    axes: Axes
    plan: Plan
    tz: datetime.tzinfo


def draw_row(sheet: Sheet, row: Row, top: float, tall: float) -> None:
    """Draw a row that begins at `top` and is `tall` inches tall."""
    _DRAWN[type(row)](sheet, row, top, tall)


def _draw_message(sheet: Sheet, row: Message, top: float, tall: float) -> None:
    del tall
    look = KINDS.get(row.kind, KINDS["request"])
    y = top + 0.24
    alpha = 0.45 if row.retransmission else 1.0
    label = f"{row.label} (again)" if row.retransmission else row.label
    _margins(sheet, row, y)
    _arrow(sheet, row.source, row.target, y, look, alpha)
    middle, room = span(row, sheet.plan)
    bold = "normal" if row.kind in ("request", "provisional") else "bold"
    label = MARKS.get(row.severity or "", "") + leg_mark(row.leg, sheet.plan) + label
    write(sheet, middle, y - 0.1, label, room, colour=look.light, align="center", weight=bold, alpha=alpha)
    for at, line in enumerate(fitted(row.detail or "", room, SMALL, DETAIL_LINES)):
        write(sheet, middle, y + 0.115 + LINE * at, line, room, SMALL, "quiet", "center", alpha=alpha)


def _draw_media(sheet: Sheet, row: Media, top: float, tall: float) -> None:
    del tall
    y = top + 0.27
    look = SEVERITY.get(row.severity or "", KINDS["request"])
    middle, room = span(row, sheet.plan)
    _margins(sheet, row, y)
    begin, end = _ends(sheet, row.source, row.target)
    _stripes(sheet, min(begin, end), abs(end - begin), y, row.shades)
    _head(sheet, end, y, 1.0 if end > begin else -1.0, INK["text"].light, 0.09)
    bold = "bold" if row.severity else "normal"
    label = MARKS.get(row.severity or "", "") + leg_mark(row.leg, sheet.plan) + row.label
    write(sheet, middle, y - 0.125, label, room, colour=look.light, align="center", weight=bold)
    for at, line in enumerate(fitted(below(row), room, SMALL, DETAIL_LINES)):
        write(sheet, middle, y + 0.14 + at * LINE, line, room, SMALL, "quiet", "center")


def _stripes(sheet: Sheet, left: float, length: float, y: float, shades: Sequence[float]) -> None:
    """Loss over time, which runs from left to right whichever way the stream goes."""
    from matplotlib.patches import Rectangle

    parts = shades or (0.0,)
    for at, percent in enumerate(parts):
        x, across = left + length * at / len(parts), length / len(parts)
        colour = LOSS_STEPS[loss_step(percent)][1]
        sheet.axes.add_patch(Rectangle((x, y - 0.045), across, 0.09, facecolor=colour, edgecolor="none", zorder=3))
    outline = Rectangle((left, y - 0.045), length, 0.09, fill=False, edgecolor=INK["quiet"].light, linewidth=0.6)
    outline.set_zorder(4)
    sheet.axes.add_patch(outline)


def _draw_keys(sheet: Sheet, row: Keys, top: float, tall: float) -> None:
    del tall
    y = top + 0.22
    look = KINDS["invite"]
    middle, room = span(row, sheet.plan)
    _margins(sheet, row, y)
    _arrow(sheet, row.source, row.target, y, Look(look.light, look.dark, "", (1, 2), 1.4), 1.0)
    text = f"{leg_mark(row.leg, sheet.plan)}keys {row.keys} ({row.method})"
    write(sheet, middle, y - 0.1, text, room, colour=look.light, align="center", weight="bold")


def _draw_note(sheet: Sheet, row: Note, top: float, tall: float) -> None:
    look = SEVERITY.get(row.severity or "")
    colour = INK["quiet"].light if look is None else look.light
    if look is None and row.frame is None:  # a pause that the layout found
        _draw_pause(sheet, row.text, top, tall)
        return
    _margins(sheet, row, top + tall / 2)
    _panel(sheet, row, top, tall, colour)


def _draw_pause(sheet: Sheet, text: str, top: float, tall: float) -> None:
    """A break of all lines."""
    drawn, ground = sheet.plan, INK["panel"].light
    left, right = drawn.columns[0] - drawn.head / 2, drawn.columns[-1] + drawn.head / 2
    draw_box(sheet, left, top + 0.05, right - left, tall - 0.1, ground, ground)
    write(sheet, (left + right) / 2, top + tall / 2, text, right - left, SMALL, "quiet", "center")


def _draw_fold(sheet: Sheet, row: Fold, top: float, tall: float) -> None:
    _margins(sheet, row, top + tall / 2)
    _panel(sheet, row, top, tall, INK["quiet"].light, "--")


_DRAWN: dict[type, Callable[[Sheet, Any, float, float], None]] = {
    Message: _draw_message,
    Media: _draw_media,
    Keys: _draw_keys,
    Note: _draw_note,
    Fold: _draw_fold,
}


# ---- what rows are drawn with
def _margins(sheet: Sheet, row: Row, y: float) -> None:
    """Time of day, seconds and pause on the left, the frame on the right."""
    write(sheet, 0.15, y, local_time(row.time, sheet.tz, date=False), 0.72, SMALL, "quiet")
    write(sheet, 1.38, y, f"{row.offset / 1e9:.3f}", 0.5, SMALL, "quiet", "right")
    gap = row.gap if isinstance(row, Message) else None
    if gap is not None and gap >= _GAP:
        write(sheet, 1.44, y, f"+{gap / 1e9:.1f} s", 0.5, SMALL - 0.5, "quiet")
    frame = None if isinstance(row, Fold) else row.frame
    if frame is not None and not isinstance(row, Fold):
        number = f"{(row.capture or 0) + 1}:{frame}" if sheet.plan.captures else str(frame)
        write(sheet, sheet.plan.width - 0.15, y, number, 0.5, SMALL, "quiet", "right")


def _ends(sheet: Sheet, source: int, target: int) -> tuple[float, float]:
    begin, end = sheet.plan.columns[source], sheet.plan.columns[target]
    return (begin, begin + 0.9) if source == target else (begin, end)


def _arrow(sheet: Sheet, source: int, target: int, y: float, look: Look, alpha: float) -> None:
    begin, end = _ends(sheet, source, target)
    way = 1.0 if end > begin else -1.0
    xs, ys = [begin, end - 0.08 * way], [y, y]
    if source == target:  # out and back
        way, xs, ys = -1.0, [begin, end, end, begin + 0.08], [y - 0.06, y - 0.06, y + 0.06, y + 0.06]
        end = begin
    draw_stroke(sheet, xs, ys, look, alpha)
    _head(sheet, end, ys[-1], way, look.light, 0.06 + 0.012 * look.width, alpha)


def draw_stroke(sheet: Sheet, xs: Sequence[float], ys: Sequence[float], look: Look, alpha: float = 1.0) -> None:
    """A line as a kind of message has it."""
    style = (0, tuple(float(each) for each in look.dash)) if look.dash else "-"
    sheet.axes.plot(
        xs, ys, color=look.light, linewidth=look.width * 0.8, linestyle=style, alpha=alpha, zorder=3,
        solid_capstyle="butt",
    )  # fmt: skip


def _head(sheet: Sheet, x: float, y: float, way: float, colour: str, size: float, alpha: float = 1.0) -> None:
    from matplotlib.patches import Polygon

    corners = [(x, y), (x - way * size * 1.4, y - size * 0.6), (x - way * size * 1.4, y + size * 0.6)]
    sheet.axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor="none", alpha=alpha, zorder=5))


def _panel(sheet: Sheet, row: Note | Fold, top: float, tall: float, colour: str, stroke: str = "-") -> None:
    """A box with a sentence over its participants."""
    drawn = sheet.plan
    over, text = note_ends(row), note_text(row, drawn)
    room = note_room(*over, text, drawn)
    middle = (drawn.columns[over[0]] + drawn.columns[over[1]]) / 2
    least, most = drawn.columns[0] - drawn.head / 2, drawn.columns[-1] + drawn.head / 2
    left = min(max(middle - room / 2, least), most - room)
    draw_box(sheet, left, top + 0.03, room, tall - 0.06, INK["panel"].light, colour, stroke)
    for at, line in enumerate(note_lines(text, room)):
        write(sheet, left + 0.08, top + 0.08 + LINE * (at + 0.5), line, room - 0.12, SMALL, colour)


def draw_box(
    sheet: Sheet, left: float, top: float, width: float, height: float, ground: str, edge: str, stroke: str = "-"
) -> None:
    """A box with round corners."""
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (left, top), width, height, boxstyle="round,pad=0,rounding_size=0.05", facecolor=ground, edgecolor=edge,
        linewidth=0.9, linestyle=stroke, zorder=6,
    )  # fmt: skip
    sheet.axes.add_patch(shape)


def write(
    sheet: Sheet, x: float, y: float, text: str, room: float, size: float = SIZE, colour: str = "text",
    align: str = "left", weight: str = "normal", alpha: float = 1.0,
) -> None:  # fmt: skip
    """A line of text, cut to its room; `colour` is a name of the page's ink or a colour."""
    from matplotlib.patheffects import withStroke

    ink = INK[colour].light if colour in INK else colour
    written = sheet.axes.text(
        x, y, cut(text, room, size, weight), fontsize=size, color=ink, ha=align, va="center_baseline", weight=weight,
        alpha=alpha, zorder=7, parse_math=False, fontfamily=families(),
    )  # fmt: skip
    if align == "center":  # a halo, where it stands across a participant's line
        written.set_path_effects([withStroke(linewidth=2.0, foreground=INK["ground"].light)])
