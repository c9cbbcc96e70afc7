"""Captures as a whole: nothing original gets in, every figure stays, and others can read what comes out."""

from __future__ import annotations

import io
import pathlib
import re
import shutil
import subprocess
import zlib
from typing import Any

import pytest

import sipanalyzer
from sample_pcaps.words.files import RAW_IP
from sipanalyzer.options import Options
from sipanalyzer.output.tables import FILLED, table
from sipanalyzer.redaction.door import redacted
from tests.builders import ETHERNET, Packet, ipv4_fragments, pcap_bytes, rtp, tcp_frame, udp, udp_frame
from tests.redaction.looking import outputs

SAMPLES = sorted(
    path for path in (pathlib.Path(__file__).parents[2] / "sample_pcaps").iterdir() if ".pcap" in path.name
)
KEY = "a key"

_CONTENT = """
call_id caller callee from_uri to_uri request_uri asserted_identity diversion src dst reason release_cause server
user_agent wireshark_filter ssrc also_call_ids branch from_tag to_tag summary contact local_uri remote_uri route_set
aor registrar source text subscriber notifier address products explanation evidence advice affects reported_ssrc cname
dtmf digits_from_caller digits_from_callee scope doubtful reporter
"""
CONTENT = frozenset(_CONTENT.split())
"""Columns that hold what is redacted, or name it."""
UNORDERED = frozenset({"endpoints", "statistics", "probes"})
"""Tables in order of addresses."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_figure_stays(path: pathlib.Path) -> None:
    plain, other = sipanalyzer.analyze(path).result, sipanalyzer.analyze(path, redact=True, redact_key=KEY).result
    for name in FILLED:
        one, two = table(plain, name), table(other, name)
        kept = [i for i, column in enumerate(one.columns) if column.name not in CONTENT]
        rows = [[repr([row[i] for i in kept]) for row in each.rows()] for each in (one, two)]
        if name in UNORDERED:
            rows = [sorted(each) for each in rows]
        assert rows[0] == rows[1], name
    assert [each.anomalies.counts() for each in plain.captures] == [each.anomalies.counts() for each in other.captures]
    assert plain.packets_by_kind == other.packets_by_kind


def test_the_same_key_gives_the_same_and_another_one_something_else() -> None:
    path = next(path for path in SAMPLES if path.name == "plain.pcap")
    call_ids = [sipanalyzer.analyze(path, redact=True, redact_key=key).calls.call_id[0] for key in ("a", "a", "b")]
    assert call_ids[0] == call_ids[1] != call_ids[2]
    first, second = (sipanalyzer.analyze(path, redact=True).calls.call_id[0] for _ in range(2))
    assert first != second


def test_the_key_is_shown_nowhere(tmp_path: pathlib.Path) -> None:
    path = next(path for path in SAMPLES if path.name == "plain.pcap")
    analysis = sipanalyzer.analyze(path, redact=True, redact_key="seventeen locks")
    assert "seventeen locks" not in repr(analysis.result.options)
    for what, data in outputs(analysis, tmp_path):
        assert b"seventeen locks" not in data, what


def test_calls_are_found_by_what_they_were_and_by_what_they_are() -> None:
    path = next(path for path in SAMPLES if path.name == "plain.pcap")
    plain = sipanalyzer.analyze(path)
    analysis = sipanalyzer.analyze(path, redact=True, redact_key=KEY)
    shown = analysis.calls.call_id[0]
    assert analysis.call(plain.calls.call_id[0]).call_id == analysis.call(shown).call_id == shown
    for number in (plain.calls.caller[0], analysis.calls.caller[0]):
        assert len(sipanalyzer.analyze(path, redact=True, redact_key=KEY, number=number).calls) == len(
            sipanalyzer.analyze(path, number=plain.calls.caller[0]).calls
        )


def test_there_is_no_audio_of_a_redacted_capture(tmp_path: pathlib.Path) -> None:
    path = next(path for path in SAMPLES if path.name == "plain.pcap")
    with pytest.raises(ValueError, match="content"):
        sipanalyzer.analyze(path, redact=True).call(0).audio(tmp_path / "a.wav")


def test_what_can_be_read_once_only_is_redacted_too() -> None:
    path = next(path for path in SAMPLES if path.name == "tcp.pcap")

    class Pipe(io.RawIOBase):
        name = "a pipe"
        file = io.BytesIO(path.read_bytes())

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self.file.readinto(buffer)

    piped = sipanalyzer.analyze(Pipe(), redact=True, redact_key=KEY)
    assert list(piped.calls.call_id) == list(sipanalyzer.analyze(path, redact=True, redact_key=KEY).calls.call_id)


INVITE = (
    b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.77;branch=z9hG4bKabcdef\r\n"
    b"From: <sip:alice@biloxi.com>;tag=tagtag\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: cutcutcut\r\nCSeq: 1 INVITE\r\n"
    b"X-Long: " + b"mueller " * 40 + b"\r\nContent-Length: 0\r\n\r\n"
)  # fmt: skip


WORDS = (b"mueller", b"alice", b"cutcut", b"biloxi")


def analysed(frames: list[bytes], link_type: int = ETHERNET) -> tuple[Any, bytes]:
    packets = [Packet(10**18 + i * 10**6, frame) for i, frame in enumerate(frames)]
    data = pcap_bytes(packets, link_type=link_type)
    source = redacted([io.BytesIO(data)], Options(redact=True, redact_key=KEY))[0].open_()
    return sipanalyzer.analyze(io.BytesIO(data), redact=True, redact_key=KEY), source.read(1 << 24)


@pytest.mark.parametrize("cut", [1, 7, 45, 100, 161])
def test_a_message_over_tcp_is_replaced_wherever_its_segments_end(cut: int) -> None:
    stream = INVITE + INVITE.replace(b"CSeq: 1", b"CSeq: 2")
    frames = [tcp_frame(stream[at : at + cut], seq=1000 + at) for at in range(0, len(stream), cut)]
    analysis, data = analysed(frames)
    assert len(analysis.messages) == 2
    assert analysis.messages.call_id[0] != "cutcutcut"
    for value in WORDS:
        assert value not in data


def test_what_comes_after_the_limit_is_wiped_and_counted() -> None:
    """Three connections with a message each, of which two fit; and datagrams, which need no room."""
    frames = [tcp_frame(INVITE.replace(b"cutcut", b"cut%03d" % i), src_port=6000 + i, seq=1) for i in range(3)]
    frames.append(udp_frame(INVITE.replace(b"SIP/2.0/TCP", b"SIP/2.0/UDP")))
    data = pcap_bytes([Packet(10**18 + i * 10**6, frame) for i, frame in enumerate(frames)])
    for room, messages, left in ((10_000, 4, {}), (4_500, 3, {"redaction-limit": 1}), (0, 1, {"redaction-limit": 3})):
        options = {"redact": True, "redact_key": KEY, "max_redaction_bytes": room}
        analysis = sipanalyzer.analyze(io.BytesIO(data), **options)
        assert len(analysis.messages) == messages
        counts = analysis.result.captures[0].anomalies.counts()
        assert {code: count for code, count in counts.items() if code == "redaction-limit"} == left
        written = redacted([io.BytesIO(data)], Options(**options))[0].open_().read(1 << 24)
        assert len(written) == len(data) and not [word for word in WORDS if word in written]


LONG = b"mueller " * 2_000
FRAMES = b"".join(bytes((0x80 if at == 8_900 else 0, 100)) + LONG[at : at + 100] for at in range(0, 9_000, 100))


@pytest.mark.parametrize(
    "stream",
    [
        INVITE[:-4] + b"\r\nX-Longer: " + LONG + b"\r\n\r\n" + INVITE,
        INVITE.replace(b"Length: 0", b"Length: 16000") + LONG + INVITE,
        INVITE + LONG + INVITE,
        INVITE + LONG,
        b"MSRP abcd SEND\r\nTo-Path: msrp://biloxi.com/x\r\n\r\n" + LONG + b"\r\n-------abcd$\r\n",
        b"GET /alice HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x7e" + (len(INVITE) + 16_000).to_bytes(2, "big")
        + INVITE.replace(b"Length: 0", b"Length: 16000") + LONG,
        b"GET /alice HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x01\x7e" + len(INVITE).to_bytes(2, "big") + INVITE + FRAMES,
    ],
    ids=["header", "body", "between", "behind", "msrp", "websocket", "frames"],
)  # fmt: skip
def test_what_is_longer_than_a_message_is_wiped(stream: bytes) -> None:
    """The first bytes are replaced as they are without the limit, zeros follow, and what comes after is replaced."""
    kept = {}
    for most in (2_000, 1 << 18):
        frames = [tcp_frame(stream[at : at + 1_000], seq=1 + at) for at in range(0, len(stream), 1_000)]
        data = pcap_bytes([Packet(10**18 + i * 10**6, frame) for i, frame in enumerate(frames)])
        options = Options(redact=True, redact_key=KEY, max_sip_message_bytes=most)
        written = redacted([io.BytesIO(data)], options)[0].open_().read(1 << 24)
        payloads, at = [], 24
        while at < len(written):
            size = int.from_bytes(written[at + 8 : at + 12], "little")
            payloads.append(written[at + 16 + 54 : at + 16 + size])
            at += 16 + size
        kept[most] = b"".join(payloads)
        assert len(kept[most]) == len(stream) and not [word for word in WORDS if word in kept[most]]
    cut, whole = kept.values()
    assert cut[:900] == whole[:900] and cut.count(0) > whole.count(0)
    assert b"SIP/2.0" not in stream[-300:] or cut[-300:] == whole[-300:]


def test_segments_that_come_late_or_twice_are_replaced_alike() -> None:
    frames = [tcp_frame(INVITE[at : at + 100], seq=1000 + at) for at in range(0, len(INVITE), 100)]
    frames = [frames[0], frames[2], frames[2], frames[1], *frames[3:], frames[1]]
    analysis, data = analysed(frames)
    assert len(analysis.messages) == 1
    for value in WORDS:
        assert value not in data


def test_a_message_in_fragments_is_replaced_as_a_whole() -> None:
    datagram = udp(INVITE.replace(b"/TCP", b"/UDP"), "192.0.2.77", 5060, "198.51.100.7", 5060)
    frames = ipv4_fragments(datagram, "192.0.2.77", "198.51.100.7", identification=7, size=104)
    analysis, data = analysed(frames[::-1], RAW_IP)
    assert len(analysis.messages) == 1
    for value in WORDS:
        assert value not in data


def test_fragments_whose_beginning_is_missing_are_wiped() -> None:
    datagram = udp(INVITE, "192.0.2.77", 5060, "198.51.100.7", 5060)
    frames = ipv4_fragments(datagram, "192.0.2.77", "198.51.100.7", identification=7, size=104)
    _, data = analysed(frames[1:], RAW_IP)
    for value in WORDS:
        assert value not in data


def test_sound_is_wiped_and_what_is_no_protocol_of_ours_too() -> None:
    frames = [
        udp_frame(rtp(b"secret sound" * 10, seq=7, timestamp=160, ssrc=1), src_port=4000, dst_port=4000),
        udp_frame(b"\x12\x34\x01\x00 secret name of a host", src_port=53, dst_port=53),
        tcp_frame(b"GET /secret HTTP/1.1\r\nHost: biloxi.com\r\n\r\n", seq=1, dst_port=80),
    ]
    _, data = analysed(frames)
    assert b"secret" not in data and b"biloxi" not in data


def test_text_in_a_pcapng_file_itself_is_blanked(tmp_path: pathlib.Path) -> None:
    path = next(path for path in SAMPLES if path.suffix == ".pcapng")
    data = redacted([str(path)], Options(redact=True, redact_key=KEY))[0].open_().read(1 << 24)
    assert len(data) == path.stat().st_size
    for text in re.findall(rb"(?:eth|en|wlan|lo)\d[ -~]{0,20}", path.read_bytes()):
        assert text not in data


def test_what_follows_damage_does_not_pass() -> None:
    frame = udp_frame(INVITE)
    good = pcap_bytes([Packet(10**18, frame)])
    damaged = good + b"\xff" * 16 + b"alice" * 100
    data = redacted([io.BytesIO(damaged)], Options(redact=True, redact_key=KEY))[0].open_().read(1 << 24)
    assert len(data) == len(damaged) and b"alice" not in data


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", ["plain.pcap", "tcp.pcap", "vxlan.pcap", "rtcp.pcap", "webrtc_failed.pcap"])
def test_wireshark_finds_no_fault_that_was_not_there(name: str, tmp_path: pathlib.Path) -> None:
    path = next(path for path in SAMPLES if path.name == name)
    copy = tmp_path / name
    copy.write_bytes(redacted([str(path)], Options(redact=True, redact_key=KEY))[0].open_().read(1 << 28))

    def faults(file: pathlib.Path) -> tuple[list[str], list[str]]:
        checks = [f"{each}.check_checksum:TRUE" for each in ("ip", "udp", "tcp")]
        command = ["tshark", "-r", str(file), *[word for each in checks for word in ("-o", each)]]
        wanted = ["-T", "fields", "-e", "frame.number", "-e", "frame.protocols"]
        wrong = "_ws.malformed or ip.checksum.status==0 or udp.checksum.status==0 or tcp.checksum.status==0"
        runs = [[*command, *wanted], [*command, "-Y", wrong, *wanted]]
        every, bad = (subprocess.run(run, capture_output=True, text=True, check=True).stdout for run in runs)
        return every.splitlines(), bad.splitlines()

    before, after = faults(path), faults(copy)
    assert len(before[0]) == len(after[0])
    assert {line.split("\t")[0] for line in after[1]} <= {line.split("\t")[0] for line in before[1]}


def test_checksums_stay_those_of_the_bytes() -> None:
    path = next(path for path in SAMPLES if path.name.startswith("webrtc"))
    data = redacted([str(path)], Options(redact=True, redact_key=KEY))[0].open_().read(1 << 24)
    found = [match.start() - 4 for match in re.finditer(re.escape(b"\x21\x12\xa4\x42"), data)]
    assert found
    for at in found:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        message = data[at : at + 20 + size]
        if message[-8:-4] == b"\x80\x28\x00\x04":
            assert int.from_bytes(message[-4:], "big") == zlib.crc32(message[:-8]) ^ 0x5354554E
