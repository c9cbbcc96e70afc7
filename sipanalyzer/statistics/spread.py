"""Mean and percentiles of a list of figures. Floor 7."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["mean", "quantile"]


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean, summed exactly, so that order does not matter; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def quantile(values: Sequence[float], share: float) -> float | None:
    """Value below which `share` of the values are; None of nothing.

    Parameters
    ----------
    values : sequence of float
        In any order.
    share : float
        0 to 1.

    Notes
    -----
    Linear between the two values that stand next to it: of n values in order the place is share * (n - 1), counted from
    0 (Hyndman and Fan's type 7, the default of NumPy, R and spreadsheets).
    """
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
