"""All SIP messages of an analysis, as kept bytes and columns of small integers. Floor 4.

Comes in: rows of kind SIP with the block they point into, and single messages that other transports delivered. Goes
out: at any time the columns that transactions, dialogs and calls are grouped on, and bodies; at the end a
:class:`~sipanalyzer.result.Messages`. The bytes of every message are kept once, one after another; everything else is
offsets and numbers (some 130 bytes a message, 220 once finished). Headers are found in batches, when somebody asks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..anomalies import Anomalies
from ..kernels import columns as row
from ..kernels import sip as kernel
from ..options import Options
from ..result import Bools, Endpoint, Ints, Messages
from .endpoints import Endpoints, Socket
from .interning import Interner
from .store_columns import SPACES, SPANS, TYPES, grow, make_columns

__all__ = ["MessageStore"]

BATCH = 4096
"""Messages whose headers are looked for together: bounds the scratch memory (1.3 MB)."""

_TEXTS = frozenset(SPACES) - {"whole", "cseq_method"}
_METHODS = tuple(
    f"{method} ".encode()
    for method in (
        *("INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "UPDATE", "INFO", "MESSAGE", "SUBSCRIBE"),
        *("NOTIFY", "PUBLISH", "REFER"),
    )
)
"""Without any of SIP's headers, only these make a start line of SIP; other protocols have borrowed it."""
_ANY_KEY = kernel.SEEN_CALL_ID | kernel.SEEN_CSEQ | kernel.SEEN_FROM | kernel.SEEN_TO


class MessageStore:
    """Every SIP message seen, in the order in which it was added.

    Parameters
    ----------
    options : Options
        `max_sip_bytes`, `max_sip_message_bytes`, `max_messages`, `max_calls`.
    anomalies : Anomalies or sequence of Anomalies, optional
        Where anomalies are counted: one counter, or one for each capture (the sequence may grow meanwhile).

    Notes
    -----
    Columns are views that the next `add` may leave behind: use them, do not keep them. A number of an interned column
    is -1 where the message has no such thing. `from_tag` and `to_tag` share one space of numbers, `method` and
    `cseq_method` another, and `from_uri`, `to_uri`, `request_uri` and `contact` a third.

    A message is `malformed` when it has none of Call-ID, CSeq, From and To, or no start line (a status code that is not
    three digits included). It keeps its index, is counted, and is left out by :meth:`finish`.
    """

    def __init__(self, options: Options, anomalies: Anomalies | Sequence[Anomalies] | None = None) -> None:
        self._options = options
        self._anomalies = anomalies if anomalies is not None else Anomalies()
        self._data = bytearray(1)  # never empty: numpy makes no view of nothing
        self._count = 0
        self._found = 0
        self._columns: dict[str, npt.NDArray[Any]] = make_columns()
        self._spaces = {space: Interner() for space in dict.fromkeys(SPACES.values())}
        self._endpoints = Endpoints()
        self._full = False
        self._known_calls: set[bytes] | None = None
        """Call-IDs so far, from when their limit comes into sight."""
        self._texts: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return self._count

    # coming in

    def add_block(self, data: npt.NDArray[np.uint8], rows: Ints, capture: int | Ints, transport: int | Ints = 0) -> int:
        """Keep the messages of the rows of kind SIP of one block.

        Parameters
        ----------
        data : uint8[:]
            The block that the rows' `AT` refers to.
        rows : int64[n, WIDTH]
            Rows of kind SIP and no other (:mod:`sipanalyzer.kernels.columns`).
        capture : int or int64[n]
            Index of the file, or each message's.
        transport : int or int64[n]
            Index into :data:`sipanalyzer.result.TRANSPORTS`, or each message's.

        Returns
        -------
        int
            Index of the first; the others follow in the order of the rows.
        """
        n, begin = len(rows), self._count
        if n == 0:
            return begin
        captures = np.broadcast_to(np.asarray(capture), n)
        block = memoryview(np.ascontiguousarray(data))  # type: ignore[arg-type]
        source, length = rows[:, row.AT].copy(), rows[:, row.LENGTH].copy()
        first = data[np.minimum(source, len(data) - 1)]
        for i in np.flatnonzero((first == 10) | (first == 13)).tolist():
            blank = _blank(block[source[i] : source[i] + length[i]])
            source[i] += blank
            length[i] -= blank
        truncated = rows[:, row.WIRE_LENGTH] > rows[:, row.LENGTH]
        for i in np.flatnonzero(length > self._options.max_sip_message_bytes).tolist():
            self._note("sip-too-large", int(captures[i]), int(rows[i, row.FRAME]))
            length[i] = self._options.max_sip_message_bytes
            truncated[i] = True
        if self._full or len(self._data) + int(length.sum()) > self._options.max_sip_bytes:
            fits = (len(self._data) + np.cumsum(length) <= self._options.max_sip_bytes) & (not self._full)
            for i in np.flatnonzero(~fits).tolist():
                self._note("sip-limit", int(captures[i]), int(rows[i, row.FRAME]))
            length[~fits] = 0
            self._full = True
        if begin + n > self._options.max_messages:
            self._drop_at(
                "sip-limit", np.arange(begin, begin + n) >= self._options.max_messages, rows, captures, length
            )
        if self._many_calls(n):
            kept = length > 0
            kept[kept] = self._admit(data, source[kept], length[kept])
            self._drop_at("sip-call-limit", (length > 0) & ~kept, rows, captures, length)
        truncated &= length > 0
        for i in np.flatnonzero(truncated).tolist():
            self._note("sip-truncated", int(captures[i]), int(rows[i, row.FRAME]))
        end = self._reserve(n)
        at = len(self._data) + np.cumsum(length) - length
        for name, values in (
            ("time", rows[:, row.TIME]), ("frame", rows[:, row.FRAME]), ("capture", captures),
            ("transport", transport), ("at", at), ("length", length), ("truncated", truncated),
        ):  # fmt: skip
            self._columns[name][begin:end] = values
        self._columns["src"][begin:end], self._columns["dst"][begin:end] = self._endpoints.pairs(
            rows[:, row.SRC_HI : row.PORTS + 1]
        )
        if n and (source[1:] == source[:-1] + length[:-1]).all():  # they stand next to each other
            self._data += block[source[0] : source[-1] + length[-1]]
            return begin
        for start, size in zip(source.tolist(), length.tolist(), strict=True):
            self._data += block[start : start + size]  # what it costs is new memory: a kernel is no faster
        return begin

    def add(
        self,
        data: bytes,
        time: int,
        frame: int,
        src_hi: int,
        src_lo: int,
        sport: int,
        dst_hi: int,
        dst_lo: int,
        dport: int,
        transport: int,
        capture: int,
        truncated: bool,
    ) -> int:
        """Keep one message; returns its index.

        Parameters
        ----------
        data : bytes
            The message; line ends before it are left out.
        time, frame : int
            Of the packet that completes it; ns since 1970.
        src_hi, src_lo, dst_hi, dst_lo : int
            Addresses as in :mod:`sipanalyzer.kernels.columns`.
        sport : int
            Sender's port.
        dport : int
            Receiver's port.
        transport : int
            Index into :data:`sipanalyzer.result.TRANSPORTS`.
        capture : int
            Index of the file.
        truncated : bool
            Whether bytes are missing at its end.
        """
        blank = _blank(data) if data[:1] in (b"\r", b"\n") else 0
        message = memoryview(data)[blank : blank + self._options.max_sip_message_bytes]
        if len(data) - blank > len(message):
            self._note("sip-too-large", capture, frame)
            truncated = True
        if self._full or len(self._data) + len(message) > self._options.max_sip_bytes:
            self._note("sip-limit", capture, frame)
            message = message[:0]  # keeps its index, and is malformed
            self._full = True
        elif self._count >= self._options.max_messages:
            self._note("sip-limit", capture, frame)
            message = message[:0]
        elif self._many_calls(1):
            whole = np.frombuffer(bytes(message) or b" ", np.uint8)
            if not self._admit(whole, np.zeros(1, np.int64), np.array([len(message)]))[0]:
                self._note("sip-call-limit", capture, frame)
                message = message[:0]
        truncated = truncated and len(message) > 0
        if truncated:
            self._note("sip-truncated", capture, frame)
        i = self._reserve(1) - 1
        src, dst = self._endpoints.pair(src_hi, src_lo, dst_hi, dst_lo, sport << 16 | dport)
        for name, value in (
            ("time", time), ("frame", frame), ("capture", capture), ("transport", transport), ("src", src),
            ("dst", dst), ("at", len(self._data)), ("length", len(message)), ("truncated", truncated),
        ):  # fmt: skip
            self._columns[name][i] = value
        self._data += message
        return i

    def _drop_at(
        self, code: str, where: Bools, rows: Ints, captures: npt.NDArray[Any], length: npt.NDArray[Any]
    ) -> None:
        """Leave messages without bytes: they keep their index, and are malformed."""
        for i in np.flatnonzero(where & (length > 0)).tolist():
            self._note(code, int(captures[i]), int(rows[i, row.FRAME]))
        length[where] = 0

    def _many_calls(self, n: int) -> bool:
        """Whether `n` more messages might bring more Call-IDs than are kept."""
        if self._known_calls is None:
            if self._count + n <= self._options.max_calls or self.calls() + n <= self._options.max_calls:
                return False
            space = self._spaces["call_id"]
            self._known_calls = set(space.spelled(self._data))
        return True

    def _admit(self, data: npt.NDArray[np.uint8], source: Ints, length: Ints) -> Bools:
        """Which of some messages have a Call-ID that is known, or for which there is room; or none."""
        assert self._known_calls is not None
        n = len(source)
        spans = np.empty((n, kernel.SPANS, 2), np.int64)
        numbers = np.empty((n, kernel.NUMBERS), np.int64)
        kernel.find_spans(
            data, source.astype(np.int64), length.astype(np.int64), np.zeros(n, np.uint8), n, spans, numbers
        )
        admitted = np.ones(n, np.bool_)
        block = memoryview(data)  # type: ignore[arg-type]
        for i, (begin, end) in enumerate(spans[:, SPANS["call_id"]].tolist()):
            call_id = block[begin:end].tobytes()
            if call_id and call_id not in self._known_calls:
                if len(self._known_calls) < self._options.max_calls:
                    self._known_calls.add(call_id)
                else:
                    admitted[i] = False
        return admitted

    def _reserve(self, n: int) -> int:
        """Make room for `n` more messages and count them; returns the new count."""
        self._count += n
        grow(self._columns, self._count)
        return self._count

    def _note(self, code: str, capture: int, frame: int, detail: str | None = None) -> None:
        counter = self._anomalies if isinstance(self._anomalies, Anomalies) else self._anomalies[capture]
        counter.add(code, frame, detail)

    # finding headers

    def _find(self) -> None:
        """Find and intern the headers of all messages that have not had it yet."""
        while self._found < self._count:
            begin, end = self._found, min(self._count, self._found + BATCH)
            self._found = end
            self._find_batch(begin, end)

    def _find_batch(self, begin: int, end: int) -> None:
        n, columns = end - begin, self._columns
        spans = np.empty((n, kernel.SPANS, 2), np.int64)
        numbers = np.empty((n, kernel.NUMBERS), np.int64)
        view = np.frombuffer(self._data, np.uint8)  # while it stands, the bytes cannot grow
        kernel.find_spans(
            view, columns["at"][begin:end],
            columns["length"][begin:end].astype(np.int64), columns["truncated"][begin:end].astype(np.uint8), n,
            spans, numbers,
        )  # fmt: skip
        response = numbers[:, kernel.STATUS] > 0
        no_agent = spans[:, kernel.AGENT, 0] == spans[:, kernel.AGENT, 1]
        spans[no_agent, kernel.AGENT] = spans[no_agent, kernel.SERVER]
        spans[response, kernel.METHOD] = spans[response, kernel.CSEQ_METHOD]
        for name, which in SPANS.items():
            columns[name][begin:end] = self._spaces[SPACES[name]].intern(view, spans, which)
        malformed = (numbers[:, kernel.STATUS] < 0) | (numbers[:, kernel.SEEN] & _ANY_KEY == 0)
        for name, values in (
            ("status", numbers[:, kernel.STATUS]), ("cseq", numbers[:, kernel.CSEQ]),
            ("content_length", numbers[:, kernel.CONTENT_LENGTH]), ("body_at", spans[:, kernel.BODY, 0]),
            ("body_length", spans[:, kernel.BODY, 1] - spans[:, kernel.BODY, 0]), ("malformed", malformed),
        ):  # fmt: skip
            columns[name][begin:end] = values
        there = columns["length"][begin:end] > 0
        foreign = there & malformed & (numbers[:, kernel.STATUS] == 0)
        for i in np.flatnonzero(foreign).tolist():
            at = int(columns["at"][begin + i])
            foreign[i] = not self._data.startswith(_METHODS, at)
        short = (numbers[:, kernel.FIT] != kernel.FITS) & ~columns["truncated"][begin:end]
        for code, where in (
            ("sip-malformed", malformed & there & ~foreign),
            ("sip-no-call-id", ~malformed & (columns["call_id"][begin:end] < 0)),
            ("sip-content-length", ~malformed & short),
        ):
            if where.any():
                for i in np.flatnonzero(where).tolist():
                    self._note(code, int(columns["capture"][begin + i]), int(columns["frame"][begin + i]))

    # going out

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column: any of :class:`~sipanalyzer.result.Messages`, `cseq_method` and `malformed`.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        self._find()
        return self._columns[name][: self._count]

    @property
    def time(self) -> Ints:
        """Times, ns since 1970."""
        return self.column("time")

    @property
    def frame(self) -> Ints:
        """Frame numbers, from 1."""
        return self.column("frame")

    @property
    def capture(self) -> Ints:
        """Indices of files."""
        return self.column("capture")

    @property
    def status(self) -> Ints:
        """Status codes; 0 for a request, -1 for no start line."""
        return self.column("status")

    @property
    def method(self) -> Ints:
        """Of a request its method, of a response that of its CSeq."""
        return self.column("method")

    @property
    def cseq_method(self) -> Ints:
        """Method in CSeq."""
        return self.column("cseq_method")

    @property
    def call_id(self) -> Ints:
        """Call-IDs."""
        return self.column("call_id")

    @property
    def from_tag(self) -> Ints:
        """From tags, in one space with the To tags."""
        return self.column("from_tag")

    @property
    def to_tag(self) -> Ints:
        """To tags."""
        return self.column("to_tag")

    @property
    def src(self) -> Ints:
        """Senders, indices into `endpoints`."""
        return self.column("src")

    @property
    def dst(self) -> Ints:
        """Receivers, indices into `endpoints`."""
        return self.column("dst")

    @property
    def whole(self) -> Ints:
        """Equal where all bytes of the messages are equal."""
        return self.column("whole")

    @property
    def body_length(self) -> Ints:
        """Bytes of bodies."""
        return self.column("body_length")

    @property
    def malformed(self) -> Bools:
        """Which messages :meth:`finish` leaves out."""
        return self.column("malformed")

    @property
    def endpoints(self) -> list[Endpoint]:
        """Senders and receivers so far."""
        return self._endpoints.listed()

    def sockets(self) -> Sequence[Socket]:
        """Senders and receivers so far, as rows have them."""
        return self._endpoints.sockets

    @contextlib.contextmanager
    def view(self) -> Iterator[npt.NDArray[np.uint8]]:
        """All bytes so far, that `at` and `body_at` count in. While they are looked at, no message can be added."""
        self._find()
        yield np.frombuffer(self._data, np.uint8)

    def different(self, column: str) -> int:
        """How many different strings an interned column (and those that share its numbers) has so far."""
        self._find()
        return len(self._spaces[SPACES[column]])

    def calls(self) -> int:
        """How many different Call-IDs there are."""
        return self.different("call_id")

    def raw(self, i: int) -> bytes:
        """All bytes of message `i` (of a datagram also what stands behind its body)."""
        at = int(self._columns["at"][i])
        return bytes(self._data[at : at + int(self._columns["length"][i])])

    def body(self, i: int) -> bytes:
        """Body of message `i`."""
        self._find()
        at = int(self._columns["body_at"][i])
        return bytes(self._data[at : at + int(self._columns["body_length"][i])])

    def content_type(self, i: int) -> str | None:
        """Content-Type of message `i` with its parameters."""
        number = int(self.column("content_type")[i])
        return None if number < 0 else self.text("content_type", number)

    def text(self, column: str, number: int) -> str:
        """The string behind a number of an interned column; also after :meth:`finish`, except of `whole`.

        Raises
        ------
        KeyError, IndexError
            If there is no such column or number.
        """
        space = SPACES[column]
        if self._texts:
            return self._texts[space][number]
        self._find()
        return self._spaces[space].text(self._data, number)

    def number(self, column: str, text: str) -> int:
        """The number of a string (ASCII) in an interned column; -1 where no message has it."""
        self._find()
        return self._spaces[SPACES[column]].number(self._data, text.encode())

    def finish(self, order: Ints, retransmission: Bools, drop: Bools) -> Messages:
        """Give everything away; after it only :meth:`text` may be used.

        Parameters
        ----------
        order : int64[:]
            Indices of messages in their final order.
        retransmission, drop : bool[len(self)]
            By index of message (not by place in `order`): what was sent again; what is left out.
        """
        self._find()
        kept = order[~(drop[order] | self.malformed[order])]
        self._texts = {name: space.texts(self._data) for name, space in self._spaces.items() if name != "whole"}
        self._spaces.clear()
        texts = {name: self._texts[space] for name, space in SPACES.items() if name in _TEXTS}
        columns: dict[str, npt.NDArray[Any]] = {}
        for name in [name for name in TYPES if name not in ("cseq_method", "malformed")]:
            kind = np.bool_ if name == "truncated" else np.int64
            columns[name] = self._columns.pop(name)[kept].astype(kind)  # one at a time: the old one goes
        data = np.frombuffer(self._data, np.uint8)
        return Messages(
            **columns, retransmission=retransmission[kept], data=data, endpoints=self.endpoints, texts=texts
        )


def _blank(message: bytes | memoryview) -> int:
    """How many bytes of line ends stand before a message."""
    i = 0
    while i < len(message) and message[i] in (10, 13):
        i += 1
    return i
