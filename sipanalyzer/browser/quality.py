"""A stream for people: its figures, and its quality over time as bars. Floor 9, no Textual.

In: a result and one of its streams. Out: styled lines (see :mod:`..output.terminal`).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np

from ..output.call_media import sparkline
from ..output.call_page import finding_lines
from ..output.cells import local_time, number, people, visible
from ..output.columns import COLUMNS
from ..output.derived import findings_of
from ..output.display_filter import stream_filter
from ..output.tables import Table, table
from ..output.terminal import Line, cut, fit, width_of, wrap
from ..result import Result, Stream, host_port

__all__ = ["interval_rows", "stream_lines", "stream_sparks"]

_GROUPS = (
    ("Where", ("ssrc", "direction", "matched", "media", "dscp", "vlan", "encrypted", "call_id", "also_call_ids")),
    ("What", ("codec", "payload_types", "clock_rate", "ptime_ms", "ptime_negotiated_ms", "kbit_s", "dtmf")),
    ("When", ("start", "end", "duration_s")),
    ("Packets", ("packets", "expected", "lost", "loss_percent", "duplicates", "out_of_order", "restarts")),
    ("Loss", ("loss_bursts", "burst_density_percent", "gap_density_percent", "max_consecutive_lost", "loss_runs")),
    (
        "Timing",
        ("mean_jitter_ms", "max_jitter_ms", "mean_delta_ms", "max_delta_ms", "max_skew_ms", "clock_drift_ppm",
         "discarded_percent", "lateness"),
    ),
    ("Quality", ("r_factor", "mos", "mos_min", "mos_scale", "mos_basis", "effective_loss_percent", "delay_ms")),
    ("Far end", ("rtcp_lost_percent", "rtcp_jitter_ms", "rtt_ms")),
    ("Seen in", ("capture", "first_frame", "last_frame")),
)  # fmt: skip
_LABEL = 10
_BARS = "▁▂▃▄▅▆▇█"
_HEIGHT = 4
"""Lines of a chart of bars."""


def interval_rows(result: Result, stream: int) -> list[int]:
    """Entries of ``result.intervals`` of a stream, in order of time."""
    found = result.intervals
    numbers = found.stream
    begin, end = np.searchsorted(numbers, [stream, stream + 1]) if _ordered(result) else (0, len(numbers))
    return [row for row in range(int(begin), int(end)) if numbers[row] == stream]


def _ordered(result: Result) -> bool:
    """Whether intervals stand in order of stream (they do; a result made by hand may not)."""
    key = "intervals in order"
    if key not in result.extra:
        result.extra[key] = bool((np.diff(result.intervals.stream) >= 0).all())
    return bool(result.extra[key])


def stream_sparks(result: Result, stream: int, width: int) -> list[Line]:
    """One line each of MOS, loss and jitter over time; nothing of a stream of one interval."""
    rows = interval_rows(result, stream)
    if len(rows) < 2:
        return []
    lines: list[Line] = []
    for name, values, low, high, unit, bad_high in _series(result, rows):
        known = [each for each in values if not math.isnan(each)]
        if not known:
            continue
        told = f" {min(known):.2f} to {max(known):.2f}{unit}"
        filled = [each if not math.isnan(each) else low for each in values]
        bars = sparkline(filled, low, high, max(8, width - 8 - len(told)), max if bad_high else min)
        lines.append(fit([(f"{name:<7}", "dim"), (bars, "cyan"), (told, "")], width))
    return lines


def _series(result: Result, rows: Sequence[int]) -> list[tuple[str, list[float], float, float, str, bool]]:
    """Name, a value an interval, what the lowest and the highest bar stand for, unit, whether high is bad."""
    found = result.intervals
    mos = [float(found.mos[row]) for row in rows]
    loss = [
        100.0 * (int(found.lost[row]) + int(found.discarded[row])) / max(1, int(found.expected[row])) for row in rows
    ]
    jitter = [float(found.max_jitter_ms[row]) for row in rows]
    worst = max((each for each in jitter if not math.isnan(each)), default=0.0)
    return [
        ("MOS", mos, 1.0, 4.5, "", False),
        ("loss", loss, 0.0, max(10.0, max(loss, default=0.0)), " %", True),
        ("jitter", jitter, 0.0, max(30.0, worst), " ms", True),
    ]


def stream_lines(result: Result, stream: int, width: int, tz: datetime.tzinfo = datetime.UTC) -> list[Line]:
    """The page of one stream.

    Parameters
    ----------
    result : Result
        Where it was found.
    stream : int
        Index into ``result.streams``.
    width : int
        Columns of the page.
    tz : datetime.tzinfo
        Zone in which times are shown.
    """
    seen = result.streams[stream]
    way = f"{host_port(seen.src)} > {host_port(seen.dst)}"
    lines: list[Line] = [
        [("Stream ", "bold"), (visible(way), "bold"), (f"  {visible(seen.codec or 'codec unknown')}", "")],
    ]
    lines += _verdict(seen, width)
    lines += finding_lines(_findings(result, stream), width)
    lines += _over_time(result, stream, width, tz)
    facts = _facts(result, stream)
    lines.append([])
    for title, names in _GROUPS:
        lines += _group(title, [name for name in names if facts.get(name) is not None], facts, width, tz)
    if seen.quality is not None:
        for at, text in enumerate(wrap("; ".join(seen.quality.notes) or "nothing assumed", width - _LABEL)):
            lines.append([("MOS rests " if not at else " " * _LABEL, "dim"), (text, "")])
    lines = [fit(line, width) for line in [*lines, [], [("Wireshark filter", "bold")]]]
    return [*lines, [(visible(stream_filter(seen)), "")]]


def _verdict(stream: Stream, width: int) -> list[Line]:
    parts = [f"{stream.duration_s:.1f} s", f"{stream.packets:,} packets", f"{stream.loss_percent:.1f} % lost"]
    if stream.max_jitter_ms is not None:
        parts.append(f"jitter up to {stream.max_jitter_ms:.1f} ms")
    if stream.quality is not None:
        parts.append(f"MOS {stream.quality.mos:.2f} {stream.quality.scale}")
    return [[(text, "")] for text in wrap(", ".join(parts), width)]


def _findings(result: Result, stream: int) -> Table:
    rows = table(result, "findings")
    return rows.take([row for row, each in enumerate(findings_of(result)) if each.stream == stream])


def _facts(result: Result, stream: int) -> dict[str, object]:
    from ..output.streams_table import STREAM_CELLS

    seen = result.streams[stream]
    facts: dict[str, object] = {}
    for each in COLUMNS["streams"]:
        cell = STREAM_CELLS.get(each.name)
        facts[each.name] = cell(seen, result) if cell is not None else getattr(seen, each.name, None)
    return facts


def _group(title: str, names: Sequence[str], facts: dict[str, object], width: int, tz: datetime.tzinfo) -> list[Line]:
    by_name = {each.name: each for each in COLUMNS["streams"]}
    lines: list[Line] = []
    used = 0
    for name in names:
        value = facts[name]
        if not isinstance(value, str | int | float | bool):
            continue
        text = cut(people(value, by_name[name], tz), max(width - _LABEL - len(name) - 1, 8))
        need = len(name) + 1 + width_of(text)
        if not lines or used + 3 + need > width:
            lines.append([(f"{title:<{_LABEL}}" if not lines else " " * _LABEL, "bold")])
            used = _LABEL
        else:
            lines[-1].append(("   ", ""))
            used += 3
        lines[-1] += [(f"{name} ", "dim"), (text, "")]
        used += need
    return lines


# ---- over time
def _over_time(result: Result, stream: int, width: int, tz: datetime.tzinfo) -> list[Line]:
    """MOS, loss and jitter as bars, one a ten-second interval."""
    rows = interval_rows(result, stream)
    if not rows:
        return []
    found = result.intervals
    length = result.options.interval_ns / 1e9
    if len(rows) < 2:
        return [[], [(f"Shorter than two intervals of {length:g} s: no course over time.", "dim")]]
    room = max(10, width - 10)
    share = -(-len(rows) // room)
    shared = "" if share == 1 else f" ({share} to a bar, the worst of them)"
    lines: list[Line] = [[], [("Quality over time", "bold"), (f"  a bar for {length * share:g} s{shared}", "dim")]]
    for name, values, low, high, unit, bad_high in _series(result, rows):
        if all(math.isnan(each) for each in values):
            continue
        lines += [[], *_chart(name, values, (low, high), unit, share, bad_high)]
    begin, end = (local_time(int(found.start[row]), tz)[11:19] for row in (rows[0], rows[-1]))
    bars = -(-len(rows) // share) * (3 if -(-len(rows) // share) * 3 <= room else 1)
    axis = begin + end.rjust(bars - 8) if bars >= 18 else f"{begin} to {end}"
    lines.append([(" " * 8 + axis, "dim")])
    return lines


def _chart(
    name: str, values: Sequence[float], limits: tuple[float, float], unit: str, share: int, bad_high: bool
) -> list[Line]:
    low, high = limits
    worst = max if bad_high else min
    groups: list[float | None] = []
    for at in range(0, len(values), share):
        known = [each for each in values[at : at + share] if not math.isnan(each)]
        groups.append(worst(known) if known else None)
    wide = 3 if len(groups) * 3 <= 66 else 1
    known = [each for each in groups if each is not None]
    told = f"{name}{unit}  {number(min(known), 's')} to {number(max(known), 's')}"
    lines: list[Line] = [[(" " * 8, ""), (told, "")]]
    steps = _HEIGHT * 8
    heights = [
        None if each is None else max(1, min(steps, round((each - low) / (high - low) * steps))) if each > low else 0
        for each in groups
    ]
    for level in range(_HEIGHT - 1, -1, -1):
        label = f"{high:7.1f} " if level == _HEIGHT - 1 else f"{low:7.1f} " if level == 0 else " " * 8
        line: Line = [(label, "dim")]
        for value, height in zip(groups, heights, strict=True):
            if height is None:
                glyph = "·" if level == 0 else " "
            else:
                part = max(0, min(8, height - level * 8))
                glyph = _BARS[part - 1] if part else " "
            line.append(((glyph * (2 if wide == 3 else 1)) + (" " if wide == 3 else ""), _style(name, value)))
        lines.append(line)
    return lines


_LIMITS = {"MOS": (3.6, 3.1), "loss": (1.0, 5.0), "jitter": (30.0, 60.0)}
"""From here a bar is fair, and bad."""


def _style(name: str, value: float | None) -> str:
    fair, bad = _LIMITS[name]
    if value is None:
        return "dim"
    if name == "MOS":
        return "red" if value < bad else "yellow" if value < fair else "green"
    return "red" if value >= bad else "yellow" if value >= fair else "green"
