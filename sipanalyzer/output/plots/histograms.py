"""How a stream's jitter and delay are spread. Floor 8.

In: packets of a stream as a DataFrame (:mod:`sipanalyzer.output.packets`). Out: matplotlib Axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from .arrays import Floats, flags, numbers
from .canvas import BAD, FINE, QUIET, TEXT, empty, label, legend, new_axes, place, title

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["bins_of", "draw_delay", "draw_jitter", "mark_quantiles"]

_BINS = 60


def draw_jitter(packets: pandas.DataFrame, axes: Axes | None = None, *, about: str | None = None) -> Axes:
    """How the interarrival jitter (RFC 3550 A.8) after each packet is spread, median and 95th percentile marked.

    Parameters
    ----------
    packets : pandas.DataFrame
        As ``stream.packets()`` gives them; of use here: jitter_ms.
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    about : str, optional
        What the picture is of.
    """
    axes = new_axes(axes)
    values = numbers(packets, "jitter_ms")
    values = values[~np.isnan(values)]
    label(axes, "jitter (ms)", "packets")
    if not len(values):
        title(axes, "Jitter", about)
        empty(axes, "no packet has a jitter to tell")
        return axes
    axes.hist(values, bins_of(values).tolist(), color=FINE, edgecolor="white", linewidth=0.4, gid="jitter")
    median, high = mark_quantiles(axes, values, "ms")
    axes.set_xlim(left=0)
    title(axes, f"Jitter: median {median:.1f} ms, 95 % below {high:.1f} ms, highest {values.max():.1f} ms", about)
    return axes


def draw_delay(
    packets: pandas.DataFrame, axes: Axes | None = None, *, depth_ms: float | None = None, about: str | None = None
) -> Axes:
    """How late packets came on the stream's own schedule; what a jitter buffer of some depth catches.

    Parameters
    ----------
    packets : pandas.DataFrame
        As ``stream.packets()`` gives them; of use here: lateness_ms, late.
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    depth_ms : float, optional
        Depth of the jitter buffer, marked.
    about : str, optional
        What the picture is of.
    """
    axes = new_axes(axes)
    values = numbers(packets, "lateness_ms")
    known = ~np.isnan(values)
    late = flags(packets, "late")[known]
    values = values[known]
    label(axes, "behind the stream's own schedule (ms)", "packets (logarithmic)")
    if not len(values):
        title(axes, "Delay variation", about)
        empty(axes, "no packet has a schedule to be late on (video, or no known clock rate)")
        return axes
    edges = bins_of(values, 0.0 if depth_ms is None else depth_ms).tolist()
    axes.hist(
        [values[~late], values[late]], edges, stacked=True, color=[FINE, BAD], edgecolor="white", linewidth=0.4,
        gid="lateness",
    )  # fmt: skip
    for container, hatch in zip(axes.containers, ("", "/////"), strict=False):
        for patch in container:
            patch.set_hatch(hatch)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    handles: dict[str, Any] = {
        name: each[0] for name, each in zip(("in time", "too late"), axes.containers, strict=False) if len(each)
    }
    if depth_ms is not None:
        handles[f"depth of the jitter buffer: {depth_ms:g} ms"] = axes.axvline(
            depth_ms, color=TEXT, linestyle="--", linewidth=1.4, gid="depth"
        )
    legend(axes, handles, loc="upper right" if depth_ms is None or depth_ms < 0.6 * edges[-1] else "upper center")
    share = 100 * late.sum() / len(late)
    said = f"{share:.1f} % of {len(late):,} packets too late" if late.any() else f"All {len(late):,} packets in time"
    behind = f" for a jitter buffer of {depth_ms:g} ms" if depth_ms is not None else ""
    title(axes, f"{said}{behind}, latest {values.max():.1f} ms", about)
    return axes


def bins_of(values: Floats, reach: float = 0.0, bins: int = _BINS) -> Floats:
    """Edges of bins over all values, and up to `reach`, at round numbers."""
    low, high = min(0.0, float(values.min())), max(float(values.max()), reach, 1.0)
    ticks = MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return np.asarray(ticks, np.float64)


def mark_quantiles(axes: Axes, values: Floats, unit: str) -> tuple[float, float]:
    """Mark the median and the 95th percentile; both."""
    median, high = (float(value) for value in np.quantile(values, [0.5, 0.95]))
    right = axes.get_xlim()[1]
    for value, name, style, down in ((median, "median", "-", 0.98), (high, "95 %", "--", 0.88)):
        axes.axvline(value, color=TEXT, linestyle=style, linewidth=1.1, gid=name)
        ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
        side = "right" if value > 0.75 * right else "left"
        text = f" {name}: {value:.3g} {unit} "
        place(
            axes, text, (value, down), xycoords=axes.get_xaxis_transform(), va="top", ha=side, color=QUIET, bbox=ground
        )
    return median, high
