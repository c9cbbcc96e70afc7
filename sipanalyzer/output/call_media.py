"""The media of one call on its page: streams, why their MOS is what it is, quality over time, keys. Floor 8.

In: a result narrowed to the call, and its tables. Out: styled lines (see :mod:`.terminal`).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..facts import Digit, Intervals
from ..result import Call, Result, Stream
from .cells import Cell, local_time
from .columns import Column
from .streams_table import stream_order
from .tables import Table
from .terminal import Line, draw_table, lay_out, wrap

__all__ = ["digit_lines", "sparkline", "stream_lines"]

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = (
    "src", "src_port", "dst", "dst_port", "codec", "packets", "loss_percent", "max_jitter_ms", "mos", "mos_min",
    "discarded_percent", "rtcp_lost_percent", "rtt_ms", "dtmf", "direction", "ssrc",
)  # fmt: skip
_MOST = 20
"""Streams that have lines of their own below the table."""
_NUMBER = Column("#", "int", "", "number on this page")


@dataclass(frozen=True, slots=True)
class Scale:
    """How a figure is drawn over time."""

    name: str
    unit: str
    low: float
    high: float
    """What the lowest and the highest bar stand for; beyond, a bar is the highest or lowest."""
    worst: Callable[[Sequence[float]], float]
    """:func:`min` where small values are bad, :func:`max` where large ones are."""
    varies: float
    """A figure that moves by less over the intervals gets no line of its own."""
    decimals: int
    styles: tuple[tuple[float, str], ...]
    """Styles of bars that are better than a limit."""
    bad: str = "bold red"

    def told(self, value: float) -> str:
        """A value with its unit."""
        return f"{value:.{self.decimals}f} {self.unit}".strip()


_SCALES = (
    Scale("loss", "%", 0.0, 10.0, max, 1.0, 1, ((0.5, "green"), (1.0, "cyan"), (3.0, "yellow"))),
    Scale("jitter", "ms", 0.0, 50.0, max, 10.0, 1, ((20.0, "green"), (30.0, "cyan"), (50.0, "yellow"))),
    Scale("MOS", "", 1.0, 4.5, min, 0.1, 2, ((4.0, "green"), (3.6, "cyan"), (3.1, "yellow"))),
)


def stream_lines(own: Result, call: Call, streams: Table, width: int, tz: datetime.tzinfo) -> Iterator[Line]:
    """The streams as a table; below it what their MOS rests on, and where quality varied, how."""
    yield []
    if not len(streams):
        wanted = call.answered is not None and (not call.media or not {"audio", "video"}.isdisjoint(call.media))
        missing = "no RTP of this call was captured" if wanted else "none"
        yield [("Streams", "bold"), (f"  {missing}", "")]
        return
    yield [(f"Streams ({len(streams)})", "bold")]
    chosen = streams.only([name for name in _COLUMNS if any(each is not None for each in streams[name])])
    numbers: list[Cell] = list(range(1, len(streams) + 1))
    numbered = Table("streams of a call", (_NUMBER, *chosen.columns), (numbers, *chosen.data))
    yield from draw_table(numbered, lay_out(numbered, width, tz))
    order = sorted(range(len(own.streams)), key=lambda number: stream_order(own.streams[number]))
    ordered = [own.streams[number] for number in order]
    yield from _rating_lines(ordered, width)
    yield from _interval_lines(own, order, width, tz)


def _rating_lines(streams: Sequence[Stream], width: int) -> Iterator[Line]:
    """Per stream what its MOS rests on; what holds for all of them once."""
    rated = [(at, stream, stream.quality) for at, stream in enumerate(streams, start=1) if stream.quality is not None]
    if not rated:
        return
    shared = [note for note in rated[0][2].notes if all(note in quality.notes for _, _, quality in rated)]
    yield []
    yield [("What MOS rests on", "bold")]
    for at, stream, quality in rated[:_MOST]:
        missing = "nothing missing"
        if quality.loss_percent:
            burst = f" (burst ratio {quality.burst_ratio:.1f})" if quality.burst_ratio >= 1.05 else ""
            missing = f"{quality.loss_percent:.1f} % missing after the jitter buffer{burst}"
        told = [
            f"MOS {quality.mos:.2f} {quality.scale}, R {quality.r_factor:.0f}",
            f"{missing}, {quality.delay_ms:.0f} ms one way",
            f"Ie {quality.equipment_impairment:g}, Bpl {quality.loss_robustness:g} ({quality.basis})",
            *(note for note in quality.notes if note not in shared),
        ]
        way = f"{stream.direction}: " if stream.direction else ""
        yield from _hanging(f"{at:>2}  ", way + "; ".join(told), width)
    if len(rated) > _MOST:
        yield [(f"    and {len(rated) - _MOST} more streams", "dim")]
    if shared:
        yield from _hanging("    ", f"{'Each: ' if len(rated) > 1 else ''}{'; '.join(shared)}", width)


def _hanging(first: str, text: str, width: int) -> Iterator[Line]:
    for at, line in enumerate(wrap(text, width - len(first))):
        yield [(" " * len(first) if at else first, ""), (line, "")]


# ---- over time
def _interval_lines(own: Result, order: Sequence[int], width: int, tz: datetime.tzinfo) -> Iterator[Line]:
    """Loss, jitter and MOS over time: a line each where one of them varied, else one line a stream."""
    by_stream: dict[int, list[int]] = {}
    for row, number in enumerate(own.intervals.stream.tolist()):
        by_stream.setdefault(number, []).append(row)
    lines: list[Line] = []
    drawn = 0
    for at, number in enumerate(order, start=1):
        rows = by_stream.get(number, [])
        if len(rows) > 1 and drawn < _MOST:
            lines += _over_time(_figures(own.intervals, rows), own.intervals.start[rows].tolist(), at, width, tz)
            drawn += 1
    if lines:
        yield []
        length = own.options.interval_ns / 1e9
        scales = ", ".join(f"{each.name} {each.low:g} to {each.high:g} {each.unit}".strip() for each in _SCALES)
        yield [("Quality over time", "bold")]
        yield [(f"  a bar for {length:g} s, {scales}", "dim")]
        yield from lines


def _figures(found: Intervals, rows: Sequence[int]) -> list[list[float]]:
    """Of each scale the values of a stream's intervals; NaN where one is not known."""
    bad = [int(found.lost[row]) + int(found.discarded[row]) for row in rows]
    loss = [100.0 * each / max(1, int(found.expected[row])) for each, row in zip(bad, rows, strict=True)]
    return [loss, found.max_jitter_ms[rows].tolist(), found.mos[rows].tolist()]


def _over_time(
    figures: Sequence[Sequence[float]], starts: Sequence[int], at: int, width: int, tz: datetime.tzinfo
) -> Iterator[Line]:
    known = [
        (scale, values) for scale, values in zip(_SCALES, figures, strict=True) if any(each == each for each in values)
    ]
    if not any(_spread(values) >= scale.varies for scale, values in known):
        room = sum(len(scale.name) + len(scale.told(scale.worst(_sure(values)))) + 5 for scale, values in known)
        bars = max(4, (width - 4 - room) // len(known))
        line: Line = [(f"{at:>2}  ", "")]
        for number, (scale, values) in enumerate(known):
            line += [(f"{'   ' if number else ''}{scale.name} ", "dim"), *_bars(values, scale, bars)]
            line.append((f" {scale.told(scale.worst(_sure(values)))}", ""))
        yield line
        return
    for number, (scale, values) in enumerate(known):
        low, high = scale.told(min(_sure(values))), scale.told(max(_sure(values)))
        told = f"  {low}"
        if low != high:
            worst = values.index(scale.worst(_sure(values)))
            told = (
                f"  {low.removesuffix(f' {scale.unit}')} to {high}, worst from {local_time(starts[worst], tz)[11:19]}"
            )
        lead = "  " if number else f"{at:>2}"
        yield [(f"{lead}  {scale.name:<6}  ", ""), *_bars(values, scale, max(10, width - 12 - len(told))), (told, "")]


def _sure(values: Sequence[float]) -> list[float]:
    return [each for each in values if each == each]


def _spread(values: Sequence[float]) -> float:
    sure = _sure(values)
    return max(sure) - min(sure)


def _bars(values: Sequence[float], scale: Scale, width: int) -> Line:
    """Values as bars in the colours of their worth."""
    line: Line = []
    for value in _grouped(values, width, scale.worst):
        bar = sparkline([value], scale.low, scale.high, 1)
        style = next((style for limit, style in scale.styles if scale.worst((value, limit)) != value), scale.bad)
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + bar, style)
        else:
            line.append((bar, style))
    return line


def _grouped(values: Sequence[float], width: int, worst: Callable[[Sequence[float]], float]) -> list[float]:
    """At most `width` values: where there are more, neighbours are one, the worst of them; NaN where none is known."""
    share = -(-len(values) // width)
    groups = (_sure(values[at : at + share]) for at in range(0, len(values), share))
    return [worst(group) if group else math.nan for group in groups]


def sparkline(
    values: Sequence[float], low: float, high: float, width: int, worst: Callable[[Sequence[float]], float] = min
) -> str:
    """Values as bars of eight heights; a space where a value is not known (NaN).

    Parameters
    ----------
    values : sequence of float
        One a bar; where there are more than `width`, neighbours share a bar, the worst of them.
    low, high : float
        What the lowest and the highest bar stand for.
    width : int
        Bars at most.
    worst : callable
        :func:`min` where small values are bad, :func:`max` where large ones are.
    """
    steps = len(_BARS) - 1
    return "".join(
        " " if each != each else _BARS[min(steps, max(0, round((each - low) / (high - low) * steps)))]
        for each in _grouped(values, width, worst)
    )


# ---- keys
def digit_lines(digits: Sequence[Digit], width: int, tz: datetime.tzinfo) -> Iterator[Line]:
    """What was dialled: a line for each direction and method."""
    groups: dict[tuple[str | None, str], list[Digit]] = {}
    for digit in digits:
        groups.setdefault((digit.direction, digit.method), []).append(digit)
    if groups:
        yield []
        yield [("Digits", "bold")]
    for (direction, method), keys in groups.items():
        alone = all(len(each.key) == 1 for each in keys)
        begin, end = local_time(keys[0].time, tz)[11:], local_time(keys[-1].time, tz)[11:]
        span = f"at {begin}" if len(keys) == 1 else f"{begin} to {end}"
        text = ("" if alone else " ").join(each.key for each in keys)
        yield from _hanging("  ", f"{text}  {direction or 'direction unknown'}, {method}, {span}", width)
