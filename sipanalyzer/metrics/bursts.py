"""Bursts and gaps of a stream (RFC 3611 4.7.2), finished from what was counted. Floor 4.

In: the counts of :class:`~sipanalyzer.result.Measures`. Out: densities and lengths.

A burst is a longest run of packets that begins and ends with a bad one (lost, or too late) and has fewer than Gmin good
ones in a row inside; a bad packet that stands alone belongs to the gap. Duplicates are no packets here (4.7.1).
"""

from __future__ import annotations

from ..result import Measures

__all__ = ["burst_density_percent", "gap_density_percent", "mean_burst_packets", "mean_loss_run"]


def burst_density_percent(measures: Measures) -> float | None:
    """Share of bad packets within bursts, in percent; 0 where there is no burst, None where nothing was expected.

    Notes
    -----
    RFC 3611 4.7.2: zero without bursts. Its wire format has 256ths of it, rounded down.
    """
    return _share(measures, measures.burst_bad, measures.burst_packets)


def gap_density_percent(measures: Measures) -> float | None:
    """Share of bad packets within gaps, in percent; 0 where all is burst, None where nothing was expected."""
    return _share(measures, measures.bad - measures.burst_bad, measures.expected - measures.burst_packets)


def mean_burst_packets(measures: Measures) -> float | None:
    """Mean length of a burst in packets, the good ones inside included; None without bursts."""
    return measures.burst_packets / measures.bursts if measures.bursts else None


def mean_loss_run(measures: Measures) -> float | None:
    """Mean number of bad packets that follow each other directly; None without any."""
    return measures.bad / measures.bad_runs if measures.bad_runs else None


def _share(measures: Measures, bad: int, of: int) -> float | None:
    if measures.expected <= 0:
        return None
    return 100.0 * bad / of if of > 0 else 0.0
