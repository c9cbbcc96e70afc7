"""What every chart of one result asks, indexed once: findings by what they concern, intervals by stream. Floor 8.

In: a result. Out: :class:`Lookups`, kept in ``Result.extra``, so that thousands of charts cost one indexing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...facts import SEVERITIES, Finding, Outage
from ...result import Result
from ..derived import findings_of, once

__all__ = ["Lookups", "lookups_of"]

_Frame = tuple[int, int, str | None]
"""Capture, frame, Call-ID that the finding is about (None: of no call)."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """Indices of a result."""

    by_call: dict[str, list[Finding]]
    """Findings by Call-ID, in the order in which they are shown; those of its streams among them."""
    by_stream: dict[int, list[Finding]]
    severity: dict[_Frame, str]
    """Of the worst finding that names a frame as evidence."""
    outages: dict[int, list[Outage]]
    """Holes of five packets and more, by stream."""
    intervals: npt.NDArray[np.int64]
    """Where the intervals of each stream begin; one entry more than there are streams."""

    def severity_of(self, capture: int, frame: int, call_id: str) -> str | None:
        """Severity of the worst finding, of this call or of none, that names a frame as evidence; None without any."""
        own, common = self.severity.get((capture, frame, call_id)), self.severity.get((capture, frame, None))
        return worse(own, common)


def worse(one: str | None, other: str | None) -> str | None:
    """The worse of two severities."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=SEVERITIES.index)


def lookups_of(result: Result) -> Lookups:
    """The indices of a result, made when they are first asked for."""
    return once(result, "flow lookups", _make)


def _make(result: Result) -> Lookups:
    by_call: dict[str, list[Finding]] = defaultdict(list)
    by_stream: dict[int, list[Finding]] = defaultdict(list)
    severity: dict[_Frame, str] = {}
    for finding in findings_of(result):
        concerned = [finding.call_id]
        if finding.stream is not None and finding.stream < len(result.streams):
            by_stream[finding.stream].append(finding)
            stream = result.streams[finding.stream]
            concerned += [call_id for call_id in (stream.call_id, *stream.also_call_ids) if call_id is not None]
        for call_id in dict.fromkeys(concerned):
            if call_id is not None:
                by_call[call_id].append(finding)
            if finding.capture is not None and (call_id is not None or len(concerned) == 1):
                for frame in finding.frames:
                    key = finding.capture, frame, call_id
                    severity[key] = worse(severity.get(key), finding.severity) or finding.severity
    edges = np.searchsorted(result.intervals.stream, np.arange(len(result.streams) + 1))
    outages: dict[int, list[Outage]] = defaultdict(list)
    for outage in result.outages:
        outages[outage.stream].append(outage)
    return Lookups(dict(by_call), dict(by_stream), severity, dict(outages), edges)
