"""What a REGISTER or its response says of contacts, read from the bytes. Floor 5.

Owns: reading Contact and Expires of very many messages, of which nearly all are plain. In: a message's bytes. Out:
`Bindings`. Sources: RFC 3261 10.2.1, 10.3, 20.10, 20.19.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ParseError
from ..sip.header import SPACE, split_list
from ..sip.message import read_number
from ..sip.text import decode_text
from ..sip.uri import parse_address, parse_uri

__all__ = ["Bindings", "granted_expires", "read_bindings"]

_FIELDS = re.compile(
    rb"\n(?:(m|contact)|expires)[ \t]*+:((?:[^\n]|\n[ \t])*+)|\n\r?\n",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r'(?:[^<>",;]|"[^"\\]*+")*+<([^<>"]*+)>'
    r'(?:(?!;[ \t]*+expires[ \t]*+=)(?:[^<>",]|"[^"\\]*+"))*+'
    r"(?:;[ \t]*+expires[ \t]*+=[ \t]*+([0-9]++)[ \t]*+(?:;(?:[^<>\",]|\"[^\"\\]*+\")*+)?)?",
    re.IGNORECASE,
)
"""One contact in brackets, what is quoted without escapes, its `expires` a bare number: nearly all."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """Contacts of one message with the `expires` of each, and its Expires header; s, None where missing."""

    contacts: tuple[tuple[str, int | None], ...]
    expires: int | None

    def asked(self, contact: tuple[str, int | None]) -> int | None:
        """How long that contact is to stay: its own parameter, else the header."""
        return self.expires if contact[1] is None else contact[1]

    @property
    def main(self) -> tuple[str, int | None] | None:
        """The first contact that is to stay; the first of all where none is; None without any."""
        staying = (contact for contact in self.contacts if self.asked(contact) != 0)
        return next(staying, self.contacts[0] if self.contacts else None)

    @property
    def removes(self) -> bool:
        """Whether a REGISTER takes contacts away and adds none: Expires 0, or ``Contact: *`` (RFC 3261 10.2.2)."""
        main = self.main
        return main is not None and (main[0] == "*" or self.asked(main) == 0)


def read_bindings(raw: bytes) -> Bindings:
    """Read Contact and Expires of a message; what cannot be read is left out."""
    contacts: list[tuple[str, int | None]] = []
    expires = None
    for field in _FIELDS.finditer(raw):
        if field[2] is None:
            break
        value = decode_text(field[2].strip(b" \t\r\n"))
        if field[1] is None:
            expires = read_number(value) if expires is None else expires
            continue
        plain = _PLAIN.fullmatch(value)
        if plain is not None:
            contacts.append((plain[1].strip(SPACE), _number(plain[2])))
            continue
        for item in split_list(value):
            try:
                address = parse_address(item)
            except ParseError:
                continue
            contacts.append((address.uri, _number(address.params.get("expires"))))
    return Bindings(tuple(contacts), expires)


def granted_expires(asked: Bindings, granted: Bindings) -> int | None:
    """How long the registrar keeps the contact of a REGISTER that it accepted, s.

    Parameters
    ----------
    asked, granted : Bindings
        Of the request and of its 2xx.

    Returns
    -------
    int or None
        The parameter of the contact that matches; without it the response's Expires header, else what was asked. 0
        where the request removes. None where neither says it, and where the request only queries.
    """
    wanted = asked.main
    if wanted is None:
        return None
    if asked.removes:
        return 0
    own = _matching(wanted[0], granted)
    if own is not None and own[1] is not None:
        return own[1]
    return asked.asked(wanted) if granted.expires is None else granted.expires


def _matching(uri: str, granted: Bindings) -> tuple[str, int | None] | None:
    """The contact of the response that is meant: by its text, else by user, host and port, else the only one."""
    same = next((contact for contact in granted.contacts if contact[0] == uri), None)
    if same is not None or len(granted.contacts) <= 1:
        return same or next(iter(granted.contacts), None)
    key = _key(uri)
    return next((contact for contact in granted.contacts if _key(contact[0]) == key), None)


def _key(text: str) -> tuple[str | None, str, int] | str:
    try:
        uri = parse_uri(text)
    except ParseError:
        return text
    return uri.user, uri.host.lower(), uri.port or (5061 if uri.scheme == "sips" else 5060)


def _number(text: str | None) -> int | None:
    return None if text is None else read_number(text.strip('"' + SPACE))
