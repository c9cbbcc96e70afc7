"""Calls of the same shape: what is judged of one holds for all of them.

Owns: which Call-IDs have messages that differ only in times, names and numbers, and carrying over from one to the
others what was found in it. In: the message table. Out: :class:`Shapes`, and rows.

Judging a call looks at the order of its messages, at methods and status codes, at which of them have equal endpoints,
hosts, tags, branches and so on, and at a few facts; never at the text behind a tag, nor at the size of a number. So
the messages of a Call-ID are described by places: the first of its messages with the same branch, and so on.
Descriptions are compared byte by byte. Time matters in few comparisons, and their outcome is one of the facts
(:func:`_facts`): **whatever a judge comes to look at must be described here.** Captures of carriers have few shapes and
many calls; in the worst case each Call-ID has a shape of its own, and describing it is a small part of judging it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..options import Options
from ..result import Messages
from .authentication import CHALLENGES, RETRY_NS, has_credentials, is_stale
from .bundles import Bundles
from .calls import digits_in_info
from .dialogs import ends_subscription
from .hops import count_vias
from .negotiation import Descriptions
from .rows import distinct, number_hosts, number_to_tags, pick_rows

__all__ = ["Shapes", "find_shapes"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Octets = npt.NDArray[np.uint8]

_LONGEST = 32
"""Messages of a Call-ID up to which others of its shape are looked for: describing them grows with the square."""
_AT_ONCE = 1 << 22
"""Comparisons made at once."""
_MISSING = 255


@dataclass(frozen=True, slots=True)
class Shapes:
    """The Call-IDs of a message table, and which of them have one shape."""

    rows: Ints
    """Messages with a Call-ID, those of one together, in order of time."""
    begin: Ints
    """Where each Call-ID begins in `rows`, and the end of the last."""
    shape: Ints
    """Of each Call-ID."""
    models: Ints
    """Messages of the first Call-ID of each shape, in order of time: what there is to judge."""
    shape_of: Ints
    """For each of `models` its shape."""
    place_of: Ints
    """For each of `models` which message of its Call-ID it is, from 0."""

    def spread(self, first: Ints) -> tuple[Ints, Ints]:
        """Carry over what was found in the models to all Call-IDs.

        Parameters
        ----------
        first : int64[n]
            One message of each thing found, an index into `models`.

        Returns
        -------
        thing, owner : int64[m]
            For all things that there are, Call-ID after Call-ID: which of the `n` it is like, and the Call-ID (index
            into `shape`) that it belongs to. Those of one Call-ID are in the order of their models.
        """
        shape = self.shape_of[first]
        order = np.argsort(shape, kind="stable")
        counts = np.bincount(shape, minlength=int(self.shape.max(initial=-1)) + 1)
        starts = np.cumsum(counts) - counts
        each = counts[self.shape]
        owner = np.repeat(np.arange(len(self.shape)), each)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(each) - each, each)
        return order[starts[self.shape[owner]] + within], owner

    def place(self, rows: Ints, owner: Ints) -> Ints:
        """Rows of the message table where Call-IDs have what their models have in some rows.

        Parameters
        ----------
        rows : int64[m, ...]
            Indices into `models`, -1 for none.
        owner : int64[m]
            The Call-ID of each.

        Returns
        -------
        int64[m, ...]
            -1 where it was.
        """
        if not len(rows):
            return rows
        begin = self.begin[owner].reshape(-1, *[1] * (rows.ndim - 1))
        placed: Ints = np.where(rows < 0, -1, self.rows[begin + np.where(rows < 0, 0, self.place_of[rows])])
        return placed

    def place_bundles(self, bundles: Bundles, thing: Ints, owner: Ints) -> Bundles:
        """The same for lists of rows: those that things have which are like some of the models'."""
        lengths = bundles.length()[thing]
        begin = np.concatenate(([0], np.cumsum(lengths)))
        at = np.arange(begin[-1]) + np.repeat(bundles.begin[thing] - begin[:-1], lengths)
        return Bundles(self.place(bundles.rows[at], np.repeat(owner, lengths)), begin)


def find_shapes(messages: Messages, descriptions: Descriptions, capture_end: int, options: Options) -> Shapes:
    """Find the Call-IDs of one shape.

    Parameters
    ----------
    messages : Messages
        In order of time.
    descriptions : Descriptions
        Of these messages.
    capture_end : int
        Time of the last packet of the captures, ns.
    options : Options
        `transaction_timeout_ns` is 64*T1.
    """
    order = np.argsort(messages.call_id, kind="stable")
    rows = order[np.searchsorted(messages.call_id[order], 0) :]
    call_id = messages.call_id[rows]
    starts = np.flatnonzero(np.diff(call_id, prepend=-1))
    begin = np.append(starts, len(rows))
    lengths = np.diff(begin)
    sorted_ = pick_rows(messages, rows)
    owner = np.repeat(np.arange(len(starts)), lengths)
    table = _Table.of(sorted_, _facts(sorted_, owner, descriptions, rows, capture_end, int(messages.time[-1]), options))

    shape = np.full(len(starts), -1, np.int64)
    count = 0
    for length in distinct(lengths).tolist():
        those = np.flatnonzero(lengths == length)
        if length > _LONGEST:
            shape[those] = count + np.arange(len(those))
            count += len(those)
            continue
        numbers: dict[bytes, int] = {}
        step = max(_AT_ONCE // (2 * length) ** 2, 1)
        for at in range(0, len(those), step):
            some = those[at : at + step]
            described = table.describe(starts[some, np.newaxis] + np.arange(length))
            width, data = described.shape[1], described.tobytes()
            shape[some] = [
                numbers.setdefault(data[place : place + width], count + len(numbers))
                for place in range(0, len(data), width)
            ]
        count += len(numbers)

    _, model = np.unique(shape, return_index=True)
    is_model = np.zeros(len(starts), np.bool_)
    is_model[model] = True
    chosen = np.flatnonzero(is_model[owner])
    chosen = chosen[np.argsort(rows[chosen])]
    return Shapes(rows, begin, shape, rows[chosen], shape[owner[chosen]], chosen - starts[owner[chosen]])


@dataclass(frozen=True, slots=True)
class _Table:
    """What descriptions are made of, a row a message, those of a Call-ID together."""

    src: Ints
    dst: Ints
    src_host: Ints
    dst_host: Ints
    from_tag: Ints
    to_tag: Ints
    branch: Ints
    cseq: Ints
    request_uri: Ints
    """Where there is no branch."""
    as_it_is: Octets
    """Method, status and facts: these are compared themselves, all others only with their like in one Call-ID."""

    @classmethod
    def of(cls, messages: Messages, facts: Ints) -> _Table:
        host = number_hosts(messages)
        as_it_is = np.stack((messages.method, messages.status, facts), axis=1).astype(np.int32)
        return cls(
            src=messages.src,
            dst=messages.dst,
            src_host=host[messages.src],
            dst_host=host[messages.dst],
            from_tag=messages.from_tag,
            to_tag=number_to_tags(messages),
            branch=messages.branch,
            cseq=messages.cseq,
            request_uri=np.where(messages.branch < 0, messages.request_uri, -1),
            as_it_is=as_it_is.view(np.uint8),
        )

    def describe(self, at: Ints) -> Octets:
        """Descriptions of Call-IDs of one length, as bytes.

        Parameters
        ----------
        at : int64[m, k]
            Messages of each.

        Returns
        -------
        uint8[m, w]
            Equal exactly where the shapes are.
        """
        parts = (
            _first_equal(np.hstack((self.src[at], self.dst[at]))),
            _first_equal(np.hstack((self.src_host[at], self.dst_host[at]))),
            _first_equal(np.hstack((self.from_tag[at], self.to_tag[at]))),
            _first_equal(self.branch[at]),
            _first_equal(self.cseq[at]),
            _first_equal(self.request_uri[at]),
            self.as_it_is[at].reshape(len(at), -1),
        )
        return np.hstack(parts)


def _first_equal(values: Ints) -> Octets:
    """For each value the place of the first in its line that equals it; apart from those what is missing (negative)."""
    places = (values[:, :, np.newaxis] == values[:, np.newaxis, :]).argmax(2)
    places[values < 0] = _MISSING
    narrow: Octets = places.astype(np.uint8)
    return narrow


def _facts(
    messages: Messages,
    owner: Ints,
    descriptions: Descriptions,
    rows: Ints,
    capture_end: int,
    last: int,
    options: Options,
) -> Ints:
    """Whatever else is looked at in a message, as bits; above them how many hops an INVITE came (where it matters).

    Texts are read only where a judge may read them.
    """
    methods = messages.texts["method"]
    request = messages.status == 0

    def is_request(method: str) -> Bools:
        found: Bools = request & (messages.method == (methods.index(method) if method in methods else -2))
        return found

    count = int(owner[-1]) + 1 if len(owner) else 0
    challenge = np.isin(messages.status, CHALLENGES)
    challenged = np.zeros(count, np.bool_)
    challenged[owner[challenge]] = True
    waited = capture_end - messages.time
    facts = (
        messages.user_agent >= 0,
        descriptions.number[rows] >= 0,
        descriptions.hides[rows],
        digits_in_info(messages),
        waited >= options.transaction_timeout_ns,
        messages.time + options.transaction_timeout_ns <= last,
        _among(messages, request & challenged[owner], has_credentials),
        _among(messages, challenge & (waited < RETRY_NS), is_stale),
        _among(messages, is_request("NOTIFY") & (messages.to_tag >= 0), ends_subscription),
    )
    found = np.zeros(len(messages), np.int64)
    for bit, fact in enumerate(facts):
        found |= fact.astype(np.int64) << bit
    for row in np.flatnonzero(_from_several(messages, owner, is_request("INVITE"))).tolist():
        found[row] |= min(count_vias(messages.raw(row)), 1 << 16) << len(facts)
    return found


def _among(messages: Messages, some: Bools, holds: Callable[[bytes], bool]) -> Bools:
    """Where something holds of a message's bytes, among some messages."""
    found = np.zeros(len(messages), np.bool_)
    for row in np.flatnonzero(some).tolist():
        found[row] = holds(messages.raw(row))
    return found


def _from_several(messages: Messages, owner: Ints, invite: Bools) -> Bools:
    """INVITE requests of the Call-IDs in which several endpoints send one."""
    at = np.flatnonzero(invite)
    count = int(owner[-1]) + 1 if len(owner) else 0
    least, most = np.full(count, len(messages.endpoints)), np.full(count, -1)
    np.minimum.at(least, owner[at], messages.src[at])
    np.maximum.at(most, owner[at], messages.src[at])
    found: Bools = invite & (least < most)[owner]
    return found
