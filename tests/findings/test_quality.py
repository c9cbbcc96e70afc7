"""Findings about the quality of media: for each code a capture in which it is raised, and one in which it is not."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.tape import A, B, Tape, records, sdp

Made = Callable[[], Tape]


def codes(tape: Tape, **options: object) -> dict[str, str]:
    """Codes found, with their severities."""
    return {row["code"]: row["severity"] for row in records(tape.analyze(**options), "findings")}


def call(count: int = 500, *, ssrc: int = 0xB, **words: object) -> Tape:
    """A call with whole media of the caller and such media of the callee."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, count, ssrc=0xA)
    tape.talk(2.1, B, 5000, A, 4000, count, ssrc=ssrc, **words)  # type: ignore[arg-type]
    tape.bye(2.5 + count * 0.02)
    return tape


def reported(tape: Tape, lost: int, highest: int = 1499) -> Tape:
    """The caller reports what it lost of the callee's media."""
    block = struct.pack("!IIIIII", 0xB, min(255, lost * 256 // 500) << 24 | lost, highest, 10, 0, 0)
    tape.udp(12.0, A, 4001, B, 5001, struct.pack("!BBHI", 0x81, 201, 7, 0xA) + block)
    return tape


def later(tape: Tape, *, reinvited: bool) -> Tape:
    """The callee's media goes on for five seconds under another SSRC."""
    if reinvited:
        tape.reinvite(8.0, A, B, sdp(A, 4000, version=2), sdp(B, 5000, version=2))
    return tape.talk(8.1, B, 5000, A, 4000, 250, ssrc=0xBB, seq=1300, timestamp=900)


def two_parts(jump: int) -> Tape:
    tape = call(250)
    tape.talk(7.1, B, 5000, A, 4000, 250, ssrc=0xB, seq=1250 + jump, timestamp=5000 + 250 * 160, marks=[0])
    return tape


EVERY_SECOND = dict.fromkeys(range(0, 500, 2), 0.035)
CASES: dict[str, tuple[Made, Made]] = {
    "high-loss": (lambda: call(lost=range(100, 110)), lambda: call(lost=range(100, 103))),  # 2 %, 0.6 %
    "high-loss late": (
        lambda: call(late=dict.fromkeys(range(50, 500, 25), 0.1)),  # all arrive, 3.6 % too late
        lambda: call(late=dict.fromkeys(range(50, 500, 25), 0.05)),  # within the buffer's 60 ms
    ),
    "high-loss short": (
        lambda: call(lost=range(100, 120)),
        lambda: call(150, lost=range(100, 120)),  # a stream of 3 s
    ),
    "high-jitter": (lambda: call(late=EVERY_SECOND), lambda: call(late=dict.fromkeys(range(0, 500, 2), 0.02))),
    "low-mos": (lambda: call(lost=range(100, 400, 3)), lambda: call(lost=range(100, 400, 30))),
    "clock-drift": (lambda: call(4000, gap=0.020004), lambda: call(4000, gap=0.020001)),  # 200 and 50 ppm slow
    "clock-drift short": (lambda: call(4000, gap=0.020004), lambda: call(1500, gap=0.020004)),
    "ssrc-change": (lambda: later(call(290), reinvited=False), lambda: later(call(290), reinvited=True)),
    "sequence-reset": (lambda: two_parts(20_000), lambda: two_parts(0)),
    "far-end-loss": (lambda: reported(call(), 50), lambda: reported(call(), 2)),
    "far-end-loss seen": (
        lambda: reported(call(), 50),
        lambda: reported(call(lost=range(100, 150)), 50),  # the capture lacks the same packets
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_quality_is_found_and_what_looks_alike_is_not(case: str) -> None:
    code = case.split()[0]
    raised, quiet = CASES[case]
    assert code in codes(raised())
    assert code not in codes(quiet())


@pytest.mark.parametrize(("lost", "severity"), [(10, "warning"), (30, "error")])
def test_loss_is_a_warning_from_one_percent_and_an_error_from_five(lost: int, severity: str) -> None:
    assert codes(call(lost=range(100, 100 + lost)))["high-loss"] == severity


def test_thresholds_can_be_set() -> None:
    tape = call(lost=range(100, 110))
    assert "high-loss" not in codes(tape, high_loss_warning_percent=3.0)
    assert codes(tape, high_loss_error_percent=1.5)["high-loss"] == "error"


def test_loss_says_how_much_was_lost_and_when_it_was_worst() -> None:
    tape = call(2000, lost=range(1100, 1200))
    (finding,) = [row for row in records(tape.analyze(), "findings") if row["code"] == "high-loss"]
    assert "5.0 % of 2,000 packets from 10.0.0.2:5000 to 10.0.0.1:4000" in finding["explanation"]
    assert "100 lost, up to 100 in a row" in finding["explanation"]
    assert "worst 20 % in the 10 s that began 20 s into it" in finding["explanation"]
    assert finding["affects"] == "caller"


def test_jitter_that_discards_nothing_is_no_error() -> None:
    smooth = {k: (k % 10) * 0.0059 for k in range(500)}
    found = codes(call(late=smooth), high_jitter_error_ms=3.0, high_jitter_warning_ms=1.0)
    assert found["high-jitter"] == "warning"


def test_low_mos_stands_with_the_loss_that_explains_it() -> None:
    rows = records(call(lost=range(100, 400, 3)).analyze(), "findings")
    low = [row for row in rows if row["code"] == "low-mos"]
    assert all("high-loss" in (row["causes"] or "") for row in low)
