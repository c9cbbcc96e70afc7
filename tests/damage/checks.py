"""What must hold of a damaged capture: an answer or one clear refusal, in bounded time, and the rest as from the whole.

In: bytes of captures. Out: every table as plain rows; :class:`Fault` where something else happened.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from typing import Any

from sipanalyzer.errors import CaptureError
from sipanalyzer.options import Options
from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.tables import table
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result

Rows = list[dict[str, Any]]
SECONDS = 20.0
"""No file here needs more; the largest of them takes half a second when it is whole."""
OF_THE_REST = frozenset({"session", "capture", "first_frame", "last_frame", "findings"})
"""Columns of a call or stream that speak of others too: a number among sessions, the place in the file, and findings,
which say what is doubtful where a capture is damaged."""


class Fault(AssertionError):
    """Something that must not happen to anyone who opens a damaged capture."""


def analyzed(data: bytes, what: str, **options: Any) -> Result | None:
    """The analysis of a capture; None where it is refused, in one line.

    Raises
    ------
    Fault
        Any other exception; or it took too long.
    """
    begun = time.perf_counter()
    result = None
    try:
        result = analyze(io.BytesIO(data), Options(**options))
    except CaptureError as error:
        if "\n" in str(error) or not str(error):
            raise Fault(f"{what}: not one line: {error}") from error
    except Exception as error:
        raise Fault(f"{what}: {type(error).__name__}: {error}") from error
    took = time.perf_counter() - begun
    if took > SECONDS:
        raise Fault(f"{what}: took {took:.1f} s")
    return result


def rows(result: Result, name: str) -> Rows:
    """A table of a result, as plain values."""
    found = table(result, name)
    names = [column.name for column in found.columns]
    return [dict(zip(names, map(repr, row), strict=True)) for row in found.rows()]


def all_rows(result: Result) -> dict[str, Rows]:
    """Every table; makes every table, too."""
    return {name: rows(result, name) for name in COLUMNS}


def extents(result: Result) -> dict[str, tuple[int, int]]:
    """First and last frame of everything that belongs to a call, by Call-ID."""
    found: dict[str, tuple[int, int]] = {}
    for name in ("calls", "streams"):
        plain = table(result, name)
        names = [column.name for column in plain.columns]
        for values in plain.rows():
            row = dict(zip(names, values, strict=True))
            also = str(row.get("also_call_ids") or "").split(",")
            for call_id in filter(None, (row["call_id"], *also)):
                first, last = found.get(call_id, (1 << 62, 0))
                found[call_id] = (min(first, row["first_frame"]), max(last, row["last_frame"]))
    return found


def of_calls(result: Result, call_ids: Iterable[str], without: frozenset[str] = OF_THE_REST) -> dict[str, Rows]:
    """Rows of some calls, of their streams, messages, dialogs and transactions."""
    wanted = {repr(each) for each in call_ids}
    found = {}
    for name in ("calls", "streams", "messages", "dialogs", "transactions"):
        found[name] = [
            {key: value for key, value in row.items() if key not in without}
            for row in rows(result, name)
            if row["call_id"] in wanted
        ]
    return found


def differing(expected: dict[str, Rows], found: dict[str, Rows]) -> str | None:
    """What differs first, in words; None where nothing does."""
    for name, wanted in expected.items():
        got = found[name]
        if len(got) != len(wanted):
            return f"{name}: {len(got)} rows instead of {len(wanted)}"
        for number, (before, after) in enumerate(zip(wanted, got, strict=True)):
            for key, value in before.items():
                if after[key] != value:
                    return f"{name}[{number}].{key}: {after[key]} instead of {value}"
    return None


OUTCOME = frozenset({"state", "reason"})
"""Columns of a call in which a timeout shows: it wants the capture to run on for 32 s after the last INVITE."""


def _numbered(tables: dict[str, Rows]) -> dict[str, Rows]:
    """The tables, with sessions numbered among these calls: what comes later may join others before them."""
    numbers: dict[str, str] = {}
    for name in ("calls", "streams"):
        for row in tables[name]:
            row["session"] = numbers.setdefault(row["session"], str(len(numbers) + 1))
    return tables


def before_cut(whole: Result, extent: dict[str, tuple[int, int]], part: Result | None, packets: int) -> str | None:
    """What differs, in a file cut after so many packets, of calls that were over by then; None where nothing does."""
    done = [call_id for call_id, (_, last) in extent.items() if last <= packets]
    if not done:
        return None
    if part is None:
        return f"{len(done)} calls stand before the cut, and nothing was read"
    expected, found = (_numbered(of_calls(result, done, frozenset({"findings"}))) for result in (whole, part))
    for before, after in zip(expected["calls"], found["calls"], strict=False):
        if before["reason"] == "'timeout'":
            for each in (before, after):
                for column in OUTCOME:
                    del each[column]
    return differing(expected, found)


def as_cut_clean(broken: Result | None, clean: Result | None) -> str | None:
    """What differs between a file cut within a record and one cut before it, but for what is said of the damage."""
    if broken is None or clean is None:
        return None if broken is clean or clean is None or not clean.captures[0].packets else "nothing was read"
    expected, found = all_rows(clean), all_rows(broken)
    for tables in (expected, found):
        for name in ("findings", "captures"):
            del tables[name]
        for name in ("calls", "streams"):
            tables[name] = [{key: row[key] for key in row if key != "findings"} for row in tables[name]]
        tables["statistics"] = [row for row in tables.get("statistics", []) if "grade" not in str(row)]
    return differing(expected, found)
