"""Where things stand on a matplotlib figure of a flow chart, and how tall its rows are. Floor 8.

In: a chart. Out: :class:`Plan`, inches from the left; heights of rows, inches.
"""

from __future__ import annotations

from dataclasses import dataclass

from .figure_text import fitted, inches
from .model import FlowChart, Fold, Keys, Media, Message, Note, Participant, Row

__all__ = [
    "DETAIL_LINES",
    "LINE",
    "MARKS",
    "SIZE",
    "SMALL",
    "Plan",
    "below",
    "head_lines",
    "height_of",
    "leg_mark",
    "note_ends",
    "note_lines",
    "note_room",
    "note_text",
    "plan",
    "span",
]

SIZE, SMALL = 9.0, 7.5
"""Points: what stands on an arrow; all else."""
LINE = 0.145
"""Inches from one line of small text to the next."""
DETAIL_LINES = 3
MARKS = {"error": "✖ ", "warning": "▲ "}
"""Before what stands on an arrow that a finding names."""
_NOTE_LINES = 6
_LEFT, _RIGHT = 1.95, 0.6
"""Room for times on the left, for frame numbers on the right."""
_HEAD, _EDGE = 2.2, 0.75
"""Width of a head at most; between the outermost lines and the margins at least."""
_WIDEST, _NARROWEST = 4.4, 6.5
"""Between two lines at most; the picture at least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Places from the left."""

    chart: FlowChart
    columns: tuple[float, ...]
    """Where participants stand."""
    apart: float
    """From one to the next."""
    head: float
    """Width of their heads."""
    left: float
    """Where the margin ends."""
    width: float
    captures: bool
    """Whether frames are of several captures."""


def plan(chart: FlowChart) -> Plan:
    """Place the participants of a chart as far apart as their number allows."""
    people = len(chart.participants)
    apart = {2: _WIDEST, 3: 3.6}.get(people, 2.7 if people <= 4 else max(1.6, 10.0 / people))
    head = min(apart - 0.12, _HEAD)
    edge = max(_EDGE, head / 2 + 0.05)
    columns = tuple(_LEFT + edge + at * apart for at in range(people))
    width = max(columns[-1] + edge + _RIGHT if columns else 0.0, _NARROWEST)
    captures = len({row.capture for row in chart.rows if isinstance(row, Message | Media | Keys)}) > 1
    return Plan(chart, columns, apart, head, _LEFT, width, captures)


def head_lines(who: Participant, room: float) -> list[tuple[str, bool]]:
    """Lines of a participant's head, and whether each names it."""
    texts = [(text, most) for text, most in ((who.name, 1), (who.address, 2), (who.detail, 2)) if text]
    return [
        (line, not at)
        for at, (text, most) in enumerate(texts)
        for line in fitted(text, room / 1.25 if not at else room, SMALL if at else SIZE, most)
    ]


def span(row: Message | Media | Keys, drawn: Plan) -> tuple[float, float]:
    """Middle of an arrow, and the room for text along it; one that returns goes to the right."""
    begin, end = drawn.columns[row.source], drawn.columns[row.target]
    return (begin + 0.75, 1.4) if row.source == row.target else ((begin + end) / 2, abs(end - begin) - 0.16)


def below(row: Media) -> str:
    """What stands below a bar."""
    return ", ".join(filter(None, (row.detail, row.until)))


def leg_mark(leg: int | None, drawn: Plan) -> str:
    """The number of a leg, where there are several."""
    return f"[{leg + 1}] " if leg is not None and len(drawn.chart.legs) > 1 else ""


def note_text(row: Note | Fold, drawn: Plan) -> str:
    """What a note or a fold says: with its leg; with the severity and the code of a finding."""
    about = " ".join(filter(None, (row.severity, row.code))) if isinstance(row, Note) else ""
    mark = MARKS.get(row.severity or "", "") if isinstance(row, Fold) else ""
    return f"{leg_mark(row.leg, drawn)}{mark}{f'{about}: ' if about else ''}{row.text}"


def note_ends(row: Note | Fold) -> tuple[int, int]:
    """The participants that it stands over, the leftmost and the rightmost."""
    if isinstance(row, Note):
        return row.first, row.last
    return min(row.source, row.target), max(row.source, row.target)


def note_room(first: int, last: int, text: str, drawn: Plan) -> float:
    """Width of a note: over its participants, and what it needs beyond, as far as there is room."""
    most = drawn.columns[-1] + drawn.head / 2 - drawn.columns[0] + drawn.head / 2
    own = (last - first) * drawn.apart + 0.9
    return min(max(own, min(inches(text[:120], SMALL) + 0.3, 4.0)), most)


def note_lines(text: str, room: float) -> tuple[str, ...]:
    """The lines of a note or a fold."""
    return fitted(text, room - 0.2, SMALL, _NOTE_LINES) or ("",)


def height_of(row: Row, drawn: Plan) -> float:
    """Inches of a row."""
    match row:
        case Message():
            lines = fitted(row.detail or "", span(row, drawn)[1], SMALL, DETAIL_LINES)
            return 0.34 + (0.12 + LINE * (len(lines) - 1) if lines else 0.0)
        case Media():
            return 0.37 + LINE * len(fitted(below(row), span(row, drawn)[1], SMALL, DETAIL_LINES))
        case Keys():
            return 0.36
        case Note() | Fold():
            text = note_text(row, drawn)
            return 0.16 + LINE * len(note_lines(text, note_room(*note_ends(row), text, drawn)))
