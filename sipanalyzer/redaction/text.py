"""Text of any grammar that SIP knows: what is personal in it is replaced, character for character. Floor 3.

In: bytes of a header's value, of a line, of a body. Out: as many bytes. What a piece becomes depends on the piece alone
and not on where it stands: a Call-ID is the same in Replaces, in a URI's escapes and in a header that nobody knows.
Only what the grammar says is the protocol's (schemes, transports, known parameters, ports behind hosts) stays.
"""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .addresses import Addresses
from .keyed import Keyed
from .vocabulary import FLAGS, METHODS, NAMES, SHAPES, WORDS

__all__ = ["Texts"]

_ALNUM = rb"(?:[0-9A-Za-z]|%3[0-9]|%[46][1-9A-Fa-f]|%[57][0-9Aa])"
_HIGH = rb"(?:[\x80-\xff]|%[89A-Fa-f][0-9A-Fa-f])"
_ESCAPE = rb"%[0-9A-Fa-f]{2}"
_SIX = rb"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?"
_FOUR = rb"(?:\d{1,3}\.){3}\d{1,3}"
_HOST = rb"(?:\[" + _SIX + rb"\]|[0-9A-Za-z_.-]+)"
_PORT = rb"(?:\s*:\s*\d{1,5}(?![0-9A-Za-z@%]))?"
_EDGE = rb"(?:(?<![0-9A-Za-z.])|(?<=%[0-9A-Fa-f]{2}))"
_SCHEME = rb"(?:sips?|urn|uuid|https?|wss?|mailto|im|pres|msrps?|cid|h323)"

_PIECE = re.compile(
    rb"(?P<via>\bSIP\s*/\s*\d\.\d\s*/\s*(?:UDP|TCP|TLS|SCTP|WSS?|TLS-SCTP)\s+)"
    rb"(?P<sentby>" + _HOST + rb")(?P<sentport>" + _PORT + rb")"
    rb"|(?P<tel>(?<![0-9A-Za-z])(?:tels?|fax|modem)(?::|%3[Aa]))(?P<telephone>[+0-9().*#-]*)"
    rb"|(?P<uri>(?<![0-9A-Za-z])" + _SCHEME + rb"(?::|%3[Aa])(?://)?)(?:(?P<user>[^@<>\s\",]{0,512})(?P<at>@))?"
    rb"(?P<host>" + _HOST + rb")?(?P<port>" + _PORT + rb")"
    rb"|(?P<name>(?:(?<![0-9A-Za-z.!%*_+`'~-])|(?<=%[0-9A-Fa-f]{2}))[+A-Za-z][0-9A-Za-z._-]{0,40})(?P<equals>\s*=\s*|%3[Dd])"
    rb"(?P<value>\"(?:[^\"\\]|\\.)*\"|[^\s;,?&>\"%)]*)"
    rb"|(?<=;)(?P<flag>[a-z-]{2,32})(?=[;,>\s]|$)"
    rb"|(?<![0-9A-Za-z:.])(?P<six>" + _SIX + rb")(?![0-9A-Za-z:])(?P<sixport>(?<=[0-9A-Fa-f:])\]:\d{1,5}(?!\d))?"
    rb"|" + _EDGE + rb"(?P<four>" + _FOUR + rb")(?![0-9A-Za-z]|\.\d)(?P<fourport>:\d{1,5}(?![0-9A-Za-z]))?"
    rb"|(?P<high>" + _HIGH + rb"+)"
    rb"|(?P<atom>" + _ALNUM + rb"+)"
    rb"|" + _ESCAPE,
    re.IGNORECASE,
)  # fmt: skip
_ATOM = re.compile(
    _EDGE
    + rb"(?P<four>"
    + _FOUR
    + rb")(?![0-9A-Za-z]|\.\d)|(?P<high>"
    + _HIGH
    + rb"+)|(?P<atom>"
    + _ALNUM
    + rb"+)|"
    + _ESCAPE
)
_TELEPHONE = re.compile(rb"\+?[().*#-]*+[0-9][0-9().*#-]*+")
_COOKIE = b"z9hG4bK"
_ADDRESSES = re.compile(
    rb"(?P<mail>[^\s<>@\"()]{1,64}@[^\s<>\"()]+)|(?P<mac>(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Za-z]))"
    rb"|(?P<flat>(?<![0-9A-Za-z])(?=[0-9A-Fa-f]*\d)[0-9A-Fa-f]{10,64}(?![0-9A-Za-z]))"
    rb"|(?P<six>(?<![0-9A-Za-z:.])" + _SIX + rb"(?![0-9A-Za-z:]))|(?P<four>(?<![0-9.])" + _FOUR + rb"(?!\.?\d))"
    rb"|(?P<host>(?<![0-9A-Za-z.-])(?:[A-Za-z][A-Za-z0-9-]*\.)+[A-Za-z]{2,}(?![0-9A-Za-z-]))"
    rb"|(?P<long>\d{6,})|(?P<high>[\x80-\xff]+)"
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z]+(?![A-Za-z0-9@])")


class Texts:
    """Replacements of text under one key."""

    def __init__(self, keyed: Keyed, addresses: Addresses) -> None:
        self.keyed, self.addresses = keyed, addresses

    # ---- pieces
    def atom(self, text: bytes) -> bytes:
        """A run of letters and digits, some of them perhaps as ``%XX``."""
        if b"%" not in text:
            return self.keyed.word(text.decode("ascii")).encode()
        units = re.findall(rb"%..|.", text, re.DOTALL)
        new = self.keyed.word("".join(unquote_to_bytes(unit).decode("ascii") for unit in units)).encode()
        return b"".join(
            b"%%%02X" % new[i] if len(unit) == 3 else new[i : i + 1] for i, unit in enumerate(units)
        )  # fmt: skip

    def high(self, text: bytes) -> bytes:
        """Characters beyond ASCII: others that take as many bytes."""
        if b"%" in text:
            units = re.findall(rb"%..|.", text, re.DOTALL)
            new = self.high(b"".join(unquote_to_bytes(unit) for unit in units))
            return b"".join(
                quote_from_bytes(new[i : i + 1], "").encode() if len(unit) == 3 else new[i : i + 1]
                for i, unit in enumerate(units)
            )
        out = bytearray()
        for character in text.decode("utf-8", "surrogateescape"):
            size = len(character.encode("utf-8", "surrogateescape"))
            seed = int.from_bytes(self.keyed.digest(b"letter", character.encode("utf-8", "surrogateescape"), 4), "big")
            first, count = {1: (0xDC80, 128), 2: (0xE0, 23), 3: (0x4E00, 2048), 4: (0x1F400, 64)}[size]
            out += chr(first + seed % count).encode("utf-8", "surrogateescape")
        return bytes(out)

    def atoms(self, text: bytes) -> bytes:
        """Every run of letters and digits, and every IPv4 address; nothing stays but punctuation."""
        return _ATOM.sub(self._piece_of_atoms, text)

    def _piece_of_atoms(self, found: re.Match[bytes]) -> bytes:
        kind, whole = found.lastgroup, found[0]
        if kind == "four":
            return self._four(whole)
        return self.atom(whole) if kind == "atom" else self.high(whole) if kind == "high" else whole

    def _four(self, text: bytes) -> bytes:
        new = self.addresses.text(text.decode("ascii"))
        return new.encode() if new is not None else re.sub(rb"\d+", lambda each: self.atom(each[0]), text)

    def host(self, text: bytes) -> bytes:
        """A host: a name label by label, or an address, IPv6 with or without brackets."""
        bare = text.strip(b"[]")
        if b":" in bare:
            new = self.addresses.text(bare.decode("ascii", "replace"))
            return text.replace(bare, new.encode()) if new is not None else self.atoms(text)
        return self.atoms(text)

    def user(self, text: bytes) -> bytes:
        """The user of a URI, with parameters and password: a telephone number, or a name."""
        number, semicolon, rest = text.partition(b";")
        if _TELEPHONE.fullmatch(number):
            digits = b"".join(re.findall(rb"\d", number)).decode()
            kept = len(digits) - len(digits.lstrip("0"))
            new = iter("0" * kept + self.keyed.number(digits[kept:]) if digits[kept:] else digits)
            number = re.sub(rb"\d", lambda _: next(new).encode(), number)
            return number + semicolon + (self.value(rest) if rest else b"")
        return self.value(text) if semicolon or b"=" in text else self.atoms(text)

    # ---- values
    def value(self, text: bytes) -> bytes:
        """A header's value, a line or any text, by the grammars that SIP has."""
        return _PIECE.sub(self._piece, text)

    def _piece(self, found: re.Match[bytes]) -> bytes:
        whole = found[0]
        if found["atom"] is not None:
            return self.atom(whole)
        if found["uri"] is not None:
            user = found["user"]
            host = found["host"] or b""
            head = found["uri"] + (self.user(user) + b"@" if user is not None else b"")
            return head + self.host(host) + (found["port"] if host else self.value(found["port"]))
        if found["tel"] is not None:
            return found["tel"] + self.user(found["telephone"])
        if found["via"] is not None:
            return found["via"] + self.host(found["sentby"]) + found["sentport"]
        if found["name"] is not None:
            return self._parameter(found)
        if found["flag"] is not None:
            return whole if found["flag"].lower() in FLAGS else self.atoms(whole)
        if found["six"] is not None:
            new = self.addresses.text(found["six"].decode("ascii"))
            if new is not None:
                return new.encode() + (found["sixport"] or b"")
            return self.atoms(whole)
        if found["four"] is not None:
            return self._four(found["four"]) + (found["fourport"] or b"")
        return self.high(whole) if found["high"] is not None else whole

    def _parameter(self, found: re.Match[bytes]) -> bytes:
        name, value = found["name"], found["value"]
        key = name.lower()
        shape = SHAPES.get(key)
        listed = key not in (b"method", b"methods") or METHODS.issuperset(re.findall(rb"[A-Z]+", value.upper()))
        if shape is not None and listed and shape.fullmatch(value.strip(b'"')):
            return found[0]
        if key == b"text":
            return name + found["equals"] + self.spoken(value)
        name = name if key in NAMES else self.atoms(name)
        if key == b"branch" and value[:7] == _COOKIE:
            return name + found["equals"] + _COOKIE + self.value(value[7:])
        return name + found["equals"] + self.value(value)

    def spoken(self, text: bytes) -> bytes:
        """A text for people, such as a reason phrase: words of the standards' phrases stay."""
        out, at = bytearray(), 0
        for found in _WORD.finditer(text):
            if found[0].lower() in WORDS and text[found.start() - 1 : found.start()] not in (b"@", b"."):
                out += self._unspoken(text[at : found.start()]) + found[0]
                at = found.end()
        return bytes(out + self._unspoken(text[at:]))

    def _unspoken(self, text: bytes) -> bytes:
        return self.value(text) if text else b""

    def product(self, text: bytes) -> bytes:
        """The name of a product: it stays but for addresses, serial numbers and hosts in it."""
        return _ADDRESSES.sub(self._address_of_product, text)

    def _address_of_product(self, found: re.Match[bytes]) -> bytes:
        if found["six"] is not None and self.addresses.text(found[0].decode("ascii")) is None:
            return self.atoms(found[0]) if len(found[0]) > 8 else found[0]
        return self.value(found[0])
