"""Whole charts of samples in words, and what holds of all charts."""

from __future__ import annotations

import io
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.output.flow.chart import make_chart
from sipanalyzer.output.flow.model import Fold, Message
from sipanalyzer.output.flow.text import draw_text
from tests.builders import ETHERNET, pcap_bytes
from tests.output.flow.told import chart_of, check, people, told
from tests.output.results import make_call, make_result
from tests.tape import A, B, Tape, sdp


def sample(samples: pathlib.Path, name: str) -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(samples / name)


def test_a_plain_call_in_words(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "plain.pcap"))
    assert chart.title == "alice to bob, completed"
    assert people(chart) == [("192.0.2.10", "alice", "caller"), ("198.51.100.20", "bob", "callee")]
    assert [person.detail for person in chart.participants] == ["Acme Phone 4.2", "Bell Phone 7"]
    rows = told(chart)
    assert rows[:5] == [
        "alice>bob INVITE: sip:bob@198.51.100.20; SDP offer PCMA at 192.0.2.10:40000, ptime 20",
        "bob>alice 100 Trying",
        "bob>alice 180 Ringing",
        "bob>alice 200 OK: (INVITE); SDP answer PCMA at 198.51.100.20:50000, ptime 20",
        "alice>bob ACK",
    ]
    assert [row.partition(", jitter")[0] for row in rows[5:7]] == [
        "alice>bob RTP PCMA: 8.0 s, 400 packets, none lost",
        "bob>alice RTP PCMA: 8.0 s, 400 packets, none lost",
    ]
    assert rows[7:] == ["bob>alice BYE", "alice>bob 200 OK: (BYE)"]
    messages = [row for row in chart.rows if isinstance(row, Message)]
    assert [row.offset // 1_000_000 for row in messages] == [0, 20, 300, 2000, 2040, 10100, 10130]
    assert [None if row.gap is None else row.gap // 1_000_000 for row in messages] == [
        None, 20, 280, 1700, 40, 8060, 30,
    ]  # fmt: skip
    assert [row.kind for row in messages] == [
        "invite", "provisional", "provisional", "success", "request", "ending", "success",
    ]  # fmt: skip
    assert messages[0].ports == (5060, 5060) and messages[0].transport == "UDP" and messages[0].cseq == 1


def test_a_fold_has_the_severity_of_what_is_folded(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "timeout.pcap"))
    assert [row.severity for row in chart.rows if isinstance(row, Fold)] == ["error"]
    lines = ["".join(text for text, _ in line) for line in draw_text(chart)]
    assert [" ! " in line for line in lines if "times more" in line] == [True]
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at in range(9):
        tape.request(5 + at, A, B, "OPTIONS", cseq=10 + at)
        tape.reply(5.1 + at, B, A, 200, method="OPTIONS", cseq=10 + at)
    assert [row.severity for row in chart_of(tape.analyze()).rows if isinstance(row, Fold)] == [None]


def test_an_announcement_is_early_media_and_its_keys_stand_on_the_page(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "announcement.pcap"))
    rows = told(chart)
    assert any("early media, 1.8 s before the answer" in row for row in rows)
    assert "59333141>017821589701 keys 8001# by rfc4733" in rows
    assert "59333141>017821589701 BYE: Q.850 16 NORMAL_CLEARING" in rows


def test_a_proxy_stands_between_and_both_hops_are_drawn_in_order(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "proxy_hops.pcap"))
    assert people(chart) == [
        ("192.0.2.10", "alice", "caller"), ("203.0.113.5", "proxy", "between"), ("198.51.100.20", "bob", "callee"),
    ]  # fmt: skip
    ways = [(row.source, row.target) for row in chart.rows if isinstance(row, Message) and row.label == "INVITE"]
    assert ways == [(0, 1), (1, 2)]
    assert sum(row.startswith(("alice>bob RTP", "bob>alice RTP")) for row in told(chart)) == 2


def test_a_session_is_one_page_with_the_pbx_in_the_middle(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "two_legs.pcap"), None)
    assert people(chart) == [
        ("192.0.2.10", "alice", "caller"), ("203.0.113.40", "Middle PBX 12", "between"),
        ("198.51.100.20", "bob", "callee"),
    ]  # fmt: skip
    assert chart.participants[1].detail == "B2BUA"
    assert chart.title == "alice to bob, completed, 2 legs"
    assert [leg.title for leg in chart.legs] == [
        "alice to bob, 192.0.2.10 to 203.0.113.40, completed",
        "alice to bob, 203.0.113.40 to 198.51.100.20, completed",
    ]
    assert {row.leg for row in chart.rows if isinstance(row, Message)} == {0, 1}
    assert "Middle PBX 12>alice 180 Ringing: (INVITE)" in told(chart)  # the row before it is of the other leg


def test_a_transfer_is_one_page_of_three_people(samples: pathlib.Path) -> None:
    chart = chart_of(sample(samples, "transfer.pcap"), None)
    assert people(chart) == [
        ("192.0.2.10", "alice", "caller"), ("198.51.100.20", "bob", "callee"), ("198.51.100.60", "carol", "callee"),
    ]  # fmt: skip
    rows = told(chart)
    assert "alice>bob REFER: refer to sip:carol@198.51.100.60; in place of another call" in rows
    assert "bob>alice NOTIFY: refer, 100 Trying, active" in rows
    assert "bob>alice NOTIFY: refer, 200 OK, terminated" in rows
    assert any(row.startswith("bob>carol INVITE: sip:carol@198.51.100.60; replaces call transfer-2@") for row in rows)
    assert any(row.startswith("[alice-bob] The caller transferred the call to") for row in rows)


def test_nobody_answers_and_the_six_retransmissions_are_one_row(samples: pathlib.Path) -> None:
    rows = told(chart_of(sample(samples, "timeout.pcap")))
    assert rows[1:] == [
        "alice>carol ... INVITE 6 times more in 31.5 s (retransmissions)",
        "[alice-carol] INVITE from 192.0.2.10:5060 to 198.51.100.99:5060 was sent 7 times in 31.5 s and drew no "
        "response.",
    ]
    whole = told(chart_of(sample(samples, "timeout.pcap"), fold=False))
    assert sum("INVITE (again)" in row for row in whole) == 6


def test_findings_mark_their_messages(samples: pathlib.Path) -> None:
    analysis = sample(samples, "refused.pcap")
    chart = chart_of(analysis, 2)
    refused = next(row for row in chart.rows if isinstance(row, Message) and row.status == 503)
    assert (refused.severity, refused.detail, refused.kind) == ("error", "retry after 30 s", "failure")
    assert told(chart)[3] == "[alice-bob] The call of alice to bob failed with 503 Service Unavailable."
    assert not any(row.startswith("[") for row in told(chart_of(analysis, 1)))  # 603: the arrow says it


def test_what_to_bear_in_mind_is_remarked(samples: pathlib.Path) -> None:
    (poor,) = chart_of(sample(samples, "one_sided.pcap")).remarks
    assert poor.startswith("The capture is poor: only one direction of the signalling was captured")
    partial = chart_of(sample(samples, "partial.pcap"))
    assert partial.title == "bob and alice, completed"
    assert partial.remarks == ("The capture began after this call did: its beginning is not known.",)
    assert not chart_of(sample(samples, "plain.pcap")).remarks


def test_nothing_at_all_is_still_a_chart() -> None:
    result = make_result(calls=(make_call(rows=(), streams=()),))
    chart = make_chart(result, result.calls)
    assert chart.rows == () and chart.participants == () and chart.start == result.calls[0].first_time
    with pytest.raises(ValueError, match="no call"):
        make_chart(result, [])


# ---- what holds of all
def test_every_call_and_session_of_every_sample_has_a_sound_chart(samples: pathlib.Path) -> None:
    drawn = 0
    for path in sorted(samples.glob("*.pcap*")):
        result = sipanalyzer.analyze(path).result
        for calls in _pages(result):
            for fold in (True, False):
                check(result, calls, make_chart(result, calls, fold=fold))
                drawn += 1
    assert drawn > 120


def test_every_call_and_session_of_the_corpus_has_a_sound_chart(corpus: pathlib.Path) -> None:
    drawn = 0
    for path in sorted(corpus.glob("*cap*")):
        if path.stat().st_size > 2_000_000:
            continue
        try:
            result = sipanalyzer.analyze(path).result
        except sipanalyzer.CaptureError:
            continue
        for calls in _pages(result):
            for fold in (True, False):
                check(result, calls, make_chart(result, calls, fold=fold))
                drawn += 1
    assert drawn > 100


def _pages(result: sipanalyzer.result.Result) -> list[list[sipanalyzer.result.Call]]:
    pages = [[call] for call in result.calls]
    for session in result.sessions:
        legs = [call for call in result.calls if call.call_id in session.call_ids]
        pages += [legs] if len(legs) > 1 else []
    return pages


HOSTILE = (
    "alice", "", '"><script>alert(1)</script>', "\u202egnp.exe", "end", "a;b%", "$x_{1}$", "\x1b[2J", "x" * 3_000,
    "]]>", "\ud800", "\u00e9\u0301" * 40, "note over", "sip:", "<>", "%00", "\t",
)  # fmt: skip
hostile = st.sampled_from(HOSTILE)
ends = st.sampled_from(
    [("10.0.0.1", 5060), ("10.0.0.2", 5060), ("10.0.0.2", 5080), ("10.0.0.3", 5060), ("10.0.0.4", 1)]
)
bodies = st.one_of(
    st.just(b""),
    st.builds(
        lambda port, way: sdp(A, port, lines=[way]), st.sampled_from([0, 4000, 4002]), hostile.filter(str.isascii)
    ),
    st.binary(max_size=60),
    st.just(b"SIP/2.0 603 \xff\xfe Decline"),
)


@st.composite
def tapes(draw: st.DrawFn) -> bytes:
    """A call of messages in which anything may be anything."""
    tape = Tape()
    user, agent, call = draw(hostile), draw(hostile), draw(hostile)
    for _ in range(draw(st.integers(1, 14))):
        method = draw(
            st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "NOTIFY", "REFER", "INFO", "OPTIONS", "\u2602"])
        )
        status = draw(st.sampled_from([0, 0, 0, 100, 180, 200, 302, 407, 486, 503, 999]))
        first = f"SIP/2.0 {status} {draw(hostile)}" if status else f"{method} sip:{draw(hostile)} SIP/2.0"
        src, dst, body = draw(ends), draw(ends), draw(bodies)
        kind = draw(st.sampled_from(["application/sdp", "message/sipfrag", "text/plain", ""]))
        lines = [
            first,
            f"Via: SIP/2.0/UDP {src[0]};branch={draw(st.sampled_from(['z9hG4bK1', 'z9hG4bK2', '']))}",
            f"From: <sip:{user}@x>;tag={draw(st.sampled_from(['a', 'b', '']))}",
            f"To: <sip:{draw(hostile)}@y>" + draw(st.sampled_from(["", ";tag=b", ";tag=c"])),
            f"Call-ID: {call or 'c'}",
            f"CSeq: {draw(st.integers(0, 3))} {method}",
            f"User-Agent: {agent}",
            f"{draw(st.sampled_from(['Reason', 'Refer-To', 'Event', 'Contact', 'Retry-After', 'Replaces']))}: {user}",
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body)}",
        ]
        data = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + body
        tape.udp(draw(st.floats(0, 40)), *src, *dst, data)
    for k in range(draw(st.integers(0, 2))):
        tape.talk(draw(st.floats(0, 30)), B, 5000, A, 4000 + 2 * k, 12, ssrc=k)
    # not in order of time: the capture's clock steps
    return pcap_bytes(tape.packets, nanoseconds=True, link_type=ETHERNET)


@settings(max_examples=60)
@given(tapes(), st.booleans())
def test_whatever_was_on_the_wire_the_chart_is_sound(capture: bytes, fold: bool) -> None:
    result = sipanalyzer.analyze(io.BytesIO(capture)).result
    for calls in _pages(result):
        check(result, calls, make_chart(result, calls, fold=fold))


def test_a_chart_of_thousands_of_messages_is_bounded_and_says_what_it_leaves_out() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(4_000):  # each with a URI and body of its own: nothing repeats
        tape.request(10 + k / 10, A, B, "NOTIFY", cseq=10 + k, headers=[f"Event: {k}"])
    chart = chart_of(tape.analyze())
    assert len(chart.rows) <= 2_010
    assert [row for row in chart.rows if isinstance(row, Fold)][-1].text.endswith("that are not drawn")
    assert any("messages in the middle" in remark for remark in chart.remarks)
