"""Reports of quality in SIP: RFC 6035 and what phones put into a BYE."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.result import Messages
from sipanalyzer.sip.quality_reports import MAX_VALUES, QualityReport, find_quality_reports
from tests.calls.words import table

VQ = r"VQSessionReport: CallTerm\nCallID: 6dg37f1890463\nLocalID: Alice <sip:alice@example.org>\nRemoteID: Bill <sip:bill@example.net>\nLocalAddr: IP=10.10.1.100 PORT=5000 SSRC=1a3b5c7d\nRemoteAddr:IP=11.1.1.150 PORT=5002 SSRC=0x2468abcd\nLocalMetrics:\nTimestamps:START=2004-10-10T18:23:43Z STOP=2004-10-01T18:26:02Z\nSessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50\n FMTP=\"annexb=no\" PLC=3 SSUP=on\nJitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\nPacketLoss:NLR=5.0 JDR=2.0\nBurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16\nDelay:RTD=200 ESD=140 SOWD=200 IAJ=2 MAJ=10\nSignal:SL=-21 NL=127 RERL=55\nQualityEst:RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=4.3\n QoEEstAlg=P.564\nRemoteMetrics:\nPacketLoss:NLR=1.5 JDR=0.5\nDelay:RTD=180\nDialogID:1890463548;to-tag=8472761;from-tag=9123dh311\n"  # noqa: E501


def found(script: str) -> list[QualityReport]:
    return find_quality_reports(table(script))


def bye(header: str, line: str = "9.0 A>B BYE cseq=2 from=x to=y") -> list[QualityReport]:
    return found(f"{line} | {header}\n")


def figures(header: str) -> dict[str, float]:
    (report,) = bye(header)
    return dict(report.values)


# ---- RFC 6035
def test_a_session_report_has_both_sides():
    local, remote = found(f"1.0 A>B PUBLISH type=application/vq-rtcpxr || {VQ}\n")
    assert (local.type, local.call_id) == ("vq-rtcpxr", "6dg37f1890463")
    assert (local.ssrc, local.reported_ssrc) == (0x1A3B5C7D, 0x2468ABCD)
    assert (local.receiver, local.sender) == (("10.10.1.100", 5000), ("11.1.1.150", 5002))
    assert dict(local.values) == {
        "payload_type": 18, "clock_rate": 8000, "frame_ms": 20, "frame_octets": 20, "frames_per_packet": 2,
        "packets_per_second": 50, "concealment": 3, "jb_adaptive": 3, "jb_rate": 2, "jb_nominal_ms": 40,
        "jb_maximum_ms": 80, "jb_absolute_maximum_ms": 120, "loss_percent": 5.0, "discard_percent": 2.0,
        "burst_density_percent": 0, "burst_ms": 0, "gap_density_percent": 2.0, "gap_ms": 500, "gmin": 16,
        "round_trip_ms": 200, "end_system_delay_ms": 140, "symmetric_one_way_delay_ms": 200, "jitter_ms": 2,
        "mean_absolute_jitter_ms": 10, "signal_dbm": -21, "rerl_db": 55, "r_lq": 90, "r_factor": 85,
        "external_r": 90, "mos_lq": 4.2, "mos_cq": 4.3,
    }  # fmt: skip
    assert dict(remote.values) == {"loss_percent": 1.5, "discard_percent": 0.5, "round_trip_ms": 180}
    assert (remote.ssrc, remote.reported_ssrc, remote.receiver) == (0x2468ABCD, 0x1A3B5C7D, ("11.1.1.150", 5002))


def test_drafts_name_the_sides_in_each_section():
    body = (
        r"VQSessionReport\nLocalMetrics:\nCallID:one\nLocalAddr:IP=10.0.0.1 PORT=5000 SSRC=1\n"
        r"RemoteAddr:IP=10.0.0.2 PORT=5002 SSRC=2\nPacketLoss:NLR=5.0\nRemoteMetrics:\nCallID:one\n"
        r"LocalAddr:IP=10.0.0.2 PORT=5002 SSRC=2\nRemoteAddr:IP=10.0.0.1 PORT=5000 SSRC=1\nPacketLoss:NLR=6.0\n"
    )
    local, remote = found(f"1.0 A>B PUBLISH type=application/vq-rtcpxr || {body}\n")
    assert (local.ssrc, local.reported_ssrc, local.call_id) == (1, 2, "one")
    assert (remote.ssrc, remote.reported_ssrc, remote.receiver) == (2, 1, ("10.0.0.2", 5002))


def test_figures_without_a_section_are_local_and_several_parts_are_opened():
    body = (
        r"--x\nContent-Type: application/sdp\n\nv=0\n--x\nContent-Type: application/vq-rtcpxr\n\nVQIntervalReport\n"
        r"PacketLoss:NLR=5.0\n--x--\n"
    )
    (report,) = found(f"1.0 A>B NOTIFY type='multipart/mixed;boundary=x' || {body}\n")
    assert report.values == (("loss_percent", 5.0),)


def test_other_messages_are_not_looked_into():
    assert not found(f"1.0 A>B PUBLISH type=application/pidf+xml || {VQ}\n")
    assert not found(f"1.0 A>B INFO type=application/vq-rtcpxr || {VQ}\n")
    assert not found("1.0 A>B PUBLISH type=application/vq-rtcpxr || VQSessionReport: CallTerm\n")
    assert not found("1.0 A>B INVITE | X-RTP-Stat: PS=1\n2.0 A>B BYE cseq=2 | Subject: RTP-STAT\n")


# ---- headers
def test_what_avm_sends():
    (report,) = bye(
        "X-RTP-Stat: CS=1788;PS=566;ES=568;OS=135840;SP=0/0;SO=0;QS=-;PR=568;ER=568;OR=135840;CR=0;SR=0;QR=-;PL=4,7;"
        "BL=0;LS=0;RB=0/0;SB=0/0;EN=PCMA;DE=PCMA;JI=23,48;DL=28,27,31;IP=77.185.30.173:7078,87.234.1.202:15612"
    )
    values = dict(report.values)
    assert (values["packets_sent"], values["packets_received"], values["packets_lost"]) == (566, 568, 4)
    assert (values["call_setup_ms"], values["jitter"], values["delay_ms"]) == (1788, 23, 28)
    assert (report.receiver, report.sender) == (("77.185.30.173", 7078), ("87.234.1.202", 15612))
    assert (report.type, report.call_id, report.sent) == ("X-RTP-Stat", "c", False)


def test_what_linksys_sends():
    assert figures("P-RTP-Stat: PS=0,OS=0,PR=5429,OR=955504,PL=3,JI=2,LA=40,DU=108,EN=G711u,DE=G711u") == {
        "packets_sent": 0, "octets_sent": 0, "packets_received": 5429, "octets_received": 955504, "packets_lost": 3,
        "jitter_ms": 2, "delay_ms": 40, "call_duration_s": 108,
    }  # fmt: skip


def test_what_cisco_sends_in_two_headers():
    rx, tx = bye(
        'RTP-RxStat: Dur=13,Pkt=657,Oct=113004,LatePkt=1,LostPkt=2,AvgJit=3,VQMetrics="MLQK=4.5000;MLQKav=4.4;'
        'CCR=0.0101;CS=1;SCS=0" | RTP-TxStat: Dur=13,Pkt=658,Oct=105280'
    )
    assert dict(rx.values) == {
        "call_duration_s": 13, "packets_received": 657, "octets_received": 113004, "packets_late": 1,
        "packets_lost": 2, "jitter_ms": 3, "mos_lq_k": 4.5, "mos_lq_k_mean": 4.4, "concealed_ratio": 0.0101,
        "concealed_s": 1, "severely_concealed_s": 0,
    }  # fmt: skip
    assert (rx.sent, tx.sent, dict(tx.values)["packets_sent"]) == (False, True, 658)


def test_other_spellings_and_places():
    assert figures("rtp-rxstat: Dur=7,Pkt=345,AvJit=3.5,MaxJit=12,MOSLQ=4.1")["jitter_ms"] == 3.5
    assert figures("X-RTP-Stat: MOS=3.8;Jitter=7;PacketLossPct=1.5;RTT=260682;RTPStat=RTP: 258452 bytes") == {
        "mos_lq": 3.8, "jitter": 7, "loss_percent": 1.5, "round_trip": 260682
    }  # fmt: skip
    (of_response,) = bye("P-RTP-Stat: PR=7", "9.2 B>A 200 OK cseq=2,BYE from=x to=y")
    assert of_response.values == (("packets_received", 7.0),)


def test_a_retransmission_reports_once():
    line = "{} A>B BYE cseq=2 from=x to=y | P-RTP-Stat: PR=7\n"
    assert len(found(line.format("9.0") + line.format("9.5"))) == 1


@pytest.mark.parametrize("text", ["", "none", "PR=", "PR=x", "=5", "PR", "IP=1.2.3.4:99999,x:1", "PR=1e999,EN=5.x"])
def test_a_header_without_a_figure_is_no_report(text):
    assert not [report for report in bye(f"X-RTP-Stat: {text}") if "packets_received" in dict(report.values)]


# ---- hostile
@given(st.text(st.characters(exclude_characters="|\r\n\\'\"", exclude_categories=["Cs", "Cc"]), max_size=300))
def test_any_text_is_taken(text):
    for report in bye(f"RTP-RxStat: A=1,{text}"):
        assert len(report.values) <= MAX_VALUES


@given(st.data())
def test_any_lines_are_taken(data):
    lines = VQ.split(r"\n")
    body = r"\n".join(data.draw(st.lists(st.sampled_from([*lines, "=", ":", " x", "A=1 B=2", "LocalMetrics:"]))))
    for report in found(f"1.0 A>B PUBLISH type=application/vq-rtcpxr || {body}\n"):
        assert report.values


def test_a_long_header_takes_no_long_time():
    begin = time.process_time()
    for filling in ("A=" * 20_000, "=" * 40_000, "IP=" * 10_000, "IP=1,," * 9_000, '"' * 40_000, "A1=1;" * 9_000):
        bye(f"X-RTP-Stat: {filling}".replace('"', "'"))
    assert time.process_time() - begin < 2


def test_an_empty_table_has_none():
    assert find_quality_reports(table("1.0 A>B OPTIONS\n")) == []
    assert isinstance(table(""), Messages)
    assert find_quality_reports(table("")) == []
