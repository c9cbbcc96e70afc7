"""Bytes that wait: what was kept comes back, in whatever order it is asked for, and goes when it was taken."""

from __future__ import annotations

import random

import numpy as np

from sipanalyzer.capture.keeping import KeptBytes


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_what_was_kept_of_one_block_comes_back_without_being_copied_again() -> None:
    kept = KeptBytes()
    block = np.frombuffer(b"abcdefgh", np.uint8)
    keys = kept.keep(block, ints(6, 0, 3), ints(2, 3, 0))
    data, at = kept.take(keys, ints(2, 3, 0))
    assert at.tolist() == [0, 2, 5]
    assert bytes(data[:5]) == b"ghabc"
    assert len(kept) == 0


def test_an_empty_stretch_at_the_end_of_a_block_is_in_that_block() -> None:
    kept = KeptBytes()
    first = kept.keep(np.frombuffer(b"abc", np.uint8), ints(3), ints(0))
    second = kept.keep(np.frombuffer(b"xyz", np.uint8), ints(0), ints(3))
    assert kept.take(first, ints(0))[1].tolist() == [0]
    data, at = kept.take(second, ints(3))
    assert bytes(data[at[0] : at[0] + 3]) == b"xyz"


def test_nothing_may_be_kept() -> None:
    kept = KeptBytes()
    assert len(kept.keep(np.frombuffer(b"abc", np.uint8), ints(), ints())) == 0
    assert len(kept) == 0


def test_any_order_and_any_division_gives_the_same_bytes_and_leaves_nothing() -> None:
    dice = random.Random(1)
    kept, waiting = KeptBytes(), []
    for _ in range(60):
        block = np.frombuffer(dice.randbytes(500), np.uint8)
        at = [dice.randrange(500) for _ in range(dice.randrange(12))]
        size = [dice.randrange(500 - i + 1) for i in at]
        for key, i, n in zip(kept.keep(block, ints(*at), ints(*size)).tolist(), at, size, strict=True):
            waiting.append((key, block[i : i + n].tobytes()))
        dice.shuffle(waiting)
        some, waiting = waiting[:8], waiting[8:]
        if some:
            lengths = [len(text) for _, text in some]
            data, begin = kept.take(ints(*(key for key, _ in some)), ints(*lengths))
            assert [bytes(data[i : i + n]) for i, n in zip(begin.tolist(), lengths, strict=True)] == [
                text for _, text in some
            ]
        assert len(kept) == len(waiting)
    if waiting:
        kept.take(ints(*(key for key, _ in waiting)), ints(*(len(text) for _, text in waiting)))
    assert kept._parts == [] == kept._bases
