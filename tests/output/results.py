"""Results made by hand, so that tables and pages are tested without reading a capture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.options import Options
from sipanalyzer.result import TRANSPORTS, Call, Capture, Dialog, Messages, Result, Stream, Transaction

T0 = 1_642_030_706_000_000_000
"""2022-01-12T23:38:26Z."""
MS = 1_000_000
ALICE, BOB = ("10.0.0.1", 5060), ("10.0.0.2", 5060)

INVITE = (
    b"INVITE sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:alice@10.0.0.1>;tag=a\r\nTo: <sip:bob@10.0.0.2>\r\nCall-ID: one@10.0.0.1\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:alice@10.0.0.1>\r\nContent-Length: 0\r\n\r\n"
)


def make_capture(**changes: Any) -> Capture:
    anomalies = Anomalies()
    anomalies.add("malformed-ip", frame=7, count=2)
    anomalies.add("unknown-link-type", frame=9, detail="link type 220")
    plain = Capture("a.pcap", "pcap", ("Ethernet",), 100, 20_000, T0, T0 + 9_000 * MS, 0, None, 0, anomalies)
    return dataclasses.replace(plain, **changes)


def make_call(**changes: Any) -> Call:
    plain = Call(
        call_id="one@10.0.0.1", state="completed", status_code=200, reason="OK", caller="alice", callee="bob",
        from_uri="sip:alice@10.0.0.1", to_uri="sip:bob@10.0.0.2", request_uri="sip:bob@10.0.0.2",
        asserted_identity=None, diversion=None, src=ALICE, dst=BOB, transport="UDP", user_agent="Phone/1", server=None,
        start=T0, ringing=T0 + 250 * MS, answered=T0 + 2_000 * MS, end=T0 + 7_500 * MS,
        acknowledged=T0 + 2_040 * MS, first_bye=T0 + 7_500 * MS, bye_final=T0 + 7_512 * MS, released_by="callee",
        release_cause=None, messages=3, retransmissions=0, dialogs=1, auth="none", dtmf_info=False,
        codecs_offered=("PCMA", "opus"), codecs_answered=("PCMA",), dtmf_negotiated=False, partial=False, capture=0,
        first_frame=1, last_frame=90, first_time=T0, last_time=T0 + 7_512 * MS, caller_tag="a", rows=(0, 1, 2),
        streams=(0,), codecs=("PCMA", "opus"), packets=200, lost=2, expected=202, max_jitter_ms=3.25,
        media_latency_ns=-150 * MS,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def make_stream(**changes: Any) -> Stream:
    plain = Stream(
        ssrc=0xBEEF, src=("10.0.0.2", 4000), dst=("10.0.0.1", 5000), call_id="one@10.0.0.1", also_call_ids=(),
        direction="callee-to-caller", matched="sdp", media="audio", payload_types=(8, 101), codec="PCMA",
        codecs=("PCMA", "telephone-event"), clock_rate=8000, ptime_ms=20.0, ptime_negotiated_ms=None,
        dscp=46, vlan=None,
        start=T0 + 1_850 * MS, end=T0 + 5_850 * MS, packets=200, bytes=32_000, expected=202, lost=2, duplicates=0,
        out_of_order=1, restarts=0, mean_jitter_ms=1.5, max_jitter_ms=3.25, mean_delta_ms=20.0, max_delta_ms=41.5,
        max_skew_ms=-2.5, clock_drift_ppm=None, ssrc_changes=0, encrypted=False, capture=0,
        first_frame=10, last_frame=80,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def make_transaction(**changes: Any) -> Transaction:
    plain = Transaction(
        "one@10.0.0.1", "INVITE", "z9hG4bK1", ALICE, BOB, T0, T0 + 250 * MS, T0 + 2_000 * MS, 200, 1, 0, 1, (0, 1)
    )
    return dataclasses.replace(plain, **changes)


def make_dialog(**changes: Any) -> Dialog:
    plain = Dialog(
        "one@10.0.0.1", "a", "b", "terminated", T0 + 250 * MS, T0 + 2_000 * MS, T0 + 7_500 * MS,
        "sip:alice@10.0.0.1", "sip:bob@10.0.0.2", None, 0, 2,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


MESSAGES: list[dict[str, Any]] = [
    {"request_uri": "sip:bob@10.0.0.2", "raw": INVITE},
    {"time": T0 + 2_000 * MS, "frame": 20, "src": BOB, "dst": ALICE, "status": 200, "reason": "OK", "to_tag": "b"},
    {"time": T0 + 7_500 * MS, "frame": 85, "src": BOB, "dst": ALICE, "method": "BYE",
     "request_uri": "sip:alice@10.0.0.1", "cseq": 7, "to_tag": "b", "retransmission": True},
    {"time": T0 + 8_000 * MS, "frame": 95, "method": "REGISTER", "request_uri": "sip:10.0.0.2", "call_id": "reg",
     "from_uri": "sip:+49-30-1234@10.0.0.1", "to_uri": "sip:+49-30-1234@10.0.0.1", "content_length": -1},
]  # fmt: skip
"""Messages of the plain result, each by what differs from an INVITE of Alice's."""

_TEXTS = (
    "method", "call_id", "from_tag", "to_tag", "branch", "from_uri", "to_uri", "request_uri", "reason", "contact",
    "user_agent", "content_type",
)  # fmt: skip
_PLAIN = {
    "time": T0, "frame": 1, "capture": 0, "src": ALICE, "dst": BOB, "transport": "UDP", "status": 0, "method": "INVITE",
    "cseq": 1, "call_id": "one@10.0.0.1", "from_tag": "a", "branch": "z9hG4bK1", "from_uri": "sip:alice@10.0.0.1",
    "to_uri": "sip:bob@10.0.0.2", "user_agent": "Phone/1", "content_length": 0, "raw": INVITE,
}  # fmt: skip


def make_messages(rows: Sequence[dict[str, Any]] = MESSAGES) -> Messages:
    full = [_PLAIN | row for row in rows]
    texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
    endpoints: list[tuple[str, int]] = []
    columns: dict[str, Any] = {}
    for name in _TEXTS:
        known = texts[name]
        columns[name] = [_number(row.get(name), known) for row in full]
    for name in ("time", "frame", "capture", "status", "cseq", "content_length"):
        columns[name] = [row[name] for row in full]
    for name in ("src", "dst"):
        columns[name] = [_number(row[name], endpoints) for row in full]
    columns["transport"] = [TRANSPORTS.index(row["transport"]) for row in full]
    columns["length"] = [len(row["raw"]) for row in full]
    columns["at"] = np.cumsum([0, *columns["length"]])[:-1].tolist()
    for name in ("body_at", "body_length", "whole"):
        columns[name] = [0] * len(full)
    arrays = {name: np.array(values, dtype=np.int64) for name, values in columns.items()}
    for name in ("retransmission", "truncated"):
        arrays[name] = np.array([row.get(name, False) for row in full], dtype=bool)
    data = np.frombuffer(b"".join(row["raw"] for row in full), dtype=np.uint8)
    return Messages(**arrays, data=data, endpoints=endpoints, texts=texts)


def _number(value: Any, known: list[Any]) -> int:
    if value is None:
        return -1
    if value not in known:
        known.append(value)
    return known.index(value)


def make_result(**changes: Any) -> Result:
    plain = Result(
        Options(), (make_capture(),), make_messages(), (make_transaction(),), (make_dialog(),), (make_call(),),
        (make_stream(),), {"rtp": 200, "sip": 4},
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def empty_result() -> Result:
    return Result(Options(), (make_capture(anomalies=Anomalies()),), make_messages([]), (), (), (), (), {})
