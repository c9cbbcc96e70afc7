"""Texts of matplotlib figures: how wide they are, cut and broken to the room that they have. Floor 8.

In: texts, inches. Out: inches, texts that fit. They are measured with matplotlib's own font metrics.
"""

from __future__ import annotations

import functools
import warnings

from ..fonts import families

__all__ = ["cut", "fitted", "inches"]

_LONGEST = 600
"""Characters of a text that are looked at."""
_MARKS = ";,@/&?-:"
"""After these a long word is broken, such as a URI."""


@functools.lru_cache(4096)
def inches(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line.

    Parameters
    ----------
    text : str
        The line.
    size : float
        Of the font, points.
    weight : str
        ``normal`` or ``bold``.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font without a letter draws a box of the same width
        width, _, _ = text_to_path.get_text_width_height_descent(
            text, FontProperties(families(), size=size, weight=weight), False
        )
    return float(width) / 72.0


def cut(text: str, room: float, size: float, weight: str = "normal") -> str:
    """The text, or as much of its beginning as has room, with ``…``."""
    shown = text[:_LONGEST]
    if shown == text and inches(text, size, weight) <= room:
        return text
    at = _fitting(shown, room - inches("…", size, weight), size, weight)
    return shown[:at].rstrip() + "…" if text else text


@functools.lru_cache(8192)
def fitted(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """The text in at most so many lines that have room; what does not fit is cut from the last.

    Lines break at spaces; inside a word that is wider than a line behind a mark, else anywhere.
    """
    rest = text[:_LONGEST].strip()
    lines: list[str] = []
    while rest:
        if inches(rest, size) <= room or len(lines) == most - 1:
            lines.append(cut(rest if len(text) <= _LONGEST else rest + "…", room, size))
            break
        at = max(1, _fitting(rest, room, size, "normal"))
        space = rest.rfind(" ", 0, at + 1)
        mark = max(rest.rfind(each, 0, at) for each in _MARKS) + 1
        at = space if space > at // 3 else mark if mark > at // 2 else at
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return tuple(lines)


def _fitting(text: str, room: float, size: float, weight: str) -> int:
    """How many characters have room."""
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        low, high = (half, high) if inches(text[:half], size, weight) <= room else (low, half - 1)
    return low
