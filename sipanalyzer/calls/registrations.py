"""Registrations: REGISTERs with their rounds of challenge and correction. Floor 5.

Owns: the table of registrations. In: messages and transactions. Out: one `Registration` for each REGISTER up to its
final response, in order of start; a refresh is a new one. Sources: RFC 3261 section 10, RFC 6076 4.1.

Rounds: a REGISTER of the same Call-ID and address of record to the same host, with a higher CSeq, goes on with the
registration that drew a 401, 407 or 423 where it comes within 5 s of that, or has its nonce (somebody typed). All is
seen at the hop nearest to the client. A refresh has the contact or the Call-ID of a registration of the same address of
record that stands.

States, first match wins:
1. ``registered``: a 2xx, and the contact stays; a query (no Contact) that was told of contacts.
2. ``unregistered``: a 2xx, and the contact goes (Expires 0, ``Contact: *``); a query that was told of none.
3. ``challenged``: the last REGISTER drew 401 or 407, and no other followed. With more than one attempt the credentials
   were refused. Also where a retry waits for its answer when the capture ends.
4. ``rejected``: any other final response.
5. ``no-response``: none; also what still waits for its first response when the capture ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..facts import Registration
from ..options import Options
from ..result import Messages, Transaction
from .authentication import RETRY_NS
from .contacts import Bindings, granted_expires, read_bindings
from .nearest import first_rows, transactions_at_sender

__all__ = ["find_registrations"]

ROUNDS = (401, 407, 423)
"""Final responses after which the client tries again at once (RFC 3261 22.2, 22.3, 10.2.8)."""
_CHALLENGES = (401, 407)
_NONCE = re.compile(rb"\bnonce[ \t]*+=[ \t]*+\"([^\"\r\n]{1,1024})\"", re.IGNORECASE)
_DEFAULT_EXPIRES_S = 3600
"""Where nobody says how long (RFC 3261 10.2.1.1 leaves it to the registrar; RFC 2543 had an hour)."""


def find_registrations(
    messages: Messages, transactions: Sequence[Transaction], capture_end: int, options: Options
) -> list[Registration]:
    """Make the registrations.

    Parameters
    ----------
    messages : Messages
        In order of time.
    transactions : sequence of Transaction
        All, in order of their first request.
    capture_end : int
        Time of the last packet of the captures, ns.
    options : Options
        `transaction_timeout_ns` is 64*T1.

    Returns
    -------
    list of Registration
        In order of start. `registration_delay_ms` and `expires_s` are there for a 2xx only; `status_code` is that of
        the last REGISTER's final response; `end` its time.
    """
    known: dict[int, _Known] = {}
    made = []
    for tries in _collect(messages, transactions):
        row = tries[0].rows[0]
        asked = read_bindings(messages.raw(tries[-1].rows[0]))
        outcome = _judge(tries, asked, messages, capture_end, options)
        of_aor = known.setdefault(int(messages.to_uri[row]), {})
        keys = _keys(asked, int(messages.call_id[row]))
        refresh = not asked.removes and any(_stands(of_aor.get(key), tries[0].start) for key in keys)
        _remember(of_aor, keys, asked, outcome)
        made.append(_make(tries, asked, outcome, refresh, messages))
    return made


# ---- rounds
def _collect(messages: Messages, transactions: Sequence[Transaction]) -> list[list[Transaction]]:
    """REGISTERs that belong together, each list in order of time, in order of the first ones."""
    mine = transactions_at_sender(messages, transactions, ("REGISTER",))
    firsts = first_rows(mine)
    call_ids, aors = messages.call_id[firsts].tolist(), messages.to_uri[firsts].tolist()
    cseqs = messages.cseq[firsts].tolist()
    found: list[list[Transaction]] = []
    open_: dict[tuple[int, int, str], tuple[list[Transaction], int]] = {}
    for transaction, call_id, aor, cseq in zip(mine, call_ids, aors, cseqs, strict=True):
        key = call_id, aor, transaction.dst[0]
        tries, last = open_.get(key, ([], -1))
        if tries and cseq > last and _goes_on(tries[-1], transaction, messages):
            tries.append(transaction)
        else:
            tries = [transaction]
            found.append(tries)
        open_[key] = tries, cseq
    return found


def _goes_on(former: Transaction, later: Transaction, messages: Messages) -> bool:
    final = former.final_response
    if final is None or former.status_code not in ROUNDS:
        return False
    if later.start - final <= RETRY_NS:
        return True
    row = next(row for row in former.rows if int(messages.status[row]) >= 200)
    nonce = _NONCE.search(messages.raw(row))
    return nonce is not None and nonce[1] in messages.raw(later.rows[0])


# ---- what became of it
@dataclass(frozen=True, slots=True)
class _Outcome:
    state: str
    status: int | None
    end: int | None
    expires_s: int | None = None


def _judge(
    tries: list[Transaction], asked: Bindings, messages: Messages, capture_end: int, options: Options
) -> _Outcome:
    last = tries[-1]
    if last.final_response is None:
        waits = capture_end - last.start < options.transaction_timeout_ns
        if waits and len(tries) > 1 and tries[-2].status_code in _CHALLENGES:
            return _Outcome("challenged", tries[-2].status_code, None)
        return _Outcome("no-response", None, None)
    status, end = last.status_code, last.final_response
    if status is None or status >= 300:
        return _Outcome("challenged" if status in _CHALLENGES else "rejected", status, end)
    final = next(row for row in last.rows if int(messages.status[row]) >= 200)
    granted = read_bindings(messages.raw(final))
    if asked.main is None:
        return _Outcome("registered" if granted.contacts else "unregistered", status, end)
    expires_s = granted_expires(asked, granted)
    return _Outcome("unregistered" if expires_s == 0 else "registered", status, end, expires_s)


def _make(
    tries: list[Transaction], asked: Bindings, outcome: _Outcome, refresh: bool, messages: Messages
) -> Registration:
    first = tries[0]
    accepted = outcome.end is not None and outcome.status is not None and outcome.status < 300
    return Registration(
        aor=messages.text("to_uri", first.rows[0]),
        contact=None if asked.main is None else asked.main[0],
        registrar=first.dst,
        source=first.src,
        refresh=refresh,
        state=outcome.state,
        expires_s=None if outcome.expires_s is None else float(outcome.expires_s),
        registration_delay_ms=(outcome.end - first.start) / 1e6 if outcome.end is not None and accepted else None,
        status_code=outcome.status,
        attempts=len(tries),
        start=first.start,
        end=outcome.end,
        call_id=first.call_id,
        capture=first.capture,
        first_frame=first.first_frame,
        rows=tuple(sorted(row for each in tries for row in each.rows)),
    )


# ---- what is registered
_Known = dict[str | int, tuple[int, int]]
"""Of one address of record: contacts, and numbers of Call-IDs, with the times since when and until when each stands."""


def _keys(asked: Bindings, call_id: int) -> tuple[str | int, ...]:
    return () if asked.main is None else (asked.main[0], call_id)


def _stands(span: tuple[int, int] | None, time: int) -> bool:
    return span is not None and span[0] <= time <= span[1]


def _remember(known: _Known, keys: tuple[str | int, ...], asked: Bindings, outcome: _Outcome) -> None:
    """Note what a 2xx has bound or taken away."""
    if outcome.end is None or outcome.state not in ("registered", "unregistered") or not keys:
        return
    for contact, own in asked.contacts:
        if contact == "*":
            known.clear()
        elif asked.asked((contact, own)) == 0:
            known.pop(contact, None)
    if outcome.state == "unregistered":
        for key in keys:
            known.pop(key, None)
        return
    lasts_s = _DEFAULT_EXPIRES_S if outcome.expires_s is None else outcome.expires_s
    for key in keys:
        known[key] = outcome.end, outcome.end + lasts_s * 1_000_000_000
