"""Where things stand across an SVG flow chart."""

from __future__ import annotations

import pytest

from sipanalyzer.output.flow.svg_place import frame_number, place_across
from tests.output.flow.charts import chart, message


@pytest.mark.parametrize(
    ("captures", "numbers"), [((0, 0), ["1", "2"]), ((4, 4), ["1", "2"]), ((0, 4), ["1:1", "5:2"])]
)
def test_a_frame_has_the_number_of_its_capture_only_where_a_chart_is_of_several(
    captures: tuple[int, int], numbers: list[str]
) -> None:
    rows = [message(at, capture=capture) for at, capture in enumerate(captures)]
    across = place_across(chart(rows))
    assert [frame_number(row, across.captures) for row in rows] == numbers
