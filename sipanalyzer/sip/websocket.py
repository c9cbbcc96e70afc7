"""WebSocket frames become messages, one direction at a time, without I/O. Floor 4.

Comes in: bytes in sequence (behind the HTTP upgrade, or from the middle of a connection). Goes out: whole data
messages, unmasked, put together from their fragments and inflated. RFC 6455 is the framing, RFC 7692 the compression,
RFC 7118 what SIP makes of it: one SIP message a WebSocket message.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from sipanalyzer.errors import ParseError

__all__ = ["FrameHead", "WebSocketMessage", "WebSocketReader", "carries_sip", "read_head", "unmask"]

FIN, RSV1, RSV, MASK = 0x80, 0x40, 0x30, 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
LONGEST_HEAD = 14
"""Bytes of the longest frame head: two, eight of length, four of mask (RFC 6455 5.2)."""
LONGEST_CONTROL = 125
"""Payload bytes of the longest control frame (RFC 6455 5.5)."""
_EVIDENCE = 28
"""Payload bytes that tell whether it begins like SIP."""

_SIP = re.compile(rb"(?:SIP/\d\.\d \d{3}|[A-Z]{1,22} (?:sips?|tel|urn|im|pres):)")
_CANDIDATE = re.compile(rb"[\x01\x02\x81\x82][\x19-\x7f\x99-\xff]")  # head of a data frame of 25 bytes or more


class FrameHead(NamedTuple):
    """Head of one frame (RFC 6455 5.2)."""

    first: int
    """First byte: FIN, RSV1-3, opcode."""
    length: int
    """Payload bytes."""
    key: bytes
    """Masking key; empty where the payload is not masked."""
    size: int
    """Bytes of the head itself."""

    @property
    def opcode(self) -> int:
        """Opcode, 0-15."""
        return self.first & 15


@dataclass(frozen=True, slots=True)
class WebSocketMessage:
    """Payload of one data message."""

    data: bytes
    truncated: bool
    """The message is longer than the limit, or bytes of it are missing."""


def read_head(data: bytes | bytearray, at: int = 0) -> FrameHead | None:
    """Read the frame head at `at`; None: more bytes are needed.

    Raises
    ------
    ParseError
        For a reserved bit or opcode, a fragmented or long control frame, a length that is not written in the shortest
        way or has its highest bit set (RFC 6455 5.2, 5.5).
    """
    if len(data) < at + 2:
        return None
    first, second = data[at], data[at + 1]
    opcode = first & 15
    if first & RSV:
        raise ParseError("websocket", "reserved bit set", at)
    if opcode not in _OPCODES:
        raise ParseError("websocket", "reserved opcode", at)
    length = second & 127
    if opcode >= CLOSE and (length > LONGEST_CONTROL or not first & FIN or first & RSV1):
        raise ParseError("websocket", "control frame fragmented, compressed or too long", at)
    wide = {126: 2, 127: 8}.get(length, 0)
    size = 2 + wide + (4 if second & MASK else 0)
    if len(data) < at + size:
        return None
    if wide:
        length = int.from_bytes(data[at + 2 : at + 2 + wide], "big")
        if length < (126 if wide == 2 else 65_536) or length >> 63:
            raise ParseError("websocket", "length not in its shortest form", at + 2)
    return FrameHead(first, length, bytes(data[at + size - 4 : at + size]) if second & MASK else b"", size)


def unmask(data: bytes | bytearray, key: bytes) -> bytes:
    """Payload with its mask taken off (RFC 6455 5.3); `key` may be empty."""
    if not key or not data:
        return bytes(data)
    mask = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(data), "big")


def carries_sip(data: bytes | bytearray, at: int = 0) -> bool | None:
    """Whether a frame begins at `at` whose payload begins like a SIP message; None: more bytes are needed."""
    try:
        head = read_head(data, at)
    except ParseError:
        return False
    if head is None:
        return None
    if head.opcode not in (TEXT, BINARY) or head.first & RSV1 or head.length < 25:
        return False
    begin = at + head.size
    evidence = unmask(data[begin : begin + min(_EVIDENCE, head.length)], head.key)
    if _SIP.match(evidence):
        return True
    return None if len(evidence) < min(_EVIDENCE, head.length) else False


class WebSocketReader:
    """Reads the frames of one direction.

    Parameters
    ----------
    limit : int
        Bytes kept of one message; the rest is passed over and the message marked.
    deflate : bool
        permessage-deflate was offered or accepted in the upgrade, so RSV1 means compression (RFC 7692).
    lost : bool
        Start in mid-stream: look for a frame that carries SIP.
    """

    def __init__(self, limit: int, *, deflate: bool = False, lost: bool = False) -> None:
        self._limit = limit
        self._deflate = deflate
        self._inflater = zlib.decompressobj(-15)
        self.lost = lost
        """No frame boundary is known; the next one is being looked for."""
        self.found = False
        """A frame that carries SIP was found by looking for it."""
        self.malformed = 0
        """Frames that broke the rules, or could not be inflated."""
        self._buffer = bytearray()
        self._head: FrameHead | None = None
        self._left = 0  # payload bytes of the frame still to come
        self._payload = bytearray()  # of the frame, masked, as far as it is kept
        self._message = bytearray()  # of the frames before it
        self._kind = 0  # first byte of the message's first frame; 0: no message under way
        self._truncated = False

    @property
    def deflates(self) -> bool:
        """Whether messages may be compressed, each with what those before it left behind (RFC 7692 7.2.1)."""
        return self._deflate

    @property
    def pending(self) -> bool:
        """Whether bytes wait for more: of a frame, or of a message whose last frame did not come yet."""
        return bool(self._buffer) or self._head is not None or bool(self._kind)

    def feed(self, data: bytes) -> list[WebSocketMessage]:
        """Take bytes in sequence; give the messages that they complete."""
        out: list[WebSocketMessage] = []
        if self.lost and not self._buffer and self._whole_frames(data):
            self.lost = False
        self._buffer += data
        while True:
            if self.lost and not self._find():
                break
            if self._head is None:
                try:
                    head = read_head(self._buffer)
                    if head is None:
                        break
                    self._begin(head)
                except ParseError:
                    self._fail()
                    continue
                del self._buffer[: head.size]
            if not self._take():
                break
            try:
                self._complete(out)
            except zlib.error:
                self.malformed += 1
                self._inflater = zlib.decompressobj(-15)
        return out

    def gap(self) -> WebSocketMessage | None:
        """Bytes are missing before the next ones. Gives what there is of the message under way, if it can be read."""
        message = None
        head, rest = self._head, self._payload
        if (head is not None and head.opcode < CLOSE) or (head is None and self._kind):
            text = bytes(self._message) + (unmask(rest, head.key) if head is not None else b"")
            if text and not (self._kind & RSV1):
                message = WebSocketMessage(text[: self._limit], True)
        self._drop()
        self._buffer.clear()
        return message

    def _drop(self) -> None:
        self._head, self._left, self._kind, self._truncated = None, 0, 0, False
        self._payload, self._message = bytearray(), bytearray()
        self._inflater = zlib.decompressobj(-15)
        self.lost = True

    def _fail(self) -> None:
        self.malformed += 1
        self._drop()
        del self._buffer[:1]  # this is no head

    def _find(self) -> bool:
        """Look for a frame that carries SIP, and keep only what may still become one."""
        at = 0
        while found := _CANDIDATE.search(self._buffer, at):
            verdict = carries_sip(self._buffer, found.start())
            if verdict is not False:
                del self._buffer[: found.start()]
                self.lost, self.found = verdict is None, verdict is True
                return self.found
            at = found.start() + 1
        del self._buffer[:-1]  # a head's first byte at most
        return False

    def _whole_frames(self, data: bytes) -> bool:
        """Whether `data` is frames to its last byte, none of them a continuation: a boundary, whatever they carry."""
        at = 0
        while at < len(data):
            try:
                head = read_head(data, at)
            except ParseError:
                return False
            if head is None or head.opcode == CONTINUATION or (head.first & RSV1 and not self._deflate):
                return False
            at += head.size + head.length
        return at == len(data) and at > 0

    def _begin(self, head: FrameHead) -> None:
        if head.opcode < CLOSE:
            if (head.opcode == CONTINUATION) != bool(self._kind):
                raise ParseError("websocket", "continuation without a beginning, or a beginning within a message")
            if (head.opcode == CONTINUATION and head.first & RSV1) or (head.first & RSV1 and not self._deflate):
                raise ParseError("websocket", "RSV1 where no compression may begin")
            if head.opcode != CONTINUATION:
                self._kind = head.first
        self._head, self._left = head, head.length

    def _take(self) -> bool:
        """Move payload from the buffer to the frame; whether the frame is whole."""
        size = min(self._left, len(self._buffer))
        if self._head is not None and self._head.opcode < CLOSE:
            kept = min(size, max(0, self._limit - len(self._message) - len(self._payload)))
            self._payload += self._buffer[:kept]
            self._truncated = self._truncated or kept < size
        del self._buffer[:size]
        self._left -= size
        return self._left == 0

    def _complete(self, out: list[WebSocketMessage]) -> None:
        head, payload = self._head, self._payload
        self._head, self._payload = None, bytearray()
        if head is None or head.opcode >= CLOSE:
            return
        self._message += unmask(payload, head.key)
        if not head.first & FIN:
            return
        data, truncated, compressed = bytes(self._message), self._truncated, self._kind & RSV1
        self._message, self._kind, self._truncated = bytearray(), 0, False
        if compressed:
            data, truncated = self._inflate(data, truncated)
        out.append(WebSocketMessage(data, truncated))

    def _inflate(self, data: bytes, truncated: bool) -> tuple[bytes, bool]:
        """Inflate one message (RFC 7692 7.2.2), no further than the limit.

        The dictionary goes on from message to message; where the sender began a new one, the old is simply not used.
        """
        inflater = self._inflater
        text = inflater.decompress(data + (b"" if truncated else b"\0\0\xff\xff"), self._limit)
        if truncated or inflater.eof or inflater.unconsumed_tail:
            truncated = truncated or bool(inflater.unconsumed_tail)
            self._inflater = zlib.decompressobj(-15)
        return text, truncated
