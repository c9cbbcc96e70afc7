"""The statistics: each number by hand, each exclusion of RFC 6076, a twin, and whole captures."""

from __future__ import annotations

import dataclasses
import io
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.facts import Registration
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Call, Result
from sipanalyzer.statistics.rfc6076 import Statistic, summarize_statistics
from tests.builders import START_NS, Packet, pcap_bytes
from tests.naive.statistics import figures
from tests.output.results import (
    ALICE,
    BOB,
    MS,
    T0,
    empty_result,
    make_call,
    make_capture,
    make_result,
    make_transaction,
)
from tests.said import Said, cancelled, gone, invite, refused, said, taken, until

S = 1000 * MS
CAROL = ("10.0.0.3", 5060)


def result_of(*calls: Call, **more: Any) -> Result:
    plain: dict[str, Any] = {
        "captures": (make_capture(first=T0, last=T0 + 3_000 * S),), "transactions": (), "registrations": (),
    }  # fmt: skip
    return make_result(calls=calls, **(plain | more))


def told(result: Result, scope: str = "all") -> dict[str, Statistic]:
    return {each.metric: each for each in summarize_statistics(result) if each.scope == scope}


def values(result: Result, *metrics: str, scope: str = "all") -> list[float | None]:
    found = told(result, scope)
    return [found[metric].value for metric in metrics]


def answered(start: int = T0, *, ring: int | None = 1000, after: int = 3000, talk: int = 60_000, **more: Any) -> Call:
    """A call that rang, was answered and ended; times in ms."""
    up = start + after * MS
    bye = up + talk * MS
    plain: dict[str, Any] = {
        "start": start, "ringing": None if ring is None else start + ring * MS, "answered": up, "first_bye": bye,
        "bye_final": bye + 20 * MS, "end": bye, "state": "completed", "status_code": 200,
    }  # fmt: skip
    return make_call(**(plain | more))


def failed(
    status: int | None, state: str = "rejected", *, ring: int | None = None, after: int = 400, **more: Any
) -> Call:
    end = None if status is None else T0 + after * MS
    plain: dict[str, Any] = {
        "start": T0, "ringing": None if ring is None else T0 + ring * MS, "answered": None, "first_bye": None,
        "bye_final": None, "end": end, "state": state, "status_code": status,
    }  # fmt: skip
    return make_call(**(plain | more))


def registration(status: int | None = 200, state: str = "registered", **more: Any) -> Registration:
    plain: dict[str, Any] = {
        "aor": "sip:a@x", "contact": "sip:a@10.0.0.1", "registrar": BOB, "source": ALICE, "refresh": False,
        "state": state, "expires_s": 3600.0, "registration_delay_ms": 50.0 if status == 200 else None,
        "status_code": status, "attempts": 1, "start": T0, "end": None if status is None else T0 + 50 * MS,
        "call_id": "reg", "capture": 0, "first_frame": 1, "rows": (),
    }  # fmt: skip
    return Registration(**(plain | more))


# ---- ratios
TEN = (
    answered(), answered(talk=30_000), answered(state="in-call", first_bye=None, bye_final=None),
    failed(486, "busy", ring=200), failed(480, "no-answer"), failed(603), failed(404), failed(503, "failed"),
    failed(302, "redirected"), failed(487, "cancelled", ring=500),
)  # fmt: skip


def test_ratios_by_hand() -> None:
    """Ten requests: 3 answered, 3 refused by people, one 404, one 503, one redirected, one cancelled."""
    found = told(result_of(*TEN))
    assert (found["SER"].value, found["SER"].basis) == (pytest.approx(100 * 3 / 9), 9)
    assert (found["SEER"].value, found["SEER"].basis) == (pytest.approx(100 * 6 / 9), 9)
    assert (found["ISA"].value, found["ISA"].basis) == (pytest.approx(10.0), 10)
    assert (found["SCR"].value, found["SCR"].basis) == (pytest.approx(20.0), 10)
    assert (found["ASR"].value, found["ASR"].basis) == (pytest.approx(30.0), 10)
    assert (found["NER"].value, found["NER"].basis) == (pytest.approx(70.0), 10)
    assert {each.unit for each in found.values() if each.metric in ("SER", "SEER", "ISA", "SCR", "ASR")} == {"%"}


@pytest.mark.parametrize(
    ("status", "seer", "isa", "ner"),
    [(480, 1, 0, 1), (486, 1, 0, 1), (600, 1, 0, 1), (603, 1, 0, 1), (487, 0, 0, 1), (408, 0, 1, 0), (500, 0, 1, 0),
     (503, 0, 1, 0), (504, 0, 1, 0), (404, 0, 0, 0), (403, 0, 0, 0), (502, 0, 0, 0), (606, 0, 0, 0), (401, 0, 0, 0)],
)  # fmt: skip
def test_which_status_counts_where(status: int, seer: int, isa: int, ner: int) -> None:
    result = result_of(failed(status), failed(404))
    assert values(result, "SER", "SEER", "ISA", "NER", "ASR") == [0, 50 * seer, 50 * isa, 50 * ner, 0]


def test_redirections_are_below_the_line_of_isa_and_scr_only() -> None:
    found = told(result_of(answered(), failed(302, "redirected"), failed(301, "redirected")))
    assert [found[metric].basis for metric in ("SER", "SEER", "ISA", "SCR", "ASR", "NER")] == [1, 1, 3, 3, 3, 3]
    only = told(result_of(failed(302, "redirected")))
    assert only["SER"].value is None
    assert only["SRD failed mean"].basis == 0, "3xx is neither success nor failure"


def test_partial_calls_are_in_nothing() -> None:
    late = dataclasses.replace(answered(), partial=True, start=None)
    found = told(result_of(late))
    assert {each.basis for name, each in found.items() if not name.startswith(("method ", "status "))} == {0}


def test_a_call_without_an_outcome_is_a_request_but_no_seizure_to_judge() -> None:
    ringing = failed(None, "ringing", ring=100)
    found = told(result_of(answered(), ringing))
    assert found["SER"].value == 50.0
    assert found["SER"].note is not None
    assert "1 had no outcome yet" in found["SER"].note
    assert (found["ASR"].value, found["ASR"].basis) == (100.0, 1)


def test_a_timeout_is_decided_and_no_response_of_a_server() -> None:
    found = told(result_of(answered(), failed(None, "failed", reason="timeout")))
    assert (found["ASR"].value, found["ISA"].value, found["NER"].value) == (50.0, 0.0, 50.0)
    assert found["SRD failed mean"].basis == 0


def test_a_call_given_up_without_487_reached_the_callee() -> None:
    assert values(result_of(failed(None, "cancelled", ring=300)), "NER", "ASR") == [100.0, 0.0]


def test_a_2xx_that_the_capture_lacks_is_a_success_without_delay() -> None:
    found = told(result_of(answered(answered=None, ringing=None, status_code=None)))
    assert found["SER"].value == 100.0
    assert found["SRD mean"].basis == found["SDT mean"].basis == found["PDD median"].basis == 0


# ---- delays
def test_delays_by_hand() -> None:
    found = told(result_of(
        answered(ring=1000, after=3000, talk=60_000),
        answered(ring=None, after=2000, talk=30_000),
        failed(486, "busy", ring=500, after=9000),
        failed(404, after=300),
    ))  # fmt: skip
    assert (found["SRD mean"].value, found["SRD mean"].basis, found["SRD mean"].unit) == (1.5, 2, "s")
    assert found["SRD p95"].value == pytest.approx(1.95)
    assert (found["SRD failed mean"].value, found["SRD failed mean"].basis) == (pytest.approx(0.4), 2)
    assert found["SRD failed p95"].value == pytest.approx(0.49)
    assert (found["SDT mean"].value, found["SDT p95"].value) == (45.0, pytest.approx(58.5))
    assert (found["ACD"].value, found["ACD"].basis) == (45.0, 2)
    assert (found["SDD mean"].value, found["SDD p95"].value, found["SDD mean"].unit) == (20.0, 20.0, "ms")
    assert (found["PDD median"].value, found["PDD p95"].value, found["PDD median"].basis) == (1000.0, 1900.0, 3)
    assert "mid-path" in (found["SRD mean"].note or "")


@pytest.mark.parametrize("status", [401, 402, 407])
def test_a_challenge_that_stands_last_is_no_failed_setup(status: int) -> None:
    assert told(result_of(failed(status)))["SRD failed mean"].basis == 0


def test_a_bye_that_nobody_answers() -> None:
    """Timer F expires 32 s later: no SDD, the session was not completed, and SDT ends with the timer."""
    silent = answered(bye_final=None)
    found = told(result_of(silent))
    assert found["SDD mean"].basis == found["SDT mean"].basis == 0
    assert (found["SDT failed mean"].value, found["SCR"].value, found["ACD"].value) == (92.0, 0.0, 60.0)
    assert silent.first_bye is not None
    cut = told(result_of(silent, captures=(make_capture(last=silent.first_bye + 5 * S),)))
    assert (cut["SDT mean"].value, cut["SCR"].value) == (60.0, 100.0), "the capture ended before the timer did"
    assert cut["SDT failed mean"].basis == cut["SDD mean"].basis == 0


def test_a_refused_bye_has_no_disconnect_delay() -> None:
    call = answered()
    bye = make_transaction(method="BYE", status_code=481, final_response=call.bye_final)
    assert told(result_of(call, transactions=(bye,)))["SDD mean"].basis == 0
    good = make_transaction(method="BYE", status_code=200, final_response=call.bye_final)
    assert told(result_of(call, transactions=(good,)))["SDD mean"].basis == 1


def test_times_that_a_stepping_clock_turned_round_are_no_delays() -> None:
    found = told(result_of(answered(ringing=T0 - 5 * S, first_bye=T0 - 9 * S)))
    for metric in ("SRD mean", "SDT mean", "ACD", "PDD median"):
        assert found[metric].basis == 0


# ---- registrations
def test_registrations_by_hand() -> None:
    """Of eight: 403, 500, 603 and one without response failed; 401, 402 and 407 at the end are no failures."""
    found = told(result_of(registrations=(
        registration(), registration(registration_delay_ms=150.0), registration(401, "challenged"),
        registration(407, "challenged"), registration(403, "rejected"), registration(500, "rejected"),
        registration(603, "rejected"), registration(None, "no-response"),
    )))  # fmt: skip
    assert (found["IRA"].value, found["IRA"].basis) == (50.0, 8)
    assert (found["RRD mean"].value, found["RRD p95"].value, found["RRD mean"].basis) == (100.0, 145.0, 2)
    assert told(result_of(registrations=(registration(402, "rejected"),)))["IRA"].value == 0


def test_a_registration_that_still_waits_when_the_capture_ends_has_not_failed() -> None:
    waiting = registration(None, "no-response", start=T0)
    ended = (make_capture(last=T0 + 31 * S),)
    assert told(result_of(registrations=(waiting,), captures=ended))["IRA"].value == 0.0
    assert told(result_of(registrations=(waiting,)))["IRA"].value == 100.0


# ---- scopes
def test_by_pair_and_by_hour() -> None:
    hour = 3600 * S
    result = result_of(
        answered(), failed(404), answered(src=CAROL, start=T0 + hour), answered(T0 + hour),
        registrations=(registration(source=CAROL, start=T0 + hour),),
    )  # fmt: skip
    scopes = list(dict.fromkeys(each.scope for each in summarize_statistics(result)))
    assert scopes == [
        "all", "pair 10.0.0.1 > 10.0.0.2", "pair 10.0.0.3 > 10.0.0.2", "hour 2022-01-12T23:00Z",
        "hour 2022-01-13T00:00Z",
    ]  # fmt: skip
    assert values(result, "ASR", scope="pair 10.0.0.1 > 10.0.0.2") == [pytest.approx(200 / 3)]
    assert values(result, "ASR", "RRD mean", scope="pair 10.0.0.3 > 10.0.0.2") == [100.0, 50.0]
    assert values(result, "ASR", scope="hour 2022-01-12T23:00Z") == [50.0]
    assert values(result, "ASR", "IRA", scope="hour 2022-01-13T00:00Z") == [100.0, 0.0]
    assert "RRD mean" not in told(result, "pair 10.0.0.1 > 10.0.0.2"), "only what rests on something"


def test_scopes_are_bounded_and_nothing_is_lost() -> None:
    calls = [answered(T0 + n * 3600 * S, src=(f"10.1.0.{n}", 5060)) for n in range(1, 10)]
    result = result_of(*calls, answered(src=("10.1.0.9", 5060)), options=Options(max_statistics_scopes=3))
    found = [each for each in summarize_statistics(result) if each.metric == "calls"]
    assert [(each.scope, each.value) for each in found if each.scope.startswith(("pair", "other pairs"))] == [
        ("pair 10.1.0.9 > 10.0.0.2", 2), ("pair 10.1.0.1 > 10.0.0.2", 1), ("pair 10.1.0.2 > 10.0.0.2", 1),
        ("other pairs", 6),
    ]  # fmt: skip
    assert sum(each.value or 0 for each in found if "hour" in each.scope) == 10
    assert len([each for each in found if "hour" in each.scope]) == 4


# ---- counts, and the smallest
def test_methods_and_status_codes_are_counted() -> None:
    found = told(make_result())
    assert [(name, found[name].value) for name in found if name.startswith("method ")] == [
        ("method BYE", 1), ("method INVITE", 1), ("method REGISTER", 1),
    ]  # fmt: skip
    assert (found["status 200"].value, found["status 200"].basis) == (1, 1)
    assert found["method BYE"].basis == 3


def test_an_empty_capture_has_every_metric_and_no_value() -> None:
    found = summarize_statistics(empty_result())
    assert {each.basis for each in found} == {0}
    assert {each.value for each in found} == {None, 0.0}
    assert [each.metric for each in found if each.value == 0.0] == ["calls"]
    assert {each.metric for each in found} >= {
        "SER", "SEER", "ISA", "SCR", "SRD mean", "SRD p95", "SRD failed mean", "SRD failed p95", "SDD mean", "SDD p95",
        "SDT mean", "RRD mean", "RRD p95", "IRA", "ASR", "NER", "ACD", "PDD median", "PDD p95",
    }  # fmt: skip


def test_one_call() -> None:
    found = told(result_of(answered()))
    assert [found[name].value for name in ("SER", "SEER", "ISA", "SCR", "ASR", "NER")] == [100, 100, 0, 100, 100, 100]
    assert found["SRD p95"].value == 1.0


# ---- the twin
moment = st.integers(0, 20_000)
some_calls = st.one_of(
    st.builds(
        lambda start, ring, after, talk, src, silent: answered(
            T0 + start * S, ring=ring, after=after + (ring or 0), talk=talk, src=src,
            **({"bye_final": None} if silent else {}),
        ),
        st.integers(0, 9000), st.none() | moment, moment, moment, st.sampled_from([ALICE, CAROL]), st.booleans(),
    ),
    st.builds(
        lambda status, ring, after, src: failed(
            status, "redirected" if status < 400 else "cancelled" if status == 487 else "rejected", ring=ring,
            after=after + (ring or 0), src=src,
        ),
        st.sampled_from([301, 302, 401, 402, 403, 404, 407, 408, 480, 486, 487, 500, 503, 504, 600, 603, 606]),
        st.none() | moment, moment, st.sampled_from([ALICE, CAROL]),
    ),
    st.builds(failed, st.none(), st.sampled_from(["setup", "ringing", "failed", "cancelled"])),
    st.builds(lambda: dataclasses.replace(answered(), partial=True, start=None)),
)  # fmt: skip
some_registrations = st.builds(
    lambda status, start: registration(
        status, "no-response" if status is None else "registered" if status == 200 else "rejected", start=T0 + start * S
    ),
    st.sampled_from([None, 200, 401, 402, 403, 404, 407, 500, 603]), st.integers(0, 9010),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(some_calls, max_size=12), st.lists(some_registrations, max_size=6))
def test_the_figures_are_those_of_the_twin(calls: list[Call], registrations: list[Registration]) -> None:
    result = result_of(
        *calls, registrations=tuple(registrations), captures=(make_capture(first=T0, last=T0 + 9_040 * S),)
    )
    scopes: dict[str, Any] = {
        "all": (lambda call: True, lambda each: True),
        "pair 10.0.0.3 > 10.0.0.2": (lambda call: call.src == CAROL, lambda each: each.source == CAROL),
        "hour 2022-01-12T23:00Z": (
            lambda call: call.start < 1_642_032_000_000_000_000, lambda each: each.start < 1_642_032_000_000_000_000
        ),
    }  # fmt: skip
    for scope, wanted in scopes.items():
        twin = figures(result, *wanted)
        for metric, each in told(result, scope).items():
            if not metric.startswith(("method ", "status ")):
                value, basis = twin[metric]  # type: ignore[misc]
                assert (each.value, each.basis) == (pytest.approx(value), basis), (scope, metric)


# ---- whole captures
def analyzed(*parts: Said | list[Said]) -> Result:
    flat = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda each: each[0])]
    return analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), Options())


def test_a_challenged_call_is_one_session_and_its_authentication_counts() -> None:
    result = analyzed(
        invite(), *refused(50, 407), invite(100, n=2), said(600, "B>A", 180, n=2), taken(1600, n=2), gone(4600, n=3),
        until(60_000),
    )  # fmt: skip
    found = told(result)
    assert (found["SER"].value, found["SER"].basis) == (100.0, 1)
    assert found["SRD mean"].value == pytest.approx(0.6)
    assert found["SRD failed mean"].basis == 0
    assert found["SDT mean"].value == pytest.approx(3.0)
    assert found["SDD mean"].value == pytest.approx(15.0)


def test_a_redirected_call_that_succeeds_counts_from_its_first_invite() -> None:
    result = analyzed(invite(), *refused(50, 302), invite(100, n=2), taken(900, n=2), gone(4900, n=3), until(60_000))
    assert values(result, "SER", "SRD mean") == [100.0, pytest.approx(0.9)]


def test_a_fork_is_one_session() -> None:
    result = analyzed(
        invite(), said(100, "B>A", 180, tags="a b"), said(150, "B>A", 180, tags="a c"), taken(2000, tags="a c"),
        gone(5000, tags="a c"), until(60_000),
    )  # fmt: skip
    found = told(result)
    assert (found["SER"].basis, found["SRD mean"].value, found["SDT mean"].value) == (1, pytest.approx(0.1), 3.0)


def test_retransmissions_do_not_move_session_duration() -> None:
    result = analyzed(
        invite(), invite(500), taken(2000), said(2500, "B>A", 200), said(2520, "A>B", "ACK"),
        said(5000, "A>B", "BYE", n=2, branch="z9hG4bKx"), said(5500, "A>B", "BYE", n=2, branch="z9hG4bKx"),
        said(5510, "B>A", 200, "BYE", n=2, branch="z9hG4bKx"), until(60_000),
    )  # fmt: skip
    assert values(result, "SDT mean", "SDD mean") == [pytest.approx(3.0), pytest.approx(510.0)]


def test_a_cancelled_call() -> None:
    result = analyzed(
        invite(), said(200, "B>A", 180), cancelled(3000), *refused(3010, 487), until(60_000)
    )  # fmt: skip
    assert values(result, "SER", "SEER", "NER", "SRD failed mean") == [0, 0, 100.0, pytest.approx(0.2)]


def test_fifty_thousand_calls_take_less_than_two_seconds() -> None:
    """0.5 s here; the bound leaves room for a busy machine, and none for a loop within a loop."""
    calls = [
        answered(T0 + n * S, src=(f"10.{n % 7}.{n % 250}.{n % 13}", 5060)) if n % 3 else failed(486, "busy")
        for n in range(50_000)
    ]
    result = result_of(*calls)
    began = time.process_time()
    assert len(summarize_statistics(result)) > 1000
    assert time.process_time() - began < 2.0
