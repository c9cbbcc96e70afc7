"""Packets of any make keep their length and never break the reader."""

from __future__ import annotations

import pathlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.options import Options
from sipanalyzer.redaction.door import Redactor
from tests.builders import rtp, telephone_event, udp_frame

PACKETS = Redactor("a key", Options())._packets
LINKS = st.sampled_from(
    [0, 1, 6, 9, 10, 12, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 166, 192, 204, 239, 252, 276, 999]
)
FRAMES = [
    udp_frame(b"SIP/2.0 200 OK\r\nTo: <sip:alice@biloxi.com>\r\n\r\n"),
    udp_frame(rtp(seq=1, timestamp=2, ssrc=3, csrc=(4, 5), extension=b"\xbe\xde\x10\x01\x02\x03", padding=4)),
    udp_frame(b"\x81\xca\x00\x05\x00\x00\x00\x07\x01\x06alice\x00\x00\x00\x00\x00"),
    udp_frame(b"\x01\x01\x00\x0c\x21\x12\xa4\x42" + bytes(12) + b"\x00\x20\x00\x08\x00\x01\x12\x34\x56\x78\x9a\xbc"),
]


@settings(max_examples=300)
@given(LINKS, st.binary(max_size=120), st.integers(0, 200))
def test_any_bytes_at_all_keep_their_length(link: int, data: bytes, more: int) -> None:
    buffer = bytearray(data)
    PACKETS.packet(buffer, link, len(data) + more, None)
    assert len(buffer) == len(data)


@settings(max_examples=300)
@given(st.sampled_from(FRAMES), st.data())
def test_a_packet_that_was_damaged_keeps_its_length(frame: bytes, data: st.DataObject) -> None:
    buffer = bytearray(frame[: data.draw(st.integers(0, len(frame)))])
    for _ in range(3 if buffer else 0):
        buffer[data.draw(st.integers(0, len(buffer) - 1))] = data.draw(st.integers(0, 255))
    size = len(buffer)
    PACKETS.packet(buffer, 1, len(frame), None)
    assert len(buffer) == size


def test_the_same_sound_is_recognised_and_cannot_be_heard() -> None:
    def payload(sound: bytes, ssrc: int) -> bytes:
        buffer = bytearray(udp_frame(rtp(sound, seq=1, timestamp=2, ssrc=ssrc, payload_type=0)))
        PACKETS.packet(buffer, 1, len(buffer), None)
        return bytes(buffer[-len(sound) :])

    one, same, other = payload(b"abcdefgh" * 20, 1), payload(b"abcdefgh" * 20, 2), payload(b"hgfedcba" * 20, 1)
    assert one == same != other
    assert one[:4] != b"abcd" and one[4:] == bytes(156)


def test_a_digit_becomes_another_one_and_its_length_stays() -> None:
    events = {}
    for digit in "0123456789*#":
        buffer = bytearray(udp_frame(rtp(telephone_event(digit, 800), seq=1, timestamp=2, ssrc=3, payload_type=101)))
        PACKETS.packet(buffer, 1, len(buffer), None)
        events[digit] = buffer[-4]
        assert buffer[-2:] == (800).to_bytes(2, "big")
    assert sorted(events.values()) == list(range(12)) and events["*"] == 10 and events["#"] == 11


def test_no_module_of_the_redaction_is_loaded_where_none_is_wanted() -> None:
    import subprocess
    import sys

    sample = pathlib.Path(__file__).parents[2] / "sample_pcaps" / "plain.pcap"
    code = (
        f"import sys; from sipanalyzer import pipeline; pipeline.analyze({str(sample)!r}); "
        "print([name for name in sys.modules if name.startswith('sipanalyzer.redaction.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "['sipanalyzer.redaction.entrance']"
