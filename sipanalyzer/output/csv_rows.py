"""A table as CSV, a block of rows at a time. Floor 8, standard library only.

In: a table. Out: text as RFC 4180 wants it (commas, CRLF, quotes doubled), byte for byte what the module csv writes:
a cell is quoted only where it must be, what is missing is empty. What a spreadsheet would run (:mod:`.formulas`) or a
terminal obey stands as harmless text, since a CSV is opened with the one and looked at on the other; JSON and Parquet
hold what was on the wire. Of a column with few different values each is written once and looked up; of texts, a few
searches tell that no cell of a block needs anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .cells import Cell, harmless, iso_all
from .columns import Column
from .formulas import defused, runs_somewhere

if TYPE_CHECKING:
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["csv_blocks"]

_ROWS = 2_048
"""Rows of a block: their cells stay in the processor's cache, and the text of a whole table is never there at once."""
_SAMPLE = 128
"""Values that tell whether a column has few different ones."""
_NUMBERS = {"int": frozenset({int, type(None)}), "float": frozenset({float, type(None)})}

_Harmless = Callable[[str], str]


def csv_blocks(table: Table, shown: _Harmless = harmless) -> Iterator[str]:
    """The table as pieces of text: the names of the columns, then some two thousand rows a piece.

    Parameters
    ----------
    table : Table
        What to write.
    shown : function
        What makes a text harmless to whoever looks at it.
    """
    yield ",".join(column.name for column in table.columns) + "\r\n"
    for begin in range(0, len(table), _ROWS):
        cells = [
            _cells(values[begin : begin + _ROWS], column, shown)
            for values, column in zip(table.data, table.columns, strict=True)
        ]
        if len(cells) == 1:  # an empty line would be no row
            cells = [[cell or '""' for cell in cells[0]]]
        yield "\r\n".join(map(",".join, zip(*cells, strict=True))) + "\r\n"


def _cells(values: Sequence[Cell], column: Column, shown: _Harmless) -> Sequence[str]:
    if column.dtype == "time":
        return [text or "" for text in iso_all(values)]
    if column.dtype == "bool":
        return ["" if value is None else "true" if value else "false" for value in values]
    if column.dtype == "text":
        return _texts(values, shown)
    if not _NUMBERS[column.dtype].issuperset(map(type, values)):
        return [_cell(value) for value in values]
    if _has_few(values):
        texts = {value: _cell(value) for value in set(values)}
        # 0.0 and -0.0 are equal, and stand differently
        return [texts[value] if value else "" if value is None else str(value) for value in values]
    if column.dtype == "int" and None not in values:
        return list(map(str, values))
    return [_cell(value) for value in values]


def _has_few(values: Sequence[Cell]) -> bool:
    """Whether looking values up is likely to be less work than writing each."""
    sample = values[:_SAMPLE]
    return 2 * len(set(sample)) <= len(sample)


def _texts(values: Sequence[Cell], shown: _Harmless) -> Sequence[str]:
    try:
        # most texts need no quotes: one search says so of all of them
        plain: Sequence[str] = [value or "" for value in values] if None in values else values  # type: ignore
        joined = "".join(plain)
    except TypeError:
        return ["" if value is None else _text(str(value), shown) for value in values]
    if joined.isprintable() and not _is_special(joined) and not runs_somewhere(plain, joined):
        return plain
    if not _has_few(plain):
        return [_text(text, shown) for text in plain]
    texts = {text: _text(text, shown) for text in set(plain)}
    return [texts[text] for text in plain]


def _text(text: str, shown: _Harmless) -> str:
    text = defused(shown(text))
    return _quoted(text) if _is_special(text) else text


def _is_special(text: str) -> bool:
    return "," in text or '"' in text or "\r" in text or "\n" in text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _cell(value: Cell) -> str:
    """A number; missing and what is no number are empty."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return _text(value, harmless) if isinstance(value, str) else str(value)
