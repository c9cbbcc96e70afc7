"""Where things of a result are, looked up once: for details that are made one by one. Floor 8.

In: a result. Out: an :class:`Index`. To narrow a result to one call takes as long as the result is large; a report of
2,000 calls cannot do that for each.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from ...facts import SEVERITIES, Finding, Outage, Session
from ...result import Call, Result
from ..tables import Table, row_order, table
from .verdict import calls_concerned

__all__ = ["Index", "choose_calls", "make_index"]


@dataclass(frozen=True, slots=True)
class Index:
    """Lookups of a result."""

    calls: Table
    streams: Table
    call_at: tuple[Call, ...]
    """The call in each row of the table."""
    call_row: dict[str, int]
    """Row of a Call-ID."""
    stream_row: dict[int, int]
    """Row of a stream (an index into ``Result.streams``)."""
    findings: dict[str, list[Finding]]
    """Of each call, with those of its streams: the likeliest explanation first."""
    session: dict[str, Session]
    """Of each call, where it has several legs."""
    intervals: dict[int, tuple[int, int]]
    """First and behind the last interval of a stream."""
    outages: dict[int, list[Outage]]


def make_index(result: Result) -> Index:
    """Look everything up once."""
    order = row_order(result, "calls")
    outages: dict[int, list[Outage]] = defaultdict(list)
    for outage in result.outages:
        outages[outage.stream].append(outage)
    numbers, begins = np.unique(result.intervals.stream, return_index=True)
    ends = [*begins[1:].tolist(), len(result.intervals)]
    call_at = tuple(result.calls[at] for at in order)
    return Index(
        calls=table(result, "calls"),
        streams=table(result, "streams"),
        call_at=call_at,
        call_row={call.call_id: row for row, call in enumerate(call_at)},
        stream_row={at: row for row, at in enumerate(row_order(result, "streams"))},
        findings=calls_concerned(result),
        session={
            call_id: session for session in result.sessions if len(session.call_ids) > 1 for call_id in session.call_ids
        },
        intervals=dict(zip(numbers.tolist(), zip(begins.tolist(), ends, strict=False), strict=True)),
        outages=dict(outages),
    )


def choose_calls(index: Index, most: int, rows: int) -> list[int]:
    """Rows of the calls that have a detail: the gravest findings first, then by start.

    Parameters
    ----------
    index : Index
        Of the result.
    most : int
        So many at most.
    rows : int
        Only of these first rows of the table: the others are not in the sheet.
    """
    order = {severity: at for at, severity in enumerate(SEVERITIES)}

    def weight(row: int) -> tuple[int, int]:
        findings = index.findings.get(index.call_at[row].call_id, ())
        return min((order[each.severity] for each in findings), default=len(order)), row

    return sorted(range(min(len(index.call_at), rows)), key=weight)[:most]
