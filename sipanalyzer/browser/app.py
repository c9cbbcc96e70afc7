"""The browser's application: what its screens share, and opening it. Floor 9."""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.app import App

from ..analysis import Analysis
from ..facts import Finding
from ..output.cells import visible
from ..output.derived import findings_of
from ..output.terminal import Line
from ..result import Call
from .charting import stand_in
from .look import DARK, LIGHT, THEMES, first_theme, ground_colours

__all__ = ["Browser", "NoTerminal", "run_browser"]


class NoTerminal(ValueError):
    """There is no terminal to open a browser on."""


class Browser(App[None]):
    """The full-screen browser.

    Attributes
    ----------
    analysis : Analysis
        What is browsed.
    tz : datetime.tzinfo
        Zone in which times are shown.
    """

    TITLE = "sipanalyzer"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, analysis: Analysis, tz: datetime.tzinfo = datetime.UTC) -> None:
        super().__init__()
        self.analysis, self.tz = analysis, tz
        self._by_id: dict[str, Call] | None = None
        self.ansi_theme_dark = ground_colours("dark")
        self.ansi_theme_light = ground_colours("light")
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = first_theme()

    def on_mount(self) -> None:
        """Open the first screen."""
        from .screens.home import HomePage

        self.push_screen(HomePage())

    def turn_ground(self) -> None:
        """Light or dark."""
        self.theme = LIGHT if self.theme == DARK else DARK

    def text_of(self, lines: Sequence[Line]) -> Text:
        """Styled lines as a text, harmless whatever was on the wire."""
        text = Text(no_wrap=True)
        for at, line in enumerate(lines):
            if at:
                text.append("\n")
            for piece, style in line:
                text.append(visible(piece), style or None)
        return text

    # ---- calls
    def call_of(self, call_id: str | None) -> Call | None:
        """The call of that Call-ID, or one in name only; None where no message has it."""
        if call_id is None:
            return None
        if self._by_id is None:
            self._by_id = {call.call_id: call for call in self.analysis.result.calls}
        call = self._by_id.get(call_id)
        if call is None:
            with contextlib.suppress(ValueError):
                call = stand_in(self.analysis.result, call_id)
        return call

    def is_call(self, call: Call) -> bool:
        """Whether it is one of the table of calls."""
        if self._by_id is None:
            self.call_of("")
        return self._by_id is not None and self._by_id.get(call.call_id) is call

    def legs_of(self, calls: Sequence[Call]) -> list[Call]:
        """All legs of the conversations of some calls."""
        wanted = {call.call_id for call in calls}
        for session in self.analysis.result.sessions:
            if not wanted.isdisjoint(session.call_ids):
                wanted |= set(session.call_ids)
        legs = [call for call in self.analysis.result.calls if call.call_id in wanted]
        return legs or list(calls)

    def call_id_of(self, finding: Finding) -> str | None:
        """Call-ID that a finding is about: its own, or that of its stream."""
        if finding.call_id is None and finding.stream is not None:
            return self.analysis.result.streams[finding.stream].call_id
        return finding.call_id

    # ---- screens
    def show_flow(self, calls: Sequence[Call], at: tuple[int | None, int | None, int | None] | None = None) -> None:
        """Open the flow of calls; `at`: frame, capture and time of the row to begin with."""
        from .screens.flow import FlowPage

        self.push_screen(FlowPage(calls, at=at))

    def show_call(self, call: Call, sought: str = "") -> None:
        """Open the page of a call."""
        from .screens.pages import CallPage, RawPage

        self.push_screen(CallPage(call, sought) if self.is_call(call) else RawPage(call.call_id, call.rows))

    def show_finding(self, finding: Finding) -> None:
        """Open the flow at what shows a finding; without a call its stream."""
        from .screens.pages import StreamPage

        call = self.call_of(self.call_id_of(finding))
        if call is not None:
            time = finding.time
            self.show_flow([call], (finding.frame, finding.capture, time))
        elif finding.stream is not None:
            self.push_screen(StreamPage(finding.stream))
        else:
            self.notify("It is about the capture as a whole; no call shows it.", markup=False)

    def show_stream_in_flow(self, stream: int) -> None:
        """Open the flow of a stream's call, at the stream."""
        seen = self.analysis.result.streams[stream]
        call = self.call_of(seen.call_id)
        if call is None:
            self.notify("No call is known that it belongs to.", markup=False)
        else:
            self.show_flow([call], (seen.first_frame, seen.capture, seen.start))


def run_browser(analysis: Analysis, tz: datetime.tzinfo = datetime.UTC) -> None:
    """Open the browser on the terminal; returns when it is left.

    Parameters
    ----------
    analysis : Analysis
        What is browsed.
    tz : datetime.tzinfo
        Zone in which times are shown.

    Raises
    ------
    NoTerminal
        If there is no terminal to write to, or no keyboard.
    """
    findings_of(analysis.result)  # reckoned once, before the screen opens
    with _terminal():
        Browser(analysis, tz).run()


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    """Keyboard and screen as Textual wants them: it reads descriptor 0 and writes descriptor 2.

    Where a capture came through standard input the keyboard is the controlling terminal's; where standard error goes
    to a file the screen is standard output's.
    """
    if not os.isatty(1):
        raise NoTerminal("the browser needs a terminal to show itself on; standard output is none")
    kept: dict[int, int] = {}
    try:
        if not os.isatty(0):
            try:
                keyboard = os.open("/dev/tty", os.O_RDWR)
            except OSError:
                raise NoTerminal(
                    "the browser needs a keyboard, and standard input is none; name a file instead of -"
                ) from None
            kept[0] = os.dup(0)
            os.dup2(keyboard, 0)
            os.close(keyboard)
        if not os.isatty(2):
            kept[2] = os.dup(2)
            os.dup2(1, 2)
        yield
    finally:
        for number, copy in kept.items():
            sys.stderr.flush()
            os.dup2(copy, number)
            os.close(copy)
