"""The README's output is the command's output. ``python tests/test_readme.py`` writes it anew."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- real output: begin -->\n```console\n)(.*?)(```\n<!-- real output: end -->)", re.DOTALL)
TABLES = ("calls", "streams", "findings")
WIDTH = 100


def real_output(command: str) -> str:
    """What a terminal of 100 columns shows."""
    name, *arguments = shlex.split(command)
    assert name == "sipanalyzer"
    if arguments[0] in TABLES:
        arguments += ["--format", "table"]
    environment = os.environ | {"COLUMNS": str(WIDTH), "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "sipanalyzer", *arguments],
        cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.decode()


def written_anew(text: str) -> str:
    """The README with the output of each command in its block."""
    match = BLOCK.search(text)
    assert match is not None
    commands = re.findall(r"^\$ (.+)$", match[2], re.MULTILINE)
    assert commands
    block = "\n".join(f"$ {command}\n{real_output(command)}" for command in commands)
    return text[: match.start(2)] + block + text[match.end(2) :]


def test_the_output_in_the_readme_is_real() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert written_anew(text) == text


def test_the_readme_shows_a_summary_and_a_call() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n$ sipanalyzer summary sample_pcaps/" in text and "\n$ sipanalyzer call sample_pcaps/" in text


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
