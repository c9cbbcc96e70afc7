"""The line with the names of the lists. Floor 9."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

__all__ = ["TABS", "TabLine"]

TABS = (
    ("calls", "Calls"), ("registrations", "Registrations"), ("transactions", "Other"), ("findings", "Findings"),
    ("streams", "Streams"), ("summary", "Summary"),
)  # fmt: skip
_SHORT = ("Calls", "Reg.", "Other", "Find.", "RTP", "Sum.")
"""What they are called where there is little room."""
"""Name of each list (that of its table), and what people call it."""


class TabLine(Widget):
    """Names of the lists on one line, each with its number and how many there are."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $background; color: $foreground; }
    """

    class Picked(Message):
        """A name was clicked."""

        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self, counts: Sequence[int | None]) -> None:
        super().__init__(id="tabs")
        self._counts = counts
        self.at = 0

    def _labels(self) -> list[str]:
        titles = [title for _, title in TABS]
        counts = ["" if each is None else f" {each:,}" for each in self._counts]
        mixed = [
            title if at == self.at else short for at, (title, short) in enumerate(zip(titles, _SHORT, strict=True))
        ]
        none = [""] * len(TABS)
        for names, told in ((titles, counts), (mixed, counts), (_SHORT, counts), (mixed, none), (_SHORT, none)):
            labels = [
                f" {at} {name}{count} " for at, (name, count) in enumerate(zip(names, told, strict=True), start=1)
            ]
            if sum(map(len, labels)) <= self.size.width:
                break
        return labels

    def render(self) -> Text:
        """The line."""
        line = Text(no_wrap=True, overflow="crop")
        for at, label in enumerate(self._labels()):
            empty = self._counts[at] == 0
            line.append(label, "bold reverse" if at == self.at else "dim" if empty else "")
        return line

    def on_click(self, event: events.Click) -> None:
        """Which name was it?"""
        begin = 0
        for at, label in enumerate(self._labels()):
            if begin <= event.x < begin + len(label):
                self.post_message(self.Picked(at))
            begin += len(label)
