"""Tables made from a result: columns of plain Python values, without pandas. Floor 8.

In: a :class:`~sipanalyzer.result.Result`. Out: :class:`Table`. Which columns there are, in what order and with what
meaning says :data:`COLUMNS`; the figures of a call that are differences of its times are made in
:mod:`.calls_table`, the table of messages in :mod:`.messages_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..result import Dialog, Result, Stream, Transaction, host_port
from .calls_table import CALL_CELLS, call_order
from .cells import Cell, clean, rounded
from .columns import COLUMNS, FILLED, Column, column, names
from .display_filter import stream_filter
from .messages_table import message_columns

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


def table(result: Result, name: str) -> Table:
    """One table of a result; rows in order of `start` (`time`, `first`), then of their first frame.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    columns = COLUMNS[name] if names(name) else ()
    if name == "messages":
        made = message_columns(result)
        return Table(name, columns, tuple(made.get(each.name) or [] for each in columns))
    if name not in _ROWS:
        return Table(name, columns, tuple([] for _ in columns))
    cells, _ = _ROWS[name]
    things = [getattr(result, name)[row] for row in row_order(result, name)]
    return Table(name, columns, tuple(_column(each, cells, things, result) for each in columns))


def row_order(result: Result, name: str) -> list[int]:
    """Which entry of ``getattr(result, name)`` stands in which row of that table."""
    things = getattr(result, name)
    return sorted(range(len(things)), key=lambda row: _ROWS[name][1](things[row]))


_Cells = dict[str, Callable[[Any, Result], Cell]]


def _column(each: Column, cells: _Cells, things: Sequence[Any], result: Result) -> list[Cell]:
    cell = cells.get(each.name)
    if cell is None:
        if not hasattr(things[0] if things else None, each.name):
            return [None] * len(things)
        values: list[Cell] = [getattr(thing, each.name) for thing in things]
    else:
        values = [cell(thing, result) for thing in things]
    if each.dtype == "text":
        return [clean(value) if isinstance(value, str) else value for value in values]
    if each.dtype == "float":
        return [None if value is None else rounded(float(value), each.unit) for value in values]
    return values


def _ms(after: int | None, before: int | None) -> float | None:
    return None if after is None or before is None else (after - before) / 1e6


def _file(thing: Any, result: Result) -> str | None:
    return result.captures[thing.capture].file if 0 <= thing.capture < len(result.captures) else None


def _rate(stream: Stream) -> float | None:
    """Payload bits over the time that they fill: the last packet's too, where it is known."""
    filled_ns = stream.end - stream.start + (stream.ptime_ms or 0.0) * 1e6
    return stream.bytes * 8e6 / filled_ns if stream.end > stream.start else None


_STREAM: _Cells = {
    "ssrc": lambda stream, _: f"0x{stream.ssrc:08x}",
    "src": lambda stream, _: stream.src[0],
    "src_port": lambda stream, _: stream.src[1],
    "dst": lambda stream, _: stream.dst[0],
    "dst_port": lambda stream, _: stream.dst[1],
    "also_call_ids": lambda stream, _: ",".join(stream.also_call_ids) or None,
    "payload_types": lambda stream, _: ",".join(map(str, stream.payload_types)) or None,
    "kbit_s": lambda stream, _: _rate(stream),
    "wireshark_filter": lambda stream, _: stream_filter(stream),
    "capture": _file,
}
_TRANSACTION: _Cells = {
    "src": lambda transaction, _: host_port(transaction.src),
    "dst": lambda transaction, _: host_port(transaction.dst),
    "first_response_ms": lambda transaction, _: _ms(transaction.first_response, transaction.start),
    "final_response_ms": lambda transaction, _: _ms(transaction.final_response, transaction.start),
    "capture": _file,
}
_DIALOG: _Cells = {
    "from_tag": lambda dialog, _: dialog.from_tag or None,
    "to_tag": lambda dialog, _: dialog.to_tag or None,
    "capture": _file,
}
_CAPTURE: _Cells = {
    "link_types": lambda capture, _: ",".join(capture.link_types) or None,
    "anomalies": lambda capture, _: str(capture.anomalies) or None,
}


def _by_start(thing: Stream | Transaction | Dialog) -> tuple[int, int]:
    return thing.start, thing.first_frame


_ROWS: dict[str, tuple[_Cells, Callable[[Any], tuple[int, int]]]] = {
    "calls": (CALL_CELLS, call_order),
    "streams": (_STREAM, _by_start),
    "dialogs": (_DIALOG, _by_start),
    "transactions": (_TRANSACTION, _by_start),
    "captures": (_CAPTURE, lambda capture: (capture.first is None, capture.first or 0)),
}
