"""A playout sweep as a picture. Floor 8.

In: a DataFrame of :class:`~sipanalyzer.output.sweep.SweepRow`. Out: matplotlib Axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import matplotlib.axes
    import pandas

__all__ = ["draw_sweep"]


def draw_sweep(frame: pandas.DataFrame, axes: matplotlib.axes.Axes | None = None) -> matplotlib.axes.Axes:
    """Draw a sweep: effective loss against depth, and R on the right, its best marked.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of :class:`SweepRow`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    """
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(figsize=(7, 4), layout="constrained").subplots()
    axes.plot(frame["depth_ms"], frame["effective_loss_percent"], color="#d55e00", marker="o", label="loss")
    axes.set_xlabel("depth of the jitter buffer (ms)")
    axes.set_ylabel("lost or discarded (%)", color="#d55e00")
    axes.set_ylim(bottom=0)
    ratings = frame["r_factor"].to_numpy(np.float64, na_value=np.nan)
    title = "Packets lost or too late, by depth of the jitter buffer"
    if not np.isnan(ratings).all():
        best = int(np.nanargmax(ratings))
        depth = float(frame["depth_ms"].to_numpy()[best])
        right = axes.twinx()
        right.plot(frame["depth_ms"], ratings, color="#0072b2", marker="s", label="R")
        right.set_ylabel("R (ITU-T G.107)", color="#0072b2")
        right.set_ylim(0, max(100.0, 1.05 * ratings[best]))  # below 0 all is equally bad
        right.axvline(depth, color="#0072b2", linestyle=":", linewidth=1)
        title = f"Best R {ratings[best]:.0f} behind a jitter buffer of {depth:g} ms"
    axes.set_title(title)
    return axes
