"""Rows of telephone events, fingerprints, and a stream's first and last packet."""

from __future__ import annotations

from hypothesis import given, settings

from sipanalyzer.options import Options
from sipanalyzer.rtp.formats import Format
from tests.naive.rtp import Packet, judge
from tests.rtp.words import EVENTS, MS, PCMA, describe, figures, rows_of, steady, streams, table_of


def event(
    time_ms: int, seq: int, stamp: int, key: int, duration: int, end: bool = False, marker: bool = False
) -> Packet:
    return Packet(time_ms * MS, seq, stamp, marker, True, 4, key << 24 | end << 23 | 10 << 16 | duration)


def pressed(key: int, at_ms: int, seq: int, stamp: int) -> list[Packet]:
    """Five packets of a key, the last sent three times (RFC 4733 2.5.1.4)."""
    rows = [event(at_ms + 20 * k, seq + k, stamp, key, 160 * (k + 1), marker=k == 0) for k in range(5)]
    return rows + [event(at_ms + 100 + 20 * k, seq + 5 + k, stamp, key, 800, end=True) for k in range(3)]


def events_of(packets: list[Packet], options: Options | None = None, **words) -> list[list[int]]:
    table = table_of(rows_of(packets), options=options or Options(), **words)
    table.finish()
    return table.events().tolist()


def test_a_key_press_is_one_row_with_its_end_and_longest_duration() -> None:
    packets = steady(50) + pressed(5, 1000, 1050, 13_000)
    assert events_of(packets) == [[0, 1000 * MS, 13_000, 5, 800, 1, 1, 51, 1140 * MS]]


def test_two_presses_of_one_key_differ_by_their_timestamp() -> None:
    packets = steady(50) + pressed(1, 1000, 1050, 13_000) + pressed(1, 1200, 1058, 14_600)
    assert [row[2:5] for row in events_of(packets)] == [[13_000, 1, 800], [14_600, 1, 800]]


def test_a_press_whose_end_is_lost_is_a_row_without_end() -> None:
    assert [row[4:7] for row in events_of(steady(50) + pressed(1, 1000, 1050, 13_000)[1:4])] == [[640, 0, 0]]


def test_duplicates_and_comfort_noise_make_no_rows() -> None:
    doubled = [p for p in steady(50) + pressed(11, 1000, 1050, 13_000) for _ in range(2)]
    (row,) = events_of(doubled)
    assert (row[3], row[7]) == (11, 101)
    noise = Format("CN", 8000, "audio", from_sdp=True)
    assert events_of(doubled, describe=lambda *a: {8: PCMA, 101: noise}[a[2]]) == []


def test_what_cannot_be_read_makes_no_rows() -> None:
    packets = steady(50) + pressed(11, 1000, 1050, 13_000)
    secret = Format("telephone-event", 8000, "audio", encrypted=True, from_sdp=True)
    tone = Format("tone", 8000, "audio", from_sdp=True)
    for form in (secret, tone):
        assert events_of(packets, describe=lambda *a, form=form: {8: PCMA, 101: form}[a[2]]) == []
    for p in packets:
        p.size = 3
    assert events_of(packets) == []


def test_an_event_that_waited_for_the_next_packet_counts() -> None:
    packets = steady(50) + pressed(7, 1000, 30_000, 13_000)  # a restart in the sequence
    table = table_of(rows_of(packets))
    (f,) = table.finish()
    assert f.restarts == 1
    assert table.events().tolist() == [[0, 1000 * MS, 13_000, 7, 800, 1, 1, 51, 1140 * MS]]


def test_presses_that_no_sdp_explains_are_found_by_their_payload() -> None:
    packets = steady(50) + pressed(3, 1000, 1050, 13_000)
    found = events_of(packets, describe=lambda *a: None, announced=False)
    assert [row[3:7] for row in found] == [[3, 800, 1, 1]]


def test_a_sender_of_endless_events_fills_no_more_than_the_limit() -> None:
    packets = steady(2) + [event(20 * k, 1002 + k, k, k % 16, 160) for k in range(3000)]
    table = table_of(rows_of(packets), options=Options(max_digits=1500))
    table.finish()
    assert len(table.events()) == 1500
    assert table.missed() == {"rtp-event-limit": 1500}


def test_the_fingerprint_is_of_the_first_fifty_packets_of_media() -> None:
    packets = steady(80, first=65_530)
    for k, p in enumerate(packets):
        p.payload = 0xD5D5D500 + k
    packets[10:10] = [packets[9], packets[9]]  # copies
    f = figures([*packets[:30], event(580, 65_559, 9, 1, 160), *packets[33:]])
    assert f.fingerprint == tuple(0xD5D5D500 + k for k in [*range(28), *range(31, 53)])
    assert (f.first_sequence, f.first_stamp) == (65_530, 5000)
    assert (f.last_sequence, f.last_stamp) == ((65_530 + 79) % 65536, 5000 + 79 * 160)
    assert figures(steady(3)).fingerprint == (0, 0, 0)


def test_the_last_packet_is_the_last_in_sequence_and_of_media() -> None:
    packets = steady(100)
    packets[97:] = [packets[99], packets[98], packets[97]]
    packets += pressed(1, 3000, 1100, 7)
    f = figures(packets)
    assert (f.last_sequence, f.last_stamp) == (1099, 5000 + 99 * 160)
    f = figures(pressed(1, 3000, 1100, 7))
    assert (f.first_sequence, f.last_sequence, f.fingerprint) == (0, 0, ())


def test_a_clock_that_is_never_known_has_first_and_last_packets_too() -> None:
    packets = [Packet(k, 5 + k, 77 + k) for k in range(30)]
    packets[28:] = [packets[29], packets[28]]
    (f,) = table_of(rows_of(packets, payload_type=111), describe=lambda *a: None).finish()
    assert (f.clock_rate_hz, f.first_sequence, f.first_stamp, f.last_sequence, f.last_stamp) == (None, 5, 77, 34, 106)


@settings(max_examples=200)
@given(streams())
def test_events_and_holes_equal_their_obvious_version(packets: list[Packet]) -> None:
    table = table_of(rows_of(packets))
    (f,) = table.finish()
    truth = judge(packets, 8000, 160)
    assert [row[1:] for row in table.events().tolist()] == truth.events
    assert [tuple(row[1:]) for row in table.outages().tolist()] == truth.holes
    audio = truth.audio
    assert f.fingerprint == tuple(t.packet.payload for t in audio[:50])
    if audio:
        first = min(audio, key=lambda t: t.extended)
        last = max(reversed(audio), key=lambda t: t.extended)  # of those with one number the one that came last
        assert (f.first_sequence, f.first_stamp) == (first.extended % 65536, first.packet.stamp)
        assert (f.last_sequence, f.last_stamp) == (last.extended % 65536, last.packet.stamp)


def test_the_formats_of_these_tests_are_what_they_say() -> None:
    assert (EVENTS.kernel_role, EVENTS.role, describe(0, 0, 101, 0)) == (2, 2, EVENTS)
