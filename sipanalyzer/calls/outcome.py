"""What became of one call as its caller saw it: status, state, and the times up to the answer.

Owns: the choice of the final response, and the facts that decide the state. In: the hop nearest to the caller and the
rows of one Call-ID. Out: an `Outcome`, as rows: times and texts are read off them later. Release is another file's
(:mod:`.release`), the state rules are :mod:`.states`.

The final response: the first 2xx of the initial INVITE if there is one (at another hop, where an ACK or BYE proves it
and the caller's hop lacks it: then no time is taken from it); else the latest failure. A failure that the caller
answered with a new INVITE (credentials, another target, other parameters) does not count while that is pending, so a
call that was challenged and rings now is ringing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..result import Transaction
from .hops import CallerHop
from .rows import Requests, Rows
from .states import Facts, decide_state

__all__ = ["Outcome", "judge", "judge_partial"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call, and the messages (rows) that say so; None where not seen."""

    state: str
    timed_out: bool
    """Whether it failed since nobody responded."""
    final: int | None
    """The final response that counts."""
    ringing: int | None
    answered: int | None
    acknowledged: int | None
    cancel: int | None
    """The CANCEL of the INVITE that decided."""
    responses: list[int]
    """Responses to the initial INVITEs at the caller's hop."""
    deciding: Transaction | None
    """The INVITE whose response counts, or is awaited; None of a partial call."""


def judge(
    hop: CallerHop, requests: Requests, rows: Rows, acks_of_failures: set[int], capture_end: int, timeout_ns: int
) -> Outcome:
    """Say what became of a call whose initial INVITE was captured.

    Parameters
    ----------
    hop : CallerHop
        Nearest to the caller.
    requests : Requests
        Those of the Call-ID that matter here, at all hops.
    rows : Rows
        Message table.
    acks_of_failures : set of int
        Rows of ACKs that prove no 2xx.
    capture_end, timeout_ns : int
        Time of the last packet; how long an INVITE waits for a response (64*T1).
    """
    status = rows.status
    responses = sorted(row for attempt in hop.attempts for row in attempt.rows if status[row])
    accepted = [row for row in responses if 200 <= status[row] < 300]
    deciding, final = _find_final(hop.attempts, rows)
    if accepted:
        final = accepted[0]
        deciding = next(attempt for attempt in hop.attempts if final in attempt.rows)
    pending = hop.attempts if final is not None else _pending(hop.attempts, rows)
    ringing = next((row for row in responses if 180 <= status[row] <= 183), None)

    cseq = rows.cseq[deciding.rows[0]]
    cancel = next(
        (row for row in requests.cancels if rows.cseq[row] == cseq and hop.place(rows.src[row]) == hop.caller), None
    )
    if accepted:
        confirmed = {_pair(rows, row) for row in accepted}
    else:
        confirmed = set(_proofs(hop, requests, rows, acks_of_failures, final))
        if confirmed or final is None:
            final = _accepted_elsewhere(hop, confirmed, rows)
    gone = {_pair(rows, row) for row in requests.byes}
    facts = Facts(
        answered=bool(confirmed),
        ended=bool(gone) and all(pair in gone or pair[0] < 0 for pair in confirmed),
        withdrawn=cancel is not None or bool(requests.byes),
        final=status[final] if final is not None else None,
        rang=ringing is not None and (final is None or ringing < final),
        unanswered=final is None
        and not any(status[row] for attempt in pending for row in attempt.rows)
        and capture_end - _last_invite(pending, rows) >= timeout_ns,
        provisional=any(100 < status[row] < 200 for row in responses),
    )
    state = decide_state(facts)
    return Outcome(
        state=state,
        timed_out=state == "failed" and final is None,
        final=final,
        ringing=ringing,
        answered=accepted[0] if accepted else None,
        acknowledged=_acknowledged(hop, accepted[0], requests.acks, rows) if accepted else None,
        cancel=cancel,
        responses=responses,
        deciding=deciding,
    )


def _find_final(attempts: list[Transaction], rows: Rows) -> tuple[Transaction, int | None]:
    """The INVITE that decides and its failure; without the failure where a later INVITE is pending."""
    failures = [
        (final, attempt)
        for attempt in attempts
        if (final := next((row for row in attempt.rows if rows.status[row] >= 300), None)) is not None
    ]
    if not failures:
        return attempts[-1], None
    final, attempt = max(failures, key=lambda failure: failure[0])
    if attempts[-1].rows[0] > final:
        return attempts[-1], None
    return attempt, final


def _pending(attempts: list[Transaction], rows: Rows) -> list[Transaction]:
    return [attempt for attempt in attempts if not any(rows.status[row] >= 300 for row in attempt.rows)]


def _last_invite(attempts: list[Transaction], rows: Rows) -> int:
    return max(rows.time[row] for attempt in attempts for row in attempt.rows if rows.method[row] == "INVITE")


def _pair(rows: Rows, row: int) -> tuple[int, int]:
    one, other = rows.from_tag[row], rows.to_tag[row]
    return (one, other) if one < other else (other, one)


def _proofs(
    hop: CallerHop, requests: Requests, rows: Rows, acks_of_failures: set[int], failure: int | None
) -> Iterator[tuple[int, int]]:
    """Dialogs that a request shows to be confirmed though the caller's hop shows no 2xx.

    The ACK of a 2xx does, at whatever hop, since the caller sends it; and so does a BYE of the callee, who must not
    send one in an early dialog (RFC 3261 15). The caller may. After a failure they prove that an INVITE which the
    capture lacks was answered: the ACK where its CSeq number is of no INVITE here, the BYE where it came to the caller.
    """
    numbers = {rows.cseq[attempt.rows[0]] for attempt in hop.attempts} if failure is not None else set()
    for row in requests.acks:
        if (
            rows.to_tag[row] >= 0
            and rows.from_tag[row] in hop.tags
            and row not in acks_of_failures
            and (failure is None or (row > failure and rows.cseq[row] not in numbers))
        ):
            yield _pair(rows, row)
    for row in requests.byes:
        if (
            rows.from_tag[row] not in hop.tags
            and rows.to_tag[row] in hop.tags
            and (failure is None or (row > failure and hop.sees(rows, row)))
        ):
            yield _pair(rows, row)


def _accepted_elsewhere(hop: CallerHop, confirmed: set[tuple[int, int]], rows: Rows) -> int | None:
    """The 2xx of a proven dialog at another hop, where the capture lacks it at the caller's."""
    found = [
        row
        for transaction in (hop.elsewhere if confirmed else ())
        for row in transaction.rows
        if 200 <= rows.status[row] < 300 and _pair(rows, row) in confirmed
    ]
    return min(found, default=None)


def _acknowledged(hop: CallerHop, accepted: int, acks: list[int], rows: Rows) -> int | None:
    """The first ACK for a 2xx."""
    acks = [
        row
        for row in acks
        if row > accepted and rows.cseq[row] == rows.cseq[accepted] and rows.to_tag[row] == rows.to_tag[accepted]
    ]
    near = [row for row in acks if hop.sees(rows, row)]
    return next(iter(near or acks), None)


def judge_partial(
    members: list[int],
    requests: Requests,
    transactions: list[Transaction],
    rows: Rows,
    acks_of_failures: set[int],
) -> Outcome:
    """Say what became of a call whose initial INVITE came before the capture.

    Responses to an INVITE that was not captured are taken for those of the initial INVITE. Everything that only an
    answered call has proves the answer; digits and updates do where nothing speaks against it.
    """
    status, method = rows.status, rows.method
    inside = {row for transaction in transactions if transaction.method == "INVITE" for row in transaction.rows}
    responses = [row for row in members if status[row] and method[row] == "INVITE" and row not in inside]
    accepted = [row for row in responses if status[row] < 300 and status[row] >= 200]
    failed = [row for row in responses if status[row] >= 300]
    ringing = next((row for row in responses if 180 <= status[row] <= 183), None)
    cancel = next((row for row in requests.cancels if rows.to_tag[row] < 0), None)
    inside_only = [row for row in members if status[row] == 0 and rows.to_tag[row] >= 0]
    proofs = [
        row
        for row in inside_only
        if method[row] in ("INVITE", "CANCEL") or (method[row] == "ACK" and row not in acks_of_failures)
    ]
    shown = {_pair(rows, row) for row in (*accepted, *proofs)}
    shown |= {_pair(rows, row) for row in members if method[row] == "BYE"}
    pracks = any(method[row] == "PRACK" for row in members)
    early = bool(responses) or cancel is not None or pracks
    gone = {_pair(rows, row) for row in members if method[row] == "BYE"}
    final = accepted[0] if accepted else failed[-1] if failed and not shown else None
    facts = Facts(
        answered=bool(shown) or (not early and any(method[row] in ("UPDATE", "INFO") for row in inside_only)),
        ended=bool(gone) and all(pair in gone or pair[0] < 0 for pair in shown),
        withdrawn=cancel is not None,
        final=status[failed[-1]] if failed else None,
        rang=ringing is not None,
        unanswered=False,
        provisional=pracks or any(100 < status[row] < 200 for row in responses),
    )
    return Outcome(
        state=decide_state(facts),
        timed_out=False,
        final=final,
        ringing=ringing,
        answered=accepted[0] if accepted else None,
        acknowledged=next(
            (
                row
                for row in requests.acks
                if accepted
                and row > accepted[0]
                and (rows.cseq[row], rows.to_tag[row]) == (rows.cseq[accepted[0]], rows.to_tag[accepted[0]])
            ),
            None,
        ),
        cancel=cancel,
        responses=responses,
        deciding=None,
    )
