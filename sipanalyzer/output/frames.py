"""Tables as pandas DataFrames. Floor 8; the only file that imports pandas, and only when a frame is asked for.

In: :class:`~.tables.Table`. Out: DataFrame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tables import Table

if TYPE_CHECKING:
    import pandas

__all__ = ["DTYPES", "data_frame"]

DTYPES = {"text": "string", "int": "Int64", "float": "float64", "bool": "boolean", "time": "datetime64[ns, UTC]"}
"""pandas type of each kind of column; the same whether or not something is missing."""


def data_frame(table: Table) -> pandas.DataFrame:
    """The table as a DataFrame.

    Its types do not depend on what happens to be missing: texts are ``string``, whole numbers ``Int64``, numbers
    ``float64``, true and false ``boolean``, times ``datetime64[ns, UTC]``. ``frame.attrs["columns"]`` has unit and
    meaning of each column by name.
    """
    import pandas

    frame = pandas.DataFrame(
        {column.name: _series(column.dtype, values) for column, values in zip(table.columns, table.data, strict=True)}
    )
    frame.attrs["table"] = table.name
    frame.attrs["columns"] = {column.name: {"unit": column.unit, "meaning": column.meaning} for column in table.columns}
    return frame


def _series(dtype: str, values: list[Any]) -> pandas.Series[Any]:
    import numpy as np
    import pandas

    if dtype != "time":
        return pandas.Series(values, dtype=DTYPES[dtype])
    stamps = np.array([np.iinfo(np.int64).min if value is None else value for value in values], dtype=np.int64)
    return pandas.Series(stamps.view("M8[ns]")).dt.tz_localize("UTC")  # the smallest int64 is NaT
