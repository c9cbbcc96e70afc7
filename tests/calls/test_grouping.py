"""Calls of one shape are judged once: what comes of it is what judging each of them by itself gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls import grouping
from sipanalyzer.calls.calls import build_calls
from sipanalyzer.calls.dialogs import track_dialogs
from sipanalyzer.calls.grouping import group_messages
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.options import Options
from sipanalyzer.result import Call, Dialog, Messages, Transaction
from tests.calls.scripts import PLAIN, again
from tests.calls.words import NS, seconds, table

AUDIO = "v=0\\no=- 1 1 IN IP4 1.2.3.4\\ns=-\\nc=IN IP4 1.2.3.4\\nt=0 0\\nm=audio 4000 RTP/AVP"
HEADERS = (
    "ua=phone/1", "server=box/2", "| Proxy-Authorization: Digest username=\"a\"", "| Authorization: Digest x",
    "| Proxy-Authenticate: Digest realm=\"r\", stale=true", "| WWW-Authenticate: Digest realm=\"r\"", "vias=2",
    "vias=3", "| Subscription-State: terminated", "| Subscription-State: active",
    "| Record-Route: <sip:p;lr>, <sip:q;lr>", "| P-Asserted-Identity: <sip:7@h>", "| Remote-Party-ID: <sip:8@h>",
    "| Diversion: <sip:9@h>", "| Reason: Q.850;cause=16", "| Warning: 399 h \"no\"",
    "type=application/dtmf-relay || Signal=1", f"|| {AUDIO} 0 101\\na=rtpmap:101 telephone-event/8000\\n",
    f"|| {AUDIO} 8\\n", "type=application/sdp || none", "type=text/plain || hello", "",
)  # fmt: skip
WHAT = (
    "INVITE", "INVITE", "ACK", "ACK", "CANCEL", "BYE", "PRACK", "INFO", "UPDATE", "NOTIFY", "SUBSCRIBE", "REFER",
    "OPTIONS", "100 T", "180 R", "183 P", "200 O", "200 O", "401 U", "407 P", "403 F", "486 B", "487 T", "302 M",
)  # fmt: skip


def one_by_one(
    messages: Messages, capture_end: int, options: Options
) -> tuple[list[Transaction], list[Dialog], list[Call]]:
    transactions = match_transactions(messages, options)
    dialogs = track_dialogs(messages, transactions, options)
    return transactions, dialogs, build_calls(messages, transactions, dialogs, capture_end, options)


@st.composite
def calls(draw: st.DrawFn) -> str:
    lines = []
    time = 0.0
    for _ in range(draw(st.integers(1, 9))):
        time += draw(st.sampled_from([0.0, 0.1, 0.1, 3.0, 40.0]))
        what = draw(st.sampled_from(WHAT))
        method = "," + draw(st.sampled_from(["INVITE", "INVITE", "BYE", "SUBSCRIBE"])) if what[0].isdigit() else ""
        ends = draw(st.sampled_from(["A>B", "A>B", "B>A", "B>A", "A:1>B", "B>C", "C>B", "A:1>A:2"]))
        tags = draw(st.sampled_from(["from=x to=-", "from=x to=y", "from=x to=y", "from=y to=x", "from=x to=z"]))
        branch = draw(st.sampled_from(["p", "p", "q", "-"]))
        number = draw(st.integers(1, 2))
        header = draw(st.sampled_from(HEADERS))
        lines.append(f"{time:.3f} {ends} {what} cseq={number}{method} branch={branch} {tags} {header}")
    return "\n".join(lines)


@st.composite
def captures(draw: st.DrawFn) -> tuple[str, float]:
    """Few different calls, each several times, with slips in some; and how long after the last message it ends."""
    models = draw(st.lists(calls(), min_size=1, max_size=3))
    script = []
    for number in range(draw(st.integers(2, 7))):
        model = draw(st.sampled_from(models)).splitlines()
        if draw(st.booleans()) and len(model) > 1:
            slip = draw(st.integers(0, len(model) - 1))
            if draw(st.booleans()):
                del model[slip]
            else:
                model.insert(slip, model[slip])
        hosts = draw(st.sampled_from([{}, {"A": "D", "B": "E"}, {"A": "B", "B": "A"}]))
        later = draw(st.sampled_from([0.0, 0.05, 2.0, 6.0, 31.9, 33.0]))
        script.append(again("\n".join(model), f"k{number}", later, hosts))
    return "\n".join(script), draw(st.sampled_from([0.0, 4.9, 5.0, 31.9, 32.0, 100.0]))


@settings(max_examples=400, deadline=None)
@given(captures())
def test_grouping_by_shape_finds_what_judging_one_by_one_finds(capture: tuple[str, float]) -> None:
    script, more = capture
    messages = table(script)
    end = int(messages.time[-1]) + seconds(more)
    assert group_messages(messages, end, Options()) == one_by_one(messages, end, Options())


def test_messages_without_call_id_belong_to_nothing() -> None:
    assert group_messages(table("0 A>B OPTIONS call=-"), 0, Options()) == ([], [], [])
    assert group_messages(table(""), 0, Options()) == ([], [], [])
    transactions, _, calls = group_messages(table("0 A>B OPTIONS call=-\n" + PLAIN), 99 * NS, Options())
    assert len(calls) == 1 and all(0 not in each.rows for each in transactions)


def test_a_long_call_is_judged_by_itself_and_long_calls_of_one_kind_are_not_compared() -> None:
    chatty = PLAIN + "".join(f"{5 + n / 10:.1f} A>B INFO cseq={n + 5} from=x to=y\n" for n in range(30))
    messages = table("\n".join(again(chatty, f"n{n}", n * 50.0) for n in range(3)))
    end = int(messages.time[-1])
    assert group_messages(messages, end, Options()) == one_by_one(messages, end, Options())


def test_only_the_first_call_of_each_shape_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    judge = grouping.judge_calls
    monkeypatch.setattr(grouping, "judge_calls", lambda *all_: judged.append(len(all_[0])) or judge(*all_))
    messages = table("\n".join(again(PLAIN, f"n{n}", n / 100) for n in range(50)))
    _, _, found = group_messages(messages, 10**12, Options())
    assert (len(found), judged) == (50, [7])
