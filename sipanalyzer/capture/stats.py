"""What is known of one capture while it is read, and in the end. Floor 2.

Comes in: counters that the kernels move on, damage that the readers meet. Goes out: a
:class:`sipanalyzer.result.Capture`.
"""

from __future__ import annotations

import numpy as np

from sipanalyzer.anomalies import EXAMPLES, Anomalies
from sipanalyzer.capture.formats import link_name
from sipanalyzer.capture.source import Source
from sipanalyzer.kernels import walkstate as walk
from sipanalyzer.kernels.columns import COUNTERS
from sipanalyzer.result import Capture

__all__ = ["CaptureStats"]

MAX_LINKS = 64
"""Link types of one capture that are listed; a file with more was made to have them."""
_CODES = {
    walk.NOTE_CUT: "cut-packet",
    walk.NOTE_ORDER: "out-of-order-record",
    walk.NOTE_STEP: "clock-step",
    walk.NOTE_BLOCK: "bad-block",
    walk.NOTE_INTERFACE: "bad-interface",
    walk.NOTE_TIME: "bad-time",
}


class CaptureStats:
    """Counters of one capture; a worker thread may move them on while others look.

    Parameters
    ----------
    name : str
        The file's name as it goes into tables.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.format = ""
        """``pcap``, ``pcap-ns`` or ``pcapng``, with the compression as suffix; empty before it is opened."""
        self.size: int | None = None
        """Bytes of the file as it is stored, where known."""
        self.links: list[int] = []
        """Link types in order of appearance."""
        self.state = np.zeros(walk.STATE, np.int64)
        self.state[walk.LIMIT] = np.iinfo(np.int64).max
        self.counts = np.zeros(COUNTERS, np.int64)
        """Packets of each kind (`columns.KINDS`), and those that were cut."""
        self.notes = np.zeros((walk.NOTES, 1 + EXAMPLES), np.int64)
        self.drops: dict[tuple[int, int], int] = {}
        """By section and interface, what its last statistics block says was dropped."""
        self.anomalies = Anomalies()
        self.damage: str | None = None
        self._source: Source | None = None
        self._consumed = 0
        self._broken: str | None = None
        self._gaps, self._skipped, self._resumed = 0, 0, 0

    def opened(self, source: Source, format_: str) -> None:
        """The file is open and has this format."""
        self._source = source
        self.size = source.size
        self.format = f"{format_}.{source.compression}" if source.compression else format_

    def closed(self, source: Source) -> None:
        """The file was read as far as it goes."""
        self._consumed = source.consumed
        self._source = None
        if source.beyond_belief:
            self.anomalies.add("inflated-limit")
        if source.beyond_limit:
            self.anomalies.add("redaction-limit", count=source.beyond_limit)
        told = [source.damage] if source.damage else []
        if self.damage and (self._gaps or not source.interrupted):
            told.append(self.damage)
        if self._gaps:
            told.append(f"read on at offset {self._resumed}")
        if self._gaps > 1:
            told.append(f"{self._gaps - 1} more such places, {self._skipped} bytes passed over in all")
        if self._broken and not source.interrupted:  # a record that is not whole is no fault of the file's then
            told.append(self._broken)
        self.damage = "; ".join(told) or None

    @property
    def consumed(self) -> int:
        """Bytes of the file as it is stored that were read so far."""
        return self._source.consumed if self._source is not None else self._consumed

    @property
    def packets(self) -> int:
        """Packets read so far."""
        return int(self.state[walk.PACKETS])

    def break_off(self, offset: int, needed: str, found: str) -> None:
        """No record can be made out at `offset` (of the decompressed bytes); what stands before counts."""
        said = f"broke off at offset {offset} after {self.packets} packets: needed {needed}, found {found}"
        if self.damage is None:
            self.damage = said
        else:
            self._broken = said

    def read_on(self, offset: int, at: int) -> None:
        """What broke off at `offset` is read on at another place."""
        self._broken = None
        self._gaps += 1
        self._skipped += at - offset
        if self._gaps == 1:
            self._resumed = at
        self.anomalies.add("passed-over", int(self.state[walk.FRAME]) + 1)

    def add_link(self, link: int) -> None:
        """A link type is in use."""
        if link not in self.links and len(self.links) < MAX_LINKS:
            self.links.append(link)

    def freeze(self) -> Capture:
        """All of it, for the result; to be called once, after the last packet."""
        for which, code in _CODES.items():
            count = int(self.notes[which, 0])
            for frame in self.notes[which, 1 : 1 + min(count, EXAMPLES)]:
                self.anomalies.add(code, frame=int(frame))
            if count > EXAMPLES:
                self.anomalies.add(code, count=count - EXAMPLES)
        dropped: int | None = None
        if self.drops:
            dropped = sum(self.drops.values())
        elif self.state[walk.DROPPED_SAID]:
            dropped = int(self.state[walk.DROPPED])
        timed = bool(self.state[walk.TIMED])
        return Capture(
            file=self.name,
            format=self.format,
            link_types=tuple(dict.fromkeys(link_name(link) for link in self.links)),
            packets=self.packets,
            bytes=int(self.state[walk.BYTES]),
            first=int(self.state[walk.FIRST]) if timed else None,
            last=int(self.state[walk.LAST]) if timed else None,
            cut_packets=int(self.notes[walk.NOTE_CUT, 0]),
            dropped=dropped,
            clock_steps=int(self.notes[walk.NOTE_STEP, 0]),
            anomalies=self.anomalies,
            damage=self.damage,
        )
