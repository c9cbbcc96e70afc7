"""Attacks our command line with captures of :mod:`attack_captures`, and prints what it took, beside tshark and sngrep.

Each attack runs at half and at full size, one command at a time, under a limit of address space and of time. Beside
time and peak memory stands how many of the honest calls around the attack came out: what is missing was lost silently,
unless the command said so. sngrep has no output but captures, so its calls are counted in the capture that it writes.

    python benchmarks/attacks.py                          # every attack: hours, at most 3 GB of disk
    python benchmarks/attacks.py gre call-ids --scale 0.1 --alone
"""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from attack_captures import ATTACKS, write_attack

HONEST = (b"canary-first@honest", b"canary-last@honest")


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    seconds: float
    peak_mb: float
    status: int | None
    """Exit status, negative for a signal; None where the time ran out."""
    honest: int
    """How many of the honest calls it told of."""
    said: str = ""
    """Last line on standard error."""

    def __str__(self) -> str:
        end = {0: "", None: ", hangs"}.get(self.status, f", status {self.status}")
        return f"{self.seconds:.1f} s, {self.peak_mb:,.0f} MB{end}, {self.honest} of 2"


def run(arguments: list[str], limit_mb: int, timeout_s: float, written: pathlib.Path | None = None) -> Outcome:
    """Run a command under limits and see what came of it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20)),
        )
        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        _, ended, usage = os.wait4(child.pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(ended)
        out.seek(0)
        told = out.read() if written is None else (written.read_bytes() if written.exists() else b"")
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
        status = None if seconds >= timeout_s else child.returncode
        found = sum(name in told for name in HONEST)
        return Outcome(seconds, usage.ru_maxrss / 1024, status, found, said[-1] if said else "")


def ours(path: pathlib.Path) -> list[str]:
    """Our command: the table of calls, of which the honest ones are shown."""
    where = "call_id.contains('canary-')"
    return [
        sys.executable,
        "-m",
        "sipanalyzer",
        "calls",
        str(path),
        "--where",
        where,
        "--columns",
        "call_id",
    ]


def tshark(path: pathlib.Path) -> list[str]:
    """The same of tshark: the Call-IDs of every INVITE, and the table of streams."""
    fields = ["-Y", 'sip.Method == "INVITE" && sip.Call-ID contains "canary-"', "-T", "fields", "-e", "sip.Call-ID"]
    return ["tshark", "-n", "-2", "-r", str(path), "-q", "-z", "rtp,streams", "-z", "sip,stat", *fields]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size (1)")
    parser.add_argument("--alone", action="store_true", help="leave tshark and sngrep out")
    parser.add_argument("--limit-mb", type=int, default=6_000, help="address space of a command (6000)")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that a command may take (600)")
    parser.add_argument("--folder", type=pathlib.Path, help="where captures are written for the moment")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"no such attack: {', '.join(unknown)}")
    print("| attack | size | file MB | sipanalyzer | tshark | sngrep |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for name in arguments.attacks or ATTACKS:
            attack = ATTACKS[name]
            for part in (0.5, 1.0):
                count = int(attack.count * arguments.scale * part)
                path = pathlib.Path(folder) / f"{name}.{attack.suffix}"
                write_attack(name, path, count)
                limits = (arguments.limit_mb, arguments.timeout)
                cells: list[Outcome | str] = [run(ours(path), *limits)]
                if not arguments.alone:
                    kept = pathlib.Path(folder) / "kept.pcap"
                    cells += [
                        run(tshark(path), *limits) if shutil.which("tshark") else "absent",
                        run(["sngrep", "-N", "-q", "-I", str(path), "-O", str(kept)], *limits, kept)
                        if shutil.which("sngrep")
                        else "absent",
                    ]
                    kept.unlink(missing_ok=True)
                size = path.stat().st_size / 1e6
                path.unlink()
                said = cells[0].said if isinstance(cells[0], Outcome) else ""
                print(f"| {attack.what} | {count:,} | {size:,.1f} |", *(f"{cell} |" for cell in cells), flush=True)
                if said:
                    print(f"{name}: {said[:300]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
