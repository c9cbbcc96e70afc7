"""``--where`` reaches nothing of Python, and ends soon whatever is asked."""

from __future__ import annotations

import ast
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.expression import MAX_LENGTH, parse_expression

DATA = {"mos": [4.1, None] * 500, "packets": [2**60, None] * 500, "call_id": ["x" * 1000, None] * 500,
        "partial": [True, False] * 500, "start": [10**18, None] * 500}  # fmt: skip
NOTHING = {column.name: [None] * 4 for column in COLUMNS["calls"]}
REFUSED = (
    "__import__('os').system('id')", "call_id.__class__", "call_id.__class__.__mro__", "().__class__",
    "call_id.format('{0}')", "'{0.__class__}'.format(call_id) == ''", "call_id.lower.__self__ == ''",
    "call_id.lower", "[x for x in call_id]", "{x: x for x in call_id}", "lambda: 1", "(lambda: 1)()",
    "f'{call_id}' == 'x'", "f'{().__class__}' == ''", "'a' * 10**9 == ''", "'a' * 999999999 == ''",
    "call_id * 2 == ''", "'%1000000000d' % 5 == ''", "2 ** 9 == 1", "10**10**10 > 1", "1 << 999999999 > 1",
    "~packets == 1", "packets | 1 == 1", "packets & 1 == 1", "packets @ 1 == 1", "call_id[0] == 'x'",
    "call_id[::-1] == 'x'", "(x := 1)", "call_id if mos else call_id", "*call_id", "{1: 2}", "print(1)",
    "open('/etc/passwd')", "exec('1')", "eval('1')", "breakpoint()", "exit()", "getattr(call_id, 'x')",
    "globals()", "call_id.encode() == 'x'", "call_id.join(call_id) == ''", "'a'.replace('a', 'b') == 'b'",
    "'a'.ljust(999999999) == ''", "'a'.zfill(999999999) == ''", "'a'.center(9999999999) == ''",
    "b'x' == call_id", "1j == 1", "... == 1", "await call_id", "yield", "call_id.lower(*call_id)",
    "call_id.lower(x=1)", "call_id.startswith(('a', 'b'))", "__builtins__ == 1", "_value == 1", "self == 1",
    "data == 1", "True()", "1 if 1 else 2", "import os", "mos = 1", "del mos", "mos > 1; mos < 2", "\x00",
    "\ud800", "mos > 1 #\n__import__('os')\n",
)  # fmt: skip
LONG = (
    "(" * 990 + "mos > 1" + ")" * 990, "not " * 480 + "partial", "-" * 1900 + "1 == 1",
    "mos" + "+1" * 900 + " > 1", "mos" + "*9999999999" * 150 + " > 1", "packets" + "*9" * 300 + " > 1",
    "packets*" + "9" * 1900 + " > 1", "9" * 1990 + " == 1", "1<" * 900 + "2", "mos > 1" + " or mos > 1" * 150,
    "'x'" + ".lower()" * 240 + " == 'x'", "call_id in (" + "'x'," * 450 + "'y')", "packets // 0 == 1",
    "packets % 0 == 1", "0 * 1e999 == 0", "1e308 * 10 == mos", "-" * 300 + "packets > 1", "[" * 900 + "]" * 900,
    "{" * 90, "'" * 1999, "call_id." * 240, "a" * 1999, "1e999999999 > mos",
    "0x" + "f" * 1900 + " * packets > 1.5 * mos", "start - start > 1",
    "start == '9999-12-31' or start == '0001-01-01'",
    "call_id" + ".upper()" * 240 + ".contains('" + "x" * 50 + "')",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_expression("calls", text)


@pytest.mark.parametrize("text", LONG)
def test_whatever_is_asked_ends_soon_and_needs_little(text: str) -> None:
    assert len(text) <= MAX_LENGTH
    tracemalloc.start()
    began = time.process_time()
    try:
        parse_expression("calls", text).rows(DATA, 1000)
    except ValueError as error:
        assert len(str(error)) < 5_000  # what was typed, and the columns that there are
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.process_time() - began < 5 and peak < 20_000_000


def test_longer_than_long_is_refused_unread() -> None:
    with pytest.raises(ValueError, match="longer than"):
        parse_expression("calls", "(" * 10_000_000)


WORDS = (
    "mos", "packets", "call_id", "partial", "start", "1", "-1", "0", "1e308", "10**9", "'x'", "'2022-01-12'",
    "None", "True", "==", "!=", "<", ">=", "in", "and", "or", "not", "+", "-", "*", "/", "//", "%", "(", ")",
    "[", "]", ",", ".lower()", ".contains('x')", ".startswith(call_id)", ".__class__", "lambda", "if", "else",
    "for", ":", ":=", "**", "~", "<<", "{", "}", "f'{mos}'", "\\", "#", "not in", "is", "is not", "\n",
)  # fmt: skip


@settings(max_examples=2_000)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_words_are_an_expression_or_a_value_error(text: str) -> None:
    try:
        rows = parse_expression("calls", text).rows({**NOTHING, **DATA}, 4)
    except ValueError:
        return
    assert set(rows) <= set(range(4))
    kinds = {type(node) for node in ast.walk(ast.parse(text.strip(), mode="eval"))}
    assert not kinds & {
        ast.Lambda,
        ast.Pow,
        ast.Subscript,
        ast.JoinedStr,
        ast.Dict,
        ast.NamedExpr,
        ast.IfExp,
        ast.ListComp,
    }
