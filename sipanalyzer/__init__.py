"""Reads packet captures of SIP and RTP and says what happened to every call, with numbers that are right.

``sipanalyzer.analyze("a.pcap")`` gives an :class:`~sipanalyzer.analysis.Analysis`. Importing this package loads the
standard library only; what is heavy is loaded when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import CaptureError, CaptureWarning, ParseError, SipAnalyzerError
from .options import Options

if TYPE_CHECKING:
    from .analysis import Analysis
    from .opening import analyze

__all__ = [
    "Analysis",
    "CaptureError",
    "CaptureWarning",
    "Options",
    "ParseError",
    "SipAnalyzerError",
    "__version__",
    "analyze",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Analysis":
        from .analysis import Analysis

        return Analysis
    if name == "analyze":
        from .opening import analyze

        return analyze
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
