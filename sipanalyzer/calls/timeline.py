"""Who listens where, since when: the timeline that SDP offers and answers make, kept while packets stream past.

Floor 5. Comes in: SIP messages in order of time, as small integers, and their session descriptions. Goes out: to the
stream table, which sockets expect RTP and what payload types mean there; to :mod:`.media`, the bindings of sockets to
calls. Sources: RFC 3264 (offer/answer), RFC 3261 13 (which messages carry them), RFC 3605, RFC 5761.

An SDP acts from its own message on. A binding ends when its side names another socket, refuses the media (port 0), or
its call ends.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from ..codecs import Codec, by_name
from ..network.endpoints import address_words
from ..options import Options
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..rtp.streams import StreamTable
from ..sip.sdp import Media, Sdp, codec_of

__all__ = ["Binding", "MediaTimeline", "Signal"]

CALLER, CALLEE = "caller", "callee"


@dataclass(frozen=True, slots=True)
class Signal:
    """What the timeline needs of one SIP message."""

    time: int
    call_id: int
    request: bool
    status: int
    method: str
    """Of a response the method of its CSeq."""
    from_tag: int
    to_tag: int
    src: Socket
    dst: Socket
    sdp: Sdp | None


@dataclass(slots=True)
class Binding:
    """One side of one call listens at one socket, from one SDP on."""

    call_id: int
    side: str | None
    """``caller`` or ``callee``; None in a call whose initial INVITE was not seen."""
    party: int
    """Tag of the side (a fork has several callees)."""
    media_index: int
    kind: str
    socket: Socket
    signalling: Socket
    """Where its SIP came from: behind NAT the media come from there too."""
    since: int
    until: int | None
    formats: dict[int, Format]
    ptime_ms: float | None
    direction: str
    encrypted: bool
    streams: list[int] = field(default_factory=list)
    """Streams that arrived here while it held."""


_Key = tuple[int, int, Socket, int]
"""Party, media index, the hop's signalling source (a proxy may rewrite SDP), 0 or the number of an ICE candidate."""


@dataclass(slots=True)
class _Dialogue:
    """What is remembered of a Call-ID while its messages stream past."""

    caller_tag: int | None = None
    first_src: Socket | None = None
    bindings: dict[_Key, Binding] = field(default_factory=dict)
    """Open bindings."""
    all: list[Binding] = field(default_factory=list)
    last_time: int = 0
    answered: bool = False
    ended: bool = False


class MediaTimeline:
    """The state of all offers and answers so far, and the stream table that it tells of them.

    Parameters
    ----------
    options : Options
    """

    def __init__(self, options: Options) -> None:
        self.streams = StreamTable(options, self.describe, self.created)
        self._stale_ns, self._unanswered_ns = options.stale_binding_ns, options.unanswered_binding_ns
        self._calls: dict[int, _Dialogue] = {}
        self._sockets: dict[Socket, list[Binding]] = {}
        self._arriving: dict[Socket, list[int]] = {}
        """Live streams by destination."""
        self._leaving: dict[Socket, list[int]] = {}
        """Live streams by source."""

    # ---- what the stream table asks
    def created(self, stream: int, src: Socket, dst: Socket, time: int) -> None:
        """Note a new stream."""
        del time
        self._arriving.setdefault(dst, []).append(stream)
        self._leaving.setdefault(src, []).append(stream)
        for binding in self._sockets.get(dst, ()):
            if binding.until is None:
                binding.streams.append(stream)

    def describe(self, src: Socket, dst: Socket, payload_type: int, time: int) -> Format | None:
        """What SDP says of a payload type on its way from `src` to `dst`; None where it says nothing.

        The receiver's own description counts first (RFC 3264 5.1: the numbers are those that it wants to receive), then
        those of the call's other parties, then the sender's, which symmetric RTP ties to its own socket.
        """
        del time
        receiving = self._open(dst)
        for binding in receiving:
            form = binding.formats.get(payload_type)
            if form is not None:
                return form
        sending = self._open(src)
        for binding in (*receiving, *sending):
            for other in reversed(self._calls[binding.call_id].all):
                form = other.formats.get(payload_type)
                if form is not None and other.kind == binding.kind:
                    return form
        return None

    def _open(self, socket: Socket) -> list[Binding]:
        """Bindings of a socket, the newest first; closed ones only where none is open."""
        bindings = self._sockets.get(socket)
        if not bindings:
            return []
        still = [binding for binding in reversed(bindings) if binding.until is None]
        return still or bindings[-1:]

    # ---- what signalling says
    def signal(self, message: Signal) -> None:
        """Move the timeline on by one message (of a method that can carry an offer or end a call)."""
        call = self._calls.get(message.call_id)
        if call is None:
            if message.sdp is None and message.method != "INVITE":
                return
            call = self._calls[message.call_id] = _Dialogue()
        call.last_time = message.time
        if message.request and message.method == "INVITE" and message.to_tag < 0:
            if call.caller_tag is None:
                call.caller_tag, call.first_src = message.from_tag, message.src
            elif call.ended:  # the Call-ID is used again, or the INVITE is tried again
                call.ended, call.answered = False, False
        if message.sdp is not None:
            self._describe(message, call, message.sdp)
        if message.method == "INVITE" and not message.request and 200 <= message.status < 300:
            call.answered = True
        self._end(message, call)

    def _describe(self, message: Signal, call: _Dialogue, sdp: Sdp) -> None:
        party = message.from_tag if message.request else message.to_tag
        side = None
        if call.caller_tag is not None:
            side = CALLER if party == call.caller_tag else CALLEE
        for index, media in enumerate(sdp.media):
            sockets = self._listening(media, message)
            for number in range(1 + len(media.candidates)):
                key = (party, index, message.src, number)
                before = call.bindings.get(key)
                socket = sockets[number] if number < len(sockets) else None
                if before is not None and before.socket == socket:
                    self._renew(before, media)
                    continue
                if before is not None:
                    call.bindings.pop(key).until = message.time
                if socket is not None:
                    self._bind(message, call, key, side, media, socket)
        if call.answered and message.method != "ACK":  # a re-INVITE or UPDATE, or its answer
            self._interrupt(call)

    def _renew(self, binding: Binding, media: Media) -> None:
        """The same side names the same socket again."""
        binding.direction, binding.ptime_ms = media.direction, media.ptime
        formats = _formats(media)
        if formats != binding.formats:
            binding.formats = formats
            self._forget(binding.socket)

    def _bind(
        self, message: Signal, call: _Dialogue, key: _Key, side: str | None, media: Media, socket: Socket
    ) -> None:
        self._part_from_others(message, call, socket)
        binding = Binding(
            call_id=message.call_id,
            side=side,
            party=key[0],
            media_index=key[1],
            kind=media.kind,
            socket=socket,
            signalling=message.src,
            since=message.time,
            until=None,
            formats=_formats(media),
            ptime_ms=media.ptime,
            direction=media.direction,
            encrypted=media.encrypted,
            streams=list(self._arriving.get(socket, ())),
        )
        call.bindings[key] = binding
        call.all.append(binding)
        self._sockets.setdefault(socket, []).append(binding)
        if media.kind in ("audio", "video", "text"):
            self.streams.announce(socket)
        self._forget(socket)

    def _part_from_others(self, message: Signal, call: _Dialogue, socket: Socket) -> None:
        """Split the streams at a socket from those that will come for this call, where other calls there have ended.

        Another call that still runs shares the socket (direct media behind a back-to-back user agent). One whose BYE
        was not captured runs no more when its media and its signalling at that socket have long been silent.
        """
        others = [b for b in self._sockets.get(socket, ()) if b.call_id != message.call_id]
        for binding in others:
            if binding.until is None and self._stale(binding, message.time):
                binding.until = message.time
        if not others or any(b.until is None for b in others):
            return
        bound = {stream for b in others for stream in b.streams}
        ours = {stream for b in call.all for stream in b.streams}
        for stream in self._arriving.get(socket, ()):
            if stream in bound and stream not in ours:
                self.streams.split(stream)
        self._arriving[socket] = [s for s in self._arriving.get(socket, ()) if s not in bound or s in ours]

    def _stale(self, binding: Binding, now: int) -> bool:
        silent = now - self._calls[binding.call_id].last_time
        if not binding.streams:
            return silent > self._unanswered_ns
        limit = now - self._stale_ns
        return silent > self._stale_ns and all(self.streams.last_time(stream) < limit for stream in binding.streams)

    def _listening(self, media: Media, message: Signal) -> list[Socket | None]:
        """Where a media description says that its sender listens: its address and port, then its ICE candidates."""
        if media.port <= 0 or media.kind == "message" or media.address is None:
            return []
        sockets: list[Socket | None] = [self._socket(media.address, media.port, message)]
        sockets += [
            self._socket(candidate.address, candidate.port, message) if candidate.component == 1 else None
            for candidate in media.candidates
        ]
        return [socket if socket not in sockets[:number] else None for number, socket in enumerate(sockets)]

    @staticmethod
    def _socket(address: str, port: int, message: Signal) -> Socket | None:
        try:
            high, low = address_words(address)
        except ValueError:  # a host name: its signalling address is the best guess
            high, low, _ = message.src
        unspecified = (high, low) in ((0, 0), (0, 0xFFFF00000000))  # RFC 2543 hold: the old socket is gone
        return None if unspecified or not 0 < port < 65536 else (high, low, port)

    def _forget(self, socket: Socket) -> None:
        """What payload types mean to and from a socket may have changed."""
        streams = self._arriving.get(socket, []) + self._leaving.get(socket, [])
        if streams:
            self.streams.forget_formats(streams)

    def _interrupt(self, call: _Dialogue) -> None:
        streams: set[int] = set()
        for binding in call.all:
            streams.update(self._arriving.get(binding.socket, ()), self._leaving.get(binding.socket, ()))
        self.streams.interrupt(sorted(streams))

    def _end(self, message: Signal, call: _Dialogue) -> None:
        """Close what a BYE or a final failure of the call ends."""
        if message.request and message.method == "BYE":
            closing = list(call.bindings)
        elif not message.request and message.method == "INVITE" and message.status >= 300 and not call.answered:
            if message.dst == call.first_src:  # the caller's hop: the whole call
                closing = list(call.bindings)
            else:
                closing = [key for key in call.bindings if key[0] == message.to_tag]
        else:
            return
        call.ended = True
        for key in closing:
            call.bindings.pop(key).until = message.time

    # ---- what the end needs
    def bindings(self) -> dict[int, list[Binding]]:
        """All bindings there ever were, by Call-ID number, in order of their making."""
        return {call_id: call.all for call_id, call in self._calls.items() if call.all}


def _formats(media: Media) -> dict[int, Format]:
    """Payload types of a media description."""
    maps = tuple((number, codec_of(media, number)) for number in _payload_types(media.formats))
    return _formats_of(maps, media.kind, media.ptime, media.encrypted)


@functools.lru_cache(maxsize=1024)
def _payload_types(formats: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(text) for text in formats if text.isascii() and text.isdigit() and int(text) < 128)


@functools.lru_cache(maxsize=1024)
def _formats_of(
    codecs: tuple[tuple[int, Codec | None], ...], kind: str, ptime: float | None, encrypted: bool
) -> dict[int, Format]:
    """The dictionary is shared: nobody changes it."""
    formats = {}
    for payload_type, codec in codecs:
        if codec is not None:
            known = by_name(codec.name)
            default = known.ptime_ms if known is not None else 20
            media = kind if kind in ("audio", "video", "text", "image", "application") else codec.media
            formats[payload_type] = Format(
                codec.name, codec.clock_rate_hz, media, ptime, default, encrypted, from_sdp=True
            )
    return formats
