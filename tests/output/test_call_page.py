import json
from typing import Any

from sipanalyzer.facts import Evidence, Finding, Session
from sipanalyzer.options import Options
from sipanalyzer.output.call_page import call_data, call_lines
from sipanalyzer.output.terminal import width_of
from tests.output.results import MS, T0, make_call, make_capture, make_messages, make_result


def page(result, width: int = 80) -> str:
    return "\n".join("".join(text for text, _ in line) for line in call_lines(result, result.calls[0], width))


def test_the_page_has_facts_flow_and_streams() -> None:
    text = page(make_result())
    for words in ("Call one@10.0.0.1", "alice to bob", "state completed   status_code 200   reason OK",
                  "post_dial_delay_ms 250.00", "Flow  3 messages, seconds since 2022-01-12 23:38:26.000 UTC",
                  "PCMA       200      0.99     3.25", "sip.Call-ID =="):  # fmt: skip
        assert words in text, words
    assert "REGISTER" not in text


def test_the_flow_has_time_frame_and_arrow_of_each_message() -> None:
    lines = page(make_result()).splitlines()
    (invite,) = (line for line in lines if " INVITE  sip:bob" in line)
    (ok,) = (line for line in lines if "200 OK" in line and "◄" in line)
    (bye,) = (line for line in lines if "BYE" in line)
    assert invite.split()[:2] == ["1", "0.000"] and invite.endswith("►│")
    assert ok.split()[:3] == ["20", "2.000", "+2.000"]
    assert bye.split()[:2] == ["85", "7.500"] and "BYE (again)" in bye and "◄····" in bye


def test_a_finding_has_its_sentence_once_and_its_name_where_it_happened() -> None:
    found = (finding("high-loss", frames=(20,), frame=20, capture=0),)
    text = page(make_result(extra={"findings": found}))
    assert text.count("What high-loss is.") == 1
    assert "▌ error high-loss" in text[text.index("Flow  ") :]


def test_the_page_keeps_its_width_except_for_the_filter() -> None:
    call = make_call(reason="x" * 300, user_agent="y" * 300)
    for width in (60, 80, 120):
        lines = page(make_result(calls=(call,)), width).splitlines()
        assert max(width_of(line) for line in lines[:-1]) <= width


def test_a_partial_call_says_that_its_beginning_is_not_known() -> None:
    call = make_call(partial=True, start=None, caller=None, src=None)
    assert "The capture began after this call did" in page(make_result(calls=(call,)))


def test_the_page_is_also_data() -> None:
    result = make_result()
    data = json.loads(json.dumps(call_data(result, result.calls[0]), allow_nan=False))
    assert data["call"]["start"] == "2022-01-12T23:38:26.000000Z"
    assert [each["summary"] for each in data["messages"]][1] == "200 OK (INVITE)"
    assert len(data["streams"]) == len(data["dialogs"]) == len(data["transactions"]) == 1


def finding(code: str, severity: str = "error", **changes: Any) -> Finding:
    return Finding(code, severity, f"What {code} is.", f"Mend {code}.", **({"call_id": "one@10.0.0.1"} | changes))


def test_what_is_wrong_stands_first_the_likeliest_first_with_advice() -> None:
    found = (
        finding("high-loss", frames=tuple(range(20)), frame=0),
        finding("low-mos", "info", causes=("high-loss",)),
        finding("sip-alg", "warning", doubtful="packets are missing"),
    )
    text = page(make_result(extra={"findings": found}))
    assert (
        "error: high-loss  frames 0, 1, 2, 3, 4, 5, ...\n  What high-loss is.\n  What to do: Mend high-loss.\n" in text
    )
    assert "info: low-mos, a consequence of high-loss\n  What low-mos is.\n\n" in text
    assert "  Doubtful: packets are missing.\n" in text
    assert text.index("high-loss") < text.index("low-mos") < text.index("sip-alg") < text.index("state completed")


def test_many_findings_of_one_code_are_counted() -> None:
    text = page(make_result(extra={"findings": tuple(finding("high-loss") for _ in range(200))}))
    assert text.count("error: high-loss") == 3 and "And 197 more high-loss." in text


def test_a_long_call_shows_its_beginning_and_its_end() -> None:
    methods = ("INFO", "MESSAGE", "OPTIONS", "UPDATE", "PUBLISH")
    rows = [
        {"time": T0 + row * MS, "frame": row + 1, "method": f"{methods[row % 5]}{row}", "cseq": row}
        for row in range(300)
    ]
    result = make_result(messages=make_messages(rows), calls=(make_call(rows=tuple(range(300)), streams=()),))
    text = page(result)
    assert "Flow  300 messages" in text and " INFO0 " in text and " PUBLISH299 " in text
    assert "... 100 rows are left out here; sipanalyzer flow --all draws every message" in text
    assert " INFO200 " not in text
    assert len(call_data(result, result.calls[0])["messages"]) == 300


def test_a_folded_flow_says_how_to_see_all_of_it() -> None:
    rows = [
        {"time": T0 + row * MS, "frame": row + 1, "method": "OPTIONS", "cseq": row // 2, "branch": f"z{row // 2}"}
        | ({"status": 200, "reason": "OK"} if row % 2 else {})
        for row in range(60)
    ]
    result = make_result(messages=make_messages(rows), calls=(make_call(rows=tuple(range(60)), streams=()),))
    assert "times more in" in page(result)
    assert "sipanalyzer flow --all draws every message" in page(result)
    assert "flow --all" not in page(make_result())


def test_the_other_legs_are_named_with_what_became_of_them() -> None:
    leg = make_call(call_id="two", state="failed", caller="pbx")
    session = Session(4, ("one@10.0.0.1", "two"), 1.5, (Evidence("X-CID", "abc", 1.5, ("one@10.0.0.1", "two")),))
    result = make_result(calls=(make_call(), leg), sessions=(session,))
    assert "Session 4  2 legs\n  pbx to bob, failed  two\n  by X-CID: abc\n" in page(result)
    data = call_data(result, result.calls[0])
    assert data["session"] is not None and data["session"]["call_ids"] == ["one@10.0.0.1", "two"]


def test_settings_and_a_doubtful_capture_are_told() -> None:
    capture = make_capture(grade="fair", doubts=("3 packets cut",))
    result = make_result(options=Options(playout_ms=40.0), captures=(capture,))
    assert "The capture is fair: 3 packets cut." in page(result)
    assert "Settings\n  playout_ms=40.0\n" in page(result)
    assert call_data(result, result.calls[0])["settings"] == {"playout_ms": 40.0}


def test_the_day_stands_once() -> None:
    text = " ".join(page(make_result()).split())
    assert "start 2022-01-12 23:38:26.000 ringing 23:38:26.250 answered 23:38:28.000" in text
    late = make_call(end=T0 + 3_600_000 * MS)
    assert "end 2022-01-13 00:38:26.000" in " ".join(page(make_result(calls=(late,))).split())
