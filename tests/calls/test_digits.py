"""Digits of calls: both methods, both directions, each press once."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.digits import find_digits
from sipanalyzer.facts import Digit
from sipanalyzer.result import Call, Endpoint, Stream
from sipanalyzer.rtp.dtmf import KeyPress
from tests.calls.scripts import PLAIN, built
from tests.calls.words import NS, seconds, table

TO_CALLEE, TO_CALLER = "caller-to-callee", "callee-to-caller"


def stream(src: str, dst: str, direction: str | None = TO_CALLEE, call_id: str | None = "c", **more: object) -> Stream:
    """A stream between hosts (`A` or `A:4000`)."""

    def end(text: str) -> Endpoint:
        host, _, port = text.partition(":")
        return host, int(port or 4000)

    words = {
        "ssrc": 1, "src": end(src), "dst": end(dst), "call_id": call_id, "also_call_ids": (), "direction": direction,
        "matched": "sdp", "media": "audio", "payload_types": (8, 101), "codec": "PCMA", "codecs": ("PCMA",),
        "clock_rate": 8000, "ptime_negotiated_ms": 20.0, "ssrc_changes": 0, "encrypted": False, "ptime_ms": 20.0,
        "dscp": None, "vlan": None, "start": 0, "end": NS, "packets": 9, "bytes": 9, "expected": 9, "lost": 0,
        "duplicates": 0, "out_of_order": 0, "restarts": 0, "mean_jitter_ms": 0.0, "max_jitter_ms": 0.0,
        "mean_delta_ms": 20.0, "max_delta_ms": 20.0, "max_skew_ms": 0.0, "clock_drift_ppm": 0.0, "capture": 0,
        "first_frame": 1, "last_frame": 9,
    } | more  # fmt: skip
    return Stream(**words)  # type: ignore[arg-type]


def press(at: float, key: str, index: int = 0, lasts: float = 0.1) -> KeyPress:
    return KeyPress(index, seconds(at), seconds(at + lasts), key, lasts * 1000, round(at * 100))


def dialled(
    events: list[KeyPress], streams: list[Stream], script: str = PLAIN, *, calls: list[Call] | None = None
) -> tuple[dict[str, tuple[Digit, ...]], dict[int, str]]:
    """Digits of the calls of a script, which have all the streams unless `calls` says otherwise."""
    if calls is None:
        calls = [dataclasses.replace(each, streams=tuple(range(len(streams)))) for each in built(script)]
    return find_digits(events, streams, table(script), calls)


def brief(digits: tuple[Digit, ...]) -> list[tuple[float, str, str, str | None]]:
    return [(digit.time / NS, digit.key, digit.method, digit.direction) for digit in digits]


# ---- telephone events
def test_events_of_both_directions_are_in_order_of_time() -> None:
    both = [stream("A", "B"), stream("B", "A", TO_CALLER)]
    digits, texts = dialled([press(5, "2"), press(4, "1"), press(4.5, "#", 1)], both)
    assert brief(digits["c"]) == [
        (4.0, "1", "rfc4733", TO_CALLEE), (4.5, "#", "rfc4733", TO_CALLER), (5.0, "2", "rfc4733", TO_CALLEE),
    ]  # fmt: skip
    assert digits["c"][0] == Digit(4 * NS, "1", 100.0, "rfc4733", TO_CALLEE, 0, 0, 400)
    assert texts == {0: "12", 1: "#"}


def test_a_stream_without_call_has_its_text_only_and_flash_is_one_character() -> None:
    digits, texts = dialled([press(4, "1"), press(5, "flash"), press(6, "A")], [stream("A", "B", None, None)], "")
    assert (digits, texts) == ({}, {0: "1!A"})


def test_encrypted_events_are_noise() -> None:
    assert dialled([press(4, "1")], [stream("A", "B", encrypted=True)]) == ({}, {})
    assert dialled([press(4, "1")], [stream("A", "B", encrypted=None)])[1] == {0: "1"}


def test_a_press_seen_at_several_hops_is_listed_once_and_the_earliest_counts() -> None:
    hops = [stream("P", "B"), stream("A", "P"), stream("P", "Q:1")]
    events = [press(at + delay, "1", hop) for at in (4.0, 4.4, 4.8) for hop, delay in ((0, 0.02), (1, 0), (2, 0.2))]
    digits, texts = dialled(events, hops)
    assert [(digit.time / NS, digit.stream) for digit in digits["c"]] == [(4.0, 1), (4.4, 1), (4.8, 1)]
    assert texts == {0: "111", 1: "111", 2: "111"}


def test_a_box_that_waits_for_the_end_of_a_press_tells_of_the_same_press() -> None:
    hops = [stream("A", "P"), stream("P", "B")]
    assert len(dialled([press(4, "1", 0, lasts=3), press(7.5, "1", 1)], hops)[0]["c"]) == 1
    assert len(dialled([press(4, "1", 0, lasts=3), press(9.1, "1", 1)], hops)[0]["c"]) == 2


def test_a_press_that_one_hop_lost_is_told_by_the_other() -> None:
    hops = [stream("A", "P"), stream("P", "B")]
    digits, _ = dialled([press(4, "1", 0), press(4.1, "1", 1), press(5, "2", 1), press(6, "3", 0)], hops)
    assert [digit.key for digit in digits["c"]] == ["1", "2", "3"]
    digits, _ = dialled([press(4, "1", 0), press(4.1, "1", 1), press(4.5, "1", 1)], hops)
    assert [digit.time for digit in digits["c"]] == [seconds(4), seconds(4.5)]


def test_another_ssrc_on_the_same_path_presses_for_itself() -> None:
    assert (
        len(dialled([press(4, "1", 0), press(4.5, "1", 1)], [stream("A", "B"), stream("A", "B", ssrc=2)])[0]["c"]) == 2
    )


@pytest.mark.parametrize(("directions", "count"), [((TO_CALLEE, TO_CALLER), 2), ((None, None), 2)])
def test_the_other_side_presses_for_itself(directions: tuple[str | None, ...], count: int) -> None:
    both = [stream("A", "B", directions[0]), stream("B", "A", directions[1])]
    assert len(dialled([press(4, "1", 0), press(4.1, "1", 1)], both)[0]["c"]) == count


def test_hops_of_a_call_without_direction_are_told_by_their_hosts() -> None:
    hops = [stream("A", "P", None), stream("P", "B", None)]
    assert len(dialled([press(4, "1", 0), press(4.1, "1", 1)], hops)[0]["c"]) == 1


def test_a_stream_of_two_calls_is_listed_in_both_with_its_direction_in_the_first() -> None:
    script = PLAIN + PLAIN.replace("from=x", "call=d from=x")
    one, other = (dataclasses.replace(each, streams=(0,)) for each in built(script))
    digits, _ = dialled([press(4, "1")], [stream("A", "B", also_call_ids=("d",))], script, calls=[one, other])
    assert {call_id: brief(found) for call_id, found in digits.items()} == {
        "c": [(4.0, "1", "rfc4733", TO_CALLEE)], "d": [(4.0, "1", "rfc4733", None)],
    }  # fmt: skip


# ---- INFO
RELAY, PLAIN_TYPE = "application/dtmf-relay", "application/dtmf"


def info(
    at: float, body: str, n: int = 5, *, kind: str = RELAY, ends: str = "A>B", tags: str = "from=x to=y",
    status: int = 200, more: str = "",
) -> str:  # fmt: skip
    back = ">".join(reversed(ends.split(">")))
    request = f"{at} {ends} INFO cseq={n} {tags} branch=i{n}{ends}{more} type={kind}||{body}\n"
    return request + (f"{at + 0.01} {back} {status} R cseq={n},INFO {tags} branch=i{n}{ends}{more}\n" if status else "")


def keys(script: str) -> list[tuple[str, float | None]]:
    digits, texts = dialled([], [], script)
    assert texts == {}
    return [(digit.key, digit.duration_ms) for digit in digits.get("c", ())]


@pytest.mark.parametrize(
    ("kind", "body", "wanted"),
    [
        (RELAY, "Signal=5\\nDuration=160\\n", [("5", 160.0)]),
        (RELAY, "Signal= *\\nDuration= 250", [("*", 250.0)]),
        (RELAY, "signal = #", [("#", None)]),
        (RELAY, "Duration=0\\nSignal=d", [("D", None)]),
        (RELAY, "Signal=10", [("*", None)]),
        (RELAY, "Signal=11", [("#", None)]),
        (RELAY, "Signal=16", [("flash", None)]),
        (RELAY, "Signal=!", [("flash", None)]),
        (RELAY, "Signal=hf", [("flash", None)]),
        (f"{RELAY};charset=utf-8", "Signal=1", [("1", None)]),
        ("Application/DTMF", "7", [("7", None)]),
        (PLAIN_TYPE, "7\\n", [("7", None)]),
        (PLAIN_TYPE, "4711", [("4", None), ("7", None), ("1", None), ("1", None)]),
        (PLAIN_TYPE, "Signal=3\\nDuration=100", [("3", 100.0)]),
        (RELAY, "Signal=x", []),
        (RELAY, "Signal=17", [("1", None), ("7", None)]),
        (PLAIN_TYPE, "1" * 33, []),
        ("application/media_control+xml", "Signal=1", []),
    ],
)
def test_what_an_info_says(kind: str, body: str, wanted: list[tuple[str, float | None]]) -> None:
    assert keys(PLAIN + info(5, body, kind=kind)) == wanted


def test_directions_of_info_are_told_by_tags() -> None:
    back = info(6, "Signal=2", 9, ends="B>A", tags="from=y to=x")
    digits, _ = dialled([], [], PLAIN + info(5, "Signal=1") + back + info(7, "Signal=3", 6, tags="from=q to=r"))
    assert brief(digits["c"]) == [
        (5.0, "1", "info", TO_CALLEE), (6.0, "2", "info", TO_CALLER), (7.0, "3", "info", None),
    ]  # fmt: skip
    assert digits["c"][0].stream is None


def test_an_info_sent_again_or_seen_at_another_hop_is_one_press() -> None:
    again = info(5, "Signal=1", status=0) + info(5.5, "Signal=1")
    assert len(keys(PLAIN + again)) == 1
    assert len(keys(PLAIN + info(5, "Signal=1", ends="A>P") + info(5.1, "Signal=1", ends="P>B"))) == 1
    assert len(keys(PLAIN + info(5, "Signal=1") + info(5.5, "Signal=1", 6))) == 2


def test_an_info_that_was_challenged_and_sent_again_is_one_press() -> None:
    script = PLAIN + info(5, "Signal=1", status=407) + info(5.1, "Signal=1", 6)
    digits, _ = dialled([], [], script)
    assert brief(digits["c"]) == [(5.0, "1", "info", TO_CALLEE)]
    assert len(keys(script + info(5.5, "Signal=1", 7))) == 2


def test_a_partial_call_has_digits_without_direction() -> None:
    (call,) = built(info(5, "Signal=1"))
    digits, _ = dialled([], [], info(5, "Signal=1"), calls=[call])
    assert call.partial and brief(digits["c"]) == [(5.0, "1", "info", None)]


def test_both_methods_are_in_one_list() -> None:
    digits, texts = dialled([press(4, "1"), press(6, "3")], [stream("A", "B")], PLAIN + info(5, "Signal=2"))
    assert [(digit.key, digit.method) for digit in digits["c"]] == [("1", "rfc4733"), ("2", "info"), ("3", "rfc4733")]
    assert texts == {0: "13"}


def test_nothing_dialled_gives_nothing() -> None:
    assert dialled([], [stream("A", "B")]) == ({}, {})
    assert dialled([], [], "") == ({}, {})


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("12")), max_size=12, unique=True),
    st.integers(1, 3),
    st.floats(0, 0.3),
)
def test_hops_never_change_how_much_was_dialled(pressed: list[tuple[int, str]], hops: int, delay: float) -> None:
    path = [stream(f"H{n}", f"H{n + 1}") for n in range(hops)]
    events = [press(at * 0.25 + delay * hop, key, hop) for at, key in pressed for hop in range(hops)]
    found, texts = dialled(events, path)
    digits = found.get("c", ())
    assert sorted((digit.time, digit.key) for digit in digits) == sorted(
        (seconds(at * 0.25), key) for at, key in pressed
    )
    assert {len(text) for text in texts.values()} == ({len(pressed)} if pressed else set())
