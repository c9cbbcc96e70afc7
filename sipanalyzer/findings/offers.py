"""What session descriptions say of hold and fax. Floor 7.

In: bytes of a body. Out: facts. A description that cannot be read says nothing.
"""

from __future__ import annotations

from ..errors import ParseError
from ..sip.sdp import DEFAULTS, Sdp, SdpLimits, parse_sdp

__all__ = ["is_hold", "wants_fax"]


def _read(body: bytes, limits: SdpLimits) -> Sdp | None:
    try:
        return parse_sdp(body, limits)
    except ParseError:
        return None


def is_hold(body: bytes, limits: SdpLimits = DEFAULTS) -> bool:
    """Whether a description puts the other side's audio (or, without audio, its first medium) on hold (RFC 3264 8.4).

    Whether a stream is held is the description's own question (:attr:`~sipanalyzer.sip.sdp.Media.held`).
    """
    sdp = _read(body, limits)
    used = [media for media in sdp.media if media.port] if sdp is not None else []
    audio = [media for media in used if media.kind == "audio"]
    return all(media.held for media in audio or used[:1]) if used else False


def wants_fax(body: bytes, limits: SdpLimits = DEFAULTS) -> bool:
    """Whether a description has a T.38 stream that is not switched off (ITU-T T.38 Annex D)."""
    sdp = _read(body, limits)
    return sdp is not None and any(
        media.kind == "image" and media.port > 0 and any(each.lower() == "t38" for each in media.formats)
        for media in sdp.media
    )
