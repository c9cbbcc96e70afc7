"""Which stream a report is about: SSRC, both addresses, ports and time."""

from __future__ import annotations

import time

from sipanalyzer.calls.reported_streams import StreamFinder
from sipanalyzer.options import Options
from sipanalyzer.result import Stream
from tests.output.results import make_stream

S = 1_000_000_000
A, B, P = "10.0.0.1", "10.0.0.2", "10.0.0.9"


def stream(ssrc: int, src: str, sport: int, dst: str, dport: int, start: int = 0, end: int = 10) -> Stream:
    return make_stream(ssrc=ssrc, src=(src, sport), dst=(dst, dport), start=start * S, end=end * S)


def finder_of(streams: list[Stream]) -> StreamFinder:
    hosts = {end[0] for each in streams for end in (each.src, each.dst)}
    return StreamFinder(streams, Options(), {each.ssrc for each in streams}, hosts)


def find(streams: list[Stream], ssrc: int, src: tuple[str, int], dst: tuple[str, int], at: float = 5) -> int | None:
    found = finder_of(streams).reported(ssrc, src, dst, round(at * S))
    return None if found is None else found[0]


def test_the_receiver_reports_from_the_next_port_or_the_same_or_any():
    streams = [stream(7, A, 4000, B, 5000)]
    for ports in ((5001, 4001), (5000, 4000), (6200, 6300)):
        assert find(streams, 7, (B, ports[0]), (A, ports[1])) == 0


def test_an_ssrc_alone_proves_nothing():
    streams = [stream(7, A, 4000, B, 5000)]
    assert find(streams, 8, (B, 5001), (A, 4001)) is None
    assert find(streams, 7, (P, 5001), ("10.0.0.8", 4001)) is None
    assert find(streams, 7, (A, 4001), (B, 5001)) is None  # what its own sender says of that SSRC is something else


def test_behind_nat_one_address_may_differ_if_the_other_socket_fits():
    streams = [stream(7, A, 4000, B, 5000)]
    assert find(streams, 7, ("198.51.100.7", 31007), (A, 4001)) == 0
    assert find(streams, 7, (B, 5001), ("198.51.100.7", 4321)) == 0
    assert find(streams, 7, ("198.51.100.7", 31007), (A, 9999)) is None
    assert find(streams, 7, (B, 9999), ("198.51.100.7", 4321)) is None


def test_of_hops_with_one_ssrc_the_one_counts_that_the_report_goes_back_over():
    streams = [stream(7, A, 4000, P, 6000), stream(7, P, 6002, B, 5000)]
    assert find(streams, 7, (P, 6001), (A, 4001)) == 0
    assert find(streams, 7, (B, 5001), (P, 6003)) == 1


def test_on_one_host_ports_tell_the_directions_apart():
    streams = [stream(7, A, 4000, A, 5000), stream(7, A, 5000, A, 4000)]
    assert find(streams, 7, (A, 5001), (A, 4001)) == 0
    assert find(streams, 7, (A, 4001), (A, 5001)) == 1


def test_time_must_fit():
    streams = [stream(7, A, 4000, B, 5000, 10, 20), stream(7, A, 4000, B, 5000, 200, 210)]
    for at, which in ((9, None), (10, 0), (79, 0), (81, None), (199, None), (200, 1), (205, 1)):
        assert find(streams, 7, (B, 5001), (A, 4001), at) == which


def test_a_reused_socket_gives_the_latest_stream():
    streams = [stream(7, A, 4000, B, 5000, 10, 20), stream(7, A, 4000, B, 5000, 30, 40)]
    assert find(streams, 7, (B, 5001), (A, 4001), 29) == 0
    assert find(streams, 7, (B, 5001), (A, 4001), 31) == 1


def test_what_lies_between_the_same_sockets_is_found_without_an_ssrc():
    streams = [stream(7, A, 4000, B, 5000, 10, 20), stream(8, B, 5000, A, 4000, 100, 120)]
    finder = finder_of(streams)
    for at, which in ((9, 0), (15, 0), (50, 0), (70, 1), (99, 1), (110, 1), (181, None)):
        assert finder.between((A, 4001), (B, 5001), at * S) == which
        assert finder.between((B, 5000), (A, 4000), at * S) == which
    assert finder.between((A, 4002), (B, 5000), 15 * S) is None


def test_only_what_will_be_asked_for_is_kept():
    streams = [stream(7, A, 4000, B, 5000), stream(8, A, 4002, B, 5002), stream(7, P, 1, "10.0.0.8", 2)]
    finder = StreamFinder(streams, Options(), {7}, {A, B})
    assert finder.reported(7, (B, 5001), (A, 4001), 5 * S) is not None
    assert finder.reported(8, (B, 5003), (A, 4003), 5 * S) is None
    assert finder.between((A, 4003), (B, 5003), 5 * S) == 1
    assert finder.between((P, 1), ("10.0.0.8", 2), 5 * S) is None


def test_ten_thousand_streams_of_one_ssrc_cost_no_more_than_a_few():
    streams = [stream(0, A, 4000, B, 5000 + 2 * (k % 20_000), 0, 10_000) for k in range(10_000)]
    finder = finder_of(streams)
    begin = time.process_time()
    for k in range(2_000):
        finder.reported(0, (B, 5001 + 2 * k), (A, 4001), 5 * S)
    assert time.process_time() - begin < 2
