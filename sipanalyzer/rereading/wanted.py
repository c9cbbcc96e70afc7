"""What belongs to some calls: their messages, streams, sockets, and when. Floor 6, above the conductor.

In: an analysis and Call-IDs. Out: :class:`Wanted`, to be asked of each packet that is read again whether it belongs.

Messages are known by their bytes, so that copies of a mirror port are found as well; streams by their sockets, SSRC,
first packet and number of packets. RTCP belongs where the table `rtcp` says so. What names no call (STUN, DTLS, T.38,
ICMP) belongs by the sockets that the calls' SDP announced or their media used, while the calls last, and where the
other end is none of another call's. Sources: RFC 3550 section 11, RFC 3605, RFC 8445, RFC 4975 8.2.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from ..errors import ParseError
from ..network.endpoints import address_words
from ..network.icmp import Quoted
from ..result import Endpoint, Result, Stream
from ..rtp.figures import Socket
from ..sip.msrp import path_key
from ..sip.sdp import Media, find_sdp, parse_sdp, sdp_limits

__all__ = ["Wanted"]

_BEFORE_NS = 10_000_000_000
"""ICE and media may begin this long before the first message."""
_AFTER_NS = 5_000_000_000
"""And go on this long after the last."""
_QUOTED_NS = 2_000_000_000
"""A host complains of a message within this."""
_REPORTED_BYTES = 8_192
"""An ICMP error quotes no more (RFC 1812 4.3.2.3 wants 576 bytes)."""

_CALL_ID = re.compile(rb"\n(?:call-id|i)[ \t]*+:[ \t]*+((?:[ \t]*+[^ \t\r\n]++)*+)[ \t]*+([\r\n]|\Z)", re.IGNORECASE)
"""What an ICMP error quotes of a Call-ID, and whether its end is there."""


class Wanted:
    """What belongs to some calls.

    Parameters
    ----------
    result : Result
        The analysis.
    call_ids : collection of str
        Which calls.
    """

    def __init__(self, result: Result, call_ids: Collection[str]) -> None:
        self._result = result
        self.call_ids = frozenset(call_ids)
        calls = [call for call in result.calls if call.call_id in self.call_ids]
        numbers = sorted({number for call in calls for number in call.streams})
        self.streams: list[Stream] = [result.streams[number] for number in numbers]
        """Their streams, in order of start."""
        rows = self._rows(numbers)
        messages = result.messages
        limit = result.options.max_sip_message_bytes
        self.messages = frozenset(messages.raw(row).lstrip(b"\r\n")[:limit] for row in rows)
        """Bytes of their messages."""
        self.connected = bool(rows) and bool((messages.transport[rows] > 0).any())
        """Whether some came over a connection."""
        self.paths: set[str] = set()
        """Endpoints of MSRP that they named."""
        times = [int(messages.time[row]) for row in rows]
        times += [time for stream in self.streams for time in (stream.start, stream.end)]
        self.begin = min(times, default=0) - _BEFORE_NS
        self.end = max(times, default=0) + _AFTER_NS
        self.captures = {int(messages.capture[row]) for row in rows} | {stream.capture for stream in self.streams}
        """Captures in which something of them begins."""
        self.datagrams: set[Socket] = set()
        """Sockets announced for what is neither RTP nor MSRP, such as T.38."""
        self._sockets: dict[Socket, tuple[int, int]] = {}
        self._sent: dict[tuple[Endpoint, Endpoint], list[int]] = defaultdict(list)
        for row in rows:
            ends = messages.endpoints[int(messages.src[row])], messages.endpoints[int(messages.dst[row])]
            self._sent[ends].append(int(messages.time[row]))
        self._announce(rows)
        for stream in self.streams:
            for host, port in (stream.src, stream.dst):
                self._own((*address_words(host), port))
                self._own((*address_words(host), port + 1))
        self._part_from_others()
        self._reports = self._reported(numbers)

    # ---- questions
    def message(self, data: bytes) -> bool:
        """Whether a message is one of theirs."""
        return data.lstrip(b"\r\n")[: self._result.options.max_sip_message_bytes] in self.messages

    def report(self, src: Socket, dst: Socket, time: int, capture: int, frame: int) -> bool:
        """Whether an RTCP packet is one of theirs."""
        known = self._reports.get((capture, frame))
        return self.packet(src, dst, time) if known is None else known

    def packet(self, src: Socket, dst: Socket, time: int) -> bool:
        """Whether a packet that names nothing but its sockets is one of theirs."""
        own, far = self._sockets.get(src), dst
        if own is None:
            own, far = self._sockets.get(dst), src
        return own is not None and own[0] <= time <= own[1] and (far in self._sockets or far not in self._foreign)

    def complaint(self, quoted: Quoted, message: bytes, time: int) -> bool:
        """Whether an ICMP error is about a packet of theirs.

        Where it quotes enough of a SIP message, its Call-ID decides; else that one of theirs was just sent there.
        """
        if self.packet((*address_words(quoted.src[0]), quoted.src[1]),
                       (*address_words(quoted.dst[0]), quoted.dst[1]), time):  # fmt: skip
            return True
        sent = self._sent.get((quoted.src, quoted.dst))
        if sent is None:
            return False
        said = message[8:_REPORTED_BYTES]
        found = _CALL_ID.search(said)
        if found is not None:
            value, end = found.groups()
            whole = value.decode("utf-8", "backslashreplace")
            return whole in self.call_ids or (not end and any(call_id.startswith(whole) for call_id in self.call_ids))
        at = bisect.bisect_right(sent, time)
        return at > 0 and time - sent[at - 1] <= _QUOTED_NS

    # ---- answers
    def _rows(self, numbers: Collection[int]) -> list[int]:
        """Messages of theirs, and those of other methods that report on their quality."""
        messages = self._result.messages
        own = [number for number, text in enumerate(messages.texts["call_id"]) if text in self.call_ids]
        mine = np.isin(messages.call_id, own)
        told = {
            (report.capture, report.frame)
            for report in self._result.rtcp
            if report.call_id in self.call_ids or (report.stream is not None and report.stream in set(numbers))
        } if self._result.rtcp and len(messages) else set()  # fmt: skip
        frames = np.flatnonzero(np.isin(messages.frame, [frame for _, frame in told]) & ~mine) if told else ()
        for row in frames:
            if (int(messages.capture[row]), int(messages.frame[row])) in told:
                mine |= (messages.call_id == messages.call_id[row]) & (messages.cseq == messages.cseq[row])
        return [int(row) for row in np.flatnonzero(mine)]

    def _announce(self, rows: Sequence[int]) -> None:
        """Sockets and endpoints that their session descriptions name."""
        bodies: dict[bytes, int] = {}
        messages, limits = self._result.messages, sdp_limits(self._result.options)
        for row in rows:
            if messages.body_length[row]:
                bodies.setdefault(messages.body(row), row)
        for body, row in bodies.items():
            description = find_sdp(messages.text("content_type", row), body, limits)
            try:
                media = parse_sdp(description, limits).media if description is not None else ()
            except ParseError:
                continue
            host = messages.endpoints[int(messages.src[row])][0]
            for each in media:
                if each.path:
                    self.paths.add(path_key(each.path))
                for socket in _sockets(each, host):
                    self._own(socket)
                    if each.kind != "message" and "RTP" not in each.protocol.upper():
                        self.datagrams.add(socket)

    def _own(self, socket: Socket) -> None:
        self._sockets.setdefault(socket, (self.begin, self.end))

    def _part_from_others(self) -> None:
        """Note the sockets of other calls; one that is used before or after by another is theirs so long only."""
        first, last = self.begin + _BEFORE_NS, self.end - _AFTER_NS
        self._foreign: set[Socket] = set()
        for call_id, bound in self._result.extra.get("bindings", {}).items():
            if call_id in self.call_ids:
                continue
            for binding in bound:
                if binding.since > self.end or (binding.until is not None and binding.until < self.begin):
                    continue
                for socket in (binding.socket, (*binding.socket[:2], binding.socket[2] + 1)):
                    own = self._sockets.get(socket)
                    if own is None:
                        self._foreign.add(socket)
                    elif binding.since >= last:
                        self._sockets[socket] = own[0], min(own[1], binding.since)
                    elif binding.until is not None and binding.until <= first:
                        self._sockets[socket] = max(own[0], binding.until), own[1]

    def _reported(self, numbers: Collection[int]) -> dict[tuple[int, int], bool]:
        """By capture and frame of each line of RTCP of which the call is known: whether it is one of theirs.

        Of a stream of several calls the table names the first.
        """
        mine = set(numbers)
        known = self.call_ids | {stream.call_id for stream in self.streams}
        told: dict[tuple[int, int], bool] = {}
        for report in self._result.rtcp:
            if report.call_id is None and report.stream is None:
                continue
            place = report.capture, report.frame
            own = report.stream in mine if report.stream is not None else report.call_id in self.call_ids
            if not own and report.stream is None and report.call_id in known:
                own = any((*address_words(host), port) in self._sockets for host, port in (report.src, report.dst))
            told[place] = told.get(place, False) or own
        return told


def _sockets(media: Media, host: str) -> Iterator[Socket]:
    """Sockets that a media description names; `host` sent it."""
    if media.port <= 0:
        return
    rtcp = media.rtcp_port if media.rtcp_port is not None else media.port + 1
    ends = [(media.address, media.port), (media.rtcp_address or media.address, rtcp)]
    ends += [(candidate.address, candidate.port) for candidate in media.candidates]
    for address, port in ends:
        for text in (address or host, host):
            try:
                words = address_words(text)
            except ValueError:  # a host name: where it sent from is the best guess
                continue
            if 0 < port < 65_536:
                yield (*words, port)
            break
