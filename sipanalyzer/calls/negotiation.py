"""What the two sides of a call agreed on: codecs of the initial offer and of its answer (RFC 3264, RFC 6337).

Owns: which message holds the offer and which the answer, and the codec names in each. In: rows of the message table
with their bodies. Out: names in SDP order. The timeline of who listens where is not made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..codecs import by_name, is_comfort_noise, is_event
from ..errors import ParseError
from ..sip.sdp import codec_of, find_sdp, parse_sdp
from .rows import Rows

__all__ = ["Descriptions", "Negotiated"]

_MEDIA = ("audio", "video", "image")
_TELLING = re.compile(rb"^(?:m=(\S*) +(0?)[0-9]*([^\r\n]*)|(a=rtpmap:[^\r\n]*))", re.MULTILINE)
"""What codecs depend on: whether media are wanted at all (port 0) matters, which port does not."""
_MAX_CACHED = 4096
"""Shapes of descriptions remembered: phones of one make offer the same codecs in every call."""


@dataclass(frozen=True, slots=True)
class _Description:
    codecs: tuple[str, ...]
    events: bool
    """Whether telephone-event is among the formats (RFC 4733)."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Codecs of offer and answer, without telephone-event and comfort noise."""

    offered: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    events: bool = False
    """Whether both sides named telephone-event."""


@dataclass(slots=True)
class Descriptions:
    """Reads the session descriptions of messages, each shape of them once."""

    rows: Rows
    has_body: list[bool]
    known: dict[tuple[object, ...], _Description | None] = field(default_factory=dict)

    def negotiated(
        self, invite: int | None, provisional: Sequence[int], accepted: Sequence[int], replies: Iterable[int]
    ) -> Negotiated:
        """Find offer and answer of one INVITE.

        Parameters
        ----------
        invite : int or None
            Its row; None where it was not captured.
        provisional : sequence of int
            Its 101-199, those of the dialog that was answered first.
        accepted : sequence of int
            Its 2xx.
        replies : iterable of int
            PRACK and ACK requests for them, which hold the answer where the INVITE held no offer.
        """
        first = self._first([invite]) if invite is not None else None
        if first is not None or invite is None or self._hides_offer(invite):
            return _combine(first, self._first(accepted) or self._first(provisional))
        answer = self._first(replies)
        # an early offer is in a reliable 1xx and its answer in a PRACK; a 2xx that has one again changes nothing
        return _combine(self._first(accepted) or self._first(provisional), answer)

    def _hides_offer(self, row: int) -> bool:
        """Whether there was an offer that cannot be read: then what comes back is an answer all the same."""
        messages = self.rows.messages
        content_type = messages.text("content_type", row) or ""
        return bool(messages.truncated[row]) or (self.has_body[row] and "/sdp" in content_type.lower())

    def _first(self, at: Iterable[int]) -> _Description | None:
        for row in at:
            if self.has_body[row]:
                found = self._read(row)
                if found is not None:
                    return found
        return None

    def _read(self, row: int) -> _Description | None:
        messages = self.rows.messages
        body = messages.body(row)
        content_type = int(messages.content_type[row])
        key: tuple[object, ...] = (content_type, *_TELLING.findall(body))
        if key not in self.known:
            if len(self.known) >= _MAX_CACHED:
                self.known.clear()
            self.known[key] = _describe(messages.text("content_type", row), body)
        return self.known[key]


def _describe(content_type: str | None, body: bytes) -> _Description | None:
    description = find_sdp(content_type, body)
    if description is None:
        return None
    try:
        parsed = parse_sdp(description)
    except ParseError:
        return None
    codecs: dict[str, None] = {}
    events = False
    for media in parsed.media:
        if media.kind not in _MEDIA or media.port == 0:
            continue
        for payload_type in media.formats:
            if media.kind == "image":
                known = by_name(payload_type)
                codecs[known.name if known else payload_type] = None
                continue
            if not payload_type.isdigit():
                continue
            codec = codec_of(media, int(payload_type))
            if codec is None:
                continue
            if is_event(codec.name):
                events = events or codec.name.lower() == "telephone-event"
            elif not is_comfort_noise(codec.name):
                codecs[codec.name] = None
    return _Description(tuple(codecs), events)


def _combine(offer: _Description | None, answer: _Description | None) -> Negotiated:
    return Negotiated(
        offered=offer.codecs if offer else (),
        answered=answer.codecs if answer else (),
        events=bool(offer and answer and offer.events and answer.events),
    )
