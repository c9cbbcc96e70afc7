"""The short way of plain SIP over TCP: connections that a kernel follows, and what it needs to know of them. Floor 4.

Comes in: the rows of a batch, and after each segment that took the long way (:mod:`sipanalyzer.network.tcp`,
:mod:`sipanalyzer.sip.framer`, :mod:`sipanalyzer.network.connections`) its direction. Goes out: messages, in one batch.

A connection is on either way, never on both. When its directions are at rest (nothing held, no hole, no end, plainly
SIP, plainly open), :meth:`PlainStreams.enter` writes what is known of them to rows that the kernel moves on
(:mod:`sipanalyzer.kernels.tcpstreams`). It stops at the first segment that is not plain; before that goes the long way,
:meth:`PlainStreams.leave` writes everything back, so that the long way goes on as if it had seen every segment. Which
direction was silent longest, what is to happen by a deadline, and what another connection pushes out are kept in order
the same way: the kernel stops at deadlines, and who drops asks here first.
"""

from __future__ import annotations

import numpy as np

from ..kernels import columns as row
from ..kernels import tcpstreams as kernel
from ..network.connections import ConnectionWatch, Watched
from ..network.tcp import TAIL, TcpReassembler
from ..network.tcpstate import Direction, Key, reverse
from ..options import Options
from ..result import TRANSPORTS, Bools, Ints
from .framer import StreamFramer
from .spans import MessageStore

__all__ = ["PlainStreams"]

_OUT_BYTES = 1 << 20
_FOUND = 8_192
"""Bytes and number of the messages that wait to be stored together; more than any one segment brings."""
_POOL_BYTES = 1 << 20
_SPARE = 512 << 10
"""Bytes free in the pool after it was tidied up; more than any one segment needs."""
_FEW = 64
"""Slots at first."""
_ONE_SIDED_BYTES = 4_096
"""Bytes after which a direction is followed although nothing came back; sooner a connection may soon be over."""
_NEVER = (1 << 63) - 1
_TCP = TRANSPORTS.index("TCP")


class PlainStreams:
    """Connections that are followed by the kernel.

    Parameters
    ----------
    options : Options
        `max_sip_message_bytes` is used.
    store : MessageStore
        Where messages go.
    tcp : TcpReassembler
        What else knows directions.
    watch : ConnectionWatch
        What else knows connections.
    framers : dict of Key to StreamFramer
        The framers of directions.
    """

    def __init__(
        self,
        options: Options,
        store: MessageStore,
        tcp: TcpReassembler,
        watch: ConnectionWatch,
        framers: dict[Key, StreamFramer],
    ) -> None:
        self._limit = options.max_sip_message_bytes
        self._store, self._tcp, self._watch, self._framers = store, tcp, watch, framers
        self._slot_of: dict[Key, int] = {}
        """Both directions of each connection that is followed."""
        self._keys: list[Key] = []
        self._followed: list[Direction | None] = []
        self._watched: list[Watched] = []
        """By slot; those of connections that left stay until the table is made anew."""
        self._slots = np.zeros((_FEW, kernel.DIRECTION), np.int64)
        self._table = np.zeros(4 * _FEW, np.int64)
        self._pool = np.zeros(_POOL_BYTES, np.uint8)
        self._out = np.zeros(_OUT_BYTES, np.uint8)
        self._found = np.zeros((_FOUND, row.WIDTH), np.int64)
        self._messages = np.zeros((2, _FOUND), np.int64)  # capture and transport of each
        self._counts = np.zeros(kernel.COUNTS, np.int64)
        self._cut = np.zeros(2, np.int64)
        self._touched = np.zeros(0, np.int64)
        self._long_way: list[Key] = []
        """Directions that took the long way in this batch; `touched` has -1 - its place here."""
        self._bytes = np.zeros(1, np.uint8)
        self._rows = np.zeros((0, row.WIDTH), np.int64)
        self._captures: int | Ints = 0
        self._plain: Bools = np.zeros(0, np.bool_)
        self.taken: list[tuple[Ints, Ints]] = []
        """Rows of messages that the kernel found in this batch, and indices of the messages."""
        self.active = False
        """A batch is under way."""

    # ---- a batch

    def begin(self, data: bytearray, rows: Ints, captures: int | Ints) -> None:
        """Start with a batch of rows.

        Parameters
        ----------
        data : bytearray
            What `AT` of the rows counts in.
        rows : int64[n, 16]
            Rows in order of time.
        captures : int or int64[n]
            Index of the file, or each row's.
        """
        if len(self._keys) > 2 * len(self._slot_of) + _FEW:
            self._renew()
        self._bytes = np.frombuffer(data, np.uint8)
        self._rows, self._captures = rows, captures
        self._plain = np.zeros(len(rows), np.bool_)
        if len(self._touched) < 2 * len(rows):
            self._touched = np.zeros(2 * len(rows), np.int64)
        self._counts[kernel.TOUCHED] = 0
        self._long_way.clear()
        self.taken = []
        self._tcp.before_dropping, self._watch.before_dropping = self._settle_and_leave, self.leave
        self.active = True

    def follow(self, begin: int) -> int:
        """Go on at row `begin` as far as rows are plain; the first that is not, or how many there are."""
        if not self._slot_of:
            return begin
        tried = -1
        while True:
            deadline = self._tcp.deadline
            end = kernel.follow(
                self._bytes, self._rows, begin, _NEVER if deadline is None else deadline, self._limit, self._slots,
                self._table, self._pool, self._out, self._found, self._touched, self._counts, self._cut,
            )  # fmt: skip
            self._plain[begin:end] = True
            if self._counts[kernel.WHY] != kernel.NO_ROOM or tried == end:
                return int(end)
            self.flush()
            self._tidy()
            begin = tried = end

    def put(self, message: bytes, packet: tuple[int, ...], transport: int, capture: int) -> int | None:
        """Add a message that came another way behind those that wait; its index, None where it finds no room.

        Parameters
        ----------
        message : bytes
            The message.
        packet : tuple of int
            Time, frame, 1 where it is truncated, source, destination and ports.
        transport : int
            Index into :data:`sipanalyzer.result.TRANSPORTS`.
        capture : int
            Index of the file.
        """
        if len(message) > _OUT_BYTES:
            self.flush()
            return None
        if self._counts[kernel.FOUND] == _FOUND or self._counts[kernel.WRITTEN] + len(message) > _OUT_BYTES:
            self.flush()
        n, at = int(self._counts[kernel.FOUND]), int(self._counts[kernel.WRITTEN])
        found = self._found[n]
        found[: len(packet)] = packet
        found[row.AT], found[row.LENGTH] = at, len(message)
        found[row.WIRE_LENGTH] = len(message) + packet[row.KIND]
        found[kernel.ROW] = -1
        self._messages[:, n] = capture, transport
        self._out[at : at + len(message)] = np.frombuffer(message, np.uint8)
        self._counts[kernel.FOUND], self._counts[kernel.WRITTEN] = n + 1, at + len(message)
        return len(self._store) + n

    def flush(self) -> None:
        """Store the messages that wait."""
        n = int(self._counts[kernel.FOUND])
        if n:
            found, (captures, transports) = self._found[:n], self._messages[:, :n]
            rows = found[:, kernel.ROW]
            short = np.flatnonzero(rows >= 0)
            captures[short] = self._captures if isinstance(self._captures, int) else self._captures[rows[short]]
            transports[short] = _TCP
            first = self._store.add_block(self._out, found, captures, transports)
            self.taken.append((rows[short].copy(), first + short))
        self._counts[[kernel.FOUND, kernel.WRITTEN]] = 0

    def end(self) -> None:
        """The batch is over, and its bytes go."""
        self.flush()
        self._settle()
        self._watch.count_large(
            self._rows[self._plain], self._captures if isinstance(self._captures, int) else self._captures[self._plain]
        )
        n = len(self._keys)
        heard = np.flatnonzero(self._slots[:n, kernel.TAIL_AT] >= 0)
        tails = self._slots[heard, kernel.TAIL_AT], self._slots[heard, kernel.TAIL_LENGTH]
        for slot, at, length in zip(heard.tolist(), *(values.tolist() for values in tails), strict=True):
            self._note_tail(slot, at, length)
        self._slots[:n, kernel.TAIL_AT] = -1
        if 2 * self._counts[kernel.POOLED] > len(self._pool):
            self._tidy()
        self._bytes, self._rows = np.zeros(1, np.uint8), self._rows[:0]
        self._tcp.before_dropping = self._watch.before_dropping = None  # they and this would keep each other
        self.active = False

    # ---- connections come and go

    def enter(self, key: Key) -> None:
        """Follow a connection from here on, if it is at rest.

        Parameters
        ----------
        key : Key
            A direction that took the long way just now.
        """
        framer, direction = self._framers.get(key), self._tcp.directions.get(key)
        if framer is None or direction is None or not framer.is_plain or not direction.is_plain:
            return
        back = reverse(key)
        entry, other_entry = self._watch.open_side(key), self._watch.open_side(back)
        other, other_framer = self._tcp.directions.get(back), self._framers.get(back)
        if entry is None or other_entry is None or entry[0] is not other_entry[0] or key == back:
            return
        if other is not None and other.held:
            return
        both = other is not None and other.is_plain and other_framer is not None and other_framer.is_plain
        if not both and direction.next - direction.first < _ONE_SIDED_BYTES:
            return
        slot = len(self._keys)
        if slot + 2 > len(self._slots):
            self._renew()
            slot = len(self._keys)
        watched = entry[0]
        spoke = watched.last_side, watched.last_time
        self._keys += (key, back)
        self._watched += (watched, watched)
        self._followed += (direction, other)
        self._slots[slot] = self._row(key, entry[1], spoke, direction, framer)  # before the next, which may tidy up
        self._slots[slot + 1] = self._row(back, other_entry[1], spoke, other, other_framer if both else None)
        if kernel.enter(self._slots, self._table, slot):
            self._slot_of[key], self._slot_of[back] = slot, slot + 1
        else:
            self._save(slot)
            self._save(slot + 1)
            self._forget(slot)

    def _row(
        self, key: Key, side: int, spoke: tuple[int, int], direction: Direction | None, framer: StreamFramer | None
    ) -> tuple[int, ...]:
        """What is known of a direction, in the order of the kernel's columns; without a framer it is passive."""
        if direction is None:
            return (*key, kernel.PASSIVE, 0, 0, 0, side, *spoke, -1, 0, 0, 0, 0, 0, 0)
        state = direction.next, direction.acked, direction.acked_time, side, *spoke, -1, 0
        if framer is None:
            return (*key, kernel.PASSIVE, *state, 0, 0, 0, 0, 0)
        if framer.held_bytes > kernel.MOST_PENDING:  # stays where it is: each segment would copy and read it anew
            return (*key, kernel.PASSIVE, *state, 0, 0, 0, 0, 0)
        waiting, time, frame = framer.hand_over()
        size = len(waiting)
        at = 0
        if size:
            if size + self._counts[kernel.POOLED] + _SPARE // 2 > len(self._pool):
                self._tidy(size)
            at = int(self._counts[kernel.POOLED])
            self._pool[at : at + size] = np.frombuffer(waiting, np.uint8)
            self._counts[kernel.POOLED] += size
        return (*key, kernel.PLAIN, *state, at, size, size, time, frame)

    def leave(self, key: Key) -> None:
        """Write back what became of a connection, if it is followed; the long way goes on with it.

        Parameters
        ----------
        key : Key
            One of its directions.
        """
        slot = self._slot_of.get(key)
        if slot is None:
            return
        slot &= ~1
        first = self._slots[slot].tolist()
        watched = self._watched[slot]
        watched.last_side, watched.last_time = first[kernel.LAST_SIDE], first[kernel.LAST_TIME]
        for each in (slot, slot + 1):
            self._save(each)
            del self._slot_of[self._keys[each]]
        self._forget(slot)

    def leave_all(self) -> None:
        """Write back what became of all connections."""
        for slot in sorted(slot for slot in self._slot_of.values() if not slot & 1):
            self.leave(self._keys[slot])

    def note(self, key: Key) -> None:
        """A direction took the long way: what is silent longest is told by the order of all segments."""
        if self._counts[kernel.TOUCHED]:
            self._touched[self._counts[kernel.TOUCHED]] = -1 - len(self._long_way)
            self._counts[kernel.TOUCHED] += 1
            self._long_way.append(key)

    def _save(self, slot: int) -> None:
        """Write a direction's row back."""
        direction, state = self._followed[slot], self._slots[slot].tolist()
        if direction is None:
            return
        direction.next, direction.acked, direction.acked_time = (
            state[kernel.NEXT], state[kernel.ACKED], state[kernel.ACKED_TIME],
        )  # fmt: skip
        self._note_tail(slot, state[kernel.TAIL_AT], state[kernel.TAIL_LENGTH])
        if state[kernel.STATE] == kernel.PLAIN:
            at, size = state[kernel.PENDING_AT], state[kernel.PENDING_LENGTH]
            self._framers[self._keys[slot]].take_over(
                self._pool[at : at + size].tobytes(), state[kernel.FED_TIME], state[kernel.FED_FRAME]
            )

    def _note_tail(self, slot: int, at: int, length: int) -> None:
        """Keep the last bytes that a direction delivered, of a segment that stands in the batch."""
        direction = self._followed[slot]
        if direction is not None and at >= 0:
            direction.tail = self._bytes[at + max(0, length - TAIL) : at + length].tobytes()

    def _forget(self, slot: int) -> None:
        """Two rows stand for nothing any more; they stay in the table until it is made anew."""
        for each in (slot, slot + 1):
            self._slots[each, kernel.STATE] = kernel.GONE
            self._slots[each, kernel.TAIL_AT] = -1
            self._slots[each, kernel.PENDING_LENGTH] = 0
        # a key may come back: what stands here must not be found before it
        self._slots[slot : slot + 2, 4] = -1

    def _renew(self) -> None:
        """Make rows and table anew, with those that are followed."""
        self._settle()
        live = np.array(sorted(self._slot_of.values()), np.int64)
        size = _FEW
        while size < 2 * len(live) + _FEW:
            size *= 2
        slots = np.zeros((size, kernel.DIRECTION), np.int64)
        slots[: len(live)] = self._slots[live]
        self._slots, self._table = slots, np.zeros(4 * size, np.int64)
        self._keys = [self._keys[slot] for slot in live.tolist()]
        self._followed = [self._followed[slot] for slot in live.tolist()]
        self._watched = [self._watched[slot] for slot in live.tolist()]
        self._slot_of = {key: slot for slot, key in enumerate(self._keys)}
        for slot in range(0, len(live), 2):
            kernel.enter(slots, self._table, slot)  # one that finds no place takes the long way from now on

    def _tidy(self, more: int = 0) -> None:
        """Take dead bytes out of the pool, and make room in it for `more` bytes and any one segment."""
        n = len(self._keys)
        live = np.flatnonzero(self._slots[:n, kernel.PENDING_LENGTH])
        at, length = self._slots[live, kernel.PENDING_AT], self._slots[live, kernel.PENDING_LENGTH]
        pieces = [self._pool[i : i + size] for i, size in zip(at.tolist(), length.tolist(), strict=True)]
        total = int(length.sum())
        pool = np.zeros(max(_POOL_BYTES, 2 * total + more + _SPARE), np.uint8)
        if pieces:
            pool[:total] = np.concatenate(pieces)
        self._pool = pool
        self._slots[live, kernel.PENDING_AT] = np.cumsum(length) - length
        self._slots[live, kernel.PENDING_ROOM] = length
        self._counts[kernel.POOLED] = total

    # ---- what others must know in order

    def _settle(self) -> None:
        """Tell in which order directions were last heard, so far."""
        entries = self._touched[: self._counts[kernel.TOUCHED]][::-1]
        _, last = np.unique(entries, return_index=True)
        known = self._tcp.directions
        for entry in entries[np.sort(last)[::-1]].tolist():
            key = self._keys[entry] if entry >= 0 else self._long_way[-1 - entry]
            if key in known:
                known.move_to_end(key)
        self._counts[kernel.TOUCHED] = 0
        self._long_way.clear()

    def _settle_and_leave(self) -> None:
        """The direction that was silent longest is to be dropped: it must not be followed here."""
        self._settle()
        self.leave(next(iter(self._tcp.directions)))
