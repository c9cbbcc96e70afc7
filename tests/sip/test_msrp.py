"""MSRP framed and counted: bytes by hand, every cut, holes, and what looks like an end and is none."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import subprocess
import time as clock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Endpoint, MsrpSession
from sipanalyzer.options import Options
from sipanalyzer.sip.msrp import LONGEST_HEAD, MsrpReader, MsrpSessions, Transaction, path_key

ALICE, BOB = "msrp://alice.example.com:7777/iau39soe2843z;tcp", "msrp://bob.example.org:8888/9di4eae923wzd;tcp"
A, B = ("192.0.2.1", 7777), ("192.0.2.2", 8888)


def request(
    body: bytes | None = b"Hello, Bob!", *, tid: str = "d93kswow", flag: str = "$", method: str = "SEND",
    to: str = BOB, frm: str = ALICE, headers: tuple[str, ...] = (),
) -> bytes:  # fmt: skip
    lines = [f"MSRP {tid} {method}", f"To-Path: {to}", f"From-Path: {frm}", "Message-ID: 12339sdqwer", *headers]
    head = "".join(line + "\r\n" for line in lines).encode()
    content = b"Content-Type: text/plain\r\n\r\n" + body + b"\r\n" if body is not None else b""
    return head + content + f"-------{tid}{flag}\r\n".encode()


def response(status: str = "200 OK", *, tid: str = "d93kswow", to: str = ALICE, frm: str = BOB) -> bytes:
    return f"MSRP {tid} {status}\r\nTo-Path: {to}\r\nFrom-Path: {frm}\r\n-------{tid}$\r\n".encode()


def read(data: bytes, cuts: list[int] | None = None) -> list[Transaction]:
    reader, out = MsrpReader(), []
    for a, b in itertools.pairwise(sorted({0, len(data), *(cuts or [])})):
        out += reader.feed(data[a:b], b, 1)
    return out


def brief(transactions: list[Transaction]) -> list[tuple[str | int | None, int, bool]]:
    return [(one.method or one.status, one.body_bytes, one.whole) for one in transactions]


def test_a_request_and_its_response() -> None:
    assert read(request()) == [Transaction(len(request()), 1, "SEND", None, ALICE, BOB, True, 11, True)]
    (answer,) = read(response())
    assert (answer.method, answer.status, answer.from_path, answer.to_path) == (None, 200, BOB, ALICE)
    assert not answer.has_body


STREAM = b"".join(
    [
        request(b"part one, ", flag="+"), request(b"and two"), response("413 Stop"), request(None, tid="empty1"),
        request(b"", tid="nothing2"), request(b"line\r\n-------d93kswowX\r\n-------d93kswo\r\n", tid="d93kswow"),
        request(b"\r\n\r\n-------x$", tid="abcd"), request(b"given up", flag="#"),
        request(b"\xff\0MSRP abcd SEND\r\n" * 3), request(None, method="REPORT", headers=("Status: 000 408 Timeout",)),
        response("481"),
    ]
)  # fmt: skip
EXPECTED = [
    ("SEND", 10, False), ("SEND", 7, True), (413, 0, True), ("SEND", 0, True), ("SEND", 0, True), ("SEND", 40, True),
    ("SEND", 13, True), ("SEND", 8, False), ("SEND", 54, True), ("REPORT", 0, True), (481, 0, True),
]  # fmt: skip


def test_bodies_end_at_their_own_end_line_only() -> None:
    assert brief(read(STREAM)) == EXPECTED


@settings(max_examples=150)
@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_cuts_give_the_same(cuts: list[int]) -> None:
    assert brief(read(STREAM, cuts)) == EXPECTED


def test_byte_by_byte_gives_the_same() -> None:
    assert brief(read(STREAM, list(range(len(STREAM))))) == EXPECTED


def test_bare_line_feeds_are_read() -> None:
    line_ends = [0, 0, 0, 0, 0, 3, 2, 0, 3, 0, 0]
    expected = [(kind, size - ends, whole) for (kind, size, whole), ends in zip(EXPECTED, line_ends, strict=True)]
    assert brief(read(STREAM.replace(b"\r\n", b"\n"))) == expected


@pytest.mark.parametrize("hole", range(0, 300, 7))
def test_after_a_hole_the_next_start_line_counts(hole: int) -> None:
    first, rest = request(b"x" * 100) + request(b"y" * 30, tid="second"), request(b"z", tid="third") + response()
    reader = MsrpReader()
    reader.feed(first[:hole], 1, 1)
    out = reader.feed(first[hole + 50 :] + rest, 2, 2, gap=True)
    assert brief(out)[-2:] == [("SEND", 1, True), (200, 0, True)]


def test_a_stream_cut_anywhere_gives_what_is_whole() -> None:
    ends = [end for end in range(len(STREAM) + 1) if len(read(STREAM[:end])) > len(read(STREAM[: end - 1]))]
    assert len(ends) == len(EXPECTED)
    for end in range(0, len(STREAM), 5):
        assert brief(read(STREAM[:end])) == EXPECTED[: sum(1 for each in ends if each <= end)]


def test_endless_heads_lines_and_bodies_cost_bounded_memory_and_time() -> None:
    began = clock.perf_counter()
    for data in (
        b"MSRP abcd SEND\r\n" + b"X: y\r\n" * 200_000, b"MSRP abcd SEND\r\nX: " + b"y" * 1_000_000,
        b"MSRP abcd SEND\r\n\r\n" + b"\n-------abcd" * 100_000, b"MSRP abcd SEND\r\n\r\n" + b"x" * 1_000_000,
        b"x" * 1_000_000, b"\n" * 300_000, b"MSRP abcd 200 " + b" " * 500_000,
    ):  # fmt: skip
        reader = MsrpReader()
        for at in range(0, len(data), 1400):
            reader.feed(data[at : at + 1400], 1, 1)
            assert len(reader._buffer) <= LONGEST_HEAD + 1400
        assert brief(reader.feed(b"\r\n-------abcd$\r\n\r\n" + request(), 1, 1, gap=False))[-1:] == [("SEND", 11, True)]
    assert clock.perf_counter() - began < 8


@given(st.binary(max_size=300), st.integers(0, 300), st.booleans())
def test_any_bytes_are_read_without_harm(data: bytes, at: int, gap: bool) -> None:
    reader = MsrpReader()
    reader.feed(b"MSRP abcd SEND\r\n" + data[:at], 1, 1)
    reader.feed(data[at:], 2, 2, gap)


# ---- paths
@pytest.mark.parametrize(
    ("path", "key"),
    [
        (ALICE, ALICE), ("", ""), ("  ", ""), ("sip:x", "sip:x"),
        ("msrps://Relay.example.net:2855/aeiug;tcp MSRPS://User@Alice.Example.com:9892/98CJHD;TCP;x=y",
         "msrps://alice.example.com:9892/98CJHD;tcp"),
        ("msrp://[2001:DB8::1]:9/s;tcp", "msrp://[2001:db8::1]:9/s;tcp"), ("msrp://h", "msrp://h"),
    ],
)  # fmt: skip
def test_equal_uris_have_equal_keys(path: str, key: str) -> None:
    assert path_key(path) == key


# ---- sessions
class Chat:
    def __init__(self, **options: int) -> None:
        self.anomalies = Anomalies()
        self.sessions = MsrpSessions(dataclasses.replace(Options(), **options), self.anomalies)
        self.time = 0

    def send(self, data: bytes, src: Endpoint = A, dst: Endpoint = B) -> None:
        for one in MsrpReader().feed(data, self.time, self.time):
            self.sessions.add(one, src, dst, 0)
        self.time += 1


def test_both_ways_are_one_session() -> None:
    chat = Chat()
    chat.send(request(None))
    chat.send(response(), B, A)
    chat.send(request(b"part one, ", flag="+") + request(b"two"))
    chat.send(request(b"reply", to=ALICE, frm=BOB), B, A)
    chat.send(response("415 No", to=BOB, frm=ALICE))
    assert chat.sessions.finish() == (MsrpSession(0, 0, 0, A, B, ALICE, BOB, 2, 18, 1, 415, 4),)


def test_sessions_over_one_connection_are_told_apart() -> None:
    chat = Chat()
    other = "msrp://bob.example.org:8888/other;tcp"
    chat.send(request() + request(to=other) + request(to=other))
    assert [(one.to_path, one.messages) for one in chat.sessions.finish()] == [(BOB, 1), (other, 2)]


def test_a_session_over_a_relay_is_one_a_hop_and_answers_of_hops_make_none() -> None:
    chat = Chat()
    relay, at = "msrp://relay.example.net:2855/r1;tcp", ("198.51.100.1", 2855)
    chat.send(request(to=f"{relay} {BOB}"), A, at)
    chat.send(response(to=ALICE, frm=relay), at, A)
    chat.send(request(frm=f"{relay} {ALICE}"), at, B)
    found = chat.sessions.finish()
    assert [(one.from_path, one.to_path, one.src, one.messages) for one in found] == [
        (ALICE, BOB, A, 1), (ALICE, BOB, at, 1),
    ]  # fmt: skip


def test_a_new_connection_goes_on_with_the_session() -> None:
    chat = Chat()
    chat.send(request())
    chat.send(request(), ("192.0.2.1", 50_000))
    assert [(one.src, one.messages) for one in chat.sessions.finish()] == [(A, 2)]


def test_more_sessions_than_the_limit_are_not_tabled() -> None:
    chat = Chat(max_faults=2)
    for number in range(4):
        chat.send(request(to=f"msrp://b/{number};tcp"))
    assert len(chat.sessions.finish()) == 2
    assert chat.anomalies.counts() == {"msrp-limit": 2}


def test_tshark_reads_the_same(tmp_path: pathlib.Path) -> None:
    from tests.builders import spaced, tcp_frame, write_pcap

    messages = [request(None), request(b"one"), request(b"two", tid="x.y-z"), response("413 Stop"), response()]
    frames, seq = [], 1
    for message in messages:
        frames.append(tcp_frame(message, A[0], 2855, B[0], 2855, seq=seq))
        seq += len(message)
    path = write_pcap(tmp_path / "msrp.pcap", spaced(frames))
    try:
        said = subprocess.run(
            ["tshark", "-r", str(path), "-d", "tcp.port==2855,msrp", "-Y", "msrp", "-T", "fields", "-e", "msrp.method",
             "-e", "msrp.status.code", "-e", "msrp.cnt.flg", "-e", "msrp.to.path"],
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no tshark")
    ours = read(b"".join(messages))
    assert [f"{one.method or ''}\t{one.status or ''}\t${''}\t{one.to_path}" for one in ours] == said
