"""How good a stream was, checked from outside: R, MOS and discards on captures made for each sentence.

What is expected is the printed grid of the E-model (ITU-T G.107 with G.113's figures), or was worked out by hand. The
package is only called from outside.
"""

from __future__ import annotations

import io
import random
from typing import Any

import pytest

import sipanalyzer
from tests.builders import pcap_bytes
from tests.grid import DELAYS, GRID
from tests.lossy import (
    BEGIN,
    QUALITY,
    bare,
    call,
    discarded,
    in_order,
    isolated,
    some,
    talk,
)
from tests.tape import A, B, Tape, records, sdp

# ---- the E-model: the grid of R and MOS, read off whole captures

CODECS: dict[str, dict[str, Any]] = {
    "G.711": {"formats": ("8 PCMA/8000",)},
    "G.711u": {"formats": ("0 PCMU/8000",), "payload_type": 0},
    "G.729A+VAD": {"formats": ("18 G729/8000",), "payload_type": 18, "payload": bytes(20)},
    "G.723.1 6.3 VAD": {
        "formats": ("4 G723/8000",), "payload_type": 4, "payload": bytes(24), "gap": 0.03, "step": 240
    },
    "GSM-EFR": {"formats": ("97 GSM-EFR/8000",), "payload_type": 97, "payload": bytes(31)},
}  # fmt: skip


@pytest.mark.parametrize("line", GRID, ids=lambda line: "-".join(line.split("|")[:2]).replace(" ", ""))
def test_r_and_mos_of_a_capture_are_those_of_the_grid(line: str) -> None:
    codec, loss, *cells = (part.strip() for part in line.split("|"))
    concealment = "no PLC" not in codec
    words = CODECS[codec.removesuffix(" no PLC").removesuffix(" PLC")]
    tape = talk(300, **words, lost=isolated(int(loss), 300))
    for delay, cell in zip(DELAYS, cells, strict=True):
        r, mos = map(float, cell.split("/"))
        row = tape.stream(one_way_delay_ms=float(delay), concealment=concealment)
        assert row["loss_percent"] == pytest.approx(float(loss))
        assert row["r_factor"] == pytest.approx(r, abs=0.0501)
        assert row["mos"] == pytest.approx(mos, abs=0.00501)
        assert some(row, "mos_scale mos_basis") == ("NB", "published")


def test_both_laws_of_g711_are_one_codec() -> None:
    rows = [talk(300, **CODECS[name], lost=isolated(5, 300)).stream() for name in ("G.711", "G.711u")]
    assert some(rows[0], "r_factor mos mos_basis") == some(rows[1], "r_factor mos mos_basis")
    assert [row["codec"] for row in rows] == ["PCMA", "PCMU"]


@pytest.mark.parametrize(
    ("concealment", "run", "r"),
    [
        # 2 % in runs of two: 1 / (1 - 0.02) is the mean run of random loss, so BurstR is 2 * 0.98 = 1.96
        # Ie,eff = 95 * 2 / (2 / 1.96 + 4.3) = 35.71; / (2 / 1.96 + 25.1) = 7.274
        (False, 2, 93.206 - 35.710),
        (True, 2, 93.206 - 7.274),
        # in runs of four BurstR is 3.92: 95 * 2 / (2 / 3.92 + 25.1) = 7.419
        (True, 4, 93.206 - 7.419),
    ],
)
def test_runs_of_loss_weigh_by_their_burst_ratio(concealment: bool, run: int, r: float) -> None:
    lost = [k + j for k in range(20, 1000, 50 * run) for j in range(run)]
    row = talk(1000, lost=lost).stream(one_way_delay_ms=0.0, concealment=concealment)
    assert row["loss_percent"] == 2.0
    assert row["r_factor"] == pytest.approx(r, abs=0.002)
    assert row["burst_ratio"] == pytest.approx(run * 0.98)


@pytest.mark.parametrize(
    ("formats", "words", "scale", "basis"),
    [
        (("9 G722/8000",), {"payload_type": 9}, "WB", "assumed"),
        (("96 opus/48000/2",), {"payload_type": 96, "step": 960, "payload": bytes(80)}, "FB", "assumed"),
        # 12.65 kbit/s: 253 bits, octet-aligned 1 + 1 + 32 bytes
        (("96 AMR-WB/16000",), {"payload_type": 96, "step": 320, "payload": bytes(34)}, "WB", "published"),
        (("96 AMR-WB/16000",), {"payload_type": 96, "step": 320, "payload": bytes(60)}, "WB", "published"),
        (("96 iLBC/8000",), {"payload_type": 96, "step": 240, "gap": 0.03, "payload": bytes(50)}, "NB", "assumed"),
        (("96 AMR/8000",), {"payload_type": 96, "payload": bytes(33)}, "NB", "assumed"),
        (("96 speex/8000",), {"payload_type": 96, "payload": bytes(38)}, "NB", "assumed"),
        (("3 GSM/8000",), {"payload_type": 3, "payload": bytes(33)}, "NB", "assumed"),
    ],
)
def test_scales_and_bases(formats: tuple[str], words: dict[str, Any], scale: str, basis: str) -> None:
    tape = talk(600, formats=formats, **words)
    tape.talk(BEGIN, B, 5000, A, 4000, 600, ssrc=2, **words)
    calls, streams = tape.both()
    for row in streams:
        assert some(row, "mos_scale mos_basis") == (scale, basis)
        assert 1 < row["mos"] <= 4.5
    assert some(calls[0], "mos mos_scale") == (streams[0]["mos"], scale)


@pytest.mark.parametrize(
    ("size", "ie"),
    [(34, 20.0), (60, 8.0)],  # G.113 table IV.3, diotic: 12.65 and 23.05 kbit/s
)
def test_wideband_by_hand(size: int, ie: float) -> None:
    """R = 129 - Ie - Idle without delay and loss; MOS from R / 1.29 (G.107.1).

    Idle with WEPL 110 and no delay: Rle = 10.5 * 117 = 1228.5, (129 - 1228.5) / 2 + sqrt(549.75 ** 2 + 169) = 0.154.
    """
    row = talk(600, formats=("96 AMR-WB/16000",), payload_type=96, step=320, payload=bytes(size)).stream(
        one_way_delay_ms=0.0
    )
    x = (129 - ie - 0.1537) / 1.29
    assert row["r_factor"] == pytest.approx(129 - ie - 0.1537, abs=0.0001)
    assert row["mos"] == pytest.approx(1 + 0.035 * x + x * (x - 60) * (100 - x) * 7e-6, abs=0.0001)


def test_amr_wb_under_loss_is_the_worked_example() -> None:
    """12.65 kbit/s, both ears, 2 % lost: Ie,eff 43.8095, MOS 3.4062 (without listener echo, which costs 0.006)."""
    tape = talk(1000, formats=("96 AMR-WB/16000",), payload_type=96, step=320, payload=bytes(34),
                lost=isolated(2, 1000))  # fmt: skip
    row = tape.stream(one_way_delay_ms=0.0)
    assert row["mos"] == pytest.approx(3.4062, abs=0.007)
    assert row["r_factor"] == pytest.approx(129 - 43.8095 - 0.1537, abs=0.0001)


@pytest.mark.parametrize(
    ("formats", "words"),
    [
        (("96 FOO/8000",), {"payload_type": 96}),
        (("96 CLEARMODE/8000",), {"payload_type": 96}),
        (("101 telephone-event/8000",), {"payload_type": 101, "payload": bytes(4)}),
    ],
)
def test_a_codec_of_which_nothing_is_known_has_counts_and_no_mos(formats: tuple[str], words: dict[str, Any]) -> None:
    calls, (row,) = talk(600, formats=formats, lost=[50, 51], **words).both()
    assert some(row, QUALITY) == (None,) * 5
    assert some(row, "lost loss_bursts max_consecutive_lost") == (2, 1, 2)
    assert some(calls[0], "mos mos_scale") == (None, None)


def test_video_has_bursts_and_neither_discards_nor_mos() -> None:
    tape = Tape()
    words: dict[str, Any] = {"media": "video"}
    tape.set_up(sdp(A, 4000, ("96 H264/90000",), **words), sdp(B, 5000, ("96 H264/90000",), **words))
    tape.talk(BEGIN, A, 4000, B, 5000, 600, payload_type=96, step=3000, gap=1 / 30, lost=[50, 52, 53], late={99: 0.5})
    row = tape.stream()
    assert some(row, QUALITY + " discarded_percent") == (None,) * 6
    assert some(row, "media loss_bursts max_consecutive_lost") == ("video", 1, 2)
    assert row["burst_density_percent"] == pytest.approx(75.0)


def test_srtp_is_rated_by_what_its_headers_show() -> None:
    secret: dict[str, Any] = {"profile": "RTP/SAVP", "lines": ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]}
    lost = isolated(5, 600)
    sealed = call(**secret).talk(BEGIN, A, 4000, B, 5000, 600, lost=lost).stream()
    plain = talk(600, lost=lost).stream()
    assert (sealed["encrypted"], plain["encrypted"]) == (True, False)
    assert some(sealed, QUALITY) == some(plain, QUALITY)


def test_options_of_the_e_model_do_what_g107_says() -> None:
    tape = talk(600, lost=isolated(2, 600))

    def r(**options: Any) -> float:
        return float(tape.stream(**options)["r_factor"])

    assert r(one_way_delay_ms=0.0, advantage=5.0) == pytest.approx(r(one_way_delay_ms=0.0) + 5)
    assert r() == pytest.approx(r(one_way_delay_ms=60.0))  # nothing known: the playout delay alone
    assert r(playout_ms=150.0) == pytest.approx(r(one_way_delay_ms=150.0))
    assert r(playout_ms=150.0, one_way_delay_ms=20.0) == pytest.approx(r(one_way_delay_ms=20.0))
    assert r(one_way_delay_ms=100.0, talker_echo_loudness_db=45.0) < r(one_way_delay_ms=100.0) - 10
    notes = tape.stream(concealment=False, advantage=5.0, talker_echo_loudness_db=50.0)["mos_notes"]
    for word in ("not concealed", "delay unknown", "60 ms", "advantage factor of 5", "TELR of 50"):
        assert word in notes


# ---- the MOS of a call


def test_streams_under_five_seconds_set_no_mos_of_the_call() -> None:
    tape = talk(600)
    tape.talk(BEGIN, B, 5000, A, 4000, 200, ssrc=2, lost=range(10, 190, 2))  # 4 s, dreadful
    calls, streams = tape.both()
    assert min(row["mos"] for row in streams) < 2
    assert calls[0]["mos"] == max(row["mos"] for row in streams)
    assert calls[0]["loss_percent"] == pytest.approx(100 * 90 / 800)
    calls, streams = tape.both(min_quality_ns=1_000_000_000)
    assert calls[0]["mos"] == min(row["mos"] for row in streams)
    assert tape.both(min_quality_ns=60_000_000_000)[0][0]["mos"] is None


@pytest.mark.parametrize(("count", "told"), [(250, False), (251, True)])  # 4.98 s and 5 s from first to last packet
def test_five_seconds_are_enough(count: int, told: bool) -> None:
    (row,), _ = talk(count).both()
    assert (row["mos"] is not None) == told


def test_the_worst_stream_is_told_by_its_own_scale() -> None:
    """Wideband without fault: R 129 less Ie 20 is 84 % of its best, MOS 3.96. Narrowband at 90 % has the MOS 4.2."""
    formats = ("9 G722/8000", "8 PCMA/8000")
    tape = call(formats=formats)
    tape.talk(BEGIN, A, 4000, B, 5000, 600, payload_type=9)
    tape.talk(BEGIN, B, 5000, A, 4000, 600, payload_type=8, ssrc=2, lost=isolated(10, 600))
    calls, streams = tape.both(one_way_delay_ms=0.0)
    by_scale = {row["mos_scale"]: row for row in streams}
    assert by_scale["NB"]["r_factor"] / 93.2 < by_scale["WB"]["r_factor"] / 129
    assert some(calls[0], "mos mos_scale") == (by_scale["NB"]["mos"], "NB")
    tape = call(formats=formats)
    tape.talk(BEGIN, A, 4000, B, 5000, 600, payload_type=9, lost=isolated(10, 600))
    tape.talk(BEGIN, B, 5000, A, 4000, 600, payload_type=8, ssrc=2, lost=isolated(1, 600))
    calls, streams = tape.both(one_way_delay_ms=0.0)
    by_scale = {row["mos_scale"]: row for row in streams}
    assert some(calls[0], "mos mos_scale") == (by_scale["WB"]["mos"], "WB")


# ---- playout: what a jitter buffer of 60 ms would have discarded


def late(delays: dict[int, float], count: int = 1000, **words: Any) -> Tape:
    """The stream with some packets later than they should be, ms by index."""
    return talk(count, late={k: ms / 1000 for k, ms in delays.items()}, **words)


@pytest.mark.parametrize(
    ("ms", "depth", "too_late"),
    [(59.999, 60.0, 0), (60.0, 60.0, 0), (60.001, 60.0, 1), (30.0, 20.0, 1), (30.0, 40.0, 0), (199.0, 200.0, 0),
     (0.5, 0.0, 1), (250.0, 200.0, 1)],
)  # fmt: skip
def test_a_packet_is_discarded_when_it_is_later_than_the_buffer_is_deep(ms: float, depth: float, too_late: int) -> None:
    row = late({400: ms}).stream(playout_ms=depth)
    assert row["discarded_percent"] == pytest.approx(too_late / 10)
    assert some(row, "lost loss_percent duplicates restarts") == (0, 0.0, 0, 0)


def test_discards_weigh_in_r_as_loss_does() -> None:
    gone = talk(1000, lost=isolated(5, 1000)).stream()
    slow = late(dict.fromkeys(isolated(5, 1000), 70)).stream()
    assert some(slow, "lost loss_percent discarded_percent max_consecutive_lost") == (0, 0.0, 5.0, 0)
    assert some(slow, "r_factor mos mos_min") == some(gone, "r_factor mos mos_min")
    assert some(slow, "gap_density_percent") == some(gone, "gap_density_percent") == (5.0,)


def test_loss_and_discards_together() -> None:
    """1.9 % and 3 % are 4.9 %: from the grid's 91.8 of G.711 at 50 ms, 95 * 4.9 / (4.9 + 25.1) is taken."""
    tape = late(dict.fromkeys(range(10, 1000, 100), 90) | dict.fromkeys(range(30, 1000, 50), 90),
                lost=range(70, 1000, 50))  # fmt: skip
    row = tape.stream(one_way_delay_ms=50.0)
    assert some(row, "lost discarded_percent effective_loss_percent") == (19, 3.0, 4.9)
    assert row["r_factor"] == pytest.approx(91.8 - 95 * 4.9 / (4.9 + 25.1), abs=0.0501)


def test_a_stall_discards_those_that_waited_too_long() -> None:
    """200 ms in which nothing passed, then ten packets at once, 200, 180, ... 20 ms late: 60 is in time."""
    tape = late({400 + k: 200 - 20 * k for k in range(10)})
    row = tape.stream()
    assert discarded(tape) == 7
    assert some(row, "loss_bursts burst_density_percent max_consecutive_lost") == (1, 100.0, 0)


@pytest.mark.parametrize("step_ms", [100, 300, -100, -300])
def test_a_path_that_becomes_longer_or_shorter_for_good_costs_seconds_at_most(step_ms: int) -> None:
    first = 0.4 if step_ms < 0 else 0.0
    delays = {k: 1000 * first + (step_ms if k >= 3000 else 0) for k in range(9000)}
    share = late(delays, 9000, end=300.0).stream()
    too_late = round(share["discarded_percent"] * 90)
    assert 0 <= too_late <= (200 if step_ms > 0 else 0)
    assert (share["lost"], share["restarts"]) == (0, 0)
    again = late({**delays, 8000: 1000 * first + step_ms + 90}, 9000, end=300.0)
    assert discarded(again) == too_late + (
        step_ms > 0
    )  # judged by the path as it is now; a shorter one is followed slowly


@pytest.mark.parametrize("ppm", [-500, -200, 200, 500])
def test_a_drifting_clock_discards_nothing_for_half_an_hour(ppm: int) -> None:
    """At 200 ppm a sender's clock is 360 ms off after half an hour: six times the buffer's depth."""
    tape = bare(15_000, gap=0.12 * (1 - ppm / 1e6), step=960, payload=b"")
    row = tape.stream()
    assert some(row, "discarded_percent lost restarts") == (0.0, 0, 0)
    assert row["clock_drift_ppm"] == pytest.approx(ppm, abs=1)


@pytest.mark.parametrize("ppm", [-200, 200])
def test_under_drift_a_late_packet_is_still_found(ppm: int) -> None:
    tape = bare(15_000, gap=0.12 * (1 - ppm / 1e6), step=960, payload=b"", late={7_000: 0.065, 13_000: 0.055})
    assert discarded(tape) == 1


def spurts(count: int, length: int, pause: float, *, marked: bool, wait: dict[int, float] | None = None) -> Tape:
    """Talk spurts with silence between them in which the timestamp runs on and the sequence does not."""
    tape = call(200.0)
    at, stamp, seq = BEGIN, 5000, 1000
    for k in range(count):
        tape.talk(at + (wait or {}).get(k, 0.0), A, 4000, B, 5000, length, seq=seq, timestamp=stamp,
                  marks=[0] if marked else [])  # fmt: skip
        seq += length
        at += length * 0.02 + pause
        stamp += length * 160 + round(pause * 8000)
    return tape


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("pause", [0.1, 0.3, 2.0])
def test_silence_suppression_discards_nothing_and_loses_nothing(pause: float, marked: bool) -> None:
    row = spurts(10, 50, pause, marked=marked).stream()
    assert some(row, "packets lost discarded_percent restarts max_jitter_ms") == (500, 0, 0.0, 0, 0.0)


def test_a_spurt_that_is_late_as_a_whole_has_a_schedule_of_its_own() -> None:
    row = spurts(10, 50, 1.0, marked=True, wait={4: 0.5, 5: 0.1}).stream()
    assert row["discarded_percent"] == 0.0


def test_comfort_noise_between_spurts_discards_nothing() -> None:
    tape = call(formats=("8 PCMA/8000", "13 CN/8000"))
    at, stamp, seq = BEGIN, 5000, 1000
    for spurt in range(8):
        tape.talk(at, A, 4000, B, 5000, 50, seq=seq, timestamp=stamp, marks=[0])
        tape.rtp(at + 1.0, A, 4000, B, 5000, seq=seq + 50, timestamp=stamp + 8000, payload=b"\x40", payload_type=13)
        pause = 0.7 + 0.013 * spurt  # the next spurt is not on the old grid
        at, stamp, seq = at + 1.0 + pause, stamp + 8000 + round(pause * 8000), seq + 51
    row = tape.stream()
    assert some(row, "lost discarded_percent max_consecutive_lost codec") == (0, 0.0, 0, "PCMA")


@pytest.mark.parametrize("advance", [True, False])
@pytest.mark.parametrize("said", [True, False])
def test_a_hold_discards_nothing(advance: bool, said: bool) -> None:
    """Five seconds without media, told by a re-INVITE or by the marker alone, the timestamp going on or not."""
    tape = call()
    if said:
        hold = sdp(A, 4000, lines=["sendonly"], version=2), sdp(B, 5000, lines=["recvonly"], version=2)
        tape.reinvite(BEGIN + 6.0, B, A, sdp(B, 5000, lines=["inactive"], version=2),
                      sdp(A, 4000, lines=["inactive"], version=2), cseq=7, tags=("b", "a"))  # fmt: skip
        tape.reinvite(BEGIN + 10.9, B, A, sdp(B, 5000, version=3), sdp(A, 4000, version=3), cseq=8, tags=("b", "a"))
        assert hold
    tape.talk(BEGIN, A, 4000, B, 5000, 300)
    stamp = 5000 + 300 * 160 + (5 * 8000 if advance else 0)
    tape.talk(BEGIN + 11.0, A, 4000, B, 5000, 300, seq=1300, timestamp=stamp, marks=[] if said else [0])
    row = tape.stream()
    assert some(row, "packets expected lost discarded_percent max_jitter_ms restarts") == (600, 600, 0, 0.0, 0.0, 0)
    assert row["r_factor"] == talk(600).stream()["r_factor"]


def test_a_key_press_in_the_middle_discards_nothing_and_loses_nothing() -> None:
    tape = call().talk(BEGIN, A, 4000, B, 5000, 300)
    following = tape.key(BEGIN + 6.0, A, 4000, B, 5000, "5", seq=1300, timestamp=5000 + 300 * 160, parts=10)
    tape.talk(BEGIN + 6.24, A, 4000, B, 5000, 300, seq=following, timestamp=5000 + 312 * 160)
    row = tape.stream()
    assert some(row, "expected lost discarded_percent dtmf max_jitter_ms") == (612, 0, 0.0, "5", 0.0)


def test_a_copy_that_comes_late_is_no_discard() -> None:
    tape = talk(600)
    for k in (100, 200, 300):
        tape.rtp(BEGIN + k * 0.02 + 0.5, A, 4000, B, 5000, seq=1000 + k, timestamp=5000 + k * 160)
    row = tape.stream()
    assert some(row, "duplicates lost discarded_percent out_of_order") == (3, 0, 0.0, 0)
    assert row["lateness"] == "<5=600"


def test_the_first_copy_counts_however_late_the_second() -> None:
    """A mirror port: every frame twice, the copy after 70 ms."""
    row = talk(600, lost=isolated(1, 600)).doubled(0.07).stream()
    assert some(row, "duplicates lost discarded_percent") == (594, 6, 0.0)
    row = late({100: 80}, 600).doubled().stream()
    assert some(row, "duplicates lost discarded_percent") == (600, 0, pytest.approx(100 / 600, abs=1e-6))


@pytest.mark.parametrize(("ms", "too_late"), [(25, 0), (55, 0), (65, 1), (130, 1), (1990, 1)])
def test_reordering_within_the_depth_is_no_discard(ms: float, too_late: int) -> None:
    row = late({400: ms}).stream()
    assert row["out_of_order"] == 1
    assert row["discarded_percent"] == pytest.approx(too_late / 10)
    assert some(row, "lost max_consecutive_lost") == (0, 0)


def test_timestamps_and_sequence_numbers_wrap() -> None:
    words: dict[str, Any] = {"seq": 65_400, "timestamp": 2**32 - 200 * 160}
    row = talk(600, late={300: 0.08}, lost=[135, 136], **words).stream()
    assert some(row, "lost loss_bursts max_consecutive_lost restarts") == (2, 1, 2, 0)
    assert row["discarded_percent"] == pytest.approx(100 / 600, abs=1e-6)


@pytest.mark.parametrize(
    ("entry", "clock", "step", "gap"),
    [
        ("96 L16/11025", 11_025, 220, 220 / 11_025),
        ("96 L16/44100", 44_100, 882, 0.02),
        ("96 L16/90000", 90_000, 1800, 0.02),
        ("96 opus/48000/2", 48_000, 960, 0.02),
        ("96 opus/48000/2", 48_000, 2880, 0.06),
        ("96 opus/48000/2", 48_000, 120, 0.0025),
        ("9 G722/8000", 8_000, 160, 0.02),
    ],
)
def test_every_clock_has_its_own_ticks(entry: str, clock: int, step: int, gap: float) -> None:
    payload_type = int(entry.split()[0])
    words: dict[str, Any] = {"formats": (entry,), "payload_type": payload_type, "step": step, "gap": gap}
    count = max(600, round(6 / gap))
    row = talk(count, late={count // 2: 0.059, count // 3: 0.061}, **words).stream()
    assert row["clock_rate"] == clock
    assert row["discarded_percent"] == pytest.approx(100 / count, abs=1e-6)
    assert some(row, "lost restarts") == (0, 0)


@pytest.mark.parametrize("count", [40, 300, 500, 2000])
def test_a_clock_that_nobody_names_is_estimated_and_judged_by(count: int) -> None:
    words: dict[str, Any] = {"payload_type": 111, "step": 960}
    row = bare(count, late={count // 2: 0.1}, **words).stream()
    assert some(row, "codec clock_rate mos r_factor") == (None, 48_000, None, None)
    assert row["discarded_percent"] == pytest.approx(100 / count, abs=1e-6)


def test_no_clock_no_discards() -> None:
    row = bare(300, payload_type=111, step=0).stream()
    assert some(row, "clock_rate discarded_percent lateness lost") == (None, None, None, 0)


def test_a_stream_of_two_hours_is_judged_as_one_of_a_minute() -> None:
    """Timestamps go round their 32 bits and sequence numbers round their 16."""
    count = 36_000
    words: dict[str, Any] = {"payload": b"", "step": 1600, "seq": 50_000, "gap": 0.2, "timestamp": 2**32 - 30_000_000}
    tape = bare(count, late=dict.fromkeys(range(50, count, 100), 0.07), **words)
    row = tape.stream()
    assert some(row, "lost discarded_percent restarts") == (0, 1.0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_an_adaptive_buffer_is_never_worse_than_a_fixed_one_of_its_least_depth(seed: int) -> None:
    rng = random.Random(seed)
    delays: dict[int, float] = {k: rng.expovariate(1 / 25) for k in range(1500)}
    if seed % 2:
        for stall in range(200, 1500, 300):
            delays.update({stall + k: 300 - 20 * k for k in range(15)})
    tape = late(delays, 1500)
    counts = [discarded(tape, playout_mode="adaptive", playout_ms=40.0, playout_most_ms=most)
              for most in (40.0, 80.0, 200.0, 1000.0)]  # fmt: skip
    assert counts[0] == discarded(tape, playout_ms=40.0) > 0
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0]


# ---- odd streams


def test_a_stream_of_restarts_only_is_neither_lost_nor_late() -> None:
    """Two packets in sequence, then a jump, a hundred times over."""
    tape = call()
    for k in range(100):
        tape.talk(BEGIN + k * 0.04, A, 4000, B, 5000, 2, seq=(k * 20_011) % 65_536, timestamp=k * 320)
    row = tape.stream()
    assert some(row, "packets expected lost restarts discarded_percent loss_bursts") == (200, 200, 0, 99, 0.0, 0)
    assert row["mos"] == talk(600).stream()["mos"]


def test_a_stream_without_any_sequence_has_no_mos() -> None:
    """Each packet jumps by 5000: nearly all are strays, and loss between the few others means nothing."""
    tape = call()
    for k in range(300):
        tape.talk(BEGIN + k * 0.02, A, 4000, B, 5000, 1, seq=(k * 5000) % 65_536, timestamp=k * 160)
    calls, (row,) = tape.both()
    assert row["packets"] == 300
    assert some(row, QUALITY) == (None,) * 5
    assert calls[0]["mos"] is None


def test_one_packet_has_counts() -> None:
    row = talk(1).stream()
    assert some(row, "packets expected lost loss_bursts max_consecutive_lost") == (1, 1, 0, 0, 0)
    assert some(row, "burst_density_percent gap_density_percent") == (0.0, 0.0)
    assert some(row, "mos_min discarded_percent") == (None, 0.0)
    assert [some(each, "packets whole") for each in records(talk(1).analyze(), "intervals")] == [(1, False)]


@pytest.mark.parametrize("back", [5, 60])
def test_a_capture_clock_that_was_set_back_moves_no_figure_of_a_stream(back: int) -> None:
    """In the middle of a stream, and behind it a packet that is late indeed."""
    tape = talk(1000, late={700: 0.09}, lost=[300, 301])
    packets = in_order(tape)
    turn = packets[0].time_ns + 12_000_000_000
    moved = [p if p.time_ns < turn else p._replace(time_ns=p.time_ns - back * 10**9) for p in packets]
    (row,) = records(sipanalyzer.analyze(io.BytesIO(pcap_bytes(moved, nanoseconds=True))), "streams")
    plain = tape.stream()
    same = (
        "packets expected lost discarded_percent loss_bursts max_consecutive_lost r_factor mos max_jitter_ms lateness"
    )
    assert some(row, same) == some(plain, same)
    assert row["duration_s"] is None or row["duration_s"] > 0
