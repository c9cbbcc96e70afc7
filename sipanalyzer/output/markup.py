"""A page of styled lines (see :mod:`.terminal`) as HTML for a notebook, and as plain text. Floor 8."""

from __future__ import annotations

from collections.abc import Iterable

from .flow.escape import escaped
from .terminal import Line

__all__ = ["markup", "plain_text"]

_COLOURS = {
    "red": "#b00020", "yellow": "#8a6100", "green": "#1a7f37", "cyan": "#0a6d85", "blue": "#0550ae",
    "magenta": "#8a4f7d", "dim": "#6e6e6e",
}  # fmt: skip
"""Styles of a page as colours that are readable on white."""
_PAGE = "font-family:Menlo,Consolas,Liberation Mono,DejaVu Sans Mono,monospace;line-height:1.25"
"""Jupyter gives a ``<pre>`` among outputs the letters of running text, in which no column stands below another."""


def plain_text(lines: Iterable[Line]) -> str:
    """A page as text, without colours."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def markup(lines: Iterable[Line]) -> str:
    """A page as HTML: what comes from the wire is escaped."""
    page = []
    for line in lines:
        for text, style in line:
            words = style.split()
            look = "".join(
                [
                    "font-weight:bold;" if "bold" in words else "",
                    *(f"color:{_COLOURS[word]};" for word in words if word in _COLOURS),
                ]
            )
            shown = escaped(text)
            page.append(f'<span style="{look}">{shown}</span>' if look and text.strip() else shown)
        page.append("\n")
    return f'<pre style="{_PAGE}">{"".join(page)}</pre>'
