"""Who listens where, since when: the timeline that SDP offers and answers make, kept while packets stream past.

Floor 5. Comes in: SIP messages in order of time, as small integers, and their session descriptions. Goes out: to the
stream table, which sockets expect RTP and what payload types mean there; to :mod:`.media`, the bindings of sockets to
calls. Sources: RFC 3264 (offer/answer), RFC 3261 13 (which messages carry them), RFC 3605, RFC 5761.

An SDP acts from its own message on. A binding ends when its side names another socket, refuses the media (port 0), or
its call ends. What a re-INVITE offers stands beside what held before until the 2xx; refused, it is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..options import Options
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..rtp.streams import StreamTable
from .bindings import CALLEE, CALLER, Binding, Signal, Terms, Wanted

__all__ = ["MediaTimeline"]

_REFUSABLE = ("INVITE", "UPDATE")
"""Requests whose offer is taken back when they fail (RFC 3261 14.1, RFC 3311 5.2)."""
_OVER_RTP = frozenset({"audio", "video", "text"})
"""Kinds of media of which RTP is expected (RFC 3551, RFC 4103)."""
_LIVE_STREAMS = 1_024
"""Streams of one socket that SDP still concerns; where there are more, the older ones are past."""
_OPEN_BINDINGS = 64
"""Bindings of one socket by several calls that are told apart."""
_EARLIER = 16
"""Sets of formats that a socket had before, as far as they are remembered."""
_PAUSE_NS = 1_000_000_000
"""A device whose media paused this long and that offers the same socket in another call has left the former one."""

_Key = tuple[int, int, Socket, int]
"""Party, media index, the hop's signalling source (a proxy may rewrite SDP), 0 or the number of an ICE candidate."""


@dataclass(slots=True)
class _Offer:
    """What a re-INVITE changed, to be taken back if it is refused."""

    before: Binding | None
    direction: str
    ptime_ms: float | None
    formats: dict[int, Format]


class _Dialogue:
    """What is remembered of a Call-ID while its messages stream past."""

    __slots__ = (
        "all", "answered", "bindings", "caller_tag", "ended", "first_src", "formats", "last_time", "offers", "sockets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.caller_tag: int | None = None
        self.first_src: Socket | None = None
        self.bindings: dict[_Key, Binding] = {}
        """Open bindings."""
        self.sockets: dict[Socket, int] = {}
        """Those of the open bindings, and how many each has: thousands of forks may name one."""
        self.offers: dict[_Key, _Offer] = {}
        """Those of a re-INVITE or UPDATE without final response yet."""
        self.formats: dict[str, dict[int, Format]] = {}
        """By kind of media: what its SDP last said of each payload type. Shared: nobody changes it."""
        self.all: list[Binding] = []
        self.last_time = 0
        self.answered = self.ended = False

    def hold(self, key: _Key, binding: Binding) -> None:
        """Have an open binding; `key` has none."""
        self.bindings[key] = binding
        self.sockets[binding.socket] = self.sockets.get(binding.socket, 0) + 1

    def part(self, key: _Key) -> Binding | None:
        """Have an open binding no more."""
        binding = self.bindings.pop(key, None)
        if binding is not None:
            left = self.sockets.pop(binding.socket) - 1
            if left:
                self.sockets[binding.socket] = left
        return binding


class MediaTimeline:
    """The state of all offers and answers so far, and the stream table that it tells of them.

    Parameters
    ----------
    options : Options
    """

    def __init__(self, options: Options) -> None:
        self.streams = StreamTable(options, self.describe, self.created)
        self._stale_ns, self._unanswered_ns = options.stale_binding_ns, options.unanswered_binding_ns
        self._most_bindings = options.max_call_bindings
        self.not_bound = 0
        """Sockets in descriptions that were not tied to their call."""
        self._calls: dict[int, _Dialogue] = {}
        self._bound: dict[Socket, list[Binding]] = {}
        """By socket: open bindings, and those closed since it last passed from call to call."""
        self._arriving: dict[Socket, list[int]] = {}
        self._leaving: dict[Socket, list[int]] = {}
        """Live streams by their destination and by their source."""

    # ---- what the stream table asks
    def created(self, stream: int, src: Socket, dst: Socket, time: int) -> None:
        """Note a new stream."""
        del time
        _append(self._arriving.setdefault(dst, []), stream)
        _append(self._leaving.setdefault(src, []), stream)
        for binding in self._bound.get(dst, ()):
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
        for binding in (*receiving, *self._open(src)):
            form = self._calls[binding.call_id].formats.get(binding.kind, {}).get(payload_type)
            if form is not None:
                return form
        return None

    def _open(self, socket: Socket) -> list[Binding]:
        """Bindings of a socket, the newest first; closed ones only where none is open."""
        bound = self._bound.get(socket)
        if not bound:
            return []
        still = [binding for binding in reversed(bound) if binding.until is None]
        return still or bound[-1:]

    def _at(self, socket: Socket) -> list[int]:
        """Live streams to and from a socket."""
        return [*self._arriving.get(socket, ()), *self._leaving.get(socket, ())]

    # ---- what signalling says
    def signal(self, message: Signal) -> None:
        """Move the timeline on by one message (of a method that can carry an offer or end a call)."""
        call = self._calls.get(message.call_id)
        if call is None:
            if message.media is None and message.method != "INVITE":
                return
            call = self._calls[message.call_id] = _Dialogue()
        call.last_time = message.time
        if message.request and message.method == "INVITE" and message.to_tag < 0:
            if call.caller_tag is None:
                call.caller_tag, call.first_src = message.from_tag, message.src
            elif call.ended:  # the Call-ID is used again, or the INVITE is tried again
                call.ended, call.answered = False, False
        if message.media is not None:
            self._describe(message, call, message.media)
        if not message.request and message.status >= 200 and call.offers and message.method in _REFUSABLE:
            self._settle(message, call)
        if message.method == "INVITE" and not message.request and 200 <= message.status < 300:
            call.answered = True
        self._end(message, call)

    def _describe(self, message: Signal, call: _Dialogue, wanted: tuple[Wanted, ...]) -> None:
        party = message.from_tag if message.request else message.to_tag
        side = None
        if call.caller_tag is not None:
            side = CALLER if party == call.caller_tag else CALLEE
        offered = message.request and call.answered and message.method in _REFUSABLE
        for index, (terms, sockets) in enumerate(wanted):
            known = call.formats.get(terms.kind)
            if known is not terms.formats:
                call.formats[terms.kind] = terms.formats if known is None else known | terms.formats
            for number, socket in enumerate(sockets):
                key = (party, index, message.src, number)
                before = call.bindings.get(key)
                if before is not None:
                    same = before.socket == socket and before.kind == terms.kind and before.until is None
                    if offered and (key not in call.offers or not same):
                        self._accept(call, key, message.time)  # an earlier change, whose response was not captured
                        call.offers[key] = _Offer(before, before.direction, before.ptime_ms, before.formats)
                    if same:
                        self._renew(before, terms)
                        continue
                    call.part(key)
                    if not offered:
                        _close(before, message.time)
                if socket is not None and len(call.bindings) >= self._most_bindings:
                    self.not_bound += 1
                elif socket is not None:
                    if before is None and offered:
                        call.offers[key] = _Offer(None, "", None, {})
                    self._bind(message, call, key, side, terms, socket)
        if call.answered and message.method != "ACK":  # a re-INVITE or UPDATE, or its answer
            self._interrupt(call)

    def _renew(self, binding: Binding, terms: Terms) -> None:
        """The same side names the same socket again."""
        binding.direction, binding.ptime_ms = terms.direction, terms.ptime_ms
        if terms.formats != binding.formats:
            if len(binding.earlier) < _EARLIER:
                binding.earlier = (*binding.earlier, binding.formats)
            binding.formats = terms.formats
            self._forget(binding.socket)

    def _settle(self, message: Signal, call: _Dialogue) -> None:
        """A final response to a re-INVITE or UPDATE: its offer holds, or is taken back."""
        for key in [key for key in call.offers if key[0] == message.from_tag]:
            if message.status < 300:
                self._accept(call, key, message.time)
            else:
                self._take_back(call, key, message.time)

    def _accept(self, call: _Dialogue, key: _Key, time: int) -> None:
        offer = call.offers.pop(key, None)
        if offer is not None and offer.before is not None and offer.before is not call.bindings.get(key):
            _close(offer.before, time)

    def _take_back(self, call: _Dialogue, key: _Key, time: int) -> None:
        offer = call.offers.pop(key)
        now, before = call.part(key), offer.before
        if now is not None and now is not before:
            _close(now, time)
        if before is not None:
            before.direction, before.ptime_ms = offer.direction, offer.ptime_ms
            before.formats = offer.formats
            call.hold(key, before)
            self._forget(before.socket)

    def _bind(
        self, message: Signal, call: _Dialogue, key: _Key, side: str | None, terms: Terms, socket: Socket
    ) -> None:
        bound = self._bound.get(socket)
        if bound is None:
            self._bound[socket] = bound = []
        elif bound:
            self._part_from_others(message, call, socket, bound)
        kind, formats, ptime_ms, direction, encrypted = terms
        binding = Binding(
            message.call_id, side, key[0], key[1], kind, socket, message.src, message.time, None, formats, ptime_ms,
            direction, encrypted, list(self._arriving.get(socket, ())),
        )  # fmt: skip
        call.hold(key, binding)
        call.all.append(binding)
        bound.append(binding)
        del bound[:-_OPEN_BINDINGS]
        if kind in _OVER_RTP:
            self.streams.announce(socket)
        self._forget(socket)

    def _part_from_others(self, message: Signal, call: _Dialogue, socket: Socket, bound: list[Binding]) -> None:
        """Split the streams at a socket from those that will come for this call, where other calls there have ended.

        Another call that still runs shares the socket (direct media behind a back-to-back user agent). One whose BYE
        was not captured runs no more when its media and its signalling at that socket have long been silent, or when
        the device that has the socket offers it in a new call itself.
        """
        others = [binding for binding in bound if binding.call_id != message.call_id]
        if not others:
            return
        first: dict[int, Binding] = {}
        for binding in bound:
            first.setdefault(binding.call_id, binding)
        for binding in others:
            if binding.until is None and (
                self._stale(binding, message.time)
                or (message.call_id not in first and self._left(first[binding.call_id], message))
            ):
                binding.until = message.time
        if any(binding.until is None for binding in others):
            return
        arriving = self._arriving.get(socket)
        if arriving:
            theirs = {stream for binding in others for stream in binding.streams}
            ours = {stream for binding in call.all for stream in binding.streams}
            for stream in arriving:
                if stream in theirs and stream not in ours:
                    self.streams.split(stream)
            arriving[:] = [stream for stream in arriving if stream not in theirs or stream in ours]
        bound[:] = [binding for binding in bound if binding.call_id == message.call_id]

    def _left(self, binding: Binding, message: Signal) -> bool:
        """Whether the device that named a socket first in another call names it again, and its media there paused."""
        limit = message.time - _PAUSE_NS
        return (
            binding.signalling[:2] == message.src[:2]
            and self._calls[binding.call_id].answered
            and bool(binding.streams)
            and all(self.streams.last_time(stream) < limit for stream in binding.streams)
        )

    def _stale(self, binding: Binding, now: int) -> bool:
        silent = now - self._calls[binding.call_id].last_time
        if not binding.streams:
            return silent > self._unanswered_ns
        limit = now - self._stale_ns
        return silent > self._stale_ns and all(self.streams.last_time(stream) < limit for stream in binding.streams)

    def _forget(self, socket: Socket) -> None:
        """What payload types mean to and from a socket may have changed."""
        if socket in self._arriving or socket in self._leaving:
            self.streams.forget_formats(self._at(socket))

    def _interrupt(self, call: _Dialogue) -> None:
        streams: set[int] = set()
        for socket in call.sockets:
            streams.update(self._at(socket))
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
        for key in list(call.offers):
            self._accept(call, key, message.time)
        for key in closing:
            binding = call.part(key)
            if binding is not None:
                _close(binding, message.time)

    # ---- what the end needs
    def bindings(self) -> dict[int, list[Binding]]:
        """All bindings there ever were, by Call-ID number, in order of their making."""
        return {call_id: call.all for call_id, call in self._calls.items() if call.all}


def _close(binding: Binding, time: int) -> None:
    if binding.until is None:
        binding.until = time


def _append(streams: list[int], stream: int) -> None:
    streams.append(stream)
    if len(streams) >= 2 * _LIVE_STREAMS:
        del streams[:-_LIVE_STREAMS]
