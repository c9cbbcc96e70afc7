"""Findings altogether: their order, clean captures, hostile ones, and that every code can be explained."""

from __future__ import annotations

import ast
import dataclasses
import io
import pathlib
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.explanations import explanations
from sipanalyzer.facts import SEVERITIES, Finding
from sipanalyzer.findings import engine, rules
from sipanalyzer.findings.context import MAX_FRAMES, Context
from sipanalyzer.findings.engine import codes_of_call, codes_of_stream, find_findings
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.builders import START_NS
from tests.findings.scenes import again, capture, found, only, result
from tests.findings.test_signalling import CASES, TIMER_A, nobody_there, plain, silent_probes
from tests.said import gone, invite, refused, said, taken, until

PACKAGE = pathlib.Path(sipanalyzer.__file__).parent / "findings"
SAMPLES = pathlib.Path(__file__).parents[2] / "sample_pcaps"
SAMPLE_FILES: list[dict[str, Any]] = tomllib.loads((SAMPLES / "expected.toml").read_text(encoding="utf-8"))["file"]


def raisable_codes() -> set[str]:
    """The code in every ``finding(code, ...)`` and ``_refusal(context, code, ...)`` of the rules that are run."""
    codes = set()
    for name in {rule.__module__ for rule in rules.ALL}:
        path = PACKAGE / f"{name.rpartition('.')[2]}.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given_ = {"finding": node.args[:1], "_refusal": node.args[1:2]}.get(called, [])
                codes |= {arg.value for arg in given_ if isinstance(arg, ast.Constant)}
    return codes


def test_every_code_that_can_be_raised_is_explained() -> None:
    assert len(raisable_codes()) > 20
    assert raisable_codes() <= set(explanations("finding"))


def test_every_code_about_signalling_has_a_case() -> None:
    mine = {
        "retransmissions", "missing-ack", "missing-prack", "missing-bye", "unanswered-request", "high-post-dial-delay",
        "session-timer-expiry", "call-rejected", "server-error", "auth-failure", "registration-failure", "routing-loop",
        "reinvite-failed", "held", "transferred", "t38-fax", "early-media", "fragmented-sip", "pager-limit-exceeded",
        "malformed-sip", "scanner",
    }  # fmt: skip
    assert {code for code, _, _ in CASES.values()} == mine <= raisable_codes()


@pytest.mark.parametrize("entry", SAMPLE_FILES, ids=lambda entry: entry["name"])
def test_a_sample_has_no_error_but_what_is_broken_in_it(entry: dict[str, Any]) -> None:
    errors = {each.code for each in find_findings(analyze(str(SAMPLES / entry["name"]))) if each.severity == "error"}
    assert errors == {row["code"] for row in entry.get("findings", ()) if row["severity"] == "error"}


CLEAN_OF_OTHERS = (
    "NormB__sipnab__sip-proxy.pcap", "NormB__sipnab__sip_call.pcap", "open5gs__open5gs__volte.pcapng",
    "NormB__sipnab__b2bua-asterisk.pcapng", "SECCON__SECCON2016_online_CTF__voip.pcap",
    "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng", "NormB__sipnab__sip-sdp-example.pcap",
)  # fmt: skip


@pytest.mark.parametrize("name", CLEAN_OF_OTHERS)
def test_signalling_of_clean_captures_by_others_has_no_error(corpus: pathlib.Path, name: str) -> None:
    signalling = {code for code, _, _ in CASES.values()}
    errors = {each.code for each in find_findings(analyze(str(corpus / name))) if each.severity == "error"}
    assert not errors & signalling


# ---- order


def test_findings_of_no_call_come_first_then_call_by_call() -> None:
    script = [
        *again(invite(5000, call_id="late"), *(5000 + ms for ms in TIMER_A)), invite(call_id="early"),
        *refused(300, 403, call_id="early"), said(100, "A>C", "PUBLISH", tags="p", call_id="p"),
        said(110, "C>A", 500, "PUBLISH", tags="p q", call_id="p"), until(90_000),
    ]  # fmt: skip
    assert [each.call_id for each in find_findings(result(script))] == [None, "early", "late"]


def test_a_calls_findings_are_ordered_by_likelihood_then_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(context: Context) -> list[Finding]:
        def one(code: str, likelihood: int, severity: str) -> Finding:
            return context.finding(code, "It is so.", call="c1", likelihood=likelihood, severity=severity)

        return [one("held", 5, "info"), one("missing-bye", 30, "info"), one("sip-alg", 30, "error")]

    monkeypatch.setattr(engine, "ALL", (rule,))
    assert [each.code for each in find_findings(plain())] == ["sip-alg", "missing-bye", "held"]


def test_a_consequence_stands_behind_its_cause_however_likely_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(context: Context) -> list[Finding]:
        def one(code: str, likelihood: int, **words: Any) -> Finding:
            return context.finding(code, "It is so.", call="c1", likelihood=likelihood, **words)

        silent = one("unanswered-request", 82, causes=("icmp-unreachable",))
        chain = [one("server-error", 85), silent, one("icmp-unreachable", 20)]
        return [*chain, one("held", 5), one("missing-bye", 30)]

    monkeypatch.setattr(engine, "ALL", (rule,))
    found = find_findings(result(invite(), refused(300, 503), until(60_000)))
    codes = [each.code for each in found]
    assert codes == ["missing-bye", "icmp-unreachable", "unanswered-request", "server-error", "held"]
    assert all(0 <= each.likelihood <= 100 for each in found)


def test_the_order_of_rules_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = result(
        again(invite(), *TIMER_A), said(40_000, "B>A", 503), invite(50_000, call_id="two"), refused(50_100, 404),
        until(99_000),
    )  # fmt: skip
    forward = find_findings(seen)
    monkeypatch.setattr(engine, "ALL", rules.ALL[::-1])
    assert find_findings(seen) == forward


def test_an_exception_in_a_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Context) -> list[Finding]:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "ALL", (broken,))
    with pytest.raises(ZeroDivisionError):
        find_findings(plain())


# ---- codes of calls and streams


def test_codes_are_listed_once_in_the_order_of_findings() -> None:
    def one(code: str, **more: Any) -> Finding:
        return Finding(code, "info", "", "", **more)

    findings = [one("b", call_id="x", stream=3), one("a", call_id="x"), one("b", call_id="x", stream=3), one("c")]
    assert codes_of_call(findings) == {"x": ["b", "a"]}
    assert codes_of_stream(findings) == {3: ["b"]}


# ---- evidence


def test_a_finding_names_ten_frames_at_most() -> None:
    script = [
        [
            said(k * 100, "A>C", "PUBLISH", n=k + 1, tags="p", call_id=f"p{k}"),
            said(k * 100 + 5, "C>A", 500, "PUBLISH", n=k + 1, tags="p q", call_id=f"p{k}"),
        ]
        for k in range(300)
    ]
    finding = only(result(*script), "server-error")
    assert finding.frames == tuple(range(2, 2 + 2 * MAX_FRAMES, 2))
    assert "300 times" in finding.explanation


def test_frames_are_those_of_one_capture() -> None:
    copies = again(invite(), *TIMER_A)
    seen = analyze([io.BytesIO(capture(*copies[:3])), io.BytesIO(capture(*copies[3:], until(70_000)))])
    finding = only(seen, "unanswered-request")
    assert (finding.capture, finding.frames) == (0, (1, 2, 3))


# ---- time that was watched


def test_files_that_follow_each_other_are_watched_to_the_end_of_the_last() -> None:
    seen = plain()
    one = seen.captures[0]
    second = 1_000_000_000

    def spanning(*spans: tuple[float, float] | None) -> tuple[int, ...]:
        captures = tuple(
            dataclasses.replace(one, first=None, last=None)
            if span is None
            else dataclasses.replace(one, first=round(span[0] * second), last=round(span[1] * second))
            for span in spans
        )
        return tuple(end // second for end in Context(dataclasses.replace(seen, captures=captures)).watched_until)

    assert spanning((0, 10), (10.5, 20), (20.9, 30)) == (30, 30, 30)
    assert spanning((20.9, 30), None, (0, 10), (10.5, 20)) == (30, 0, 30, 30)
    assert spanning((0, 10), (11.5, 20)) == (10, 20)
    assert spanning((0, 50), (10, 20), (30, 40)) == (50, 50, 50)


def test_a_capture_of_another_day_does_not_make_a_request_wait() -> None:
    ping = said(0, "A>C", "OPTIONS", tags="o", call_id="ping")
    heard = said(-5000, "C>A", "OPTIONS", tags="x", call_id="other")
    answer = said(-4990, "A>C", 200, "OPTIONS", tags="x y", call_id="other")
    first = capture(heard, answer, ping, until(2000))
    later = capture(until(86_400_000), until(86_500_000))
    assert "unanswered-request" not in found(analyze([io.BytesIO(first), io.BytesIO(later)]))
    assert "unanswered-request" in found(analyze(io.BytesIO(capture(heard, answer, ping, until(40_000)))))


# ---- what may be written into a capture


def busy_scene() -> bytes:
    body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=image 4500 udptl t38\r\n"
    return capture(
        again(invite(h=["Replaces: x;to-tag=1;from-tag=2", "Session-Expires: 90"], body=body), 500, 1500, 3500),
        again(said(3600, "B>A", 183, h=["Require: 100rel", "RSeq: 5"]), 4200, 5300),
        taken(6000, h=["Session-Expires: 90"], body=body),
        said(7000, "A>B", "INVITE", n=2, body=body + b"a=sendonly\r\n"), refused(7100, 488, n=2),
        said(8000, "A>B", "REFER", n=3, h=["Refer-To: <sip:c@c.example>"]), said(8010, "B>A", 202, "REFER", n=3),
        said(8500, "B>A", "NOTIFY", tags="b a", back=True, body=b"SIP/2.0 486 Busy", kind="message/sipfrag"),
        gone(66_000, n=9), again(said(70_000, "A>C", "OPTIONS", tags="o", call_id="o"), 70_500, 71_500, 73_500),
        until(120_000),
    )  # fmt: skip


BUSY = busy_scene()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(40, len(BUSY) - 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_damaged_captures_are_judged_without_an_exception(changes: list[tuple[int, int]]) -> None:
    data = bytearray(BUSY)
    for place, value in changes:
        data[place] = value
    for each in find_findings(analyze(io.BytesIO(bytes(data)))):
        assert each.severity in SEVERITIES
        assert len(each.frames) <= MAX_FRAMES
        assert len(each.explanation) < 4000


VALUES = st.one_of(
    st.sampled_from(
        ["", ",", "<", '"', ";;;", "90", "99999999999999999999", "-1", "1 1 INVITE", "\t\r\n x", "<sip:a@b"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30),
)
HEADERS = ("Session-Expires", "RSeq", "RAck", "Refer-To", "Replaces", "Route", "Via", "Max-Forwards", "User-Agent")


@settings(max_examples=60)
@given(st.fixed_dictionaries(dict.fromkeys(HEADERS, VALUES)), st.binary(max_size=60), st.integers(200, 699))
def test_hostile_headers_are_judged_without_an_exception(values: dict[str, str], body: bytes, status: int) -> None:
    headers = [f"{name}: {value}" for name, value in values.items()]
    more: dict[str, Any] = {"h": ["Require: 100rel", *headers]}
    description = b"v=0\r\nm=image 1 udptl t38\r\n" + body
    data = capture(
        invite(way="A>P", body=description, **more), invite(5, way="P>B", body=description, **more),
        invite(9, way="B>P", branch="z9hG4bKr", body=description, **more),
        again(said(50, "P>A", 183, **more), 600, 1700, 3000), said(1800, "A>P", "PRACK", n=2, **more),
        said(4000, "P>A", 200, body=description, **more),
        said(5000, "A>P", "INVITE", n=3, body=description, **more), said(5100, "P>A", status, n=3, **more),
        said(6000, "A>P", "REFER", n=4, **more), said(6010, "P>A", 202, "REFER", n=4),
        said(6100, "P>A", "NOTIFY", tags="b a", back=True, body=b"SIP/2.0 " + body, kind="message/sipfrag"),
        said(95_000, "A>P", "BYE", n=9, **more), said(95_010, "P>A", status, "BYE", n=9),
    )  # fmt: skip
    for each in find_findings(analyze(io.BytesIO(data))):
        assert each.explanation and len(each.explanation) < 4000


def test_the_undamaged_scene_is_full_of_findings() -> None:
    codes = set(found(analyze(io.BytesIO(BUSY))))
    assert {"reinvite-failed", "transferred", "t38-fax", "missing-prack", "unanswered-request"} <= codes


def test_an_empty_result_has_no_findings() -> None:
    assert find_findings(result(until(0))) == ()


def test_a_result_put_together_by_hand_is_judged() -> None:
    """Without captures, and with facts that name messages that are not there."""
    seen: Result = dataclasses.replace(nobody_there(), captures=(), extra={"fragmented": {0, 10_000, -5}})
    assert next(iter(find_findings(seen))).code == "unanswered-request"


def test_clock_of_findings_is_the_messages() -> None:
    finding = only(silent_probes(), "unanswered-request")
    assert finding.time == START_NS + 20_000_000_000


@pytest.mark.parametrize("calls", [400])
def test_many_refused_calls_cost_little_each(calls: int) -> None:
    """Linear: every call has its finding, none looks at all the others."""
    import time

    def cost(count: int) -> float:
        script = [
            each
            for k in range(count)
            for each in (
                invite(k * 10, call_id=f"k{k}", tags=f"a{k}"),
                said(k * 10 + 5, "B>A", 404, call_id=f"k{k}", tags=f"a{k} b{k}"),
            )
        ]
        seen = result(script)
        best = 1e9
        for _ in range(3):
            begin = time.perf_counter()
            assert len([each for each in find_findings(seen) if each.code == "call-rejected"]) == count
            best = min(best, time.perf_counter() - begin)
        return best

    assert cost(8 * calls) < 30 * cost(calls)
