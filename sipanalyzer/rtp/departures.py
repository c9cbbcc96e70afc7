"""When reports passed the capture point, so that answers to them can be timed. Floor 4.

Comes in: sender reports and receiver reference times as they pass, with the middle 32 bits of their NTP time. Goes out:
the round trip from the capture point to whoever answers, and back. Sources: RFC 3550 6.4.1 (LSR, DLSR), RFC 3611 4.5
(DLRR).
"""

from __future__ import annotations

from ..result import Endpoint

__all__ = ["Departures"]

_KEPT = 64
"""Reports remembered of one source: at the shortest interval in use, half a minute."""
_HOPS = 8
"""Places at which one report was seen."""
_TICK_NS = 1_000_000_000 / 65536
_ROUNDING_NS = 2 * _TICK_NS
"""Both LSR and DLSR are cut to 1/65536 s."""


class Departures:
    """What passed, by source; the oldest goes first.

    Parameters
    ----------
    sources : int
        How many sources are remembered at a time.
    """

    def __init__(self, sources: int) -> None:
        self._most = sources
        self._by_source: dict[int, dict[int, list[tuple[int, Endpoint, Endpoint]]]] = {}

    def add(self, ssrc: int, stamp: int, time: int, src: Endpoint, dst: Endpoint) -> None:
        """Remember that a report of `ssrc` with this middle of its NTP time passed."""
        if not stamp:
            return
        known = self._by_source.get(ssrc)
        if known is None:
            if len(self._by_source) >= self._most:
                if not self._most:
                    return
                del self._by_source[next(iter(self._by_source))]
            known = self._by_source[ssrc] = {}
        seen = known.get(stamp)
        if seen is None:
            if len(known) >= _KEPT:
                del known[next(iter(known))]
            known[stamp] = [(time, src, dst)]
        elif len(seen) < _HOPS:
            seen.append((time, src, dst))

    def round_trip_ns(self, ssrc: int, stamp: int, delay: int, time: int, src: Endpoint, dst: Endpoint) -> int | None:
        """Time from the capture point to the sender of an answer and back.

        Parameters
        ----------
        ssrc, stamp : int
            The report that is answered; `stamp` 0: none.
        delay : int
            Between its arrival and the answer, in 1/65536 s.
        time : int
            When the answer passed, ns.
        src, dst : Endpoint
            Of the answer.

        Returns
        -------
        int or None
            None where the report was not captured between these hosts; and where the answer claims to have waited
            longer than the time since: then its clock or its figures are wrong, and no round trip can be told.
        """
        if not stamp:
            return None
        seen = self._by_source.get(ssrc, _NOTHING).get(stamp)
        if seen is None:
            return None
        best, departed = 0, 0
        for passed, from_, to in seen:  # at several hops: the one that the answer goes back over
            fit = 2 * (to[0] == src[0]) + 2 * (from_[0] == dst[0]) + (to == src) + (from_ == dst)
            if fit > best and passed <= time:
                best, departed = fit, passed
        if not best:
            return None
        trip = time - departed - delay * _TICK_NS
        if trip < -_ROUNDING_NS:
            return None
        return max(0, round(trip))


_NOTHING: dict[int, list[tuple[int, Endpoint, Endpoint]]] = {}
