import datetime
import pathlib

import pandas
import pytest

import sipanalyzer
from sipanalyzer import analysis as module
from sipanalyzer.analysis import Analysis
from sipanalyzer.facts import Digit, Finding, Session
from sipanalyzer.output.columns import COLUMNS
from tests.output.results import MS, T0, make_call, make_result, make_stream


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """What the pipeline was asked to do."""
    from sipanalyzer import pipeline

    calls: list = []

    def analyze(captures, options=None, progress=None):
        calls.append((captures, options))
        return make_result()

    monkeypatch.setattr(pipeline, "analyze", analyze)
    return calls


def test_analyze_takes_a_path_a_url_and_a_list(asked: list, tmp_path: pathlib.Path) -> None:
    for source, given in [
        ("a.pcap", ["a.pcap"]),
        (tmp_path, [str(tmp_path)]),
        (["a", tmp_path / "b"], ["a", str(tmp_path / "b")]),
        ("https://example.org/a.pcap", ["https://example.org/a.pcap"]),
    ]:
        assert isinstance(sipanalyzer.analyze(source), Analysis)
        assert asked.pop()[0] == given


def test_settings_become_options(asked: list) -> None:
    when = datetime.datetime(2022, 1, 12, 23, 38, 26, tzinfo=datetime.UTC)
    sipanalyzer.analyze("a", sort_records=5, from_time="2022-01-12T23:38:26Z", to_time=when)
    options = asked.pop()[1]
    assert (options.sort_records, options.from_time_ns, options.to_time_ns) == (5, T0, T0)
    sipanalyzer.analyze("a", from_time=pandas.Timestamp(T0 + 1, tz="UTC"))
    assert asked.pop()[1].from_time_ns == T0 + 1


def test_a_setting_that_does_not_exist_is_refused(asked: list) -> None:
    with pytest.raises(ValueError, match="no option 'sort_recs'"):
        sipanalyzer.analyze("a", sort_recs=5)
    with pytest.raises(ValueError, match="no capture to read"):
        sipanalyzer.analyze([])
    assert not asked


def test_a_number_narrows_everything(asked: list) -> None:
    assert len(sipanalyzer.analyze("a", number="bob").calls) == 1
    narrowed = sipanalyzer.analyze("a", number="+49301234")
    assert len(narrowed.calls) == len(narrowed.streams) == 0
    assert narrowed.messages["method"].tolist() == ["REGISTER"]


def test_tables_are_frames_made_once() -> None:
    analysis = Analysis(make_result())
    for name in ("calls", "streams", "messages", "dialogs", "transactions", "captures"):
        frame = getattr(analysis, name)
        assert isinstance(frame, pandas.DataFrame) and getattr(analysis, name) is frame


def test_printing_an_analysis_is_a_report() -> None:
    text = str(Analysis(make_result()))
    assert "1 completed" in text and "200 packets, 2 lost" in text
    assert repr(Analysis(make_result())) == "<Analysis of a.pcap: 1 calls, 1 streams, 4 messages>"


def test_a_notebook_shows_escaped_html() -> None:
    call = make_call(caller="<script>alert(1)</script>", call_id="<b>")
    page = Analysis(make_result(calls=(call,)))._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>" not in page


def test_a_call_has_its_row_messages_and_streams() -> None:
    streams = (make_stream(ssrc=2, start=T0 + 9_000 * MS), make_stream(ssrc=1, start=T0))
    call = Analysis(make_result(calls=(make_call(streams=(0, 1)),), streams=streams)).call("one")
    assert call.row["caller"] == "alice" and call.call_id == "one@10.0.0.1"
    assert [each.row["ssrc"] for each in call.streams] == ["0x00000001", "0x00000002"]
    first = call.messages[0]
    assert (first.frame, first.src, first.transport, first.time) == (
        1,
        "10.0.0.1:5060",
        "UDP",
        pandas.Timestamp(T0, tz="UTC"),
    )
    assert first.raw.startswith(b"INVITE ")
    assert "Flow  3 messages" in str(call)


def test_a_message_is_parsed_when_somebody_looks_at_it() -> None:
    pytest.importorskip("sipanalyzer.sip.parser")
    message = Analysis(make_result()).call(0).messages[0].message
    assert message.method == "INVITE"


def test_a_stream_is_found_by_its_row() -> None:
    analysis = Analysis(make_result())
    assert analysis.stream(0).row["ssrc"] == analysis.stream(-1).row["ssrc"] == "0x0000beef"
    with pytest.raises(ValueError, match="there are 1 streams"):
        analysis.stream(1)
    with pytest.raises(ValueError, match="no call has the Call-ID"):
        analysis.call("nope")


def test_an_analysis_is_exported(tmp_path: pathlib.Path) -> None:
    written = Analysis(make_result()).export(tmp_path / "out", format="parquet")
    assert {path.stem for path in written} == {*COLUMNS, "summary"}
    assert pandas.read_parquet(tmp_path / "out" / "calls.parquet")["start"][0].value == T0


def test_the_summary_is_data() -> None:
    assert Analysis(make_result()).summary()["calls"]["count"] == 1
    assert "Analysis" in module.__all__


def finding(code: str, **changes) -> Finding:
    return Finding(code, "error", f"What {code} is.", "", **changes)


def test_the_findings_of_a_call_are_its_own_and_those_of_its_streams() -> None:
    found = (
        finding("scanner"),
        finding("held", call_id="one@10.0.0.1"),
        finding("high-loss", stream=0),
        finding("sip-alg", call_id="x"),
    )
    call = Analysis(make_result(extra={"findings": found})).call(0)
    assert call.findings["code"].tolist() == ["held", "high-loss"]


def test_a_notebook_shows_the_verdict_in_colour_and_the_page_of_a_call() -> None:
    analysis = Analysis(make_result(extra={"findings": (finding("high-loss", call_id="one@10.0.0.1"),)}))
    page = analysis._repr_html_()
    assert (
        page.startswith('<pre style="font-family:') and '><span style="font-weight:bold;">Verdict       </span>' in page
    )
    assert '<span style="font-weight:bold;color:#b00020;">trouble</span>: 1 error' in page
    assert "What high-loss is." in analysis.call(0)._repr_html_()


def test_what_the_wire_says_is_escaped_in_every_notebook_page() -> None:
    call = make_call(caller="<script>alert(1)</script>", call_id="<b>", reason="<i>x</i>")
    page = Analysis(make_result(calls=(call,))).call(0)._repr_html_()
    assert "<script>" not in page and "<b>" not in page and "<i>" not in page and "&lt;script&gt;" in page


def test_digits_and_legs_of_a_call() -> None:
    key = Digit(T0, "5", 100.0, "rfc4733", "caller-to-callee", 0, 0, 7)
    session = Session(1, ("one@10.0.0.1", "two"), 1.0, ())
    call = Analysis(make_result(calls=(make_call(digits=(key,)),), sessions=(session,))).call(0)
    assert call.digits[["key", "duration_ms", "method", "frame"]].values.tolist() == [["5", 100.0, "rfc4733", 7]]
    assert call.digits["time"][0] == pandas.Timestamp(T0, tz="UTC")
    assert call.session == ["one@10.0.0.1", "two"]
    plain = Analysis(make_result()).call(0)
    assert plain.session == ["one@10.0.0.1"] and len(plain.digits) == 0


def test_a_sweep_is_a_frame_and_a_picture() -> None:
    analysis = sipanalyzer.analyze("sample_pcaps/jittery.pcap")
    stream = analysis.stream(0)
    frame = stream.playout_sweep([0, 20, 60, 200])
    assert frame["depth_ms"].tolist() == [0, 20, 60, 200]
    same = frame[frame["depth_ms"] == 60].iloc[0]
    assert same["r_factor"] == pytest.approx(stream.row["r_factor"], abs=1e-5)
    axes = stream.plot_playout_sweep([0, 20, 60])
    assert axes.get_title().startswith("Best R ") and axes.get_xlabel() == "depth of the jitter buffer (ms)"
    bottom, top = axes.figure.axes[1].get_ylim()
    assert (bottom, top >= 100) == (0, True)  # an R below 0 must not squeeze the rest


def test_a_mistyped_setting_is_answered_with_the_near_one(asked: list) -> None:
    with pytest.raises(ValueError, match="no option 'playout', did you mean 'playout_ms'"):
        sipanalyzer.analyze("a", playout=5)
