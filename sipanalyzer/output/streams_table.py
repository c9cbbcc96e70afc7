"""The cells of the tables of streams and of their intervals. Floor 8.

In: a :class:`~sipanalyzer.result.Stream` and its result. Out: one value a column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..facts import Quality
from ..metrics.bursts import burst_density_percent, gap_density_percent
from ..result import LATENESS_MS, RUN_LENGTHS, Result, Stream
from .cells import Cell, clean, rounded
from .derived import finding_codes, session_numbers
from .display_filter import stream_filter

__all__ = ["STREAM_CELLS", "interval_columns", "stream_order"]


def stream_order(stream: Stream) -> tuple[int, int]:
    """Sorting key: start, then first frame."""
    return stream.start, stream.first_frame


def _file(stream: Stream, result: Result) -> str | None:
    return result.captures[stream.capture].file if 0 <= stream.capture < len(result.captures) else None


def _rate(stream: Stream) -> float | None:
    """Payload bits over the time that they fill: the last packet's too, where it is known."""
    filled_ns = stream.end - stream.start + (stream.ptime_ms or 0.0) * 1e6
    return stream.bytes * 8e6 / filled_ns if stream.end > stream.start else None


def _discarded_percent(stream: Stream) -> float | None:
    """Over the packets expected (RFC 3611 4.7.1, discard rate)."""
    return None if stream.discarded is None or not stream.expected else 100.0 * stream.discarded / stream.expected


def _of_quality(name: str) -> Callable[[Stream, Result], Cell]:
    def cell(stream: Stream, _: Result) -> Cell:
        quality: Quality | None = stream.quality
        value: Cell = None if quality is None else getattr(quality, name)
        return value

    return cell


def _number_of(stream: Stream, result: Result) -> int | None:
    return None if stream.call_id is None else session_numbers(result).get(stream.call_id)


def _class_names(limits: Sequence[int], *, whole: bool) -> tuple[str, ...]:
    """``1``, ``10-19``, ``>=50`` of whole numbers up to each limit; ``<5``, ``60-80``, ``>=500`` of numbers below."""
    lows = [1 if whole else 0, *(limit + whole for limit in limits)]
    names = []
    for low, limit in zip(lows, limits, strict=False):
        if whole:
            names.append(str(limit) if limit == low else f"{low}-{limit}")
        else:
            names.append(f"{low}-{limit}" if low else f"<{limit}")
    return (*names, f">={lows[-1]}")


_RUNS = _class_names(RUN_LENGTHS, whole=True)
_LATENESS = _class_names(LATENESS_MS, whole=False)


def _classes(counts: Sequence[int], names: Sequence[str]) -> str | None:
    """``1=5,3=1``: classes that hold something."""
    return ",".join([f"{names[at]}={count}" for at, count in enumerate(counts) if count]) or None


STREAM_CELLS: dict[str, Callable[[Stream, Result], Cell]] = {
    "ssrc": lambda stream, _: f"0x{stream.ssrc:08x}",
    "src": lambda stream, _: stream.src[0],
    "src_port": lambda stream, _: stream.src[1],
    "dst": lambda stream, _: stream.dst[0],
    "dst_port": lambda stream, _: stream.dst[1],
    "also_call_ids": lambda stream, _: ",".join(stream.also_call_ids) or None,
    "session": _number_of,
    "payload_types": lambda stream, _: ",".join(map(str, stream.payload_types)) or None,
    "duration_s": lambda stream, _: stream.duration_s if stream.end >= stream.start else None,  # the clock was set back
    "kbit_s": lambda stream, _: _rate(stream),
    "loss_bursts": lambda stream, _: stream.bursts,
    "burst_density_percent": lambda stream, _: burst_density_percent(stream),
    "gap_density_percent": lambda stream, _: gap_density_percent(stream),
    "discarded_percent": lambda stream, _: _discarded_percent(stream),
    "r_factor": _of_quality("r_factor"),
    "mos": _of_quality("mos"),
    "mos_scale": _of_quality("scale"),
    "mos_basis": _of_quality("basis"),
    "findings": lambda stream, result: _findings(stream, result),
    "wireshark_filter": lambda stream, _: stream_filter(stream),
    "capture": _file,
    "effective_loss_percent": _of_quality("loss_percent"),
    "burst_ratio": _of_quality("burst_ratio"),
    "delay_ms": _of_quality("delay_ms"),
    "mos_notes": lambda stream, _: None if stream.quality is None else "; ".join(stream.quality.notes) or None,
    "loss_runs": lambda stream, _: _classes(stream.loss_runs, _RUNS),
    "lateness": lambda stream, _: _classes(stream.lateness, _LATENESS),
}
"""How to make each column that is no field of the same name."""


def _findings(stream: Stream, result: Result) -> str | None:
    codes = finding_codes(result)[1]
    if not codes:
        return None
    number = _numbers(result)[id(stream)]
    return codes.get(number)


def _numbers(result: Result) -> dict[int, int]:
    """Number of each stream by its identity."""
    if "stream numbers" not in result.extra:
        result.extra["stream numbers"] = {id(stream): number for number, stream in enumerate(result.streams)}
    numbers: dict[int, int] = result.extra["stream numbers"]
    return numbers


def interval_columns(result: Result, order: Sequence[int]) -> dict[str, list[Cell]]:
    """Every column of the table `intervals`, by name.

    Parameters
    ----------
    result : Result
        Where they stand.
    order : sequence of int
        Which stream stands in which row of the table `streams`.
    """
    found = result.intervals
    rows = {number: row for row, number in enumerate(order)}
    streams = found.stream.tolist()
    starts = found.start.tolist()
    sequence = sorted(range(len(streams)), key=lambda each: (rows[streams[each]], starts[each]))
    numbers = [streams[each] for each in sequence]
    whole_numbers = {name: getattr(found, name).tolist() for name in ("packets", "lost", "expected", "discarded")}
    reals = {name: getattr(found, name).tolist() for name in ("max_jitter_ms", "mos", "r_factor")}
    columns: dict[str, list[Cell]] = {
        "stream": [rows[number] for number in numbers],
        "start": [starts[each] for each in sequence],
        "whole": [bool(found.whole[each]) for each in sequence],
        "ssrc": [f"0x{result.streams[number].ssrc:08x}" for number in numbers],
        "call_id": [_text(result.streams[number].call_id) for number in numbers],
    }
    for name, values in whole_numbers.items():
        columns[name] = [values[each] for each in sequence]
    for name, values in reals.items():
        unit = "ms" if name.endswith("_ms") else ""
        columns[name] = [None if math.isnan(values[each]) else rounded(values[each], unit) for each in sequence]
    return columns


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value)
