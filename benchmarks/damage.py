"""Damages captures in every way of `tests/damage/harm.py` and counts what becomes of them: their long form.

    python benchmarks/damage.py                     # every sample, cut at every record and at 1,000 random places
    python benchmarks/damage.py --corpus FOLDER     # other people's captures as well
    python benchmarks/damage.py --places 20 --seeds 2 --tools 0.5 --seconds 60

Prints how many cases of each kind were run, how many were answered, refused and at fault, and beside it what tshark and
sngrep make of some of the same files: crashed, hung, or read fewer packets (of sngrep, fewer SIP messages, where it
shows as many of the whole file). Exits with 1 where there was a fault.
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

TSHARK = ["tshark", "-n", "-T", "fields", "-e", "frame.number", "-r"]
SNGREP = ["sngrep", "-N", "-q", "-I"]
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


def harmed(name: str, pieces: Pieces, seeds: int, share: float, table: Table, until: float) -> None:
    """Harm of every kind, so many times; a share of it shown to the other tools."""
    comparable: bool | None = None
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
            if random.Random(f"{what} shown").random() < share:
                comparable = as_many(pieces) if comparable is None else comparable
                packets, messages = (
                    (found.captures[0].packets, len(checks.rows(found, "messages"))) if found else (0, 0)
                )
                compare(kind, result.data, packets, messages, comparable, table)


def count(table: Table, kind: str, answered: bool, wrong: str | None, what: str) -> None:
    table[kind]["cases"] += 1
    table[kind]["answered" if answered else "refused"] += 1
    if wrong is not None:
        table[kind]["faults"] += 1
        print(f"fault: {what}: {wrong}", file=sys.stderr)


def compare(kind: str, data: bytes, packets: int, messages: int, comparable: bool, table: Table) -> None:
    """What the other tools do with a damaged file of which we read so many packets and messages of SIP."""
    row = table[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "damaged.pcap")
        path.write_bytes(data)
        if shutil.which("tshark"):
            run = ran("tshark", [*TSHARK, str(path)], row)
            if run is not None:
                fewer = len(run.stdout.splitlines()) < packets
                row["tshark fewer packets"] += fewer
                row["tshark fewer, silent"] += fewer and run.returncode == 0
        if shutil.which("sngrep"):
            run, shown = of_sngrep(path, row)
            if run is not None and comparable:
                row["messages"] += messages
                row["sngrep messages"] += shown
                row["sngrep fewer messages"] += shown < messages
                row["sngrep fewer, silent"] += shown < messages and run.returncode == 0 and not run.stderr.strip()


def of_sngrep(path: pathlib.Path, row: Counter[str]) -> tuple[subprocess.CompletedProcess[bytes] | None, int]:
    """What sngrep makes of a capture: how it ended and how many packets of SIP it keeps."""
    out = path.with_name("kept.pcap")
    out.unlink(missing_ok=True)
    run = ran("sngrep", [*SNGREP, str(path), "-O", str(out)], row)
    kept = take_apart(out.read_bytes()) if out.exists() else None
    return run, len(kept.records) if kept is not None else 0


def ran(tool: str, command: list[str], row: Counter[str]) -> subprocess.CompletedProcess[bytes] | None:
    """A run of another tool, counted; None where it hung."""
    row[f"{tool} runs"] += 1
    try:
        run = subprocess.run(
            command, capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        row[f"{tool} hung"] += 1
        return None
    row[f"{tool} crashed"] += run.returncode < 0
    return run


def as_many(pieces: Pieces) -> bool:
    """Whether sngrep shows as many messages of a whole file as there are."""
    whole = checks.analyzed(pieces.bytes(), "whole")
    if whole is None or not shutil.which("sngrep"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "whole.pcap")
        path.write_bytes(pieces.bytes())
        return of_sngrep(path, Counter())[1] == len(checks.rows(whole, "messages")) > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--tools", type=float, default=0.05, metavar="SHARE", help="of harmed files that tshark and sngrep read"
    )
    parser.add_argument("--only", choices=("cuts", "harm"))
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
    for name, _, pieces in files if chosen.only != "cuts" else ():
        harmed(name, pieces, chosen.seeds, chosen.tools, table, until)
    until = time.monotonic() + chosen.seconds
    for name, data, pieces in files if chosen.only != "harm" else ():
        cut(name, data, pieces, chosen.places, table, until)
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    print(f"| harm ({len(files)} files) | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for kind, row in table.items():
        print(f"| {kind} | " + " | ".join(f"{row[column]:,}" for column in columns) + " |")
    return int(any(row["faults"] for row in table.values()))


if __name__ == "__main__":
    sys.exit(main())
