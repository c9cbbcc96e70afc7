import dataclasses
import datetime

import numpy as np
import pytest

from sipanalyzer.browser.quality import interval_rows, stream_lines, stream_sparks
from sipanalyzer.facts import Intervals
from sipanalyzer.output.terminal import width_of
from tests.output.results import T0, make_result, make_stream
from tests.tape import A, B, Tape, sdp

UTC = datetime.UTC


def _lossy():
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, 3000, lost=range(1000, 1100))
    tape.bye(63)
    return tape.analyze().result


def _text(lines) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_a_stream_with_a_bad_interval_shows_it():
    result = _lossy()
    page = _text(stream_lines(result, 0, 100, UTC))
    assert "10.0.0.1:4000 > 10.0.0.2:5000" in page and "Quality over time" in page
    assert "packets 2900" in page and "lost 100" in page and "high-loss" in page and "ip.src == 10.0.0.1" in page
    loss = next(line for line in stream_sparks(result, 0, 60) if line[0][0].startswith("loss"))
    bars = loss[1][0]
    assert len(bars) == 6 and bars.index(max(bars)) == 2 and bars[0] == "▁"


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_page_keeps_to_its_width(width):
    lines = stream_lines(_lossy(), 0, width, UTC)[:-1]  # the filter is to be copied: never cut
    assert max(sum(width_of(text) for text, _ in line) for line in lines) <= width


def test_many_intervals_share_bars():
    count = 1_000
    found = Intervals(
        stream=np.zeros(count, np.int64), start=T0 + np.arange(count) * 10**10, packets=np.full(count, 500),
        expected=np.full(count, 500), lost=np.where(np.arange(count) == 777, 250, 0),
        discarded=np.zeros(count, np.int64),
        max_jitter_ms=np.full(count, np.nan), whole=np.ones(count, np.bool_), r_factor=np.full(count, np.nan),
        mos=np.full(count, np.nan),
    )  # fmt: skip
    result = dataclasses.replace(make_result(), streams=(make_stream(),), intervals=found)
    result.extra["findings"] = ()
    page = stream_lines(result, 0, 100, UTC)
    assert "50.00" in _text(page) and "12 to a bar" in _text(page)
    assert max(sum(width_of(text) for text, _ in line) for line in page[:-1]) <= 100
    assert interval_rows(result, 0) == list(range(count)) and interval_rows(result, 1) == []


def test_a_short_stream_has_no_course():
    tape = Tape()
    tape.talk(0, A, 4000, B, 5000, 100)
    result = tape.analyze().result
    assert "no course" in _text(stream_lines(result, 0, 80, UTC)) and stream_sparks(result, 0, 80) == []
