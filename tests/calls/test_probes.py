"""OPTIONS as probes: counted by peer, worked by hand."""

from __future__ import annotations

import pathlib
import tomllib

import pytest

from sipanalyzer.calls.probes import find_probes
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.facts import Probe
from sipanalyzer.options import Options
from sipanalyzer.result import host_port
from tests.calls.words import seconds, table


def found(script: str) -> list[Probe]:
    messages = table(script)
    return find_probes(messages, match_transactions(messages, Options()))


def ping(at: float, n: int, *answers: tuple[float, int], ends: str = "A>B", more: str = "") -> str:
    back = ">".join(reversed(ends.split(">")))
    lines = [f"{at} {ends} OPTIONS cseq={n} call=c{n}{ends} from=x branch=b{n}{ends} {more}"]
    for after, status in answers:
        lines.append(
            f"{at + after} {back} {status} R cseq={n},OPTIONS call=c{n}{ends} from=x to=y branch=b{n}{ends} {more}"
        )
    return "\n".join(lines) + "\n"


def test_probes_are_counted_by_peer_and_any_final_response_is_an_answer() -> None:
    script = ping(0, 1, (0.01, 200)) + ping(1, 2, (0.03, 404)) + ping(2, 3) + ping(3, 4, (0.02, 100))
    one, other = found(script + ping(0.5, 1, (0.2, 200), ends="B>A"))
    assert (one.src, one.dst) == (("10.0.0.1", 5060), ("10.0.0.2", 5060))
    assert (one.sent, one.answered, one.answered_percent) == (4, 2, 50.0)
    assert one.mean_response_ms == pytest.approx(20.0) and one.max_response_ms == pytest.approx(30.0)
    assert (one.start, one.first_frame) == (0, 1)
    assert (other.src[0], other.sent, other.answered_percent, other.start) == ("10.0.0.2", 1, 100.0, seconds(0.5))


def test_the_first_final_response_counts_and_a_retransmission_is_no_probe() -> None:
    line = "0.5 A>B OPTIONS cseq=1 call=c1A>B from=x branch=b1A>B \n"
    (one,) = found(ping(0, 1, (0.6, 200), (0.9, 200)) + line)
    assert (one.sent, one.answered, one.mean_response_ms) == (1, 1, 600.0)


def test_nobody_answers() -> None:
    (one,) = found(ping(0, 1) + ping(1, 2))
    assert (one.sent, one.answered, one.answered_percent) == (2, 0, 0.0)
    assert (one.mean_response_ms, one.max_response_ms) == (None, None)


def test_options_inside_a_dialog_is_no_probe() -> None:
    assert found(ping(0, 1, (0.1, 200), more="to=y")) == []
    assert found("") == []
    assert found("0 A>B INVITE from=x\n") == []


def test_ports_are_peers_of_their_own() -> None:
    assert [one.src[1] for one in found(ping(0, 1, ends="A:1>B") + ping(1, 1, ends="A:2>B"))] == [1, 2]


def test_the_sample_is_as_its_rows_say(samples: pathlib.Path) -> None:
    from sipanalyzer.pipeline import analyze

    entries = tomllib.loads((samples / "expected.toml").read_text(encoding="utf-8"))["file"]
    (entry,) = [entry for entry in entries if entry["name"] == "options.pcap"]
    result = analyze(samples / "options.pcap")
    made = find_probes(result.messages, result.transactions)
    assert len(made) == len(entry["probes"]) == 2
    for one, wanted in zip(made, entry["probes"], strict=True):
        seen = {name: getattr(one, name) for name in wanted}
        seen |= {"src": host_port(one.src), "dst": host_port(one.dst)}
        seen["answered_percent"] = round(one.answered_percent, 6)
        assert seen == wanted
