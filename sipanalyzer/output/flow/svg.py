"""A flow chart as SVG. Floor 8."""

from __future__ import annotations

import datetime

from .model import FlowChart

__all__ = ["draw_svg"]


def draw_svg(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The chart as an SVG document."""
    raise NotImplementedError
