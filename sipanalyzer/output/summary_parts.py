"""Pieces that the summary's page is put together from. Floor 8, standard library only.

In: headings, words, figures. Out: styled lines (see :mod:`.terminal`), and figures as people read them.
"""

from __future__ import annotations

from collections.abc import Sequence

from .cells import visible
from .terminal import Line, width_of

__all__ = ["LEFT", "bytes_text", "count_of", "flow", "item", "time_text"]

LEFT = 14
"""Columns of the headings."""
_SIZES = ("B", "kB", "MB", "GB", "TB")


def item(name: str, *pieces: tuple[str, str] | str) -> Line:
    """One line: a heading, or blanks in its place, and what stands beside it."""
    return [
        (f"{name:<{LEFT}}", "bold" if name else ""),
        *((each, "") if isinstance(each, str) else each for each in pieces),
    ]


def flow(name: str, first: str, pieces: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """A heading and pieces with commas between them, on as many lines as they need."""
    lines = [item(name, *([(f"{first}  ", "bold")] if first else []))]
    used = LEFT + (len(first) + 2 if first else 0)
    for at, (text, style) in enumerate(pieces):
        text = visible(text)
        comma = ", " if at < len(pieces) - 1 else ""
        if used + width_of(text) + 1 > width and used > LEFT:
            lines.append(item(""))
            used = LEFT
        lines[-1] += [(text, style), (comma, "")]
        used += width_of(text) + len(comma)
    return lines


def count_of(number: int, thing: str) -> str:
    """``1 call``, ``2,000 calls``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def bytes_text(number: int) -> str:
    """``852 B``, ``1.4 MB``."""
    size, unit = float(number), 0
    while size >= 1000 and unit < len(_SIZES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_SIZES[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {_SIZES[unit]}"


def time_text(seconds: float) -> str:
    """``35 ms``, ``1.24 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    days, hours = divmod(whole // 3600, 24)
    return (f"{days} d " if days else "") + f"{hours} h {whole % 3600 // 60:02d} min"
