"""Which rows of a block are few: everything but RTP. Floor 1."""

from __future__ import annotations

from . import kernel
from .columns import KIND, RTP
from .octets import Matrix

__all__ = ["find_few"]


@kernel
def find_few(rows: Matrix, few: Matrix) -> int:
    """Write the numbers of the rows that are not of kind RTP to `few`, in order; how many there are.

    Parameters
    ----------
    rows : int64[n, 16]
        A block's rows.
    few : int64[n or more]
        Overwritten.
    """
    count = 0
    for i in range(rows.shape[0]):
        if int(rows[i, KIND]) != RTP:
            few[count] = i
            count += 1
    return count
