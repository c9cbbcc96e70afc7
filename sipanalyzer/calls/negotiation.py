"""What the two sides of a call agreed on: codecs of the initial offer and of its answer (RFC 3264, RFC 6337).

Owns: which message holds the offer and which the answer, and the codec names in each. In: the message table with its
bodies. Out: rows, and names in SDP order. The timeline of who listens where is not made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..codecs import by_name, is_comfort_noise, is_event
from ..errors import ParseError
from ..result import Messages
from ..sip.sdp import DEFAULTS, SdpLimits, codec_of, find_sdp, parse_sdp

__all__ = ["Description", "Descriptions", "read_descriptions"]

_MEDIA = ("audio", "video", "image")
_TELLING = re.compile(rb"^(?:m=(\S*) +(0?)[0-9]*([^\r\n]*)|(a=rtpmap:[^\r\n]*))", re.MULTILINE)
"""What codecs depend on: whether media are wanted at all (port 0) matters, which port does not."""
_MAX_CACHED = 4096
"""Shapes of descriptions remembered: phones of one make offer the same codecs in every call."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one description says of codecs."""

    codecs: tuple[str, ...]
    """Without telephone-event and comfort noise."""
    events: bool
    """Whether telephone-event is among the formats (RFC 4733)."""


_NOTHING = Description((), False)
_NEGOTIATING = ("INVITE", "ACK", "PRACK")
"""Messages of which somebody asks what they offer or answer."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What the messages of a table describe."""

    number: npt.NDArray[np.int64]
    """For each message the index of its description in `found`, -1 where it has none that can be read."""
    hides: npt.NDArray[np.bool_]
    """Whether there was an offer that cannot be read: then what comes back is an answer all the same."""
    found: list[Description]

    def offer_and_answer(
        self, invite: int | None, provisional: Sequence[int], accepted: Sequence[int], replies: Iterable[int]
    ) -> tuple[int | None, int | None]:
        """Find the messages (rows) with the offer and the answer of one INVITE.

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
        back = self._first(accepted)
        if back is None:
            back = self._first(provisional)
        if first is not None or invite is None or bool(self.hides[invite]):
            return first, back
        # an early offer is in a reliable 1xx and its answer in a PRACK; a 2xx that has one again changes nothing
        return back, self._first(replies)

    def _first(self, at: Iterable[int]) -> int | None:
        return next((row for row in at if self.number[row] >= 0), None)

    def of(self, rows: npt.NDArray[np.int64]) -> list[Description]:
        """The descriptions of some messages; one that says nothing where the row is -1."""
        found = [*self.found, _NOTHING]
        return [found[number] for number in np.where(rows < 0, -1, self.number[rows]).tolist()]

    def pick(self, rows: npt.NDArray[np.int64]) -> Descriptions:
        """The same for some of the messages, row by row."""
        return Descriptions(self.number[rows], self.hides[rows], self.found)


def read_descriptions(messages: Messages, limits: SdpLimits = DEFAULTS) -> Descriptions:
    """Read the session descriptions of the messages that offer and answer, each shape of them once."""
    names, types = messages.texts["method"], messages.texts["content_type"]
    has_body = messages.body_length > 0
    of_sdp = [number for number, text in enumerate(types) if "/sdp" in text.lower()]
    negotiates = np.isin(messages.method, [number for number, name in enumerate(names) if name in _NEGOTIATING])
    numbers = np.full(len(messages), -1, np.int64)
    found: dict[Description, int] = {}
    known: dict[tuple[object, ...], int] = {}
    alike: dict[tuple[object, ...], int] = {}
    rows = np.flatnonzero(negotiates & has_body)
    data = memoryview(messages.data)  # type: ignore[arg-type]
    columns = (messages.content_type, messages.body_at, messages.body_length)
    result = []
    for content_type, begin, length in zip(*(column[rows].tolist() for column in columns), strict=True):
        body = data[begin : begin + length].tobytes()
        whole = length <= limits.max_bytes and (length < limits.max_lines or _lines(body) < limits.max_lines)
        quick = content_type, _without_port(body) if whole else (body,)
        number = alike.get(quick)
        if number is None:
            key = (content_type, *(_TELLING.findall(body) if whole else (body,)))
            if key not in known:
                if len(known) >= _MAX_CACHED:
                    known.clear()
                description = _describe(types[content_type] if content_type >= 0 else None, body, limits)
                known[key] = -1 if description is None else found.setdefault(description, len(found))
            number = known[key]
            if len(alike) >= _MAX_CACHED:
                alike.clear()
            alike[quick] = number
        result.append(number)
    numbers[rows] = result
    hides = messages.truncated | (has_body & np.isin(messages.content_type, of_sdp))
    return Descriptions(numbers, hides, list(found))


def _lines(body: bytes) -> int:
    """Ends of lines, of whatever kind; no fewer than there are."""
    return body.count(b"\n") + body.count(b"\r")


def _without_port(body: bytes) -> tuple[bytes, ...]:
    """What stays of a body from call to call, at a fifth of the cost of looking for all that tells (`_TELLING`).

    That is all from the first m= line on but its port, where that is plain, and where nothing before it tells anything.
    """
    head, _, rest = body.partition(b"\nm=")
    kind, _, rest = rest.partition(b" ")
    port, _, rest = rest.partition(b" ")
    if kind.isalpha() and port.isdigit() and port[0] != 48 and b"a=rtpmap" not in head and head[:2] != b"m=":
        return kind, rest
    return (body,)


def _describe(content_type: str | None, body: bytes, limits: SdpLimits) -> Description | None:
    description = find_sdp(content_type, body, limits)
    if description is None:
        return None
    try:
        parsed = parse_sdp(description, limits)
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
    return Description(tuple(codecs), events)
