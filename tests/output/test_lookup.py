import pytest

from sipanalyzer.output.by_number import call_ids_of
from sipanalyzer.output.lookup import find_call, narrow
from sipanalyzer.output.tables import table
from tests.output.results import T0, empty_result, make_call, make_messages, make_result, make_stream, make_transaction

TWO = make_result(
    calls=(
        make_call(
            call_id="abc-2", start=T0 + 9, rows=(2, 3), streams=(1, 2), to_uri="sip:0049301234@b", callee="0049301234"
        ),
        make_call(call_id="abc-1", start=T0, rows=(0, 1), streams=(0,)),
    ),
    messages=make_messages(
        [
            {"call_id": "abc-1", "frame": 1},
            {"call_id": "abc-1", "frame": 2},
            {"call_id": "abc-2", "frame": 3},
            {"call_id": "abc-2", "frame": 4},
            {"call_id": None, "frame": 5},
            {"call_id": "reg", "frame": 6, "from_uri": "sip:+49-30-1234;x=y@b", "method": "REGISTER"},
        ]
    ),
    streams=(
        make_stream(ssrc=1, call_id="abc-1"),
        make_stream(ssrc=2, call_id="abc-1", also_call_ids=("abc-2",)),
        make_stream(ssrc=3, call_id="abc-2"),
    ),
    transactions=(make_transaction(call_id="abc-1"), make_transaction(call_id="abc-2", rows=(2, 3))),
)


def test_a_call_is_found_by_its_id_a_beginning_or_a_row() -> None:
    assert find_call(TWO, "abc-2").call_id == "abc-2"
    assert find_call(TWO, 0).call_id == "abc-1"
    assert find_call(TWO, -1).call_id == "abc-2"
    assert find_call(TWO, "1").call_id == "abc-2"
    assert find_call(make_result(), "one@10…").call_id == "one@10.0.0.1"


def test_a_whole_call_id_wins_over_beginnings_and_rows() -> None:
    result = make_result(calls=(make_call(call_id="1"), make_call(call_id="12")))
    assert find_call(result, "1").call_id == "1"


def test_an_ambiguous_beginning_names_the_candidates() -> None:
    with pytest.raises(ValueError, match="2 calls begin with 'abc': abc-2, abc-1"):
        find_call(TWO, "abc")


@pytest.mark.parametrize("wanted", ["nope", "", "2", 2, -3, "…"])
def test_a_call_that_is_not_there_is_refused(wanted: str | int) -> None:
    with pytest.raises(ValueError, match=r"no call|begin with"):
        find_call(TWO, wanted)


def test_a_capture_without_calls_says_so() -> None:
    with pytest.raises(ValueError, match="no call in this capture"):
        find_call(empty_result(), "a")


def test_a_narrowed_result_holds_one_call_with_all_that_belongs_to_it() -> None:
    own = narrow(TWO, {"abc-2"})
    (call,) = own.calls
    assert table(own, "messages")["frame"] == [3, 4]
    assert [int(own.messages.frame[row]) for row in call.rows] == [3, 4]
    assert [own.streams[number].ssrc for number in call.streams] == [2, 3]
    assert own.transactions[0].rows == (0, 1)
    assert own.messages.raw(1) == TWO.messages.raw(3)
    assert own.captures == TWO.captures


def test_narrowing_to_everything_changes_nothing_that_belongs_to_a_call() -> None:
    own = narrow(TWO, {"abc-1", "abc-2"})
    for name in ("calls", "streams", "transactions", "dialogs"):
        assert list(table(own, name).rows()) == [row for row in table(TWO, name).rows() if name != "dialogs"]


@pytest.mark.parametrize("number", ["+49301234", "0049 30 1234", "49-30-1234", "tel:+49(30)1234", "sip:+49301234@else"])
def test_a_number_is_found_however_it_is_written(number: str) -> None:
    assert call_ids_of(TWO, number) == {"abc-2", "reg"}


def test_a_number_is_not_found_as_part_of_another() -> None:
    assert call_ids_of(TWO, "301234") == set()
    assert call_ids_of(TWO, "493012345") == set()


def test_a_name_is_found_too() -> None:
    assert "abc-1" in call_ids_of(TWO, "alice")


def test_the_number_of_a_diversion_in_brackets_is_found() -> None:
    call = make_call(call_id="x", diversion='"A, B" <sip:+4989@c>;reason=busy, <tel:+4940>')
    assert "x" in call_ids_of(make_result(calls=(call,)), "004989")
    assert "x" in call_ids_of(make_result(calls=(call,)), "+4940")


def test_nothing_is_no_number() -> None:
    with pytest.raises(ValueError, match="is no number"):
        call_ids_of(TWO, " ")


def test_where_several_calls_begin_so_a_row_is_meant() -> None:
    result = make_result(calls=(make_call(call_id="0a", start=T0), make_call(call_id="0b", start=T0 + 1)))
    assert find_call(result, "0").call_id == "0a"
    assert find_call(result, "0b").call_id == "0b"
    with pytest.raises(ValueError, match="2 calls begin with '10'"):  # there is no row 10
        find_call(make_result(calls=(make_call(call_id="107"), make_call(call_id="108"))), "10")


def test_the_number_that_chose_the_calls_is_kept() -> None:
    assert narrow(TWO, {"abc-1"}, number="+49 1").extra["number"] == "+49 1"
    assert "number" not in narrow(TWO, {"abc-1"}).extra


def test_what_a_stream_was_told_stays_with_it_under_its_new_number() -> None:
    whole = make_result(
        calls=(make_call(call_id="a", streams=(0,), rows=()), make_call(call_id="b", streams=(1,), rows=())),
        streams=(make_stream(ssrc=1, call_id="a"), make_stream(ssrc=2, call_id="b")),
    )
    whole.extra["turns"] = (("told a",), ("told b",))
    assert narrow(whole, {"b"}).extra["turns"] == (("told b",),)
