"""The cells of the tables beside calls, streams and messages: RTCP, registrations, pages, findings and so on. Floor 8.

In: one thing of floor 1 (:mod:`sipanalyzer.facts`) and its result. Out: one value a column. Columns that are fields of
the same name are not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..result import Result, host_port
from .cells import Cell

__all__ = ["OTHER_CELLS"]

_Cells = dict[str, Callable[[Any, Result], Cell]]


def _ms(after: int | None, before: int | None) -> float | None:
    return None if after is None or before is None else (after - before) / 1e6


def _file(thing: Any, result: Result) -> str | None:
    number = thing.capture
    return result.captures[number].file if number is not None and 0 <= number < len(result.captures) else None


def _ssrc(number: int | None) -> str | None:
    return None if number is None else f"0x{number:08x}"


_SOCKETS: _Cells = {
    "src": lambda thing, _: host_port(thing.src),
    "dst": lambda thing, _: host_port(thing.dst),
    "capture": _file,
}


def _listed(name: str) -> Callable[[Any, Result], Cell]:
    return lambda thing, _: ",".join(map(str, getattr(thing, name))) or None


OTHER_CELLS: dict[str, _Cells] = {
    "transactions": {
        **_SOCKETS,
        "first_response_ms": lambda transaction, _: _ms(transaction.first_response, transaction.start),
        "final_response_ms": lambda transaction, _: _ms(transaction.final_response, transaction.start),
    },
    "dialogs": {
        "from_tag": lambda dialog, _: dialog.from_tag or None,
        "to_tag": lambda dialog, _: dialog.to_tag or None,
        "capture": _file,
    },
    "captures": {
        "link_types": _listed("link_types"),
        "anomalies": lambda capture, _: str(capture.anomalies) or None,
        "doubts": lambda capture, _: "; ".join(capture.doubts) or None,
    },
    "registrations": {
        "registrar": lambda registration, _: host_port(registration.registrar),
        "source": lambda registration, _: host_port(registration.source),
        "capture": _file,
    },
    "pages": _SOCKETS,
    "subscriptions": {"capture": _file},
    "probes": _SOCKETS,
    "endpoints": {"roles": _listed("roles"), "products": _listed("products")},
    "rtcp": {
        **_SOCKETS,
        "ssrc": lambda report, _: _ssrc(report.ssrc),
        "reported_ssrc": lambda report, _: _ssrc(report.reported_ssrc),
        "values": lambda report, _: ",".join(f"{name}={value:g}" for name, value in report.values) or None,
    },
    "findings": {
        "ssrc": lambda finding, result: None if finding.stream is None else _ssrc(result.streams[finding.stream].ssrc),
        "evidence": _listed("frames"),
        "causes": _listed("causes"),
        "capture": _file,
    },
    "statistics": {
        "unit": lambda statistic, _: statistic.unit or None,
        "note": lambda statistic, _: statistic.note or None,
    },
}
"""By table: how to make each column that is no field of the same name."""
