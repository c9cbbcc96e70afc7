import datetime
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.facts import Finding
from sipanalyzer.output.cells import visible
from sipanalyzer.output.tables import Table, table
from sipanalyzer.output.terminal import cut, draw_table, lay_out, width_of, wrap, write_lines
from tests.output.results import MS, T0, make_call, make_capture, make_messages, make_result, make_stream

UTC = datetime.UTC
LONG = make_result(
    calls=(
        make_call(
            caller="+4930123456789012345", codecs=("PCMA",), user_agent="A very long user agent/1.2.3 (with words)"
        ),
        make_call(call_id="x" * 90, state="failed", status_code=503, reason="Service Unavailable", start=T0 + 5 * MS),
    ),
    streams=tuple(make_stream(src=("2001:db8:85a3:8d3:1319:8a2e:370:7348", 40000 + n)) for n in range(3)),
    captures=(make_capture(file="f" * 100),),
)


def drawn(rows: Table, width: int | None = None, **how) -> list[str]:
    stream = io.StringIO()
    write_lines(draw_table(rows, lay_out(rows, width, UTC, **how)), stream, colour=False)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("name", ["calls", "streams", "messages", "dialogs", "transactions", "captures", "findings"])
@pytest.mark.parametrize("width", [20, 40, 80, 81, 120, 160, 1000])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = drawn(table(LONG, name), width)
    assert max(map(width_of, lines)) <= width
    if width >= 80:
        assert len(lines[-1].split()) >= 3


def test_a_terminal_of_eighty_columns_shows_who_called_and_what_became_of_it() -> None:
    head = " ".join(drawn(table(LONG, "calls"), 80)[:3])
    for name in ("start", "caller", "callee", "state", "_code", "_delay"):
        assert name in head, name


def test_columns_that_were_asked_for_stand_all_there_in_that_order() -> None:
    rows = table(make_result(), "calls").only(["mos", "callee", "caller"])
    assert drawn(rows, 80, chosen=True) == ["mos  callee  caller", "  -  bob     alice"]


def test_a_column_without_any_value_takes_no_room_unless_asked_for() -> None:
    rows = table(make_result(), "calls")
    assert "mos" not in "".join(drawn(rows, 1000)[:3])


def test_the_date_stands_in_the_heading_where_all_rows_share_it() -> None:
    rows = table(LONG, "calls").only(["start"])
    assert drawn(rows, 80, chosen=True)[:3] == ["start", "2022-01-12", "23:38:26.000"]
    days = table(make_result(calls=(make_call(), make_call(start=T0 + 86_400_000 * MS))), "calls").only(["start"])
    assert drawn(days, 80, chosen=True)[1:] == ["2022-01-12 23:38:26.000", "2022-01-13 23:38:26.000"]


def test_a_cut_text_ends_in_an_ellipsis_and_wide_characters_count_double() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert width_of("日本語") == 6
    assert cut("日本語", 5) == "日本…"
    assert width_of("e\u0301") == 1


def test_of_a_long_path_the_end_is_shown() -> None:
    rows = table(make_result(captures=(make_capture(file="/a/very/long/folder/name/x.pcap"),)), "captures").only(
        ["file"]
    )
    assert drawn(rows, 12, chosen=True)[-1] == "…name/x.pcap"


@given(st.text(), st.integers(0, 30))
def test_a_cut_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert width_of(cut(text, width)) <= width


def test_what_came_from_the_wire_cannot_colour_the_terminal() -> None:
    call = make_call(caller="[red]a[/red]\x1b[2J", callee="\u202ebob")
    (line,) = drawn(table(make_result(calls=(call,)), "calls").only(["caller", "callee"]), 80, chosen=True)[1:]
    assert line == "[red]a[/red]\\x1b[2J  \\u202ebob"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    lines = [[("failed", "red"), ("  ", ""), ("[bold]x", "")]]
    stream = Terminal()
    write_lines(lines, stream, colour=True)
    assert stream.getvalue() == "\x1b[31mfailed\x1b[0m  [bold]x\n"
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    write_lines(lines, stream, colour=True)
    assert stream.getvalue() == "failed  [bold]x\n"


def test_an_empty_table_is_its_heading() -> None:
    rows = table(LONG, "calls").take([])
    lines = drawn(rows, 80)
    assert lines and "state" in " ".join(lines)


FOUND = make_result(
    extra={
        "findings": (
            Finding("high-loss", "error", "9.8 % of 500 packets " + "were missing " * 12 + "in all.", "Mend it.",
                    call_id="one@10.0.0.1", frame=7, frames=(7,)),
            Finding("held", "info", "Held.", "", call_id="one@10.0.0.1", frame=8, doubtful="The capture is cut."),
        )
    }
)  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_sentence_of_a_finding_stands_whole_below_its_row(width: int) -> None:
    lines = drawn(table(FOUND, "findings"), width)
    text = " ".join(" ".join(lines).split())
    assert FOUND.extra["findings"][0].explanation in text
    assert "doubtful: The capture is cut." in text
    assert lines[1].split()[:3] == ["error", "high-loss", "one@10.0.0.1"]
    assert lines[2].startswith(" " * 10 + "9.8 % of 500 packets")


def test_columns_that_were_asked_for_have_no_sentences_below_them() -> None:
    rows = table(FOUND, "findings").only(["severity", "explanation"])
    assert len(drawn(rows, 80, chosen=True)) == 3


def test_an_address_is_shown_without_its_port_rather_than_with_half_of_it() -> None:
    rows = table(make_result(), "messages").only(["src", "frame", "summary", "dst"])
    table_of_long = table(make_result(messages=make_messages([{"src": ("198.51.100.200", 15060)}])), "messages")
    assert "198.51.100.200  " in drawn(table_of_long.only(["src", "dst"]), 29, chosen=True)[1]
    assert "10.0.0.1:5060" in drawn(rows, 120, chosen=True)[1]


def test_a_lesser_column_does_not_take_the_room_of_one_that_is_cut() -> None:
    for width in range(80, 200):
        head, *_, last = drawn(table(LONG, "calls"), width)[1:]
        assert "codecs" not in head or "+4930123456789012345" in last or "alice      " in last, width


@given(st.text(), st.integers(0, 60))
def test_wrapped_text_loses_nothing_and_keeps_its_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert max(map(width_of, lines)) <= max(width, 12)
    assert "".join("".join(lines).split()) == "".join(visible(text).split())


def test_a_unit_stays_with_its_number() -> None:
    assert wrap("it was heard in 7.5 s", 20) == ["it was heard in", "7.5 s"]


def test_an_output_that_holds_ascii_only_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write_lines([[("cut…  ▁▄█", "")]], stream, colour=False)
    stream.flush()
    assert raw.getvalue() == b"cut~  _=@\n"
