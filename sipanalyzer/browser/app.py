"""The browser's application. Floor 9."""

from __future__ import annotations

import datetime

from ..analysis import Analysis

__all__ = ["run_browser"]


def run_browser(analysis: Analysis, tz: datetime.tzinfo = datetime.UTC) -> None:
    """Open the browser on the terminal; returns when it is left."""
    raise NotImplementedError
