"""Every regular expression of the package takes time that grows with the text, not with its square."""

from __future__ import annotations

import re
import time

from tests.bounds.expressions import Pattern, collect, repeated, texts

_SHORT, _TIMES = 2_000, 8
_WORTH_S = 0.0008
"""A square of the short text is two million steps at least, which takes longer."""
_BOUNDED = {"explanations.lookup": 120, "sip.plain": 512}
"""Characters of the longest text that the expressions of a module ever get."""


def _seconds(pattern: Pattern, way: str, text: str, times: int = 1) -> float:
    """Of the processor for one use; the best of so many."""
    subject: str | bytes = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
    use = getattr(pattern, way)
    best = float("inf")
    for _ in range(times):
        began = time.thread_time()
        if way == "sub":
            use(lambda found: found[0], subject)
        elif way == "finditer":
            for _found in use(subject):
                pass
        else:
            use(subject)
        best = min(best, time.thread_time() - began)
    return best


def _squares(pattern: Pattern, way: str) -> str | None:
    """A text that takes far more than its share when it is longer; None where there is none."""
    for text in texts(pattern):
        short = repeated(text, _SHORT)
        if _seconds(pattern, way, short) < _WORTH_S or (once := _seconds(pattern, way, short, 5)) < _WORTH_S:
            continue
        long, limit = repeated(text, _SHORT * _TIMES), 3 * _TIMES * once
        if _seconds(pattern, way, long) > limit and _seconds(pattern, way, long) > limit:
            return short[:60]
    return None


def test_an_expression_that_begins_anew_at_each_character_is_noticed() -> None:
    assert _squares(re.compile(r"\s+$"), "search")
    assert _squares(re.compile(rb"\+?[0-9().*#-]*[0-9][0-9().*#-]*"), "fullmatch")
    assert _squares(re.compile(r"(?<!\s)\s++$"), "search") is None


def test_no_expression_takes_time_with_the_square_of_its_text() -> None:
    found = collect()
    assert len(found) > 200
    slow = []
    for pattern, ways in found.items():
        for way, where in ways.items():
            if where.partition(":")[0] not in _BOUNDED and (text := _squares(pattern, way)):
                slow.append(f"{where} {way} {pattern.pattern!r}: {text!r}")
    assert not slow, "\n".join(slow)


def test_expressions_of_bounded_texts_are_quick_up_to_that_bound() -> None:
    for pattern, ways in collect().items():
        for way, where in ways.items():
            longest = _BOUNDED.get(where.partition(":")[0])
            if longest is not None:
                for text in texts(pattern):
                    assert _seconds(pattern, way, repeated(text, longest), 3) < 0.1, where
