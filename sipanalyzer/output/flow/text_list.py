"""A flow chart as a list: a line for each row, for pages that are too narrow for its participants. Floor 8.

In: a chart, its rows in words. Out: styled lines: time, frame, from whom to whom, what.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..cells import visible
from ..terminal import Line, cut, fit, width_of
from .model import FlowChart, Fold, Media, Note, Row
from .text_margin import Margin, make_margin
from .text_words import QUIET, Words, letters, run_of_loss, socket_text, wrapped

__all__ = ["draw_legend", "draw_listed", "list_margin", "short_names"]

_DETAIL_LINES, _NOTE_LINES = 3, 8
_MARGINS = ((80, ("frame", "seconds", "gap")), (0, ("frame", "seconds")), (0, ("frame",)))
"""Columns of the margin, and how wide the page must be for them."""
_ROOM = 18
"""Columns that must be left beside a margin."""
_ARROW, _BOTH = " > ", " <> "
_WHAT = 16
"""Columns that what a row is should have; names give way to letters where they leave it fewer."""
_ROOMY, _INDENT = 30, 8
"""Columns of what a row is from which on its details stand beneath it; else they begin at this column."""


def list_margin(chart: FlowChart, width: int, tz: datetime.tzinfo, columns: Sequence[str] = ()) -> Margin:
    """The margin of a list: those columns, or as many as leave room for what happens."""
    if columns:
        return make_margin(chart, columns, tz)
    margins = [make_margin(chart, each, tz) for least, each in _MARGINS if width >= least]
    return next((margin for margin in margins if margin.width + _ROOM <= width), margins[-1])


def short_names(chart: FlowChart, room: int) -> list[str]:
    """How participants are called in a list: by name, by address, by letter, whatever tells them apart and fits.

    Parameters
    ----------
    chart : FlowChart
        Whose participants they are.
    room : int
        Columns beside the margin.
    """
    names = [visible(each.name or each.address) for each in chart.participants]
    addresses = [visible(each.address) for each in chart.participants]
    for texts in (names, addresses):
        pair = 2 * max(map(width_of, texts), default=0) + len(_ARROW)
        if len(set(texts)) == len(texts) and room - pair - 2 >= _WHAT:
            return texts
    return letters(len(names))


def draw_legend(chart: FlowChart, names: Sequence[str], ports: Sequence[frozenset[int]], width: int) -> list[Line]:
    """The participants, one a line."""
    lines: list[Line] = []
    wide = min(max(map(width_of, names), default=0), width // 2)
    for at, (participant, name) in enumerate(zip(chart.participants, names, strict=True)):
        known = (participant.name, socket_text(participant, ports[at]), participant.detail)
        texts = [visible(each) for each in known if each and visible(each) != name]
        short = cut(name, wide)
        space = " " * (wide - width_of(short) + 2)
        lines.append([(short, "bold"), (space + cut("  ".join(texts), max(1, width - wide - 2)), "")])
    return lines


def draw_listed(row: Row, said: Words, names: Sequence[str], margin: Margin, width: int) -> list[Line]:
    """The lines of one row."""
    room = max(1, width - margin.width)
    if isinstance(row, Note):
        return _draw_note(row, said, margin, width)
    pair = max(map(width_of, names), default=0)
    who = (_BOTH if isinstance(row, Fold) else _ARROW).join((names[row.source], names[row.target]))
    wide = 2 * pair + len(_BOTH) + 1
    rest = max(1, room - wide)
    label, more = _first(said.label, rest)
    first: Line = [(who + " " * (wide - width_of(who)), ""), (label, said.style)]
    used = width_of(label)
    beneath = [(more, said.style, _DETAIL_LINES)] if more else []
    for text, style, gap, most in (
        (said.after, QUIET, 1, 1),
        (said.detail, said.tone, 2, _DETAIL_LINES),
        (said.more, QUIET, 2, 0),
        (said.alarm, said.alarm_style, 2, _DETAIL_LINES),
    ):
        if text and not beneath and used + gap + width_of(text) <= rest:
            first += [(" " * gap, ""), (text, style)]
            used += gap + width_of(text)
        elif text and most:
            beneath.append((text, style, most))
    indent = margin.width + wide if rest >= _ROOMY else _INDENT
    under = max(1, width - indent)
    lines: list[Line] = [
        [(line, style)] for text, style, most in beneath for line in wrapped(text, under, most, parts=True)
    ]
    runs = run_of_loss(row.shades, under - 5) if isinstance(row, Media) else []
    if runs:
        lines.append([("loss ", QUIET), *runs])
    head = fit([*margin.beside(row), *first], width)  # thousands of participants have long letters
    return [head, *([(" " * indent, ""), *line] for line in lines)]


def _draw_note(row: Note, said: Words, margin: Margin, width: int) -> list[Line]:
    bar = "▌ " if row.severity else "┊ "
    room = max(1, width - margin.width - len(bar))
    first, more = _first(said.after + said.label, room)
    indent = margin.width if room >= _ROOMY else _INDENT
    beneath = wrapped(more, max(1, width - indent - len(bar)), _NOTE_LINES)
    head = said.after.rstrip()
    told: Line = [(first, "")]
    if head and first.startswith(head):
        told = [(head, said.style), (first[len(head) :], "")]
    lines: list[Line] = [[*margin.beside(row), (bar, said.style), *told]]
    return lines + [[(" " * indent, ""), (bar, said.style), (text, "")] for text in beneath]


def _first(text: str, width: int) -> tuple[str, str]:
    """The first line of a text that is wrapped, and what is left."""
    whole = " ".join(text.split())
    if width_of(whole) <= width:
        return whole, ""
    first = wrapped(whole, width, 2)[0]
    return (first, whole[len(first) :].lstrip()) if whole.startswith(first) else (first, "")
