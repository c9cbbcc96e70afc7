"""Payload of the packets of some streams, read once more. Floor 6, above the conductor.

In: an analysis, what it was read from, one call. Out: for each of its streams figures of each packet
(:mod:`.replay`) and its payload. A packet's bytes are found in its frame by its RTP header, which the analysis knows:
whatever tunnel it came through, as long as it came in one piece.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..capture.chosen import read_chosen
from ..kernels import columns as row
from ..result import Result
from .frames import find_frames
from .replay import PacketFigures, follow_packets
from .rows import read_packets_of

__all__ = ["MOST_PACKETS", "StreamPayloads", "find_payload", "read_payloads"]

MOST_PACKETS = 2_000_000
"""Packets of a call whose payload is kept: eleven hours of G.711."""
_FIXED = 12


@dataclass(frozen=True, slots=True)
class StreamPayloads:
    """One stream with its payload."""

    stream: int
    """Index into ``Result.streams``."""
    figures: PacketFigures
    payloads: tuple[bytes | None, ...]
    """Of each packet, without header, extension and padding; None where its bytes were not captured whole."""


def read_payloads(result: Result, sources: Sequence[Any], call_id: str, streams: Sequence[int]) -> list[StreamPayloads]:
    """Read captures once more for the payload of some streams of a call.

    Parameters
    ----------
    result : Result
        The analysis.
    sources : sequence
        What it was read from.
    call_id : str
        The call that counts the streams.
    streams : sequence of int
        Indices into ``result.streams``.

    Returns
    -------
    list of StreamPayloads
        In the order asked for.

    Raises
    ------
    CaptureError
        Nothing could be read.
    ValueError
        If they hold more than :data:`MOST_PACKETS` packets.
    """
    count = sum(result.streams[number].packets for number in streams)
    if count > MOST_PACKETS:
        raise ValueError(f"the call has {count} packets, and sound is made of {MOST_PACKETS} at most")
    settings = result.options
    rows_of = read_packets_of(sources, [result.streams[number] for number in streams], settings, MOST_PACKETS)
    waiting: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    """By time and frame: which packets it holds."""
    found: list[list[bytes | None]] = []
    for which, rows in enumerate(rows_of):
        found.append([None] * (0 if rows is None else len(rows)))
        if rows is not None:
            for at, key in enumerate(zip(rows[:, row.TIME].tolist(), rows[:, row.FRAME].tolist(), strict=True)):
                waiting[key].append((which, at))
    for source in sources:  # a file object stands where the first reading left it
        if hasattr(source, "seek"):
            source.seek(0)
    for chosen in find_frames(result, sources, {call_id}):
        times = dict(zip(chosen.frames.tolist(), chosen.times.tolist(), strict=True))
        for record in read_chosen(chosen.input, chosen.frames, settings):
            for which, at in waiting.get((times[record.frame], record.frame), ()):
                rows = rows_of[which]
                if rows is not None and found[which][at] is None:
                    found[which][at] = find_payload(record.data, rows[at].tolist())
    turns = result.extra.get("turns", ())
    return [
        StreamPayloads(number, follow_packets(rows, turns[number] if turns else (), settings), tuple(payloads))
        for number, rows, payloads in zip(streams, rows_of, found, strict=True)
        if rows is not None
    ]


def find_payload(frame: bytes, packet: Sequence[int]) -> bytes | None:
    """Payload of an RTP packet within the frame that carried it.

    Parameters
    ----------
    frame : bytes
        The frame, from its link layer on.
    packet : sequence of int, 16
        Its row (:mod:`sipanalyzer.kernels.columns`).

    Returns
    -------
    bytes or None
        None where the frame does not hold it whole.

    Notes
    -----
    RFC 3550 section 5.1: marker and payload type, sequence number, timestamp and SSRC are eleven bytes that follow the
    first one of the header.
    """
    head = struct.pack(">BHII", packet[row.PT], packet[row.SEQ], packet[row.STAMP], packet[row.SSRC])
    at = frame.find(head, 1)
    while at > 0:
        payload = _behind_header(frame, at - 1, packet[row.SIZE])
        if payload is not None:
            return payload
        at = frame.find(head, at + 1)
    return None


def _behind_header(frame: bytes, at: int, size: int) -> bytes | None:
    first = frame[at]
    if first >> 6 != 2:
        return None
    begin = at + _FIXED + 4 * (first & 15)
    if first & 16:
        if begin + 4 > len(frame):
            return None
        begin += 4 + 4 * int.from_bytes(frame[begin + 2 : begin + 4], "big")
    return frame[begin : begin + size] if begin + size <= len(frame) else None
