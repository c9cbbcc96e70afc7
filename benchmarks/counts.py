"""Counts processor instructions for each packet and each message, and compares them with limits that are committed.

Seconds tell nothing on a machine that others share; instructions are the same every time, to a part in a thousand or
two. valgrind counts them (`cachegrind` without its caches). One process starts, loads everything and then forks: a
child analyses a small capture and another a larger one with more of the same. What the second needed beyond the
first, divided by the packets or messages that it had more, is the count. What a start costs drops out of these; the
row `small-call` counts that, as the whole of one command. Kernels are compiled for a generic processor, since valgrind
knows none of the newest, and hashes have one seed.

    python benchmarks/counts.py              # exits with 1 where a count is above its limit
    python benchmarks/counts.py --update     # writes new limits: what is counted now and a margin
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
LIMITS = HERE / "counts.toml"
MARGIN = 1.06
"""A limit is so many times what was counted when it was written; counts of one commit differ by 0.002."""
SLACK = 0.88
"""Below so much of its limit a count has become better: the limit should follow, or it watches nothing."""
SETTINGS = ("--set", "compile_packets=0", "--set", "compile_bytes=0", "--format", "csv")
SMALL_CALL = HERE.parent / "sample_pcaps" / "plain.pcap"


@dataclass(frozen=True)
class Watched:
    """Two captures, and what one has more of than the other."""

    command: str
    small: str
    """Arguments of make_captures.py."""
    large: str
    more: int
    """Packets or messages."""
    unit: str


RTP, SIP = "rtp-heavy --calls 10 --concurrent 10", "sip-heavy --seconds 1 --concurrent 100"
WATCHED = {
    "rtp": Watched("streams", f"{RTP} --seconds 5", f"{RTP} --seconds 65", 60_000, "packet"),
    "rtp-pcapng": Watched(
        "streams", f"{RTP} --container pcapng --seconds 5", f"{RTP} --container pcapng --seconds 65", 60_000, "packet"
    ),
    "rtp-gtp": Watched("streams", f"{RTP} --gtp --seconds 5", f"{RTP} --gtp --seconds 65", 60_000, "packet"),
    "rtp-calls": Watched("streams", f"{RTP} --seconds 1", f"{RTP} --seconds 1 --calls 110", 100, "call of 2 streams"),
    "sip": Watched("calls", f"{SIP} --calls 300", f"{SIP} --calls 1000", 4_900, "message"),
    "sip-tcp": Watched("calls", f"{SIP} --calls 300 --tcp 20", f"{SIP} --calls 1000 --tcp 20", 4_900, "message"),
}
WHOLE = "small-call"


def environment(cache: pathlib.Path) -> dict[str, str]:
    """What the counted process sees of this one's environment."""
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER", "MALLOC_PERTURB_")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    kept["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, [kept.get("PYTHONPATH")])])  # this checkout
    return {**kept, "PYTHONHASHSEED": "0", "NUMBA_CPU_NAME": "generic", "XDG_CACHE_HOME": str(cache)}


def analyse(command: str, capture: str) -> None:
    """Run the command line's own entry with its output thrown away."""
    from sipanalyzer.cli import main

    with pathlib.Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        status = main([command, capture, *SETTINGS])
    if status:
        raise SystemExit(f"sipanalyzer {command} {capture}: exit status {status}")


def inside(folder: pathlib.Path, names: list[str]) -> None:
    """Be the counted process: load what is needed, then fork for each capture; prints which child was which."""
    gc.disable()  # as the console script does
    for name in names:  # compiles, loads and warms
        analyse(WATCHED[name].command, str(folder / f"{name}.small"))
    for name in names:
        for size in ("small", "large"):
            child = os.fork()
            if child == 0:
                analyse(WATCHED[name].command, str(folder / f"{name}.{size}"))
                os._exit(0)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
                raise SystemExit(f"{name}.{size} failed")
            print(f"{name} {size} {child}", flush=True)


def instructions(log: pathlib.Path) -> int:
    """What valgrind counted in one process."""
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text(errors="replace"))
    if found is None:
        raise SystemExit(f"valgrind counted nothing:\n{log.read_text(errors='replace')}")
    return int(found[1].replace(",", ""))


def count(names: list[str], folder: pathlib.Path) -> dict[str, float]:
    """Instructions for each packet or message of each row named, for `small-call` all that the command needs."""
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    cache = folder / "cache"
    counts: dict[str, float] = {}
    if watched := [name for name in names if name != WHOLE]:
        for name in watched:
            for size, recipe in (("small", WATCHED[name].small), ("large", WATCHED[name].large)):
                make = [sys.executable, str(HERE / "make_captures.py"), *recipe.split()]
                subprocess.run(
                    [*make, "--output", str(folder / f"{name}.{size}")], check=True, stdout=subprocess.DEVNULL
                )
        work = [sys.executable, str(pathlib.Path(__file__)), "--inside", str(folder), *watched]
        subprocess.run(work, check=True, env=environment(cache), stdout=subprocess.DEVNULL)  # fills the kernel cache
        counted = [*valgrind, f"--log-file={folder}/log.%p", *work]
        done = subprocess.run(counted, check=True, env=environment(cache), capture_output=True, text=True)
        for line in done.stdout.splitlines():
            name, size, process = line.split()
            sign = -1 if size == "small" else 1
            counts[name] = counts.get(name, 0) + sign * instructions(folder / f"log.{process}") / WATCHED[name].more
    if WHOLE in names:
        whole = [sys.executable, "-m", "sipanalyzer", "calls", str(SMALL_CALL)]
        subprocess.run(whole, check=True, env=environment(cache), stdout=subprocess.DEVNULL)  # writes .pyc files
        counted = [*valgrind, f"--log-file={folder}/whole", *whole]
        subprocess.run(counted, check=True, env=environment(cache), stdout=subprocess.DEVNULL)
        counts[WHOLE] = instructions(folder / "whole")
    return counts


def judge(counts: dict[str, float], limits: dict[str, float]) -> tuple[list[str], bool]:
    """Lines that say how each count stands to its limit, and whether all are within."""
    lines, good = [], True
    for name, counted in counts.items():
        unit = WATCHED[name].unit if name in WATCHED else "command"
        line = f"{name:<11} {counted:>15,.0f} instructions a {unit}"
        limit = limits.get(name)
        if limit is None:
            lines.append(f"{line}; no limit yet: --update")
            good = False
        elif counted > limit:
            lines.append(f"{line}: ABOVE the limit of {limit:,.0f} by {counted / limit - 1:.1%}")
            good = False
        elif counted < SLACK * limit:
            lines.append(f"{line}: so far below the limit of {limit:,.0f} that it should be lowered: --update")
        else:
            lines.append(f"{line}: within the limit of {limit:,.0f}")
    return lines, good


def written(counts: dict[str, float], limits: dict[str, float], python: str) -> str:
    """Text of the table of limits, with new ones for what was counted."""
    new = {**limits, **{name: round(counted * MARGIN) for name, counted in counts.items()}}
    lines = [f"{name} = {int(new[name]):_}" for name in (*WATCHED, WHOLE) if name in new]
    return (
        "# Processor instructions for each packet, message or command: see counts.py, which writes and judges them.\n"
        f"# A limit is what was counted and {MARGIN - 1:.0%}. They hold for one Python: others need more or fewer.\n"
        f'python = "{python}"\n\n[limits]\n' + "\n".join(lines) + "\n"
    )


def main() -> None:
    """Count, print and judge."""
    rows = [*WATCHED, WHOLE]
    parser = argparse.ArgumentParser(description="Count instructions for each packet and message.")
    parser.add_argument("names", nargs="*", metavar="ROW", help=f"what to count: {', '.join(rows)}")
    parser.add_argument("--update", action="store_true", help="write new limits")
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.names or rows
    if unknown := set(names) - set(rows):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if given.inside:
        inside(given.inside, names)
        return
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        counts = count(names, pathlib.Path(folder))
    table = tomllib.loads(LIMITS.read_text()) if LIMITS.exists() else {"python": "", "limits": {}}
    python = ".".join(platform.python_version_tuple()[:2])
    if given.update:
        limits = table["limits"] if table["python"] == python else {}
        LIMITS.write_text(written(counts, limits, python))
        table = tomllib.loads(LIMITS.read_text())
    lines, good = judge(counts, table["limits"])
    print("\n".join(lines))
    if table["python"] != python:
        print(f"the limits are for Python {table['python']}; on {python} nothing is judged")
    elif not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
