import json

import pytest

from sipanalyzer.errors import CaptureError
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
    assert "Calls" not in text and "sipanalyzer captures a.pcap" in text


def test_messages_without_calls_and_streams_say_that_there_are_none() -> None:
    text = page(make_result(calls=(), streams=(), dialogs=(), transactions=()))
    assert "Calls         none" in text and "RTP streams   none" in text


def test_the_page_carries_nothing_from_the_wire_that_disturbs_a_terminal() -> None:
    call = make_call(state="failed", answered=None, reason="\x1b[2J\r\nCalls 5", status_code=500)
    text = page(make_result(calls=(call,)), 200)
    assert "\x1b" not in text and "500 \\x1b[2J\\x0d\\x0aCalls 5" in text


def test_a_file_name_with_blanks_is_quoted_in_the_proposals() -> None:
    assert "sipanalyzer calls 'my call.pcap'" in page(MANY, captures=("my call.pcap",))
