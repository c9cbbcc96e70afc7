"""A byte stream becomes whole SIP messages, without I/O. Floor 4.

Comes in: bytes in sequence, with a mark where some are missing. Goes out: :class:`Framed`, the bytes of one message
each, from its start line to the end of its body, with the packet that completed it.

On a stream Content-Length says where a message ends (RFC 3261 18.3, 20.14), and CR LF between messages keeps the
connection alive (RFC 3261 7.5, RFC 5626 4.4.1). A capture adds what an endpoint never meets: it starts in mid-stream,
and bytes are missing; then the next start line at the beginning of a line is looked for. A stream that turns out to be
the WebSocket of RFC 7118 is handed to :mod:`sipanalyzer.sip.websocket`; one that is neither is given up.

Every byte is looked at a bounded number of times, however it comes: searches go on where they stood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.options import Options
from sipanalyzer.sip.startline import (
    ANYWHERE,
    AT_LINE,
    HEAD_END,
    INNER_START,
    START,
    STRICT_START,
    SURE,
    TOKEN,
    content_length,
    message_begin,
)
from sipanalyzer.sip.websocket import WebSocketMessage, WebSocketReader, carries_sip

__all__ = ["TOO_LARGE", "Framed", "StreamFramer"]

TOO_LARGE = "sip-too-large"
"""Defect of a message that was cut since it is longer than the limit, by its code in :mod:`sipanalyzer.anomalies`."""

UNDECIDED = 8_192
"""Bytes after which a stream must have shown what it is."""
LONGEST_LINE = 8_192
"""Bytes of the longest start line: what is longer is no SIP to any stack (they refuse it with 414), nor here."""
FOREIGN_MESSAGES = 16
"""WebSocket messages without SIP after which a connection is not SIP."""

_MAY_BE_TEXT = re.compile(rb"(?:" + TOKEN + rb"|/){1,65}+(?:[ \t]|\Z)")
_FOREIGN = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]|SSH-\d|RTSP/\d|MSRP ")
_HTTP = re.compile(rb"(?:GET \S++ HTTP/1\.\d|HTTP/1\.\d 101(?=\s))")
_UPGRADE = re.compile(rb"\nupgrade[ \t]*+:[^\n]*?websocket", re.IGNORECASE)
_IDLE = b"\r\n\0 \t"  # between messages: keep-alives (RFC 5626 4.4.1), and what sloppy senders pad with
_DATA_FRAMES = b"\x01\x02\x81\x82"  # first byte of a WebSocket frame that may carry SIP


@dataclass(frozen=True, slots=True)
class Framed:
    """One SIP message cut out of a stream."""

    data: bytes
    """Start line to end of body."""
    time: int
    """Time (ns) of the packet that completed it; of its last bytes where it is truncated."""
    frame: int
    """Frame number of that packet."""
    transport: str
    """``TCP`` or ``WS``."""
    truncated: bool
    """Its end is missing."""
    defects: tuple[str, ...]
    """What is wrong with its framing: `TOO_LARGE`, and the defects of :mod:`sipanalyzer.sip.startline`."""


class StreamFramer:
    """Cuts one direction of a byte stream into SIP messages.

    Parameters
    ----------
    options : Options
        `max_sip_message_bytes` is used.
    anomalies : Anomalies, optional
        Gets ``websocket-malformed`` and ``sip-malformed`` (bytes between messages that are no message).
    """

    def __init__(self, options: Options, anomalies: Anomalies | None = None) -> None:
        self._limit = options.max_sip_message_bytes
        self._anomalies = anomalies
        self._time = self._frame = 0
        self._begin(midstream=False)

    def _begin(self, *, midstream: bool) -> None:
        self.verdict: bool | None = None
        """True: SIP, as itself or in a WebSocket. False: something else, nothing is kept. None: not known yet."""
        self._midstream = midstream
        self._seen = 0  # bytes while undecided
        self._web: WebSocketReader | None = None
        self._foreign = 0  # WebSocket messages without SIP
        self._buffer = bytearray()  # begins at the message under way, or at the line while a start line is looked for
        self._scan = 0  # how far the search for the end of line or head went
        self._in_head = False  # the start line is there
        self._length = 0  # of the message under way, once its head is whole
        self._defects: tuple[str, ...] = ()
        self._skip = 0  # bytes to come that are beyond the limit
        self._searching = False  # for a start line where anything may stand
        self._passed = 0  # bytes of junk since the last message
        self._unsure = SURE  # where the start line of the message under way was found
        self._before = 0  # the byte before it
        self._drop = False  # it was none: what follows is no message

    @property
    def pending(self) -> bool:
        """Whether bytes wait for more: of a message under way, or of what is not known yet."""
        if self._web is not None and not self._web.lost and not self._searching:
            return self._web.pending
        return bool(self._buffer) or self._skip > 0

    @property
    def held_bytes(self) -> int:
        """How many bytes wait for more."""
        return len(self._buffer)

    @property
    def inflates(self) -> bool:
        """Whether what comes can be read only with what came before: a WebSocket whose messages are compressed."""
        return self._web is not None and self._web.deflates

    @property
    def is_plain(self) -> bool:
        """Whether this is SIP as itself, and what waits, if anything, is the beginning of a message."""
        if not self.verdict or self._web is not None or self._searching:
            return False
        return not (self._skip or self._drop or self._passed) and self._unsure == SURE

    def hand_over(self) -> tuple[bytes, int, int]:
        """Give up what waits, where :attr:`is_plain`: bytes, and time and frame of the last packet that brought any."""
        waiting = bytes(self._buffer)
        self._buffer.clear()
        self._in_head, self._scan, self._length = False, 0, 0
        return waiting, self._time, self._frame

    def take_over(self, waiting: bytes, time: int, frame: int) -> None:
        """Go on where somebody else stopped who was given what :meth:`hand_over` gave.

        Parameters
        ----------
        waiting : bytes
            The beginning of a message; no whole one.
        time, frame : int
            Time (ns) and frame number of the last packet that brought bytes.
        """
        self._time, self._frame = time, frame
        self._buffer += waiting
        self._cut([])

    def feed(self, data: bytes, time: int, frame: int, gap: bool = False) -> list[Framed]:
        """Take bytes of the stream; give the messages that they complete.

        Parameters
        ----------
        data : bytes
            The next bytes in sequence; may be empty.
        time, frame : int
            Time (ns) and frame number of the packet that brought them.
        gap : bool
            Bytes are missing before `data`, or the stream was not seen from its beginning. A stream given up
            begins anew here.
        """
        out: list[Framed] = []
        if gap:
            self._flush(out)
            if self.verdict and self._web is None:
                self._search(ANYWHERE)
                self._buffer.clear()
            elif not self.verdict:
                self._begin(midstream=True)
        self._time, self._frame = time, frame
        if self.verdict is False or not data:
            return out
        if self.verdict is None:
            self._seen += len(data)
            self._decide(data, out)
        elif self._web is not None:
            self._read_web(self._web, data, out)
        else:
            self._buffer += data
            self._cut(out)
        return out

    def finish(self) -> list[Framed]:
        """The message under way, if its head is whole: its end will not come."""
        out: list[Framed] = []
        self._flush(out)
        self._begin(midstream=True)
        return out

    def _flush(self, out: list[Framed]) -> None:
        """Give the message under way, cut, if its head is whole; forget it."""
        if self._web is not None:
            message = self._web.gap()
            if message is not None and START.match(message.data) and HEAD_END.search(message.data):
                out.append(Framed(message.data, self._time, self._frame, "WS", True, ()))
        elif self._length:
            self._emit(bytes(self._buffer), True, out)
        self._skip = self._length = 0

    def _emit(self, data: bytes, truncated: bool, out: list[Framed]) -> None:
        if not self._drop:
            out.append(Framed(data, self._time, self._frame, "TCP", truncated, self._defects))
        self._unsure, self._drop, self._passed = SURE, False, 0

    # what the stream is

    def _decide(self, data: bytes, out: list[Framed]) -> None:
        if self._searching:
            self._decide_midstream(data, out)
            return
        self._buffer += data
        if self._in_head:
            self._decide_http(out)
            return
        self._drop_idle()
        if not self._buffer:
            return
        frame = carries_sip(self._buffer) if self._buffer[0] in _DATA_FRAMES else False
        if frame is None:
            return
        if frame:
            self._become_web(WebSocketReader(self._limit), bytes(self._buffer), out)
        elif self._scan < 66 and _FOREIGN.match(self._buffer):
            self._give_up()
        elif self._scan < 66 and not _MAY_BE_TEXT.match(self._buffer[:66]):
            self._decide_otherwise(out)
        elif (end := self._buffer.find(b"\n", self._scan)) < 0:
            self._scan = len(self._buffer)
            if self._scan > UNDECIDED:
                self._give_up()
        elif (STRICT_START if self._midstream else START).match(self._buffer):
            self.verdict = True
            self._unsure = ANYWHERE if self._midstream else SURE
            self._scan = 0
            self._cut(out)
        elif _HTTP.match(self._buffer):
            self._in_head, self._scan = True, end
            self._decide_http(out)
        else:
            self._decide_otherwise(out)

    def _decide_http(self, out: list[Framed]) -> None:
        end = HEAD_END.search(self._buffer, self._scan)
        if end is None:
            self._scan = max(self._scan, len(self._buffer) - 2)
            if len(self._buffer) > UNDECIDED:
                self._give_up()
            return
        head, rest = bytes(self._buffer[: end.end()]).lower(), bytes(self._buffer[end.end() :])
        if _UPGRADE.search(head):
            self._become_web(WebSocketReader(self._limit, deflate=b"permessage-deflate" in head), rest, out)
        else:
            self._give_up()

    def _decide_otherwise(self, out: list[Framed]) -> None:
        """The stream does not begin like SIP; where it was seen from its beginning, it is not, unless it is at once."""
        data = bytes(self._buffer)
        self._buffer.clear()
        self._search(ANYWHERE)
        self._web = WebSocketReader(self._limit, lost=True)
        self._decide_midstream(data, out)
        if self.verdict is None and not self._midstream:
            self._give_up()

    def _decide_midstream(self, data: bytes, out: list[Framed]) -> None:
        """Look for a start line or a WebSocket frame with SIP, whichever comes."""
        if self._web is not None:
            before = len(out)
            for message in self._web.feed(data):
                self._emit_web(message, out)
            if self._web.found or len(out) > before:
                self.verdict = True
                self._buffer.clear()
                self._count_malformed(self._web.malformed)
                return
        self._buffer += data
        if self._find_start():
            self.verdict, self._web = True, None
            self._cut(out)
        elif self._seen > UNDECIDED:
            self._give_up()

    def _give_up(self) -> None:
        self._begin(midstream=False)
        self.verdict = False

    # WebSocket

    def _become_web(self, reader: WebSocketReader, data: bytes, out: list[Framed]) -> None:
        self.verdict, self._web = True, reader
        self._buffer.clear()
        self._read_web(reader, data, out)

    def _read_web(self, reader: WebSocketReader, data: bytes, out: list[Framed]) -> None:
        before = reader.malformed
        for message in reader.feed(data):
            self._emit_web(message, out)
        self._count_malformed(reader.malformed - before)
        if self._foreign >= FOREIGN_MESSAGES:
            self._give_up()

    def _count_malformed(self, count: int) -> None:
        if self._anomalies is not None and count:
            self._anomalies.add("websocket-malformed", self._frame, count=count)

    def _emit_web(self, message: WebSocketMessage, out: list[Framed]) -> None:
        data = message.data.lstrip(_IDLE)
        if START.match(data):
            self._foreign = 0
            defects = (TOO_LARGE,) if message.truncated else ()
            out.append(Framed(data, self._time, self._frame, "WS", message.truncated, defects))
        elif data:
            self._foreign += 1

    # SIP

    def _cut(self, out: list[Framed]) -> None:
        """Cut whole messages off the buffer."""
        while self._buffer:
            if self._skip:
                passed = min(self._skip, len(self._buffer))
                self._skip -= passed
                del self._buffer[:passed]
            elif self._searching:
                if not self._find_start():
                    return
            elif not self._in_head:
                if not self._read_start(out):
                    return
            elif not self._length:
                if not self._read_head(out):
                    return
            elif not self._take(out):
                return

    def _read_start(self, out: list[Framed]) -> bool:
        """Find a start line where one must stand; false: more bytes are needed."""
        if self._drop_idle():
            return True
        if (
            self._buffer[0] in _DATA_FRAMES
        ):  # seen from the middle of a message, a WebSocket looks like the plain stream
            frame = carries_sip(self._buffer)
            if frame:
                self._become_web(WebSocketReader(self._limit), bytes(self._buffer), out)
            if frame is not False:
                return False
        end = self._buffer.find(b"\n", self._scan)
        if end < 0 and len(self._buffer) <= LONGEST_LINE:
            self._scan = len(self._buffer)
            return False
        if end >= 0 and START.match(self._buffer):
            self._in_head, self._scan = True, end
        else:
            if self._anomalies is not None:
                self._anomalies.add("sip-malformed", self._frame, "no SIP between messages of a stream")
            self._search(AT_LINE)
        return True

    def _drop_idle(self) -> int:
        """Pass over what may stand before a start line; how much it was."""
        idle = len(self._buffer) - len(self._buffer.lstrip(_IDLE)) if self._buffer[0] in _IDLE else 0
        if idle:
            del self._buffer[:idle]
            self._scan = 0
        return idle

    def _read_head(self, out: list[Framed]) -> bool:
        """Find the end of the head and with it the length of the message; false: more bytes are needed."""
        found = HEAD_END.search(self._buffer, self._scan)
        if found is None and len(self._buffer) <= self._limit:
            self._scan = max(self._scan, len(self._buffer) - 2)
            return False
        end = found.end() if found is not None and found.end() <= self._limit else 0  # 0: not within the limit
        head = bytes(self._buffer[: end or self._limit])
        inner = INNER_START.search(head)
        if inner is not None:  # two heads: the end of the first is missing, or it was none
            del self._buffer[: inner.start() + 1]
            self._in_head, self._scan, self._unsure = False, 0, AT_LINE
            return True
        if not end:
            self._defects = (TOO_LARGE,)
            self._emit(head, True, out)
            del self._buffer[: self._limit]
            self._search(ANYWHERE)
            return True
        length, self._defects = content_length(head)
        begin = message_begin(head, self._unsure, self._before)
        self._drop = begin < 0
        del self._buffer[: max(0, begin)]
        self._length = end + length - max(0, begin)
        return True

    def _take(self, out: list[Framed]) -> bool:
        """Give the message under way, if it is whole or as large as it may be."""
        size = min(self._length, self._limit)
        if len(self._buffer) < size:
            return False
        truncated = size < self._length
        if truncated:
            self._defects += (TOO_LARGE,)
            self._skip = self._length - size
        self._emit(bytes(self._buffer[:size]), truncated, out)
        del self._buffer[:size]
        self._in_head, self._scan, self._length = False, 0, 0
        return True

    # resynchronising

    def _search(self, unsure: int) -> None:
        """Look for a start line from here on."""
        self._searching, self._in_head = True, False
        self._scan = self._length = self._before = 0
        self._unsure = unsure

    def _find_start(self) -> bool:
        """Pass over lines up to one that starts a message; false: more bytes are needed."""
        begin = 0  # of the line
        found = None
        while (end := self._buffer.find(b"\n", max(begin, self._scan))) >= 0:
            found = STRICT_START.search(self._buffer, begin, end + 1)
            if found is not None:
                if found.start() > begin:
                    begin, self._unsure = found.start(), ANYWHERE
                    self._before = self._buffer[begin - 1]
                break
            self._unsure = AT_LINE
            begin = self._scan = end + 1
        if found is None and len(self._buffer) - begin > LONGEST_LINE:
            begin, self._unsure = len(self._buffer), ANYWHERE
        self._passed += begin
        del self._buffer[:begin]
        self._scan = 0 if found else len(self._buffer)
        self._searching = found is None
        if found is None and self._passed > self._limit:
            self._give_up()
        return found is not None
