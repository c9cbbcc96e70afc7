"""Lists laid end to end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.bundles import Bundles, with_none

LISTS = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


@given(LISTS)
def test_lists_come_back_as_they_were(lists: list[list[int]]) -> None:
    bundles = Bundles.of(lists)
    assert len(bundles) == len(lists)
    assert bundles.tuples() == [tuple(each) for each in lists]
    assert [bundles.of_one(place) for place in range(len(lists))] == lists
    assert bundles.owner().tolist() == [place for place, each in enumerate(lists) for _ in each]
    assert bundles.length().tolist() == [len(each) for each in lists]


@given(st.lists(st.lists(st.integers(-9, 99), min_size=1, max_size=5), max_size=6))
def test_each_list_has_its_own_least_largest_and_total(lists: list[list[int]]) -> None:
    bundles = Bundles.of(lists)
    assert bundles.least(bundles.rows).tolist() == [min(each) for each in lists]
    assert bundles.largest(bundles.rows).tolist() == [max(each) for each in lists]
    assert bundles.total(bundles.rows).tolist() == [sum(each) for each in lists]


def test_the_wanted_rows_of_a_matrix_are_a_list_a_line() -> None:
    rows = np.array([[5, -1, 7], [-1, -1, -1], [1, 2, 3]])
    assert Bundles.where(rows, rows >= 0).tuples() == [(5, 7), (), (1, 2, 3)]


def test_what_is_not_known_is_none() -> None:
    assert with_none(np.array([1, 2, 3]), np.array([True, False, True])) == [1, None, 3]
