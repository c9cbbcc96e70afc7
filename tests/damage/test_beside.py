"""A capture of calls that have nothing in common: harm to packets of some leaves all others as they were."""

from __future__ import annotations

import random
from functools import cache

import pytest

from sipanalyzer.result import Result
from tests.damage import checks, harm, many
from tests.damage.records import Pieces, take_apart, time_of

CALLS = 12
FORMS = ("pcap", "pcap-ns", "pcapng")
NO_NUMBER = frozenset({"session"})
"""Sessions are numbered through, so that one number depends on all calls."""


@cache
def capture(form: str) -> tuple[Pieces, dict[int, str], Result]:
    """A capture in pieces, to which call each of its packets belongs, and what is told of it."""
    packets, owners = many.many_calls(CALLS, talked=30)
    pieces = take_apart(many.files(packets)[form])
    assert pieces is not None
    whole = checks.analyzed(pieces.bytes(), form)
    assert whole is not None
    assert len(checks.rows(whole, "calls")) == CALLS
    return pieces, dict(zip(pieces.packets(), map(many.name_of, owners), strict=True)), whole


def untouched(owners: dict[int, str], touched: frozenset[int]) -> list[str]:
    """Call-IDs of calls of which no packet was touched."""
    hurt = {owners[number] for number in touched if number in owners}
    return sorted(set(owners.values()) - hurt)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["bits flipped in 1 % of packets", "a clock that steps", "single packets at any time"])
def test_calls_beside_the_harm_are_equal_in_every_column(form: str, kind: str) -> None:
    pieces, owners, whole = capture(form)
    spared = 0
    for seed in range(4):
        what = f"{form}: {kind}: {seed}"
        harmed = harm.KINDS[kind](pieces, random.Random(what))
        result = checks.analyzed(harmed.data, what)
        assert result is not None
        others = untouched(owners, harmed.touched)
        spared += len(others)
        found = checks.of_calls(result, others, NO_NUMBER)
        assert checks.differing(checks.of_calls(whole, others, NO_NUMBER), found) is None, what
    assert spared


@pytest.mark.parametrize("form", FORMS)
def test_calls_none_of_whose_records_were_removed_are_equal(form: str) -> None:
    pieces, owners, whole = capture(form)
    chance = random.Random(form)
    gone = set(chance.sample(sorted(set(owners.values())), 4))
    kept = [
        each for number, each in enumerate(pieces.records) if owners.get(number) not in gone or chance.random() < 0.8
    ]
    result = checks.analyzed(pieces.bytes(kept), form)
    assert result is not None
    others = sorted(set(owners.values()) - gone)
    place = checks.OF_THE_REST | {"frame"}
    assert checks.differing(checks.of_calls(whole, others, place), checks.of_calls(result, others, place)) is None


@pytest.mark.parametrize("form", FORMS)
def test_records_in_random_order_are_put_in_order_where_the_window_reaches(form: str) -> None:
    pieces, _, whole = capture(form)
    chance = random.Random(form)
    windows: dict[int, list[bytes]] = {}
    for number in pieces.packets():
        each = pieces.records[number]
        windows.setdefault(time_of(pieces, each) // 500_000_000, []).append(each)
    for window in windows.values():
        chance.shuffle(window)
    records = [*pieces.records[: pieces.packets()[0]], *(each for window in windows.values() for each in window)]
    result = checks.analyzed(pieces.bytes(records), form)
    assert result is not None
    names = [many.name_of(call) for call in range(CALLS)]
    place = checks.OF_THE_REST | {"frame"}
    found = checks.of_calls(result, names, place)
    assert checks.differing(checks.of_calls(whole, names, place), found) is None
