"""What is told between the rows."""

from __future__ import annotations

import dataclasses
import pathlib

import sipanalyzer
from sipanalyzer.facts import Finding
from sipanalyzer.output.flow.chart import make_chart
from sipanalyzer.output.flow.model import FlowChart, Message, Note
from sipanalyzer.result import Result
from tests.output.flow.told import chart_of, check
from tests.output.results import T0, make_call, make_capture, make_result, make_stream
from tests.tape import A, B, P, Tape, sdp

MS = 1_000_000


def notes(chart: FlowChart) -> list[str]:
    return [row.text for row in chart.rows if isinstance(row, Note)]


def test_hold_is_told_with_who_holds_and_once_for_all_hops(samples: pathlib.Path) -> None:
    assert notes(chart_of(sipanalyzer.analyze(samples / "held.pcap"))) == [
        "alice puts the call on hold", "alice takes the call off hold",
    ]  # fmt: skip
    tape = Tape()
    for src, dst, at in ((A, P, 0.0), (P, B, 0.01)):
        tape.request(at, src, dst, "INVITE", sdp(A, 4000), initial=True)
        tape.reply(3 - at, dst, src, 200, sdp(B, 5000))
    for src, dst, at in ((A, P, 5.0), (P, B, 5.01)):
        tape.request(at, src, dst, "INVITE", sdp(A, 4000, lines=["inactive"]), cseq=2)
        tape.reply(5.1 - (at - 5), dst, src, 200, sdp(B, 5000, lines=["inactive"]), cseq=2)
    assert notes(chart_of(tape.analyze())) == ["a puts the call on hold"]


def test_a_hold_that_was_refused_is_none() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.request(5, A, B, "INVITE", sdp(A, 4000, lines=["sendonly"]), cseq=2)
    tape.reply(5.1, B, A, 488, cseq=2)
    assert not any("hold" in text for text in notes(chart_of(tape.analyze())))


def test_another_codec_than_was_agreed_on_is_told(samples: pathlib.Path) -> None:
    chart = chart_of(sipanalyzer.analyze(samples / "codec_change.pcap"))
    assert notes(chart) == ["codec now PCMU"]
    assert notes(chart_of(sipanalyzer.analyze(samples / "prack_update.pcap"))) == []


def test_a_long_silence_stands_before_the_message_that_ends_it() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), answered=2)  # ACK at 2.05 s
    tape.request(12.04, A, B, "INFO", cseq=5)
    tape.reply(12.05, B, A, 200, method="INFO", cseq=5)
    tape.bye(205.25)
    chart = chart_of(tape.analyze())
    assert [text for text in notes(chart) if "later" in text] == ["3 min 13 s later"]
    at = next(at for at, row in enumerate(chart.rows) if isinstance(row, Note) and "later" in row.text)
    following = chart.rows[at + 1]
    assert isinstance(following, Message) and following.label == "BYE" and following.time == chart.rows[at].time


def test_a_silence_counts_from_the_row_above_whatever_that_is() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.key(30, A, 4000, B, 5000, "5", seq=1, timestamp=1)
    tape.bye(65)
    chart = chart_of(tape.analyze())
    found = [text for text in notes(chart) if text.endswith("later")]
    assert len(found) == 2 and found[1] == "35 s later"  # not 63 s, which is since the ACK


def test_holes_of_the_capture_stand_where_they_were(samples: pathlib.Path) -> None:
    chart = chart_of(sipanalyzer.analyze(samples / "holes.pcap"))
    holes = [row for row in chart.rows if isinstance(row, Note) and row.code == "capture-drops"]
    assert [(row.text, row.offset // MS) for row in holes] == [
        ("the capture itself lost packets here, for 0.42 s", 4040),
        ("the capture itself lost packets here, for 0.22 s", 6040),
    ]


# ---- findings
def finding(code: str, severity: str, **words: object) -> Finding:
    plain = Finding(code, severity, f"It was {code}.", "Do something.", "one@10.0.0.1", capture=0, frames=(1,), frame=1)
    return dataclasses.replace(plain, **words)  # type: ignore[arg-type]


def result_with(*findings: Finding) -> Result:
    return make_result(extra={"findings": findings})


def drawn(*findings: Finding) -> FlowChart:
    result = result_with(*findings)
    chart = make_chart(result, result.calls)
    check(result, result.calls, chart)
    return chart


def test_errors_and_warnings_are_told_at_their_time_and_over_whom_they_concern() -> None:
    chart = drawn(finding("late-media", "warning", time=T0 + 2_000 * MS, frames=(20,), frame=20))
    (note,) = (row for row in chart.rows if isinstance(row, Note))
    assert (note.text, note.severity, note.code, note.frame) == ("It was late-media.", "warning", "late-media", 20)
    assert (note.offset, note.first, note.last) == (2_000 * MS, 0, 1)
    marked = [row.severity for row in chart.rows if isinstance(row, Message)]
    assert marked == [None, "warning", None]


def test_a_consequence_is_not_told_again_nor_is_mere_information() -> None:
    causes = ("high-loss",)
    chart = drawn(
        finding("high-loss", "error"),
        finding("low-mos", "info", causes=causes),
        finding("media-timeout", "error", causes=causes),
        finding("early-media", "info"),
        finding("transferred", "info"),
        finding("one-way-audio", "info", doubtful="the call was short"),
    )
    assert notes(chart) == [
        "It was high-loss.", "It was transferred.", "It was one-way-audio. Doubtful: the call was short.",
    ]  # fmt: skip


def test_of_many_alike_the_first_are_told_and_the_others_counted() -> None:
    chart = drawn(*(finding("malformed-sip", "warning", time=T0 + at * MS) for at in range(9)))
    assert len(notes(chart)) == 3
    assert chart.remarks == ("Findings without a note: 6 more malformed-sip.",)


def test_the_worst_finding_of_its_call_marks_a_message_and_those_of_other_calls_do_not() -> None:
    chart = drawn(
        finding("late-media", "warning"), finding("no-media", "error"), finding("held", "info"),
        finding("server-error", "error", call_id="another", frames=(20,), frame=20),
        finding("clock-step", "warning", call_id=None, frames=(85,), frame=85),
    )  # fmt: skip
    assert [row.severity for row in chart.rows if isinstance(row, Message)] == ["error", None, "warning"]


def test_a_finding_of_a_stream_stands_behind_its_bar_and_over_its_ends() -> None:
    chart = drawn(finding("high-loss", "error", stream=0, time=make_stream().start, frames=(10,), frame=10))
    bar = next(at for at, row in enumerate(chart.rows) if type(row).__name__ == "Media")
    note = chart.rows[bar + 1]
    assert isinstance(note, Note) and (note.first, note.last) == (0, 1)
    assert getattr(chart.rows[bar], "severity") == "error"  # noqa: B009


def test_what_shows_in_the_end_is_told_there(samples: pathlib.Path) -> None:
    chart = chart_of(sipanalyzer.analyze(samples / "session_timer.pcap"))
    rows = [getattr(row, "label", getattr(row, "text", "")) for row in chart.rows]
    told = next(at for at, text in enumerate(rows) if text.startswith("BYE of the callee came 60.0 s"))
    assert rows[told - 1] == "BYE"


def test_a_note_never_stands_outside_the_chart() -> None:
    early = drawn(finding("late-media", "warning", time=T0 - 10**15))
    late = drawn(finding("late-media", "warning", time=T0 + 10**15))
    for chart in (early, late):
        assert chart.start == T0 and len(notes(chart)) == 1
    assert make_capture().grade is None and make_call().partial is False


def test_of_hold_without_end_the_first_are_noted_and_the_others_counted() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(70):
        tape.request(5 + k, A, B, "INVITE", sdp(A, 4000, lines=["sendrecv" if k % 2 else "sendonly"]), cseq=2 + k)
    chart = chart_of(tape.analyze())
    assert sum("hold" in text for text in notes(chart)) == 60
    assert "Hold and codecs changed 10 times more than is noted." in chart.remarks
