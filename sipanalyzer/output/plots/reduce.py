"""Long lines made short without losing a peak: lowest and highest of each column of pixels. Floor 8, numpy only."""

from __future__ import annotations

import numpy as np

from .arrays import Floats

__all__ = ["COLUMNS", "reduce_line"]

COLUMNS = 1200
"""Columns of pixels that a panel has, about."""


def reduce_line(x: Floats, y: Floats, columns: int = COLUMNS) -> tuple[Floats, Floats]:
    """A line of few points that looks as the long one does.

    Parameters
    ----------
    x, y : float64[n]
        The line; NaN in `y` interrupts it.
    columns : int
        Of each so many columns of equal width the lowest and the highest point is kept.

    Returns
    -------
    x, y : float64[m]
        The same where there are at most four points a column; else at most three (two, and an interruption).
    """
    if len(x) <= 4 * columns:
        return x, y
    if (np.diff(x) < 0).any():
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    known = np.flatnonzero(~np.isnan(y))
    if not len(known):
        return x[:1], y[:1]
    interrupted = np.cumsum(np.isnan(y))
    width = (x[-1] - x[0]) / columns or 1.0
    column = np.minimum(((x[known] - x[0]) / width).astype(np.int64), columns - 1)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(column)) + 1])
    sizes, values = np.diff(begins, append=len(known)), y[known]
    kept = np.empty(0, np.int64)
    for extreme in (np.minimum, np.maximum):
        there = np.flatnonzero(values == np.repeat(extreme.reduceat(values, begins), sizes))
        first = np.flatnonzero(np.diff(column[there], prepend=-1))
        kept = np.union1d(kept, known[there[first]])
    at = np.minimum(((x[kept] - x[0]) / width).astype(np.int64), columns - 1)
    gaps = np.flatnonzero((np.diff(interrupted[kept]) > 0) & (np.diff(at) > 1)) + 1
    return np.insert(x[kept], gaps, x[kept[gaps]]), np.insert(y[kept], gaps, np.nan)
