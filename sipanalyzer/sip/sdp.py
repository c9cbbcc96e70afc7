"""Session descriptions: who wants which media where. Floor 4.

Comes in: a body (or a Content-Type and a body that may hold one). Goes out: a frozen :class:`Sdp`, lenient, with short
codes for what was wrong in `defects` (:data:`DEFECTS`). Sources: RFC 8866 (SDP), 3264 (hold), 3605 (``a=rtcp``), 5761
(rtcp-mux), 8843 (BUNDLE), 4568 (crypto), 8122 (fingerprint), 8839 and 5245 (ICE), 6189 (ZRTP), 4975 (MSRP), T.38
Annex D.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..codecs import STATIC, Codec, by_name
from ..errors import ParseError
from ..options import Options
from .multipart import PARTS, PartLimits, media_type, part_limits, split_body
from .sdp_lines import Candidate, Draft, RtpMap, read_attribute, read_connection, read_media
from .text import printable

__all__ = [
    "DEFECTS", "Candidate", "Media", "Origin", "RtpMap", "Sdp", "SdpLimits", "codec_of", "find_sdp", "parse_sdp",
    "sdp_limits",
]  # fmt: skip


class SdpLimits(NamedTuple):
    """How much is read of one description."""

    max_bytes: int
    max_lines: int
    max_media: int
    max_values: int
    of_body: PartLimits = PARTS
    """How far the body around it is taken apart."""


def sdp_limits(options: Options) -> SdpLimits:
    """What `max_sdp_*` and `max_body_*` of the options say: few enough to look remembered ones up by."""
    return SdpLimits(
        options.max_sdp_bytes,
        options.max_sdp_lines,
        options.max_sdp_media,
        options.max_sdp_values,
        part_limits(options),
    )


DEFAULTS = sdp_limits(Options())

DEFECTS = {
    "too-long": "more bytes, lines, media, formats or attributes than are read; the rest is left out",
    "missing-version": "v=0 missing",
    "missing-origin": "o= missing or incomplete",
    "missing-session-name": "s= missing",
    "missing-time": "t= missing",
    "missing-connection": "media without an address",
    "malformed-line": "line that is not a letter, = and a value; left out",
    "bad-connection": "c= without an address",
    "bad-media": "m= without kind, port, protocol and formats, or with a port that is none",
    "bad-rtpmap": "a=rtpmap that cannot be read",
    "bad-attribute": "attribute whose value cannot be read",
    "direction-both": "a=direction:both, which means nothing since RFC 4145; ignored",
}
"""Every code and what it means."""

_UNSPECIFIED = frozenset(("0.0.0.0", "::", "0:0:0:0:0:0:0:0"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line."""

    username: str
    session_id: str
    version: str
    address: str


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with what belongs to it."""

    kind: str
    """``audio``, ``video``, ``image``, ``message``, ``application``, ``text`` or what else was sent; lower case."""
    port: int
    """0: rejected or switched off (RFC 3264 section 6)."""
    port_count: int
    protocol: str
    """As sent: ``RTP/AVP``, ``UDP/TLS/RTP/SAVPF``, ``udptl`` ..."""
    formats: tuple[str, ...]
    """In the order of preference; payload types for RTP."""
    address: str | None
    """Of its own c=, else of the session's; an address or a host name."""
    rtcp_port: int | None = None
    """From ``a=rtcp``; None where it is not said (the port after `port`, RFC 3550 section 11)."""
    rtcp_address: str | None = None
    rtcp_mux: bool = False
    direction: str = "sendrecv"
    ptime: float | None = None
    """ms."""
    maxptime: float | None = None
    """ms."""
    rtpmaps: dict[int, RtpMap] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    crypto: tuple[str, ...] = ()
    """Crypto suites."""
    fingerprint: str | None = None
    """Hash function and value; of the media, else of the session."""
    setup: str | None = None
    candidates: tuple[Candidate, ...] = ()
    mid: str | None = None
    ice_ufrag: str | None = None
    label: str | None = None
    path: str | None = None
    """MSRP path."""
    encrypted: bool = False
    """SRTP, DTLS or ZRTP."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Name and value of all others, as sent."""

    @property
    def held(self) -> bool:
        """Whether the sender of this description has put the other side on hold (RFC 3264 8.4, and RFC 2543's way).

        An unspecified address beside ICE is no hold but an offer whose candidates follow (RFC 8840).
        """
        if self.port == 0:
            return False
        if self.direction in ("sendonly", "inactive"):
            return True
        return self.address in _UNSPECIFIED and self.ice_ufrag is None and not self.candidates


@dataclass(frozen=True, slots=True)
class Sdp:
    """One session description. Shared between all who parse the same bytes: do not change the dicts in it."""

    origin: Origin | None
    address: str | None
    """Of the session's c=."""
    groups: tuple[tuple[str, ...], ...]
    """BUNDLE groups: the mids in each."""
    media: tuple[Media, ...]
    defects: tuple[str, ...]


@functools.lru_cache(maxsize=256)
def parse_sdp(body: bytes, limits: SdpLimits = DEFAULTS) -> Sdp:
    """Parse a session description.

    Parameters
    ----------
    body : bytes
        With any line ends.
    limits : SdpLimits
        What is more is not read, which is the defect ``too-long``.

    Raises
    ------
    ParseError
        If there is none of the lines v=, o=, c= and m=.

    Notes
    -----
    The last 256 different bodies are remembered: every hop sends a copy. So are the last 256 shapes: one product writes
    the same description again and again, with another origin, address and port.
    """
    apart = _take_apart(body, limits)
    if apart is None:
        return parse_whole(body, limits)
    shape, values = apart
    like = _shapes.get((limits, shape))
    if like is not None and (quick := _refill(like, shape, values)) is not None:
        return quick
    sdp = parse_whole(body, limits)
    if len(_shapes) >= 256:
        _shapes.clear()
    _shapes[limits, shape] = sdp
    return sdp


_Shape = tuple[bytes | tuple[bytes, bytes], ...]
"""A body's lines; of an o=, c= or m= line what stands before and behind the value that was taken out."""
_VALUES = {
    b"o=": re.compile(rb"(o=)([!-~]+(?: [!-~]+){5})(\r?)"),
    b"c=": re.compile(rb"(c=IN IP[46] )([0-9A-Fa-f.:]+)(\r?)"),
    b"m=": re.compile(rb"(m=[!-~]+ )([0-9]{1,4}|[1-5][0-9]{4})( .*)", re.DOTALL),
}
"""Lines with a value that can be put in the place of another without reading the whole description."""
_HIDDEN = re.compile(rb"\r(?!\n)|(?:\A|\n)[\x00-\x09\x0b\x0c\x0e-\x20]")
"""What makes a line begin, to the parser, where none seems to: a CR alone, space before the line."""
_shapes: dict[tuple[SdpLimits, _Shape], Sdp] = {}


def _take_apart(body: bytes, limits: SdpLimits) -> tuple[_Shape, list[bytes]] | None:
    """The shape of a body, and the values taken out of it: of o= all, of c= the address, of m= the port.

    None where that is not certain to mean the same in all bodies of the shape.
    """
    if len(body) > limits.max_bytes or _HIDDEN.search(body):
        return None
    lines: list[bytes | tuple[bytes, bytes]] = []
    values: list[bytes] = []
    for line in body.split(b"\n"):
        pattern = _VALUES.get(line[:2])
        if pattern is None:
            lines.append(line)
        elif match := pattern.fullmatch(line):
            lines.append((match[1], match[3]))
            values.append(match[2])
        else:
            return None
    return tuple(lines), values


def _refill(like: Sdp, shape: _Shape, values: list[bytes]) -> Sdp | None:
    """A description of the same shape with these values; None where that is not certain to be right."""
    media = like.media
    if like.origin is None or "too-long" in like.defects:
        return None
    origin: Origin | None = None
    ports: list[int] = []
    addresses: dict[int, str] = {}  # by number of the media, -1: the session's
    for (before, _), value in zip((line for line in shape if isinstance(line, tuple)), values, strict=True):
        text = value.decode("ascii")
        if before.startswith(b"m="):
            ports.append(int(text))
        elif before == b"o=" and origin is None:
            origin = _read_origin(text)
        elif before.startswith(b"c=") and len(ports) - 1 not in addresses:
            addresses[len(ports) - 1] = text
        else:  # only the first of several counts
            return None
    if (
        origin is None
        or len(ports) != len(media)
        or any(not one.port or not one.address for one in media)
        or not all(ports)
    ):
        return None
    session = addresses.get(-1)
    refilled = tuple(replace(one, port=ports[k], address=addresses.get(k, session)) for k, one in enumerate(media))
    return Sdp(origin, session, like.groups, refilled, like.defects)


def parse_whole(body: bytes, limits: SdpLimits = DEFAULTS) -> Sdp:
    """Parse a session description line by line; what :func:`parse_sdp` does, and its twin in the tests."""
    session = Draft(limits.max_values)
    if len(body) > limits.max_bytes:
        session.defects.append("too-long")
    text = body[: limits.max_bytes].decode("utf-8", "backslashreplace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > limits.max_lines:
        session.defects.append("too-long")
    drafts: list[Draft] = []
    seen: set[str] = set()
    origin: Origin | None = None
    for line in lines[: limits.max_lines]:
        line = printable(line).strip(" ")
        if not line:
            continue
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha():
            session.defects.append("malformed-line")
            continue
        kind, value = line[0], line[2:].strip(" ")
        seen.add(kind)
        current = drafts[-1] if drafts else session
        if kind == "m":
            if len(drafts) == limits.max_media:
                session.defects.append("too-long")
                break
            drafts.append(read_media(value, limits.max_values))
        elif kind == "c":
            read_connection(current, value)
        elif kind == "a":
            read_attribute(current, value)
        elif kind == "o" and origin is None:
            origin = _read_origin(value)
    if not seen & set("vocm"):
        raise ParseError("sdp", "none of v=, o=, c= and m=")
    media = tuple(_finish(draft, session) for draft in drafts)
    defects = [*_missing(seen, origin), *session.defects]
    for draft, made in zip(drafts, media, strict=True):
        defects += draft.defects
        if made.port and made.address is None:
            defects.append("missing-connection")
    return Sdp(origin, session.address, tuple(session.groups), media, tuple(dict.fromkeys(defects)))


def _missing(seen: set[str], origin: Origin | None) -> list[str]:
    lines = {"v": "missing-version", "s": "missing-session-name", "t": "missing-time"}
    missing = [code for kind, code in lines.items() if kind not in seen]
    return missing if origin is not None else [*missing, "missing-origin"]


def _read_origin(value: str) -> Origin | None:
    words = value.split()
    if len(words) < 6:
        return None
    return Origin(" ".join(words[:-5]), words[-5], words[-4], words[-1])


def _finish(draft: Draft, session: Draft) -> Media:
    words = {**{k: v for k, v in session.words.items() if k in ("fingerprint", "setup", "ice-ufrag")}, **draft.words}
    protocol = draft.protocol.upper()
    flags = draft.flags | (session.flags & {"key-mgmt", "zrtp-hash"})
    return Media(
        kind=draft.kind,
        port=draft.port,
        port_count=draft.port_count,
        protocol=draft.protocol,
        formats=draft.formats,
        address=draft.address or session.address,
        rtcp_port=draft.rtcp_port,
        rtcp_address=draft.rtcp_address,
        rtcp_mux="rtcp-mux" in flags,
        direction=draft.direction or session.direction or "sendrecv",
        ptime=draft.ptime,
        maxptime=draft.maxptime,
        rtpmaps=draft.rtpmaps,
        fmtp=draft.fmtp,
        crypto=tuple(draft.crypto),
        fingerprint=words.get("fingerprint"),
        setup=words.get("setup"),
        candidates=tuple(draft.candidates),
        mid=words.get("mid"),
        ice_ufrag=words.get("ice-ufrag"),
        label=words.get("label"),
        path=words.get("path"),
        encrypted="SAVP" in protocol
        or "TLS" in protocol
        or bool(draft.crypto)
        or "fingerprint" in words
        or not flags.isdisjoint(("zrtp-hash", "key-mgmt")),
        attributes=tuple(draft.attributes),
    )


def codec_of(media: Media, payload_type: int) -> Codec | None:
    """What a payload type of this media carries; None where neither rtpmap nor RFC 3551 says.

    The name is the registry's where it is known there, the clock rate that of the rtpmap; of G722 it is 8000 Hz
    whatever the rtpmap says (RFC 3551 4.5.2).
    """
    rtpmap = media.rtpmaps.get(payload_type)
    return STATIC.get(payload_type) if rtpmap is None else _codec(rtpmap.name, rtpmap.clock_rate, media.kind)


@functools.lru_cache(maxsize=1024)
def _codec(name: str, clock_rate: int, kind: str) -> Codec:
    known = by_name(name)
    if known is None:
        return Codec(name, clock_rate, kind)
    return known if known.name == "G722" else replace(known, clock_rate_hz=clock_rate)


def find_sdp(content_type: str | None, body: bytes, limits: SdpLimits = DEFAULTS) -> bytes | None:
    """The session description in a body; None where there is none.

    Parameters
    ----------
    content_type : str or None
        As sent; without one, a body that begins with ``v=0`` is taken for a description.
    body : bytes
        Of the message. Of a multipart the first description in it counts.
    limits : SdpLimits
        Of which `of_body` counts here.
    """
    if not body:
        return None
    for part in split_body(content_type, body, limits.of_body):
        kind = media_type(part.content_type)
        if kind == "application/sdp" or (kind is None and part.body.lstrip(b"\r\n").startswith(b"v=0")):
            return part.body or None
    return None
