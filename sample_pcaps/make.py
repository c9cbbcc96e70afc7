"""Write the sample captures, ``expected.toml`` and the table in ``README.md`` from the scenes in this folder.

``python sample_pcaps/make.py`` rewrites them all, byte for byte the same on every machine; ``--check`` writes nothing
and names the files that differ. Needs nothing but Python. The captures of real software are not made here: `record.py`
made them, and `recorded.toml` says what was in them.
"""

from __future__ import annotations

import gzip
import json
import pathlib
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
if __package__ in (None, ""):
    sys.path.insert(0, str(HERE.parent))

from sample_pcaps.scenes import (  # noqa: E402
    announcement,
    calls,
    failures,
    features,
    media,
    network,
    quality,
    services,
    unreached,
)
from sample_pcaps.words.files import Interface, pcap_bytes, pcapng_bytes  # noqa: E402
from sample_pcaps.words.scene import APART_NS, START_NS, Scene  # noqa: E402

MODULES = (announcement, calls, failures, media, network, services, quality, features, unreached)
"""A new one goes behind the others: a scene's place is its time of day."""
TABLE_MARK = "<!-- the table below is written by make.py -->"


def scenes() -> Iterator[Scene]:
    """Every scene, in the order of the README."""
    builders = [build for module in MODULES for build in module.SCENES]
    for number, build in enumerate(builders):
        Scene.begins_ns = START_NS + number * APART_NS
        yield build()


def capture_bytes(scene: Scene) -> bytes:
    """The scene's capture, in the format that its name says; not compressed."""
    if ".pcapng" in scene.name:
        return pcapng_bytes(scene.packets(), [Interface(*words) for words in scene.interfaces], comment=scene.name)
    return pcap_bytes(scene.packets(), nanoseconds=scene.nanoseconds)


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def is_table(value: Any) -> bool:
    """Whether these are rows, rather than a list of words."""
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def expected_toml(files: list[dict[str, Any]]) -> str:
    """The facts of all files."""
    lines = [
        "# What must be found in each file. Written by make.py from scenes and recorded.toml, never by sipanalyzer.",
        "# Columns are those of the tables; `missing` names columns without a value; what is not here is not checked.",
        "# `findings` are all of severity error and warning, and of info those that tell; `quiet` must not be found.",
        "# `rated`: R and MOS at a one-way delay that ITU-T G.107's grid has; `digits` have ms from the first packet.",
    ]
    for entry in files:
        tables = {name: rows for name, rows in entry.items() if is_table(rows)}
        lines += ["", "[[file]]"]
        lines += [f"{name} = {toml_value(value)}" for name, value in entry.items() if name not in tables]
        for name, rows in tables.items():
            for row in rows:
                lines += ["", f"[[file.{name}]]", *(f"{key} = {toml_value(value)}" for key, value in row.items())]
    return "\n".join(lines) + "\n"


def said(entry: dict[str, Any]) -> str:
    """The findings of a file as a sentence: each code once, with its gravest severity."""
    gravest: dict[str, str] = {}
    for row in entry.get("findings", ()):
        known = gravest.setdefault(row["code"], row["severity"])
        gravest[row["code"]] = min(known, row["severity"], key=("error", "warning", "info").index)
    codes = ", ".join(f"`{code}` ({severity})" for code, severity in gravest.items())
    return f"Findings: {codes}." if codes else "No finding."


def readme(text: str, files: list[dict[str, Any]]) -> str:
    """The README with its table renewed."""
    head = text.split(TABLE_MARK)[0]
    rows = ["| file | what happens | what must be found |", "| --- | --- | --- |"]
    rows += [f"| `{entry['name']}` | {entry['story']} | {entry['find']} {said(entry)} |" for entry in files]
    return head + TABLE_MARK + "\n" + "\n".join(rows) + "\n"


def products() -> Iterator[tuple[str, bytes]]:
    """Name and content of every file that this script writes; a ``.gz`` is given without its compression."""
    files = []
    for scene in scenes():
        yield scene.name, capture_bytes(scene)
        files.append(scene.expected())
    files += tomllib.loads((HERE / "recorded.toml").read_text(encoding="utf-8"))["file"]
    yield "expected.toml", expected_toml(files).encode()
    yield "README.md", readme((HERE / "README.md").read_text(encoding="utf-8"), files).encode()


def stands(name: str, content: bytes) -> bool:
    """Whether the file has this content; compression is not compared, since zlib's output differs by version."""
    path = HERE / name
    if not path.is_file():
        return False
    there = path.read_bytes()
    return (gzip.decompress(there) if name.endswith(".gz") else there) == content


def main(arguments: list[str]) -> int:
    """Write what differs, or with ``--check`` name it; returns the exit status."""
    differing = [(name, content) for name, content in products() if not stands(name, content)]
    for name, content in differing:
        print(name)
        if "--check" not in arguments:
            packed = gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content
            (HERE / name).write_bytes(packed)
    return 1 if differing and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
