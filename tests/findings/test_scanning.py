"""Who is a scanner, by what it does: against a slow twin that looks at every window."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.findings.scanning import find_scanners
from sipanalyzer.options import Options
from sipanalyzer.result import Transaction
from tests.builders import START_NS
from tests.findings.scenes import result
from tests.said import invite

S = 1_000_000_000
REFUSED = (400, 401, 403, 404, 405, 407, 484)
OTHERS = (200, 302, 480, 486, 487, 408, 500, None)
LIMITS = Options(scanner_targets=4, scanner_window_ns=10 * S, scanner_failed_percent=80.0)

URIS = [f"sip:{number}@b.example" for number in range(6)]
SEEN = result(*(invite(number, uri=uri, callee=uri, call_id=f"u{number}") for number, uri in enumerate(URIS)))
"""One message a target: transactions made by hand point at them."""


def made(entries: list[tuple[int, int, int | None]]) -> list[Transaction]:
    """Transactions from seconds, target and status, one call each."""
    first = SEEN.transactions[0]
    return [
        dataclasses.replace(
            first, call_id=f"t{number}", start=START_NS + at * S, rows=(target,), status_code=status,
            final_response=None if status is None else START_NS + at * S,
        )
        for number, (at, target, status) in enumerate(sorted(entries, key=lambda entry: entry[0]))
    ]  # fmt: skip


def naive(transactions: list[Transaction]) -> bool:
    for last in transactions:
        window = [
            each
            for each in transactions[: transactions.index(last) + 1]
            if each.start >= last.start - LIMITS.scanner_window_ns
        ]
        answered = [each for each in window if each.status_code is not None]
        refused = [each for each in answered if each.status_code in REFUSED]
        targets = {each.rows[0] for each in window}
        if answered and len(targets) >= LIMITS.scanner_targets and len(refused) >= 0.8 * len(answered):
            return True
    return False


entries = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 5), st.sampled_from((*REFUSED, *REFUSED, *OTHERS))), max_size=25
)


@settings(max_examples=200)
@given(entries)
def test_windows_are_judged_as_the_twin_judges_them(given_: list[tuple[int, int, int | None]]) -> None:
    transactions = made(given_)
    refusals = sum(each.status_code in REFUSED for each in transactions)
    # the first look counts refusals in messages; as many stand here as are in the transactions
    status = SEEN.messages.status.copy()
    status[: min(refusals, len(status))] = 403
    messages = dataclasses.replace(SEEN.messages, status=status, dst=SEEN.messages.src)
    scene = dataclasses.replace(SEEN, messages=messages, transactions=tuple(transactions), options=LIMITS)
    expected = naive(transactions) and refusals >= 3
    assert bool(find_scanners(scene)) == expected


def test_a_window_that_is_too_short_hides_a_slow_scanner() -> None:
    slow = made([(number * 5, number, 403) for number in range(6)])
    fast = made([(number * 2, number, 403) for number in range(6)])
    assert (naive(slow), naive(fast)) == (False, True)
