"""Requests that drew no response (RFC 3261 timers A, B, E and F). Floor 7.

Finds ``unanswered-request``. Who sends a request again has heard nothing; who does not may have heard what the capture
lacks. So a request that was sent again often enough counts whatever else was captured, and one that merely waited
counts only where its receiver is heard at all in this capture, so that a one-sided one raises no alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..facts import Finding
from ..result import TRANSPORTS, Call, Transaction
from .context import Context, Rule
from .phrases import hop, listing, many, seconds

__all__ = ["RULES", "is_unanswered", "known_causes", "unanswered_request"]


_ONCE = "over UDP it was not sent again, as who hears nothing does, so the capture may lack the response"


def is_unanswered(context: Context, transaction: Transaction) -> bool:
    """Whether a request drew no response and should have: sent again often, or waited long in a two-sided capture."""
    if transaction.status_code is not None or transaction.method == "ACK":
        return False
    if transaction.retransmissions >= max(1, context.options.unanswered_retransmissions):
        return not _was_answered_unseen(context, transaction)
    return _waited(context, transaction) and context.heard(transaction.dst[0], transaction.src[0])


def known_causes(context: Context, transaction: Transaction) -> tuple[str, ...]:
    """Codes of what the network said about the receiver of a request."""
    return context.unreachable.get((transaction.src[0], transaction.dst), ())


def unanswered_request(context: Context) -> Iterator[Finding]:
    """Requests without any response: one finding a call and method, else one a pair of peers and method."""
    of_calls: dict[tuple[str, str], list[Transaction]] = defaultdict(list)
    of_peers: dict[tuple[str, str, str], list[Transaction]] = defaultdict(list)
    registers = bool(context.result.registrations)
    for each in context.trouble.silent:
        if not is_unanswered(context, each):
            continue
        if each.call_id in context.calls:
            of_calls[each.call_id, each.method].append(each)
        elif each.method == "REGISTER" and registers:
            continue  # registration-failure tells it
        elif each.src[0] not in context.scanners and not known_causes(context, each):
            of_peers[each.src[0], each.dst[0], each.method].append(each)
    for (call_id, _), transactions in of_calls.items():
        yield _of_call(context, context.calls[call_id], transactions)
    if of_peers:
        yield from _of_peers(context, of_peers)
    told = {call_id for call_id, method in of_calls if method == "INVITE"}
    for call in context.calls.values():
        if call.reason == "timeout" and call.status_code is None and call.call_id not in told:
            yield _doubtful(context, call)


def _is_datagram(context: Context, transaction: Transaction) -> bool:
    """Whether whoever hears nothing must send again (RFC 3261 17.1.1.2): over UDP, that is."""
    return TRANSPORTS[int(context.messages.transport[transaction.rows[0]])] == "UDP"


def _waited(context: Context, transaction: Transaction) -> bool:
    until = context.watched_until[transaction.capture] if context.watched_until else 0
    return until - transaction.start >= context.options.transaction_timeout_ns


def _was_answered_unseen(context: Context, transaction: Transaction) -> bool:
    """Whether an ACK shows that an INVITE had its response, though the capture lacks it."""
    if transaction.method != "INVITE":
        return False
    messages = context.messages
    number = int(messages.cseq[transaction.rows[0]])
    ack = context.method("ACK")
    if any(int(messages.method[row]) == ack and not int(messages.status[row]) for row in transaction.rows):
        return True
    acks = context.acknowledgements.get((transaction.call_id, number), ())
    return any(each.src[0] == transaction.src[0] for each in acks)


def _of_call(context: Context, call: Call, transactions: list[Transaction]) -> Finding:
    """The hop that the request reached last names who does not answer."""
    last = transactions[-1]
    initial = last.method == "INVITE" and int(context.messages.to_tag[last.rows[0]]) < 0
    lost = initial and call.answered is None and call.state != "completed"
    scanned = call.src is not None and call.src[0] in context.scanners
    others = [each for each in transactions if each.dst != last.dst]
    text = f"{last.method} {hop(last.src, last.dst)} {_sent(context, last)}and drew no response"
    once = not any(each.retransmissions for each in transactions) and _is_datagram(context, last)
    if others:
        text += f"; nor did {last.method} to {listing(each.dst[0] for each in others)}"
    causes = tuple(dict.fromkeys(code for each in transactions for code in known_causes(context, each)))
    fragmented = context.result.extra.get("fragmented")
    if fragmented and not fragmented.isdisjoint(last.rows):
        causes += ("fragmented-sip",)
    return context.finding(
        "unanswered-request",
        text + ".",
        call=call,
        rows=last.rows,
        severity="info" if scanned or (once and not lost) else "error" if lost and not once else None,
        affects=_affected(call, last),
        doubtful=_ONCE if once and not scanned else None,
        causes=("scanner",) if scanned else causes,
    )


def _sent(context: Context, transaction: Transaction) -> str:
    """``was sent 7 times in 31.5 s``, and how long the capture went on."""
    copies = 1 + transaction.retransmissions
    messages = context.messages
    if copies > 1:
        took = int(messages.time[transaction.rows[-1]]) - transaction.start
        return f"was sent {many(copies, 'time')} in {seconds(took)} "
    until = context.watched_until[transaction.capture] if context.watched_until else transaction.start
    return f"was sent, {seconds(max(0, until - transaction.start))} before the capture ended, "


def _affected(call: Call, transaction: Transaction) -> str | None:
    if transaction.method in ("INVITE", "CANCEL") and call.answered is None:
        return "caller"
    return transaction.src[0]


def _of_peers(context: Context, groups: dict[tuple[str, str, str], list[Transaction]]) -> Iterator[Finding]:
    sent: dict[tuple[str, str, str], int] = defaultdict(int)
    for each in context.result.transactions:
        key = each.src[0], each.dst[0], each.method
        if key in groups:
            sent[key] += 1
    for key, transactions in groups.items():
        first = transactions[0]
        total, silent = sent[key], len(transactions)
        text = f"{first.method} {hop(first.src, first.dst)} "
        if total == 1:
            text += f"{_sent(context, first)}and drew no response."
        else:
            text += f"drew no response {silent} of {many(total, 'time')}."
        doubts = ["the capture lacks the other direction between these hosts"] * context.is_one_sided(first)
        if not any(each.retransmissions for each in transactions) and _is_datagram(context, first):
            doubts.append(_ONCE)
        yield context.finding(
            "unanswered-request",
            text,
            rows=_first_rows(transactions),
            severity=None if silent == total and not doubts else "info",
            affects=first.src[0],
            doubtful="; ".join(doubts) or None,
        )


def _first_rows(transactions: Iterable[Transaction]) -> list[int]:
    """All rows of one transaction; the first ones of several."""
    found = list(transactions)
    return list(found[0].rows) if len(found) == 1 else [each.rows[0] for each in found]


def _doubtful(context: Context, call: Call) -> Finding:
    """A call that timed out, where no other side of its hop was captured."""
    where = hop(call.src, call.dst) if call.src is not None and call.dst is not None else ""
    return context.finding(
        "unanswered-request",
        f"INVITE {where} drew no response, and was not sent again often.",
        call=call,
        rows=call.rows,
        severity="info",
        affects="caller",
        doubtful="the capture may lack the other direction, as nobody there was heard",
    )


RULES: tuple[Rule, ...] = (unanswered_request,)
