"""``--where``: a small safe language over the columns of a table. Floor 8, standard library only.

In: text and a table's columns. Out: a function from row number to true or false. The text is parsed by Python's own
parser and then walked; what is not in the tables below is refused, so nothing of Python can be reached. Everything that
can be known beforehand (names, types, times) is checked before a capture is read.

The language: columns, numbers, texts, ``True False None`` (also ``true false null``); ``== != < <= > >=``, ``in``,
``not in``, ``is None``; ``and or not``; ``+ - * / // %`` between numbers; time minus time gives seconds; and
``column.startswith(text)``, ``.endswith``, ``.contains``, ``.lower()``, ``.upper()``. A comparison with something
missing is false (so is ``!=``), except ``== None``; arithmetic with something missing is missing.
"""

from __future__ import annotations

import ast
import datetime
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .cells import parse_time
from .columns import COLUMNS, column

__all__ = ["MAX_LENGTH", "Expression", "parse_expression"]

MAX_LENGTH = 2_000
"""Longest expression, in characters."""

_Data = Mapping[str, Sequence[Any]]
_Value = Callable[[_Data, int], Any]
_Typed = tuple[str, _Value]
"""A type (``text``, ``number``, ``time``, ``bool``, ``none``, or ``texts`` and so on for a list) and how to get it."""

_TYPES = {"text": "text", "int": "number", "float": "number", "time": "time", "bool": "bool"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne), ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt), ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda one, many: one in many), ast.NotIn: ("not in", lambda one, many: one not in many),
    ast.Is: ("is", operator.is_), ast.IsNot: ("is not", operator.is_not),
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_METHODS: dict[str, tuple[str, int, Callable[..., Any]]] = {
    "startswith": ("bool", 1, str.startswith),
    "endswith": ("bool", 1, str.endswith),
    "contains": ("bool", 1, operator.contains),
    "lower": ("text", 0, str.lower),
    "upper": ("text", 0, str.upper),
}


class Expression:
    """A checked expression over the columns of one table."""

    def __init__(self, table: str, text: str, value: _Value) -> None:
        self.table, self.text, self._value = table, text, value

    def rows(self, data: _Data, count: int) -> list[int]:
        """The rows for which it is true.

        Parameters
        ----------
        data : mapping
            The values of each column by name.
        count : int
            How many rows there are.
        """
        value = self._value
        return [row for row in range(count) if value(data, row)]


def parse_expression(table: str, text: str, tz: datetime.tzinfo = datetime.UTC) -> Expression:
    """Read an expression over the columns of `table`.

    Parameters
    ----------
    table : str
        Name of the table.
    text : str
        As ``state == 'failed' and post_dial_delay_ms > 3000``.
    tz : datetime.tzinfo
        Zone of times that name none.

    Raises
    ------
    ValueError
        If it is not in the language, names no column, or compares what cannot be compared; the message says which.
    """
    if table not in COLUMNS:
        raise ValueError(f"there is no table {table!r}")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # a stray backslash is no reason for a line on standard error
            tree = ast.parse(text.strip(), mode="eval")
        kind, value = _Reader(table, tz).read(tree.body)
    except SyntaxError as error:
        raise ValueError(f"cannot read the expression {_short(repr(text))}: {error.msg}") from None
    except UnicodeEncodeError:  # bytes on the command line that are no UTF-8
        raise ValueError(f"the expression {_short(repr(text))} is no valid text") from None
    except (RecursionError, MemoryError):
        raise ValueError("the expression is nested too deeply") from None
    if kind not in ("bool", "none"):
        raise ValueError(
            f"the expression {_short(repr(text))} is a {kind}, neither true nor false; compare it with something"
        )
    return Expression(table, text, value)


class _Reader:
    """Turns a syntax tree into nested functions, checking types on the way."""

    def __init__(self, table: str, tz: datetime.tzinfo) -> None:
        self.table, self.tz = table, tz

    def read(self, node: ast.expr) -> _Typed:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise ValueError(f"{_shown(node)} is not in the language of --where")
        return method(node)  # type: ignore[no-any-return]

    def _constant(self, node: ast.Constant) -> _Typed:
        return self._value_of(node.value, node)

    def _value_of(self, value: Any, node: ast.expr) -> _Typed:
        for kind, types in (("none", type(None)), ("bool", bool), ("text", str), ("number", (int, float))):
            if isinstance(value, types):
                return kind, lambda data, row: value
        raise ValueError(f"{_shown(node)} is not in the language of --where")

    def _name(self, node: ast.Name) -> _Typed:
        name = node.id
        if name in _CONSTANTS:
            return self._value_of(_CONSTANTS[name], node)
        kind = _TYPES[column(self.table, name).dtype]
        return kind, lambda data, row: data[name][row]

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> _Typed:
        items = [self.read(each) for each in node.elts]
        kinds = {kind for kind, _ in items if kind != "none"}
        plain = [each.operand if isinstance(each, ast.UnaryOp) else each for each in node.elts]
        if not all(isinstance(each, ast.Constant) for each in plain) or len(kinds) > 1:
            raise ValueError(f"{_shown(node)}: a list may hold texts or numbers only, all of one kind")
        values = tuple(value({}, 0) for _, value in items)
        return (kinds.pop() if kinds else "none") + "s", lambda data, row: values

    _list = _set = _tuple

    def _boolop(self, node: ast.BoolOp) -> _Typed:
        parts = [self._truth(each) for each in node.values]
        if isinstance(node.op, ast.And):
            return "bool", lambda data, row: all(part(data, row) for part in parts)
        return "bool", lambda data, row: any(part(data, row) for part in parts)

    def _truth(self, node: ast.expr) -> _Value:
        kind, value = self.read(node)
        if kind not in ("bool", "none"):
            raise ValueError(f"{_shown(node)} is a {kind}, neither true nor false; compare it with something")
        return value

    def _unaryop(self, node: ast.UnaryOp) -> _Typed:
        if isinstance(node.op, ast.Not):
            truth = self._truth(node.operand)
            return "bool", lambda data, row: not truth(data, row)
        kind, value = self.read(node.operand)
        if kind != "number" or isinstance(node.op, ast.Invert):
            raise ValueError(f"{_shown(node)} is not in the language of --where")
        if isinstance(node.op, ast.UAdd):
            return kind, value
        return kind, lambda data, row: None if (it := value(data, row)) is None else -it

    def _binop(self, node: ast.BinOp) -> _Typed:
        work = _ARITHMETIC.get(type(node.op))
        if work is None:
            raise ValueError(f"{_shown(node)} is not in the language of --where")
        (left_kind, left), (right_kind, right) = self.read(node.left), self.read(node.right)
        if left_kind == right_kind == "time" and isinstance(node.op, ast.Sub):
            return "number", _seconds_between(left, right)
        if not {left_kind, right_kind} <= {"number", "none"}:
            raise ValueError(f"{_shown(node)}: cannot reckon with a {left_kind} and a {right_kind}")

        def reckon(data: _Data, row: int) -> Any:
            one, other = left(data, row), right(data, row)
            if one is None or other is None:
                return None
            try:
                return work(one, other)
            except (ZeroDivisionError, OverflowError):
                return None  # no number: missing, as a result that cannot be judged

        return "number", reckon

    def _call(self, node: ast.Call) -> _Typed:
        known = ", ".join(f".{name}()" for name in _METHODS)
        if not isinstance(node.func, ast.Attribute) or node.keywords:
            raise ValueError(f"{_shown(node)} is not in the language of --where; there are {known}")
        name = node.func.attr
        if name not in _METHODS:
            raise ValueError(f"there is no .{name}(); there are {known}")
        kind, count, work = _METHODS[name]
        owner_kind, owner = self.read(node.func.value)
        arguments = [self.read(each) for each in node.args]
        if owner_kind != "text" or len(arguments) != count or any(each != "text" for each, _ in arguments):
            raise ValueError(f"{_shown(node)}: .{name}() belongs to a text and takes {count or 'no'} text")

        def call(data: _Data, row: int) -> Any:
            values = [owner(data, row), *(value(data, row) for _, value in arguments)]
            return (None if kind == "text" else False) if None in values else work(*values)

        return kind, call

    def _compare(self, node: ast.Compare) -> _Typed:
        sides = [self.read(each) for each in (node.left, *node.comparators)]
        nodes = [node.left, *node.comparators]
        pairs = [
            self._pair(nodes[at], sides[at], sides[at + 1], nodes[at + 1], type(op)) for at, op in enumerate(node.ops)
        ]
        if len(pairs) == 1:
            return "bool", pairs[0]
        return "bool", lambda data, row: all(pair(data, row) for pair in pairs)

    def _pair(self, at: ast.expr, left: _Typed, right: _Typed, to: ast.expr, op: type[ast.cmpop]) -> _Value:
        sign, work = _COMPARE[op]
        if "none" in (left[0], right[0]):
            if sign not in ("==", "!=", "is", "is not"):
                raise ValueError(f"{_shown(at)} {sign} {_shown(to)}: None is only compared with == and !=")
            one, other, same = left[1], right[1], sign in ("==", "is")
            return lambda data, row: (one(data, row) == other(data, row)) is same
        if sign in ("is", "is not"):
            raise ValueError(f"{_shown(at)} {sign} {_shown(to)}: `is` belongs to None; use == or !=")
        left, right = self._as_times(left, right), self._as_times(right, left)
        fits = left[0] == right[0] if sign not in ("in", "not in") else _fits_in(left[0], right[0])
        if not fits:
            example = " (write the number as a text, in quotes)" if {left[0], right[0]} == {"text", "number"} else ""
            raise ValueError(
                f"{_shown(at)} is a {left[0]} and {_shown(to)} a {right[0]}: {sign} means nothing{example}"
            )
        one, other = left[1], right[1]

        def compare(data: _Data, row: int) -> bool:
            a, b = one(data, row), other(data, row)
            return a is not None and b is not None and work(a, b)

        return compare

    def _as_times(self, side: _Typed, other: _Typed) -> _Typed:
        """A text or list of texts that stands against a time is read as times."""
        if other[0] not in ("time", "times") or side[0] not in ("text", "texts"):
            return side
        try:
            value = side[1]({}, 0)
        except KeyError:
            raise ValueError("a column of texts cannot be compared with a time") from None
        if side[0] == "text":
            time = parse_time(value, self.tz)
            return "time", lambda data, row: time
        times = tuple(parse_time(each, self.tz) for each in value if each is not None)
        return "times", lambda data, row: times


def _fits_in(one: str, many: str) -> bool:
    return many == one + "s" or many == "nones" or (one == many == "text")


def _seconds_between(left: _Value, right: _Value) -> _Value:
    def seconds(data: _Data, row: int) -> float | None:
        one, other = left(data, row), right(data, row)
        return None if one is None or other is None else (one - other) / 1e9

    return seconds


def _shown(node: ast.expr) -> str:
    return _short(ast.unparse(node))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
