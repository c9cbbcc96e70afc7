"""A list of any length: heading, rows, a cursor, marks. Floor 9.

In: a :class:`~.listing.Listing`. Out: a Textual widget that draws only the rows on the screen, so that 50,000 rows
open and scroll like fifty.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .bindings import bindings
from .listing import Listing
from .look import rich_style
from .sights import right_aligned

__all__ = ["Grid"]

_EDGE = 2
"""Columns before a row, for its mark."""


class Grid(ScrollView, can_focus=True):
    """The list."""

    COMPONENT_CLASSES = {"grid--head", "grid--cursor", "grid--mark", "grid--sorted"}
    DEFAULT_CSS = """
    Grid { background: $background; color: $foreground; scrollbar-size: 1 1; }
    Grid > .grid--head { background: $surface; color: $foreground; text-style: bold; }
    Grid > .grid--sorted { background: $surface; color: $primary; text-style: bold; }
    Grid > .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    Grid > .grid--mark { color: $primary; text-style: bold; }
    """
    BINDINGS = [*bindings("moving"), Binding("enter", "choose", "Show", show=False)]

    at: reactive[int] = reactive(0, init=False)
    """Where the cursor stands: a place in ``listing.rows``."""

    class Chosen(Message):
        """A row was opened."""

        def __init__(self, grid: Grid, row: int) -> None:
            super().__init__()
            self.grid, self.row = grid, row

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, grid: Grid, row: int | None) -> None:
            super().__init__()
            self.grid, self.row = grid, row

    class Sorted(Message):
        """The list is sorted in another way."""

    def __init__(self, listing: Listing, id: str | None = None) -> None:
        super().__init__(id=id)
        self.listing = listing
        self.marked: set[int] = set()
        self._widths: list[int] = []

    # ---- what is shown
    @property
    def row(self) -> int | None:
        """Row of the table under the cursor."""
        rows = self.listing.rows
        return rows[self.at] if 0 <= self.at < len(rows) else None

    def on_mount(self) -> None:
        """Lay out once the size is known."""
        self.renew()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out anew."""
        self.renew()

    def renew(self, keep: int | None = None) -> None:
        """Draw anew after rows or columns have changed; the cursor stays on row `keep`, if that is still there."""
        listing = self.listing
        self._widths = listing.widths(max(20, self.size.width - _EDGE - 1))
        total = _EDGE + sum(self._widths) + max(0, len(self._widths) - 1)
        self.virtual_size = Size(max(total, self.size.width - 1), len(listing.rows) + 1)
        if keep is not None:
            self.at = next((at for at, row in enumerate(listing.rows) if row == keep), 0)
        self.at = max(0, min(self.at, len(listing.rows) - 1))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved(self, self.row))

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.scrollable_content_region.width
        ground = self.rich_style
        scroll_x, scroll_y = self.scroll_offset
        if y == 0:
            strip = self._head()
            ground = self.get_component_rich_style("grid--head")
        else:
            place = int(scroll_y) + y - 1
            if place >= len(self.listing.rows):
                return Strip.blank(width, ground)
            strip = self._row(place)
            if place == self.at:
                ground += self.get_component_rich_style("grid--cursor")
        return strip.apply_style(ground).crop_extend(int(scroll_x), int(scroll_x) + width, ground)

    def _head(self) -> Strip:
        listing = self.listing
        parts = [Segment(" " * _EDGE)]
        for at, (sight, width) in enumerate(zip(listing.sights, self._widths, strict=True)):
            title = listing.title(sight)[:width]
            text = title.rjust(width) if right_aligned(listing.name, sight.name) else title.ljust(width)
            chosen = listing.sort is not None and listing.sort[0] == sight.name
            style = self.get_component_rich_style("grid--sorted") if chosen else Style.null()
            parts.append(Segment(text, style))
            if at < len(self._widths) - 1:
                parts.append(Segment(" "))
        return Strip(parts)

    def _row(self, place: int) -> Strip:
        listing = self.listing
        row = listing.rows[place]
        marked = row in self.marked
        edge = self.get_component_rich_style("grid--mark", partial=True) if marked else Style.null()
        parts = [Segment("* " if marked else "  ", edge)]
        last = len(self._widths) - 1
        for at, (sight, width) in enumerate(zip(listing.sights, self._widths, strict=True)):
            text, style = listing.cell(row, sight, width)
            parts.append(Segment(text if at == last else text + " ", rich_style(style)))
        return Strip(parts)

    # ---- the cursor
    def watch_at(self, before: int, now: int) -> None:
        """Show the cursor, and tell of it."""
        self._show_cursor()
        for place in (before, now):
            self._refresh_row(place)
        self.post_message(self.Moved(self, self.row))

    def _refresh_row(self, place: int) -> None:
        y = place + 1 - int(self.scroll_offset.y)
        if 0 < y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _show_cursor(self) -> None:
        room = max(1, self.scrollable_content_region.height - 1)
        top = int(self.scroll_offset.y)
        if self.at < top:
            self.scroll_to(y=self.at, animate=False)
        elif self.at >= top + room:
            self.scroll_to(y=self.at - room + 1, animate=False)

    def _go(self, place: int) -> None:
        self.at = max(0, min(place, len(self.listing.rows) - 1))

    def action_up(self) -> None:
        """One row up."""
        self._go(self.at - 1)

    def action_down(self) -> None:
        """One row down."""
        self._go(self.at + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._go(self.at - max(1, self.size.height - 2))

    def action_page_down(self) -> None:
        """One page down."""
        self._go(self.at + max(1, self.size.height - 2))

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._go(self.at - max(1, (self.size.height - 1) // 2))

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._go(self.at + max(1, (self.size.height - 1) // 2))

    def action_first(self) -> None:
        """To the first row."""
        self._go(0)

    def action_last(self) -> None:
        """To the last row."""
        self._go(len(self.listing.rows) - 1)

    def action_to_left(self) -> None:
        """Show what is further left."""
        self.scroll_to(x=max(0, self.scroll_offset.x - 16), animate=False)

    def action_to_right(self) -> None:
        """Show what is further right."""
        self.scroll_to(x=self.scroll_offset.x + 16, animate=False)

    def action_choose(self) -> None:
        """Open the row."""
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row))

    def mark(self) -> None:
        """Mark the row or take its mark away."""
        if self.row is not None:
            self.marked ^= {self.row}
            self._refresh_row(self.at)

    # ---- sorting
    def sort_by(self, name: str | None, descending: bool = False) -> None:
        """Sort, the cursor staying on its row."""
        keep = self.row
        self.listing.sort_by(name, descending)
        self.renew(keep)
        self.post_message(self.Sorted())

    def sort_beside(self, step: int) -> None:
        """Sort by the column `step` further right than the one that it is sorted by."""
        names = [each.name for each in self.listing.sights]
        now = self.listing.sort[0] if self.listing.sort else None
        at = names.index(now) + step if now in names else (0 if step > 0 else len(names) - 1)
        at = max(0, min(at, len(names) - 1))
        self.sort_by(names[at], self.listing.sort[1] if self.listing.sort else False)
        self._show_column(at)

    def turn(self) -> None:
        """Turn the order round."""
        name, descending = self.listing.sort or (self.listing.sights[0].name, False)
        self.sort_by(name, not descending)

    def _show_column(self, at: int) -> None:
        begin = _EDGE + sum(self._widths[:at]) + at
        end, room = begin + self._widths[at], self.scrollable_content_region.width
        if begin < self.scroll_offset.x:
            self.scroll_to(x=begin, animate=False)
        elif end > self.scroll_offset.x + room:
            self.scroll_to(x=end - room, animate=False)

    def on_click(self, event: events.Click) -> None:
        """On the heading: sort by that column; on a row: go there; twice: open it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            at = self._column_at(offset.x + int(self.scroll_offset.x))
            if at is not None:
                name = self.listing.sights[at].name
                now = self.listing.sort
                self.sort_by(name, now is not None and now == (name, False))
            return
        place = offset.y - 1 + int(self.scroll_offset.y)
        if place < len(self.listing.rows):
            self.at = place
            if event.chain == 2:
                self.action_choose()

    def _column_at(self, x: int) -> int | None:
        begin = _EDGE
        for at, width in enumerate(self._widths):
            if begin <= x < begin + width + 1:
                return at
            begin += width + 1
        return None
