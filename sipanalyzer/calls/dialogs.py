"""Dialogs: Call-ID with the unordered pair of tags (RFC 3261 section 12), and what becomes of each.

Owns: which dialogs there are and when each began, was confirmed and ended. In: the message table and its transactions.
Out: `Dialog` objects in order of start. A message changes a dialog through one event, and :data:`TRANSITIONS` is the
whole state machine.

A 101-199 with a To tag makes an early dialog, a 2xx to INVITE a confirmed one; SUBSCRIBE and REFER make dialogs by
their 2xx or by the first NOTIFY (RFC 6665 4.4.1). A request inside a dialog that nothing made in this capture shows
one that was up before: it is confirmed, it starts at that message, and when it was confirmed is not known. An early
dialog ends with the failure of its INVITE (of that branch, so that one fork's failure leaves the others), with CANCEL,
with BYE, or 64*T1 after another fork was answered (13.2.2.4). At which hop a message was seen makes no difference.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..options import Options
from ..result import Dialog, Messages, Transaction
from ..sip.header import find_header, find_headers
from .rows import Rows, read_rows

__all__ = ["TRANSITIONS", "acks_of_failures", "track_dialogs"]

TRANSITIONS: dict[tuple[str, str], str] = {
    ("none", "provisional"): "early",
    ("none", "accepted"): "confirmed",
    ("none", "prack"): "early",
    ("none", "inside"): "confirmed",
    ("none", "proof"): "confirmed",
    ("none", "bye"): "terminated",
    ("none", "expired"): "terminated",
    ("early", "accepted"): "confirmed",
    ("early", "proof"): "confirmed",
    ("early", "cancelled"): "cancelled",
    ("early", "refused"): "terminated",
    ("early", "bye"): "terminated",
    ("cancelled", "accepted"): "confirmed",  # CANCEL crossed the 2xx: it had no effect (RFC 3261 9.1)
    ("cancelled", "proof"): "confirmed",
    ("cancelled", "refused"): "terminated",
    ("cancelled", "bye"): "terminated",
    ("confirmed", "bye"): "terminated",
    ("confirmed", "expired"): "terminated",
}
"""(state, event) -> state; a pair that is not here changes nothing.

``cancelled`` is an early dialog whose INVITE was cancelled and has no final response yet; tables call it terminated.
``proof`` is a request that only a confirmed dialog has: the ACK of a 2xx, a re-INVITE.
"""

_INSIDE = {
    "INVITE": "proof", "ACK": "proof", "BYE": "bye", "PRACK": "prack", "UPDATE": "inside", "INFO": "inside",
    "SUBSCRIBE": "inside", "NOTIFY": "inside", "REFER": "inside",
}  # fmt: skip
"""Event of a request with a To tag; other methods neither make a dialog nor change one."""

_MAKERS = ("INVITE", "SUBSCRIBE", "REFER")
_ENDED = ("cancelled", "terminated")


@dataclass(slots=True)
class _Track:
    """One dialog under way."""

    call_id: int
    from_tag: int
    to_tag: int
    made_by: int
    """Row of the message that made it, or first showed it."""
    reversed: bool
    """Whether that message's From is the far side (a NOTIFY that overtook the 2xx to SUBSCRIBE)."""
    session: bool
    """Whether INVITE made it: such a dialog outlives its subscriptions."""
    state: str = "none"
    confirmed: int | None = None
    confirmed_by: int | None = None
    end: int | None = None


@dataclass(slots=True)
class _Branch:
    """Dialogs whose provisional responses came with one INVITE's branch."""

    early: dict[int, _Track] = field(default_factory=dict)
    """By the row that made the dialog."""
    cancelled: bool = False
    accepted: int | None = None


def track_dialogs(messages: Messages, transactions: list[Transaction], options: Options) -> list[Dialog]:
    """Find all dialogs and follow them to their end.

    Parameters
    ----------
    messages : Messages
        In order of time.
    transactions : list of Transaction
        As `match_transactions` finds them; they tell which ACK belongs to a failure.
    options : Options
        `transaction_timeout_ns` is 64*T1.

    Returns
    -------
    list of Dialog
        In order of start.
    """
    if not len(messages):
        return []
    rows = read_rows(messages)
    tracker = _Tracker(rows, acks_of_failures(rows, transactions))
    for row in np.flatnonzero(_may_matter(messages)).tolist():
        tracker.update(row)
    tracker.expire(options.transaction_timeout_ns)
    return [_finish(track, rows) for track in tracker.tracks.values()]


def _may_matter(messages: Messages) -> npt.NDArray[np.bool_]:
    """Messages that the tracker has to look at: finding them in numpy spares it half of its rounds."""
    names = messages.texts["method"]

    def among(methods: Container[str]) -> npt.NDArray[np.bool_]:
        return np.isin(messages.method, [number for number, name in enumerate(names) if name in methods])

    status = messages.status
    request = (status == 0) & (among({**_INSIDE, "CANCEL": ""}))
    matters: npt.NDArray[np.bool_] = (messages.call_id >= 0) & (request | ((status > 100) & among(_MAKERS)))
    return matters


def acks_of_failures(rows: Rows, transactions: list[Transaction]) -> set[int]:
    """Rows of the ACKs that acknowledge a non-2xx: those that joined an INVITE, or repeat the tag of a seen failure."""
    messages = rows.messages
    failures = [row for row in np.flatnonzero(messages.status >= 300).tolist() if rows.method[row] == "INVITE"]
    refused = {(rows.call_id[row], rows.cseq[row], rows.to_tag[row]) for row in failures}
    joined = {
        row
        for transaction in transactions
        if transaction.method == "INVITE" and not 200 <= (transaction.status_code or 0) < 300
        for row in transaction.rows
        if rows.method[row] == "ACK"
    }
    repeating = {
        row
        for transaction in (transactions if refused else ())
        if transaction.method == "ACK"
        for row in transaction.rows
        if (rows.call_id[row], rows.cseq[row], rows.to_tag[row]) in refused
    }
    return joined | repeating


@dataclass(slots=True)
class _Tracker:
    rows: Rows
    acks_of_failures: set[int]
    tracks: dict[tuple[int, int, int], _Track] = field(default_factory=dict)
    """By Call-ID and tags, the smaller first."""
    branches: dict[tuple[int, int, int], _Branch] = field(default_factory=dict)
    """By Call-ID, CSeq number and branch of the INVITE."""
    subscribers: set[tuple[int, int]] = field(default_factory=set)
    """Call-ID and From tag of SUBSCRIBE and REFER requests outside a dialog."""

    def update(self, row: int) -> None:
        """Let one message act."""
        status, method = self.rows.status[row], self.rows.method[row]
        if status:
            if status > 100 and method in _MAKERS:
                self._respond(row, status, method)
        elif method == "CANCEL":
            self._cancel(row)
        elif self.rows.to_tag[row] >= 0 or (method == "BYE" and self._find(row) is not None):
            if method in _INSIDE and row not in self.acks_of_failures:
                self._request_inside(row, method)
        elif method in ("SUBSCRIBE", "REFER"):
            self.subscribers.add((self.rows.call_id[row], self.rows.from_tag[row]))

    def expire(self, timeout_ns: int) -> None:
        """End early dialogs of INVITEs that another fork answered, where the messages run on for 64*T1."""
        last = self.rows.time[-1]
        for branch in self.branches.values():
            if branch.accepted is None or branch.accepted + timeout_ns > last:
                continue
            for track in branch.early.values():
                if track.state == "early":
                    track.state, track.end = "terminated", branch.accepted + timeout_ns

    def _respond(self, row: int, status: int, method: str) -> None:
        rows = self.rows
        key = rows.call_id[row], rows.cseq[row], rows.branch[row]
        if status < 200:
            if method == "INVITE" and rows.to_tag[row] >= 0:
                track = self._act(row, "provisional", session=True)
                if track.state == "early":
                    self.branches.setdefault(key, _Branch()).early[track.made_by] = track
        elif status < 300:
            known = self._find(row)
            if known is None or method == "INVITE" or not known.session:
                self._act(row, "accepted", session=method == "INVITE")
            if method == "INVITE" and key in self.branches and self.branches[key].accepted is None:
                self.branches[key].accepted = rows.time[row]
        elif method == "INVITE" and key in self.branches:
            for track in self.branches.pop(key).early.values():
                self._move(track, row, "refused")

    def _cancel(self, row: int) -> None:
        branch = self.branches.get((self.rows.call_id[row], self.rows.cseq[row], self.rows.branch[row]))
        if branch is not None and not branch.cancelled:
            branch.cancelled = True
            for track in branch.early.values():
                self._move(track, row, "cancelled")

    def _request_inside(self, row: int, method: str) -> None:
        event = _INSIDE[method]
        if method == "NOTIFY":
            known = self._find(row)
            if (known is None or not known.session) and self._ends_subscription(row):
                event = "expired"
            session = False
        else:
            session = method not in ("SUBSCRIBE", "REFER")
        self._act(row, event, session)

    def _ends_subscription(self, row: int) -> bool:
        value = find_header(self.rows.messages.raw(row), "Subscription-State") or ""
        return value.split(";")[0].strip().lower() == "terminated"

    def _find(self, row: int) -> _Track | None:
        return self.tracks.get(self._key(row))

    def _key(self, row: int) -> tuple[int, int, int]:
        one, other = self.rows.from_tag[row], self.rows.to_tag[row]
        return (self.rows.call_id[row], one, other) if one < other else (self.rows.call_id[row], other, one)

    def _act(self, row: int, event: str, session: bool) -> _Track:
        """Let an event act on the dialog of a message, which is made where there is none yet."""
        key = self._key(row)
        track = self.tracks.get(key)
        if track is None:
            rows = self.rows
            own, far = rows.from_tag[row], rows.to_tag[row]
            overtook = (
                rows.method[row] == "NOTIFY" and not rows.status[row] and (rows.call_id[row], far) in self.subscribers
            )
            if overtook:
                own, far = far, own
            track = self.tracks[key] = _Track(rows.call_id[row], own, far, row, overtook, session)
            if overtook:
                track.confirmed = rows.time[row]
        self._move(track, row, event)
        return track

    def _move(self, track: _Track, row: int, event: str) -> None:
        state = TRANSITIONS.get((track.state, event))
        if state is None:
            return
        track.state = state
        if event == "accepted":
            track.confirmed, track.confirmed_by = self.rows.time[row], row
        track.end = self.rows.time[row] if state in _ENDED else None


def _finish(track: _Track, rows: Rows) -> Dialog:
    messages, row = rows.messages, track.made_by
    uris = messages.text("from_uri", row), messages.text("to_uri", row)
    return Dialog(
        call_id=messages.texts["call_id"][track.call_id],
        from_tag=rows.tags[track.from_tag] if track.from_tag >= 0 else "",
        to_tag=rows.tags[track.to_tag] if track.to_tag >= 0 else "",
        state="terminated" if track.state == "cancelled" else track.state,
        start=rows.time[row],
        confirmed=track.confirmed,
        end=track.end,
        local_uri=uris[1] if track.reversed else uris[0],
        remote_uri=uris[0] if track.reversed else uris[1],
        route_set=_route_set(track, rows),
        capture=rows.capture[row],
        first_frame=rows.frame[row],
    )


def _route_set(track: _Track, rows: Rows) -> str | None:
    """Record-Route of the response that made the dialog; of its 2xx where that has one (13.2.2.4 computes it anew)."""
    for row in dict.fromkeys((track.confirmed_by, track.made_by)):
        if row is not None and rows.status[row]:
            raw = rows.messages.raw(row)
            # looking for the word first spares a pass over the headers of most messages
            if b"record-route" in raw.lower():
                found = find_headers(raw, "Record-Route")
                if found:
                    return ", ".join(found)
    return None
