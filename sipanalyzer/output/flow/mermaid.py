"""A flow chart as a Mermaid sequence diagram. Floor 8."""

from __future__ import annotations

import datetime

from .model import FlowChart

__all__ = ["draw_mermaid"]


def draw_mermaid(chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> str:
    """The chart in Mermaid's language."""
    raise NotImplementedError
