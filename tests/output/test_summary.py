import json

import pytest

from sipanalyzer.errors import CaptureError
from sipanalyzer.facts import Finding, Quality, Registration
from sipanalyzer.options import Options
from sipanalyzer.output.summary import summarize
from sipanalyzer.output.summary_page import summary_lines
from sipanalyzer.output.terminal import width_of
from tests.output.results import MS, T0, empty_result, make_call, make_capture, make_result, make_stream

FAILED = make_call(
    call_id="two", state="failed", status_code=503, reason="Service Unavailable", answered=None, first_bye=None,
    ringing=None, start=T0 + 1, rows=(), streams=(),
)  # fmt: skip
MANY = make_result(
    calls=(
        make_call(),
        FAILED,
        make_call(call_id="three", state="ringing", answered=None, ringing=T0 + 750 * MS, rows=()),
        make_call(call_id="four", state="in-call", start=None, answered=None, ringing=None, partial=True, rows=()),
    ),
    streams=(make_stream(), make_stream(ssrc=1, lost=50, expected=100, packets=50, call_id=None)),
)


def page(result, width: int = 80, captures=("a.pcap",)) -> str:
    lines = summary_lines(summarize(result), width, captures=captures)
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_the_summary_counts_what_was_decided() -> None:
    calls = summarize(MANY)["calls"]
    assert calls["count"] == 4
    assert calls["by_state"] == {"completed": 1, "in-call": 1, "failed": 1, "ringing": 1}
    assert (calls["answered"], calls["decided"], calls["answered_percent"]) == (1, 2, 50.0)
    assert calls["partial"] == 1
    assert calls["failures"] == [{"status_code": 503, "reason": "Service Unavailable", "calls": 1}]


def test_median_and_percentile_are_between_the_neighbours() -> None:
    delays = summarize(MANY)["calls"]["post_dial_delay_ms"]
    assert delays == {"count": 2, "median": 500.0, "mean": 500.0, "p95": 725.0, "max": 750.0}


def test_loss_is_summed_over_all_streams_and_the_worst_comes_first() -> None:
    streams = summarize(MANY)["streams"]
    assert (streams["lost"], streams["expected"]) == (52, 302)
    assert streams["loss_percent"] == pytest.approx(100 * 52 / 302)
    assert [each["ssrc"] for each in streams["worst"]] == ["0x00000001", "0x0000beef"]
    assert streams["in_calls"] == 1


def test_requests_outside_calls_are_counted_without_retransmissions() -> None:
    messages = summarize(MANY)["messages"]
    assert messages["requests"] == {"INVITE": 1, "REGISTER": 1}  # the BYE was a retransmission
    assert messages["requests_outside_calls"] == {"REGISTER": 1}
    assert messages["retransmissions"] == 1


def test_anomalies_of_several_files_are_added_and_told_in_words() -> None:
    result = make_result(captures=(make_capture(), make_capture(file="b.pcap")))
    first = summarize(result)["anomalies"][0]
    assert (first["code"], first["count"], first["frames"], first["file"]) == ("malformed-ip", 4, [7, 7][:1], "a.pcap")
    assert "4 x IP header cut or malformed" in page(result)


def test_the_summary_is_strict_json() -> None:
    for result in (MANY, empty_result()):
        json.dumps(summarize(result), allow_nan=False)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_page_keeps_its_width(width: int) -> None:
    capture = make_capture(file="x" * 200, damage="cut " * 50, cut_packets=3, dropped=5)
    result = make_result(captures=(capture,), calls=MANY.calls, streams=MANY.streams)
    assert max(width_of(line) for line in page(result, width, ()).splitlines()) <= width


def test_the_page_says_the_essential() -> None:
    text = page(MANY)
    for words in ("1 completed, 1 in-call, 1 failed, 1 ringing", "1 of 2 (50.0 %)", "503 Service Unavailable",
                  "1 REGISTER", "50.00 %     3.2 ms     -", "1 began before the capture",
                  "sipanalyzer calls a.pcap"):  # fmt: skip
        assert words in text, words


def test_a_damaged_and_an_unreadable_file_are_told() -> None:
    result = make_result(
        captures=(make_capture(damage="cut at offset 7"),), extra={"unreadable": [CaptureError("b", "is empty")]}
    )
    assert "damaged: cut at offset 7" in page(result)
    assert "not read: b: is empty" in page(result)


def test_an_empty_capture_has_a_page_too() -> None:
    text = page(empty_result())
    assert text.startswith("Verdict       nothing to judge: no SIP and no RTP was found\n")
    assert "sipanalyzer captures a.pcap" in text
    assert "Calls         none" in text and "RTP streams   none" in text


def test_the_page_carries_nothing_from_the_wire_that_disturbs_a_terminal() -> None:
    call = make_call(state="failed", answered=None, reason="\x1b[2J\r\nCalls 5", status_code=500)
    text = page(make_result(calls=(call,)), 200)
    assert "\x1b" not in text and "500 \\x1b[2J\\x0d\\x0aCalls 5" in text


def test_a_file_name_with_blanks_is_quoted_in_the_proposals() -> None:
    assert "sipanalyzer calls 'my call.pcap'" in page(MANY, captures=("my call.pcap",))


def found(*findings: Finding, **changes):
    return make_result(extra={"findings": findings}, **changes)


def loud(code: str = "high-loss", severity: str = "error", **changes) -> Finding:
    return Finding(code, severity, f"What {code} is about.", "What to do.", **({"call_id": "one@10.0.0.1"} | changes))


def test_the_page_opens_with_the_verdict() -> None:
    many = MANY.calls
    for result, first in (
        (found(loud()), "trouble: 1 error"),
        (found(loud(), loud(call_id="two"), loud("held", "info"), calls=many), "trouble: 2 errors in 2 of 4 calls"),
        (found(loud(severity="warning"), calls=many), "look closer: 1 warning in 1 of 4 calls"),
        (found(loud("scanner", "warning", call_id=None)), "look closer: 1 warning outside calls"),
        (found(loud("held", "info"), loud("held", "info")), "nothing wrong was found: 2 notes"),
        (found(), "nothing wrong was found"),
    ):
        assert page(result).splitlines()[0] == f"Verdict       {first}"


def test_a_finding_of_a_registration_concerns_no_call() -> None:
    result = found(loud("registration-failure", call_id="reg"), loud("registration-failure", call_id="reg2"))
    data = summarize(result)
    (entry,) = data["findings"]
    assert (entry["count"], entry["calls"], entry["call_id"]) == (2, 0, None)
    assert data["verdict"]["calls_with_errors"] == 0
    text = page(result)
    assert "registration-failure, 2 times" in text
    assert "--id one@10.0.0.1" in text and "--id reg" not in text  # a command that is proposed must work


def test_a_finding_of_a_stream_concerns_the_calls_of_the_stream() -> None:
    result = found(loud("ssrc-change", call_id=None, stream=0), calls=MANY.calls)
    (entry,) = summarize(result)["findings"]
    assert (entry["calls"], entry["ssrc"]) == (1, "0x0000beef")


def test_the_gravest_finding_of_a_code_is_its_example() -> None:
    result = found(loud("call-rejected", "info"), loud("call-rejected", "warning", call_id="two", doubtful="a hole"),
                   calls=MANY.calls)  # fmt: skip
    (entry,) = summarize(result)["findings"]
    assert (entry["severity"], entry["call_id"], entry["doubtful"]) == ("warning", "two", "a hole")
    assert "call-rejected in 2 calls, as in two" in page(result) and "Doubtful: a hole." in page(result)


def test_notes_alarm_nobody() -> None:
    text = page(found(loud("held", "info"), loud("early-media", "info")))
    assert "Notes         early-media, held" in text
    assert "error" not in text and "warning" not in text and "What to do" not in text


def test_what_a_finding_says_is_not_said_again() -> None:
    lossy = make_stream(lost=50, expected=100, packets=50)
    one_way = make_call(one_way=True)
    text = page(found(loud(stream=0), loud("one-way-audio"), calls=(one_way,), streams=(lossy,)))
    assert "worst" not in text and "in one direction only" not in text
    assert "in one direction only" in page(found(calls=(one_way,), streams=(lossy,)))
    assert "50.00 %     3.2 ms" in page(found(calls=(one_way,), streams=(lossy,)))


def test_settings_that_differ_are_told() -> None:
    result = make_result(options=Options(playout_ms=40.0, interval_ns=5_000_000_000))
    assert summarize(result)["settings"] == {"playout_ms": 40.0, "interval_ns": 5_000_000_000}
    assert "Settings      playout_ms=40.0 (40 ms), not 60.0\n" in page(result)
    assert "interval_ns=5000000000 (5 s), not 10000000000" in page(result)
    assert "Settings" not in page(make_result())


def test_proposed_commands_keep_what_was_typed() -> None:
    lines = summary_lines(
        summarize(MANY), 80, captures=("a.pcap",), typed=("--set", "playout_ms=40", "--number", "+49 1")
    )
    text = "\n".join("".join(text for text, _ in line) for line in lines)
    assert "sipanalyzer calls a.pcap --set playout_ms=40 --number '+49 1'\n" in text


def test_a_number_that_chose_the_calls_is_told() -> None:
    assert "of the calls of bob alone" in page(make_result(extra={"number": "bob"}))


QUALITY = Quality(62.0, 3.18, "NB", "published", 9.8, 1.6, 60.0, 0.0, 25.1, 62.0)


def test_quality_is_told_of_calls_and_of_streams_without_one() -> None:
    long = make_stream(end=T0 + 20_000 * MS, quality=QUALITY)
    assert "quality     poor, MOS 3.18 NB" in page(found(streams=(long,)))
    alone = make_stream(end=T0 + 20_000 * MS, quality=QUALITY, call_id=None)
    data = summarize(found(streams=(alone,), calls=()))["quality"]
    assert (data["rated_calls"], data["streams"]["rated"], data["streams"]["poor"]) == (0, 1, 1)
    assert "  quality     poor, MOS 3.18 NB" in page(found(streams=(alone,), calls=()))


@pytest.mark.parametrize(
    ("streams", "reason"),
    [
        ((), "no RTP was captured"),
        ((make_stream(quality=QUALITY),), "no stream lasted 5 s"),
        ((make_stream(codec=None),), "no codec is known: no SDP was captured"),
        ((make_stream(codec="VP8"),), "no stream is audio in a codec that the E-model covers"),
    ],
)
def test_why_nothing_is_rated_is_told(streams: tuple, reason: str) -> None:
    assert f"not rated: {reason}" in " ".join(page(found(streams=streams)).split())


def test_registrations_are_counted_by_what_became_of_them() -> None:
    row = Registration("sip:a@b", None, ("10.0.0.2", 5060), ("10.0.0.1", 5060), False, "rejected", None, None, 403, 1,
                       T0, T0, "reg", 0, 95, (3,))  # fmt: skip
    result = make_result(registrations=(row, row), calls=(), streams=())
    assert summarize(result)["registrations"] == {"count": 2, "by_state": {"rejected": 2}}
    assert "Registrations 2 rejected" in page(result) and "sipanalyzer registrations a.pcap" in page(result)


def test_a_capture_that_is_not_good_is_told_of_at_once() -> None:
    capture = make_capture(grade="poor", damage="cut at offset 7", doubts=("the file breaks off", "7 packets missing"))
    lines = page(found(captures=(capture,))).splitlines()
    assert lines[1].strip().startswith("the capture is poor")
    text = "\n".join(lines)
    assert "7 packets missing" in text and "the file breaks off" not in text  # the damage says it, and where


def test_doubts_that_a_finding_has_told_are_not_told_again() -> None:
    doubts = (
        "627 packets dropped while capturing, as the file says",
        "all streams miss packets at the same moment, once",
    )
    capture = make_capture(grade="poor", doubts=doubts)
    drops = loud("capture-drops", "warning", call_id=None)
    assert "dropped while capturing" in page(found(captures=(capture,)))
    text = " ".join(page(found(drops, captures=(capture,))).split())
    assert "dropped while capturing" not in text and "the same moment" not in text
    both = " ".join(page(found(drops, captures=(capture, capture))).split())
    assert "dropped while capturing" in both  # of which file it is true the finding does not say


def test_a_percentile_of_few_values_is_not_shown() -> None:
    assert "95 % within" not in page(MANY) and "median 500 ms, longest 750 ms" in page(MANY)
    many = tuple(make_call(call_id=str(number)) for number in range(12))
    assert "95 % within" in page(make_result(calls=many))
