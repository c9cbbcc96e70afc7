"""Session descriptions in a few words, and who offered and who answered. Floor 8.

In: the messages of a chart. Out: for each message with SDP what it says (:class:`Described`), whether it is an offer or
an answer (RFC 3264, RFC 6337), and whether its sender said something else before. A description is read once for each
different text of it, the o= line apart, whose version counts up.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...codecs import is_comfort_noise, is_event
from ...errors import ParseError
from ...facts import Endpoint
from ...network.endpoints import address_text, address_words
from ...result import Messages, host_port
from ...sip.sdp import DEFAULTS, Media, Sdp, SdpLimits, codec_of, find_sdp, parse_sdp
from .seen import Exchange, Seen
from .words import shown

__all__ = ["Described", "Said", "read_descriptions"]

_ORIGIN = re.compile(rb"^o=[^\n]*\n?", re.MULTILINE)
_MOST_READ = 4_000
"""Different descriptions that are read for a chart."""
_MOST_MEDIA, _MOST_CODECS = 3, 4
"""Media, and codecs of one, that are named."""
_MOST_SOCKETS = 64
_UNSPECIFIED = frozenset(("0.0.0.0", "::"))
_WAYS = ("sendonly", "recvonly", "inactive")
_KINDS = {"message": "messages (MSRP)", "image": "fax"}


@dataclass(frozen=True, slots=True)
class Described:
    """What a description says."""

    words: str
    """``PCMA, PCMU at 192.0.2.10:40000, sendonly, ptime 20``."""
    sockets: tuple[Endpoint, ...]
    """Where media are wanted, ICE candidates included."""
    codec: str | None
    """The first one of the first audio that is not switched off."""
    hold: str | None
    """How its sender holds the other side: ``sendonly``, ``inactive`` or ``0.0.0.0``."""


@dataclass(frozen=True, slots=True)
class Said:
    """A description in its place."""

    part: str
    """``offer``, ``answer``, or empty where it is not known."""
    described: Described
    changed: bool
    """Whether its sender said something else on this way before."""
    again: bool
    """Whether its sender said the same on this way before."""


def read_descriptions(messages: Messages, seen: Sequence[Seen], limits: SdpLimits = DEFAULTS) -> dict[int, Said]:
    """The descriptions in some messages, by row.

    Parameters
    ----------
    messages : Messages
        All of the result.
    seen : sequence of Seen
        In order of time.
    limits : SdpLimits
        How much is read of each.
    """
    known: dict[bytes, Described | None] = {}
    offered: dict[Exchange, bool] = {}
    open_invites: dict[tuple[int, int], bool] = {}
    before: dict[tuple[int, int, int], str] = {}
    found: dict[int, Said] = {}
    for each in seen:
        described = _described(messages, each, known, limits) if each.body else None
        if not each.status and each.method in ("INVITE", "UPDATE"):
            offered[each.exchange] = described is not None
            if each.method == "INVITE":
                open_invites[each.leg, each.from_tag] = described is None
        if described is None:
            continue
        way = each.leg, each.src, each.dst
        last = before.get(way)
        before[way] = described.words
        part = _part(each, offered, open_invites)
        found[each.row] = Said(part, described, last not in (None, described.words), last == described.words)
    return found


def _part(each: Seen, offered: dict[Exchange, bool], open_invites: dict[tuple[int, int], bool]) -> str:
    if each.status:
        before = offered.get(each.exchange, True if each.method == "PRACK" else None)
        return "" if before is None else "answer" if before else "offer"
    if each.method in ("ACK", "PRACK"):
        if open_invites.get((each.leg, each.from_tag)):
            return "answer"
        return "offer" if each.method == "PRACK" else ""
    return "offer"


def _described(
    messages: Messages, each: Seen, known: dict[bytes, Described | None], limits: SdpLimits
) -> Described | None:
    body = messages.body(each.row)
    key = _ORIGIN.sub(b"", body, count=1)
    if key in known:
        return known[key]
    if len(known) >= _MOST_READ:
        return None
    description = find_sdp(messages.text("content_type", each.row), body, limits)
    made: Described | None = None
    if description is not None:
        try:
            made = _make(parse_sdp(description, limits))
        except ParseError:
            made = None
    known[key] = made
    return made


def _make(sdp: Sdp) -> Described:
    media = [one for one in sdp.media if one.port] or list(sdp.media)
    refused = len(sdp.media) - len(media)
    words = [_media_words(one) for one in media[:_MOST_MEDIA]]
    if len(media) > _MOST_MEDIA:
        words.append(f"{len(media) - _MOST_MEDIA} more")
    if refused:
        off = dict.fromkeys(one.kind for one in sdp.media if not one.port)
        words.append(f"{shown(', '.join(off), 40)} off (port 0)")
    audio = [one for one in media if one.port and one.kind == "audio"]
    codec = next(iter(_codecs(audio[0])), None) if audio else None
    return Described(shown(" + ".join(words) or "no media", 300), _sockets(sdp), codec, _hold(sdp))


def _hold(sdp: Sdp) -> str | None:
    """How all audio (or, without audio, the first medium) is held (RFC 3264 8.4); None where it is not."""
    used = [one for one in sdp.media if one.port]
    asked = [one for one in used if one.kind == "audio"] or used[:1]
    if not asked or not all(one.held for one in asked):
        return None
    first = asked[0]
    return first.direction if first.direction in ("sendonly", "inactive") else shown(first.address or "?", 40)


def _media_words(media: Media) -> str:
    codecs = [shown(name, 24) for name in _codecs(media)]
    if len(codecs) > _MOST_CODECS:
        codecs[_MOST_CODECS - 1 :] = [f"{len(codecs) - _MOST_CODECS + 1} more"]
    kind = "" if media.kind == "audio" else _KINDS.get(media.kind, shown(media.kind, 16))
    if not media.port:
        return f"{shown(media.kind, 16)} off (port 0)"
    where = shown(host_port((media.address or "?", media.port)), 60)
    more = [media.direction] * (media.direction in _WAYS) + ["encrypted"] * media.encrypted
    if media.ptime:
        more.append(f"ptime {media.ptime:g}")
    named = " ".join(filter(None, (kind, ", ".join(codecs))))
    return ", ".join([f"{named} at {where}", *more])


def _codecs(media: Media) -> list[str]:
    """Names in order of preference, without telephone-event and comfort noise unless there is nothing else."""
    if "RTP" not in media.protocol.upper():
        return [*dict.fromkeys("T.38" if name.lower() == "t38" else name for name in media.formats if name != "*")][:9]
    return list(_names(tuple(_name(media, number) for number in media.formats[:64])))


def _name(media: Media, number: str) -> str:
    codec = codec_of(media, int(number)) if number.isascii() and number.isdigit() and len(number) < 4 else None
    return number if codec is None else codec.name


@functools.lru_cache(maxsize=1024)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    each = tuple(dict.fromkeys(names))
    return tuple(name for name in each if not is_event(name) and not is_comfort_noise(name)) or each


def _sockets(sdp: Sdp) -> tuple[Endpoint, ...]:
    sockets: dict[Endpoint, None] = {}
    for media in sdp.media:
        if media.port:
            wanted = [(media.address, media.port), *((one.address, one.port) for one in media.candidates)]
            for address, port in wanted:
                plain = None if address is None else _plain(address)
                if plain is not None and len(sockets) < _MOST_SOCKETS:
                    sockets[plain, port] = None
    return tuple(sockets)


@functools.lru_cache(maxsize=4096)
def _plain(address: str) -> str | None:
    """An address as captures have it; None of a host name, and of the address that means none."""
    if address in _UNSPECIFIED:
        return None
    try:
        return address_text(*address_words(address))
    except ValueError:
        return None
