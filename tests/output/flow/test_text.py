"""A flow chart as text: exact drawings of small charts, and that nothing breaks any of them."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.output.flow.model import FlowChart, Fold, Keys, Leg, Media, Message, Note, Participant, Row
from sipanalyzer.output.flow.palette import KINDS
from sipanalyzer.output.flow.text import draw_parts, draw_text
from sipanalyzer.output.flow.text_words import run_of_loss, wrapped
from sipanalyzer.output.terminal import width_of, write_lines

MS = 1_000_000
T0 = 1_642_030_706_000 * MS
ALICE, PROXY, BOB = (
    Participant("10.0.0.1", "alice", "Phone/1", "caller"),
    Participant("10.0.0.9", None, None, "between"),
    Participant("10.0.0.2", "bob", None, "callee"),
)


def message(at: int, label: str, source: int, target: int, **changes: Any) -> Message:
    status = int(label[:3]) if label[:3].isdecimal() else 0
    plain: dict[str, Any] = {
        "time": T0 + at * MS, "offset": at * MS, "gap": None, "source": source, "target": target, "kind": "request",
        "label": label, "detail": None, "method": "INVITE", "status": status, "cseq": 1, "leg": 0,
        "frame": at // 10 + 1, "capture": 0, "message": 0, "retransmission": False,
        "ports": (5060, 5060), "transport": "UDP",
    }  # fmt: skip
    return Message(**plain | changes)


def media(at: int, source: int, target: int, **changes: Any) -> Media:
    plain: dict[str, Any] = {
        "time": T0 + at * MS, "offset": at * MS, "end": T0 + (at + 4000) * MS, "source": source, "target": target,
        "label": "RTP PCMA", "detail": "4.0 s, 200 packets", "codec": "PCMA", "packets": 200, "loss_percent": 0.0,
        "max_jitter_ms": 3.1, "mos": 4.37, "mos_scale": "NB", "shades": (0.0,) * 8, "leg": 0, "stream": 0,
        "ports": (4000, 5000), "frame": 30, "capture": 0,
    }  # fmt: skip
    return Media(**plain | changes)


def note(at: int, text: str, first: int, last: int, severity: str | None = None, code: str | None = None) -> Note:
    return Note(T0 + at * MS, at * MS, text, severity, code, first, last, 0, 77 if code else None, 0 if code else None)


def chart(*rows: Row, participants: tuple[Participant, ...] = (ALICE, BOB), legs: int = 1, **changes: Any) -> FlowChart:
    whole = tuple(Leg(f"call{at}@host", f"alice to bob{at}, completed", "completed") for at in range(legs))
    return FlowChart("alice to bob, completed", whole, participants, rows, T0, **changes)


def text(drawn: FlowChart, width: int = 100) -> list[str]:
    return ["".join(each for each, _ in line).rstrip() for line in draw_text(drawn, width)]


CALL = (
    message(0, "INVITE", 0, 1, kind="invite"),
    message(20, "100 Trying", 1, 0, kind="provisional", gap=20 * MS),
    message(2000, "486 Busy Here", 1, 0, kind="failure", gap=1980 * MS, severity="error"),
    message(2010, "ACK", 0, 1, method="ACK", gap=10 * MS),
)


# ---- exact drawings
def test_a_call_is_a_ladder_of_arrows() -> None:
    assert text(chart(*CALL), 72) == [
        "alice to bob, completed",
        "seconds since 2022-01-12 23:38:26.000 UTC",
        "",
        "                            alice",
        "                         10.0.0.1:5060                           bob",
        "frame  seconds     gap     Phone/1                         10.0.0.2:5060",
        "    1    0.000                │───────────── INVITE ─────────────►│",
        "    3    0.020  +0.020        │◄╌╌╌╌╌╌╌╌╌╌ 100 Trying ╌╌╌╌╌╌╌╌╌╌╌╌│",
        "  201    2.000  +1.980 !      │◄━━━━━━━━━ 486 Busy Here ━━━━━━━━━━│",
        "  202    2.010  +0.010        │─────────────── ACK ──────────────►│",
    ]


ROWS = (
    media(0, 1, 0),
    media(0, 0, 1, shades=(0.0, 0.5, 2.0, 9.0, 50.0, 0.0), severity="warning", until="stops 9 s early"),
    Keys(T0, 0, 0, 1, "1234#", "rfc4733", 0, 55, 0),
    note(0, "alice holds", 0, 1),
    note(0, "9.8 % of the packets were missing for the listener", 0, 1, "warning", "high-loss"),
    Fold(T0, 0, T0, "OPTIONS and its 200, 3 times more", 0, 1, "request", (1, 2, 3), 0),
    message(0, "INVITE", 0, 1, retransmission=True, detail="sip:bob@b, offers PCMA"),
)


def test_media_keys_notes_and_folds_have_their_strokes() -> None:
    assert text(chart(*ROWS), 80)[6:] == [
        "   30    0.000             │◄═══════ RTP PCMA  4.0 s, 200 packets ════════│",
        "   30    0.000      !      │════════ RTP PCMA  4.0 s, 200 packets ═══════►│",
        "                           │               stops 9 s early                │",
        "                           │      loss over time ···░░░▒▒▒▓▓▓███···       │",
        "   55    0.000             │┄┄┄┄┄┄┄┄┄┄┄┄ keys 1234# (rfc4733) ┄┄┄┄┄┄┄┄┄┄┄►│",
        "         0.000             ├┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈ alice holds ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┤",
        "   77    0.000      !      │ ▌ warning high-loss: 9.8 % of the packets    │",
        "                           │ ▌ were missing for the listener              │",
        "         0.000             │┈┈┈┈┈ OPTIONS and its 200, 3 times more ┈┈┈┈┈┈│",
        "    1    0.000             │··· INVITE (again)  sip:bob@b, offers PCMA ··►│",
    ]


def test_a_narrow_page_is_a_list() -> None:
    assert text(chart(*ROWS), 40)[4:] == [
        "A  alice  10.0.0.1:5060  Phone/1",
        "B  bob  10.0.0.2:5060",
        "",
        "frame  seconds",
        "   30    0.000   B > A  RTP PCMA",
        "        4.0 s, 200 packets",
        "   30    0.000 ! A > B  RTP PCMA",
        "        4.0 s, 200 packets",
        "        stops 9 s early",
        "        loss ···░░░▒▒▒▓▓▓███···",
        "   55    0.000   A > B  keys 1234#",
        "        (rfc4733)",
        "         0.000   ┊ alice holds",
        "   77    0.000 ! ▌ warning high-loss:",
        "        ▌ 9.8 % of the packets were",
        "        ▌ missing for the listener",
        "         0.000   A <> B OPTIONS and its",
        "        200, 3 times more",
        "        (3 messages)",
        "    1    0.000   A > B  INVITE (again)",
        "        sip:bob@b, offers PCMA",
    ]


def test_an_arrow_passes_over_a_line() -> None:
    rows = (message(0, "INVITE", 0, 2), media(1, 2, 0), message(2, "BYE", 2, 1))
    assert text(chart(*rows, participants=(ALICE, PROXY, BOB)), 72)[5:] == [
        "frame  seconds  gap     Phone/1          10.0.0.9:5060     10.0.0.2:5060",
        "    1    0.000             │───── INVITE ──────┼─────────────────►│",
        "   30    0.001             │◄═══ RTP PCMA ═════╪══════════════════│",
        "                           │ 4.0 s, 200 packets, port 4000 > 5000 │",
        "    1    0.002             │                   │◄───── BYE ───────│",
    ]


def test_a_message_to_oneself_is_a_hook() -> None:
    rows = (message(0, "REGISTER", 0, 0), message(0, "OPTIONS", 1, 1), media(0, 0, 0))
    assert text(chart(*rows), 72)[6:] == [
        "    1    0.000             │──┐ REGISTER                          │",
        "                           │◄─┘                                   │",
        "    1    0.000             │                           OPTIONS ┌──│",
        "                           │                                   └─►│",
        "   30    0.000             │══╗ RTP PCMA                          │",
        "                           │◄═╝ 4.0 s, 200 packets                │",
    ]


def test_legs_are_told_apart_and_frames_of_several_files_too() -> None:
    rows = (message(0, "INVITE", 0, 1), message(10, "INVITE", 1, 2, leg=1, capture=1))
    assert text(chart(*rows, participants=(ALICE, PROXY, BOB), legs=2), 80) == [
        "alice to bob, completed",
        "seconds since 2022-01-12 23:38:26.000 UTC",
        "[1]  alice to bob0, completed  call0@host",
        "[2]  alice to bob1, completed  call1@host",
        "",
        "                                  alice",
        "                               10.0.0.1:5060                             bob",
        "file:frame  seconds  gap         Phone/1         10.0.0.9:5060     10.0.0.2:5060",
        "       1:1    0.000       [1]       │───── INVITE ────►│                  │",
        "       2:2    0.010       [2]       │                  │───── INVITE ────►│",
    ]


def test_a_label_that_is_too_long_goes_on_beneath() -> None:
    long = message(0, "407 Proxy Authentication Required", 1, 0, kind="challenge")
    assert text(chart(long), 46)[6:] == [
        "    1    0.000        │◄╌╌ 407 Proxy ╌╌╌│",
        "                      │ Authentication  │",
        "                      │    Required     │",
    ]


def test_the_head_comes_again_where_it_is_out_of_sight() -> None:
    many = [message(at, "INFO", 0, 1) for at in range(100)]
    assert sum(line.split() == ["alice", "bob"] for line in text(chart(*many))) == 3
    assert not any(line.split() == ["alice", "bob"] for line in text(chart(*many[:15])))


def test_remarks_stand_at_the_end() -> None:
    assert text(chart(*CALL, remarks=("The capture began later.",)))[-1] == "The capture began later."


def test_a_chart_without_rows_or_participants_is_drawn() -> None:
    assert text(chart())[-1].split() == ["frame", "seconds", "gap", "Phone/1", "10.0.0.2"] or "bob" in text(chart())[-2]
    assert text(chart(participants=()))[0] == "alice to bob, completed"


def test_what_is_drawn_in_colour_is_told_without_it() -> None:
    lines = draw_text(chart(*ROWS), 80)
    styles = {style for line in lines for text, style in line if text.strip()}
    assert {"bold yellow", "dim"} <= styles
    assert any("warning high-loss" in text and style == "bold yellow" for line in lines for text, style in line)


def test_an_output_that_cannot_hold_strokes_gets_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    write_lines(draw_text(chart(*CALL, *ROWS, message(0, "INVITE", 0, 0)), 80), stream, colour=False)
    stream.seek(0)
    written = stream.read()
    assert "|------------" in written and ".. 100 Trying" in written and "===== RTP" in written and "|--+" in written


def test_a_line_is_drawn_for_each_row_of_a_long_call() -> None:
    many = [message(at, "200 OK", 1, 0) for at in range(20_000)]
    parts = draw_parts(chart(*many), 100)
    assert len(parts.rows) == 20_000 and all(len(each) == 1 for each in parts.rows)


def test_on_a_very_narrow_page_the_margin_gives_way() -> None:
    people = tuple(Participant(f"10.0.0.{at}", None, None, "between") for at in range(30))
    row = message(0, "INVITE", 28, 29, frame=1_234_567, offset=10**15, leg=39)
    other = message(1, "BYE", 29, 28, frame=2, capture=1)
    lines = text(chart(row, other, participants=people, legs=40), 40)
    assert " 1:1234567  [40]  AC > AD  INVITE" in lines and max(map(width_of, lines)) <= 40


# ---- pieces
def test_loss_over_time_shows_the_worst_of_neighbours() -> None:
    assert "".join(text for text, _ in run_of_loss([0, 0, 0, 50, 0, 0], 3)) == "·█·"
    assert run_of_loss([0.0] * 9, 20) == [] == run_of_loss([3.0], 20)


@given(st.text(max_size=60), st.integers(1, 40), st.integers(1, 5))
def test_wrapped_text_keeps_width_and_lines_and_loses_nothing_where_there_is_room(
    said: str, width: int, most: int
) -> None:
    lines = wrapped(said, width, most)
    assert len(lines) <= most and all(width_of(line) <= width for line in lines)
    whole = wrapped(said, width, 1000)
    if all(width_of(each) <= width for each in said):
        assert "".join("".join(whole).split()) == "".join(said.split())


# ---- whatever the chart
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from([
        "\u202egnp.exe", "\x1b[31mred\x1b[0m", "line\nbreak\r\tx", "漢字" * 30, "x" * 500, "<script>", "\ud800", "",
        " ", "a\u0301" * 20, "👩‍👩‍👧 family", "a;b;end", "\u2028", "│───►│", "word " * 60,
    ]),
)  # fmt: skip


@st.composite
def charts(draw: st.DrawFn) -> FlowChart:
    count = draw(st.integers(1, 30))
    people = tuple(
        Participant(f"{draw(HOSTILE)}{at}", draw(st.none() | HOSTILE), draw(st.none() | HOSTILE), "between")
        for at in range(count)
    )
    who, legs = st.integers(0, count - 1), draw(st.integers(1, 40))
    leg = st.integers(0, legs - 1)
    offsets, severity = st.integers(0, 10**15), st.sampled_from([None, "error", "warning", "info"])
    kinds = st.sampled_from(sorted(KINDS))
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 12))):
        at, one, other = draw(offsets), draw(who), draw(who)
        changes: dict[str, Any]
        match draw(st.integers(0, 4)):
            case 0 | 1:
                changes = {
                    "offset": at, "gap": draw(st.none() | offsets), "kind": draw(kinds), "leg": draw(leg),
                    "detail": draw(st.none() | HOSTILE), "method": draw(st.none() | HOSTILE),
                    "severity": draw(severity), "status": 200, "retransmission": draw(st.booleans()),
                    "ports": (draw(st.integers(0, 65535)), 5060),
                    "frame": 700_000 + number, "capture": draw(st.integers(0, 1)),
                }  # fmt: skip
                rows.append(message(0, draw(HOSTILE), one, other, **changes))
            case 2:
                changes = {
                    "offset": at, "label": draw(HOSTILE), "detail": draw(HOSTILE), "severity": draw(severity),
                    "shades": tuple(draw(st.lists(st.floats(0, 100), min_size=1, max_size=200))),
                    "until": draw(st.none() | HOSTILE),
                }  # fmt: skip
                rows.append(media(0, one, other, **changes))
            case 3:
                first, last = sorted((one, other))
                rows.append(note(0, draw(HOSTILE), first, last, draw(severity), draw(st.none() | HOSTILE)))
            case _:
                rows.append(Fold(T0, at, T0, draw(HOSTILE), one, other, draw(kinds), (1, 2, 3), draw(leg)))
    return chart(*rows, participants=people, legs=legs, remarks=tuple(draw(st.lists(HOSTILE, max_size=2))))


@settings(max_examples=120)
@given(charts(), st.integers(40, 250))
def test_any_chart_fits_the_page_and_holds_no_control_character_and_all_its_messages(
    drawn: FlowChart, width: int
) -> None:
    lines = text(drawn, width)
    assert all(width_of(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)
    whole = "\n".join(lines)
    assert all(str(row.frame) in whole for row in drawn.rows if isinstance(row, Message))
