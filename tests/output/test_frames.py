import pandas
import pytest

from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.frames import DTYPES, data_frame
from sipanalyzer.output.tables import table
from tests.output.results import T0, empty_result, make_call, make_result


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("result", [make_result(), empty_result()], ids=["full", "empty"])
def test_types_are_the_same_with_and_without_rows(name: str, result) -> None:
    frame = data_frame(table(result, name))
    for column in COLUMNS[name]:
        assert str(frame[column.name].dtype) == DTYPES[column.dtype], column.name


def test_times_keep_their_nanoseconds_and_their_gaps() -> None:
    frame = data_frame(table(make_result(calls=(make_call(start=T0 + 1), make_call(ringing=None))), "calls"))
    assert frame["start"][1].value == T0 + 1
    assert frame["ringing"].isna().tolist() == [True, False]
    assert (frame["answered"] - frame["start"]).dt.total_seconds().tolist() == pytest.approx([2.0, 2.0])


def test_missing_values_are_missing_and_can_be_compared() -> None:
    frame = data_frame(table(make_result(), "calls"))
    assert frame["session"].isna().all() and frame["mos"].isna().all() and frame["one_way"].isna().all()
    assert len(frame[frame["one_way"].fillna(False)]) == 0
    assert len(frame[frame["state"] == "completed"]) == 1


def test_units_and_meanings_go_with_the_frame() -> None:
    frame = data_frame(table(make_result(), "streams"))
    assert frame.attrs["columns"]["max_jitter_ms"]["unit"] == "ms"
    assert "RFC 3550" in frame.attrs["columns"]["expected"]["meaning"]


def test_a_frame_can_be_written_by_pandas_itself(tmp_path) -> None:
    frame = data_frame(table(make_result(), "calls"))
    frame.to_parquet(tmp_path / "x.parquet")
    assert pandas.read_parquet(tmp_path / "x.parquet")["start"][0].value == T0
