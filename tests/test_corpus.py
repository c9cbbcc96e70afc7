"""Captures that others made, against what tshark says of them (`conftest.py` says where they are looked for).

Where the two differ, `docs/disagreements.md` says who is right and why; the tables here hold the very figures, so that
a new difference is seen.
"""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import pytest

from sipanalyzer.errors import CaptureError
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import TRANSPORTS, Result

NO_CAPTURES = {"NormB__sipnab__rtsp-packets.cap", "seladb__PcapPlusPlus__solaris.snoop"}
FUZZED = {"ntop__nDPI__fuzz-2006-06-26-2594.pcap"}
"""Wireshark's fuzzer was at it: no exact truth."""

MESSAGES = {
    # one packet captured in several places of one machine (GTP-U, plain, loopback): tshark counts each copy
    "NormB__sipnab__b2bua-asterisk.pcapng": (59, 60),
    "ntop__nDPI__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap": (69, 92),
    "odedshimon__BruteShark__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap": (69, 92),
    "open5gs__open5gs__nonipsec_reg.pcapng": (26, 50),
    "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng": (47, 67),
    "open5gs__open5gs__volte.pcapng": (27, 41),
    # `YAHOOREF sip:` is not SIP
    "ajbanjara__Wireshark__lan1.pcap": (0, 4),
    # tshark had the TLS key
    "pentesteracademy__voipshark__SIP-over-TLS-RTP-Normal_Call_two_parties.pcap": (0, 48),
}
"""Messages here and in tshark, where they differ."""


PACKETS = {
    "ntop__nDPI__stun_google_meet.pcapng",  # the heuristic passes packets over
    "veondigital__srtp_decoder__udp_call_02_03_client.pcap",  # the first nine came in STUN indications
}
"""Where streams differ in their packets."""


def names(corpus: pathlib.Path) -> list[str]:
    truths = {path.name.removesuffix(".json") for path in (corpus / "truth").glob("*.json")}
    return sorted(path.name for path in corpus.iterdir() if path.name in truths)


@functools.cache
def result(path: pathlib.Path) -> Result:
    return analyze(path)


@functools.cache
def truth(path: pathlib.Path) -> Any:
    return json.loads((path.parent / "truth" / f"{path.name}.json").read_text())


def each(corpus: pathlib.Path) -> list[pathlib.Path]:
    return [corpus / name for name in names(corpus) if name not in NO_CAPTURES]


def test_every_capture_is_read_and_what_is_none_is_refused(corpus: pathlib.Path) -> None:
    assert len(names(corpus)) > 100
    for name in names(corpus):
        if name in NO_CAPTURES:
            with pytest.raises(CaptureError, match="needed a pcap or pcapng file header"):
                analyze(corpus / name)
        else:
            assert result(corpus / name).captures[0].packets > 0


def test_the_number_of_messages_is_tsharks_but_for_the_explained(corpus: pathlib.Path) -> None:
    differ = {}
    for path in each(corpus):
        found, said = len(result(path).messages), len(truth(path)["sip_messages"])
        if found != said and path.name not in FUZZED:
            differ[path.name] = (found, said)
    assert differ == MESSAGES


def test_each_message_stands_in_tsharks_frame_with_tsharks_fields(corpus: pathlib.Path) -> None:
    compared = 0
    for path in each(corpus):
        if path.name in MESSAGES or path.name in FUZZED:
            continue
        messages = result(path).messages
        ours = sorted(
            (
                int(messages.frame[i]),
                messages.text("call_id", i) or "",
                int(messages.status[i]),
                (messages.text("method", i) or "") if not messages.status[i] else "",
                int(messages.cseq[i]),
                messages.endpoints[messages.src[i]],
                messages.endpoints[messages.dst[i]],
                TRANSPORTS[messages.transport[i]],
                messages.text("from_tag", i) or "",
            )
            for i in range(len(messages))
        )
        names_of = {"udp": "UDP", "tcp": "TCP", "sctp": "SCTP", "tcp+websocket": "WS", "websocket": "WS"}
        theirs = sorted(
            (
                m["frame"],
                m.get("call_id") or "",
                m.get("status") or 0,
                m.get("method") or "",
                m["cseq"] if m.get("cseq") is not None else -1,
                (m["src"], m["sport"]),
                (m["dst"], m["dport"]),
                names_of[m["transport"]],
                m.get("from_tag") or "",
            )
            for m in truth(path)["sip_messages"]
        )
        assert ours == theirs, path.name
        compared += len(ours)
    assert compared > 1000


def test_the_call_ids_of_copied_messages_are_all_there(corpus: pathlib.Path) -> None:
    for name in MESSAGES:
        messages = result(corpus / name).messages
        ours = {messages.text("call_id", i) for i in range(len(messages))}
        theirs = {m.get("call_id") for m in truth(corpus / name)["sip_messages"]}
        if "TLS" not in name and "lan1" not in name:
            assert ours == theirs
            keys = [
                (
                    messages.endpoints[messages.src[i]],
                    messages.text("call_id", i),
                    int(messages.cseq[i]),
                    int(messages.status[i]),
                )
                for i in range(len(messages))
            ]
            assert set(keys) == {
                ((m["src"], m["sport"]), m.get("call_id"), m["cseq"], m.get("status") or 0)
                for m in truth(corpus / name)["sip_messages"]
            }


def streams_of(path: pathlib.Path) -> dict[Any, Any]:
    said = truth(path)
    found = said.get("rtp_streams_heuristic_t38fix") or said.get("rtp_streams_heuristic") or []
    sdp = said.get("rtp_streams_t38fix") or said.get("rtp_streams") or []
    both = {}
    for s in (*found, *sdp):
        key = ((s["src"], s["sport"]), (s["dst"], s["dport"]), int(s["ssrc"], 16))
        if key not in both or s["packets"] > both[key]["packets"]:  # RTP before its SDP is seen by the heuristic only
            both[key] = s
    return both


def test_streams_that_tshark_finds_by_sdp_are_found(corpus: pathlib.Path) -> None:
    for path in each(corpus):
        if path.name in FUZZED:
            continue
        ours = {(s.src, s.dst, s.ssrc) for s in result(path).streams}
        for s in truth(path).get("rtp_streams", []):
            assert ((s["src"], s["sport"]), (s["dst"], s["dport"]), int(s["ssrc"], 16)) in ours, path.name


def test_packets_and_loss_are_tsharks_where_nothing_is_doubled_or_restarted(corpus: pathlib.Path) -> None:
    compared = 0
    for path in each(corpus):
        if path.name in FUZZED | PACKETS:
            continue
        said = streams_of(path)
        for s in result(path).streams:
            key = (s.src, s.dst, s.ssrc)
            if key not in said or said[key].get("duplicate_packets") or s.duplicates or s.restarts:
                continue
            assert (s.packets, s.lost) == (said[key]["packets"], said[key]["lost"]), (path.name, key)
            compared += 1
    assert compared > 60


def test_doubled_streams_lose_what_the_distinct_sequence_numbers_say(corpus: pathlib.Path) -> None:
    compared = 0
    for path in each(corpus):
        said = streams_of(path)
        for s in result(path).streams:
            x = said.get((s.src, s.dst, s.ssrc))
            if path.name == "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng":
                continue  # what was counted beside tshark there is wrong: its own list of packets has 198, not 186
            if x is not None and x.get("duplicate_packets") and x["lost"] < 0 and not s.restarts:
                assert (s.packets, s.duplicates) == (x["packets"], x["duplicate_packets"]), path.name
                assert s.expected - s.lost == x["distinct_seq"], path.name
                compared += 1
    assert compared >= 7


def test_jitter_is_tsharks_to_a_hundredth_of_a_millisecond_where_the_rules_are_the_same(corpus: pathlib.Path) -> None:
    """The rules are the same in audio of one payload type, with a known clock, without breaks and copies."""
    compared = 0
    for path in each(corpus):
        said = streams_of(path)
        for s in result(path).streams:
            x = said.get((s.src, s.dst, s.ssrc))
            if x is None or not x["max_jitter_ms"] or len(s.payload_types) > 1 or s.duplicates or s.restarts:
                continue
            if s.media == "video":
                continue  # tshark leaves packets with markers, one a picture, out of its mean
            if s.max_delta_ms is None or abs(s.max_delta_ms - x["max_delta_ms"]) > 0.01 or s.packets != x["packets"]:
                continue  # a break: see the notes on disagreements
            if (path.name, s.ssrc) in {("odedshimon__BruteShark__h263-over-rtp.pcap", 0x5482D3DA)}:
                continue
            assert s.max_jitter_ms == pytest.approx(x["max_jitter_ms"], abs=0.01), (path.name, hex(s.ssrc))
            assert s.mean_jitter_ms == pytest.approx(x["mean_jitter_ms"], abs=0.01), (path.name, hex(s.ssrc))
            compared += 1
    assert compared > 30
