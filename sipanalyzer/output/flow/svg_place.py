"""Where things stand across a chart drawn as SVG: times on the left, lifelines, frames on the right. Floor 8.

In: a chart. Out: :class:`Across`, px from the left. What stands below what is decided while rows are drawn
(:mod:`.svg`).
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from ..cells import local_time, visible
from .measure import MONO, text_width, wrap_text
from .model import FlowChart, Fold, Keys, Media, Message, Note, Participant, Row
from .svg_look import draw_line

__all__ = [
    "DETAIL",
    "LABEL",
    "LOOP",
    "NAME",
    "NUMBER",
    "PAD",
    "Across",
    "Gutter",
    "Head",
    "day",
    "frame_number",
    "label_of",
    "place_across",
    "seconds",
]

LABEL, DETAIL, NUMBER, NAME = 12.5, 11, 10, 12.5
"""Sizes of fonts, px: what stands on an arrow, what below, times and frames, names of participants."""
PAD = 12
"""Between a text and the lifelines beside it, px."""
_WIDEST, _ROOM = 480, 900
"""Between two lifelines at most; all of them together, as long as that leaves each the least."""
_LEAST = 124
_LABEL_MOST = 240
"""For what stands on an arrow there is so much, however many lifelines there are."""
_HEAD_LEAST, _HEAD_MOST = 84, 210
LOOP = 34
"""How far an arrow goes out that returns to its own lifeline."""
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Head:
    """Box above a lifeline."""

    width: int
    lines: tuple[tuple[str, str], ...]
    """Class and text of each line."""
    told: str
    """All of it."""


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands left of the lifelines, in a monospaced font: leg, time of day, offset, gap."""

    legs: bool
    offset: int
    gap: int
    """Characters of the offset and of the gap."""
    width: int
    """All of it, px."""

    @property
    def left(self) -> int:
        """Where its text begins, px."""
        return 9 if self.legs else 6

    def text(self, y: int, leg: int | None, time: str, offset: str, gap: str) -> str:
        """One row of it, drawn."""
        number = "" if not self.legs else f"{'' if leg is None else leg + 1:<2} "
        row = f"{number}{time:<12}  {offset:>{self.offset}} {gap:>{self.gap}}"
        return draw_line("t", self.left, y, row.rstrip()).replace("  ", "\u00a0 ")  # runs of spaces would become one


@dataclass(frozen=True, slots=True)
class Across:
    """Places from the left, px."""

    gutter: Gutter
    heads: tuple[Head, ...]
    lifelines: tuple[int, ...]
    left: int
    right: int
    """Begin and end of what belongs to the lifelines."""
    frames: int
    """Right end of the numbers of frames."""
    captures: bool
    """Whether frames are of several captures."""
    marks: int | None
    """Left side of the marks of severity; None where there are none."""
    width: int
    """Of the whole picture."""

    def loop(self, at: int) -> tuple[int, int]:
        """Way (1 to the right, -1 to the left) and room for the text of an arrow that returns to its lifeline."""
        lines = self.lifelines
        if at + 1 < len(lines) or len(lines) == 1:
            end = lines[at + 1] if at + 1 < len(lines) else self.right
            return 1, end - lines[at] - LOOP - PAD
        return -1, lines[at] - lines[at - 1] - LOOP - PAD


def seconds(ns: int) -> str:
    """Seconds to the millisecond; rounded down, as clocks do."""
    milliseconds = abs(ns) // 1_000_000
    return f"{'-' if ns < 0 and milliseconds else ''}{milliseconds // 1_000}.{milliseconds % 1_000:03d}"


def place_across(chart: FlowChart) -> Across:
    """Place the lifelines as close together as what stands between them allows."""
    gutter = _gutter(chart)
    count = len(chart.participants)
    most = max(_LEAST, min(_WIDEST, _ROOM // max(1, count - 1)))
    heads = tuple(_head(each, min(_HEAD_MOST, most - 10)) for each in chart.participants)
    gaps = _gaps(chart, heads, most)
    left = gutter.width + 6
    places = [left + (heads[0].width // 2 if heads else 0)]
    for gap in gaps:
        places.append(places[-1] + gap)
    right = places[-1] + (heads[-1].width // 2 if heads else 0)
    if count <= 1:
        right = max(right, places[-1] + _widest_loop(chart))
    right = max(right, left + 240)
    known = (getattr(row, "capture", None) for row in chart.rows)
    captures = len({capture for capture in known if capture is not None}) > 1
    has_marks = any(getattr(row, "severity", None) and not isinstance(row, Note) for row in chart.rows)
    frames = (
        right + round(MONO * NUMBER * max((len(frame_number(row, captures)) for row in chart.rows), default=1)) + 12
    )
    frames = max(frames, right + 42) + (14 if has_marks else 0)
    return Across(
        gutter,
        heads,
        tuple(places[:count]),
        left,
        right,
        frames,
        captures,
        right + 8 if has_marks else None,
        frames + 8,
    )


def frame_number(row: Row, captures: bool) -> str:
    """Number of its frame; before it that of the capture where there are several."""
    frame, capture = getattr(row, "frame", None), getattr(row, "capture", None)
    if frame is None:
        return ""
    return f"{(capture or 0) + 1}:{frame}" if captures else str(frame)


def _gutter(chart: FlowChart) -> Gutter:
    rows = chart.rows
    offset = max([len(seconds(row.offset)) for row in rows] + [6])
    gap = max([len(seconds(row.gap or 0)) + 1 for row in rows if isinstance(row, Message)] + [6])
    legs = len(chart.legs) > 1
    return Gutter(legs, offset, gap, round(MONO * NUMBER * (15 + 3 * legs + offset + gap)) + 14)


def _head(participant: Participant, most: int) -> Head:
    name, address = visible(participant.name or ""), visible(participant.address)
    detail = visible(participant.detail or "")
    given = ([("n", name, NAME, 1)] if name else []) + [("a" if name else "n", address, DETAIL if name else NAME, 2)]
    given += [("q", detail, DETAIL - 1, 2)] if detail else []
    lines = [
        (style, line)
        for style, text, size, count in given
        for line in wrap_text(text, most - 12, size, count, bold=style == "n")
    ]
    wide = max(
        (text_width(line, NAME if style == "n" else DETAIL, bold=style == "n") for style, line in lines), default=0
    )
    told = ", ".join(each for each in (name, address, detail, participant.role) if each)
    return Head(int(min(most, max(_HEAD_LEAST, wide + 16))), tuple(lines), told)


def _gaps(chart: FlowChart, heads: tuple[Head, ...], most: int) -> list[int]:
    """Room between neighbours: for their heads, and for the widest text that stands between them."""
    gaps = [max(_LEAST, (one.width + other.width) // 2 + 12) for one, other in itertools.pairwise(heads)]
    over: dict[tuple[int, int], float] = {}
    for first, last, need in _needs(chart, most):
        if need > over.get((first, last), 0.0):
            over[first, last] = need
    for (first, last), need in sorted(over.items(), key=lambda each: each[0][1] - each[0][0]):
        missing = int(need) - sum(gaps[first:last])
        if missing > 0:
            share = -(-missing // (last - first))
            gaps[first:last] = [gap + share for gap in gaps[first:last]]
    return gaps


def _needs(chart: FlowChart, most: int) -> Iterator[tuple[int, int, float]]:
    last_one = len(chart.participants) - 1
    for row in chart.rows:
        if isinstance(row, Note):
            continue
        low, high = sorted((row.source, row.target))
        need = 0.0
        for text, size, bold in row_texts(row):  # a detail may be wrapped
            limit = max(most, _LABEL_MOST) if bold else most
            need = max(need, min(text_width(text[:200], size, bold=bold) + 2 * PAD + 8, limit * max(1, high - low)))
        if low == high:
            low, high = (low, low + 1) if low < last_one else (low - 1, low)
            need += LOOP
        if 0 <= low < high <= last_one:
            yield low, high, need


def label_of(row: Message | Media) -> str:
    """What stands on an arrow or a bar; that a message was sent again is said, not only shown."""
    return visible(row.label) + (" (again)" if isinstance(row, Message) and row.retransmission else "")


def row_texts(row: Row) -> Iterator[tuple[str, float, bool]]:
    """Texts of a row that stand between its lifelines: text, size, bold."""
    if isinstance(row, Message | Media):
        yield label_of(row), LABEL, True
        if row.detail:
            yield visible(row.detail), DETAIL, False
    elif isinstance(row, Keys):
        yield visible(row.keys), LABEL, True
    elif isinstance(row, Fold):
        yield visible(row.text), DETAIL, False


def _widest_loop(chart: FlowChart) -> int:
    texts = [text_width(text[:200], size, bold=bold) for row in chart.rows for text, size, bold in row_texts(row)]
    return int(min(_WIDEST, max([*texts, 160.0]) + LOOP + 2 * PAD))


def day(ns: int, tz: datetime.tzinfo) -> str:
    """Date in a zone."""
    return local_time(ns, tz)[:-13]
