"""A table as JSON objects, a block of rows at a time. Floor 8, standard library only.

In: a table. Out: one line a row, letter for letter what the module json writes for its cells; each column is written on
its own, and of one with few different values each once.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .cells import Cell, machine

if TYPE_CHECKING:
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["harmless_json", "json_blocks"]

_ROWS = 2_048
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_TEXT: Callable[[str], str] = json.encoder.encode_basestring
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_WRITERS: tuple[tuple[frozenset[type], Callable[[Any], str]], ...] = (
    (frozenset({str, type(None)}), lambda value: "null" if value is None else _TEXT(value)),
    (frozenset({int, type(None)}), lambda value: "null" if value is None else str(value)),
    (frozenset({bool, type(None)}), lambda value: "null" if value is None else "true" if value else "false"),
)
"""How cells of a column with only these types are written; of any other, the module json says it."""
_FLOATS = frozenset({float, type(None)})


def json_blocks(table: Table, between: str) -> Iterator[str]:
    """Some two thousand rows a piece, each row an object; `between` stands between two of them."""
    keys = [_COMPACT.encode(column.name) for column in table.columns]
    heads = [itertools.repeat(("{" if not place else ", ") + f"{key}: ") for place, key in enumerate(keys)]
    for begin in range(0, len(table), _ROWS):
        cells = [
            _cells(machine(values[begin : begin + _ROWS], column))
            for values, column in zip(table.data, table.columns, strict=True)
        ]
        pieces = itertools.chain.from_iterable(zip(heads, cells, strict=True))  # in turn what stands before and a cell
        yield harmless_json(between.join(map("".join, zip(*pieces, itertools.repeat("}"), strict=False))))


def _cells(values: Sequence[Cell]) -> list[str]:
    kinds = set(map(type, values))
    if kinds <= _FLOATS:  # one by one: 0.0 and -0.0 are equal, and stand differently
        return ["null" if value is None else float.__repr__(value) for value in values]
    for known, write in _WRITERS:
        if kinds <= known:
            texts = {value: write(value) for value in set(values)}
            return [texts[value] for value in values]
    return list(map(_COMPACT.encode, values))


def harmless_json(text: str) -> str:
    """JSON with the characters that disturb a terminal written as escapes."""
    return text if text.isascii() and "\x7f" not in text else _UNSAFE.sub(_unicode_escape, text)


def _unicode_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
