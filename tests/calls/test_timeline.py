"""The timeline of who listens where: each of its rules, with signals made by hand and RTP fed beside them."""

from __future__ import annotations

import numpy as np
import pytest

from sipanalyzer.calls.bindings import Binding, Signal
from sipanalyzer.calls.terms import describe
from sipanalyzer.calls.timeline import MediaTimeline
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_words
from sipanalyzer.options import Options
from sipanalyzer.rtp.figures import Socket
from sipanalyzer.sip.sdp import parse_sdp
from tests.tape import PCMA, sdp, section

S = 1_000_000_000
A, B, C, P = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"
TAGS = {A: 1, B: 2, C: 3}


def at(text: str) -> Socket:
    address, port = text.rsplit(":", 1)
    return (*address_words(address), int(port))


class Story:
    """A timeline that is told a story, and asked."""

    def __init__(self, **options: int) -> None:
        self.timeline = MediaTimeline(Options(**options))

    def say(
        self,
        time: float,
        src: str,
        dst: str,
        what: str | int,
        body: bytes | None = None,
        *,
        method: str = "INVITE",
        call: int = 0,
        tags: tuple[int, int] | None = None,
    ) -> Story:
        """A request (a method) or a response (a status); `tags` of From and To, -1 for none."""
        request = isinstance(what, str)
        if tags is None:
            tags = (TAGS[src], TAGS[dst]) if request else (TAGS[dst], TAGS[src])
        self.timeline.signal(
            Signal(
                round(time * S), call, request, 0 if isinstance(what, str) else what,
                what if isinstance(what, str) else method, *tags, at(f"{src}:5060"), at(f"{dst}:5060"),
                None if body is None else describe(parse_sdp(body), at(f"{src}:5060")).media,
            )
        )  # fmt: skip
        return self

    def plain(self, time: float = 0, call: int = 0) -> Story:
        """A offers its port 4000, B answers with 5000 two seconds later."""
        self.say(time, A, B, "INVITE", sdp(A, 4000), tags=(1, -1), call=call)
        return self.say(time + 2, B, A, 200, sdp(B, 5000), call=call)

    def rtp(self, time: float, src: str, dst: str, count: int = 50, first: int = 1000, payload_type: int = 8) -> Story:
        """RTP of 20 ms each."""
        rows = np.zeros((count, row.WIDTH), np.int64)
        (src_high, src_low, src_port), (dst_high, dst_low, dst_port) = at(src), at(dst)
        for k in range(count):
            rows[k, [row.TIME, row.FRAME, row.KIND]] = round(time * S) + k * S // 50, k + 1, row.RTP
            rows[k, [row.SRC_HI, row.SRC_LO, row.DST_HI, row.DST_LO]] = src_high, src_low, dst_high, dst_low
            rows[k, [row.PORTS, row.SSRC, row.SIZE, row.PT]] = src_port << 16 | dst_port, 7, 160, payload_type
            rows[k, [row.SEQ, row.STAMP]] = first + k, 160 * (first + k)
            rows[k, row.HASH] = src_port * 31 + dst_port
        self.timeline.streams.feed(rows, 0, count, 0)
        return self

    def bound(self, call: int = 0) -> list[tuple[str | None, int, float, float | None]]:
        """(side, port, since, until) of a call's bindings, in order of their making."""
        bindings = self.timeline.bindings().get(call, [])
        return [(b.side, b.socket[2], b.since / S, None if b.until is None else b.until / S) for b in bindings]

    def open(self, call: int = 0) -> list[Binding]:
        return [b for b in self.timeline.bindings().get(call, []) if b.until is None]

    def meaning(self, src: str, dst: str, payload_type: int) -> str | None:
        form = self.timeline.describe(at(src), at(dst), payload_type, 0)
        return None if form is None else form.name

    def packets(self) -> list[int]:
        return [f.packets for f in self.timeline.streams.finish()]


def test_offer_and_answer_bind_a_socket_each_until_the_bye() -> None:
    story = Story().plain()
    assert story.bound() == [("caller", 4000, 0, None), ("callee", 5000, 2, None)]
    story.say(9, B, A, "BYE")
    assert story.bound() == [("caller", 4000, 0, 9), ("callee", 5000, 2, 9)]


def test_an_offer_in_the_200_is_answered_in_the_ack() -> None:
    story = (
        Story().say(0, A, B, "INVITE", tags=(1, -1)).say(2, B, A, 200, sdp(B, 5000)).say(3, A, B, "ACK", sdp(A, 4000))
    )
    assert story.bound() == [("callee", 5000, 2, None), ("caller", 4000, 3, None)]


def test_a_183_a_prack_and_an_update_carry_descriptions_too() -> None:
    story = (
        Story().say(0, A, B, "INVITE", tags=(1, -1)).say(1, B, A, 183, sdp(B, 5000)).say(2, A, B, "PRACK", sdp(A, 4000))
    )
    story.say(3, B, A, 200).say(4, B, A, "UPDATE", sdp(B, 5002)).say(5, A, B, 200, sdp(A, 4002), method="UPDATE")
    assert story.bound() == [
        ("callee", 5000, 1, 5), ("caller", 4000, 2, 5), ("callee", 5002, 4, None), ("caller", 4002, 5, None),
    ]  # fmt: skip


def test_the_same_description_again_changes_nothing() -> None:
    story = Story().plain().say(2.5, B, A, 200, sdp(B, 5000))
    assert story.bound() == [("caller", 4000, 0, None), ("callee", 5000, 2, None)]


def test_a_call_that_was_up_before_has_no_sides() -> None:
    story = Story().say(0, A, B, "INVITE", sdp(A, 4000)).say(1, B, A, 200, sdp(B, 5000))
    assert story.bound() == [(None, 4000, 0, None), (None, 5000, 1, None)]


def test_forks_are_bound_beside_each_other() -> None:
    story = Story().say(0, A, P, "INVITE", sdp(A, 4000), tags=(1, -1))
    story.say(1, P, A, 183, sdp(B, 5000), tags=(1, 2)).say(2, P, A, 183, sdp(C, 6000), tags=(1, 3))
    assert story.bound() == [("caller", 4000, 0, None), ("callee", 5000, 1, None), ("callee", 6000, 2, None)]


def test_a_refused_fork_ends_its_own_binding_and_the_last_answer_all() -> None:
    story = Story().say(0, A, P, "INVITE", sdp(A, 4000), tags=(1, -1)).say(0.1, P, B, "INVITE", tags=(1, -1))
    story.say(1, B, P, 183, sdp(B, 5000), tags=(1, 2)).say(2, B, P, 486, tags=(1, 2))
    assert [until for *_, until in story.bound()] == [None, 2]
    story.say(3, P, A, 486, tags=(1, 2))
    assert [until for *_, until in story.bound()] == [3, 2]


def test_a_challenged_invite_is_bound_again() -> None:
    story = Story().say(0, A, B, "INVITE", sdp(A, 4000), tags=(1, -1)).say(1, B, A, 407)
    story.say(2, A, B, "INVITE", sdp(A, 4000), tags=(1, -1)).say(3, B, A, 200, sdp(B, 5000))
    assert story.bound() == [("caller", 4000, 0, 1), ("caller", 4000, 2, None), ("callee", 5000, 3, None)]


def test_a_reinvite_moves_a_socket_when_it_is_accepted() -> None:
    story = Story().plain().say(5, A, B, "INVITE", sdp(A, 4002))
    assert [b.socket[2] for b in story.open()] == [4000, 5000, 4002]  # packets to either may come
    story.say(6, B, A, 200, sdp(B, 5000))
    assert story.bound() == [("caller", 4000, 0, 6), ("callee", 5000, 2, None), ("caller", 4002, 5, None)]


@pytest.mark.parametrize("status", [401, 488, 491, 500])
def test_a_refused_reinvite_is_taken_back_whole(status: int) -> None:
    offer = sdp(A, 4002, ("0 PCMU/8000",), section(4004, ("96 VP8/90000",), media="video"), ptime=40)
    story = Story().plain().say(5, A, B, "INVITE", offer).say(6, B, A, status)
    assert story.bound() == [
        ("caller", 4000, 0, None), ("callee", 5000, 2, None), ("caller", 4002, 5, 6), ("caller", 4004, 5, 6),
    ]  # fmt: skip
    story.say(7, A, B, "INVITE", sdp(A, 4000, ("0 PCMU/8000",), ptime=30, lines=["sendonly"])).say(8, B, A, status)
    caller = story.open()[0]
    assert (caller.ptime_ms, caller.direction, sorted(caller.formats)) == (20, "sendrecv", [8, 101])


def test_an_offer_whose_answer_was_not_captured_holds_once_the_next_one_comes() -> None:
    story = Story().plain().say(5, A, B, "INVITE", sdp(A, 4002)).say(8, A, B, "INVITE", sdp(A, 4004))
    assert story.bound()[0] == ("caller", 4000, 0, 8)
    story.say(9, B, A, 200, sdp(B, 5000))
    assert [b.socket[2] for b in story.open()] == [5000, 4004]


def test_a_proxys_two_hops_are_bound_beside_each_other_and_refused_together() -> None:
    story = (
        Story().say(0, A, P, "INVITE", sdp(A, 4000), tags=(1, -1)).say(0.1, P, B, "INVITE", sdp(P, 7002), tags=(1, -1))
    )
    story.say(2, B, P, 200, sdp(B, 5000), tags=(1, 2)).say(2.1, P, A, 200, sdp(P, 7000), tags=(1, 2))
    assert [(side, port) for side, port, *_ in story.bound()] == [
        ("caller", 4000), ("caller", 7002), ("callee", 5000), ("callee", 7000),
    ]  # fmt: skip
    story.say(5, A, P, "INVITE", sdp(A, 4010), tags=(1, 2)).say(5.1, P, B, "INVITE", sdp(P, 7012), tags=(1, 2))
    story.say(6, B, P, 488, tags=(1, 2)).say(6.1, P, A, 488, tags=(1, 2))
    assert sorted(b.socket[2] for b in story.open()) == [4000, 5000, 7000, 7002]


def test_port_0_and_an_unspecified_address_end_a_binding() -> None:
    story = Story().plain().say(5, A, B, "INVITE", sdp(A, 0)).say(6, B, A, 200, sdp(B, 0))
    assert [until for *_, until in story.bound()] == [6, 6]
    story = Story().plain().say(5, A, B, "INVITE", sdp("0.0.0.0", 4000)).say(6, B, A, 200, sdp(B, 5000))
    assert [until for *_, until in story.bound()] == [6, None]
    story.say(8, A, B, "INVITE", sdp(A, 4000)).say(9, B, A, 200, sdp(B, 5000))
    assert story.bound()[-1] == ("caller", 4000, 8, None)


def test_media_that_become_fax_on_the_same_port_are_bound_anew() -> None:
    fax = section(4000, ("t38",), media="image", profile="udptl", ptime=None)
    body = sdp(A, 4000).split(b"m=audio")[0] + "\r\n".join([*fax, ""]).encode()
    story = Story().plain().say(5, A, B, "INVITE", body).say(6, B, A, 200, sdp(B, 5000))
    first, *_, last = story.timeline.bindings()[0]
    assert (first.kind, first.ptime_ms, first.until) == ("audio", 20, 6 * S)
    assert (last.kind, last.socket[2]) == ("image", 4000)


def test_every_candidate_and_every_media_section_is_bound() -> None:
    lines = [f"candidate:1 1 UDP 99 {C} 4600 typ host", f"candidate:1 2 UDP 98 {C} 4601 typ host"]  # 2 is RTCP
    video = section(4002, ("96 VP8/90000",), media="video")
    story = Story().say(0, A, B, "INVITE", sdp(A, 4000, PCMA, video, lines=lines), tags=(1, -1))
    assert [(b.kind, b.socket) for b in story.open()] == [
        ("audio", at(f"{A}:4000")), ("audio", at(f"{C}:4600")), ("video", at(f"{A}:4002")),
    ]  # fmt: skip


def test_a_host_name_listens_where_its_signalling_comes_from() -> None:
    story = Story().say(0, A, B, "INVITE", sdp("phone.example.org", 4000), tags=(1, -1))
    assert [b.socket for b in story.open()] == [at(f"{A}:4000")]


# ---- what payload types mean


def test_the_receivers_own_numbers_come_first_then_the_other_sides() -> None:
    story = Story().say(0, A, B, "INVITE", sdp(A, 4000, ("96 opus/48000/2", "97 AMR/8000")), tags=(1, -1))
    story.say(2, B, A, 200, sdp(B, 5000, ("97 opus/48000/2",)))
    assert story.meaning(f"{A}:4000", f"{B}:5000", 97) == "opus"
    assert story.meaning(f"{B}:5000", f"{A}:4000", 97) == "AMR"
    assert story.meaning(f"{A}:4000", f"{B}:5000", 96) == "opus"  # the sender's own number
    assert story.meaning(f"{A}:4000", "10.9.9.9:1", 96) == "opus"  # symmetric RTP from an announced socket
    assert story.meaning("10.9.9.9:1", f"{C}:9", 96) is None


def test_an_sdp_acts_from_its_own_message_on() -> None:
    story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000", 50, 1000)
    story.say(5, A, B, "INVITE", sdp(A, 4000, ("8 G722/8000",))).say(5.1, B, A, 200, sdp(B, 5000, ("8 G722/8000",)))
    story.rtp(6, f"{A}:4000", f"{B}:5000", 30, 1050)
    (figures,) = story.timeline.streams.finish()
    assert [(use.format.name, use.packets) for use in figures.uses] == [("PCMA", 50), ("G722", 30)]


# ---- sockets that pass from call to call


def test_the_next_call_at_a_socket_has_streams_of_its_own() -> None:
    story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000").say(5, A, B, "BYE").plain(6, call=1)
    assert story.rtp(9, f"{A}:4000", f"{B}:5000", 40, 1050).packets() == [50, 40]


def test_two_calls_that_share_a_socket_at_one_time_share_its_streams() -> None:
    story = (
        Story()
        .say(0, A, P, "INVITE", sdp(A, 4000), tags=(1, -1))
        .say(0.1, P, B, "INVITE", sdp(A, 4000), tags=(8, -1), call=1)
    )
    story.say(2, B, P, 200, sdp(B, 5000), tags=(8, 2), call=1).say(2.1, P, A, 200, sdp(B, 5000), tags=(1, 2))
    assert story.rtp(3, f"{A}:4000", f"{B}:5000").rtp(5, f"{A}:4000", f"{B}:5000", 50, 1050).packets() == [100]
    assert all(until is None for call in (0, 1) for *_, until in story.bound(call))


def test_a_call_without_bye_gives_its_socket_up_when_it_has_long_been_silent() -> None:
    for pause, parted in ((5.0, False), (12.0, True)):
        story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000")
        # another box signals the socket: not the device that had it, so only silence tells
        story.say(4 + pause, P, B, "INVITE", sdp(C, 6000), tags=(8, -1), call=1)
        story.say(4.1 + pause, P, C, 200, sdp(B, 5000), tags=(3, 9), call=1)
        story.rtp(6 + pause, f"{A}:4000", f"{B}:5000", 40, 1050)
        assert story.packets() == ([50, 40] if parted else [90])


def test_a_device_that_offers_its_socket_in_another_call_has_left_the_former_one() -> None:
    story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000").plain(5.5, call=1)
    assert story.bound() == [("caller", 4000, 0, None), ("callee", 5000, 2, 7.5)]  # RTP had come to the callee only
    assert story.rtp(8, f"{A}:4000", f"{B}:5000", 40, 1050).packets() == [50, 40]


def test_a_call_that_rings_keeps_its_socket_while_the_next_one_shares_it() -> None:
    story = (
        Story()
        .say(0, A, B, "INVITE", sdp(A, 4000), tags=(1, -1))
        .say(1, A, C, "INVITE", sdp(A, 4000), tags=(1, -1), call=1)
    )
    assert story.bound() == [("caller", 4000, 0, None)]
    story.say(200, A, C, "INVITE", sdp(A, 4000), tags=(1, -1), call=2)
    assert story.bound() == [("caller", 4000, 0, 200)]  # unanswered for three minutes


def test_ten_thousand_calls_at_one_socket_take_no_square_of_time() -> None:
    story = Story()
    for k in range(10_000):
        story.say(k / 1000, A, B, "INVITE", sdp(A, 4000), tags=(1, -1), call=k)
    assert len(story.timeline.bindings()) == 10_000


# ---- breaks


def jitter(story: Story) -> float | None:
    (figures,) = story.timeline.streams.finish()
    return figures.max_jitter_ms


def test_a_reinvite_lets_timing_begin_anew() -> None:
    story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000")
    story.say(5, A, B, "INVITE", sdp(A, 4000)).say(5.1, B, A, 200, sdp(B, 5000))
    assert jitter(story.rtp(9, f"{A}:4000", f"{B}:5000", 40, 1050)) == 0
    story = Story().plain().rtp(3, f"{A}:4000", f"{B}:5000").rtp(9, f"{A}:4000", f"{B}:5000", 40, 1050)
    assert (jitter(story) or 0) > 300
