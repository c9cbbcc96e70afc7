"""One call as a capture of its own. Floor 8."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Collection, Sequence
from typing import Any

from ..result import Result

__all__ = ["extract_calls"]


def extract_calls(
    result: Result,
    sources: Sequence[Any],
    call_ids: Collection[str],
    path: str | os.PathLike[str],
    *,
    force: bool = False,
) -> pathlib.Path:
    """Write the frames of some calls into a pcapng."""
    raise NotImplementedError
