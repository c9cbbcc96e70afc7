"""Which hop is nearest to the caller, and which messages pass there.

Owns: from one call's initial INVITEs, who sent the first one and what it saw. In: transactions of one Call-ID. Out: a
`CallerHop`. A capture may show a call at several hops (before and behind a proxy); state and times are the caller's.

The caller is the sender that did not receive the INVITE from anybody before it sent it. Where several fit (a hop is
missing in the capture) it is the one with the fewest Via headers, then the earliest. A place is a host, since a
response, a new TCP connection or a BYE may come from another port; only where a hop begins and ends on one host (all on
loopback, or a proxy beside the phone) its places are address and port.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..result import Transaction
from ..sip.header import find_headers
from .rows import Rows

__all__ = ["CallerHop", "count_vias", "find_caller_hop", "initial_invites"]


@dataclass(frozen=True, slots=True)
class CallerHop:
    """What one call looked like from its caller."""

    attempts: list[Transaction]
    """The initial INVITE and its retries, as the caller sent them, in order of time."""
    elsewhere: list[Transaction]
    """The same at other hops."""
    tags: set[int]
    """From tags of the attempts."""
    caller: int
    """Place of the caller."""
    sinks: set[int]
    """Places that received the INVITE and did not send it on."""
    place: Callable[[int], int]
    """Place of an endpoint."""

    def sees(self, rows: Rows, row: int) -> bool:
        """Whether a request inside the call passed at the caller: sent by it with its tag, or arriving there."""
        if rows.from_tag[row] in self.tags:
            return self.place(rows.src[row]) == self.caller
        return self.place(rows.dst[row]) == self.caller


def initial_invites(invites: list[Transaction], rows: Rows) -> list[Transaction]:
    """INVITE transactions outside a dialog.

    Those without To tag; and those of clients that repeat the To tag of a failure when they try again (RFC 3261 8.1.3.5
    wants it gone), recognised by that tag as long as no 2xx has it.
    """
    initial = []
    refused: set[int] = set()
    accepted: set[int] = set()
    for transaction in invites:
        tag = rows.to_tag[transaction.rows[0]]
        if tag >= 0 and (tag not in refused or tag in accepted):
            continue
        initial.append(transaction)
        for row in transaction.rows[1:]:
            status = rows.status[row]
            if status >= 300:
                refused.add(rows.to_tag[row])
            elif status >= 200:
                accepted.add(rows.to_tag[row])
    return initial


def find_caller_hop(initial: list[Transaction], rows: Rows, host: list[int]) -> CallerHop:
    """Find the hop nearest to the caller.

    Parameters
    ----------
    initial : list of Transaction
        The initial INVITEs of one Call-ID at all hops, at least one, in order of time.
    rows : Rows
        Message table.
    host : list of int
        A number for the host of each endpoint.
    """
    firsts = [transaction.rows[0] for transaction in initial]
    crowded = {host[rows.src[row]] for row in firsts if host[rows.src[row]] == host[rows.dst[row]]}

    def place(endpoint: int) -> int:
        return -1 - endpoint if host[endpoint] in crowded else host[endpoint]

    def vias(row: int) -> int:
        return count_vias(rows.messages.raw(row))

    sent: dict[int, int] = {}
    received: dict[int, int] = {}
    last_sent: dict[int, int] = {}
    last_received: dict[int, int] = {}
    for row in firsts:
        src, dst = place(rows.src[row]), place(rows.dst[row])
        sent.setdefault(src, row)
        received.setdefault(dst, row)
        last_sent[src] = row
        last_received[dst] = row
    if len(sent) == 1:
        caller = next(iter(sent))
    else:
        roots = [place_ for place_, row in sent.items() if received.get(place_, row) >= row] or list(sent)
        caller = roots[0] if len(roots) == 1 else min(roots, key=lambda root: (vias(sent[root]), sent[root]))
    attempts, elsewhere = initial, []
    if len(sent) > 1:
        attempts = [transaction for transaction in initial if place(rows.src[transaction.rows[0]]) == caller]
        elsewhere = [transaction for transaction in initial if place(rows.src[transaction.rows[0]]) != caller]
    return CallerHop(
        attempts=attempts,
        elsewhere=elsewhere,
        tags={rows.from_tag[transaction.rows[0]] for transaction in attempts},
        caller=caller,
        sinks={end for end, row in last_received.items() if last_sent.get(end, -1) < row},
        place=place,
    )


def count_vias(raw: bytes) -> int:
    """How many Via headers a message has."""
    return len(find_headers(raw, "Via"))
