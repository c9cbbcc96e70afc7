"""Calls: all messages of one Call-ID that has an INVITE outside a dialog, or the rest of one (a partial call).

Owns: which Call-IDs are calls, and what each was: state, times, parties, release. In: the message table, transactions,
dialogs and the time of the capture's last packet. Out: `Call` objects in order of start; what media add is left out.

One Call-ID is one call, whatever happens under it: forks, retries with credentials or at another target, and also a
fresh INVITE after the first call ended (a few clients and generators use a Call-ID again; the contract counts messages
by Call-ID). State and times are those of the hop nearest to the caller (:mod:`.hops`), counts are those of all hops.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..options import Options
from ..result import TRANSPORTS, Call, Dialog, Messages, Transaction
from ..sip.uri import user_part
from .authentication import judge_authentication
from .dialogs import acks_of_failures
from .hops import CallerHop, find_caller_hop, initial_invites
from .identities import ASSERTED, CAUSE, DIVERTED, find_first, product_of_callee, product_of_caller
from .negotiation import Descriptions, Negotiated
from .outcome import Outcome, judge, judge_partial
from .release import Release, find_release, find_release_of_partial
from .rows import Requests, Rows, read_rows, sort_requests

__all__ = ["build_calls"]

_OF_CALLS = ("INVITE", "ACK", "BYE", "PRACK", "CANCEL")
"""Methods that only calls have; their responses show a call as well."""
_OF_DIALOGS = ("UPDATE", "INFO")
"""Methods that show a call where the request has a To tag."""
_PLAIN = re.compile(r"sips?:([A-Za-z0-9_.+\-]+)@[A-Za-z0-9.\-]+(?::[0-9]{1,5})?")
"""URIs of which the user part needs no parser: nearly all."""
_DIGITS = ("application/dtmf-relay", "application/dtmf")


def build_calls(
    messages: Messages, transactions: list[Transaction], dialogs: list[Dialog], capture_end: int, options: Options
) -> list[Call]:
    """Make the calls.

    Parameters
    ----------
    messages : Messages
        In order of time, capture duplicates dropped, retransmissions marked.
    transactions, dialogs : list
        As `match_transactions` and `track_dialogs` find them.
    capture_end : int
        Time of the last packet of the captures, ns.
    options : Options
        `transaction_timeout_ns` is 64*T1.

    Returns
    -------
    list of Call
        In order of start (of a partial call: of its first message), then of first frame.
    """
    if not len(messages):
        return []
    work = _Work.of(messages, transactions, dialogs, capture_end, options)
    order = np.argsort(messages.call_id, kind="stable")
    of_call = messages.call_id[order]
    bounds = [0, *(np.flatnonzero(np.diff(of_call)) + 1).tolist(), len(order)]
    wanted = set(np.unique(messages.call_id[_shows_call(messages)]).tolist())
    order_list, of_call_list = order.tolist(), of_call.tolist()
    calls = [
        _build(work, of_call_list[begin], order_list[begin:end])
        for begin, end in itertools.pairwise(bounds)
        if of_call_list[begin] >= 0 and of_call_list[begin] in wanted
    ]
    return sorted(calls, key=lambda call: (call.first_time if call.start is None else call.start, call.first_frame))


def _shows_call(messages: Messages) -> npt.NDArray[np.bool_]:
    """Messages that only a call has."""
    methods = messages.texts["method"]
    of_calls = [number for number, method in enumerate(methods) if method in _OF_CALLS]
    of_dialogs = [number for number, method in enumerate(methods) if method in _OF_DIALOGS]
    inside = np.isin(messages.method, of_dialogs) & (messages.status == 0) & (messages.to_tag >= 0)
    shows: npt.NDArray[np.bool_] = np.isin(messages.method, of_calls) | inside
    return shows


@dataclass(slots=True)
class _Work:
    """What all calls are made from."""

    rows: Rows
    host: list[int]
    """A number for the host of each endpoint."""
    transport: list[int]
    transactions: dict[int, list[Transaction]]
    """By Call-ID, in order of time."""
    dialog_counts: dict[str, int]
    acks_of_failures: set[int]
    digits: set[int]
    """Rows of INFO requests that carry digits."""
    descriptions: Descriptions
    capture_end: int
    timeout_ns: int

    @classmethod
    def of(
        cls,
        messages: Messages,
        transactions: list[Transaction],
        dialogs: list[Dialog],
        capture_end: int,
        options: Options,
    ) -> _Work:
        rows = read_rows(messages)
        by_call: dict[int, list[Transaction]] = defaultdict(list)
        for transaction in transactions:
            by_call[rows.call_id[transaction.rows[0]]].append(transaction)
        counts: dict[str, int] = defaultdict(int)
        for dialog in dialogs:
            counts[dialog.call_id] += 1
        numbers: dict[str, int] = {}
        return cls(
            rows=rows,
            host=[numbers.setdefault(address, len(numbers)) for address, _ in messages.endpoints],
            transport=messages.transport.tolist(),
            transactions=by_call,
            dialog_counts=counts,
            acks_of_failures=acks_of_failures(rows, transactions),
            digits=_info_with_digits(rows),
            descriptions=Descriptions(rows, (messages.body_length > 0).tolist()),
            capture_end=capture_end,
            timeout_ns=options.transaction_timeout_ns,
        )


def _info_with_digits(rows: Rows) -> set[int]:
    messages = rows.messages
    types = [
        number
        for number, text in enumerate(messages.texts["content_type"])
        if text.split(";")[0].strip().lower() in _DIGITS
    ]
    found = np.flatnonzero(np.isin(messages.content_type, types) & (messages.status == 0)).tolist()
    return {row for row in found if rows.method[row] == "INFO"}


def _build(work: _Work, call_id: int, members: list[int]) -> Call:
    transactions = work.transactions.get(call_id, [])
    initial = initial_invites([each for each in transactions if each.method == "INVITE"], work.rows)
    if not initial:
        return _build_partial(work, call_id, members, transactions)
    rows, messages = work.rows, work.rows.messages
    hop = find_caller_hop(initial, rows, work.host)
    requests = sort_requests(members, rows)
    outcome = judge(hop, requests, rows, work.acks_of_failures, work.capture_end, work.timeout_ns)
    release = find_release(hop, requests.byes, transactions, outcome, rows)
    first = hop.attempts[0].rows[0]
    others = [each.rows[0] for each in initial if each.rows[0] != first]
    auth = judge_authentication(transactions, rows, work.capture_end, work.timeout_ns, hop)
    asserted, diversion = find_first(rows, [first, *others[:32]], ASSERTED, DIVERTED)
    return _assemble(
        work,
        call_id,
        members,
        outcome,
        release,
        _negotiate(work, hop, outcome, requests),
        first=first,
        asserted=asserted,
        diversion=diversion,
        user_agent=product_of_caller(rows, first, (row for row in members if _sent(rows, row, hop.tags))),
        server=product_of_callee(rows, outcome.responses, (row for row in members if _sent_by_others(rows, row, hop))),
        auth=None if auth == "failed" and _answered_unseen(outcome) else auth,
        caller_tag=messages.text("from_tag", first),
    )


def _answered_unseen(outcome: Outcome) -> bool:
    """Whether the call was answered though the capture lacks the 2xx: then it may lack credentials as well."""
    return outcome.state in ("in-call", "completed") and outcome.answered is None


def _sent(rows: Rows, row: int, tags: set[int]) -> bool:
    return rows.status[row] == 0 and rows.from_tag[row] in tags


def _sent_by_others(rows: Rows, row: int, hop: CallerHop) -> bool:
    return rows.status[row] == 0 and rows.from_tag[row] not in hop.tags and rows.to_tag[row] in hop.tags


def _build_partial(work: _Work, call_id: int, members: list[int], transactions: list[Transaction]) -> Call:
    rows = work.rows
    requests = sort_requests(members, rows)
    outcome = judge_partial(members, requests, transactions, rows, work.acks_of_failures)
    release = find_release_of_partial(requests.byes, transactions, outcome, rows)
    again = next((each.rows for each in transactions if each.method == "INVITE"), None)
    if again is None:
        responses = outcome.responses
    else:
        responses = [row for row in again if rows.status[row]]
    negotiated = work.descriptions.negotiated(
        again[0] if again else None,
        [row for row in responses if 100 < rows.status[row] < 200],
        [row for row in responses if 200 <= rows.status[row] < 300],
        (*requests.pracks, *requests.acks),
    )
    return _assemble(
        work,
        call_id,
        members,
        outcome,
        release,
        negotiated,
        first=None,
        asserted=None,
        diversion=None,
        user_agent=None,
        server=None,
        auth=judge_authentication(transactions, rows, work.capture_end, work.timeout_ns),
        caller_tag=None,
    )


def _negotiate(work: _Work, hop: CallerHop, outcome: Outcome, requests: Requests) -> Negotiated:
    """Offer and answer of the INVITE that decided; of the dialog that answered first, where one did."""
    rows = work.rows
    deciding = outcome.deciding
    if deciding is None:
        return Negotiated()
    provisional = [row for row in deciding.rows if 100 < rows.status[row] < 200]
    accepted = [row for row in deciding.rows if 200 <= rows.status[row] < 300]
    if accepted:
        tag = rows.to_tag[accepted[0]]
        provisional.sort(key=lambda row: rows.to_tag[row] != tag)
        accepted = [row for row in accepted if rows.to_tag[row] == tag]
    replies = (row for row in (*requests.pracks, *requests.acks) if rows.from_tag[row] in hop.tags)
    return work.descriptions.negotiated(deciding.rows[0], provisional, accepted, replies)


def _assemble(
    work: _Work,
    call_id: int,
    members: list[int],
    outcome: Outcome,
    release: Release,
    negotiated: Negotiated,
    *,
    first: int | None,
    asserted: str | None,
    diversion: str | None,
    user_agent: str | None,
    server: str | None,
    auth: str | None,
    caller_tag: str | None,
) -> Call:
    rows, messages = work.rows, work.rows.messages
    shown = members[0] if first is None else first
    capture = rows.capture[members[0]]
    frames = [rows.frame[row] for row in members if rows.capture[row] == capture]
    cause = find_first(rows, release.messages, CAUSE)[0] if release.messages else None
    text = messages.texts["call_id"][call_id]
    return Call(
        call_id=text,
        state=outcome.state,
        status_code=outcome.status_code,
        reason=outcome.reason,
        caller=None if first is None else _user(work, "from_uri", first),
        callee=None if first is None else _user(work, "to_uri", first),
        from_uri=messages.text("from_uri", shown),
        to_uri=messages.text("to_uri", shown),
        request_uri=None if first is None else messages.text("request_uri", first),
        asserted_identity=asserted,
        diversion=diversion,
        src=None if first is None else messages.endpoints[rows.src[first]],
        dst=None if first is None else messages.endpoints[rows.dst[first]],
        transport=TRANSPORTS[work.transport[shown]],
        user_agent=user_agent,
        server=server,
        start=None if first is None else rows.time[first],
        ringing=outcome.ringing,
        answered=outcome.answered,
        end=release.end,
        acknowledged=outcome.acknowledged,
        first_bye=release.first_bye,
        bye_final=release.bye_final,
        released_by=release.by,
        release_cause=cause,
        messages=len(members),
        retransmissions=sum([rows.retransmission[row] for row in members]),
        dialogs=work.dialog_counts.get(text, 0),
        auth=auth,
        dtmf_info=bool(work.digits) and not work.digits.isdisjoint(members),
        codecs_offered=negotiated.offered,
        codecs_answered=negotiated.answered,
        dtmf_negotiated=negotiated.events,
        partial=first is None,
        capture=capture,
        first_frame=min(frames),
        last_frame=max(frames),
        first_time=rows.time[members[0]],
        last_time=rows.time[members[-1]],
        caller_tag=caller_tag,
        rows=tuple(members),
    )


def _user(work: _Work, column: str, row: int) -> str | None:
    uri = work.rows.messages.text(column, row)
    if uri is None:
        return None
    plain = _PLAIN.fullmatch(uri)
    return plain[1] if plain else user_part(uri)
