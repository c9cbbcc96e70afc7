"""What people type, and what they get."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.explanations import KINDS, names, titles
from sipanalyzer.explanations.lookup import explain, find_near
from sipanalyzer.sip.header import COMPACT


def found(thing: str) -> list[str]:
    return [f"{each.kind} {each.name}" for each in explain(thing)]


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        ("486", ["status 486"]),
        ("486 Busy Here", ["status 486"]),
        ("SIP/2.0 486 Busy Here", ["status 486"]),
        ("status 486", ["status 486"]),
        ("Busy Here", ["status 486"]),
        ("183 Session Progress", ["status 183"]),
        ("Not Acceptable", ["status 406", "status 606"]),
        ("SIP;cause=200;text=\"Call completed elsewhere\"", ["status 200"]),
        ("Reason: SIP ;cause=486 ;text=\"Busy\"", ["status 486"]),
        ("17", ["cause 17"]),
        ("cause 17", ["cause 17"]),
        ("cause=17", ["cause 17"]),
        ("CAUSE: 017", ["cause 17"]),
        ("q850 17", ["cause 17"]),
        ("Q.850 17", ["cause 17"]),
        ("Q.850;cause=17", ["cause 17"]),
        ("Q.850 ;cause=16 ;text=\"Terminated\"", ["cause 16"]),
        ("Reason: Q.850;cause=16;text=\"486\"", ["cause 16"]),
        ("isdn 34", ["cause 34"]),
        ("user busy", ["cause 17"]),
        ("100", ["status 100", "cause 100"]),
        ("cause 100", ["cause 100"]),
        ("status 100", ["status 100"]),
        ("INVITE", ["method INVITE"]),
        ("invite", ["method INVITE"]),
        ("session-expires", ["header Session-Expires"]),
        ("Session-Expires:", ["header Session-Expires"]),
        ("session expires", ["header Session-Expires"]),
        ("i", ["header Call-ID"]),
        ("m", ["header Contact"]),
        ("X", ["header Session-Expires"]),
        ("v:", ["header Via"]),
        ("one-way-audio", ["finding one-way-audio"]),
        ("one way audio", ["finding one-way-audio"]),
        ("One_Way-Audio", ["finding one-way-audio"]),
        ("  one   way\taudio ", ["finding one-way-audio"]),
        ("max_jitter_ms", ["metric max_jitter_ms"]),
        ("max jitter ms", ["metric max_jitter_ms"]),
        ("one_way", ["metric one_way"]),
        ("one way", ["finding one-way-audio", "metric one_way"]),
        ("MOS", ["metric mos"]),
        ("mos", ["metric mos"]),
        ("jitter", ["metric jitter"]),
        ("R", ["header Refer-To", "metric r_factor"]),
        ("pdd", ["metric PDD"]),
        ("SRD failed p95", ["metric SRD"]),
        ("RRD mean", ["metric RRD"]),
        ("retransmissions", ["finding retransmissions", "metric retransmissions"]),
        ("Reason", ["header Reason", "metric reason"]),
        ("header reason", ["header Reason"]),
        ("metric: reason", ["metric reason"]),
        ("no answer", ["metric state"]),
        ("srtp", ["finding encrypted-media"]),
        ("T.38", ["finding t38-fax"]),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(thing: str, expected: list[str]) -> None:
    assert found(thing) == expected


def test_every_name_finds_itself_in_any_case_and_with_any_separator() -> None:
    chance = random.Random(7)
    for kind in KINDS:
        for name in names(kind):
            odd = "".join(chance.choice((each.upper(), each.lower())) for each in name)
            for thing in (name, odd, odd.replace("-", " "), odd.replace("_", "-"), f"{kind} {name}"):
                assert f"{kind} {name}" in found(thing), thing


def test_every_status_and_cause_is_found_by_number_and_by_phrase() -> None:
    for kind in ("status", "cause"):
        for number, phrase in titles(kind).items():
            assert f"{kind} {number}" in found(phrase)
            assert f"{kind} {number}" == found(f"{kind} {number} {phrase}")[0]
    for number in range(700):
        expected = [f"{kind} {number}" for kind in ("status", "cause") if str(number) in names(kind)]
        if expected:
            assert found(str(number)) == expected
        else:
            with pytest.raises(ValueError, match="nothing is explained"):
                explain(str(number))


def test_every_compact_form_of_a_header_is_known() -> None:
    for letter, name in COMPACT.items():
        assert f"header {name}" in found(letter)


@pytest.mark.parametrize(
    ("thing", "near"),
    [
        ("one-way-adio", "one-way-audio"),
        ("one-sided", "one-sided-capture"),
        ("jiter", "jitter"),
        ("INVIT", "INVITE"),
        ("audio", "one-way-audio"),
        ("Sesion-Expires", "Session-Expires"),
        ("usr busy", "cause 17"),
        ("busi here", "486"),
        ("499", "400"),
        ("60", "cause 58"),
    ],
)
def test_what_is_mistyped_is_named_nearly(thing: str, near: str) -> None:
    assert near in find_near(thing)
    with pytest.raises(ValueError, match="near it: ") as caught:
        explain(thing)
    assert near in str(caught.value)


def test_what_is_near_can_be_typed() -> None:
    for thing in ("one-way-adio", "jiter", "INVIT", "499", "13", "user bsy", "loss"):
        for near in find_near(thing):
            assert explain(near)


@pytest.mark.parametrize("thing", ["", "   ", "\x1b[31mred", "²", "header", "cause", "9" * 90, "x" * 100_000, "٤٨٦"])
def test_nonsense_is_refused_in_one_harmless_line(thing: str) -> None:
    with pytest.raises(ValueError, match="nothing is explained of") as caught:
        explain(thing)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_finds_something_or_is_refused(thing: str) -> None:
    try:
        assert explain(thing)
    except ValueError as error:
        assert "nothing is explained" in str(error)


def test_a_very_long_text_takes_no_longer() -> None:
    explain("486")
    for thing in ("a" * 5_000_000, "1" * 1_000_000, "cause " * 100_000, "q.850;" * 100_000, " " * 1_000_000 + "486"):
        begin = time.perf_counter()
        with contextlib.suppress(ValueError):
            explain(thing)
        assert time.perf_counter() - begin < 0.5


def test_only_the_standard_library_is_loaded() -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "from sipanalyzer.explanations.lookup import explain\n"
        "from sipanalyzer.output.explain_page import explain_lines, explain_data\n"
        "from sipanalyzer.output.terminal import write_lines\n"
        "write_lines(explain_lines(explain('high-loss')), sys.stdout, colour=False); explain_data(explain('100'))\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names\n"
        "sys.stderr.write(' '.join(sorted(new)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["sipanalyzer"]
