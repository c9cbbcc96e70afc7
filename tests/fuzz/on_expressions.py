"""Fuzz target: the language of ``--where``."""

from __future__ import annotations

from typing import Any

from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.expression import parse_expression

_TABLES = sorted(COLUMNS)
_VALUES: dict[str, list[Any]] = {
    "text": ["", "failed", None, "x" * 90],
    "int": [0, -5, None, 2**62],
    "float": [0.0, -1.5, None, 1e308],
    "time": [0, 10**18, None, 2**62],
    "bool": [True, False, None, True],
}


def where(data: bytes) -> None:
    """An expression is refused with a sentence, or says of each row whether it is meant."""
    name = _TABLES[data[0] % len(_TABLES)] if data else _TABLES[0]
    try:
        expression = parse_expression(name, data[1:].decode("utf-8", "surrogateescape"))
    except ValueError as error:
        assert "\n" not in str(error).strip() or "\\n" not in str(error)
        return
    rows = {column.name: _VALUES[column.dtype] for column in COLUMNS[name]}
    assert set(expression.rows(rows, 4)) <= {0, 1, 2, 3}


def where_seeds() -> list[bytes]:
    """Each construct of the language, and what is none."""
    calls = _TABLES.index("calls").to_bytes(1, "big")
    return [
        calls + text
        for text in (
            b"state == 'failed' and post_dial_delay_ms > 3000",
            b"start - end < 5.5 or not (setup_ms // 2 == 1e3)",
            b"state in ('failed', 'busy') and call_id.lower().contains('x')",
            b"start >= '2026-01-01T00:00:00Z'",
            b"call_id is not None and -duration_s < +5 % 3",
            b"state.upper() not in ['A'] and partial == True",
            b"__import__('os').system('id')",
            b"call_id.__class__",
            b"[x for x in y]",
            b"lambda: 1",
            b"f'{state}'",
            b"1 < duration_s < 5 * 7",
            b"9**9**9",
            b"(" * 90 + b"1" + b")" * 90,
            b"state == 'a\\ud800'",
        )
    ]
