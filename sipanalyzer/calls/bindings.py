"""What the timeline is told and what it makes: a message's part in it, and a socket bound to a call. Floor 5.

Owns: :class:`Signal` (comes in), :class:`Binding` (goes out), and the payload types of a media description. Sources:
RFC 3264 (offer/answer), RFC 8866 (SDP). What there is one of for each message is a tuple: it is made in a fifth of the
time of a frozen dataclass.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import NamedTuple

from ..codecs import Codec, by_name
from ..rtp.figures import Socket
from ..rtp.formats import Format
from ..sip.sdp import Media, codec_of

__all__ = ["CALLEE", "CALLER", "Binding", "Signal", "Terms", "Wanted", "formats_of"]

CALLER, CALLEE = "caller", "callee"


class Terms(NamedTuple):
    """What a media description says, apart from where."""

    kind: str
    formats: dict[int, Format]
    """Shared: nobody changes it."""
    ptime_ms: float | None
    direction: str
    encrypted: bool


class Wanted(NamedTuple):
    """A media description of one message."""

    terms: Terms
    sockets: tuple[Socket | None, ...]
    """Where it says that its sender listens: its address and port, then its ICE candidates; None: nowhere new."""


class Signal(NamedTuple):
    """What the timeline needs of one SIP message."""

    time: int
    call_id: int
    request: bool
    status: int
    method: str
    """Of a response the method of its CSeq."""
    from_tag: int
    to_tag: int
    src: Socket
    dst: Socket
    media: tuple[Wanted, ...] | None
    """What its session description wants; None where it has none."""


@dataclass(slots=True)
class Binding:
    """One side of one call listens at one socket, from one SDP on."""

    call_id: int
    side: str | None
    """``caller`` or ``callee``; None in a call whose initial INVITE was not seen."""
    party: int
    """Tag of the side (a fork has several callees)."""
    media_index: int
    kind: str
    socket: Socket
    signalling: Socket
    """Where its SIP came from: behind NAT the media come from there too."""
    since: int
    until: int | None
    formats: dict[int, Format]
    ptime_ms: float | None
    direction: str
    encrypted: bool
    streams: list[int] = field(default_factory=list)
    """Streams that arrived here while it held."""
    earlier: tuple[dict[int, Format], ...] = ()
    """What its formats were before re-INVITEs changed them."""


def formats_of(media: Media) -> dict[int, Format]:
    """Payload types of a media description."""
    maps = tuple((number, codec_of(media, number)) for number in _payload_types(media.formats))
    return _described(maps, media.kind, media.ptime, media.encrypted)


@functools.lru_cache(maxsize=1024)
def _payload_types(formats: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(text) for text in formats if text.isascii() and text.isdigit() and int(text) < 128)


@functools.lru_cache(maxsize=1024)
def _described(
    codecs: tuple[tuple[int, Codec | None], ...], kind: str, ptime: float | None, encrypted: bool
) -> dict[int, Format]:
    """The dictionary is shared: nobody changes it."""
    formats = {}
    for payload_type, codec in codecs:
        if codec is not None:
            known = by_name(codec.name)
            default = known.ptime_ms if known is not None else 20
            media = kind if kind in ("audio", "video", "text", "image", "application") else codec.media
            formats[payload_type] = Format(
                codec.name, codec.clock_rate_hz, media, ptime, default, encrypted, from_sdp=True
            )
    return formats
