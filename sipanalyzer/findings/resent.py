"""Messages that were sent again, and the acknowledgement that was missing. Floor 7.

Finds ``missing-ack`` (RFC 3261 13.3.1.4), ``missing-prack`` (RFC 3262 section 3) and, where neither of them nor the
lack of any response explains it, ``retransmissions``. A mirror port's second copies are no messages; where one took
the capture, what was sent again is doubtful (:mod:`.doubts`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set

import numpy as np

from ..facts import Finding
from ..result import Transaction
from ..sip.header import find_header
from .context import Context, Rule
from .phrases import hop, many, seconds
from .unanswered import is_unanswered, known_causes

__all__ = ["RULES", "resent"]

_NUMBER = re.compile(r"\s*(\d{1,10})\b")


def resent(context: Context) -> Iterator[Finding]:
    """Everything that was sent again, each under the one code that says why."""
    least = max(1, context.options.retransmissions)
    told: set[tuple[str, str]] = set()
    pracks = _acknowledged(context) if context.trouble.resent else {}
    of_calls: dict[str, list[Transaction]] = defaultdict(list)
    of_peers: dict[tuple[str, str, str], list[Transaction]] = defaultdict(list)
    for each in context.trouble.resent:
        found = missing_ack(context, each) or missing_prack(context, each, pracks)
        if found is not None:
            if (found.code, each.call_id) not in told:  # a call at several hops lacks one ACK, not several
                told.add((found.code, each.call_id))
                yield found
        elif each.retransmissions < least or _is_explained(context, each):
            continue
        elif each.call_id in context.calls:
            of_calls[each.call_id].append(each)
        else:
            of_peers[each.src[0], each.dst[0], each.method].append(each)
    for call_id, transactions in of_calls.items():
        yield _retransmissions(context, transactions, call_id)
    for transactions in of_peers.values():
        yield _retransmissions(context, transactions, None)


def _is_explained(context: Context, transaction: Transaction) -> bool:
    """Whether nobody had to send it again, or another finding tells why."""
    return (
        is_unanswered(context, transaction)
        or transaction.src[0] in context.scanners
        or transaction.dst[0] in context.scanners
    )


def _retransmissions(context: Context, transactions: list[Transaction], call_id: str | None) -> Finding:
    worst = max(transactions, key=lambda each: each.retransmissions)
    messages = context.messages
    copies = [row for each in transactions for row in each.rows if messages.retransmission[row]]
    what = sorted({_kind(context, row) for row in worst.rows if messages.retransmission[row]})
    total = sum(each.retransmissions for each in transactions)
    text = f"{many(worst.retransmissions, 'retransmission')} in {worst.method} {hop(worst.src, worst.dst)} ("
    text += ", ".join(what) + ")"
    if len(transactions) > 1:
        text += f", {total} in {many(len(transactions), 'transaction')} altogether"
    return context.finding(
        "retransmissions",
        text + ".",
        call=call_id,
        rows=copies,
        affects=worst.src[0],
        causes=known_causes(context, worst),
    )


def _kind(context: Context, row: int) -> str:
    status = int(context.messages.status[row])
    return f"response {status}" if status else context.messages.text("method", row) or "request"


# ---- who waits for an acknowledgement


def missing_ack(context: Context, transaction: Transaction) -> Finding | None:
    """A 2xx to INVITE that was sent again and again since no ACK came."""
    least = max(1, context.options.missing_ack)
    if transaction.method != "INVITE" or transaction.retransmissions < least:
        return None
    messages = context.messages
    by_tag: dict[int, list[int]] = defaultdict(list)
    for row in transaction.rows:
        if 200 <= int(messages.status[row]) <= 299:
            by_tag[int(messages.to_tag[row])].append(row)
    for tag, copies in by_tag.items():  # each fork has an ACK of its own
        if len(copies) > least:
            acks = _acks(context, transaction, tag)
            stuck = _stuck_at(transaction, acks)
            if stuck is not None or not acks:
                return _missing_ack(context, transaction, copies, stuck)
    return None


def _acks(context: Context, transaction: Transaction, tag: int) -> list[Transaction]:
    """The ACKs, at whatever hop, for the 2xx with a To tag."""
    messages = context.messages
    number = int(messages.cseq[transaction.rows[0]])
    acks = context.acknowledgements.get((transaction.call_id, number), ())
    return [each for each in acks if int(messages.to_tag[each.rows[0]]) == tag]


def _stuck_at(transaction: Transaction, acks: list[Transaction]) -> str | None:
    """The box that an ACK came to, and that should have passed it on over this hop and did not."""
    here, there = transaction.src[0], transaction.dst[0]
    if here == there or any(here == each.src[0] or there == each.dst[0] for each in acks):
        return None
    return here if any(each.dst[0] == here for each in acks) else None


def _missing_ack(context: Context, transaction: Transaction, copies: list[int], stuck: str | None) -> Finding:
    messages = context.messages
    took = int(messages.time[copies[-1]]) - int(messages.time[copies[0]])
    text = f"{transaction.dst[0]} sent its {int(messages.status[copies[0]])} to INVITE {many(len(copies), 'time')} "
    text += f"in {seconds(took)}, and "
    text += f"the ACK that came to {stuck} was not passed on." if stuck else "no ACK came."
    return context.finding("missing-ack", text, call=transaction.call_id, rows=copies, affects="callee")


def _acknowledged(context: Context) -> dict[str, set[int | None]]:
    """Numbers (RSeq) that the PRACKs of each call acknowledge; None among them where one cannot be read."""
    messages = context.messages
    found: dict[str, set[int | None]] = {}
    for call_id, rows in context.by_call(np.flatnonzero(context.requests("PRACK"))).items():
        numbers = (_NUMBER.match(find_header(messages.raw(row), "RAck") or "") for row in rows)
        found[call_id] = {None if number is None else int(number[1]) for number in numbers}
    return found


def missing_prack(context: Context, transaction: Transaction, pracks: Mapping[str, Set[int | None]]) -> Finding | None:
    """A reliable provisional response that was sent again and again since no PRACK came."""
    least = max(1, context.options.retransmissions)
    if transaction.method != "INVITE" or transaction.retransmissions < least:
        return None
    messages = context.messages
    by_bytes: dict[int, list[int]] = defaultdict(list)
    for row in transaction.rows:
        if 101 <= int(messages.status[row]) <= 199:
            by_bytes[int(messages.whole[row])].append(row)
    copies = max(by_bytes.values(), key=len, default=[])
    if len(copies) <= least:
        return None
    raw = messages.raw(copies[0])
    serial, required = _NUMBER.match(find_header(raw, "RSeq") or ""), find_header(raw, "Require") or ""
    if serial is None or "100rel" not in required.lower():
        return None
    if not {None, int(serial[1])}.isdisjoint(pracks.get(transaction.call_id, ())):
        return None
    took = int(messages.time[copies[-1]]) - int(messages.time[copies[0]])
    return context.finding(
        "missing-prack",
        f"{transaction.dst[0]} sent its reliable {int(messages.status[copies[0]])} {many(len(copies), 'time')} in "
        f"{seconds(took)}, and no PRACK came.",
        call=transaction.call_id,
        rows=copies,
        affects="callee",
    )


RULES: tuple[Rule, ...] = (resent,)
