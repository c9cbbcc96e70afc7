"""How far a capture can be trusted: what was captured is not what happened. Floor 6.

Owns: the grade of each capture and the doubts behind it. In: captures, messages, streams and their holes. Out: captures
with ``duplicated_percent``, ``holes``, ``one_sided``, ``doubts`` and ``grade`` filled in.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .facts import Outage
from .options import Options
from .result import Call, Capture, Messages, Stream

__all__ = ["GRADES", "grade_captures"]

GRADES = ("good", "fair", "poor")
"""By the weight of the gravest doubt: none that matters; figures may be a little off; figures may be wrong."""
_ALL_PERCENT = 90.0
"""Share of the running streams that is called all of them: one may have paused just then."""
_MOST = 1_000
"""Holes and pairs that are listed."""
_IN_DIALOG = ("ACK", "BYE", "PRACK", "UPDATE")
"""Requests that a client sends only after the other side has said something. CANCEL should be one (RFC 3261 9.1), but
many send it to a host that is dead."""


def grade_captures(
    captures: Sequence[Capture],
    messages: Messages,
    calls: Sequence[Call],
    streams: Sequence[Stream],
    outages: Sequence[Outage],
    options: Options,
) -> tuple[Capture, ...]:
    """Say how far each capture can be trusted.

    Parameters
    ----------
    captures : sequence of Capture
        In the order of their numbers.
    messages, calls, streams, outages
        What was found in them.
    options : Options
        `duplicated_percent`.
    """
    partial: dict[int, int] = defaultdict(int)
    for call in calls:
        if call.partial:
            partial[call.capture] += 1
    by_capture: dict[int, list[int]] = defaultdict(list)
    for number, stream in enumerate(streams):
        by_capture[stream.capture].append(number)
    holes_of = _by_capture(outages, streams)
    one_sided = _one_sided(messages)
    sip = np.bincount(messages.capture, minlength=len(captures)).tolist() if len(messages) else [0] * len(captures)
    graded = []
    for number, capture in enumerate(captures):
        mine = [streams[each] for each in by_capture[number]]
        known = dataclasses.replace(
            capture,
            duplicated_percent=_duplicated_percent(capture, sip[number], mine),
            holes=tuple(_common_holes(mine, holes_of[number], streams)),
            one_sided=tuple(one_sided.get(number, ())),
        )
        doubts = list(_doubts(known, partial[number], options))
        grade = None if not capture.packets else GRADES[max((weight for weight, _ in doubts), default=0)]
        graded.append(dataclasses.replace(known, grade=grade, doubts=tuple(text for _, text in doubts)))
    return tuple(graded)


def _doubts(capture: Capture, partial: int, options: Options) -> Iterator[tuple[int, str]]:
    """Weight (an index into :data:`GRADES`) and clause of each doubt."""
    anomalies = capture.anomalies.counts()
    lost = anomalies.get("tcp-lost-segment", 0)
    many = (capture.duplicated_percent or 0.0) >= options.duplicated_percent
    for weight, count, text in (
        (2, capture.damage is not None, "the file breaks off"),
        (2, capture.dropped or 0, "{} dropped while capturing, as the file says"),
        (2, len(capture.holes), "all streams miss packets at the same moment, {}: the capture lost them"),
        (2, len(capture.one_sided), "only one direction of the signalling was captured between {}"),
        (1, capture.clock_steps, "the clock was set back {}"),
        (1, capture.cut_packets, "{} cut by the snapshot length"),
        (1, lost, "{} missing: signalling over TCP may have been lost"),
        (0, many, "{:.0f} % of its frames stand twice (a mirror port): copies are not counted"),
        (
            0,
            capture.large_frames,
            "{} larger than a link carries: taken on a host that leaves segmentation to its card",
        ),
        (0, partial, "{} began before the capture"),
    ):
        if count:
            yield weight, text.format(_amount(capture, text, count))


def _amount(capture: Capture, text: str, count: int) -> object:
    if "%" in text:
        return capture.duplicated_percent
    things = {
        "dropped": "packet", "moment": "time", "direction": "pair of hosts", "clock": "time", "cut": "packet",
        "missing": "TCP segment", "larger": "TCP segment", "began": "call",
    }  # fmt: skip
    thing = next((name for word, name in things.items() if word in text), "time")
    plural = "pairs of hosts" if thing == "pair of hosts" else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"


def _duplicated_percent(capture: Capture, messages: int, streams: Sequence[Stream]) -> float | None:
    """Copies over what they are copies of, in percent; None of a capture without SIP and RTP."""
    copies = capture.anomalies.counts().get("sip-capture-duplicate", 0) + sum(each.duplicates for each in streams)
    distinct = messages + sum(each.packets - each.duplicates for each in streams)
    return min(100.0, 100.0 * copies / distinct) if distinct else None


# ---- holes in all streams at once
def _by_capture(outages: Sequence[Outage], streams: Sequence[Stream]) -> dict[int, list[Outage]]:
    groups: dict[int, list[Outage]] = defaultdict(list)
    for outage in outages:
        groups[streams[outage.stream].capture].append(outage)
    return groups


def _common_holes(
    running: Sequence[Stream], outages: Sequence[Outage], streams: Sequence[Stream]
) -> Iterator[tuple[int, int]]:
    """Moments in which all streams that run have a hole, in both directions of some way."""
    starts = sorted(stream.start for stream in running)
    ends = sorted(stream.end for stream in running)
    found = 0
    for begin, end, members in _overlapping(outages):
        if len(members) < 2 or found >= _MOST:
            continue
        active = bisect.bisect_right(starts, begin) - bisect.bisect_left(ends, end)
        if 100.0 * len(members) < _ALL_PERCENT * active:
            continue
        senders = {streams[number].src[0] for number in members}
        if senders.isdisjoint(streams[number].dst[0] for number in members):
            continue  # what one side sends was lost: that may have happened on the way
        found += 1
        yield begin, end


def _overlapping(outages: Sequence[Outage]) -> Iterator[tuple[int, int, set[int]]]:
    """Outages that have a moment in common: that moment, and their streams."""
    begin, end, members = 0, -1, set[int]()
    for outage in sorted(outages, key=lambda each: (each.start, each.end)):
        if members and outage.start < end:
            begin, end = outage.start, min(end, outage.end)
            members.add(outage.stream)
            continue
        if members:
            yield begin, end, members
        begin, end, members = outage.start, outage.end, {outage.stream}
    if members:
        yield begin, end, members


# ---- signalling of which one direction was captured
def _one_sided(messages: Messages) -> Mapping[int, list[tuple[str, str]]]:
    """By capture: sender and receiver where the other direction must have spoken and was not captured.

    Requests inside a dialog, or responses, prove that the other side has spoken; an unanswered INVITE does not.
    """
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    if not len(messages):
        return found
    numbers: dict[str, int] = {}
    host = np.array([numbers.setdefault(address, len(numbers)) for address, _ in messages.endpoints], np.int64)
    names = list(numbers)
    inside = [number for number, method in enumerate(messages.texts["method"]) if method in _IN_DIALOG]
    proves = (messages.status > 0) | np.isin(messages.method, inside)
    key = (messages.capture * len(names) + host[messages.src]) * len(names) + host[messages.dst]
    seen, at = np.unique(key, return_inverse=True)
    proven = np.bincount(at, weights=proves) > 0
    present = set(seen.tolist())
    for each, sure in zip(seen.tolist(), proven.tolist(), strict=True):
        rest, receiver = divmod(each, len(names))
        capture, sender = divmod(rest, len(names))
        back = (capture * len(names) + receiver) * len(names) + sender
        if sure and sender != receiver and back not in present and len(found[capture]) < _MOST:
            found[capture].append((names[sender], names[receiver]))
    return found
