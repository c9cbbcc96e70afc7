"""Telephone events (RFC 4733), and what tells one medium from another. Floor 1.

Comes in: packets that are no duplicates. Goes out: a row for each event of a stream, moved on in place as long as its
packets follow each other; the first payload bytes of a stream's first packets; its first and its last packet in order
of sequence. What is a key press is decided elsewhere.
"""

from __future__ import annotations

from . import rare_helper
from .streamstate import (
    E_DURATION,
    E_ENDED,
    E_EVENT,
    E_FIRST,
    E_FRAME,
    E_LAST,
    E_MARKER,
    E_STAMP,
    E_STREAM,
    EVENT_KEY,
    EVENT_ROW,
    EVENTS_COUNT,
    EVENTS_MISSED,
    EVENTS_ROOM,
    FINGERPRINT,
    FIRST_EXT,
    FIRST_STAMP,
    PRINTED,
    TOP_EXT,
    TOP_STAMP,
)


@rare_helper
def note_event(  # type: ignore[no-untyped-def]
    s: int, time: int, stamp: int, marker: int, payload: int, frame: int, ints, events, control
) -> bool:
    """Begin a row with the first packet of an event, or move it on (RFC 4733 2.3, 2.5.1); True to ask for room."""
    event = payload >> 24
    row = ints[s, EVENT_ROW]
    full = False
    if ints[s, EVENT_KEY] != (event << 32) | stamp:
        ints[s, EVENT_KEY] = (event << 32) | stamp
        row = control[EVENTS_COUNT]
        if row == events.shape[0]:
            control[EVENTS_MISSED] = control[EVENTS_MISSED] + 1
            row = -1
        else:
            events[row, E_STREAM] = s
            events[row, E_FIRST] = time
            events[row, E_STAMP] = stamp
            events[row, E_EVENT] = event
            events[row, E_DURATION] = 0
            events[row, E_ENDED] = 0
            events[row, E_MARKER] = marker
            events[row, E_FRAME] = frame
            control[EVENTS_COUNT] = row + 1
            full = row + 1 >= control[EVENTS_ROOM]
        ints[s, EVENT_ROW] = row
    if row >= 0:
        events[row, E_DURATION] = max(events[row, E_DURATION], payload & 0xFFFF)
        if payload & 0x00800000 != 0:
            events[row, E_ENDED] = 1
        events[row, E_LAST] = time
    return full


@rare_helper
def remember(s: int, ext: int, stamp: int, payload: int, ints, prints) -> None:  # type: ignore[no-untyped-def]
    """Add one of the first packets of a stream to its fingerprint."""
    count = ints[s, PRINTED]
    if count < FINGERPRINT:
        prints[s, count] = payload
        ints[s, PRINTED] = count + 1
    if ext < ints[s, FIRST_EXT]:
        ints[s, FIRST_EXT] = ext
        ints[s, FIRST_STAMP] = stamp


@rare_helper
def note_last(s: int, ext: int, stamp: int, ints) -> None:  # type: ignore[no-untyped-def]
    """Remember the packet if none came later in order of sequence."""
    if ext >= ints[s, TOP_EXT] and ext > 0:
        ints[s, TOP_EXT] = ext
        ints[s, TOP_STAMP] = stamp
