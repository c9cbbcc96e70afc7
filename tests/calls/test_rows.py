"""The message table as lists."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.rows import dense_pairs, distinct, read_rows
from tests.calls.words import table

WIDE = st.integers(-(2**62), 2**62)


@given(st.lists(st.tuples(WIDE | st.integers(-1, 2), WIDE | st.integers(-1, 2)), max_size=30))
def test_dense_numbers_are_equal_where_both_values_are_and_stay_small(pairs: list[tuple[int, int]]) -> None:
    first = np.array([pair[0] for pair in pairs], np.int64)
    second = np.array([pair[1] for pair in pairs], np.int64)
    dense = dense_pairs(first, second).tolist()
    for one, a in zip(pairs, dense, strict=True):
        assert 0 <= a < len(pairs)
        for other, b in zip(pairs, dense, strict=True):
            assert (one == other) == (a == b)


@given(st.lists(WIDE | st.integers(-2, 2), max_size=30))
def test_distinct_values_are_those_of_a_set_in_order(values: list[int]) -> None:
    assert distinct(np.array(values, np.int64)).tolist() == sorted(set(values))


def test_tags_of_both_columns_have_one_numbering() -> None:
    rows = read_rows(
        table("0 A>B INFO from=x to=y\n1 B>A INFO from=y to=x\n2 A>B INFO from=x to=-\n3 A>B INFO from=- to=z")
    )
    assert rows.from_tag[0] == rows.to_tag[1] and rows.to_tag[0] == rows.from_tag[1]
    assert (rows.to_tag[2], rows.from_tag[3]) == (-1, -1)
    assert rows.to_tag[3] not in (-1, *rows.from_tag[:3], *rows.to_tag[:3])
