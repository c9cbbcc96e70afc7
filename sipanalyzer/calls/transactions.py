"""Transactions: a request with its responses at one hop (RFC 3261 section 17), and copies told apart.

Owns: which copy of a message is a retransmission and which the capture's, and which messages belong to one transaction.
In: integer columns of the messages, in order of time. Out: two boolean columns; `Transaction` objects in order of
start.
Laws: every request with a Call-ID is in exactly one transaction, every response in one at most (one that answers no
request of this capture is in none); linear in the number of messages, whatever they say.

The key is that of the public contract: the two endpoints, top Via branch, CSeq number and method (and Call-ID, since
branches without the RFC 3261 cookie need not be unique). A response belongs to the request that went the other way
between the same endpoints; else, as it may leave from another port (RFC 3581) or address, to the latest with that key
between the same hosts; else anywhere. The ACK of a non-2xx joins its INVITE by the branch (17.1.1.3), or by its To tag
where an old client gave it a branch of its own (RFC 2543); the ACK of a 2xx is a transaction for itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..frozen import make_all
from ..options import Options
from ..result import Messages, Transaction
from .bundles import Bundles, with_none
from .rows import Rows, dense_pairs, items, number_hosts, read_rows

__all__ = ["classify_copies", "make_transactions", "match_rows", "match_transactions"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def classify_copies(whole: Ints, src: Ints, dst: Ints, time: Ints, options: Options) -> tuple[Bools, Bools]:
    """Tell retransmissions from packets that the capture has twice.

    Parameters
    ----------
    whole : int64[n]
        id of the message's bytes.
    src, dst : int64[n]
        ids of its endpoints.
    time : int64[n]
        ns.
    options : Options
        `duplicate_ns` is the limit between the two.

    Returns
    -------
    retransmission, duplicate : bool[n]
        The same bytes between the same endpoints again: sooner than the limit after the copy before (of either kind) a
        capture duplicate, else a retransmission. The first is neither.
    """
    count = len(whole)
    retransmission = np.zeros(count, np.bool_)
    duplicate = np.zeros(count, np.bool_)
    if count < 2:
        return retransmission, duplicate
    order = np.lexsort((time, dst, src, whole))
    later, former = order[1:], order[:-1]
    again = (whole[later] == whole[former]) & (src[later] == src[former]) & (dst[later] == dst[former])
    soon = (time[later] - time[former]) < options.duplicate_ns
    retransmission[later] = again & ~soon
    duplicate[later] = again & soon
    return retransmission, duplicate


def match_transactions(messages: Messages, options: Options) -> list[Transaction]:
    """Group messages into transactions.

    Parameters
    ----------
    messages : Messages
        In order of time, capture duplicates dropped.
    options : Options
        Nothing of it matters yet: the key alone decides, however long the answer takes.

    Returns
    -------
    list of Transaction
        In order of their first request.
    """
    return make_transactions(messages, match_rows(messages))


def match_rows(messages: Messages) -> Bundles:
    """The messages of each transaction, which are in order of their first request."""
    if not len(messages):
        return Bundles.of([])
    rows = read_rows(messages)
    keys = _make_keys(messages)
    matched = _Matching.of(rows, keys, items(messages.request_uri))
    for row in np.flatnonzero(messages.call_id >= 0).tolist():
        if rows.status[row]:
            matched.add_response(row)
        elif rows.method[row] == "ACK":
            matched.add_ack(row)
        else:
            matched.add_request(row)
    return matched.members()


def make_transactions(messages: Messages, members: Bundles) -> list[Transaction]:
    """Transactions from the rows of their messages, all at once: each column is gathered in one step."""
    first = members.rows[members.begin[:-1]]
    status = messages.status[members.rows]
    at = np.arange(len(status))
    never = len(status)
    response = members.least(np.where(status != 0, at, never))
    final = members.least(np.where(status >= 200, at, never))
    telling = np.where(final < never, final, members.largest(np.where(status != 0, at, -1)))
    times, statuses = np.append(messages.time[members.rows], 0), np.append(status, 0)
    endpoints, texts = messages.endpoints, messages.texts
    methods, branches = [*texts["method"], ""], [*texts["branch"], None]
    columns: dict[str, Sequence[object]] = {
        "call_id": [texts["call_id"][number] for number in messages.call_id[first].tolist()],
        "method": [methods[number] for number in messages.method[first].tolist()],
        "branch": [branches[number] for number in messages.branch[first].tolist()],
        "src": [endpoints[number] for number in messages.src[first].tolist()],
        "dst": [endpoints[number] for number in messages.dst[first].tolist()],
        "start": messages.time[first].tolist(),
        "first_response": with_none(times[response], response < never),
        "final_response": with_none(times[final], final < never),
        "status_code": with_none(statuses[telling], telling >= 0),
        "retransmissions": members.total(messages.retransmission[members.rows].astype(np.int64)).tolist(),
        "capture": messages.capture[first].tolist(),
        "first_frame": messages.frame[first].tolist(),
        "rows": members.tuples(),
    }
    return make_all(Transaction, columns)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Integers that are equal where two messages may belong together, for each message."""

    exact: Sequence[int]
    """Key and directed endpoints of a request; of a response those of the request that it answers."""
    hosts: Sequence[int]
    """Key and unordered hosts."""
    anywhere: Sequence[int]
    """Key alone: Call-ID, CSeq, method (an ACK's counts as INVITE), top Via branch, From tag where there is none."""
    numbered: Sequence[int]
    """Call-ID, CSeq number and unordered hosts."""


def _make_keys(messages: Messages) -> _Keys:
    methods = messages.texts["method"]
    method = messages.method.copy()
    if "ACK" in methods:
        invite = methods.index("INVITE") if "INVITE" in methods else len(methods)
        method[(method == methods.index("ACK")) & (messages.status == 0)] = invite
    numbered = dense_pairs(messages.call_id, messages.cseq)
    stands_in = np.where(messages.branch < 0, messages.from_tag, -1)
    key = dense_pairs(numbered, dense_pairs(dense_pairs(method, messages.branch), stands_in))

    host = number_hosts(messages)
    src, dst = host[messages.src], host[messages.dst]
    hosts = dense_pairs(np.minimum(src, dst), np.maximum(src, dst))
    is_request = messages.status == 0
    ends = dense_pairs(
        np.where(is_request, messages.src, messages.dst),
        np.where(is_request, messages.dst, messages.src),
    )
    return _Keys(
        exact=items(dense_pairs(key, ends)),
        hosts=items(dense_pairs(key, hosts)),
        anywhere=items(key),
        numbered=items(dense_pairs(numbered, hosts)),
    )


@dataclass(slots=True)
class _Matching:
    """Transactions found so far; every table has one entry a key, so each message costs the same.

    Keys are numbers below that of the messages: tables are arrays, of which a million messages take a tenth of what
    dictionaries and lists would.
    """

    rows: Rows
    keys: _Keys
    request_uri: Sequence[int]
    exact: array[int]
    """The latest transaction of each key, -1 where there is none; so are the next three."""
    hosts: array[int]
    anywhere: array[int]
    acknowledgement: array[int]
    owner: array[int]
    """The transaction of each message, -1 where it is in none."""
    first: array[int] = field(default_factory=lambda: array("i"))
    """The message that began each transaction."""
    final: array[int] = field(default_factory=lambda: array("h"))
    """Status of the first final response of each transaction, 0 before it."""
    refused: dict[tuple[int, int], int] = field(default_factory=dict)
    """INVITE transactions by what the ACK of their failure has: CSeq number at this hop, and To tag."""

    @classmethod
    def of(cls, rows: Rows, keys: _Keys, request_uri: Sequence[int]) -> _Matching:
        exact, hosts, anywhere, acknowledgement, owner = (array("i", [-1]) * len(rows.time) for _ in range(5))
        return cls(rows, keys, request_uri, exact, hosts, anywhere, acknowledgement, owner)

    def members(self) -> Bundles:
        """The messages of each transaction, in order."""
        owner = np.array(self.owner, np.int64)
        rows = np.argsort(owner, kind="stable")[np.count_nonzero(owner < 0) :]
        return Bundles(rows, np.searchsorted(owner[rows], np.arange(len(self.first) + 1)))

    def add_request(self, row: int) -> None:
        found = self.exact[self.keys.exact[row]]
        if found >= 0 and (self.rows.branch[row] >= 0 or self._same_target(found, row)):
            self.owner[row] = found
            return
        number = self._begin(row)
        self.exact[self.keys.exact[row]] = number
        self.hosts[self.keys.hosts[row]] = number
        self.anywhere[self.keys.anywhere[row]] = number

    def add_response(self, row: int) -> None:
        found = self.exact[self.keys.exact[row]]
        if found < 0:
            found = self.hosts[self.keys.hosts[row]]
        if found < 0:
            found = self.anywhere[self.keys.anywhere[row]]
        if found < 0:
            return
        self.owner[row] = found
        status = self.rows.status[row]
        if status >= 200 and not self.final[found]:
            self.final[found] = status
        if status >= 300 and self.rows.method[row] == "INVITE":
            self.refused[self.keys.numbered[row], self.rows.to_tag[row]] = found

    def add_ack(self, row: int) -> None:
        found = self.exact[self.keys.exact[row]]
        if found < 0 or 200 <= self.final[found] < 300:
            found = self.refused.get((self.keys.numbered[row], self.rows.to_tag[row]), -1)
        if found < 0:
            found = self.acknowledgement[self.keys.exact[row]]
        if found < 0:
            self.acknowledgement[self.keys.exact[row]] = self._begin(row)
        else:
            self.owner[row] = found

    def _begin(self, row: int) -> int:
        number = self.owner[row] = len(self.first)
        self.first.append(row)
        self.final.append(0)
        return number

    def _same_target(self, found: int, row: int) -> bool:
        # RFC 3261 17.2.3: without a branch of RFC 3261 the Request-URI is part of the key
        return self.request_uri[self.first[found]] == self.request_uri[row]
