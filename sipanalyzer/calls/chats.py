"""MSRP sessions and the calls that set them up: how many messages people wrote to each other in a call. Floor 5.

In: messages whose session description wants MSRP (:func:`.kinds.find_kinds` finds them), and the MSRP sessions that
were captured. Out: messages counted, by Call-ID. Sources: RFC 4975 section 8.2 (``a=path`` names the endpoint, and is
unique to the session), RFC 4976 (relays stand before it).

A session belongs to every call in which one of its two endpoints is named: a back-to-back user agent that passes the
description on has two calls and one session. A box that stands in the media as well makes several sessions of one, with
other endpoints; they are one where their endpoints come from the same two descriptions, and the largest counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..errors import ParseError
from ..facts import MsrpSession
from ..result import Messages
from ..sip.msrp import path_key
from ..sip.sdp import DEFAULTS, SdpLimits, find_sdp, parse_sdp

__all__ = ["count_texts"]

_Slot = tuple[str | None, int, int]
"""Who described it (tag), in which offer and answer (CSeq), and which of the media: the same at all hops."""


def count_texts(
    messages: Messages, describing: Sequence[int], sessions: Sequence[MsrpSession], limits: SdpLimits = DEFAULTS
) -> dict[str, int]:
    """Count the text messages of calls.

    Parameters
    ----------
    messages : Messages
        All messages.
    describing : sequence of int
        Those (rows) that want media of the kind ``message``, in order of time.
    sessions : sequence of MsrpSession
        All that were captured.
    limits : SdpLimits
        How much is read of a description.

    Returns
    -------
    dict
        By Call-ID: SEND requests with a body that arrived whole, of several hops the most; calls of which no session
        was captured are not in it.
    """
    if not sessions:
        return {}
    slots: dict[str, dict[str, _Slot]] = defaultdict(dict)
    """By endpoint and Call-ID."""
    for row in describing:
        call_id = messages.text("call_id", row)
        if call_id is not None:
            for path, slot in _paths(messages, row, limits):
                slots[path].setdefault(call_id, slot)
    largest: dict[str, dict[frozenset[_Slot], int]] = defaultdict(dict)
    for session in sessions:
        ends = slots.get(session.from_path, {}), slots.get(session.to_path, {})
        for call_id in {**ends[0], **ends[1]}:
            of_call = largest[call_id]
            pair = frozenset(end[call_id] for end in ends if call_id in end)
            of_call[pair] = max(of_call.get(pair, 0), session.messages)
    return {call_id: sum(counts.values()) for call_id, counts in largest.items()}


def _paths(messages: Messages, row: int, limits: SdpLimits) -> list[tuple[str, _Slot]]:
    """Endpoints that a message's session description names."""
    body = find_sdp(messages.text("content_type", row), messages.body(row), limits)
    if body is None:
        return []
    try:
        media = parse_sdp(body, limits).media
    except ParseError:
        return []
    tag = messages.text("from_tag" if int(messages.status[row]) == 0 else "to_tag", row)
    cseq = int(messages.cseq[row])
    return [
        (path_key(each.path), (tag, cseq, index))
        for index, each in enumerate(media)
        if each.kind == "message" and each.port and each.path
    ]
