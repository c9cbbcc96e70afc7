"""The window in which rows are put in order."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.capture.sorting import Orderer
from sipanalyzer.kernels.columns import FRAME, TIME, WIDTH
from tests.naive import records as naive


def rows_at(times: list[int]) -> np.ndarray:
    rows = np.zeros((len(times), WIDTH), np.int64)
    rows[:, TIME] = times
    rows[:, FRAME] = np.arange(len(times))
    return rows


def order(times: list[int], cuts: list[int], capacity: int, sort_ns: int) -> list[int]:
    orderer = Orderer(capacity, sort_ns)
    rows = rows_at(times)
    out: list[int] = []
    edges = sorted({min(cut, len(times)) for cut in cuts} | {0, len(times)})
    for begin, end in itertools.pairwise(edges):
        block = rows[begin:end].copy()
        in_order = cuts[:1] != [0] and bool((np.diff(block[:, TIME]) >= 0).all())  # told, or to be found out
        for part in orderer.feed(block, in_order):
            out.extend(part[:, FRAME].tolist())
        block[:] = -1  # the buffer is used again
    for part in orderer.finish():
        out.extend(part[:, FRAME].tolist())
    return out


moments = st.one_of(
    st.lists(st.integers(-50, 50), max_size=60),
    st.lists(st.integers(-5, 12), max_size=80).map(lambda steps: np.cumsum(steps).tolist()),
    st.lists(st.integers(-(2**62), 2**62), max_size=20),
)


@given(
    moments, st.lists(st.integers(0, 80), max_size=6), st.integers(0, 20), st.sampled_from([0, 3, 20, 10**9, 2**63 - 1])
)
@settings(max_examples=400)
def test_rows_come_as_from_a_bounded_queue_whatever_the_blocks(
    times: list[int], cuts: list[int], capacity: int, sort_ns: int
) -> None:
    assert order(times, cuts, capacity, sort_ns) == naive.queue_order(times, capacity, sort_ns)


def test_a_row_too_late_by_as_many_as_the_window_holds_comes_in_its_place_and_by_one_more_does_not() -> None:
    assert order([1, 2, 3, 0], [], 3, 10**9) == [3, 0, 1, 2]
    assert order([1, 2, 3, 0], [], 2, 10**9) == [0, 3, 1, 2]


def test_where_the_clock_was_set_back_rows_stay_where_they_are() -> None:
    assert order([100, 101, 50, 51, 52], [], 10, 40) == [0, 1, 2, 3, 4]
    assert order([100, 101, 62, 51, 52], [], 10, 40) == [2, 0, 1, 3, 4]


def test_times_as_far_apart_as_they_can_be_are_a_step_of_the_clock() -> None:
    assert order([2**62, -(2**62), 0], [], 10, 2**62) == [0, 1, 2]


def test_equal_times_keep_the_order_of_the_file() -> None:
    assert order([5, 5, 4, 5, 4], [1, 2, 3], 10, 100) == [2, 4, 0, 1, 3]


def test_a_clock_that_steps_at_every_row_costs_no_more_than_a_step_a_row() -> None:
    times = [10**10 * (number % 2) + number for number in range(20_000)]
    assert order(times, [7000], 1000, 10**9) == naive.queue_order(times, 1000, 10**9)


def test_rows_in_order_are_passed_on_without_being_copied() -> None:
    orderer = Orderer(10, 10**9)
    rows = rows_at(list(range(100)))
    (out,) = orderer.feed(rows)
    assert np.shares_memory(out, rows)
    assert len(out) == 90
    assert not np.shares_memory(orderer.finish()[0], rows)
