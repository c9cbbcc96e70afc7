"""A SIP message, byte for byte as long, without anything personal. Floor 3.

In: a message as captured, whole or cut. Out: the same with its start line, headers and body replaced. A header that
nobody knows is replaced altogether; which stay, and in what shape, is said by :mod:`.vocabulary`. Line ends, folding,
names of headers and everything that is no letter or digit stay where they stand, so that faults of the message remain.
"""

from __future__ import annotations

import re

from .body import Bodies
from .text import Texts
from .vocabulary import AGENTS, COUNTED, FIRST_WORD, METHODS, SHORT, SPOKEN, WHOLE

__all__ = ["Messages"]

_STATUS = re.compile(rb"(\s*SIP\s*/\s*\d+\.\d+[ \t]+\d{3,}[ \t]*)(.*)", re.IGNORECASE | re.DOTALL)
_REQUEST = re.compile(rb"(\s*)([0-9A-Za-z.!%*_+`'~-]{1,64})([ \t]+)")
_VERSION = re.compile(rb"[ \t]SIP\s*/\s*\d{1,9}\.\d{1,9}\s*\Z", re.IGNORECASE)
_NAME = re.compile(rb"([0-9A-Za-z.!%*_+`'~-]{1,64})([ \t]*:)")
_END = re.compile(rb"\r?\n\r?\n")
_FIRST = re.compile(rb"\s*[A-Za-z][A-Za-z0-9._+/-]*")
_LINES = re.compile(rb"[^\n]*\n(?:[ \t]+[^\n]*\n?)*|[^\n]+")
_PROTOCOLS = re.compile(rb"\s*(?:SIP|Q\.850|Q850|Preemption|RELEASE_CAUSE|Digest|Basic|Bearer|NTLM|Kerberos"
                        rb"|[a-z]+/[a-z0-9._+-]+"
                        rb"|[a-z-]{3,24}(?:\.[a-z]+)?|\d{1,6})(?=[\s;,(]|$)", re.IGNORECASE)  # fmt: skip
_FIGURE = re.compile(
    rb"(?<![\w.@-])([A-Za-z_]{1,20}=(?:[\d.]{1,12}(?=[,;\s\"]|$))?)|(?<=,)(\d{1,6})(?=[,;\s]|$)|((?:[A-Za-z_]{1,20}=)?[^,;\s]+)"
)
_NUMBER = re.compile(rb"\s*\d{1,10}(?!\d)\s*")
_TOKEN = re.compile(rb"[A-Za-z]+(?![\w.-])")
_KNOWN_NAMES = re.compile(rb"[A-Za-z][A-Za-z-]*[A-Za-z]|[A-Za-z]")


class Messages:
    """Replacements of SIP messages under one key."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._bodies = Bodies(texts, self.headers, self.start_line)

    def message(self, data: bytes) -> bytes:
        """A message, or what was captured of it; what stands behind its body in a datagram is replaced as well."""
        blank = len(data) - len(data.lstrip(b"\r\n"))
        end = _END.search(data, blank)
        head, body = (data[: end.end()], data[end.end() :]) if end else (data, b"")
        line = head.find(b"\n", blank) + 1 or len(head)
        first = self.start_line(head[blank:line])
        return data[:blank] + first + self.headers(head[line:]) + self.body(body, head)

    def text(self, data: bytes) -> bytes:
        """A value that belongs to no message, such as a name in another protocol."""
        return self._texts.value(data)

    def phrase(self, data: bytes) -> bytes:
        """What is said to people, such as a reason phrase."""
        return self._texts.spoken(data)

    def body(self, body: bytes, head: bytes) -> bytes:
        """A body, by what the head says that it is."""
        return self._bodies.body(body, head) if body else b""

    def start_line(self, line: bytes) -> bytes:
        """A status line or a request line."""
        status = _STATUS.fullmatch(line)
        if status:
            return status[1] + self._texts.spoken(status[2])
        request = _REQUEST.match(line)
        if request is None:
            return self._texts.value(line)
        version = _VERSION.search(line, request.end() - 1)
        blank, method, space = request.groups()
        if method.upper() not in METHODS and not (version and method.isalpha() and method.isupper()):
            method = self._texts.atoms(method)
        begin, end = request.end(), version.start() if version else len(line)
        uri = self._texts.value(line[begin:end]) if end > begin else b""
        return blank + method + space + uri + line[max(begin, end) :]

    def headers(self, head: bytes) -> bytes:
        """Headers, folded ones whole, with the empty line behind them."""
        return b"".join(self._header(line) for line in _LINES.findall(head))

    def _header(self, line: bytes) -> bytes:
        named = _NAME.match(line)
        if named is None:
            return self._texts.value(line)
        name, value = named[1].lower(), line[named.end() :]
        name = SHORT.get(name, name)
        shown = named[0] if _KNOWN_NAMES.fullmatch(named[1]) else self._texts.atoms(named[1]) + named[2]
        return shown + self._value(name, value)

    def _value(self, name: bytes, value: bytes) -> bytes:
        texts = self._texts
        shape = WHOLE.get(name)
        if shape is not None and shape.fullmatch(value):
            return value
        if name == b"cseq":  # not as it should be: what transactions are known by stays nevertheless
            number = _NUMBER.match(value)
            method = _TOKEN.match(value, number.end()) if number else None
            at = method.end() if method and method[0].upper() in METHODS else number.end() if number else 0
            return value[:at] + texts.value(value[at:])
        if name in AGENTS:
            return texts.product(value)
        if name in COUNTED:
            return _FIGURE.sub(lambda each: each[0] if each[1] or each[2] else texts.value(each[3]), value)
        if name == b"warning":
            code = re.match(rb"\s*\d{3}\s+", value)
            at = code.end() if code else 0
            quoted = value.find(b'"', at)
            quoted = quoted if quoted >= 0 else len(value)
            return value[:at] + texts.value(value[at:quoted]) + texts.spoken(value[quoted:])
        if name in FIRST_WORD:
            first = _PROTOCOLS.match(value)
            at = first.end() if first else 0
            rest = value[at:]
            if name == b"accept":
                return b",".join(
                    each if _FIRST.fullmatch(each.strip()) else texts.value(each) for each in value.split(b",")
                )
            return value[:at] + (texts.value(rest) if name not in SPOKEN else self._reasons(rest))
        return texts.value(value)

    def _reasons(self, rest: bytes) -> bytes:
        """Parameters of a Reason, and further ones behind commas."""
        parts = re.split(rb"(,\s*)(?=(?:SIP|Q\.850)\b)", rest, flags=re.IGNORECASE)
        out = []
        for i, part in enumerate(parts):
            first = _PROTOCOLS.match(part) if i and i % 2 == 0 else None
            at = first.end() if first else 0
            out.append(part if i % 2 else part[:at] + self._texts.value(part[at:]))
        return b"".join(out)
