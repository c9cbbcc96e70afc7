"""Some calls as a capture of their own. Floor 8.

In: a result, what it was read from, Call-IDs. Out: a pcapng with their frames as they were captured: bytes, lengths,
times and interfaces. The captures are read twice: for the numbers of the frames (:mod:`..rereading.frames`), then for
their records.
"""

from __future__ import annotations

import heapq
import importlib.metadata
import os
import pathlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..capture.chosen import Record, Section, read_chosen
from ..capture.writer import COMMENT, DESCRIPTION, PcapngWriter
from ..errors import CaptureError
from ..rereading.frames import Chosen, find_frames
from ..result import Result
from .cells import visible
from .files import check_target, whole_file

__all__ = ["extract_calls"]

_NAMED = 20
"""Captures and calls that the comment names."""
_LONGEST = 1_000
"""Characters of a Call-ID or of a file's name that are written."""
_PCAP_ONLY = frozenset({9, 13})
"""Options of an interface that a pcap file header gives: clock, check sequence."""


def extract_calls(
    result: Result,
    sources: Sequence[Any],
    call_ids: Collection[str],
    path: str | os.PathLike[str],
    *,
    force: bool = False,
) -> pathlib.Path:
    """Write the frames of some calls into a pcapng.

    Parameters
    ----------
    result : Result
        The analysis.
    sources : sequence
        What it was read from (:meth:`Analysis.sources`).
    call_ids : collection of str
        Which calls.
    path : path
        Where to.
    force : bool
        Overwrite a file that exists.

    Returns
    -------
    pathlib.Path
        Where it is.

    Raises
    ------
    CaptureError
        If nothing can be read any more, or other frames stand there than before.
    OSError
        If the file exists (FileExistsError) or cannot be written.

    Notes
    -----
    SIP, RTP, RTCP, the fragments and TCP segments that they came in, ICMP errors about them, STUN, DTLS and T.38 of
    their sockets. A comment on the section says what was taken from where, and one on each packet that is not RTP which
    frame it was.
    """
    target = check_target(path, force=force)
    chosen = find_frames(result, sources, call_ids)
    if not chosen:
        raise CaptureError(result.captures[0].file, "the frames of the call are not there any more")
    with whole_file(target, force=force) as stream:
        writer = PcapngWriter(
            stream, _comment(chosen, call_ids), f"sipanalyzer {importlib.metadata.version('sipanalyzer')}"
        )
        known: dict[Section, list[int]] = {}
        records = [_records(each, number, result) for number, each in enumerate(chosen)]
        merged = heapq.merge(*records, key=lambda entry: entry[:2]) if len(records) > 1 else iter(records[0])
        for _, number, time, told, record in merged:
            section = record.section
            interfaces = known.setdefault(section, [])
            for interface in section.interfaces[len(interfaces) :]:
                options = interface.options
                if {code for code, _ in options} <= _PCAP_ONLY:
                    options = ((DESCRIPTION, _name(chosen[number]).encode("utf-8", "replace")), *options)
                interfaces.append(writer.interface(interface.link, interface.snaplen, options))
            interface = section.interfaces[record.which]
            ticks = interface.ticks(time) if record.ticks is None else record.ticks
            options = record.options
            if told:
                text = f"frame {record.frame} of {_name(chosen[number])}"
                options = (*options, (COMMENT, text.encode("utf-8", "replace")))
            wire = max(record.wire_length, len(record.data))
            writer.packet(interfaces[record.which], ticks, record.data, wire, options)
    return target


def _records(chosen: Chosen, number: int, result: Result) -> Iterator[tuple[int, int, int, bool, Record]]:
    """Records of one capture, in its order.

    Each with a time that never goes back, the capture's number, its own time, and whether it is to be named.
    """
    highest = -(1 << 63)
    at = 0
    frames, times, media = chosen.frames.tolist(), chosen.times.tolist(), chosen.media.tolist()
    for record in read_chosen(chosen.input, chosen.frames, result.options):
        while frames[at] < record.frame:
            at += 1
        highest = max(highest, times[at])
        yield highest, number, times[at], not media[at], record


def _name(chosen: Chosen) -> str:
    """A capture's name without the folders, which are nobody's business who is sent the file."""
    return visible(pathlib.PurePath(chosen.input.name).name or chosen.input.name)[:_LONGEST]


def _comment(chosen: Sequence[Chosen], call_ids: Collection[str]) -> str:
    """What stands on the section: which calls, from where."""
    calls = sorted(call_ids)
    lines = [f"SIP call {visible(call)[:_LONGEST]}" for call in calls[:_NAMED]]
    if len(calls) > _NAMED:
        lines.append(f"and {len(calls) - _NAMED} more calls")
    for each in chosen[:_NAMED]:
        frames = each.frames
        span = f"frames {frames[0]} to {frames[-1]}" if len(frames) > 1 else f"frame {frames[0]}"
        lines.append(f"{len(frames)} packets of {_name(each)} ({span})")
    if len(chosen) > _NAMED:
        lines.append(f"and of {len(chosen) - _NAMED} more files")
    return "\n".join(lines)
