"""Streams tied to calls: each rule of `matched`, with figures and bindings made by hand."""

from __future__ import annotations

import dataclasses

from sipanalyzer.calls.bindings import Binding
from sipanalyzer.calls.media import match_streams
from sipanalyzer.network.endpoints import address_words
from sipanalyzer.result import Call, Stream
from sipanalyzer.rtp.figures import Figures
from sipanalyzer.rtp.formats import Format, Use

S = 1_000_000_000
PCMA = Format("PCMA", 8000, "audio", from_sdp=True)
EVENT = Format("telephone-event", 8000, "audio", from_sdp=True)


def socket(text: str) -> tuple[int, int, int]:
    address, port = text.rsplit(":", 1)
    return (*address_words(address), int(port))


def use(form: Format, payload_type: int = 8, since: float = 0, packets: int = 100) -> Use:
    return Use(payload_type, form, int(since * S), packets)


def figure(src: str, dst: str, start: float, end: float, ssrc: int = 1, index: int = 0, **more) -> Figures:
    base = {
        "index": index, "ssrc": ssrc, "src": socket(src), "dst": socket(dst), "uses": (use(PCMA),),
        "clock_rate_hz": 8000, "ptime_ms": 20.0, "dscp": 46, "vlan": None,
        "start": int(start * S), "end": int(end * S), "packets": 100, "bytes": 16000, "expected": 100, "lost": 0,
        "duplicates": 0, "out_of_order": 0, "restarts": 0, "mean_jitter_ms": 1.0, "max_jitter_ms": 2.0,
        "mean_delta_ms": 20.0, "max_delta_ms": 20.0, "max_skew_ms": 0.0, "clock_drift_ppm": None, "capture": 0,
        "first_frame": 1 + index, "last_frame": 1000, "strays": 0, "reused": 0, "anomalies": (),
    }  # fmt: skip
    return Figures(**{**base, **more})


def binding(
    side: str, at: str, since: float, until: float | None = None, signalling: str = "192.0.2.1:5060", **more
) -> Binding:
    base = {
        "call_id": 0, "side": side, "party": 1 if side == "caller" else 2, "media_index": 0, "kind": "audio",
        "socket": socket(at), "signalling": socket(signalling), "since": int(since * S),
        "until": None if until is None else int(until * S), "formats": {8: PCMA, 101: EVENT}, "ptime_ms": 20.0,
        "direction": "sendrecv", "encrypted": False,
    }  # fmt: skip
    return Binding(**{**base, **more})


def call(call_id: str = "a", start: float = 0, answered: float | None = 2, **more) -> Call:
    base = {field.name: None for field in dataclasses.fields(Call)}
    base |= {
        "call_id": call_id, "state": "completed", "start": int(start * S), "first_time": int(start * S),
        "answered": None if answered is None else int(answered * S), "last_time": int(start + 60) * S, "partial": False,
        "codecs_offered": ("PCMA", "PCMU"), "codecs_answered": ("PCMA",), "dtmf_info": False, "streams": (),
        "codecs": (), "rows": (),
    }  # fmt: skip
    return Call(**{**base, **more})


def both(
    *figures: Figures, bindings: list[Binding], calls: list[Call] | None = None
) -> tuple[list[Stream], list[Call]]:
    return match_streams(figures, {"a": bindings}, calls or [call()])[:2]


PLAIN = [
    binding("caller", "10.0.0.1:4000", 0, 60, "10.0.0.1:5060"),
    binding("callee", "10.0.0.2:5000", 2, 60, "10.0.0.2:5060"),
]


def test_address_and_port_of_sdp_tie_both_directions() -> None:
    streams, (done,) = both(
        figure("10.0.0.1:4000", "10.0.0.2:5000", 2.1, 60),
        figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 60, ssrc=2, index=1),
        bindings=PLAIN,
    )
    assert [(s.matched, s.direction, s.call_id) for s in streams] == [
        ("sdp", "callee-to-caller", "a"),
        ("sdp", "caller-to-callee", "a"),
    ]
    assert (done.streams, done.packets, done.one_way, done.codecs) == ((0, 1), 200, False, ("PCMA",))
    assert done.media_latency_ns == 0


def test_early_media_has_a_negative_latency() -> None:
    _, (done,) = both(figure("10.0.0.2:5000", "10.0.0.1:4000", 1.5, 60), bindings=PLAIN)
    assert done.media_latency_ns == -S // 2


def test_media_one_way_is_said_where_both_wanted_it() -> None:
    one = figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 60)
    assert both(one, bindings=PLAIN)[1][0].one_way is True
    held = [PLAIN[0], dataclasses.replace(PLAIN[1], direction="sendonly")]
    assert both(one, bindings=held)[1][0].one_way is None
    assert both(one, bindings=PLAIN, calls=[call(answered=None)])[1][0].one_way is None
    assert both(bindings=PLAIN)[1][0].one_way is None


def test_symmetric_rtp_to_an_address_that_no_sdp_has_is_tied_by_its_source() -> None:
    (stream,), _ = both(figure("10.0.0.2:5000", "203.0.113.9:61000", 2, 60), bindings=PLAIN)
    assert (stream.matched, stream.direction) == ("nat", "callee-to-caller")


def test_a_stream_opposite_to_a_tied_one_belongs_to_the_same_call() -> None:
    streams, _ = both(
        figure("203.0.113.9:61000", "10.0.0.2:5000", 2, 60),
        figure("10.0.0.2:5999", "203.0.113.9:61000", 2, 60, index=1),
        figure("10.0.0.2:5000", "203.0.113.9:61000", 2, 60, index=2, ssrc=5),
        bindings=PLAIN,
    )
    assert [(s.matched, s.direction) for s in streams] == [
        ("sdp", "caller-to-callee"),
        ("rtp-only", None),
        ("nat", "callee-to-caller"),
    ]


def test_the_announced_port_at_the_signalling_address_is_a_private_address_behind_nat() -> None:
    bindings = [binding("caller", "192.168.1.5:4000", 0, 60, "203.0.113.9:5060"), PLAIN[1]]
    streams, _ = both(
        figure("198.51.100.7:7000", "203.0.113.9:4000", 2, 60),
        figure("203.0.113.9:4000", "198.51.100.7:7002", 2, 60, index=1),
        bindings=bindings,
    )
    assert [(s.matched, s.direction) for s in streams] == [("nat", "callee-to-caller"), ("nat", "caller-to-callee")]


def test_a_socket_used_again_by_a_later_call_is_that_call_s() -> None:
    first = [binding("caller", "10.0.0.1:4000", 0, 60)]
    second = [binding("caller", "10.0.0.1:4000", 100, 160)]
    figures = [
        figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 60),
        figure("10.0.0.2:5000", "10.0.0.1:4000", 102, 160, index=1),
    ]
    streams, calls, _ = match_streams(figures, {"a": first, "b": second}, [call("a"), call("b", 100, 102)])
    assert [(s.call_id, s.also_call_ids) for s in streams] == [("a", ()), ("b", ())]
    assert [c.packets for c in calls] == [100, 100]


def test_direct_media_belongs_to_both_legs_and_names_the_earlier() -> None:
    first, second = [binding("caller", "10.0.0.1:4000", 0, 60)], [binding("caller", "10.0.0.1:4000", 1, 60)]
    (stream,), calls, _ = match_streams(
        [figure("10.0.0.2:5000", "10.0.0.1:4000", 3, 60)], {"b": second, "a": first}, [call("a"), call("b", 1, 3)]
    )
    assert (stream.call_id, stream.also_call_ids) == ("a", ("b",))
    assert [c.packets for c in calls] == [100, 100]


def test_rtp_before_its_sdp_is_tied_afterwards() -> None:
    streams, _ = both(figure("10.0.0.1:4000", "10.0.0.2:5000", 1.0, 1.5), bindings=PLAIN)
    assert streams[0].matched == "sdp"


def test_media_long_after_the_call_is_not_its() -> None:
    streams, _ = both(figure("10.0.0.1:4000", "10.0.0.2:5000", 90, 100), bindings=PLAIN)
    assert (streams[0].matched, streams[0].call_id) == ("rtp-only", None)


def test_the_worst_hop_of_each_direction_counts() -> None:
    bindings = [
        binding("callee", "10.0.0.9:6000", 1, 60),
        binding("callee", "10.0.0.2:5000", 2, 60),
    ]
    _, (done,) = both(
        figure("10.0.0.1:4000", "10.0.0.9:6000", 2, 60, lost=0, expected=100),
        figure("10.0.0.9:6001", "10.0.0.2:5000", 2, 60, lost=5, expected=100, packets=95, index=1),
        bindings=bindings,
    )
    assert (done.packets, done.lost, done.expected) == (95, 5, 100)


def test_a_stream_that_only_touches_the_next_calls_time_is_not_its() -> None:
    first = [binding("caller", "10.0.0.1:4000", 0, 60)]
    second = [binding("caller", "10.0.0.1:4000", 59.5, 100)]  # shares the socket for half a second
    third = [binding("caller", "10.0.0.1:4000", 61, 100)]
    one = figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 61.5)
    many = [call("a"), call("b", 59.5), call("c", 61)]
    (stream,), *_ = match_streams([one], {"a": first, "b": second, "c": third}, many)
    assert (stream.call_id, stream.also_call_ids) == ("a", ("b",))


def test_of_calls_at_one_socket_those_whose_other_end_fits_too_have_the_stream() -> None:
    near, far = binding("caller", "10.0.0.1:4000", 0), binding("callee", "10.0.0.3:6000", 2)
    other = binding("caller", "10.0.0.1:4000", 1)
    (stream,), *_ = match_streams(
        [figure("10.0.0.3:6000", "10.0.0.1:4000", 3, 9)], {"a": [other], "b": [near, far]}, [call("a"), call("b", 1)]
    )
    assert (stream.call_id, stream.also_call_ids) == ("b", ())


def test_addresses_alone_tie_only_within_one_answered_call_that_lacks_the_direction() -> None:
    private = [
        binding("caller", "192.168.1.5:4000", 0, 60, "203.0.113.9:5060"),
        binding("callee", "192.168.7.7:5000", 2, 60, "198.51.100.7:5060"),
    ]
    there = figure("203.0.113.9:62000", "198.51.100.7:61000", 2, 60)
    assert both(there, bindings=private)[0][0].direction == "caller-to-callee"
    assert both(there, bindings=private, calls=[call(answered=None)])[0][0].matched == "rtp-only"
    assert both(figure("203.0.113.9:62000", "198.51.100.7:61000", 2, 90), bindings=private)[0][0].matched == "rtp-only"
    same = [[dataclasses.replace(b) for b in private] for _ in "ab"]
    (stream,), *_ = match_streams([there], {"a": same[0], "b": same[1]}, [call("a"), call("b", 1)])
    assert stream.matched == "rtp-only"  # it fits two calls
    known = figure("10.9.9.9:1", "192.168.7.7:5000", 2, 60, ssrc=9, index=1)
    assert [s.matched for s in both(there, known, bindings=private)[0]] == ["rtp-only", "sdp"]


def test_streams_to_and_fro_are_no_hops_of_each_other() -> None:
    bindings = [binding("caller", "10.0.0.1:4000", 0), binding("callee", "10.0.0.2:5000", 2)]
    for each in bindings:
        each.side = None  # the call was up before the capture
    _, (done,) = both(
        figure("10.0.0.1:4000", "10.0.0.2:5000", 2, 60, ssrc=5),
        figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 60, ssrc=5, index=1),
        bindings=bindings,
        calls=[call(partial=True)],
    )
    assert done.packets == 200


def test_a_medium_that_moves_to_another_port_is_not_two_hops() -> None:
    bindings = [binding("callee", "10.0.0.2:5000", 0), binding("callee", "10.0.0.2:5500", 5)]
    _, (done,) = both(
        figure("10.0.0.1:4000", "10.0.0.2:5000", 2, 5.1),
        figure("10.0.0.1:4000", "10.0.0.2:5500", 5, 9, index=1),
        bindings=bindings,
    )
    assert done.packets == 200


def test_ten_thousand_streams_of_one_call_take_no_square_of_time() -> None:
    streams, (done,) = both(
        *(figure("10.0.0.2:5000", "10.0.0.1:4000", 2, 60, ssrc=k, index=k) for k in range(10_000)), bindings=PLAIN
    )
    assert (len(streams), done.packets) == (10_000, 1_000_000)


def test_ssrc_changes_are_counted_within_a_direction() -> None:
    streams, _ = both(
        *(figure("10.0.0.2:5000", "10.0.0.1:4000", 2 + k, 3 + k, ssrc=10 + k, index=k) for k in range(3)),
        bindings=PLAIN,
    )
    assert [s.ssrc_changes for s in streams] == [0, 1, 2]


def test_a_format_without_a_name_gets_the_one_of_the_calls_sdp() -> None:
    unnamed = Format(None, 8000, "audio")
    streams, (done,) = both(
        figure("203.0.113.9:4000", "198.51.100.7:7000", 2, 60, uses=(use(unnamed),)),
        bindings=[binding("caller", "192.168.1.5:4000", 0, 60, "203.0.113.9:5060")],
    )
    assert (streams[0].codec, done.codecs) == ("PCMA", ("PCMA",))


def test_digits_in_the_stream_are_the_calls_dtmf_method() -> None:
    _, (done,) = both(
        figure(
            "10.0.0.1:4000",
            "10.0.0.2:5000",
            2,
            60,
            uses=(use(PCMA, packets=90), use(EVENT, 101, packets=10)),
        ),
        bindings=PLAIN,
    )
    assert (done.dtmf_method, done.codecs) == ("rfc4733", ("PCMA",))


def test_streams_stand_in_order_of_start_then_frame() -> None:
    streams, _ = both(
        figure("10.0.0.1:1", "10.0.0.2:2", 5, 6, index=0),
        figure("10.0.0.1:3", "10.0.0.2:4", 1, 6, index=2),
        figure("10.0.0.1:5", "10.0.0.2:6", 1, 6, index=1),
        bindings=PLAIN,
    )
    assert [s.src[1] for s in streams] == [5, 3, 1]
