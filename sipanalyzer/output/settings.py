"""The settings of an analysis for people: what there is, what each means, which differ from the defaults. Floor 8.

In: the class :class:`~sipanalyzer.options.Options`, whose fields and texts are the one source. Out: settings, and
values as people type them; :mod:`.settings_page` writes them out. Standard library only.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from dataclasses import dataclass, fields
from typing import Any

from ..options import Options
from .cells import iso

__all__ = ["Setting", "changed_settings", "list_settings", "measured", "sections", "typed"]

_UNITS = (("_ms", "ms"), ("_percent", "%"), ("_ppm", "ppm"), ("_db", "dB"))
_DURATIONS = ((1e9, "s"), (1e6, "ms"), (1e3, "us"))
_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_TIMES = ("from_time_ns", "to_time_ns")
"""Moments, not durations."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of :class:`~sipanalyzer.options.Options`."""

    name: str
    section: str
    """``playout and quality``, ``findings: thresholds`` and so on."""
    default: Any
    meaning: str
    """Its text in the class, on one line; Markdown."""


@functools.cache
def list_settings() -> tuple[Setting, ...]:
    """Every setting, in the order of the class."""
    texts = _texts()
    found = []
    for field in fields(Options):
        section, meaning = texts.get(field.name, ("", ""))
        found.append(Setting(field.name, section, _plain(field.default), meaning))
    return tuple(found)


def sections() -> dict[str, list[Setting]]:
    """The settings by section, in the order of the class."""
    found: dict[str, list[Setting]] = {}
    for setting in list_settings():
        found.setdefault(setting.section, []).append(setting)
    return found


def changed_settings(options: Options) -> dict[str, Any]:
    """The settings that are not the defaults, by name: so a result can be traced to how it was made."""
    found = {}
    for field in fields(Options):
        value = getattr(options, field.name)
        if value != field.default and field.name != "redact_key":
            found[field.name] = _plain(value)
    return found


def typed(name: str, value: Any) -> str:
    """A value as ``--set`` takes it; of a time the time itself."""
    if name in _TIMES and value is not None:
        return iso(value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, list | tuple) else str(value)


def measured(name: str, value: Any) -> str:
    """``10 s`` of ``interval_ns`` 10000000000; empty where the name has no unit, or where it would say no more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or name in _TIMES:
        return ""
    if name.endswith("_ns"):
        divisor, unit = next((each for each in _DURATIONS if value >= each[0]), (1.0, "ns"))
        return f"{value / divisor:g} {unit}"
    if name.endswith("_bytes"):
        return next((f"{value // size} {unit}" for size, unit in _SIZES if value and value % size == 0), "")
    return next((f"{value:g} {unit}" for ending, unit in _UNITS if name.endswith(ending)), "")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@functools.cache
def _texts() -> dict[str, tuple[str, str]]:
    """Section and text of each setting, from the source; empty where an installation has none."""
    try:
        source = inspect.getsource(importlib.import_module(Options.__module__))
    except OSError:
        return {}
    body = next(
        node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == Options.__name__
    )
    lines = source.splitlines()
    headings = {at: line.strip(" #") for at, line in enumerate(lines, start=1) if line.startswith("    # ")}
    found: dict[str, tuple[str, str]] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        above = [at for at in headings if at < node.lineno]
        text = ast.get_docstring(ast.Module([after], [])) if isinstance(after, ast.Expr) else None
        found[node.target.id] = (
            headings[max(above)] if above else "",
            " ".join((text or "").replace("``", "`").split()),
        )
    return found
