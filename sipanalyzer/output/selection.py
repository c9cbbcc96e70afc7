"""Which rows and columns of a table are shown: ``--where``, ``--sort``, ``--limit``, ``--columns``. Floor 8.

In: what the user typed; later a table. Out: the table that was asked for. A wish is checked when it is made, before a
capture is read.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ..facts import SEVERITIES
from ..health import GRADES
from .columns import column
from .expression import Expression, parse_expression
from .tables import Table

__all__ = ["Selection", "make_selection"]


_RANKS = {
    "severity": {severity: rank for rank, severity in enumerate(SEVERITIES)},
    "grade": {grade: rank for rank, grade in enumerate(reversed(GRADES))},
}
"""Columns of words that have an order of their own, the worst first."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A checked wish for rows and columns of one table."""

    table: str
    where: Expression | None = None
    sort: str | None = None
    descending: bool = False
    limit: int | None = None
    columns: tuple[str, ...] | None = None

    def apply(self, table: Table) -> Table:
        """The rows that fit, sorted (missing last, equal ones in the table's own order), cut, and of these columns."""
        rows = range(len(table))
        if self.where is not None:
            data = {each.name: values for each, values in zip(table.columns, table.data, strict=True)}
            chosen = self.where.rows(data, len(table))
        else:
            chosen = list(rows)
        if self.sort is not None:
            values = table[self.sort]
            known = [row for row in chosen if values[row] is not None]
            ranks = _RANKS.get(self.sort)
            if ranks is not None:
                known.sort(key=lambda row: ranks.get(str(values[row]), len(ranks)), reverse=self.descending)
            else:
                known.sort(key=values.__getitem__, reverse=self.descending)  # type: ignore[arg-type]
            chosen = known + [row for row in chosen if values[row] is None]
        if self.limit is not None:
            chosen = chosen[: self.limit]
        if len(chosen) != len(table) or self.sort is not None:
            table = table.take(chosen)
        return table if self.columns is None else table.only(self.columns)


def make_selection(
    table: str,
    *,
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    columns: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
) -> Selection:
    """Check what the user typed.

    Parameters
    ----------
    table : str
        Name of the table.
    where : str, optional
        Expression over its columns (:mod:`.expression`).
    sort : str, optional
        Column, with ``-`` before it: descending.
    limit : int, optional
        At most so many rows.
    columns : str, optional
        Names, comma separated.
    tz : datetime.tzinfo
        Zone of times in `where` that name none.

    Raises
    ------
    ValueError
        If the expression cannot be read or a column does not exist.
    """
    by = sort.strip().lstrip("+-").strip() if sort is not None else None
    if by == "":
        raise ValueError("no column is named to sort by")
    if by is not None:
        column(table, by)
    wanted = None
    if columns is not None:
        wanted = tuple(name.strip() for name in columns.split(",") if name.strip())
        if not wanted:
            raise ValueError("no column is named")
        for name in wanted:
            column(table, name)
        if len(set(wanted)) != len(wanted):
            raise ValueError("a column is named twice")
    if limit is not None and limit < 0:
        raise ValueError("a limit cannot be negative")
    return Selection(
        table,
        parse_expression(table, where, tz) if where is not None else None,
        by,
        (sort or "").strip().startswith("-"),
        limit,
        wanted,
    )
