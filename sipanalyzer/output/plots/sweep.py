"""A playout sweep as a picture. Floor 8.

In: a DataFrame of :class:`~sipanalyzer.output.sweep.SweepRow`. Out: matplotlib Axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .arrays import numbers
from .canvas import BAD, FINE, empty, label, new_axes, tidy, title

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
    axes = new_axes(axes)
    label(axes, "depth of the jitter buffer (ms)", "lost or discarded (%)")
    if not len(frame):
        title(axes, "No depth was tried")
        empty(axes, "nothing to draw")
        return axes
    depths, lost, ratings = (numbers(frame, name) for name in ("depth_ms", "effective_loss_percent", "r_factor"))
    axes.plot(depths, lost, color=BAD, marker="o", linestyle="--", gid="loss")
    axes.yaxis.label.set_color(BAD)
    axes.set_ylim(0, max(1.0, 1.08 * float(np.max(lost, initial=0.0, where=~np.isnan(lost)))))
    said = "Packets lost or too late, by depth of the jitter buffer"
    if not np.isnan(ratings).all():
        best = int(np.nanargmax(ratings))
        depth = float(depths[best])
        right = axes.twinx()
        right.plot(depths, ratings, color=FINE, marker="s", gid="R")
        tidy(right)
        right.grid(False)
        right.spines["right"].set_visible(True)
        label(right, y="R (ITU-T G.107)")
        right.yaxis.label.set_color(FINE)
        right.set_ylim(0, max(100.0, 1.05 * ratings[best]))  # below 0 all is equally bad
        right.axvline(depth, color=FINE, linestyle=":", linewidth=1)
        said = f"Best R {ratings[best]:.0f} behind a jitter buffer of {depth:g} ms"
    title(axes, said)
    return axes
