"""A report is made from a result. Floor 8."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from ...result import Result
from .data import Limits, Report

__all__ = ["make_report"]


def make_report(
    result: Result,
    sources: Sequence[Any] | None = None,
    *,
    title: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
    limits: Limits | None = None,
) -> Report:
    """Make a report; `sources` is None where the captures cannot be read once more."""
    raise NotImplementedError
