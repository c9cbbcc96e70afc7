import json

from sipanalyzer.output.call_page import call_data, call_lines
from sipanalyzer.output.terminal import width_of
from tests.output.results import make_call, make_result


def page(result, width: int = 80) -> str:
    return "\n".join("".join(text for text, _ in line) for line in call_lines(result, result.calls[0], width))


def test_the_page_has_facts_messages_and_streams() -> None:
    text = page(make_result())
    for words in ("Call one@10.0.0.1", "alice to bob", "state completed   status_code 200   reason OK", "post_dial_delay_ms 250.00",
                  "2.000  20  10.0.0.2:5060 > 10.0.0.1:5060  200 OK (INVITE)", "BYE sip:alice@10.0.0.1 (again)",
                  "PCMA       200      0.99     3.25", "sip.Call-ID =="):  # fmt: skip
        assert words in text, words
    assert "REGISTER" not in text


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
