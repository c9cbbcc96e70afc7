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

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..frozen import make_all
from ..options import Options
from ..result import Dialog, Messages, Transaction
from ..sip.header import find_header
from .bundles import Bundles, with_none
from .identities import find_first
from .rows import Rows, read_rows

__all__ = [
    "TRANSITIONS",
    "Followed",
    "acks_of_failures",
    "ends_subscription",
    "follow_dialogs",
    "make_dialogs",
    "track_dialogs",
]

Ints = npt.NDArray[np.int64]

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
    """Row at whose time it was confirmed."""
    accepted: int | None = None
    """The 2xx among those."""
    end: int | None = None
    """Row at whose time it ended."""
    expired: bool = False
    """Whether it ended 64*T1 after that."""


@dataclass(slots=True)
class _Branch:
    """Dialogs whose provisional responses came with one INVITE's branch."""

    early: dict[int, _Track] = field(default_factory=dict)
    """By the row that made the dialog."""
    cancelled: bool = False
    accepted: int | None = None
    """Row of its first 2xx."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of dialogs, as rows of the message table: times and texts are read off them later."""

    rows: Ints
    """For each dialog the message that made it, that at whose time it was confirmed, the 2xx that confirmed it, and
    that at whose time it ended; -1 where there is none."""
    said: list[tuple[str, bool, bool]]
    """State; whether the From of the message that made it is the far side; whether the end is 64*T1 after its row."""


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
    return make_dialogs(messages, follow_dialogs(messages, transactions, int(messages.time[-1]), options), options)


def follow_dialogs(messages: Messages, transactions: list[Transaction], last: int, options: Options) -> Followed:
    """Which messages made, confirmed and ended each dialog.

    Parameters
    ----------
    messages, transactions, options
        As in :func:`track_dialogs`.
    last : int
        Time of the last message of all, ns: there may be more than these.
    """
    rows = read_rows(messages)
    tracker = _Tracker(rows, acks_of_failures(rows, transactions))
    for row in np.flatnonzero(_may_matter(messages)).tolist():
        tracker.update(row)
    tracker.expire(last, options.transaction_timeout_ns)
    tracks = tracker.tracks.values()
    found = [(each.made_by, each.confirmed, each.accepted, each.end) for each in tracks]
    return Followed(
        rows=np.array([[-1 if row is None else row for row in each] for each in found], np.int64).reshape(-1, 4),
        said=[(each.state, each.reversed, each.expired) for each in tracks],
    )


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

    def expire(self, last: int, timeout_ns: int) -> None:
        """End early dialogs of INVITEs that another fork answered, where the messages run on for 64*T1."""
        for branch in self.branches.values():
            if branch.accepted is None or self.rows.time[branch.accepted] + timeout_ns > last:
                continue
            for track in branch.early.values():
                if track.state == "early":
                    track.state, track.end, track.expired = "terminated", branch.accepted, True

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
                self.branches[key].accepted = row
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
            if (known is None or not known.session) and ends_subscription(self.rows.messages.raw(row)):
                event = "expired"
            session = False
        else:
            session = method not in ("SUBSCRIBE", "REFER")
        self._act(row, event, session)

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
                track.confirmed = row
        self._move(track, row, event)
        return track

    def _move(self, track: _Track, row: int, event: str) -> None:
        state = TRANSITIONS.get((track.state, event))
        if state is None:
            return
        track.state = state
        if event == "accepted":
            track.confirmed = track.accepted = row
        track.end = row if state in _ENDED else None


def ends_subscription(raw: bytes) -> bool:
    """Whether a NOTIFY is the last one (RFC 6665 4.1.3)."""
    value = find_header(raw, "Subscription-State") or ""
    return value.split(";")[0].strip().lower() == "terminated"


def make_dialogs(messages: Messages, followed: Followed, options: Options) -> list[Dialog]:
    """Dialogs from the messages that made, confirmed and ended them, all at once."""
    made_by, confirmed, accepted, end = followed.rows.T
    reversed_ = np.array([said[1] for said in followed.said], np.bool_)
    ended = messages.time[end] + np.where([said[2] for said in followed.said], options.transaction_timeout_ns, 0)
    texts = messages.texts
    tags = (
        _texts(messages.from_tag[made_by], [*texts["from_tag"], ""]),
        _texts(messages.to_tag[made_by], [*texts["to_tag"], ""]),
    )
    uris = (
        _texts(messages.from_uri[made_by], [*texts["from_uri"], None]),
        _texts(messages.to_uri[made_by], [*texts["to_uri"], None]),
    )
    columns: dict[str, Sequence[object]] = {
        "call_id": [texts["call_id"][number] for number in messages.call_id[made_by].tolist()],
        "from_tag": np.where(reversed_, tags[1], tags[0]).tolist(),
        "to_tag": np.where(reversed_, tags[0], tags[1]).tolist(),
        "state": ["terminated" if state == "cancelled" else state for state, _, _ in followed.said],
        "start": messages.time[made_by].tolist(),
        "confirmed": with_none(messages.time[confirmed], confirmed >= 0),
        "end": with_none(ended, end >= 0),
        "local_uri": np.where(reversed_, uris[1], uris[0]).tolist(),
        "remote_uri": np.where(reversed_, uris[0], uris[1]).tolist(),
        "route_set": _route_sets(messages, made_by, accepted),
        "capture": messages.capture[made_by].tolist(),
        "first_frame": messages.frame[made_by].tolist(),
    }
    return make_all(Dialog, columns)


def _texts(numbers: Ints, texts: Sequence[str | None]) -> npt.NDArray[np.object_]:
    found = np.empty(len(numbers), np.object_)
    found[:] = [texts[number] for number in numbers.tolist()]
    return found


def _route_sets(messages: Messages, made_by: Ints, accepted: Ints) -> list[str | None]:
    """Record-Route of the response that made the dialog; of its 2xx where that has one (13.2.2.4 computes it anew)."""
    rows = np.stack((accepted, made_by), axis=1)
    tells = (rows >= 0) & (messages.status[rows] != 0)
    tells[:, 1] &= made_by != accepted
    (route_sets,) = find_first(messages, Bundles.where(rows, tells), ("Record-Route",))
    return route_sets
