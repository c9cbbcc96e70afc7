"""Runs whole commands side by side, ours and a well-known tool's on the same capture, and prints a Markdown table.

The two commands of a pair take turns, so that a machine which grows slower grows slower for both; what counts is the
ratio of neighbours. Before the pairs, ours runs once with an empty kernel cache (the column "first run") and the
other's once unmeasured, which also brings the file into memory. Time is that of the whole process, memory the peak
that the kernel reports for it. This file imports the standard library only: a child starts as a copy of its parent,
and its peak begins with the parent's size.

    python benchmarks/run.py                       # all pairs; writes the captures that are missing (3 GB)
    python benchmarks/run.py sip-heavy --repeats 9 --folder /tmp
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent


@dataclass(frozen=True)
class Pair:
    """Two commands on one capture; FILE stands for its path."""

    capture: str
    ours: str
    theirs: str
    limit: float | None = None
    """What the ratio must not exceed."""
    limit_mb: float | None = None
    """What our peak must not exceed."""


PAIRS = (
    # tcpdump started by root would hand the output file, /dev/null, to another user without -Z
    Pair("rtp-heavy", "sipanalyzer streams FILE", "tcpdump -Z root -r FILE -w /dev/null", limit=1.8, limit_mb=300),
    Pair("rtp-600k", "sipanalyzer streams FILE", "tshark -q -z rtp,streams -r FILE", limit=1 / 3),
    # sngrep keeps 20,000 dialogs unless told otherwise
    Pair("sip-heavy", "sipanalyzer calls FILE", "sngrep -N -q -l 100000 -I FILE -O /dev/null"),
    Pair("sip-heavy", "sipanalyzer messages FILE", "tshark -q -z sip,stat -r FILE"),
)


@dataclass(frozen=True)
class Run:
    """What one run of a command took."""

    seconds: float
    peak_mb: float


def program(command: str) -> list[str] | None:
    """Arguments of a command with its program looked up; None where it is not installed."""
    name, *rest = command.split()
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
    return Run(seconds, usage.ru_maxrss * unit / 1e6)


def measure(pair: Pair, path: pathlib.Path, repeats: int) -> list[str]:
    """Cells of one row of the table."""
    name = pair.theirs.split()[0]
    cells = [pair.capture, f"`{pair.ours}`", f"`{pair.theirs}`"]
    commands = [program(pair.ours), program(pair.theirs)]
    if commands[0] is None:
        raise SystemExit("sipanalyzer is not installed: pip install .")
    if commands[1] is None:
        return [*cells, f"{name} is not installed", *["-"] * 6]
    ours, theirs = ([str(path) if word == "FILE" else word for word in command or []] for command in commands)
    run(theirs)
    with tempfile.TemporaryDirectory() as empty:
        first = run(ours, cache=empty)
    run(ours)  # fills the user's own cache where it is cold
    pairs = []
    for turn in range(repeats):
        if turn % 2:  # neither always runs in the other's wake
            there = run(theirs)
            pairs.append((run(ours), there))
        else:
            here = run(ours)
            pairs.append((here, run(theirs)))
    ratios = [here.seconds / there.seconds for here, there in pairs]
    ratio, peak = statistics.median(ratios), max(here.peak_mb for here, _ in pairs)
    verdicts = [
        text
        for limit, value, text in ((pair.limit, ratio, "time"), (pair.limit_mb, peak, "memory"))
        if limit is not None and value > limit
    ]
    wanted = " and ".join(
        ([f"≤ {pair.limit:.2f}"] if pair.limit else []) + ([f"≤ {pair.limit_mb:.0f} MB"] if pair.limit_mb else [])
    )
    return [
        *cells,
        f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        (f"{wanted}: " + (f"**missed ({', '.join(verdicts)})**" if verdicts else "met")) if wanted else "-",
        f"{statistics.median(here.seconds for here, _ in pairs):.2f} s",
        f"{statistics.median(there.seconds for _, there in pairs):.2f} s",
        f"{peak:.0f} MB",
        f"{max(there.peak_mb for _, there in pairs):.0f} MB",
        f"{first.seconds:.2f} s",
    ]


def version(name: str) -> str:
    """First line in which a program names itself."""
    command = program(f"{name} --version")
    if command is None:
        return f"{name}: not installed"
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if any(c.isdigit() for c in line)]
    return lines[0].strip() if lines else name


def main() -> None:
    """Measure the pairs named on the command line."""
    captures = sorted({pair.capture for pair in PAIRS})
    parser = argparse.ArgumentParser(description="Time sipanalyzer beside other tools.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"captures to measure on: {', '.join(captures)}")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE / "data", help="where the captures are")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    if unknown := set(given.names) - set(captures):
        parser.error(f"no such capture: {', '.join(sorted(unknown))}")
    if given.repeats < 1:
        parser.error("--repeats must be 1 or more")
    names = given.names or captures
    for name in names:
        if not (given.folder / f"{name}.pcap").exists():
            make = [sys.executable, str(HERE / "make_captures.py"), name, "--folder", str(given.folder)]
            subprocess.run(make, check=True, stdout=sys.stderr)
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print("; ".join(version(tool) for tool in ("sipanalyzer", "tcpdump", "tshark", "sngrep")))
    print(f"{given.repeats} pairs each; ratio: median (lowest-highest) of ours over theirs\n")
    head = ["capture", "ours", "theirs", "ratio", "wanted", "ours", "theirs", "our peak", "their peak", "our first run"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}", flush=True)
    for pair in PAIRS:
        if pair.capture in names:
            print(f"| {' | '.join(measure(pair, given.folder / f'{pair.capture}.pcap', given.repeats))} |", flush=True)


if __name__ == "__main__":
    main()
