"""Samples cut at boundaries of records and anywhere: all that stands before the cut is told as from the whole file."""

from __future__ import annotations

import bisect
import pathlib
import random

import pytest

from tests.damage import checks, harm
from tests.damage.records import take_apart

SAMPLES = sorted(pathlib.Path(__file__).parents[2].glob("sample_pcaps/*.pcap*"))
WHOLE = [path for path in SAMPLES if take_apart(path.read_bytes()) is not None]
PLACES = 4


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name)
def test_a_cut_sample_tells_of_all_that_stands_before_the_cut(path: pathlib.Path) -> None:
    data = path.read_bytes()
    pieces = take_apart(data)
    assert pieces is not None
    whole = checks.analyzed(data, path.name)
    assert whole is not None
    extents, edges, packets = checks.extents(whole), pieces.boundaries(), pieces.packets()
    chance = random.Random(path.name)
    several = [*chance.sample(edges, min(PLACES, len(edges))), *list(harm.cuts(pieces, chance, PLACES))[-PLACES:]]
    for place in several:
        before = bisect.bisect_right(edges, place) - 1
        what = f"{path.name} cut at {place}"
        part = checks.analyzed(data[:place], what)
        count = bisect.bisect_left(packets, before)
        assert checks.before_cut(whole, extents, part, count) is None, what
        if before >= 0 and place != edges[before]:
            clean = checks.analyzed(data[: edges[before]], what)
            assert checks.as_cut_clean(part, clean) is None, what
            if part is not None:
                assert f"after {count} packets" in (part.captures[0].damage or ""), what


def test_most_samples_are_of_a_make_that_can_be_cut() -> None:
    assert len(WHOLE) > 50
