"""A table for people: aligned, never wrapped, with the columns that fit. Floor 8.

In: a table, a width, a time zone. Out: lines of (text, style) pieces, which :func:`write_lines` writes in colour on a
terminal (with rich, loaded only then) and plain elsewhere.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from .cells import Cell, moment, people, visible
from .columns import Column

if TYPE_CHECKING:
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["Layout", "Line", "cut", "draw_table", "fit", "lay_out", "width_of", "write_lines"]

Line = list[tuple[str, str]]
"""Pieces of text with a rich style each; an empty style is plain."""

GAP = 2
NARROW = 14
"""Width that a text column shrinks to before columns are left out."""
WIDE = 60
"""Width beyond which a text is cut even where there is room, unless the column was asked for by name."""

_SHOWN = {
    "calls": "start:4 caller:2 callee:3 state:1 status_code:5 reason:13 post_dial_delay_ms:7 duration_s:6 codecs:8:9 "
    "streams:16 packets:14 loss_percent:9 max_jitter_ms:12 mos:10 findings:15:20 one_way:25 release_cause:20 "
    "src:17 dst:18 user_agent:21 server:22 retransmissions:23 transport:19 first_frame:24 call_id:11",
    "streams": "start:21 src:1 src_port:2 dst:3 dst_port:4 ssrc:10 codec:5 packets:6 lost:12 loss_percent:7 "
    "max_jitter_ms:8 mos:9 mean_jitter_ms:15 max_delta_ms:13 discarded_percent:14 duplicates:18 out_of_order:17 "
    "restarts:19 rtcp_lost_percent:25 rtt_ms:26 dtmf:27 findings:28:20 "
    "duration_s:11 direction:16 ptime_ms:20 kbit_s:29 dscp:22 matched:23 call_id:24",
    "messages": "frame:3 time:1 src:4 dst:5 summary:2:24 transport:9 retransmission:7 cseq:8 call_id:6 user_agent:10",
    "dialogs": "start:1 state:2 local_uri:3 remote_uri:4 confirmed:6 end:7 call_id:5 from_tag:8 to_tag:9",
    "transactions": "start:1 method:2 src:3 dst:4 status_code:5 first_response_ms:6 final_response_ms:7 "
    "retransmissions:8 call_id:9 branch:10",
    "registrations": "start:3 aor:1:20 state:2 status_code:5 registrar:4 contact:9 expires_s:6 refresh:10 attempts:8 "
    "registration_delay_ms:7 source:11 call_id:12",
    "pages": "time:3 from_uri:1 to_uri:2 status_code:4 delivery_ms:6 size_bytes:7 request_bytes:8 over_limit:5 "
    "text:9:20 content_type:10 src:12 dst:13 call_id:11",
    "subscriptions": "start:5 event:1 subscriber:2 notifier:3 state:4 expires_s:7 notifies:6 status_code:8 call_id:9",
    "endpoints": "address:1:15 roles:2 products:9:20 messages_sent:3 messages_received:4 calls:5 answered:6 "
    "asr_percent:10 mean_response_ms:7 p95_response_ms:8 retransmissions:13 loss_percent_to:11 loss_percent_from:12",
    "probes": "src:1 dst:2 sent:3 answered:4 answered_percent:5 mean_response_ms:6 max_response_ms:7",
    "findings": "severity:2 code:1:20 time:6 explanation:3:40 call_id:5 frame:4 ssrc:8 affects:9 doubtful:7 "
    "advice:10:40",
    "statistics": "metric:1 value:2 unit:3 basis:4 scope:5 note:6:30",
    "intervals": "stream:1 start:2 packets:3 lost:4 discarded:5 max_jitter_ms:6 r_factor:8 mos:7 ssrc:9 call_id:10",
    "rtcp": "time:1 type:2 src:3 dst:4 ssrc:9 reported_ssrc:5 fraction_lost_percent:6 cumulative_lost:7 jitter_ms:8 "
    "rtt_ms:10 values:11:20 call_id:12",
    "captures": "file:1:24 format:4 link_types:6 packets:2 bytes:7 first:3 last:5 cut_packets:10 dropped:11 "
    "clock_steps:12 grade:13 doubts:14:30 duplicated_percent:15 anomalies:9:24 damage:8:24",
}
"""What a terminal shows: columns from left to right, each with its rank (1 is the last to be left out), and the width
that it is not cut below (:data:`NARROW` where none is given)."""

_PATHS = ("file", "capture")
_HIDDEN_WHEN_ZERO = frozenset({
    "cut_packets", "dropped", "clock_steps", "retransmission", "retransmissions", "duplicates", "out_of_order",
    "restarts",
})  # fmt: skip
"""Columns that say something only where one row has something."""

_GOOD, _FAIR, _BAD, _DIM = "green", "yellow", "red", "dim"
_STATES = {
    "completed": _GOOD, "in-call": _GOOD, "confirmed": _GOOD, "cancelled": _FAIR, "busy": _FAIR, "no-answer": _FAIR,
    "registered": _GOOD, "active": _GOOD, "no-response": _BAD, "challenged": _FAIR,
    "redirected": _FAIR, "rejected": _BAD, "failed": _BAD, "ringing": "cyan", "setup": "cyan", "early": "cyan",
}  # fmt: skip
_LIMITS = {
    "loss_percent": (1.0, 5.0), "max_jitter_ms": (30.0, 60.0), "post_dial_delay_ms": (8_000.0, 11_000.0),
    "discarded_percent": (1.0, 5.0), "effective_loss_percent": (1.0, 5.0), "rtcp_lost_percent": (1.0, 5.0),
}  # fmt: skip
"""From here a figure is shown as fair, and as bad: the thresholds of the findings."""
_BAD_IF_ANY = frozenset({"damage", "one_way", "dropped", "cut_packets", "restarts", "over_limit"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are drawn, and how wide."""

    columns: list[Column]
    widths: list[int]
    heads: list[list[str]]
    """Lines of each column's heading."""
    dates: list[bool]
    """Whether times of the column show their date (else it stands in the heading)."""
    tz: datetime.tzinfo
    left_out: list[str] = field(default_factory=list)
    """Columns that hold something and found no room."""


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal (East Asian wide characters take two, combining ones none)."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(each) for each in text)


def _cell_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """The text, cut with ``…`` where it is wider than `width`."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for each in text:
        used += _cell_width(each)
        if used > width - 1:
            break
        kept.append(each)
    return "".join(kept) + "…" if width > 0 else ""


def _cut_path(text: str, width: int) -> str:
    """A file's name, cut at its beginning: what tells files apart stands at the end."""
    if width_of(text) <= width or width < 2:
        return cut(text, width)
    return "…" + cut(text[::-1], width).removesuffix("…")[::-1]


def fit(line: Line, width: int) -> Line:
    """The line with harmless text, cut to `width`."""
    fitted: Line = []
    for text, style in line:
        short = cut(visible(text), width)
        width -= width_of(short)
        if short:
            fitted.append((short, style))
    return fitted


def lay_out(table: Table, width: int | None, tz: datetime.tzinfo, *, chosen: bool = False) -> Layout:
    """Choose the columns that fit.

    Parameters
    ----------
    table : Table
        What is to be shown.
    width : int or None
        Columns of the terminal; None: as many as are needed.
    tz : datetime.tzinfo
        Zone in which times are shown.
    chosen : bool
        The user named the columns: all are shown in that order, cut narrower, while they fit at all.
    """
    ranks: dict[str, int] = {}
    leasts: dict[str, int] = {}
    for item in _SHOWN.get(table.name, "").split():
        name, rank, *width_text = item.split(":")
        ranks[name], leasts[name] = int(rank), int(width_text[0]) if width_text else NARROW
    if chosen or not ranks:
        order = [(at, each.name) for at, each in enumerate(table.columns)]
    else:
        order = [(ranks[name], name) for name in ranks]
    by_name = {each.name: (each, values) for each, values in zip(table.columns, table.data, strict=True)}
    room = width if width is not None else sys.maxsize
    measured: dict[str, _Measure] = {}
    widths: dict[str, int] = {}
    left_out = []
    for _, name in sorted(order):
        column, values = by_name[name]
        if not chosen and len(table) and _says_nothing(name, values):
            continue
        if room <= GAP:
            left_out.append(name)
            continue
        measured[name] = measure = _measured(
            column, values, tz, leasts.get(name, NARROW), sys.maxsize if chosen else WIDE
        )
        gap = GAP if widths else 0
        if measure.least + gap <= room or not widths:
            widths[name] = min(measure.least, room)
            room -= widths[name] + gap
        else:
            left_out.append(name)
    for name in widths:  # in order of rank: who was chosen first grows first
        grow = max(0, min(measured[name].natural - widths[name], room))
        widths[name] += grow
        room -= grow
    shown = [name for _, name in order if name in widths]
    return Layout(
        [by_name[name][0] for name in shown], [widths[name] for name in shown], [measured[name].head for name in shown],
        [measured[name].date for name in shown], tz, left_out,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Measure:
    """How wide a column would like to be, and how narrow it may become."""

    head: list[str]
    date: bool
    natural: int
    least: int


def _measured(column: Column, values: Sequence[Cell], tz: datetime.tzinfo, narrow: int, wide: int) -> _Measure:
    """Measure a column; the date moves into the heading where all times share it."""
    days = _days(values, tz) if column.dtype == "time" else set()
    date = len(days) != 1
    content = max((width_of(people(value, column, tz, date=date)) for value in values), default=0)
    head = _heading(column.name, content) if date else [column.name, days.pop().isoformat()]
    heading = max(map(width_of, head))
    natural = max(min(content, wide), heading)
    return _Measure(head, date, natural, max(min(natural, narrow), heading) if column.dtype == "text" else natural)


def _days(values: Sequence[Cell], tz: datetime.tzinfo) -> set[datetime.date]:
    """The days of the times, no more than two of them."""
    days: set[datetime.date] = set()
    for value in values:
        if value is not None:
            days.add(moment(int(value), tz).date())
            if len(days) > 1:
                break
    return days


def _says_nothing(name: str, values: Sequence[Cell]) -> bool:
    return all(value is None for value in values) or (name in _HIDDEN_WHEN_ZERO and not any(values))


def _heading(name: str, width: int) -> list[str]:
    """``post_dial_delay_ms`` as ``post_dial`` over ``_delay_ms``: a long name must not widen a narrow column.

    At most three lines, broken before ``_``; no more of them than make it narrower or are needed for `width`.
    """
    best = [name]
    cuts = [at for at, each in enumerate(name) if each == "_" and at]
    for count in (1, 2):
        if len(max(best, key=len)) <= width:
            break
        for places in itertools.combinations(cuts, count):
            lines = [name[begin:end] for begin, end in itertools.pairwise((0, *places, len(name)))]
            if len(max(lines, key=len)) < len(max(best, key=len)):
                best = lines
    return best


def draw_table(table: Table, layout: Layout) -> Iterator[Line]:
    """Heading and rows as styled lines, one at a time."""
    height = max((len(head) for head in layout.heads), default=0)
    for line in range(height):
        yield _joined(
            [(head[line - height + len(head)] if line >= height - len(head) else "", "bold") for head in layout.heads],
            layout,
        )
    by_name = {each.name: values for each, values in zip(table.columns, table.data, strict=True)}
    for row in zip(*(by_name[column.name] for column in layout.columns), strict=True):
        yield _joined(
            [
                (people(value, column, layout.tz, date=date), _style(column.name, value))
                for value, column, date in zip(row, layout.columns, layout.dates, strict=True)
            ],
            layout,
        )


def _joined(pieces: Sequence[tuple[str, str]], layout: Layout) -> Line:
    line: Line = []
    last = len(pieces) - 1
    for at, ((text, style), column, width) in enumerate(zip(pieces, layout.columns, layout.widths, strict=True)):
        text = (_cut_path if column.name in _PATHS else cut)(text, width)
        space = " " * (width - width_of(text))
        right = column.dtype in ("int", "float")
        if right:
            line += [(space, ""), (text, style)]
        else:
            line += [(text, style), ("" if at == last else space, "")]
        if at != last:
            line.append((" " * GAP, ""))
    return line


def _style(name: str, value: Cell) -> str:
    if value is None:
        return _DIM
    if name == "state":
        return _STATES.get(str(value), "")
    if name in ("severity", "grade"):
        return {"error": _BAD, "poor": _BAD, "warning": _FAIR, "fair": _FAIR, "good": _GOOD}.get(str(value), "")
    if name == "status_code":
        return {2: _GOOD, 3: "cyan", 4: _FAIR, 5: _BAD, 6: _BAD}.get(int(value) // 100, "")
    if name in _LIMITS:
        fair, bad = _LIMITS[name]
        return _BAD if float(value) >= bad else _FAIR if float(value) >= fair else ""
    if name in _BAD_IF_ANY:
        return _BAD if value else ""
    return _FAIR if name == "retransmission" and value else ""


def write_lines(lines: Iterable[Line], stream: IO[str], *, colour: bool) -> None:
    """Write styled lines; with `colour` as rich finds that the terminal can show it (it knows ``NO_COLOR`` too)."""
    ends = _colour_ends(stream) if colour else None
    for line in lines:
        if ends is None:
            stream.write("".join(text for text, _ in line).rstrip() + "\n")
            continue
        for text, style in line:
            before, after = ends(style) if style and text else ("", "")
            stream.write(f"{before}{text}{after}")
        stream.write("\n")


def _colour_ends(stream: IO[str]) -> Callable[[str], tuple[str, str]] | None:
    """The escape sequences around text of a style; None where the terminal has no colours.

    Rich's own ``print`` takes 0.1 ms a line, too long for a table of all messages; so it is asked once for each style.
    """
    from rich.color import ColorSystem
    from rich.console import Console
    from rich.style import Style

    console = Console(file=stream)
    if console.color_system is None or console.no_color or console.legacy_windows:
        return None
    systems = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
    system = systems.get(console.color_system, ColorSystem.STANDARD)

    @functools.cache
    def ends(style: str) -> tuple[str, str]:
        before, _, after = Style.parse(style).render("\0", color_system=system).partition("\0")
        return before, after

    return ends
