"""Media that goes on across a box: the same packets arrive in one call and leave in another. Floor 5.

In: legs and streams. Out: hints. Two streams of different calls, at one time and between different places, are the same
medium where sequence numbers and timestamps go on, or where the beginnings of at least twenty payloads in a row are
equal and not a tone or silence. An equal SSRC alone proves nothing. Candidates are neighbours in sorted columns
(timestamp against time; a hash of four payloads), a few each, never all pairs. Sources: RFC 3550 5.1 (random first
sequence number and timestamp), 7.1 (what translators keep).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..result import Stream, host_port
from .legs import MANY, SCORES, Hint, Legs, Place, places_of

__all__ = ["find_crossings"]

_EARLY_NS, _LATE_NS = 50_000_000, 500_000_000
"""What leaves a box is this much earlier (the capture's queues) or later (its jitter buffer) than what arrived."""
_ALIKE = 20
"""Payloads in a row that must be alike..."""
_DIFFERENT = 12
"""... and how many different ones among them: tones repeat after at most ten packets of 20 ms."""
_GRAM = 4
"""Payloads that are looked up together."""
_RANDOM = 1 << 16
"""First timestamps below it were not drawn at random (one in 65,536 is): many senders have the same."""
_NEIGHBOURS = 8
_CHUNK = 1 << 14
"""Fingerprints taken up at a time: 50 MB."""
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Track:
    """One stream of one or more legs."""

    stream: Stream
    legs: frozenset[int]
    leg: int
    """The first of them."""
    source: Place | None
    target: Place | None
    ptime_ns: int


def find_crossings(legs: Legs, streams: Sequence[Stream]) -> list[Hint]:
    """Hints from streams that belong to several legs, or go on from one leg in another."""
    if not streams:
        return []
    by_call_id = dict(zip(legs.call_ids, range(len(legs)), strict=True))
    tracks: list[_Track] = []
    tied: dict[tuple[int, int], Stream] = {}
    places = places_of([(stream.src, stream.dst) for stream in streams])
    for stream, (source, target) in zip(streams, places, strict=True):
        if stream.call_id is None:
            continue
        numbers = sorted(
            {by_call_id[each] for each in (stream.call_id, *stream.also_call_ids[:64]) if each in by_call_id}
        )
        if not numbers:
            continue
        if 2 <= len(numbers) <= MANY:
            for pair in pairwise(numbers):
                tied.setdefault(pair, stream)
        if stream.media in ("audio", "video", None):
            ptime = stream.ptime_ms or stream.ptime_negotiated_ms or 20.0
            tracks.append(_Track(stream, frozenset(numbers), numbers[0], source, target, round(ptime * 1e6)))
    hints = [Hint("media", f"{_way(stream)} belongs to both", SCORES["media"], pair) for pair, stream in tied.items()]
    if len(tracks) < 2:
        return hints
    found: dict[tuple[int, int], str] = {}
    for first, second in _same_lines(tracks):
        found[first, second] = "with the same sequence numbers and timestamps"
    for first, second in _same_payloads(tracks):
        found.setdefault((first, second), "with the same payload")
    for first, second in _uncontested(tracks, list(found)):
        a, b = tracks[first], tracks[second]
        if a.legs & b.legs:
            continue
        pair = min(a.leg, b.leg), max(a.leg, b.leg)
        text = f"{_way(a.stream)} goes on as {_way(b.stream)} {found[first, second]}"
        hints.append(Hint("media", text, SCORES["media"], pair))
    return hints


def _way(stream: Stream) -> str:
    return f"RTP {host_port(stream.src)} > {host_port(stream.dst)}"


def _onward(a: _Track, b: _Track) -> tuple[bool, bool] | None:
    """Whether the second can be the first behind a box, and the first the second; None where neither.

    Two streams of one call can (a relay, an echo): that joins nothing, but it explains the second. So do two streams of
    two calls that go the same way, one recording played twice: neither way, but both could be meant by a third.
    """
    if a.source == b.source and a.target == b.target and not a.legs & b.legs:
        return (True, True)
    if a.source == b.source or a.target == b.target:
        return None
    if min(a.stream.end, b.stream.end) < max(a.stream.start, b.stream.start) - _LATE_NS:
        return None
    onward, back = a.target == b.source, b.target == a.source
    apart = not onward and not back
    return (onward or apart, back or apart)


# ---- sequence numbers and timestamps
def _same_lines(tracks: Sequence[_Track]) -> Iterator[tuple[int, int]]:
    """Pairs of streams (arriving, leaving) whose packets have the same sequence numbers and timestamps."""
    epoch = min(track.stream.start for track in tracks)
    by_clock: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, track in enumerate(tracks):
        clock = track.stream.clock_rate
        if clock and track.stream.first_stamp != track.stream.last_stamp:
            ticks = (track.stream.start - epoch) * clock // 1_000_000_000
            by_clock[clock].append(((track.stream.first_stamp - ticks) & 0xFFFFFFFF, number))
    for clock, lines in by_clock.items():
        lines.sort()
        far = _LATE_NS * clock // 1_000_000_000
        around = [*lines, *((at + (1 << 32), number) for at, number in lines[:_NEIGHBOURS])]
        for place, (at, number) in enumerate(lines):
            for other_at, other in around[place + 1 : place + 1 + _NEIGHBOURS]:
                if other_at - at > far:
                    break
                if other == number:
                    continue
                # what leaves later than it arrived stands lower on the same line
                if _continues(tracks[other], tracks[number], clock, (other_at - at) * 1_000_000_000 // clock):
                    yield other, number
                elif _continues(tracks[number], tracks[other], clock, -(other_at - at) * 1_000_000_000 // clock):
                    yield number, other


def _continues(a: _Track, b: _Track, clock: int, delay_ns: int) -> bool:
    """Whether the second stream is the first one behind a box, `delay_ns` later."""
    ways = _onward(a, b)
    if ways is None or not ways[0] or not -_EARLY_NS <= delay_ns <= _LATE_NS:
        return False
    s, t = a.stream, b.stream
    step = round(a.ptime_ns * clock / 1e9)
    same_first = (s.first_sequence, s.first_stamp) == (t.first_sequence, t.first_stamp)
    same_last = (s.last_sequence, s.last_stamp) == (t.last_sequence, t.last_stamp)
    if (s if s.start <= t.start else t).first_stamp < _RANDOM:  # counted from the beginning, as others may be too
        return (a.target == b.source or a.source == b.source) and same_first and same_last
    return same_first or same_last or (
        _on_line(s.first_sequence, s.first_stamp, t.first_sequence, t.first_stamp, step)
        and _on_line(s.last_sequence, s.last_stamp, t.last_sequence, t.last_stamp, step)
    )  # fmt: skip


def _on_line(sequence: int, stamp: int, other_sequence: int, other_stamp: int, step: int) -> bool:
    """Whether two packets are of one stream with that many ticks a packet."""
    ticks = (other_stamp - stamp + (1 << 31)) % (1 << 32) - (1 << 31)
    return step > 0 and ticks % step == 0 and (ticks // step - (other_sequence - sequence)) % (1 << 16) == 0


# ---- payload
def _same_payloads(tracks: Sequence[_Track]) -> Iterator[tuple[int, int]]:
    """Pairs of streams (arriving, leaving) of which twenty payloads in a row begin alike, at the same time."""
    numbers = [number for number, track in enumerate(tracks) if len(track.stream.fingerprint) >= _ALIKE]
    if len(numbers) < 2:
        return
    pairs: set[tuple[int, int]] = set()
    for group in _sharing_grams([tracks[number].stream.fingerprint for number in numbers]):
        for at, member in enumerate(group):
            for other in group[:at]:
                pairs.add((min(numbers[member], numbers[other]), max(numbers[member], numbers[other])))
    for first, second in sorted(pairs):
        a, b = tracks[first], tracks[second]
        ways = _onward(a, b)
        if ways is None:
            continue
        for offset in _offsets(a.stream.fingerprint, b.stream.fingerprint):
            delay = b.stream.start - a.stream.start - offset * a.ptime_ns
            if ways[0] and -_EARLY_NS <= delay <= _LATE_NS:
                yield first, second
                break
            if ways[1] and -_EARLY_NS <= -delay <= _LATE_NS:
                yield second, first
                break


def _sharing_grams(prints: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Groups of a few fingerprints that have four payloads in a row in common.

    Notes
    -----
    Of every window of grams as long as a run that counts has, only the one with the least hash is looked up (a local
    minimum is the same wherever the run stands), so a hundred thousand streams cost some five entries each.
    """
    chosen = [_least_hashes(prints[begin : begin + _CHUNK], begin) for begin in range(0, len(prints), _CHUNK)]
    values = np.concatenate([values for values, _ in chosen])
    rows = np.concatenate([rows for _, rows in chosen])
    order = np.lexsort((rows, values))
    values, rows = values[order], rows[order]
    new = np.ones(len(values), np.bool_)
    new[1:] = (values[1:] != values[:-1]) | (rows[1:] != rows[:-1])
    values, rows = values[new], rows[new]
    starts = np.flatnonzero(np.append([True], values[1:] != values[:-1])[: len(values)])
    sizes = np.diff(np.append(starts, len(values)))
    some = (sizes >= 2) & (sizes <= MANY)
    for start, size in zip(starts[some].tolist(), sizes[some].tolist(), strict=True):
        yield rows[start : start + size].tolist()


def _least_hashes(prints: Sequence[tuple[int, ...]], first_row: int) -> tuple[Words, npt.NDArray[np.int64]]:
    """The least hash of every window of grams, and whose it is; silence (one value over and over) left out."""
    longest = max(map(len, prints))
    words: Words = np.zeros((len(prints), longest), np.uint64)
    for row, each in enumerate(prints):
        words[row, : len(each)] = each
    grams = longest - _GRAM + 1
    hashes: Words = np.zeros((len(prints), grams), np.uint64)
    flat = np.ones(hashes.shape, np.bool_)
    for k in range(_GRAM):
        hashes = (hashes ^ words[:, k : k + grams]) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
        flat &= words[:, k : k + grams] == words[:, :grams]
    lengths = np.array([len(each) for each in prints])
    hashes[flat | (np.arange(grams) > (lengths - _GRAM)[:, None])] = _NONE
    span = _ALIKE - _GRAM + 1
    least = np.stack([hashes[:, at : at + span].min(axis=1) for at in range(grams - span + 1)])
    rows = np.broadcast_to(np.arange(first_row, first_row + len(prints)), least.shape)
    kept = least != _NONE
    return least[kept], rows[kept]


def _offsets(s: tuple[int, ...], t: tuple[int, ...]) -> Iterator[int]:
    """Places in the first at which the second begins, so that enough payloads in a row are alike."""
    for offset in range(_ALIKE - len(t), len(s) - _ALIKE + 1):
        begin, end = max(0, offset), min(len(s), offset + len(t))
        run = 0
        for place in range(begin, end):
            run = run + 1 if s[place] == t[place - offset] else 0
            if run >= _ALIKE and len(set(s[place - _ALIKE + 1 : place + 1])) >= _DIFFERENT:
                yield offset
                break


# ---- what competes
def _uncontested(tracks: Sequence[_Track], pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Pairs (arriving, leaving) that leave no doubt.

    What leaves has one origin: where several that are not the same medium themselves could be it, none is; one of its
    own call (an echo) counts among them. What arrives may leave towards several places (a recorder), but not in several
    calls towards one. What is sent the same way in two calls at once is a recording, and tells neither from the other.
    """
    played: set[int] = set()
    linked: set[tuple[int, int]] = set()
    origins: dict[int, list[int]] = defaultdict(list)
    onward: dict[int, list[int]] = defaultdict(list)
    for first, second in pairs:
        a, b = tracks[first], tracks[second]
        if a.source == b.source and a.target == b.target:
            played.update((first, second))
            continue
        linked.add((first, second))
        origins[second].append(first)
        onward[first].append(second)

    def doubtful(first: int, second: int) -> bool:
        if first in played or second in played:
            return True
        rivals = origins[second][: _NEIGHBOURS + 1]
        others = onward[first][: _NEIGHBOURS + 1]
        return any(
            tracks[rival].leg != tracks[first].leg and (rival, first) not in linked and (first, rival) not in linked
            for rival in rivals
        ) or any(
            tracks[other].leg != tracks[second].leg and tracks[other].target == tracks[second].target
            for other in others
        )

    for first, second in pairs:
        if not doubtful(first, second):
            yield first, second
