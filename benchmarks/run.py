"""Runs whole commands side by side, ours and a well-known tool's on the same capture, and prints Markdown tables.

The two commands of a pair take turns, so that a machine which grows slower grows slower for both; what counts is the
ratio of neighbours. Before the pairs, ours runs once with an empty kernel cache (the column "first run") and the
other's once unmeasured, which also brings the file into memory. Time is that of the whole process, memory the peak
that the kernel reports for it. This file imports the standard library only: a child starts as a copy of its parent,
and its peak begins with the parent's size.

    python benchmarks/run.py                       # every row: half an hour, at most 7 GB of disk
    python benchmarks/run.py sip-heavy rtp-600k --repeats 9 --folder /tmp
    python benchmarks/run.py --quick               # every row on a hundredth, in a minute: to see that all runs
"""

from __future__ import annotations

import argparse
import gzip
import os
import pathlib
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rows import CAPTURES, ROWS, Growth, Pair

HERE = pathlib.Path(__file__).resolve().parent
LARGE_BYTES = 500_000_000
"""Captures that were made for a run, and are larger, are removed as soon as no row needs them any more."""


@dataclass(frozen=True)
class Run:
    """What one run of a command took, or several one after the other."""

    seconds: float
    cpu_s: float
    peak_mb: float


def program(command: str) -> list[str] | None:
    """Arguments of a command with its program looked up; None where it is not installed."""
    name, *rest = shlex.split(command)
    if rest[:1] == ["-Z"] and os.geteuid() != 0:  # only root has users to change to
        rest = rest[2:]
    beside = pathlib.Path(sys.executable).parent / name  # the environment that this runs in, activated or not
    found = str(beside) if beside.exists() else shutil.which(name)
    return None if found is None else [found, *rest]


def run(arguments: list[str], cache: str | None = None) -> Run:
    """Run a command to its end.

    Raises
    ------
    SystemExit
        If it fails.
    """
    environment = dict(os.environ)
    for hidden in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):  # a user has them not; the first costs each start
        environment.pop(hidden, None)
    if cache is not None:
        environment["XDG_CACHE_HOME"] = cache
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise SystemExit(f"{' '.join(arguments)}: exit status {child.returncode}\n{said}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def run_on(command: list[str], paths: Sequence[pathlib.Path], cache: str | None = None) -> Run:
    """Run a command once for each capture (once, where there is none): sums of time, the highest peak."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths or [pathlib.Path()]):
            words = [str(path) if word == "FILE" else word.replace("TEMP", f"{folder}/{number}") for word in command]
            pathlib.Path(folder, str(number)).mkdir()
            runs.append(run(words, cache))
    return Run(sum(one.seconds for one in runs), sum(one.cpu_s for one in runs), max(one.peak_mb for one in runs))


def ours_of(row: Pair | Growth) -> list[str]:
    """Our command."""
    command = program(row.ours)
    if command is None:
        raise SystemExit("sipanalyzer is not installed: pip install .")
    return command


def code(text: str) -> str:
    """A command as a cell, without the folder of this checkout."""
    return f"`{text.replace(str(HERE.parent) + os.sep, '')}`"


def spread(values: list[float]) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


PAIR_HEAD = ["row", "ours", "theirs", "ratio", "wanted", "ours", "theirs", "our peak", "their peak", "our first run"]


def measure(
    pair: Pair,
    paths: Sequence[pathlib.Path],
    repeats: int,
    quick: bool = False,
    theirs_on: Sequence[pathlib.Path] = (),
) -> list[str]:
    """Cells of one row: medians, and the ratio's extremes; quickly means without a first run and without a verdict."""
    theirs_too = f" on {', '.join(path.name for path in theirs_on)}" if theirs_on else ""
    cells = [pair.name, code(pair.ours), code(pair.theirs) + theirs_too]
    ours, theirs = ours_of(pair), program(pair.theirs)
    if theirs is None:
        return [*cells, f"{pair.theirs.split()[0]} is not installed", *["-"] * 6]
    there_on = theirs_on or paths
    run_on(theirs, there_on)
    first = None
    if not quick:
        with tempfile.TemporaryDirectory() as empty:
            first = run_on(ours, paths, cache=empty).seconds
    run_on(ours, paths)  # fills the user's own cache where it is cold
    pairs = []
    for turn in range(repeats):
        if turn % 2:  # neither always runs in the other's wake
            there = run_on(theirs, there_on)
            pairs.append((run_on(ours, paths), there))
        else:
            here = run_on(ours, paths)
            pairs.append((here, run_on(theirs, there_on)))
    ratios = [here.seconds / there.seconds for here, there in pairs]
    peak = max(here.peak_mb for here, _ in pairs)
    limits = [
        ("time", pair.limit, statistics.median(ratios), "≤ {:.2f}"),
        ("memory", pair.limit_mb, peak, "≤ {:.0f} MB"),
        ("first run", pair.limit_first_s, first, "first run ≤ {:.0f} s"),
    ]
    if pair.messages:
        limits.append(("memory a message", pair.limit_kb, peak * 1e3 / pair.messages, "≤ {:.0f} kB a message"))
    wanted = [text.format(limit) for _, limit, _, text in limits if limit is not None]
    missed = [what for what, limit, value, _ in limits if limit is not None and value is not None and value > limit]
    verdict = "not judged" if quick else f"**missed ({', '.join(missed)})**" if missed else "met"
    return [
        *cells,
        spread(ratios),
        f"{', '.join(wanted)}: {verdict}" if wanted else "-",
        f"{statistics.median(here.seconds for here, _ in pairs):.2f} s",
        f"{statistics.median(there.seconds for _, there in pairs):.2f} s",
        f"{peak:.0f} MB" + (f" ({peak * 1e3 / pair.messages:.2f} kB a message)" if pair.messages else ""),
        f"{max(there.peak_mb for _, there in pairs):.0f} MB",
        "-" if first is None else f"{first:.2f} s",
    ]


GROWTH_HEAD = ["row", "ours", "on", "measured", "growth", "wanted"]


def growth(values: Sequence[float]) -> float:
    """What more costs against what less costs: 1 is linear (of two values, their ratio: 1 is no growth)."""
    if len(values) == 2:
        return values[1] / values[0]
    once, four, sixteen = values
    return (sixteen - four) / 12 / ((four - once) / 3)


def measure_growth(row: Growth, paths: Sequence[pathlib.Path], repeats: int, quick: bool = False) -> list[str]:
    """Cells of one row: the best time of each capture, or its highest peak."""
    ours = ours_of(row)
    run_on(ours, paths)
    runs = [[run_on(ours, [path]) for path in paths] for _ in range(repeats)]
    if row.of == "memory":
        values = [max(one.peak_mb for one in each) for each in zip(*runs, strict=True)]
    else:
        values = [min(one.cpu_s for one in each) for each in zip(*runs, strict=True)]
    result = growth(values)
    verdict = "not judged" if quick else "met" if result <= row.limit else "**missed**"
    return [
        row.name,
        code(row.ours),
        ", ".join(path.name for path in paths),
        ", ".join(f"{value:.0f} MB" if row.of == "memory" else f"{value:.2f} s" for value in values),
        f"{result:.2f}",
        f"≤ {row.limit:.2f}: {verdict}",
    ]


def make(name: str, folder: pathlib.Path, scale: int) -> list[pathlib.Path]:
    """See that a capture is there; returns what was written for it, itself last."""
    path = folder / name
    if path.exists():
        return []
    began = time.perf_counter()
    recipe, made = CAPTURES[name].split(), []
    if recipe[0] == "gzip":
        made = make(recipe[2], folder, scale)
        part = path.with_suffix(".part")
        with (
            (folder / recipe[2]).open("rb") as plain,
            gzip.open(part, "wb", compresslevel=int(recipe[1][1:])) as packed,
        ):
            shutil.copyfileobj(plain, packed, 1 << 20)
        part.replace(path)
    elif recipe[0] == "mergecap":
        made = [each for other in recipe[1:] for each in make(other, folder, scale)]
        part = path.with_suffix(".part")
        subprocess.run([recipe[0], "-w", str(part), *(str(folder / other) for other in recipe[1:])], check=True)
        part.replace(path)
    else:
        script = [sys.executable, str(HERE / "make_captures.py"), *recipe, "--output", str(path), "--scale", str(scale)]
        subprocess.run(script, check=True, stdout=subprocess.DEVNULL)
    print(
        f"made {path}: {path.stat().st_size / 1e6:,.0f} MB in {time.perf_counter() - began:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return [*made, path]


def needed(row: Pair | Growth) -> set[str]:
    """Captures of a row, with those from which they are made."""
    named = {*row.captures, *(row.theirs_on if isinstance(row, Pair) else ())}
    return named | {word for name in named for word in CAPTURES[name].split() if word in CAPTURES}


def version(name: str) -> str:
    """First line in which a program names itself."""
    command = program(f"{name} --version")
    if command is None:
        return f"{name}: not installed"
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if any(c.isdigit() for c in line)]
    return lines[0].strip() if lines else name


def table(head: list[str]) -> None:
    """Begin a table."""
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}", flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description="Time sipanalyzer beside other tools.")
    parser.add_argument("names", nargs="*", metavar="ROW", help=f"rows to measure: {', '.join(names)}")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE / "data", help="where the captures are")
    parser.add_argument("--repeats", type=int, help="pairs of each row (default: 5; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="on captures a hundredth as large, to see that all runs")
    parser.add_argument("--keep", action="store_true", help="remove no capture, however large")
    given = parser.parse_args()
    if unknown := set(given.names) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if given.repeats is None:
        given.repeats = 1 if given.quick else 5
    if given.repeats < 1:
        parser.error("--repeats must be 1 or more")
    if given.quick:
        given.folder /= "quick"
    return given


def main() -> None:
    """Measure the rows named on the command line."""
    given = arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = [row for row in ROWS if not given.names or row.name in given.names]
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print("; ".join(version(tool) for tool in ("sipanalyzer", "tcpdump", "tshark", "sngrep", "gzip")))
    print(f"{given.repeats} pairs each; ratio: median (lowest-highest) of ours over theirs")
    if given.quick:
        print("on a hundredth of the packets: nothing here says how fast anything is")
    made: set[pathlib.Path] = set()
    kind: type[Pair] | type[Growth] | None = None
    for number, row in enumerate(rows):
        theirs_on = row.theirs_on if isinstance(row, Pair) else ()
        if shutil.which("mergecap") is None and any(CAPTURES[name].startswith("mergecap") for name in row.captures):
            print(f"| {row.name} | mergecap is not installed |", flush=True)
            continue
        for name in (*row.captures, *theirs_on):
            made.update(make(name, given.folder, 100 if given.quick else 1))
        paths, there_on = ([given.folder / name for name in names] for names in (row.captures, theirs_on))
        if type(row) is not kind:
            kind = type(row)
            table(PAIR_HEAD if isinstance(row, Pair) else GROWTH_HEAD)
        if isinstance(row, Pair):
            cells = measure(row, paths, given.repeats, given.quick, there_on)
        else:
            cells = measure_growth(row, paths, given.repeats, given.quick)
        print(f"| {' | '.join(cells)} |", flush=True)
        later = {given.folder / name for after in rows[number + 1 :] for name in needed(after)}
        for path in [] if given.keep else made - later:
            if path.exists() and path.stat().st_size > LARGE_BYTES:
                path.unlink()


if __name__ == "__main__":
    main()
