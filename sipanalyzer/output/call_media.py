"""The media of one call on its page: streams, why their MOS is what it is, quality over time, keys. Floor 8.

In: a result narrowed to the call, and its tables. Out: styled lines (see :mod:`.terminal`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence

from ..facts import Digit, Intervals
from ..result import Call, Result, Stream
from .cells import Cell, local_time
from .columns import Column
from .streams_table import stream_order
from .tables import Table
from .terminal import Line, draw_table, lay_out, wrap

__all__ = ["digit_lines", "sparkline", "stream_lines"]

_BARS = "▁▂▃▄▅▆▇█"
_LEVELS = {"MOS": (1.0, 4.5), "loss": (0.0, 10.0)}
"""What the lowest and the highest bar stand for; beyond, a bar is the highest or lowest."""
_COLUMNS = (
    "src", "src_port", "dst", "dst_port", "codec", "packets", "loss_percent", "max_jitter_ms", "mos", "mos_min",
    "discarded_percent", "rtcp_lost_percent", "rtt_ms", "dtmf", "direction", "ssrc",
)  # fmt: skip
_VARIES_MOS, _VARIES_PERCENT = 0.1, 1.0
"""A figure that moves by less over the intervals gets no line."""
_MOST = 20
"""Streams that have lines of their own below the table."""
_NUMBER = Column("#", "int", "", "number on this page")


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
    """One line a stream whose quality varied: MOS where there is one, else loss."""
    by_stream: dict[int, list[int]] = {}
    for row, number in enumerate(own.intervals.stream.tolist()):
        by_stream.setdefault(number, []).append(row)
    lines = [
        line
        for at, number in enumerate(order, start=1)
        for line in _varied(own.intervals, by_stream.get(number, []), at, width, tz)
    ][:_MOST]
    if lines:
        yield []
        length = own.options.interval_ns / 1e9
        yield [
            ("Quality over time", "bold"),
            (f"  a bar for {length:g} s: MOS from 1 to 4.5, loss from 0 to 10 %", "dim"),
        ]
        yield from lines


def _varied(found: Intervals, rows: Sequence[int], at: int, width: int, tz: datetime.tzinfo) -> Iterator[Line]:
    if len(rows) < 2:
        return
    scores = [float(found.mos[row]) for row in rows]
    scores = [each for each in scores if each == each]
    bad = [int(found.lost[row]) + int(found.discarded[row]) for row in rows]
    shares = [100.0 * each / max(1, int(found.expected[row])) for each, row in zip(bad, rows, strict=True)]
    name, values = ("MOS", scores) if len(scores) == len(rows) else ("loss", shares)
    if max(values) - min(values) < (_VARIES_MOS if name == "MOS" else _VARIES_PERCENT):
        return
    bad_is = min if name == "MOS" else max
    worst = bad_is(range(len(values)), key=values.__getitem__)
    unit = "" if name == "MOS" else " %"
    when = local_time(int(found.start[rows[worst]]), tz)[11:19]
    told = f"  {min(values):.2f} to {max(values):.2f}{unit}, worst from {when}"
    bars = sparkline(values, *_LEVELS[name], max(10, width - 10 - len(told)), bad_is)
    yield [(f"{at:>2}  {name:<4}  ", ""), (bars, "cyan"), (told, "")]


def sparkline(
    values: Sequence[float], low: float, high: float, width: int, worst: Callable[[Sequence[float]], float] = min
) -> str:
    """Values as bars of eight heights.

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
    share = -(-len(values) // width)
    grouped = [worst(values[at : at + share]) for at in range(0, len(values), share)]
    steps = len(_BARS) - 1
    return "".join(_BARS[min(steps, max(0, round((each - low) / (high - low) * steps)))] for each in grouped)


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
