"""The table of RTP streams: rows of packets go in, figures of streams come out.

Floor 4. Owns the arrays that :mod:`sipanalyzer.kernels.rtp` works on, settles what the kernel hands back (new streams,
payload types, unknown clock rates), and finishes the state into :class:`Figures`. What a payload type means at a socket
is asked of a callback, since SDP lives on another floor. Sources: RFC 3550 A.1, A.3, A.8; RFC 3551; RFC 4733.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..kernels import columns as row
from ..kernels import plain, probation, timing
from ..kernels import rtp as kernel
from ..kernels import streamstate as state
from ..options import Options
from .clock import estimate_clock_rate
from .figures import Figures, Socket, finish_figures
from .formats import UNKNOWN_FORMAT, Format, Use, counted_uses, looks_like_event, static_format
from .ledgers import Ledgers, RawIntervals
from .rows import aligned_rows, beginning, sockets_of
from .sockets import NOWHERE, AnnouncedSockets

__all__ = ["StreamTable", "Turn"]

Rows = npt.NDArray[np.int64]

_SPREAD = 8
"""Slots of the hash table for each stream, at least: nearly every key stands in the first place looked at."""
_GROWTH = 4
"""Times as many rows when there is no room for another: copying costs; what no stream has touched takes no memory."""
_AT_ONCE = 4096
"""Streams whose rows become figures at a time: lists of them cost more memory than the rows."""


class Turn(NamedTuple):
    """What a stream was told from outside, so that its packets can be judged once more in the same way."""

    packets: int
    """Behind how many of its packets."""
    payload_type: int | None
    """The one whose meaning was asked; None: the schedule begins anew (hold, re-INVITE)."""
    format: Format | None = None
    """What SDP says that it means, if anything."""


@dataclass(slots=True)
class _Stream:
    """What Python keeps beside a stream's rows in the matrices."""

    capture: int
    formats: dict[int, Format] = field(default_factory=dict)
    """What each payload type means now."""
    uses: list[Use] = field(default_factory=list)
    """What they meant since when, in order of first use; `packets` are those of the payload type before."""
    main: Format | None = None
    """First audio or video format with a known clock, or the estimate."""
    anomalies: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    """In order; as many as SIP had to say, and one a payload type."""


class StreamTable:
    """All RTP streams of an analysis, moved on packet by packet.

    Parameters
    ----------
    options : Options
    describe : callable
        ``describe(src, dst, payload_type, time_ns)`` gives the :class:`Format` that SDP gives a payload type there, or
        None.
    created : callable
        ``created(stream, src, dst, time_ns)`` is told of each new stream's number.
    """

    def __init__(
        self,
        options: Options,
        describe: Callable[[Socket, Socket, int, int], Format | None] = lambda src, dst, payload_type, time: None,
        created: Callable[[int, Socket, Socket, int], None] = lambda stream, src, dst, time: None,
    ) -> None:
        self._options, self._describe, self._created = options, describe, created
        self.count = 0
        self.not_tabled = 0
        """Packets that had no place since the limit of streams was reached."""
        self._streams: list[_Stream] = []
        self._formats: dict[Format, int] = {}
        self._format_table = np.zeros((64, 2), np.int64)
        self._out = np.zeros(4, np.int64)
        self._ledgers = Ledgers(options)
        self._beginning = beginning(options)
        self._closed = 0
        self._allocate(256)
        self._slots = np.full(_SPREAD * 256, -1, np.int32)
        self._early = np.zeros((16 * state.EARLY_PACKETS, state.EARLY_WIDTH), np.int64)
        self._early_free = list(range(16))
        self._announced = AnnouncedSockets()
        half = options.probation_candidates
        self._candidate_slots = np.full(4 * half, -1, np.int32)
        self._held = np.zeros((2 * half * probation.HOLD, row.WIDTH), np.int64)
        self._candidates = np.zeros((2 * half, 2), np.int64)
        self._probation = np.zeros(4, np.int64)

    # ---- growing
    def _allocate(self, rows: int) -> None:
        old = self.count
        ints = aligned_rows(rows, state.WIDTH)
        prints = np.zeros((rows, state.FINGERPRINT), np.uint32)
        by_type, counts = np.zeros((rows, 128), np.int32), np.zeros((rows, 128), np.int32)
        if old:
            ints[:old], prints[:old] = self._ints[:old], self._prints[:old]
            by_type[:old], counts[:old] = self._by_type[:old], self._counts[:old]
        self._ints: npt.NDArray[np.int64] = ints
        self._reals: npt.NDArray[np.float64] = ints.view(np.float64)
        self._prints: npt.NDArray[np.uint32] = prints
        self._by_type: npt.NDArray[np.int32] = by_type
        self._counts: npt.NDArray[np.int32] = counts

    def _enter(self, streams: npt.NDArray[np.int64]) -> None:
        """Let the keys of these streams lead to them."""
        mask = len(self._slots) - 1
        slots = self._ints[streams, state.HASH_COLUMN] & mask
        while len(streams):  # all at once; who finds a slot taken, or takes it with others, goes on to the next
            free = self._slots[slots] < 0
            self._slots[slots[free]] = streams[free]
            left = self._slots[slots] != streams
            streams, slots = streams[left], (slots[left] + 1) & mask

    def _replace(self, old: int, new: int, hash_: int) -> None:
        """Let the key of stream `old` lead to stream `new`."""
        mask = len(self._slots) - 1
        slot = hash_ & mask
        while self._slots[slot] != old:
            slot = (slot + 1) & mask
        self._slots[slot] = new

    def _new(self, rows: Rows, i: int, capture: int, announced: bool, replaces: int | None = None) -> int | None:
        """Make the stream of row i; None where the table is full."""
        s = self.count
        if s >= self._options.max_streams:
            return None
        if s == len(self._ints):
            self._allocate(min(_GROWTH * s, self._options.max_streams))
        self.count += 1
        key = rows[i].tolist()
        hash_, ints = key[row.HASH], self._ints[s]
        ints[:] = self._beginning
        ints[: state.KEY_SSRC], ints[state.KEY_SSRC] = rows[i, row.SRC_HI : row.PORTS + 1], key[row.SSRC]
        ints[state.ANNOUNCED], ints[state.HASH_COLUMN] = announced, hash_
        self._streams.append(_Stream(capture))
        if replaces is None:
            if _SPREAD * self.count > len(self._slots):
                self._slots = np.full(2 * len(self._slots), -1, np.int32)
                self._enter(np.flatnonzero(self._ints[:s, state.REPLACED] == 0))
            slots, mask = self._slots, len(self._slots) - 1
            slot = hash_ & mask
            while slots[slot] >= 0:
                slot = (slot + 1) & mask
            slots[slot] = s
        else:
            self._ints[replaces, state.REPLACED] = 1
            self._replace(replaces, s, hash_)
        self._created(s, *sockets_of(key), key[row.TIME])
        return s

    # ---- what the outside says
    def sockets(self, stream: int) -> tuple[Socket, Socket]:
        """Source and destination of a stream."""
        src_high, src_low, dst_high, dst_low, ports = self._ints[stream, : state.KEY_PORTS + 1].tolist()
        return (src_high, src_low, ports >> 16), (dst_high, dst_low, ports & 0xFFFF)

    def last_time(self, stream: int) -> int:
        """Arrival of a stream's last packet so far, ns."""
        plain.settle_counts(stream, self._ints, self._counts)
        return int(self._ints[stream, state.LAST_TIME])

    def announce(self, socket: Socket) -> None:
        """RTP to this socket, of a payload type that is described there, needs no probation from now on."""
        self._announced.add(*socket)

    def forget_formats(self, streams: Iterable[int], payload_type: int | None = None) -> None:
        """SDP about these streams came: what their payload types (or one of them) mean is asked anew."""
        for s in streams:
            self._by_type[s, slice(None) if payload_type is None else payload_type] = 0
            self._ints[s, state.ANNOUNCED], self._ints[s, state.PLAIN] = 1, -1

    def interrupt(self, streams: Iterable[int]) -> None:
        """Let the next packet of each of these streams take the timing reference anew (hold, re-INVITE)."""
        for s in streams:
            plain.settle_counts(s, self._ints, self._counts)
            self._ints[s, state.BREAK], self._ints[s, state.PLAIN] = 1, -1
            turn, turns = Turn(int(self._ints[s, state.PACKETS]), None), self._streams[s].turns
            if not turns or turns[-1] != turn:  # said again before another packet came, it says nothing new
                turns.append(turn)

    def split(self, stream: int) -> None:
        """After a pause or a jump, this stream's key belongs to another call: it begins a new stream."""
        self._ints[stream, [state.SPLIT, state.NEXT_TIME]] = 1, state.AT_ONCE

    # ---- the way of the packets
    def feed(self, rows: Rows, start: int, end: int, captures: int | npt.NDArray[np.int64]) -> None:
        """Move streams on by the RTP among rows[start:end].

        Parameters
        ----------
        rows : int64[n, 16]
            Packets in order of time.
        start, end : int
            Which of them.
        captures : int or int64[n]
            File of each row.
        """
        at, out, until, unexplained = start, self._out, end, False
        ledgers = self._ledgers
        while True:
            at = kernel.update_streams(
                rows, at, until, self._slots, self._ints, self._reals, self._prints, self._by_type,
                self._counts, self._format_table, self._early,
                NOWHERE if unexplained else self._announced.table,
                self._candidate_slots, self._held, self._candidates,
                self._probation, self._options.probation_packets, self._options.silence_split_ns,
                ledgers.intervals, ledgers.interval_reals, ledgers.holes, ledgers.events, ledgers.control, out,
            )  # fmt: skip
            reason, stream = int(out[0]), int(out[1])
            if reason == kernel.DONE:
                if until == end and not unexplained:
                    return
                until, unexplained = end, False
                continue
            if reason != kernel.NEW_ANNOUNCED:  # what comes back before its stream is looked for has written nothing
                ledgers.make_room()
            if reason == kernel.ROOM:
                at += 1
                continue
            capture = captures if isinstance(captures, int) else int(captures[at])
            if reason == kernel.NEW_FORMAT:
                self._settle(stream, rows, at)
            elif reason == kernel.EARLY_FULL:
                self._settle_clock(stream)
                at += 1
            elif reason == kernel.NEW_ANNOUNCED:
                key = rows[at].tolist()
                described = self._describe(*sockets_of(key), key[row.PT] & 127, key[row.TIME])
                if described is None:  # a packet that only looks like RTP, perhaps: on to probation
                    until, unexplained = at + 1, True
                elif self._new(rows, at, capture, True) is None:
                    self.not_tabled += 1
                    at += 1
                else:  # what the kernel would come back for next
                    self._settle(self.count - 1, rows, at, described)
            elif reason == kernel.NEW_PROMOTED:
                kept = self._held[stream : stream + int(out[2])].copy()
                if self._new(kept, 0, capture, unexplained) is None:
                    self.not_tabled += 1
                else:
                    self.feed(kept, 0, len(kept), capture)
                at += 1
            elif reason == kernel.SPLIT_STREAM:
                if self._new(rows, at, capture, True, replaces=stream) is None:
                    self._ints[stream, state.SPLIT] = 0
            else:  # SPLIT_PENDING
                pending = self._pending_row(stream, rows, at)
                if self._new(pending, 0, capture, False, replaces=stream) is not None:
                    self.feed(pending, 0, 1, capture)

    def _pending_row(self, s: int, rows: Rows, at: int) -> Rows:
        """The packet that stream `s` held as pending, as a row again, taken out of the stream."""
        ints = self._ints[s]
        pending = rows[at : at + 1].copy()
        pending[0, row.TIME], pending[0, row.FRAME] = ints[state.PENDING_TIME], ints[state.PENDING_FRAME]
        pending[0, row.SEQ], pending[0, row.STAMP] = ints[state.PENDING], ints[state.PENDING_STAMP]
        pending[0, row.SIZE], pending[0, row.PT] = ints[state.PENDING_SIZE], ints[state.PENDING_PT]
        pending[0, row.EVENT], pending[0, row.TRAFFIC] = ints[state.PENDING_EVENT], ints[state.PENDING_TRAFFIC]
        ints[state.PENDING] = -1
        ints[state.PACKETS] -= 1
        ints[state.BYTES] -= pending[0, row.SIZE]
        ints[state.LAST_FRAME] = ints[state.FRAME_BEFORE_PENDING]
        self._counts[s, int(pending[0, row.PT]) & 127] -= 1
        return pending

    # ---- formats and clocks
    def _settle(self, s: int, rows: Rows, i: int, described: Format | None = None) -> None:
        """Say what the payload type of row i means in stream `s`; `described` by SDP, where that was asked before."""
        info, ints = self._streams[s], self._ints[s]
        key = rows[i].tolist()
        payload_type = key[row.PT] & 127
        if described is None:
            described = self._describe(*sockets_of(key), payload_type, key[row.TIME])
        info.turns.append(Turn(int(ints[state.PACKETS]), payload_type, described))
        form = described or static_format(payload_type)
        if form is None:
            if looks_like_event(key[row.SIZE], key[row.EVENT]):
                rate = info.main.clock_rate_hz if info.main is not None and info.main.clock_rate_hz else 8000
                form = Format("telephone-event", rate, "audio")
            elif info.main is not None and info.main.clock_rate_hz:
                form = Format(None, info.main.clock_rate_hz, info.main.media)
            else:
                form = UNKNOWN_FORMAT
        before = info.formats.get(payload_type)
        guessed = before is not None and not before.from_sdp and before.clock_rate_hz
        if guessed and form.from_sdp and form.clock_rate_hz != guessed:
            info.anomalies.append("rtp-clock-late")
        if before is not None and not form.from_sdp:
            form = before  # an estimate, or SDP that has been replaced since, says more than nothing
        self._use(s, payload_type, form, key[row.TIME])
        if form.role in (state.AUDIO, state.VIDEO):
            if info.main is None or form.from_sdp or not info.main.clock_rate_hz:
                info.main = form
                if form.media not in ("audio", None):  # nothing is played out as it comes
                    ints[[state.DEPTH, state.DEPTH_LEAST, state.DEPTH_MOST]] = state.NEVER
            clock = form.clock_rate_hz
            if clock:
                ptime_ms = form.ptime_ms or form.default_ptime_ms
                ints[state.DEFAULT_TICKS] = round(ptime_ms * clock / 1000)
                if ints[state.EARLY] >= 0:
                    self._replay(s, form)
            elif ints[state.EARLY] < 0:
                ints[state.EARLY] = self._early_place()
        self._by_type[s, payload_type] = self._number(form)

    def _use(self, s: int, payload_type: int, form: Format, time: int) -> None:
        """From now on a payload type means this; where it had no name before, it always did."""
        info = self._streams[s]
        before = info.formats.get(payload_type)
        info.formats[payload_type] = form
        if before is None or (before.name is not None and before.name != form.name):
            info.uses.append(Use(payload_type, form, time, int(self._counts[s, payload_type])))
        elif before != form:
            last = next(k for k in range(len(info.uses) - 1, -1, -1) if info.uses[k].payload_type == payload_type)
            info.uses[last] = replace(info.uses[last], format=form)

    def _number(self, form: Format) -> int:
        """1 + the row of `format_table` for this format."""
        number = self._formats.get(form)
        if number is None:
            number = self._formats[form] = len(self._formats) + 1
            if number > len(self._format_table):
                self._format_table = np.concatenate([self._format_table, np.zeros_like(self._format_table)])
            self._format_table[number - 1] = form.clock_rate_hz, form.kernel_role
        return number

    def _early_place(self) -> int:
        if not self._early_free:
            places = len(self._early) // state.EARLY_PACKETS
            self._early = np.concatenate([self._early, np.zeros_like(self._early)])
            self._early_free = list(range(places, 2 * places))
        return self._early_free.pop()

    def _replay(self, s: int, form: Format) -> None:
        plain.settle_counts(s, self._ints, self._counts)
        timing.replay_early(s, form.clock_rate_hz, form.role == state.VIDEO, self._ints, self._reals, self._early)
        self._early_free.append(int(self._ints[s, state.EARLY]))
        self._ints[s, state.EARLY] = -1

    def _settle_clock(self, s: int) -> None:
        """Estimate the clock rate of stream `s` from its early packets and let them move its timing."""
        info = self._streams[s]
        place = int(self._ints[s, state.EARLY])
        if place < 0:
            return
        first = place * state.EARLY_PACKETS
        kept = self._early[first : first + int(self._ints[s, state.EARLY_COUNT])]
        rate = estimate_clock_rate(kept[:, state.EARLY_TIME], kept[:, state.EARLY_STAMP])
        if rate is None:
            self._early_free.append(place)
            self._ints[s, [state.EARLY, state.EARLY_COUNT]] = -1, 0
            return
        form = Format(None, rate, "video" if rate == 90000 else "audio")
        self._ints[s, state.DEFAULT_TICKS] = rate // 50
        self._replay(s, form)
        info.main = form
        for payload_type, known in info.formats.items():
            if known is UNKNOWN_FORMAT:
                self._use(s, payload_type, form, 0)
                self._by_type[s, payload_type] = self._number(form)

    # ---- the end
    def finish(self) -> list[Figures]:
        """Figures of all streams, in order of their making."""
        ledgers = self._ledgers
        for s in np.flatnonzero(self._ints[: self.count, state.EARLY] >= 0).tolist():
            self._settle_clock(s)
        while self._closed < self.count:
            self._closed = kernel.close_streams(
                self._closed, self.count, self._ints, self._reals, self._counts, ledgers.intervals,
                ledgers.interval_reals, ledgers.control,
            )  # fmt: skip
            ledgers.make_room()
        figures: list[Figures] = []
        for at in range(0, self.count, _AT_ONCE):
            some = slice(at, min(at + _AT_ONCE, self.count))
            infos = self._streams[some]
            figures += finish_figures(
                at, self._ints[some], self._reals[some], self._prints[some],
                [counted_uses(info.uses, counts) for info, counts in zip(infos, self._counts[some], strict=True)],
                [info.capture for info in infos], [info.anomalies for info in infos],
            )  # fmt: skip
        return figures

    def intervals(self) -> RawIntervals:
        """Figures of all streams interval by interval; after :meth:`finish`."""
        return self._ledgers.settled_intervals()

    def outages(self) -> Rows:
        """int64[k, 4]: holes of five packets and more, in order of stream, then time; after :meth:`finish`.

        Number of the stream, arrival of the packet before the hole and of that after it (ns), packets missing when it
        was seen, whatever came later.
        """
        return self._ledgers.settled_outages()

    def events(self) -> Rows:
        """int64[k, 9]: telephone events, in order of stream, then arrival; after :meth:`finish`.

        Number of the stream, first packet (ns), RTP timestamp, event, highest duration (ticks), whether its end was
        seen, marker of the first packet, first frame, last packet (ns). An event whose packets another's interrupt has
        several rows.
        """
        return self._ledgers.settled_events()

    def turns(self) -> list[tuple[Turn, ...]]:
        """What each stream was told from outside, in order of their making."""
        return [tuple(info.turns) for info in self._streams]

    def missed(self) -> dict[str, int]:
        """Rows of intervals, holes and events for which the limits left no room, by the code of their anomaly."""
        return self._ledgers.missed()
