"""Which moments belong together, where a clock that was wrong sets some far apart. Floor 8.

In: times. Out: the span that a chart over time shows; what lies outside is for the chart to tell.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bulk_of"]

_DAY_NS = 86_400 * 10**9
_APART = 9
"""Calls stand apart where the time to them is more than a day and so many times as long as that of all others."""


def bulk_of(starts: Sequence[int]) -> tuple[int, int]:
    """First and last of the moments that belong together.

    Parameters
    ----------
    starts : sequence of int
        ns, in order; one at least.
    """
    cuts = [at for at in range(1, len(starts)) if starts[at] - starts[at - 1] > _DAY_NS]
    groups = [(begin, end) for begin, end in zip([0, *cuts], [*cuts, len(starts)], strict=True)]
    main = max(range(len(groups)), key=lambda at: (groups[at][1] - groups[at][0], -at))
    low, high = main, main
    size = groups[main][1] - groups[main][0]

    def joins(at: int) -> bool:
        """Whether the next group is told in the same chart."""
        begin, end = groups[at]
        first, last = starts[groups[low][0]], starts[groups[high][1] - 1]
        gap = first - starts[end - 1] if at < low else starts[begin] - last
        return 2 * (end - begin) > size or gap <= _APART * (last - first)

    while low > 0 and joins(low - 1):
        low -= 1
    while high < len(groups) - 1 and joins(high + 1):
        high += 1
    return starts[groups[low][0]], starts[groups[high][1] - 1]
