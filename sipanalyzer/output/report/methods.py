"""How a report's figures come about. Floor 8."""

from __future__ import annotations

from collections.abc import Iterator

from ...result import Result
from .data import Method

__all__ = ["make_methods"]


def make_methods(result: Result) -> Iterator[Method]:
    """The sections of the methods page."""
    yield {"title": "What was read", "paragraphs": [], "tables": []}
