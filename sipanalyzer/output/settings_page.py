"""The settings written out: for the terminal, as data, and as ``docs/options.md``. Floor 8, standard library only.

In: :mod:`.settings`. Out: styled lines (see :mod:`.terminal`), dictionaries for JSON, Markdown; ``python -m
sipanalyzer.output.settings_page`` prints the page of the documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..options import LIMITS
from .explain_page import wrapped
from .settings import list_settings, measured, sections, typed
from .terminal import Line, cut

__all__ = ["options_page", "settings_data", "settings_lines"]


def settings_data() -> list[dict[str, Any]]:
    """Every setting as data for JSON: name, section, default, meaning."""
    return [
        {"name": each.name, "section": each.section, "default": each.default, "meaning": each.meaning}
        for settings in sections().values()
        for each in settings
    ]


def settings_lines(width: int = 80) -> list[Line]:
    """Every setting, its default as ``--set`` takes it, and below it what it means."""
    lines: list[Line] = []
    for section, settings in sections().items():
        lines += [[]] if lines else []
        lines.append([(section[:1].upper() + section[1:], "bold")])
        for each in settings:
            said = measured(each.name, each.default)
            head = cut(f"{each.name}={typed(each.name, each.default)}", max(width - 2, 1))
            lines.append([("  ", ""), (head, "cyan"), (f"  {said}" if said else "", "dim")])
            lines += wrapped(each.meaning, width, "      ")
    return lines


def options_page() -> str:
    """``docs/options.md``: every setting, as Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (
        "# Settings",
        "",
        "Made from `sipanalyzer.Options` (`python -m sipanalyzer.output.settings_page` prints this page). The defaults",
        "suit nearly everything. On the command line a setting is `--set NAME=VALUE`, as often as needed; in Python it",
        'is a keyword, `sipanalyzer.analyze("a.pcap", playout_ms=40)`. A result says which settings differed from the',
        "defaults: `summary`, `call`, and the key `settings` of their JSON. `sipanalyzer options` lists them in the",
        "terminal, and `sipanalyzer explain NAME` says what rests on one.",
        "",
        "A name that ends in `_ns` is in nanoseconds, `_ms` in milliseconds; whole numbers may have `_` between digits",
        "(`10_000_000_000`). `yes` and `no` are true and false, `none` is no value, several texts have commas between",
        "them.",
    )
    for section, settings in sections().items():
        yield from ("", f"## {section[:1].upper()}{section[1:]}", "")
        yield from ("| name | default | that is | meaning |", "| --- | --- | --- | --- |")
        for each in settings:
            said = measured(each.name, each.default)
            yield f"| `{each.name}` | `{typed(each.name, each.default)}` | {said} | {each.meaning} |"
    yield from (
        "",
        "## Bounds",
        "",
        "Whatever stands in a capture, no more than this is kept of it. What a limit cost is counted as an anomaly of",
        "the capture (`captures`, `summary`); where none is named, the file is damaged there, which is told in one",
        "line with exit status 1, or what is more is counted together.",
        "",
        "| limit | default | anomaly |",
        "| --- | --- | --- |",
    )
    for each in list_settings():
        if each.name in LIMITS:
            codes = ", ".join(f"`{code}`" for code in LIMITS[each.name])
            said = measured(each.name, each.default) or f"{each.default:,}"
            yield f"| `{each.name}` | {said} | {codes} |"


if __name__ == "__main__":
    print(options_page(), end="")
