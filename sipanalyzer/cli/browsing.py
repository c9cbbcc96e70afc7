"""The command that opens the full-screen browser. Floor 10. Loads click and the standard library only."""

from __future__ import annotations

from typing import Any

import click

from .arguments import captures_argument, reading_options
from .reading import make_reading

__all__ = ["browse"]


@click.command(short_help="Full-screen browser for the terminal.")
@captures_argument
@reading_options()
def browse(captures: tuple[str, ...], **options: Any) -> int:
    """Full-screen browser for the terminal: calls, flow, messages, streams, findings."""
    reading = make_reading(captures, **options)
    result, status = reading.read()
    from ..analysis import Analysis
    from ..browser.app import run_browser

    run_browser(Analysis(result, list(captures)), reading.tz)
    return reading.status(result, status)
