"""A report is made from a result. Floor 8.

In: a result, and what it was read from. Out: a :class:`~.data.Report`: plain data that :mod:`.page` and
:mod:`.markdown` write out. All of it is made here but the details, which are made as they are asked for.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import pathlib
from collections.abc import Sequence
from typing import Any

from ...result import Result
from ..cells import visible
from ..settings import changed_settings, list_settings, measured, typed
from ..summary import summarize
from .clock import make_clock, zone_name
from .data import Limits, Report
from .details import make_details
from .methods import make_methods
from .naming import show_command, with_short_names
from .order import choose_calls, make_index
from .sheets import make_sheets
from .tiles import make_tiles
from .timeline import make_timeline
from .verdict import make_verdict

__all__ = ["make_report"]

_FILES = 3
"""Captures that a title names."""


def make_report(
    result: Result,
    sources: Sequence[Any] | None = None,
    *,
    title: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
    limits: Limits | None = None,
) -> Report:
    """Make a report.

    Parameters
    ----------
    result : Result
        Of an analysis.
    sources : sequence, optional
        What it was read from, to be read once more for figures by the second; None where it cannot be.
    title : str, optional
        What stands above it; the names of the captures otherwise.
    tz : datetime.tzinfo
        Zone in which times are shown.
    limits : Limits, optional
        What it holds at most.
    """
    limits = limits or Limits()
    result = with_short_names(result)
    clock = make_clock(tz)
    data = summarize(result)
    index = make_index(result)
    detailed = choose_calls(index, limits.details, limits.rows)
    return Report(
        title=visible(title) if title else _title(result),
        made=clock(int(datetime.datetime.now(datetime.UTC).timestamp()) * 10**9)[:19],
        version=importlib.metadata.version("sipanalyzer"),
        zone=zone_name(tz),
        command=show_command(sources),
        settings=tuple(_settings(result)),
        verdict=make_verdict(result, data),
        tiles=tuple(make_tiles(result, data)),
        timeline=make_timeline(result.calls, tz, clock, limits.buckets),
        sheets=tuple(make_sheets(result, clock, limits, (index.calls, index.streams))),
        anomalies=tuple(
            (each["code"], each["meaning"], each["count"], ", ".join(map(str, each["frames"])))
            for each in data["anomalies"]
        ),
        methods=tuple(make_methods(result, clock, zone_name(tz), limits)),
        details=make_details(result, index, detailed, tz, clock, limits, sources),
        detailed=tuple(detailed),
        details_left_out=len(result.calls) - len(detailed),
    )


def _title(result: Result) -> str:
    names = [visible(pathlib.PurePath(capture.file).name) for capture in result.captures]
    more = f" and {len(names) - _FILES} more" if len(names) > _FILES else ""
    return f"Calls in {', '.join(names[:_FILES])}{more}" if names else "Calls"


def _settings(result: Result) -> list[tuple[str, str, str]]:
    meanings = {each.name: each.meaning.replace("`", "") for each in list_settings()}
    told = []
    for name, value in changed_settings(result.options).items():
        unit = measured(name, value)
        told.append((name, typed(name, value) + (f" ({unit})" if unit else ""), meanings.get(name, "")))
    return told
