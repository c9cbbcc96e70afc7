"""Details: each call whole, made one by one, with all that the tables say of it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

import sipanalyzer
from sipanalyzer.facts import Digit, Finding, Session
from sipanalyzer.output.report.data import Detail, Limits
from sipanalyzer.output.report.making import make_report
from sipanalyzer.output.tables import table
from sipanalyzer.result import Result
from tests.output.report.hostile import hostile_tape
from tests.output.results import INVITE, MS, T0, make_call, make_messages, make_result, make_stream
from tests.tape import A, B, Tape, sdp

SAMPLES = sorted(path.name for path in (pathlib.Path(__file__).resolve().parents[3] / "sample_pcaps").glob("*.pcap*"))


def details(result: Result, **limits: int) -> list[Detail]:
    return list(make_report(result, limits=Limits(**limits)).details)


def only(result: Result, **limits: int) -> Detail:
    (detail,) = details(result, **limits)
    return detail


@pytest.mark.parametrize("name", SAMPLES)
def test_every_call_of_the_samples_has_one_that_agrees_with_the_tables(samples: pathlib.Path, name: str) -> None:
    result = sipanalyzer.analyze(samples / name).result
    report = make_report(result, [samples / name])
    calls, streams = table(result, "calls"), table(result, "streams")
    rows = []
    for detail in report.details:
        rows.append(detail.row)
        assert detail.call_id == calls["call_id"][detail.row]
        assert len(detail.messages) == calls["messages"][detail.row]
        assert len(detail.streams) == calls["streams"][detail.row]
        told = {fact[0]: fact[1] for fact in detail.facts}
        assert told["state"] == calls["state"][detail.row]
        codes = {each["code"] for each in detail.findings}
        assert codes == set((calls["findings"][detail.row] or "").split(",")) - {""}
        for stream in detail.streams:
            assert {fact[0]: fact[1] for fact in stream["facts"]}["ssrc"] == streams["ssrc"][stream["row"]]
        json.dumps(dataclasses.asdict(detail), allow_nan=False)
        assert detail.flow is not None
        drawn = ElementTree.fromstring(detail.flow)
        numbers = {int(each.get("data-message", "-1")) for each in drawn.iter() if each.get("data-message")}
        assert numbers <= set(range(len(detail.messages)))
        assert {int(at) for each in drawn.iter() if (at := each.get("data-stream"))} <= set(range(len(detail.streams)))
    assert tuple(rows) == report.detailed
    assert sorted(rows) == list(range(len(calls)))


def test_an_arrow_opens_the_message_that_it_is(samples: pathlib.Path) -> None:
    detail = only(sipanalyzer.analyze(samples / "plain.pcap").result)
    assert detail.flow is not None
    drawn = ElementTree.fromstring(detail.flow)
    arrows = {
        int(str(each.get("data-message"))): "".join(each.itertext())
        for each in drawn.iter()
        if each.get("data-message")
    }
    assert len(arrows) == 7
    for number, text in arrows.items():
        message = detail.messages[number]
        assert (str(message["status"]) if message["status"] else message["method"]) in text


def test_the_gravest_come_first_and_the_others_are_counted() -> None:
    calls = tuple(make_call(call_id=f"c{at}", start=T0 + at * MS, streams=(), rows=()) for at in range(10))
    result = make_result(calls=calls, streams=(), messages=make_messages([]))
    result.extra["findings"] = (
        Finding("held", "info", "x", "y", call_id="c7"),
        Finding("high-loss", "warning", "x", "y", call_id="c5"),
        Finding("high-loss", "error", "x", "y", call_id="c9"),
    )
    report = make_report(result, limits=Limits(details=5))
    assert report.detailed == (9, 5, 7, 0, 1)
    assert [each.row for each in report.details] == [9, 5, 7, 0, 1]
    assert report.details_left_out == 5


def test_they_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from sipanalyzer.output.report import details as module

    made: list[int] = []
    detail = module._detail

    def counted(place: object, row: int) -> Detail:
        made.append(row)
        return detail(place, row)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_detail", counted)
    calls = tuple(make_call(call_id=f"c{at}", streams=(), rows=()) for at in range(10))
    report = make_report(make_result(calls=calls, streams=(), messages=make_messages([])))
    assert isinstance(report.details, Iterator)
    next(report.details)
    assert len(made) == 1


def long_call(messages: int) -> Result:
    rows = [
        {"time": T0 + at * MS, "frame": at + 1, "cseq": at, "method": "INFO" if at else "INVITE"}
        for at in range(messages)
    ]
    call = make_call(rows=tuple(range(messages)), streams=(), messages=messages)
    return make_result(calls=(call,), messages=make_messages(rows), streams=())


def test_a_long_call_has_its_beginning_and_its_end() -> None:
    detail = only(long_call(1_000), messages=400)
    assert (len(detail.messages), detail.messages_left_out) == (400, 600)
    frames = [each["frame"] for each in detail.messages]
    assert frames[:300] == list(range(1, 301))
    assert frames[300:] == list(range(901, 1_001))
    assert detail.messages[0]["previous"] is None
    assert detail.messages[2]["previous"] == 1
    assert detail.messages[300]["previous"] == 299


def test_a_call_of_five_thousand_streams_is_bounded() -> None:
    streams = tuple(make_stream(ssrc=at, start=T0 + at * MS) for at in range(5_000))
    result = make_result(
        streams=streams, calls=(make_call(streams=tuple(range(5_000)), rows=()),), messages=make_messages([])
    )
    detail = only(result)
    assert (len(detail.streams), detail.streams_left_out) == (100, 4_900)


def test_messages_are_text_without_secrets_and_say_what_is_wrong_with_them() -> None:
    raw = INVITE.replace(b"Max-Forwards: 70", b"Max-Forwards: 7000").replace(
        b"Content-Length: 0\r\n",
        b'Authorization: Digest response="s3cret"\r\nContent-Length: 0\r\nX: \xff\x1b\xe2\x80\xae<b>\r\n',
    )
    detail = only(
        make_result(messages=make_messages([{"raw": raw}]), calls=(make_call(rows=(0,), streams=()),), streams=())
    )
    (message,) = detail.messages
    assert message["raw"].startswith("INVITE sip:bob@10.0.0.2 SIP/2.0\r\nVia: ")
    assert "s3cret" not in message["raw"]
    assert "X: \\xff\\x1b\\u202e<b>" in message["raw"]
    assert ["bad-max-forwards", "Max-Forwards that is no number up to 255"] in message["defects"]
    assert message["kind"] == "invite"


def test_a_message_that_cannot_be_parsed_says_why() -> None:
    result = make_result(
        messages=make_messages([{"raw": b"nonsense"}]), calls=(make_call(rows=(0,), streams=()),), streams=()
    )
    assert only(result).messages[0]["defects"][0][0] == "unreadable"


def test_a_long_message_is_cut_and_says_so() -> None:
    raw = INVITE + b"y" * 20_000
    result = make_result(messages=make_messages([{"raw": raw}]), calls=(make_call(rows=(0,), streams=()),), streams=())
    message = only(result, message_bytes=1_000).messages[0]
    assert message["cut"] == len(raw) - 1_000
    assert f"[{len(raw) - 1_000} bytes more]" in message["raw"]
    assert len(message["raw"]) < 1_100


def test_the_legs_of_a_conversation_point_to_each_other(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "two_legs.pcap").result
    one, other = details(result)
    assert [each.row for each in one.session] == [each.row for each in other.session] == [0, 1]
    assert [each.own for each in one.session] == [True, False]
    assert [each.own for each in other.session] == [False, True]


def test_a_session_whose_other_leg_is_gone_is_told_as_far_as_it_is_known() -> None:
    result = make_result(sessions=(Session(1, ("one@10.0.0.1", "gone"), 2.0, ()),))
    assert [each.call_id for each in only(result).session] == ["one@10.0.0.1"]


def test_keys_pressed_one_after_another_stand_in_a_row() -> None:
    digits = tuple(
        Digit(T0 + at * MS, key, 100.0, "rfc4733", way, 0, 0, 5)
        for at, key, way in (
            (0, "1", "caller-to-callee"), (500, "2", "caller-to-callee"), (900, "flash", "caller-to-callee"),
            (5_000, "#", "caller-to-callee"), (5_100, "9", "callee-to-caller"),
        )
    )  # fmt: skip
    assert [row[1:] for row in only(make_result(calls=(make_call(digits=digits),))).digits] == [
        ["12!", "caller-to-callee", "rfc4733"],
        ["#", "caller-to-callee", "rfc4733"],
        ["9", "callee-to-caller", "rfc4733"],
    ]


def test_facts_have_their_unit_and_meaning_and_leave_out_what_is_not_known() -> None:
    told = {name: (text, meaning) for name, text, meaning in only(make_result()).facts}
    assert told["post_dial_delay_ms"][0] == "250.00 ms"
    assert told["start"][0] == "2022-01-12 23:38:26.000"
    assert told["state"][1].startswith("what became of it")
    assert "diversion" not in told
    assert "retransmissions" not in told


def test_hostile_names_are_visible_and_the_picture_is_whole() -> None:
    result = hostile_tape().analyze().result
    for detail in details(result):
        data = json.dumps({**dataclasses.asdict(detail), "flow": None, "messages": []}, ensure_ascii=False)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", data)
        ElementTree.fromstring(str(detail.flow))
        assert "proof-of-" not in "".join(each["raw"] for each in detail.messages)


def test_findings_of_a_stream_point_to_it(samples: pathlib.Path) -> None:
    detail = only(sipanalyzer.analyze(samples / "lossy.pcap").result)
    finding = next(each for each in detail.findings if each["code"] == "high-loss")
    assert finding["stream"] is not None
    assert detail.streams[finding["stream"]]["severity"] == "error"
    assert detail.severity == "error"
    assert finding["evidence"] == [6]


def test_frames_have_their_file_where_there_are_several(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze([samples / "plain.pcap", samples / "lossy.pcap"]).result
    for detail in details(result):
        assert {pathlib.PurePath(str(each["file"])).name for each in detail.messages} in (
            {"plain.pcap"},
            {"lossy.pcap"},
        )


def test_a_call_in_a_poor_capture_says_so(samples: pathlib.Path) -> None:
    detail = details(sipanalyzer.analyze(samples / "holes.pcap").result)[0]
    assert any(each.startswith("The capture is poor: ") for each in detail.remarks)


def test_many_calls_cost_little_each() -> None:
    tape = Tape()
    for at in range(200):
        tape.set_up(sdp(A, 4000), sdp(B, 5000), at=at * 3.0, call=f"c{at}")
    result = tape.analyze().result
    assert len(result.calls) == 200
    list(make_report(result).details)  # once: what is loaded late is loaded
    begin = time.process_time()
    assert len(details(result)) == 200
    assert (time.process_time() - begin) / 200 < 0.012  # 2 ms on an idle machine
