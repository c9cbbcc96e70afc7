"""Which stream a report is about, and which call its sockets belong to. Floor 5.

Comes in: streams; then the SSRC, sockets and time of each report. Goes out: indices of streams. An SSRC alone proves
nothing (RFC 3550 8.2 has it random, devices do not): addresses must agree, and of several hops that carry the same SSRC
the one counts whose sockets fit best.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence, Set

from ..options import Options
from ..result import Endpoint, Stream

__all__ = ["StreamFinder"]

_LOOKED_AT = 32
"""Streams with one SSRC and address that are looked at for one report, the latest first."""

Starts = tuple[list[int], list[int]]
"""Beginnings of streams and their indices, in order of time."""


class StreamFinder:
    """Streams by what a report knows of them.

    Parameters
    ----------
    streams : sequence of Stream
        All of them.
    options : Options
        `silence_split_ns`: how long after its end a stream is still reported on.
    ssrcs : set of int
        Those that will be asked for.
    hosts : set of str
        Addresses that sent or received reports.
    """

    def __init__(self, streams: Sequence[Stream], options: Options, ssrcs: Set[int], hosts: Set[str]) -> None:
        self._streams = streams
        self._after_ns = options.silence_split_ns
        by_receiver: dict[tuple[int, str], Starts] = defaultdict(lambda: ([], []))
        by_sender: dict[tuple[int, str], Starts] = defaultdict(lambda: ([], []))
        by_sockets: dict[tuple[Endpoint, Endpoint], Starts] = defaultdict(lambda: ([], []))
        known = [k for k, stream in enumerate(streams) if stream.src[0] in hosts or stream.dst[0] in hosts]
        for index in sorted(known, key=lambda k: streams[k].start):
            stream = streams[index]
            lists = []
            if stream.ssrc in ssrcs:
                lists += [by_receiver[stream.ssrc, stream.dst[0]], by_sender[stream.ssrc, stream.src[0]]]
            if stream.src[0] in hosts and stream.dst[0] in hosts:
                lists.append(by_sockets[stream.src, stream.dst])
            for starts, indices in lists:
                starts.append(stream.start)
                indices.append(index)
        self._by_receiver, self._by_sender, self._by_sockets = dict(by_receiver), dict(by_sender), dict(by_sockets)

    def reported(self, ssrc: int, src: Endpoint, dst: Endpoint, time: int) -> tuple[int, int] | None:
        """The stream that a report is about.

        Parameters
        ----------
        ssrc : int
            As the report names it.
        src, dst : Endpoint
            Of the RTCP packet: its sender received the stream.
        time : int
            When it passed, ns.

        Returns
        -------
        (int, int) or None
            Index, and how well the sockets fit (higher is better).

        Notes
        -----
        Both addresses are those of the stream, turned round; behind NAT one of them may differ, and then the port at
        the other must be that of RTP (rtcp-mux, RFC 5761) or the next (RFC 3550 section 11). With both addresses
        right any port will do (``a=rtcp``, RFC 3605).
        """
        best: tuple[int, int, int] | None = None
        for starts in (self._by_receiver.get((ssrc, src[0])), self._by_sender.get((ssrc, dst[0]))):
            if starts is None:
                continue
            until = bisect_right(starts[0], time)
            for index in starts[1][max(0, until - _LOOKED_AT) : until]:
                stream = self._streams[index]
                if time > stream.end + self._after_ns:
                    continue
                fit = _fit(stream, src, dst)
                if fit and (best is None or (fit, stream.start) > best[:2]):
                    best = fit, stream.start, index
        return None if best is None else (best[2], best[0])

    def between(self, src: Endpoint, dst: Endpoint, time: int) -> int | None:
        """A stream, either way, between the sockets that an RTCP packet went between, or those a port below.

        Of several the one nearest in time, which may begin later: receivers report before anything came.
        """
        best: tuple[int, int] | None = None
        for down in (0, 1):
            one, other = (src[0], src[1] - down), (dst[0], dst[1] - down)
            for pair in ((one, other), (other, one)):
                starts = self._by_sockets.get(pair)
                if starts is None:
                    continue
                until = bisect_right(starts[0], time)
                for index in starts[1][max(0, until - 1) : until + 1]:
                    stream = self._streams[index]
                    away = max(stream.start - time, time - stream.end, 0)
                    if away <= self._after_ns and (best is None or away < best[0]):
                        best = away, index
        return None if best is None else best[1]


def _fit(stream: Stream, src: Endpoint, dst: Endpoint) -> int:
    """How well a stream's sockets suit an RTCP packet from its receiver; 0: not at all."""
    at_receiver = stream.dst[0] == src[0]
    at_sender = stream.src[0] == dst[0]
    port_of_receiver = at_receiver and 0 <= src[1] - stream.dst[1] <= 1
    port_of_sender = at_sender and 0 <= dst[1] - stream.src[1] <= 1
    if not (at_receiver and at_sender) and not (port_of_receiver or port_of_sender):
        return 0
    return 8 * at_receiver + 4 * at_sender + 2 * port_of_receiver + port_of_sender
