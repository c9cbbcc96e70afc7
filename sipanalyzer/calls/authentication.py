"""Whether a call was challenged for credentials, and whether they were taken.

Owns: the column `auth`. In: the transactions of one call that the caller saw. Out: ``none``, ``challenged`` or
``failed``. Sources: RFC 3261 section 22, RFC 7616 3.3 (`stale`).
"""

from __future__ import annotations

import re

from ..result import Transaction
from ..sip.header import find_header, find_headers
from .hops import CallerHop
from .rows import Rows

__all__ = ["CHALLENGES", "RETRY_NS", "has_credentials", "is_stale", "judge_authentication"]

RETRY_NS = 5_000_000_000
"""A challenge that draws no retry within this is a failure."""

CHALLENGES = (401, 407)
_CREDENTIALS = ("Proxy-Authorization", "Authorization")
_ASKED = ("Proxy-Authenticate", "WWW-Authenticate")
_QUOTED = re.compile(r'"([^"]*)"')
"""What a realm or nonce says is no parameter; but some servers quote the value of `stale`."""
_STALE = re.compile(r"[\s,]stale\s*=\s*true\b")
_OF_CALLS = ("INVITE", "PRACK", "UPDATE", "INFO", "REFER", "BYE")
"""A client may register under the Call-ID of its call: that challenge is not the call's. ACK and CANCEL draw none."""


def judge_authentication(
    transactions: list[Transaction],
    rows: Rows,
    capture_end: int,
    timeout_ns: int,
    hop: CallerHop | None = None,
) -> str | None:
    """Say what became of challenges.

    Parameters
    ----------
    transactions : list of Transaction
        All of one call, in order of time.
    rows : Rows
        Message table.
    capture_end : int
        Time of the last packet, ns.
    timeout_ns : int
        How long a request waits for a response (64*T1).
    hop : CallerHop, optional
        Only what passed at the caller counts, where he is known.

    Returns
    -------
    str or None
        ``none``: nobody was challenged. ``challenged``: some request with credentials drew something else than 401, 407
        or 403; or it drew a 401 or 407 that says ``stale=true`` (the password was right) so late in the capture that
        the retry may be missing. ``failed``: none did, or none was sent. A 100 is nobody's verdict: None where
        credentials wait for theirs when the capture ends.
    """
    if not any(transaction.status_code in CHALLENGES for transaction in transactions):
        return "none"
    asked = [
        transaction
        for transaction in transactions
        if transaction.method in _OF_CALLS and (hop is None or _passed(hop, rows, transaction.rows[0]))
    ]
    if not any(transaction.status_code in CHALLENGES for transaction in asked):
        return "none"
    for transaction in asked:
        if not has_credentials(rows.messages.raw(transaction.rows[0])):
            continue
        statuses = [rows.status[row] for row in transaction.rows[1:]]
        if any(status > 100 and status not in (401, 403, 407) for status in statuses):
            return "challenged"
    last = asked[-1]
    tried = has_credentials(rows.messages.raw(last.rows[0]))
    if tried and last.final_response is None:
        asked_at = max(rows.time[row] for row in last.rows if not rows.status[row])
        waits = last.first_response is not None or capture_end - asked_at < timeout_ns
        return None if waits else "failed"
    if last.status_code in CHALLENGES and last.final_response is not None:
        fresh = capture_end - last.final_response < RETRY_NS
        verdict = next(row for row in last.rows if rows.status[row] in CHALLENGES)
        if fresh and tried and is_stale(rows.messages.raw(verdict)):
            return "challenged"
    return "failed"


def _passed(hop: CallerHop, rows: Rows, row: int) -> bool:
    return hop.caller in (hop.place(rows.src[row]), hop.place(rows.dst[row]))


def has_credentials(raw: bytes) -> bool:
    """Whether a request has credentials."""
    # looking for the word first spares a pass over the headers of most messages
    return b"authorization" in raw.lower() and any(find_header(raw, name) is not None for name in _CREDENTIALS)


def is_stale(raw: bytes) -> bool:
    """Whether a challenge says that the password was right (RFC 7616 3.3)."""
    values = (value.lower() for name in _ASKED for value in find_headers(raw, name))
    return any(
        _STALE.search(_QUOTED.sub(lambda found: found[1] if found[1] == "true" else "", value)) for value in values
    )
