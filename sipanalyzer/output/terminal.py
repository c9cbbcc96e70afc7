"""A table for people: aligned, with the columns that fit; only sentences below their row are wrapped. Floor 8.

In: a table, a width, a time zone. Out: lines of (text, style) pieces, which :func:`write_lines` writes in colour on a
terminal (with rich, loaded only then) and plain elsewhere.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from .cells import Cell, moment, people, visible
from .columns import Column
from .shown import BENEATH, ESSENTIAL, HIDDEN_WHEN_ZERO, NARROW, Wish, style_of, wishes

if TYPE_CHECKING:
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["Layout", "Line", "cut", "cut_path", "draw_table", "fit", "lay_out", "width_of", "wrap", "write_lines"]

Line = list[tuple[str, str]]
"""Pieces of text with a rich style each; an empty style is plain."""

GAP = 2
_PAGE = 100
"""Width of sentences where nothing limits a line."""
_UNITS = frozenset({"%", "s", "ms", "ppm", "kbit/s"})
_ASCII = str.maketrans(
    {"…": "~"}
    | dict(zip("▁▂▃▄▅▆▇█", "_.-=+*#@", strict=True))
    | dict(zip("│┊├┤┼┿╪▌", "||||+++:", strict=True))
    | dict(zip("─━╌┄┈·═►◄", "--....=><", strict=True))
    | dict(zip("┐┘┌└╗╝╔╚░▒▓", "++++++++:+%", strict=True))
)
"""What stands for our own characters where the output cannot hold them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are drawn, and how wide."""

    columns: list[Column]
    widths: list[int]
    heads: list[list[str]]
    """Lines of each column's heading."""
    dates: list[bool]
    """Whether times of the column show their date (else it stands in the heading)."""
    tz: datetime.tzinfo
    left_out: list[str] = field(default_factory=list)
    """Columns that hold something and found no room."""
    beneath: list[str] = field(default_factory=list)
    """Columns whose sentences stand below their row."""
    width: int = _PAGE
    """Columns of the page, to which those are wrapped."""


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal (East Asian wide characters take two, combining ones none)."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(each) for each in text)


def _cell_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """The text, cut with ``…`` where it is wider than `width`."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for each in text:
        used += _cell_width(each)
        if used > width - 1:
            break
        kept.append(each)
    return "".join(kept) + "…" if width > 0 else ""


def cut_path(text: str, width: int) -> str:
    """A file's name, cut at its beginning: what tells files apart stands at the end."""
    if width_of(text) <= width or width < 2:
        return cut(text, width)
    return "…" + cut(text[::-1], width).removesuffix("…")[::-1]


def _cut_address(text: str, width: int) -> str:
    """An address, without its port where there is no room for it: half a port says nothing."""
    if width_of(text) <= width:
        return text
    return cut(text.rpartition(":")[0] or text, width)


_CUTS: dict[str, Callable[[str, int], str]] = {
    "file": cut_path, "capture": cut_path, "src": _cut_address, "dst": _cut_address, "registrar": _cut_address,
    "source": _cut_address,
}  # fmt: skip
"""How a column's text is cut, where its beginning is not all that matters."""


def fit(line: Line, width: int) -> Line:
    """The line with harmless text, cut to `width`."""
    fitted: Line = []
    for text, style in line:
        short = cut(visible(text), width)
        width -= width_of(short)
        if short:
            fitted.append((short, style))
    return fitted


def lay_out(table: Table, width: int | None, tz: datetime.tzinfo, *, chosen: bool = False) -> Layout:
    """Choose the columns that fit.

    Parameters
    ----------
    table : Table
        What is to be shown.
    width : int or None
        Columns of the terminal; None: as many as are needed.
    tz : datetime.tzinfo
        Zone in which times are shown.
    chosen : bool
        The user named the columns: all are shown in that order, cut narrower, while they fit at all.
    """
    by_name = {each.name: (each, values) for each, values in zip(table.columns, table.data, strict=True)}
    wanted = {} if chosen else wishes(table.name)
    wanted = {name: wish for name, wish in wanted.items() if name in by_name}
    order = sorted(wanted, key=lambda name: wanted[name].rank) if wanted else list(by_name)
    room = width if width is not None else sys.maxsize
    measured: dict[str, _Measure] = {}
    left_out = []
    least = comfort = 0
    """Width of the columns so far: cut as far as it goes, and as they should be."""
    for name in order:
        column, values = by_name[name]
        if not chosen and len(table) and _says_nothing(name, values):
            continue
        wish = wanted.get(name) or Wish(0, NARROW, NARROW, sys.maxsize)
        taken = least if wish.rank <= ESSENTIAL else comfort
        if taken + GAP >= room:
            left_out.append(name)
            continue
        measure = _measured(column, values, tz, wish)
        gap = GAP if measured else 0
        if measured and taken + gap + measure.least > room:
            left_out.append(name)
            continue
        measured[name] = measure
        least += gap + measure.least
        comfort += gap + measure.comfort
    widths = {name: min(measure.least, room) for name, measure in measured.items()}
    free = max(0, room - sum(widths.values()) - GAP * (len(widths) - 1))
    for aim in ("comfort", "natural"):  # in order of rank: who was chosen first grows first
        for name, measure in measured.items():
            grow = max(0, min(getattr(measure, aim) - widths[name], free))
            widths[name] += grow
            free -= grow
    shown = [name for name in wanted or order if name in widths]
    return Layout(
        [by_name[name][0] for name in shown], [widths[name] for name in shown], [measured[name].head for name in shown],
        [measured[name].date for name in shown], tz, left_out,
        [name for name in BENEATH.get(table.name, ()) if not chosen and name in by_name], width or _PAGE,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Measure:
    """How wide a column would like to be, and how narrow it may become."""

    head: list[str]
    date: bool
    natural: int
    comfort: int
    least: int


def _measured(column: Column, values: Sequence[Cell], tz: datetime.tzinfo, wish: Wish) -> _Measure:
    """Measure a column; the date moves into the heading where all times share it."""
    days = _days(values, tz) if column.dtype == "time" else set()
    date = len(days) != 1
    content = max((width_of(people(value, column, tz, date=date)) for value in values), default=0)
    head = _heading(column.name, content) if date else [column.name, days.pop().isoformat()]
    heading = max(map(width_of, head))
    natural = max(min(content, wish.widest), heading)
    if column.dtype != "text":
        return _Measure(head, date, natural, natural, natural)
    least = max(min(natural, wish.least), heading)
    return _Measure(head, date, natural, max(least, min(natural, wish.comfort)), least)


def _days(values: Sequence[Cell], tz: datetime.tzinfo) -> set[datetime.date]:
    """The days of the times, no more than two of them."""
    days: set[datetime.date] = set()
    for value in values:
        if value is not None:
            days.add(moment(int(value), tz).date())
            if len(days) > 1:
                break
    return days


def _says_nothing(name: str, values: Sequence[Cell]) -> bool:
    return all(value is None for value in values) or (name in HIDDEN_WHEN_ZERO and not any(values))


def _heading(name: str, width: int) -> list[str]:
    """``post_dial_delay_ms`` as ``post_dial`` over ``_delay_ms``: a long name must not widen a narrow column.

    At most three lines, broken before ``_``; no more of them than make it narrower or are needed for `width`.
    """
    best = [name]
    cuts = [at for at, each in enumerate(name) if each == "_" and at]
    for count in (1, 2):
        if len(max(best, key=len)) <= width:
            break
        for places in itertools.combinations(cuts, count):
            lines = [name[begin:end] for begin, end in itertools.pairwise((0, *places, len(name)))]
            if len(max(lines, key=len)) < len(max(best, key=len)):
                best = lines
    return best


def draw_table(table: Table, layout: Layout) -> Iterator[Line]:
    """Heading and rows as styled lines, one at a time."""
    height = max((len(head) for head in layout.heads), default=0)
    for line in range(height):
        yield _joined(
            [(head[line - height + len(head)] if line >= height - len(head) else "", "bold") for head in layout.heads],
            layout,
        )
    by_name = {each.name: values for each, values in zip(table.columns, table.data, strict=True)}
    indent = " " * min(layout.widths[0] + GAP if layout.widths else 0, layout.width // 6)
    sentences = [by_name[name] for name in layout.beneath]
    for number, row in enumerate(zip(*(by_name[column.name] for column in layout.columns), strict=True)):
        yield _joined(
            [
                (people(value, column, layout.tz, date=date), style_of(column.name, value))
                for value, column, date in zip(row, layout.columns, layout.dates, strict=True)
            ],
            layout,
        )
        for name, values in zip(layout.beneath, sentences, strict=True):
            if values[number] is not None:
                first = name == layout.beneath[0]
                text = f"{values[number]}" if first else f"{name}: {values[number]}"
                for sentence in wrap(text, layout.width - len(indent)):
                    yield [(indent, ""), (sentence, "" if first else "dim")]


def wrap(text: str, width: int) -> list[str]:
    """The text with nothing in it that disturbs a terminal, on lines no wider than `width` (at least 12)."""
    width = max(width, 12)
    lines, line, used = [], "", 0
    for word in _words(visible(text)):
        wide = width_of(word)
        if used and used + 1 + wide > width:
            lines.append(line)
            line, used = "", 0
        while wide > width:  # a URI, say: broken rather than cut
            part = cut(word + " ", width).removesuffix("…")
            lines.append(part)
            word = word[len(part) :]
            wide = width_of(word)
        line, used = (f"{line} {word}", used + 1 + wide) if used else (word, wide)
    return [*lines, line] if line or not lines else lines


def _words(text: str) -> list[str]:
    """The text's words; a unit stays with its number."""
    words: list[str] = []
    for word in text.split():
        if words and word.rstrip(".,;:)") in _UNITS and words[-1][-1:].isdecimal():
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def _joined(pieces: Sequence[tuple[str, str]], layout: Layout) -> Line:
    line: Line = []
    last = len(pieces) - 1
    for at, ((text, style), column, width) in enumerate(zip(pieces, layout.columns, layout.widths, strict=True)):
        text = _CUTS.get(column.name, cut)(text, width)
        space = " " * (width - width_of(text))
        right = column.dtype in ("int", "float")
        if right:
            line += [(space, ""), (text, style)]
        else:
            line += [(text, style), ("" if at == last else space, "")]
        if at != last:
            line.append((" " * GAP, ""))
    return line


def write_lines(lines: Iterable[Line], stream: IO[str], *, colour: bool) -> None:
    """Write styled lines; with `colour` as rich finds that the terminal can show it (it knows ``NO_COLOR`` too)."""
    ends = _colour_ends(stream) if colour else None
    plain = not _holds(stream)
    for line in lines:
        if plain:
            line = [(text.translate(_ASCII), style) for text, style in line]
        if ends is None:
            stream.write("".join(text for text, _ in line).rstrip() + "\n")
            continue
        for text, style in line:
            before, after = ends(style) if style and text else ("", "")
            stream.write(f"{before}{text}{after}")
        stream.write("\n")


def _holds(stream: IO[str]) -> bool:
    """Whether the output can hold the characters that pages are drawn with."""
    try:
        "…▁█│╌═►┈░".encode(getattr(stream, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _colour_ends(stream: IO[str]) -> Callable[[str], tuple[str, str]] | None:
    """The escape sequences around text of a style; None where the terminal has no colours.

    Rich's own ``print`` takes 0.1 ms a line, too long for a table of all messages; so it is asked once for each style.
    """
    from rich.color import ColorSystem
    from rich.console import Console
    from rich.style import Style

    console = Console(file=stream)
    if console.color_system is None or console.no_color or console.legacy_windows:
        return None
    systems = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
    system = systems.get(console.color_system, ColorSystem.STANDARD)

    @functools.cache
    def ends(style: str) -> tuple[str, str]:
        before, _, after = Style.parse(style).render("\0", color_system=system).partition("\0")
        return before, after

    return ends
