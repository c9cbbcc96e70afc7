"""What is folded, what never is, and that nothing gets lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.flow.folding import MOST_ROWS, Traits, Unit, cap_units, fold_messages
from sipanalyzer.output.flow.model import Fold, Message
from sipanalyzer.output.flow.seen import Seen
from tests.output.flow.told import chart_of, told
from tests.tape import A, B, Tape, sdp

S = 1_000_000_000


def folds(tape: Tape) -> list[str]:
    return [row.text for row in chart_of(tape.analyze()).rows if isinstance(row, Fold)]


def refreshed(times: int) -> Tape:
    """A call that UPDATE refreshes every 30 s."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(times):
        tape.request(30 + 30 * k, A, B, "UPDATE", cseq=10 + k, headers=["Session-Expires: 90"])
        tape.reply(30.02 + 30 * k, B, A, 200, method="UPDATE", cseq=10 + k)
    tape.bye(40 + 30 * times)
    return tape


def test_refreshes_are_drawn_once_and_counted() -> None:
    rows = told(chart_of(refreshed(25).analyze()))
    assert [row for row in rows if "UPDATE" in row] == [
        "a>b UPDATE: session refresh",
        "b>a 200 Reason: (UPDATE)",
        "a>b ... UPDATE and its 200, 24 times more in 720 s",
    ]


def test_two_are_drawn_and_three_are_folded() -> None:
    assert folds(refreshed(2)) == []
    assert folds(refreshed(3)) == ["UPDATE and its 200, 2 times more in 60.0 s"]


def test_without_folding_every_message_is_drawn() -> None:
    chart = chart_of(refreshed(25).analyze(), fold=False)
    assert sum(isinstance(row, Message) for row in chart.rows) == 4 + 50 + 2


def test_reinvites_that_change_nothing_fold_and_hold_does_not() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(10):
        tape.reinvite(30 + 30 * k, A, B, sdp(A, 4000, version=2 + k), sdp(B, 5000, version=2 + k), cseq=10 + k)
    for k in range(4):
        way = ["sendonly"] if k % 2 == 0 else ["sendrecv"]
        tape.reinvite(400 + 10 * k, A, B, sdp(A, 4000, lines=way), sdp(B, 5000), cseq=50 + k)
    rows = told(chart_of(tape.analyze()))
    assert [row for row in rows if "..." in row] == ["a>b ... re-INVITE, its 200 and ACK, 9 times more in 270 s"]
    assert sum("a>b re-INVITE: SDP offer PCMA" in row for row in rows) == 4


def test_a_failure_among_what_repeats_stands_in_its_place() -> None:
    tape = refreshed(20)
    tape.request(345, B, A, "OPTIONS", cseq=700, tags=("b", "a"))
    tape.reply(345.1, A, B, 503, method="OPTIONS", cseq=700, tags=("b", "a"))
    rows = told(chart_of(tape.analyze()))
    around = [row for row in rows if "UPDATE" in row or ">b 503" in row]
    assert around[2:] == [
        "a>b ... UPDATE and its 200, 10 times more in 300 s",
        "a>b 503 Reason",
        "a>b ... UPDATE and its 200, 9 times more in 240 s",
    ]


def test_of_failures_that_repeat_the_first_and_the_last_stand() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(12):
        tape.request(10 + 10 * k, A, B, "OPTIONS", cseq=10 + k)
        tape.reply(10.1 + 10 * k, B, A, 405, method="OPTIONS", cseq=10 + k)
    rows = told(chart_of(tape.analyze()))
    assert [row for row in rows if "405" in row] == [
        "b>a 405 Reason", "a>b ... OPTIONS and its 405, 10 times more in 100 s", "b>a 405 Reason",
    ]  # fmt: skip


def test_a_loop_of_challenges_is_one_row_and_the_finding_keeps_its_evidence() -> None:
    tape = Tape()
    for k in range(100):
        tape.request(k / 2, A, B, "INVITE", sdp(A, 4000), cseq=1 + k, initial=True)
        tape.reply(k / 2 + 0.02, B, A, 407, cseq=1 + k)
        tape.request(k / 2 + 0.03, A, B, "ACK", cseq=1 + k, of="INVITE")
    rows = told(chart_of(tape.analyze()))
    assert len(rows) < 15
    assert sum("times more" in row and row.startswith("a>b ... INVITE, its 407 and ACK, ") for row in rows) == 1
    assert any("challenged for credentials" in row for row in rows)


def test_ringing_that_is_told_again_and_again_is_counted() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    for k in range(21):
        tape.reply(1 + 3 * k, B, A, 180, headers=[f"X-Count: {k}"])
    assert folds(tape) == ["180 Reason, 20 times more in 57.0 s"]


def test_a_call_of_three_hundred_messages_is_a_page() -> None:
    tape = refreshed(60)
    for k in range(30):
        tape.request(40 + 60 * k, B, A, "OPTIONS", cseq=500 + k, tags=("b", "a"))
        tape.reply(40.02 + 60 * k, A, B, 200, method="OPTIONS", cseq=500 + k, tags=("b", "a"))
        tape.reinvite(50 + 60 * k, A, B, sdp(A, 4000, version=3 + k), sdp(B, 5000, version=3 + k), cseq=1000 + k)
    for at in (333, 900):
        tape.reinvite(at, A, B, sdp(A, 4000, lines=["sendonly"]), sdp(B, 5000), cseq=2000 + at)
        tape.reinvite(at + 20, A, B, sdp(A, 4000), sdp(B, 5000), cseq=2001 + at)
    analysis = tape.analyze()
    assert len(analysis.result.messages) > 270
    assert len(chart_of(analysis).rows) < 60


def test_where_odd_ones_are_many_what_repeats_is_folded_across_them() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(40):  # every refresh is followed by a change
        tape.request(30 + 30 * k, A, B, "UPDATE", cseq=10 + 2 * k)
        tape.reply(30.02 + 30 * k, B, A, 200, method="UPDATE", cseq=10 + 2 * k)
        tape.request(40 + 30 * k, B, A, "NOTIFY", cseq=10 + k, tags=("b", "a"), headers=[f"Event: change-{k}"])
    chart = chart_of(tape.analyze())
    assert [row.text for row in chart.rows if isinstance(row, Fold)] == ["UPDATE and its 200, 39 times more in 1170 s"]
    assert len(chart.rows) < 80 + 12


# ---- what holds of all
def seen(at: int, kind: int, exchange: int, again: bool) -> Seen:
    """A message of which `kind` says everything: 0 to 2 requests, 3 a 180, 4 a 200, 5 a 500."""
    status = {3: 180, 4: 200, 5: 500}.get(kind, 0)
    return Seen(at * S, 0, at, at, 0, 0, 1, status, "UPDATE", exchange, 7, 8, 100 * exchange + kind, again, 0, 0)


messages = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.booleans()), max_size=80).map(
    lambda drawn: [seen(at, *each) for at, each in enumerate(drawn)]
)
odd_ones = st.sets(st.integers(0, 80), max_size=4)


@given(messages, odd_ones)
def test_folded_and_drawn_messages_are_all_messages_in_order(wire: list[Seen], odd: set[int]) -> None:
    traits = Traits(lambda each: (each.status, each.retransmission), lambda each: each.row in odd, lambda each: "it")
    units = fold_messages(wire, traits)
    assert Counter(each for unit in units for each in unit.messages) == Counter(wire)
    firsts = [unit.messages[0] for unit in units]
    assert firsts == sorted(firsts)
    for unit in units:
        assert list(unit.messages) == sorted(unit.messages)
        if unit.text is None:
            assert len(unit.messages) == 1
            continue
        assert len(unit.messages) >= 2
        if not all(each.retransmission for each in unit.messages):
            assert not any(each.row in odd for each in unit.messages)


@given(messages)
def test_folding_makes_no_page_longer(wire: list[Seen]) -> None:
    traits = Traits(lambda each: (each.status, each.retransmission), lambda each: False, lambda each: "it")
    assert len(fold_messages(wire, traits)) <= len(wire)


@given(st.integers(0, 5_000))
def test_rows_are_capped_in_the_middle(count: int) -> None:
    units = [Unit((seen(at, 0, at, False),)) for at in range(count)]
    kept, left_out = cap_units(units)
    assert len(kept) <= MOST_ROWS and (left_out == 0) == (count <= MOST_ROWS)
    assert [each.row for unit in kept for each in unit.messages] == list(range(count))
    assert max((len(unit.messages) for unit in kept), default=0) == max(left_out, min(count, 1))
