"""Samples of packets are laid out in time, and streams are put together to two channels. Floor 8.

In: decoded packets with their times. Out: samples of one channel. A packet plays where its timestamp says, counted from
the last break in timing (as the analysis judged it); what never came, or came too late for the jitter buffer, is
silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...rereading.replay import PacketFigures
from .decoders import Samples

__all__ = ["Track", "at_rate", "lay_out", "mix", "places_of"]

_FAR_NS = 200_000_000
"""A packet this far from its place begins a schedule of its own: clocks drift apart."""


@dataclass(frozen=True, slots=True)
class Track:
    """Samples from a moment on."""

    start: int
    """ns."""
    rate_hz: int
    samples: Samples


def places_of(figures: PacketFigures, clock_rate_hz: int) -> npt.NDArray[np.int64]:
    """When each packet plays, ns: by its timestamp, counted from where the timing began anew."""
    times, stamps, breaks = figures.time_ns.tolist(), figures.timestamp.tolist(), figures.breaks.tolist()
    places = np.zeros(len(times), np.int64)
    anchor_time = anchor_stamp = None
    for at, (time, stamp, anew) in enumerate(zip(times, stamps, breaks, strict=True)):
        if anchor_time is not None and anchor_stamp is not None and not anew:
            step = ((stamp - anchor_stamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
            place = anchor_time + step * 1_000_000_000 // clock_rate_hz
            if abs(time - place) <= _FAR_NS or figures.late[at] or figures.out_of_order[at]:
                places[at] = place
                continue
        anchor_time, anchor_stamp = time, stamp
        places[at] = time
    return places


def lay_out(places: Sequence[int], parts: Sequence[Samples], rate_hz: int) -> Track:
    """Put decoded packets where they play; where two overlap the later one in the sequence given is heard.

    Parameters
    ----------
    places : sequence of int
        When each plays, ns.
    parts : sequence of float32[n]
        Its samples.
    rate_hz : int
        Samples a second.
    """
    heard = [(place, part) for place, part in zip(places, parts, strict=True) if len(part)]
    if not heard:
        return Track(0, rate_hz, np.empty(0, np.float32))
    start = min(place for place, _ in heard)
    begins = [round((place - start) * rate_hz / 1e9) for place, _ in heard]
    samples = np.zeros(max(begin + len(part) for begin, (_, part) in zip(begins, heard, strict=True)), np.float32)
    for begin, (_, part) in zip(begins, heard, strict=True):
        samples[begin : begin + len(part)] = part
    return Track(start, rate_hz, samples)


def at_rate(track: Track, rate_hz: int) -> Track:
    """The same at another, not lower, number of samples a second: what lies above half of the old is kept out."""
    if track.rate_hz == rate_hz or not len(track.samples):
        return Track(track.start, rate_hz, track.samples)
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    frame = av.AudioFrame.from_ndarray(track.samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate = track.rate_hz
    parts = [each.to_ndarray().reshape(-1) for each in (*resampler.resample(frame), *resampler.resample(None))]
    return Track(track.start, rate_hz, np.concatenate(parts).astype(np.float32))


def mix(tracks: Sequence[Track], start: int, length: int, rate_hz: int) -> npt.NDArray[np.int16]:
    """One channel: tracks of that rate together, from `start` on, so many samples; what is too loud is cut."""
    sound = np.zeros(length, np.float32)
    for track in tracks:
        begin = round((track.start - start) * rate_hz / 1e9)
        part = track.samples[: max(0, length - begin)]
        sound[begin : begin + len(part)] += part
    return np.asarray(np.clip(np.rint(sound * 32768.0), -32768, 32767), np.int16)
