"""What can be explained, as a list; and settings explained like everything else. Floor 8, standard library only.

In: what a person types behind ``explain``. Out: explanations (of settings too, which :mod:`sipanalyzer.explanations`
does not know), or a list of names and titles as styled lines and as data.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..explanations import KINDS, Explanation, explanations, titles
from ..explanations.lookup import explain, find_near
from .explain_page import wrapped
from .settings import Setting, list_settings, measured, typed
from .terminal import Line, cut

__all__ = ["LISTS", "Listed", "find_things", "list_data", "list_lines", "list_things", "wanted_list"]

LISTS = (*KINDS, "option")
"""What has a list of its own."""

_WHAT = {
    "finding": "finding codes", "status": "SIP status codes", "cause": "Q.850 causes", "method": "SIP methods",
    "header": "SIP headers", "metric": "columns and figures", "option": "settings of the analysis",
}  # fmt: skip
_STYLE = {"error": "red", "warning": "yellow", "info": "cyan"}
_MOST_SEEN = 8
"""Names that a setting's page refers to."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list."""

    kind: str
    name: str
    title: str
    severity: str | None = None


def wanted_list(words: Sequence[str]) -> str | None:
    """The kind whose list is asked for: ``finding``, ``list finding``; ``list`` or nothing at all: empty; else None."""
    plain = [each.strip().lower() for each in words if each.strip()]
    if plain in ([], ["list"], ["--list"]):
        return ""
    if plain[0] == "list":
        plain = plain[1:]
    if len(plain) != 1:
        return None
    if plain[0] in LISTS:
        return plain[0]
    return plain[0][:-1] if words[0].strip().lower() == "list" and plain[0][:-1] in LISTS else None


def list_things(kind: str) -> list[Listed]:
    """What can be explained of a kind; of settings their meaning stands for the title."""
    if kind == "option":
        return [Listed(kind, each.name, each.meaning) for each in list_settings()]
    if kind == "finding":
        return [Listed(kind, each.name, each.title, each.severity) for each in explanations(kind).values()]
    return [Listed(kind, name, title) for name, title in titles(kind).items()]


def list_data(kind: str) -> list[dict[str, Any]]:
    """The list as data for JSON: kind, name, title, severity; of all kinds where none is named."""
    return [
        {"kind": each.kind, "name": each.name, "title": each.title, "severity": each.severity}
        for one in ((kind,) if kind else LISTS)
        for each in list_things(one)
    ]


def list_lines(kind: str, width: int = 80) -> list[Line]:
    """The list as a page; where no kind is named, the kinds and how to list them."""
    if not kind:
        return _kinds(width)
    things = list_things(kind)
    longest = min(max(len(each.name) for each in things), width // 2)
    lines: list[Line] = []
    for each in things:
        severity = f"{each.severity:<9}" if each.severity else ""
        head = f"{cut(each.name, longest):<{longest}}  "
        if severity:
            found = list(wrapped(each.title, width, head + severity))
            found[0] = [(head, "cyan"), (severity, _STYLE.get(each.severity or "", "")), *found[0][1:]]
            lines += found
        else:
            lines += wrapped(each.title, width, head, first_style="cyan")
    return lines


def _kinds(width: int) -> list[Line]:
    lines: list[Line] = [[("What can be explained", "bold")], []]
    commands = [f"sipanalyzer explain {kind}" for kind in LISTS]
    longest = max(map(len, commands))
    for kind, command in zip(LISTS, commands, strict=True):
        text = f"lists {len(list_things(kind))} {_WHAT[kind]}"
        lines.append([("  ", ""), (f"{command:<{longest}}", "cyan"), (f"  {text}", "")])
    lines.append([])
    lines += wrapped(
        "Behind `explain` stands what you have before you: `one-way-audio`, `486`, `486 Busy Here`, `cause 17`, "
        "`Q.850;cause=17`, `INVITE`, `Session-Expires`, `max_jitter_ms`, `playout_ms`. A kind before it leaves the "
        "others out: `header reason`.",
        width,
    )
    return lines


def find_things(thing: str) -> tuple[Explanation, ...]:
    """What a thing means, settings among them.

    Raises
    ------
    ValueError
        If nothing fits; the message names near ones, and how to list what can be explained.
    """
    wanted = "_".join(thing.lower().replace("option ", "", 1).replace("-", "_").split())
    settings = {each.name: each for each in list_settings()}
    if wanted in settings:
        found = (_of_setting(settings[wanted]),)
        try:  # a metric of the same name
            return (*explain(wanted), *found)
        except ValueError:
            return found
    try:
        return explain(thing)
    except ValueError as error:
        near = list(difflib.get_close_matches(wanted, settings, n=3, cutoff=0.75))
        near += [each for each in find_near(thing) if each not in near]
        hint = f"near it: {', '.join(near[:6])}; " if near else ""
        raise ValueError(
            f"{str(error).partition(';')[0]}; {hint}sipanalyzer explain list shows what can be explained"
        ) from None


def _of_setting(setting: Setting) -> Explanation:
    users = [
        each.name
        for kind in ("finding", "metric")
        for each in explanations(kind).values()
        if setting.name in each.options
    ]
    said = measured(setting.name, setting.default)
    return Explanation(
        kind="option",
        name=setting.name,
        title=f"{typed(setting.name, setting.default)}{f' ({said})' if said else ''} where nothing else is set",
        meaning=setting.meaning,
        mend=(
            f"On the command line: `--set {setting.name}=VALUE`.",
            f"In Python: `sipanalyzer.analyze(..., {setting.name}=VALUE)`.",
        ),
        see=tuple(users[:_MOST_SEEN]),
    )
