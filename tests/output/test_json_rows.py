"""JSON in blocks is what the module json writes, whatever stands in the cells."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output import json_rows
from sipanalyzer.output.cells import machine
from sipanalyzer.output.json_rows import harmless_json, json_blocks
from sipanalyzer.output.tables import Table
from tests.output.test_csv_rows import VALUES, make_table


def written(table: Table, between: str) -> str:
    """What the module json makes of it."""
    cells = [machine(values, column) for values, column in zip(table.data, table.columns, strict=True)]
    names = [column.name for column in table.columns]
    lines = (
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False)
        for row in zip(*cells, strict=True)
    )
    return between.join(map(harmless_json, lines))


@pytest.mark.parametrize("dtype", VALUES)
@given(data=st.data())
def test_a_column_is_written_as_the_module_json_writes_it(dtype: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[dtype], max_size=20))
    table = make_table(**{dtype: values, "text_2": [None, *map(str, values[1:])]} if values else {dtype: values})
    assert "\n".join(json_blocks(table, "\n")) == written(table, "\n")


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 9])
def test_blocks_join_without_a_seam(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "_ROWS", 3)
    table = make_table(text=[f"call {row}" for row in range(rows)], int=list(range(rows)), float=[0.5] * rows)
    assert ",\n".join(json_blocks(table, ",\n")) == written(table, ",\n")
