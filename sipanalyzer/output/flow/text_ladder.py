"""A flow chart as a ladder of text: a line for each participant, arrows between them. Floor 8.

In: a chart, its rows in words, a :class:`~.text_grid.Grid`. Out: styled lines. A line is made of pieces, each at its
column; what lies between them are the participants' lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from ..cells import visible
from ..terminal import Line, width_of
from .model import FlowChart, Fold, Media, Message, Note, Row
from .text_grid import Grid
from .text_words import QUIET, Words, run_of_loss, socket_text, wrapped

__all__ = ["draw_head", "draw_row", "draw_short_head"]

_ROOMY = 22
"""Columns between two lines from which on a detail that is not needed stands beneath."""
_REGION = 46
"""Columns that a sentence should have at least; it goes beyond the lines that it belongs to where it must."""
_LABEL_LINES, _DETAIL_LINES, _NOTE_LINES = 3, 3, 6
_CROSSINGS = {"═": "╪", "━": "┿"}
"""An arrow's line where it passes over a participant's; elsewhere ``┼``."""

Piece = tuple[int, int, Line]
"""Column, columns that it takes, what stands there."""


# ---- the head
def draw_head(chart: FlowChart, grid: Grid, ports: Sequence[frozenset[int]]) -> list[Line]:
    """Name, address and detail of each participant above its line; names of the margin's columns beside them."""
    stacks: list[list[tuple[str, str]]] = []
    for at, participant in enumerate(chart.participants):
        first, last = grid.slot(at)
        room = max(1, last - first - 1)
        texts = (
            (visible(participant.name or ""), "bold", 2),
            (_breakable(socket_text(participant, ports[at]), room), "" if participant.name else "bold", 3),
            (visible(participant.detail or ""), QUIET, 2),
        )
        stacks.append([(line, style) for text, style, most in texts for line in wrapped(text, room, most)])
    height = max(map(len, stacks), default=0)
    lines = []
    for level in range(height):
        pieces = []
        for at, stack in enumerate(stacks):
            if level >= height - len(stack):
                pieces.append(_centred(grid, at, *stack[level - height + len(stack)]))
        margin = grid.margin.heading() if level == height - 1 else grid.margin.blank()
        lines.append(_joined(grid, margin, pieces, " " * grid.width))
    return lines


def draw_short_head(chart: FlowChart, grid: Grid) -> Line:
    """Who stands where, on one line: for long charts, whose head is out of sight."""
    pieces = []
    for at, participant in enumerate(chart.participants):
        first, last = grid.slot(at)
        name = wrapped(visible(participant.name or participant.address), max(1, last - first - 1), 1)
        pieces.append(_centred(grid, at, name[0] if name else "", QUIET))
    return _joined(grid, grid.margin.blank(), pieces, " " * grid.width)


def _breakable(address: str, room: int) -> str:
    """The address, with a space where it must be broken: before its port, else after a dot or colon."""
    host, colon, port = address.rpartition(":")
    if width_of(address) <= room:
        return address
    if host and max(width_of(host), width_of(port) + 1) <= room:
        return f"{host} {colon}{port}"
    lines, line = [], ""
    for part in re.findall(r"[^.:]*[.:]|[^.:]+", address):
        if line and width_of(line) + width_of(part) > room:
            lines.append(line)
            line = ""
        line += part
    return " ".join([*lines, line])


def _centred(grid: Grid, participant: int, text: str, style: str) -> Piece:
    first, last = grid.slot(participant)
    wide = width_of(text)
    at = max(first, min(grid.lines[participant] - wide // 2, last - wide))
    return at, wide, [(text, style)]


# ---- rows
def draw_row(row: Row, said: Words, grid: Grid, drawn: dict[object, list[Line]]) -> list[Line]:
    """The lines of one row; `drawn` remembers what stands beside the margin, for the same comes again and again."""
    known = (row.source, row.target, said) if isinstance(row, Message) else id(row)
    bodies = drawn.get(known)
    if bodies is None:
        bodies = drawn[known] = [_joined(grid, [], pieces) for pieces in _pieces(row, said, grid)]
    return [[*(grid.margin.blank() if at else grid.margin.beside(row)), *body] for at, body in enumerate(bodies)]


def _pieces(row: Row, said: Words, grid: Grid) -> list[list[Piece]]:
    if isinstance(row, Note):
        return _note(row, said, grid)
    if row.source == row.target:
        stacked = _hook(row.source, said, grid)
    else:
        stacked = _arrow(row.source, row.target, said, grid, heads=not isinstance(row, Fold))
    return stacked + _shaded(row, grid) if isinstance(row, Media) else stacked


def _joined(grid: Grid, margin: Line, pieces: Iterable[Piece], template: str = "") -> Line:
    """One line: the pieces over the template, which is a row without events."""
    template = template or grid.template
    line, at = [*margin], grid.left
    for column, wide, texts in sorted(pieces, key=lambda piece: piece[0]):
        if wide:
            line.append((template[at:column], QUIET))
            line += texts
            at = column + wide
    line.append((template[at:].rstrip(), QUIET))
    return [(text, style) for text, style in line if text]


def _arrow(source: int, target: int, said: Words, grid: Grid, *, heads: bool) -> list[list[Piece]]:
    """A line with a head, what it is in the middle of it; what finds no room there beneath."""
    low, high = sorted((grid.lines[source], grid.lines[target]))
    inner = [at for at in grid.lines if low < at < high]
    room = high - low - 1
    beside, beneath = _beside(said, room, inner, low, high)
    shaft = [_CROSSINGS.get(said.shaft, "┼") if at in inner else said.shaft for at in range(low + 1, high)]
    if heads and target > source:
        shaft[-1] = "►"
    elif heads:
        shaft[0] = "◄"
    column, wide = _place(_wide(beside), inner, low, high, target > source)
    line = "".join(shaft)
    first, last = line[: column - low - 1], line[column + wide - low - 1 :]
    stacked: list[list[Piece]] = [[(low + 1, room, [(first, said.style), *_padded(beside, wide), (last, said.style)])]]
    return stacked + _beneath(beneath, low, high, grid, beyond=said.needed and room < _ROOMY)


def _beside(
    said: Words, room: int, inner: Sequence[int], low: int, high: int
) -> tuple[Line, list[tuple[str, str, int]]]:
    """What stands on the arrow, and what beneath it: texts, their styles, their most lines."""
    label, after = width_of(said.label), width_of(said.after)
    segment = max(other - one for one, other in zip([low, *inner], [*inner, high], strict=True)) - 1
    line: Line = [(said.label, said.style)]
    beneath: list[tuple[str, str, int]] = []
    if label > room - 1:
        first, *rest = wrapped(said.label, room - 4 if room >= _ROOMY else room - 1, _LABEL_LINES) or [""]
        line = [(first, said.style)]
        beneath += [(text, said.style, 1) for text in rest]
    if said.after:
        if not beneath and label + 1 + after <= room - 4:
            line.append((f" {said.after}", QUIET))
            label += 1 + after
        elif said.needed or "again" in said.after:
            beneath.append((said.after, QUIET, 1))
    whole = _with_more(said, segment - 4 - label - 2)
    if whole and not beneath and label + 2 + width_of(whole) <= segment - 4:
        line.append((f"  {whole}", said.tone))
    elif said.detail and (said.needed or room >= _ROOMY):
        beneath.append((_with_more(said, room - 2), said.tone, _DETAIL_LINES))
    if said.alarm:
        beneath.append((said.alarm, said.alarm_style, _DETAIL_LINES))
    return line, beneath


def _with_more(said: Words, room: int) -> str:
    """The detail, and what may stand behind it where there is room."""
    whole = ", ".join(filter(None, (said.detail, said.more)))
    return whole if width_of(whole) <= room else said.detail


def _wide(line: Line) -> int:
    return sum(width_of(text) for text, _ in line)


def _place(wide: int, inner: Sequence[int], low: int, high: int, right: bool) -> tuple[int, int]:
    """Column and columns of a text on an arrow, spaces around it included where there is room for them.

    It stands in the middle of the arrow, or of that part between two lines that is nearest to the middle and wide
    enough: where an arrow passes over a line, one should see it.
    """
    room = high - low - 1
    if wide + 4 > room:  # no room for strokes: only the head
        return (low + 1 if right else high - wide), wide
    bounds = [low, *inner, high]
    parts = [(one, other) for one, other in itertools.pairwise(bounds) if other - one - 1 >= wide + 4]
    middle = (low + high) / 2
    one, other = min(parts, key=lambda part: abs((part[0] + part[1]) / 2 - middle)) if parts else (low, high)
    return (one + other + 1 - wide - 2) // 2, wide + 2


def _padded(line: Line, wide: int) -> Line:
    """The texts with a space on each side, where `wide` has them."""
    return [(" ", ""), *line, (" ", "")] if wide > _wide(line) else line


def _beneath(
    texts: Iterable[tuple[str, str, int]], low: int, high: int, grid: Grid, *, beyond: bool
) -> list[list[Piece]]:
    """Lines beneath an arrow, in its middle; `beyond` its ends where it is short."""
    stacked: list[list[Piece]] = []
    for text, style, most in texts:
        first, last = low + 1, high
        if beyond and width_of(text) > last - first - 2 and most > 1:
            first, last = _region(low, high, width_of(text) + 2, grid)
        lines = wrapped(text, max(1, last - first - 2), most, parts=True)
        block = max(map(width_of, lines), default=0)
        column = (first + last - block) // 2
        for line in lines:  # no participant's line between the words
            stacked.append([(column - 1, block + 2, [(f" {line}{' ' * (block - width_of(line))} ", style)])])
    return stacked


def _region(low: int, high: int, need: int, grid: Grid) -> tuple[int, int]:
    """Columns for a sentence that belongs to lines `low` to `high`: the first, and the one after the last."""
    first, last = low + 1, high
    need = min(need, _REGION)
    if last - first < need:
        last = min(grid.width, first + need)
        first = max(grid.left, min(first, last - need))
    return first, last


def _hook(source: int, said: Words, grid: Grid) -> list[list[Piece]]:
    """A message of a host to itself: out and back."""
    at = grid.lines[source]
    stroke = "═" if said.shaft == "═" else "─"
    ends = ("╗", "╝", "╔", "╚") if stroke == "═" else ("┐", "┘", "┌", "└")
    label = " ".join(filter(None, (said.label, said.after)))
    texts = [(label, said.style), (_with_more(said, 0), QUIET), (said.alarm, said.alarm_style)]
    right = grid.width - at - 6
    to_left = right < 20 and at - grid.left > right
    room = max(1, at - grid.left - 6 if to_left else right)
    lines = [(line, style) for text, style in texts for line in wrapped(text, room, _DETAIL_LINES)] or [("", "")]
    stacked: list[list[Piece]] = []
    for number in range(max(2, len(lines))):
        text, style = lines[number] if number < len(lines) else ("", "")
        wide = width_of(text)
        if to_left:
            arm = (ends[2] + stroke * 2, f"{ends[3]}{stroke}►")[number] if number < 2 else ""
            pieces: list[Piece] = [(at - 3, len(arm), [(arm, said.style)]), (at - 4 - wide, wide, [(text, style)])]
        else:
            arm = (stroke * 2 + ends[0], f"◄{stroke}{ends[1]}")[number] if number < 2 else ""
            pieces = [(at + 1, len(arm), [(arm, said.style)]), (at + 5, wide, [(text, style)])]
        stacked.append(pieces)
    return stacked


def _shaded(row: Media, grid: Grid) -> list[list[Piece]]:
    """Loss over time, beneath a stream's bar."""
    low, high = sorted((grid.lines[row.source], grid.lines[row.target]))
    shades = row.shades
    first, last = _region(low, high, 2 + len(shades), grid) if high - low < _ROOMY else (low + 1, high)
    room = last - first - 2
    head = "loss over time " if room >= 40 else "loss "
    runs = run_of_loss(shades, room - len(head))
    wide = len(head) + sum(len(text) for text, _ in runs)
    return [[((first + last - wide) // 2, wide, [(head, QUIET), *runs])]] if runs else []


def _note(row: Note, said: Words, grid: Grid) -> list[list[Piece]]:
    """A sentence across lines: with a bar at its side where it is a finding, else between strokes."""
    low, high = grid.lines[row.first], grid.lines[row.last]
    wide = width_of(said.label)
    if row.severity is None and wide + 6 <= high - low - 1:
        column = (low + high + 1 - wide - 2) // 2
        before, after = said.shaft * (column - low - 1), said.shaft * (high - column - wide - 2)
        return [[(low, high - low + 1, [(f"├{before} ", QUIET), (said.label, said.style), (f" {after}┤", QUIET)])]]
    first, last = _region(low, high, wide + width_of(said.after) + 4, grid)
    room = max(1, last - first - 3)
    lines = wrapped(said.after + said.label, room, _NOTE_LINES)
    head = said.after.rstrip()
    head = head if lines and lines[0].startswith(head) else ""
    bar = "▌" if row.severity else "┊"
    block = max(map(width_of, lines), default=0)
    stacked: list[list[Piece]] = []
    for number, text in enumerate(lines):
        told: Line = [(text, "")]
        if not number and head:
            told = [(head, said.style), (text[len(head) :], "")]
        space = " " * (block - width_of(text))  # no lines between the words of a sentence
        stacked.append([(first + 1, block + 2, [(f"{bar} ", said.style), *told, (space, "")])])
    return stacked or [[]]
