"""One value of a table becomes text: for machines, and for people at a terminal. Floor 8, standard library only.

Owns how times are written and read, and that nothing from the wire reaches a terminal as anything but visible text.
In: Python values (times as ns since 1970). Out: strings.
"""

from __future__ import annotations

import datetime
import functools
import math
import os
import pathlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from .columns import Column

__all__ = [
    "Cell",
    "clean",
    "clean_all",
    "harmless",
    "iso",
    "iso_all",
    "local_time",
    "machine",
    "moment",
    "number",
    "parse_time",
    "people",
    "rounded",
    "rounded_all",
    "visible",
    "zone",
]

Cell = str | int | float | bool | None

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d{0,20})?)?)? ?(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_SECONDS = re.compile(r"(\d{1,10})(?:\.(\d{1,9})\d{0,20})?", re.ASCII)
_SURROGATES = re.compile("[\ud800-\udfff]")
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)")
_EXACT = 1e12
"""Products below it are off by less than 1e-3 (their last bit is 2**-13)."""
_FEW = 64
"""Values up to which a column is made one by one."""
_DECIMALS = {"ms": 2, "s": 2, "%": 2, "ppm": 1, "kbit/s": 1}


def zone(name: str) -> datetime.tzinfo:
    """The time zone of that name; ``local`` is this machine's.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    if name.lower() in ("utc", "z"):
        return datetime.UTC
    if name.lower() == "local":
        return _local()
    import zoneinfo  # here: it loads the build configuration of Python, and --help needs none

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; it is a name such as Europe/Berlin, UTC, or local") from None


def _local() -> datetime.tzinfo:
    import zoneinfo

    name = os.environ.get("TZ", "").removeprefix(":")
    try:  # a zone with its history: summer time of the capture's day, not of today
        if name:
            return zoneinfo.ZoneInfo(name)
        with pathlib.Path("/etc/localtime").open("rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key="local")
    except (KeyError, OSError, ValueError):
        return datetime.datetime.now().astimezone().tzinfo or datetime.UTC


def parse_time(text: str, tz: datetime.tzinfo = datetime.UTC) -> int:
    """Time in ns since 1970 from ISO 8601 text or from seconds since 1970.

    Parameters
    ----------
    text : str
        ``2022-01-12T23:38:26.123456789Z``, with a space for the ``T``, with an offset, with fewer places, or only a
        date; or ``1642030706.5``.
    tz : datetime.tzinfo
        Zone of a time that names none.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = text.strip()
    match = _SECONDS.fullmatch(text)
    if match and not (len(match[1]) < 5 and match[2] is None):
        return int(match[1]) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time; write it as 2022-01-12T23:38:26.5, with Z or +01:00 where needed")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if match[8] == "Z":
        tz = datetime.UTC
    elif match[8]:
        hours, minutes = int(match[8][1:3]), int(match[8][-2:])
        offset = (-1 if match[8][0] == "-" else 1) * datetime.timedelta(hours=hours, minutes=minutes)
        if hours > 23 or minutes > 59:
            raise ValueError(f"{text!r} is no time: no zone is {match[8]} from UTC")
        tz = datetime.timezone(offset)
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=tz)
        since = moment - _EPOCH
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time: {error}") from None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


def moment(ns: int, tz: datetime.tzinfo = datetime.UTC) -> datetime.datetime:
    """The time as a datetime, its nanoseconds cut to microseconds."""
    return (_EPOCH + datetime.timedelta(microseconds=ns // 1_000)).astimezone(tz)


def iso(ns: int) -> str:
    """ISO 8601 in UTC: microseconds, or nanoseconds where there are any.

    Examples
    --------
    >>> iso(1642030706_123456000), iso(1642030706_123456789)
    ('2022-01-12T23:38:26.123456Z', '2022-01-12T23:38:26.123456789Z')
    """
    seconds, nanoseconds = divmod(ns, 1_000_000_000)
    text = _second(seconds)
    return f"{text}.{nanoseconds:09d}Z" if nanoseconds % 1_000 else f"{text}.{nanoseconds // 1_000:06d}Z"


@functools.lru_cache(maxsize=1_024)  # rows stand in order of time: the same second comes again and again
def _second(seconds: int) -> str:
    return (_EPOCH + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def iso_all(values: Sequence[Cell]) -> list[str | None]:
    """A column of times, each as :func:`iso` writes it; missing stays missing."""
    if len(values) < _FEW or None in values:
        return [None if value is None else iso(int(value)) for value in values]
    import numpy as np  # here: pages of words need none

    times = np.array(values, np.int64)
    if (times % 1_000).any():
        return [iso(int(value)) for value in values]  # type: ignore[arg-type]
    seconds, digits = np.divmod(times // 1_000, 1_000_000)
    distinct, which = np.unique(seconds, return_inverse=True)
    heads = np.array([_second(each) + "." for each in distinct.tolist()], "S20").view(np.uint8).reshape(-1, 20)
    letters = np.empty((len(times), 27), np.uint8)
    letters[:, :20] = heads[which]
    for place in range(25, 19, -1):
        digits, digit = np.divmod(digits, 10)
        letters[:, place] = digit + ord("0")
    letters[:, 26] = ord("Z")
    text = letters.tobytes().decode("ascii")
    return [text[at : at + 27] for at in range(0, len(text), 27)]


def local_time(ns: int, tz: datetime.tzinfo, *, date: bool = True) -> str:
    """Time for people, to the millisecond (rounded down, as clocks do)."""
    seconds, rest = divmod(ns, 1_000_000_000)
    day, clock = _local_second(seconds, tz)
    return f"{day} {clock}.{rest // 1_000_000:03d}" if date else f"{clock}.{rest // 1_000_000:03d}"


@functools.lru_cache(maxsize=1_024)
def _local_second(seconds: int, tz: datetime.tzinfo) -> tuple[str, str]:
    """Date and time of day in a zone: its offset from UTC is whole seconds."""
    local = moment(seconds * 1_000_000_000, tz)
    return f"{local.year:04d}-{local:%m-%d}", f"{local:%H:%M:%S}"


def clean(text: str) -> str:
    """The text with lone surrogates (bytes that were no UTF-8) made U+FFFD, so that every format can hold it."""
    return text if text.isprintable() else _SURROGATES.sub("\ufffd", text)


def clean_all(values: list[Any]) -> list[Any]:
    """A column of texts, each :func:`clean`; what is no text stays, and a column that is clean is given back."""
    try:
        joined = "".join(filter(None, values))
        if joined.isascii() or _SURROGATES.search(joined) is None:  # one search instead of one a cell
            return values
    except TypeError:
        pass
    return [clean(value) if isinstance(value, str) else value for value in values]


def visible(text: str) -> str:
    r"""The text as it may go to a terminal: control, format and bidirectional characters stand as ``\x1b``, ``\u202e``.

    Examples
    --------
    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def harmless(text: str) -> str:
    r"""The text for files that are looked at on terminals too: like :func:`visible`, but tabs and line ends stay.

    What does nothing to a terminal stays too, such as the joiners of emoji and of Persian.

    Examples
    --------
    >>> harmless("a\x1b[31mb\r\n\u202e")
    'a\\x1b[31mb\r\n\\u202e'
    """
    return text if text.isprintable() else _OBEYED.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) == "Zs":  # spaces other than ' ' are harmless, and not printable to Python
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float, unit: str) -> str:
    """A number for people: as many decimals as mean something in its unit, thousands not grouped."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.{_DECIMALS.get(unit, 2)}f}"


def rounded(value: float, unit: str) -> float:
    """A number as tables hold it, everywhere: to the nanosecond where it is a time, else to six decimals.

    Parameters
    ----------
    value : float
        As it was reckoned.
    unit : str
        ``s``: nine decimals; anything else: six.

    Examples
    --------
    >>> rounded(-1.7820000000001528, "ms"), rounded(-1e-9, "%")
    (-1.782, 0.0)
    """
    return round(value, _places(unit)) + 0.0  # -0.0 becomes 0.0


def rounded_all(values: list[Any], unit: str) -> list[Cell]:
    """A column of numbers, each :func:`rounded`; missing stays missing."""
    if values.count(None) == len(values):
        return values
    places = _places(unit)
    if len(values) < _FEW:
        return [None if value is None else round(float(value), places) + 0.0 for value in values]
    import numpy as np  # here: pages of words need none

    # The nearest whole number of units, over units a whole, is what round gives: both are the double next to that
    # decimal. Only where the product lies halfway between two numbers, within its own error, round must say which.
    reals = np.array(values, np.float64)
    units = 10.0**places
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is not sure
        scaled = reals * units
        whole = np.rint(scaled)
        sure = (np.abs(scaled) < _EXACT) & (np.abs(np.abs(scaled - whole) - 0.5) > 1e-3)
    made: list[Cell] = (whole / units + 0.0).tolist()
    for at in np.flatnonzero(~sure).tolist():
        value = values[at]
        made[at] = None if value is None else round(float(value), places) + 0.0
    return made


def _places(unit: str) -> int:
    return 9 if unit == "s" else 6


def machine(values: Sequence[Cell], column: Column) -> Sequence[Cell]:
    """Cells of a column for machines: times in ISO 8601 with ``Z``, what is no number missing, the rest as it is."""
    if column.dtype == "time":
        return iso_all(values)
    if column.dtype == "float":
        return [value if value is None or math.isfinite(value) else None for value in values]  # type: ignore[arg-type]
    return values


def people(value: Cell, column: Column, tz: datetime.tzinfo, *, date: bool = True) -> str:
    """A cell for people: times in their zone, rounded numbers, harmless text, missing as ``-``."""
    if value is None:
        return "-"
    if column.dtype == "time":
        return local_time(int(value), tz, date=date)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return visible(value)
    return number(value, column.unit)
