"""Findings that a person made beside ours: rows become findings and take their place among the others. Floor 8.

In: a result, and rows with the columns of the table `findings`. Out: a result whose tables, pages, flow charts and
reports have them too.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..facts import SEVERITIES, Finding
from ..findings.engine import order_findings
from ..result import Call, Result
from .cells import parse_time
from .derived import findings_of, without_derived
from .tables import row_order

__all__ = ["add_findings", "read_findings"]

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_KNOWN = frozenset(
    {"code", "severity", "explanation", "advice", "call_id", "stream", "time", "capture", "frame", "evidence"}
    | {"doubtful", "affects", "likelihood"}
)
_PASSED_OVER = frozenset({"ssrc", "causes"})
"""Columns of the table `findings` that follow from others."""


def add_findings(result: Result, rows: Any) -> Result:
    """The result with further findings.

    Parameters
    ----------
    result : Result
        Of one analysis.
    rows : pandas.DataFrame, or iterable of mappings
        See :func:`read_findings`.

    Raises
    ------
    ValueError
        As there.
    """
    found = (*findings_of(result), *read_findings(result, rows))
    extra = without_derived(result.extra)
    return dataclasses.replace(result, extra=extra | {"findings": order_findings(found, result)})


def read_findings(result: Result, rows: Any) -> tuple[Finding, ...]:
    """Findings from rows.

    Parameters
    ----------
    result : Result
        What they are about.
    rows : pandas.DataFrame, or iterable of mappings
        One a finding. `code` (small letters, digits and hyphens) and `explanation` must be there; `severity` is
        ``warning`` where it is not; `advice`, `call_id`, `stream` (a row of the table `streams`), `time`, `frame`,
        `evidence` (frames, comma separated or a list), `capture` (a file's name), `doubtful`, `affects` and
        `likelihood` (0 to 100) as in the table `findings`. What is missing (None, NaN, NaT) is not known.

    Raises
    ------
    ValueError
        If a column is not one of these, or a value cannot be meant; the message names the row.
    """
    if hasattr(rows, "to_dict"):
        rows = rows.to_dict("records")
    if isinstance(rows, (Mapping, str, bytes)) or not isinstance(rows, Iterable):
        raise ValueError("findings are a DataFrame or a list of dictionaries")
    about = _About({call.call_id: call for call in result.calls}, row_order(result, "streams"))
    found = []
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"finding {number}: a dictionary is needed, not {row!r}")
        try:
            found.append(
                _finding(result, about, {str(name): value for name, value in row.items() if not _missing(value)})
            )
        except ValueError as error:
            raise ValueError(f"finding {number}: {error}") from None
    return tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class _About:
    """What findings are about, indexed once."""

    calls: dict[str, Call]
    streams: list[int]
    """Index into ``Result.streams`` of each row of the table."""


def _finding(result: Result, known: _About, row: dict[str, Any]) -> Finding:
    unknown = sorted(set(row) - _KNOWN - _PASSED_OVER)
    if unknown:
        raise ValueError(f"there is no column {unknown[0]!r}; there are {', '.join(sorted(_KNOWN))}")
    code = str(row.get("code", ""))
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no code: small letters, digits and hyphens")
    if not str(row.get("explanation", "")).strip():
        raise ValueError(f"{code} has no explanation")
    severity = str(row.get("severity", "warning"))
    if severity not in SEVERITIES:
        raise ValueError(f"there is no severity {severity!r}; there are {', '.join(SEVERITIES)}")
    call = known.calls.get(str(row["call_id"])) if "call_id" in row else None
    stream = _stream(known, row["stream"]) if "stream" in row else None
    frames = _frames(row.get("evidence"))
    frame = int(row["frame"]) if "frame" in row else (frames[0] if frames else None)
    likelihood = int(row.get("likelihood", 50))
    if not 0 <= likelihood <= 100:
        raise ValueError(f"likelihood goes from 0 to 100, not to {likelihood}")
    about = call if call is not None else None if stream is None else result.streams[stream]
    capture = _capture(result, row["capture"]) if "capture" in row else None if about is None else about.capture
    return Finding(
        code=code,
        severity=severity,
        explanation=str(row["explanation"]),
        advice=str(row.get("advice", "")),
        call_id=None if "call_id" not in row else str(row["call_id"]),
        stream=stream,
        time=_time(row["time"]) if "time" in row else None,
        capture=capture,
        frame=frame,
        frames=frames or (() if frame is None else (frame,)),
        affects=None if "affects" not in row else str(row["affects"]),
        doubtful=None if "doubtful" not in row else str(row["doubtful"]),
        likelihood=likelihood,
    )


def _missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value) or (isinstance(value, float) and math.isnan(value))
    except (TypeError, ValueError):  # pandas.NA, an array
        return type(value).__name__ == "NAType"


def _stream(known: _About, row: Any) -> int:
    if not 0 <= int(row) < len(known.streams):
        raise ValueError(f"there is no stream in row {row}; there are {len(known.streams)}")
    return known.streams[int(row)]


def _capture(result: Result, name: Any) -> int:
    files = [capture.file for capture in result.captures]
    if str(name) not in files:
        raise ValueError(f"there is no capture {name!r}")
    return files.index(str(name))


def _frames(evidence: Any) -> tuple[int, ...]:
    if evidence is None:
        return ()
    parts = evidence.split(",") if isinstance(evidence, str) else [evidence] if isinstance(evidence, int) else evidence
    return tuple(int(each) for each in parts)


def _time(value: Any) -> int:
    since = getattr(value, "value", None)  # a pandas Timestamp: its ns
    return int(since) if isinstance(since, int) else parse_time(str(value))
