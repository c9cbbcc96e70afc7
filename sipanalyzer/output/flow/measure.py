"""How much room text takes where no font is at hand: widths are estimated, texts cut and wrapped to fit. Floor 8.

In: harmless text (:func:`~..cells.visible`). Out: px, and lines that fit. The table holds for each ASCII character the
wider of DejaVu Sans and Arial, so that text may come out narrower than reckoned and hardly ever wider.
"""

from __future__ import annotations

import functools
import unicodedata

__all__ = ["MONO", "cut_text", "text_width", "wrap_text"]

MONO = 0.62
"""Width of a character of a monospaced font over its size."""
_BOLD = 1.13
_GROUPS = {
    0.30: "'Iijl", 0.35: " ,./:;\\|", 0.40: "()-[]ft", 0.45: "!r", 0.50: '"*J`', 0.55: "csz", 0.60: "?L_kvxy",
    0.65: "$0123456789FTabdeghnopqu{}", 0.70: "ABEKPSVXYZ", 0.75: "CNRU", 0.80: "&DGHOQ", 0.85: "#+<=>^w~", 0.90: "M",
    1.00: "%Wm…", 1.05: "@",
}  # fmt: skip
_KEPT = 10_000
"""Characters whose width is kept."""
_WIDE, _OTHER = 1.15, 0.85
_THINNEST = 0.25
_ROUNDING = 1e-6
"""Sums of widths differ by less, whatever the order in which they are added up."""
_MARKS = ";,@/&?-"
"""After these a long word is broken, such as a URI."""


class _Widths(dict[str, float]):
    """Width of a character over the size of its font; of one outside of ASCII reckoned when it is first asked for."""

    def __missing__(self, character: str) -> float:
        width = _reckoned(character)
        if len(self) < _KEPT:
            self[character] = width
        return width


def _reckoned(character: str) -> float:
    """Of a character outside of ASCII: that of marks is 0, that of Chinese signs double."""
    code = ord(character)
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or code > 0xFFFF:
        return _WIDE
    if code < 0x250:
        return 0.8 if character.isupper() else 0.66
    return _WIDE if code in (0x2E3B, 0xFDFD) or 0x1200 <= code < 0x1380 else _OTHER


_WIDTHS = _Widths({character: width for width, group in _GROUPS.items() for character in group})
_SHORT = 200
"""Characters of a text whose width is kept: labels come again in every call of a report."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide text is, px.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Of the font, px.
    bold : bool
        Whether it is set in bold.
    """
    total = _short_width(text) if len(text) <= _SHORT else _sum(text)
    return total * size * (_BOLD if bold else 1.0)


def _sum(text: str) -> float:
    total = 0.0
    for character in text:
        total += _WIDTHS[character]
    return total


_short_width = functools.lru_cache(maxsize=4_096)(_sum)


def cut_text(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits into `width` px with an ellipsis; nothing where not even that fits."""
    most = int(width / (_THINNEST * size)) + 2
    if len(text) <= most and text_width(text, size, bold=bold) <= width:
        return text
    left = width - text_width("…", size, bold=bold)
    if left < 0:
        return ""
    weight = _BOLD if bold else 1.0
    for at, character in enumerate(text[: 4 * most]):  # marks take no room: a heap of them ends somewhere too
        left -= _WIDTHS[character] * size * weight
        if left < 0:
            return text[:at].rstrip() + "…"
    return text[: 4 * most].rstrip() + "…"


def wrap_text(text: str, width: float, size: float, lines: int, *, bold: bool = False) -> list[str]:
    """The text in lines that fit into `width` px, at most so many; what does not fit is cut from the last.

    Lines break at spaces; inside a word that is wider than a line at a mark, else anywhere.
    """
    most = (int(width / (_THINNEST * size)) + 2) * 4 * lines
    rest = text[:most].strip()
    found: list[str] = []
    while rest:
        if len(found) == lines - 1:
            found.append(cut_text(rest if len(text) <= most else rest + "…", width, size, bold=bold))
            break
        if text_width(rest, size, bold=bold) < width - _ROUNDING:
            found.append(rest)
            break
        at = _fitting(rest, width, size, bold)
        if at < len(rest):
            space = rest.rfind(" ", 0, at + 1)
            mark = max(rest.rfind(each, 0, at) for each in _MARKS) + 1
            at = space if space > at // 3 else mark if mark > at // 2 else at
        found.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return found


def _fitting(text: str, width: float, size: float, bold: bool) -> int:
    """How many characters fit; at least one."""
    left, weight = width, _BOLD if bold else 1.0
    for at, character in enumerate(text):
        left -= _WIDTHS[character] * size * weight
        if left < 0:
            return max(1, at)
    return len(text)
