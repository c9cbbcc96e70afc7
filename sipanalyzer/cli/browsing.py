"""The command that opens the full-screen browser. Floor 10. Loads click and the standard library only."""

from __future__ import annotations

import sys
from typing import Any

import click

from . import USAGE, interrupts
from .arguments import captures_argument, reading_options
from .messages import say
from .reading import make_reading

__all__ = ["browse"]


@click.command(short_help="Full-screen browser for the terminal.")
@captures_argument
@reading_options()
def browse(captures: tuple[str, ...], **options: Any) -> int:
    """Full-screen browser for the terminal: calls, flow, messages, streams, findings. F1 there shows its keys."""
    reading = make_reading(captures, **options)
    if not sys.stdout.isatty():  # before a capture is read that nobody will see
        say("browse needs a terminal, and standard output is none; sipanalyzer calls and flow write to files and pipes")
        return USAGE
    result, status = reading.read(partly=False)
    from ..analysis import Analysis
    from ..browser.app import NoTerminal, run_browser

    try:
        with interrupts.orderly():
            run_browser(Analysis(result, list(captures)), reading.tz)
    except NoTerminal as error:
        say(str(error))
        return USAGE
    return reading.status(result, status)
