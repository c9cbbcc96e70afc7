"""What all plots share: figures that show themselves, harmless texts, axes of time, colours. Floor 8.

Nothing here uses pyplot: a figure is an object like any other, and is gone when nobody holds it. Texts are cleaned,
cut and never read as formulae in this one place.
"""

from __future__ import annotations

import datetime
import io
import warnings
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import MINUTELY, SECONDLY, AutoDateLocator, num2date
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.ticker import Formatter, MaxNLocator

from ..cells import visible, zone
from ..flow.palette import INK, KINDS
from ..fonts import families
from .arrays import Floats, Ints

__all__ = [
    "BAD",
    "CLOSE",
    "DAY_NS",
    "FINE",
    "GOOD",
    "GRID",
    "POOR",
    "QUIET",
    "TEXT",
    "Canvas",
    "Panel",
    "days",
    "empty",
    "heading",
    "label",
    "legend",
    "legend_above",
    "new_axes",
    "new_panels",
    "place",
    "plain",
    "shown",
    "tidy",
    "time_axis",
    "title",
    "whole_numbers",
    "zone",
]

DAY_NS = 86_400_000_000_000
TEXT, QUIET, GRID = INK["text"].light, INK["quiet"].light, INK["line"].light
FINE, GOOD, POOR, BAD = KINDS["invite"].light, KINDS["success"].light, "#c98a00", "#d55e00"
"""Plain lines; what went well; what might have; what did not. In grey print each is lighter than the one before."""
CLOSE = 96
"""Characters of a title on one line."""
_SIZE, _SMALL = 10.0, 8.5
"""Points."""


class Canvas(Figure):
    """A figure that shows itself in Jupyter."""

    def draw(self, renderer: Any) -> None:
        """Draw it; letters that no font here has are boxes, without a word."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


class Panel(Axes):
    """Axes that show the figure that they are in."""

    def _repr_png_(self) -> bytes | None:
        whole = self.get_figure(root=True)
        return whole._repr_png_() if isinstance(whole, Canvas) else None


def new_panels(heights: list[float], width: float = 10.0, columns: int = 1, **words: Any) -> tuple[Canvas, Any]:
    """A figure of panels, one above the other.

    Parameters
    ----------
    heights : list of float
        Of each row of panels, inches.
    width : float
        Of the figure, inches.
    columns : int
        Panels in a row.
    **words
        For matplotlib's ``subplots`` (`sharex` and so on).

    Returns
    -------
    Canvas, ndarray of Panel
        The array has two dimensions.
    """
    figure = Canvas(figsize=(width, sum(heights) + 1.3), layout="constrained", facecolor=INK["ground"].light)
    panels = figure.subplots(
        len(heights), columns, squeeze=False, height_ratios=heights, subplot_kw={"axes_class": Panel}, **words
    )
    for panel in panels.flat:
        tidy(panel)
    return figure, panels


def new_axes(axes: Axes | None, width: float = 8.0, height: float = 4.2) -> Axes:
    """The axes given, or axes of a figure of their own."""
    if axes is None:
        _, panels = new_panels([height - 1.3], width)
        axes = panels[0, 0]
    else:
        tidy(axes)
    return axes


def tidy(axes: Axes) -> None:
    """Quiet frame and grid, behind what is drawn."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.tick_params(colors=TEXT, labelsize=_SMALL, color=QUIET)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def shown(text: str, most: int = CLOSE) -> str:
    """A text as it may stand in a picture: visible, on one line, no longer than `most` characters."""
    text = visible(text[: 4 * most])
    return text if len(text) <= most else text[: most - 1] + "…"


def plain(**words: Any) -> dict[str, Any]:
    """Properties of a text that is no formula."""
    return {"parse_math": False, "usetex": False, "fontfamily": families(), "color": TEXT, **words}


def title(axes: Axes, said: str, about: str | None = None) -> None:
    """What the picture says; and, smaller above it, what it is of."""
    if about:
        axes.annotate(
            shown(about, 120), (0, 1), xytext=(0, 24), xycoords="axes fraction", textcoords="offset points", ha="left",
            va="bottom", **plain(fontsize=_SMALL, color=QUIET),
        )  # fmt: skip
    axes.set_title(shown(said), x=0.0, ha="left", **plain(fontsize=_SIZE + 1, fontweight="bold", pad=8))


def heading(figure: Figure, text: str) -> None:
    """What a figure of several columns is of."""
    figure.suptitle(shown(text, 140), x=0.008, ha="left", **plain(fontsize=_SIZE + 2, fontweight="bold"))


def label(axes: Axes, x: str | None = None, y: str | None = None) -> None:
    """What the axes count."""
    if x is not None:
        axes.set_xlabel(shown(x), **plain(fontsize=_SIZE))
    if y is not None:
        axes.set_ylabel(shown(y, 48), **plain(fontsize=_SIZE))


def place(axes: Axes, text: str, at: tuple[float, float], most: int = 48, **words: Any) -> Any:
    """Write a text into the picture; `words` as for matplotlib's ``annotate``."""
    return axes.annotate(shown(text, most), at, **plain(fontsize=_SMALL, **words))


def legend(axes: Any, handles: dict[str, Any], **words: Any) -> None:
    """A legend of a figure or axes, if there is anything to tell: artists (or tuples of them) by their names."""
    if not handles:
        return
    made = axes.legend(
        list(handles.values()), list(handles), handler_map={tuple: HandlerTuple(ndivide=None)}, frameon=False,
        prop={"family": families(), "size": _SMALL}, labelcolor=TEXT, **words,
    )  # fmt: skip
    for text in made.get_texts():
        text.set(parse_math=False, usetex=False)


def legend_above(axes: Axes, handles: dict[str, Any]) -> None:
    """A legend on the right above the axes, where it hides nothing."""
    legend(
        axes, handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(handles), borderaxespad=0.2,
        columnspacing=1.2,
    )  # fmt: skip


def empty(axes: Axes, why: str) -> None:
    """A picture of nothing says so."""
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.text(
        0.5, 0.5, shown(why, 120), transform=axes.transAxes, ha="center", va="center",
        **plain(fontsize=_SIZE + 1, color=QUIET),
    )  # fmt: skip


# ---- time


def days(ns: Ints) -> Floats:
    """Times in ns since 1970 as matplotlib counts them: days, exact to less than a microsecond."""
    return ns // DAY_NS + (ns % DAY_NS) / DAY_NS


def time_axis(axes: Axes, start_ns: int, end_ns: int, tz: datetime.tzinfo) -> None:
    """Let the x axis show times of day in a zone, the date with its label."""
    span = max(end_ns - start_ns, 1_000_000)
    edge = max(span // 100, 500_000 if end_ns > start_ns else 500_000_000)
    limits = days(np.array([start_ns - edge, end_ns + edge]))
    axes.set_xlim(float(limits[0]), float(limits[1]))
    locator: Any = cast(Any, AutoDateLocator)(tz=tz, minticks=5, maxticks=10)
    locator.intervald[SECONDLY] = [1, 2, 5, 10, 15, 30]
    locator.intervald[MINUTELY] = [1, 2, 5, 10, 15, 30]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_Clock(tz))
    first, last = (_moment(float(day), tz) for day in days(np.array([start_ns, end_ns])))
    date = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    label(axes, x=f"{date}, time in {first.tzname() or 'local time'}")


def _moment(day: float, tz: datetime.tzinfo) -> datetime.datetime:
    found: datetime.datetime = cast(Any, num2date)(day, tz)
    return found


class _Clock(Formatter):
    """Times of day, as fine as the axis at hand needs them."""

    def __init__(self, tz: datetime.tzinfo) -> None:
        self._tz = tz

    def __call__(self, x: float, pos: int | None = None) -> str:
        del pos
        low, high = self.axis.get_view_interval() if self.axis is not None else (x, x + 1)
        seconds = abs(float(high) - float(low)) * 86_400
        moment = _moment(x, self._tz) + datetime.timedelta(microseconds=0.5)
        if seconds > 4 * 86_400:
            return f"{moment:%d %b}"
        if seconds > 86_400:
            return f"{moment:%d %b %H:%M}"
        if seconds > 600:
            return f"{moment:%H:%M}"
        return f"{moment:%H:%M:%S}" if seconds > 4 else f"{moment:%H:%M:%S.%f}"[:-3]


def whole_numbers(axis: Any, most: int = 6) -> None:
    """Let an axis count things."""
    axis.set_major_locator(MaxNLocator(most, integer=True))
