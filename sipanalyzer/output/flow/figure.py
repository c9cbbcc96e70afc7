"""A flow chart as a matplotlib figure. Floor 8."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from .model import FlowChart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_flow"]


def draw_flow(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> Figure:
    """The chart as a figure."""
    raise NotImplementedError
