"""How post-dial delays and MOS are spread over calls and streams. Floor 8.

In: the tables `calls` and `streams` as DataFrames, whole or filtered. Out: matplotlib Axes, or a Figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .arrays import numbers, texts
from .canvas import FINE, TEXT, Canvas, empty, heading, label, legend, new_axes, new_panels, title, whole_numbers
from .histograms import bins_of, mark_quantiles

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["SCALES", "draw_mos", "draw_post_dial_delay"]

SCALES = {"NB": "narrowband", "WB": "wideband", "FB": "fullband"}
"""Scales of MOS; figures on different ones are not to be compared."""
_HATCHES = {"NB": "", "WB": "////", "FB": "...."}


def draw_post_dial_delay(calls: pandas.DataFrame, axes: Axes | None = None) -> Axes:
    """How long callers waited for the first sign of the other side; median and 95th percentile marked.

    Parameters
    ----------
    calls : pandas.DataFrame
        The table `calls`; of use here: post_dial_delay_ms.
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    """
    axes = new_axes(axes)
    values = numbers(calls, "post_dial_delay_ms")
    values = values[~np.isnan(values)] / 1000.0
    label(axes, "first INVITE to the first 180-183, or 2xx (s)", "calls")
    if not len(values):
        title(axes, "Post-dial delay")
        empty(axes, "no call has a post-dial delay")
        return axes
    wide = values.min() > 0 and values.max() > 40 * np.median(values)
    if wide:
        edges = np.geomspace(0.9 * values.min(), 1.1 * values.max(), 41)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    else:
        edges = bins_of(1000 * values) / 1000.0
    axes.hist(values, edges.tolist(), color=FINE, edgecolor="white", linewidth=0.4, gid="post-dial delay")
    whole_numbers(axes.yaxis)
    median, high = mark_quantiles(axes, values, "s")
    title(
        axes,
        f"Post-dial delay of {len(values):,} of {len(calls):,} calls: median {median:.2f} s, 95 % below {high:.2f} s",
    )
    return axes


def draw_mos(streams: pandas.DataFrame) -> Canvas:
    """How MOS is spread: one panel for each scale (narrowband, wideband, fullband), since they cannot be compared.

    Parameters
    ----------
    streams : pandas.DataFrame
        The table `streams`; the table `calls` will do. Of use here: mos, mos_scale.
    """
    values = numbers(streams, "mos")
    scales = np.array([scale or "" for scale in texts(streams, "mos_scale")], object)
    known = ~np.isnan(values)
    there = [scale for scale in (*SCALES, "") if (known & (scales == scale)).any()]
    figure, panels = new_panels([2.2] * max(1, len(there)), 8.0, sharex=True)
    heading(figure, f"MOS, known of {int(known.sum()):,} of {len(streams):,}" if there else "MOS")
    if not there:
        empty(panels[0, 0], "nothing here has a MOS")
        return figure
    for axes, scale in zip(panels[:, 0], there, strict=True):
        mine = values[known & (scales == scale)]
        axes.hist(
            mine, np.linspace(1.0, 5.0, 41).tolist(), color=FINE, edgecolor="white", linewidth=0.4,
            hatch=_HATCHES.get(scale, ""), gid=scale,
        )  # fmt: skip
        median, low = (float(value) for value in np.quantile(mine, [0.5, 0.05]))
        handles = {
            name: axes.axvline(value, color=TEXT, linestyle=style, linewidth=1.2)
            for value, name, style in ((median, "median", "-"), (low, "95 % are better", ":"))
        }
        legend(axes, handles, loc="upper left")
        whole_numbers(axes.yaxis, 4)
        label(axes, y="how many")
        title(
            axes, f"{SCALES.get(scale, 'scale not said')}: {len(mine):,}, median {median:.2f}, worst {mine.min():.2f}"
        )
    panels[-1, 0].set_xlim(1, 5)
    label(panels[-1, 0], "MOS (ITU-T G.107; 1: bad, 5: excellent)")
    return figure
