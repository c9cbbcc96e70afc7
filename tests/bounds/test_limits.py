"""Every limit is an option, bites where it says, and leaves an anomaly; the honest calls beside the attack stay."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

import sipanalyzer.pipeline
from sipanalyzer.anomalies import MEANING
from sipanalyzer.calls.timeline import MediaTimeline
from sipanalyzer.options import LIMITS, Options
from sipanalyzer.redaction.door import replaced_text
from sipanalyzer.result import Result
from sipanalyzer.statistics.rfc6076 import summarize_statistics

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from attack_captures import ATTACKS, write_attack  # noqa: E402 (beside the package, not in it)

REDACTED = {"redact": True, "redact_key": "a key"}
HONEST = {"canary-first@honest", "canary-last@honest"}
BITES: list[tuple[str, int, dict[str, Any], str, int]] = [
    ("call-ids", 300, {"max_calls": 100}, "sip-call-limit", 301 - 100 + 6),
    ("one-call-id", 300, {"max_messages": 106}, "sip-limit", 206),
    ("call-ids", 300, {"max_sip_bytes": 40_000}, "sip-limit", 0),
    ("forks", 100, {"max_call_bindings": 20}, "sdp-limit", 81),
    ("ssrcs-in-pairs", 100, {"max_streams": 30}, "rtp-stream-limit", 0),
    ("ssrcs-announced", 100, {"max_streams": 30}, "rtp-stream-limit", 0),
    ("rtcp", 50, {"max_rtcp": 100}, "rtcp-limit", 0),
    ("outages", 100, {"max_outages": 10}, "rtp-outage-limit", 0),
    ("intervals", 100, {"max_intervals": 10}, "rtp-interval-limit", 0),
    ("events", 100, {"max_digits": 10}, "rtp-event-limit", 0),
    ("unreachable", 100, {"max_faults": 10}, "fault-limit", 90),
    ("msrp", 100, {"max_faults": 10}, "msrp-limit", 0),
    ("gre", 3, {"max_tunnel_depth": 4}, "tunnel-depth", 3),
    ("hep", 3, {"max_hep_inflated_bytes": 1_000}, "malformed-tunnel", 3),
    ("tags", 3, {}, "tunnel-depth", 3),
    ("fragments-open", 100, {"max_fragments": 10}, "fragment-limit", 0),
    ("fragments-open", 100, {"max_fragment_bytes": 30_000}, "fragment-limit", 0),
    ("fragments-open", 100, {"max_datagram_bytes": 1_000}, "fragment-limit", 100),
    ("fragments-overlapping", 200, {}, "fragment-overlap", 0),
    ("tcp-holes", 500, {"max_tcp_pending_bytes": 1_000}, "tcp-lost-segment", 0),
    ("connections", 200, {"max_tcp_connections": 10}, "tcp-limit", 0),
    ("connections-filled", 60, {"max_pending_bytes": 5_000}, "tcp-lost-segment", 0),
    ("sdp-media", 1, {}, "sdp-malformed", 1),
    ("sdp-media", 1, {"max_sdp_media": 2}, "sdp-malformed", 1),
    ("forks", 10, {"max_sdp_media": 0}, "sdp-malformed", 0),
    ("attributes", 3, {"max_sdp_values": 1_999}, "sdp-malformed", 3),
    ("forks", 10, {"max_sdp_values": 0}, "sdp-malformed", 0),
    ("forks", 10, {"max_sdp_lines": 3}, "sdp-malformed", 0),
    ("forks", 10, {"max_sdp_bytes": 50}, "sdp-malformed", 0),
    ("multiparts", 3, {}, "sip-body-limit", 3),
    ("multiparts", 3, {"max_body_depth": 0}, "sip-body-limit", 3),
    ("parts", 3, {}, "sip-body-limit", 3),
    ("parts", 3, {"max_body_parts": 3_999}, "sip-body-limit", 3),
    ("headers", 1, {"max_sip_message_bytes": 65_536}, "sip-too-large", 0),
    ("endless-header", 400_000, {}, "sip-too-large", 1),
    ("connections-filled", 60, {**REDACTED, "max_redaction_bytes": 20_000}, "redaction-limit", 0),
    ("fragments-open", 100, {**REDACTED, "max_redaction_bytes": 20_000}, "redaction-limit", 0),
    ("bomb-gz", 64 << 20, {"max_inflated_bytes": 1 << 20}, "inflated-limit", 1),
    ("bomb-gz", 64 << 20, {**REDACTED, "max_inflated_bytes": 1 << 20}, "inflated-limit", 1),
    ("bomb-gz", 64 << 20, {"max_inflated_bytes": 1 << 20, "max_inflated_ratio": 50}, "inflated-limit", 1),
]
"""Attack, how much of it, options, the anomaly, and how often it is counted (0: however often)."""
LETS_THROUGH: list[tuple[str, int, dict[str, Any], str]] = [
    ("gre", 3, {"max_tunnel_depth": 20_000}, "tunnel-depth"),
    ("hep", 3, {"max_hep_inflated_bytes": 64 << 20}, "malformed-tunnel"),
    ("sdp-media", 1, {"max_sdp_media": 20_000, "max_sdp_lines": 60_000, "max_sdp_bytes": 1 << 20}, "sdp-malformed"),
    ("multiparts", 3, {"max_body_depth": 4_501}, "sip-body-limit"),
    ("parts", 3, {"max_body_parts": 4_000}, "sip-body-limit"),
    ("bomb-gz", 64 << 20, {"max_inflated_bytes": 1 << 20, "max_inflated_ratio": 5_000}, "inflated-limit"),
]
"""Attacks by which the default bites, options that let all of it in, and the anomaly that is not there then."""
SAID_OTHERWISE = {"max_record_bytes", "max_block_bytes", "max_statistics_scopes"}
"""Limits without an anomaly, each with a test of its own below."""


def _analyzed(folder: pathlib.Path, name: str, count: int, **options: Any) -> Result:
    path = folder / f"attack.{ATTACKS[name].suffix}"
    write_attack(name, path, count)
    return sipanalyzer.pipeline.analyze(str(path), Options(**options))


def _counts(result: Result) -> dict[str, int]:
    return result.captures[0].anomalies.counts()


def test_every_limit_has_an_anomaly_that_is_known_and_every_anomaly_of_a_limit_has_an_option() -> None:
    named = {each.name for each in fields(Options) if each.name.startswith("max_")}
    assert set(LIMITS) == named
    assert {code for codes in LIMITS.values() for code in codes} <= set(MEANING)
    assert {code for code in MEANING if code.endswith("-limit")} <= {
        code for codes in LIMITS.values() for code in codes
    }
    assert all(getattr(Options(), name) < 1 << 34 for name in named)


def test_every_limit_is_attacked() -> None:
    assert {name for _, _, options, _, _ in BITES for name in options} - set(REDACTED) | SAID_OTHERWISE == set(LIMITS)
    assert {name for name, codes in LIMITS.items() if not codes} == SAID_OTHERWISE
    assert all(code in LIMITS[name] for _, _, options, code, _ in BITES for name in set(options) - set(REDACTED))


@pytest.mark.parametrize(("name", "count", "options", "code", "times"), BITES)
def test_a_limit_that_bites_is_told(
    tmp_path: pathlib.Path, name: str, count: int, options: dict[str, Any], code: str, times: int
) -> None:
    result = _analyzed(tmp_path, name, count, **options)
    found = _counts(result)
    assert code in found, found
    assert not times or found[code] == times
    canary = "canary-first@honest"
    if "redact" in options:
        canary, _ = replaced_text(canary, Options(**options))
    assert canary in {call.call_id for call in result.calls}


@pytest.mark.parametrize(("name", "count", "options", "code"), LETS_THROUGH)
def test_a_larger_limit_lets_more_through(
    tmp_path: pathlib.Path, name: str, count: int, options: dict[str, Any], code: str
) -> None:
    smaller = {key: value for key, value in options.items() if value <= getattr(Options(), key)}
    assert code in _counts(_analyzed(tmp_path, name, count, **smaller))
    assert code not in _counts(_analyzed(tmp_path, name, count, **options))


@pytest.mark.parametrize(
    ("name", "option", "canaries"), [("huge-record", "max_record_bytes", 1), ("huge-block", "max_block_bytes", 2)]
)
def test_what_is_larger_than_a_capture_may_have_is_damage_with_its_place(
    tmp_path: pathlib.Path, name: str, option: str, canaries: int
) -> None:
    assert _analyzed(tmp_path, name, 100_000).captures[0].damage is None
    result = _analyzed(tmp_path, name, 100_000, **{option: 65_536})
    assert "found 100000" in (result.captures[0].damage or "")
    assert len(HONEST & {call.call_id for call in result.calls}) == canaries


def test_holes_that_are_filled_within_the_limit_are_no_loss(tmp_path: pathlib.Path) -> None:
    assert "tcp-lost-segment" not in _counts(_analyzed(tmp_path, "connections-filled", 60))


def test_pairs_and_hours_beyond_the_limit_are_taken_together(tmp_path: pathlib.Path) -> None:
    scopes = {each.scope for each in summarize_statistics(_analyzed(tmp_path, "failures", 30, max_statistics_scopes=0))}
    assert scopes == {"all", "other pairs", "other hours"}


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.count < 1 << 30])
def test_honest_calls_beside_a_small_attack_are_whole(tmp_path: pathlib.Path, name: str) -> None:
    result = _analyzed(tmp_path, name, min(ATTACKS[name].count, 3 if ATTACKS[name].count <= 10_000 else 200))
    honest = {call.call_id: call for call in result.calls if call.call_id in HONEST}
    assert set(honest) == HONEST
    assert all(call.state == "completed" and call.messages == 6 for call in honest.values())


def test_what_a_limit_left_out_is_no_copy_of_its_like(tmp_path: pathlib.Path) -> None:
    assert "sip-capture-duplicate" not in _counts(_analyzed(tmp_path, "call-ids", 300, max_messages=50))


@pytest.mark.parametrize("block_bytes", [4_096, 8 << 20])
def test_the_same_call_ids_are_kept_however_the_file_is_divided(tmp_path: pathlib.Path, block_bytes: int) -> None:
    result = _analyzed(tmp_path, "call-ids", 300, max_calls=100, block_bytes=block_bytes)
    assert len(result.calls) == 100
    assert {call.call_id for call in result.calls} == {"canary-first@honest", *(f"{i:09d}@evil" for i in range(99))}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often the timeline asked for a socket's streams."""
    asked: list[int] = []
    ask = MediaTimeline._at

    def count(self: MediaTimeline, socket: Any) -> list[int]:
        asked.append(1)
        return ask(self, socket)

    monkeypatch.setattr(MediaTimeline, "_at", count)
    yield asked


def test_twice_as_many_forks_are_twice_the_work(tmp_path: pathlib.Path, looked_at: list[int]) -> None:
    _analyzed(tmp_path, "forks", 100)
    once = len(looked_at)
    looked_at.clear()
    _analyzed(tmp_path, "forks", 200)
    assert len(looked_at) <= 2.2 * once


@pytest.mark.parametrize("suffix", ["gz", "zst", "xz", "bz2", "lz4"])
def test_what_inflates_beyond_belief_is_left_and_told(tmp_path: pathlib.Path, suffix: str) -> None:
    path = tmp_path / f"bomb.pcap.{suffix}"
    write_attack(f"bomb-{suffix}", path, 64 << 20)
    result = sipanalyzer.pipeline.analyze(str(path), Options(max_inflated_bytes=1 << 20, max_inflated_ratio=50))
    capture = result.captures[0]
    assert _counts(result) == {"inflated-limit": 1}
    assert capture.damage is not None
    assert "max_inflated_ratio" in capture.damage
    assert [call.call_id for call in result.calls] == ["canary-first@honest"]


def test_redacting_does_not_open_a_bomb(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bomb.pcap.gz"
    write_attack("bomb-gz", path, 64 << 20)
    options = Options(max_inflated_bytes=1 << 20, max_inflated_ratio=50, redact=True, redact_key="x")
    assert "inflated-limit" in _counts(sipanalyzer.pipeline.analyze(str(path), options))


def test_a_capture_below_the_allowance_may_be_squeezed_as_it_will(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "plain.pcap.bz2"
    write_attack("bomb-bz2", path, 64 << 20)
    assert sipanalyzer.pipeline.analyze(str(path), Options()).captures[0].damage is None
