"""Lines on standard error. Floor 10. In: text, maybe from the wire. Out: one harmless line."""

from __future__ import annotations

import sys

from ..output.cells import visible

__all__ = ["CannotWrite", "say", "warn"]


class CannotWrite(Exception):
    """The result cannot be written to where it was to go."""

    def __init__(self, where: str, error: OSError) -> None:
        super().__init__(f"cannot write to {where}: {error.strerror or error}")


def say(text: str) -> None:
    """Write one line under the command's name."""
    print(f"sipanalyzer: {visible(text)}", file=sys.stderr)


def warn(text: str) -> None:
    """Write a warning: what was asked for was done, but not all is well."""
    say(f"warning: {text}")
