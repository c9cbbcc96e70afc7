"""Which kinds of media a call had: audio, video, text, image, message, application. Floor 5.

Owns: what both sides agreed on, over the whole call. In: the message table, calls and streams with their calls. Out:
kinds of each call, and which messages describe MSRP. Sources: RFC 8866 5.14 (m=), RFC 3264 section 6 (port 0 refuses),
RFC 8843 section 6 (``a=bundle-only`` wants media on port 0).

A kind is negotiated where two parties of the call wanted it (in the offer or answer of an INVITE, UPDATE or PRACK);
where only one of them was heard, it is what that one wanted. Kinds of RTP that was seen are added.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from ..result import Call, Ints, Messages, Stream
from .rows import dense_pairs
from .screening import find_matches

__all__ = ["KINDS", "find_kinds", "in_order"]

KINDS = ("audio", "video", "text", "image", "message", "application")
"""Media types of SDP that are listed (RFC 8866 section 8.2.1, RFC 6466), in this order."""

_CARRIERS = ("INVITE", "UPDATE", "PRACK", "ACK")
"""Methods whose session descriptions are offers and answers; what OPTIONS is told of is neither."""
_MEDIA = re.compile(rb"\nm=([A-Za-z]+) +0*([0-9]?)")
"""Kind, and the first digit of the port that is no 0."""
_ON_ANOTHER = b"bundle-only"
_BITS = {kind: 1 << number for number, kind in enumerate(KINDS)}
_SETS = [frozenset(kind for kind, bit in _BITS.items() if mask & bit) for mask in range(1 << len(KINDS))]
"""The kinds that bits stand for."""


@functools.lru_cache(maxsize=1_024)
def in_order(kinds: frozenset[str]) -> tuple[str, ...]:
    """Kinds in the order of :data:`KINDS`."""
    return tuple(kind for kind in KINDS if kind in kinds)


def find_kinds(
    messages: Messages, calls: Sequence[Call], streams: Sequence[Stream]
) -> tuple[list[frozenset[str]], list[int]]:
    """Find the kinds of media of each call.

    Parameters
    ----------
    messages : Messages
        All messages.
    calls : sequence of Call
        With their streams.
    streams : sequence of Stream
        `Call.streams` points into it.

    Returns
    -------
    kinds : list of frozenset of str
        Of each call, in their order.
    describing : list of int
        Messages (rows) that want media of the kind ``message``, in order of time.
    """
    rows = _descriptions(messages)
    wants = _wanted(messages, rows)
    call_ids = messages.call_id[rows]
    parties = dense_pairs(call_ids, _sender_tags(messages, rows))
    of_party: Ints = np.zeros(int(parties.max(initial=-1)) + 1, np.int64)
    np.bitwise_or.at(of_party, parties, wants)
    call_of: Ints = np.zeros(len(of_party), np.int64)
    call_of[parties] = call_ids
    agreed = _agreed(of_party, call_of, len(messages.texts["call_id"]))
    masks = [0 if not mine else int(agreed[messages.call_id[mine[0]]]) for mine in map(attrgetter("rows"), calls)]
    seen = [_seen(mine, streams) if mine else _SETS[0] for mine in map(attrgetter("streams"), calls)]
    describing: list[int] = rows[wants & _BITS["message"] != 0].tolist()
    return [_SETS[mask] | there if there else _SETS[mask] for mask, there in zip(masks, seen, strict=True)], describing


def _wanted(messages: Messages, rows: Ints) -> Ints:
    """The kinds that each of some messages wants, as bits."""
    wants: Ints = np.zeros(len(rows), np.int64)
    for owners, matches in find_matches(messages, rows, _MEDIA, body=True):
        found = [_BITS.get(match[1].lower().decode(), 0) if match[2] else -1 for match in matches]
        for place, bits in enumerate(found):
            if bits < 0:  # port 0: wanted only where it is bundled
                on_another = _ON_ANOTHER in messages.body(int(rows[owners[place]]))
                found[place] = _BITS.get(matches[place][1].lower().decode(), 0) if on_another else 0
        np.bitwise_or.at(wants, owners, found)
    return wants


def _sender_tags(messages: Messages, rows: Ints) -> Ints:
    """A number for the tag of who sent each message; -1 where there is none."""
    numbers = {"": -1}
    by_column = [
        np.array([numbers.setdefault(tag, len(numbers) - 1) for tag in messages.texts[name]] + [-1], np.int64)
        for name in ("from_tag", "to_tag")
    ]
    tags: Ints = np.where(
        messages.status[rows] == 0, by_column[0][messages.from_tag[rows]], by_column[1][messages.to_tag[rows]]
    )
    return tags


def _agreed(of_party: Ints, call_of: Ints, count: int) -> Ints:
    """The kinds of each of `count` Call-IDs, as bits, from those of its parties; one that wants none was not heard."""
    several = np.bincount(call_of[of_party != 0], minlength=count) >= 2
    agreed: Ints = np.zeros(count, np.int64)
    for bit in _BITS.values():
        wanting = np.bincount(call_of[of_party & bit != 0], minlength=count)
        agreed[wanting >= np.where(several, 2, 1)] |= bit
    return agreed


def _descriptions(messages: Messages) -> npt.NDArray[np.int64]:
    """Rows of offers and answers, each once: not of refusals, which list what could have been (RFC 3261 21.4.26)."""
    methods = [number for number, name in enumerate(messages.texts["method"]) if name in _CARRIERS]
    types = [number for number, name in enumerate(messages.texts["content_type"]) if _holds_sdp(name)]
    rows: npt.NDArray[np.int64] = np.flatnonzero(
        (messages.body_length > 0)
        & (messages.status < 300)
        & (messages.call_id >= 0)
        & ~messages.retransmission
        & np.isin(messages.method, methods)
        & np.isin(messages.content_type, [-1, *types])
    )
    return rows


def _holds_sdp(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.endswith("/sdp") or kind.startswith("multipart/")


def _seen(numbers: Sequence[int], streams: Sequence[Stream]) -> frozenset[str]:
    return frozenset(kind for number in numbers if (kind := streams[number].media) is not None)
