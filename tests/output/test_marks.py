"""Text in Markdown: what markdown-it (another program) reads is what was meant, letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sipanalyzer.output.cells import visible
from sipanalyzer.output.marks import code, fenced, grid, words
from tests.output.report.hostile import NAMES

WIRE = st.text(max_size=60) | st.text(alphabet=" |`\\@#*_<>[]()!$~&;:.1-\n\tab\u202e\x1b", max_size=40)


def reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(markdown: str) -> str:
    """The text that a reader of the rendered page sees; fails where markup came of it."""
    tokens = reader().parse(markdown)
    assert [token.type for token in tokens] in (["paragraph_open", "inline", "paragraph_close"], []), tokens
    if not tokens:
        return ""
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "code_inline", "softbreak", "text_special"}, children
    return "".join(" " if child.type == "softbreak" else child.content for child in children)


@given(WIRE)
def test_a_word_as_code_is_shown_as_it_is(text: str) -> None:
    expected = visible(text)
    if expected.strip():
        tokens = reader().parseInline(code(text, 999))[0].children or []
        (only,) = tokens
        assert only.type == "code_inline"
        assert only.content == expected
    else:
        assert code(text) == ""


@given(WIRE)
def test_a_sentence_is_shown_as_it_is(text: str) -> None:
    assert " ".join(shown(words(text)).split()) == " ".join(visible(text).split())


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_in_sentences(name: str) -> None:
    made = words(f"The call of {name} failed.", 20_000)
    assert " ".join(shown(made).split()) == " ".join(visible(f"The call of {name} failed.").split())


@pytest.mark.parametrize(
    "word", ["@everyone", "(@bob)", "#123,", "org/repo#1.", "https://x.example", "www.x.example", "!12"]
)
def test_what_a_tracker_would_act_on_is_code(word: str) -> None:
    bare = word.strip("(),.")
    assert f"`{bare}`" in words(f"see {word} now")


@given(st.lists(st.lists(WIRE, min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_table_has_as_many_cells_as_it_was_given(rows: list[list[str]]) -> None:
    lines = grid(
        ("a", "b", "c"), [[code(first, 999), words(second), code(third, 999)] for first, second, third in rows]
    )
    tokens = reader().parse("\n".join(lines))
    cells = [tokens[at + 1].children or [] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 3 * len(rows)
    for cell, text in zip(cells, [each for row in rows for each in row], strict=True):
        read = "".join(child.content for child in cell)
        assert {child.type for child in cell} <= {"text", "code_inline", "text_special"}
        assert "".join(read.split()).replace("¦", "|") == "".join(visible(text).split()).replace("¦", "|")


def test_columns_of_numbers_are_to_the_right() -> None:
    assert list(grid(("a", "b"), [["x", "1"]], right=(1,))) == ["| a | b |", "| --- | ---: |", "| x | 1 |"]


@given(WIRE)
def test_a_block_holds_its_text(text: str) -> None:
    plain = text.replace("\r", "")
    tokens = reader().parse("\n".join(fenced(plain, "mermaid")))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].info == "mermaid"


def test_long_texts_are_cut() -> None:
    assert len(words("a b " * 10_000)) <= 600
    assert code("x" * 500).endswith("…`")


def test_a_sentence_of_our_own_stays_as_it_is() -> None:
    text = "9.8 % of 500 packets from 10.0.0.1:4000 to [2001:db8::1]:5000 were missing: 49 lost, up to 20 in a row."
    assert words(text).replace("`", "") == text
    assert words("The call failed with 503 Service Unavailable.") == "The call failed with 503 Service Unavailable."
