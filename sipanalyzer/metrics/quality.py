"""How good a stream was, and each interval of it: its figures put into the E-model. Floor 4.

Owns: which figures of a stream become which inputs, and what is assumed where the capture does not say. In: streams,
options, columns of intervals. Out: :class:`~sipanalyzer.facts.Quality`, arrays of R and MOS.

Loss is what the listener has lost: packets that never came and packets that came too late for the jitter buffer. Delay
is the network's, where RTCP tells it, and the jitter buffer's. Everything assumed is in the notes of the quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..facts import Quality
from ..options import Options
from ..result import Stream
from .emodel import BEST_R, SCALES, Parameters, effective_impairment, mos_from_r, mos_from_rs, rate
from .impairments import Impairment, Traffic, find_impairment

__all__ = ["burst_ratio", "rate_intervals", "rate_stream", "worst_intervals"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_VOUCHED_BURST_RATIO, _VOUCHED_LOSS_PERCENT = 2.0, 2.0
"""G.107 table 3, note 6: a BurstR over 2 is sure only where less than 2 % are lost."""
_PLAIN_TELR = Parameters().telr
_MOST_LOSS_PERCENT = 20.0
"""G.107 table 3: Ppl is 0 to 20 %."""


def rate_stream(stream: Stream, options: Options, *, one_way_delay_ms: float | None) -> Quality | None:
    """Quality of a stream as a whole.

    Parameters
    ----------
    stream : Stream
        Its losses, late packets and their runs; its codec.
    options : Options
        Playout depth, concealment, one-way delay, TELR and advantage factor.
    one_way_delay_ms : float or None
        The network's part of the delay (half the round trip, RFC 3611 4.7.3); None where RTCP does not tell it.

    Returns
    -------
    Quality or None
        None where it cannot be said: no packet was expected, no speech, a codec of which nothing is known, or more
        packets than not that stand in no sequence with others (RFC 3550 A.1), so that loss means nothing.
    """
    if stream.expected <= 0 or stream.media not in (None, "audio"):
        return None
    if 2 * (stream.expected - stream.lost) < stream.packets - stream.duplicates:
        return None
    traffic = Traffic(
        clock_rate_hz=stream.clock_rate,
        packet_bytes=stream.bytes / stream.packets if stream.packets else None,
        ptime_ms=stream.ptime_ms,
        concealment=options.concealment,
    )
    codec = find_impairment(stream.codec, traffic)
    if codec is None:
        return None
    notes = [] if codec.note is None else [codec.note]
    delay_ms, note = _delay(options, one_way_delay_ms)
    notes.append(note)
    if stream.discarded is None:
        notes.append("no packet could be judged late")
    loss = min(1.0, (stream.lost + (stream.discarded or 0)) / stream.expected)
    burst = burst_ratio(stream.bad, stream.bad_runs, loss)
    if burst > _VOUCHED_BURST_RATIO and 100 * loss >= _VOUCHED_LOSS_PERCENT:
        notes.append(f"burst ratio of {burst:.1f}: G.107 vouches for no more than 2 where 2 % and more are lost")
    if 100 * loss > _MOST_LOSS_PERCENT:
        notes.append(f"{100 * loss:.0f} % lost: G.107 vouches for no more than 20 %")
    if codec.scale == "NB":
        if options.talker_echo_loudness_db != _PLAIN_TELR:
            notes.append(f"TELR of {options.talker_echo_loudness_db:g} dB")
        if options.advantage:
            notes.append(f"advantage factor of {options.advantage:g}")
    base = _base(codec.scale, delay_ms, options.talker_echo_loudness_db, options.advantage)
    return _quality(base, codec, 100.0 * loss, burst, delay_ms, tuple(notes))


@lru_cache(maxsize=256)
def _quality(
    base: float, codec: Impairment, loss_percent: float, burst: float, delay_ms: float, notes: tuple[str, ...]
) -> Quality:
    """Made once for all streams alike: those that lose nothing are."""
    scale = SCALES[codec.scale]
    r = base - effective_impairment(codec.ie, codec.bpl, loss_percent, burst, scale.ceiling)
    return Quality(
        r_factor=r,
        mos=mos_from_r(r, scale.stretch),
        scale=codec.scale,
        basis=codec.basis,
        loss_percent=loss_percent,
        burst_ratio=burst,
        delay_ms=delay_ms,
        equipment_impairment=codec.ie,
        loss_robustness=codec.bpl,
        relative=r / scale.highest * BEST_R,
        notes=notes,
    )


def burst_ratio(bad: int, runs: int, loss: float) -> float:
    """BurstR (G.107 7-30): mean run of bad packets over that of random loss, at least 1.

    Parameters
    ----------
    bad, runs : int
        Bad packets, and runs of them that follow each other directly.
    loss : float
        Share of bad packets, 0 to 1. Random loss of that share has runs of 1 / (1 - loss) packets.
    """
    return max(1.0, bad / runs * (1.0 - loss)) if runs > 0 else 1.0


def rate_intervals(
    expected: Ints,
    lost: Ints,
    discarded: Ints,
    runs: Ints,
    stream: Ints,
    qualities: Sequence[Quality | None],
) -> tuple[Floats, Floats]:
    """R and MOS of every interval.

    Parameters
    ----------
    expected, lost, discarded, runs : int64[n]
        Of the interval: packets expected, lost, too late, and runs of lost or late ones.
    stream : int64[n]
        Index into `qualities`.
    qualities : sequence of Quality or None
        Of the streams: all but the loss is taken from them.

    Returns
    -------
    r, mos : float64[n]
        NaN where the stream has no quality or the interval expected nothing.

    Notes
    -----
    The formula is that of :func:`rate_stream`: a stream that is one interval gets the same figures.
    """
    columns = np.array([_constants(quality) for quality in qualities], dtype=np.float64).reshape(-1, 5)
    base, ie, bpl, ceiling, stretch = columns[stream].T
    with np.errstate(divide="ignore", invalid="ignore"):
        bad = lost + discarded
        loss = np.where(expected > 0, np.minimum(1.0, bad / expected), np.nan)
        burst = np.where(runs > 0, np.maximum(1.0, bad / runs * (1.0 - loss)), 1.0)
        r: Floats = base - effective_impairment(ie, bpl, 100.0 * loss, burst, ceiling)
        return r, mos_from_rs(r, stretch)


def worst_intervals(stream: Ints, whole: npt.NDArray[np.bool_], mos: Floats, count: int) -> Floats:
    """The least MOS over each stream's whole intervals.

    Parameters
    ----------
    stream : int64[n]
        Stream of each interval.
    whole : bool[n]
        Whether the stream ran on to the interval's end; the others are too short to judge by.
    mos : float64[n]
        Of each interval; NaN where it cannot be said.
    count : int
        How many streams there are.

    Returns
    -------
    float64[count]
        NaN where a stream has no whole interval with a MOS.
    """
    least = np.full(count, np.nan)
    np.fmin.at(least, stream[whole], mos[whole])
    return least


def _delay(options: Options, network_ms: float | None) -> tuple[float, str]:
    """One-way delay, and where it comes from."""
    if options.one_way_delay_ms is not None:
        return options.one_way_delay_ms, f"one-way delay of {options.one_way_delay_ms:g} ms as set"
    buffer = f"the jitter buffer's {options.playout_ms:g} ms"
    if options.playout_mode == "adaptive":
        buffer += " (the least that it adapts to)"
    if network_ms is None:
        return options.playout_ms, f"one-way delay unknown: {buffer} alone"
    network_ms = max(0.0, network_ms)
    return network_ms + options.playout_ms, f"one-way delay: half the round trip, {network_ms:.3g} ms, and {buffer}"


@lru_cache(maxsize=4096)
def _base(scale: str, delay_ms: float, telr: float, advantage: float) -> float:
    """R before the codec's impairment is taken off: T = Ta, Tr = 2T."""
    return rate(
        Parameters(scale=scale, telr=telr, advantage=advantage, t_ms=delay_ms, tr_ms=2 * delay_ms, ta_ms=delay_ms)
    ).r


def _constants(quality: Quality | None) -> tuple[float, float, float, float, float]:
    """R before the codec, Ie, Bpl, ceiling and stretch of the scale."""
    if quality is None:
        return (np.nan, np.nan, np.nan, np.nan, np.nan)
    scale = SCALES[quality.scale]
    ie, bpl = quality.equipment_impairment, quality.loss_robustness
    taken = effective_impairment(ie, bpl, quality.loss_percent, quality.burst_ratio, scale.ceiling)
    return (quality.r_factor + taken, ie, bpl, scale.ceiling, scale.stretch)
