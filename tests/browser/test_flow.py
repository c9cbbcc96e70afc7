import datetime
import re

import pytest

import sipanalyzer
from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.charting import Choice, chart_of, drawn, row_at, stand_in, trimmed
from sipanalyzer.output.flow.model import Fold, Media, Message, Note
from sipanalyzer.output.terminal import width_of
from tests.browser.piloted import drive, name_of, press, seen, three_calls, until
from tests.tape import A, B, Tape, sdp


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


@pytest.fixture(scope="module")
def repeated() -> Analysis:
    """A call in which 40 OPTIONS are asked and answered."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for n in range(40):
        tape.request(3 + n, A, B, "OPTIONS", cseq=10 + n)
        tape.reply(3.1 + n, B, A, 200, method="OPTIONS", cseq=10 + n)
    tape.bye(60)
    return tape.analyze()


def _row(app):
    return app.screen.chart.rows[app.screen.flow.block]


def test_the_message_under_the_cursor_stands_beside_the_flow(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter")
        assert "INVITE sip:x@10.0.0.2 SIP/2.0" in seen(app) and "m=audio 4000" in seen(app)
        await press(pilot, "down")
        assert "SIP/2.0 180" in seen(app)
        await press(pilot, "end")
        assert _row(app).label.startswith("200") and "CSeq: 90 BYE" in seen(app)
        await press(pilot, "home", "t")
        assert "m=audio 4000" not in seen(app)

    drive(analysis, steps, (140, 45))


def test_it_stands_below_on_a_narrow_screen(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter")
        lines = seen(app).splitlines()
        arrow = next(at for at, line in enumerate(lines) if "─ INVITE ─" in line)
        raw = next(at for at, line in enumerate(lines) if line.startswith("INVITE sip:"))
        assert raw > arrow
        before = app.screen.message.size.height
        await press(pilot, "9", "9")
        assert app.screen.message.size.height > before
        await press(pilot, "0", "0", "0")
        assert app.screen.message.size.height < before

    drive(analysis, steps, (80, 24))


def test_enter_opens_message_stream_and_finding(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter", "enter")
        assert name_of(app) == "RawPage" and "From: <sip:alice@example.org>;tag=alice" in seen(app)
        await press(pilot, "escape")
        at = next(at for at, row in enumerate(app.screen.chart.rows) if isinstance(row, Media))
        app.screen.flow.block = at
        await press(pilot, "down", "up")
        assert "loss" in seen(app) and "MOS" in seen(app)
        await press(pilot, "enter")
        assert name_of(app) == "StreamPage"
        await press(pilot, "escape", "escape", "end", "enter", "n")
        assert isinstance(_row(app), Note | Message) and _row(app).severity
        notes = [at for at, row in enumerate(app.screen.chart.rows) if isinstance(row, Note) and row.code]
        app.screen.flow.block = notes[0]
        await pilot.pause()
        assert "What to do" in seen(app)
        await press(pilot, "enter")
        assert name_of(app) == "CallPage" and "server-error" in seen(app)

    drive(analysis, steps, (140, 45))


def test_two_messages_are_compared(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter", "space", "down", "space")
        assert name_of(app) == "DifferencePage"
        page = seen(app)
        assert "INVITE sip:x@10.0.0.2 SIP/2.0" in page and "SIP/2.0 180 Reason" in page
        await press(pilot, "escape")
        assert not app.screen.flow.marked
        await press(pilot, "space", "space")
        assert not app.screen.flow.marked and name_of(app) == "FlowPage"

    drive(analysis, steps, (140, 45))


def test_streams_details_and_times_come_and_go(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter")
        whole = len(app.screen.chart.rows)
        await press(pilot, "m")
        assert not any(isinstance(row, Media) for row in app.screen.chart.rows)
        await press(pilot, "m")
        assert len(app.screen.chart.rows) == whole
        assert "SDP offer" in seen(app)
        await press(pilot, "d")
        assert "SDP offer" not in seen(app)
        await press(pilot, "d", "D")
        assert [row.label[:3] for row in app.screen.chart.rows] == ["INV", "200"]
        await press(pilot, "D", "w")
        assert "00:00:00.500" in seen(app)
        await press(pilot, "W")
        assert "00:00:00.500" not in seen(app)
        for _ in range(4):
            await press(pilot, "w")
        assert "seconds" in seen(app)

    drive(analysis, steps, (140, 45))


def test_keys_of_sngrep_do_there_what_they_do_in_sngrep(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter", "f2")
        assert name_of(app) == "FlowPage" and "SDP offer" not in seen(app)
        await press(pilot, "f3")
        assert not any(isinstance(row, Media) for row in app.screen.chart.rows)
        await press(pilot, "f2", "f3", "t")
        assert not app.screen.message.display
        await press(pilot, "t", "9", "9")
        wide = app.screen.message.size.width
        await press(pilot, "T")
        assert 20 < app.screen.message.size.width < wide
        headers = [style for line in app.screen.message.lines for text, style in line if text.startswith("Via")]
        await press(pilot, "f8")
        plain = [style for line in app.screen.message.lines for text, style in line if text.startswith("Via")]
        assert all(headers) and not any(plain)

    drive(analysis, steps, (140, 45))


def test_a_finding_is_explained_once_beside_the_flow(analysis):
    async def steps(app, pilot):
        await press(pilot, "end", "enter", "n")
        at = next(at for at, row in enumerate(app.screen.chart.rows) if isinstance(row, Note) and row.code)
        app.screen.flow.block = at
        await pilot.pause()
        beside = " ".join(text for line in app.screen.message.lines for text, _ in line)
        finding = analysis.findings.iloc[0]
        assert beside.count(finding["explanation"][:30]) == 1 and beside.count("What to do") == 1

    drive(analysis, steps, (140, 45))


def test_what_was_said_does_not_stand_before_the_next_screen(analysis):
    async def steps(app, pilot):
        await press(pilot, "enter", "space")
        await until(pilot, lambda: "compares the two" in seen(app))
        await press(pilot, "down", "space")
        assert name_of(app) == "DifferencePage" and "compares the two" not in seen(app)

    drive(analysis, steps, (140, 45), notifications=True)


def test_colours_go_by_kind_call_and_cseq(analysis):
    async def steps(app, pilot):
        def styles():
            return [style for line in app.screen.flow.lines for _, style in line]

        await press(pilot, "space", "down", "space", "enter")
        kinds = styles()
        await press(pilot, "c")
        calls = styles()
        await press(pilot, "c")
        cseqs = styles()
        assert "bold magenta" in kinds and "bold magenta" not in calls + cseqs and calls != cseqs
        assert "colour by CSeq" in seen(app)
        await press(pilot, "c")
        assert styles() == kinds

    drive(analysis, steps, (140, 45))


def test_a_session_shows_all_legs_and_the_call_alone_again(samples):
    async def steps(app, pilot):
        await press(pilot, "enter")
        assert len(app.screen.chart.legs) == 1
        await press(pilot, "down", "x")
        assert len(app.screen.chart.legs) == 2 and _row(app).label == "100 Trying"
        await press(pilot, "x")
        assert len(app.screen.chart.legs) == 1
        await press(pilot, "escape", "x")
        assert len(app.screen.chart.legs) == 2

    drive(sipanalyzer.analyze(samples / "two_legs.pcap"), steps, (140, 45))


def test_what_is_folded_is_unfolded_where_it_stands(repeated):
    async def steps(app, pilot):
        await press(pilot, "enter")
        folds = [at for at, row in enumerate(app.screen.chart.rows) if isinstance(row, Fold)]
        if not folds:
            pytest.skip("the layout folds nothing yet")
        app.screen.flow.block = folds[0]
        await pilot.pause()
        first = app.screen.chart.rows[folds[0]].messages[0]
        await press(pilot, "enter")
        assert isinstance(_row(app), Message) and _row(app).message == first
        await press(pilot, "u")
        assert any(isinstance(row, Fold) for row in app.screen.chart.rows)

    drive(repeated, steps, (140, 45))


def test_every_key_of_the_flow_does_no_harm(repeated):
    from sipanalyzer.browser.keys import KEYS

    async def steps(app, pilot):
        await press(pilot, "enter")
        for key in [each for entry in (*KEYS["flow"], *KEYS["moving"]) for each in entry.keys.split(",")]:
            await press(pilot, key)
            while name_of(app) != "FlowPage":
                await press(pilot, "escape")

    drive(repeated, steps, (100, 30))


# ---- without a screen
def test_each_line_belongs_to_its_row(analysis):
    chart = chart_of(analysis.result, [analysis.result.calls[0]])
    for width in (60, 100, 200):
        picture = drawn(chart, width, datetime.UTC, Choice())
        assert len(picture.lines) == len(picture.blocks)
        assert [each for each in dict.fromkeys(picture.blocks) if each >= 0] == list(range(len(chart.rows)))
        for at, row in enumerate(chart.rows):
            mine = "\n".join(
                "".join(text for text, _ in line)
                for line, block in zip(picture.lines, picture.blocks, strict=True)
                if block == at
            )
            if isinstance(row, Message):
                assert row.label.split()[0] in mine and re.search(rf"\b{row.frame}\b", mine)
        assert max(sum(width_of(text) for text, _ in line) for line in picture.lines) <= width


def test_a_frame_is_found_in_messages_and_folds(repeated):
    result = repeated.result
    chart = chart_of(result, [result.calls[0]])
    messages = result.messages
    for row in range(len(messages)):
        at = row_at(result, chart, int(messages.frame[row]), 0, None)
        found = chart.rows[at]
        rows = found.messages if isinstance(found, Fold) else (found.message,)
        assert row in rows
    assert row_at(result, chart, 10_000, 0, None) is None
    assert row_at(result, chart, None, None, chart.rows[-1].time) == len(chart.rows) - 1
    assert row_at(result, chart, None, None, 0) == 0


def test_trimming_leaves_the_chart_as_it_was(analysis):
    chart = chart_of(analysis.result, [analysis.result.calls[0]])
    rows = chart.rows
    small = trimmed(analysis.result, chart, Choice(media=False, detail=False, only_sdp=True))
    assert chart.rows == rows and len(small.rows) == 2 and all(row.detail is None for row in small.rows)
    assert trimmed(analysis.result, chart, Choice()).rows == rows


def test_a_call_in_name_only_has_the_messages_of_its_call_id(analysis):
    call = stand_in(analysis.result, "reg")
    assert (call.caller, call.callee, call.messages, call.state) == ("dave", "dave", 2, "register")
    assert call.start is None and call.streams == () and call.first_time < call.last_time
    with pytest.raises(ValueError, match="no message"):
        stand_in(analysis.result, "nobody")
