"""Streams of one call that are one medium: at several hops of its way, or one after the other. Floor 5.

Comes in: streams of one direction. Goes out: which of them are the same medium at different hops (a relay passes it
on, with its SSRC or another), and how often a direction had changed its SSRC before each stream.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..rtp.figures import Figures, Socket
from .ties import Tie

__all__ = ["count_ssrc_changes", "group_hops"]

_HANDOVER_NS = 1_000_000_000
"""The stream before may go on this long while its successor has begun."""
_MOST_GROUPS = 8
"""Media of the same kind that run at once, of which one may be the one that a relay passes on."""

_Address = tuple[int, int]


def group_hops(
    numbers: Sequence[int],
    order: Sequence[Figures],
    towards: Mapping[int, str | None],
    media: Sequence[str | None],
) -> list[list[int]]:
    """The streams of a call as media, each with the hops where it was captured.

    Two streams of one direction and kind are the same medium when they ran at the same time between different sockets,
    with the same SSRC or so that one arrives at the address where the other leaves.

    Parameters
    ----------
    numbers : sequence of int
        Streams of the call, by start.
    order : sequence of Figures
        All streams.
    towards : mapping
        Stream to the side that receives it.
    media : sequence of str or None
        Kind of each stream.

    Returns
    -------
    list of list of int
    """
    if len({(towards[k], media[k]) for k in numbers}) == len(numbers):
        return [[k] for k in numbers]  # one of each direction and kind: no two are the same medium
    groups: list[list[int]] = []
    by_ssrc: dict[tuple[str | None, str | None, int], list[int]] = defaultdict(list)
    arriving: dict[tuple[str | None, str | None, _Address], list[int]] = defaultdict(list)
    leaving: dict[tuple[str | None, str | None, _Address], list[int]] = defaultdict(list)
    for k in numbers:
        f, side, kind = order[k], towards[k], media[k]
        near = [
            *by_ssrc[side, kind, f.ssrc][-_MOST_GROUPS:],
            *arriving[side, kind, f.src[:2]][-_MOST_GROUPS:],
            *leaving[side, kind, f.dst[:2]][-_MOST_GROUPS:],
        ]
        for number in near:
            if all(_beside(f, order[other]) for other in groups[number][-_MOST_GROUPS:]):
                groups[number].append(k)
                break
        else:
            number = len(groups)
            groups.append([k])
        by_ssrc[side, kind, f.ssrc].append(number)
        arriving[side, kind, f.dst[:2]].append(number)
        leaving[side, kind, f.src[:2]].append(number)
    return groups


def _beside(f: Figures, other: Figures) -> bool:
    """Whether two streams ran at the same time between different sockets, and not to and fro."""
    if (f.src, f.dst) == (other.src, other.dst) or (f.src, f.dst) == (other.dst, other.src):
        return False
    shorter = min(f.end - f.start, other.end - other.start)
    together = min(f.end, other.end) - max(f.start, other.start)
    return together >= 0 and 2 * together >= shorter


def count_ssrc_changes(
    order: Sequence[Figures], ties: Sequence[tuple[Tie, ...]], media: Sequence[str | None]
) -> list[int]:
    """How often each stream's direction of its call had changed SSRC before it, in one kind of media at one hop.

    The stream before is the last at the same socket; else the last at the same address, or the last anywhere, that had
    ended (a re-INVITE moved the socket). What ran on beside it elsewhere is another hop, and no predecessor.
    """
    changes: list[int] = []
    last: dict[tuple[int, str | None, str | None, Socket | _Address | None], int] = {}
    for k, f in enumerate(order):
        changes.append(0)
        if not ties[k]:
            continue
        tie = ties[k][0]
        places = (f.dst, f.dst[:2], None)
        for place in places:
            before = last.get((tie.call, tie.towards, media[k], place))
            if before is not None and (place == f.dst or order[before].end <= f.start + _HANDOVER_NS):
                changes[k] = changes[before] + (order[before].ssrc != f.ssrc)
                break
        for place in places:
            last[tie.call, tie.towards, media[k], place] = k
    return changes
