"""Which moments belong together: a day's calls do, a clock set wrong does not, two days of work do."""

from __future__ import annotations

import pytest

from sipanalyzer.output.bulk import bulk_of

DAY = 86_400 * 10**9


@pytest.mark.parametrize(
    ("moments", "bulk"),
    [
        ([5], (5, 5)),
        ([0, 10, 20], (0, 20)),
        ([0, DAY // 2, DAY], (0, DAY)),
        ([*range(10), 300 * DAY], (0, 9)),  # one record in the future
        ([0, *range(300 * DAY, 300 * DAY + 9)], (300 * DAY, 300 * DAY + 8)),  # a clock not yet set
        ([*range(10), *range(300 * DAY, 300 * DAY + 8)], (0, 300 * DAY + 7)),  # as many there: two captures
        ([0, DAY // 2, 4 * DAY], (0, 4 * DAY)),  # a weekend between
    ],
)
def test_what_stands_far_apart_and_is_little_is_left_out(moments: list[int], bulk: tuple[int, int]) -> None:
    assert bulk_of(moments) == bulk
