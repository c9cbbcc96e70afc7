import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.cells import zone
from sipanalyzer.output.expression import MAX_LENGTH, parse_expression
from tests.output.results import T0

DATA = {
    "call_id": ["a", "b", "c"],
    "state": ["completed", "failed", "busy"],
    "caller": ["1001", "+49301", None],
    "status_code": [200, 503, None],
    "duration_s": [12.5, None, 0.0],
    "start": [T0, T0 + 1_000_000_000, None],
    "answered": [T0 + 2_500_000_000, None, None],
    "one_way": [True, False, None],
    "codecs": ["PCMA,opus", "G722", None],
}


def rows(text: str, tz: datetime.tzinfo = datetime.UTC) -> list[int]:
    return parse_expression("calls", text, tz).rows(DATA, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state == 'failed'", [1]),
        ("state != 'failed'", [0, 2]),
        ("status_code >= 500", [1]),
        ("200 <= status_code < 300", [0]),
        ("status_code != 200", [1]),  # missing is not unequal: it is not known
        ("status_code == None", [2]),
        ("status_code is not None", [0, 1]),
        ("state in ('busy', 'failed')", [1, 2]),
        ("status_code not in [503]", [0]),
        ("'opus' in codecs", [0]),
        ("codecs.contains('opus')", [0]),
        ("caller.startswith('+49')", [1]),
        ("state.upper() == 'BUSY'", [2]),
        ("call_id.lower().endswith('b') or call_id == 'c'", [1, 2]),
        ("not (duration_s > 1)", [1, 2]),
        ("duration_s * 2 + 1 == 26", [0]),
        ("1 / duration_s > 0", [0]),  # by zero: missing
        ("-duration_s < 0", [0]),
        ("answered - start > 2", [0]),
        ("one_way", [0]),
        ("not one_way", [1, 2]),
        ("one_way == false", [1]),
        ("start > '2022-01-12T23:38:26'", [1]),
        ("start in ('2022-01-12T23:38:26Z',)", [0]),
        ("True", [0, 1, 2]),
        ("state == 'a' or state == 'busy' and not one_way", [2]),
    ],
)
def test_expressions_choose_rows(text: str, expected: list[int]) -> None:
    assert rows(text) == expected


def test_a_time_without_a_zone_is_in_the_zone_that_times_are_shown_in() -> None:
    assert rows("start == '2022-01-13 00:38:26'", zone("Europe/Berlin")) == [0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("stat == 'x'", "did you mean 'state'"),
        ("state == 5", "write the number as a text"),
        ("duration_s == '12'", "means nothing"),
        ("state", "compare it with something"),
        ("state and one_way", "compare it with something"),
        ("duration_s + state > 1", "cannot reckon"),
        ("start > 'noon'", "is no time"),
        ("state.startswith(5)", "takes 1 text"),
        ("state.format('x') == 'x'", "there is no .format"),
        ("duration_s.lower() == ''", "belongs to a text"),
        ("status_code is 200", "belongs to None"),
        ("status_code > None", "only compared with =="),
        ("state in (caller, 'x')", "texts or numbers only"),
        ("state in ('x', 1)", "all of one kind"),
        ("start == call_id", "cannot be compared with a time"),
        ("state ==", "cannot read"),
        ("", "cannot read"),
        ("state = 'x'", "cannot read"),
        ("~status_code == 1", "not in the language"),
        ("status_code ** 9 > 1", "not in the language"),
        ("state in (-call_id,)", "texts or numbers only|not in the language"),
    ],
)
def test_a_mistake_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_expression("calls", text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "state.__class__ == 'x'",
        "(lambda: True)()",
        "[x for x in (1,)] == 1",
        "state[0] == 'x'",
        "f'{state}' == 'x'",
        "(state := 'x') == 'x'",
        "open('/etc/passwd') == 'x'",
        "state.startswith(*('x',))",
        "state if one_way else caller",
        "b'x' == state",
        "... == 1",
        "1j == duration_s",
        "state.lower(x=1) == ''",
        "await state",
    ],
)
def test_nothing_of_python_can_be_reached(text: str) -> None:
    with pytest.raises(ValueError, match=r"not in the language|there is no|cannot read"):
        parse_expression("calls", text)


@pytest.mark.parametrize(
    "text", ["(" * 900 + "1" + ")" * 900, "not " * 490 + "one_way", "-" * 1900 + "1 > 0", "1" * 3000]
)
def test_deep_or_long_text_is_refused_and_does_not_crash(text: str) -> None:
    try:
        parse_expression("calls", text).rows(DATA, 3)
    except ValueError:
        return
    assert len(text) <= MAX_LENGTH  # what is read must also run


@given(st.text(st.sampled_from("state one_way()'=<>+-*/%.,[]{}:1 and or not in \\\n\x00#@~"), max_size=60))
def test_whatever_is_typed_is_an_expression_or_a_complaint(text: str) -> None:
    try:
        parsed = parse_expression("calls", text)
    except ValueError:
        return
    assert set(parsed.rows(DATA, 3)) <= {0, 1, 2}


def test_a_stray_backslash_writes_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    assert rows(r"state == '\d'") == []
    assert not recwarn.list
