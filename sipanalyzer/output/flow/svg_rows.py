"""The rows of a chart as SVG: arrows, bars, keys, notes, folds, and the times and frames beside them. Floor 8.

In: rows, and where things stand across (:mod:`.svg_place`). Out: pieces of SVG, from top to bottom. Rows never share a
height, and a text stays between the lifelines of its arrow, so none runs into another.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..cells import local_time, visible
from .escape import escaped
from .measure import cut_text, text_width, wrap_text
from .model import FlowChart, Fold, Keys, Media, Message, Note, Row
from .palette import LEGS, loss_step
from .svg_look import KIND_CLASS, MARKS, SEVERITY_CLASS, draw_line
from .svg_place import DETAIL, LABEL, LOOP, PAD, Across, day, frame_number, label_of, seconds
from .words import later

__all__ = ["TOLD", "Rows"]

_ABOVE, _LINE, _BELOW = 19, 13, 9
"""From the top of a row to its arrow; each line of detail; from the arrow (or the last line) to the next row."""
_PAUSE_NS = 1_000_000_000
"""A silence of this length or more is drawn as a break."""
_LONG_PAUSE_NS = 10_000_000_000
TOLD = 300
"""Characters of a text in a tooltip."""
_MOST_SHADES = 120
_METHODS = {"rfc4733": "keys, RFC 4733", "info": "keys, INFO"}


@dataclass(slots=True)
class Rows:
    """Rows while they are drawn from top to bottom."""

    chart: FlowChart
    across: Across
    tz: datetime.tzinfo
    interactive: bool
    numbers: Mapping[int, int] | None
    stream_numbers: Mapping[int, int] | None
    y: int
    """Where the next one begins."""
    parts: list[str] = field(default_factory=list)
    pieces: list[tuple[int, int, int]] = field(default_factory=list)
    """Colour, begin and end of each piece of the margin."""

    def draw(self) -> None:
        """All rows."""
        before: int | None = None
        for row in self.chart.rows:
            if before is not None:
                self._pause(row, before)
            if not _is_pause(row):
                self._row(row)
            end = row.end if isinstance(row, Fold) else row.time
            before = end if before is None else max(before, end)

    def margin(self) -> Iterator[str]:
        """What tells the rows of one call from those of others."""
        for colour in sorted({each[0] for each in self.pieces}):
            path = "".join(f"M0 {top}h4V{end}H0z" for its, top, end in self.pieces if its == colour)
            yield f'<path class="g{colour}" d="{path}"/>'

    def _pause(self, row: Row, before: int) -> None:
        """A break of the lifelines where nothing happened for long; folded messages are something too."""
        pause = row.time - before
        if isinstance(row, Message) and row.gap is not None:
            pause = min(pause, row.gap)
        if pause < _PAUSE_NS:
            return
        words = later(pause) if pause >= _LONG_PAUSE_NS else f"{pause / 1e9:.1f} s later"
        if day(row.time, self.tz) != day(before, self.tz):
            words += f", {day(row.time, self.tz)}"
        self._band(words)

    def _band(self, words: str) -> None:
        across, top = self.across, self.y + 3
        self.parts.append(f'<path class="pb" d="M{across.left} {top}H{across.right}v13H{across.left}z"/>')
        words = cut_text(words, across.right - across.left - PAD, 10)
        self._text("z", (across.left + across.right) // 2, top + 10, words)
        self.y += 20

    def _row(self, row: Row) -> None:
        top = self.y
        opening = self._opening(row)
        self.parts.append(opening)
        self.parts.append(f"<title>{escaped(_told(row))}</title>")
        box = len(self.parts)
        self.parts.append("")
        match row:
            case Message():
                self._arrow(row, label_of(row), row.detail or "")
            case Media():
                self._media(row)
            case Keys():
                self._arrow(row, visible(row.keys), _METHODS.get(row.method, row.method))
            case Note():
                self._note(row)
            case Fold():
                self._fold(row)
        if opening.find("tabindex") > 0:
            width = self.across.width - 2
            self.parts[box] = f'<rect class="b" x="1" y="{top}" width="{width}" height="{self.y - top}" rx="4"/>'
        self.parts.append("</g>")
        if row.leg is not None and len(self.chart.legs) > 1:
            self._margin(row.leg % len(LEGS), top)

    def _margin(self, colour: int, top: int) -> None:
        """One piece for rows of one call that follow each other."""
        if self.pieces and self.pieces[-1][0] == colour and self.pieces[-1][2] == top:
            top = self.pieces.pop()[1]
        self.pieces.append((colour, top, self.y))

    def _opening(self, row: Row) -> str:
        """The group of a row, with what a page needs to know of it."""
        kind, name, number = "", "", None
        if isinstance(row, Message | Fold):
            kind, name = KIND_CLASS.get(row.kind, "kr"), "message"
            index = row.message if isinstance(row, Message) else next(iter(row.messages), None)
            number = index if self.numbers is None or index is None else self.numbers.get(index)
            if isinstance(row, Message) and row.retransmission:
                kind += " r"
        elif isinstance(row, Media):
            name = "stream"
            number = row.stream if self.stream_numbers is None else self.stream_numbers.get(row.stream)
        elif isinstance(row, Keys):
            kind = "k"
        data = "" if number is None else f' data-{name}="{number}"'
        if self.interactive and data:
            data += ' tabindex="0" role="button"'
            kind = f"{name[0]} {kind}".rstrip()
        return f'<g class="{kind}"{data}>' if kind else f"<g{data}>"

    def _beside(self, row: Row, y: int) -> None:
        """Time on the left, frame and severity on the right."""
        across = self.across
        gap = getattr(row, "gap", None)
        time = local_time(row.time, self.tz, date=False)
        told = "" if gap is None else f"{'' if gap < 0 else '+'}{seconds(gap)}"
        self.parts.append(across.gutter.text(y + 4, row.leg, time, seconds(row.offset), told))
        number = frame_number(row, across.captures)
        if number:
            self._text("f", across.frames, y + 4, number)
        severity = getattr(row, "severity", None)
        if severity in MARKS and across.marks is not None and not isinstance(row, Note):
            self._mark(severity, across.marks, y - 4)

    def _mark(self, severity: str, x: int, y: int) -> None:
        self.parts.append(f'<path class="{SEVERITY_CLASS[severity]}" d="M{x} {y}{MARKS[severity]}"/>')

    def _between(self, row: Message | Media | Keys | Fold) -> tuple[int, int]:
        """Where an arrow begins and ends."""
        lines = self.across.lifelines
        return lines[row.source], lines[row.target]

    def _arrow(self, row: Message | Keys, label: str, detail: str) -> None:
        x1, x2 = self._between(row)
        y = self.y + _ABOVE
        if x1 == x2:
            way, room = self.across.loop(row.source)
            out = x1 + way * LOOP
            self.parts.append(f'<path class="u" d="M{x1} {y - 6}H{out}V{y + 6}H{x1 + way * 8}"/>')
            self.parts.append(f'<path class="h" d="M{x1} {y + 6}l{way * 9}-4v8z"/>')
            end = "s" if way > 0 else "e"
            place = out + way * 6
            self._text(f"l l{end}", place, y + 1, cut_text(label, room, LABEL, bold=True))
            lines = wrap_text(visible(detail), room, DETAIL, _detail_lines(room))
            for number, line in enumerate(lines):
                self._text(f"d d{end}", place, y + 14 + _LINE * number, line)
            below = max(6, 4 + _LINE * len(lines))
        else:
            way, room, middle = (1 if x2 > x1 else -1), abs(x2 - x1) - 2 * PAD, (x1 + x2) // 2
            self.parts.append(f'<path d="M{x1} {y}H{x2 - way * 8}"/><path class="h" d="M{x2} {y}l{-way * 9}-4v8z"/>')
            self._text("l", middle, y - 5, cut_text(label, room, LABEL, bold=True))
            lines = wrap_text(visible(detail), room, DETAIL, _detail_lines(room))
            for number, line in enumerate(lines):
                self._text("d", middle, y + 13 + _LINE * number, line)
            below = _LINE * len(lines)
        self._beside(row, y)
        self.y = y + below + _BELOW

    def _media(self, row: Media) -> None:
        x1, x2 = self._between(row)
        y = self.y + _ABOVE + 2
        if x1 == x2:
            way, room = self.across.loop(row.source)
            x2 = x1 + way * (LOOP + room)
        way, middle = (1 if x2 > x1 else -1), (x1 + x2) // 2
        room = abs(x2 - x1) - 2 * PAD
        low, high = sorted((x1 + way * 4, x2 - way * 12))
        self._shades(row.shades, low, high, y)
        self.parts.append(f'<path class="o" d="M{low} {y - 4}H{high}v8H{low}z"/>')
        self.parts.append(f'<path class="p" d="M{x2 - way} {y}l{-way * 11}-6v12z"/>')
        self._text("l", middle, y - 8, cut_text(label_of(row), room, LABEL, bold=True))
        detail = visible(row.detail) + (f"; {visible(row.until)}" if row.until else "")
        lines = wrap_text(visible(detail), room, DETAIL, 4)
        for number, line in enumerate(lines):
            self._text("d", middle, y + 16 + _LINE * number, line)
        self._beside(row, y)
        self.y = y + 3 + _LINE * len(lines) + _BELOW

    def _shades(self, shades: Sequence[float], low: int, high: int, y: int) -> None:
        """Parts of a bar, alike neighbours in one; time runs from left to right whichever way the stream goes."""
        if not any(shades):  # nothing lost: the usual case
            self.parts.append(f'<path class="s{loss_step(0.0)}" d="M{low} {y - 4}H{high}v8H{low}z"/>')
            return
        share = -(-len(shades) // _MOST_SHADES) or 1
        steps = [loss_step(max(shades[at : at + share])) for at in range(0, len(shades), share)] or [0]
        paths: dict[int, str] = {}
        at = 0
        while at < len(steps):
            end = at + 1
            while end < len(steps) and steps[end] == steps[at]:
                end += 1
            left, right = (low + (high - low) * each // len(steps) for each in (at, end))
            paths[steps[at]] = paths.get(steps[at], "") + f"M{left} {y - 4}H{right}v8H{left}z"
            at = end
        self.parts.extend(f'<path class="s{step}" d="{path}"/>' for step, path in sorted(paths.items()))

    def _note(self, row: Note) -> None:
        across = self.across
        ends = [across.lifelines[each] for each in (row.first, row.last) if 0 <= each < len(across.lifelines)]
        low, high = (min(ends), max(ends)) if ends else (across.left, across.right)
        text = visible(row.text)
        inset = 22 if row.severity in MARKS else 10
        wanted = max(high - low + 40, min(text_width(text[:200], DETAIL) + inset + 12, 380))
        width = int(min(wanted, across.right - across.left))
        x = min(max((low + high - width) // 2, across.left), across.right - width)
        lines = wrap_text(text, width - inset - 10, DETAIL, 6)
        height = 14 * max(1, len(lines)) + 8
        top = self.y + 3
        look = f"no n{SEVERITY_CLASS[row.severity]}" if row.severity in MARKS else "no"
        self.parts.append(f'<rect class="{look}" x="{x}" y="{top}" width="{width}" height="{height}" rx="3"/>')
        if row.severity in MARKS:
            self._mark(row.severity, x + 8, top + 7)
        for number, line in enumerate(lines):
            self._text("w", x + inset, top + 15 + 14 * number, line)
        self._beside(row, top + height // 2)
        self.y = top + height + 5

    def _fold(self, row: Fold) -> None:
        x1, x2 = self._between(row)
        if x1 == x2:
            way, room = self.across.loop(row.source)
            x2 = x1 + way * (LOOP + room)
        low, high = sorted((x1, x2))
        low, high = low + 6, high - 6
        lines = wrap_text(visible(row.text), high - low - 12, DETAIL, 4)
        height, top = 14 * max(1, len(lines)) + 8, self.y + 4
        self.parts.append(f'<rect class="fo" x="{low}" y="{top}" width="{high - low}" height="{height}" rx="8"/>')
        for number, line in enumerate(lines):
            self._text("d", (low + high) // 2, top + 15 + 14 * number, line)
        self._beside(row, top + height // 2)
        self.y = top + height + 6

    def _text(self, style: str, x: int, y: int, text: str) -> None:
        self.parts.append(draw_line(style, x, y, text))


def _is_pause(row: Row) -> bool:
    """Whether it is a pause that the layout found: those are drawn from the times of the rows."""
    return isinstance(row, Note) and row.severity is None and row.frame is None


def _detail_lines(room: int) -> int:
    """Lines of a detail: more where they are short."""
    return 2 if room > 320 else 3


def _told(row: Row) -> str:
    """What the tooltip of a row says: what may be cut in the drawing, and what has no room there."""
    frame = getattr(row, "frame", None)
    where = "" if frame is None else f"frame {frame}"
    if isinstance(row, Message):
        cseq = "" if row.cseq is None else f", CSeq {row.cseq} {row.method or ''}".rstrip()
        route = f"{row.transport} {row.ports[0]} to {row.ports[1]}{cseq}"
        return _joined([row.label, row.detail, route, where])
    if isinstance(row, Media):
        return _joined([row.label, row.detail, row.until, f"{row.ports[0]} to {row.ports[1]}", where])
    if isinstance(row, Keys):
        return _joined([row.keys, row.method, where])
    return _joined([row.text, getattr(row, "code", None), where])


def _joined(texts: Iterable[str | None]) -> str:
    return "; ".join(text if len(text) <= TOLD else text[:TOLD] + "…" for text in texts if text)
