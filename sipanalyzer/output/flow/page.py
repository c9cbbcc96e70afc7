"""A flow chart as one page for a browser. Floor 8."""

from __future__ import annotations

import datetime

from ...result import Result
from .model import FlowChart

__all__ = ["draw_page"]


def draw_page(result: Result, chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The chart as an HTML document."""
    raise NotImplementedError
