"""The front door: ``analyze()`` reads captures and gives an :class:`~sipanalyzer.analysis.Analysis`. Floor 9.

In: captures, settings, checked here. Out: the analysis; warnings of what was not read, or not to its end.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import warnings
from collections.abc import Callable, Iterable
from typing import IO, Any

from .analysis import Analysis
from .errors import CaptureWarning
from .options import Options
from .output.cells import clean, parse_time
from .output.lookup import narrow
from .result import Result

__all__ = ["analyze"]

Source = str | os.PathLike[str] | IO[bytes]


def analyze(
    source: Source | Iterable[Source],
    *,
    options: Options | None = None,
    from_time: str | float | datetime.datetime | None = None,
    to_time: str | float | datetime.datetime | None = None,
    number: str | None = None,
    progress: Callable[[Any], None] | None = None,
    **settings: Any,
) -> Analysis:
    """Read captures and say what happened to every call.

    Parameters
    ----------
    source : path, URL, folder, glob, binary file, or a list of them
        What to read; several are one capture, in order of time. ``-`` is standard input.
    options : Options, optional
        Settings of the analysis.
    from_time, to_time : str, float or datetime.datetime, optional
        Leave out packets before and after; ISO 8601, UTC where no zone is named; or seconds since 1970.
    number : str, optional
        Only calls of that number, however it is written.
    progress : callable, optional
        Called now and then with an object that has ``bytes_read``, ``bytes_total``, ``packets`` and ``calls``.
    **settings
        Fields of :class:`~sipanalyzer.Options`, such as ``sort_records=5000``.

    Returns
    -------
    Analysis
        Where a file broke off, ``analysis.captures.damage`` says where.

    Warns
    -----
    CaptureWarning
        If a file broke off, or one of several could not be read: the analysis is of the rest.

    Raises
    ------
    CaptureError
        If nothing could be read.
    ValueError
        If a setting does not exist or a time cannot be read.

    Examples
    --------
    >>> analysis = analyze("sample_pcaps/plain_call.pcap")  # doctest: +SKIP
    >>> analysis.calls[["caller", "callee", "state"]]  # doctest: +SKIP
    """
    from . import pipeline

    if isinstance(source, str | os.PathLike) or hasattr(source, "read") or hasattr(source, "readinto"):
        sources: list[Any] = [source]
    elif isinstance(source, bytes | bytearray | memoryview):
        raise ValueError("a capture's bytes are read through io.BytesIO(...)")
    elif isinstance(source, Iterable):
        sources = list(source)
    else:
        raise ValueError(f"not a capture: {source!r} (a path, URL, folder, glob, binary file, or a list of them)")
    captures: list[Any] = [os.fspath(each) if isinstance(each, os.PathLike) else each for each in sources]
    if not captures:
        raise ValueError("there is no capture to read")
    if options is not None and not isinstance(options, Options):
        raise ValueError(f"options must be an Options, not {options!r}")
    known = {field.name for field in dataclasses.fields(Options)}
    unknown = sorted(set(settings) - known)
    if unknown:
        import difflib

        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f", did you mean {near[0]!r}" if near else f"; there are {', '.join(sorted(known))}"
        raise ValueError(f"there is no option {unknown[0]!r}{hint}")
    for name, value in (("from_time_ns", from_time), ("to_time_ns", to_time)):
        if value is not None:
            settings[name] = _nanoseconds(value)
    chosen = dataclasses.replace(options or Options(), **settings)
    result = pipeline.analyze(captures, chosen, progress)
    _warn(result)
    if number is not None:
        from .output.by_number import call_ids_of, shown_number

        result = narrow(result, call_ids_of(result, str(number)), number=shown_number(result, str(number)))
    return Analysis(result, captures)


def _warn(result: Result) -> None:
    """Tell of what was not read, or not to its end."""
    told = [str(error) for error in result.extra.get("unreadable", ())]
    for capture in result.captures:
        if capture.damage is not None:
            known = capture.damage.startswith(capture.file)
            told.append(capture.damage if known else f"{capture.file}: {capture.damage}")
    for text in told:
        warnings.warn(clean(text), CaptureWarning, stacklevel=3)


def _nanoseconds(time: str | float | datetime.datetime) -> int:
    if not isinstance(time, datetime.datetime) or time != time:  # pandas' NaT is a datetime, and not itself
        return parse_time(str(time))  # seconds since 1970, a date and numpy's datetime64 write themselves so too
    aware = time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)
    since = aware - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    nanoseconds = int(getattr(time, "nanosecond", 0))  # a pandas Timestamp has them
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000 + nanoseconds
