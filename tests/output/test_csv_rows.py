"""CSV in blocks is what the module csv writes of harmless texts, whatever stands in the cells."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output import csv_rows
from sipanalyzer.output.cells import Cell, harmless, machine, visible
from sipanalyzer.output.columns import Column
from sipanalyzer.output.csv_rows import csv_blocks
from sipanalyzer.output.formulas import defused
from sipanalyzer.output.tables import Table

VALUES: dict[str, st.SearchStrategy[Cell]] = {
    "text": st.none()
    | st.sampled_from(["", "INVITE", 'a"b', "a,b", "a\nb", "a\rb", "ü", "\x1b[31m", "=1", "+49"])
    | st.text(),
    "int": st.none() | st.integers() | st.sampled_from([0, 1, True, False]),
    "float": st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0, 2.5]),
    "time": st.none() | st.integers(-(2**62), 2**62),
    "bool": st.none() | st.booleans(),
}


def make_table(**data: list[Cell]) -> Table:
    """A table whose columns are named after their type."""
    return Table("calls", tuple(Column(name, name.split("_")[0], "", "") for name in data), tuple(data.values()))


def written(table: Table) -> str:
    """What the module csv makes of it."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([column.name for column in table.columns])
    cells = [
        [None if value is None else "true" if value else "false" for value in values]
        if column.dtype == "bool"
        else [defused(harmless(value)) if isinstance(value, str) else value for value in machine(values, column)]
        for values, column in zip(table.data, table.columns, strict=True)
    ]
    writer.writerows(zip(*cells, strict=True))
    return stream.getvalue()


@pytest.mark.parametrize("dtype", VALUES)
@given(data=st.data())
def test_a_column_is_written_as_the_module_csv_writes_it(dtype: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[dtype], max_size=20))
    repeats = data.draw(st.integers(1, 8))
    alone = make_table(**{dtype: values * repeats})
    beside = make_table(**{dtype: values * repeats, "text_2": ["x"] * len(values) * repeats})
    assert "".join(csv_blocks(alone)) == written(alone)
    assert "".join(csv_blocks(beside)) == written(beside)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 9])
def test_blocks_join_without_a_seam(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_ROWS", 3)
    table = make_table(text=[f"call {row}" for row in range(rows)], int=list(range(rows)), float=[0.5] * rows)
    assert "".join(csv_blocks(table)) == written(table)


def test_a_text_column_that_holds_a_number_is_written_all_the_same() -> None:
    table = make_table(text=["a", 1, None, 2.5, True, 'b"'] * 60, int=[1, "2,5", True, None, 1.5, 0] * 60)
    assert "".join(csv_blocks(table)) == written(table)


@pytest.mark.parametrize("values", [["a\x1b[31m", None, "b"] * 100, [f"{n}\x07" for n in range(300)]])
def test_on_a_terminal_no_cell_has_a_control_character(values: list[Cell]) -> None:
    text = "".join(csv_blocks(make_table(text=values), visible))
    assert text.replace("\r\n", "").isprintable()
    assert text.splitlines()[1:] == ['""' if value is None else visible(str(value)) for value in values]


def test_a_table_without_rows_is_its_heading() -> None:
    assert "".join(csv_blocks(make_table(text=[], int=[]))) == "text,int\r\n"
