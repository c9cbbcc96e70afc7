"""Calls made from the messages that made them what they were, all at once: a column is gathered in one step.

Owns: :class:`Judged` (which message of each call rang, answered, ended it), and reading times, texts, parties and
counts off those messages. In: the message table and a `Judged`. Out: `Call` objects in order of start; what media add
is left out. A call costs no Python of its own here but that of making the object.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..frozen import make_all
from ..result import TRANSPORTS, Call, Dialog, Messages
from ..sip.uri import user_part
from .bundles import Bundles, with_none
from .identities import ASSERTED, CAUSE, DIVERTED, find_first
from .negotiation import Descriptions

__all__ = ["ROWS", "Judged", "Said", "make_calls"]

Ints = npt.NDArray[np.int64]

ROWS = (
    "first", "final", "ringing", "answered", "acknowledged", "end", "first_bye", "bye_final", "offer", "answer",
    "user_agent", "server", "cause", "second_cause", "third_cause",
)  # fmt: skip
"""Messages of a call that tell something: the initial INVITE as the caller sent it first, the final response that
counts, those at whose time it rang, was answered, acknowledged and ended, the BYE that counts and its response, those
with the codecs offered and answered and with both sides' product, and those that may name a cause, the best first."""
_CAUSES = [ROWS.index(name) for name in ("cause", "second_cause", "third_cause")]
_USERS = re.compile(r"^(?:sips?:([A-Za-z0-9_.+\-]+)@[A-Za-z0-9.\-]+(?::[0-9]{1,5})?|(.*))$", re.MULTILINE)
"""A URI a line: of nearly all the user part needs no parser; the others whole."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a call that no single message says."""

    state: str
    timed_out: bool
    """Whether it failed since nobody responded."""
    released_by: str | None
    auth: str | None
    dtmf_info: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """Calls, as rows of the message table."""

    members: Bundles
    """All messages of each, in order of time."""
    rows: Ints
    """For each call those that :data:`ROWS` names, -1 where there is none."""
    asked: Bundles
    """Messages to ask for identities, the best first; none of a partial call."""
    said: list[Said]

    @classmethod
    def of(
        cls,
        members: Sequence[Sequence[int]],
        rows: Sequence[dict[str, int | None]],
        said: list[Said],
        asked: Sequence[Sequence[int]],
    ) -> Judged:
        """From calls that were judged one by one."""
        found = [[-1 if (row := each.get(name)) is None else row for name in ROWS] for each in rows]
        matrix = np.array(found, np.int64).reshape(len(found), len(ROWS))
        return cls(Bundles.of(members), matrix, Bundles.of(asked), said)

    def __len__(self) -> int:
        return len(self.said)


def make_calls(messages: Messages, judged: Judged, dialogs: Sequence[Dialog], descriptions: Descriptions) -> list[Call]:
    """Make the calls.

    Parameters
    ----------
    messages : Messages
        In order of time.
    judged : Judged
        Which of them made each call what it was.
    dialogs : sequence of Dialog
        All of the capture.
    descriptions : Descriptions
        Of these messages.

    Returns
    -------
    list of Call
        In order of start (of a partial call: of its first message), then of first frame.
    """
    if not len(judged):
        return []
    columns = {
        **_whole(messages, judged, dialogs),
        **_parties(messages, judged),
        **_course(messages, judged),
        **_negotiated(judged, descriptions),
    }
    calls = make_all(Call, columns)
    return sorted(calls, key=lambda call: (call.first_time if call.start is None else call.start, call.first_frame))


def _column(judged: Judged, name: str) -> Ints:
    column: Ints = judged.rows[:, ROWS.index(name)]
    return column


def _texts(messages: Messages, column: str, rows: Ints) -> list[str | None]:
    """Texts of a column in some rows, None where the row is -1."""
    texts = [*messages.texts[column], None]
    return [texts[number] for number in np.where(rows < 0, -1, getattr(messages, column)[rows]).tolist()]


def _whole(messages: Messages, judged: Judged, dialogs: Sequence[Dialog]) -> dict[str, Sequence[object]]:
    """What all messages of a call are asked for."""
    members = judged.members
    begins, ends = members.rows[members.begin[:-1]], members.rows[members.begin[1:] - 1]
    capture = messages.capture[begins]
    frame = messages.frame[members.rows]
    same = messages.capture[members.rows] == np.repeat(capture, members.length())
    counts = Counter(dialog.call_id for dialog in dialogs)
    texts = messages.texts["call_id"]
    call_id = [texts[number] for number in messages.call_id[begins].tolist()]
    return {
        "call_id": call_id,
        "messages": members.length().tolist(),
        "retransmissions": members.total(messages.retransmission[members.rows].astype(np.int64)).tolist(),
        "dialogs": [counts[text] for text in call_id],
        "capture": capture.tolist(),
        "first_frame": members.least(np.where(same, frame, np.iinfo(np.int64).max)).tolist(),
        "last_frame": members.largest(np.where(same, frame, np.iinfo(np.int64).min)).tolist(),
        "first_time": messages.time[begins].tolist(),
        "last_time": messages.time[ends].tolist(),
        "rows": members.tuples(),
    }


def _parties(messages: Messages, judged: Judged) -> dict[str, Sequence[object]]:
    """Who took part, and from where: the initial INVITE says it, of a partial call its first message a little."""
    first = _column(judged, "first")
    known = first >= 0
    shown = np.where(known, first, judged.members.rows[judged.members.begin[:-1]])
    from_uri, to_uri = _texts(messages, "from_uri", shown), _texts(messages, "to_uri", shown)
    users = _users({uri for uri in (*from_uri, *to_uri) if uri is not None})
    asserted, diversion = find_first(messages, judged.asked, ASSERTED, DIVERTED)
    endpoints = [*messages.endpoints, None]
    return {
        "caller": [users[uri] if there else None for uri, there in zip(from_uri, known.tolist(), strict=True)],
        "callee": [users[uri] if there else None for uri, there in zip(to_uri, known.tolist(), strict=True)],
        "from_uri": from_uri,
        "to_uri": to_uri,
        "request_uri": _texts(messages, "request_uri", first),
        "asserted_identity": asserted,
        "diversion": diversion,
        "src": [endpoints[number] for number in np.where(known, messages.src[first], -1).tolist()],
        "dst": [endpoints[number] for number in np.where(known, messages.dst[first], -1).tolist()],
        "transport": [TRANSPORTS[number] for number in messages.transport[shown].tolist()],
        "user_agent": _texts(messages, "user_agent", _column(judged, "user_agent")),
        "server": _texts(messages, "user_agent", _column(judged, "server")),
        "partial": (~known).tolist(),
        "caller_tag": _texts(messages, "from_tag", first),
    }


def _users(uris: set[str]) -> dict[str | None, str | None]:
    """User parts of URIs, by URI: all URIs are looked at in one text."""
    found: dict[str | None, str | None] = {None: None}
    if uris:  # texts have no line feeds: each is a line
        for uri, (plain, other) in zip(uris, _USERS.findall("\n".join(uris)), strict=True):
            found[uri] = plain or user_part(other)
    return found


def _course(messages: Messages, judged: Judged) -> dict[str, Sequence[object]]:
    """What became of it, and when."""
    final = _column(judged, "final")
    times = {
        name: with_none(messages.time[rows], rows >= 0)
        for name, rows in (
            (name, _column(judged, name))
            for name in ("ringing", "answered", "end", "acknowledged", "first_bye", "bye_final")
        )
    }
    first = _column(judged, "first")
    causes = judged.rows[:, _CAUSES]
    (release_cause,) = find_first(messages, Bundles.where(causes, causes >= 0), CAUSE)
    reasons = _texts(messages, "reason", final)
    return {
        **times,
        "start": with_none(messages.time[first], first >= 0),
        "state": [said.state for said in judged.said],
        "status_code": with_none(messages.status[final], final >= 0),
        "reason": ["timeout" if said.timed_out else reason for said, reason in zip(judged.said, reasons, strict=True)],
        "released_by": [said.released_by for said in judged.said],
        "release_cause": release_cause,
        "auth": [said.auth for said in judged.said],
        "dtmf_info": [said.dtmf_info for said in judged.said],
    }


def _negotiated(judged: Judged, descriptions: Descriptions) -> dict[str, Sequence[object]]:
    offers, answers = descriptions.of(_column(judged, "offer")), descriptions.of(_column(judged, "answer"))
    return {
        "codecs_offered": [offer.codecs for offer in offers],
        "codecs_answered": [answer.codecs for answer in answers],
        "dtmf_negotiated": [a.events and b.events for a, b in zip(offers, answers, strict=True)],
    }
