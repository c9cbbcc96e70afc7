"""Replacements under a key: alike, different, and never the same for two."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.redaction.keyed import Keyed

KEYED = Keyed("a key")
words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)


@given(words)
def test_a_word_keeps_its_length_its_digits_and_its_capitals(word: str) -> None:
    new = KEYED.word(word)
    assert len(new) == len(word)
    for old, other in zip(word, new, strict=True):
        assert (old.isdigit(), old.isupper()) == (other.isdigit(), other.isupper())


@given(words, words)
def test_two_words_that_differ_still_differ(one: str, other: str) -> None:
    assert (KEYED.word(one) == KEYED.word(other)) == (one == other)


def test_all_short_words_become_different_ones() -> None:
    short = [a + b for a in "abcdefgxyz0123456789" for b in "abcdefgxyz0123456789"]
    assert len({KEYED.word(word) for word in short}) == len(short)


@given(st.text(string.digits, min_size=1, max_size=15), st.text(string.digits, min_size=1, max_size=15))
def test_numbers_with_the_same_end_keep_the_same_end(one: str, other: str) -> None:
    same = 0
    while same < min(len(one), len(other)) and one[-1 - same] == other[-1 - same]:
        same += 1
    new, another = KEYED.number(one), KEYED.number(other)
    kept = 0
    while kept < min(len(one), len(other)) and new[-1 - kept] == another[-1 - kept]:
        kept += 1
    assert kept == same


def test_a_number_is_the_same_however_its_country_code_is_written() -> None:
    national = KEYED.number("30123456")
    assert KEYED.number("4930123456").endswith(national)
    assert KEYED.number("004930123456") == "00" + KEYED.number("4930123456")


def test_hexadecimal_stays_hexadecimal() -> None:
    assert set(KEYED.word("84a4cc6f3082121f32b42a2187831a9e")) <= set("0123456789abcdef")


def test_words_that_name_nobody_stay() -> None:
    assert KEYED.word("Anonymous") == "Anonymous"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_ssrcs_stay_apart_and_as_long_in_decimal(one: int, other: int) -> None:
    assert len(str(KEYED.ssrc(one))) == len(str(one))
    assert 0 <= KEYED.ssrc(one) < 2**32
    assert (KEYED.ssrc(one) == KEYED.ssrc(other)) == (one == other)


def test_another_key_gives_other_words_and_the_same_key_the_same() -> None:
    assert Keyed("a key").word("alice") == KEYED.word("alice") != Keyed("another key").word("alice")


def test_digits_that_were_dialled_stay_digits_and_signs_stay() -> None:
    assert sorted(KEYED.key_pressed(key) for key in "0123456789") == list("0123456789")
    assert [KEYED.key_pressed(key) for key in "*#A"] == ["*", "#", "A"]


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Keyed("")
