import dataclasses

import pytest

from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.listing import Listing, Wanted, worst_severities
from sipanalyzer.browser.sights import SHOWN, Sight, all_sights, lay_out_sights
from sipanalyzer.facts import Finding
from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.tables import table
from sipanalyzer.output.terminal import width_of
from tests.browser.piloted import three_calls
from tests.output.results import T0, make_call, make_result


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return three_calls()


def _ids(listing: Listing) -> list[object]:
    return [listing.value(row, "call_id") for row in listing.rows]


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_are_columns_of_the_table(name):
    assert {each.name for each in SHOWN[name]} <= {each.name for each in COLUMNS[name]}
    assert [each.name for each in all_sights(name)][: len(SHOWN[name])] == [each.name for each in SHOWN[name]]
    assert {each.name for each in all_sights(name)} == {each.name for each in COLUMNS[name]}


@pytest.mark.parametrize("name", ["calls", "registrations", "transactions", "findings", "streams"])
def test_cells_are_those_of_the_table_and_as_wide_as_asked(analysis, name):
    listing = Listing(analysis.result, name)
    whole = table(analysis.result, name)
    assert len(listing.rows) == len(whole)
    for sight in all_sights(name):
        for row in listing.rows:
            assert listing.value(row, sight.name) == whole[sight.name][row]
            for width in (4, 8, 13, 23, 40):
                text, _ = listing.cell(row, sight, width)
                assert width_of(text) == width and text.isprintable()


def test_missing_values_come_last_both_ways(analysis):
    listing = Listing(analysis.result, "calls")
    listing.sort_by("duration_s")
    assert _ids(listing)[0] == "first"
    listing.sort_by("duration_s", True)
    assert _ids(listing)[0] == "first"
    listing.sort_by(None)
    assert _ids(listing) == ["first", "second", "third"]


def test_filters_hold_together(analysis):
    listing = Listing(analysis.result, "calls")
    listing.sort_by("caller", True)
    listing.show(Wanted(text="example.org", where="state != 'completed'"))
    assert _ids(listing) == ["third", "second"]
    listing.show(Wanted(text="BUSY", where="state != 'completed'"))
    assert _ids(listing) == ["second"]
    assert listing.filter_text() == "/BUSY  and  state != 'completed'"
    with pytest.raises(ValueError, match="no column"):
        listing.show(Wanted(where="colour == 1"))
    assert _ids(listing) == ["second"]


def test_the_quick_filter_looks_into_every_column_of_text(analysis):
    listing = Listing(analysis.result, "calls")
    whole = table(analysis.result, "calls")
    for each, values in zip(whole.columns, whole.data, strict=True):
        if each.dtype != "text" or each.name == "wireshark_filter":
            continue
        for row, value in enumerate(values):
            if value is not None:
                listing.show(Wanted(text=str(value).upper()))
                assert row in listing.rows, each.name


def test_a_text_in_a_message_finds_its_call_alone(analysis):
    listing = Listing(analysis.result, "calls")
    result = analysis.result
    for text in ("m=audio 6000", "sip:frank@", "CSEQ: 90 bye", "SIP/2.0", "no such thing", "\r\n\r\nv=0"):
        listing.show(Wanted(message=text))
        slow = {
            result.messages.text("call_id", row)
            for row in range(len(result.messages))
            if text.lower().encode() in result.messages.raw(row).lower()
        }
        assert _ids(listing) == [each for each in ("first", "second", "third") if each in slow]


def test_a_time_has_its_date_where_there_are_several():
    result = make_result()
    sight = Sight("start", "start", 8, 23)
    one = Listing(dataclasses.replace(result, calls=(make_call(),)), "calls")
    assert one.cell(0, sight, 8)[0] == "23:38:26" and one.cell(0, sight, 12)[0] == "23:38:26.000"
    later = make_call(call_id="two", start=T0 + 86_400_000_000_000, first_time=T0 + 86_400_000_000_000)
    two = Listing(dataclasses.replace(result, calls=(make_call(), later)), "calls")
    assert [two.cell(row, sight, 23)[0][:10] for row in two.rows] == ["2022-01-12", "2022-01-13"]
    assert [two.cell(row, sight, 11)[0][:5] for row in two.rows] == ["01-12", "01-13"]


def test_the_worst_severity_colours_a_calls_findings():
    result = make_result()
    found = tuple(
        Finding(code, severity, "", "", call_id=call_id, stream=stream)
        for code, severity, call_id, stream in (
            ("a", "error", "one@10.0.0.1", None), ("b", "info", "one@10.0.0.1", None), ("c", "warning", None, 0),
        )
    )  # fmt: skip
    result = dataclasses.replace(result, extra={"findings": found})
    calls, streams = worst_severities(result)
    assert calls["one@10.0.0.1"] == "error" and streams == {0: "warning"}


# ---- widths
def test_widths_fill_the_room_from_the_left():
    sights = [Sight("a", "a", 4, 10), Sight("b", "bb", 4, 10), Sight("c", "c", 4, 30)]
    assert lay_out_sights(sights, ["a", "bb", "c"], [20, 3, 20], 100) == [10, 3, 20]
    assert lay_out_sights(sights, ["a", "bb", "c"], [20, 3, 20], 20) == [10, 3, 5]
    assert lay_out_sights(sights, ["a", "bb", "c"], [20, 3, 20], 12) == [8, 3, 4]
    assert lay_out_sights(sights, ["a", "bb", "c"], [0, 0, 0], 12) == [1, 2, 1]
    assert lay_out_sights(sights, ["a", "bb", "c"], [20, 3, 20], 27, late={0: (6, 8)}) == [6, 3, 16]
    assert lay_out_sights(sights, ["a", "bb", "c"], [20, 3, 20], 26, late={0: (6, 8)}) == [4, 3, 17]


def test_a_number_is_never_cut():
    delays = [3_841_250_000, 17_846_000_500_000, None, 7_000_000]
    calls = tuple(
        make_call(call_id=f"c{at}", ringing=None if each is None else T0 + each, answered=None)
        for at, each in enumerate(delays)
    )
    listing = Listing(dataclasses.replace(make_result(), calls=calls), "calls")
    sight = next(each for each in listing.sights if each.name == "post_dial_delay_ms")
    width = listing.widths(77)[listing.sights.index(sight)]
    assert [listing.cell(row, sight, width)[0].strip() for row in listing.rows] == [
        "3841.25", "17846000.50", "-", "7.00",
    ]  # fmt: skip
    assert listing.cell(0, sight, 6)[0].strip() == "3841"


def test_names_have_room_before_dates_have_fractions():
    later = make_call(call_id="two", start=T0 + 86_400_000_000_000, caller="a name of twenty let", callee="b" * 20)
    listing = Listing(dataclasses.replace(make_result(), calls=(make_call(), later)), "calls")
    widths = dict(zip((each.name for each in listing.sights), listing.widths(116), strict=True))
    assert widths["caller"] == widths["callee"] == 16 and 14 <= widths["start"] < 23
    assert [listing.cell(row, listing.sights[0], 14)[0] for row in listing.rows] == ["01-12 23:38:26", "01-13 23:38:26"]


def test_a_call_list_of_eighty_columns_shows_its_findings():
    names = [each.name for each in SHOWN["calls"]]
    upto = SHOWN["calls"][: names.index("findings") + 1]
    assert sum(max(each.least, len(each.head)) for each in upto) + len(upto) - 1 <= 80 - 3
