"""Which calls a fault of the network concerns: those of the same hosts and sockets at the same time. Floor 7.

In: calls under keys (hosts, sockets). Out: the calls of a key that lie in a time, at a cost that does not grow with the
number of calls, however many an attacker puts under one key.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Hashable, Iterable

from ..facts import Endpoint
from ..result import Call
from .context import Context
from .media import bindings_of, socket_of

__all__ = ["MOST_CALLS", "NEAR_NS", "CallIndex", "call_hosts", "media_sockets"]

NEAR_NS = 35_000_000_000
"""A fault this long before or after a call's messages still belongs to it (64 times T1, and some)."""
MOST_CALLS = 20
"""Calls that one fault is tied to, each with a finding of its own."""
_LOOKED_AT = 200
"""Calls of a key looked at, those that began last before the fault's end first."""
_MOST_SOCKETS = 50
"""Media sockets of a call that are looked at."""


class CallIndex:
    """Calls by keys, and in order of time under each."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, list[Call]] = defaultdict(list)
        self._starts: dict[Hashable, list[int]] = {}

    def add(self, keys: Iterable[Hashable], call: Call) -> None:
        """Put a call under each of some keys; before the first :meth:`find`."""
        for key in keys:
            self._calls[key].append(call)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._calls

    def find(self, key: Hashable, begin: int, end: int) -> list[Call]:
        """Calls of a key whose messages lie near a time, in order of time; at most :data:`MOST_CALLS`."""
        if key not in self._calls:
            return []
        calls = self._calls[key]
        if key not in self._starts:
            calls.sort(key=lambda call: (call.first_time, call.first_frame))
            self._starts[key] = [call.first_time for call in calls]
        after = bisect.bisect_right(self._starts[key], end + NEAR_NS)
        near = (call for call in calls[max(0, after - _LOOKED_AT) : after][::-1] if call.last_time + NEAR_NS >= begin)
        return [call for call, _ in zip(near, range(MOST_CALLS), strict=False)][::-1]


def call_hosts(context: Context, call: Call) -> set[str]:
    """Hosts that a call's messages came from and went to."""
    messages = context.messages
    ends = {int(messages.src[row]) for row in call.rows} | {int(messages.dst[row]) for row in call.rows}
    return {messages.endpoints[end][0] for end in ends}


def media_sockets(context: Context, call: Call) -> set[Endpoint]:
    """Sockets of a call's media: those of its streams, and those that its SDP named."""
    found: dict[Endpoint, None] = {}
    for _, stream in context.streams(call)[:_MOST_SOCKETS]:
        found[stream.src] = found[stream.dst] = None
    for each in bindings_of(context, call)[:_MOST_SOCKETS]:
        found[socket_of(each)] = None
    return set(list(found)[:_MOST_SOCKETS])
