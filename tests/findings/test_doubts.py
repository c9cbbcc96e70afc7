"""What a defect of the capture makes doubtful says so, where the two meet."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sipanalyzer.explanations import explanations
from sipanalyzer.facts import Finding, Outage
from sipanalyzer.findings.context import Context
from sipanalyzer.findings.doubts import DOUBTS, mark_doubtful
from sipanalyzer.findings.engine import find_findings
from sipanalyzer.result import Result
from tests.builders import START_NS
from tests.findings.scenes import again, found, result
from tests.findings.test_signalling import TIMER_A, answer_unacknowledged, nobody_there, rang_after, talk
from tests.said import invite, until

S = 1_000_000_000


def finding(code: str, severity: str = "error", **more: Any) -> Finding:
    return Finding(code, severity, "It is so.", "Do something.", **{"capture": 0, "time": START_NS, **more})


def damaged(seen: Result, **facts: Any) -> Result:
    return dataclasses.replace(seen, captures=(dataclasses.replace(seen.captures[0], **facts),))


def judged(seen: Result, *findings: Finding) -> list[tuple[str, bool]]:
    return [(each.severity, each.doubtful is not None) for each in mark_doubtful(findings, Context(seen))]


def test_a_clean_capture_makes_nothing_doubtful() -> None:
    assert all(each.doubtful is None for each in find_findings(nobody_there()))


def test_one_step_of_severity_is_lost_however_many_doubts() -> None:
    seen = damaged(answer_unacknowledged(), dropped=50, clock_steps=1)
    (each,) = found(seen)["missing-ack"]
    assert (each.severity, each.doubtful) == ("warning", "the capture itself lost packets")
    both = damaged(nobody_there(), dropped=50, clock_steps=1)
    (each,) = found(both)["unanswered-request"]
    assert each.severity == "warning"
    assert each.doubtful == "the capture itself lost packets; the capture's clock was set back"


def test_what_a_rule_called_doubtful_is_not_lowered_again() -> None:
    seen = damaged(nobody_there(), dropped=50)
    assert judged(seen, finding("missing-ack", "warning", call_id="c1", doubtful="so it is")) == [("warning", True)]


def test_information_stays_information() -> None:
    seen = damaged(nobody_there(), dropped=50)
    assert judged(seen, finding("missing-ack", "info", call_id="c1")) == [("info", True)]


def test_a_refusal_is_never_doubtful() -> None:
    seen = damaged(nobody_there(), dropped=50, clock_steps=1, damage="cut", duplicated_percent=100.0, cut_packets=3)
    assert judged(seen, finding("call-rejected", call_id="c1")) == [("error", False)]


def test_few_drops_among_many_packets_are_none() -> None:
    seen = damaged(nobody_there(), dropped=5, packets=1_000_000)
    assert judged(seen, finding("missing-ack", call_id="c1")) == [("error", False)]


@pytest.mark.parametrize(("begin", "doubtful"), [(-5, False), (1, True), (9, True), (200, False)])
def test_a_hole_counts_for_the_calls_of_its_time(begin: int, doubtful: bool) -> None:
    """The call runs from 0 to 17 s."""
    seen = damaged(rang_after(8000)(), holes=((START_NS + begin * S, START_NS + begin * S + S // 2),))
    assert judged(seen, finding("missing-prack", call_id="c1")) == [("warning" if doubtful else "error", doubtful)]


def test_a_hole_after_a_call_counts_for_what_never_came() -> None:
    seen = damaged(answer_unacknowledged(), holes=((START_NS + 30 * S, START_NS + 31 * S),))
    assert judged(seen, finding("missing-bye", call_id="c1"), finding("missing-prack", call_id="c1")) == [
        ("warning", True), ("error", False),
    ]  # fmt: skip


@pytest.mark.parametrize(("lost_in_hole", "doubtful"), [(40, False), (60, True)])
def test_loss_is_doubtful_where_the_capture_lost_half_of_it(lost_in_hole: int, doubtful: bool) -> None:
    seen = talk(runs_on=1)()
    stream = dataclasses.replace(seen.streams[0], lost=100)
    start = stream.start
    seen = dataclasses.replace(
        damaged(seen, holes=((start + S, start + S + S // 10),)),
        streams=(stream, *seen.streams[1:]),
        outages=(Outage(0, start + S, start + S + S // 5, lost_in_hole), Outage(0, start, start + S // 2, 30)),
    )
    assert judged(seen, finding("high-loss", stream=0))[0][1] == doubtful


def test_one_sided_signalling_counts_for_its_hosts() -> None:
    pair = (("192.0.2.1", "192.0.2.2"),)
    other = (("192.0.2.1", "192.0.2.3"),)
    seen = result(again(invite(), *TIMER_A), until(70_000))
    assert judged(damaged(seen, one_sided=pair), finding("auth-failure", call_id="c1")) == [("warning", True)]
    assert judged(damaged(seen, one_sided=other), finding("auth-failure", call_id="c1")) == [("error", False)]


def test_a_clock_step_counts_where_its_frame_is() -> None:
    seen = rang_after(8000)()
    anomalies = seen.captures[0].anomalies
    anomalies.add("clock-step", frame=3)
    stepped = damaged(seen, clock_steps=1)
    late = finding("high-post-dial-delay", call_id="c1")
    assert judged(stepped, late) == [("warning", True)]
    away = dataclasses.replace(stepped, calls=(dataclasses.replace(seen.calls[0], first_frame=50, last_frame=60),))
    assert judged(away, late) == [("error", False)]


def test_a_finding_about_the_capture_counts_where_its_fields_say_nothing() -> None:
    told = finding("capture-drops", "warning", time=None)
    assert judged(nobody_there(), told, finding("missing-ack", call_id="c1")) == [("warning", False), ("warning", True)]
    elsewhere = finding("capture-drops", "warning", time=None, capture=1)
    assert judged(nobody_there(), elsewhere, finding("missing-ack", call_id="c1"))[1] == ("error", False)


def test_a_call_that_began_before_the_capture_is_judged_with_doubt() -> None:
    seen = nobody_there()
    partial = dataclasses.replace(seen, calls=(dataclasses.replace(seen.calls[0], partial=True),))
    assert judged(partial, finding("codec-mismatch", call_id="c1")) == [("warning", True)]


def test_every_code_of_the_table_is_explained() -> None:
    codes = {code for doubt in DOUBTS.values() for code in doubt.codes} | (set(DOUBTS) - {"partial"})
    assert codes <= set(explanations("finding"))
