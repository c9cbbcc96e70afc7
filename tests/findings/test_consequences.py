"""What explains what: consequences name their cause, and severity is not lost on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.explanations import explanations
from sipanalyzer.facts import SEVERITIES, Finding
from sipanalyzer.findings.consequences import CONSEQUENCES, settle_consequences

CODES = sorted({code for each in CONSEQUENCES for code in (each.code, *each.causes)})


def finding(code: str, severity: str = "warning", call: str | None = "c", **more: object) -> Finding:
    return Finding(code, severity, "It is so.", "Do something.", call_id=call, **more)  # type: ignore[arg-type]


def shown(*findings: Finding, answered: tuple[str, ...] = ()) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.code: (each.severity, each.causes) for each in settle_consequences(findings, answered)}


def test_no_media_after_a_488_is_no_finding_of_its_own() -> None:
    assert shown(finding("call-rejected"), finding("no-media", "error")) == {"call-rejected": ("error", ())}


def test_a_refused_request_within_an_answered_call_explains_no_silence() -> None:
    codes = shown(finding("server-error"), finding("one-way-audio", "error"), answered=("c",))
    assert codes == {"server-error": ("warning", ()), "one-way-audio": ("error", ())}


def test_a_poor_stream_is_told_by_its_loss() -> None:
    codes = shown(finding("high-loss", stream=1), finding("low-mos", "error", stream=1))
    assert codes == {"high-loss": ("error", ()), "low-mos": ("info", ("high-loss",))}


def test_loss_of_another_stream_explains_nothing() -> None:
    codes = shown(finding("high-loss", stream=1), finding("low-mos", "error", stream=2))
    assert codes["low-mos"] == ("error", ())


def test_findings_of_another_call_explain_nothing() -> None:
    assert shown(finding("codec-mismatch", call="d"), finding("no-media", "error"))["no-media"] == ("error", ())


def test_a_likely_cause_is_named_and_takes_nothing_away() -> None:
    codes = shown(finding("nat-mismatch", "info"), finding("one-way-audio", "error"))
    assert codes == {"nat-mismatch": ("info", ()), "one-way-audio": ("error", ("nat-mismatch",))}


def test_severity_goes_to_the_end_of_a_chain() -> None:
    """503, since the next hop did not answer, since ICMP says that nobody listens there."""
    findings = [
        finding("server-error", "error"),
        finding("unanswered-request", "warning", causes=("icmp-unreachable",)),
        finding("icmp-unreachable", "warning"),
    ]
    for order in (findings, findings[::-1]):
        codes = shown(*order)
        assert codes["icmp-unreachable"][0] == "error"
        assert codes["server-error"][0] == codes["unanswered-request"][0] == "info"


def test_a_cause_that_the_rule_suspected_counts_only_where_it_was_found() -> None:
    assert shown(finding("unanswered-request", causes=("icmp-unreachable",))) == {"unanswered-request": ("warning", ())}
    both = shown(finding("unanswered-request"), finding("icmp-unreachable"))
    assert both["unanswered-request"] == ("warning", ())


def test_a_scanner_stays_named() -> None:
    assert shown(finding("unanswered-request", "info", causes=("scanner",)))["unanswered-request"][1] == ("scanner",)


def test_every_code_of_the_table_is_explained() -> None:
    assert set(CODES) <= set(explanations("finding"))


def test_nothing_that_takes_a_finding_away_explains_itself() -> None:
    """Without circles there is always a finding left that answers for the others."""
    edges = {each.code: set[str]() for each in CONSEQUENCES}
    for each in CONSEQUENCES:
        if each.way != "named":
            edges[each.code] |= set(each.causes)
    open_, closed = set[str](), set[str]()

    def visit(code: str) -> None:
        assert code not in open_, f"{code} explains itself"
        if code in closed:
            return
        open_.add(code)
        for cause in edges.get(code, ()):
            visit(cause)
        open_.discard(code)
        closed.add(code)

    for code in edges:
        visit(code)


findings_ = st.builds(
    finding,
    st.sampled_from(CODES),
    st.sampled_from(SEVERITIES),
    st.sampled_from(["c", "d", None]),
    stream=st.sampled_from([None, 1, 2]),
    causes=st.lists(st.sampled_from(CODES), max_size=2).map(tuple),
)


@given(st.lists(findings_, max_size=12), st.sampled_from([(), ("c",), ("c", "d")]))
def test_a_call_in_trouble_keeps_its_worst_severity(given_: list[Finding], answered: tuple[str, ...]) -> None:
    kept = settle_consequences(given_, answered)
    assert len(kept) <= len(given_)
    for call in ("c", "d", None):
        before = [SEVERITIES.index(each.severity) for each in given_ if each.call_id == call]
        after = [SEVERITIES.index(each.severity) for each in kept if each.call_id == call]
        if call is not None or not any(each.stream is not None for each in given_):
            assert min(before, default=9) == min(after, default=9)
