"""Telephone events packet by packet, and digits in INFO, on whole captures: RFC 4733 2.5, 3.2 and what senders do."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from tests.lossy import BEGIN, call, some, talk
from tests.tape import A, B, Tape


def keys(tape: Tape, **options: Any) -> list[tuple[str, float | None, str, str | None]]:
    """Keys of the only call."""
    (made,) = tape.analyze(**options).result.calls
    return [(digit.key, digit.duration_ms, digit.method, digit.direction) for digit in made.digits]


def press(tape: Tape, at: float, events: Sequence[tuple[int, int, bool]], *, seq: int, timestamp: int,
          marker: bool = True, first: int = 0) -> int:  # fmt: skip
    """Packets of one event: code, duration so far, end; 20 ms apart."""
    for k, (code, duration, end) in enumerate(events):
        payload = struct.pack("!BBH", code, 0x80 if end else 10, duration)
        tape.rtp(at + k * 0.02, A, 4000, B, 5000, seq=seq + k, timestamp=timestamp, payload=payload, payload_type=101,
                 marker=marker and k == first)  # fmt: skip
    return seq + len(events)


def test_every_key_has_its_letter_and_a_duration() -> None:
    tape = talk(50)
    seq = 1050
    for code in range(17):
        seq = press(tape, 4 + code * 0.5, [(code, 160, False), (code, 320, False), (code, 480 + 16 * code, True)],
                    seq=seq, timestamp=50_000 + 4000 * code)  # fmt: skip
    row = tape.stream()
    assert row["dtmf"] == "0123456789*#ABCD!"
    assert [key for key, *_ in keys(tape)] == [*"0123456789*#ABCD", "flash"]
    assert [duration for _, duration, *_ in keys(tape)] == [60.0 + 2 * code for code in range(17)]
    assert some(row, "lost discarded_percent") == (0, 0.0)


def test_one_press_is_one_digit_whatever_its_packets() -> None:
    ends = [(5, 800, True)] * 3
    steps = [(5, 160 * k, False) for k in range(1, 5)]
    for events, duration in (
        (steps + ends, 100.0), (steps[:1] + ends, 100.0), (ends, 100.0), (steps, 80.0), (steps[2:3], 60.0),
        ([*steps, *ends, *steps[-1:]], 100.0),
    ):  # fmt: skip
        tape = talk(50)
        press(tape, 4.0, events, seq=1050, timestamp=50_000)
        assert [(key, ms) for key, ms, *_ in keys(tape)] == [("5", duration)]
        assert tape.stream()["dtmf"] == "5"


def test_the_same_key_twice_is_two_digits_and_a_copy_none() -> None:
    tape = talk(50)
    seq = press(tape, 4.0, [(1, 160, False), (1, 320, True), (1, 320, True)], seq=1050, timestamp=50_000)
    press(tape, 4.3, [(1, 160, False), (1, 320, True), (1, 320, True)], seq=seq, timestamp=52_400)
    assert tape.stream()["dtmf"] == "11"
    assert tape.doubled(0.003).streams()[0]["dtmf"] == "11"


def test_ends_that_keep_their_sequence_number_are_duplicates_and_no_digit() -> None:
    tape = talk(50)
    press(tape, 4.0, [(1, 160, False), (1, 320, False)], seq=1050, timestamp=50_000)
    for k in range(3):
        press(tape, 4.04 + 0.02 * k, [(1, 480, True)], seq=1052, timestamp=50_000, marker=False)
    row = tape.stream()
    assert some(row, "dtmf duplicates lost") == ("1", 2, 0)


def test_an_event_that_never_lasted_and_fax_tones_are_no_digits() -> None:
    tape = talk(50)
    seq = press(tape, 4.0, [(3, 0, False), (3, 0, True)], seq=1050, timestamp=50_000)
    seq = press(tape, 4.5, [(32, 400, False), (32, 800, True)], seq=seq, timestamp=60_000)
    press(tape, 5.0, [(9, 160, True)], seq=seq, timestamp=70_000)
    assert tape.stream()["dtmf"] == "9"


def test_a_long_press_in_segments_is_one_digit() -> None:
    """10 s at 8 kHz are 80,000 units: 0xFFFF, and a segment of 14,465 that begins there, without marker."""
    tape = talk(50)
    seq = press(tape, 4.0, [*((7, d, False) for d in range(400, 60_000, 400)), (7, 0xFFFF, False)],
                seq=1050, timestamp=50_000)  # fmt: skip
    press(tape, 8.0, [(7, d, False) for d in range(400, 14_465, 400)] + [(7, 14_465, True)], seq=seq,
          timestamp=50_000 + 0xFFFF, marker=False)  # fmt: skip
    assert [(key, ms) for key, ms, *_ in keys(tape)] == [("7", 10_000.0)]


def test_events_whose_packets_are_lost_or_swapped() -> None:
    tape = talk(50)
    seq = press(tape, 4.0, [(2, 320, False), (2, 160, False), (2, 480, True)], seq=1050, timestamp=50_000)
    seq = press(tape, 4.5, [(4, 480, True)], seq=seq + 3, timestamp=60_000, marker=False)  # two of it lost, and more
    assert tape.stream()["dtmf"] == "24"


def test_info_digits_and_their_method() -> None:
    tape = talk(50)
    headers = ["Content-Type: application/dtmf-relay"]
    for k, (signal, duration) in enumerate((("1", 160), ("*", 250), ("11", 90), ("D", 100), ("16", 500))):
        body = f"Signal={signal}\r\nDuration={duration}\r\n"
        tape.request(5 + k, A, B, "INFO", cseq=10 + k,
                     headers=[*headers, f"Content-Length: {len(body)}", "", body.strip()])  # fmt: skip
    tape.request(11, B, A, "INFO", cseq=30, tags=("b", "a"),
                 headers=["Content-Type: application/dtmf", "Content-Length: 1", "", "7"])  # fmt: skip
    forth, back = "caller-to-callee", "callee-to-caller"
    assert keys(tape) == [
        ("1", 160.0, "info", forth), ("*", 250.0, "info", forth), ("#", 90.0, "info", forth),
        ("D", 100.0, "info", forth), ("flash", 500.0, "info", forth), ("7", None, "info", back),
    ]  # fmt: skip
    calls, streams = tape.both()
    assert some(calls[0], "digits_from_caller digits_from_callee") == ("1*#D!", "7")
    assert [row["dtmf"] for row in streams] == [None]
    assert "info" in calls[0]["dtmf_method"].split(",")


def test_the_method_is_what_was_seen() -> None:
    tape = talk(50)
    assert tape.both()[0][0]["dtmf_method"] is None
    press(tape, 4.0, [(1, 160, False), (1, 320, True)], seq=1050, timestamp=50_000)
    assert tape.both()[0][0]["dtmf_method"] == "rfc4733"
    tape.request(5, A, B, "INFO", cseq=10,
                 headers=["Content-Type: application/dtmf", "Content-Length: 1", "", "7"])  # fmt: skip
    assert sorted(tape.both()[0][0]["dtmf_method"].split(",")) == ["info", "rfc4733"]
    assert [(key, method) for key, _, method, _ in keys(tape)] == [("1", "rfc4733"), ("7", "info")]


def test_comfort_noise_and_redundancy_share_the_audios_numbers() -> None:
    tape = call(formats=("8 PCMA/8000", "13 CN/8000", "101 telephone-event/8000"))
    tape.talk(BEGIN, A, 4000, B, 5000, 100)
    tape.rtp(BEGIN + 2.0, A, 4000, B, 5000, seq=1100, timestamp=5000 + 16_000, payload=b"\x40", payload_type=13)
    seq = press(tape, BEGIN + 2.5, [(1, 160, False), (1, 320, True)], seq=1101, timestamp=5000 + 20_000)
    tape.talk(BEGIN + 2.6, A, 4000, B, 5000, 100, seq=seq, timestamp=5000 + 20_800)
    row = tape.stream()
    assert some(row, "expected lost max_consecutive_lost discarded_percent dtmf") == (203, 0, 0, 0.0, "1")
