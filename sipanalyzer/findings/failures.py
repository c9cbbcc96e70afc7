"""Calls and requests that were refused. Floor 7.

Finds ``call-rejected``, ``server-error``, ``auth-failure`` and ``reinvite-failed``. Who is busy, does not take up the
phone, or hangs up before somebody does is no failure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..facts import Finding
from ..result import Call, Transaction
from .context import Context, Rule
from .phrases import hop, listing, many, status_line

__all__ = ["RULES", "auth_failure", "call_rejected", "reinvite_failed", "server_error"]

_DECLINED = frozenset({603, 607, 608})
"""A person declined, or what speaks for him: nothing has to be mended (RFC 3261 21.6.2, 8197, 8688)."""
_NOT_SPOKEN = (501, 505)
"""A server that does not know a method says so, and nothing is wrong with it."""
_SETTLED = frozenset({401, 407, 487})
"""Failures of a re-INVITE that are no verdict: credentials are asked for; it was cancelled."""
_TRY_AGAIN = frozenset({408, 422, 491, 500, 503})
"""Failures that ask for another try: none where that one is taken."""


def call_rejected(context: Context) -> Iterator[Finding]:
    """Calls refused with 4xx or 6xx, other than for want of credentials."""
    for call in context.refused:
        status = call.status_code
        if status is None or status // 100 not in (4, 6) or call.state not in ("rejected", "failed"):
            continue
        if status in (401, 407) or (call.auth == "failed" and status == 403):
            continue  # auth-failure says more, or the capture ends before the verdict
        text = f"{_parties(call)} was refused with {status_line(status, call.reason)}"
        if call.release_cause:
            text += f" ({call.release_cause})"
        yield _refusal(context, "call-rejected", call, text + ".", "info" if status in _DECLINED else None)


def auth_failure(context: Context) -> Iterator[Finding]:
    """Calls whose caller could not, or did not, prove who he is."""
    for call in context.result.calls:
        if call.auth != "failed":
            continue
        asked = f"{_parties(call)} was challenged for credentials"
        status = call.status_code
        if call.answered is not None:
            yield _refusal(context, "auth-failure", call, f"{asked} within the dialog, and none were taken.", "warning")
        elif status is not None and status >= 300:
            yield _refusal(
                context, "auth-failure", call, f"{asked}, and ended with {status_line(status, call.reason)}.", None
            )
        else:
            yield _refusal(context, "auth-failure", call, f"{asked}, and none were taken.", None)


def server_error(context: Context) -> Iterator[Finding]:
    """5xx to calls, and to whatever else was asked of a server."""
    peers: dict[tuple[str, str, str, int], list[Transaction]] = defaultdict(list)
    inside: dict[tuple[str, str, int], list[Transaction]] = defaultdict(list)
    passed: dict[str, list[Transaction]] = defaultdict(list)
    registers = bool(context.result.registrations)
    for each in context.trouble.failed:
        status = each.status_code or 0
        if status // 100 != 5:
            continue
        call = context.calls.get(each.call_id)
        if call is None:
            if each.src[0] not in context.scanners and not (registers and each.method == "REGISTER"):
                peers[each.src[0], each.dst[0], each.method, status].append(each)
        elif each.method != "INVITE":
            inside[each.call_id, each.method, status].append(each)
        elif int(context.messages.to_tag[each.rows[0]]) < 0 and (call.status_code or 0) // 100 != 5:
            passed[each.call_id].append(each)
    for call in context.refused:
        status = call.status_code or 0
        if call.state == "failed" and status // 100 == 5:
            text = f"{_parties(call)} failed with {status_line(status, call.reason)}"
            text += f" ({call.release_cause})" if call.release_cause else ""
            yield _refusal(context, "server-error", call, text + ".", None)
    for call_id, each_of in passed.items():
        yield context.finding(
            "server-error",
            f"{listing(f'{each.dst[0]} answered INVITE with {each.status_code}' for each in each_of)}, which did not "
            f"decide the call.",
            call=call_id,
            rows=[_final(context, each) for each in each_of],
            severity="info",
        )
    for (call_id, method, status), each_of in inside.items():
        yield _of_requests(context, method, status, each_of, call_id)
    for (_, _, method, status), each_of in peers.items():
        yield _of_requests(context, method, status, each_of, None)


def _of_requests(
    context: Context, method: str, status: int, transactions: list[Transaction], call_id: str | None
) -> Finding:
    first = transactions[0]
    times = f" {many(len(transactions), 'time')}" if len(transactions) > 1 else ""
    reason = context.messages.text("reason", _final(context, first))
    return context.finding(
        "server-error",
        f"{method} {hop(first.src, first.dst)} was answered with {status_line(status, reason)}{times}.",
        call=call_id,
        rows=[_final(context, each) for each in transactions],
        severity="info" if status in _NOT_SPOKEN else "warning",
        affects=first.src[0],
    )


def reinvite_failed(context: Context) -> Iterator[Finding]:
    """INVITE or UPDATE within a confirmed dialog that was refused, and not only put off."""
    refused: dict[str, list[Transaction]] = defaultdict(list)
    last = _last_taken(context) if context.trouble.failed else {}
    for each in context.trouble.failed:
        if each.method not in ("INVITE", "UPDATE") or each.final_response is None or each.status_code in _SETTLED:
            continue
        call = context.calls.get(each.call_id)
        if call is None or int(context.messages.to_tag[each.rows[0]]) < 0:
            continue
        confirmed = call.partial if call.answered is None else each.start > call.answered
        if call.first_bye is not None and each.final_response > call.first_bye:
            continue  # it crossed the BYE
        taken = last.get((each.call_id, each.method, each.src[0]), 0)
        if confirmed and not (each.status_code in _TRY_AGAIN and taken > each.start):
            refused[each.call_id].append(each)
    for call_id, transactions in refused.items():
        first = transactions[0]
        rows = [_final(context, each) for each in transactions]
        reason = context.messages.text("reason", rows[0])
        text = f"{first.method} {hop(first.src, first.dst)} within the call was refused with "
        text += status_line(first.status_code or 0, reason)
        number = len({(each.method, int(context.messages.cseq[each.rows[0]])) for each in transactions})
        if number > 1:
            text += f", the first of {number}"
        yield context.finding("reinvite-failed", text + ".", call=call_id, rows=rows, affects=first.src[0])


def _last_taken(context: Context) -> dict[tuple[str, str, str], int]:
    """When a request that was accepted was last made, by Call-ID, method and sender."""
    return {
        (each.call_id, each.method, each.src[0]): each.start
        for each in context.result.transactions
        if each.method in ("INVITE", "UPDATE") and 200 <= (each.status_code or 0) < 300
    }


def _parties(call: Call) -> str:
    return f"The call of {call.caller or 'an unknown caller'} to {call.callee or 'an unknown callee'}"


def _final(context: Context, transaction: Transaction) -> int:
    """Row of a transaction's final response; its request where there is none."""
    status = context.messages.status
    return next((row for row in transaction.rows if int(status[row]) >= 200), transaction.rows[0])


def _refusal(context: Context, code: str, call: Call, text: str, severity: str | None) -> Finding:
    """A finding about how a call ended; one of a scanner's calls is as it should be."""
    scanned = call.src is not None and call.src[0] in context.scanners
    messages = context.messages
    invite = context.method("INVITE")
    rows = [
        row
        for row in call.rows
        if int(messages.status[row]) == call.status_code and int(messages.method[row]) == invite
    ]
    return context.finding(
        code,
        text,
        call=call,
        rows=rows[-1:] or call.rows[:1],
        severity="info" if scanned else severity,
        affects="caller",
        causes=("scanner",) if scanned else (),
    )


RULES: tuple[Rule, ...] = (call_rejected, auth_failure, server_error, reinvite_failed)
