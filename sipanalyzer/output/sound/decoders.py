"""RTP payload becomes samples. Floor 8.

In: payloads of one format, in order of sequence. Out: for each its samples, float32 between -1 and 1, of one channel.
G.711 and linear PCM are decoded here (ITU-T G.711, RFC 3551 sections 4.5.11 and 4.5.14); all else by FFmpeg through
PyAV. AMR is put into the frames that a decoder takes in :mod:`.amr`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .amr import storage_frames

__all__ = ["Decoder", "Samples", "decoder_for"]

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decoder:
    """How one codec is decoded."""

    rate_hz: int
    """Samples a second that it gives."""
    decode: Callable[[Sequence[bytes]], list[Samples]]
    """Samples of each payload; none of one that cannot be decoded."""


@dataclass(frozen=True, slots=True)
class _Ffmpeg:
    codec: str
    rate_hz: int
    frame_bytes: int = 0
    """Length of one coded frame where a packet may hold several and the decoder takes one at a time; 0: as it comes."""


_FFMPEG = {
    "G722": _Ffmpeg("adpcm_g722", 16_000),
    "G729": _Ffmpeg("g729", 8_000, 10),
    "GSM": _Ffmpeg("gsm", 8_000, 33),
    "G723": _Ffmpeg("g723_1", 8_000),
    "iLBC": _Ffmpeg("ilbc", 8_000),
    "opus": _Ffmpeg("libopus", 48_000),
    "AMR": _Ffmpeg("amrnb", 8_000),
    "AMR-WB": _Ffmpeg("amrwb", 16_000),
}
"""By name in the IANA registry."""
_G726_BITS = {"G726-16": 2, "G726-24": 3, "G726-32": 4, "G726-40": 5}
"""Bits a sample."""


def decoder_for(codec: str, clock_rate_hz: int) -> Decoder:
    """How a codec is decoded.

    Parameters
    ----------
    codec : str
        Its registered name.
    clock_rate_hz : int
        Of its RTP clock.

    Raises
    ------
    ValueError
        If it cannot be decoded, or only with the extra ``audio``.
    """
    if codec in ("PCMA", "PCMU"):
        table = _TABLES[codec]()
        return Decoder(clock_rate_hz or 8_000, lambda payloads: [table[np.frombuffer(p, np.uint8)] for p in payloads])
    if codec in ("L16", "L8"):
        return Decoder(clock_rate_hz or 8_000, _linear16 if codec == "L16" else _linear8)
    known = _FFMPEG.get(codec)
    bits = _G726_BITS.get(codec)
    if known is None and bits is None:
        there = ", ".join(("L8", "L16", "PCMA", "PCMU", *sorted((*_FFMPEG, *_G726_BITS))))
        raise ValueError(f"{codec} cannot be decoded; there are {there}")
    try:
        import av  # noqa: F401
    except ImportError:
        raise ValueError(f"{codec} is decoded with the extra: pip install 'sipanalyzer[audio]'") from None
    if known is None:
        return Decoder(8_000, lambda payloads: _g726(bits or 4, payloads))
    return Decoder(known.rate_hz, lambda payloads: _by_ffmpeg(codec, known, payloads))


# ---- here
def _a_law() -> Samples:
    """Every byte's sample (ITU-T G.711, table 1)."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    level = np.where(exponent == 0, mantissa * 2 + 1, (mantissa * 2 + 33) << np.maximum(exponent - 1, 0))
    return np.asarray(np.where(code & 0x80, level, -level) / 4096.0, np.float32)


def _mu_law() -> Samples:
    """Every byte's sample (ITU-T G.711, table 2)."""
    code = ~np.arange(256) & 0xFF
    level = ((code & 15) * 2 + 33 << (code >> 4 & 7)) - 33
    return np.asarray(np.where(code & 0x80, -level, level) / 8192.0, np.float32)


_TABLES: dict[str, Callable[[], Samples]] = {"PCMA": _a_law, "PCMU": _mu_law}


def _linear16(payloads: Sequence[bytes]) -> list[Samples]:
    return [np.frombuffer(p[: len(p) & ~1], ">i2").astype(np.float32) / 32768.0 for p in payloads]


def _linear8(payloads: Sequence[bytes]) -> list[Samples]:
    return [(np.frombuffer(p, np.uint8).astype(np.float32) - 128.0) / 128.0 for p in payloads]


# ---- by FFmpeg
def _by_ffmpeg(codec: str, known: _Ffmpeg, payloads: Sequence[bytes]) -> list[Samples]:
    import av
    import av.error

    decoder: Any = None
    made = []
    for payload in payloads:
        parts: list[Samples] = []
        for frame in _frames(codec, known, payload):
            decoder = decoder or _open(codec, known, len(payload))
            try:
                parts += [_mono(each) for each in decoder.decode(av.Packet(frame))]
            except av.error.FFmpegError:  # bytes that are no frame of it
                decoder = None
        made.append(np.concatenate(parts) if parts else np.empty(0, np.float32))
    return made


def _open(codec: str, known: _Ffmpeg, size: int) -> Any:
    import av

    context: Any = av.CodecContext.create(known.codec, "r")
    context.sample_rate = known.rate_hz
    context.layout = "mono"
    if codec == "iLBC":  # RFC 3952: frames of 30 ms have 50 bytes, frames of 20 ms 38
        context.bit_rate = 13_330 if size % 50 == 0 else 15_200
    return context


def _g726(bits: int, payloads: Sequence[bytes]) -> list[Samples]:
    """All payloads at once, since only a file of them can say how many bits a sample has."""
    import av
    import av.error

    made: list[Samples] = []
    if any(payloads):
        try:
            opened: Any = av.open(io.BytesIO(b"".join(payloads)), format="g726le", options={"code_size": str(bits)})
            with opened as file:
                made = [_mono(frame) for frame in file.decode(audio=0)]
        except av.error.FFmpegError:
            pass
    whole = np.concatenate(made) if made else np.empty(0, np.float32)
    ends = np.cumsum([len(payload) for payload in payloads]) * 8 // bits
    return [each.astype(np.float32) for each in np.split(whole, ends[:-1])]


def _frames(codec: str, known: _Ffmpeg, payload: bytes) -> list[bytes]:
    """Coded frames of a payload, as the decoder takes them."""
    if codec in ("AMR", "AMR-WB"):
        return storage_frames(payload, wideband=codec == "AMR-WB")
    if codec == "iLBC":
        size = 50 if len(payload) % 50 == 0 else 38
        return [payload[at : at + size] for at in range(0, len(payload) - size + 1, size)]
    if codec == "G723":  # RFC 3551 4.5.3: the lowest two bits of a frame say how long it is
        found, at = [], 0
        while at < len(payload):
            size = (24, 20, 4, 1)[payload[at] & 3]
            if size > 4 and at + size <= len(payload):
                found.append(payload[at : at + size])
            at += size
        return found
    if not known.frame_bytes:
        return [payload] if payload else []
    whole = len(payload) - len(payload) % known.frame_bytes
    return [payload[at : at + known.frame_bytes] for at in range(0, whole, known.frame_bytes)]


def _mono(frame: Any) -> Samples:
    samples: npt.NDArray[Any] = frame.to_ndarray()
    if samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / float(np.iinfo(samples.dtype).max)
    channels = frame.layout.nb_channels
    if channels > 1:
        samples = samples.reshape(-1, channels).T if samples.shape[0] == 1 else samples
    return np.asarray(samples.mean(axis=0), np.float32)
