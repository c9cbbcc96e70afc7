"""What happened when in a stream: bursts of loss, outages, key presses. Floor 8, numpy only.

In: the packets of one stream as a DataFrame. Out: spans of time.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Bools, Floats, Ints, flags, numbers, texts, times

if TYPE_CHECKING:
    import pandas

__all__ = ["OUTAGE", "Span", "Traffic", "find_bursts", "find_keys", "find_outages", "merged"]

OUTAGE = 5
"""Packets missing one after the other that are called an outage, as in the list of outages."""


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted."""

    start_ns: int
    end_ns: int
    count: int
    """Packets lost or late in it."""
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Traffic:
    """The packets of a stream whose arrival is known, as arrays of one length, in order of arrival."""

    time_ns: Ints
    extended: Ints
    """0: a stray."""
    segment: Ints
    lost_before: Ints
    late: Bools
    duplicate: Bools
    delta_ms: Floats
    jitter_ms: Floats
    skew_ms: Floats
    breaks: Bools
    rows: Ints
    """Their rows in the DataFrame."""

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def lost(self) -> int:
        """Packets that never came."""
        return int(self.lost_before.sum())

    @property
    def expected(self) -> int:
        """Different packets that came, and those that did not."""
        numbers_seen = np.sort(self.extended[self.extended > 0])
        return int(np.count_nonzero(np.diff(numbers_seen))) + (len(numbers_seen) > 0) + self.lost

    @classmethod
    def of(cls, packets: pandas.DataFrame) -> Traffic:
        """As the DataFrame has them; what is missing there is taken to be unremarkable."""
        arrivals, known = times(packets, "time")
        rows = np.flatnonzero(known)

        def whole(name: str) -> Ints:
            return np.nan_to_num(numbers(packets, name)).astype(np.int64)[rows]

        return cls(
            time_ns=arrivals[rows],
            extended=whole("extended_sequence"),
            segment=whole("segment"),
            lost_before=np.maximum(whole("lost_before"), 0),
            late=flags(packets, "late")[rows],
            duplicate=flags(packets, "duplicate")[rows],
            delta_ms=numbers(packets, "delta_ms")[rows],
            jitter_ms=numbers(packets, "jitter_ms")[rows],
            skew_ms=numbers(packets, "skew_ms")[rows],
            breaks=flags(packets, "break")[rows],
            rows=rows,
        )


def find_outages(traffic: Traffic, least: int = OUTAGE) -> list[Span]:
    """Holes of so many packets and more, from the arrival before to that after, in order of sequence."""
    order = np.argsort(traffic.extended, kind="stable")
    holes = np.flatnonzero(traffic.lost_before[order] >= least)
    spans = []
    for hole in holes.tolist():
        end = int(traffic.time_ns[order[hole]])
        begin = min(end, int(traffic.time_ns[order[hole - 1]])) if hole else end
        spans.append(Span(begin, end, int(traffic.lost_before[order[hole]])))
    return spans


def find_bursts(traffic: Traffic, gmin: int = 16) -> list[Span]:
    """Bursts of bad packets (lost, or too late), as they are counted: RFC 3611 4.7.2.

    Parameters
    ----------
    traffic : Traffic
        In order of arrival.
    gmin : int
        So many good packets in a row end a burst.
    """
    order = np.argsort(traffic.extended, kind="stable")
    order = order[(traffic.extended[order] > 0) & ~traffic.duplicate[order]]
    bad = order[traffic.late[order] | (traffic.lost_before[order] > 0)]
    if not len(bad):
        return []
    before = np.empty(len(traffic), np.int64)  # who comes before each, in order of sequence
    before[order] = np.concatenate([order[:1], order[:-1]])
    extended, late = traffic.extended[bad], traffic.late[bad]
    lost = traffic.lost_before[bad]
    first = extended - lost  # the first and the last bad number that each row tells of
    last = np.where(late, extended, extended - 1)
    apart = (first[1:] - last[:-1] - 1 >= gmin) | (np.diff(traffic.segment[bad]) != 0)
    edges = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(bad)]])
    counts = np.add.reduceat(lost + late, edges[:-1])
    spans = []
    for k in np.flatnonzero(counts > 1).tolist():
        head, tail = bad[edges[k]], bad[edges[k + 1] - 1]
        begin = traffic.time_ns[before[head]] if traffic.lost_before[head] else traffic.time_ns[head]
        end = traffic.time_ns[tail]
        spans.append(Span(int(min(begin, end)), int(max(begin, end)), int(counts[k])))
    return spans


def find_keys(packets: pandas.DataFrame, traffic: Traffic) -> list[Span]:
    """Telephone events: from their first to their last packet."""
    if "event" not in packets:
        return []
    told = np.flatnonzero(packets["event"].notna().to_numpy(dtype=np.bool_)[traffic.rows])
    these = packets.iloc[traffic.rows[told]]
    spans: list[Span] = []
    key: tuple[str | None, float] | None = None
    arrivals, stamps = traffic.time_ns[told].tolist(), np.nan_to_num(numbers(these, "timestamp")).tolist()
    for now, event, stamp in zip(arrivals, texts(these, "event"), stamps, strict=True):
        if (event, stamp) == key:
            spans[-1] = dataclasses.replace(spans[-1], end_ns=max(now, spans[-1].end_ns), count=spans[-1].count + 1)
        else:
            key = event, stamp
            spans.append(Span(now, now, 1, event or ""))
    return spans


def merged(spans: list[Span], apart_ns: int) -> list[Span]:
    """The same spans, those closer to each other than the eye can tell made one."""
    made: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_ns):
        if made and span.start_ns - made[-1].end_ns < apart_ns:
            last = made[-1]
            made[-1] = Span(last.start_ns, max(last.end_ns, span.end_ns), last.count + span.count, last.text)
        else:
            made.append(span)
    return made
