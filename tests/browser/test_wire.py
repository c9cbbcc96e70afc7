import datetime
import random

import pytest

from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.wire import difference_lines, folded, message_lines, message_text, raw_lines, title_of
from sipanalyzer.output.terminal import width_of
from tests.browser.piloted import HOSTILE, three_calls
from tests.tape import A, B, Tape

UTC = datetime.UTC


def _texts(lines) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


def test_headers_and_sdp_are_told_apart(analysis):
    lines = message_lines(analysis.result, 0, UTC, title=False)
    texts = _texts(lines)
    assert texts[0] == "INVITE sip:x@10.0.0.2 SIP/2.0" and lines[0][0][1]
    call_id = lines[texts.index("Call-ID: first")]
    assert call_id == [("Call-ID:", "cyan"), (" first", "bold")]
    media = next(line for line in lines if line and line[0][0] == "m=")
    assert media[1] == ("audio 4000 RTP/AVP 8 101", "bold magenta")
    plain = message_lines(analysis.result, 0, UTC, title=False, paint=False)
    assert _texts(plain) == texts and {style for line in plain for _, style in line} <= {""}


def test_the_lines_are_those_of_the_message(analysis):
    messages = analysis.result.messages
    for row in range(len(messages)):
        assert "\r\n".join(message_text(messages, row)).encode() == messages.raw(row)


def test_what_disturbs_a_terminal_stands_as_text():
    tape = Tape()
    head = "OPTIONS sip:b SIP/2.0|Via: SIP/2.0/UDP a;branch=z9hG4bK1|From: <sip:a>;tag=1|To: <sip:b>|Call-ID: h"
    head += "|CSeq: 1 OPTIONS"
    raw = (
        head.replace("|", "\r\n").encode()
        + b"\r\nX-Bad: \x1b[2J\xff\x00\xe2\x80\xae\t.\rlone\r\nContent-Length: 0\r\n\r\n"
    )
    tape.udp(0, A, 5060, B, 5060, raw)
    result = tape.analyze().result
    text = "\n".join(_texts(message_lines(result, 0, UTC)))
    assert all(each.isprintable() or each == "\n" for each in text)
    assert "\\x1b[2J\\xff\\x00\\u202e" in text and "\\x0dlone" in text


def test_the_title_says_when_and_from_where(analysis):
    assert title_of(analysis.result, 0, UTC).startswith(
        "2026-01-01 00:00:00.000  frame 1  10.0.0.1:5060 > 10.0.0.2:5060  UDP, "
    )


def test_messages_below_each_other_say_where_each_begins(analysis):
    lines, begins = raw_lines(analysis.result, [0, 1, 2], UTC)
    assert [_texts(lines)[at].split("  ")[1] for at in begins] == ["frame 1", "frame 2", "frame 3"]


@pytest.mark.parametrize("width", [8, 9, 20, 80])
def test_a_long_line_is_broken_and_nothing_lost(width):
    chance = random.Random(width)
    for _ in range(200):
        pieces = [
            ("".join(chance.choice("ab -漢é") for _ in range(chance.randrange(40))), chance.choice(["", "bold"]))
            for _ in range(chance.randrange(1, 5))
        ]
        lines = folded(pieces, width)
        assert all(sum(width_of(text) for text, _ in line) <= width for line in lines)
        kept = "".join(_texts(lines)[0:1] + [text[2:] for text in _texts(lines)[1:]])
        assert kept == "".join(text for text, _ in pieces)


# ---- the difference
def _two(first: list[str], second: list[str]) -> Analysis:
    tape = Tape()
    for at, more in enumerate((first, second)):
        lines = ["OPTIONS sip:b SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "From: <sip:a>;tag=1", "To: <sip:b>",
                 "Call-ID: h", f"CSeq: {at + 1} OPTIONS", *more]  # fmt: skip
        tape.sip(at, A, B, lines, b"")
    return tape.analyze()


def test_a_changed_word_stands_out_on_both_sides():
    result = _two(["X-Word: one two three"], ["X-Word: one 2 three"]).result
    lines = difference_lines(result, 0, 1, 120, UTC)
    changed = next(line for line in lines if "X-Word" in "".join(text for text, _ in line))
    assert [text for text, style in changed if style == "bold red"] == ["two"]
    assert [text for text, style in changed if style == "bold green"] == ["2"]
    same = next(line for line in lines if "Call-ID" in "".join(text for text, _ in line))
    assert {style for text, style in same if text.strip()} == {"dim"}


def test_headers_that_one_side_lacks_stand_alone():
    result = _two(["X-Left: 1"], ["X-Right: 1"]).result
    texts = _texts(difference_lines(result, 0, 1, 120, UTC))
    left = next(text for text in texts if "X-Left" in text)
    right = next(text for text in texts if "X-Right" in text)
    assert "X-Right" not in left and " < " in left and " > " in right and right.index("X-Right") > 58


@pytest.mark.parametrize("width", [20, 40, 60, 80, 141])
def test_both_messages_are_whole_in_their_difference(width):
    chance = random.Random(width)
    names = [f"X-{letter}" for letter in "ABCDEF"]
    for _ in range(20):
        sides = [
            [f"{chance.choice(names)}: {chance.randrange(4)} {'y' * chance.randrange(30)}" for _ in range(6)]
            for _ in range(2)
        ]
        result = _two(*sides).result
        lines = difference_lines(result, 0, 1, width, UTC)
        assert all(sum(width_of(text) for text, _ in line) <= width for line in lines)
        half = (width - 3) // 2
        if width >= 60:
            texts = _texts(lines)[1:]
            for row, side in ((0, [text[:half].rstrip() for text in texts]), (1, [text[half + 3 :] for text in texts])):
                shown = "".join(each.strip() for each in side).replace(" ", "")
                for line in message_text(result.messages, row):
                    assert line.replace(" ", "") in shown


def test_a_message_compared_with_itself_has_nothing_that_stands_out(analysis):
    lines = difference_lines(analysis.result, 0, 0, 120, UTC)[2:]
    assert {style for line in lines for text, style in line if text.strip()} == {"dim"}


def test_hostile_headers_are_compared_as_text():
    name = HOSTILE.replace("\ud800", "")
    lines = difference_lines(_two([f"X: {name}"], [f"X: {name}2"]).result, 0, 1, 100, UTC)
    assert all(text.isprintable() for line in lines for text, _ in line)
