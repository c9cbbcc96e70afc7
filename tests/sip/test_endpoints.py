"""Endpoints as small integers: many at once as one by one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sipanalyzer.sip import endpoints
from sipanalyzer.sip.endpoints import Endpoints


@pytest.mark.parametrize("mix", [None, np.zeros(5, np.int64)], ids=["spread", "all of one hash"])
def test_many_pairs_get_the_numbers_that_they_get_one_by_one(
    mix: np.ndarray | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mix is not None:
        monkeypatch.setattr(endpoints, "_MIX", mix)
    random.seed(2)
    some = [
        (random.choice((0, -5, 1 << 62)), random.randrange(3), 0, 0xFFFF0A000001, random.randrange(1 << 32))
        for _ in range(20)
    ]
    one, many = Endpoints(), Endpoints()
    for count in (1, 30, 200):
        keys = [random.choice(some) for _ in range(count)]
        src, dst = many.pairs(np.array(keys, np.int64))
        assert list(zip(src.tolist(), dst.tolist(), strict=True)) == [one.pair(*key) for key in keys]
    assert one.sockets == many.sockets
    assert one.listed() == many.listed()
