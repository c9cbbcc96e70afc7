"""Tables made from a result: columns of plain Python values, without pandas. Floor 8.

In: a :class:`~sipanalyzer.result.Result`. Out: :class:`Table`. Which columns there are, in what order and with what
meaning says :data:`COLUMNS`; the figures of a call that are differences of its times are made in
:mod:`.calls_table`, the table of messages in :mod:`.messages_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from ..result import Result
from .calls_table import CALL_COLUMNS, call_order
from .cells import Cell, clean_all, rounded_all
from .columns import COLUMNS, FILLED, Column, column, names
from .derived import endpoints_of, findings_of, statistics_of
from .messages_table import message_columns
from .other_tables import OTHER_CELLS
from .streams_table import STREAM_CELLS, interval_columns, stream_order

__all__ = ["COLUMNS", "FILLED", "Table", "row_order", "table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of plain values: text, int, float, bool, times as ns since 1970, None where missing."""

    name: str
    columns: tuple[Column, ...]
    data: tuple[list[Cell], ...]
    """One list a column, all of one length."""

    def __len__(self) -> int:
        return len(self.data[0]) if self.data else 0

    def __getitem__(self, name: str) -> list[Cell]:
        for each, values in zip(self.columns, self.data, strict=True):
            if each.name == name:
                return values
        column(self.name, name)  # raises with what there is
        raise ValueError(f"column {name!r} was not selected")

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """The rows, each a tuple in the order of the columns."""
        return zip(*self.data, strict=True)

    def take(self, rows: Sequence[int]) -> Table:
        """The table of these rows, in this order."""
        return Table(self.name, self.columns, tuple([values[row] for row in rows] for values in self.data))

    def only(self, wanted: Sequence[str]) -> Table:
        """The table of these columns, in this order.

        Raises
        ------
        ValueError
            If a column does not exist.
        """
        return Table(self.name, tuple(column(self.name, name) for name in wanted), tuple(self[name] for name in wanted))


def table(result: Result, name: str, only: Sequence[str] = ()) -> Table:
    """One table of a result; rows in order of `start` (`time`, `first`), then of their first frame.

    Parameters
    ----------
    result : Result
        What it is made from.
    name : str
        Which.
    only : sequence of str
        Columns that are made, in this order: of a long table fewer are faster. All where none is named.

    Raises
    ------
    ValueError
        If there is no such table or column.
    """
    columns = COLUMNS[name] if names(name) else ()
    if only:
        columns = tuple(column(name, each) for each in only)
    if name == "messages":
        made = message_columns(result)
        return Table(name, columns, tuple(made.get(each.name) or [] for each in columns))
    if name == "intervals":
        made = interval_columns(result, row_order(result, "streams"))
        return Table(name, columns, tuple(made[each.name] for each in columns))
    all_things = _things(result, name)
    things = [all_things[row] for row in row_order(result, name)]
    return Table(name, columns, tuple(_columns(name, columns, things, result)))


def row_order(result: Result, name: str) -> list[int]:
    """Which entry of what a table is made from (``getattr(result, name)``, mostly) stands in which row of it."""
    things, key = _things(result, name), _ROWS[name][1]
    if key is None:
        return list(range(len(things)))
    keys = list(map(key, things))
    return sorted(range(len(keys)), key=keys.__getitem__)


def _things(result: Result, name: str) -> Sequence[Any]:
    made = _ROWS[name][2]
    things: Sequence[Any] = getattr(result, name) if made is None else made(result)
    return things


_Cells = dict[str, Callable[[Any, Result], Cell]]
_WHOLE: dict[str, dict[str, Callable[[Sequence[Any], Result], list[Cell]]]] = {"calls": CALL_COLUMNS}
"""By table: columns that are made of many things at once."""
_BLOCK = 1_024
"""Things whose columns are made in one go."""


def _columns(table: str, wanted: Sequence[Column], things: Sequence[Any], result: Result) -> Iterator[list[Cell]]:
    """The columns of a table with one row a thing; a block of things is gone through for all, while it is at hand."""
    makers = [_maker(table, each.name, things, result) for each in wanted]
    made: list[list[Cell]] = [[] for _ in wanted]
    for begin in range(0, len(things), _BLOCK):
        block = things[begin : begin + _BLOCK]
        for values, make in zip(made, makers, strict=True):
            values.extend(make(block))
    for each, values in zip(wanted, made, strict=True):
        if each.dtype == "text":
            yield clean_all(values)
        else:
            yield rounded_all(values, each.unit) if each.dtype == "float" else values


def _maker(table: str, name: str, things: Sequence[Any], result: Result) -> Callable[[Sequence[Any]], Iterable[Cell]]:
    """What makes a column of some things."""
    whole, cell = _WHOLE.get(table, {}).get(name), _ROWS[table][0].get(name)
    if whole is not None:
        return lambda block: whole(block, result)
    if cell is not None:
        return lambda block: [cell(thing, result) for thing in block]
    if hasattr(things[0] if things else None, name):
        field = attrgetter(name)
        return lambda block: map(field, block)
    return lambda block: [None] * len(block)


def _by_start(thing: Any) -> tuple[int, int]:
    return thing.start, thing.first_frame


def _by_time(thing: Any) -> tuple[int, int]:
    return thing.time, thing.first_frame


_ROWS: dict[str, tuple[_Cells, Callable[[Any], Any] | None, Callable[[Result], Sequence[Any]] | None]] = {
    "calls": ({}, call_order, None),
    "streams": (STREAM_CELLS, stream_order, None),
    "dialogs": (OTHER_CELLS["dialogs"], _by_start, None),
    "transactions": (OTHER_CELLS["transactions"], _by_start, None),
    "registrations": (OTHER_CELLS["registrations"], _by_start, None),
    "pages": (OTHER_CELLS["pages"], _by_time, None),
    "subscriptions": (OTHER_CELLS["subscriptions"], _by_start, None),
    "probes": (OTHER_CELLS["probes"], _by_start, None),
    "rtcp": (OTHER_CELLS["rtcp"], None, None),
    "captures": (OTHER_CELLS["captures"], lambda capture: (capture.first is None, capture.first or 0), None),
    "endpoints": (OTHER_CELLS["endpoints"], None, endpoints_of),
    "findings": (OTHER_CELLS["findings"], None, findings_of),
    "statistics": (OTHER_CELLS["statistics"], None, statistics_of),
}
"""By table: cells made one by one, by what its rows are sorted (None: as they come), and where they come from (None:
the field of that name)."""
