"""RTP payload formats: names as the IANA registry writes them, clock rates, media, packet times. Floor 0.

Sources: RFC 3551 (static payload types, section 6), IANA "RTP Payload Format media types", RFC 3389 (CN), RFC 4733
(telephone-event), RFC 7587 (opus), RFC 4867 (AMR), RFC 5761 section 4 (payload types that RTCP occupies).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

__all__ = ["STATIC", "Codec", "by_name", "is_comfort_noise", "is_event"]


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload format."""

    name: str
    clock_rate_hz: int
    media: str = "audio"
    ptime_ms: int = 20
    """Packet time where SDP names none (RFC 3551 section 4.2: 20 ms)."""


STATIC: dict[int, Codec] = {
    0: Codec("PCMU", 8000), 3: Codec("GSM", 8000), 4: Codec("G723", 8000, ptime_ms=30), 5: Codec("DVI4", 8000),
    6: Codec("DVI4", 16000), 7: Codec("LPC", 8000), 8: Codec("PCMA", 8000), 9: Codec("G722", 8000),
    10: Codec("L16", 44100), 11: Codec("L16", 44100), 12: Codec("QCELP", 8000), 13: Codec("CN", 8000),
    14: Codec("MPA", 90000), 15: Codec("G728", 8000), 16: Codec("DVI4", 11025), 17: Codec("DVI4", 22050),
    18: Codec("G729", 8000), 19: Codec("CN", 8000),
    25: Codec("CelB", 90000, "video"), 26: Codec("JPEG", 90000, "video"),
    28: Codec("nv", 90000, "video"), 31: Codec("H261", 90000, "video"), 32: Codec("MPV", 90000, "video"),
    33: Codec("MP2T", 90000, "video"), 34: Codec("H263", 90000, "video"),
}  # fmt: skip
"""RFC 3551 tables 4 and 5; 19 is reserved there since old gateways used it for comfort noise, and they still do."""

_NAMED = {
    codec.name.lower(): codec
    for codec in (
        *reversed(STATIC.values()),
        Codec("L16", 44100), Codec("DVI4", 8000), Codec("CN", 8000),
        Codec("telephone-event", 8000), Codec("red", 8000), Codec("iLBC", 8000, ptime_ms=30), Codec("AMR", 8000),
        Codec("AMR-WB", 16000), Codec("AMR-WB+", 72000), Codec("EVS", 16000), Codec("opus", 48000),
        Codec("speex", 8000), Codec("GSM-EFR", 8000), Codec("GSM-HR-08", 8000), Codec("G726-16", 8000),
        Codec("G726-24", 8000), Codec("G726-32", 8000), Codec("G726-40", 8000), Codec("G729D", 8000),
        Codec("G729E", 8000), Codec("G7221", 16000), Codec("G719", 48000), Codec("G711-0", 8000),
        Codec("PCMU-WB", 16000), Codec("PCMA-WB", 16000), Codec("BV16", 8000), Codec("BV32", 16000),
        Codec("SILK", 24000), Codec("EVRC", 8000), Codec("EVRC0", 8000), Codec("EVRCB", 8000), Codec("EVRCWB", 16000),
        Codec("SMV", 8000), Codec("L8", 8000), Codec("L20", 48000), Codec("L24", 48000), Codec("CLEARMODE", 8000),
        Codec("mpeg4-generic", 90000), Codec("MP4A-LATM", 90000), Codec("tone", 8000), Codec("t140", 1000, "text"),
        Codec("t38", 8000, "image"), Codec("X-CCD", 8000), Codec("isac", 16000), Codec("LPC", 8000),
        Codec("H263-1998", 90000, "video"), Codec("H263-2000", 90000, "video"), Codec("H264", 90000, "video"),
        Codec("H264-SVC", 90000, "video"), Codec("H265", 90000, "video"), Codec("H266", 90000, "video"),
        Codec("VP8", 90000, "video"), Codec("VP9", 90000, "video"), Codec("AV1", 90000, "video"),
        Codec("MP4V-ES", 90000, "video"), Codec("rtx", 90000, "video"), Codec("ulpfec", 90000, "video"),
        Codec("flexfec", 90000, "video"), Codec("raw", 90000, "video"),
    )
}  # fmt: skip


def by_name(name: str) -> Codec | None:
    """The registered format of that name, whatever its case; None where it is not known."""
    return _NAMED.get(name.lower())


@functools.lru_cache(maxsize=1024)
def is_event(name: str) -> bool:
    """Whether packets of this format carry telephone events or tones (RFC 4733) and no audio."""
    return name.lower() in ("telephone-event", "tone")


@functools.lru_cache(maxsize=1024)
def is_comfort_noise(name: str) -> bool:
    """Whether packets of this format carry comfort noise (RFC 3389)."""
    return name.lower() == "cn"
