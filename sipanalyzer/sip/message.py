"""A SIP message as a frozen object. Floor 4.

Comes in: what :func:`sipanalyzer.sip.parser.parse_message` took apart. Goes out: :class:`Request` and
:class:`Response` with their headers, and the ones in daily use as objects. A message is lenient: what is wrong with it
stands in `defects` (:data:`sipanalyzer.sip.defects.MEANING`), and a header that cannot be read is None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ParseError
from .defects import REJECTED
from .header import LISTS, Header, canonical_name, split_list
from .multipart import BodyPart, split_body
from .uri import Address, Via, parse_address, parse_via

__all__ = ["CSeq", "Message", "Request", "Response"]

_CSEQ = re.compile(r"([0-9]*+)[ \t\r\n]*(.*)", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,12}")
NUMBER_LIMIT = 2**32
"""Numbers are below 2**31 (RFC 3261 8.1.1.5); some use the 32nd bit, and what is larger is no number."""


@dataclass(frozen=True, slots=True)
class CSeq:
    """Number and method of a CSeq header; None for what is missing or no number."""

    number: int | None
    method: str | None


def read_number(text: str) -> int | None:
    """A header's number; None for anything else than digits, or 2**32 and more."""
    text = text.lstrip("0") or text[:1]
    number = int(text) if _DIGITS.fullmatch(text) else NUMBER_LIMIT
    return number if number < NUMBER_LIMIT else None


class _Headers:
    """What requests and responses share."""

    __slots__ = ()

    headers: tuple[Header, ...]
    body: bytes
    defects: tuple[str, ...]
    raw: bytes

    def header(self, name: str) -> str | None:
        """Value of the first header of that name (any case, compact or long); None where there is none."""
        wanted = canonical_name(name).lower()
        return next((header.value for header in self.headers if header.name.lower() == wanted), None)

    def headers_all(self, name: str) -> tuple[str, ...]:
        """All values of that name, in order; those of list headers apart, quotes and ``<>`` respected."""
        wanted = canonical_name(name).lower()
        values = [header.value for header in self.headers if header.name.lower() == wanted]
        if wanted in LISTS:
            return tuple(item for value in values for item in split_list(value))
        return tuple(values)

    def body_parts(self) -> tuple[BodyPart, ...]:
        """Parts of the body; one where it is no multipart, none where there is no body."""
        return split_body(self.content_type, self.body)

    @property
    def acceptable(self) -> bool:
        """Whether an element by the book would take it: no defect for which it answers 400 or the like."""
        return REJECTED.isdisjoint(self.defects)

    @property
    def call_id(self) -> str | None:
        """Call-ID."""
        return self.header("Call-ID") or None

    @property
    def cseq(self) -> CSeq:
        """CSeq; both halves None where it is missing."""
        match = _CSEQ.fullmatch(self.header("CSeq") or "")
        return CSeq(read_number(match[1]), match[2] or None) if match else CSeq(None, None)

    @property
    def from_(self) -> Address | None:
        """From."""
        return _address(self.header("From"))

    @property
    def to(self) -> Address | None:
        """To."""
        return _address(self.header("To"))

    @property
    def vias(self) -> tuple[Via, ...]:
        """All Via values that can be read, top first."""
        vias = []
        for value in self.headers_all("Via"):
            try:
                vias.append(parse_via(value))
            except ParseError:
                continue
        return tuple(vias)

    @property
    def contacts(self) -> tuple[Address, ...]:
        """All Contact values that can be read; a ``*`` is an address with that URI."""
        addresses = (_address(value) for value in self.headers_all("Contact"))
        return tuple(address for address in addresses if address is not None)

    @property
    def content_type(self) -> str | None:
        """Content-Type with its parameters."""
        return self.header("Content-Type") or None

    @property
    def content_length(self) -> int | None:
        """Content-Length as it says; None where it is missing or no number."""
        return read_number(self.header("Content-Length") or "")

    @property
    def user_agent(self) -> str | None:
        """User-Agent, else Server."""
        return self.header("User-Agent") or self.header("Server") or None


def _address(value: str | None) -> Address | None:
    try:
        return None if value is None else parse_address(value)
    except ParseError:
        return None


@dataclass(frozen=True, slots=True)
class Request(_Headers):
    """A request."""

    method: str
    uri: str
    """Request-URI as sent."""
    version: str
    """``SIP/2.0``; empty where it is missing."""
    headers: tuple[Header, ...]
    body: bytes
    defects: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Response(_Headers):
    """A response."""

    status: int
    reason: str
    version: str
    headers: tuple[Header, ...]
    body: bytes
    defects: tuple[str, ...]
    raw: bytes


Message = Request | Response
"""What a parsed message is."""
