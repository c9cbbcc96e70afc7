"""Runs the fuzz targets for a given time: ``python -m tests.fuzz.run --seconds 600``.

Each target runs in a process of its own, under atheris, which watches what of the package's code an input reaches
(kernels are interpreted for that, their arrays checked; compiled they run beside, in fenced memory). Whole analyses are
not watched, which makes them ten times as slow: their seeds are changed at random, other changes each time. A fault is
stored with its traceback, once for each place, and the run goes on; an input that takes too long, too much memory or
brings the process down is stored as it is, and the target begins anew. How often each target ran is added up in a file.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import json
import mmap
import os
import pathlib
import resource
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

_FOLDER = pathlib.Path(".fuzz")
_MEMORY_MB = 1_000


def main() -> int:
    """Run what the command line says; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together")
    parser.add_argument("--targets", default="", help="names, with commas between; all by default")
    parser.add_argument("--folder", type=pathlib.Path, default=_FOLDER, help="inputs, faults and executions.json")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--unguided", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--again", type=pathlib.Path, help="run one stored input of the target named, without atheris")
    parser.add_argument("--list", action="store_true", help="name the targets")
    arguments = parser.parse_args()
    if arguments.child:
        (_change if arguments.unguided else _fuzz)(arguments.child, arguments.folder, arguments.seconds)
        return 0
    from tests.fuzz.targets import TARGETS

    names = arguments.targets.split(",") if arguments.targets else list(TARGETS)
    if arguments.list or not set(names) <= set(TARGETS):
        print("\n".join(TARGETS))
        return 0 if arguments.list else 2
    if arguments.again:
        TARGETS[names[0]].run(arguments.again.read_bytes())
        return 0
    shares = sum(TARGETS[name].share for name in names)
    for name in names:
        _run(name, arguments.folder, arguments.seconds * TARGETS[name].share / shares)
    found = sorted(path for path in (arguments.folder / "faults").glob("*/*") if path.suffix != ".bin")
    told = json.loads((arguments.folder / "executions.json").read_text())
    print(f"{sum(each['executions'] for each in told.values()):,} executions so far; faults: {len(found)}")
    for path in found:
        print(path if path.suffix != ".txt" else f"{path}: {path.read_text().strip().splitlines()[-1][:200]}")
    return 1 if found else 0


def _run(name: str, folder: pathlib.Path, seconds: float) -> None:
    """One target for so long, in as many processes as it takes; adds up its executions."""
    from tests.fuzz.targets import TARGETS

    inputs = folder / "inputs" / name
    inputs.mkdir(parents=True, exist_ok=True)
    (folder / "faults" / name).mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds():
        (inputs / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    counter = folder / f"{name}.count"
    counter.write_bytes(bytes(8))
    began = time.monotonic()
    while (left := seconds - (time.monotonic() - began)) > 1:
        command = [sys.executable, "-m", "tests.fuzz.run", "--child", name, "--folder", str(folder)]
        command += ["--seconds", str(left), *(() if TARGETS[name].guided else ("--unguided",))]
        with (folder / f"{name}.log").open("ab") as log:
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        if code == 2:
            raise SystemExit(f"{name} does not start: see {log.name}")
        broken = folder / "faults" / name / "current.crash"
        if broken.exists():
            broken.rename(broken.with_name(f"crash-{time.time_ns()}.crash"))
    took = time.monotonic() - began
    (executions,) = struct.unpack("=q", counter.read_bytes())
    counter.unlink()
    path = folder / "executions.json"
    told: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
    own = told.setdefault(name, {"executions": 0, "seconds": 0})
    own["executions"] += executions
    own["seconds"] = round(own["seconds"] + took, 1)
    path.write_text(json.dumps(told, indent=1) + "\n")
    faults = sum(path.suffix != ".bin" for path in (folder / "faults" / name).iterdir())
    print(
        f"{name:18} {executions:>10,} in {took:6.0f} s, {executions / max(took, 0.1):>8,.0f} a second, faults {faults}",
        flush=True,
    )


def _fuzz(name: str, folder: pathlib.Path, seconds: float) -> None:
    """In the child, watched by atheris: does not return before the time is up."""
    import atheris

    with atheris.instrument_imports(include=["sipanalyzer"]):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    options = [
        sys.argv[0], str(folder / "inputs" / name), f"-max_total_time={max(1, int(seconds))}",
        f"-max_len={target.longest}", f"-rss_limit_mb={_MEMORY_MB}", f"-timeout={int(4 * target.limit_s)}",
        f"-artifact_prefix={folder / 'faults' / name}/", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup(options, _counting(name, folder, target))
    atheris.Fuzz()


def _change(name: str, folder: pathlib.Path, seconds: float) -> None:
    """In the child, without atheris: other inputs each time; one that hangs or brings the process down is stored."""
    from tests.fuzz.mutating import mutated
    from tests.fuzz.targets import TARGETS

    target, end = TARGETS[name], time.monotonic() + seconds
    one, current = _counting(name, folder, target), folder / "faults" / name / "current.crash"
    for data in mutated(target.seeds(), 1 << 40, target.longest, int.from_bytes(os.urandom(6), "big")):
        if time.monotonic() > end:
            break
        current.write_bytes(data)
        faulthandler.dump_traceback_later(4 * target.limit_s, exit=True)
        one(data)
        faulthandler.cancel_dump_traceback_later()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _MEMORY_MB << 10:
            current.rename(current.with_name(f"memory-{time.time_ns()}.crash"))
            return
    current.unlink(missing_ok=True)


def _counting(name: str, folder: pathlib.Path, target: Target) -> Callable[[bytes], None]:
    """What runs one input, stores what it raises, and counts."""
    faults = folder / "faults" / name
    with (folder / f"{name}.count").open("r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    done = struct.unpack("=q", counter[:])[0]
    known = {path.stem for path in faults.iterdir()}

    def one(data: bytes) -> None:
        nonlocal done
        began = time.perf_counter()
        try:
            target.run(data)
            if time.perf_counter() - began > target.limit_s:
                raise TimeoutError(f"took {time.perf_counter() - began:.1f} s")
        except Exception as error:  # every exception is a fault here, and is told; the next input comes
            _store(faults, known, data, error)
        done += 1
        counter[:] = struct.pack("=q", done)

    return one


def _store(faults: pathlib.Path, known: set[str], data: bytes, error: Exception) -> None:
    """An input and what it raised, unless something was raised at the same place before."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}sipanalyzer{os.sep}" in frame.filename] or frames
    place = f"{type(error).__name__} {own[-1].name} {frames[-1].name} {frames[-1].line}"
    if isinstance(error, AssertionError):
        place += str(error)[:12]
    stem = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]
    if stem in known:
        old = faults / f"{stem}.bin"
        if old.exists() and old.stat().st_size > len(data):
            old.write_bytes(data)
        return
    known.add(stem)
    (faults / f"{stem}.bin").write_bytes(data)
    (faults / f"{stem}.txt").write_text("".join(traceback.format_exception(error))[-8_000:], errors="backslashreplace")


if __name__ == "__main__":
    raise SystemExit(main())
