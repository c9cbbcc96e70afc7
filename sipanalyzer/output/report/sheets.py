"""The tables of a report. Floor 8.

In: a result. Out: :class:`~.data.Sheet` of every table that has rows; messages and intervals stand in the details.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...result import Result
from ..cells import Cell, visible
from ..columns import COLUMNS, Column
from ..shown import HIDDEN_WHEN_ZERO, wishes
from ..tables import Table, table
from .data import Heading, Limits, Sheet

__all__ = ["make_sheets"]

_SHEETS = {
    "calls": ("Calls", "One row a call: all messages of one Call-ID."),
    "streams": ("Streams", "One row an RTP stream: one direction of sound or picture."),
    "findings": ("Findings", "What is wrong or worth knowing, with evidence and advice."),
    "endpoints": ("Endpoints", "One row an address that spoke SIP or took part in media."),
    "registrations": ("Registrations", "One row a REGISTER with its challenges, up to its final response."),
    "subscriptions": ("Subscriptions", "One row a subscription, with its NOTIFYs."),
    "pages": ("Instant messages", "One row a MESSAGE request with its response."),
    "probes": ("Probes", "OPTIONS by pair of peers: who asks whether whom is there, and how fast the answer comes."),
    "statistics": ("Statistics", "Ratios and delays over all, by pair of hosts, by hour, and counts of messages."),
    "captures": ("Captures", "One row a file: what was read, and how far it can be trusted."),
    "rtcp": ("RTCP", "One row a report block: what receivers say of the streams that reach them."),
    "dialogs": ("Dialogs", "One row a SIP dialog: forks and transfers make several of one call."),
    "transactions": ("Transactions", "One row a request with its responses at one hop."),
}
"""In the order of a report; title, and what its rows are."""
_RANKS = {"findings": {"explanation": 3, "advice": 6, "doubtful": 7}}
"""Columns that a terminal shows elsewhere than in its table."""
_DECIMALS = 3
"""Of numbers: people read a report; the tables have more."""


def make_sheets(
    result: Result, clock: Callable[[int], str], limits: Limits, made: Iterable[Table] = ()
) -> Iterator[Sheet]:
    """Every sheet with rows, in order.

    Parameters
    ----------
    result : Result
        Of an analysis.
    clock : callable
        Writes a time (:func:`.clock.make_clock`).
    limits : Limits
        `rows`: a sheet has at most so many; they are the first ones of the table.
    made : iterable of Table
        Those that stand already.
    """
    known = {each.name: each for each in made}
    for name in _SHEETS:
        whole = known[name] if name in known else table(result, name)
        if len(whole):
            yield _sheet(whole, clock, limits.rows)


def _sheet(made: Table, clock: Callable[[int], str], most: int) -> Sheet:
    title, meaning = _SHEETS[made.name]
    ranks = {name: wish.rank for name, wish in wishes(made.name).items()} | _RANKS.get(made.name, {})
    order = [*ranks, *(each.name for each in COLUMNS[made.name] if each.name not in ranks)]
    by_name = {each.name: (each, values) for each, values in zip(made.columns, made.data, strict=True)}
    headings, columns = [], []
    for column, values in (by_name[name] for name in order):
        if all(value is None for value in values):
            continue
        empty = column.name in HIDDEN_WHEN_ZERO and not any(values)
        rank = None if empty else ranks.get(column.name)
        headings.append(Heading(column.name, column.unit, column.meaning, column.dtype, rank))
        columns.append(_cells(values[:most], column, clock))
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Sheet(made.name, title, meaning, tuple(headings), rows, max(0, len(made) - most))


def _cells(values: list[Cell], column: Column, clock: Callable[[int], str]) -> list[Cell]:
    """A column for people's eyes and a browser's sorting."""
    if column.dtype == "time":
        return [None if value is None else clock(int(value)) for value in values]
    if column.dtype == "float":
        return [None if value is None else round(float(value), _DECIMALS) + 0.0 for value in values]
    if column.dtype == "text":
        return [visible(value) if isinstance(value, str) else value for value in values]
    return values
