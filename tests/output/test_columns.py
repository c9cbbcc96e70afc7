import pathlib

import pytest

from sipanalyzer.output.columns import COLUMNS, DTYPES, FILLED, STATES, column, columns_page, names

CONTRACT = {
    "messages": "frame, time, src, dst, transport, call_id, method, status_code, reason, cseq, cseq_method, branch, "
    "from_uri, from_tag, to_uri, to_tag, user_agent, content_type, content_length, retransmission, summary",
    "dialogs": "call_id, from_tag, to_tag, state, start, confirmed, end, local_uri, remote_uri, route_set",
    "transactions": "call_id, method, branch, src, dst, start, first_response_ms, final_response_ms, status_code, "
    "retransmissions",
    "registrations": "aor, contact, registrar, refresh, state, expires_s, registration_delay_ms, status_code, "
    "attempts, start, end",
    "pages": "time, from_uri, to_uri, call_id, content_type, size_bytes, request_bytes, status_code, delivery_ms, "
    "over_limit, text",
    "subscriptions": "event, subscriber, notifier, state, expires_s, notifies",
    "endpoints": "address, roles, products, messages_sent, messages_received, calls, answered, mean_response_ms, "
    "p95_response_ms, retransmissions, loss_percent_to, loss_percent_from",
    "probes": "src, dst, sent, answered, answered_percent, mean_response_ms, max_response_ms",
    "captures": "file, format, link_types, packets, bytes, first, last, cut_packets, dropped, duplicated_percent, "
    "clock_steps, anomalies, grade",
    "rtcp": "time, src, dst, ssrc, type, reported_ssrc, fraction_lost_percent, cumulative_lost, jitter_ms, rtt_ms",
    "findings": "severity, code, call_id, ssrc, time, frame, explanation, evidence, advice, doubtful",
    "calls": "call_id, session, state, status_code, reason, caller, callee, from_uri, to_uri, request_uri, "
    "asserted_identity, diversion, src, dst, transport, user_agent, server, start, ringing, answered, end, "
    "post_dial_delay_ms, setup_latency_ms, answer_to_ack_ms, media_latency_ms, disconnect_delay_ms, duration_s, "
    "released_by, release_cause, messages, retransmissions, dialogs, auth, codecs, codecs_offered, codecs_answered, "
    "dtmf_method, streams, packets, lost, loss_percent, max_jitter_ms, mos, mos_scale, one_way, partial, mode, "
    "findings, wireshark_filter, capture, first_frame, last_frame",
    "streams": "ssrc, src, src_port, dst, dst_port, call_id, also_call_ids, session, direction, matched, media, "
    "payload_types, codec, clock_rate, ptime_ms, ptime_negotiated_ms, kbit_s, dscp, vlan, start, end, duration_s, "
    "packets, bytes, expected, lost, loss_percent, duplicates, out_of_order, restarts, mean_jitter_ms, max_jitter_ms, "
    "max_delta_ms, mean_delta_ms, max_skew_ms, clock_drift_ppm, loss_bursts, burst_density_percent, "
    "gap_density_percent, max_consecutive_lost, discarded_percent, r_factor, mos, mos_min, mos_scale, mos_basis, "
    "rtcp_lost_percent, rtcp_jitter_ms, rtt_ms, dtmf, ssrc_changes, encrypted, findings, wireshark_filter, capture, "
    "first_frame, last_frame",
}


@pytest.mark.parametrize("table", CONTRACT)
def test_a_table_begins_with_the_columns_that_were_promised_in_that_order(table: str) -> None:
    promised = CONTRACT[table].split(", ")
    assert list(names(table))[: len(promised)] == promised


def test_names_are_unique_types_known_and_units_in_names() -> None:
    for table, columns in COLUMNS.items():
        assert len({each.name for each in columns}) == len(columns), table
        for each in columns:
            assert each.dtype in DTYPES and each.meaning
            for ending, unit in (("_ms", "ms"), ("_s", "s"), ("_percent", "%"), ("_ppm", "ppm")):
                if each.name.endswith(ending) and each.name != "kbit_s":
                    assert each.unit == unit, each.name


def test_the_page_in_docs_is_made_from_the_list() -> None:
    page = pathlib.Path(__file__).parents[2] / "docs" / "columns.md"
    assert page.read_text(encoding="utf-8") == columns_page(), "python -m sipanalyzer.output.columns > docs/columns.md"


def test_an_unknown_column_is_answered_with_the_nearest_and_the_list() -> None:
    with pytest.raises(ValueError, match="did you mean 'loss_percent'; it has ssrc, src, ") as caught:
        column("streams", "loss_precent")
    assert "first_frame" in str(caught.value)


def test_an_unknown_table_is_answered_with_the_list() -> None:
    with pytest.raises(ValueError, match="there are calls, streams"):
        names("cals")


def test_every_filled_table_and_state_is_described() -> None:
    assert set(FILLED) <= set(COLUMNS)
    assert len(STATES) == 10
