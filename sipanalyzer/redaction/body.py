"""Bodies of SIP messages, byte for byte as long, without anything personal. Floor 3.

In: a body and the head that says what it is. Out: the same kind of body. Session descriptions, multiparts, fragments of
SIP, digits, message summaries and quality reports keep their structure and their figures; markup keeps its tags; of all
other text only punctuation stays, and of what is no text nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .description import Descriptions
from .text import Texts
from .vocabulary import FIELDS, FIGURES, TYPES

__all__ = ["Bodies"]

_TYPE = re.compile(
    rb"^(?:content-type|c)[ \t]*:[ \t]*([^\r\n;]*)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)
_ENCODED = re.compile(rb"^(?:content-encoding|e)[ \t]*:[ \t]*(?!identity)[a-z]", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary\s*=\s*(?:\"([^\"]+)\"|([^\s;,]+))", re.IGNORECASE)
_DEPTH = 8
_LINE = re.compile(rb"(\s*)([A-Za-z][A-Za-z-]*)(\s*[:=]\s*)(.*)", re.DOTALL)
_RELAYED = re.compile(rb"(?<![A-Za-z-])([A-Za-z-]++)(\s*+=[ \t]*+)([^\r\n]*+)")
_SSRC = re.compile(rb"(ssrc\s*=\s*)(0x[0-9a-f]{8}|\d{1,10})(?![0-9a-z])", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>|[^<>]+|[<>]")
_QUOTED = re.compile(rb"(?<![\w:.-])([\w:.-]{1,80})(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_STATES = frozenset(
    b"open closed active terminated pending init confirmed early proceeding trying full partial true false registered "
    b"created refreshed shortened expired deactivated probation unregistered rejected unknown local remote initiator "
    b"recipient idle away busy http:// utf-8 1.0".split()
)
_TAGS_STAY = frozenset(b"version state event xmlns encoding standalone direction".split())
_ELEMENT = re.compile(rb"(</?\??!?)([\w:.-]*)(.*)", re.DOTALL)


class Bodies:
    """Replacements of bodies under one key."""

    def __init__(self, texts: Texts, headers: Callable[[bytes], bytes], start_line: Callable[[bytes], bytes]) -> None:
        self._texts, self._headers, self._start_line = texts, headers, start_line
        self._descriptions = Descriptions(texts)

    def body(self, body: bytes, head: bytes, depth: int = 0) -> bytes:
        """A body behind a head, which has its Content-Type."""
        found = _TYPE.search(head)
        kind = found[1].strip().lower() if found else b""
        if _ENCODED.search(head) or depth > _DEPTH or _is_binary(body):
            damaged = found and (kind.startswith(b"multipart/") or kind == b"application/sdp")
            if not damaged or depth > _DEPTH or _ENCODED.search(head):
                return self._texts.keyed.overwritten(body)
        if kind.startswith(b"multipart/") and found:
            boundary = _BOUNDARY.search(found[2])
            if boundary:
                return self._multipart(body, (boundary[1] or boundary[2]).strip(), depth)
        if kind == b"application/sdp" or (not kind and body.lstrip()[:4] in (b"v=0\r", b"v=0\n")):
            return self._descriptions.description(body)
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(self, body)
        if kind.endswith((b"+xml", b"/xml")):
            return self._markup(body)
        return self._texts.value(body) if kind.startswith(b"text/") else self._texts.atoms(body)

    def _multipart(self, body: bytes, boundary: bytes, depth: int) -> bytes:
        out = []
        for at, part in enumerate(re.split(rb"(--" + re.escape(boundary) + rb")", body)):
            if at % 2:
                out.append(b"--" + self._texts.value(boundary))
                continue
            if at == 0:
                out.append(self._texts.value(part))
                continue
            end = re.search(rb"\r?\n\r?\n", part)
            if end is None or part.startswith(b"--"):
                out.append(self._texts.value(part))
                continue
            head, rest = part[: end.end()], part[end.end() :]
            line = head.find(b"\n") + 1
            out.append(self._texts.value(head[:line]) + self._headers(head[line:]) + self.body(rest, head, depth + 1))
        return b"".join(out)

    def _fragment(self, body: bytes) -> bytes:
        """A fragment of SIP (RFC 3420): a start line, perhaps, and headers."""
        line = body.find(b"\n") + 1 or len(body)
        if re.match(rb"\s*SIP/2\.0 |\S+ \S+ SIP/2\.0", body):
            return self._start_line(body[:line]) + self._headers(body[line:])
        return self._headers(body)

    def _key(self, body: bytes) -> bytes:
        """A digit alone (application/dtmf)."""
        return bytes(self._press(body[i : i + 1])[0] for i in range(len(body)))

    def _press(self, text: bytes) -> bytes:
        return self._texts.keyed.key_pressed(text.decode("latin-1")).encode("latin-1")

    def _relay(self, body: bytes) -> bytes:
        """``Signal=5`` (application/dtmf-relay), and a duration."""

        def line(found: re.Match[bytes]) -> bytes:
            name, equals, value = found.groups()
            if name.lower() == b"duration" and value.strip().isdigit():
                return found[0]
            known = name if name.lower() in FIELDS else self._texts.atoms(name)
            return known + equals + (self._key(value) if name.lower() == b"signal" else self._texts.atoms(value))

        return _RELAYED.sub(line, body) if b"=" in body else self._key(body)

    def _fields(self, body: bytes) -> bytes:
        """Lines of names and values: quality reports (RFC 6035) and message summaries (RFC 3842)."""
        return b"".join(self._field(line) for line in re.split(rb"(?<=\n)", body))

    def _field(self, line: bytes) -> bytes:
        found = _LINE.fullmatch(line)
        if found is None or found[2].lower() not in FIELDS:
            return self._texts.value(line)
        blank, name, colon, value = found.groups()
        key = name.lower()
        if key in FIGURES or (key.endswith(b"-message") and re.fullmatch(rb"[\d/\s()]*", value)):
            kept = re.fullmatch(rb"[A-Za-z0-9=.,:;/+ \t\r\n-]*", value) and b"@" not in value
            return (
                line
                if kept and not re.search(rb"(?:\d{1,3}\.){3}\d", value)
                else blank + name + colon + self._texts.value(value)
            )
        if value.strip().lower() in TYPES:
            return line
        out, at = b"", 0
        for each in _SSRC.finditer(value):
            out += self._sockets(value[at : each.start()]) + each[1] + self._ssrc(each[2])
            at = each.end()
        return blank + name + colon + out + self._sockets(value[at:])

    def _sockets(self, text: bytes) -> bytes:
        """``IP=10.0.0.1 PORT=5000``."""
        return re.sub(
            rb"\b(IP=|PORT=(?=\d{1,5}\b))?(\S+)",
            lambda each: (
                each[0] if (each[1] or b"").upper() == b"PORT=" else (each[1] or b"") + self._texts.value(each[2])
            ),
            text,
            flags=re.IGNORECASE,
        )

    def _ssrc(self, text: bytes) -> bytes:
        if text[:2].lower() == b"0x":
            return text[:2] + (b"%08x" % self._texts.keyed.ssrc(int(text, 16)))
        return self._descriptions.number(text)

    def _markup(self, body: bytes) -> bytes:
        """XML: names of elements and attributes stay, and states of presence, dialogs and registrations."""
        return b"".join(self._tag(piece) for piece in _TAG.findall(body))

    def _tag(self, piece: bytes) -> bytes:
        if not piece.startswith(b"<") or len(piece) < 2:
            return piece if piece.strip().lower() in _STATES else self._texts.value(piece)
        found = _ELEMENT.fullmatch(piece)
        if found is None or found[1] == b"<!":
            return self._texts.atoms(piece)
        out, at, rest = found[1] + found[2], 0, found[3]
        for each in _QUOTED.finditer(rest):
            name, value = each[1].lower().partition(b":")[0], each[3][1:-1]
            stays = name in _TAGS_STAY and re.fullmatch(
                rb"[a-z0-9:._ -]{1,64}|urn:ietf:[\w:.-]+|http://www\.w3\.org/[\w/.-]+", value
            )
            if not (value.lower() in _STATES or (stays and not value.isdigit()) or (name == b"version" and stays)):
                value = self._texts.value(value)
            out += self._texts.atoms(rest[at : each.start()]) + each[1] + each[2] + each[3][:1] + value + each[3][-1:]
            at = each.end()
        return out + self._texts.atoms(rest[at:])


def _is_binary(body: bytes) -> bool:
    """Whether it is no text."""
    return any(byte < 32 and byte not in (9, 10, 13) for byte in body[:4096])


_READERS: dict[bytes, Callable[[Bodies, bytes], bytes]] = {
    b"message/sipfrag": Bodies._fragment,
    b"message/sip": Bodies._fragment,
    b"application/dtmf": Bodies._key,
    b"application/dtmf-relay": Bodies._relay,
    b"application/vq-rtcpxr": Bodies._fields,
    b"application/simple-message-summary": Bodies._fields,
}
