"""A chart in words, and what holds of every chart: for the tests of the layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sipanalyzer.output.flow.chart import make_chart
from sipanalyzer.output.flow.model import FlowChart, Fold, Keys, Media, Message, Note, Row
from sipanalyzer.result import Call, Result

LONGEST = 500
"""No text of a chart is longer."""


def chart_of(analysis: Any, at: int | None = 0, **words: Any) -> FlowChart:
    """The chart of one call of an analysis, or (None) of all of them; what holds of every chart is checked."""
    result: Result = analysis.result
    calls = list(result.calls) if at is None else [result.calls[at]]
    chart = make_chart(result, calls, **words)
    check(result, calls, chart)
    return chart


def told(chart: FlowChart) -> list[str]:
    """The rows of a chart, a line each: ``alice>bob INVITE``, with names or addresses of the participants."""
    names = [person.name or person.address for person in chart.participants]
    return [_row(row, names) for row in chart.rows]


def _row(row: Row, names: list[str]) -> str:
    if isinstance(row, Note):
        return f"[{names[row.first]}-{names[row.last]}] {row.text}"
    way = f"{names[row.source]}>{names[row.target]}"
    if isinstance(row, Message):
        return f"{way} {row.label}{' (again)' if row.retransmission else ''}{f': {row.detail}' if row.detail else ''}"
    if isinstance(row, Media):
        return f"{way} {row.label}: {row.detail}{f', {row.until}' if row.until else ''}"
    return f"{way} keys {row.keys} by {row.method}" if isinstance(row, Keys) else f"{way} ... {row.text}"


def people(chart: FlowChart) -> list[tuple[str, str | None, str]]:
    """Address, name and role of each participant."""
    return [(person.address, person.name, person.role) for person in chart.participants]


def check(result: Result, calls: Sequence[Call], chart: FlowChart) -> None:
    """Everything that must hold of a chart."""
    places = range(len(chart.participants))
    assert len({person.address for person in chart.participants}) == len(places)
    assert {person.role for person in chart.participants} <= {"caller", "callee", "between", "media"}
    assert len(chart.legs) == len(calls)
    assert all(one.time <= other.time for one, other in pairwise(chart.rows))
    assert not chart.rows or chart.rows[0].time == chart.start
    for thing in (chart, *chart.participants, *chart.legs, *chart.rows):
        _check_texts(thing)
    assert all(remark.isprintable() and len(remark) <= LONGEST for remark in chart.remarks)
    drawn: list[int] = []
    for row in chart.rows:
        assert row.offset == row.time - chart.start
        if isinstance(row, Note):
            assert row.first in places and row.last in places and row.first <= row.last
            continue
        assert row.source in places and row.target in places and 0 <= row.leg < len(calls)
        if isinstance(row, Message):
            drawn.append(row.message)
            assert row.time == int(result.messages.time[row.message])
            assert row.frame == int(result.messages.frame[row.message])
        elif isinstance(row, Fold):
            drawn += row.messages
            times = [int(result.messages.time[number]) for number in row.messages]
            assert times and times == sorted(times) and (row.time, row.end) == (times[0], times[-1])
        elif isinstance(row, Media):
            assert 1 <= len(row.shades) <= 60 and all(0.0 <= shade <= 100.0 for shade in row.shades)
            assert row.stream in calls[row.leg].streams and row.time == result.streams[row.stream].start
    assert sorted(drawn) == sorted(row for call in calls for row in call.rows)
    assert len(chart.rows) <= 4_200


def _check_texts(thing: Any) -> None:
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, str):
            assert value.isprintable() and len(value) <= LONGEST, (field.name, value)
