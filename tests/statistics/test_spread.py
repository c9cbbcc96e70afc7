"""Means and percentiles, by hand and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.statistics.spread import mean, quantile

FIGURES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


def test_percentiles_by_hand() -> None:
    assert quantile([40.0, 10.0, 20.0, 30.0], 0.5) == 25.0
    assert quantile([10.0, 20.0], 0.95) == pytest.approx(19.5)
    assert quantile([7.0], 0.95) == 7.0
    assert quantile(list(range(101)), 0.95) == 95


def test_nothing_has_no_mean_and_no_percentile() -> None:
    assert mean([]) is None
    assert quantile([], 0.5) is None


@given(FIGURES, st.floats(0, 1))
def test_percentiles_are_those_of_numpy(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-6)


@given(FIGURES)
def test_order_does_not_matter(values: list[float]) -> None:
    assert mean(values) == mean(values[::-1])
    assert quantile(values, 0.3) == quantile(values[::-1], 0.3)
