"""Colours of the browser: a dark and a light ground made from the palette, and the terminal's own. Floor 9.

In: the palette of flow charts, what the terminal says of itself. Out: Textual themes, rich styles.
"""

from __future__ import annotations

import functools
import os

from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

from ..output.flow.palette import INK, KINDS, SEVERITY

__all__ = ["DARK", "LIGHT", "THEMES", "first_theme", "ground_colours", "rich_style"]

DARK, LIGHT = "sipanalyzer-dark", "sipanalyzer-light"


def _theme(name: str, ground: str) -> Theme:
    dark = ground == "dark"

    def ink(each: str) -> str:
        return str(getattr(INK[each], ground))

    blue = getattr(KINDS["invite"], ground)
    return Theme(
        name=name,
        primary=blue,
        secondary=getattr(KINDS["ending"], ground),
        warning=getattr(SEVERITY["warning"], ground),
        error=getattr(SEVERITY["error"], ground),
        success=getattr(KINDS["success"], ground),
        accent=blue,
        foreground=ink("text"),
        background=ink("ground"),
        surface=ink("panel"),
        panel=ink("panel"),
        dark=dark,
        variables={
            "line": ink("line"),
            "scrollbar": ink("line"),
            "scrollbar-hover": ink("quiet"),
            "scrollbar-active": blue,
            "scrollbar-background": ink("ground"),
            "scrollbar-background-hover": ink("ground"),
            "scrollbar-background-active": ink("ground"),
            "scrollbar-corner-color": ink("ground"),
            "quiet": ink("quiet"),
            "cursor-ground": "#24425c" if dark else "#cfe4f5",
            "block-cursor-background": "#24425c" if dark else "#cfe4f5",
            "block-cursor-foreground": ink("text"),
            "footer-key-foreground": blue,
        },
    )


THEMES = (_theme(DARK, "dark"), _theme(LIGHT, "light"))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def ground_colours(ground: str) -> TerminalTheme:
    """What the colours by name (``green``, ``bold red``: the styles of pages) are on a ``dark`` or ``light`` ground."""
    ink = {name: _rgb(getattr(each, ground)) for name, each in INK.items()}
    look = {name: _rgb(getattr(each, ground)) for name, each in KINDS.items()}
    normal = [
        ink["ground"], look["failure"], look["success"], look["challenge"], look["invite"], look["ending"],
        _rgb("#2f8f9d" if ground == "light" else "#6fc7d3"), ink["text"],
    ]  # fmt: skip
    return TerminalTheme(ink["ground"], ink["text"], normal, normal)


def first_theme() -> str:
    """Light where the terminal says that its ground is light (``COLORFGBG``), dark otherwise."""
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if ground in ("7", "15") else DARK


@functools.lru_cache(maxsize=512)
def rich_style(name: str) -> Style:
    """The style of that name, as pages of :mod:`..output.terminal` have them."""
    return Style.parse(name) if name else Style.null()
