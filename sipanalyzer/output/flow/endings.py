"""Whether media were still wanted when a stream ended. Floor 8.

In: the messages of a chart and what their SDP says. Out: for how long, after its last packet, a stream should have gone
on. A side that is held, a description that names another place or no audio any more (T.38), a transfer that was
accepted: none of these leaves media to be missed. Where several descriptions disagree (forks), none is missed either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...result import Stream
from .descriptions import Described, Said
from .seen import Seen, final_statuses

__all__ = ["Wanted"]

_Way = tuple[int, int]
"""Signalling endpoints: from, to."""


class Wanted:
    """What the legs of a chart wanted of audio, and when."""

    def __init__(self, seen: Sequence[Seen], said: Mapping[int, Said]) -> None:
        self._told: dict[int, list[tuple[int, _Way, Described]]] = {}
        self._transferred: dict[int, int] = {}
        final = final_statuses(seen, ("INVITE", "UPDATE", "REFER"))
        for each in seen:
            if not each.status and final.get(each.exchange, 200) >= 300:
                continue
            if each.method == "REFER" and not each.status and each.exchange in final:
                self._transferred.setdefault(each.leg, each.time)
            what = said.get(each.row)
            if what is not None:
                self._told.setdefault(each.leg, []).append((each.time, (each.src, each.dst), what.described))

    def after(self, stream: Stream, legs: Sequence[int], end: int) -> int:
        """How long audio was still wanted, between the last packet of a stream and the end of its call; ns.

        Parameters
        ----------
        stream : Stream
            What ended.
        legs : sequence of int
            The legs that it belongs to.
        end : int
            When its call ended, ns.
        """
        wanted = 0
        before, going_on = stream.end, True
        for time, now in self._states(stream, legs, end):
            if time > before:
                wanted += (time - before) * going_on
                before = time
            going_on = now
        return wanted + max(0, end - before) * going_on

    def _states(self, stream: Stream, legs: Sequence[int], end: int) -> Iterator[tuple[int, bool]]:
        """Each time at which something was said, and whether audio was wanted from then on."""
        transferred = min((self._transferred[leg] for leg in legs if leg in self._transferred), default=end)
        latest: dict[_Way, Described] = {}
        naming: set[_Way] = set()
        for time, way, described in sorted(
            (each for leg in legs for each in self._told.get(leg, ()) if each[0] < min(transferred, end)),
            key=lambda each: each[0],
        ):
            latest[way] = described
            if stream.dst in described.sockets:
                naming.add(way)
            yield (
                time,
                all(
                    each.hold is None and each.codec is not None and (way not in naming or stream.dst in each.sockets)
                    for way, each in latest.items()
                ),
            )
        if transferred < end:
            yield transferred, False
