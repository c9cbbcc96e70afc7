"""The verdict in words: of the samples, and of traffic made for it."""

from __future__ import annotations

import pathlib

import pytest

import sipanalyzer
from sipanalyzer.facts import Finding
from sipanalyzer.output.report.data import Verdict
from sipanalyzer.output.report.verdict import make_verdict
from sipanalyzer.output.summary import summarize
from sipanalyzer.result import Result
from tests.output.results import T0, empty_result, make_call, make_capture, make_result, make_stream


def verdict(result: Result) -> Verdict:
    return make_verdict(result, summarize(result))


HEADLINES = {
    "plain": "Nothing wrong was found in 1 call.",
    "register": "Nothing wrong was found in 3 registrations.",
    "transfer": "Nothing wrong was found in 3 calls and 1 subscription.",
    "lossy": "The call had bad sound; the reason: too many packets were lost or came too late.",
    "one_way": "The call had sound in one direction only.",
    "timeout": "The call failed; the reason: a request got no response at all.",
    "refused": "3 of 4 calls failed; the likeliest reason: refusals with 404 Not Found and 603 Decline (2 calls). "
    "Besides, a server failed to handle the call (in 1 call).",
    "authentication_failed": "2 of 2 calls failed; the likeliest reason: authentication did not succeed.",
    "session_timer": "None of 2 calls failed, but 1 has an error: the call was cut by its session timer.",
    "scanner": "The call failed; the reason: authentication did not succeed. Besides, somebody probes the server.",
    "holes": "2 of 2 calls may have had bad sound; the likeliest reason: too many packets were lost or came too late "
    "(doubtful: the capture itself lost packets).",
    "webrtc_failed": "1 of 2 calls had no sound; the reason: ICE checks or the DTLS handshake of the media failed.",
    "message": "An instant message is too large for UDP.",
    "no_answer": "The call was not answered; there is a warning: SIP messages had to be sent again.",
}


@pytest.mark.parametrize("name", HEADLINES)
def test_headlines_of_the_samples(samples: pathlib.Path, name: str) -> None:
    assert verdict(sipanalyzer.analyze(samples / f"{name}.pcap").result).headline == HEADLINES[name]


def test_sentences_have_the_measured_values_and_what_to_do(samples: pathlib.Path) -> None:
    told = verdict(sipanalyzer.analyze(samples / "lossy.pcap").result)
    assert told.severity == "error"
    assert "9.8 % of 500 packets" in told.sentences[0]
    assert "What to do: Find the hop" in told.sentences[0]
    assert told.sentences[-1] == "Worth knowing: the estimated quality of a stream is poor."


def test_a_capture_that_is_not_good_is_told_last_and_apart(samples: pathlib.Path) -> None:
    told = verdict(sipanalyzer.analyze(samples / "holes.pcap").result)
    assert told.doubts == told.sentences[-1:]
    assert told.doubts[0].startswith("The capture is poor, so figures may be wrong: all streams miss packets")


def test_nothing_is_nothing() -> None:
    told = verdict(empty_result())
    assert told.headline == "There is no SIP and no RTP here: nothing to judge."
    assert told.severity is None
    assert not told.sentences


def test_a_number_that_nobody_has_does_not_make_the_capture_empty() -> None:
    empty = empty_result()
    empty.extra["number"] = "4711"
    assert verdict(empty).headline == "There is no call of 4711 in what was read."


def troubled(count: int, bad: int, code: str = "high-loss", **more: object) -> Result:
    """Calls of which the first have a finding about their stream."""
    calls = tuple(
        make_call(call_id=f"c{at}", rows=(), streams=(at,), src=(f"10.0.0.{at % 3}", 5060)) for at in range(count)
    )
    streams = tuple(
        make_stream(call_id=f"c{at}", ssrc=at, src=(f"10.0.0.{at % 3}", 4000), dst=("10.0.1.1", 5000))
        for at in range(count)
    )
    result = make_result(calls=calls, streams=streams, messages=empty_result().messages)
    finding = {"severity": "error", "explanation": "So it was.", "advice": "Do this.", **more}
    result.extra["findings"] = tuple(Finding(code, call_id=f"c{at}", stream=at, **finding) for at in range(bad))  # type: ignore[arg-type]
    return result


def test_findings_of_one_code_are_one_sentence_with_counts_and_hosts() -> None:
    told = verdict(troubled(40, 7))
    assert told.headline.startswith("7 of 40 calls had bad sound; the likeliest reason: too many packets")
    assert told.sentences == (
        "Too many packets were lost or came too late: in 7 calls, most often (3 of 7) from 10.0.0.0 to 10.0.1.1. "
        "For example: So it was. What to do: Do this.",
    )


def test_a_call_that_failed_is_not_counted_as_bad_sound_too() -> None:
    result = troubled(3, 2)
    calls = (make_call(call_id="c0", state="failed", status_code=503, rows=(), streams=(0,)), *result.calls[1:])
    told = verdict(make_result(calls=calls, streams=result.streams, messages=result.messages, extra=result.extra))
    assert told.headline == (
        "1 of 3 calls failed. 1 had bad sound; the reason: too many packets were lost or came too late."
    )


def test_warnings_and_doubts_alone_do_not_say_that_somebody_heard_badly() -> None:
    assert verdict(troubled(5, 2, severity="warning")).headline.startswith("2 of 5 calls may have had bad sound;")
    assert verdict(troubled(5, 2, doubtful="why")).headline.startswith("2 of 5 calls may have had bad sound;")


@pytest.mark.parametrize(
    ("codes", "heard"),
    [
        (["no-media"] * 2, "2 of 3 calls had no sound."),
        (["one-way-audio"] * 2, "2 of 3 calls had sound in one direction only."),
        (["one-way-audio", "no-media"], "2 of 3 calls had no sound, or in one direction only; "),
        (["high-loss", "no-media"], "2 of 3 calls had bad sound or none; "),
    ],
)
def test_silence_is_told_from_bad_sound(codes: list[str], heard: str) -> None:
    result = troubled(3, 2)
    result.extra["findings"] = tuple(
        Finding(code, "error", "So.", "Do.", call_id=f"c{at}") for at, code in enumerate(codes)
    )
    assert verdict(result).headline.startswith(heard)


@pytest.mark.parametrize(
    ("state", "lead"),
    [
        ("completed", "The call was answered; "), ("busy", "The call was not answered; "),
        ("ringing", "How the call went was not captured; "), ("setup", "How the call went was not captured; "),
    ],
)  # fmt: skip
def test_no_more_is_said_of_a_call_than_was_captured(state: str, lead: str) -> None:
    call = make_call(state=state, answered=T0 if state == "completed" else None)
    result = make_result(calls=(call,))
    result.extra["findings"] = (Finding("retransmissions", "warning", "So.", "Do.", call_id=call.call_id),)
    assert verdict(result).headline.startswith(lead)


def test_one_refusal_is_told_as_one() -> None:
    call = make_call(state="rejected", status_code=404, reason="Not Found", answered=None)
    result = make_result(calls=(call, make_call(call_id="two")))
    result.extra["findings"] = (Finding("call-rejected", "warning", "So.", "Do.", call_id=call.call_id),)
    assert verdict(result).headline == "1 of 2 calls failed; the reason: it was refused with 404 Not Found."


def test_a_note_alone_is_no_bad_sound() -> None:
    told = verdict(troubled(5, 2, severity="info"))
    assert told.headline == "Nothing wrong was found in 5 calls."
    assert told.severity == "info"


def test_a_damaged_file_is_named() -> None:
    capture = make_capture(damage="a.pcap: breaks off at byte 99", grade="fair", doubts=("the file breaks off",))
    told = verdict(make_result(captures=(capture,)))
    assert any("a.pcap is damaged" in each for each in told.doubts)


def test_hostile_names_do_no_harm() -> None:
    told = verdict(troubled(2, 1, explanation="The call of \x1b[31m\u202e<b> failed\nreally."))
    text = " ".join((told.headline, *told.sentences))
    assert text.isprintable()
    assert "\\x1b[31m\\u202e<b>" in text


def test_many_findings_stay_few_sentences() -> None:
    result = troubled(30, 0)
    from sipanalyzer.explanations import names

    codes = names("finding")
    result.extra["findings"] = tuple(
        Finding(code, "warning", "So.", "Do.", call_id=f"c{at % 30}") for at, code in enumerate(codes)
    )
    told = verdict(result)
    assert len(told.sentences) <= 10
    assert told.sentences[8].startswith("Also: ")
