"""Digits dialled, checked on whole captures: RFC 4733 in either direction, at hops, cut and doubled; and INFO."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.builders import telephone_event
from tests.tape import A, B, P, Tape, sdp


def dialled(tape: Tape, **options: Any) -> list[tuple[str, float | None, str, str | None]]:
    """Keys of the only call."""
    (call,) = tape.analyze(**options).result.calls
    return [(digit.key, digit.duration_ms, digit.method, digit.direction) for digit in call.digits]


def texts(tape: Tape) -> list[str | None]:
    return [row["dtmf"] for row in tape.streams()]


FORTH, BACK = "caller-to-callee", "callee-to-caller"


def call(payload_type: int = 8, step: int = 160, **words: Any) -> Tape:
    """A call with talk from A to B for a second, and back."""
    tape = Tape()
    tape.set_up(sdp(A, 4000, **words), sdp(B, 5000, **words))
    tape.talk(2.2, A, 4000, B, 5000, 50, ssrc=1, payload_type=payload_type, step=step)
    tape.talk(2.2, B, 5000, A, 4000, 50, ssrc=2, seq=7000, payload_type=payload_type, step=step)
    return tape


def forth(tape: Tape, at: float, digits: str, **words: Any) -> None:
    seq, timestamp = 1050, 5000 + 50 * 160
    for k, digit in enumerate(digits):
        seq = tape.key(at + k * 0.3, A, 4000, B, 5000, digit, seq=seq, timestamp=timestamp + k * 2400, ssrc=1, **words)


def test_keys_of_both_sides_are_in_one_list_and_each_stream_has_its_text() -> None:
    tape = call()
    forth(tape, 3.3, "80#")
    tape.key(3.4, B, 5000, A, 4000, "*", seq=7050, timestamp=13_000, ssrc=2)
    tape.bye(9)
    assert dialled(tape) == [
        ("8", 100.0, "rfc4733", FORTH), ("*", 100.0, "rfc4733", BACK), ("0", 100.0, "rfc4733", FORTH),
        ("#", 100.0, "rfc4733", FORTH),
    ]  # fmt: skip
    assert sorted(texts(tape), key=str) == ["*", "80#"]


@pytest.mark.parametrize("parts", [{"ends": 1}, {"ends": 5}, {"parts": 1}])
def test_however_often_the_end_is_sent_it_is_one_press(parts: dict[str, int]) -> None:
    tape = call()
    forth(tape, 3.3, "11", **parts)
    assert [key for key, *_ in dialled(tape)] == ["1", "1"]


def test_a_mirror_port_presses_no_key_twice() -> None:
    tape = call()
    forth(tape, 3.3, "123")
    assert [key for key, *_ in dialled(tape.doubled())] == ["1", "2", "3"]


@pytest.mark.parametrize("lost", [{0}, {0, 1, 2}, {4, 5, 6}, {0, 1, 2, 4, 5, 6}])
def test_packets_lost_lose_no_key(lost: set[int]) -> None:
    """The first packets with the marker, or all three ends: what arrives still tells of the press."""
    tape = call()
    before = len(tape.packets)
    forth(tape, 3.3, "5")
    tape.packets[before:] = [packet for k, packet in enumerate(tape.packets[before:]) if k not in lost]
    ((key, duration_ms, *_),) = dialled(tape)
    assert key == "5" and duration_ms == (80.0 if 6 in lost else 100.0)


def test_encrypted_events_are_noise() -> None:
    secret = {"profile": "RTP/SAVP", "lines": ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]}
    found = []
    for words in ({}, secret):
        tape = call(**words)
        forth(tape, 3.3, "123")
        found.append((len(dialled(tape)), sorted(texts(tape), key=str)))
    assert found == [(3, ["123", None]), (0, [None, None])]


def test_a_relay_shows_the_same_keys_once() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(P, 6000), dst=P)
    tape.set_up(sdp(P, 6002), sdp(B, 5000), at=0.01, src=P, dst=B)
    for later, src, port, dst, to in ((0.0, A, 4000, P, 6000), (0.01, P, 6002, B, 5000)):
        tape.talk(2.2 + later, src, port, dst, to, 50, ssrc=1)
        for k, seq in enumerate((1050, 1057)):
            at, stamp = 3.3 + later + k * 0.3, 20_000 + 2400 * k
            tape.key(at, src, port, dst, to, "1", seq=seq, timestamp=stamp, ssrc=1)
    assert [key for key, *_ in dialled(tape)] == ["1", "1"]
    assert [(row["call_id"], row["dtmf"]) for row in tape.streams()] == [("one", "11")] * 2


def test_a_press_longer_than_a_segment_is_one() -> None:
    tape = call()
    seq, begin = 1050, 20_000
    for k in range(1, 1001):  # 20 s, in steps of 20 ms
        ticks = k * 160
        segment = (ticks - 1) // 0xFFFF
        event = telephone_event("4", ticks - segment * 0xFFFF, end=k == 1000)
        tape.rtp(3.3 + k * 0.02, A, 4000, B, 5000, seq=seq, timestamp=begin + segment * 0xFFFF, ssrc=1, payload=event,
                 payload_type=101, marker=k == 1)  # fmt: skip
        seq += 1
        if k < 1000 and (ticks + 160 - 1) // 0xFFFF > segment:  # 2.5.1.3: the segment is told to its end
            full = struct.pack("!BBH", event[0], event[1], 0xFFFF)
            tape.rtp(3.305 + k * 0.02, A, 4000, B, 5000, seq=seq, timestamp=begin + segment * 0xFFFF, ssrc=1,
                     payload=full, payload_type=101)  # fmt: skip
            seq += 1
    assert dialled(tape) == [("4", 20_000.0, "rfc4733", FORTH)]


def test_the_clock_of_the_event_gives_its_duration() -> None:
    tape = call(96, 960, formats=("96 opus/48000/2", "101 telephone-event/48000"))
    forth(tape, 3.3, "7", step=960)
    assert dialled(tape) == [("7", 100.0, "rfc4733", FORTH)]


def test_tones_are_no_keys() -> None:
    tape = call()
    for k in range(8):
        payload = struct.pack("!BBH", 36, 0x80 if k > 4 else 0, (min(k, 5) + 1) * 160)  # CNG
        tape.rtp(3.3 + k * 0.02, A, 4000, B, 5000, seq=1050 + k, timestamp=20_000, ssrc=1, payload=payload,
                 payload_type=101, marker=k == 0)  # fmt: skip
    tape.key(4, A, 4000, B, 5000, "9", seq=1058, timestamp=30_000, ssrc=1)
    assert [key for key, *_ in dialled(tape)] == ["9"]


def test_info_and_events_are_in_one_list() -> None:
    tape = call()
    forth(tape, 3.3, "1")
    kind = ["Content-Type: application/dtmf-relay"]
    tape.request(3.8, A, B, "INFO", cseq=3, headers=[*kind, "Content-Length: 26", "", "Signal=2", "Duration=250"])
    tape.key(4.5, B, 5000, A, 4000, "3", seq=7050, timestamp=40_000, ssrc=2)
    assert [(key, method, direction) for key, _, method, direction in dialled(tape)] == [
        ("1", "rfc4733", FORTH), ("2", "info", FORTH), ("3", "rfc4733", BACK),
    ]  # fmt: skip


@pytest.mark.parametrize("block_bytes", [300, 1_000, 5_000])
def test_cuts_change_no_key(block_bytes: int) -> None:
    tape = call()
    forth(tape, 3.3, "0123456789*#ABCD"[::3])
    assert [key for key, *_ in dialled(tape, block_bytes=block_bytes)] == list("0123456789*#ABCD"[::3])
