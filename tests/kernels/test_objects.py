import pathlib
import stat
import subprocess
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.kernels import objects

pytestmark = pytest.mark.skipif(not kernels.available(), reason="no numba")

KINDS = ("int64:2", "int64", "uint8:1", "bool", "int64:1:r")


def weigh(rows: Any, by: int, octets: Any, doubled: bool, read_only: Any) -> int:
    total = 0
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            total += rows[i, k] // by
    for i in range(octets.shape[0]):
        octets[i] = octets[i] ^ 255
        total += int(octets[i])
    total += read_only[0]
    return 2 * total if doubled else total


def clear(octets: Any) -> None:
    for i in range(octets.shape[0]):
        octets[i] = 0


def ends(octets: Any) -> tuple[int, int]:
    return octets.shape[0], 5 - octets.shape[0]


def is_long(octets: Any, least: int) -> bool:
    return octets.shape[0] >= least


@pytest.fixture(scope="module")
def made() -> tuple[objects.Head, bytes]:
    from sipanalyzer.kernels.numba_ import make_object

    return make_object("test.weigh", weigh, KINDS)


@pytest.fixture
def code(made: tuple[objects.Head, bytes]) -> objects.Code:
    return objects.Code(*made)


@pytest.fixture
def cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    objects.cache_folder.cache_clear()
    objects.cache_folder().mkdir(mode=0o700, parents=True)
    yield objects.cache_folder()
    objects.cache_folder.cache_clear()


def arguments(seed: int = 1) -> list[Any]:
    numbers = np.random.default_rng(seed)
    frozen = numbers.integers(0, 99, 3)
    frozen.flags.writeable = False
    return [numbers.integers(-99, 99, (4, 3)), 7, numbers.integers(0, 255, 50).astype(np.uint8), True, frozen]


def test_machine_code_gives_what_python_gives_and_changes_arrays_in_place(code: objects.Code) -> None:
    ours, theirs = arguments(), arguments()
    assert code(*ours) == weigh(*[memoryview(a) if isinstance(a, np.ndarray) else a for a in theirs])
    assert (ours[2] == theirs[2]).all()
    assert code(*arguments()[:3], False, arguments()[4]) * 2 == code(*arguments())


def test_results_may_be_truth_or_nothing_or_several() -> None:
    from sipanalyzer.kernels.numba_ import make_object

    octets = np.full(9, 3, np.uint8)
    assert objects.Code(*make_object("test.clear", clear, ("uint8:1",)))(octets) is None
    assert not octets.any()
    long = objects.Code(*make_object("test.is_long", is_long, ("uint8:1", "int64")))
    assert long(octets, 9) is True
    assert long(octets, 10) is False
    several = objects.Code(*make_object("test.ends", ends, ("uint8:1",)))
    assert several(octets) == (9, -4)


def test_arrays_that_come_again_are_recognised_by_identity_and_new_ones_are_not_taken_for_old(
    code: objects.Code,
) -> None:
    for seed in range(200):  # arrays die at each turn, and others take their places in memory
        for given in (arguments(seed), arguments(seed)):
            before = [a.copy() if isinstance(a, np.ndarray) else a for a in given]
            assert code(*given) == weigh(*before)
    same = arguments()
    once, again = code(*same), code(*same)
    assert again != once  # the bytes were turned over in place
    assert code(*same) == once
    other = arguments(2)[0]
    expected = weigh(other, *[a.copy() if isinstance(a, np.ndarray) else a for a in same[1:]])
    assert code(other, *same[1:]) == expected


WRONG = {
    "another dtype": (0, np.zeros((4, 3), np.int32)),
    "floats": (0, np.zeros((4, 3))),
    "foreign byte order": (0, np.zeros((4, 3), ">i8")),
    "another number of dimensions": (0, np.zeros(12, np.int64)),
    "gaps": (0, np.zeros((4, 6), np.int64)[:, ::2]),
    "columns first": (0, np.zeros((3, 4), np.int64).T),
    "no array": (0, [[1, 2], [3, 4]]),
    "nothing": (0, None),
    "a memoryview": (2, memoryview(bytearray(9))),
    "an array that must not be written": (2, np.frombuffer(b"bytes", np.uint8)),
    "a float for an integer": (1, 1.5),
    "an array for an integer": (1, np.zeros(3, np.int64)),
    "text for an integer": (1, "7"),
    "an integer for a bool": (3, 1),
}


@pytest.mark.parametrize("place, wrong", WRONG.values(), ids=WRONG)
def test_what_the_code_was_not_made_for_raises_and_touches_no_memory(
    code: objects.Code, place: int, wrong: Any
) -> None:
    given = arguments()
    code(*given)  # arrays are known by now
    before = given[2].copy()
    with pytest.raises(TypeError):
        code(*[wrong if i == place else argument for i, argument in enumerate(given)])
    assert (given[2] == before).all()


def test_arguments_too_few_too_many_and_too_large_raise(code: objects.Code) -> None:
    given = arguments()
    with pytest.raises(TypeError):
        code(*given[:-1])
    with pytest.raises(TypeError):
        code(*given, 1)
    with pytest.raises(OverflowError):
        code(given[0], 1 << 63, *given[2:])


def test_division_by_zero_raises(code: objects.Code) -> None:
    given = arguments()
    with pytest.raises(ArithmeticError):
        code(given[0], 0, *given[2:])


def test_memory_that_is_not_numpys_may_grow_after_the_call(code: objects.Code) -> None:
    memory = bytearray(b"lent")
    given = arguments()
    given[2] = np.frombuffer(memory, np.uint8)
    code(*given)
    given[2] = None
    memory += b" and taken back"
    assert len(memory) == 19


def test_arrays_are_let_go_of(code: objects.Code) -> None:
    given = arguments()
    code(*given)
    seen = weakref.ref(given[0])
    del given
    assert seen() is not None
    code.forget_arrays()
    assert seen() is None


def test_stored_code_is_found_again_and_is_the_users_alone(cache: pathlib.Path, made: Any) -> None:
    objects.store_code(*made)
    found = objects.load_code("test.weigh", KINDS)
    assert found is not None
    assert found(*arguments()) == weigh(*arguments())
    path = objects.path_of("test.weigh", KINDS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(cache.iterdir()) == [path]
    assert objects.load_code("test.weigh", KINDS[:-1]) is None
    assert objects.load_code("test.other", KINDS) is None


def test_damaged_code_is_not_executed(cache: pathlib.Path, made: Any) -> None:
    objects.store_code(*made)
    path = objects.path_of("test.weigh", KINDS)
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-1], whole[:500] + bytes([whole[500] ^ 1]) + whole[501:], whole + b"\0"):
        path.write_bytes(damaged)
        assert objects.load_code("test.weigh", KINDS) is None
    path.write_bytes(whole)
    assert objects.load_code("test.weigh", KINDS) is not None


def test_code_of_another_kernel_is_not_taken(cache: pathlib.Path, made: Any) -> None:
    objects.store_code(*made)
    objects.path_of("test.weigh", KINDS).rename(objects.path_of("test.other", KINDS))
    assert objects.load_code("test.other", KINDS) is None


@pytest.mark.parametrize("mode, whose", [(0o620, "file"), (0o602, "file"), (0o770, "folder"), (0o707, "folder")])
def test_code_that_others_may_write_is_not_executed(cache: pathlib.Path, made: Any, mode: int, whose: str) -> None:
    objects.store_code(*made)
    path = objects.path_of("test.weigh", KINDS)
    (path if whose == "file" else path.parent).chmod(mode)
    assert objects.load_code("test.weigh", KINDS) is None


def test_the_folder_depends_on_the_processor(cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding

    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_name", lambda: "z80")
    objects.cache_folder.cache_clear()
    assert objects.cache_folder() != cache


def test_numbas_own_variables_say_for_which_processor(cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert objects.processor() == ("generic", "")
    objects.cache_folder.cache_clear()
    assert objects.cache_folder() != cache
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+sse4.2")
    assert objects.processor() == ("generic", "+sse4.2")


def test_code_that_needs_numba_to_run_is_refused() -> None:
    from sipanalyzer.kernels import numba_

    def shout(octets: Any) -> int:
        print("loud")
        return 1

    with pytest.raises(ValueError):
        numba_.make_object("test.shout", shout, ("uint8:1",))


def test_numba_compiles_for_this_process_as_before(made: tuple[objects.Head, bytes]) -> None:
    from sipanalyzer.kernels.numba_ import compile_here

    assert len(made[1]) > 0
    assert compile_here(is_long, (np.zeros(3, np.uint8), 3))(np.zeros(3, np.uint8), 3) is True


def test_calls_with_known_arrays_are_cheap(code: objects.Code) -> None:
    given = arguments()
    code(*given)
    asked: list[int] = []
    code._checks = [lambda array: asked.append(1) or b""] * len(code._checks)  # type: ignore[func-returns-value]
    code(*given)
    assert not asked


PLAIN = """
import numpy as np
from sipanalyzer.kernels import numba_, objects

def turned(octets, small, table, reals, deep, flags, n):
    total = 0
    for i in range(n):
        octets[n - 1 - i] = table[i, 1] & 255
        small[i] = small[i] + octets[i]
        table[i, 0] = small[i] * 3 + int(octets[2])
        reals[i, i] = table[i, 0] + 0.5
        deep[1, i, 2] = deep[0, 2, i] + i
        flags[0] = 7
        total += int(reals[i, i]) + int(deep[1, i, 2])
    return total

def arrays():
    return (np.arange(3, dtype=np.uint8), np.arange(3, dtype=np.int32), np.arange(6).reshape(3, 2),
            np.zeros((3, 3)), np.arange(18).reshape(2, 3, 3), np.zeros(1, np.uint32))

wanted, found = arrays(), arrays()
result = turned(*wanted, 3)
numba_.use_plain_items()
code = objects.Code(*numba_.make_object("test.turned", turned, objects.kinds_of((*found, 3))))
assert code(*found, 3) == result, result
assert all((one == other).all() for one, other in zip(wanted, found)), (wanted, found)
"""


def test_items_that_are_taken_as_they_are_give_what_python_gives() -> None:
    done = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
