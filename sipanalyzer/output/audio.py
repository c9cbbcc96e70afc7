"""What was said in a call, as a WAV file: the caller on the left, the callee on the right. Floor 8.

In: a result, what it was read from, a call. Out: a file. Heard is what a listener behind the analysis' jitter buffer
would have: what was lost, or came too late, is silence.
"""

from __future__ import annotations

import os
import pathlib
import wave
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..result import Call, Result, Stream
from .files import check_target, whole_file

if TYPE_CHECKING:
    from ..rereading.payloads import StreamPayloads
    from .sound.mixing import Track

__all__ = ["choose_streams", "write_audio"]

_LONGEST_S = 12 * 3600
"""A WAV file holds 4 GB: at 48 kHz and two channels six hours more."""


def write_audio(
    result: Result, sources: Sequence[Any], call: Call, path: str | os.PathLike[str], *, force: bool = False
) -> pathlib.Path:
    """Write the call's sound.

    Parameters
    ----------
    result : Result
        The analysis.
    sources : sequence
        What it was read from.
    call : Call
        Which call.
    path : path
        Where to; RIFF WAVE, 16 bits, two channels, 8 to 48 kHz.
    force : bool
        Overwrite a file that exists.

    Raises
    ------
    ValueError
        If there is nothing to hear; the message says why.
    CaptureError
        If the capture cannot be read any more.
    OSError
        If the file exists (FileExistsError) or cannot be written.
    """
    if result.options.redact:
        raise ValueError("what was said is content: there is no audio of a redacted capture")
    target = check_target(path, force=force)
    from ..rereading.payloads import read_payloads
    from .sound.mixing import at_rate, mix

    chosen = choose_streams(result, call)
    read = read_payloads(result, sources, call.call_id, chosen)
    told: dict[str, None] = {}
    tracks: list[tuple[bool, Track]] = []
    for each in read:
        stream = result.streams[each.stream]
        for track in _tracks(each, told):
            tracks.append((_is_callers(stream, call), track))
    if not tracks:
        why = "; ".join(told) or "none of its payload was captured"
        raise ValueError(f"there is nothing to hear: {why}")
    rate = max(track.rate_hz for _, track in tracks)
    resampled = [(left, at_rate(track, rate)) for left, track in tracks]
    start = min(track.start for _, track in resampled)
    length = max(round((track.start - start) * rate / 1e9) + len(track.samples) for _, track in resampled)
    if length > _LONGEST_S * rate:
        raise ValueError(f"the call's media lasts {length / rate / 3600:.0f} hours; {_LONGEST_S // 3600} at most")
    import numpy as np

    channels = [
        mix([track for left, track in resampled if left is side], start, length, rate) for side in (True, False)
    ]
    with whole_file(target, force=force) as stream_out, wave.open(stream_out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.column_stack(channels).astype("<i2").tobytes())
    return target


def choose_streams(result: Result, call: Call) -> list[int]:
    """Streams of a call that are heard: audio; of one medium captured at several hops, the fullest.

    Raises
    ------
    ValueError
        If there is none, or all are encrypted.
    """
    own = [(number, result.streams[number]) for number in call.streams]
    audio = [(number, stream) for number, stream in own if stream.media in (None, "audio")]
    if not audio:
        raise ValueError("there is nothing to hear: no audio of this call was captured")
    plain = [(number, stream) for number, stream in audio if not stream.encrypted]
    if not plain:
        raise ValueError("there is nothing to hear: the call's audio is encrypted (SRTP)")
    heard: list[tuple[int, Stream]] = []
    for number, stream in sorted(plain, key=lambda each: (-each[1].packets, each[0])):
        if not any(_same(stream, other) for _, other in heard):
            heard.append((number, stream))
    return sorted(number for number, _ in heard)


def _same(stream: Stream, other: Stream) -> bool:
    """Whether two streams are one medium, captured at two hops."""
    if stream.direction != other.direction:
        return False
    together = min(stream.end, other.end) - max(stream.start, other.start)
    overlaps = together > 0.5 * min(stream.end - stream.start, other.end - other.start)
    alike = stream.ssrc == other.ssrc or (bool(stream.fingerprint) and stream.fingerprint == other.fingerprint)
    return overlaps and alike


def _is_callers(stream: Stream, call: Call) -> bool:
    """Whether it is heard on the left: what the caller said."""
    if stream.direction is not None:
        return stream.direction == "caller-to-callee"
    return call.src is not None and stream.src[0] == call.src[0]


def _tracks(read: StreamPayloads, told: dict[str, None]) -> list[Track]:
    """A track for each format of a stream, and why others have none."""
    from .sound.decoders import decoder_for
    from .sound.mixing import lay_out, places_of

    figures = read.figures
    tracks = []
    for number, form in enumerate(figures.formats):
        if form.role != 0 or form.name is None or form.encrypted:  # keys, comfort noise, video
            if form.name is None:
                told["the codec of a payload type is not known"] = None
            continue
        try:
            decoder = decoder_for(form.name, form.clock_rate_hz)
        except ValueError as error:
            told[str(error)] = None
            continue
        mine = (figures.format == number) & ~figures.duplicate & ~figures.late & (figures.extended > 0)
        order = [at for at in figures.extended.argsort(kind="stable").tolist() if mine[at]]
        order = [at for at in order if read.payloads[at]]
        if not order:
            told["none of its payload was captured"] = None
            continue
        places = places_of(figures, form.clock_rate_hz or decoder.rate_hz)
        parts = decoder.decode([read.payloads[at] or b"" for at in order])
        track = lay_out([int(places[at]) for at in order], parts, decoder.rate_hz)
        if len(track.samples):
            tracks.append(track)
        else:
            told[f"{form.name} could not be decoded"] = None
    return tracks
