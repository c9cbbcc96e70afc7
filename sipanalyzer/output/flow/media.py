"""Bars of a chart: RTP streams with their quality over time, and keys pressed. Floor 8.

In: a result, its calls, who stands where. Out: rows :class:`~.model.Media` and :class:`~.model.Keys`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...codecs import is_comfort_noise, is_event
from ...facts import Digit
from ...result import Call, Result, Stream
from .endings import Wanted
from .lookups import Lookups, worse
from .model import Keys, Media
from .participants import Cast
from .seen import Seen
from .words import lasting, shown

__all__ = ["MOST_STREAMS", "choose_streams", "make_keys", "make_media"]

MOST_STREAMS = 48
"""Bars on a chart."""
_MOST_SHADES = 60
_FINER = 6
"""Parts of a bar for an interval, so that equal parts still show where one ends."""
_FINEST = 40
"""Parts of a bar with holes in it, at least."""
_MOST_HOLES = 200
_PAUSE_NS = 5_000_000_000
"""Keys that follow each other within this time were dialled together."""
_WELL_BEFORE_NS = 3_000_000_000
_LONGEST_KEYS = 80
_MOST_KEYS = 40
"""Rows of keys on a chart."""
_MANY_CODECS = 3


def choose_streams(result: Result, calls: Sequence[Call]) -> tuple[list[int], int]:
    """The streams that are drawn, by start, and how many are not: those with the most packets are."""
    numbers = sorted({number for call in calls for number in call.streams})
    if len(numbers) <= MOST_STREAMS:
        return numbers, 0
    largest = sorted(numbers, key=lambda number: -result.streams[number].packets)[:MOST_STREAMS]
    return sorted(largest), len(numbers) - MOST_STREAMS


def make_media(
    result: Result,
    calls: Sequence[Call],
    cast: Cast,
    numbers: Sequence[int],
    lookups: Lookups,
    wanted: Wanted,
    start: int,
) -> Iterator[Media]:
    """A bar for each of these streams."""
    all_legs: dict[int, list[int]] = {}
    for leg, call in enumerate(calls):
        for number in call.streams:
            all_legs.setdefault(number, []).append(leg)
    legs = {number: found[0] for number, found in all_legs.items()}
    lasts: dict[tuple[int, int, int, str | None], int] = {}
    for number in numbers:
        stream = result.streams[number]
        way = (legs[number], *cast.streams[number], stream.media)
        lasts[way] = max(lasts.get(way, stream.end), stream.end)
    for number in numbers:
        stream, leg = result.streams[number], legs[number]
        source, target = cast.streams[number]
        severity = None
        for finding in lookups.by_stream.get(number, ()):
            severity = worse(severity, finding.severity)
        quality = stream.quality
        last = lasts[leg, source, target, stream.media] == stream.end
        yield Media(
            time=stream.start,
            offset=stream.start - start,
            end=stream.end,
            source=source,
            target=target,
            label=_label(stream),
            detail=_detail(stream, calls[leg]),
            codec=None if stream.codec is None else shown(stream.codec, 40),
            packets=stream.packets,
            loss_percent=stream.loss_percent,
            max_jitter_ms=stream.max_jitter_ms,
            mos=None if quality is None else quality.mos,
            mos_scale=None if quality is None else quality.scale,
            shades=_shades(result, stream, number, lookups),
            leg=leg,
            stream=number,
            ports=(stream.src[1], stream.dst[1]),
            frame=stream.first_frame,
            capture=stream.capture,
            severity=severity,
            until=_until(stream, calls[leg], all_legs[number], wanted) if last else None,
        )


def _label(stream: Stream) -> str:
    names = [name for name in stream.codecs if not is_event(name) and not is_comfort_noise(name)]
    known = [shown(name, 24) for name in names[:_MANY_CODECS]]
    if len(names) > _MANY_CODECS:
        known.append("others")
    kind = "SRTP" if stream.encrypted else "RTP"
    if not known:
        if stream.codecs:
            return f"{kind} {shown(stream.codecs[0], 24)} only"
        types = ", ".join(str(number) for number in stream.payload_types[:_MANY_CODECS])
        return f"{kind}, codec unknown (payload type {types})" if types else f"{kind}, codec unknown"
    what = "" if stream.media in (None, "audio") else f" {shown(str(stream.media), 16)}"
    return f"{kind}{what} {', then '.join(known)}"


def _detail(stream: Stream, call: Call) -> str:
    told = [lasting(stream.end - stream.start), f"{stream.packets} packet{'s' * (stream.packets != 1)}"]
    percent = stream.loss_percent
    told.append("none lost" if stream.lost <= 0 else f"{percent:.1f} % lost" if percent >= 0.05 else "under 0.1 % lost")
    if stream.discarded and stream.expected:
        told.append(f"{100.0 * stream.discarded / stream.expected:.1f} % too late")
    if stream.max_jitter_ms is not None:
        told.append(f"jitter {stream.max_jitter_ms:.1f} ms")
    if stream.quality is not None:
        told.append(f"MOS {stream.quality.mos:.2f} {stream.quality.scale}")
    if stream.rtcp_lost_percent:
        told.append(f"{stream.rtcp_lost_percent:.1f} % lost at the far end")
    if stream.restarts:
        told.append(f"{stream.restarts} restart{'s' * (stream.restarts != 1)}")
    if stream.direction == "callee-to-caller" and call.answered is not None and stream.start < call.answered:
        told.append(f"early media, {lasting(call.answered - stream.start)} before the answer")
    return ", ".join(told)


def _until(stream: Stream, call: Call, legs: Sequence[int], wanted: Wanted) -> str | None:
    """How the last stream of its way ended against the call: too early where media should have gone on."""
    end = call.first_bye if call.first_bye is not None else call.end
    if call.answered is None or end is None or end < call.answered or stream.media not in (None, "audio"):
        return None
    if end - stream.end >= _WELL_BEFORE_NS and wanted.after(stream, legs, end) >= _WELL_BEFORE_NS:
        return f"stops {lasting(end - stream.end)} before the call ends"
    if stream.end - end >= _WELL_BEFORE_NS and stream.start < end:
        return f"goes on for {lasting(stream.end - end)} after the call ended"
    return None


def _shades(result: Result, stream: Stream, number: int, lookups: Lookups) -> tuple[float, ...]:
    """Lost or discarded, percent, in equal parts of the stream's time.

    What is missing of an interval is spread evenly over it, but for holes of five packets and more, whose place is
    known; a part takes its share of each interval and hole that it touches.
    """
    first, behind = int(lookups.intervals[number]), int(lookups.intervals[number + 1])
    holes = lookups.outages.get(number, [])[:_MOST_HOLES]
    lasted = stream.end - stream.start
    if lasted <= 0 or behind == first or (behind - first == 1 and not holes):
        return (_percent(stream.lost + (stream.discarded or 0), stream.expected),)
    found = result.intervals
    here = slice(first, behind)
    starts = found.start[here] - stream.start
    bad = (found.lost[here] + found.discarded[here]).astype(np.float64)
    if holes:  # counted where the packet behind the hole arrived
        ends = np.array([hole.end for hole in holes]) - stream.start
        at = np.clip(np.searchsorted(starts, ends, side="right") - 1, 0, len(starts) - 1)
        np.subtract.at(bad, at, np.array([float(hole.lost) for hole in holes]))
        bad = np.maximum(bad, 0.0)
    if not holes and not bad.any():
        return (0.0,) * min(_MOST_SHADES, _FINER * (behind - first))
    edges = np.append(starts, max(lasted, int(starts[-1]) + 1))
    count = min(_MOST_SHADES, max(_FINER * (behind - first), _FINEST * bool(holes)))
    cuts = np.linspace(0.0, float(lasted), count + 1)
    missing = np.interp(cuts, edges, np.append(0.0, np.cumsum(bad)))
    for hole in holes:
        missing += np.interp(cuts, (hole.start - stream.start, hole.end - stream.start), (0.0, float(hole.lost)))
    wanted = np.interp(cuts, edges, np.append(0.0, np.cumsum(found.expected[here].astype(np.float64))))
    return tuple(map(_percent, np.diff(missing).tolist(), np.diff(wanted).tolist()))


def _percent(bad: float, expected: float) -> float:
    return min(100.0, max(0.0, 100.0 * bad / expected)) if expected > 0 else 0.0


# ---- keys
def make_keys(
    result: Result, calls: Sequence[Call], cast: Cast, seen: Sequence[Seen], start: int
) -> tuple[list[Keys], int]:
    """Keys pressed one after another in one row, and how many rows of them are left out."""
    if not any(call.digits for call in calls):
        return [], 0
    by_frame = {(each.capture, each.frame): each for each in reversed(seen) if each.method == "INFO"}
    rows: list[Keys] = []
    left_out = 0
    for leg, call in enumerate(calls):
        for group in _grouped(call.digits):
            if len(rows) == _MOST_KEYS:
                left_out += 1
                continue
            first = group[0]
            source, target = _way(first, cast, by_frame)
            alone = all(len(each.key) == 1 for each in group)
            keys = ("" if alone else " ").join(each.key for each in group[: _LONGEST_KEYS + 1])
            rows.append(
                Keys(
                    time=first.time,
                    offset=first.time - start,
                    source=source,
                    target=target,
                    keys=shown(keys, _LONGEST_KEYS),
                    method=first.method,
                    leg=leg,
                    frame=first.frame,
                    capture=first.capture,
                )
            )
    return rows, left_out


def _grouped(digits: Sequence[Digit]) -> list[list[Digit]]:
    """Digits of one direction and method with no long pause between them, by their first."""
    groups: list[list[Digit]] = []
    current: dict[tuple[str | None, str], list[Digit]] = {}
    for digit in digits:
        way = digit.direction, digit.method
        group = current.get(way)
        if group is None or digit.time - group[-1].time >= _PAUSE_NS:
            group = current[way] = []
            groups.append(group)
        group.append(digit)
    return groups


def _way(digit: Digit, cast: Cast, by_frame: Mapping[tuple[int, int], Seen]) -> tuple[int, int]:
    """From whom to whom: as its stream or its INFO goes, else across the chart."""
    if digit.stream is not None and digit.stream in cast.streams:
        return cast.streams[digit.stream]
    message = by_frame.get((digit.capture, digit.frame))
    if message is not None:
        return cast.sockets[message.src], cast.sockets[message.dst]
    last = max(0, len(cast.participants) - 1)
    return (last, 0) if digit.direction == "callee-to-caller" else (0, last)
