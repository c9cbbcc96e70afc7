"""A flow chart as text for a terminal. Floor 8."""

from __future__ import annotations

import datetime

from ..terminal import Line
from .model import FlowChart

__all__ = ["draw_text"]


def draw_text(chart: FlowChart, width: int = 100, tz: datetime.tzinfo = datetime.UTC) -> list[Line]:
    """The chart as styled lines (see :mod:`..terminal`), `width` columns wide."""
    del width, tz
    return [[(f"{row.offset / 1e9:9.3f} {getattr(row, 'label', getattr(row, 'text', ''))}", "")] for row in chart.rows]
