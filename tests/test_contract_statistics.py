"""The public contract's words on statistics and endpoints, checked on whole captures through the public interface.

Each story is told message by message (:mod:`tests.said`), each figure worked out by hand beside it; times are in ms.
"""

from __future__ import annotations

import datetime
import io
import itertools
import math
from typing import Any

import pytest

import sipanalyzer
from tests.builders import START_NS, Packet, pcap_bytes
from tests.said import Said, invite, said, until

Rows = list[dict[str, Any]]


def read(*given: Said | list[Said], **options: Any) -> sipanalyzer.Analysis:
    flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
    return sipanalyzer.analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), **options)


def rows(analysis: sipanalyzer.Analysis, name: str) -> Rows:
    found: Rows = getattr(analysis, name).astype(object).where(getattr(analysis, name).notna(), None).to_dict("records")
    return found


def values(analysis: sipanalyzer.Analysis, scope: str = "all") -> dict[str, tuple[float | None, int]]:
    return {
        row["metric"]: (row["value"], row["basis"]) for row in rows(analysis, "statistics") if row["scope"] == scope
    }


def call(
    at: float,
    call_id: str,
    *,
    rings: float | None = None,
    answers: float | None = None,
    status: int = 200,
    talks: float | None = None,
    way: str = "A>B",
    n: int = 1,
    to: str = "b",
    bye_answered: bool = True,
    after: list[Said] | None = None,
) -> list[Said]:
    """A call: INVITE, 180, final response and its ACK, BYE `talks` ms after the answer; times after `at`."""
    back = f"{way[2]}>{way[0]}"
    more: dict[str, Any] = {"call_id": call_id}
    told = [invite(at, n, way=way, **more)]
    if rings is not None:
        told.append(said(at + rings, back, 180, n=n, tags=f"a {to}", **more))
    if answers is not None:
        told.append(said(at + answers, back, status, n=n, tags=f"a {to}", **more))
        own = {"branch": f"z9hG4bK{n}INVITE" + "".join(sorted((way[0], way[2])))} if status >= 300 else {}
        told.append(said(at + answers + 10, way, "ACK", n=n, tags=f"a {to}", **more, **own))
    if talks is not None and answers is not None:
        end = at + answers + talks
        told.append(said(end, way, "BYE", n=n + 7, tags=f"a {to}", **more))
        if bye_answered:
            told.append(said(end + 15, back, 200, "BYE", n=n + 7, tags=f"a {to}", **more))
    return told + (after or [])


HOUR = 3_600_000.0


def story() -> list[Said]:
    """Thirteen calls and five registrations; the second half an hour later."""
    told: list[Said] = []
    told += call(0, "plain", rings=1000, answers=3000, talks=60_000)
    told += call(0, "asked", answers=40, status=407)
    told += [
        invite(60, 2, call_id="asked"), said(1500, "B>A", 183, n=2, call_id="asked"),
        said(4000, "B>A", 200, n=2, call_id="asked"), said(4010, "A>B", "ACK", n=2, call_id="asked"),
        said(34_000, "A>B", "BYE", n=3, call_id="asked"), said(34_015, "B>A", 200, "BYE", n=3, call_id="asked"),
    ]  # fmt: skip
    told += call(0, "elsewhere", answers=50, status=302, to="x")
    told += call(80, "elsewhere", n=2, way="A>C", rings=1920, answers=2920, talks=10_000, to="c")
    told += call(0, "moved", answers=60, status=301)
    told += call(HOUR, "busy", rings=300, answers=5000, status=486)
    told += call(HOUR, "down", answers=100, status=503)
    told += call(HOUR, "given up", rings=400)
    told += [
        said(HOUR + 4000, "A>B", "CANCEL", tags="a", branch="z9hG4bK1INVITEAB", call_id="given up"),
        said(HOUR + 4005, "B>A", 200, "CANCEL", branch="z9hG4bK1INVITEAB", call_id="given up"),
        said(HOUR + 4020, "B>A", 487, call_id="given up"),
        said(HOUR + 4022, "A>B", "ACK", branch="z9hG4bK1INVITEAB", call_id="given up"),
    ]  # fmt: skip
    told += [invite(HOUR + at, call_id="silence") for at in (0, 500, 1500, 3500)]
    told += call(HOUR, "up", answers=2000)
    told += call(HOUR, "no goodbye", answers=1000, talks=10_000, bye_answered=False)
    told += [said(HOUR + 20_000, "B>A", "BYE", n=9, tags="z y", call_id="partial")]
    told += call(HOUR, "fork", rings=500, answers=2500, talks=10_000, to="c")
    told += [said(HOUR + 800, "B>A", 180, tags="a d", call_id="fork")]
    told += [invite(HOUR + 79_000, call_id="late"), said(HOUR + 79_010, "B>A", 100, tags="a", call_id="late")]
    for name, at, statuses in (
        ("r1", 0.0, (401, 200)), ("r2", 0.0, (403,)), ("r3", HOUR, (401,)), ("r4", HOUR, ()), ("r5", HOUR, (423, 200)),
    ):  # fmt: skip
        told += [said(at, "C>B", "REGISTER", tags="a", call_id=name, h=["Contact: <sip:c@192.0.2.3>"])]
        for n, status in enumerate(statuses, start=1):
            if n > 1:
                told += [
                    said(at + 60, "C>B", "REGISTER", n=n, tags="a", call_id=name, h=["Contact: <sip:c@192.0.2.3>"])
                ]
            ends = {"r1": 130.0, "r5": 70.0}.get(name, 30.0) if status == 200 else 20.0
            told += [said(at + ends, "B>C", status, "REGISTER", n=n, call_id=name)]
    return [*told, until(HOUR + 80_000)]


@pytest.fixture(scope="module")
def told() -> sipanalyzer.Analysis:
    return read(story())


ALL = {
    # 12 requests: the partial one is none; 6 answered, 1 redirected, 1 without outcome yet
    "calls": (12.0, 12),
    "SER": (100 * 6 / 11, 11),
    "SEER": (100 * 7 / 11, 11),  # and 486
    "ISA": (100 * 1 / 12, 12),  # 503
    "SCR": (100 * 4 / 12, 12),  # one is up, one BYE drew nothing
    "ASR": (100 * 6 / 11, 11),
    "NER": (100 * 8 / 11, 11),  # 486 and 487
    # plain 1, asked 1.5, elsewhere 2, up 2, no goodbye 1, fork 0.5
    "SRD mean": (8 / 6, 6),
    "SRD p95": (2.0, 6),
    # busy 0.3, down 0.1, given up 0.4
    "SRD failed mean": (0.8 / 3, 3),
    "SRD failed p95": (0.39, 3),
    "SDD mean": (15.0, 4),
    "SDT mean": (110 / 4, 4),
    "SDT failed mean": (42.0, 1),  # 10 s of talk and 64*T1
    "ACD": (120 / 5, 5),
    "PDD median": (1000.0, 8),  # 300 400 500 1000 1000 1500 2000 2000
    "PDD p95": (2000.0, 8),
    "RRD mean": (100.0, 2),  # 130 and 70
    "IRA": (40.0, 5),  # 403 and silence, no 401
    "method BYE": (6.0, 51),
    "status 407": (1.0, 38),
}


@pytest.mark.parametrize("metric", ALL)
def test_every_figure_of_the_story(told: sipanalyzer.Analysis, metric: str) -> None:
    value, basis = ALL[metric]
    found = values(told)[metric]
    assert found[0] == pytest.approx(value, abs=1e-6)
    if not metric.startswith(("method", "status")):
        assert found[1] == basis


def test_the_two_hours_add_up(told: sipanalyzer.Analysis) -> None:
    scopes = list(dict.fromkeys(row["scope"] for row in rows(told, "statistics")))
    hours = [scope for scope in scopes if scope.startswith("hour")]
    begin = datetime.datetime.fromtimestamp(START_NS // 10**9, datetime.UTC)
    assert hours == [f"hour {begin + datetime.timedelta(hours=h):%Y-%m-%dT%H:00Z}" for h in (0, 1)]
    first, second = (values(told, hour) for hour in hours)
    assert (first["calls"][0], second["calls"][0]) == (4.0, 8.0)
    assert (first["ASR"], second["ASR"]) == ((75.0, 4), (pytest.approx(100 * 3 / 7), 7))
    assert first["SER"] == (100.0, 3)
    assert (first["IRA"], second["IRA"]) == ((50.0, 2), (pytest.approx(100 / 3), 3))


def test_pairs_are_who_sent_the_first_invite_and_who_received_it(told: sipanalyzer.Analysis) -> None:
    pairs = {row["scope"] for row in rows(told, "statistics") if row["scope"].startswith("pair")}
    assert pairs == {"pair 192.0.2.1 > 192.0.2.2", "pair 192.0.2.3 > 192.0.2.2"}
    assert values(told, "pair 192.0.2.1 > 192.0.2.2")["calls"][0] == 12.0
    assert values(told, "pair 192.0.2.3 > 192.0.2.2")["IRA"] == (40.0, 5)


def test_every_measure_says_what_a_capture_in_mid_path_misses(told: sipanalyzer.Analysis) -> None:
    notes = {row["metric"]: row["note"] or "" for row in rows(told, "statistics")}
    for metric in ("SRD mean", "SER", "SEER", "ISA", "SCR", "RRD mean", "SDD mean", "SDT mean", "IRA"):
        assert "capture point" in notes[metric], metric


def test_the_statistics_are_those_of_the_table_of_calls(told: sipanalyzer.Analysis) -> None:
    """Recomputed with pandas from the public columns alone."""
    calls = told.calls
    whole = calls[~calls.partial]
    decided = whole[~whole.state.isin(["setup", "ringing"])]
    up = whole.state.isin(["completed", "in-call"])
    found = values(told)
    assert found["ASR"][0] == pytest.approx(100 * up.sum() / len(decided))
    reached = up | whole.status_code.isin([480, 486, 487, 600, 603])
    assert found["NER"][0] == pytest.approx(100 * reached.sum() / len(decided))
    assert found["SER"][0] == pytest.approx(100 * up.sum() / (len(whole) - (whole.state == "redirected").sum()))
    assert found["ACD"][0] == pytest.approx(whole[whole.state == "completed"].duration_s.mean())
    assert found["PDD median"][0] == pytest.approx(whole.post_dial_delay_ms.quantile(0.5))
    assert found["PDD p95"][0] == pytest.approx(whole.post_dial_delay_ms.quantile(0.95))


def test_states_of_the_story(told: sipanalyzer.Analysis) -> None:
    states = {row["call_id"]: row["state"] for row in rows(told, "calls")}
    assert states == {
        "plain": "completed", "asked": "completed", "elsewhere": "completed", "moved": "redirected", "busy": "busy",
        "down": "failed", "given up": "cancelled", "silence": "failed", "up": "in-call", "no goodbye": "completed",
        "partial": "completed", "fork": "completed", "late": "setup",
    }  # fmt: skip


def test_nothing_gives_every_metric_without_a_value() -> None:
    found = values(read(until(0)))
    assert {"SER", "SEER", "ISA", "SCR", "ASR", "NER", "ACD", "SRD mean", "RRD mean", "IRA"} <= set(found)
    assert found.pop("calls") == (0.0, 0)
    assert {value for value, _ in found.values()} == {None}


# ---- endpoints
def endpoints(*given: Said | list[Said]) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in rows(read(*given), "endpoints")}


A, B, C, P = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9"


def test_figures_of_each_address(told: sipanalyzer.Analysis) -> None:
    found = {row["address"]: row for row in rows(told, "endpoints")}
    assert sum(row["messages_sent"] for row in found.values()) == len(told.messages)
    assert sum(row["messages_received"] for row in found.values()) == len(told.messages)
    assert (found[A]["roles"], found[C]["roles"]) == ("UAC", "UAC,UAS")
    assert set(found[B]["roles"].split(",")) == {"UAS", "registrar", "redirect"}
    # of 13 calls 6 were answered from their INVITE on and one before the capture; one has no outcome
    assert (found[A]["calls"], found[A]["answered"]) == (13, 7)
    assert found[A]["asr_percent"] == pytest.approx(100 * 6 / 11)
    assert (found[C]["calls"], found[C]["answered"], found[C]["asr_percent"]) == (1, 1, 100.0)
    assert found[A]["retransmissions"] == 3


def test_response_times_are_those_of_who_answers() -> None:
    """Four requests to B: first responses after 20, 40, 60 and 1000 ms."""
    given = [said(k * 2000, "A>B", "OPTIONS", tags="a", call_id=f"o{k}") for k in range(4)]
    given += [
        said(k * 2000 + after, "B>A", 200, "OPTIONS", call_id=f"o{k}") for k, after in enumerate((20, 40, 60, 1000))
    ]
    found = endpoints(given)
    assert (found[B]["mean_response_ms"], found[A]["mean_response_ms"]) == (280.0, None)
    assert found[B]["p95_response_ms"] == pytest.approx(60 + 0.85 * 940)
    assert (found[A]["roles"], found[B]["roles"]) == ("UAC", "UAS")


def through_proxy(call_id: str = "c1") -> list[Said]:
    below = ["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabove"]
    more: dict[str, Any] = {"call_id": call_id}
    return [
        invite(0, way="A>P", **more), said(1, "P>A", 100, tags="a", **more),
        said(3, "P>B", "INVITE", tags="a", h=below, **more), said(40, "B>P", 180, **more), said(42, "P>A", 180, **more),
        said(2000, "B>P", 200, **more), said(2002, "P>A", 200, **more), said(2010, "A>P", "ACK", **more),
        said(2012, "P>B", "ACK", **more), said(9000, "B>P", "BYE", n=5, tags="b a", back=True, **more),
        said(9002, "P>A", "BYE", n=5, tags="b a", back=True, **more),
        said(9010, "A>P", 200, "BYE", n=5, tags="b a", back=True, **more),
        said(9012, "P>B", 200, "BYE", n=5, tags="b a", back=True, **more),
    ]  # fmt: skip


def test_a_proxy_is_one_and_its_neighbours_are_user_agents() -> None:
    found = endpoints(through_proxy())
    assert [found[each]["roles"] for each in (A, P, B)] == ["UAC", "proxy", "UAS"]
    assert [found[each]["calls"] for each in (A, P, B)] == [1, 1, 1]


def test_a_box_that_ends_one_call_and_begins_another_is_a_b2bua() -> None:
    given = call(0, "near", way="A>P", rings=500, answers=2000, talks=9000)
    given += call(20, "far", way="P>B", rings=400, answers=1900, talks=9010, to="f")
    found = endpoints(given)
    assert found[P]["roles"] == "UAC,UAS,B2BUA"
    assert (found[P]["calls"], found[A]["calls"], found[B]["calls"]) == (2, 1, 1)


def test_who_only_redirects_and_who_only_registers() -> None:
    given = call(0, "moved", answers=60, status=302)
    given += [said(0, "A>C", "REGISTER", tags="a", call_id="r"), said(9, "C>A", 401, "REGISTER", call_id="r")]
    found = endpoints(given)
    assert (found[B]["roles"], found[C]["roles"], found[A]["roles"]) == ("redirect", "registrar", "UAC")


def test_products_are_what_an_address_calls_itself() -> None:
    found = endpoints(
        invite(0, h=["User-Agent: Phone 1.0"]), said(9, "B>A", 486, h=["Server: Box/2"]),
        invite(5000, call_id="c2", h=["User-Agent: Phone 1.0"]), invite(6000, call_id="c3", h=["User-Agent: Other"]),
    )  # fmt: skip
    assert (found[A]["products"], found[B]["products"]) == ("Phone 1.0,Other", "Box/2")


def test_nothing_in_the_statistics_is_infinite_or_not_a_number_in_disguise(told: sipanalyzer.Analysis) -> None:
    for row in rows(told, "statistics"):
        assert row["value"] is None or math.isfinite(row["value"])
