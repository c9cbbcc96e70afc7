"""Requests that go round in circles (RFC 3261 16.3). Floor 7.

Finds ``routing-loop``: 482 or 483, or a request that comes to a host a second time with the same Request-URI and the
branch of the Via that this host added when it sent it on. A request that comes back with another Request-URI, or with
a Route that leads it elsewhere, is a spiral, and as it should be; one that comes twice over different forks is merged,
and has no such Via.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..calls.rows import dense_pairs, distinct
from ..facts import Finding
from ..result import Ints, Transaction
from ..sip.header import find_header, find_headers
from .context import Context, Rule
from .phrases import hop, many

__all__ = ["RULES", "routing_loop"]

_STATUSES = (482, 483)
_WORDS = {482: "482 (loop detected)", 483: "483 (too many hops)"}
_MOST = 1_000
"""Requests looked into for their Via headers."""


def routing_loop(context: Context) -> Iterator[Finding]:
    """Loops that a host saw itself, and those that the capture shows; one finding a call."""
    told: set[str] = set()
    for row, earlier in _returned(context):
        call_id = context.messages.text("call_id", row) or ""
        if call_id in told:
            continue
        told.add(call_id)
        messages = context.messages
        address = messages.endpoints[int(messages.dst[row])][0]
        yield context.finding(
            "routing-loop",
            f"{messages.text('method', row)} came back to {address}, which had sent it on, with the same Request-URI "
            f"{messages.text('request_uri', row)}.",
            call=call_id,
            rows=[earlier, row],
            affects="caller",
        )
    peers: dict[tuple[str, str, str, int], list[Transaction]] = {}
    for each in context.trouble.failed:
        status = each.status_code or 0
        if status not in _STATUSES or each.call_id in told or _traces(context, each):
            continue
        call = context.calls.get(each.call_id)
        if call is None:
            if each.src[0] not in context.scanners:
                peers.setdefault((each.src[0], each.dst[0], each.method, status), []).append(each)
            continue
        told.add(each.call_id)
        answered = call.answered is not None
        text = f"{each.method} {hop(each.src, each.dst)} was answered with {_WORDS[status]}"
        text += "; the call was answered on another way" if answered else ""
        yield context.finding(
            "routing-loop",
            text + ".",
            call=call,
            rows=_rows(context, [each]),
            # 482 also refuses the copy of a request that came over another fork (RFC 3261 8.2.2.2)
            severity="info" if answered else None,
            affects="caller",
        )
    for (_, _, method, status), transactions in peers.items():
        first = transactions[0]
        yield context.finding(
            "routing-loop",
            f"{method} {hop(first.src, first.dst)} was answered with {_WORDS[status]} "
            f"{many(len(transactions), 'time')}.",
            rows=_rows(context, transactions),
            affects=first.src[0],
        )


def _rows(context: Context, transactions: list[Transaction]) -> list[int]:
    status = context.messages.status
    return [row for each in transactions for row in each.rows if int(status[row]) in _STATUSES]


def _traces(context: Context, transaction: Transaction) -> bool:
    """Whether an OPTIONS was meant to go no further (RFC 3261 11: a Max-Forwards of few traces the way)."""
    if transaction.method != "OPTIONS":
        return False
    left = (find_header(context.messages.raw(transaction.rows[0]), "Max-Forwards") or "").strip()
    return left in ("0", "1", "2")


def _returned(context: Context) -> Iterator[tuple[int, int]]:
    """Requests that came back to a host: the row, and that of the first time."""
    messages = context.messages
    rows = np.flatnonzero(context.requests("INVITE", "REGISTER", "SUBSCRIBE", "MESSAGE", "OPTIONS"))
    if len(rows) < 2:
        return
    count = len(messages.endpoints)
    crowded = {
        messages.endpoints[src][0]
        for src, dst in (
            divmod(way, count) for way in distinct(messages.src[rows] * count + messages.dst[rows]).tolist()
        )
        if messages.endpoints[src][0] == messages.endpoints[dst][0]
    }
    ids = messages.call_id[rows] + 1
    rows = rows[np.bincount(ids)[ids] > 1]  # most Call-IDs have one request
    if len(rows) < 2:
        return
    hosts: dict[str, int] = {}
    # where a hop begins and ends on one host, places are address and port
    places = [
        hosts.setdefault(f"{address} {port}" if address in crowded else address, len(hosts))
        for address, port in messages.endpoints
    ]
    place: Ints = np.array(places, np.int64)
    same = dense_pairs(dense_pairs(messages.call_id[rows], messages.cseq[rows]), messages.from_tag[rows])
    same = dense_pairs(same, messages.method[rows])
    came = dense_pairs(dense_pairs(same, messages.request_uri[rows]), place[messages.dst[rows]])
    again = np.bincount(came)[came] > 1
    if not again.any():
        return
    first: dict[tuple[int, tuple[str, ...]], int] = {}
    looked = 0
    for position in np.flatnonzero(again).tolist():
        row = int(rows[position])
        looked += 1
        if looked > _MOST:
            return
        raw = messages.raw(row)
        here = messages.endpoints[int(messages.dst[row])][0]
        # a host takes its own Route off; one that is left sends the request another way than the first time
        routes = tuple(route for route in find_headers(raw, "Route") if here not in route)
        earlier = first.setdefault((int(came[position]), routes), row)
        if earlier == row or int(messages.branch[row]) == int(messages.branch[earlier]):
            continue
        sent = {
            messages.text("branch", int(other))
            for other in rows[same == same[position]].tolist()
            if earlier < other < row and place[messages.src[other]] == place[messages.dst[row]]
        }
        if sent and any(_branch(via) in sent for via in find_headers(raw, "Via")[1:]):
            yield row, earlier


def _branch(via: str) -> str | None:
    _, found, rest = via.partition("branch=")
    return rest.split(";")[0].split(",")[0].strip() if found else None


RULES: tuple[Rule, ...] = (routing_loop,)
