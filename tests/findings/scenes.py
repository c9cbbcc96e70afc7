"""Captures in a line a message (:mod:`tests.said`), and what is found in them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from sipanalyzer.facts import Finding
from sipanalyzer.findings.engine import find_findings
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.builders import ETHERNET, START_NS, Packet, pcap_bytes
from tests.said import Said

Script = Iterable[Said | list[Said]]


def flat(script: Script) -> list[Said]:
    """Messages in order of time; lists among them are taken apart."""
    found: list[Said] = []
    for each in script:
        if isinstance(each, list):
            found += each
        else:
            found.append(each)
    return sorted(found, key=lambda said: said[0])


def capture(*script: Said | list[Said]) -> bytes:
    packets = [Packet(START_NS + round(ms * 1e6), frame, 0, len(frame)) for ms, frame in flat(script)]
    return pcap_bytes(packets, nanoseconds=True, link_type=ETHERNET)


def result(*script: Said | list[Said], **options: Any) -> Result:
    return analyze(io.BytesIO(capture(*script)), Options(**options))


def found(seen: Result) -> dict[str, list[Finding]]:
    """Findings by code."""
    by_code: dict[str, list[Finding]] = {}
    for each in find_findings(seen):
        by_code.setdefault(each.code, []).append(each)
    return by_code


def only(seen: Result, code: str) -> Finding:
    """The one finding of a code."""
    (finding,) = found(seen)[code]
    return finding


def again(said: Said, *times: float) -> list[Said]:
    """A message, and the same bytes at other times."""
    return [said, *((ms, said[1]) for ms in times)]
