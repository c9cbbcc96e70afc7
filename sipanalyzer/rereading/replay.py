"""The packets of one stream are judged once more, one by one, by the kernels that judged them first. Floor 6.

In: a stream's rows (:mod:`.rows`) and its turns: what SDP told of it, and when. Out: figures of each packet
(:class:`PacketFigures`) that agree with those of the stream, since they are the states that the kernels went through.

A packet far outside the sequence waits for the next one to confirm it (RFC 3550 A.1), and packets whose clock rate is
not known wait until it is: what comes of them is written into their rows when it is settled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from ..kernels import columns as row
from ..kernels import intervals, sequence, timing
from ..kernels import rtp as kernel
from ..kernels import streamstate as state
from ..options import Options
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..rtp.streams import StreamTable, Turn

__all__ = ["PacketFigures", "follow_packets", "missing_before", "replay"]

Rows = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PacketFigures:
    """What is to be said of each packet of a stream, in order of arrival; all arrays of one length."""

    time_ns: Ints
    frame: Ints
    sequence: Ints
    """16 bits, as sent."""
    extended: Ints
    """Extended sequence number, from 65536 on; another segment begins further up. 0: a stray, in no segment."""
    segment: Ints
    """How many restarts there were before."""
    timestamp: Ints
    payload_type: Ints
    marker: Bools
    payload_bytes: Ints
    format: Ints
    """Index into `formats`; -1 where the meaning of the payload type was not known."""
    formats: tuple[Format, ...]
    event: Ints
    """RFC 4733 event; -1 of a packet that is none (or cannot be read)."""
    delta_ms: Floats
    """Since the packet before; NaN where no difference is counted (break, duplicate, event, comfort noise)."""
    jitter_ms: Floats
    """Interarrival jitter after this packet (RFC 3550 A.8); NaN likewise."""
    skew_ms: Floats
    """Arrival against RTP clock since the last break, positive: late; NaN likewise."""
    lateness_ms: Floats
    """How late audio came on the stream's own schedule, by which a jitter buffer judges it; 0 at a break."""
    lost_before: Ints
    """Numbers missing for good directly before it, in order of sequence."""
    duplicate: Bools
    out_of_order: Bools
    late: Bools
    """Too late for the jitter buffer."""
    breaks: Bools
    """The timing reference was taken anew with it."""

    def __len__(self) -> int:
        return len(self.time_ns)


_Table = TypeVar("_Table", bound=StreamTable)


@overload
def replay(rows: Rows, turns: Sequence[Turn], options: Options) -> StreamTable: ...
@overload
def replay(rows: Rows, turns: Sequence[Turn], options: Options, table: type[_Table]) -> _Table: ...
def replay(rows: Rows, turns: Sequence[Turn], options: Options, table: type[StreamTable] = StreamTable) -> StreamTable:
    """A table of streams through which the packets went once more, told the same things at the same places.

    Parameters
    ----------
    rows : int64[n, 16]
        Packets of one stream; one at least.
    turns : sequence of Turn
        What it was told (``Result.extra["turns"]``).
    options : Options
        Those of the analysis, or others to try.
    table : type
        What kind of table.
    """
    known: dict[int, Format | None] = {}

    def describe(src: Socket, dst: Socket, payload_type: int, time: int) -> Format | None:
        del src, dst, time
        return known.get(payload_type)

    made = table(dataclasses.replace(options, probation_packets=0), describe)
    made.announce((int(rows[0, row.DST_HI]), int(rows[0, row.DST_LO]), int(rows[0, row.PORTS]) & 0xFFFF))
    fed = 0
    for turn in turns:
        made.feed(rows, fed, turn.packets, 0)
        fed = max(fed, turn.packets)
        if turn.payload_type is None:
            made.interrupt(range(made.count))
        else:
            known[turn.payload_type] = turn.format
            made.forget_formats(range(made.count), turn.payload_type)
    made.feed(rows, fed, len(rows), 0)
    return made


def follow_packets(rows: Rows, turns: Sequence[Turn], options: Options) -> PacketFigures:
    """Figures of each packet of one stream.

    Parameters
    ----------
    rows : int64[n, 16]
        Its packets (:func:`.rows.read_packets`).
    turns : sequence of Turn
        What it was told by SDP, and when (``Result.extra["turns"]``).
    options : Options
        Those of the analysis.

    Notes
    -----
    Memory: some 150 bytes a packet. Time: some 10 us a packet.
    """
    if not len(rows):
        return _figures(rows, _Trace(0), ())
    table = replay(rows, turns, options, _Follower)
    table.finish()
    return _figures(rows, table.trace, table.known_formats())


_take_interpreted = cast(Any, kernel.update_streams).__wrapped__


class _Trace:
    """What is written down of each packet."""

    def __init__(self, count: int) -> None:
        self.extended, self.segment = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.format = np.full(count, -1, np.int64)
        self.delta, self.jitter, self.skew, self.lateness = (np.full(count, np.nan) for _ in range(4))
        self.duplicate, self.out_of_order, self.late, self.breaks = (np.zeros(count, np.bool_) for _ in range(4))


class _Follower(StreamTable):
    """A table of one stream that writes down what becomes of each packet."""

    trace: _Trace
    _at = 0
    """Row of the packet that is passing."""
    _alone = True
    """Whether the table is not at work on that packet already."""
    _settled = -1
    """Row of the packet with which a clock rate was settled, after it had been counted."""
    _tallied = (0, 0, 0, 0)
    """Distinct, duplicates, numbers used again, out of order: before this packet."""
    _differences = (0, 0, 0)
    """Differences counted, their sum in ns, packets too late: before this packet."""

    def feed(self, rows: Rows, start: int, end: int, captures: int | npt.NDArray[np.int64]) -> None:
        """Move the stream on, packet by packet."""
        if not self._alone:
            super().feed(rows, start, end, captures)
            return
        if not hasattr(self, "trace"):
            self.trace = _Trace(len(rows))
            self._waiting: list[int] = []
            """Rows that wait for the next packet to confirm them."""
            self._early_rows: list[int] = []
            """Rows that wait for the clock rate to be known."""
            self._state: tuple[Any, ...] | None = None
            """What the kernel works on, as it sees it; None where it has to be looked up again."""
        self._rows = _view(rows)
        self._alone = False
        try:
            for self._at in range(start, end):
                self._follow(rows, captures)
        finally:
            self._alone = True

    def known_formats(self) -> tuple[Format, ...]:
        """By number."""
        return tuple(self._formats)

    def _follow(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        """Let one packet pass."""
        at, trace = self._at, self.trace
        number, payload_type = self._rows[at, row.SEQ], self._rows[at, row.PT] & 127
        if self._waiting:
            self._confirm(rows, number, payload_type)
        self._pass(rows, at, captures)
        ints = self._row
        before, after = self._tallied, _counts(ints)
        self._tallied = after
        form = self._types[payload_type] - 1
        trace.format[at] = form
        trace.segment[at] = ints[state.RESTARTS]
        duplicate, reused = after[1] > before[1], after[2] > before[2]
        if duplicate:
            trace.duplicate[at] = True
        if after[3] > before[3]:
            trace.out_of_order[at] = True
        if ints[state.PENDING] >= 0:
            if not duplicate and not reused:
                self._waiting.clear()
            self._waiting.append(at)
            return
        self._waiting.clear()
        highest = ints[state.HIGHEST]
        trace.extended[at] = highest + ((number - highest + 32768) & 0xFFFF) - 32768
        if not duplicate and at != self._settled:
            self._note(at, form)

    def _pass(self, rows: Rows, at: int, captures: int | npt.NDArray[np.int64]) -> None:
        """Let the kernel take one packet.

        It runs interpreted: a call of a compiled kernel takes longer than the work on one packet does.
        """
        reason, ledgers = kernel.NEW_ANNOUNCED, self._ledgers
        if self.count:
            if self._state is None:
                self._state = self._views()
            self._row[state.PLAIN] = -1  # so that all is counted at once
            _take_interpreted(self._rows, at, at + 1, *self._state)
            reason = int(self._out[0])
            if reason == kernel.DONE:
                return
        if reason in (kernel.ROOM, kernel.EARLY_FULL):  # the packet is counted
            ledgers.make_room()
            if reason == kernel.EARLY_FULL:
                self._settle_clock(0)
        else:  # it is not
            super().feed(rows, at, at + 1, captures)
        self._state = self._views()

    def _views(self) -> tuple[Any, ...]:
        """Arguments of the kernel behind the rows."""
        self._row, self._types = _view(self._ints[0]), _view(self._by_type[0])
        options, ledgers = self._options, self._ledgers
        arrays = (
            self._slots, self._ints, self._reals, self._prints, self._by_type, self._counts, self._format_table,
            self._early, self._announced.table, self._candidate_slots, self._held,
            self._candidates, self._probation,
        )  # fmt: skip
        tables = (ledgers.intervals, ledgers.interval_reals, ledgers.holes, ledgers.events, ledgers.control, self._out)
        limits = (options.probation_packets, options.silence_split_ns)
        return (*[_view(each) for each in arrays], *limits, *[_view(each) for each in tables])

    def _confirm(self, rows: Rows, number: int, payload_type: int) -> None:
        """Where this packet confirms the one that waits, see what becomes of that one alone.

        The kernel takes both at once; so the first is taken here as it does, looked at, and given back.
        """
        pending = int(self._ints[0, state.PENDING])
        step = ((number - int(self._ints[0, state.HIGHEST]) + 32768) & 0xFFFF) - 32768
        if number != (pending + 1) & 0xFFFF or -kernel._MAX_MISORDER < step <= kernel._MAX_DROPOUT:
            return
        if self._by_type[0, payload_type] == 0:
            self._settle(0, rows, self._at)
            self._state = None
        ledgers = self._ledgers
        given: tuple[npt.NDArray[Any], ...] = (
            self._ints, self._reals, self._prints, ledgers.control
        )  # fmt: skip
        saved = [array[:1].copy() if array.ndim > 1 else array.copy() for array in given]
        ints, reals, prints, control = (_view(array) for array in given)
        time, second = ints[0, state.PENDING_TIME], ints[0, state.PENDING_PT]
        clock = int(self._format_table[int(self._by_type[0, payload_type]) - 1, state.FORMAT_CLOCK])
        steps = sequence.outage_step(0, pending, time, clock, ints)
        intervals.turn(0, time, steps - 1, ints, reals, ledgers.intervals, ledgers.interval_reals, control)
        ext = ints[0, state.HIGHEST] + steps
        if steps < 0:
            ext = sequence.start_segment(0, pending, ints, control)
        form = int(self._by_type[0, second & 127]) - 1
        clock, role = self._format_table[form].tolist()
        sequence.take(
            0, ext, time, ints[0, state.PENDING_STAMP], second, clock, role, ints[0, state.PENDING_EVENT],
            ints[0, state.PENDING_SIZE], ints[0, state.PENDING_FRAME], False, ints, reals, prints,
            self._early, ledgers.holes, ledgers.events, control,
        )  # fmt: skip
        self.trace.extended[self._waiting] = ext
        self.trace.segment[self._waiting] += steps < 0
        self._tallied = _counts(_view(self._ints[0]))
        self._note(self._waiting[0], form)
        for array, before in zip(given, saved, strict=True):
            array[: len(before)] = before

    def _note(self, at: int, form: int) -> None:
        """Write down what the packet of row `at`, just taken, did to the timing of the stream, if anything."""
        clock, role = self._format_table[form].tolist()
        if role >= state.TELEPHONE_EVENT:
            return
        if clock:
            self._note_timing(at, role != state.VIDEO)
        elif self._ints[0, state.EARLY] >= 0:
            del self._early_rows[int(self._ints[0, state.EARLY_COUNT]) - 1 :]
            self._early_rows.append(at)

    def _note_timing(self, at: int, audio: bool) -> None:
        trace, ints = self.trace, _view(self._ints[0])
        counted, total, late = self._differences
        now = ints[state.JITTER_COUNT], ints[state.DELTA_SUM], int(self._ints[0, state.DISCARDED])
        self._differences = now
        if now[0] > counted:
            trace.delta[at] = (now[1] - total) / 1e6
            trace.jitter[at] = self._reals[0, state.JITTER]
            since = ints[state.REFERENCE_TIME] - ints[state.ANCHOR_TIME]  # below as in the kernel, to the bit
            skew = since * 1e-6 - ints[state.OFFSET_TICKS] * 1000.0 / ints[state.REFERENCE_CLOCK]
            trace.skew[at] = skew
            if audio:
                trace.lateness[at] = skew - self._reals[0, state.BASE]
        else:
            trace.breaks[at] = True
            if audio:
                trace.lateness[at] = 0.0
        if now[2] > late:
            trace.late[at] = True

    def _replay(self, s: int, form: Format) -> None:
        """The clock rate is known: the packets that waited for it move the timing, one by one."""
        ints, count = self._ints, int(self._ints[s, state.EARLY_COUNT])
        del self._early_rows[count:]
        if count > len(self._early_rows):  # the packet that is passing was kept too, and is settled with this
            self._early_rows.append(self._at)
            self._settled = self._at
        first = int(ints[s, state.EARLY]) * state.EARLY_PACKETS
        after, kept = int(ints[s, state.BREAK]), self._early[first : first + count].copy()
        for at, entry in zip(self._early_rows, kept, strict=True):
            self._early[first], ints[s, state.EARLY_COUNT] = entry, 1
            timing.replay_early(s, form.clock_rate_hz, form.role == state.VIDEO, ints, self._reals, self._early)
            self._note_timing(at, form.role != state.VIDEO)
        self._early_rows.clear()
        ints[s, state.BREAK], ints[s, state.EARLY_COUNT] = after, 0
        super()._replay(s, form)


def _view(array: npt.NDArray[Any]) -> Any:
    """The array as kernels see it that run interpreted: its items are Python's numbers."""
    return memoryview(array)  # type: ignore[arg-type]


def _counts(ints: Any) -> tuple[int, int, int, int]:
    """Distinct, duplicates, numbers used again, out of order: so far."""
    return ints[state.DISTINCT], ints[state.DUPLICATES], ints[state.REUSED], ints[state.OUT_OF_ORDER]


def _figures(rows: Rows, trace: _Trace, formats: tuple[Format, ...]) -> PacketFigures:
    events = np.full(len(rows), -1, np.int64)
    readable = np.array([form.kernel_role == state.TELEPHONE_EVENT for form in formats] + [False], np.bool_)
    told = readable[trace.format] & (rows[:, row.SIZE] >= 4)
    events[told] = rows[told, row.EVENT] >> 24
    return PacketFigures(
        time_ns=rows[:, row.TIME].copy(),
        frame=rows[:, row.FRAME].copy(),
        sequence=rows[:, row.SEQ].copy(),
        extended=trace.extended,
        segment=trace.segment,
        timestamp=rows[:, row.STAMP].copy(),
        payload_type=rows[:, row.PT] & 127,
        marker=rows[:, row.PT] >> 7 != 0,
        payload_bytes=rows[:, row.SIZE].copy(),
        format=trace.format,
        formats=formats,
        event=events,
        delta_ms=trace.delta,
        jitter_ms=trace.jitter,
        skew_ms=trace.skew,
        lateness_ms=trace.lateness,
        lost_before=missing_before(trace.extended, trace.segment),
        duplicate=trace.duplicate,
        out_of_order=trace.out_of_order,
        late=trace.late,
        breaks=trace.breaks,
    )


def missing_before(extended: Ints, segment: Ints | None = None) -> Ints:
    """Numbers of each segment that never came, counted at the packet that follows them in order of sequence.

    Parameters
    ----------
    extended : int64[n]
        Extended sequence numbers; 0: of no segment.
    segment : int64[n], optional
        Number of each packet's segment; one for all otherwise.
    """
    lost = np.zeros(len(extended), np.int64)
    numbers, first = np.unique(extended, return_index=True)
    strays = int(np.searchsorted(numbers, 1))
    numbers, first = numbers[strays:], first[strays:]
    missing = np.diff(numbers) - 1
    lost[first[1:]] = missing if segment is None else np.where(segment[first[1:]] == segment[first[:-1]], missing, 0)
    return lost
