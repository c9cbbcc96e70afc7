"""The margin of a flow chart of text: frame, time, gap, mark and leg beside each row. Floor 8.

In: a chart and the names of the columns. Out: a :class:`Margin`, which writes itself beside a row.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ..cells import local_time
from ..terminal import Line
from .model import FlowChart, Fold, Keys, Media, Message, Note, Row
from .text_words import QUIET, frame_text, leg_names, severity_style

__all__ = ["Margin", "make_margin"]

_CLOCK = len("12:00:00.000")
_LONG_GAP = 1_000_000_000
"""A gap from which on it is not drawn quietly, ns."""
_MARKS = {"error": "!", "warning": "!"}


@dataclass(frozen=True, slots=True)
class Margin:
    """What stands left of the drawing."""

    columns: tuple[str, ...]
    """Of ``frame``, ``clock``, ``seconds``, ``gap``."""
    widths: tuple[int, ...]
    several: bool
    """Whether frames are of several captures."""
    legs: list[str]
    """What stands for each leg; empty texts where there is one leg."""
    tz: datetime.tzinfo

    @property
    def width(self) -> int:
        """Columns, the space after it included."""
        return sum(self.widths) + 2 * (len(self.widths) - 1) + 3 + (self.leg_width + 1 if self.leg_width else 0)

    @property
    def leg_width(self) -> int:
        """Columns of what stands for a leg."""
        return max(map(len, self.legs), default=0)

    def heading(self) -> Line:
        """Names of the columns."""
        text = "  ".join(f"{name:>{width}}" for name, width in zip(self.columns, self.widths, strict=True))
        return [(f"{text:<{self.width}}", QUIET)]

    def beside(self, row: Row) -> Line:
        """The margin of a row's first line."""
        line: Line = []
        for at, (name, width) in enumerate(zip(self.columns, self.widths, strict=True)):
            line.append((f"{'  ' if at else ''}{_told(name, row, self.several, self.tz):>{width}}", _look(name, row)))
        severity = row.severity if isinstance(row, (Message, Media, Note, Fold)) else None
        line.append((f" {_MARKS.get(severity or '', ' ')}", severity_style(severity)))
        if self.leg_width:
            name = "" if row.leg is None else self.legs[row.leg]
            line.append((f"{name:<{self.leg_width}} ", "bold"))
        return [*line, (" ", "")]

    def blank(self) -> Line:
        """The margin of its other lines."""
        return [(" " * self.width, "")]


def make_margin(chart: FlowChart, columns: Sequence[str], tz: datetime.tzinfo) -> Margin:
    """The margin with those columns, as wide as the chart's rows need it."""
    captures = {row.capture for row in chart.rows if isinstance(row, (Message, Media, Keys))}
    several = len(captures) > 1
    named = ["file:frame" if several and name == "frame" else name for name in columns]
    widths = [
        _CLOCK if name == "clock"
        else max((len(_told(name, row, several, tz)) for row in chart.rows), default=0)
        for name in columns
    ]  # fmt: skip
    widths = [max(width, len(name)) for width, name in zip(widths, named, strict=True)]
    return Margin(tuple(named), tuple(widths), several, leg_names(len(chart.legs)), tz)


def _told(name: str, row: Row, several: bool, tz: datetime.tzinfo) -> str:
    if name == "seconds":
        return f"{row.offset / 1e9:.3f}"
    if name == "gap":
        gap = row.gap if isinstance(row, Message) else None
        return "" if gap is None else f"{gap / 1e9:+.3f}"
    return local_time(row.time, tz, date=False) if name == "clock" else frame_text(row, several)


def _look(name: str, row: Row) -> str:
    long = name == "gap" and isinstance(row, Message) and (row.gap or 0) >= _LONG_GAP
    return "" if name == "seconds" or long else QUIET
