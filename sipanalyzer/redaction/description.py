"""A session description, byte for byte as long, without anything personal. Floor 3.

In: SDP (RFC 8866). Out: the same media, codecs and directions, with other addresses, names, keys, SSRCs, candidates.
Origin's numbers, subjects, mail addresses and telephone numbers go, and lines and attributes that nobody knows.
"""

from __future__ import annotations

import re

from .text import Texts
from .vocabulary import ATTRIBUTES

__all__ = ["Descriptions"]

_ATTRIBUTE = re.compile(rb"([A-Za-z0-9_.+-]+)(:?)(.*)", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_KEPT_LINES = frozenset(b"vtbrz")
_SHAPES = {
    b"v": re.compile(rb"\s*\d+\s*"), b"t": re.compile(rb"[\d\s]*"), b"b": re.compile(rb"[A-Za-z-]+:\s*+\d*+\s*+"),
    b"r": re.compile(rb"[\d\sdhms-]*"), b"z": re.compile(rb"[\d\sdhms-]*"),
    b"m": re.compile(rb"[a-z]++[ \t]++[\d/]++[ \t]++[A-Za-z0-9/_-]++[\w \t*.+-]*+\s*+", re.IGNORECASE),
}  # fmt: skip
_SECRET_FORMAT = re.compile(
    rb"((?:sprop[a-z-]*+|config|configuration|parameter-sets|key-mgmt)\s*+=\s*+)([^;\s]+)|sprop[a-z-]*+", re.IGNORECASE
)
"""A secret one in groups; without them a run of letters that is none, passed at once."""
_CANDIDATE = re.compile(rb"(\S+)(\s+\d+\s+)(\S+)(\s+\d+\s+)(\S+)(\s+\d+\s+typ\s+[a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_PLAIN = frozenset(b"generation network-id network-cost tcptype active passive so rport".split())
_SSRC = re.compile(rb"(\s*)(\d{1,10})(?=[\s:]|$)")
_CONNECTION = re.compile(rb"(\s*IN\s+IP[46]\s+)([^\s/]+)(.*)", re.IGNORECASE | re.DOTALL)
_ADDRESSED = re.compile(rb"c=[ \t]*+IN[ \t]++IP[46][ \t]++(?=[^\s])", re.IGNORECASE)
_ORIGIN = re.compile(rb"(.*?)(?<!\s)(\s++IN\s++IP[46]\s++.*)", re.IGNORECASE | re.DOTALL)
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_SSRC_TEXTS = frozenset(b"cname label mslabel msid".split())


class Descriptions:
    """Replacements of session descriptions under one key."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def description(self, data: bytes) -> bytes:
        """A session description."""
        return b"".join(self._line(line) for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", data))

    def _line(self, line: bytes) -> bytes:
        if _CONTROL.search(line):  # a damaged line, or what is no description; of the others its stream may be known
            end = len(line) - len(line.rstrip(b"\r\n"))
            begin = kept.end() if (kept := _ADDRESSED.match(line)) else 0  # media without any address are another thing
            return line[:begin] + b"*" * (len(line) - end - begin) + line[len(line) - end :]
        kind, equals, value = line[:1].lower(), line[1:2], line[2:]
        if equals != b"=" or not value:
            return self._texts.value(line)
        return line[:2] + self._value(kind, value)

    def _value(self, kind: bytes, value: bytes) -> bytes:
        shape = _SHAPES.get(kind)
        if shape is not None:
            return value if shape.fullmatch(value) else self._texts.value(value)
        if kind == b"a":
            return self._attribute(value)
        if kind == b"c":
            return self._connection(value)
        if kind == b"o":
            origin = _ORIGIN.fullmatch(value)
            return self._texts.value(origin[1]) + self._connection(origin[2]) if origin else self._texts.value(value)
        return self._texts.atoms(value) if kind == b"k" else self._texts.value(value)

    def _connection(self, value: bytes) -> bytes:
        found = _CONNECTION.fullmatch(value)
        if found is None:
            return self._texts.value(value)
        rest = found[3] if re.fullmatch(rb"(?:/\d{1,3}){0,2}\s*", found[3]) else self._texts.value(found[3])
        return found[1] + self._texts.host(found[2]) + rest

    def _attribute(self, value: bytes) -> bytes:
        found = _ATTRIBUTE.fullmatch(value)
        if found is None:
            return self._texts.value(value)
        name, colon, rest = found[1].lower(), found[1] + found[2], found[3]
        if name in ATTRIBUTES:
            if name == b"fmtp":
                return colon + _SECRET_FORMAT.sub(
                    lambda each: each[1] + self._texts.atoms(each[2]) if each[1] else each[0], rest
                )
            return colon + rest
        known = _ATTRIBUTES.get(name)
        if known is not None:
            return colon + known(self, rest)
        return colon + self._texts.value(rest)

    def _rtcp(self, rest: bytes) -> bytes:
        port = re.match(rb"\s*\d{1,5}", rest)
        at = port.end() if port else 0
        return rest[:at] + (self._connection(rest[at:]) if rest[at:].strip() else rest[at:])

    def _ssrc(self, rest: bytes) -> bytes:
        found = _SSRC.match(rest)
        at, number = (found.end(), found[1] + self.number(found[2])) if found else (0, b"")
        name = re.match(rb"\s+([a-z-]+):?", rest[at:])
        stop = at + name.end() if name and name[1] in _SSRC_TEXTS else at
        return number + rest[at:stop] + self._texts.value(rest[stop:])

    def _ssrc_group(self, rest: bytes) -> bytes:
        return re.sub(rb"(?<=[ \t])\d{1,10}(?!\d)", lambda each: self.number(each[0]), rest)

    def number(self, text: bytes) -> bytes:
        """An SSRC in decimal."""
        value = int(text)
        if value >> 32 or text != str(value).encode():
            return self._texts.atoms(text)
        return str(self._texts.keyed.ssrc(value)).encode()

    def _candidate(self, rest: bytes) -> bytes:
        found = _CANDIDATE.fullmatch(rest)
        if found is None:
            return self._texts.value(rest)
        foundation, component, transport, priority, address, kind, more = found.groups()
        words = re.split(rb"(\s+)", more)
        for at, word in enumerate(words):
            before = words[at - 2].lower() if at > 1 else b""
            if not word.strip() or word.lower() in _PLAIN or word.lower() in (b"raddr", b"ufrag"):
                continue
            if before in _PLAIN and word.isdigit():
                continue
            words[at] = self._texts.host(word) if before == b"raddr" else self._texts.value(word)
        transport = transport if transport.lower() in (b"udp", b"tcp", b"ssltcp") else self._texts.value(transport)
        head = self._texts.atoms(foundation) + component + transport + priority
        return head + self._texts.host(address) + kind + b"".join(words)

    def _fingerprint(self, rest: bytes) -> bytes:
        found = re.fullmatch(rb"(\s*[A-Za-z0-9-]+\s+)(.*)", rest, re.DOTALL)
        return found[1] + self._hex(found[2]) if found else self._texts.value(rest)

    def _hex(self, text: bytes) -> bytes:
        """Hexadecimal digits in place of hexadecimal digits, all at once."""
        new = iter(self._texts.keyed.overwritten(b"".join(_HEX.findall(text)).lower()))

        def other(found: re.Match[bytes]) -> bytes:
            digits = "".join(f"{next(new) & 15:x}" for _ in found[0])
            return (digits.upper() if found[0].upper() == found[0] else digits).encode()

        return _HEX.sub(other, text)

    def _crypto(self, rest: bytes) -> bytes:
        found = re.fullmatch(rb"(\s*\d{1,9}\s+[A-Za-z0-9_]+\s+)(.*)", rest, re.DOTALL)
        if found is None:
            return self._texts.value(rest)
        return found[1] + re.sub(
            rb"(inline:)([^|;\s]*)([^;\s]*)|[^\s]+",
            lambda each: each[1] + self._texts.atoms(each[2]) + each[3] if each[1] else each[0]
            if re.fullmatch(rb"[A-Z_]+(?:=[\w/]+)?", each[0]) else self._texts.value(each[0]),
            found[2],
        )  # fmt: skip

    def _all(self, rest: bytes) -> bytes:
        return self._texts.atoms(rest)


_ATTRIBUTES = {
    b"rtcp": Descriptions._rtcp,
    b"ssrc": Descriptions._ssrc,
    b"ssrc-group": Descriptions._ssrc_group,
    b"candidate": Descriptions._candidate,
    b"fingerprint": Descriptions._fingerprint,
    b"crypto": Descriptions._crypto,
    b"ice-ufrag": Descriptions._all,
    b"ice-pwd": Descriptions._all,
    b"key-mgmt": Descriptions._all,
}
