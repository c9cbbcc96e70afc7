"""Findings about the capture itself: what was captured is not what happened. Floor 7.

Owns: truncated-capture, capture-drops, capture-duplicates, one-sided-capture, clock-step. In: captures as graded
(:mod:`sipanalyzer.health`). What of it makes other findings doubtful is :mod:`.doubts`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ..facts import Finding
from ..result import Capture
from .context import MAX_FRAMES, Context, Rule

__all__ = ["RULES"]

_MOST_PAIRS = 20
"""Pairs of hosts of which one direction is missing, each with a finding of its own."""


def find_capture_defects(context: Context) -> Iterator[Finding]:
    """What keeps a capture from being the truth: a finding a kind and file."""
    shown = _first_rows(context)
    for number, capture in enumerate(context.result.captures):
        for code, text in _defects(capture, context.options.duplicated_percent):
            time = capture.holes[0][0] if code == "capture-drops" and capture.holes else capture.first
            frames = _frames(capture, code)
            advice = _COPY_AGAIN if text == _BREAKS_OFF else None
            yield context.finding(
                code, f"{_name(capture)}: {text}.", capture=number, time=time, frames=frames, advice=advice
            )
        for sender, receiver in capture.one_sided[:_MOST_PAIRS]:
            yield context.finding(
                "one-sided-capture",
                f"{_name(capture)}: SIP from {sender} to {receiver} was captured, and nothing the other way, though "
                f"{receiver} must have spoken.",
                capture=number,
                rows=shown[number, sender, receiver],
                time=None if shown[number, sender, receiver] else capture.first,
            )


def _first_rows(context: Context) -> dict[tuple[int, str, str], list[int]]:
    """The first messages between hosts of which one was not captured: by capture, sender and receiver."""
    captures = context.result.captures
    wanted = {(number, *pair) for number, capture in enumerate(captures) for pair in capture.one_sided}
    found: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    messages, ends = context.messages, context.messages.endpoints
    if not wanted:
        return found
    count = len(ends)
    ways, at = np.unique((messages.capture * count + messages.src) * count + messages.dst, return_inverse=True)
    keys = [(way // count**2, ends[way // count % count][0], ends[way % count][0]) for way in ways.tolist()]
    rows = np.flatnonzero(np.array([key in wanted for key in keys])[at])
    for row, way in zip(rows.tolist(), at[rows].tolist(), strict=True):
        if len(found[keys[way]]) < MAX_FRAMES:
            found[keys[way]].append(row)
    return found


def _defects(capture: Capture, duplicated_percent: float) -> Iterator[tuple[str, str]]:
    if capture.damage is not None:
        yield "truncated-capture", _BREAKS_OFF
    if capture.cut_packets:
        share = 100.0 * capture.cut_packets / capture.packets
        yield "truncated-capture", f"{capture.cut_packets:,} packets ({share:.1f} %) were cut by the snapshot length"
    if capture.dropped:
        yield "capture-drops", f"{capture.dropped:,} packets were dropped while capturing, as the file itself says"
    if capture.holes:
        longest = max(end - begin for begin, end in capture.holes) / 1e6
        times = "once" if len(capture.holes) == 1 else f"{len(capture.holes)} times"
        yield (
            "capture-drops",
            f"all streams, in both directions, miss packets at the same moment {times} (up to {longest:.0f} ms): "
            "the capture lost them, not the network",
        )
    if (capture.duplicated_percent or 0.0) >= duplicated_percent:
        yield (
            "capture-duplicates",
            f"{capture.duplicated_percent:.0f} % of the SIP and RTP packets stand twice, as at a mirror port that "
            "shows every frame on its way in and out; copies are not counted",
        )
    if capture.clock_steps:
        times = "once" if capture.clock_steps == 1 else f"{capture.clock_steps} times"
        yield "clock-step", f"the clock of the capture was set back {times}; durations across a step are wrong"


def _name(capture: Capture) -> str:
    return capture.file.replace("\\", "/").rsplit("/", 1)[-1] or "the capture"


_BREAKS_OFF = "the file breaks off, and what came after is missing"
_COPY_AGAIN = "Copy the file again once its capture has ended: what is read here ends before the capture did."
_ANOMALIES = {
    "truncated-capture": "cut-packet",
    "clock-step": "clock-step",
    "capture-duplicates": "sip-capture-duplicate",
}
"""The anomaly whose frames show a defect."""


def _frames(capture: Capture, code: str) -> tuple[int, ...]:
    anomaly = _ANOMALIES.get(code)
    if anomaly is None or anomaly not in capture.anomalies.counts():
        return ()
    return tuple(capture.anomalies[anomaly].frames)


RULES: tuple[Rule, ...] = (find_capture_defects,)
