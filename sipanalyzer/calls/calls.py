"""Which messages make a call what it was: all of one Call-ID that has an INVITE outside a dialog, or the rest of one.

Owns: which Call-IDs are calls, and in each of them which message is the first, rang, answered, ended it and so on. In:
the message table, transactions, dialogs and the time of the capture's last packet. Out: a :class:`Judged`, as rows of
the message table; :mod:`.assembly` reads times and texts off them and makes `Call` objects.

One Call-ID is one call, whatever happens under it: forks, retries with credentials or at another target, and also a
fresh INVITE after the first call ended (a few clients and generators use a Call-ID again; the contract counts messages
by Call-ID). State and times are those of the hop nearest to the caller (:mod:`.hops`), counts are those of all hops.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..options import Options
from ..result import Call, Dialog, Messages, Transaction
from ..sip.sdp import sdp_limits
from .assembly import Judged, Said, make_calls
from .authentication import judge_authentication
from .dialogs import acks_of_failures
from .hops import CallerHop, find_caller_hop, initial_invites
from .identities import product_of_callee, product_of_caller
from .negotiation import Descriptions, read_descriptions
from .outcome import Outcome, judge, judge_partial
from .release import Release, find_release, find_release_of_partial
from .rows import Requests, Rows, number_hosts, read_rows, sort_requests

__all__ = ["build_calls", "digits_in_info", "judge_calls"]

_OF_CALLS = ("INVITE", "ACK", "BYE", "PRACK", "CANCEL")
"""Methods that only calls have; their responses show a call as well."""
_OF_DIALOGS = ("UPDATE", "INFO")
"""Methods that show a call where the request has a To tag."""
_DIGITS = ("application/dtmf-relay", "application/dtmf")
_MOST_ASKED = 32
"""Further INVITEs of a call that are asked for identities."""


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
    descriptions = read_descriptions(messages, sdp_limits(options))
    return make_calls(
        messages,
        judge_calls(messages, transactions, descriptions, capture_end, options),
        dialogs,
        descriptions,
    )


def judge_calls(
    messages: Messages, transactions: list[Transaction], descriptions: Descriptions, capture_end: int, options: Options
) -> Judged:
    """Say of each call which of its messages made it what it was.

    Parameters
    ----------
    messages, transactions, capture_end, options
        As in :func:`build_calls`.
    descriptions : Descriptions
        Of these messages.
    """
    if not len(messages):
        return Judged.of([], [], [], [])
    work = _Work.of(messages, transactions, descriptions, capture_end, options)
    order = np.argsort(messages.call_id, kind="stable")
    of_call = messages.call_id[order]
    bounds = [0, *(np.flatnonzero(np.diff(of_call)) + 1).tolist(), len(order)]
    wanted = set(messages.call_id[_shows_call(messages)].tolist())
    order_list, of_call_list = order.tolist(), of_call.tolist()
    groups = [
        order_list[begin:end]
        for begin, end in itertools.pairwise(bounds)
        if of_call_list[begin] >= 0 and of_call_list[begin] in wanted
    ]
    found = [_judge(work, members) for members in groups]
    return Judged.of(groups, [each[0] for each in found], [each[1] for each in found], [each[2] for each in found])


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
    """What all calls are judged by."""

    rows: Rows
    host: list[int]
    """A number for the host of each endpoint."""
    transactions: dict[int, list[Transaction]]
    """By Call-ID, in order of time."""
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
        descriptions: Descriptions,
        capture_end: int,
        options: Options,
    ) -> _Work:
        rows = read_rows(messages)
        by_call: dict[int, list[Transaction]] = defaultdict(list)
        for transaction in transactions:
            by_call[rows.call_id[transaction.rows[0]]].append(transaction)
        return cls(
            rows=rows,
            host=number_hosts(messages).tolist(),
            transactions=by_call,
            acks_of_failures=acks_of_failures(rows, transactions),
            digits=set(np.flatnonzero(digits_in_info(messages)).tolist()),
            descriptions=descriptions,
            capture_end=capture_end,
            timeout_ns=options.transaction_timeout_ns,
        )


def digits_in_info(messages: Messages) -> npt.NDArray[np.bool_]:
    """INFO requests that carry digits."""
    methods = messages.texts["method"]
    types = [
        number
        for number, text in enumerate(messages.texts["content_type"])
        if text.split(";")[0].strip().lower() in _DIGITS
    ]
    info = messages.method == (methods.index("INFO") if "INFO" in methods else -2)
    found: npt.NDArray[np.bool_] = info & (messages.status == 0) & np.isin(messages.content_type, types)
    return found


def _judge(work: _Work, members: list[int]) -> tuple[dict[str, int | None], Said, list[int]]:
    """Rows by name, what else is said, and the messages to ask for identities."""
    rows = work.rows
    transactions = work.transactions.get(rows.call_id[members[0]], [])
    initial = initial_invites([each for each in transactions if each.method == "INVITE"], rows)
    if not initial:
        return _judge_partial(work, members, transactions)
    hop = find_caller_hop(initial, rows, work.host)
    requests = sort_requests(members, rows)
    outcome = judge(hop, requests, rows, work.acks_of_failures, work.capture_end, work.timeout_ns)
    release = find_release(hop, requests.byes, transactions, outcome, rows)
    first = hop.attempts[0].rows[0]
    others = [each.rows[0] for each in initial if each.rows[0] != first]
    auth = judge_authentication(transactions, rows, work.capture_end, work.timeout_ns, hop)
    said = _say(work, members, outcome, release, None if auth == "failed" and _answered_unseen(outcome) else auth)
    found = {
        **_rows_of(outcome, release, _negotiate(work, hop, outcome, requests)),
        "first": first,
        "user_agent": product_of_caller(rows, first, (row for row in members if _sent(rows, row, hop.tags))),
        "server": product_of_callee(
            rows, outcome.responses, (row for row in members if _sent_by_others(rows, row, hop))
        ),
    }
    return found, said, [first, *others[:_MOST_ASKED]]


def _say(work: _Work, members: list[int], outcome: Outcome, release: Release, auth: str | None) -> Said:
    return Said(
        state=outcome.state,
        timed_out=outcome.timed_out,
        released_by=release.by,
        auth=auth,
        dtmf_info=bool(work.digits) and not work.digits.isdisjoint(members),
    )


def _rows_of(outcome: Outcome, release: Release, negotiated: tuple[int | None, int | None]) -> dict[str, int | None]:
    causes = [*release.messages, None, None, None]
    return {
        "final": outcome.final,
        "ringing": outcome.ringing,
        "answered": outcome.answered,
        "acknowledged": outcome.acknowledged,
        "end": release.end,
        "first_bye": release.first_bye,
        "bye_final": release.bye_final,
        "offer": negotiated[0],
        "answer": negotiated[1],
        "cause": causes[0],
        "second_cause": causes[1],
        "third_cause": causes[2],
    }


def _answered_unseen(outcome: Outcome) -> bool:
    """Whether the call was answered though the capture lacks the 2xx: then it may lack credentials as well."""
    return outcome.state in ("in-call", "completed") and outcome.answered is None


def _sent(rows: Rows, row: int, tags: set[int]) -> bool:
    return rows.status[row] == 0 and rows.from_tag[row] in tags


def _sent_by_others(rows: Rows, row: int, hop: CallerHop) -> bool:
    return rows.status[row] == 0 and rows.from_tag[row] not in hop.tags and rows.to_tag[row] in hop.tags


def _judge_partial(
    work: _Work, members: list[int], transactions: list[Transaction]
) -> tuple[dict[str, int | None], Said, list[int]]:
    rows = work.rows
    requests = sort_requests(members, rows)
    outcome = judge_partial(members, requests, transactions, rows, work.acks_of_failures)
    release = find_release_of_partial(requests.byes, transactions, outcome, rows)
    again = next((each.rows for each in transactions if each.method == "INVITE"), None)
    if again is None:
        responses = outcome.responses
    else:
        responses = [row for row in again if rows.status[row]]
    negotiated = work.descriptions.offer_and_answer(
        again[0] if again else None,
        [row for row in responses if 100 < rows.status[row] < 200],
        [row for row in responses if 200 <= rows.status[row] < 300],
        (*requests.pracks, *requests.acks),
    )
    auth = judge_authentication(transactions, rows, work.capture_end, work.timeout_ns)
    return _rows_of(outcome, release, negotiated), _say(work, members, outcome, release, auth), []


def _negotiate(work: _Work, hop: CallerHop, outcome: Outcome, requests: Requests) -> tuple[int | None, int | None]:
    """Offer and answer of the INVITE that decided; of the dialog that answered first, where one did."""
    rows = work.rows
    deciding = outcome.deciding
    if deciding is None:
        return None, None
    provisional = [row for row in deciding.rows if 100 < rows.status[row] < 200]
    accepted = [row for row in deciding.rows if 200 <= rows.status[row] < 300]
    if accepted:
        tag = rows.to_tag[accepted[0]]
        provisional.sort(key=lambda row: rows.to_tag[row] != tag)
        accepted = [row for row in accepted if rows.to_tag[row] == tag]
    replies = (row for row in (*requests.pracks, *requests.acks) if rows.from_tag[row] in hop.tags)
    return work.descriptions.offer_and_answer(deciding.rows[0], provisional, accepted, replies)
