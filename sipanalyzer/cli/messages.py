"""Lines on standard error. Floor 10. In: text, maybe from the wire. Out: one harmless line."""

from __future__ import annotations

import contextlib
import io
import sys

import click

from ..output.cells import visible

__all__ = ["CannotWrite", "say", "show_error", "warn"]


class _Said(io.StringIO):
    """Text that click takes no escape sequences out of, as it would for a pipe: they are to be seen."""

    def isatty(self) -> bool:
        return True


class CannotWrite(Exception):
    """The result cannot be written to where it was to go."""

    def __init__(self, where: str, error: OSError) -> None:
        super().__init__(f"cannot write to {where}: {error.strerror or error}")


def say(text: str) -> None:
    """Write one line under the command's name."""
    _print(f"sipanalyzer: {visible(text)}")


def warn(text: str) -> None:
    """Write a warning: what was asked for was done, but not all is well."""
    say(f"warning: {text}")


def show_error(error: click.ClickException) -> None:
    """Write what click says of wrong usage: names of files and whatever was typed may stand in it."""
    said = _Said()
    error.show(said)
    _print("\n".join(map(visible, said.getvalue().rstrip("\n").split("\n"))))


def _print(text: str) -> None:
    """Write to standard error; where it takes nothing (a full disk), the exit status has to say it all."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
