"""Reports in SIP as lines of the table, with the stream that they are about."""

from __future__ import annotations

from sipanalyzer.calls.quality_rows import quality_rows
from sipanalyzer.facts import Rtcp
from sipanalyzer.result import Stream
from sipanalyzer.sip.quality_reports import find_quality_reports
from tests.calls.words import table
from tests.output.results import make_call, make_stream

CALLER, CALLEE, RELAY = ("10.0.0.1", 4000), ("10.0.0.2", 5000), ("10.0.0.16", 6000)
TO_CALLEE = make_stream(ssrc=1, src=CALLER, dst=CALLEE, direction="caller-to-callee", call_id="c")
TO_CALLER = make_stream(ssrc=2, src=CALLEE, dst=CALLER, direction="callee-to-caller", call_id="c")
BYE = "9.0 A>B BYE cseq=2 from=x to=y | "
OK = "9.2 B>A 200 OK cseq=2,BYE from=x to=y | "


def rows(script: str, streams: list[Stream]) -> list[Rtcp]:
    messages = table(script)
    call = make_call(call_id="c", caller_tag="x", streams=tuple(range(len(streams))))
    return quality_rows(find_quality_reports(messages), messages, [call], streams)


def streams_of(script: str, streams: list[Stream] | None = None) -> list[int | None]:
    return [row.stream for row in rows(script, streams or [TO_CALLEE, TO_CALLER])]


def test_a_line_has_what_the_header_says():
    (row,) = rows(BYE + "P-RTP-Stat: PS=9,PR=250,PL=5,JI=7,LA=40", [TO_CALLEE, TO_CALLER])
    assert (row.type, row.call_id, row.stream, row.src, row.dst) == (
        "P-RTP-Stat", "c", 1, ("10.0.0.1", 5060), ("10.0.0.2", 5060),
    )  # fmt: skip
    assert (row.time, row.frame, row.cumulative_lost, row.jitter_ms, row.rtt_ms) == (9_000_000_000, 1, 5, 7.0, None)
    assert dict(row.values)["delay_ms"] == 40


def test_who_sends_the_message_received_the_stream():
    assert streams_of(BYE + "P-RTP-Stat: PR=7") == [1]
    assert streams_of(OK + "P-RTP-Stat: PR=7") == [0]
    assert streams_of("9.0 B>A BYE cseq=2 from=y to=x | P-RTP-Stat: PR=7") == [0]
    assert streams_of(BYE + "RTP-RxStat: Pkt=7 | RTP-TxStat: Pkt=8") == [1, 0]


def test_of_several_hops_the_one_at_the_reporting_host_counts():
    near = make_stream(ssrc=2, src=RELAY, dst=CALLER, direction="callee-to-caller")
    far = make_stream(ssrc=2, src=CALLEE, dst=RELAY, direction="callee-to-caller")
    assert streams_of(BYE + "P-RTP-Stat: PR=7", [far, near]) == [1]
    assert streams_of(BYE + "P-RTP-Stat: PR=7", [far, far]) == [None]


def test_sockets_in_the_header_count_first():
    other = make_stream(ssrc=3, src=RELAY, dst=CALLER, direction="callee-to-caller")
    header = "X-RTP-Stat: PR=7;IP=10.0.0.1:4000,10.0.0.{}:{}"
    assert streams_of(BYE + header.format(2, 5000), [other, TO_CALLER]) == [1]
    assert streams_of(BYE + header.format(16, 6000), [other, TO_CALLER]) == [0]
    assert streams_of(BYE + header.format(77, 6000), [other, TO_CALLER]) == [None]


def test_an_ssrc_in_the_report_tells_the_stream():
    body = (
        r"VQSessionReport\nCallID: c\nLocalAddr:IP=10.9.9.9 PORT=1 SSRC=1\n"
        r"RemoteAddr:IP=10.9.9.8 PORT=2 SSRC={}\nPacketLoss:NLR=5.0\n"
    )
    script = "10.0 A>B PUBLISH call=other type=application/vq-rtcpxr || "
    assert streams_of(script + body.format(2)) == [1]
    assert streams_of(script + body.format(99)) == [None]
    (row,) = rows(script + body.format(2), [TO_CALLEE, TO_CALLER])
    assert (row.ssrc, row.reported_ssrc, row.call_id) == (1, 2, "c")


def test_the_same_report_at_a_second_hop_is_one():
    script = BYE + "P-RTP-Stat: PR=7\n9.01 P>B BYE cseq=2 from=x to=y branch=p | P-RTP-Stat: PR=7\n"
    assert len(rows(script, [TO_CALLEE, TO_CALLER])) == 1


def test_a_report_of_a_call_that_is_not_here_has_no_stream():
    (row,) = rows("9.0 A>B BYE call=elsewhere | P-RTP-Stat: PR=7", [TO_CALLEE])
    assert (row.call_id, row.stream) == ("elsewhere", None)
