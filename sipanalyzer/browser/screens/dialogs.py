"""Dialogs: search, filter, columns, save. Floor 9.

Each checks what was typed while it is open, says in words what is wrong with it, and does nothing until it is right.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, SelectionList, Static
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from ...errors import CaptureError
from ...output.cells import visible
from ..listing import Listing, Wanted
from ..saving import Saved, file_name
from ..sights import Sight, all_sights

__all__ = ["ColumnsDialog", "FilterDialog", "SaveDialog", "SearchDialog"]


class _Dialog(ModalScreen[object]):
    """A box in the middle; Esc leaves it."""

    BINDINGS = [Binding("escape", "dismiss_nothing", "Back")]
    DEFAULT_CSS = """
    _Dialog { align: center middle; }
    _Dialog > Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; background: $surface;
                         border: round $primary; padding: 0 1; overflow-y: auto; }
    _Dialog Input { height: 1; border: none; background: $background; padding: 0 1; }
    _Dialog Input:focus { border: none; background: $block-cursor-background; }
    _Dialog .label { color: $primary; height: auto; }
    _Dialog .quiet { color: $foreground 70%; height: auto; }
    _Dialog .wrong { color: $error; height: auto; }
    _Dialog OptionList, _Dialog SelectionList, _Dialog OptionList:focus, _Dialog SelectionList:focus {
        height: auto; max-height: 12; border: none; background: $background; padding: 0; }
    ColumnsDialog SelectionList, ColumnsDialog SelectionList:focus { max-height: 75%; }
    """

    def action_dismiss_nothing(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)

    def wrong(self, text: str) -> None:
        """Say what is wrong."""
        self.query_one("#wrong", Static).update(Text(visible(text)))


class SearchDialog(_Dialog):
    """One text; gives it, or None."""

    DEFAULT_CSS = """
    SearchDialog { align: center bottom; }
    """

    def __init__(self, title: str, text: str, changed: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._title, self._text, self._changed = title, text, changed

    def compose(self) -> ComposeResult:
        """Title and field."""
        with Vertical():
            yield Static(Text(self._title), classes="label")
            yield Input(self._text, id="text", select_on_focus=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show at once what it does."""
        if self._changed is not None:
            self._changed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        self.dismiss(event.value)


class FilterDialog(_Dialog):
    """Which rows are shown; gives a Wanted, or None."""

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self._listing = listing

    def compose(self) -> ComposeResult:
        """Fields, and which columns there are."""
        listing = self._listing
        names = ", ".join(each.name for each in listing.table.columns)
        with Vertical():
            yield Static(Text(f"Show only {listing.name} with"), classes="label")
            yield Static(Text("a text in any column"), classes="quiet")
            yield Input(listing.wanted.text, id="text")
            if any(each.name == "call_id" for each in listing.table.columns):
                yield Static(Text("a text in one of its messages (header, SDP: anything)"), classes="quiet")
                yield Input(listing.wanted.message, id="message")
            yield Static(Text(f"an expression that is true: {_EXAMPLES.get(listing.name, '')}"), classes="quiet")
            yield Input(listing.wanted.where, id="where")
            yield Static("", id="wrong", classes="wrong")
            yield Static(Text(f"Columns: {names}"), classes="quiet")
            yield Static(Text("Enter: show   Esc: as before"), classes="label")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Show them, or say what is wrong."""
        typed = {each.id: each.value for each in self.query(Input)}
        wanted = Wanted(typed.get("text", ""), typed.get("where", "").strip(), typed.get("message", ""))
        before = self._listing.wanted
        try:
            self._listing.show(wanted)
        except ValueError as error:
            self.wrong(str(error))
            return
        finally:
            if self._listing.wanted is not wanted:
                self._listing.show(before)
        self.dismiss(wanted)


_EXAMPLES = {
    "calls": "state == 'failed' and post_dial_delay_ms > 3000",
    "registrations": "state != 'registered'",
    "transactions": "status_code == None or status_code >= 400",
    "findings": "severity == 'error' and code.startswith('no-')",
    "streams": "loss_percent > 1 or mos < 3.6",
}


class ColumnsDialog(_Dialog):
    """Which columns are shown; gives a list of Sight, or None."""

    BINDINGS = [Binding("enter", "done", "Show", priority=True)]

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self._listing = listing

    def compose(self) -> ComposeResult:
        """A list to tick."""
        shown = [each.name for each in self._listing.sights]
        known = {each.name: each for each in all_sights(self._listing.name)}
        order = [*shown, *(name for name in known if name not in shown)]
        meanings = {each.name: each.meaning for each in self._listing.table.columns}
        with Vertical():
            yield Static(Text("Columns   Space: show or not   Enter: done   Esc: as before"), classes="label")
            yield SelectionList[str](
                *(
                    Selection(Text(f"{name}  {visible(meanings[name])}", no_wrap=True), name, name in shown)
                    for name in order
                )
            )

    def action_done(self) -> None:
        """Show them."""
        chosen = set(self.query_one(SelectionList).selected)
        now = [each for each in self._listing.sights if each.name in chosen]
        have = {each.name for each in now}
        new: list[Sight] = [*now, *(s for s in all_sights(self._listing.name) if s.name in chosen - have)]
        self.dismiss(new or None)


class SaveDialog(_Dialog):
    """What is saved, and where to. Never overwrites a file that exists, unless told so."""

    def __init__(self, name: str, things: list[Saved]) -> None:
        super().__init__()
        self._proposed, self._things = name, things
        self._sure: str | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        """What, and where to."""
        with Vertical():
            yield Static(Text("Save (Up and Down: what; the end of the file's name: how)"), classes="label")
            yield OptionList(
                *(Option(Text.assemble((each.title, "bold"), f"  .{' .'.join(each.ends)}")) for each in self._things)
            )
            yield Static(Text("to the file"), classes="quiet")
            yield Input(file_name(self._proposed, self._things[0].ends[0]), id="path", select_on_focus=False)
            yield Static("", id="wrong", classes="wrong")
            yield Static(Text("Enter: save   Esc: do not"), classes="label")

    def on_mount(self) -> None:
        """Begin with what is saved most."""
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.can_focus = False
        self.query_one("#path", Input).focus()

    def on_key(self, event: events.Key) -> None:
        """Up and down choose what is saved."""
        options = self.query_one(OptionList)
        if event.key in ("up", "down"):
            event.stop()
            if event.key == "up":
                options.action_cursor_up()
            else:
                options.action_cursor_down()

    @property
    def _thing(self) -> Saved:
        return self._things[self.query_one(OptionList).highlighted or 0]

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Give the file's name an end that belongs to it."""
        field = self.query_one("#path", Input)
        path = pathlib.PurePath(field.value or self._proposed)
        end = path.suffix.removeprefix(".").lower()
        known = {each for thing in self._things for each in thing.ends}
        ends = self._things[event.option_index].ends
        if end in known and end not in ends:
            field.value = str(path.with_suffix(f".{ends[0]}"))
            field.cursor_position = len(field.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """It was clicked: on to the name."""
        self.query_one("#path", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name has to be agreed to anew."""
        if event.value != self._sure:
            self._sure = None

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save, once it is clear what and that nothing is lost."""
        if self._busy:
            return
        text = event.value.strip()
        if not text:
            self.wrong("no file is named to write to")
            return
        path = pathlib.Path(text).expanduser()
        if path.is_dir():
            self.wrong(f"{path} is a folder")
            return
        thing = self._thing
        end = path.suffix.removeprefix(".").lower()
        if end not in thing.ends and end in {each for other in self._things for each in other.ends}:
            thing = next(other for other in self._things if end in other.ends)
        elif end not in thing.ends:
            path = path.with_name(f"{path.name}.{thing.ends[0]}")
        force = self._sure == event.value
        if path.exists() and not force:
            self._sure = event.value
            self.wrong(f"{path} exists. Enter once more: overwrite it")
            return
        self._busy = True
        self.wrong("saving ...")
        self._write(thing, path, force)

    @work(thread=True, exit_on_error=False)
    def _write(self, thing: Saved, path: pathlib.Path, force: bool) -> None:
        try:
            thing.save(path, force)
        except (OSError, ValueError, CaptureError, NotImplementedError) as error:
            self.app.call_from_thread(self._failed, str(error) or "that cannot be written yet")
        else:
            self.app.call_from_thread(self._done, path)

    def _failed(self, text: str) -> None:
        self._busy = False
        self.wrong(text)

    def _done(self, path: pathlib.Path) -> None:
        self.app.notify(f"wrote {visible(str(path))}", markup=False)
        self.dismiss(path)
