"""Pictures of streams hold the packets that they are of, mark what happened, and stand anything."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import numpy as np
import pandas
import pytest
from matplotlib.dates import date2num

import sipanalyzer
from sipanalyzer.output.plots import draw_call, draw_delay, draw_jitter, draw_stream, draw_sweep
from sipanalyzer.output.plots.canvas import days
from sipanalyzer.output.plots.reduce import reduce_line
from sipanalyzer.output.plots.spells import Traffic, find_bursts, find_keys, find_outages
from tests.lossy import lossy, talk, two_ways

HOSTILE = "$x^2$ \u202eevil\n\x1b[31m<script>" + "A" * 10_000


def png(picture: Any) -> bytes:
    """Drawn in full; a PNG has something to show."""
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", dpi=40)
    assert buffer.getvalue().startswith(b"\x89PNG") and buffer.tell() > 2000
    return buffer.getvalue()


def marked(figure: Any, gid: str) -> list[Any]:
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text")) if text.get_text()]


@pytest.fixture(scope="module")
def busy() -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(io.BytesIO(lossy().bytes()))


def test_lines_hold_what_the_packets_say(busy: sipanalyzer.Analysis) -> None:
    stream = busy.stream(0)
    axes, packets = stream.plot(), stream.packets()
    for name in ("delta", "jitter", "skew"):
        (line,) = marked(axes.figure, name)
        np.testing.assert_array_equal(line.get_ydata(), packets[f"{name}_ms"].to_numpy())
        stamps = packets["time"].dt.tz_localize(None).to_numpy("M8[us]")
        np.testing.assert_allclose(np.asarray(line.get_xdata(), float), date2num(stamps), rtol=0, atol=1e-10)
    (late,) = marked(axes.figure, "late")
    assert len(late.get_xdata()) == packets["late"].sum()


def test_bars_of_loss_add_up(busy: sipanalyzer.Analysis) -> None:
    heights = [bar.get_height() for bar in marked(busy.stream(0).plot().figure, "lost")]
    assert sum(height > 0 for height in heights) > 20 and max(heights) <= 100
    # 4 s in steps of 50 ms, three packets in the one that begins at 1 s: one of them lost
    figure = sipanalyzer.analyze(io.BytesIO(talk(200, lost=(51,)).bytes())).stream(0).plot().figure
    high = [bar for bar in marked(figure, "lost") if bar.get_height()]
    assert [round(bar.get_height(), 6) for bar in high] == [round(100 / 3, 6)]
    assert round((high[0].get_x() - figure.axes[3].patches[0].get_x()) * 86_400, 3) == 1.0


def test_bursts_are_as_many_as_the_row_counts(samples: pathlib.Path) -> None:
    seen = 0
    for name in ("lossy", "late", "holes", "relay_drops", "reordered"):
        analysis = sipanalyzer.analyze(samples / f"{name}.pcap")
        for row in range(len(analysis.streams)):
            bursts = find_bursts(Traffic.of(analysis.stream(row).packets()))
            assert len(bursts) == analysis.streams["loss_bursts"][row], (name, row)
            seen += len(bursts)
    assert seen > 8


def test_bursts_and_outages_worked_by_hand() -> None:
    stream = sipanalyzer.analyze(io.BytesIO(talk(400, lost=(50, 55, 200, 300, *range(350, 360))).bytes())).stream(0)
    packets = stream.packets()
    traffic = Traffic.of(packets)
    first, second = find_bursts(traffic)
    begin = packets["time"].iloc[0].value
    assert (first.start_ns - begin, first.end_ns - begin, first.count) == (49 * 20_000_000, 56 * 20_000_000, 2)
    assert (second.start_ns - begin, second.end_ns - begin, second.count) == (349 * 20_000_000, 360 * 20_000_000, 10)
    assert find_outages(traffic) == [second]
    figure = stream.plot().figure
    assert len(marked(figure, "loss burst")) == len(marked(figure, "outage")) == len(figure.axes)
    assert figure.axes[0].get_title() == "386 packets, 3.5 % lost, jitter up to 0.0 ms"


def test_keys_are_written_where_they_were_pressed(samples: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "announcement.pcap")
    row = int(analysis.streams["dtmf"].notna().idxmax())
    stream = analysis.stream(row)
    packets = stream.packets()
    keys = find_keys(packets, Traffic.of(packets))
    assert "".join(key.text for key in keys) == analysis.streams["dtmf"][row]
    figure = stream.plot().figure
    written = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in written if len(text) == 1] == [*analysis.streams["dtmf"][row]]
    assert marked(figure, "key") and marked(figure, "break")


def test_a_restart_is_marked_and_a_hold_is_not_joined(samples: pathlib.Path) -> None:
    assert marked(sipanalyzer.analyze(samples / "restart.pcap").stream(0).plot().figure, "restart")
    held = sipanalyzer.analyze(samples / "held.pcap").stream(0).plot().figure
    (line,) = marked(held, "delta")
    assert np.isnan(line.get_ydata()).sum() >= 2 and marked(held, "break")


def test_long_lines_keep_every_peak() -> None:
    rng = np.random.default_rng(3)
    x, y = np.arange(200_000.0), rng.normal(size=200_000)
    y[[0, 77_777, 199_999]] = 40.0, 99.0, -88.0
    y[50_000:60_000] = np.nan
    less_x, less_y = reduce_line(x, y, 500)
    assert len(less_x) == len(less_y) <= 1500
    for column in range(500):
        part = y[column * 400 : (column + 1) * 400]
        kept = less_y[(less_x >= column * 399.998) & (less_x < (column + 1) * 399.998)]
        if not np.isnan(part).any() and 0 < column < 499:
            assert np.nanmax(kept) >= part[1:-1].max() and np.nanmin(kept) <= part[1:-1].min()
    assert {40.0, 99.0, -88.0} <= set(less_y.tolist())
    assert np.isnan(less_y).sum() == 1  # the interruption


def test_short_lines_are_as_they_were() -> None:
    x, y = np.arange(100.0), np.arange(100.0)
    assert reduce_line(x, y)[0] is x
    flat_x, flat_y = reduce_line(np.zeros(10_000), np.arange(10_000.0), 100)
    assert (flat_y.min(), flat_y.max(), set(flat_x.tolist())) == (0.0, 9999.0, {0.0})


def test_both_directions_stand_beside_each_other_on_the_same_scales() -> None:
    figure = sipanalyzer.analyze(io.BytesIO(two_ways(300).bytes())).call(0).plot()
    assert [len(marked(figure, name)) for name in ("delta", "jitter", "skew")] == [2, 2, 2]
    for left, right in zip(figure.axes[0::2], figure.axes[1::2], strict=True):
        assert left.get_ylim() == right.get_ylim() and left.get_xlim() == right.get_xlim()
    assert any(text.startswith("caller to callee: 10.0.0.1:4000") for text in texts(figure))
    png(figure)


def test_a_direction_without_media_says_so() -> None:
    tape = talk(300)
    figure = sipanalyzer.analyze(io.BytesIO(tape.bytes())).call(0).plot()
    assert "No RTP seen" in [axes.get_title() for axes in figure.axes]
    png(figure)
    silent = sipanalyzer.analyze(io.BytesIO(talk(0).bytes())).call(0)
    with pytest.raises(ValueError, match="no RTP"):
        silent.plot()


def test_pictures_show_themselves_in_jupyter(busy: sipanalyzer.Analysis) -> None:
    axes = busy.stream(0).plot()
    assert axes._repr_png_().startswith(b"\x89PNG") and axes.figure._repr_png_().startswith(b"\x89PNG")
    assert busy.stream(0).plot_jitter()._repr_png_().startswith(b"\x89PNG")


def test_histograms_count_every_packet(busy: sipanalyzer.Analysis) -> None:
    stream = busy.stream(0)
    packets = stream.packets()
    assert sum(patch.get_height() for patch in stream.plot_jitter().patches) == packets["jitter_ms"].notna().sum()
    axes = stream.plot_delay()
    in_time, too_late = axes.containers
    assert sum(patch.get_height() for patch in too_late) == packets["late"].sum()
    assert sum(patch.get_height() for patch in in_time) == (packets["lateness_ms"].notna() & ~packets["late"]).sum()
    (depth,) = [line for line in axes.lines if line.get_gid() == "depth"]
    assert depth.get_xdata()[0] == 60.0
    edge = min(patch.get_x() + patch.get_width() for patch in too_late if patch.get_height())
    assert edge > 60.0


def test_a_sweep_is_drawn_as_it_is(busy: sipanalyzer.Analysis) -> None:
    sweep = busy.stream(0).playout_sweep([0, 50, 100])
    axes = draw_sweep(sweep)
    (loss,) = [line for line in axes.lines if line.get_gid() == "loss"]
    assert loss.get_ydata().tolist() == sweep["effective_loss_percent"].tolist()
    png(axes.figure)


def test_anything_that_has_these_columns_can_be_drawn(busy: sipanalyzer.Analysis, tmp_path: pathlib.Path) -> None:
    packets = busy.stream(0).packets().iloc[1200:2000]
    packets.to_csv(tmp_path / "packets.csv", index=False)
    again = pandas.read_csv(tmp_path / "packets.csv")
    gaps = packets.mask(np.random.default_rng(1).random(packets.shape) < 0.3)
    few = packets[["time", "jitter_ms"]]
    for frame in (again, gaps, few, packets.iloc[:1], packets.iloc[::-1], packets[packets["late"]], packets.iloc[:0],
                  pandas.DataFrame({"time": [None, None]}), pandas.DataFrame()):  # fmt: skip
        png(draw_stream(frame))
        draw_jitter(frame).figure.draw_without_rendering()
        draw_delay(frame, depth_ms=60).figure.draw_without_rendering()
    same, other = draw_stream(packets), draw_stream(again)
    for name in ("delta", "jitter", "skew"):
        np.testing.assert_array_equal(marked(same, name)[0].get_ydata(), marked(other, name)[0].get_ydata())
    assert texts(draw_stream(packets.iloc[:0]))[0:1] and "no packets" in texts(draw_stream(packets.iloc[:0]))
    with pytest.raises(ValueError, match="no direction"):
        draw_call({})


def test_names_are_no_formulae_and_break_nothing(busy: sipanalyzer.Analysis) -> None:
    packets = busy.stream(0).packets().iloc[:200]
    figure = draw_stream(packets, about=HOSTILE, mos_scale="$\\frac{$")
    both = draw_call({HOSTILE: (packets, None), "$\\": (packets, None)}, about=HOSTILE)
    for picture in (figure, both):
        png(picture)
        for text in picture.findobj(lambda each: hasattr(each, "get_parse_math") and each.get_text()):
            if "$" in text.get_text():
                assert not text.get_parse_math() and not text.get_usetex()
                assert "\u202e" not in text.get_text() and len(text.get_text()) <= 140


def test_times_are_in_the_zone_that_is_asked_for(busy: sipanalyzer.Analysis) -> None:
    axes = busy.stream(0).plot(tz="Asia/Tokyo").figure.axes[-1]
    assert axes.get_xlabel() == "2026-01-01, time in JST"
    assert axes.xaxis.get_major_formatter()(days(np.array([1_767_225_602_100_000_000]))[0]).startswith("09:00:02")
    with pytest.raises(ValueError, match="no time zone"):
        busy.stream(0).plot(tz="Mars/Olympus")


def test_nothing_here_touches_pyplot() -> None:
    import subprocess
    import sys

    code = (
        "import io, sys; from tests.lossy import two_ways; import sipanalyzer;"
        "a = sipanalyzer.analyze(io.BytesIO(two_ways(100).bytes())); a.stream(0).plot(); a.call(0).plot();"
        "a.plot_calls(); a.plot_mos(); a.plot_heat_map(); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
