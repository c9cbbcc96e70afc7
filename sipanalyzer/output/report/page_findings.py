"""Findings of a report, gathered by code for its page. Floor 8.

In: the sheets `findings` and `calls`. Out: one group a code, the gravest first, with the calls concerned; and the
worst severity of each call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...explanations import titles
from ..cells import Cell
from .data import Sheet

__all__ = ["GRAVITY", "Group", "group_findings", "worst_of_calls"]

GRAVITY = {"error": 0, "warning": 1, "info": 2}
_SENTENCES = 3
_CALLS = 24


@dataclass(slots=True)
class Group:
    """All findings of one code and severity."""

    code: str
    title: str
    severity: str
    count: int = 0
    advice: str = ""
    sentences: list[str] = field(default_factory=list)
    """The first ones, each once."""
    doubtful: list[str] = field(default_factory=list)
    doubts: int = 0
    """How many of them are doubtful."""
    calls: list[int] = field(default_factory=list)
    """Rows of the sheet `calls`, each once, the first ones."""
    concerned: int = 0
    """How many calls it concerns."""


def worst_of_calls(calls: Sheet, findings: Sheet | None) -> list[str | None]:
    """Severity of the worst finding of each call, None where it has none."""
    worst: list[str | None] = [None] * len(calls.rows)
    if findings is None:
        return worst
    rows = _rows_by_call(calls)
    places = _places(findings)
    for cells in findings.rows:
        row = rows.get(_cell(cells, places, "call_id"))
        severity = str(_cell(cells, places, "severity"))
        if row is not None and (worst[row] is None or GRAVITY.get(severity, 3) < GRAVITY.get(worst[row] or "", 3)):
            worst[row] = severity
    return worst


def group_findings(calls: Sheet | None, findings: Sheet | None) -> list[Group]:
    """The groups: errors first, within a severity the most frequent first."""
    if findings is None:
        return []
    rows = {} if calls is None else _rows_by_call(calls)
    places = _places(findings)
    known = titles("finding")
    groups: dict[tuple[str, str], Group] = {}
    seen: dict[tuple[str, str], set[int]] = {}
    for cells in findings.rows:
        key = str(_cell(cells, places, "severity")), str(_cell(cells, places, "code"))
        group = groups.setdefault(key, Group(key[1], known.get(key[1], key[1]), key[0]))
        group.count += 1
        _keep(group.sentences, _cell(cells, places, "explanation"))
        _keep(group.doubtful, _cell(cells, places, "doubtful"))
        group.doubts += bool(_cell(cells, places, "doubtful"))
        group.advice = group.advice or str(_cell(cells, places, "advice") or "")
        row = rows.get(_cell(cells, places, "call_id"))
        concerned = seen.setdefault(key, set())
        if row is not None and row not in concerned:
            concerned.add(row)
            group.concerned += 1
            if len(group.calls) < _CALLS:
                group.calls.append(row)
    return sorted(groups.values(), key=lambda group: (GRAVITY.get(group.severity, 3), -group.count, group.code))


def _keep(texts: list[str], text: Cell) -> None:
    if text and len(texts) < _SENTENCES and str(text) not in texts:
        texts.append(str(text))


def _rows_by_call(calls: Sheet) -> dict[Cell, int]:
    at = _places(calls).get("call_id")
    return {} if at is None else {cells[at]: row for row, cells in reversed(list(enumerate(calls.rows)))}


def _places(sheet: Sheet) -> Mapping[str, int]:
    return {each.name: at for at, each in enumerate(sheet.headings)}


def _cell(cells: list[Cell], places: Mapping[str, int], name: str) -> Cell:
    at = places.get(name)
    return None if at is None else cells[at]
