"""Slow obvious twin of bursts and gaps (RFC 3611 4.7.2): a stream as a string, ``1`` good, anything else bad."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass
class Bursts:
    expected: int
    bad: int
    bad_runs: int
    bursts: list[str]
    """Each as its packets."""

    @property
    def burst_packets(self) -> int:
        return sum(map(len, self.bursts))

    @property
    def burst_bad(self) -> int:
        return sum(len(burst) - burst.count("1") for burst in self.bursts)


def classify(pattern: str, gmin: int = 16) -> Bursts:
    """Where Gmin good packets follow each other, one thing ends; what is left with two bad ones or more is a burst."""
    pieces = re.split("1" * gmin + "+", pattern)
    cores = [piece.strip("1") for piece in pieces]
    return Bursts(
        expected=len(pattern),
        bad=len(pattern) - pattern.count("1"),
        bad_runs=len([run for run in pattern.split("1") if run]),
        bursts=[core for core in cores if len(core) > 1],
    )
