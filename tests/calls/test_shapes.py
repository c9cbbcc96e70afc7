"""Which calls are of one shape: whatever their names and numbers are, and whatever judging them looks at."""

from __future__ import annotations

import pytest

from sipanalyzer.calls.grouping import group_messages
from sipanalyzer.calls.negotiation import read_descriptions
from sipanalyzer.calls.shapes import Shapes, find_shapes
from sipanalyzer.options import Options
from sipanalyzer.result import Messages
from tests.calls.scripts import CANCEL, GONE, PLAIN, PROXY, again
from tests.calls.words import NS, seconds, table

AUDIO = "v=0\\no=- 1 1 IN IP4 1.2.3.4\\ns=-\\nc=IN IP4 1.2.3.4\\nt=0 0\\nm=audio 4000 RTP/AVP"


def shapes_of(messages: Messages, end: float | None = None) -> Shapes:
    last = int(messages.time[-1]) if end is None else seconds(end)
    return find_shapes(messages, read_descriptions(messages), last, Options())


@pytest.mark.parametrize("script", [PLAIN, PROXY, PLAIN.split("5.0")[0] + CANCEL + GONE])
def test_calls_that_differ_in_names_hosts_numbers_and_times_are_of_one_shape(script: str) -> None:
    copies = [again(script, f"n{n}", 1.7 * n, {"A": f"a{n}", "B": f"b{n}", "P": f"p{n}"}) for n in range(5)]
    messages = table("\n".join(copies))
    shapes = shapes_of(messages, end=1000)
    assert shapes.shape.tolist() == [0] * 5
    assert len(shapes.models) == len(messages) // 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("180 Ringing", "183 Progress"),
        ("0.0 A>B INVITE from=x", "0.0 A>B INVITE from=w"),
        ("9.0 A>B BYE", "9.0 B>A BYE"),
        ("3.0 B>A 200", "3.0 B:5070>A 200"),
        ("3.0 B>A 200", "3.0 C>A 200"),
        ("branch=z9hG4bKack", "branch=z9hG4bKINVITE1"),
        ("branch=z9hG4bKack", "branch=-"),
        ("9.0 A>B BYE cseq=2", "9.0 A>B BYE cseq=1"),
        ("1.0 B>A 180 Ringing from=x to=y", "1.0 B>A 180 Ringing from=x to=y ua=phone"),
        ("1.0 B>A 180 Ringing from=x to=y", "1.0 B>A 180 Ringing from=x to=-"),
        ("3.0 B>A 200 OK from=x to=y", f"3.0 B>A 200 OK from=x to=y || {AUDIO} 0\\n"),
    ],
)
def test_whatever_a_judge_looks_at_makes_another_shape(old: str, new: str) -> None:
    assert old in PLAIN
    messages = table(again(PLAIN, "a", 0) + "\n" + again(PLAIN.replace(old, new), "b", 100))
    assert len(set(shapes_of(messages, end=1000).shape.tolist())) == 2


def test_a_call_that_may_still_be_answered_is_of_another_shape_than_one_that_waited_in_vain() -> None:
    messages = table("0 A>B INVITE call=a from=x\n20 A>B INVITE call=b from=y")
    assert shapes_of(messages, end=31).shape.tolist() == [0, 0]
    assert len(set(shapes_of(messages, end=40).shape.tolist())) == 2
    _, _, (first, second) = group_messages(messages, 40 * NS, Options())
    assert (first.state, second.state) == ("failed", "setup")


def test_how_names_are_numbered_does_not_matter() -> None:
    messages = table("\n".join(again(PLAIN, f"n{n}", n / 100) for n in range(3)))
    for name in ("from_tag", "to_tag", "branch"):
        column = getattr(messages, name)
        column[column >= 0] = len(messages.texts[name]) - 1 - column[column >= 0]
        messages.texts[name].reverse()
    assert shapes_of(messages, end=1000).shape.tolist() == [0, 0, 0]


def test_long_calls_are_not_compared() -> None:
    chatty = PLAIN + "".join(f"{5 + n / 10:.1f} A>B INFO cseq={n + 5} from=x to=y\n" for n in range(30))
    messages = table("\n".join(again(chatty, f"n{n}", n / 100) for n in range(3)))
    assert len(set(shapes_of(messages, end=1000).shape.tolist())) == 3
