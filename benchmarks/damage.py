"""Damages captures in every way of `tests/damage/harm.py` and counts what becomes of them: their long form.

    python benchmarks/damage.py                     # every sample, cut at every record and at 1,000 random places
    python benchmarks/damage.py --corpus FOLDER     # other people's captures as well
    python benchmarks/damage.py --places 20 --seeds 2 --tools 3 --seconds 60

Prints how many cases of each kind were run, how many were answered, refused and at fault, and beside it what tshark and
sngrep make of some of the same files: crashed, hung, or read fewer packets. Exits with 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import bisect
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sipanalyzer.kernels import set_compiled  # noqa: E402
from tests.damage import checks, harm  # noqa: E402
from tests.damage.records import Pieces, take_apart  # noqa: E402

TOOLS = {
    "tshark": ["tshark", "-n", "-T", "fields", "-e", "frame.number", "-r"],
    "sngrep": ["sngrep", "-N", "-q", "-O", "/dev/null", "-I"],
}
PATIENCE_S = 20
Table = dict[str, Counter[str]]


def cut(name: str, data: bytes, pieces: Pieces, places: int, table: Table, until: float) -> None:
    """Cut at every boundary and at random places; compare with the whole, and with a cut before the record."""
    whole = checks.analyzed(data, name)
    if whole is None:
        return
    extents, edges, packets = checks.extents(whole), pieces.boundaries(), pieces.packets()
    for place in harm.cuts(pieces, random.Random(name), places):
        if time.monotonic() > until:
            return
        before = bisect.bisect_right(edges, place) - 1
        clean = before >= 0 and place == edges[before]
        kind = "cut at boundaries of records" if clean else "cut anywhere"
        try:
            part = checks.analyzed(data[:place], f"{name} cut at {place}")
            wrong = checks.before_cut(whole, extents, part, bisect.bisect_left(packets, before))
        except checks.Fault as error:
            wrong = str(error)
        count(table, kind, part is not None, wrong, f"{name} cut at {place}")


def harmed(name: str, pieces: Pieces, seeds: int, tools: int, table: Table, until: float) -> None:
    """Harm of every kind, so many times; some of it shown to the other tools."""
    for kind, make in harm.KINDS.items():
        for seed in range(seeds):
            if time.monotonic() > until:
                return
            what = f"{name}: {kind}: {seed}"
            result = make(pieces, random.Random(what))
            found, wrong = None, None
            try:
                found = checks.analyzed(result.data, what)
                if found is not None:
                    checks.all_rows(found)
            except checks.Fault as error:
                wrong = str(error)
            count(table, kind, found is not None, wrong, what)
            if seed < tools:
                compare(kind, result.data, found.captures[0].packets if found else 0, table)


def count(table: Table, kind: str, answered: bool, wrong: str | None, what: str) -> None:
    table[kind]["cases"] += 1
    table[kind]["answered" if answered else "refused"] += 1
    if wrong is not None:
        table[kind]["faults"] += 1
        print(f"fault: {what}: {wrong}", file=sys.stderr)


def compare(kind: str, data: bytes, packets: int, table: Table) -> None:
    """What the other tools do with a damaged file."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "damaged.pcap")
        path.write_bytes(data)
        for tool, command in TOOLS.items():
            if shutil.which(tool) is None:
                continue
            table[kind][f"{tool} runs"] += 1
            try:
                run = subprocess.run(
                    [*command, str(path)],
                    capture_output=True,
                    timeout=PATIENCE_S,
                    check=False,
                    stdin=subprocess.DEVNULL,
                )
            except subprocess.TimeoutExpired:
                table[kind][f"{tool} hung"] += 1
                continue
            table[kind][f"{tool} crashed"] += run.returncode < 0
            if tool == "tshark":
                fewer = len(run.stdout.splitlines()) < packets
                table[kind]["tshark fewer packets"] += fewer
                table[kind]["tshark fewer, silent"] += fewer and run.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--tools", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each of cuts and other harm")
    chosen = parser.parse_args()
    set_compiled(True)
    table: Table = defaultdict(Counter)
    paths = sorted(ROOT.glob("sample_pcaps/*.pcap*"))
    paths += sorted(chosen.corpus.iterdir()) if chosen.corpus else []
    taken = [(path.name, path.read_bytes()) for path in paths if path.is_file() and path.stat().st_size < 3_000_000]
    files = [
        (name, data, pieces) for name, data in taken if (pieces := take_apart(data)) is not None and pieces.records
    ]
    random.Random(1).shuffle(files)
    until = time.monotonic() + chosen.seconds
    for name, _, pieces in files:
        harmed(name, pieces, chosen.seeds, chosen.tools, table, until)
    until = time.monotonic() + chosen.seconds
    for name, data, pieces in files:
        cut(name, data, pieces, chosen.places, table, until)
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    print(f"| harm ({len(files)} files) | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for kind, row in table.items():
        print(f"| {kind} | " + " | ".join(f"{row[column]:,}" for column in columns) + " |")
    return int(any(row["faults"] for row in table.values()))


if __name__ == "__main__":
    sys.exit(main())
