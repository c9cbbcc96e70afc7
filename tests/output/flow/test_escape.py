"""Text from the wire in XML and HTML: harmless, and still to be read."""

from __future__ import annotations

import html
import html.parser
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.cells import visible
from sipanalyzer.output.flow.escape import escaped, message_text, preformatted
from tests.output.flow.charts import HOSTILE

_ANY = st.text(st.characters(codec=None), max_size=80) | st.sampled_from(HOSTILE)


@given(_ANY)
def test_escaped_text_comes_back_from_an_xml_parser_as_visible_text(text: str) -> None:
    read = ET.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>'.encode())
    assert (read.text or "") == read.attrib["b"]
    if text.isascii():
        assert read.attrib["b"] == visible(text)
    assert "\u202e" not in read.attrib["b"]


def test_marks_heaped_on_a_letter_are_two_at_most() -> None:
    assert escaped("e\u0301") == "e\u0301"
    assert escaped("Z" + "\u0300" * 10_000 + "x") == "Z\u0300\u0300x"


@given(st.binary(max_size=200))
def test_any_bytes_become_text_that_shows_all_of_them(raw: bytes) -> None:
    text = message_text(raw)
    assert all(each.isprintable() or each in "\r\n\t" for each in text)
    assert text.count("\n") == raw.count(b"\n")


def test_a_message_is_its_own_text() -> None:
    raw = 'INVITE sip:b SIP/2.0\r\nSubject:\tGrüße \u96fb\u8a71\r\nX: "<&>"\nContent-Length: 0\r\n\r\n'.encode()
    assert message_text(raw).encode() == raw


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\xff\xfeb", "a\\xff\\xfeb"),
        (b"a\x00\x1b[31m", "a\\x00\\x1b[31m"),
        ("\u202egnp".encode(), "\\u202egnp"),
        (b"a\rb\r\nc", "a\\x0db\r\nc"),
    ],
)
def test_what_is_no_text_is_shown(raw: bytes, text: str) -> None:
    assert message_text(raw) == text


def test_a_long_message_is_cut_and_says_so() -> None:
    assert message_text(b"a" * 100, limit=10) == "a" * 10 + "\n[90 bytes more]"


@given(_ANY)
def test_a_page_gives_preformatted_text_back_to_the_byte(text: str) -> None:
    text = message_text(text.encode("utf-8", "replace"))
    held: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_data(self, data: str) -> None:
            held.append(data)

    reader = Reader()
    reader.feed(f"<pre>{preformatted(text)}</pre>")
    reader.close()
    assert "".join(held).removeprefix("\n") == text
    assert "\r" not in preformatted(text)  # a parser would make it an end of line
    assert html.unescape(preformatted(text))[1:] == text
