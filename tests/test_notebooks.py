"""The notebooks run, and what is stored in them is what they show. ``python notebooks/make.py`` stores it anew."""

from __future__ import annotations

import html
import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pandas
import pytest

import sipanalyzer
from notebooks import make

PATHS = make.notebooks()
NAMES = (
    "01_first_look",
    "02_one_bad_call",
    "03_quality_over_a_day",
    "04_setup_delays_and_failures",
    "05_writing_your_own_finding",
)
each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def stored(path: pathlib.Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def words(text: str | list[str], mime: str = "text/plain") -> list[str]:
    """What a reader sees of an output, as words: versions of pandas write what is missing, and times, differently."""
    text = joined(text)
    if mime == "text/html":
        text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    text = re.sub(r"^.*\bdtype: .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"(:\d\d)(?:\.0+|(\.\d*[1-9])0+)(?=\+00:00)", r"\1\2", text)
    text = re.sub(r"\b0x[0-9a-f]{9,16}\b", "0x", text)  # an object's place in memory; an SSRC has eight digits
    return ["missing" if word in ("NaN", "NaT", "<NA>", "None") else word for word in text.split()]


def shown(cell: Any) -> list[tuple[str, list[str]]]:
    """A cell's outputs: their kinds, and the words that a reader sees; a figure is there or is not."""
    found = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            found.append((output["name"], words(output["text"])))
            continue
        data = output["data"]
        seen = next(mime for mime in ("image/png", "text/html", "text/markdown", "text/plain") if mime in data)
        for mime in sorted(data):
            found.append((mime, words(data[mime], mime) if mime == seen != "image/png" else []))
    return found


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def needs_a_kernel() -> None:
    for name in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(name, reason=f"{name} is not installed: notebooks cannot be run")


def test_all_notebooks_are_there_and_the_readme_names_each() -> None:
    assert tuple(path.stem for path in PATHS) == NAMES
    readme = (make.FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(.+?)\]\(\1\.ipynb\) \| .+\? \|$", readme, re.MULTILINE) == list(NAMES)


@each_notebook
def test_a_notebook_runs_without_error_and_shows_what_is_stored_in_it(path: pathlib.Path) -> None:
    needs_a_kernel()
    then, now = code_cells(stored(path)), code_cells(make.executed(path))
    assert [joined(cell["source"]) for cell in then] == [cell["source"] for cell in now]
    for old, new in zip(then, now, strict=True):
        assert shown(old) == shown(new), f"run `python notebooks/make.py {path.name}` and look at the difference"


def test_notebooks_run_from_the_root_of_the_repository_too() -> None:
    needs_a_kernel()
    find = 'samples = Path("sample_pcaps") if Path("sample_pcaps").is_dir() else Path("../sample_pcaps")'
    assert all(find in joined(code_cells(stored(path))[0]["source"]) for path in PATHS)
    cells = code_cells(make.executed(PATHS[-1], make.FOLDER.parent))
    assert all(cell["execution_count"] for cell in cells)
    assert "../sample_pcaps" not in str([cell["outputs"] for cell in cells])


def test_the_comparison_sees_another_number_and_no_other_way_of_writing_it() -> None:
    def cell(text: str) -> Any:
        return {"outputs": [{"output_type": "execute_result", "data": {"text/html": text, "text/plain": "..."}}]}

    then = cell("<td>2026-03-02 12:00:02.060+00:00</td><td>&lt;NA&gt;</td><td>0x105501ce</td><td>3.18</td>")
    again = cell("<td>2026-03-02  12:00:02.060000+00:00</td>\n<td>NaN</td><td>0x105501ce</td><td>3.18</td>")
    assert shown(then) == shown(again)
    for old, new in (("02.060", "02.061"), ("NaN", "0"), ("1ce", "1cf"), ("3.18", "3.19")):
        assert shown(then) != shown(cell(again["outputs"][0]["data"]["text/html"].replace(old, new)))


def test_a_cell_that_fails_is_told(tmp_path: pathlib.Path) -> None:
    needs_a_kernel()
    import nbformat
    from nbclient.exceptions import CellExecutionError

    path = tmp_path / "00_bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), path)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        make.executed(path, tmp_path)


@each_notebook
def test_every_cell_was_run_in_order_and_said_nothing_on_stderr(path: pathlib.Path) -> None:
    cells = code_cells(stored(path))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"execute_result", "display_data", "stream"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} <= {"stdout"}
    assert "Warning" not in path.read_text(encoding="utf-8")
    assert sum(bool(cell["outputs"]) for cell in cells) >= len(cells) - 2  # nearly every cell shows something


@each_notebook
def test_a_stored_notebook_is_small_and_says_nothing_of_the_machine_it_ran_on(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    bare = re.sub(r"[A-Za-z0-9+/=\\n]{200,}", "", text)  # pictures
    assert not re.search(r"""(?<![\w.~])(?:/(?:work|tmp|home|root|usr|var|Users)/|[A-Z]:\\\\)""", bare)
    notebook = stored(path)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"} and "version" not in str(notebook["metadata"])
    assert [cell["id"] for cell in notebook["cells"]] == [f"cell-{at:02}" for at in range(len(notebook["cells"]))]
    assert not any(cell["metadata"] for cell in notebook["cells"])
    assert not any(output.get("metadata") for cell in code_cells(notebook) for output in cell["outputs"])


@each_notebook
def test_outputs_can_be_read_on_a_site_that_takes_scripts_and_styles_out(path: pathlib.Path) -> None:
    for cell in code_cells(stored(path)):
        for output in cell["outputs"]:
            data = output.get("data", {})
            assert not {mime for mime in data if mime.startswith("application/")}
            page = joined(data.get("text/html", ""))
            assert "<script" not in page and "<iframe" not in page
            if "image/svg+xml" in data:  # as an image, which keeps its style
                assert page.startswith("<img ") and 'src="data:image/svg+xml;base64,' in page


@each_notebook
def test_a_notebook_explains_before_it_computes(path: pathlib.Path) -> None:
    cells = stored(path)["cells"]
    assert cells[0]["cell_type"] == "markdown" and joined(cells[0]["source"]).startswith("# ")
    told = sum(len(joined(cell["source"])) for cell in cells if cell["cell_type"] == "markdown")
    assert told > 1500
    for cell in code_cells({"cells": cells}):
        assert max(map(len, joined(cell["source"]).splitlines())) <= 96


@each_notebook
def test_links_of_a_notebook_lead_somewhere(path: pathlib.Path) -> None:
    for cell in stored(path)["cells"]:
        if cell["cell_type"] == "markdown":
            for target in re.findall(r"\]\(([^)#]+)\)", joined(cell["source"])):
                assert (path.parent / target).exists(), target


def test_what_changes_from_run_to_run_is_not_stored() -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: notebooks cannot be read")
    cell = nbformat.v4.new_code_cell("1", metadata={"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}})
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)]
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"language_info": {"name": "python", "version": "3.11.2"}}
    )
    once = json.dumps(make.tidy(notebook), sort_keys=True)
    assert "2026" not in once and "3.11" not in once and '"cell-00"' in once
    assert json.dumps(make.tidy(notebook), sort_keys=True) == once


def test_make_says_which_notebooks_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make.py", "06_none.ipynb"])
    with pytest.raises(SystemExit, match=r"no 06_none\.ipynb here; there are 01_first_look\.ipynb, "):
        make.main()


# What the Markdown says of the output above or below it, asked of the analysis itself.


@pytest.fixture(scope="module")
def day() -> sipanalyzer.Analysis:
    return sipanalyzer.analyze(make.FOLDER.parent / "sample_pcaps", to_time="2026-03-03")


def _loss(streams: pandas.DataFrame, *by: str) -> pandas.Series[float]:
    sums = streams.groupby(list(by))[["lost", "expected"]].sum()
    return (100 * sums.lost / sums.expected).astype(float)


def _best_depth(day: sipanalyzer.Analysis) -> bool:
    sweep = day.call("late-1").streams[0].playout_sweep()
    best = int(sweep.mos.idxmax())
    return bool(sweep.discarded[best] == 0 and sweep.discarded[best - 1] > 0)


def _no_gain(day: sipanalyzer.Analysis) -> bool:
    stream = min(day.call("lossy-1").streams, key=lambda stream: stream.row.mos)
    return not stream.playout_sweep().discarded.any() and stream.row.max_jitter_ms == 0 and stream.row.burst_ratio > 1


def _worst_hours(day: sipanalyzer.Analysis) -> bool:
    streams = day.streams.assign(path=day.streams.src + " > " + day.streams.dst, hour=day.streams.start.dt.hour)
    bad = _loss(streams, "path", "hour")
    at = bad[bad > 0].reset_index().groupby("hour").path.nunique()
    return bool(at.to_dict() == {12: 1, 15: 4})


def _one_path_left(day: sipanalyzer.Analysis) -> bool:
    dropped = day.findings[day.findings.code == "capture-drops"].capture
    sound = day.streams[~day.streams.capture.isin(dropped)]
    bad = _loss(sound, "src", "dst")
    return list(bad[bad > 0].index) == [("198.51.100.20", "192.0.2.10")] and {
        capture.rsplit("/", 1)[-1] for capture in dropped
    } == {"holes.pcap"}


def _ceilings(day: sipanalyzer.Analysis) -> bool:
    highest = day.streams[day.streams.mos_scale == "NB"].groupby("codec").mos.max()
    return bool(highest["G729"] < highest["PCMA"])


def _people(day: sipanalyzer.Analysis) -> bool:
    overall = day.statistics[day.statistics.scope == "all"].set_index("metric").value
    return bool(overall["NER"] > overall["ASR"])


def _rang(day: sipanalyzer.Analysis) -> bool:
    first = day.transactions[day.transactions.retransmissions > 0].iloc[0]
    return bool(first.first_response_ms == 20 and first.final_response_ms == 30_000)


def _outlier(day: sipanalyzer.Analysis) -> bool:
    row = day.endpoints.set_index("address").loc["198.51.100.20"]
    return bool(row.mean_response_ms > row.p95_response_ms)


def _gaps(day: sipanalyzer.Analysis) -> bool:
    found = day.streams[day.streams.max_delta_ms > 300]
    lost = found.max_consecutive_lost.groupby(found.call_id).max()
    return "held-1@192.0.2.10" not in lost.index and lost["late-1@192.0.2.10"] == 0 and lost["lossy-1@192.0.2.10"] == 20


CLAIMS: tuple[tuple[str, str, Callable[[sipanalyzer.Analysis], bool]], ...] = (
    ("01_first_look", "`media_latency_ms` is negative", lambda day: day.call(0).row.media_latency_ms < 0),
    ("01_first_look", "low *because* of the loss", lambda day: "high-loss" in set(day.call("lossy-1").findings.causes)),
    ("02_one_bad_call", "No jitter, nothing discarded, but many packets missing", _no_gain),
    ("02_one_bad_call", "nothing is late, so nothing is won", _no_gain),
    ("02_one_bad_call", "deep enough that nothing comes too late, and no deeper", _best_depth),
    ("03_quality_over_a_day", "at 12h one path lost packets, at 15h all four at once", _worst_hours),
    ("03_quality_over_a_day", "One path is left: 198.51.100.20 > 192.0.2.10", _one_path_left),
    ("03_quality_over_a_day", "G.729 cannot reach what PCMA reaches", _ceilings),
    ("04_setup_delays_and_failures", "NER is above ASR", _people),
    ("04_setup_delays_and_failures", "after 20 ms and the final one after 30 s", _rang),
    ("04_setup_delays_and_failures", "A busy line has no finding", lambda day: day.call("busy-1").findings.empty),
    ("04_setup_delays_and_failures", "A mean above its own 95th percentile (198.51.100.20)", _outlier),
    ("05_writing_your_own_finding", "where none were, they came late", _gaps),
    ("05_writing_your_own_finding", "it leaves out announced breaks, such as hold", _gaps),
)


@pytest.mark.parametrize(("name", "claim", "holds"), CLAIMS, ids=[claim for _, claim, _ in CLAIMS])
def test_what_the_text_says_is_so(
    day: sipanalyzer.Analysis, name: str, claim: str, holds: Callable[[sipanalyzer.Analysis], bool]
) -> None:
    cells = stored(make.FOLDER / f"{name}.ipynb")["cells"]
    assert claim in " ".join(joined(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert holds(day)
