"""A flow chart as the browser shows it: what is left out, how it is coloured, which line is of which row. Floor 9.

In: a chart (:mod:`..output.flow.model`). Out: lines with the row that each belongs to. No Textual.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ..output.flow.chart import make_chart
from ..output.flow.model import FlowChart, Fold, Keys, Media, Message, Note, Row
from ..output.flow.palette import KINDS
from ..output.terminal import Line
from ..result import Call, Result

__all__ = ["COLOURS", "TIMES", "Choice", "Picture", "chart_of", "drawn", "row_at", "stand_in", "trimmed"]

COLOURS = ("kind", "call", "cseq")
"""By what arrows are coloured."""
TIMES = ("seconds", "clock", "gap", "frame")
"""What stands beside a row first: seconds since the beginning (and what there is room for), clock, gap, frame alone."""
_MARGINS = {"seconds": (), "clock": ("frame", "clock"), "gap": ("clock", "gap"), "frame": ("frame",)}
_LOW = 30
"""Lines of a screen below which rows need the room more than the heading."""
_CYCLE = ("blue", "yellow", "green", "magenta", "cyan", "red")


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a chart is shown, and how."""

    media: bool = True
    detail: bool = True
    only_sdp: bool = False
    fold: bool = True
    colours: str = COLOURS[0]
    times: str = TIMES[0]


def stand_in(result: Result, call_id: str) -> Call:
    """A call in name only: the messages of a Call-ID that is none (registrations, OPTIONS...), so that it is drawn.

    Raises
    ------
    ValueError
        If no message has that Call-ID.
    """
    messages = result.messages
    texts = messages.texts.get("call_id", [])
    if call_id not in texts:
        raise ValueError("no message has that Call-ID")
    rows = tuple(int(row) for row in (messages.call_id == texts.index(call_id)).nonzero()[0])
    if not rows:
        raise ValueError("no message has that Call-ID")
    first, last = rows[0], rows[-1]
    given = {
        "call_id": call_id,
        "state": (messages.text("method", first) or "?").lower(),
        "src": messages.endpoints[int(messages.src[first])],
        "dst": messages.endpoints[int(messages.dst[first])],
        "from_uri": messages.text("from_uri", first),
        "to_uri": messages.text("to_uri", first),
        "messages": len(rows),
        "retransmissions": int(messages.retransmission[list(rows)].sum()),
        "capture": int(messages.capture[first]),
        "first_frame": int(messages.frame[first]),
        "last_frame": int(messages.frame[last]),
        "first_time": int(messages.time[first]),
        "last_time": int(messages.time[last]),
        "rows": rows,
        "caller": _user(messages.text("from_uri", first)),
        "callee": _user(messages.text("to_uri", first)),
    }
    plain: dict[str, object] = {"dialogs": 0, "dtmf_info": False, "dtmf_negotiated": False, "partial": False}
    plain |= {"codecs_offered": (), "codecs_answered": ()}
    unknown = {each.name: None for each in dataclasses.fields(Call) if each.default is dataclasses.MISSING}
    return Call(**(unknown | plain | given))  # type: ignore[arg-type]


def _user(uri: str | None) -> str | None:
    if uri is None:
        return None
    user = uri.partition(":")[2].partition("@")[0]
    return user or uri


def chart_of(result: Result, calls: Sequence[Call], *, fold: bool = True) -> FlowChart:
    """The chart of some calls."""
    return make_chart(result, calls, fold=fold)


def trimmed(result: Result, chart: FlowChart, choice: Choice) -> FlowChart:
    """The chart with only those rows and words that are wanted."""
    rows: list[Row] = []
    for row in chart.rows:
        if isinstance(row, Media | Keys) and not choice.media:
            continue
        if choice.only_sdp and not (isinstance(row, Message) and result.messages.body_length[row.message] > 0):
            continue
        if isinstance(row, Message) and not choice.detail and row.detail is not None:
            row = dataclasses.replace(row, detail=None)
        rows.append(row)
    return dataclasses.replace(chart, rows=tuple(rows))


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart drawn for the screen."""

    head: list[Line]
    """The participants; it stays where it is while the rows are scrolled."""
    lines: list[Line]
    blocks: list[int]
    """Of each line the row that it belongs to; -1: none."""


def drawn(chart: FlowChart, width: int, tz: datetime.tzinfo, choice: Choice, height: int = 60) -> Picture:
    """Draw a chart.

    Parameters
    ----------
    chart : FlowChart
        What is drawn.
    width : int
        Columns.
    tz : datetime.tzinfo
        Zone of clock times.
    choice : Choice
        How.
    height : int
        Lines of the screen: on a low one the participants stay in sight on one line, and the whole heading is scrolled.
    """
    from ..output.flow.text import draw_parts

    parts = draw_parts(chart, width, tz, _MARGINS[choice.times])
    head = parts.head
    lines: list[Line] = [*parts.legs]
    if height < _LOW and len(head) > 1:
        lines, head = [*parts.legs, *head], [parts.again] if parts.again else []
    blocks = [-1] * len(lines)
    for at, (row, part) in enumerate(zip(chart.rows, parts.rows, strict=True)):
        lines += part if choice.colours == COLOURS[0] else [_recoloured(line, row, choice.colours) for line in part]
        blocks += [at] * len(part)
    if parts.remarks:
        lines += [[], *parts.remarks]
        blocks += [-1] * (1 + len(parts.remarks))
    return Picture(head, lines, blocks)


def _recoloured(line: Line, row: Row, by: str) -> Line:
    """The line with what had the colour of the message's kind in that of its call, or its CSeq."""
    if not isinstance(row, Message) or row.kind not in KINDS:
        return line
    old = KINDS[row.kind].terminal
    number = row.leg if by == "call" else row.cseq or 0
    new = _CYCLE[number % len(_CYCLE)]
    return [(text, new if style == old and text.strip() else style) for text, style in line]


def row_at(result: Result, chart: FlowChart, frame: int | None, capture: int | None, time: int | None) -> int | None:
    """The row that shows a frame; else the last one that is not later than the time; None where that says nothing."""
    if frame is not None:
        for at, row in enumerate(chart.rows):
            if isinstance(row, Message) and (row.frame, row.capture) == (frame, capture or 0):
                return at
        for at, row in enumerate(chart.rows):
            if isinstance(row, Fold):
                messages = result.messages
                if any(
                    (messages.frame[each], messages.capture[each]) == (frame, capture or 0) for each in row.messages
                ):
                    return at
            elif isinstance(row, Media | Keys | Note) and (row.frame, row.capture) == (frame, capture or 0):
                return at
    if time is not None:
        earlier = [at for at, row in enumerate(chart.rows) if row.time <= time]
        return earlier[-1] if earlier else 0 if chart.rows else None
    return None
