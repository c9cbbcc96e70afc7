"""Prints where the time of one command goes, stage by stage, as a Markdown table.

The command runs in a process of its own, in which one more thread looks every millisecond or two at what each of the
others is doing, and books the time since it last looked to a stage: the innermost function on the stack whose module
the table `STAGES` names. Kernels run without Python's lock, so the look falls into them as it falls into anything.
The command takes some percent longer than without.

    python benchmarks/stages.py streams benchmarks/data/rtp-heavy.pcap
    python benchmarks/stages.py calls benchmarks/data/sip-heavy.pcap --repeats 3
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from types import FrameType

HERE = pathlib.Path(__file__).resolve().parent

STAGES: tuple[tuple[str, str], ...] = (
    ("importlib._bootstrap", "start-up"),
    ("sipanalyzer.kernels", "start-up"),  # only functions that compile or load a kernel: see `stage`
    ("sipanalyzer.capture.source", "read"),
    ("sipanalyzer.capture.stored", "read"),
    ("sipanalyzer.capture.compression", "read"),
    ("sipanalyzer.capture.window", "read"),
    ("sipanalyzer.capture.block", "wait for the other thread"),
    ("threading", "wait for the other thread"),
    ("sipanalyzer.capture", "walk and decode"),
    ("sipanalyzer.unpacking", "tunnels, fragments, TCP"),
    ("sipanalyzer.network", "tunnels, fragments, TCP"),
    ("sipanalyzer.rtp", "stream state"),
    ("sipanalyzer.metrics", "stream quality"),
    ("sipanalyzer.sip.sdp", "SIP parse: descriptions"),
    ("sipanalyzer.sip", "SIP parse"),
    ("sipanalyzer.calls.timeline", "dialog tracking: who listens where"),
    ("sipanalyzer.calls", "dialog tracking, calls, ties"),
    ("sipanalyzer.pipeline", "packets parted, windows"),
    ("sipanalyzer.completion", "dialog tracking, calls, ties"),
    ("sipanalyzer.health", "findings"),
    ("sipanalyzer.findings", "findings"),
    ("sipanalyzer.statistics", "findings"),
    ("sipanalyzer.rereading", "packets read again"),
    ("sipanalyzer.output", "table building, output"),
    ("sipanalyzer.browser", "table building, output"),
    ("sipanalyzer.redaction", "redaction"),
    ("sipanalyzer.cli", "command line"),
)
"""Beginning of a module's name -> stage; the first that fits counts. Words that all share, such as
``sipanalyzer.result``, are missing: who makes one of them is one function further out."""
LOADS = ("compile", "load", "cache", "register")
"""What functions of ``sipanalyzer.kernels`` have in their names when they compile or load; others pass a call on."""
Booked = dict[tuple[str, str], list[float]]
"""(Stage, function) -> seconds on the main thread, and on all others."""
START, OTHER = "start-up", "other"


def stage(frame: FrameType | None) -> tuple[str, str]:
    """Stage of a stack, from its innermost frame outwards, and the function that decided."""
    while frame is not None:
        module, function = frame.f_globals.get("__name__") or "", frame.f_code.co_name
        for beginning, name in STAGES:
            if module == beginning or module.startswith(beginning + "."):
                if beginning == "sipanalyzer.kernels" and not any(word in function for word in LOADS):
                    break  # a kernel, or the way to it: the caller knows what for
                return name, f"{module}.{function}"
        frame = frame.f_back
    return OTHER, ""


def watch(main: int, booked: Booked, stop: threading.Event) -> None:
    """Book the time of all threads but this one to stages, until told to stop: main thread first, the others second."""
    own, last = threading.get_ident(), time.perf_counter()
    while not stop.wait(0.001):
        now = time.perf_counter()
        frames = sys._current_frames()
        for thread, frame in frames.items():
            if thread != own:
                booked[stage(frame)][thread != main] += now - last
        del frame, frames  # what functions held must not outlive them: a buffer in use cannot grow
        last = now


def inside(arguments: list[str], began: float, report: pathlib.Path) -> None:
    """Be the process that is watched; what was booked goes to `report`."""
    booked: Booked = collections.defaultdict(lambda: [0.0, 0.0])
    booked[START, "before the first line of Python"][0] = time.time() - began
    stop = threading.Event()
    sys.setswitchinterval(0.002)  # a thread that computes in Python lets the watcher look that soon
    watcher = threading.Thread(target=watch, args=(threading.get_ident(), booked, stop), daemon=True)
    watcher.start()
    gc.disable()  # as the console script does
    from sipanalyzer.cli import main

    with pathlib.Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        status = main(arguments)
    stop.set()
    watcher.join()
    report.write_text(
        json.dumps(
            {
                "status": status,
                "seconds": time.time() - began,
                "booked": [[*key, *times] for key, times in booked.items()],
            }
        )
    )
    sys.stdout.flush()
    os._exit(0)


def measure(arguments: list[str]) -> tuple[float, Booked]:
    """Seconds of one run, and what was booked.

    Raises
    ------
    SystemExit
        If the command fails.
    """
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, [environment.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        command = [sys.executable, __file__, "--inside", repr(time.time()), str(report), *arguments]
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode or not report.exists():
            raise SystemExit(f"{' '.join(arguments)}: exit status {done.returncode}")
        seen = json.loads(report.read_text())
    if seen["status"] > 1:  # 1 is a damaged capture
        raise SystemExit(f"{' '.join(arguments)}: exit status {seen['status']}")
    return seen["seconds"], {(name, function): [here, there] for name, function, here, there in seen["booked"]}


def table(seconds: float, booked: Booked, functions: bool = False) -> str:
    """The Markdown table, in the order of the data's way; of the dearest functions where these are asked for."""
    if functions:
        rows = sorted(
            ((f"{name}: {function}", *times) for (name, function), times in booked.items()), key=lambda row: -row[1]
        )
    else:
        totals = {name: [0.0, 0.0] for name in (*dict.fromkeys(name for _, name in STAGES), OTHER)}
        for (name, _), times in booked.items():
            totals[name] = [sum(pair) for pair in zip(totals[name], times, strict=True)]
        rows = [(name, *times) for name, times in totals.items()]
    lines = ["| stage | main thread | reading thread |", "| --- | --- | --- |"]
    for name, here, there in rows:
        if here >= 0.005 or there >= 0.005:
            lines.append(f"| {name} | {here:.2f} s | " + (f"{there:.2f} s |" if there >= 0.005 else "|"))
    sums = [sum(times[side] for times in booked.values()) for side in (0, 1)]
    return "\n".join([*lines, f"| together, of {seconds:.2f} s | {sums[0]:.2f} s | {sums[1]:.2f} s |"])


def main() -> None:
    """Run the command as often as asked for, and print the table of the quickest run."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[4:], float(sys.argv[2]), pathlib.Path(sys.argv[3]))
    parser = argparse.ArgumentParser(description="Print where the time of one command of sipanalyzer goes.")
    parser.add_argument("command", help="such as streams, calls or messages")
    parser.add_argument("capture")
    parser.add_argument("--repeats", type=int, default=3, help="the quickest of so many runs (default: 3)")
    parser.add_argument("--functions", action="store_true", help="functions instead of stages, the dearest first")
    given = parser.parse_args()
    measure([given.command, given.capture])  # compiles what was not compiled yet
    runs = [measure([given.command, given.capture]) for _ in range(max(1, given.repeats))]
    print(f"`sipanalyzer {given.command} {pathlib.Path(given.capture).name}`\n")
    print(table(*min(runs, key=lambda run: run[0]), given.functions))


if __name__ == "__main__":
    main()
