"""The timeline as bars for the report's page. Floor 8.

In: a :class:`~.data.Timeline`. Out: plain data for the template: rectangles in an SVG whose width is stretched (so it
holds no text), marks of the axis, and a legend. Failed calls stand at the foot of a bar, so that they can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from .data import Timeline

__all__ = ["Bar", "Bars", "Part", "make_bars"]

_KINDS = (
    ("failed", "failed or rejected"),
    ("unanswered", "not answered"),
    ("answered", "answered"),
    ("unknown", "not known"),
)
_MARKS = 6
_HEIGHT = 100.0
_ALIKE = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """All calls that began within one step."""

    x: int
    parts: tuple[Part, ...]
    tip: str
    """``23:38:20: 5 answered, 1 failed or rejected; up to 3 at once``."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The picture."""

    width: int
    """Bars; each is 1 wide, and the picture 100 high."""
    bars: tuple[Bar, ...]
    line: str
    """Path of the calls that were up at once."""
    top: int
    """Calls that the full height stands for."""
    most: int
    """Most calls at once: what the line's highest place stands for."""
    marks: tuple[tuple[float, str], ...]
    """Place in percent of the width, and text."""
    legend: tuple[tuple[str, str, int], ...]
    """Kind, its words, how many calls."""
    step: str
    """``10 s``."""


def make_bars(timeline: Timeline) -> Bars:
    """Lay out the bars; a kind that has no call has no place in the legend."""
    series = {kind: getattr(timeline, kind) for kind, _ in _KINDS}
    count = len(timeline.labels)
    top = max((sum(series[kind][at] for kind in series) for at in range(count)), default=0) or 1
    most = max(timeline.concurrent, default=0)
    if top <= _ALIKE * most and most <= _ALIKE * top:  # one scale for both, where neither becomes too small to see
        top = most = max(top, most)
    bars = []
    for at in range(count):
        foot, parts, words = _HEIGHT, [], []
        for kind, name in _KINDS:
            if series[kind][at]:
                height = _HEIGHT * series[kind][at] / top
                foot -= height
                parts.append(Part(kind, round(foot, 3), round(height, 3)))
                words.append(f"{series[kind][at]} {name}")
        tip = f"{timeline.labels[at]}: {', '.join(words) or 'no call begins'}; up to {timeline.concurrent[at]} at once"
        bars.append(Bar(at, tuple(parts), tip))
    every = max(1, -(-count // _MARKS))
    marks = tuple((round(100 * at / max(count, 1), 2), timeline.labels[at]) for at in range(0, count, every))
    legend = tuple((kind, name, sum(series[kind])) for kind, name in _KINDS if any(series[kind]))
    line = _steps(timeline.concurrent, most)
    highest = max(timeline.concurrent, default=0)
    return Bars(count, tuple(bars), line, top, highest, marks, legend, _span(timeline.step_s))


def _steps(values: tuple[int, ...], most: int) -> str:
    if not most:
        return ""
    heights = [round(_HEIGHT * (1 - value / most) + 0.75, 2) for value in values]
    return "M0 100" + "".join(f"V{height:g}H{at + 1}" for at, height in enumerate(heights)) + "V100"


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds * 1000:g} ms"
