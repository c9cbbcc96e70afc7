"""A flow chart as SVG. Floor 8.

In: a chart. Out: one ``<svg>``, small enough to stand in a report a thousand times: it has no ids, no script and no
fonts; places are whole px; texts that do not fit are cut, and whole in the tooltip. Rows are drawn by :mod:`.svg_rows`,
what stands around them here: title, heads, lifelines, remarks, legend. Colours follow light and dark
(:mod:`.svg_look`); the ground is drawn too.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from ..cells import visible
from .escape import escaped
from .measure import cut_text, text_width, wrap_text
from .model import FlowChart, Fold, Leg, Media, Message
from .palette import KIND_WORDS, KINDS, LEGS, LOSS_STEPS
from .svg_look import KIND_CLASS, draw_line, flow_css, standalone_css
from .svg_place import DETAIL, Across, day, place_across
from .svg_rows import TOLD, Rows

__all__ = ["draw_svg", "flow_css"]

_TALL = 620
"""Height from which the heads are repeated at the foot."""
_MOST_LEGS, _MOST_REMARKS = 12, 12


def draw_svg(
    chart: FlowChart,
    tz: datetime.tzinfo = datetime.UTC,
    *,
    standalone: bool = True,
    interactive: bool = False,
    numbers: Mapping[int, int] | None = None,
    stream_numbers: Mapping[int, int] | None = None,
) -> str:
    """The chart as an SVG document, or as part of a page.

    Parameters
    ----------
    chart : FlowChart
        What is drawn.
    tz : datetime.tzinfo
        Zone in which times are shown.
    standalone : bool
        With its title, its style and a legend. A page that holds many has the style of :func:`flow_css` once.
    interactive : bool
        Give arrows (class ``m``) and bars (class ``s``) a place in the order of the Tab key, and a box to be clicked.
    numbers, stream_numbers : mapping of int to int, optional
        What is written as ``data-message`` of an arrow and ``data-stream`` of a bar, by index into ``Result.messages``
        and ``Result.streams``; these indices otherwise. One that is missing has no such attribute. A fold has the
        first of its messages.

    Returns
    -------
    str
        Begins with ``<svg``; well-formed XML whatever the chart's texts are.
    """
    across = place_across(chart)
    frame = _Frame(chart, across, tz)
    if standalone:
        frame.heading()
    frame.legs()
    frame.heads()
    top = frame.y
    rows = Rows(chart, across, tz, interactive, numbers, stream_numbers, top + 6)
    rows.draw()
    bottom = frame.y = rows.y + 6
    if bottom > _TALL:
        frame.heads(foot=True)
    frame.remarks()
    if standalone:
        frame.legend()
    title, height = escaped(chart.title[:TOLD]), frame.y + 8
    lifelines = "".join(f"M{x} {top}V{bottom}" for x in across.lifelines)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="sf" width="{across.width}" height="{height}" ',
            f'viewBox="0 0 {across.width} {height}" role="{"group" if interactive else "img"}" aria-label="{title}">',
            f"<title>{title}</title><style>{standalone_css()}</style>" if standalone else "",
            '<rect class="g" width="100%" height="100%"/>',
            f'<path class="v" d="{lifelines}"/>' if lifelines else "",
            *rows.margin(),
            *rows.parts,
            *frame.parts,
            "</svg>",
        ]
    )


class _Frame:
    """What stands around the rows, while it is drawn."""

    def __init__(self, chart: FlowChart, across: Across, tz: datetime.tzinfo) -> None:
        self.chart, self.across, self.tz = chart, across, tz
        self.parts: list[str] = []
        self.y = 8

    def heading(self) -> None:
        chart, width = self.chart, self.across.width - 16
        title = cut_text(visible(chart.title), width, 14, bold=True)
        self._text("c", 8, self.y + 14, title)
        self.y += 24

    def legs(self) -> None:
        """Which number and colour each call has, where there are several."""
        legs = self.chart.legs
        for number, leg in enumerate(legs[:_MOST_LEGS] if len(legs) > 1 else ()):
            self._leg(number, leg)
        if len(legs) > _MOST_LEGS:
            self._text("w", 16, self.y + 12, f"and {len(legs) - _MOST_LEGS} calls more")
            self.y += 16
        if len(legs) > 1:
            self.y += 6

    def heads(self, *, foot: bool = False) -> None:
        """Boxes with who is who; at the foot in one line."""
        chart, across = self.chart, self.across
        most = 1 if foot else max((len(head.lines) for head in across.heads), default=1)
        height = 14 * most + 10
        bottom = self.y + height
        if not foot:  # they stay in sight where a page scrolls them
            self.parts.append(f'<g class="hs"><path class="g" d="M0 {self.y}H{across.width}V{bottom + 2}H0z"/>')
        for x, head, participant in zip(across.lifelines, across.heads, chart.participants, strict=True):
            lines = head.lines[:1] if foot else head.lines
            at = self.y if foot else bottom - 14 * len(lines) - 10
            kind = "hd hm" if participant.role == "media" else "hd"
            self.parts.append(
                f"<g><title>{escaped(head.told[:TOLD])}</title>"
                f'<rect class="{kind}" x="{x - head.width // 2}" y="{at}" width="{head.width}" '
                f'height="{14 * len(lines) + 10}" rx="5"/>'
            )
            for number, (style, line) in enumerate(lines):
                self._text(style, x, at + 16 + 14 * number, line)
            self.parts.append("</g>")
        if not foot:
            gutter = across.gutter
            zone = self.tz.tzname(None) or str(self.tz)
            date = cut_text(f"{day(chart.start, self.tz)} {visible(zone)}", gutter.width - 8, 10)
            self._text("t", gutter.left, bottom - 16, date)
            self.parts.append(gutter.text(bottom - 3, None, "time", "offset", "gap"))
            self._text("f", across.frames, bottom - 3, "frame")
            self.parts.append("</g>")
        self.y = bottom

    def _leg(self, number: int, leg: Leg) -> None:
        width = self.across.width - 40
        title = cut_text(visible(leg.title), width, DETAIL)
        self.parts.append(
            f"<g><title>{escaped(leg.call_id[:TOLD])}</title>"
            f'<rect class="g{number % len(LEGS)}" x="8" y="{self.y + 2}" width="4" height="12"/>'
        )
        self._text("w", 16, self.y + 12, f"{number + 1}  {title}")
        self.parts.append("</g>")
        self.y += 16

    def remarks(self) -> None:
        self.y += 6
        remarks = [visible(each) for each in self.chart.remarks[:_MOST_REMARKS]]
        left = len(self.chart.remarks) - len(remarks)
        remarks += [f"and {left} remarks more"] if left else []
        for remark in remarks:
            for line in wrap_text(remark, self.across.width - 20, DETAIL, 3):
                self.y += 15
                self._text("w", 8, self.y, line)

    def legend(self) -> None:
        """Strokes that are in the chart, and the shades of bars."""
        rows = self.chart.rows
        kinds = {row.kind for row in rows if isinstance(row, Message | Fold)}
        items = [
            (f'<path class="{KIND_CLASS[kind]}" d="M0 0H22"/>', 22, KIND_WORDS[kind]) for kind in KINDS if kind in kinds
        ]
        if any(isinstance(row, Message) and row.retransmission for row in rows):
            items.append(('<g class="r"><path class="kr" d="M0 0H22"/></g>', 22, "sent again"))
        if any(isinstance(row, Media) for row in rows):
            boxes = "".join(f'<path class="s{step}" d="M{22 * step} -4h22v8h-22z"/>' for step in range(len(LOSS_STEPS)))
            limits = ", ".join(f"{limit:g}" for limit, _, _ in LOSS_STEPS[:-1])
            boxes += f'<path class="o" d="M0 -4h{22 * len(LOSS_STEPS)}v8H0z"/>'
            items.append(
                (boxes, 22 * len(LOSS_STEPS), f"RTP, time from left to right: lost or late up to {limits} %, more")
            )
        if not items:
            return
        x, self.y = 8, self.y + 18
        for drawn, width, words in items:
            room = width + 6 + int(text_width(words, 10)) + 14
            if x > 8 and x + room > self.across.width:
                x, self.y = 8, self.y + 16
            self.parts.append(f'<g transform="translate({x} {self.y - 4})">{drawn}</g>')
            self._text("y", x + width + 5, self.y, cut_text(words, self.across.width - x - width - 8, 10))
            x += room
        self.y += 2

    def _text(self, style: str, x: int, y: int, text: str) -> None:
        self.parts.append(draw_line(style, x, y, text))
