"""Which kinds of media a call had: audio, video, text, image, message, application. Floor 5.

Owns: what both sides agreed on, over the whole call. In: the message table, calls and streams with their calls. Out:
kinds of each call, and which messages describe MSRP. Sources: RFC 8866 5.14 (m=), RFC 3264 section 6 (port 0 refuses),
RFC 8843 section 6 (``a=bundle-only`` wants media on port 0).

A kind is negotiated where two parties of the call wanted it (in the offer or answer of an INVITE, UPDATE or PRACK);
where only one of them was heard, it is what that one wanted. Kinds of RTP that was seen are added.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..result import Call, Messages, Stream

__all__ = ["KINDS", "find_kinds", "in_order"]

KINDS = ("audio", "video", "text", "image", "message", "application")
"""Media types of SDP that are listed (RFC 8866 section 8.2.1, RFC 6466), in this order."""

_CARRIERS = ("INVITE", "UPDATE", "PRACK", "ACK")
"""Methods whose session descriptions are offers and answers; what OPTIONS is told of is neither."""
_MEDIA = re.compile(rb"\nm=([A-Za-z]+) +0*([0-9]?)")
"""Kind, and the first digit of the port that is no 0."""
_ON_ANOTHER = b"bundle-only"
_KNOWN = {kind.encode(): kind for kind in KINDS}


def in_order(kinds: frozenset[str] | set[str]) -> tuple[str, ...]:
    """Kinds in the order of :data:`KINDS`."""
    return tuple(kind for kind in KINDS if kind in kinds)


def find_kinds(
    messages: Messages, calls: Sequence[Call], streams: Sequence[Stream]
) -> tuple[list[set[str]], list[int]]:
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
    kinds : list of set of str
        Of each call, in their order.
    describing : list of int
        Messages (rows) that want media of the kind ``message``, in order of time.
    """
    wanted: dict[int, dict[str, set[str]]] = defaultdict(dict)
    describing: list[int] = []
    rows = _descriptions(messages)
    call_ids, froms, tos = messages.call_id[rows], messages.from_tag[rows], messages.to_tag[rows]
    from_tags, to_tags = [*messages.texts["from_tag"], ""], [*messages.texts["to_tag"], ""]
    asks = (messages.status[rows] == 0).tolist()
    for row, call_id, request, first, second in zip(
        rows.tolist(), call_ids.tolist(), asks, froms.tolist(), tos.tolist(), strict=True
    ):
        body = messages.body(row)
        tag = from_tags[first] if request else to_tags[second]
        kinds = wanted[call_id].setdefault(tag, set())
        for kind, port in _MEDIA.findall(body):
            known = _KNOWN.get(kind.lower())
            if known is not None and (port or _ON_ANOTHER in body):
                kinds.add(known)
                if known == "message" and (not describing or describing[-1] != row):
                    describing.append(row)
    found = []
    for call in calls:
        parties = wanted.get(int(messages.call_id[call.rows[0]]), {}) if call.rows else {}
        found.append(_agreed(list(parties.values())) | _seen(call, streams))
    return found, describing


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


def _agreed(parties: list[set[str]]) -> set[str]:
    heard = [kinds for kinds in parties if kinds]
    if len(heard) < 2:
        return set().union(*heard)
    return {kind for kind in KINDS if sum(kind in kinds for kinds in heard) >= 2}


def _seen(call: Call, streams: Sequence[Stream]) -> set[str]:
    return {kind for number in call.streams if (kind := streams[number].media) is not None}
