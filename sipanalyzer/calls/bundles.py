"""Lists of rows of different length, laid end to end: what loops over calls hand to loops over columns.

Owns: :class:`Bundles`. In: lists of rows, or columns cut where they begin. Out: the same, for NumPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Bundles", "with_none"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bundles:
    """Lists of rows of the message table."""

    rows: Ints
    """All of them, one list after another."""
    begin: Ints
    """Where each list begins, and the end of the last."""

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Bundles:
        """Lay lists end to end."""
        begin = np.zeros(len(lists) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)), out=begin[1:])
        rows = np.fromiter(itertools.chain.from_iterable(lists), np.int64, int(begin[-1]))
        return cls(rows, begin)

    @classmethod
    def where(cls, rows: Ints, wanted: Bools) -> Bundles:
        """The wanted rows in each line of a matrix."""
        return cls(rows[wanted], np.concatenate(([0], np.cumsum(wanted.sum(1)))))

    def __len__(self) -> int:
        return len(self.begin) - 1

    def of_one(self, place: int) -> list[int]:
        """One list."""
        rows: list[int] = self.rows[self.begin[place] : self.begin[place + 1]].tolist()
        return rows

    def tuples(self) -> list[tuple[int, ...]]:
        """All lists, as tuples."""
        rows = self.rows.tolist()
        return [tuple(rows[begin:end]) for begin, end in itertools.pairwise(self.begin.tolist())]

    def length(self) -> Ints:
        """How long each list is."""
        lengths: Ints = np.diff(self.begin)
        return lengths

    def owner(self) -> Ints:
        """The number of the list that each of `rows` is in."""
        return np.repeat(np.arange(len(self)), self.length())

    def least(self, values: Ints) -> Ints:
        """The least of some values, one for each of `rows`, in each list; none may be empty."""
        return np.minimum.reduceat(values, self.begin[:-1]) if len(self) else np.zeros(0, np.int64)

    def largest(self, values: Ints) -> Ints:
        """The largest of them."""
        return np.maximum.reduceat(values, self.begin[:-1]) if len(self) else np.zeros(0, np.int64)

    def total(self, values: Ints) -> Ints:
        """Their sum."""
        return np.add.reduceat(values, self.begin[:-1]) if len(self) else np.zeros(0, np.int64)


def with_none(values: Ints, known: Bools) -> list[int | None]:
    """A column as a list, None where nothing is known."""
    column = values.astype(object)
    column[~known] = None
    found: list[int | None] = column.tolist()
    return found
