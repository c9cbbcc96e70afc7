"""Samples harmed in every way that is known: an answer with all its tables, or one line why not."""

from __future__ import annotations

import pathlib
import random

import pytest

from tests.damage import checks, harm
from tests.damage.records import take_apart

SAMPLES = sorted(pathlib.Path(__file__).parents[2].glob("sample_pcaps/*.pcap*"))
SMALL = 120_000


@pytest.mark.parametrize("kind", harm.KINDS)
def test_every_sample_is_read_whatever_harm_it_came_to(kind: str) -> None:
    for path in SAMPLES:
        pieces = take_apart(path.read_bytes())
        if pieces is None or path.stat().st_size > SMALL:  # larger ones are in benchmarks/damage.py
            continue
        what = f"{path.name}: {kind}"
        harmed = harm.KINDS[kind](pieces, random.Random(what))
        result = checks.analyzed(harmed.data, what)
        if result is not None:
            assert checks.all_rows(result)["captures"]
