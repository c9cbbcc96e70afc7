"""How much room text takes where no font is at hand: widths are estimated, texts cut and wrapped to fit. Floor 8.

In: harmless text (:func:`~..cells.visible`). Out: px, and lines that fit. The table holds for each ASCII character the
wider of DejaVu Sans and Arial, so that text may come out narrower than reckoned and hardly ever wider.
"""

from __future__ import annotations

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
_WIDTHS = {ord(character): width for width, group in _GROUPS.items() for character in group}
_WIDE, _OTHER = 1.15, 0.85
_THINNEST = 0.25
_MARKS = ";,@/&?-"
"""After these a long word is broken, such as a URI."""


def _width(character: str) -> float:
    """Of a character outside of ASCII: that of marks is 0, that of Chinese signs double."""
    code = ord(character)
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        width = 0.0
    elif unicodedata.east_asian_width(character) in "WF" or code > 0xFFFF:
        width = _WIDE
    elif code < 0x250:
        width = 0.8 if character.isupper() else 0.66
    else:
        width = _WIDE if code in (0x2E3B, 0xFDFD) or 0x1200 <= code < 0x1380 else _OTHER
    if len(_WIDTHS) < 10_000:
        _WIDTHS[code] = width
    return width


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
    total = 0.0
    for character in text:
        width = _WIDTHS.get(ord(character))
        total += _width(character) if width is None else width
    return total * size * (_BOLD if bold else 1.0)


def cut_text(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits into `width` px with an ellipsis; nothing where not even that fits."""
    most = int(width / (_THINNEST * size)) + 2
    if len(text) <= most and text_width(text, size, bold=bold) <= width:
        return text
    left = width - text_width("…", size, bold=bold)
    if left < 0:
        return ""
    for at, character in enumerate(text[: 4 * most]):  # marks take no room: a heap of them ends somewhere too
        left -= text_width(character, size, bold=bold)
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
    left = width
    for at, character in enumerate(text):
        left -= text_width(character, size, bold=bold)
        if left < 0:
            return max(1, at)
    return len(text)
