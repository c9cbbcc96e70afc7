"""What TCP carries: SIP, SIP in WebSockets, MSRP and TLS, as stretches of a stream. Floor 3.

In: the bytes of one direction of a connection, a stretch for each part without a hole. Out: as many bytes. What is none
of these, or cannot be replaced where it stands (compressed WebSocket messages), is wiped. So is what is longer than a
message that is read: replacing it would take many times its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import ParseError
from ..sip.websocket import BINARY, CONTINUATION, FIN, RSV1, TEXT, carries_sip, read_head, unmask
from .media import Media
from .message import Messages

__all__ = ["Streams"]

_START = re.compile(
    rb"(?:SIP/\d\.\d \d{3}|[A-Z]{1,22} (?:sips?|tel|urn|im|pres):[^\r\n]{0,4000} SIP/\d\.\d)", re.IGNORECASE
)
_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})", re.IGNORECASE | re.MULTILINE)
_HTTP = re.compile(rb"(?:GET|HTTP/1\.[01]) ")
_HTTP_START = re.compile(rb"(GET )(\S*)( HTTP/1\.[01]\r?\n)|HTTP/1\.[01] \d{3}[^\r\n]*\r?\n")
_UPGRADE = re.compile(rb"^upgrade[ \t]*:[ \t]*websocket", re.IGNORECASE | re.MULTILINE)
_HEAD = 16_384
"""Bytes in which the upgrade of a connection is looked for."""
_MSRP = re.compile(rb"^(MSRP )([0-9A-Za-z.+%=-]{1,64})( (?:[A-Z]{2,16}|\d{3}[^\r\n]*)\s*)$", re.MULTILINE)
_MSRP_HEADER = re.compile(
    rb"^(?:To-Path|From-Path|Message-ID|Byte-Range|Success-Report|Failure-Report|Status|Content-Type):[^\n]*\n?",
    re.MULTILINE | re.IGNORECASE,
)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_TLS = re.compile(rb"[\x14-\x18]\x03[\x00-\x04]")
_Redact = Callable[[bytes], bytearray]
_DATA_FRAMES = frozenset((TEXT, BINARY, FIN | TEXT, FIN | BINARY, FIN | RSV1 | TEXT, FIN | RSV1 | BINARY))


class Streams:
    """Replacements of streams under one key.

    Parameters
    ----------
    messages : Messages
        Replaces SIP messages, lines of headers and texts.
    media : Media
        Replaces records of TLS.
    most : int
        Bytes of the longest message.
    """

    def __init__(self, messages: Messages, media: Media, most: int) -> None:
        self._messages, self._media, self._most = messages, media, most
        self.wiped = 0
        """Messages that could not be replaced where they stand and were wiped."""

    def stretches(self, runs: list[bytes]) -> list[bytes | bytearray]:
        """The stretches of one direction, replaced."""
        redact: _Redact | None = None
        out: list[bytes | bytearray] = []
        for data in runs:
            redact = self._kind(data) or redact
            out.append(redact(data) if redact is not None else bytes(len(data)))
        return out

    def message(self, data: bytes) -> bytes:
        """What is a message or nothing."""
        return self._messages.message(data) if _START.match(data.lstrip(b"\r\n")) else bytes(len(data))

    def _kind(self, data: bytes) -> _Redact | None:
        """What replaces a stretch; None where it is nothing that is known."""
        first = data.lstrip(b"\r\n\0")
        if _TLS.match(data):
            return self._tls
        if _HTTP.match(first):
            return self._web if _UPGRADE.search(first[:_HEAD]) else None
        if _MSRP.search(data[:400]):
            return self._msrp
        if _START.search(data):
            return self._sip
        if data and data[0] in _DATA_FRAMES and carries_sip(data):
            return self._frames
        return None

    def _tls(self, data: bytes) -> bytearray:
        buffer = bytearray(data)
        self._media.tls(buffer, 0, len(buffer))
        return buffer

    def _sip(self, data: bytes) -> bytearray:
        out = bytearray()
        at = 0
        while at < len(data):
            start = _START.search(data, at)
            begin = start.start() if start else len(data)
            if begin > at:  # keep-alives, or the end of a message whose beginning is missing
                self._first(self._messages.headers, data, at, begin, out)
                at = begin
                continue
            end = _END.search(data, at)
            if end is None:
                self._first(self._messages.message, data, at, len(data), out)
                break
            length = _LENGTH.search(data, at, end.end())
            stop = min(len(data), end.end() + (int(length[1]) if length else 0))
            self._first(self._messages.message, data, at, stop, out)
            at = stop
        return out

    def _first(self, redact: Callable[[bytes], bytes], data: bytes, at: int, end: int, out: bytearray) -> None:
        """Append bytes, replaced as far as a message reaches and wiped behind."""
        stop = min(end, at + self._most)
        out += redact(data[at:stop])
        out += bytes(end - stop)

    def _msrp(self, data: bytes) -> bytearray:
        """MSRP (RFC 4975): heads keep their names, bodies and identifiers do not stay."""
        out = bytearray()
        head = False
        for found in _LINE.finditer(data):
            text = found[0][: self._most]
            start = _MSRP.match(text)
            if start:
                status = start[3] if not start[3].strip()[:3].isdigit() else self._status(start[3])
                out += start[1] + self._messages.text(start[2]) + status
                head = True
            elif head and _MSRP_HEADER.fullmatch(text):
                out += self._messages.headers(text)
            else:
                head = head and bool(text.strip()) and text[:1].isalpha()
                out += self._messages.text(text)
            out += bytes(found.end() - found.start() - len(text))
        return out

    def _status(self, text: bytes) -> bytes:
        return text[:4] + self._messages.phrase(text[4:])

    # ---- WebSocket
    def _web(self, data: bytes) -> bytearray:
        """An HTTP upgrade, then frames."""
        end = _END.search(data)
        stop = end.end() if end else len(data)
        start = _HTTP_START.match(data)
        at = start.end() if start else 0
        out = bytearray(data[:at])
        if start and start[2]:
            out[:] = start[1] + self._messages.text(start[2]) + start[3]
        self._first(self._messages.headers, data, at, stop, out)
        return out + self._frames(data[stop:])

    def _frames(self, data: bytes) -> bytearray:
        out, at = bytearray(), 0
        parts: list[tuple[int, int, bytes]] = []
        deflated, size = False, 0
        while at < len(data):
            try:
                head = read_head(data, at)
            except ParseError:
                break
            if head is None:
                break
            begin = at + head.size
            stop = min(len(data), begin + head.length)
            out += data[at:begin] + bytes(stop - begin)
            if head.opcode in (TEXT, BINARY, CONTINUATION):
                if head.opcode != CONTINUATION:
                    parts, deflated, size = [], bool(head.first & RSV1), 0
                if size < self._most and len(parts) < self._most:
                    parts.append((begin, min(stop, begin + self._most - size), head.key))
                size += stop - begin
                if head.first & FIN or stop - begin < head.length:
                    if deflated:
                        self.wiped += 1
                    else:
                        self._message(data, out, parts)
                    parts = []
            at = stop
        if parts and not deflated:
            self._message(data, out, parts)
        out += bytes(len(data) - len(out))
        return out

    def _message(self, data: bytes, out: bytearray, parts: list[tuple[int, int, bytes]]) -> None:
        """Replace a message that came in some frames."""
        plain = b"".join(unmask(data[begin:stop], key) for begin, stop, key in parts)
        if not _START.match(plain.lstrip(b"\r\n")):
            return
        new, at = self._messages.message(plain), 0
        for begin, stop, key in parts:
            out[begin:stop] = unmask(new[at : at + stop - begin], key)
            at += stop - begin
