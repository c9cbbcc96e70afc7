"""Where the participants' lines stand on a flow chart of text. Floor 8.

In: a chart, its rows in words, a width. Out: a :class:`Grid`, or None where the participants do not fit beside each
other.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..cells import visible
from ..terminal import width_of
from .model import FlowChart, Note
from .text_margin import Margin, make_margin
from .text_words import Words, socket_text

__all__ = ["Grid", "plan"]

_LEAST = 12
"""Columns between two lines, at least: room for ``180 Ringing`` and an arrow's head."""
_COMFORT = 24
"""Columns between two lines that go before another column of the margin."""
_LABEL, _HEAD, _DETAIL, _SPREAD = 44, 40, 96, 40
"""Columns between two lines, at most: for the sake of labels, of headings, of details, and because there is room."""
_WIDE = 132
_EDGE, _WIDE_EDGE = 5, 10
"""Columns beside the outermost lines, at most; their headings stand in where they need more."""
_MARGINS = (
    (120, ("frame", "clock", "seconds", "gap")),
    (0, ("frame", "seconds", "gap")),
    (0, ("frame", "seconds")),
)
"""Columns of the margin, and how wide the page must be for them."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where everything stands."""

    width: int
    margin: Margin
    left: int
    """First column of the drawing."""
    lines: tuple[int, ...]
    """Column of each participant's line."""
    template: str
    """A row of the drawing on which nothing happens; as wide as the page."""

    def slot(self, participant: int) -> tuple[int, int]:
        """Columns in which a participant's heading may stand: the first, and the one after the last."""
        at, lines = participant, self.lines
        first = self.left if not at else (lines[at - 1] + lines[at]) // 2 + 1
        last = self.width if at == len(lines) - 1 else (lines[at] + lines[at + 1]) // 2
        return first, last


def plan(
    chart: FlowChart,
    words: Sequence[Words],
    ports: Sequence[frozenset[int]],
    width: int,
    tz: datetime.tzinfo,
    margin_columns: Sequence[str] = (),
) -> Grid | None:
    """Place the participants of a chart on a page; None where they do not fit beside each other.

    `margin_columns` says which columns of the margin are wanted; without them it is what the page has room for.
    """
    if not chart.participants:
        return None
    heads = [
        max(map(width_of, (socket_text(each, its), visible(each.name or ""), visible(each.detail or "")[:_HEAD])))
        for each, its in zip(chart.participants, ports, strict=True)
    ]
    wants = _wants(chart, words, heads)
    edge = _WIDE_EDGE if width >= _WIDE else _EDGE
    before, after = min(heads[0] // 2, edge), min((heads[-1] + 1) // 2, edge)
    margins = ((0, tuple(margin_columns)),) if margin_columns else _MARGINS
    for least, columns in margins:
        if width < least:
            continue
        margin = make_margin(chart, columns, tz)
        gaps = _shared_out(wants, len(heads) - 1, width - margin.width - before - after - len(heads))
        if gaps is None:
            continue
        last = columns == margins[-1][1]
        if last or all(gap >= min(max(need), _COMFORT) for gap, *need in zip(gaps, wants[0], wants[2], strict=True)):
            lines = [margin.width + before]
            for gap in gaps:
                lines.append(lines[-1] + gap + 1)
            return Grid(width, margin, margin.width, tuple(lines), _template(lines, width))
    return None


def _template(lines: Iterable[int], width: int) -> str:
    row = [" "] * width
    for at in lines:
        row[at] = "│"
    return "".join(row)


def _wants(chart: FlowChart, words: Sequence[Words], heads: Sequence[int]) -> list[list[int]]:
    """Columns that each space between lines would like to have: for labels, for headings, for details, at all."""
    count = len(heads) - 1
    labels, details = [_LEAST] * count, [_LEAST] * count
    widest: dict[tuple[int, int], tuple[int, int]] = {}
    for row, said in zip(chart.rows, words, strict=True):
        if isinstance(row, Note):
            continue
        pair = (min(row.source, row.target), max(row.source, row.target))
        label = width_of(said.label) + (1 + width_of(said.after) if said.after else 0)
        detail = label + 2 + width_of(said.detail) if said.detail else label
        known = widest.get(pair, (0, 0))
        widest[pair] = (max(known[0], label), max(known[1], detail))
    for (first, last), (label, detail) in sorted(widest.items()):
        reach = range(first, min(max(last, first + 1), count))
        for wish, need, most in ((labels, label, _LABEL), (details, detail, _DETAIL)):
            lacking = min(need + 5, most) - sum(wish[at] + 1 for at in reach) + 1
            for at in reach:
                wish[at] += max(0, -(-lacking // len(reach)))
    between = [min((one + other) // 2 + 2, _HEAD) for one, other in itertools.pairwise(heads)]
    return [labels, between, details, [_SPREAD] * count]


def _shared_out(wants: Sequence[Sequence[int]], count: int, free: int) -> list[int] | None:
    """The free columns shared out among spaces, wish after wish; None where they are too few."""
    gaps = [_LEAST] * count
    free -= sum(gaps)
    if free < 0:
        return None
    for wish in wants:
        while free > 0:  # the smallest first, so that lines stand evenly
            short = [at for at in range(count) if gaps[at] < wish[at]]
            if not short:
                break
            least = min(gaps[at] for at in short)
            for at in [at for at in short if gaps[at] == least][:free]:
                gaps[at] += 1
                free -= 1
    return gaps
