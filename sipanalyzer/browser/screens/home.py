"""The first screen: lists of calls, registrations, other requests, findings and streams, and the summary. Floor 9."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from ...output.cells import Cell, visible
from ...output.derived import findings_of
from ...output.tables import Table
from ...output.terminal import Line, cut_path
from ...result import Call
from ..bindings import bindings
from ..explaining import explained
from ..grid import Grid
from ..keys import KEYS, Key
from ..listing import Listing, Wanted
from ..saving import Saved, calls_to_save, lines_to_save, table_to_save
from ..sheet import Sheet
from .dialogs import ColumnsDialog, FilterDialog, SearchDialog
from .pages import RawPage, StreamPage
from .parts import Page
from .tabs import TABS, TabLine

__all__ = ["HomePage"]

_EMPTY = {
    "calls": "There is no call in this capture.",
    "registrations": "Nobody registers in this capture.",
    "transactions": "There are no other requests in this capture.",
    "findings": "Nothing is wrong, as far as this capture shows.",
    "streams": "There is no RTP in this capture.",
}


_QUIT = Key("escape", "leave", "Quit", "quit")


class HomePage(Page):
    """The lists."""

    BINDINGS = bindings("lists")
    helped = "lists"
    DEFAULT_CSS = """
    HomePage ContentSwitcher { height: 1fr; }
    HomePage ContentSwitcher > Vertical { height: 1fr; }
    HomePage .empty { padding: 1 2; height: 1fr; }
    HomePage .detail { height: auto; max-height: 40%; background: $surface; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.listings: dict[str, Listing] = {}
        self._at = 0

    def body(self) -> ComposeResult:
        """Names of the lists, and the lists; each is made when it is looked at for the first time."""
        yield TabLine(self._counts())
        with ContentSwitcher(initial="tab-calls"):
            for name, _ in TABS:
                yield Vertical(id=f"tab-{name}")

    def keys(self) -> list[Key]:
        """Esc quits here."""
        return [*KEYS["lists"], _QUIT]

    def _counts(self) -> list[int | None]:
        result = self.analysis.result
        ids = self._others()
        others = sum(1 for each in result.transactions if each.call_id not in ids and each.method != "REGISTER")
        return [
            len(result.calls), len(result.registrations), others, len(findings_of(result)), len(result.streams), None,
        ]  # fmt: skip

    def _others(self) -> frozenset[str]:
        """Call-IDs that the list of other requests leaves out."""
        return frozenset(call.call_id for call in self.analysis.result.calls)

    async def on_mount(self) -> None:
        """Begin with the calls; where there are none, with what there is."""
        counts = self._counts()
        first = next((at for at, count in enumerate(counts[:3]) if count), 0)
        await self.show_tab(first)

    # ---- lists
    @property
    def name_shown(self) -> str:
        """Which list is shown."""
        return TABS[self._at][0]

    @property
    def grid(self) -> Grid | None:
        """The list shown; None on the summary, and where there is nothing."""
        found = self.query(f"#grid-{self.name_shown}")
        return found.first(Grid) if found else None

    async def show_tab(self, at: int) -> None:
        """Show a list."""
        self._at = at % len(TABS)
        name = self.name_shown
        pane = self.query_one(f"#tab-{name}", Vertical)
        if not pane.children:
            await pane.mount_all(self._made(name))
            if name == "summary":  # at once: it is told its own size only when it has been laid out
                self.query_one("#summary", Sheet).show(self._summary(self.size.width - 1))
        self.query_one(ContentSwitcher).current = f"tab-{name}"
        line = self.query_one(TabLine)
        line.at = self._at
        line.refresh()
        target: Widget | None = self.grid or (self.query_one("#summary", Sheet) if name == "summary" else None)
        if target is not None:
            target.focus()
        self._headline()
        self.refresh_bindings()

    def _made(self, name: str) -> list[Widget]:
        if name == "summary":
            return [Sheet(id="summary")]
        listing = self._listing(name)
        if not listing.mine:
            return [Static(Text(_EMPTY[name]), classes="empty")]
        grid = Grid(listing, id=f"grid-{name}")
        return [grid, Static("", classes="detail", id="finding")] if name == "findings" else [grid]

    def _listing(self, name: str) -> Listing:
        if name not in self.listings:
            keep = None
            if name == "transactions":
                ids = self._others()

                def keep_others(table: Table) -> list[int]:
                    whose, methods = table["call_id"], table["method"]
                    return [at for at in range(len(table)) if whose[at] not in ids and methods[at] != "REGISTER"]

                keep = keep_others
            listing = Listing(self.analysis.result, name, self.browser.tz, keep)
            if name == "findings":
                listing.sort_by("severity")
            self.listings[name] = listing
        return self.listings[name]

    def _headline(self) -> None:
        files = [capture.file for capture in self.analysis.result.captures]
        file = files[0] if len(files) == 1 else f"{len(files)} captures"
        file = cut_path(visible(file), max(self.size.width - 16, self.size.width // 2))
        parts: list[tuple[str, str]] = [("sipanalyzer ", "bold"), (file, "")]
        listing = self.listings.get(self.name_shown)
        grid = self.grid
        if listing is not None:
            if len(listing.rows) != len(listing.mine):
                parts.append((f"   {len(listing.rows):,} of {len(listing.mine):,}", "bold"))
            if grid is not None and grid.marked:
                parts.append((f"   {len(grid.marked)} marked", "bold"))
            if listing.wanted:
                parts.append((f"   {listing.filter_text()}", "bold yellow"))
        self.tell(*parts)

    async def on_tab_line_picked(self, event: TabLine.Picked) -> None:
        """A name was clicked."""
        await self.show_tab(event.at)

    async def action_tab(self, number: int) -> None:
        """Show the list of that number."""
        await self.show_tab(number - 1)

    async def action_next_tab(self) -> None:
        """The next list."""
        await self.show_tab(self._at + 1)

    async def action_previous_tab(self) -> None:
        """The list before."""
        await self.show_tab(self._at - 1)

    async def action_calls(self) -> None:
        """The calls."""
        await self.show_tab(0)

    def action_leave(self) -> None:
        """Quit; first take away what is filtered."""
        listing = self.listings.get(self.name_shown)
        if listing is not None and listing.wanted:
            self._show(listing, Wanted())
        else:
            self.app.exit()

    # ---- the summary, and the finding under the cursor
    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """Make the summary for that width."""
        event.sheet.show(self._summary(event.width))

    def _summary(self, width: int) -> list[Line]:
        from ...output.summary_page import summary_lines

        return summary_lines(self.analysis.summary(), width, self.browser.tz)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Explain the finding under the cursor."""
        found = self.query("#finding")
        if event.grid.id != "grid-findings" or not found:
            return
        lines: list[Line] = []
        if event.row is not None:
            finding = findings_of(self.analysis.result)[event.grid.listing.thing(event.row)]
            lines = explained(finding, max(20, self.size.width - 3))
        found.first(Static).update(self.browser.text_of(lines))

    # ---- keys
    def _rows(self) -> list[int]:
        """Rows that are marked, in the order shown; else the one under the cursor."""
        grid = self.grid
        if grid is None or grid.row is None:
            return []
        return [row for row in grid.listing.rows if row in grid.marked] or [grid.row]

    def _calls(self) -> list[Call]:
        """The calls (or Call-IDs that are none) behind those rows."""
        grid = self.grid
        if grid is None:
            return []
        result = self.analysis.result
        calls: dict[str, Call] = {}
        for row in self._rows():
            if self.name_shown == "calls":
                call: Call | None = result.calls[grid.listing.thing(row)]
            else:
                call = self.browser.call_of(self._call_id(self.name_shown, grid.listing.thing(row)))
            if call is not None:
                calls.setdefault(call.call_id, call)
        return list(calls.values())

    def _call_id(self, name: str, thing: int) -> str | None:
        result = self.analysis.result
        if name == "findings":
            return self.browser.call_id_of(findings_of(result)[thing])
        found: Cell = getattr(getattr(result, name)[thing], "call_id", None)
        return None if found is None else str(found)

    async def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open the row."""
        self.action_open()

    def action_open(self) -> None:
        """Flow of the calls marked; a finding's message; a stream."""
        grid = self.grid
        if grid is None or grid.row is None:
            return
        thing = grid.listing.thing(grid.row)
        if self.name_shown == "streams":
            self.app.push_screen(StreamPage(thing))
        elif self.name_shown == "findings":
            self.browser.show_finding(findings_of(self.analysis.result)[thing])
        else:
            calls = self._calls()
            if calls:
                at = None
                if self.name_shown != "calls" and len(calls) == 1:
                    found = getattr(self.analysis.result, self.name_shown)[thing]
                    at = (found.first_frame, found.capture, found.start)
                self.browser.show_flow(calls, at)
            else:
                self.app.notify("it has no Call-ID", severity="warning")

    def action_mark(self) -> None:
        """Mark the row."""
        if self.grid is not None:
            self.grid.mark()
            self._headline()

    def action_extended(self) -> None:
        """Flow with all legs."""
        calls = self._calls()
        if calls:
            self.browser.show_flow(self.browser.legs_of(calls))

    def action_raw(self) -> None:
        """Messages as they were on the wire."""
        calls = self._calls()
        if calls:
            rows = sorted({row for call in calls for row in call.rows})
            self.app.push_screen(RawPage(calls[0].call_id if len(calls) == 1 else f"{len(calls)} calls", rows))

    def action_page(self) -> None:
        """Page of the call."""
        calls = self._calls()
        if calls:
            self.browser.show_call(calls[0])

    async def action_media(self) -> None:
        """Streams of the call: the list of streams, only with them."""
        calls = self._calls()
        if not calls:
            return
        if not any(call.streams for call in calls):
            self.app.notify("no stream belongs to it")
            return
        await self.show_tab(next(at for at, (name, _) in enumerate(TABS) if name == "streams"))
        listing = self.listings["streams"]
        numbers = {number for call in calls for number in call.streams}
        listing.rows = [row for row in listing.mine if listing.thing(row) in numbers]
        listing.wanted = Wanted(text=calls[0].call_id if len(calls) == 1 else "")
        if self.grid is not None:
            self.grid.renew()
        self._headline()

    def _show(self, listing: Listing, wanted: Wanted) -> None:
        grid = self.grid
        keep = grid.row if grid is not None else None
        listing.show(wanted)
        if grid is not None:
            grid.renew(keep)
        self._headline()

    def action_search(self) -> None:
        """Show only rows with a text, while it is typed."""
        listing = self.listings.get(self.name_shown)
        if listing is None or self.grid is None:
            return
        before = listing.wanted

        def changed(text: str) -> None:
            self._show(listing, Wanted(text, before.where, before.message))

        def done(text: object) -> None:
            if text is None:
                self._show(listing, before)

        self.app.push_screen(SearchDialog("Show only rows with this in any column", before.text, changed), done)

    def action_filter(self) -> None:
        """Ask which rows are shown."""
        listing = self.listings.get(self.name_shown)
        if listing is None:
            return

        def done(wanted: object) -> None:
            if isinstance(wanted, Wanted):
                self._show(listing, wanted)

        self.app.push_screen(FilterDialog(listing), done)

    def action_clear(self) -> None:
        """Take filters and marks away."""
        grid, listing = self.grid, self.listings.get(self.name_shown)
        if grid is not None and listing is not None:
            grid.marked.clear()
            self._show(listing, Wanted())

    def action_columns(self) -> None:
        """Choose columns."""
        listing, grid = self.listings.get(self.name_shown), self.grid
        if listing is None or grid is None:
            return

        def done(sights: object) -> None:
            if isinstance(sights, list):
                listing.sights = sights
                grid.renew(grid.row)

        self.app.push_screen(ColumnsDialog(listing), done)

    def action_sort_left(self) -> None:
        """Sort by the column to the left."""
        if self.grid is not None:
            self.grid.sort_beside(-1)

    def action_sort_right(self) -> None:
        """Sort by the column to the right."""
        if self.grid is not None:
            self.grid.sort_beside(1)

    def action_turn_sort(self) -> None:
        """Turn the order round."""
        if self.grid is not None:
            self.grid.turn()

    def action_save(self) -> None:
        """Save flow, packets, messages; the list; the summary."""
        if self.name_shown == "summary":
            self.save("summary", [lines_to_save("this page", self._summary(self.size.width))])
            return
        listing = self.listings[self.name_shown]
        things: list[Saved] = []
        calls = self._calls()
        if calls:
            things += calls_to_save(self.analysis, calls, self.browser.tz)
        if listing.mine:
            things.append(table_to_save(listing.table.take(listing.rows)))
        if things:
            self.save(calls[0].call_id if calls else self.name_shown, things)
