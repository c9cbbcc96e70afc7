"""What all screens share: a title line, a line at the bottom, keys that work everywhere. Floor 9."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from ...analysis import Analysis
from ...output.cells import visible
from ..bindings import bindings
from ..keys import KEYS, Key
from ..saving import Saved
from .keyline import KeyLine

if TYPE_CHECKING:
    from ..app import Browser

__all__ = ["Page", "TitleLine"]


class TitleLine(Static):
    """One line at the top: where one is, and what is shown."""

    DEFAULT_CSS = """
    TitleLine { height: 1; background: $surface; color: $foreground; padding: 0 1; text-wrap: nowrap;
                text-overflow: ellipsis; }
    """

    def tell(self, *parts: tuple[str, str]) -> None:
        """Show texts with their styles; what comes from the wire is made harmless."""
        self.update(Text.assemble(*((visible(text), style) for text, style in parts), no_wrap=True))


class Page(Screen[None]):
    """A screen with a title, its body, and the keys at the bottom."""

    BINDINGS = bindings("everywhere")
    DEFAULT_CSS = """
    Page { background: $background; }
    """
    helped = "pages"
    """Which keys help shows, beside those that work everywhere."""

    @property
    def browser(self) -> Browser:
        """The application."""
        return cast("Browser", self.app)

    @property
    def analysis(self) -> Analysis:
        """What is browsed."""
        return self.browser.analysis

    def compose(self) -> ComposeResult:
        """Title, body, keys."""
        self.app.clear_notifications()  # what was said of the screen before does not stand before this one
        yield TitleLine(id="title")
        yield from self.body()
        yield KeyLine([*self.keys(), *KEYS["everywhere"]])

    def body(self) -> ComposeResult:
        """What stands between."""
        yield from ()

    def keys(self) -> Sequence[Key]:
        """What stands on the line of keys, beside what works everywhere."""
        return KEYS[self.helped]

    def tell(self, *parts: tuple[str, str]) -> None:
        """Set the title line."""
        self.query_one("#title", TitleLine).tell(*parts)

    # ---- keys that work everywhere
    def action_leave(self) -> None:
        """Back to where one came from."""
        self.app.pop_screen()

    def action_quit(self) -> None:
        """Quit."""
        self.app.exit()

    def action_help(self) -> None:
        """Show the keys."""
        from .help import HelpPage

        self.app.push_screen(HelpPage(self.helped))

    def action_ground(self) -> None:
        """Light or dark."""
        self.browser.turn_ground()

    def save(self, name: str, things: list[Saved]) -> None:
        """Ask where to, and save."""
        from .dialogs import SaveDialog

        self.app.push_screen(SaveDialog(name, things))
