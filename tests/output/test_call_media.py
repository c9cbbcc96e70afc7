"""The media of one call: streams, what MOS rests on, bars over time, keys."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from sipanalyzer.facts import Digit, Intervals, Quality
from sipanalyzer.output.call_media import digit_lines, sparkline, stream_lines
from sipanalyzer.output.tables import table
from sipanalyzer.output.terminal import width_of
from tests.output.results import MS, T0, make_call, make_result, make_stream

UTC = datetime.UTC
NOTES = ("lost packets are concealed", "one-way delay unknown")
GOOD = Quality(91.5, 4.37, "NB", "published", 0.0, 1.0, 60.0, 0.0, 25.1, 91.5, NOTES)
BAD = Quality(62.0, 3.18, "NB", "published", 9.8, 1.6, 60.0, 0.0, 25.1, 62.0, (*NOTES, "beyond what G.107 vouches for"))


def drawn(result, width: int = 80) -> str:
    lines = stream_lines(result, result.calls[0], table(result, "streams"), width, UTC)
    return "\n".join("".join(text for text, _ in line) for line in lines)


def intervals(scores: list[float], stream: int = 0) -> Intervals:
    count = len(scores)
    whole = np.full(count, 500, np.int64)
    none = np.zeros(count, np.int64)
    return Intervals(
        np.full(count, stream, np.int64), T0 + np.arange(count) * 10_000 * MS, whole, whole, none, none.copy(),
        np.zeros(count), np.ones(count, np.bool_), np.full(count, 80.0), np.array(scores),
    )  # fmt: skip


def test_a_bar_is_as_high_as_its_value() -> None:
    assert sparkline([1.0, 4.5, 2.75, 9.0, -3.0], 1.0, 4.5, 80) == "▁█▅█▁"


@pytest.mark.parametrize(("worst", "bars"), [(min, "▁█"), (max, "██")])
def test_where_there_is_no_room_the_worst_of_neighbours_is_shown(worst, bars: str) -> None:
    assert sparkline([4.5, 1.0, 4.5, 4.5], 1.0, 4.5, 2, worst) == bars


@pytest.mark.parametrize("count", [1, 7, 80, 81, 1000])
def test_bars_keep_their_width(count: int) -> None:
    assert len(sparkline([0.0] * count, 0.0, 1.0, 40)) <= 40


def test_what_mos_rests_on_is_told_and_what_all_share_once() -> None:
    streams = (make_stream(quality=BAD), make_stream(ssrc=2, quality=GOOD, direction="caller-to-callee"))
    text = " ".join(drawn(make_result(streams=streams, calls=(make_call(streams=(0, 1)),))).split())
    assert "1 callee-to-caller: MOS 3.18 NB, R 62; 9.8 % missing after the jitter buffer (burst ratio 1.6)" in text
    assert "2 caller-to-callee: MOS 4.37 NB, R 92; nothing missing, 60 ms one way; Ie 0, Bpl 25.1 (published)" in text
    assert text.count("beyond what G.107 vouches for") == 1
    assert text.count("lost packets are concealed") == 1 and "Each: lost packets are concealed" in text


def test_quality_that_varied_is_a_line_of_bars_for_each_figure() -> None:
    text = drawn(make_result(streams=(make_stream(quality=GOOD),), intervals=intervals([4.37, 4.37, 1.8, 4.37])))
    assert text.endswith(
        "Quality over time\n  a bar for 10 s, loss 0 to 10 %, jitter 0 to 50 ms, MOS 1 to 4.5\n"
        " 1  loss    ▁▁▁▁  0.0 %\n"
        "    jitter  ▁▁▁▁  0.0 ms\n"
        "    MOS     ██▃█  1.80 to 4.37, worst from 23:38:46"
    )


def test_quality_that_did_not_vary_is_one_line() -> None:
    steady = drawn(make_result(streams=(make_stream(quality=GOOD),), intervals=intervals([4.37, 4.37, 4.33])))
    assert steady.endswith(" 1  loss ▁▁▁ 0.0 %   jitter ▁▁▁ 0.0 ms   MOS ███ 4.33")


def test_one_interval_is_no_course() -> None:
    assert "over time" not in drawn(make_result(streams=(make_stream(quality=GOOD),), intervals=intervals([4.37])))


def test_where_no_mos_is_known_loss_and_jitter_are_drawn() -> None:
    found = intervals([float("nan")] * 3)
    found.lost[:] = [0, 100, 5]
    found.max_jitter_ms[:] = [float("nan"), 40.0, 15.0]
    text = drawn(make_result(intervals=found))
    assert text.endswith(
        " 1  loss    ▁█▂  0.0 to 20.0 %, worst from 23:38:36\n    jitter   ▇▃  15.0 to 40.0 ms, worst from 23:38:36"
    )


def test_bars_have_the_colour_of_what_they_are_worth() -> None:
    found = intervals([4.37, 3.7, 3.2, 1.8])
    result = make_result(streams=(make_stream(quality=GOOD),), intervals=found)
    lines = list(stream_lines(result, result.calls[0], table(result, "streams"), 80, UTC))
    assert [style for text, style in lines[-1] if text and text in "▁▂▃▄▅▆▇█"] == [
        "green", "cyan", "yellow", "bold red",
    ]  # fmt: skip


def test_a_call_without_streams_says_so() -> None:
    result = make_result(streams=(), calls=(make_call(streams=()),))
    assert drawn(result) == "\nStreams  no RTP of this call was captured"
    unanswered = make_result(streams=(), calls=(make_call(streams=(), answered=None),))
    assert drawn(unanswered) == "\nStreams  none"
    texts = make_result(streams=(), calls=(make_call(streams=(), media=("message",)),))
    assert drawn(texts) == "\nStreams  none"


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("count", [1, 3, 60])
def test_lines_keep_their_width_and_their_number(width: int, count: int) -> None:
    streams = tuple(
        make_stream(ssrc=n, quality=BAD, src=("2001:db8:85a3::8a2e:370:7348", 4000 + n)) for n in range(count)
    )
    text = drawn(make_result(streams=streams, calls=(make_call(streams=tuple(range(count))),)), width)
    assert max(map(width_of, text.splitlines())) <= width
    assert len(text.splitlines()) < count + 80


def digit(key: str, at: int, direction: str | None = "caller-to-callee", method: str = "rfc4733") -> Digit:
    return Digit(T0 + at * MS, key, 100.0, method, direction, 0, 0, 5)


def test_keys_stand_together_by_direction_and_method() -> None:
    keys = [
        digit("1", 0),
        digit("2", 300),
        digit("#", 900),
        digit("5", 100, None, "info"),
        digit("flash", 50, None, "info"),
    ]
    text = "\n".join("".join(text for text, _ in line) for line in digit_lines(keys, 100, UTC))
    assert "12# caller-to-callee, rfc4733, 23:38:26.000 to 23:38:26.900" in " ".join(text.split())
    assert "5 flash direction unknown, info" in " ".join(text.split())
    assert list(digit_lines([], 80, UTC)) == []
