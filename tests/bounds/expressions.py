"""Every regular expression of the package, with the ways it is used, and texts that an expression might choke on."""

from __future__ import annotations

import ast
import functools
import importlib
import pathlib
import re
from collections import defaultdict
from collections.abc import Iterator
from re import _constants as names  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import sipanalyzer

__all__ = ["Found", "collect", "repeated", "texts"]

_ROOT = pathlib.Path(sipanalyzer.__file__).parent
_WAYS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")
Pattern = re.Pattern[str] | re.Pattern[bytes]
Found = dict[Pattern, dict[str, str]]
"""Of each expression the ways it is used, and where each was read."""

_MADE = {
    "calls.correlation": lambda module: [module._pattern(("X-Correlation", "X-Cid"))[0], re.compile(module._COOKIE)],
    "rereading.datagrams": lambda module: [re.compile(module._behind(bytes(4), [b"\x13\xc4", b"ab"]), re.DOTALL)],
    "sip.header": lambda module: [module._pattern("Replaces"), module._pattern("Via")],
    "sip.multipart": lambda module: [re.compile(rb"--aa(--)?[ \t]*+(?=\r?\n|\Z)")],
    "redaction.body": lambda module: [re.compile(rb"(--aa)")],
}
"""Expressions put together in functions, by module; :func:`collect` raises for one that is in none of these."""
_LOCAL = {
    "redaction.vocabulary": ("WHOLE", "SHAPES", "fullmatch"),
    "redaction.description": ("_SHAPES", "fullmatch"),
    "sip.sdp": ("_VALUES", "fullmatch"),
    "sip.plain": ("PATTERNS", "fullmatch"),
}
"""Expressions in tables that are used by a local name: names of the tables, and how; any way where nothing is said."""


@functools.cache
def collect() -> Found:
    """All expressions; one whose use is not seen may be used in any way."""
    found: Found = defaultdict(dict)
    for file in sorted(_ROOT.rglob("*.py")):
        if file.name == "__main__.py":
            continue
        text = file.read_text(encoding="utf-8")
        if "re." not in text:
            continue
        name = ".".join(file.relative_to(_ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        module = importlib.import_module(f"sipanalyzer.{name}".rstrip("."))
        tree = ast.parse(text)
        within = _calls_in_functions(tree)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in (*_WAYS, "compile")
            ):
                _read_call(node, name, module, found, id(node) not in within)
        for each in _MADE.get(name, lambda _: [])(module):
            found[each].setdefault("finditer", name)
        for held_as, value in vars(module).items():
            for each in _held(value):
                found[each].update({_LOCAL[name][-1]: name} if held_as in _LOCAL.get(name, ())[:-1] else {})
    for ways in found.values():
        if not ways:
            ways["finditer"] = "somewhere"
    return dict(found)


def _calls_in_functions(tree: ast.Module) -> set[int]:
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.Lambda)]
    return {id(each) for function in functions for each in ast.walk(function) if isinstance(each, ast.Call)}


def _read_call(node: ast.Call, name: str, module: Any, found: Found, at_top: bool) -> None:
    assert isinstance(node.func, ast.Attribute)
    where = f"{name}:{node.lineno}"
    if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
        flags = sum(_flags(each.value) for each in node.keywords if each.arg == "flags")
        number = {"compile": 1, "sub": 4, "split": 3}.get(node.func.attr, 2)
        flags += sum(map(_flags, node.args[number : number + 1]))
        if isinstance(node.args[0], ast.Constant) and not at_top:
            way = "finditer" if node.func.attr == "compile" else node.func.attr
            found[re.compile(node.args[0].value, flags)][way] = where
        elif not at_top and name not in _MADE and name != "redaction.vocabulary":
            raise LookupError(f"{where}: an expression made in a function; name it in _MADE")
        return
    for each in ast.walk(node.func.value):
        if isinstance(each, ast.Name):
            for pattern in _held(getattr(module, each.id, None)):
                found[pattern][node.func.attr] = where


def _flags(node: ast.expr) -> int:
    """Flags as they are written: names of `re` joined by `|`."""
    if isinstance(node, ast.BinOp):
        return _flags(node.left) | _flags(node.right)
    return int(getattr(re, node.attr)) if isinstance(node, ast.Attribute) else 0


def _held(value: object) -> list[Pattern]:
    """Expressions in a value or in what it holds."""
    if isinstance(value, re.Pattern):
        return [value]
    if isinstance(value, dict):
        return [each for item in value.values() for each in _held(item)]
    return [each for item in value for each in _held(item)] if isinstance(value, list | tuple) else []


# ---- texts
_CHARACTERS = 'a0 \t\n;.=:-"/,<>()[]\\@%+*_\r\x01'
_MOST = 120
"""Units of each expression, the shortest."""
_LIKED = ("a", "0", " ", ":", ".", ";", "-", "=")


@functools.lru_cache(maxsize=1)
def texts(pattern: Pattern) -> tuple[tuple[str, str, str], ...]:
    """What stands in front, what comes again and again, and what stands behind.

    The middle is what parts of the expression match, alone or some in a row; in front is nothing, or what stands before
    them in the expression; behind is nothing, or what matches nothing."""
    tree = parser.parse(
        pattern.pattern, pattern.flags & ~(re.DEBUG if isinstance(pattern.pattern, str) else re.UNICODE)
    )
    units: dict[tuple[str, str], None] = {}
    for liked in _LIKED:
        for before, items in _sequences(tree, liked):
            parts = [_sample(item, liked) for item in items]
            for begin in range(len(parts)):
                for end in {begin + 1, begin + 2, len(parts)}:
                    if unit := "".join(parts[begin:end]):
                        units["", unit] = units[before + "".join(parts[:begin]), unit] = None
    shortest = sorted(units, key=lambda each: len(each[0]) + len(each[1]))[:_MOST]
    return tuple((*each, behind) for each in shortest for behind in ("", "\x01", "\n!"))


def repeated(text: tuple[str, str, str], size: int) -> str:
    """One of :func:`texts`, of about that many characters."""
    before, unit, behind = text
    return before + unit * (size // len(unit) + 1) + behind


def _sequences(tree: Any, liked: str, before: str = "") -> Iterator[tuple[str, list[Any]]]:
    """All sequences in an expression, each behind what stands before it."""
    yield before, list(tree)
    for item in tree:
        for inner in _inner(item):
            yield from _sequences(inner, liked, before)
        before += _sample(item, liked)


def _inner(item: Any) -> list[Any]:
    kind, value = item
    if kind is names.BRANCH:
        return list(value[1])
    if kind is names.SUBPATTERN:
        return [value[3]]
    if kind in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is names.ATOMIC_GROUP:
        return [value]
    return [value[1]] if kind in (names.ASSERT, names.ASSERT_NOT) else []


def _sample(item: Any, liked: str) -> str:
    """A short text that an item matches; of `liked` where it may be."""
    kind, value = item
    if kind is names.LITERAL:
        return chr(value)
    if kind in (names.IN, names.NOT_LITERAL, names.ANY):
        return next((each for each in (liked, *_CHARACTERS) if _fits(item, each)), _first(value))
    if kind in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
        return "".join(_sample(each, liked) for each in value[2]) * max(1, min(value[0], 40))
    if kind in (names.AT, names.GROUPREF, names.ASSERT, names.ASSERT_NOT):
        return ""
    branches = _inner(item)
    chosen = branches[_LIKED.index(liked) % len(branches)] if branches else []
    return "".join(_sample(each, liked) for each in chosen)


def _first(value: Any) -> str:
    """Of a class that none of the usual characters is in."""
    for kind, each in value if isinstance(value, list) else ():
        if kind in (names.LITERAL, names.RANGE):
            return chr(each[0] if kind is names.RANGE else each)
    return ""


def _fits(item: Any, character: str) -> bool:
    kind, value = item
    if kind is names.NOT_LITERAL:
        return ord(character) != value
    if kind is names.ANY:
        return character != "\n"
    outside = value[0][0] is names.NEGATE
    return outside != any(_in(each, character) for each in value[outside:])


def _in(item: Any, character: str) -> bool:
    kind, value = item
    if kind is names.LITERAL:
        return ord(character) == value
    if kind is names.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    letter = {
        names.CATEGORY_DIGIT: r"\d",
        names.CATEGORY_SPACE: r"\s",
        names.CATEGORY_WORD: r"\w",
        names.CATEGORY_NOT_DIGIT: r"\D",
        names.CATEGORY_NOT_SPACE: r"\S",
        names.CATEGORY_NOT_WORD: r"\W",
    }[value]
    return re.match(letter, character, re.ASCII) is not None
