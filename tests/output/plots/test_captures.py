"""Pictures of whole captures: what they count is what the tables hold, and nothing upsets them."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import numpy as np
import pandas
import pytest

import sipanalyzer
from sipanalyzer.output.cells import zone
from sipanalyzer.output.plots import draw_calls, draw_heat_map, draw_mos, draw_post_dial_delay
from sipanalyzer.output.plots.calls import count_at_once, steps_of

T0 = pandas.Timestamp("2026-03-02T09:00Z")


def png(picture: Any) -> None:
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", dpi=40)
    assert buffer.getvalue().startswith(b"\x89PNG")


def times(*seconds: float | None) -> pandas.Series:
    values = [pandas.NaT if each is None else T0 + pandas.Timedelta(seconds=each) for each in seconds]
    return pandas.Series(values, dtype="datetime64[ns, UTC]")


def calls(**more: Any) -> pandas.DataFrame:
    """Four calls; two at once from 15 to 20 s."""
    return pandas.DataFrame(
        {
            "start": times(0, 15, 40, None),
            "answered": times(5, None, None, None),
            "end": times(20, 25, None, 50),
            "state": ["completed", "busy", "failed", "completed"],
            "post_dial_delay_ms": [1000.0, 3000.0, np.nan, np.nan],
            **more,
        }
    )


def test_calls_at_once_are_counted() -> None:
    figure = draw_calls(calls())
    (line,) = [each for each in figure.axes[0].lines if each.get_gid() == "set up or up line"]
    assert line.get_ydata().tolist() == [1, 2, 1, 0, 1, 0]
    said = figure.axes[0].get_title()
    assert said == "3 calls, at most 2 at once"
    assert "1 answered, 1 not answered, 1 failed or rejected, 1 began before" in " ".join(
        text.get_text() for text in figure.axes[0].texts
    )
    heights = sum(patch.get_height() for container in figure.axes[1].containers for patch in container)
    assert heights == 3


def test_a_call_that_nobody_answered_is_not_under_way_for_the_rest_of_the_day() -> None:
    frame = calls(
        start=times(0, 100, 3600, None),
        end=times(None, None, 3700, None),
        state=["failed", "ringing", "busy", "completed"],
    )
    figure = draw_calls(frame)
    (line,) = [each for each in figure.axes[0].lines if each.get_gid() == "set up or up line"]
    assert line.get_ydata().tolist() == [1, 0, 1, 2, 0]  # the one that rings may ring on
    seconds = np.diff(line.get_xdata()) * 86_400
    assert seconds.round(3).tolist() == [32, 68, 3500, 100]


def test_a_call_far_from_the_others_does_not_press_them_together() -> None:
    start = times(*range(0, 600, 60), 90 * 86_400)
    figure = draw_calls(pandas.DataFrame({"start": start, "end": start, "answered": start, "state": "completed"}))
    low, high = figure.axes[1].get_xlim()
    assert high - low < 1
    told = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "1 far from the others in time, not drawn" in told


def test_spans_that_touch_do_not_overlap() -> None:
    time, count = count_at_once(np.array([0, 10, 10]), np.array([10, 20, 10]))
    assert (time.tolist(), count.tolist()) == ([0, 10, 20], [1, 1, 0])


def test_hours_are_those_of_the_zone() -> None:
    start = pandas.Timestamp("2026-07-01T12:10Z").value
    edges = steps_of(start, start + 10 * 3600 * 10**9, 12, zone("Asia/Kolkata"), 3600)
    assert pandas.Timestamp(int(edges[0]), tz="Asia/Kolkata").isoformat() == "2026-07-01T17:00:00+05:30"
    assert set(np.diff(edges).tolist()) == {3600 * 10**9} and edges[-1] > start + 10 * 3600 * 10**9


def test_post_dial_delays_are_all_there() -> None:
    axes = draw_post_dial_delay(calls())
    assert sum(patch.get_height() for patch in axes.patches) == 2
    assert axes.get_title() == "Post-dial delay of 2 of 4 calls: median 2.00 s, 95 % below 2.90 s"


def test_scales_of_mos_are_kept_apart() -> None:
    frame = pandas.DataFrame({"mos": [4.0, 3.0, 4.4, None, 2.0], "mos_scale": ["NB", "NB", "WB", "FB", "XX"]})
    figure = draw_mos(frame.iloc[:4])
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == ["narrowband", "wideband"]
    assert [sum(patch.get_height() for patch in axes.patches) for axes in figure.axes] == [2, 1]
    png(draw_mos(frame))


def streams() -> pandas.DataFrame:
    """Pair a loses 1 of 100 in one hour and 20 of 100 in the next, pair b nothing, in the second hour only."""
    return pandas.DataFrame(
        {
            "src": ["a", "a", "b", "a"],
            "dst": ["x", "x", "x", "x"],
            "start": times(60, 3700, 3800, 3900),
            "expected": [100, 50, 100, 50],
            "lost": [1, 10, 0, 10],
            "packets": [99, 40, 100, 40],
            "mos": [4.0, 2.0, 4.4, 3.0],
            "mos_scale": ["NB", "NB", "WB", "NB"],
        }
    )


def test_a_heat_map_worked_by_hand() -> None:
    axes = draw_heat_map(streams())
    (cells,) = [each for each in axes.collections if each.get_gid() == "cells"]
    np.testing.assert_allclose(np.ma.filled(cells.get_array(), np.nan).reshape(2, 2), [[1.0, 20.0], [np.nan, 0.0]])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a → x", "b → x"]
    assert sorted(text.get_text() for text in axes.texts) == ["0.0", "1.0", "20"]
    assert axes.get_title() == "Loss: worst pair 10.5 %"
    mos = draw_heat_map(streams(), "mos")
    (cells,) = [each for each in mos.collections if each.get_gid() == "cells"]
    np.testing.assert_allclose(cells.get_array().ravel(), [4.0, 2.5])
    assert "1 streams on other scales left out" in " ".join(text.get_text() for text in mos.texts)


def test_of_many_pairs_the_worst_are_shown_and_the_rest_counted() -> None:
    many = pandas.DataFrame(
        {"src": [f"10.0.0.{k}" for k in range(90)], "dst": "x", "start": times(*range(90)), "expected": 1000,
         "lost": range(90)}
    )  # fmt: skip
    axes = draw_heat_map(many, most=10)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [f"10.0.0.{k} → x" for k in range(89, 79, -1)]
    assert any("80 better pairs not shown" in text.get_text() for text in axes.texts)
    png(axes.figure)


def test_hours_without_any_stream_are_left_out_and_many_hours_become_days() -> None:
    far = pandas.DataFrame({"src": "a", "dst": "b", "start": times(0, 30 * 86_400), "expected": 10, "lost": 0})
    axes = draw_heat_map(far)
    assert len(axes.get_xticks()) == 2 and any(line.get_gid() == "time left out" for line in axes.lines)
    long = pandas.DataFrame(
        {"src": "a", "dst": "b", "start": times(*range(0, 86_400 * 60, 3600)), "expected": 10, "lost": 0}
    )
    (cells,) = [each for each in draw_heat_map(long).collections if each.get_gid() == "cells"]
    assert cells.get_array().size <= 36


def test_wrong_wishes_are_told() -> None:
    with pytest.raises(ValueError, match="no heat map of 'jitter'"):
        draw_heat_map(streams(), "jitter")
    with pytest.raises(ValueError, match="at least one pair"):
        draw_heat_map(streams(), most=0)
    with pytest.raises(ValueError, match="no time zone"):
        draw_calls(calls(), tz="Mars/Olympus")


def test_nothing_and_nonsense_can_be_drawn() -> None:
    hostile = streams().assign(src=["$x$", "\u202e\n\x1b[2J", "$" * 10_000, "名前"])
    for frame in (pandas.DataFrame(), calls().iloc[:0], pandas.DataFrame({"start": [None]}), streams().iloc[:0],
                  calls().assign(state=None), hostile, calls().assign(end=times(-50, None, 3, 1))):  # fmt: skip
        for picture in (draw_calls(frame), draw_mos(frame), draw_post_dial_delay(frame).figure,
                        draw_heat_map(frame).figure, draw_heat_map(frame, "mos").figure):  # fmt: skip
            png(picture)
    assert "no call has a start" in [text.get_text() for text in draw_calls(calls().iloc[:0]).axes[0].texts]


def test_a_folder_of_samples_is_drawn_as_its_tables_are(samples: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze([samples / f"{name}.pcap" for name in ("plain", "busy", "refused", "lossy")])
    figure = analysis.plot_calls()
    bars = sum(patch.get_height() for container in figure.axes[1].containers for patch in container)
    assert bars == analysis.calls["start"].notna().sum()
    axes = analysis.plot_post_dial_delay()
    assert sum(p.get_height() for p in axes.patches) == analysis.calls["post_dial_delay_ms"].notna().sum()
    (cells,) = [each for each in analysis.plot_heat_map().collections if each.get_gid() == "cells"]
    assert np.nanmax(cells.get_array()) == pytest.approx(analysis.streams["loss_percent"].max(), abs=20)
    png(analysis.plot_mos())
    assert figure._repr_png_().startswith(b"\x89PNG")
