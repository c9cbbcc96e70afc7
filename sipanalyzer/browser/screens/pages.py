"""Pages of lines: raw messages, two messages compared, a call, a stream. Floor 9."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from ...output.call_page import call_lines
from ...output.terminal import Line
from ...result import Call
from ..bindings import bindings
from ..quality import stream_lines
from ..saving import calls_to_save, lines_to_save, messages_to_save
from ..sheet import Sheet
from ..wire import difference_lines, raw_lines
from .dialogs import SearchDialog
from .parts import Page

__all__ = ["CallPage", "DifferencePage", "RawPage", "StreamPage", "TextPage"]


class TextPage(Page):
    """A page that is read, searched and saved."""

    BINDINGS = bindings("pages")
    name_of_file = "page"

    def __init__(self) -> None:
        super().__init__()
        self.wrapped = True
        self.painted = True
        self._sought = ""

    def body(self) -> ComposeResult:
        """The page."""
        yield Sheet(id="sheet")

    def on_mount(self) -> None:
        """Title, and the keys to the page."""
        self.tell(*self.headline())
        self.sheet.focus()

    @property
    def sheet(self) -> Sheet:
        """What is read."""
        return self.query_one("#sheet", Sheet)

    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """Make it for that width."""
        event.sheet.show(self.lines(event.width))

    def headline(self) -> Sequence[tuple[str, str]]:
        """Texts of the title line."""
        return ()

    def lines(self, width: int) -> list[Line]:
        """The page."""
        raise NotImplementedError

    def again(self) -> None:
        """Make the page anew."""
        self.sheet.show(self.lines(self.sheet.room))

    def action_search(self) -> None:
        """Find a text."""

        def sought(text: object) -> None:
            if isinstance(text, str):
                self._sought = text
                self._find()

        self.app.push_screen(SearchDialog("Find", self._sought), sought)

    def _find(self, *, backwards: bool = False, onwards: bool = False) -> None:
        if not self.sheet.find(self._sought, backwards=backwards, onwards=onwards):
            self.app.notify(f"no line has {self._sought!r}", severity="warning", markup=False)

    def action_next(self) -> None:
        """Find it again."""
        if self._sought:
            self._find(onwards=True)

    def action_previous(self) -> None:
        """Find it again, upwards."""
        if self._sought:
            self._find(onwards=True, backwards=True)

    def action_wrap(self) -> None:
        """Break long lines, or not."""
        self.wrapped = not self.wrapped
        self.again()

    def action_paint(self) -> None:
        """Colours of headers, or not."""
        self.painted = not self.painted
        self.again()

    def action_go(self) -> None:
        """Flow of the call that it belongs to."""

    def action_save(self) -> None:
        """Save it."""
        self.save(self.name_of_file, [lines_to_save("this page", self.lines(self.size.width - 1))])


class RawPage(TextPage):
    """Messages as they were on the wire."""

    def __init__(self, title: str, rows: Sequence[int]) -> None:
        super().__init__()
        self._title, self._rows = title, list(rows)
        self.name_of_file = title

    def headline(self) -> Sequence[tuple[str, str]]:
        """Whose messages."""
        count = len(self._rows)
        return ("Messages ", "bold"), (f"{count}  " if count > 1 else "", ""), (self._title, "")

    def lines(self, width: int) -> list[Line]:
        """All of them, one below the other."""
        rows, left = self._rows[:_MESSAGES], len(self._rows) - _MESSAGES
        wide = width if self.wrapped else None
        lines, _ = raw_lines(self.analysis.result, rows, self.browser.tz, width=wide, paint=self.painted)
        if left > 0:
            lines.append([(f"... {left:,} messages more: save them to a file", "yellow")])
        return lines

    def action_save(self) -> None:
        """Save the bytes."""
        self.save(self.name_of_file, [messages_to_save(self.analysis, self._rows)])


_MESSAGES = 5_000
"""Messages that a page shows."""


class DifferencePage(TextPage):
    """Two messages beside each other."""

    name_of_file = "difference"

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self._first, self._second = first, second

    def headline(self) -> Sequence[tuple[str, str]]:
        """What it is."""
        return (
            ("Difference ", "bold"),
            ("  quiet: the same   ", "dim"),
            ("left", "bold red"),
            (" and ", ""),
            ("right", "bold green"),
            (" differ", ""),
        )

    def lines(self, width: int) -> list[Line]:
        """Side by side where there is room."""
        return difference_lines(self.analysis.result, self._first, self._second, width, self.browser.tz)


class CallPage(TextPage):
    """A call: findings with advice and evidence, facts, messages, streams."""

    def __init__(self, call: Call, sought: str = "") -> None:
        super().__init__()
        self._call, self._sought = call, sought
        self.name_of_file = call.call_id

    def headline(self) -> Sequence[tuple[str, str]]:
        """Who called whom."""
        call = self._call
        return ("Call ", "bold"), (f"{call.caller or '?'} to {call.callee or '?'}, {call.state}", "")

    def lines(self, width: int) -> list[Line]:
        """The page of the command ``call``."""
        return call_lines(self.analysis.result, self._call, width, self.browser.tz)

    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """Make it, and go to what was asked for."""
        super().on_sheet_resized(event)
        if self._sought:
            event.sheet.find(self._sought)

    def action_go(self) -> None:
        """Its flow."""
        self.browser.show_flow([self._call])

    def action_save(self) -> None:
        """Save the page, or the call's flow, packets, messages."""
        things = [
            lines_to_save("this page", self.lines(self.size.width - 1)),
            *calls_to_save(self.analysis, [self._call], self.browser.tz),
        ]
        self.save(self.name_of_file, things)


class StreamPage(TextPage):
    """A stream: figures, findings, quality over time."""

    def __init__(self, stream: int) -> None:
        super().__init__()
        self._stream = stream
        self.name_of_file = "stream"

    def headline(self) -> Sequence[tuple[str, str]]:
        """Which."""
        seen = self.analysis.result.streams[self._stream]
        return ("Stream ", "bold"), (f"0x{seen.ssrc:08x}  {seen.direction or ''}", "")

    def lines(self, width: int) -> list[Line]:
        """Its page."""
        return stream_lines(self.analysis.result, self._stream, width, self.browser.tz)

    def action_go(self) -> None:
        """Flow of its call, at the stream."""
        self.browser.show_stream_in_flow(self._stream)
