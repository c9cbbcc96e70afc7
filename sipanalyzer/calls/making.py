"""Many objects of a frozen dataclass from columns.

Owns: the way around what frozen fields cost: their `__init__` sets each through `object.__setattr__`, which for the
sixty fields of a call takes six times as long as plain assignment. In: columns by field name. Out: objects that nothing
tells from those made one by one.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["make_all"]

_Made = TypeVar("_Made")


def make_all(kind: type[_Made], columns: Mapping[str, Sequence[object]]) -> list[_Made]:
    """Make objects.

    Parameters
    ----------
    kind : type
        A frozen dataclass with slots that inherits nothing and checks nothing when it is made.
    columns : mapping of str to sequence
        The values of its fields, all of the same length; fields at the end may be left to their defaults.

    Returns
    -------
    list
        One object for each value.

    Raises
    ------
    ValueError
        The columns are not those of the first fields, or not of one length.
    """
    names = [field.name for field in dataclasses.fields(kind)][: len(columns)]  # type: ignore[arg-type]
    if set(names) != set(columns):
        raise ValueError(f"columns of {kind.__name__}: {sorted(set(names) ^ set(columns))} do not belong there or lack")
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError(f"columns of {kind.__name__} differ in length")
    make: Callable[..., _Made] = _open_twin(kind)  # type: ignore[arg-type]
    return list(map(make, *(columns[name] for name in names)))


@functools.cache
def _open_twin(kind: type[Any]) -> Callable[..., Any]:
    """A class of the same fields and layout, not frozen, whose objects turn into the frozen class once they are filled.

    Python lets an object change its class where both have the same slots.
    """

    def close(self: Any) -> None:
        self.__class__ = kind

    fields = [(field.name, field.type, dataclasses.field(default=field.default)) for field in dataclasses.fields(kind)]
    return dataclasses.make_dataclass(kind.__name__, fields, slots=True, namespace={"__post_init__": close})
