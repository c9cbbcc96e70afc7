"""Objects of frozen dataclasses, many at a time. Floor 0, standard library only.

Owns: the way around what frozen fields cost: their `__init__` sets each through `object.__setattr__`, which for the
sixty fields of a call takes six times as long as plain assignment. In: a class and values. Out: objects that nothing
tells from those that the class makes.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["make_all", "opened"]

_Made = TypeVar("_Made")


def make_all(kind: type[_Made], columns: Mapping[str, Sequence[object]]) -> list[_Made]:
    """Make objects from columns.

    Parameters
    ----------
    kind : type
        As for :func:`opened`, with fields that may be given by their places.
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
    return list(map(opened(kind), *(columns[name] for name in names)))  # type: ignore[arg-type]


@functools.cache
def opened(kind: type[_Made]) -> Callable[..., _Made]:
    """What makes objects of a frozen dataclass as the class itself does, in a third of the time.

    It is a class with the same base and slots that is not frozen; its objects turn into the frozen class once they are
    filled, which Python allows where both lie the same in memory.

    Parameters
    ----------
    kind : type
        A frozen dataclass with slots that does nothing of its own when it is made, nor does a base.

    Raises
    ------
    TypeError
        It is another kind of class.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    if hasattr(kind, "__post_init__") or any(field.default_factory is not dataclasses.MISSING for field in fields):
        raise TypeError(f"{kind.__name__} does more than to keep what it is given")
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    named = "*, " if any(field.kw_only for field in fields) else ""
    given = ", ".join(f"{each.name}=_{each.name}" if each.name in defaults else each.name for each in fields)
    lines = [f"self.{field.name} = {field.name}" for field in fields]
    source = "\n ".join([f"def __init__(self, {named}{given}):", *lines, "self.__class__ = kind"])
    scope: dict[str, Any] = {"kind": kind, **{f"_{name}": value for name, value in defaults.items()}}
    exec(source, scope)  # as dataclasses makes theirs: of field names alone
    inside = {"__slots__": kind.__slots__, "__init__": scope["__init__"], "__setattr__": object.__setattr__}  # type: ignore[attr-defined]
    return type(kind.__name__, kind.__bases__, inside)
