"""ICE connectivity checks and DTLS handshakes, by pair of sockets."""

from __future__ import annotations

import dataclasses
import pathlib
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Endpoint, MediaCheck
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.checks import MediaChecks, error_code, is_connectivity_check, records
from sipanalyzer.options import Options
from tests.collecting import collected, packet_row

A, B = ("192.0.2.1", 4000), ("2001:db8::2", 5000)
USERNAME, PRIORITY, SOFTWARE, ERROR_CODE = 0x0006, 0x0024, 0x8022, 0x0009
REQUEST, INDICATION, SUCCESS, ERROR, ALLOCATE = 0x0001, 0x0011, 0x0101, 0x0111, 0x0003


def stun(kind: int, transaction: int, *attributes: tuple[int, bytes], cookie: int = 0x2112A442) -> bytes:
    body = b"".join(struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4) for name, value in attributes)
    return struct.pack(">HHI", kind, len(body), cookie) + transaction.to_bytes(12, "big") + body


def check(transaction: int) -> bytes:
    return stun(REQUEST, transaction, (SOFTWARE, b"x" * 5), (USERNAME, b"a:b"), (PRIORITY, bytes(4)))


def failure(transaction: int, code: int) -> bytes:
    return stun(ERROR, transaction, (ERROR_CODE, bytes([0, 0, code // 100, code % 100]) + b"reason"))


def dtls(kind: int, content: bytes, epoch: int = 0) -> bytes:
    return struct.pack(">BHHHIH", kind, 0xFEFD, epoch, 0, 7, len(content)) + content


def handshake(kind: int, body: bytes = bytes(40), offset: int = 0) -> bytes:
    size = len(body).to_bytes(3, "big")
    return dtls(22, bytes([kind]) + size + b"\0\0" + offset.to_bytes(3, "big") + size + body)


HELLO, SERVER_HELLO, CHANGE, DONE = handshake(1), handshake(2), dtls(20, b"\x01"), handshake(14, b"")
FINISHED = dtls(22, bytes(48), 1)


class Path:
    """Two sockets; a packet a second."""

    def __init__(self, **options: int) -> None:
        self.anomalies = Anomalies()
        self.checks = MediaChecks(dataclasses.replace(Options(), **options), self.anomalies)
        self.time = 0

    def send(self, payload: bytes, src: Endpoint = A, dst: Endpoint = B) -> None:
        self.time += 1
        kind = row.STUN if payload[:1] < b"\x04" else row.DTLS
        packet = packet_row(kind, src, dst, time=self.time, frame=self.time, size=len(payload))
        self.checks.add(packet, payload, 0)

    def back(self, payload: bytes) -> None:
        self.send(payload, B, A)

    def ice(self) -> tuple[int, int, int, int | None]:
        (found,) = self.checks.finish()
        return found.stun_requests, found.stun_successes, found.stun_errors, found.last_error

    def dtls(self) -> tuple[int, int, bool, str | None]:
        (found,) = self.checks.finish()
        return found.dtls_hellos, found.dtls_answers, found.dtls_finished, found.dtls_alert


# ---- ICE
def test_checks_and_their_answers_are_counted() -> None:
    path = Path()
    path.send(check(1))
    path.back(stun(SUCCESS, 1))
    path.send(check(2))
    path.back(failure(2, 400))
    path.send(check(3))
    assert path.checks.finish() == (MediaCheck(1, 1, 0, A, B, 3, 1, 1, 400, 0, 0, False, None),)


def test_a_check_that_is_sent_again_is_one_and_so_is_its_answer() -> None:
    path = Path()
    for _ in range(3):
        path.send(check(1))
    for _ in range(2):
        path.back(stun(SUCCESS, 1))
    path.send(check(1))
    assert path.ice() == (1, 1, 0, None)


def test_both_ways_count_together_from_the_one_that_asked_first() -> None:
    path = Path()
    path.back(check(1))
    path.send(check(1))
    path.send(stun(SUCCESS, 1))
    path.back(stun(SUCCESS, 1))
    (found,) = path.checks.finish()
    assert (found.src, found.dst, found.stun_requests, found.stun_successes) == (B, A, 2, 2)


def test_what_asks_a_server_for_the_own_address_is_no_check() -> None:
    path = Path()
    for message in (stun(REQUEST, 1), stun(REQUEST, 2, (SOFTWARE, b"x")), stun(INDICATION, 3, (USERNAME, b"x"))):
        path.send(message)
    path.send(stun(ALLOCATE, 4, (USERNAME, b"x")))
    path.back(stun(SUCCESS, 1))
    path.back(failure(4, 401))
    path.back(failure(9, 401))
    assert path.checks.finish() == ()


def test_a_role_conflict_is_no_failure() -> None:
    path = Path()
    path.send(check(1))
    path.back(failure(1, 487))
    assert path.ice() == (1, 0, 0, None)


def test_an_answer_from_elsewhere_answers_nothing() -> None:
    path = Path()
    path.send(check(1))
    path.send(stun(SUCCESS, 1), ("192.0.2.9", 1), A)
    path.send(stun(SUCCESS, 1))
    assert path.ice() == (1, 0, 0, None)


@pytest.mark.parametrize("cookie", [0x2112A442, 0x11223344])
def test_classic_stun_is_matched_alike(cookie: int) -> None:
    path = Path()
    path.send(stun(REQUEST, 1, (USERNAME, b"a:b"), cookie=cookie))
    path.back(stun(SUCCESS, 1, cookie=cookie))
    path.back(stun(SUCCESS, 1, cookie=cookie ^ 1))
    assert path.ice() == (1, 1, 0, None)


def test_a_stun_message_cut_anywhere_says_what_is_there() -> None:
    whole, wrong = check(1), failure(1, 431)
    for size in range(20, len(whole)):
        assert is_connectivity_check(whole[:size]) == (size >= 20 + 12 + 4 + 3)
    for size in range(20, len(wrong)):
        assert error_code(wrong[:size]) == (431 if size >= 20 + 4 + 10 else None)
    assert error_code(stun(ERROR, 1, (ERROR_CODE, b"\0\0"))) is None


def test_attributes_without_end_are_given_up() -> None:
    assert not is_connectivity_check(stun(REQUEST, 1, *[(SOFTWARE, b"")] * 1000, (USERNAME, b"x")))


# ---- DTLS
def test_a_handshake_from_hello_to_finished() -> None:
    path = Path()
    path.send(HELLO)
    path.back(handshake(3))
    path.send(HELLO)
    path.back(SERVER_HELLO + handshake(11) + DONE)
    assert path.dtls() == (2, 4, False, None)
    path.send(handshake(16) + CHANGE + FINISHED)
    assert path.dtls() == (2, 4, False, None)
    path.back(CHANGE + FINISHED)
    assert path.dtls() == (2, 4, True, None)


def test_a_hello_that_is_not_answered() -> None:
    path = Path()
    for _ in range(3):
        path.back(HELLO)
    (found,) = path.checks.finish()
    assert (found.src, found.dtls_hellos, found.dtls_answers, found.dtls_finished) == (B, 3, 0, False)


def test_the_one_that_asked_first_may_be_the_other_of_dtls() -> None:
    path = Path()
    path.send(check(1))
    path.back(HELLO)
    path.send(SERVER_HELLO)
    path.send(FINISHED)
    path.back(FINISHED)
    (found,) = path.checks.finish()
    assert (found.src, found.dtls_hellos, found.dtls_answers, found.dtls_finished) == (A, 1, 1, True)


def test_records_before_the_first_question_keep_their_sides() -> None:
    path = Path()
    path.back(FINISHED)
    path.send(check(1))
    path.back(FINISHED)
    assert path.dtls() == (0, 0, False, None)
    path.send(FINISHED)
    assert path.dtls()[2]


def test_alerts_are_named_and_a_polite_end_is_none() -> None:
    path = Path()
    path.send(HELLO)
    path.back(dtls(21, b"\x02\x28"))
    path.send(dtls(21, b"\x02\x2a"))
    assert path.dtls() == (1, 0, False, "handshake_failure")
    path = Path()
    path.send(HELLO)
    path.send(dtls(21, b"\x01\x00"))
    path.send(dtls(21, bytes(30), 1))
    assert path.dtls() == (1, 0, False, None)


def test_a_hello_in_fragments_is_one() -> None:
    path = Path()
    path.send(handshake(1))
    path.send(handshake(1, offset=40))
    assert path.dtls()[0] == 1


@pytest.mark.parametrize(("version", "finished"), [(0xFEFC, True), (0xFEFD, False)])
def test_dtls_1_3_is_done_with_its_server_hello_since_no_more_can_be_read(version: int, finished: bool) -> None:
    extensions = struct.pack(">HHH", 0x33, 2, 29) + struct.pack(">HHH", 43, 2, version)
    body = bytes(2) + b"r" * 32 + b"\x02id" + bytes(3) + len(extensions).to_bytes(2, "big") + extensions
    path = Path()
    path.send(HELLO)
    path.back(handshake(2, body))
    assert path.dtls() == (1, 1, finished, None)
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    path = Path()
    path.send(HELLO)
    path.back(handshake(2, body.replace(b"r" * 32, retry)))
    assert path.dtls() == (1, 1, False, None)
    for size in range(len(handshake(2, body))):
        path = Path()
        path.send(HELLO)
        path.back(b"\x16" + handshake(2, body)[1:size])
        assert not path.dtls()[2]


def test_media_without_a_handshake_is_no_check() -> None:
    path = Path()
    path.send(dtls(23, bytes(50), 1))
    path.back(dtls(23, bytes(50), 1))
    assert path.checks.finish() == ()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.binary(max_size=80)), max_size=12))
def test_any_bytes_are_taken(packets: list[tuple[bool, int, bytes]]) -> None:
    path = Path()
    starts = [b"\x00\x01\x00\x40!\x12\xa4B" + bytes(12), b"\x01\x01\x00\x08!\x12\xa4B" + bytes(12), HELLO[:13], CHANGE]
    for forward, start, data in packets:
        (path.send if forward else path.back)(starts[start] + data)
    assert len(path.checks.finish()) <= 1
    for _, start, data in packets:
        assert len(records(starts[start] + data)) <= 64


def test_more_pairs_than_the_limit_are_not_remembered() -> None:
    path = Path(max_faults=2)
    for port in range(5):
        path.send(check(port), ("192.0.2.1", port))
        path.send(stun(SUCCESS, port), B, ("192.0.2.1", port))
    assert [(one.src[1], one.stun_successes) for one in path.checks.finish()] == [(0, 1), (1, 1)]
    assert path.anomalies.counts() == {"fault-limit": 3}


# ---- captures by others
@pytest.mark.parametrize(
    "name",
    [
        "zeek__zeek__webrtc-stun.pcap", "ntop__nDPI__stun_google_meet.pcapng", "ntop__nDPI__stun_zoom.pcapng",
        "veondigital__srtp_decoder__webrtc_opus_p2p.pcap", "Lekensteyn__wireshark-notes__webrtc-freeswitch.pcapng",
        "arkime__arkime__stun-ice-testcall.pcap", "zeek__zeek__dtls13-cid.pcap",
    ],
)  # fmt: skip
def test_as_many_as_tshark_finds(corpus: pathlib.Path, name: str) -> None:
    fields = ["stun.id", "ip.src", "ipv6.src", "udp.srcport", "stun.type", "stun.att.username"]
    told = ["-Y", "udp && stun && !icmp && stun.type.method == 1", "-T", "fields"]
    told += [word for field in fields for word in ("-e", field)]
    hellos = [
        "-Y",
        "dtls.handshake.type == 1 && dtls.handshake.fragment_offset == 0",
        "-T",
        "fields",
        "-e",
        "frame.number",
    ]
    try:
        said, greeted = (
            subprocess.run(["tshark", "-r", str(corpus / name), *what], capture_output=True, text=True, check=True)
            for what in (told, hellos)
        )
    except FileNotFoundError:
        pytest.skip("no tshark")
    asked, answered = set(), set()
    for line in said.stdout.splitlines():
        identity, v4, v6, port, kind, user = line.split("\t")
        if int(kind, 16) == 0x0001 and user:
            asked.add((identity, v4, v6, port))
        elif int(kind, 16) == 0x0101:
            answered.add(identity)
    found = collected(corpus / name).unpacker.checks.finish()
    assert sum(one.stun_requests for one in found) == len(asked)
    assert sum(one.stun_successes for one in found) == sum(1 for one in asked if one[0] in answered)
    assert sum(one.dtls_hellos for one in found) == len(greeted.stdout.split())
    assert sum(one.stun_requests + one.dtls_hellos for one in found) > 0
