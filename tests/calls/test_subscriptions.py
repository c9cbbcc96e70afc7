"""Subscriptions: dialogs of SUBSCRIBE and REFER with their NOTIFYs, worked by hand."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.subscriptions import find_subscriptions
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.facts import Subscription
from sipanalyzer.options import Options
from tests.calls.words import seconds, table


def found(script: str, end: float | None = None) -> list[Subscription]:
    messages = table(script)
    last = seconds(end) if end is not None else int(messages.time[-1]) if len(messages) else 0
    return find_subscriptions(messages, match_transactions(messages, Options()), last, Options())


def only(script: str, end: float | None = None) -> Subscription:
    (one,) = found(script, end)
    return one


def say(at: float, ends: str, what: str | int, n: int, of: str, more: str, **words: str) -> str:
    words = {"branch": f"b{of}{n}{ends if isinstance(what, str) else '>'.join(reversed(ends.split('>')))}"} | words
    number = f"{n}" if isinstance(what, str) else f"{n},{of}"
    what = what if isinstance(what, str) else f"{what} R"
    return f"{at} {ends} {what} cseq={number} {' '.join(f'{k}={v}' for k, v in words.items() if v)} {more}\n"


def subscribe(at: float, n: int = 1, to: str = "", expires: int | None = 600, event: str = "presence", **w: str) -> str:
    more = f"| Event: {event} " if event else ""
    more += "" if expires is None else f"| Expires: {expires}"
    return say(at, w.pop("ends", "A>B"), "SUBSCRIBE", n, "SUBSCRIBE", more, **{"from": "x", "to": to, **w})


def taken(at: float, n: int = 1, status: int = 200, expires: int | None = 600, **w: str) -> str:
    more = "" if expires is None else f"| Expires: {expires}"
    return say(at, w.pop("ends", "B>A"), status, n, "SUBSCRIBE", more, **{"from": "x", "to": "y", **w})


def notify(at: float, n: int = 1, state: str = "active;expires=599", event: str = "presence", **w: str) -> str:
    more = (f"| Event: {event} " if event else "") + (f"| Subscription-State: {state}" if state else "")
    words = {"from": "y", "to": "x", "fu": "sip:bob@example.com", "tu": "sip:alice@example.com", **w}
    return say(at, words.pop("ends", "B>A"), "NOTIFY", n, "NOTIFY", more, **words)


def noted(at: float, n: int = 1, status: int = 200, **w: str) -> str:
    words = {"from": "y", "to": "x", **w}
    return say(at, words.pop("ends", "A>B"), status, n, "NOTIFY", "", **words)


START = subscribe(0) + taken(0.1)


def test_a_subscription_with_its_notifies_and_a_refresh_is_one_row() -> None:
    one = only(
        START + notify(0.2) + noted(0.3) + notify(5, 2, "active") + subscribe(300, 2, "y")
        + taken(300.1, 2, expires=900) + notify(300.2, 3)
    )  # fmt: skip
    assert (one.event, one.subscriber, one.notifier) == ("presence", "sip:alice@example.com", "sip:bob@example.com")
    assert (one.state, one.expires_s, one.notifies, one.status_code) == ("active", 900.0, 3, 200)
    assert (one.start, one.end, one.call_id, one.first_frame) == (0, None, "c", 1)


def test_a_notify_sent_again_and_one_seen_at_two_hops_count_once() -> None:
    script = START + notify(0.2) + notify(0.7) + noted(0.8)
    assert only(script).notifies == 1
    hops = notify(0.2, ends="B>P") + notify(0.21, ends="P>A", vias="2") + noted(0.3, ends="A>P")
    assert only(START + hops + noted(0.31, ends="P>B")).notifies == 1


def test_a_notify_that_was_challenged_does_not_count_twice() -> None:
    assert only(START + notify(0.2) + noted(0.3, status=401) + notify(0.4, 2) + noted(0.5, 2)).notifies == 1


@pytest.mark.parametrize(
    ("state", "told"),
    [("active", "active;expires=5"), ("pending", "pending"), ("terminated", "terminated;reason=noresource"),
     ("terminated", "Terminated ; reason=timeout")],
)  # fmt: skip
def test_the_last_notify_tells_the_state(state: str, told: str) -> None:
    one = only(START + notify(0.2, state="pending") + notify(1, 2, told))
    assert (one.state, one.end) == (state, seconds(1) if state == "terminated" else None)


@pytest.mark.parametrize(("status", "state"), [(200, "active"), (202, "pending")])
def test_without_a_notify_the_response_tells_the_state(status: int, state: str) -> None:
    assert only(subscribe(0) + taken(0.1, status=status)).state == state


def test_a_notify_before_the_response_belongs_to_it() -> None:
    one = only(subscribe(0) + notify(0.05) + taken(0.1))
    assert (one.notifies, one.state, one.status_code) == (1, "active", 200)


def test_who_unsubscribes_or_is_refused_later_has_none_any_more() -> None:
    away = subscribe(50, 2, "y", 0) + taken(50.1, 2, expires=0)
    one = only(START + notify(0.2) + away)
    assert (one.state, one.end, one.expires_s) == ("terminated", seconds(50.1), 600.0)
    one = only(START + notify(0.2) + subscribe(50, 2, "y", 0) + notify(50.05, 2) + taken(50.1, 2, expires=0))
    assert one.state == "terminated"
    one = only(START + notify(0.2) + away + notify(50.2, 2, "terminated;reason=timeout"))
    assert (one.state, one.end, one.notifies) == ("terminated", seconds(50.2), 2)
    one = only(START + notify(0.2) + subscribe(50, 2, "y") + taken(50.1, 2, 481, None))
    assert (one.state, one.end, one.status_code) == ("terminated", seconds(50.1), 200)
    one = only(START + notify(0.2) + subscribe(50, 2, "y") + taken(50.1, 2, 500, None))
    assert one.state == "active"


def test_a_challenge_or_a_correction_makes_no_second_row() -> None:
    for status in (401, 407, 423):
        one = only(subscribe(0) + taken(0.1, status=status, expires=None) + subscribe(0.2, 2) + taken(0.3, 2))
        assert (one.state, one.status_code, one.start) == ("active", 200, 0)


def test_rejected_and_unanswered() -> None:
    one = only(subscribe(0) + taken(0.1, status=489, expires=None))
    assert (one.state, one.status_code, one.end, one.expires_s) == ("rejected", 489, seconds(0.1), None)
    assert only(subscribe(0) + taken(0.1, status=401, expires=None)).state == "rejected"
    assert [only(subscribe(0), end).state for end in (31.9, 32.0)] == [None, "no-response"]


def test_who_tries_again_after_a_refusal_has_another_row() -> None:
    made = found(subscribe(0) + taken(0.1, status=480, expires=None) + subscribe(60, 2) + taken(60.1, 2))
    assert [one.state for one in made] == ["rejected", "active"]


def test_events_and_their_ids_are_subscriptions_of_their_own() -> None:
    script = (
        START + subscribe(1, 2, "y", event="dialog;id=7") + taken(1.1, 2) + subscribe(2, 3, "y", event="dialog;id=8")
    )
    script += taken(2.1, 3) + notify(3, 1, event="dialog;id=8") + notify(4, 2, event="presence")
    made = found(script + notify(5, 3, "terminated", event="Dialog;id=8"))
    assert [(one.event, one.notifies, one.state) for one in made] == [
        ("presence", 1, "active"), ("dialog", 0, "active"), ("dialog", 2, "terminated"),
    ]  # fmt: skip


def test_a_notify_without_the_id_means_the_first_of_that_event() -> None:
    script = subscribe(0, event="dialog;id=7") + taken(0.1) + subscribe(1, 2, "y", event="dialog;id=8") + taken(1.1, 2)
    assert [one.notifies for one in found(script + notify(2, event="dialog"))] == [1, 0]


def test_who_begins_anew_with_the_same_call_id_has_another_row() -> None:
    challenged = subscribe(300, 2, "y") + taken(300.1, 2, 401, None)
    assert len(found(START + challenged + subscribe(300.2, 3, "y") + taken(300.3, 3))) == 1
    assert len(found(START + challenged + subscribe(300.2, 3) + taken(300.3, 3, to="z"))) == 2


def test_what_was_terminated_and_is_asked_for_again_in_the_dialog_is_another_row() -> None:
    again = subscribe(60, 2, "y") + taken(60.1, 2) + notify(60.2, 3)
    made = found(START + notify(0.2) + notify(1, 2, "terminated") + again)
    assert [(one.state, one.notifies) for one in made] == [("terminated", 2), ("active", 1)]


def test_a_fork_makes_a_row_for_each_notifier() -> None:
    made = found(START + notify(0.2) + notify(0.3, 1, "pending", **{"from": "z", "branch": "bz"}))
    assert [(one.notifies, one.state, one.status_code) for one in made] == [(1, "active", 200), (1, "pending", 200)]
    assert {(one.subscriber, one.notifier) for one in made} == {("sip:alice@example.com", "sip:bob@example.com")}


def test_a_proxy_makes_no_second_row() -> None:
    near = subscribe(0, ends="A>P") + taken(0.3, ends="P>A")
    far = subscribe(0.1, ends="P>B", vias="2") + taken(0.2, ends="B>P")
    one = only(near + far + notify(0.4))
    assert (one.notifies, one.first_frame) == (1, 1)


def test_expiry_is_granted_or_told_or_asked() -> None:
    assert only(subscribe(0, expires=60) + taken(0.1, expires=30) + notify(0.2)).expires_s == 30
    assert only(subscribe(0, expires=None) + taken(0.1, expires=None) + notify(0.2)).expires_s == 599
    assert only(subscribe(0, expires=60) + taken(0.1, expires=None)).expires_s == 60
    assert only(subscribe(0, expires=0) + taken(0.1, expires=0) + notify(0.2, state="terminated")).expires_s is None


# ---- NOTIFY that nobody was seen asking for
def test_a_notify_without_subscribe_makes_a_row_with_what_is_known() -> None:
    one = only(notify(0) + noted(0.1) + notify(60, 2, "active;expires=500") + noted(60.1, 2))
    assert (one.event, one.subscriber, one.notifier) == ("presence", "sip:alice@example.com", "sip:bob@example.com")
    assert (one.state, one.expires_s, one.notifies, one.status_code) == ("active", 599.0, 2, None)


def test_a_refresh_of_what_began_before_the_capture_takes_its_notifies() -> None:
    one = only(notify(0) + subscribe(1, 7, "y") + taken(1.1, 7) + notify(2, 2))
    assert (one.notifies, one.status_code, one.expires_s) == (2, 200, 600.0)


def test_message_waiting_without_dialog_and_state() -> None:
    one = only(notify(0, state="", event="message-summary", to=""))
    assert (one.event, one.state, one.notifies, one.expires_s) == ("message-summary", None, 1, None)


# ---- REFER
def refer(at: float, n: int, status: int = 202, more: str = "| Refer-To: <sip:c@c>", answer: str = "") -> str:
    request = say(at, "A>B", "REFER", n, "REFER", more, **{"from": "x", "to": "y"})
    return request + say(at + 0.1, "B>A", status, n, "REFER", answer, **{"from": "x", "to": "y"})


def test_a_refer_makes_a_subscription_with_its_notifies() -> None:
    one = only(
        refer(0, 5) + notify(0.2, 1, "active;expires=60", "refer;id=5") + notify(1, 2, "terminated;reason=noresource",
                                                                                 "refer;id=5")
    )  # fmt: skip
    assert (one.event, one.state, one.notifies, one.status_code, one.expires_s) == ("refer", "terminated", 2, 202, 60.0)
    assert (one.subscriber, one.end) == ("sip:alice@example.com", seconds(1))


def test_two_refers_in_a_dialog_are_told_apart_by_id_and_without_id_the_last_is_meant() -> None:
    script = refer(0, 5) + notify(0.2, 1, "terminated", "refer;id=5") + refer(1, 6)
    assert [one.notifies for one in found(script + notify(2, 2, "active", "refer;id=6"))] == [1, 1]
    assert [one.notifies for one in found(script + notify(2, 2, "active", "refer"))] == [1, 1]
    assert [one.notifies for one in found(script + notify(2, 2, "active", "refer;id=5"))] == [2, 0]


def test_a_refer_that_was_challenged_is_one_row() -> None:
    one = only(refer(0, 5, 407) + refer(0.2, 6) + notify(1, 1, "active", "refer;id=6"))
    assert (one.status_code, one.notifies) == (202, 1)


def test_a_refer_that_is_refused_is_rejected_and_one_without_subscription_makes_none() -> None:
    assert only(refer(0, 5, 603)).state == "rejected"
    assert only(refer(0, 5)).state == "pending"
    assert found(refer(0, 5, 200, "| Refer-To: <sip:c@c> | Refer-Sub: false", "| Refer-Sub: false")) == []


def test_publish_and_calls_are_no_subscriptions() -> None:
    assert found("0 A>B PUBLISH from=x | Event: presence\n1 B>A 200 R cseq=1,PUBLISH from=x to=y\n") == []
    assert found("") == []


@given(st.lists(st.tuples(st.sampled_from("sntf"), st.sampled_from(["", "y", "z"]), st.integers(1, 4)), max_size=15))
def test_every_notify_is_counted_once_whatever_comes(steps: list[tuple[str, str, int]]) -> None:
    script, at, wanted = "", 0.0, set()
    for kind, tag, n in steps:
        at += 1
        if kind in "sf":
            script += subscribe(at, n, tag, branch=f"s{at}") + (
                taken(at + 0.1, n, branch=f"s{at}") if kind == "s" else ""
            )
        else:
            script += notify(at, n, "terminated" if kind == "t" else "active", branch=f"n{at}", **{"from": tag or "y"})
            wanted.add((tag or "y", n))
    made = found(script, end=1000)
    assert sum(one.notifies for one in made) >= len(wanted)  # a dialog that ended and began anew counts anew
    if not any(kind in "st" for kind, _, _ in steps):
        assert sum(one.notifies for one in made) == len(wanted)
    assert [one.start for one in made] == sorted(one.start for one in made)


def test_all_notifies_of_a_busy_exchange_are_counted(corpus: pathlib.Path) -> None:
    """tshark counts 28 NOTIFY and 50 SUBSCRIBE requests, each in a dialog of its own."""
    from sipanalyzer.pipeline import analyze

    result = analyze(corpus / "ajbanjara__Wireshark__wireuploaded.pcap")
    end = result.captures[0].last
    assert end is not None
    made = find_subscriptions(result.messages, result.transactions, end, Options())
    assert (len(made), sum(one.notifies for one in made), {one.event for one in made}) == (50, 28, {"dialog"})
