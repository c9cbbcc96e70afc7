"""Columns of any DataFrame as arrays, whatever its types are and whatever is missing. Floor 8.

In: a DataFrame as tables give it, filtered, joined, or read back from CSV. Out: numpy arrays of its length. A column
that is not there is missing throughout: an analyst may have dropped it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas

__all__ = ["Bools", "Floats", "Ints", "flags", "numbers", "texts", "times"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min


def numbers(frame: pandas.DataFrame, name: str) -> Floats:
    """A column of numbers; NaN where missing or infinite."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    import pandas

    values = pandas.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def flags(frame: pandas.DataFrame, name: str) -> Bools:
    """A column of true and false; false where missing."""
    if name not in frame:
        return np.zeros(len(frame), np.bool_)
    column: Any = frame[name]
    if column.dtype == object or column.dtype == "string":
        return np.array([str(value).lower() in ("true", "1") for value in column], np.bool_)
    return column.to_numpy(dtype=np.bool_, na_value=False)  # type: ignore[no-any-return]


def times(frame: pandas.DataFrame, name: str) -> tuple[Ints, Bools]:
    """A column of times as ns since 1970 (UTC where it names no zone), and where they are known."""
    if name not in frame:
        return np.zeros(len(frame), np.int64), np.zeros(len(frame), np.bool_)
    import pandas

    stamps = pandas.to_datetime(frame[name], utc=True, errors="coerce").dt.tz_localize(None)
    values = stamps.to_numpy(dtype="M8[ns]").view(np.int64)
    known = values != NEVER
    return np.where(known, values, 0), known


def texts(frame: pandas.DataFrame, name: str) -> list[str | None]:
    """A column of texts; None where missing."""
    if name not in frame:
        return [None] * len(frame)
    column = frame[name]
    return [None if gone else str(value) for value, gone in zip(column, column.isna(), strict=True)]
