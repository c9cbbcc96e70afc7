"""Requests other than INVITE at the hop nearest to who sent them. Floor 5.

Owns: which of the transactions of one request is the one that its sender saw. In: messages and all transactions. Out:
those of some methods, each request once. A capture may show a request before and behind a proxy; what became of it, and
when, is what its sender was told, as with calls (:mod:`.hops`, whose rule this is).

The sender is who sent the request and had not received it before. Where several fit (a hop is missing in the capture)
it is the one with the fewest Via headers, then the earliest. A place is a host; only where a hop begins and ends on one
host its places are address and port.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ..result import Endpoint, Messages, Transaction
from ..sip.header import find_headers

__all__ = ["first_rows", "keep_senders_hop", "transactions_at_sender", "transactions_of"]


def transactions_of(
    messages: Messages, transactions: Sequence[Transaction], methods: Collection[str]
) -> list[Transaction]:
    """Transactions of some methods, in the order given; costs nothing where no message has such a method."""
    if not any(method in methods for method in messages.texts["method"]):
        return []
    return [transaction for transaction in transactions if transaction.method in methods]


def first_rows(transactions: Sequence[Transaction]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Row of the first request of each transaction."""
    return np.array([transaction.rows[0] for transaction in transactions], np.int64)


def transactions_at_sender(
    messages: Messages, transactions: Sequence[Transaction], methods: Collection[str]
) -> list[Transaction]:
    """Transactions of some methods at the hop nearest to their sender.

    Parameters
    ----------
    messages : Messages
        In order of time.
    transactions : sequence of Transaction
        All, in order of their first request.
    methods : collection of str
        Which to take.

    Returns
    -------
    list of Transaction
        In order of their first request. A request that its sender sent to several places is there several times.
    """
    mine = transactions_of(messages, transactions, methods)
    firsts = first_rows(mine)
    columns = (messages.call_id, messages.cseq, messages.method, messages.from_tag)
    groups: dict[tuple[int, ...], list[int]] = {}
    for at, key in enumerate(zip(*(column[firsts].tolist() for column in columns), strict=True)):
        groups.setdefault(key, []).append(at)
    if len(groups) == len(mine):
        return mine
    kept: list[int] = []
    for group in groups.values():
        if len(group) > 1:
            near = {id(transaction) for transaction in keep_senders_hop([mine[at] for at in group], messages)}
            group = [at for at in group if id(mine[at]) in near]
        kept += group
    return [mine[at] for at in sorted(kept)]


def keep_senders_hop(copies: Sequence[Transaction], messages: Messages) -> list[Transaction]:
    """Of the transactions of one request those that its sender sent.

    Parameters
    ----------
    copies : sequence of Transaction
        At all hops, in order of time; at least one.
    messages : Messages
        The table that they point into.
    """
    if len({transaction.src[0] for transaction in copies}) == 1 and copies[0].src[0] != copies[0].dst[0]:
        return list(copies)
    crowded = {transaction.src[0] for transaction in copies if transaction.src[0] == transaction.dst[0]}

    def place(endpoint: Endpoint) -> Endpoint | str:
        return endpoint if endpoint[0] in crowded else endpoint[0]

    sent: dict[Endpoint | str, int] = {}
    received: dict[Endpoint | str, int] = {}
    for transaction in copies:
        sent.setdefault(place(transaction.src), transaction.rows[0])
        received.setdefault(place(transaction.dst), transaction.rows[0])
    roots = [root for root, row in sent.items() if received.get(root, row) >= row] or list(sent)
    sender = (
        roots[0] if len(roots) == 1 else min(roots, key=lambda root: (_count_vias(messages, sent[root]), sent[root]))
    )
    return [transaction for transaction in copies if place(transaction.src) == sender]


def _count_vias(messages: Messages, row: int) -> int:
    return len(find_headers(messages.raw(row), "Via"))
