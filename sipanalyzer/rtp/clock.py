"""The clock rate of a stream that no SDP and no static payload type names. Floor 4."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["CLOCK_RATES_HZ", "estimate_clock_rate"]

CLOCK_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000)
"""Rates that an estimate is drawn to (RFC 3551, IANA registry)."""
_CLOCK_TOLERANCE = 0.12


def estimate_clock_rate(time_ns: npt.NDArray[np.int64], stamp: npt.NDArray[np.int64]) -> int | None:
    """Clock rate of a stream from arrival times and timestamps.

    Parameters
    ----------
    time_ns : int64[n]
        Arrival, ns.
    stamp : int64[n]
        RTP timestamps, 32 bits, may wrap.

    Returns
    -------
    int or None
        Hz, one of :data:`CLOCK_RATES_HZ`; None where the packets do not show one.

    Notes
    -----
    Median slope of pairs half the packets apart (Theil and Sen's estimator, thinned): holds and jumps of the timestamp
    touch few pairs. Of the rates near that slope, those come first in which the usual timestamp step is a whole number
    of 2.5 ms, as packet times are. With fewer than two packets, or packets at one instant, there is nothing to see.
    """
    n = len(time_ns)
    if n < 2:
        return None
    half = max(1, n // 2)
    elapsed = (time_ns[half:] - time_ns[:-half]).astype(np.float64)
    steps = (stamp[half:] - stamp[:-half] + 0x80000000) % 0x100000000 - 0x80000000
    good = (elapsed > 0) & (steps > 0)
    if not good.any():
        return None
    rate = float(np.median(steps[good] / elapsed[good])) * 1e9
    near = [known for known in CLOCK_RATES_HZ if abs(rate / known - 1) <= _CLOCK_TOLERANCE]
    if not near:
        return None
    each = np.diff(stamp)
    values, counts = np.unique(each[each > 0], return_counts=True)
    usual = int(values[counts.argmax()]) if len(values) else 0
    return min(near, key=lambda known: (usual * 400 % known != 0, abs(math.log(rate / known))))
