"""What captures are called in a report: by their names, not by the folders of whoever made it. Floor 8.

In: a result, what it was read from. Out: the same result with short names, and the command that shows a call. A report
is handed on; tables and exports, which stay with whoever made them, have the names as they were given.
"""

from __future__ import annotations

import pathlib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...result import Result
from ..cells import visible
from ..derived import endpoints_of, findings_of, statistics_of

__all__ = ["show_command", "with_short_names"]


def with_short_names(result: Result) -> Result:
    """The result with the last part of each capture's name, with as much before it as tells two captures apart.

    Parameters
    ----------
    result : Result
        Of an analysis. It is not changed; what it has derived is kept.

    Returns
    -------
    Result
        `result` itself where all names are short already.
    """
    names = [capture.file for capture in result.captures]
    short = dict(zip(names, _short_names(names), strict=True))
    unreadable = tuple(_told(error) for error in result.extra.get("unreadable", ()))
    if all(name == its for name, its in short.items()) and not unreadable:
        return result
    for derive in (findings_of, endpoints_of, statistics_of):  # once, for the result that others may ask too
        derive(result)
    captures = []
    for capture in result.captures:
        name = short[capture.file]
        damage = capture.damage.replace(capture.file, name) if capture.damage and capture.file else capture.damage
        captures.append(replace(capture, file=name, damage=damage))
    return replace(result, captures=tuple(captures), extra={**result.extra, "unreadable": unreadable})


def show_command(sources: Sequence[Any] | None) -> str | None:
    """The command that shows one call, but for its Call-ID; None where what was read has no names.

    Parameters
    ----------
    sources : sequence or None
        Paths, or anything else that captures are read from.

    Examples
    --------
    >>> show_command(["/home/ann/a b.pcap"])
    "sipanalyzer call 'a b.pcap' --id"
    """
    names = [str(each) for each in sources or () if isinstance(each, str | pathlib.PurePath)]
    if not names or len(names) != len(sources or ()):
        return None
    return visible(f"sipanalyzer call {' '.join(shlex.quote(name) for name in _short_names(names))} --id")


def _told(error: object) -> str:
    """An error without the folders of the file that it is about."""
    text, path = str(error), getattr(error, "path", None)
    return text.replace(path, _short_names([path])[0]) if isinstance(path, str) and path else text


def _short_names(names: Sequence[str]) -> list[str]:
    """The shortest ends of paths that tell those apart which differ."""
    parts = {name: _parts(name) for name in names}
    depth = dict.fromkeys(parts, 1)
    while True:
        ends = {name: "/".join(its[-depth[name] :]) for name, its in parts.items()}
        often = Counter(ends.values())
        grown = [name for name in parts if often[ends[name]] > 1 and depth[name] < len(parts[name])]
        if not grown:
            return [ends[name] for name in names]
        for name in grown:
            depth[name] += 1


def _parts(name: str) -> list[str]:
    """Parts of a path, or of an address without what stands before its path and behind it (names, keys)."""
    if "://" in name:
        name = name.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2] or "capture"
    parts = [part for part in pathlib.PurePath(name).parts if part not in (pathlib.PurePath(name).anchor, "..")]
    return parts or [name]
