"""What was said in a call, as a WAV file. Floor 8."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

from ..result import Call, Result

__all__ = ["write_audio"]


def write_audio(
    result: Result, sources: Sequence[Any], call: Call, path: str | os.PathLike[str], *, force: bool = False
) -> pathlib.Path:
    """Write the call's sound."""
    raise NotImplementedError
