"""What participants are called."""

from __future__ import annotations

from tests.output.flow.told import chart_of, people
from tests.tape import A, B, P, Tape, sdp


def test_a_product_is_named_by_its_own_messages_only() -> None:
    tape = Tape()
    tape.request(0, A, P, "INVITE", initial=True, headers=["User-Agent: Phone A"])
    tape.reply(0.01, P, A, 100, headers=["Server: Proxy P"])
    tape.request(0.02, P, B, "INVITE", initial=True, headers=["User-Agent: Phone A"])
    tape.reply(1.0, B, P, 200, headers=["Server: Phone B"])
    tape.reply(1.1, P, A, 200, headers=["Server: Phone B"])
    chart = chart_of(tape.analyze())
    assert people(chart) == [(A, "a", "caller"), (P, "Proxy P", "between"), (B, "b", "callee")]
    assert [person.detail for person in chart.participants] == ["Phone A", "proxy", "Phone B"]


def test_behind_a_hop_that_was_not_captured_the_product_is_not_the_proxys() -> None:
    tape = Tape()
    tape.request(0, P, B, "INVITE", initial=True, headers=["Via: SIP/2.0/UDP 10.0.0.1", "User-Agent: Phone A"])
    tape.reply(1, B, P, 200)
    chart = chart_of(tape.analyze())
    assert people(chart) == [(P, "a", "caller"), (B, "b", "callee")]
    assert chart.participants[0].detail is None


def test_of_a_call_without_beginning_names_are_those_of_from_and_to() -> None:
    tape = Tape()
    tape.bye(0, src=B, dst=A, tags=("b", "a"))
    chart = chart_of(tape.analyze())
    assert chart.title.startswith("b and a, ")
    assert [person.name for person in chart.participants] == ["b", "a"]


def test_hostile_names_are_cleaned_and_cut() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), tags=("\u202e" + "x" * 5_000, "b"))
    chart = chart_of(tape.analyze())
    name = chart.participants[0].name or ""
    assert name.startswith("\\u202e" + "x" * 10) and len(name) <= 40 and name.endswith("\u2026")


def test_a_call_that_comes_back_to_its_caller_has_one_all_the_same() -> None:
    tape = Tape()
    tape.request(0, A, P, "INVITE", initial=True)
    tape.request(0.1, P, A, "INVITE", initial=True)
    tape.reply(1, A, P, 200)
    tape.reply(1.1, P, A, 200)
    assert people(chart_of(tape.analyze())) == [(A, "a", "caller"), (P, "proxy", "between")]


def test_who_answers_what_was_not_captured_is_called_all_the_same() -> None:
    tape = Tape()
    tape.request(0, A, P, "INVITE", initial=True)
    tape.reply(1, B, "10.0.0.8", 180)  # on another hop the responses only: encrypted requests, say
    chart = chart_of(tape.analyze())
    assert people(chart) == [(A, "a", "caller"), (P, "b", "callee"), ("10.0.0.8", None, "between"), (B, "b", "callee")]
