"""URIs, and what header values put around them: addresses and Via. Floor 4.

Comes in: text from headers. Goes out: frozen :class:`Uri`, :class:`Address`, :class:`Via`, users and numbers. Sources:
RFC 3261 sections 19.1, 20 and 25.1, RFC 3966 (tel).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from ..errors import ParseError
from .header import SPACE, parameters, scan
from .text import printable

__all__ = [
    "Address",
    "Uri",
    "Via",
    "number_of",
    "parse_address",
    "parse_uri",
    "parse_via",
    "split_address",
    "user_part",
]

Parameters = dict[str, str | None]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::[ \t]*(?P<port>\d{1,5})[ \t]*)?")
_VIA = re.compile(
    r"(?P<name>[^ \t\r\n/]+)[ \t\r\n]*/[ \t\r\n]*(?P<version>[^ \t\r\n/]+)[ \t\r\n]*/[ \t\r\n]*"
    r"(?P<transport>[^ \t\r\n/]+)[ \t\r\n]+(?P<host>\[[^\]]*\]|[^: \t\r\n]+)"
    r"(?:[ \t\r\n]*:[ \t\r\n]*(?P<port>\d{1,5}))?"
)
_SEPARATORS = str.maketrans("", "", " -.()/\u00a0")
_NUMBER = re.compile(r"\+?[0-9*#]+")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI; of a scheme that is not ``sip``, ``sips`` or ``tel`` only the scheme is taken apart."""

    scheme: str
    """Lower case."""
    user: str | None
    """As sent (escapes kept); of ``tel`` the number; None where there is none."""
    password: str | None
    host: str
    """As sent, IPv6 in brackets; of other schemes all that follows the colon; empty for ``tel``."""
    port: int | None
    params: Parameters = field(default_factory=dict)
    """By lower-case name; None for a parameter without value."""
    headers: str = ""
    """What follows the ``?``, as sent."""


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with its header parameters (From, To, Contact, Route ...)."""

    display_name: str
    """Without quotes and escapes; empty where there is none."""
    uri: str
    """As sent, without brackets."""
    params: Parameters = field(default_factory=dict)
    defects: tuple[str, ...] = ()

    @property
    def tag(self) -> str | None:
        """The tag parameter, None where it is missing or empty."""
        return self.params.get("tag") or None


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a Via."""

    protocol: str
    """``SIP/2.0``."""
    transport: str
    host: str
    port: int | None
    params: Parameters = field(default_factory=dict)

    @property
    def branch(self) -> str | None:
        """The branch parameter, None where it is missing or empty."""
        return self.params.get("branch") or None

    @property
    def received(self) -> str | None:
        """Where the request came from (RFC 3261 18.2.1)."""
        return self.params.get("received") or None

    @property
    def rport(self) -> int | None:
        """Port where the request came from (RFC 3581)."""
        text = self.params.get("rport") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None


def parse_uri(text: str) -> Uri:
    """Take a URI apart.

    Raises
    ------
    ParseError
        If there is no scheme, or nothing behind it.
    """
    text = text.strip(SPACE)
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise ParseError("uri", "no scheme")
    scheme = scheme.lower()
    if not rest:
        raise ParseError("uri", f"nothing after {scheme}:", len(text))
    if scheme == "tel":
        number, *segments = rest.split(";")
        return Uri(scheme, number.strip(SPACE), None, "", None, parameters(segments))
    if scheme not in ("sip", "sips"):
        return Uri(scheme, None, None, rest, None)
    user, password, rest = _split_user(rest)
    rest, _, headers = rest.partition("?")
    host_port, *segments = rest.split(";")
    match = _HOST_PORT.fullmatch(host_port.strip(SPACE))
    host = match["host"].strip(SPACE) if match else host_port.strip(SPACE)
    if not host:
        raise ParseError("uri", "no host")
    port = int(match["port"]) if match and match["port"] and int(match["port"]) < 65536 else None
    return Uri(scheme, user, password, host, port, parameters(segments), headers)


def _split_user(text: str) -> tuple[str | None, str | None, str]:
    """User, password and the rest. A user may hold ``;``, ``?`` and (against the rule) ``@``."""
    at = text.find("@")
    if at < 0:
        return None, None, text
    behind = min((i for i in (text.find(";", at), text.find("?", at)) if i >= 0), default=len(text))
    at = text.rfind("@", 0, behind)
    user, colon, password = text[:at].partition(":")
    return user, password if colon else None, text[at + 1 :]


def parse_address(text: str, *, is_list: bool = False) -> Address:
    """The (first) address of a header's value.

    Parameters
    ----------
    text : str
        Value of From, To, Contact, Route and the like.
    is_list : bool
        Whether a comma outside quotes and brackets ends it.

    Raises
    ------
    ParseError
        If there is no URI.

    Notes
    -----
    Without ``<>`` parameters belong to the header, not to the URI (RFC 3261 section 20). A quote or bracket that is
    never closed is taken for an ordinary character, and noted.
    """
    address = split_address(text, is_list=is_list)
    if not address.uri:
        raise ParseError("sip", "no URI in the address")
    return address


def split_address(text: str, *, is_list: bool = False) -> Address:
    """As :func:`parse_address`, with an empty URI where there is none."""
    found, defects = scan(text, is_list=is_list)
    quotes = "unterminated-quote" not in defects
    end = found[-1][1] if is_list and found and found[-1][0] == "," else len(text)
    bracket = next((item for item in found if item[0] == "<"), None)
    after = bracket[2] if bracket else 0
    cuts = [at for kind, at, _ in found if kind == ";" and at >= after]
    if bracket is None:
        name, uri = "", text[: cuts[0] if cuts else end]
    elif "unterminated-bracket" in defects:
        name, uri = text[: bracket[1]], text[bracket[2] : cuts[0] if cuts else end]
    else:
        name, uri = text[: bracket[1]], text[bracket[1] + 1 : bracket[2] - 1]
    segments = [text[begin + 1 : stop] for begin, stop in zip(cuts, [*cuts[1:], end], strict=False)]
    params = parameters(segments, quotes=quotes)
    return Address(_display_name(name), uri.strip(SPACE), params, defects)


def _display_name(text: str) -> str:
    text = text.strip(SPACE)
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def parse_via(text: str) -> Via:
    """The first value of a Via header.

    Raises
    ------
    ParseError
        If protocol, transport or sent-by are missing.
    """
    found, defects = scan(text, is_list=True)
    end = found[-1][1] if found and found[-1][0] == "," else len(text)
    cuts = [at for kind, at, _ in found if kind == ";"]
    match = _VIA.fullmatch(text[: cuts[0] if cuts else end].strip(SPACE))
    if match is None:
        raise ParseError("sip", "Via without protocol, transport and sent-by")
    segments = [text[begin + 1 : stop] for begin, stop in zip(cuts, [*cuts[1:], end], strict=False)]
    port = int(match["port"]) if match["port"] and int(match["port"]) < 65536 else None
    params = parameters(segments, quotes="unterminated-quote" not in defects)
    return Via(f"{match['name']}/{match['version']}", match["transport"], match["host"], port, params)


def user_part(text: str) -> str | None:
    """Who a URI names: its user, the host where it has none, the number of a ``tel:`` URI.

    Percent escapes are decoded; parameters of a ``tel:`` number are left out. What is no URI comes back whole; None
    for nothing.
    """
    try:
        uri = parse_uri(text)
    except ParseError:
        return printable(text.strip(SPACE)) or None
    return printable(unquote(uri.user or uri.host, errors="backslashreplace")) or None


def number_of(text: str) -> str:
    """What makes two ways of writing a telephone number equal.

    Parameters
    ----------
    text : str
        A number, or a URI with one, in any notation.

    Returns
    -------
    str
        Digits (and ``*``, ``#``) without ``+`` or a leading ``00`` and without separators and parameters; for a user
        that is no number the name in lower case.

    Examples
    --------
    >>> number_of("sip:0049-30-1234;phone-context=x@example.org"), number_of("tel:+49(30)1234;isub=5"), number_of("Bob")
    ('49301234', '49301234', 'bob')
    """
    text = text.strip(SPACE)
    scheme, colon, _ = text.partition(":")
    if colon and scheme.lower() in ("sip", "sips", "tel"):
        user = user_part(text) or ""
    elif "@" in text:
        user = unquote(text.partition("@")[0])
    else:
        user = text
    digits = user.partition(";")[0].translate(_SEPARATORS)
    if not _NUMBER.fullmatch(digits):
        return user.casefold()
    if digits.startswith("+"):
        return digits[1:]
    return digits[2:] if digits.startswith("00") and len(digits) > 2 else digits
