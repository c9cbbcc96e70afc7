"""The line with the keys, at the bottom of a screen. Floor 9.

In: keys with their short names. Out: one line, drawn at once. Textual's own makes widgets for each key, anew whenever a
screen opens: three quarters of the time that takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import events
from textual.widget import Widget

from ..keys import Key, written

__all__ = ["KeyLine"]

_FIRST = {"escape": 0, "enter": 1, "space": 2}


def _place(key: Key) -> int:
    """Where a key stands: Esc, Enter, Space, F1 to F10, then letters in the order of the list."""
    first = key.keys.split(",")[0]
    return _FIRST.get(first, 10 + int(first[1:]) if first[:1] == "f" and first[1:].isdigit() else 100)


class KeyLine(Widget):
    """Keys and what they do, as many as there is room for; a click does it.

    Parameters
    ----------
    keys : iterable of Key
        Those without a short name are left out; of two on one key the first is shown.
    """

    COMPONENT_CLASSES = {"keyline--key"}
    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; background: $surface; color: $foreground; }
    KeyLine > .keyline--key { color: $primary; text-style: bold; }
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__(id="keys")
        first: dict[str, Key] = {}
        for key in keys:
            if key.short:
                first.setdefault(key.keys.split(",")[0], key)
        self._keys = sorted(first.values(), key=_place)

    def _shown(self) -> list[tuple[Key, str, int]]:
        """Keys that fit, their names, and the columns at which they begin."""
        shown: list[tuple[Key, str, int]] = []
        at = 0
        for key in self._keys:
            name = written(key.keys.split(",")[0])
            width = len(name) + 1 + len(key.short)
            if at + width <= self.size.width:
                shown.append((key, name, at))
                at += width + 1
        return shown

    def render(self) -> Text:
        """The line."""
        style = self.get_component_rich_style("keyline--key", partial=True)
        line = Text(no_wrap=True, overflow="crop")
        for key, name, _ in self._shown():
            line.append(name, style)
            line.append(f" {key.short} ")
        return line

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        for key, name, at in self._shown():
            if at <= event.x < at + len(name) + 1 + len(key.short):
                await self.screen.run_action(key.action)
