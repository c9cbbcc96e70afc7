"""The fixed-seed part of fuzzing: every target with its seeds and the same inputs made from them each time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.kernels import kernel
from tests.fuzz.checked import OutsideError, run_both, run_checked, run_fenced
from tests.fuzz.mutating import mutated
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_parsers_own_exceptions_comes_out_of(name: str) -> None:
    target = TARGETS[name]
    for data in mutated(target.seeds(), target.short, target.longest):
        began = time.monotonic()
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise
        assert time.monotonic() - began < target.limit_s, data


def test_seeds_are_small() -> None:
    assert sum(map(len, {seed for target in TARGETS.values() for seed in target.seeds()})) < 200_000


@kernel
def _reads(data, at, out):  # type: ignore[no-untyped-def]
    out[0] = int(data[at])
    return 0


def test_an_index_outside_is_noticed_wherever_it_is() -> None:
    data, out = np.arange(4, dtype=np.uint8), np.zeros(1, np.int64)
    assert run_checked(_reads, (data, 3, out))[1][1].tolist() == [3]
    for at in (-1, 4, 1 << 40):
        with pytest.raises(OutsideError):
            run_checked(_reads, (data, at, out))
    with pytest.raises(OutsideError):
        run_checked(_reads, (np.zeros((2, 2), np.int64), 0, out))


@kernel
def _writes(data, at, value):  # type: ignore[no-untyped-def]
    data[at] = value
    return 0


def test_a_compiled_kernel_that_writes_before_an_array_is_noticed() -> None:
    if not kernels.available():
        pytest.skip("numba is not installed")
    data = np.zeros(4, np.int64)
    assert run_both(_writes, data, 2, 7)[1][0].tolist() == [0, 0, 7, 0]
    with pytest.raises(OutsideError):
        run_fenced(_writes, (data, -6, 7))
