"""What session descriptions ask for, as far as the timeline of media needs it. Floor 5.

Comes in: bodies of messages, a batch at a time. Goes out: for each the media that its sender wants, and where. Bodies
of one product differ in addresses and ports only: :mod:`sipanalyzer.kernels.descriptions` takes those out of a batch,
and what is left, the shape, is parsed once. Everything else goes through the parser. Sources: RFC 8866 (SDP), RFC 3264.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ParseError
from ..kernels import compiled
from ..kernels import descriptions as kernel
from ..network.endpoints import address_words
from ..rtp.figures import Socket
from ..sip.sdp import DEFAULTS, Media, Sdp, SdpLimits, parse_sdp, parse_whole
from .bindings import Terms, Wanted, formats_of

__all__ = ["Described", "Descriptions", "describe"]

Ints = npt.NDArray[np.int64]

_LOST_LINES = frozenset(
    {"too-long", "malformed-line", "bad-connection", "bad-media", "bad-rtpmap", "missing-connection"}
)
"""Defects of a session description by which something that it said is lost."""
_MAX_SHAPES = 256
_UNSPECIFIED = ((0, 0), (0, 0xFFFF00000000))
"""Addresses of RFC 2543's hold: the old socket is gone."""


class Described(NamedTuple):
    """What the session description of one message says."""

    media: tuple[Wanted, ...]
    lost: str | None
    """The defect by which something that it said is lost."""


def describe(sdp: Sdp, signalling: Socket) -> Described:
    """What a parsed description says.

    Parameters
    ----------
    sdp : Sdp
        It.
    signalling : Socket
        Where its message came from: the best guess where a host name stands in place of an address.
    """
    media = tuple(Wanted(_terms(each), _listening(each, signalling)) for each in sdp.media)
    return Described(media, _lost(sdp))


def _terms(media: Media) -> Terms:
    return Terms(media.kind, formats_of(media), media.ptime, media.direction, media.encrypted)


def _lost(sdp: Sdp) -> str | None:
    return min(_LOST_LINES.intersection(sdp.defects), default=None)


def _listening(media: Media, signalling: Socket) -> tuple[Socket | None, ...]:
    """One place for the media itself and one a candidate, those of RTP; each socket once."""
    sockets: list[Socket | None] = [None] * (1 + len(media.candidates))
    if media.port <= 0 or media.kind == "message" or media.address is None:
        return tuple(sockets)
    sockets[0] = _socket(media.address, media.port, signalling)
    for number, candidate in enumerate(media.candidates, 1):
        if candidate.component == 1:
            socket = _socket(candidate.address, candidate.port, signalling)
            sockets[number] = None if socket in sockets[:number] else socket
    return tuple(sockets)


def _socket(address: str, port: int, signalling: Socket) -> Socket | None:
    try:
        high, low = address_words(address)
    except ValueError:
        high, low, _ = signalling
    return None if (high, low) in _UNSPECIFIED or not 0 < port < 65536 else (high, low, port)


class Descriptions:
    """Reads session descriptions in batches, each shape of them once.

    Parameters
    ----------
    limits : SdpLimits
        How much is read of each.
    """

    def __init__(self, limits: SdpLimits = DEFAULTS) -> None:
        self._limits = limits
        self._shapes: dict[bytes, tuple[tuple[Terms, ...], str | None] | None] = {}

    def read(
        self, data: npt.NDArray[np.uint8], at: Ints, length: Ints, signalling: Sequence[Socket]
    ) -> list[Described | None]:
        """What each of some bodies says; None of what is no description.

        Parameters
        ----------
        data : uint8[:]
            Bytes of all messages.
        at, length : int64[n]
            Where each body begins, and its bytes.
        signalling : sequence of Socket
            Where its message came from.
        """
        if not compiled():  # over a few bodies the parser is faster than an interpreted loop over their bytes
            return [
                _read(data[i : i + size].tobytes(), source, self._limits)
                for i, size, source in zip(at.tolist(), length.tolist(), signalling, strict=True)
            ]
        n = len(at)
        shape = np.empty(max(1, int(length.sum())), np.uint8)
        ends, counts = np.empty(n, np.int64), np.empty(n, np.int64)
        media = np.empty((n * kernel.MAX_MEDIA, kernel.MEDIA), np.int64)
        rows = media[: kernel.take_apart(data, at, length, n, shape, ends, counts, media)].tolist()
        found: list[Described | None] = []
        text = shape.tobytes()
        begin = first = 0
        for m, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True)):
            first_byte, size = int(at[m]), int(length[m])
            alike = count >= 0 and size <= self._limits.max_bytes  # of one shape, some may be longer than others
            known = self._known(text[begin:end], data, first_byte, size, count) if alike else None
            if known is None:
                body = data[first_byte : first_byte + size].tobytes()
                found.append(_read(body, signalling[m], self._limits))
            else:
                terms, lost = known
                wanted = [
                    Wanted(each, (_place(row, data, signalling[m]) if each.kind != "message" else None,))
                    for each, row in zip(terms, rows[first : first + count], strict=True)
                ]
                found.append(Described(tuple(wanted), lost))
            begin = end
            first += max(count, 0)
        return found

    def _known(
        self, shape: bytes, data: npt.NDArray[np.uint8], at: int, size: int, count: int
    ) -> tuple[tuple[Terms, ...], str | None] | None:
        """What a shape says; None where that is not the same in all bodies of this shape."""
        if shape not in self._shapes:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            sdp = parse_whole(data[at : at + size].tobytes(), self._limits)
            sure = (
                len(sdp.media) == count
                and sdp.origin is not None
                and "too-long" not in sdp.defects
                and all(each.port and each.address and not each.candidates for each in sdp.media)
            )
            self._shapes[shape] = (tuple(map(_terms, sdp.media)), _lost(sdp)) if sure else None
        return self._shapes[shape]


def _place(row: list[int], data: npt.NDArray[np.uint8], signalling: Socket) -> Socket | None:
    """The socket of a row of the kernel's."""
    low, port, begin, end = row
    if low == _UNSPECIFIED[1][1]:
        return None
    if low < 0:
        return _socket(data[begin:end].tobytes().decode("ascii"), port, signalling)
    return (0, low, port)


def _read(body: bytes, signalling: Socket, limits: SdpLimits) -> Described | None:
    """One body through the parser."""
    try:
        return describe(parse_sdp(body, limits), signalling)
    except ParseError:
        return None
