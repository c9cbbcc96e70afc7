"""The report: one file to hand on. Floor 8."""

from __future__ import annotations

import datetime
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from ...result import Result

__all__ = ["write_report"]


def write_report(
    result: Result,
    sources: Sequence[Any] | None,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    title: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
    force: bool = False,
) -> pathlib.Path:
    """Write a report; `sources` is None where the captures cannot be read once more."""
    raise NotImplementedError
