"""Every way out of an analysis, as bytes, and which of many values stand in them.

In: an analysis and a folder to write into. Out: bytes by name. Values are looked for all at once, by their first four
bytes, so that any of them can be found, however many there are.
"""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from sipanalyzer.output.columns import FILLED
from sipanalyzer.output.formats import write_table
from sipanalyzer.output.tables import table
from tests.redaction.originals import RAW, Values

TEXTS = ("csv", "json", "jsonl", "md", "table")
_CALLS, _DRAWN = 30, 2
"""Calls that are looked at as text, and as everything else."""
_WHOLE = 10
"""Values of fewer characters are found as words alone."""


def outputs(analysis: Any, folder: pathlib.Path, *, pictures: bool = False) -> Iterator[tuple[str, bytes]]:
    """Everything that an analysis writes, by name; of the calls the first few."""
    import pandas

    for name in FILLED:
        rows = table(analysis.result, name)
        for form in TEXTS[:4]:
            written = io.BytesIO()
            write_table(rows, form, written)
            yield f"{name}.{form}", written.getvalue()
    for form in ("csv", "json", "xlsx", "parquet"):
        for path in analysis.export(folder / form, format=form):
            if path.name == "tables.xlsx":
                with zipfile.ZipFile(path) as book:
                    for part in book.namelist():
                        yield f"xlsx {part}", book.read(part)
            elif path.suffix == ".parquet":
                yield f"export {path.name}", pandas.read_parquet(path).to_csv().encode()
            elif path.suffix != ".xlsx":
                yield f"export {form} {path.name}", path.read_bytes()
    for name in ("report.html", "report.md"):
        yield name, analysis.report(folder / name).read_bytes()
    for shown in ("__str__", "__repr__", "_repr_html_"):
        yield shown, str(getattr(analysis, shown)()).encode()
    for row in range(len(analysis.result.messages)):
        yield f"message {row}", bytes(analysis.result.messages.raw(row))
    for row in range(min(_CALLS, len(analysis.result.calls))):
        call = analysis.call(row)
        yield f"call {row}", str(call).encode() + str(call._repr_html_()).encode()
        if row < _DRAWN:
            yield from _drawn(call, row, folder, pictures)


def _drawn(call: Any, row: int, folder: pathlib.Path, pictures: bool) -> Iterator[tuple[str, bytes]]:
    flow = call.flow(session=True, fold=False)
    yield f"flow {row}", str(flow).encode()
    for suffix in ("svg", "mmd", "txt", "html", *(("png", "pdf") if pictures else ())):
        path = flow.save(folder / f"flow{row}.{suffix}")
        yield f"flow {row} {suffix}", path.read_bytes()
        if suffix == "pdf" and shutil.which("pdftotext"):
            yield f"flow {row} pdf", subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout
    for suffix in ("pcapng", "pcap"):
        yield f"extract {row} {suffix}", call.extract(folder / f"call{row}.{suffix}").read_bytes()


def found_in(data: bytes, values: Values, *, raw: bool) -> dict[bytes, str]:
    """Which values stand in some bytes, and their classes; in a text whatever their capitals."""
    by_first: dict[bytes, dict[bytes, str]] = defaultdict(dict)
    for name, group in values.items():
        if raw or name not in RAW:
            for value in group:
                folded = value if name in RAW else value.lower()
                by_first[folded[:4]][folded] = name
    found: dict[bytes, str] = {}
    for text, part in ((data, True), (data.lower(), False)) if raw else ((data.lower(), False),):
        firsts = {first: group for first, each in by_first.items() if (group := _of(each, part))}
        if not firsts or len(text) < 4:
            continue
        places = np.frombuffer(text, np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(places, 4)
        numbers = np.ascontiguousarray(windows).view(np.uint32)[:, 0]
        wanted = np.frombuffer(b"".join(first.ljust(4, b"\0") for first in firsts), np.uint32)
        for at in np.flatnonzero(np.isin(numbers, wanted)).tolist():
            for value, name in firsts[text[at : at + 4]].items():
                if text.startswith(value, at) and (part or _is_word(text, at, at + len(value))):
                    found[value] = name
    return found


def _of(group: dict[bytes, str], raw: bool) -> dict[bytes, str]:
    return {value: name for value, name in group.items() if (name in RAW) == raw}


def _is_word(text: bytes, at: int, end: int) -> bool:
    """Whether a value stands alone; long ones count wherever they stand."""
    alone = not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum()
    return alone or end - at >= _WHOLE
