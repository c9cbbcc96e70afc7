"""Payload becomes samples: by hand, by FFmpeg as a second opinion, and for codecs that it encodes there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sipanalyzer.output.sound.amr import storage_frames
from sipanalyzer.output.sound.decoders import decoder_for

av = pytest.importorskip("av", reason="no PyAV: pip install 'sipanalyzer[audio]'")


def _encoded(codec: str, rate: int, samples: Any, **settings: Any) -> list[bytes]:
    """Packets that FFmpeg makes of samples."""
    context = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    for name, value in settings.items():
        setattr(context, name, value)
    context.open()
    size = context.frame_size or rate // 50
    made = []
    for at in range(0, len(samples) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(samples[at : at + size].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        made += [bytes(packet) for packet in context.encode(frame)]
    return made


def _tone(rate: int, seconds: float = 2.048, hz: float = 440.0) -> Any:
    return np.asarray(np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * hz / rate) * 12_000, np.int16)


def _pitch(samples: Any, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize(("name", "codec"), [("PCMA", "pcm_alaw"), ("PCMU", "pcm_mulaw")])
def test_every_byte_of_g711_is_the_sample_that_ffmpeg_has(name: str, codec: str) -> None:
    context = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8000, "mono"
    (frame,) = context.decode(av.Packet(bytes(range(256))))
    (ours,) = decoder_for(name, 8000).decode([bytes(range(256))])
    assert (np.rint(ours * 32768) == frame.to_ndarray()[0]).all()


def test_g711_by_hand() -> None:
    # G.711 table 1: 0xD5 is the smallest positive value (1 of 4096), 0x2A the largest negative one (-4032)
    assert decoder_for("PCMA", 8000).decode([b"\xd5\x2a"])[0].tolist() == [1 / 4096, -4032 / 4096]
    # table 2: 0xFF is +0, 0x00 is -8031 of 8159
    assert decoder_for("PCMU", 8000).decode([b"\xff\x00"])[0].tolist() == [0.0, -8031 / 8192]


def test_linear_samples_are_big_endian_and_an_odd_byte_is_left() -> None:
    assert decoder_for("L16", 44100).decode([b"\x40\x00\xc0\x00\x11"])[0].tolist() == [0.5, -0.5]
    assert decoder_for("L8", 8000).decode([b"\x80\xc0"])[0].tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    ("name", "codec", "rate", "settings"),
    [("G722", "adpcm_g722", 16_000, {}), ("opus", "libopus", 48_000, {}),
     ("G726-32", "adpcm_g726le", 8_000, {"bit_rate": 32_000})],
)  # fmt: skip
def test_a_tone_comes_back_at_its_pitch_and_length(name: str, codec: str, rate: int, settings: dict[str, int]) -> None:
    packets = _encoded(codec, rate, _tone(rate), **settings)
    made = decoder_for(name, 8000).decode(packets)
    assert decoder_for(name, 8000).rate_hz == rate
    whole = np.concatenate(made)
    assert len(made) == len(packets) and abs(len(whole) - 2.048 * rate) < rate / 20
    assert _pitch(whole[rate // 4 : -rate // 4], rate) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("name", ["G722", "G729", "GSM", "G723", "iLBC", "opus", "G726-16", "AMR", "AMR-WB"])
@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff" * 7, bytes(range(256)) * 8])
def test_what_is_no_frame_of_a_codec_is_silence_and_no_error(name: str, payload: bytes) -> None:
    made = decoder_for(name, 8000).decode([payload, b"\x01", payload])
    assert len(made) == 3 and all(part.dtype == np.float32 and part.ndim == 1 for part in made)


@pytest.mark.parametrize(
    ("name", "size", "count"), [("G729", 20, 160), ("GSM", 33, 160), ("iLBC", 38, 160), ("iLBC", 50, 240)]
)
def test_frames_have_the_length_that_their_codec_gives_them(name: str, size: int, count: int) -> None:
    assert len(decoder_for(name, 8000).decode([bytes(size)] * 5)[-1]) == count


def test_a_codec_that_nobody_here_decodes_is_named() -> None:
    with pytest.raises(ValueError, match="SILK cannot be decoded"):
        decoder_for("SILK", 24_000)


# ---- AMR, RFC 4867
def test_an_octet_aligned_payload_of_two_frames() -> None:
    speech = bytes(range(32)), bytes(range(32, 64))  # AMR 12.2: frame type 7, 244 bits, 31 bytes
    payload = bytes([0xF0, 0x80 | 7 << 3 | 4, 7 << 3 | 4]) + speech[0][:31] + speech[1][:31]
    assert storage_frames(payload, wideband=False) == [
        bytes([0x3C]) + speech[0][:31], bytes([0x3C]) + speech[1][:31]
    ]  # fmt: skip


def test_a_bandwidth_efficient_payload_is_put_on_bytes() -> None:
    # section 4.3.5.1's shape: CMR 4 bits, one entry (F=0, FT=4, Q=1) of 6 bits, 148 speech bits, 2 bits of padding
    speech = (1 << 147) | 0b101
    whole = (15 << 6 | 4 << 1 | 1) << 148 | speech
    payload = (whole << 2).to_bytes(20, "big")
    (frame,) = storage_frames(payload, wideband=False)
    assert frame[0] == 4 << 3 | 4 and int.from_bytes(frame[1:], "big") == speech << 4


def test_frames_without_data_and_what_fits_neither_format_are_left_out() -> None:
    assert storage_frames(bytes([0xF0, 15 << 3 | 4]), wideband=True) == []
    assert storage_frames(b"\xf0", wideband=False) == []
    assert storage_frames(b"\xff" * 40, wideband=True) == []
