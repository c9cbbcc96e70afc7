"""A page of styled lines of any length: scrolled, searched, and with a cursor on blocks of lines. Floor 9.

In: lines (see :mod:`..output.terminal`), and of which block each is. Out: a Textual widget that draws only the lines on
the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..output.cells import visible
from ..output.terminal import Line, width_of
from .bindings import bindings
from .look import rich_style

__all__ = ["Sheet"]


class Sheet(ScrollView, can_focus=True):
    """The page.

    Attributes
    ----------
    block : int
        The block that the cursor stands on; -1 where the page has no blocks.
    marked : set of int
        Blocks that are marked.
    """

    COMPONENT_CLASSES = {"sheet--cursor", "sheet--mark", "sheet--found"}
    DEFAULT_CSS = """
    Sheet { background: $background; color: $foreground; scrollbar-size: 1 1; }
    Sheet > .sheet--cursor { background: $block-cursor-background; }
    Sheet > .sheet--mark { text-style: reverse; }
    Sheet > .sheet--found { background: $warning 40%; text-style: bold underline; }
    """
    BINDINGS = [*bindings("moving"), Binding("enter", "choose", "Open", show=False)]

    block: reactive[int] = reactive(-1, init=False)

    class Moved(Message):
        """The cursor stands on another block."""

        def __init__(self, sheet: Sheet, block: int) -> None:
            super().__init__()
            self.sheet, self.block = sheet, block

    class Chosen(Message):
        """A block was opened."""

        def __init__(self, sheet: Sheet, block: int) -> None:
            super().__init__()
            self.sheet, self.block = sheet, block

    class Resized(Message):
        """The page is to be made anew for another width."""

        def __init__(self, sheet: Sheet, width: int) -> None:
            super().__init__()
            self.sheet, self.width = sheet, width

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[Line] = []
        self.blocks: Sequence[int] = []
        self.marked: set[int] = set()
        self.sought = ""
        self._begins: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._width = 0

    def show(self, lines: Sequence[Line], blocks: Sequence[int] = ()) -> None:
        """Show these lines; `blocks` says of each to which block it belongs (-1: none), in order."""
        self.lines, self.blocks = lines, blocks
        self._begins, self._ends = {}, {}
        for at, block in enumerate(blocks):
            if block >= 0:
                self._begins.setdefault(block, at)
                self._ends[block] = at
        wide = max((sum(width_of(text) for text, _ in line) for line in lines), default=0)
        self.virtual_size = Size(wide, len(lines))
        if self._begins and self.block not in self._begins:
            self.set_reactive(Sheet.block, next(iter(self._begins)))
        self._show_block()
        self.refresh()

    @property
    def room(self) -> int:
        """Columns that a line may have without being cut."""
        return max(1, self.size.width - 1)

    def on_resize(self, event: events.Resize) -> None:
        """Ask for lines of another width."""
        if self.room != self._width:
            self._width = self.room
            self.post_message(self.Resized(self, self.room))
        self._show_block()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.scrollable_content_region.width
        ground = self.rich_style
        scroll_x, scroll_y = (int(each) for each in self.scroll_offset)
        at = scroll_y + y
        if at >= len(self.lines):
            return Strip.blank(width, ground)
        block = self.blocks[at] if self.blocks else -1
        if block >= 0 and block == self.block:
            ground += self.get_component_rich_style("sheet--cursor")
        parts = [Segment(visible(text), rich_style(style)) for text, style in self.lines[at]]
        if block in self.marked:
            mark = self.get_component_rich_style("sheet--mark", partial=True)
            parts = [Segment(part.text, (part.style or rich_style("")) + mark) for part in parts]
        if self.sought:
            parts = self._found(parts)
        return Strip(parts).apply_style(ground).crop_extend(scroll_x, scroll_x + width, ground)

    def _found(self, parts: list[Segment]) -> list[Segment]:
        """The places at which what is sought stands, marked."""
        text = "".join(part.text for part in parts).lower()
        at = text.find(self.sought)
        if at < 0 or len(text) != sum(len(part.text) for part in parts):  # lower() may lengthen a text
            return parts
        hits = []
        while at >= 0:
            hits.append((at, at + len(self.sought)))
            at = text.find(self.sought, at + len(self.sought))
        mark = self.get_component_rich_style("sheet--found", partial=True)
        marked: list[Segment] = []
        begin = 0
        for part in parts:
            end = begin + len(part.text)
            style = part.style or rich_style("")
            place = begin
            for first, last in hits:
                first, last = max(first, begin), min(last, end)
                if first < last:
                    marked.append(Segment(part.text[place - begin : first - begin], style))
                    marked.append(Segment(part.text[first - begin : last - begin], style + mark))
                    place = last
            marked.append(Segment(part.text[place - begin :], style))
            begin = end
        return [part for part in marked if part.text]

    # ---- moving
    def watch_block(self, before: int, now: int) -> None:
        """Show the cursor, and tell of it."""
        self._show_block()
        self.refresh()
        self.post_message(self.Moved(self, now))

    def _show_block(self) -> None:
        if self.block not in self._begins:
            return
        top, room = int(self.scroll_offset.y), max(1, self.scrollable_content_region.height)
        begin, end = self._begins[self.block], self._ends[self.block]
        if self.block == next(iter(self._begins)):
            begin = 0  # what stands above the first row
        if begin < top:
            self.scroll_to(y=begin, animate=False)
        elif end >= top + room:
            self.scroll_to(y=min(begin, end - room + 1) if end - begin < room else begin, animate=False)

    def _step(self, by: int) -> None:
        order = list(self._begins)
        place = order.index(self.block) if self.block in self._begins else 0
        self.block = order[max(0, min(place + by, len(order) - 1))]

    def _scroll(self, by: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + by, animate=False)

    def action_up(self) -> None:
        """One row, or line, up."""
        self._step(-1) if self._begins else self._scroll(-1)

    def action_down(self) -> None:
        """One row, or line, down."""
        self._step(1) if self._begins else self._scroll(1)

    def _page(self, way: int, parts: int = 1) -> None:
        height = max(1, (self.scrollable_content_region.height - 1) // parts)
        if not self._begins:
            self._scroll(way * height)
            return
        target = self._begins.get(self.block, 0) + way * height
        reached = [block for block, at in self._begins.items() if (at <= target if way > 0 else at >= target)]
        order = list(self._begins)
        self.block = (reached[-1] if way > 0 else reached[0]) if reached else order[0 if way < 0 else -1]

    def action_page_up(self) -> None:
        """One page up."""
        self._page(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._page(1)

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._page(-1, 2)

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._page(1, 2)

    def action_first(self) -> None:
        """To the beginning."""
        if self._begins:
            self.block = next(iter(self._begins))
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """To the end."""
        if self._begins:
            self.block = list(self._begins)[-1]
        self.scroll_to(y=len(self.lines), animate=False)

    def action_to_left(self) -> None:
        """Show what is further left."""
        self.scroll_to(x=max(0, self.scroll_offset.x - 16), animate=False)

    def action_to_right(self) -> None:
        """Show what is further right."""
        self.scroll_to(x=self.scroll_offset.x + 16, animate=False)

    def action_choose(self) -> None:
        """Open the block."""
        if self.block >= 0:
            self.post_message(self.Chosen(self, self.block))

    def on_click(self, event: events.Click) -> None:
        """Go to the block that was clicked; twice: open it."""
        offset = event.get_content_offset(self)
        if offset is None or not self.blocks:
            return
        at = offset.y + int(self.scroll_offset.y)
        if at < len(self.blocks) and self.blocks[at] >= 0:
            self.block = self.blocks[at]
            if event.chain == 2:
                self.action_choose()

    # ---- searching
    def find(self, text: str, *, backwards: bool = False, onwards: bool = False) -> bool:
        """Go to the next line with that text (whatever its case), round the end; whether there is one."""
        self.sought = text.lower()
        self.refresh()
        if not text:
            return True
        count = len(self.lines)
        start = self._begins.get(self.block, int(self.scroll_offset.y))
        step = -1 if backwards else 1
        first = start + step if onwards else start
        for turn in range(count):
            at = (first + step * turn) % count
            if self.sought in "".join(piece for piece, _ in self.lines[at]).lower():
                if self.blocks and self.blocks[at] >= 0:
                    self.block = self.blocks[at]
                else:
                    self.scroll_to(y=at, animate=False)
                return True
        return False
