"""Lines on standard error. Floor 10. In: text, maybe from the wire. Out: one harmless line."""

from __future__ import annotations

import sys

from ..output.cells import visible

__all__ = ["say", "warn"]


def say(text: str) -> None:
    """Write one line under the command's name."""
    print(f"sipanalyzer: {visible(text)}", file=sys.stderr)


def warn(text: str) -> None:
    """Write a warning: what was asked for was done, but not all is well."""
    say(f"warning: {text}")
