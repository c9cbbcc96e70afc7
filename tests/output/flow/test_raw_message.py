"""Which message another is compared with, and what the panel is made of."""

from __future__ import annotations

import re

from sipanalyzer.output.flow.palette import INK
from sipanalyzer.output.flow.raw_message import earlier_alike, message_css, message_script, script
from tests.tape import A, B, Tape, sdp


def test_a_message_is_compared_with_the_last_before_it_that_says_the_same() -> None:
    tape = Tape()
    tape.request(0.0, A, B, "INVITE", sdp(A, 4000), initial=True)  # 0
    tape.reply(0.1, B, A, 180)  # 1
    tape.reply(0.2, B, A, 183)  # 2: of one class with 180
    tape.reply(0.3, B, A, 180)  # 3: the other 180, not the 183
    tape.reply(0.4, B, A, 200)  # 4
    tape.request(0.5, A, B, "ACK")  # 5
    tape.request(3.0, A, B, "INVITE", sdp(A, 4002), cseq=2)  # 6
    tape.reply(3.1, B, A, 200, cseq=2)  # 7
    tape.request(4.0, A, B, "BYE", cseq=3)  # 8
    tape.reply(4.1, B, A, 200, method="BYE", cseq=3)  # 9: no 200 to a BYE before it
    messages = tape.analyze().result.messages
    assert earlier_alike(messages, range(10)) == {2: 1, 3: 1, 6: 0, 7: 4}
    assert earlier_alike(messages, [3, 7]) == {}


def test_the_style_is_kept_to_messages_and_knows_both_grounds() -> None:
    css = message_css()
    bare = re.sub(r"@media[^{]*\{", "", css)
    assert all(".sip-" in each for rule in re.findall(r"([^{}]+)\{", bare) for each in rule.split(","))
    assert INK["text"].light in css and INK["text"].dark in css


def test_scripts_are_ascii_and_can_stand_in_a_page() -> None:
    for text in (message_script(), script("page.js")):
        assert text.isascii() and "</script" not in text and "<!--" not in text
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text and "eval(" not in text
