"""Series of a stream: what was lost is where it was lost, and adds up."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import sipanalyzer
from sipanalyzer.facts import Intervals
from sipanalyzer.output.report.data import Limits
from sipanalyzer.output.report.making import make_report
from sipanalyzer.output.report.order import make_index
from sipanalyzer.output.report.series import interval_series, read_series
from sipanalyzer.result import Result
from tests.output.results import MS, T0, make_call, make_messages, make_result, make_stream

NAN = float("nan")


def intervals(result_of: int, **columns: list[float]) -> Intervals:
    count = len(columns["lost"])
    return Intervals(
        stream=np.full(count, result_of),
        start=np.array([T0 + at * 10_000 * MS for at in range(count)]),
        packets=np.array(columns["expected"]) - np.array(columns["lost"]),
        expected=np.array(columns["expected"]),
        lost=np.array(columns["lost"]),
        discarded=np.zeros(count, np.int64),
        max_jitter_ms=np.array(columns["jitter"]),
        whole=np.ones(count, np.bool_),
        r_factor=np.full(count, 90.0),
        mos=np.array(columns["mos"]),
    )


def over_intervals() -> Result:
    made = intervals(
        0, expected=[500, 500, 500, 200], lost=[0, 5, 50, 0], jitter=[1.0, NAN, 3.0, 2.0], mos=[4.4, 4.3, 2.5, NAN]
    )
    return make_result(streams=(make_stream(start=T0, end=T0 + 34_000 * MS),), intervals=made)


def test_intervals_become_points_in_their_middle() -> None:
    result = over_intervals()
    series = interval_series(result, make_index(result), 0, T0 - 1_000 * MS, 600)
    assert series == {
        "step_s": 10.0, "t": [6.0, 16.0, 26.0, 33.0], "loss": [0.0, 1.0, 10.0, 0.0], "discarded": [0.0] * 4,
        "jitter": [1.0, None, 3.0, 2.0], "mos": [4.4, 4.3, 2.5, None], "delta": [],
    }  # fmt: skip


def test_of_a_long_stream_neighbours_are_taken_together() -> None:
    result = over_intervals()
    series = interval_series(result, make_index(result), 0, T0, 2)
    assert series is not None
    assert (series["step_s"], series["t"]) == (20.0, [10.0, 27.0])
    assert series["loss"] == [0.5, round(100 * 50 / 700, 2)]
    assert series["jitter"] == [1.0, 3.0]
    assert series["mos"] == [4.3, 2.5]


def test_a_stream_without_intervals_has_none() -> None:
    result = make_result()
    assert interval_series(result, make_index(result), 0, T0, 600) is None


def test_packets_read_once_more_show_where_they_were_lost(samples: pathlib.Path) -> None:
    path = samples / "lossy.pcap"
    result = sipanalyzer.analyze(path).result
    (detail,) = make_report(result, [str(path)]).details
    stream = next(each for each in detail.streams if each["outages"])
    series = stream["series"]
    assert series is not None
    assert series["step_s"] == 0.2
    lengths = {name: len(values) for name, values in series.items() if isinstance(values, list)}
    assert len(set(lengths.values())) == 1
    (outage,) = stream["outages"]
    holes = [at for at, loss in zip(series["t"], series["loss"], strict=True) if loss == 100.0]
    assert holes
    assert all(outage["start_s"] - 0.2 <= at <= outage["end_s"] + 0.2 for at in holes)
    assert max(each for each in series["delta"] if each is not None) == pytest.approx(420, abs=1)


def test_without_sources_the_intervals_stand(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "lossy.pcap").result
    (detail,) = make_report(result, None).details
    assert {each["series"]["step_s"] for each in detail.streams if each["series"]} == {10.0}


@pytest.mark.parametrize("limits", [Limits(packets=0), Limits(read_bytes=10)])
def test_what_costs_too_much_is_not_read(samples: pathlib.Path, limits: Limits) -> None:
    path = samples / "lossy.pcap"
    result = sipanalyzer.analyze(path).result
    assert read_series(result, [str(path)], [0, 1], limits) == {}


def test_the_first_named_streams_are_read_where_not_all_can_be(samples: pathlib.Path) -> None:
    path = samples / "lossy.pcap"
    result = sipanalyzer.analyze(path).result
    first = max(range(2), key=lambda at: result.streams[at].packets)
    found = read_series(result, [str(path)], [first, 1 - first], Limits(packets=result.streams[first].packets + 10))
    assert list(found) == [first]


def test_a_file_that_is_gone_leaves_the_intervals(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "lossy.pcap").result
    assert read_series(result, [str(tmp_path / "gone.pcap")], [0], Limits()) == {}


def test_nothing_is_fetched_once_more_over_a_network() -> None:
    assert read_series(make_result(), ["https://example.invalid/a.pcap"], [0], Limits()) == {}


def test_of_one_number_the_right_streams_are_read(samples: pathlib.Path) -> None:
    from sipanalyzer.output.lookup import narrow

    path = samples / "holes.pcap"
    result = narrow(sipanalyzer.analyze(path).result, {"holes-2@192.0.2.30"})
    (detail,) = make_report(result, [str(path)]).details
    for stream in detail.streams:
        assert stream["series"] is not None
        assert stream["series"]["delta"]
        assert max(each or 0 for each in stream["series"]["loss"]) == 100.0


def test_a_stream_that_ends_before_it_begins_does_no_harm() -> None:
    stream = make_stream(start=T0, end=T0 - 5 * MS)
    result = make_result(streams=(stream,), calls=(make_call(rows=()),), messages=make_messages([]))
    (detail,) = make_report(result).details
    assert detail.streams[0]["end_s"] <= detail.streams[0]["start_s"]
