"""Quality by pair of endpoints and hour. Floor 8.

In: the table `streams` as a DataFrame. Out: matplotlib Axes.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from ..flow.palette import LOSS_STEPS
from .arrays import Floats, Ints, numbers, texts, times
from .calls import spoken, steps_of
from .canvas import QUIET, empty, label, new_panels, place, plain, shown, tidy, title, zone
from .distributions import SCALES

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["draw_heat_map"]

_COLUMNS = 36
_LONGEST_S = 7 * 86_400
_COLOURS = [light for _, light, _ in LOSS_STEPS]
_JUST_OVER = 1e-9
_LIMITS = {
    "loss_percent": [0.0, *(limit + _JUST_OVER for limit, _, _ in LOSS_STEPS)],
    "mos": [1.0, 2.6, 3.1, 3.6, 4.0, 5.0],
}
"""Steps of colour: of loss those of all pictures; of MOS those of ITU-T G.107 annex B, nearly."""


def draw_heat_map(
    streams: pandas.DataFrame,
    value: str = "loss_percent",
    axes: Axes | None = None,
    *,
    scale: str | None = None,
    most: int = 20,
    tz: str = "UTC",
) -> Axes:
    """Quality by pair of addresses and hour (or day, where there are many), the worst pairs first.

    Parameters
    ----------
    streams : pandas.DataFrame
        The table `streams`; of use here: src, dst, start, expected, lost, mos, mos_scale, packets.
    value : str
        ``loss_percent`` (all packets lost over all expected) or ``mos`` (mean over the packets).
    axes : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    scale : str, optional
        Of MOS: ``NB``, ``WB`` or ``FB``; otherwise the one of most streams. Others are left out, and counted.
    most : int
        Pairs shown, the worst; the others are counted.
    tz : str
        Zone whose hours these are.

    Raises
    ------
    ValueError
        If there is no such value or zone, or `most` is below 1.
    """
    if value not in _LIMITS:
        raise ValueError(f"there is no heat map of {value!r}; there are {', '.join(sorted(_LIMITS))}")
    if most < 1:
        raise ValueError(f"at least one pair is to be shown, not {most}")
    in_zone = zone(tz)
    start, known = times(streams, "start")
    sums, weights = _summed(streams, value)
    known &= ~np.isnan(sums) & (weights > 0)
    notes = []
    if value == "mos":
        scales = np.array([each or "" for each in texts(streams, "mos_scale")], object)
        if scale is None and known.any():
            names, counts = np.unique(scales[known].astype(str), return_counts=True)
            scale = str(names[int(np.argmax(counts))])
        others = int((known & (scales != (scale or ""))).sum())
        notes += [f"{others:,} streams on other scales left out"] * (others > 0)
        known &= scales == (scale or "")
    rows = np.flatnonzero(known)
    name = "Loss" if value == "loss_percent" else f"MOS, {SCALES.get(scale or '', 'scale not said')}"
    if not len(rows):
        axes = axes or _new(1, 6)
        title(axes, f"{name}, by pair of endpoints and hour")
        empty(axes, "no stream here has it")
        return axes
    src, dst = texts(streams, "src"), texts(streams, "dst")
    pairs = [f"{shown(src[row] or '?', 39)} → {shown(dst[row] or '?', 39)}" for row in rows.tolist()]
    labels, pair = np.unique(pairs, return_inverse=True)
    begins, step, column = _columns(start[rows], in_zone)
    cells = _mean(sums[rows], weights[rows], pair * len(begins) + column, len(labels) * len(begins))
    cells = cells.reshape(len(labels), -1)
    whole = _mean(sums[rows], weights[rows], pair, len(labels))
    order = np.argsort(-whole if value == "loss_percent" else whole, kind="stable")[:most]
    notes += [f"{len(labels) - most:,} better pairs not shown"] * (len(labels) > most)
    axes = axes or _new(len(order), len(begins))
    _draw(axes, cells[order], value)
    axes.set_yticks(np.arange(len(order)) + 0.5, [str(labels[at]) for at in order], **plain(fontsize=8))
    _hours(axes, begins, step, in_zone)
    worst = whole[order[0]]
    told = f"{worst:.1f} %" if value == "loss_percent" else f"{worst:.2f}"
    title(axes, f"{name}: worst pair {told}", "; ".join(notes))
    return axes


def _summed(streams: pandas.DataFrame, value: str) -> tuple[Floats, Floats]:
    """What is summed up over a cell's streams, and what it is divided by."""
    if value == "loss_percent":
        return 100.0 * numbers(streams, "lost"), np.nan_to_num(numbers(streams, "expected"))
    weights = np.nan_to_num(numbers(streams, "packets"), nan=1.0) if "packets" in streams else np.ones(len(streams))
    return numbers(streams, "mos") * weights, weights


def _mean(sums: Floats, weights: Floats, group: Ints, count: int) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.bincount(group, sums, count) / np.bincount(group, weights, count)
    return mean


def _new(rows: int, columns: int) -> Axes:
    _, panels = new_panels([max(1.2, 0.34 * rows)], max(7.0, 3.6 + 0.42 * columns))
    return panels[0, 0]  # type: ignore[no-any-return]


def _draw(axes: Axes, cells: Floats, value: str) -> None:
    """Cells in colours, with their numbers; those without any stream hatched and empty."""
    tidy(axes)
    axes.grid(False)
    axes.set_facecolor("white")
    axes.patch.set(hatch="....", edgecolor="#dfe4e8")
    colours = _COLOURS if value == "loss_percent" else _COLOURS[::-1]
    norm = BoundaryNorm(_LIMITS[value], len(colours))
    axes.pcolormesh(
        np.ma.masked_invalid(cells), cmap=ListedColormap(colours), norm=norm, edgecolors="white", linewidth=1.0,
        gid="cells",
    )  # fmt: skip
    rows, columns = cells.shape
    for row, column in np.argwhere(~np.isnan(cells)).tolist():
        number = cells[row, column]
        dark = colours[min(len(colours) - 1, int(np.searchsorted(_LIMITS[value], number, side="right")) - 1)]
        text = (f"{number:.0f}" if number >= 10 else f"{number:.1f}") if value == "loss_percent" else f"{number:.1f}"
        ink = "white" if dark == _COLOURS[-1] else "#1b2228"
        place(axes, text, (column + 0.5, row + 0.5), ha="center", va="center", color=ink)
    axes.set(xlim=(0, columns), ylim=(rows, 0))


def _columns(start: Ints, tz: datetime.tzinfo) -> tuple[Ints, int, Ints]:
    """Beginnings of the hours (days, weeks) in which anything began, how long they are, and the one of each start."""
    least = 3600
    while True:
        edges = steps_of(int(start.min()), int(start.max()), 1 << 40, tz, least_s=least)
        at = (start - edges[0]) // (edges[1] - edges[0])
        present, column = np.unique(at, return_inverse=True)
        if len(present) <= _COLUMNS or least >= _LONGEST_S:
            return edges[0] + present * (edges[1] - edges[0]), int(edges[1] - edges[0]), column
        least = next(step for step in (6 * 3600, 86_400, _LONGEST_S) if step > least)


def _hours(axes: Axes, begins: Ints, step: int, tz: datetime.tzinfo) -> None:
    """Name the columns; where time was left out between two of them, a line says so."""
    moments = [datetime.datetime.fromtimestamp(int(begin) // 1_000_000_000, tz) for begin in begins]
    whole_days = step >= 86_400 * 1_000_000_000
    every = max(1, len(moments) // 18)
    names, day = [], None
    for moment in moments[::every]:
        date = f"{moment:%d %b}"
        names.append(date if whole_days else f"{moment:%H}h" if date == day else f"{moment:%H}h\n{date}")
        day = date
    axes.set_xticks([at + 0.5 for at in range(0, len(moments), every)], names, **plain(fontsize=8))
    axes.tick_params(length=0)
    apart = (np.flatnonzero(np.diff(begins) > step) + 1).tolist()
    for at in apart:
        axes.axvline(at, color=QUIET, linewidth=1.2, linestyle=(0, (2, 2)), gid="time left out")
    left_out = "; dashed: time without any stream left out" if apart else ""
    unit = spoken(step // 1_000_000_000).removeprefix("one ")
    label(axes, f"{unit} in which the stream began ({moments[0].tzname() or 'local time'}){left_out}")
