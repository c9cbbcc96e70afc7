from sipanalyzer.output import shown
from sipanalyzer.output.call_media import _COLUMNS, _NUMBER
from sipanalyzer.output.columns import COLUMNS, names


def test_what_a_terminal_shows_are_columns_of_its_table() -> None:
    for table in COLUMNS:
        assert set(shown.wishes(table)) <= set(names(table)), table
        assert shown.wishes(table), table
        assert set(shown.BENEATH.get(table, ())) <= set(names(table))


def test_no_two_columns_have_the_same_rank() -> None:
    for table in (*COLUMNS, "streams of a call"):
        ranks = [wish.rank for wish in shown.wishes(table).values()]
        assert len(set(ranks)) == len(ranks), table


def test_the_streams_of_a_call_have_columns_of_streams() -> None:
    assert set(shown.wishes("streams of a call")) == {_NUMBER.name, *_COLUMNS}


def test_widths_are_in_order() -> None:
    for table in COLUMNS:
        for name, wish in shown.wishes(table).items():
            assert 0 < wish.least <= wish.widest, (table, name)
