import numpy as np
import pytest

from sipanalyzer.facts import Digit, Finding, Intervals, Quality, Session
from sipanalyzer.output.columns import COLUMNS, FILLED
from sipanalyzer.output.tables import row_order, table
from tests.output.results import (
    MS,
    T0,
    empty_result,
    make_call,
    make_capture,
    make_dialog,
    make_messages,
    make_result,
    make_stream,
    make_transaction,
)


def one(result, name: str, row: int = 0) -> dict:
    rows = table(result, name)
    return dict(zip((each.name for each in rows.columns), list(rows.rows())[row], strict=True))


def test_the_times_of_a_call_become_its_delays() -> None:
    call = one(make_result(), "calls")
    assert call["post_dial_delay_ms"] == 250.0
    assert call["setup_latency_ms"] == 2000.0
    assert call["answer_to_ack_ms"] == 40.0
    assert call["media_latency_ms"] == -150.0
    assert call["disconnect_delay_ms"] == 12.0
    assert call["duration_s"] == 5.5
    assert call["loss_percent"] == pytest.approx(100 * 2 / 202)
    assert (call["codecs"], call["src"], call["mode"], call["streams"]) == ("PCMA,opus", "10.0.0.1:5060", "session", 1)


def test_without_ringing_the_post_dial_delay_ends_at_the_answer() -> None:
    assert one(make_result(calls=(make_call(ringing=None),)), "calls")["post_dial_delay_ms"] == 2000.0


def test_ringing_after_the_answer_does_not_lengthen_the_post_dial_delay() -> None:
    call = make_call(ringing=T0 + 3_000 * MS)
    assert one(make_result(calls=(call,)), "calls")["post_dial_delay_ms"] == 2000.0


def test_a_bye_before_the_answer_gives_no_negative_duration() -> None:
    call = make_call(first_bye=T0 + 1_000 * MS)
    assert one(make_result(calls=(call,)), "calls")["duration_s"] is None


def test_what_is_not_known_of_a_partial_call_is_missing() -> None:
    call = make_call(partial=True, start=None, ringing=None, answered=None, src=None, dst=None, packets=None, lost=None,
                     expected=None, media_latency_ns=None, acknowledged=None, first_bye=None, bye_final=None, codecs=(),
                     max_jitter_ms=None)  # fmt: skip
    row = one(make_result(calls=(call,)), "calls")
    for name in ("start", "src", "dst", "post_dial_delay_ms", "setup_latency_ms", "answer_to_ack_ms", "duration_s",
                 "media_latency_ms", "disconnect_delay_ms", "packets", "lost", "loss_percent", "codecs"):  # fmt: skip
        assert row[name] is None, name
    assert row["partial"] is True


def test_a_stream_has_its_quality_and_what_it_rests_on() -> None:
    quality = Quality(81.234_567_89, 4.06, "NB", "published", 1.5, 1.25, 60.0, 0.0, 25.1, 81.2, ("assumed a", "b"))
    stream = make_stream(
        quality=quality, mos_min=3.5, discarded=5, bursts=2, burst_packets=20, burst_bad=5, bad=7,
        rtcp_lost_percent=2.5, rtcp_jitter_ms=4.0, rtt_ms=80.0, dtmf="12#", loss_runs=(3, 0, 0, 0, 0, 1, 0, 2),
        lateness=(190, 0, 0, 5, *[0] * 9),
    )  # fmt: skip
    row = one(make_result(streams=(stream,)), "streams")
    assert (row["r_factor"], row["mos"], row["mos_min"]) == (81.234568, 4.06, 3.5)
    assert (row["mos_scale"], row["mos_basis"], row["mos_notes"]) == ("NB", "published", "assumed a; b")
    assert row["discarded_percent"] == pytest.approx(100 * 5 / 202, abs=1e-6)
    assert (row["effective_loss_percent"], row["burst_ratio"], row["delay_ms"]) == (1.5, 1.25, 60.0)
    assert (row["loss_bursts"], row["burst_density_percent"]) == (2, 25.0)
    assert row["gap_density_percent"] == pytest.approx(100 * 2 / 182, abs=1e-6)
    assert row["loss_runs"] == "1=3,10-19=1,>=50=2"
    assert row["lateness"] == "<5=190,20-30=5"
    assert (row["rtcp_lost_percent"], row["rtcp_jitter_ms"], row["rtt_ms"], row["dtmf"]) == (2.5, 4.0, 80.0, "12#")


def test_what_cannot_be_said_of_a_stream_is_missing() -> None:
    row = one(make_result(), "streams")
    unknown = (
        "session discarded_percent r_factor mos mos_min mos_scale mos_basis rtcp_lost_percent rtt_ms dtmf lateness"
    )
    assert all(row[column] is None for column in unknown.split())


def test_findings_of_a_stream_are_listed_with_every_call_that_counts_it() -> None:
    finding = Finding("high-loss", "error", "Loss.", "Mend.", call_id="one@10.0.0.1", stream=0, frames=(3, 4), frame=3)
    result = make_result(
        calls=(make_call(), make_call(call_id="two", start=T0 + 1)), streams=(make_stream(also_call_ids=("two",)),)
    )
    result.extra["findings"] = (finding,)
    assert table(result, "calls")["findings"] == ["high-loss", "high-loss"]
    assert table(result, "streams")["findings"] == ["high-loss"]
    row = one(result, "findings")
    assert (row["ssrc"], row["evidence"], row["frame"], row["causes"]) == ("0x0000beef", "3,4", 3, None)


def test_calls_of_one_session_share_its_number() -> None:
    both = make_call(), make_call(call_id="two", start=T0 + 1)
    result = make_result(calls=both, sessions=(Session(1, ("one@10.0.0.1", "two"), 1.0, ()),))
    assert table(result, "calls")["session"] == [1, 1]
    assert table(result, "streams")["session"] == [1]


def test_digits_of_a_call_stand_by_direction() -> None:
    keys = [("caller-to-callee", "1"), ("callee-to-caller", "9"), ("caller-to-callee", "#")]
    digits = tuple(Digit(T0 + n, key, 100.0, "rfc4733", way, 0, 0, n) for n, (way, key) in enumerate(keys))
    row = one(make_result(calls=(make_call(digits=digits),)), "calls")
    assert (row["digits_from_caller"], row["digits_from_callee"]) == ("1#", "9")


def test_intervals_name_the_row_of_their_stream() -> None:
    streams = make_stream(start=T0 + 9, ssrc=1), make_stream(start=T0, ssrc=2)  # the second comes first in the table
    numbers = {name: np.array([10, 20, 30]) for name in ("packets", "expected", "lost", "discarded")}
    intervals = Intervals(
        stream=np.array([0, 1, 1]), start=np.array([5, 7, 6]), **numbers, max_jitter_ms=np.array([1.0, np.nan, 3.0]),
        whole=np.array([True, False, True]), r_factor=np.array([90.0, 80.0, np.nan]), mos=np.array([4.4, 4.0, np.nan]),
    )  # fmt: skip
    rows = table(make_result(streams=streams, intervals=intervals), "intervals")
    assert rows["stream"] == [0, 0, 1] and rows["start"] == [6, 7, 5] and rows["packets"] == [30, 20, 10]
    assert rows["mos"] == [None, 4.0, 4.4] and rows["max_jitter_ms"] == [3.0, None, 1.0]
    assert rows["ssrc"] == ["0x00000002", "0x00000002", "0x00000001"] and rows["whole"] == [True, False, True]


def test_a_stream_is_written_as_the_contract_says() -> None:
    stream = one(make_result(), "streams")
    assert stream["ssrc"] == "0x0000beef"
    assert (stream["src"], stream["src_port"]) == ("10.0.0.2", 4000)
    assert stream["payload_types"] == "8,101"
    assert stream["kbit_s"] == pytest.approx(32_000 * 8 / 4_020)  # 4 s, and the last packet
    assert stream["also_call_ids"] is None
    assert stream["capture"] == "a.pcap"


def test_a_stream_of_one_packet_has_no_rate() -> None:
    stream = make_stream(end=T0, start=T0)
    row = one(make_result(streams=(stream,)), "streams")
    assert row["kbit_s"] is None and row["duration_s"] == 0.0


def test_rows_stand_in_order_of_start_and_then_of_first_frame() -> None:
    calls = (
        make_call(call_id="late", start=T0 + 5),
        make_call(call_id="second", start=T0, first_frame=9),
        make_call(call_id="first", start=T0, first_frame=2),
        make_call(call_id="partial", start=None, first_time=T0 + 3, partial=True),
    )
    result = make_result(calls=calls)
    assert table(result, "calls")["call_id"] == ["first", "second", "partial", "late"]
    assert row_order(result, "calls") == [2, 1, 3, 0]


def test_messages_name_requests_and_responses() -> None:
    rows = table(make_result(), "messages")
    assert rows["summary"] == [
        "INVITE sip:bob@10.0.0.2", "200 OK (INVITE)", "BYE sip:alice@10.0.0.1", "REGISTER sip:10.0.0.2",
    ]  # fmt: skip
    assert rows["method"] == ["INVITE", None, "BYE", "REGISTER"]
    assert rows["status_code"] == [None, 200, None, None]
    assert rows["cseq_method"] == ["INVITE", "INVITE", "BYE", "REGISTER"]
    assert rows["content_length"] == [0, 0, 0, None]
    assert rows["retransmission"] == [False, False, True, False]
    assert rows["src"][0] == "10.0.0.1:5060"


def test_ipv6_endpoints_have_brackets() -> None:
    messages = make_messages([{"src": ("2001:db8::1", 5060)}])
    assert table(make_result(messages=messages), "messages")["src"] == ["[2001:db8::1]:5060"]


def test_all_values_are_plain_python() -> None:
    result = make_result()
    for name in FILLED:
        for values in table(result, name).data:
            assert not any(isinstance(value, np.generic) for value in values)


def test_transactions_and_dialogs_have_their_times_and_files() -> None:
    transaction = one(make_result(transactions=(make_transaction(final_response=None),)), "transactions")
    assert (transaction["first_response_ms"], transaction["final_response_ms"]) == (250.0, None)
    assert transaction["dst"] == "10.0.0.2:5060" and transaction["capture"] == "a.pcap"
    assert one(make_result(dialogs=(make_dialog(),)), "dialogs")["confirmed"] == T0 + 2_000 * MS


def test_a_capture_lists_its_anomalies_and_its_damage() -> None:
    capture = one(make_result(captures=(make_capture(damage="cut at offset 77"),)), "captures")
    assert capture["anomalies"] == "malformed-ip=2 unknown-link-type=1(link type 220)"
    assert capture["damage"] == "cut at offset 77"
    assert capture["link_types"] == "Ethernet"


@pytest.mark.parametrize("name", COLUMNS)
def test_every_table_has_its_columns_also_when_it_is_empty(name: str) -> None:
    rows = table(empty_result(), name)
    assert [each.name for each in rows.columns] == [each.name for each in COLUMNS[name]]
    assert len(rows.data) == len(rows.columns)
    assert name == "statistics" or len(rows) == (1 if name == "captures" else 0)
    assert len(list(rows.rows())) == len(rows)


def test_there_is_no_table_of_another_name() -> None:
    with pytest.raises(ValueError, match="no table"):
        table(make_result(), "call")


def test_bytes_that_were_no_utf_8_cannot_break_a_format() -> None:
    capture = make_capture(file="caf\udce9.pcap")
    assert table(make_result(captures=(capture,)), "captures")["file"] == ["caf\ufffd.pcap"]
