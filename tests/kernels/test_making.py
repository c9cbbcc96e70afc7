import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import sipanalyzer
from sipanalyzer import kernels
from sipanalyzer.kernels import making, objects

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason="no numba"),
    pytest.mark.skipif(sys.platform == "win32", reason="numba compiles in the process itself"),
]
SAMPLES = pathlib.Path(__file__).parents[2] / "sample_pcaps"
CALL = """
import sys, numpy as np
from sipanalyzer import kernels
from sipanalyzer.kernels.survey import find_few
kernels.set_compiled(True)
rows, few = np.zeros((50, 16), np.int64), np.zeros(50, np.int64)
print(find_few(rows, few), "numba" in sys.modules, type(find_few._compiled).__name__)
"""


def start(cache: pathlib.Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", CALL], stdout=subprocess.PIPE, text=True, env=environment)


def printed(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.split()


def test_processes_that_need_the_same_kernel_at_once_get_it_without_numba(tmp_path: pathlib.Path) -> None:
    expected = [str(kernels_few()), "False", "Code"]
    assert [printed(each) for each in [start(tmp_path) for _ in range(3)]] == [expected] * 3
    (made,) = tmp_path.glob("sipanalyzer/*/*.o")
    written = made.stat().st_mtime_ns
    assert printed(start(tmp_path)) == expected
    assert made.stat().st_mtime_ns == written
    made.write_bytes(made.read_bytes()[:-9])  # damaged: made anew
    assert printed(start(tmp_path)) == expected
    assert made.stat().st_mtime_ns != written


def kernels_few() -> int:
    from sipanalyzer.kernels.survey import find_few

    return find_few.python(np.zeros((50, 16), np.int64), np.zeros(50, np.int64))  # type: ignore[attr-defined, no-any-return]


def test_where_nothing_can_be_kept_numba_compiles_in_the_process(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    count, numba, _ = printed(start(tmp_path / "file"))
    assert (count, numba) == (str(kernels_few()), "True")


@pytest.fixture
def empty_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(making, "_asked", set())
    monkeypatch.setattr(making, "_workers", [])
    objects.cache_folder.cache_clear()
    yield
    objects.cache_folder.cache_clear()


def few_arguments() -> tuple[Any, ...]:
    return np.zeros((5, 16), np.int64), np.zeros(5, np.int64)


def test_workers_that_cannot_start_or_end_at_once_leave_it_to_numba(
    empty_cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sipanalyzer.kernels.survey import find_few

    for executable in ("/no/such/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        assert making.find_code(find_few.python, few_arguments()) is None  # type: ignore[attr-defined]


def test_a_kernel_that_broke_a_worker_down_is_not_tried_again(
    empty_cache: None, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    from sipanalyzer.kernels.survey import find_few

    breaking = tmp_path / "breaking"
    breaking.write_text("#!/bin/sh\necho x >> " + str(tmp_path / "tries") + "\nkill -SEGV $$\n")
    breaking.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(breaking))
    for _ in range(3):
        assert making.find_code(find_few.python, few_arguments()) is None  # type: ignore[attr-defined]
    assert (tmp_path / "tries").read_text() == "x\n"


def test_a_worker_that_somebody_ended_says_nothing_of_its_kernel(
    empty_cache: None, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    from sipanalyzer.kernels.survey import find_few

    ended = tmp_path / "ended"
    ended.write_text("#!/bin/sh\nkill -INT $$\nkill -KILL $$\n")
    ended.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(ended))
    assert making.find_code(find_few.python, few_arguments()) is None  # type: ignore[attr-defined]
    assert not making._refusal("survey.find_few", objects.kinds_of(few_arguments())).exists()


def test_workers_are_not_interrupted_with_whoever_waits_for_them(
    empty_cache: None, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    from sipanalyzer.kernels.survey import find_few

    telling = tmp_path / "telling"
    telling.write_text(f"#!/bin/sh\nps -o pgid= -p $$ > {tmp_path}/group\n")
    telling.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(telling))
    assert making.find_code(find_few.python, few_arguments()) is None  # type: ignore[attr-defined]
    assert int((tmp_path / "group").read_text()) != os.getpgrp()


def test_functions_outside_the_engine_room_are_left_to_numba() -> None:
    assert making.find_code(few_arguments, ()) is None


def test_the_kinds_told_ahead_are_those_of_a_real_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, str] = {}

    def find_code(function: Any, arguments: tuple[Any, ...]) -> Any:
        found[making.name_of(function)] = " ".join(objects.kinds_of(arguments))
        return lambda *given: function(*[memoryview(a) if isinstance(a, np.ndarray) else a for a in given])

    monkeypatch.setattr(making, "find_code", find_code)
    for each in kernels._kernels:
        monkeypatch.setattr(each, "_compiled", None)
    before = kernels.compiled()
    kernels.set_compiled(True)
    try:
        for name in ("plain", "jittery", "tcp"):
            sipanalyzer.analyze(SAMPLES / f"{name}.pcap")
    finally:
        kernels.set_compiled(before)
    found["interning.enter_slots"] = making.AHEAD["interning.enter_slots"]  # when there are thousands of messages
    assert {name: kinds for name, kinds in found.items() if name in making.AHEAD} == making.AHEAD
