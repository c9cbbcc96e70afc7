"""Telephone events (RFC 4733) as keys pressed. Floor 4.

Owns: which events are one press. In: a table of events as the streaming kernel gathers it, one row a (stream,
timestamp, event). Out: :class:`KeyPress`. Sources: RFC 4733 sections 2.5.1, 2.5.2 and 3.2; RFC 2833 3.10 (flash).

One press is one (SSRC, timestamp, event): its packets repeat the duration so far, and the last one is sent three times.
A press of more than 0xFFFF units goes on in a new segment: the same event without marker, whose timestamp is where the
one before ended (2.5.1.3); its durations add up. An event that never lasted is ignored (2.5.2.1 has it for states
only), and so are events that are no key: tones of fax and modem, states of a trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["KEYS", "WIDTH", "KeyPress", "merge_events"]

STREAM, FIRST, STAMP, EVENT, TICKS, END, MARKER, FRAME, LAST = range(9)
"""Columns of the table of events: index of the stream, time of the first packet (ns), RTP timestamp, event code,
highest duration (ticks), whether an end was seen, marker of the first packet, its frame, time of the last packet."""
WIDTH = 9

KEYS = (*"0123456789*#ABCD", "flash")
"""Keys by event code (RFC 4733 3.2; 16: RFC 2833 3.10)."""
_LATE_NS = 10_000_000_000
"""A packet this late is another event, though timestamp and code agree."""
_MOST_TICKS = 0xFFFF
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key pressed, as one stream tells it."""

    index: int
    """Of the stream."""
    time: int
    """First packet, ns."""
    last: int
    """Last packet, ns."""
    key: str
    """One of :data:`KEYS`."""
    duration_ms: float | None
    """None where the clock is not known."""
    frame: int
    """Of the first packet."""


@dataclass(slots=True)
class _Press:
    row: list[int]
    """The first row of it."""
    stamp: int
    """Of the segment that runs."""
    last: int
    ended: bool
    ticks: dict[int, int] = field(default_factory=dict)
    """Duration of each segment by its timestamp."""

    def take(self, row: list[int]) -> None:
        stamp = row[STAMP]
        self.ticks[stamp] = max(row[TICKS], self.ticks.get(stamp, 0))
        self.ended = self.ended or bool(row[END])
        self.last = max(self.last, row[LAST])

    def goes_on_with(self, row: list[int]) -> bool:
        """Whether a row is the next segment of it."""
        if self.ended or row[MARKER] or row[EVENT] != self.row[EVENT] or row[FIRST] - self.last > _LATE_NS:
            return False
        # the packet that says 0xFFFF may be lost
        return row[STAMP] in ((self.stamp + ticks) & _MASK for ticks in (self.ticks[self.stamp], _MOST_TICKS))


def merge_events(rows: npt.NDArray[np.int64], clock_rate_hz: Mapping[int, int]) -> list[KeyPress]:
    """Make key presses of events.

    Parameters
    ----------
    rows : int64[k, 9]
        Columns as :data:`STREAM` and the others have them, in any order. A press may have several rows, where a packet
        came late.
    clock_rate_hz : mapping
        Clock rate of the events by index of stream; a stream may be missing.

    Returns
    -------
    list of KeyPress
        In order of time, then stream.

    Raises
    ------
    ValueError
        If the table has not nine columns.
    """
    if rows.ndim != 2 or rows.shape[1] != WIDTH:
        raise ValueError(f"a table of events has {WIDTH} columns, not the shape {rows.shape}")
    rows = rows[(rows[:, EVENT] >= 0) & (rows[:, EVENT] < len(KEYS))]
    rows = rows[np.lexsort((rows[:, FRAME], rows[:, FIRST], rows[:, STREAM]))]
    presses: list[_Press] = []
    known: dict[tuple[int, int, int], _Press] = {}
    running: dict[int, _Press] = {}
    for row in rows.tolist():
        key = row[STREAM], row[STAMP], row[EVENT]
        press = known.get(key)
        if press is None or row[FIRST] - press.last > _LATE_NS:
            press = running.get(row[STREAM])
            if press is None or not press.goes_on_with(row):
                press = _Press(row, row[STAMP], row[LAST], ended=False)
                presses.append(press)
            press.stamp = row[STAMP]
            running[row[STREAM]] = known[key] = press
        press.take(row)
    made = [_finish(press, clock_rate_hz) for press in presses if sum(press.ticks.values())]
    return sorted(made, key=lambda press: (press.time, press.index, press.frame))


def _finish(press: _Press, clock_rate_hz: Mapping[int, int]) -> KeyPress:
    first = press.row
    rate = clock_rate_hz.get(first[STREAM])
    return KeyPress(
        index=first[STREAM],
        time=first[FIRST],
        last=press.last,
        key=KEYS[first[EVENT]],
        duration_ms=1000.0 * sum(press.ticks.values()) / rate if rate else None,
        frame=first[FRAME],
    )
