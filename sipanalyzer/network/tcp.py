"""TCP segments become bytes in sequence, one direction at a time. Floor 3.

Comes in: segments with payload, SYN, FIN or RST, in order of capture time. Goes out: :class:`Chunk`, bytes in order of
their sequence numbers, each with the packet that made it deliverable, and a mark where bytes are missing.

A capture is no endpoint: it starts in mid-stream, shows segments twice or in another order, and misses some that the
receiver got. So a hole is filled while that is likely, and then declared: once the other side has acknowledged the
bytes after it, or it is too old, or too much waits behind it. RFC 9293 is the protocol; sequence numbers are unwrapped
to plain integers at the door, and nothing behind it thinks about 32 bits.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.kernels.columns import SIP_START
from sipanalyzer.network.tcpstate import MASK, Chunk, Direction, Held, Key, painted, reverse
from sipanalyzer.options import Options

__all__ = ["ACK", "FIN", "RST", "SYN", "Chunk", "Key", "TcpReassembler", "reverse"]

FIN, SYN, RST, ACK = 1, 2, 4, 16
"""Bits of the flag byte (RFC 9293 3.1)."""

REORDERED_NS = 200_000_000
"""An acknowledged hole may still be filled for so long: capture queues hand packets over in another order."""
REORDERED_SEGMENTS = 64
"""But not when so many further segments of its direction came."""
WINDOW = 4 << 20
"""A sequence number further away than this many bytes is another connection on the same ports, whose SYN is missing."""
LATE_SYN = 65_536
"""A SYN that names a sequence number at most so far below the first one seen came late, and starts nothing anew."""
TAIL = 2_048
"""Delivered bytes that are kept to be compared with what is sent again."""
OVERHEAD = 128
"""Bytes that a held segment costs besides its payload, as far as the cap over all connections is concerned."""


class TcpReassembler:
    """Puts the segments of many connections in sequence.

    Parameters
    ----------
    options : Options
        `max_tcp_connections`, `max_tcp_pending_bytes`, `max_pending_bytes`, `tcp_hole_timeout_ns` are used.
    anomalies : Anomalies
        Gets ``tcp-lost-segment`` (frame: the first packet after the hole), ``tcp-overlap`` and ``tcp-limit``.

    Notes
    -----
    Where segments overlap, the bytes that arrived first win. Bytes sent again are compared with those held and with
    the last chunk delivered, as far as `TAIL` reaches.

    Every segment costs O(log n) where n is the number of segments held, whatever their order.
    """

    def __init__(self, options: Options, anomalies: Anomalies) -> None:
        self._timeout = options.tcp_hole_timeout_ns
        self._max_held = options.max_tcp_pending_bytes
        self._max_total = options.max_pending_bytes
        self._max_directions = 2 * options.max_tcp_connections
        self._anomalies = anomalies
        self.directions: OrderedDict[Key, Direction] = OrderedDict()
        """Directions known, the one first that was silent longest."""
        self.before_dropping: Callable[[], None] | None = None
        """Called before the first of `directions` is dropped, since there are too many."""
        self._ignored: dict[Key, None] = {}
        self._deadlines: list[tuple[int, int, Key, int]] = []  # heap: time, unique, key, hole
        self._sweep_at = 1_024
        self._total = 0
        self._serial = 0

    def segment(
        self, key: Key, time: int, frame: int, seq: int, ack: int, flags: int, payload: bytes, wire_length: int
    ) -> list[Chunk]:
        """Take one segment and give what can be delivered now, of this and of other directions.

        Parameters
        ----------
        key : Key
            Its direction.
        time, frame : int
            Time (ns) and frame number.
        seq, ack : int
            Sequence and acknowledgement number, 32 bits.
        flags : int
            Flag byte, with `SIP_START` where the payload begins like a SIP message.
        payload : bytes
            What was captured of the payload.
        wire_length : int
            How long it was; more than ``len(payload)`` where the packet was cut: the rest counts as lost at once.
        """
        if key in self._ignored:
            if not flags & (SYN | SIP_START):
                return []
            del self._ignored[key]
        out: list[Chunk] = []
        if self._deadlines and self._deadlines[0][0] <= time:
            self._expire(time, out)
        if flags & ACK and self.directions:
            self._acknowledge(reverse(key), ack, time)
        wire_length = max(wire_length, len(payload))
        direction = self.directions.get(key)
        if flags & SYN:
            begin = (seq + 1) & MASK
            if direction is not None and direction.isn is None and (direction.first - begin) & MASK < LATE_SYN:
                direction.isn = seq
            if direction is None or direction.isn != seq:
                if direction is not None:
                    self._close(key, direction, time, frame, out)
                direction = self._open(key, begin, seq, time, frame, out)
            seq = begin
        elif direction is None:
            if not payload:  # an end of something never seen
                return out
            direction = self._open(key, seq, None, time, frame, out)
        if wire_length and abs(direction.unwrap(seq) - direction.next) > WINDOW:
            direction = self._restart(key, direction, time, frame, seq, out)
        self.directions.move_to_end(key)
        if wire_length:
            self._data(key, direction, time, frame, seq, payload, wire_length, out)
        if flags & FIN:
            direction.fin = direction.unwrap(seq) + wire_length
        if flags & RST:
            self._close(key, direction, time, frame, out)
        elif direction.fin is not None and direction.next >= direction.fin:
            self._end(key, direction, time, frame, out)
        if self._deadlines and self._deadlines[0][0] <= time:
            self._expire(time, out)
        return out

    def ignore(self, key: Key) -> None:
        """Keep nothing of this direction until it shows a SYN or the beginning of a SIP message."""
        direction = self.directions.pop(key, None)
        if direction is not None:
            self._total -= direction.held_bytes + OVERHEAD * len(direction.held)
        if len(self._ignored) >= self._max_directions:
            del self._ignored[next(iter(self._ignored))]  # it will be looked at, and ignored, again
        self._ignored[key] = None

    @property
    def deadline(self) -> int | None:
        """When the next hole is given up, ns; None: there is nothing to be given up."""
        return self._deadlines[0][0] if self._deadlines else None

    def finish(self) -> list[Chunk]:
        """Everything still held, all holes declared: in sequence, and else in order of time."""
        ordered: list[tuple[int, int, Chunk]] = []
        for key, direction in self.directions.items():
            out: list[Chunk] = []
            while direction.held:
                self._give_up(key, direction, out)
            time, frame = -(1 << 63), 0
            for chunk in out:  # behind another hole may stand what came earlier
                time, frame = max((time, frame), (chunk.time, chunk.frame))
                ordered.append((time, frame, chunk))
        self.directions.clear()
        self._deadlines.clear()
        ordered.sort(key=lambda entry: entry[:2])
        return [chunk for _, _, chunk in ordered]

    # a direction begins and ends

    def _open(self, key: Key, first: int, isn: int | None, time: int, frame: int, out: list[Chunk]) -> Direction:
        self.directions.pop(key, None)
        if len(self.directions) >= self._max_directions:
            if self.before_dropping is not None:
                self.before_dropping()
            oldest_key, oldest = self.directions.popitem(last=False)
            if oldest.live or oldest.held:
                self._anomalies.add("tcp-limit", frame)
            self._close(oldest_key, oldest, time, frame, out)
        direction = self.directions[key] = Direction(first, isn, time)
        return direction

    def _close(self, key: Key, direction: Direction, time: int, frame: int, out: list[Chunk]) -> None:
        while direction.held:
            self._give_up(key, direction, out)
        self._end(key, direction, time, frame, out)

    def _end(self, key: Key, direction: Direction, time: int, frame: int, out: list[Chunk]) -> None:
        direction.fin = None
        if direction.live:
            direction.live, direction.tail = False, b""  # the rest stays: what is resent now must not begin anew
            out.append(Chunk(key, b"", time, frame, False, True))

    # data

    def _data(
        self,
        key: Key,
        direction: Direction,
        time: int,
        frame: int,
        seq: int,
        payload: bytes,
        length: int,
        out: list[Chunk],
    ) -> None:
        at = direction.unwrap(seq)
        if at < direction.next:
            old = direction.next - at
            if length > 1 or old > 1:  # else a keep-alive, whose byte means nothing (RFC 9293 3.8.4)
                self._compare(direction, old, payload, frame)
            if length <= old:
                return
            at, payload, length = direction.next, payload[old:], length - old
        if not direction.held and at == direction.next:
            self._deliver(key, direction, payload, time, frame, out)
            if length > len(payload):
                self._skip(key, direction, at + length, time, frame, out)
            return
        self._hold(key, direction, Held(at, self._next_serial(), payload, at + length, time, frame), out)

    def _restart(self, key: Key, direction: Direction, time: int, frame: int, seq: int, out: list[Chunk]) -> Direction:
        """Go on at a sequence number that this stream cannot have."""
        while direction.held:
            self._give_up(key, direction, out)
        self._anomalies.add("tcp-lost-segment", frame)
        fresh = self.directions[key] = Direction(seq, None, time)
        fresh.live = direction.live
        return fresh

    def _deliver(self, key: Key, direction: Direction, data: bytes, time: int, frame: int, out: list[Chunk]) -> None:
        if data:
            out.append(Chunk(key, data, time, frame, direction.gap, False))
            direction.gap, direction.live = False, True
            direction.next += len(data)
            direction.tail = data[-TAIL:]

    def _skip(self, key: Key, direction: Direction, to: int, time: int, frame: int, out: list[Chunk]) -> None:
        """Say at once that the bytes up to `to` were cut from the packet: what is whole need not wait for more."""
        direction.next, direction.tail, direction.gap, direction.live = to, b"", False, True
        out.append(Chunk(key, b"", time, frame, True, False))

    def _compare(self, direction: Direction, old: int, payload: bytes, frame: int) -> None:
        """Count a segment that begins `old` bytes before the next one and does not repeat what was delivered."""
        tail = direction.tail
        begin, end = max(-old, -len(tail)), min(0, len(payload) - old)
        if begin < end and payload[old + begin : old + end] != tail[len(tail) + begin : len(tail) + end]:
            self._anomalies.add("tcp-overlap", frame)

    # holes

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _hold(self, key: Key, direction: Direction, held: Held, out: list[Chunk]) -> None:
        known = direction.starts.get(held.start)
        if known is not None and held.wire_end - held.start <= len(known):  # sent or captured again
            if not known.startswith(held.data):
                self._anomalies.add("tcp-overlap", held.frame)
            return
        heapq.heappush(direction.held, held)
        if known is None or len(known) < len(held.data):
            direction.starts[held.start] = held.data
        direction.held_bytes += len(held.data)
        self._total += len(held.data) + OVERHEAD
        if held.start == direction.next:
            self._release(key, direction, (held.time, held.frame), out)
        else:
            direction.behind += 1
            if not direction.hole:
                self._open_hole(key, direction)
            elif direction.held[0] is held and direction.acked >= held.start:
                self._schedule(key, direction, direction.acked_time + REORDERED_NS)
            if direction.behind >= REORDERED_SEGMENTS and direction.acked >= direction.held[0].start:
                self._give_up(key, direction, out)
        while direction.held and (direction.held_bytes > self._max_held or self._total > self._max_total):
            self._give_up(key, direction, out)

    def _open_hole(self, key: Key, direction: Direction) -> None:
        direction.hole = self._next_serial()
        direction.behind = 0
        after = direction.held[0]
        acknowledged = direction.acked >= after.start
        self._schedule(
            key, direction, direction.acked_time + REORDERED_NS if acknowledged else after.time + self._timeout
        )

    def _schedule(self, key: Key, direction: Direction, deadline: int) -> None:
        """Declare the present hole at `deadline`, unless it is filled."""
        heapq.heappush(self._deadlines, (deadline, self._next_serial(), key, direction.hole))
        if len(self._deadlines) > self._sweep_at:  # holes filled before their time leave their entries behind
            known = self.directions
            self._deadlines = [e for e in self._deadlines if e[2] in known and known[e[2]].hole == e[3]]
            heapq.heapify(self._deadlines)
            self._sweep_at = 2 * len(self._deadlines) + 1_024

    def _acknowledge(self, key: Key, ack: int, time: int) -> None:
        """Note that the receiver of direction `key` has everything up to `ack`."""
        direction = self.directions.get(key)
        if direction is None:
            return
        acked = direction.unwrap(ack)
        if direction.acked < acked <= direction.next + WINDOW:
            before, direction.acked, direction.acked_time = direction.acked, acked, time
            if direction.held and before < direction.held[0].start <= acked:
                self._schedule(key, direction, time + REORDERED_NS)

    def _expire(self, time: int, out: list[Chunk]) -> None:
        while self._deadlines and self._deadlines[0][0] <= time:
            _, _, key, hole = heapq.heappop(self._deadlines)
            direction = self.directions.get(key)
            if direction is not None and direction.hole == hole and direction.held:
                self._give_up(key, direction, out)

    def _give_up(self, key: Key, direction: Direction, out: list[Chunk]) -> None:
        """Call the hole at `next` a loss, and deliver what follows it up to the next hole."""
        self._anomalies.add("tcp-lost-segment", direction.held[0].frame)
        direction.next, direction.tail, direction.gap = direction.held[0].start, b"", True
        self._release(key, direction, None, out)

    def _release(self, key: Key, direction: Direction, by: tuple[int, int] | None, out: list[Chunk]) -> None:
        """Deliver what is held at `next`: as of `by` (time, frame), else each piece as of its own packet."""
        held = direction.held
        while held and held[0].start <= direction.next:
            run: list[Held] = []
            end = direction.next
            cut_to = 0
            overlap = False
            while held and held[0].start <= end and not cut_to:
                item = heapq.heappop(held)
                direction.starts.pop(item.start, None)
                direction.held_bytes -= len(item.data)
                self._total -= len(item.data) + OVERHEAD
                overlap = overlap or item.start < end
                end = max(end, item.start + len(item.data))
                cut_to = item.wire_end if item.wire_end > end else 0
                run.append(item)
            pieces = [item.data for item in run]
            if overlap:
                pieces, contradicted = painted(run, direction.next)
                for item in contradicted:
                    self._anomalies.add("tcp-overlap", item.frame)
            if by is not None:
                time, frame = by
                self._deliver(key, direction, b"".join(pieces), time, frame, out)
            else:
                time, frame = run[0].time, run[0].frame
                for item, piece in zip(run, pieces, strict=True):
                    time, frame = max((time, frame), (item.time, item.frame))
                    self._deliver(key, direction, piece, time, frame, out)
            if cut_to:
                self._skip(key, direction, cut_to, time, frame, out)
        direction.hole = 0
        if held:
            self._open_hole(key, direction)
