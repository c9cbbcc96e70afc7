"""The messages of a chart as plain rows, in the order in which they stand on it. Floor 8.

In: a result and some of its calls. Out: :class:`Seen`, one a message, by time, then capture and frame: the columns of
:class:`~sipanalyzer.result.Messages` are read at once, since an element of an array costs ten times one of a list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from ...result import Call, Messages

__all__ = ["Exchange", "Seen", "final_statuses", "read_seen"]

Exchange = tuple[int, int, int, str]
"""What a request shares with its responses, at all hops: leg, id of the From tag, CSeq number, method."""


class Seen(NamedTuple):
    """One message; ids are those of `Messages`, -1 where missing."""

    time: int
    capture: int
    frame: int
    row: int
    leg: int
    src: int
    dst: int
    status: int
    method: str
    """Of a response that of its CSeq; empty where missing."""
    cseq: int
    from_tag: int
    to_tag: int
    whole: int
    retransmission: bool
    transport: int
    body: int
    """Length of its body."""

    @property
    def exchange(self) -> Exchange:
        """What it is part of; the ACK is part of its INVITE."""
        return self.leg, self.from_tag, self.cseq, "INVITE" if self.method == "ACK" else self.method


_COLUMNS = ("src", "dst", "status", "method", "cseq", "from_tag", "to_tag", "whole", "retransmission", "transport")


def read_seen(messages: Messages, calls: Sequence[Call]) -> list[Seen]:
    """The messages of some calls in order of time, then capture and frame.

    Parameters
    ----------
    messages : Messages
        All of the result.
    calls : sequence of Call
        Their order numbers the legs.
    """
    legs: list[int] = []
    rows: list[int] = []
    for leg, call in enumerate(calls):
        rows += call.rows
        legs += [leg] * len(call.rows)
    if not rows:
        return []
    at = np.array(rows)
    times, captures, frames = (getattr(messages, name)[at].tolist() for name in ("time", "capture", "frame"))
    columns = [getattr(messages, name)[at].tolist() for name in _COLUMNS]
    methods = [*messages.texts.get("method", ()), ""]  # -1 finds the last
    columns[3] = [methods[number] for number in columns[3]]
    lengths = messages.body_length[at].tolist()
    return sorted(map(Seen, times, captures, frames, rows, legs, *columns, lengths))


def final_statuses(seen: Sequence[Seen], methods: Collection[str]) -> dict[Exchange, int]:
    """How requests of some methods were answered for good, at any hop: by a 2xx if there was one, else at first."""
    final: dict[Exchange, int] = {}
    for each in seen:
        if each.status >= 200 and each.method in methods and (each.exchange not in final or each.status < 300):
            final[each.exchange] = each.status
    return final
