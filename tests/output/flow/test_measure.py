"""Texts are cut and wrapped to fit, by widths that real fonts do not exceed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.flow.measure import cut_text, text_width, wrap_text
from tests.output.flow.work import lines_run

_TEXT = st.text(max_size=120) | st.text("abc ", max_size=80)


@given(_TEXT, st.floats(1, 400), st.sampled_from([10, 12.5]))
def test_a_cut_text_fits_and_begins_as_the_whole(text: str, width: float, size: float) -> None:
    cut = cut_text(text, width, size)
    assert text_width(cut, size) <= width + 1e-6
    assert cut == text or cut == "" or (cut.endswith("…") and text.startswith(cut[:-1]))


@given(_TEXT, st.floats(20, 400), st.integers(1, 4))
def test_wrapped_lines_fit_and_lose_nothing_but_the_end(text: str, width: float, lines: int) -> None:
    wrapped = wrap_text(text, width, 11, lines)
    assert len(wrapped) <= lines
    assert all(text_width(line, 11) <= max(width, text_width(line[:1], 11)) + 1e-6 for line in wrapped)
    kept = "".join("".join(wrapped).split())
    whole = "".join(text.split())
    assert kept == whole or whole.startswith(kept.removesuffix("…"))


def test_lines_break_at_spaces_and_inside_long_words_only() -> None:
    assert wrap_text("alice puts the call on hold", 70, 11, 4) == ["alice puts", "the call on", "hold"]
    broken = wrap_text("x" * 40, 80, 11, 9)
    assert len(broken) > 1 and "".join(broken) == "x" * 40


def test_widths_of_real_fonts_are_not_above_the_table() -> None:
    """Of ordinary texts, in the fonts that matplotlib brings and that Debian has."""
    font_manager = pytest.importorskip("matplotlib.font_manager")
    ft2font = pytest.importorskip("matplotlib.ft2font")
    texts = ["480 Temporarily Unavailable", "10.1 s, 451 packets, 9.8 % lost, jitter 3.1 ms, MOS 3.18 NB",
             "sip:bob@198.51.100.20; SDP offer PCMA", "INVITE", "WWW.EXAMPLE.COM", "minimum illicit"]  # fmt: skip
    for bold in (False, True):
        path = font_manager.findfont(
            font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
        )
        font = ft2font.FT2Font(path)
        font.set_size(100, 72)
        for text in texts:
            font.set_text(text, 0.0, flags=ft2font.LoadFlags.NO_HINTING)
            real = font.get_width_height()[0] / 64
            assert real <= text_width(text, 100, bold=bold) * 1.06, text
            assert real >= text_width(text, 100, bold=bold) * 0.85, text


def test_signs_that_are_wide_count_double_and_marks_not_at_all() -> None:
    assert text_width("電話", 10) > 1.7 * text_width("ab", 10)
    assert text_width("e\u0301", 10) == text_width("e", 10)


def test_of_a_megabyte_only_what_may_fit_is_looked_at() -> None:
    for text in ("x" * 1_000_000, "\u0300" * 1_000_000, " " * 1_000_000):
        assert len(cut_text(text, 200, 11)) < 2_000
        assert lines_run(lambda: cut_text(text, 200, 11)) < 10_000  # noqa: B023
        assert lines_run(lambda: wrap_text(text, 200, 11, 4)) < 10_000  # noqa: B023
