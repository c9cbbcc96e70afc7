"""Calls of one shape are judged once: what comes of it is what judging each of them by itself gives."""

from __future__ import annotations

import re

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
from tests.calls.scripts import CANCEL, GONE, PLAIN, PROXY, again
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


CHALLENGED = """
0.0 A>B INVITE cseq=1 from=x branch=a
0.1 B>A 407 P cseq=1 from=x to=p branch=a
0.2 A>B ACK cseq=1 from=x to=p branch=a
0.3 A>B INVITE cseq=2 from=x branch=b | Proxy-Authorization: Digest x
0.4 B>A 407 P cseq=2 from=x to=p branch=b | Proxy-Authenticate: Digest realm="r", stale=true
"""
OVERTAKEN = """
0.0 A>B SUBSCRIBE from=x to=- branch=a
0.1 B>A NOTIFY from=y to=x branch=b | Subscription-State: active
0.2 B>A 200 O cseq=1,SUBSCRIBE from=x to=y branch=a
0.3 B>A NOTIFY cseq=2 from=y to=x branch=c
"""
FORKED = """
0.0 A>B INVITE from=x branch=a
0.1 B>A 180 R from=x to=y branch=a
0.2 B>A 180 R from=x to=z branch=a
0.3 B>A 200 O from=x to=z branch=a
0.4 A>B ACK from=x to=z branch=k
1.0 A>B INFO cseq=2 from=x to=z branch=i type=application/dtmf-relay || Signal=1
"""
TWO_SENDERS = """
0.0 A>B INVITE from=x branch=a vias=2
0.1 C>B INVITE from=x branch=c
0.2 B>C 180 R from=x to=y branch=c
0.3 B>A 486 B from=x to=y branch=a
"""
INSIDE = f"""
0.0 A>B INVITE from=x branch=- uri=sip:1@h || {AUDIO} 0 101\\na=rtpmap:101 telephone-event/8000\\n
0.1 A>B INVITE from=x branch=- uri=sip:2@h
0.2 B>A 200 O from=x to=y branch=- ua=box || {AUDIO} 8\\n
0.3 A:1>A:2 ACK from=x to=y branch=-
0.4 B>A BYE cseq=9 from=y to=x branch=d
0.5 A>B 200 O cseq=9,BYE from=y to=x branch=d
"""
PENDING = """
0.0 A>B INVITE from=x branch=a
0.6 A>B INVITE from=x branch=a
"""
EARLY = f"""
0.0 A>B INVITE from=x branch=a || {AUDIO} 8 0\\n
0.1 B>A 183 P from=x to=y branch=a || {AUDIO} 0\\n
0.2 B>A 200 O from=x to=y branch=a
0.3 A>B BYE cseq=2 from=x to=y branch=b
0.9 A>B BYE cseq=2 from=x to=y branch=b
"""
MODELS = (
    PENDING,
    EARLY,
    PLAIN,
    PROXY,
    PLAIN.split("3.0")[0] + CANCEL + GONE,
    CHALLENGED,
    OVERTAKEN,
    FORKED,
    TWO_SENDERS,
    INSIDE,
)


@st.composite
def slips(draw: st.DrawFn, line: str) -> list[str]:
    """A line of a script with one detail changed, left out or said twice."""
    time, ends, rest = line.split(" ", 2)
    kind = draw(st.sampled_from(["ends", "word", "to", "from", "branch", "cseq", "uri", "header", "twice", "gone"]))
    if kind == "ends":
        ends = draw(st.sampled_from(["A>B", "B>A", "A:1>B", "B>A:1", "A:1>A:2", "A:2>A:1", "B>C", "C>B", "C>A"]))
    elif kind == "word":
        old = rest.split(" ")[0]
        new = ["100", "180", "183", "200", "401", "407", "486"] if old.isdigit() else ["ACK", "BYE", "INVITE", "PRACK"]
        rest = draw(st.sampled_from(new)) + rest[len(old) :]
    elif kind == "header":
        head, *body = rest.split("|", 1)
        rest = f"{head.rstrip()} {draw(st.sampled_from(HEADERS))}" if not body or draw(st.booleans()) else head
    elif kind == "twice":
        return [line, f"{float(time) + 0.6:.3f} {ends} {rest}"]
    elif kind == "gone":
        return []
    else:
        values = {
            "to": "- y z x",
            "from": "x y z",
            "branch": "- a p z9hG4bKack",
            "cseq": "1 2 3",
            "uri": "sip:1@h sip:2@h",
        }
        value = draw(st.sampled_from(values[kind].split()))
        if not re.search(rf"\b{kind}=", rest):
            head, *body = rest.split("|", 1)
            rest = "|".join([f"{head.rstrip()} {kind}={value} ", *body])
        rest = re.sub(rf"\b{kind}=[\w.:@-]+", f"{kind}={value}", rest, count=1)
    return [f"{time} {ends} {rest}"]


@st.composite
def captures(draw: st.DrawFn) -> tuple[str, float]:
    """One call or two, each several times, a detail changed in some; and how long after the last message it ends."""
    models = [draw(st.sampled_from(MODELS)) if draw(st.integers(0, 3)) else draw(calls()) for _ in range(2)]
    models = [draw(with_slip(model)) if draw(st.booleans()) else model for model in models]
    script = []
    for number in range(draw(st.integers(2, 5))):
        model = draw(st.sampled_from(models))
        if draw(st.booleans()):
            model = draw(with_slip(model))
        hosts = draw(st.sampled_from([{}, {"A": "D", "B": "E"}, {"A": "B", "B": "A"}]))
        later = draw(st.sampled_from([0.0, 0.0, 0.05, 2.0, 6.0, 31.9, 33.0]))
        script.append(again(model, f"k{number}", later, hosts))
    return "\n".join(script), draw(st.sampled_from([0.0, 1.0, 4.9, 5.0, 31.9, 32.0, 100.0]))


@st.composite
def with_slip(draw: st.DrawFn, model: str) -> str:
    lines = model.strip().splitlines()
    if not lines:
        return model
    place = draw(st.integers(0, len(lines) - 1))
    return "\n".join([*lines[:place], *draw(slips(lines[place])), *lines[place + 1 :]])


def variants(line: str) -> list[str]:
    """A line of a script with one detail changed, in each way that is worth a try."""
    time, ends, rest = line.split(" ", 2)
    head, *body = rest.split("|", 1)
    found = [f"{time} {ends} {head.rstrip()} {header}" for header in HEADERS]
    found += [f"{time} {other} {rest}" for other in ("B>A", "A>B", "A:1>B", "B>A:1", "A:1>A:2", "C>B", "B>C", "C>A")]
    for name, values in (
        ("to", "- x y z"),
        ("from", "x y z"),
        ("branch", "- a b q"),
        ("cseq", "1 2 3"),
        ("uri", "sip:1@h"),
    ):
        for value in values.split():
            bare, known = re.subn(rf"\b{name}=[\w.:@-]+", f"{name}={value}", head, count=1)
            found.append(f"{time} {ends} " + "|".join([bare if known else f"{head.rstrip()} {name}={value} ", *body]))
    return found


@pytest.mark.parametrize("model", MODELS)
def test_a_detail_in_which_calls_differ_is_seen(model: str) -> None:
    """A call beside all calls that differ from it in one detail of one line: none is judged by another."""
    lines = model.strip().splitlines()
    for place, line in enumerate(lines):
        changed = ["\n".join([*lines[:place], variant, *lines[place + 1 :]]) for variant in variants(line)]
        copies = [again(model, f"m{later}", later) for later in (0, 27, 33)]
        copies += [again(each, f"k{number}", 33) for number, each in enumerate(changed)]
        messages = table("\n".join(copies))
        for more in (1, 6, 40):
            end = int(messages.time[-1]) + seconds(more)
            assert group_messages(messages, end, Options()) == one_by_one(messages, end, Options())


@settings(max_examples=200)
@given(captures())
def test_grouping_by_shape_finds_what_judging_one_by_one_finds(capture: tuple[str, float]) -> None:
    script, more = capture
    messages = table(script)
    end = (int(messages.time[-1]) if len(messages) else 0) + seconds(more)
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
