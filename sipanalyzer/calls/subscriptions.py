"""Subscriptions: dialogs made by SUBSCRIBE or REFER, with their NOTIFYs (RFC 6665, RFC 3515). Floor 5.

Owns: the table of subscriptions. In: messages and transactions. Out: one `Subscription` for each dialog and event, in
order of start. PUBLISH makes none; nor does a REFER whose 2xx says ``Refer-Sub: false`` (RFC 4488).

A subscription is known by Call-ID, the subscriber's tag, the notifier's tag and Event with its `id` (of REFER:
``refer`` and its CSeq number). The notifier's tag is that of the 2xx, else of the first NOTIFY; a NOTIFY with another
tag is a fork's, and makes another row. A SUBSCRIBE inside the dialog is a refresh; one outside that follows a 401, 407
or 423 is the same once more. A NOTIFY that nobody was seen asking for makes a row with what it says. All is seen at the
hop nearest to who sent it.

States, first match wins:
1. ``terminated``: the last NOTIFY said so, or drew a 481 (RFC 6665 4.2.2: the notifier must forget the subscription);
   or after it an Expires of 0 was accepted, or a refresh refused for good.
2. what else the last NOTIFY said (``active``, ``pending``).
3. accepted and no NOTIFY said more: ``active`` for the 200 to a SUBSCRIBE, else ``pending`` (RFC 3265 3.1.4.1).
4. ``rejected``: the final response was no 2xx. ``no-response``: none came within 64*T1. Missing: not yet, or not seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..facts import Subscription
from ..options import Options
from ..result import Messages, Transaction
from ..sip.header import SPACE, find_header, parameters
from ..sip.message import read_number
from ..sip.text import decode_text
from .authentication import RETRY_NS
from .nearest import transactions_at_sender

__all__ = ["find_subscriptions"]

_ROUNDS = (401, 407, 423)
_ENDING = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"""Refusals of a refresh that end the subscription (RFC 6665 4.1.2.2, RFC 5057 section 5)."""
_GONE = 481
"""The subscriber knows of no such subscription."""
_FIELDS = re.compile(
    rb"\n(?:(o|event)|(subscription-state)|expires)[ \t]*+:((?:[^\n]|\n[ \t])*+)|\n\r?\n", re.IGNORECASE
)
_Key = tuple[str, str | None, str, str | None]
"""Call-ID, tag of the subscriber, event in lower case, its `id`."""


def find_subscriptions(
    messages: Messages, transactions: Sequence[Transaction], capture_end: int, options: Options
) -> list[Subscription]:
    """Make the subscriptions.

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
    list of Subscription
        In order of start. `expires_s` is what a 2xx granted last, else what a NOTIFY gave first, else what was asked
        (0 left out: it ends or fetches); `notifies` counts neither retransmissions nor what was challenged;
        `status_code` is the final response to the request that made the dialog; `end` is there where it is terminated
        or rejected.
    """
    work = _Work(messages)
    for transaction in transactions_at_sender(messages, transactions, ("SUBSCRIBE", "REFER", "NOTIFY")):
        if transaction.method == "NOTIFY":
            work.notify(transaction)
        else:
            work.ask(transaction)
    found = (_finish(each, capture_end, options) for each in work.found if not each.implicit_only or each.cseqs)
    return sorted(found, key=lambda each: (each.start, each.capture, each.first_frame))


@dataclass(frozen=True, slots=True)
class _Says:
    """What one message says of a subscription."""

    event: str | None
    id: str | None
    state: str | None
    state_expires: int | None
    expires: int | None


@dataclass(slots=True)
class _One:
    """One subscription on its way."""

    event: str | None
    subscriber: str | None
    notifier: str | None
    method: str
    start: int
    call_id: str
    capture: int
    first_frame: int
    asked: Transaction | None = None
    """The last SUBSCRIBE or REFER."""
    status: int | None = None
    """Final response to the one that made the dialog."""
    final: int | None = None
    accepted: bool = False
    implicit_only: bool = False
    """A REFER that was told that no NOTIFY will come."""
    wanted_s: int | None = None
    granted_s: int | None = None
    told_s: int | None = None
    state: str | None = None
    ended: int | None = None
    cseqs: set[int] = field(default_factory=set)
    """Of the NOTIFYs."""


@dataclass(slots=True)
class _Dialogs:
    """Subscriptions of one key by the notifier's tag."""

    by_tag: dict[str | None, _One] = field(default_factory=dict)
    unclaimed: _One | None = None
    """Asked for, and nobody answered with a tag yet."""
    latest: _One | None = None

    def find(self, tag: str | None) -> _One | None:
        """The subscription with that notifier; one without an answer yet becomes his."""
        found = self.by_tag.get(tag)
        if found is None and self.unclaimed is not None and tag is not None:
            found, self.unclaimed = self.unclaimed, None
            self.by_tag[tag] = found
        return found


class _Work:
    """Subscriptions found so far; each message costs a few look-ups."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.found: list[_One] = []
        self._dialogs: dict[_Key, _Dialogs] = {}

    # ---- SUBSCRIBE and REFER
    def ask(self, transaction: Transaction) -> None:
        """Take in a request for notifications, and its answer."""
        messages, row = self.messages, transaction.rows[0]
        says = _read(messages.raw(row))
        refers = transaction.method == "REFER"
        event, number = ("refer", str(int(messages.cseq[row]))) if refers else (_name(says.event), says.id)
        subscriber, notifier = messages.text("from_tag", row), messages.text("to_tag", row)
        key = transaction.call_id, subscriber, event, number
        dialogs = self._dialogs.get(key)
        if dialogs is None and refers:
            last = self._dialogs.get((*key[:3], None))
            dialogs = last if last is not None and _retries(last.latest, transaction) else None
        if dialogs is None:
            dialogs = _Dialogs()
        self._dialogs[key] = dialogs
        if refers:  # a NOTIFY without `id` is about the last one
            self._dialogs[*key[:3], None] = dialogs
        elif number is not None:
            self._dialogs.setdefault((*key[:3], None), dialogs)
        one = dialogs.find(notifier) if notifier is not None else None
        if one is not None and one.ended is not None and one.ended < transaction.start:
            one = None
        if one is None and _retries(dialogs.latest, transaction):
            one = dialogs.latest
        if one is None:
            one = self._begin(transaction, "refer" if refers else says.event, from_is_subscriber=True)
            if notifier is None:
                dialogs.unclaimed = one
            else:
                dialogs.by_tag[notifier] = one
        dialogs.latest = one
        self._answer(one, dialogs, transaction, says)

    def _answer(self, one: _One, dialogs: _Dialogs, transaction: Transaction, says: _Says) -> None:
        one.asked = transaction
        final, status = transaction.final_response, transaction.status_code
        one.wanted_s = says.expires or one.wanted_s
        if final is None or status is None:
            return
        if not one.accepted:
            one.status, one.final = status, final
        if status >= 300:
            if one.accepted and status in _ENDING and one.ended is None:
                one.ended = final
            return
        one.accepted = True
        row = next(row for row in transaction.rows if int(self.messages.status[row]) >= 200)
        raw = self.messages.raw(row)
        dialogs.find(self.messages.text("to_tag", row))
        if transaction.method == "REFER":
            one.implicit_only = (find_header(raw, "Refer-Sub") or "").partition(";")[0].strip().lower() == "false"
            return
        granted = _read(raw).expires
        granted = says.expires if granted is None else granted
        one.granted_s = granted or one.granted_s
        if granted == 0 and one.ended is None:
            one.ended = final

    # ---- NOTIFY
    def notify(self, transaction: Transaction) -> None:
        """Take in a notification."""
        messages, row = self.messages, transaction.rows[0]
        says = _read(messages.raw(row))
        event = _name(says.event)
        notifier, subscriber = messages.text("from_tag", row), messages.text("to_tag", row)
        key = transaction.call_id, subscriber, event, says.id
        dialogs = None
        for name, number in dict.fromkeys(((event, says.id), (event, None), ("", None))):
            dialogs = self._dialogs.get((*key[:2], name, number))
            if dialogs is not None:
                break
        if dialogs is None:
            dialogs = self._dialogs[key] = _Dialogs()
        one = dialogs.find(notifier)
        if one is None:
            one = self._begin(transaction, says.event, from_is_subscriber=False)
            if dialogs.latest is not None:  # another branch of a fork took the same request
                one.subscriber, one.notifier = dialogs.latest.subscriber, dialogs.latest.notifier
                one.method, one.asked, one.accepted = dialogs.latest.method, dialogs.latest.asked, True
                one.status, one.wanted_s = dialogs.latest.status, dialogs.latest.wanted_s
            dialogs.by_tag[notifier] = one
        if one.event is None:
            one.event = says.event
        if transaction.status_code not in (401, 407):
            one.cseqs.add(int(messages.cseq[row]))
        if says.state is not None:
            one.state = says.state
            if says.state == "terminated":
                one.ended = transaction.start
            elif one.ended is not None and transaction.start > one.ended:
                one.ended = None
        if transaction.status_code == _GONE and one.ended is None:
            one.ended = transaction.final_response
        one.told_s = one.told_s or says.state_expires

    def _begin(self, transaction: Transaction, event: str | None, *, from_is_subscriber: bool) -> _One:
        row = transaction.rows[0]
        uris = self.messages.text("from_uri", row), self.messages.text("to_uri", row)
        one = _One(
            event=event,
            subscriber=uris[0] if from_is_subscriber else uris[1],
            notifier=uris[1] if from_is_subscriber else uris[0],
            method=transaction.method,
            start=transaction.start,
            call_id=transaction.call_id,
            capture=transaction.capture,
            first_frame=transaction.first_frame,
        )
        self.found.append(one)
        return one


def _retries(one: _One | None, transaction: Transaction) -> bool:
    """Whether a request is the one before it once more, after a challenge or a correction."""
    if one is None or one.asked is None or one.accepted:
        return False
    former = one.asked
    return (
        former.final_response is not None
        and former.status_code in _ROUNDS
        and transaction.start - former.final_response <= RETRY_NS
    )


def _finish(one: _One, capture_end: int, options: Options) -> Subscription:
    state, end = _judge(one, capture_end, options)
    expires_s = None
    if state not in ("rejected", "no-response"):
        expires_s = one.granted_s or one.told_s or one.wanted_s
    return Subscription(
        event=one.event,
        subscriber=one.subscriber,
        notifier=one.notifier,
        state=state,
        expires_s=None if expires_s is None else float(expires_s),
        notifies=len(one.cseqs),
        status_code=one.status,
        start=one.start,
        end=end,
        call_id=one.call_id,
        capture=one.capture,
        first_frame=one.first_frame,
    )


def _judge(one: _One, capture_end: int, options: Options) -> tuple[str | None, int | None]:
    if one.ended is not None:
        return "terminated", one.ended
    if one.state is not None:
        return one.state, None
    if one.accepted:
        return "active" if one.method == "SUBSCRIBE" and one.status != 202 else "pending", None
    if one.asked is None or one.cseqs:
        return None, None
    if one.asked.final_response is not None:
        return "rejected", one.final
    waits = capture_end - one.asked.start < options.transaction_timeout_ns
    return None if waits else "no-response", None


# ---- reading
def _read(raw: bytes) -> _Says:
    """Event, Subscription-State and Expires of a message; the first of each."""
    event = number = state = None
    state_expires = expires = None
    for found in _FIELDS.finditer(raw):
        if found[3] is None:
            break
        value = decode_text(found[3].strip(b" \t\r\n"))
        if found[1] is not None:
            if event is None:
                event, params = _split(value)
                number = params.get("id")
        elif found[2] is not None:
            if state is None:
                state, params = _split(value.lower())
                state_expires = read_number(params.get("expires") or "")
        elif expires is None:
            expires = read_number(value)
    return _Says(event or None, number or None, state or None, state_expires, expires)


def _split(value: str) -> tuple[str, dict[str, str | None]]:
    word, *segments = value.split(";")
    return word.strip(SPACE), parameters(segments)


def _name(event: str | None) -> str:
    return (event or "").lower()
