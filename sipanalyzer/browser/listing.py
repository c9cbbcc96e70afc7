"""A table as somebody looks at it: its rows filtered and sorted, its cells as text. Floor 9, no Textual.

In: a result, the name of a table. Out: rows in the order in which they are shown, and one cell at a time: with 50,000
rows nothing is made for those that nobody looks at.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ..facts import SEVERITIES
from ..output.cells import Cell, clean, local_time, moment, people, visible
from ..output.columns import COLUMNS, Column, column
from ..output.derived import findings_of
from ..output.selection import Selection, make_selection
from ..output.shown import style_of
from ..output.tables import Table, row_order, table
from ..output.terminal import cut, cut_path, width_of
from ..result import Result
from .sights import Sight, first_sights, lay_out_sights, right_aligned

__all__ = ["Listing", "Wanted"]

_ADDRESSES = frozenset({"src", "dst", "registrar", "source"})
_LOOKED_AT = 400
"""Rows by which a column's width is measured."""
SEVERITY_STYLES = {"error": "red", "warning": "yellow", "info": ""}
"""Colour of a list of findings, by the worst of them."""
_DATED = ((23, 0, None), (19, 0, 19), (14, 5, 19), (11, 5, 16), (0, 11, 19))
"""From which width on which part of a date and a time is shown, from most to least."""
_ROW = Column("row", "int", "", "number of the row")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are to be shown."""

    text: str = ""
    """In any column, whatever its case."""
    where: str = ""
    """An expression over the columns (:mod:`..output.expression`)."""
    message: str = ""
    """In a message of the Call-ID, whatever its case."""

    def __bool__(self) -> bool:
        return bool(self.text or self.where or self.message)


class Listing:
    """One table of a result, as it is shown.

    Parameters
    ----------
    result : Result
        What it is made from.
    name : str
        Name of the table.
    tz : datetime.tzinfo
        Zone in which times are shown.
    keep : callable, optional
        Of the whole table the rows that belong here.

    Attributes
    ----------
    rows : list of int
        Rows of the table in the order shown.
    sights : list of Sight
        Columns from left to right.
    sort : tuple of str and bool, or None
        Column, and whether it goes down.
    """

    def __init__(
        self,
        result: Result,
        name: str,
        tz: datetime.tzinfo = datetime.UTC,
        keep: Callable[[Table], Sequence[int]] | None = None,
    ) -> None:
        self.result, self.name, self.tz = result, name, tz
        self.sights = first_sights(name)
        first = table(result, name, [each.name for each in self.sights])
        self.mine = list(range(len(first))) if keep is None else list(keep(first))
        self.rows = self.mine
        self.sort: tuple[str, bool] | None = None
        self.wanted = Wanted()
        self._first, self._table = first, None if len(first) else first
        self._things: list[int] | None = None
        self._texts: list[str] | None = None
        self._dates: dict[str, bool] = {}
        self._worst: tuple[dict[str, str], dict[int, str]] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def table(self) -> Table:
        """The whole table; the columns that nobody has looked at are made when it is asked for."""
        if self._table is None or len(self._table.columns) < len(COLUMNS[self.name]):
            self._table = table(self.result, self.name)
        return self._table

    def _column(self, name: str) -> list[Cell]:
        """The values of a column."""
        made = self._first if self._table is None else self._table
        for each, values in zip(made.columns, made.data, strict=True):
            if each.name == name:
                return values
        return self.table[name]

    # ---- rows
    def show(self, wanted: Wanted) -> None:
        """Show only the rows that are wanted.

        Raises
        ------
        ValueError
            If the expression cannot be read; what is shown stays.
        """
        selection = make_selection(self.name, where=wanted.where, tz=self.tz) if wanted.where.strip() else None
        rows: Sequence[int] = self.mine
        if wanted.text:
            sought, texts = wanted.text.lower(), self._searched()
            rows = [row for row in rows if sought in texts[row]]
        if wanted.message:
            found = self._saying(wanted.message)
            call_ids = self._column("call_id")
            rows = [row for row in rows if call_ids[row] in found]
        if selection is not None and selection.where is not None:
            whole = self.table
            data = {each.name: values for each, values in zip(whole.columns, whole.data, strict=True)}
            true = set(selection.where.rows(data, len(whole)))
            rows = [row for row in rows if row in true]
        self.wanted = wanted
        self.rows = self._sorted(rows)

    def sort_by(self, name: str | None, descending: bool = False) -> None:
        """Sort by a column (missing last), or leave the table's own order."""
        self.sort = None if name is None else (name, descending)
        if name is None:
            self.show(self.wanted)
        else:
            self.rows = self._sorted(sorted(self.rows))

    def _sorted(self, rows: Sequence[int]) -> list[int]:
        if self.sort is None:
            return list(rows)
        name, descending = self.sort
        values = self._column(name)
        small = Table(self.name, (column(self.name, name), _ROW), ([values[row] for row in rows], list(rows)))
        chosen = Selection(self.name, sort=name, descending=descending).apply(small)
        return [int(row) for row in chosen["row"] if row is not None]

    def _searched(self) -> list[str]:
        """What the quick filter looks into: texts and whole numbers of all columns, and when it began."""
        if self._texts is None:
            cells: list[list[str]] = []
            timed = False
            for about, values in zip(self.table.columns, self.table.data, strict=True):
                if about.dtype in ("text", "int") and about.name != "wireshark_filter":
                    cells.append(["" if value is None else str(value) for value in values])
                elif about.dtype == "time" and not timed:
                    timed = True
                    cells.append(["" if value is None else local_time(int(value), self.tz) for value in values])
            self._texts = ["\n".join(row).lower() for row in zip(*cells, strict=True)]
        return self._texts

    def _saying(self, text: str) -> Collection[Cell]:
        """Call-IDs of which a message has the text in its bytes."""
        import numpy as np

        messages = self.result.messages
        data = messages.data.tobytes().lower()
        sought = text.encode("utf-8", "surrogateescape").lower()
        order = np.argsort(messages.at, kind="stable")
        begins = messages.at[order]
        found: set[Cell] = set()
        at = data.find(sought)
        while at >= 0:
            place = int(np.searchsorted(begins, at, side="right")) - 1
            row = int(order[place]) if place >= 0 else -1
            end = int(messages.at[row] + messages.length[row]) if row >= 0 else 0
            if row >= 0 and at + len(sought) <= end:
                call_id = messages.text("call_id", row)
                if call_id is not None:
                    found.add(clean(call_id))
                at = data.find(sought, max(end, at + 1))  # one is enough for a message
            else:
                at = data.find(sought, at + 1)
        return found

    # ---- cells
    def value(self, row: int, name: str) -> Cell:
        """The value in a row of the table."""
        return self._column(name)[row]

    def thing(self, row: int) -> int:
        """Index of what a row is made from (``result.calls``, ``result.streams``...)."""
        if self._things is None:
            self._things = row_order(self.result, self.name)
        return self._things[row]

    def place(self, thing: int) -> int | None:
        """Where a thing stands in what is shown; None where it is filtered out."""
        return next((at for at, row in enumerate(self.rows) if self.thing(row) == thing), None)

    def cell(self, row: int, sight: Sight, width: int) -> tuple[str, str]:
        """Text, cut and filled to `width`, and style of one cell."""
        value, about = self.value(row, sight.name), column(self.name, sight.name)
        if about.dtype == "time" and value is not None:
            text = self._time(int(value), sight.name, width)
        elif value is None:
            text = "-"
        else:
            text = people(value, about, self.tz)
        if sight.name in _ADDRESSES and width_of(text) > width:
            text = text.rpartition(":")[0] or text  # half a port says nothing
        right = right_aligned(self.name, sight.name)
        if right and width_of(text) > width:
            text = text.partition(".")[0]
        text = cut_path(text, width) if sight.name in ("capture", "file") else cut(text, width)
        space = " " * max(0, width - width_of(text))
        style = style_of(sight.name, value)
        if sight.name in ("findings", "code") and value is not None:
            style = SEVERITY_STYLES.get(self.severity(row) or "", "")
        return (space + text if right else text + space), style

    def severity(self, row: int) -> str | None:
        """The worst severity of a row's findings."""
        if self.name == "findings":
            return str(self.value(row, "severity"))
        if self._worst is None:
            self._worst = worst_severities(self.result)
        if self.name == "streams":
            return self._worst[1].get(self.thing(row))
        return self._worst[0].get(str(self.value(row, "call_id")))

    def _time(self, time: int, name: str, width: int) -> str:
        """A time, its date where the column has several and there is room, its milliseconds likewise."""
        text = local_time(time, self.tz)
        if self._several_days(name):
            begin, end = next((part for least, *part in _DATED if width >= least), _DATED[-1][1:])
            return text[begin:end]
        return text[11:] if width >= 12 else text[11:19]

    def _several_days(self, name: str) -> bool:
        if name not in self._dates:
            known = [int(value) for value in self._column(name) if value is not None]
            self._dates[name] = bool(known) and moment(min(known), self.tz).date() != moment(max(known), self.tz).date()
        return self._dates[name]

    def widths(self, room: int) -> list[int]:
        """How wide each column is drawn on a screen of so many columns."""
        step = max(1, len(self.mine) // _LOOKED_AT)
        sights: list[Sight] = []
        natural: list[int] = []
        late: dict[int, tuple[int, ...]] = {}
        for at, sight in enumerate(self.sights):
            about, values = column(self.name, sight.name), self._column(sight.name)
            if about.dtype == "time":
                several = self._several_days(sight.name)
                natural.append(23 if several else 12)
                sights.append(dataclasses.replace(sight, least=14) if several else sight)
                late[at] = (19, 23) if several else (12,)
                continue
            seen = (values[row] for row in self.mine[::step][: 2 * _LOOKED_AT])
            natural.append(max((width_of(people(value, about, self.tz)) for value in seen), default=0))
            whole = about.dtype in ("int", "float")  # half a number is a wrong one
            sights.append(dataclasses.replace(sight, least=natural[-1], most=natural[-1]) if whole else sight)
        return lay_out_sights(sights, [self.title(each) for each in self.sights], natural, room, late=late)

    def title(self, sight: Sight) -> str:
        """A column's heading, with an arrow where the list is sorted by it."""
        if self.sort is None or self.sort[0] != sight.name:
            return sight.head
        return sight.head + ("▼" if self.sort[1] else "▲")

    def filter_text(self) -> str:
        """The filter in words; empty where there is none."""
        parts = []
        if self.wanted.text:
            parts.append(f"/{visible(self.wanted.text)}")
        if self.wanted.message:
            parts.append(f"message has {visible(self.wanted.message)!r}")
        if self.wanted.where:
            parts.append(visible(self.wanted.where))
        return "  and  ".join(parts)


def worst_severities(result: Result) -> tuple[dict[str, str], dict[int, str]]:
    """The worst severity of the findings of each call, by its cleaned Call-ID, and of each stream, by its number."""
    calls: dict[str, str] = {}
    streams: dict[int, str] = {}
    for severity in reversed(SEVERITIES):
        for finding in findings_of(result):
            if finding.severity != severity:
                continue
            whose = [finding.call_id]
            if finding.stream is not None:
                streams[finding.stream] = severity
                whose += [result.streams[finding.stream].call_id, *result.streams[finding.stream].also_call_ids]
            calls.update({clean(each): severity for each in whose if each is not None})
    return calls, streams
