"""The table of RTP streams: rows of packets go in, figures of streams come out.

Floor 4. Owns the arrays that :mod:`sipanalyzer.kernels.rtp` works on, settles what the kernel hands back (new streams,
payload types, unknown clock rates), and finishes the state into :class:`Figures`. What a payload type means at a socket
is asked of a callback, since SDP lives on another floor. Sources: RFC 3550 A.1, A.3, A.8; RFC 3551; RFC 4733.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..codecs import STATIC, Codec, is_comfort_noise, is_event
from ..kernels import columns as row
from ..kernels import rtp as kernel
from ..options import Options

__all__ = ["Figures", "Format", "Socket", "StreamTable", "estimate_clock_rate", "static_format"]

Rows = npt.NDArray[np.int64]
Socket = tuple[int, int, int]
"""High and low half of an address, and a port."""

CLOCK_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000)
"""Rates that an estimate is drawn to (RFC 3551, IANA registry)."""
_CLOCK_TOLERANCE = 0.12


@dataclass(frozen=True, slots=True)
class Format:
    """What a payload type means in one stream."""

    name: str | None
    """Codec by its registered name; None where nothing says it."""
    clock_rate_hz: int
    """0 where it is not known."""
    media: str | None
    ptime_ms: float | None = None
    """As negotiated; None where SDP does not say."""
    default_ptime_ms: float = 20.0
    encrypted: bool = False
    from_sdp: bool = False

    @property
    def role(self) -> int:
        """How the kernel treats its packets."""
        if self.name is not None and is_event(self.name):
            return kernel.TELEPHONE_EVENT
        if self.name is not None and is_comfort_noise(self.name):
            return kernel.COMFORT_NOISE
        return kernel.VIDEO if self.media == "video" else kernel.AUDIO


UNKNOWN_FORMAT = Format(None, 0, None)
_EVENT_FORMAT = Format("telephone-event", 8000, "audio")


def format_of(codec: Codec) -> Format:
    """The format that a codec's registration implies."""
    return Format(codec.name, codec.clock_rate_hz, codec.media, default_ptime_ms=codec.ptime_ms)


def static_format(payload_type: int) -> Format | None:
    """The format that RFC 3551 assigns to a payload type; None for dynamic and unassigned ones."""
    codec = STATIC.get(payload_type)
    return None if codec is None else format_of(codec)


def looks_like_event(size: int, event: int) -> bool:
    """Whether a payload of a dynamic type that no SDP explains is a telephone event (RFC 4733 2.3).

    Four bytes: event below 16 (DTMF), end and reserved bit, volume of 0 to 63, duration.
    """
    return size == 4 and event >> 24 < 16 and event & 0x00400000 == 0 and event & 0xFFFF > 0


@dataclass(slots=True)
class _Stream:
    """What Python keeps beside a stream's rows in the matrices."""

    capture: int
    formats: dict[int, Format] = field(default_factory=dict)
    """By payload type, in order of first use."""
    main: Format | None = None
    """First audio or video format with a known clock, or the estimate."""
    anomalies: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """One stream's figures, finished; nothing yet about the call it belongs to."""

    index: int
    ssrc: int
    src: Socket
    dst: Socket
    payload_types: tuple[int, ...]
    formats: tuple[Format, ...]
    """In order of first use, one for each payload type."""
    format_packets: tuple[int, ...]
    clock_rate_hz: int | None
    ptime_ms: float | None
    dscp: int | None
    vlan: int | None
    start: int
    end: int
    packets: int
    bytes: int
    expected: int
    lost: int
    duplicates: int
    out_of_order: int
    restarts: int
    mean_jitter_ms: float | None
    max_jitter_ms: float | None
    mean_delta_ms: float | None
    max_delta_ms: float | None
    max_skew_ms: float | None
    clock_drift_ppm: float | None
    capture: int
    first_frame: int
    last_frame: int
    strays: int
    reused: int
    anomalies: tuple[str, ...]


def estimate_clock_rate(time_ns: npt.NDArray[np.int64], stamp: npt.NDArray[np.int64]) -> int | None:
    """Clock rate of a stream from arrival times and timestamps.

    Parameters
    ----------
    time_ns : int64[n]
        Arrival, ns.
    stamp : int64[n]
        RTP timestamps, 32 bits, may wrap.

    Returns
    -------
    int or None
        Hz, one of :data:`CLOCK_RATES_HZ`; None where the packets do not show one.

    Notes
    -----
    Median slope of pairs half the packets apart (Theil and Sen's estimator, thinned): holds and jumps of the timestamp
    touch few pairs. With fewer than two packets, or packets at one instant, there is nothing to see.
    """
    n = len(time_ns)
    if n < 2:
        return None
    half = max(1, n // 2)
    elapsed = (time_ns[half:] - time_ns[:-half]).astype(np.float64)
    steps = (stamp[half:] - stamp[:-half] + 0x80000000) % 0x100000000 - 0x80000000
    good = (elapsed > 0) & (steps > 0)
    if not good.any():
        return None
    rate = float(np.median(steps[good] / elapsed[good])) * 1e9
    best = min(CLOCK_RATES_HZ, key=lambda known: abs(math.log(rate / known)))
    return best if abs(rate / best - 1) <= _CLOCK_TOLERANCE else None


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
        self._allocate(256)
        self._slots = np.full(1024, -1, np.int32)
        self._early = np.zeros((16 * kernel.EARLY_PACKETS, kernel.EARLY_WIDTH), np.int64)
        self._early_free = list(range(16))
        self._sockets = np.full((1024, 3), -1, np.int64)
        self._socket_count = 0
        half = options.probation_candidates
        self._candidate_slots = np.full(4 * half, -1, np.int32)
        self._held = np.zeros((2 * half * kernel.HOLD, row.WIDTH), np.int64)
        self._candidates = np.zeros((2 * half, 2), np.int64)
        self._probation = np.zeros(4, np.int64)

    # ---- growing
    def _allocate(self, rows: int) -> None:
        old = self.count
        for name, width, dtype in (
            ("_ints", kernel.INTS, np.int64),
            ("_reals", kernel.REALS, np.float64),
            ("_ring", kernel.RING, np.int64),
            ("_by_type", 128, np.int32),
            ("_counts", 128, np.int32),
        ):
            grown = np.zeros((rows, width), dtype)
            if old:
                grown[:old] = getattr(self, name)[:old]
            setattr(self, name, grown)
        self._ints: npt.NDArray[np.int64]
        self._reals: npt.NDArray[np.float64]
        self._ring: npt.NDArray[np.int64]
        self._by_type: npt.NDArray[np.int32]
        self._counts: npt.NDArray[np.int32]

    def _insert(self, stream: int, hash_: int) -> None:
        mask = len(self._slots) - 1
        slot = hash_ & mask
        while self._slots[slot] >= 0:
            slot = (slot + 1) & mask
        self._slots[slot] = stream

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
            self._allocate(2 * s)
        self.count += 1
        ints = self._ints[s]
        key = rows[i]
        ints[: kernel.KEY_PORTS + 1] = key[[row.SRC_HI, row.SRC_LO, row.DST_HI, row.DST_LO, row.PORTS]]
        ints[kernel.KEY_SSRC] = key[row.SSRC]
        ints[[kernel.PENDING, kernel.EARLY]] = -1
        ints[[kernel.BREAK, kernel.ANNOUNCED]] = 1, announced
        ints[kernel.HASH_COLUMN] = key[row.HASH]
        self._ring[s] = -1
        self._streams.append(_Stream(capture))
        if replaces is None:
            if 2 * self.count > len(self._slots):
                self._slots = np.full(2 * len(self._slots), -1, np.int32)
                for stream in range(s):
                    if not self._ints[stream, kernel.REPLACED]:
                        self._insert(stream, int(self._ints[stream, kernel.HASH_COLUMN]))
            self._insert(s, int(key[row.HASH]))
        else:
            self._ints[replaces, kernel.REPLACED] = 1
            self._replace(replaces, s, int(key[row.HASH]))
        src, dst = self.sockets(s)
        self._created(s, src, dst, int(key[row.TIME]))
        return s

    # ---- what the outside says
    def sockets(self, stream: int) -> tuple[Socket, Socket]:
        """Source and destination of a stream."""
        src_high, src_low, dst_high, dst_low, ports = (int(v) for v in self._ints[stream, : kernel.KEY_PORTS + 1])
        return (src_high, src_low, ports >> 16), (dst_high, dst_low, ports & 0xFFFF)

    def last_time(self, stream: int) -> int:
        """Arrival of a stream's last packet so far, ns."""
        return int(self._ints[stream, kernel.LAST_TIME])

    def announce(self, socket: Socket) -> None:
        """RTP to this socket needs no probation from now on."""
        high, low, port = socket
        if kernel.is_announced(self._sockets, high, low, port):
            return
        if 2 * self._socket_count >= len(self._sockets):
            old = self._sockets
            self._sockets = np.full((2 * len(old), 3), -1, np.int64)
            for h, lo, p in old[old[:, 2] >= 0].tolist():
                self._put_socket(h, lo, p)
        self._put_socket(high, low, port)
        self._socket_count += 1

    def _put_socket(self, high: int, low: int, port: int) -> None:
        mask = len(self._sockets) - 1
        slot = kernel.socket_hash(high, low, port) & mask
        while self._sockets[slot, 2] >= 0:
            slot = (slot + 1) & mask
        self._sockets[slot] = high, low, port

    def forget_formats(self, streams: Iterable[int]) -> None:
        """SDP about these streams came: what their payload types mean is asked anew."""
        for s in streams:
            self._by_type[s] = 0
            self._ints[s, kernel.ANNOUNCED] = 1

    def interrupt(self, streams: Iterable[int]) -> None:
        """Let the next packet of each of these streams take the timing reference anew (hold, re-INVITE)."""
        for s in streams:
            self._ints[s, kernel.BREAK] = 1

    def split(self, stream: int) -> None:
        """The next packet of this stream's key belongs to another call: it begins a new stream."""
        self._ints[stream, kernel.SPLIT] = 1

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
        at, out = start, self._out
        while True:
            at = kernel.update_streams(
                rows, at, end, self._slots, self._ints, self._reals, self._ring, self._by_type, self._counts,
                self._format_table, self._early, self._sockets, self._candidate_slots, self._held, self._candidates,
                self._probation, self._options.probation_packets, self._options.silence_split_ns, out,
            )  # fmt: skip
            reason, stream = int(out[0]), int(out[1])
            if reason == kernel.DONE:
                return
            capture = captures if isinstance(captures, int) else int(captures[at])
            if reason == kernel.NEW_FORMAT:
                self._settle(stream, rows, at)
            elif reason == kernel.EARLY_FULL:
                self._settle_clock(stream)
                at += 1
            elif reason == kernel.NEW_ANNOUNCED:
                if self._new(rows, at, capture, True) is None:
                    self.not_tabled += 1
                    at += 1
            elif reason == kernel.NEW_PROMOTED:
                kept = self._held[stream : stream + int(out[2])].copy()
                if self._new(kept, 0, capture, False) is None:
                    self.not_tabled += 1
                else:
                    self.feed(kept, 0, len(kept), capture)
                at += 1
            elif reason == kernel.SPLIT_STREAM:
                if self._new(rows, at, capture, True, replaces=stream) is None:
                    self._ints[stream, kernel.SPLIT] = 0
            else:  # SPLIT_PENDING
                pending = self._pending_row(stream, rows, at)
                if self._new(pending, 0, capture, False, replaces=stream) is not None:
                    self.feed(pending, 0, 1, capture)

    def _pending_row(self, s: int, rows: Rows, at: int) -> Rows:
        """The packet that stream `s` held as pending, as a row again, taken out of the stream."""
        ints = self._ints[s]
        pending = rows[at : at + 1].copy()
        pending[0, row.TIME], pending[0, row.FRAME] = ints[kernel.PENDING_TIME], ints[kernel.PENDING_FRAME]
        pending[0, row.SEQ], pending[0, row.STAMP] = ints[kernel.PENDING], ints[kernel.PENDING_STAMP]
        pending[0, row.SIZE], pending[0, row.PT] = ints[kernel.PENDING_SIZE], ints[kernel.PENDING_PT]
        pending[0, row.EVENT], pending[0, row.TRAFFIC] = ints[kernel.PENDING_EVENT], ints[kernel.PENDING_TRAFFIC]
        ints[kernel.PENDING] = -1
        ints[kernel.PACKETS] -= 1
        ints[kernel.BYTES] -= pending[0, row.SIZE]
        ints[kernel.LAST_FRAME] = ints[kernel.FRAME_BEFORE_PENDING]
        self._counts[s, int(pending[0, row.PT]) & 127] -= 1
        return pending

    # ---- formats and clocks
    def _settle(self, s: int, rows: Rows, i: int) -> None:
        """Say what the payload type of row i means in stream `s`."""
        info = self._streams[s]
        payload_type = int(rows[i, row.PT]) & 127
        src, dst = self.sockets(s)
        form = self._describe(src, dst, payload_type, int(rows[i, row.TIME])) or static_format(payload_type)
        if form is None:
            if looks_like_event(int(rows[i, row.SIZE]), int(rows[i, row.EVENT])):
                rate = info.main.clock_rate_hz if info.main is not None and info.main.clock_rate_hz else 8000
                form = Format("telephone-event", rate, "audio")
            elif info.main is not None and info.main.clock_rate_hz:
                form = Format(None, info.main.clock_rate_hz, info.main.media)
            else:
                form = UNKNOWN_FORMAT
        before = info.formats.get(payload_type)
        if before is not None and before.clock_rate_hz and form.from_sdp and form.clock_rate_hz != before.clock_rate_hz:
            info.anomalies.append("rtp-clock-late")
        if before is not None and not form.from_sdp:
            form = before  # an estimate, or SDP that has been replaced since, says more than nothing
        info.formats[payload_type] = form
        if form.role in (kernel.AUDIO, kernel.VIDEO):
            if info.main is None or form.from_sdp or not info.main.clock_rate_hz:
                info.main = form
            clock = form.clock_rate_hz
            if clock:
                ptime_ms = form.ptime_ms or form.default_ptime_ms
                self._ints[s, kernel.DEFAULT_TICKS] = round(ptime_ms * clock / 1000)
                if self._ints[s, kernel.EARLY] >= 0:
                    self._replay(s, form)
            elif self._ints[s, kernel.EARLY] < 0:
                self._ints[s, kernel.EARLY] = self._early_place()
        self._by_type[s, payload_type] = self._number(form)

    def _number(self, form: Format) -> int:
        """1 + the row of `format_table` for this format."""
        number = self._formats.get(form)
        if number is None:
            number = self._formats[form] = len(self._formats) + 1
            if number > len(self._format_table):
                self._format_table = np.concatenate([self._format_table, np.zeros_like(self._format_table)])
            self._format_table[number - 1] = form.clock_rate_hz, form.role
        return number

    def _early_place(self) -> int:
        if not self._early_free:
            places = len(self._early) // kernel.EARLY_PACKETS
            self._early = np.concatenate([self._early, np.zeros_like(self._early)])
            self._early_free = list(range(places, 2 * places))
        return self._early_free.pop()

    def _replay(self, s: int, form: Format) -> None:
        kernel.replay_early(s, form.clock_rate_hz, form.role == kernel.VIDEO, self._ints, self._reals, self._early)
        self._early_free.append(int(self._ints[s, kernel.EARLY]))
        self._ints[s, kernel.EARLY] = -1

    def _settle_clock(self, s: int) -> None:
        """Estimate the clock rate of stream `s` from its early packets and let them move its timing."""
        info = self._streams[s]
        place = int(self._ints[s, kernel.EARLY])
        if place < 0:
            return
        first = place * kernel.EARLY_PACKETS
        kept = self._early[first : first + int(self._ints[s, kernel.EARLY_COUNT])]
        rate = estimate_clock_rate(kept[:, kernel.EARLY_TIME], kept[:, kernel.EARLY_STAMP])
        if rate is None:
            self._early_free.append(place)
            self._ints[s, [kernel.EARLY, kernel.EARLY_COUNT]] = -1, 0
            return
        form = Format(None, rate, "video" if rate == 90000 else "audio")
        self._ints[s, kernel.DEFAULT_TICKS] = rate // 50
        self._replay(s, form)
        info.main = form
        for payload_type, known in info.formats.items():
            if known is UNKNOWN_FORMAT:
                info.formats[payload_type] = form
                self._by_type[s, payload_type] = self._number(form)

    # ---- the end
    def finish(self) -> list[Figures]:
        """Figures of all streams, in order of their making."""
        for s in range(self.count):
            if self._ints[s, kernel.EARLY] >= 0:
                self._settle_clock(s)
        kernel.close_streams(self.count, self._ints, self._reals)
        ints, reals, counts = self._ints[: self.count].tolist(), self._reals[: self.count].tolist(), self._counts
        return [self._figures(s, ints[s], reals[s], counts[s]) for s in range(self.count)]

    def _figures(self, s: int, i: list[int], r: list[float], counts: npt.NDArray[np.int32]) -> Figures:
        info = self._streams[s]
        src, dst = self.sockets(s)
        expected = i[kernel.EXPECTED_BEFORE] + i[kernel.HIGHEST] - i[kernel.LOWEST] + 1
        main = self._main_format(info, counts)
        clock = main.clock_rate_hz if main is not None and main.clock_rate_hz else None
        steps = [(i[kernel.STEP_0_COUNT + 2 * k], i[kernel.STEP_0 + 2 * k]) for k in range(3)]
        usual_count, usual = max(steps)
        ptime = 1000.0 * usual / clock if clock and usual_count and main is not None and main.media != "video" else None
        traffic = i[kernel.TRAFFIC_0]
        if i[kernel.TRAFFIC_1_COUNT] > i[kernel.TRAFFIC_0_COUNT]:
            traffic = i[kernel.TRAFFIC_1]
        jitters, deltas = i[kernel.JITTER_COUNT], i[kernel.DELTA_COUNT]
        drift = None
        if i[kernel.DRIFT_SPAN] >= 5_000_000_000 and r[kernel.DRIFT_XX] > 0 and ptime is not None:
            drift = -1000.0 * r[kernel.DRIFT_XY] / r[kernel.DRIFT_XX]  # ms a second of arrival, to ppm
        anomalies = list(info.anomalies)
        anomalies += ["rtp-stray"] * (i[kernel.STRAYS] > 0) + ["rtp-sequence-reused"] * (i[kernel.REUSED] > 0)
        return Figures(
            index=s,
            ssrc=i[kernel.KEY_SSRC],
            src=src,
            dst=dst,
            payload_types=tuple(info.formats),
            formats=tuple(info.formats.values()),
            format_packets=tuple(int(counts[payload_type]) for payload_type in info.formats),
            clock_rate_hz=clock,
            ptime_ms=ptime,
            dscp=traffic & 0xFF,
            vlan=(traffic >> 8) - 1 if traffic >> 8 else None,
            start=i[kernel.FIRST_TIME],
            end=i[kernel.LAST_TIME],
            packets=i[kernel.PACKETS],
            bytes=i[kernel.BYTES],
            expected=expected,
            lost=max(0, expected - i[kernel.DISTINCT]),
            duplicates=i[kernel.DUPLICATES],
            out_of_order=i[kernel.OUT_OF_ORDER],
            restarts=i[kernel.RESTARTS],
            mean_jitter_ms=r[kernel.JITTER_SUM] / jitters if jitters else None,
            max_jitter_ms=r[kernel.JITTER_MAX] if jitters else None,
            mean_delta_ms=i[kernel.DELTA_SUM] / deltas / 1e6 if deltas else None,
            max_delta_ms=i[kernel.DELTA_MAX] / 1e6 if deltas else None,
            max_skew_ms=r[kernel.SKEW_MAX] if jitters else None,
            clock_drift_ppm=drift,
            capture=info.capture,
            first_frame=i[kernel.FIRST_FRAME],
            last_frame=i[kernel.LAST_FRAME],
            strays=i[kernel.STRAYS],
            reused=i[kernel.REUSED],
            anomalies=tuple(anomalies),
        )

    @staticmethod
    def _main_format(info: _Stream, counts: npt.NDArray[np.int32]) -> Format | None:
        """The format of most packets, audio and video before events and comfort noise."""
        if not info.formats:
            return None
        return max(
            info.formats.items(),
            key=lambda item: (item[1].role in (kernel.AUDIO, kernel.VIDEO), int(counts[item[0]])),
        )[1]
