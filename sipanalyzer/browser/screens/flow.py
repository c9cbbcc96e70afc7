"""The flow of one call or several: the chart, and beside it the message under the cursor. Floor 9."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from ...output.derived import findings_of
from ...output.flow.model import FlowChart, Fold, Media, Message, Note
from ...output.terminal import Line, wrap
from ...result import Call
from ..bindings import bindings
from ..charting import COLOURS, TIMES, Choice, chart_of, drawn, row_at, trimmed
from ..explaining import explained
from ..quality import stream_sparks
from ..saving import calls_to_save
from ..sheet import Sheet
from ..wire import message_lines
from .pages import CallPage, DifferencePage, RawPage, StreamPage
from .parts import Page

__all__ = ["FlowPage"]

_WIDE = 118
"""Columns from which the message stands beside the flow; below, under it."""
_SHARES = (25, 33, 42, 50, 60, 70)
"""Percent of the screen that the message may have."""
_SHARE = 2
"""Which of them it has to begin with."""
_FEWEST_LINES = 16
"""Lines of a screen below which there is no room for a message."""


class FlowPage(Page):
    """The chart with a cursor on its rows."""

    BINDINGS = bindings("flow")
    helped = "flow"
    DEFAULT_CSS = """
    FlowPage #both { layout: horizontal; height: 1fr; }
    FlowPage #both.narrow { layout: vertical; }
    FlowPage #left { layout: vertical; width: 1fr; height: 1fr; }
    FlowPage #head { height: auto; max-height: 8; background: $background; border-bottom: none; }
    FlowPage #flow { height: 1fr; }
    FlowPage #message { border-left: solid $line; padding-left: 1; height: 1fr; }
    FlowPage #message:focus { border-left: solid $primary; }
    FlowPage .narrow #message:focus { border-left: none; border-top: solid $primary; }
    FlowPage .narrow #message { border-left: none; border-top: solid $line; padding-left: 0; width: 1fr; }
    """

    def __init__(self, calls: Sequence[Call], *, at: tuple[int | None, int | None, int | None] | None = None) -> None:
        super().__init__()
        self._calls = list(calls)
        self._alone = list(calls)
        self._wanted = at
        """Frame, capture and time of what is to be shown first."""
        self._choice = Choice()
        self._whole: FlowChart | None = None
        self._share = _SHARE
        self._preview = True
        self._painted = True
        self.chart: FlowChart | None = None

    def body(self) -> ComposeResult:
        """Chart and message."""
        with Container(id="both"):
            with Container(id="left"):
                yield Static("", id="head")
                yield Sheet(id="flow")
            yield Sheet(id="message")

    @property
    def flow(self) -> Sheet:
        """The chart."""
        return self.query_one("#flow", Sheet)

    @property
    def message(self) -> Sheet:
        """What stands beside it."""
        return self.query_one("#message", Sheet)

    def on_mount(self) -> None:
        """Draw it."""
        self.flow.focus()
        self._divide(self.size.width, self.size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other, or under each other."""
        self._divide(event.size.width, event.size.height)

    def _divide(self, width: int, height: int) -> None:
        wide = width >= _WIDE
        self.query_one("#both").set_class(not wide, "narrow")
        message = self.message
        message.display = self._preview and (wide or height >= _FEWEST_LINES)
        share = f"{_SHARES[self._share]}%"
        message.styles.width, message.styles.height = (share, "1fr") if wide else ("1fr", share)

    # ---- the chart
    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """Draw for that width."""
        if event.sheet is self.flow:
            self.draw()
        else:
            self._tell_of(self.flow.block)

    def draw(self) -> None:
        """Draw the chart; the cursor stays where it is."""
        result = self.analysis.result
        if self._whole is None:
            self._whole = chart_of(result, self._calls, fold=self._choice.fold)
        before = self._under_cursor()
        self.chart = trimmed(result, self._whole, self._choice)
        picture = drawn(self.chart, self.flow.room, self.browser.tz, self._choice, self.size.height)
        self.query_one("#head", Static).update(self.browser.text_of(picture.head))
        place = None
        if self._wanted is not None:
            frame, capture, time = self._wanted
            place = row_at(result, self.chart, frame, capture, time)
            self._wanted = None
        elif before is not None:
            place = row_at(result, self.chart, before.frame, before.capture, before.time)
        self.flow.marked.clear()
        self.flow.show(picture.lines, picture.blocks)
        if place is not None:
            self.flow.block = place
        self._headline()
        self._tell_of(self.flow.block)

    def _under_cursor(self) -> Message | Media | Note | None:
        if self.chart is None or not 0 <= self.flow.block < len(self.chart.rows):
            return None
        row = self.chart.rows[self.flow.block]
        return row if isinstance(row, Message | Media | Note) else None

    def _headline(self) -> None:
        chart, choice = self.chart, self._choice
        if chart is None:
            return
        notes: list[str] = []
        if choice.colours != COLOURS[0]:
            notes.append("colour by " + {"call": "Call-ID", "cseq": "CSeq"}[choice.colours])
        notes += ["no RTP"] * (not choice.media) + ["only SDP"] * choice.only_sdp + ["not folded"] * (not choice.fold)
        call_id = self._calls[0].call_id if len(self._calls) == 1 else ""
        self.tell(
            ("Flow ", "bold"),
            (chart.title, ""),
            (f"   {', '.join(notes)}" if notes else "", "yellow"),
            (f"   {call_id}", "dim"),
        )

    # ---- what stands beside it
    def on_sheet_moved(self, event: Sheet.Moved) -> None:
        """Show the message under the cursor."""
        if event.sheet is self.flow:
            self._tell_of(event.block)

    def _tell_of(self, block: int) -> None:
        sheet = self.message
        if self.chart is None or not sheet.display:
            return
        rows = self.chart.rows
        sheet.show(self._beside(rows[block], sheet.room) if 0 <= block < len(rows) else [])
        sheet.scroll_to(y=0, animate=False)

    def _beside(self, row: object, width: int) -> list[Line]:
        result, tz = self.analysis.result, self.browser.tz
        if isinstance(row, Message):
            return message_lines(result, row.message, tz, width=width, paint=self._painted)
        if isinstance(row, Fold):
            first = message_lines(result, row.messages[0], tz, width=width, paint=self._painted)
            return [[(text, "bold")] for text in wrap(row.text, width)] + [
                [("Enter: show every message", "dim")],
                [],
                *first,
            ]
        if isinstance(row, Media):
            lines: list[Line] = [[(text, "bold")] for text in wrap(f"{row.label}: {row.detail}", width)]
            lines += [[(text, "yellow")] for text in wrap(row.until, width)] if row.until else []
            return [*lines, [], *stream_sparks(result, row.stream, width), [], [("Enter: quality over time", "dim")]]
        if isinstance(row, Note):
            return self._finding_lines(row, width)
        return []

    def _finding_lines(self, row: Note, width: int) -> list[Line]:
        if row.code is not None:
            ids = {call.call_id for call in self._calls}
            streams = {number for call in self._calls for number in call.streams}
            for each in findings_of(self.analysis.result):
                own = each.call_id in ids or each.stream in streams
                if own and (each.code, each.frame) == (row.code, row.frame):
                    return [*explained(each, width, apart=True), [], [("Enter: page of the call", "dim")]]
        return [[(text, "bold")] for text in wrap(row.text, width)]

    # ---- keys
    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Open what is under the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """The message in full, a stream, a finding; a fold is unfolded."""
        if self.chart is None or not 0 <= self.flow.block < len(self.chart.rows):
            return
        row = self.chart.rows[self.flow.block]
        if isinstance(row, Message):
            self.app.push_screen(RawPage(row.label, [row.message]))
        elif isinstance(row, Media):
            self.app.push_screen(StreamPage(row.stream))
        elif isinstance(row, Note):
            self.app.push_screen(CallPage(self._calls[row.leg or 0], row.code or ""))
        elif isinstance(row, Fold):
            messages = self.analysis.result.messages
            first = row.messages[0]
            self._wanted = (int(messages.frame[first]), int(messages.capture[first]), row.time)
            self.action_unfold()

    def action_compare(self) -> None:
        """Mark a message; with the second one compare."""
        if self.chart is None or not 0 <= self.flow.block < len(self.chart.rows):
            return
        flow = self.flow
        if not isinstance(self.chart.rows[flow.block], Message):
            self.app.notify("only messages are compared")
            return
        flow.marked ^= {flow.block}
        flow.refresh()
        if len(flow.marked) == 2:
            rows = [self.chart.rows[at] for at in sorted(flow.marked)]
            first, second = (row.message for row in rows if isinstance(row, Message))
            flow.marked.clear()
            self.app.push_screen(DifferencePage(first, second))
        elif flow.marked:
            self.app.notify("Space on a second message compares the two")

    def action_extended(self) -> None:
        """All legs, or the call alone."""
        if self._calls != self._alone:
            self._calls = list(self._alone)
        else:
            legs = self.browser.legs_of(self._alone)
            if len(legs) == len(self._alone):
                self.app.notify("its conversation has no other legs here")
                return
            self._calls = legs
        self._again()

    def _again(self) -> None:
        row = self._under_cursor()
        if row is not None and self._wanted is None:
            self._wanted = (row.frame, row.capture, row.time)
        self._whole = None
        self.draw()

    def _choose(self, **changes: object) -> None:
        self._choice = dataclasses.replace(self._choice, **changes)  # type: ignore[arg-type]
        self.draw()

    def action_raw(self) -> None:
        """All messages."""
        rows = sorted({row for call in self._calls for row in call.rows})
        self.app.push_screen(RawPage(self._calls[0].call_id, rows))

    def action_page(self) -> None:
        """Page of the call."""
        row = self._under_cursor()
        leg = (row.leg if row is not None else 0) or 0
        if leg < len(self._calls):
            self.browser.show_call(self._calls[leg])

    def action_media(self) -> None:
        """Streams and keys, or none."""
        self._choose(media=not self._choice.media)

    def action_sdp(self) -> None:
        """What SDP says, or not."""
        self._choose(detail=not self._choice.detail)

    def action_only_sdp(self) -> None:
        """Only messages with SDP, or all."""
        self._choose(only_sdp=not self._choice.only_sdp)

    def action_colours(self) -> None:
        """By what arrows are coloured."""
        self._choose(colours=COLOURS[(COLOURS.index(self._choice.colours) + 1) % len(COLOURS)])

    def action_times(self, step: int = 1) -> None:
        """What stands before a row."""
        self._choose(times=TIMES[(TIMES.index(self._choice.times) + step) % len(TIMES)])

    def action_times_back(self) -> None:
        """Likewise, the other way round."""
        self.action_times(-1)

    def action_unfold(self) -> None:
        """Every message, or exchanges that repeat folded."""
        self._choice = dataclasses.replace(self._choice, fold=not self._choice.fold)
        self._again()

    def _finding(self, step: int) -> None:
        if self.chart is None:
            return
        places = [at for at, row in enumerate(self.chart.rows) if isinstance(row, Note) and row.severity]
        places += [at for at, row in enumerate(self.chart.rows) if isinstance(row, Message | Media) and row.severity]
        places.sort()
        now = self.flow.block
        further = [at for at in places if (at > now if step > 0 else at < now)]
        if further:
            self.flow.block = further[0] if step > 0 else further[-1]
        else:
            self.app.notify("no finding further " + ("down" if step > 0 else "up") if places else "no finding")

    def action_next_finding(self) -> None:
        """On to the next finding."""
        self._finding(1)

    def action_previous_finding(self) -> None:
        """Back to the finding before."""
        self._finding(-1)

    def action_preview(self) -> None:
        """Show or hide the message."""
        self._preview = not self._preview
        self._divide(self.size.width, self.size.height)

    def action_paint(self) -> None:
        """Colours of headers, or not."""
        self._painted = not self._painted
        self._tell_of(self.flow.block)

    def action_usual_share(self) -> None:
        """As much room for the message as at the beginning."""
        self._preview = True
        self._more(_SHARE - self._share)

    def _more(self, step: int) -> None:
        self._share = max(0, min(self._share + step, len(_SHARES) - 1))
        self._divide(self.size.width, self.size.height)

    def action_wider(self) -> None:
        """More room for the message."""
        self._more(1)

    def action_narrower(self) -> None:
        """Less room for the message."""
        self._more(-1)

    def action_save(self) -> None:
        """Save flow, packets, messages."""
        self.save(self._calls[0].call_id, calls_to_save(self.analysis, self._calls, self.browser.tz))
