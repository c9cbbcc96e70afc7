"""The page of keys. Floor 9."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from ...output.terminal import Line, width_of, wrap
from ..keys import KEYS, Key, written
from ..sheet import Sheet
from .parts import Page

__all__ = ["HelpPage", "help_lines"]

_TITLES = {
    "lists": "Lists",
    "flow": "Flow",
    "pages": "Pages: messages, difference, call, stream, summary",
    "moving": "Moving",
    "everywhere": "Everywhere",
}


def help_lines(first: str, width: int) -> list[Line]:
    """All keys, those of the screen that one comes from first."""
    order = [first, *(name for name in _TITLES if name != first)]
    left = 2 + max(width_of(written(key.keys)) for keys in KEYS.values() for key in keys)
    lines: list[Line] = []
    for name in order:
        lines += [[(_TITLES[name], "bold")]]
        for key in KEYS[name]:
            for at, text in enumerate(wrap(key.meaning, max(20, width - left - 2))):
                lines.append([(f"  {written(key.keys) if not at else '':<{left}}", "cyan"), (text, "")])
        lines.append([])
    return lines


class HelpPage(Page):
    """All keys."""

    def __init__(self, first: str) -> None:
        super().__init__()
        self._first = first

    def body(self) -> ComposeResult:
        """The page."""
        yield Sheet(id="sheet")

    def keys(self) -> Sequence[Key]:
        """Only those that work everywhere."""
        return ()

    def on_mount(self) -> None:
        """Title."""
        self.tell(("Keys", "bold"), ("   any of them works with the mouse as well: click a heading, a row, a key", ""))
        self.query_one(Sheet).focus()

    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """Fill it."""
        event.sheet.show(help_lines(self._first, event.width))

    def action_help(self) -> None:
        """Away again."""
        self.app.pop_screen()
