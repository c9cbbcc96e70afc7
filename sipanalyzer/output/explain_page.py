"""What a thing means, for people and as data. Floor 8, standard library only.

In: explanations that :func:`.explain_list.find_things` found. Out: styled lines (see :mod:`.terminal`),
or dictionaries for JSON. Texts are wrapped to the width; commands and filters in backquotes will be copied, and so are
never broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from ..explanations import Explanation
from ..explanations.lookup import explain
from ..options import Options
from .settings import measured, typed
from .terminal import Line, cut, width_of

__all__ = ["explain_data", "explain_lines", "wrapped"]

_WHAT = {
    "finding": "finding", "status": "SIP status", "cause": "Q.850 cause", "method": "SIP method",
    "header": "SIP header", "metric": "metric", "option": "setting of the analysis",
}  # fmt: skip
_CAUSES = {"header": "What goes wrong", "metric": "What moves it"}
_MEND = {"option": "How to set it"}
_SEE = {"option": "What rests on it"}
_SEVERITY = {"error": "red", "warning": "yellow", "info": "cyan"}
_INDENT = "  "
_NARROWEST = 12
_WORD = re.compile(r"`[^`]*`[^\s`]*|[^\s`]+`[^`]*`[^\s`]*|[^\s`]+")
"""A word, or what stands in backquotes with what hangs on to it."""


def explain_data(found: Sequence[Explanation]) -> list[dict[str, Any]]:
    """The explanations as data for JSON.

    Returns
    -------
    list of dict
        Keys `kind`, `name`, `title`, `severity` (of findings, else None), `meaning`, `causes`, `confirm`, `mend`,
        `advice`, `settings` (option and default), `source`, `see`.
    """
    return [
        {
            "kind": each.kind,
            "name": each.name,
            "title": each.title,
            "severity": each.severity,
            "meaning": each.meaning,
            "causes": list(each.causes),
            "confirm": list(each.confirm),
            "mend": list(each.mend),
            "advice": each.advice,
            "settings": dict(_settings(each)),
            "source": each.source,
            "see": list(each.see),
        }
        for each in found
    ]


def explain_lines(found: Sequence[Explanation], width: int = 80) -> list[Line]:
    """The page: each explanation in turn.

    Parameters
    ----------
    found : sequence of Explanation
        What is to be shown.
    width : int
        Columns; only a command that is longer sticks out.
    """
    lines: list[Line] = []
    for each in found:
        if lines:
            lines += [[], [("-" * min(width, 80), "dim")], []]
        lines += _page(each, width)
    return lines


def _page(each: Explanation, width: int) -> Iterator[Line]:
    yield from wrapped(_title(each), width, style="bold")
    kind = [(_WHAT[each.kind], "dim")]
    if each.severity is not None:
        kind += [(", ", "dim"), (each.severity, _SEVERITY.get(each.severity, ""))]
    yield kind
    yield []
    yield from wrapped(each.meaning, width)
    if each.advice:
        yield from _part("In short")
        yield from wrapped(each.advice, width, _INDENT)
    yield from _list(_CAUSES.get(each.kind, "Likely causes"), each.causes, width, numbered=True)
    yield from _list("How to confirm it", each.confirm, width)
    yield from _list(_MEND.get(each.kind, "How to mend it"), each.mend, width)
    if each.options:
        yield from _part("Settings that decide (OPTION=default)")
        yield from _settings_part(each, width)
    if each.source:
        yield from _part("Source")
        yield from wrapped(each.source, width, _INDENT)
    if each.see:
        yield from _part(_SEE.get(each.kind, "See also"))
        yield from _see_part(each.see, width)


def _title(each: Explanation) -> str:
    if each.kind == "cause":
        return f"cause {each.name} {each.title}"
    return f"{each.name} {each.title}" if each.kind == "status" else f"{each.name}: {each.title}"


def _part(name: str) -> Iterator[Line]:
    yield []
    yield [(name, "bold")]


def _list(name: str, texts: Sequence[str], width: int, *, numbered: bool = False) -> Iterator[Line]:
    if not texts:
        return
    yield from _part(name)
    for number, text in enumerate(texts, start=1):
        yield from wrapped(text, width, (_INDENT + f"{number}. ") if numbered else (_INDENT + "- "))


def _settings_part(each: Explanation, width: int) -> Iterator[Line]:
    room = max(width - len(_INDENT), _NARROWEST)
    shown = [(cut(f"{name}={typed(name, value)}", room), measured(name, value)) for name, value in _settings(each)]
    longest = max((len(text) for text, said in shown if said), default=0)
    for text, said in shown:
        line = [(_INDENT, ""), (text, "cyan")]
        if said and longest + 2 + len(said) <= room:
            line.append((f"{'':{longest - len(text)}}  {said}", "dim"))
        yield line


def _see_part(names: Sequence[str], width: int) -> Iterator[Line]:
    """What ``sipanalyzer explain`` wants to be told, and what it would be about."""
    shown = [_seen(name) for name in names]
    longest = min(max(len(name) for name, _ in shown), width // 2)
    for name, title in shown:
        yield from wrapped(title, width, f"{_INDENT}{name:<{longest}}  ", style="dim", first_style="cyan")


def _seen(name: str) -> tuple[str, str]:
    found = explain(name)[0]
    return (f"cause {found.name}" if found.kind == "cause" else name), found.title


def wrapped(text: str, width: int, first: str = "", *, style: str = "", first_style: str = "") -> Iterator[Line]:
    """The text behind `first`, wrapped at blanks; further lines are indented as far. What is quoted is not broken."""
    hanging = " " * len(first)
    room = max(width - len(first), _NARROWEST)
    line: Line = [(first, first_style)] if first else []
    used = 0
    for word in _WORD.findall(text):
        if used and used + 1 + width_of(word) > room:
            yield line
            line, used = [(hanging, "")] if hanging else [], 0
        line.append((f" {word}" if used else word, style or ("cyan" if "`" in word else "")))
        used += width_of(word) + (1 if used else 0)
    yield line


def _settings(each: Explanation) -> Iterator[tuple[str, Any]]:
    defaults = {field.name: field.default for field in fields(Options)}
    for name in each.options:
        value = defaults[name]
        yield name, list(value) if isinstance(value, tuple) else value
