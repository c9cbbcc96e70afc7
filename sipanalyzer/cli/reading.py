"""Captures are read: progress, warnings, exit status. Floor 10. In: what was typed. Out: a result and a status."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from .. import cli
from ..output.cells import parse_time, zone
from . import DAMAGED, DONE, FOUND, interrupts
from .messages import say, warn
from .progress import ProgressBar

__all__ = ["Reading", "make_reading", "usage_errors"]

KEY_VARIABLE = "SIPANALYZER_REDACT_KEY"
_LONGEST_KEY = 65_536


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """What the user got wrong (ValueError) becomes a usage error, exit status 2."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error), click.get_current_context(silent=True)) from None


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked wish to read captures."""

    captures: tuple[str, ...]
    tz: datetime.tzinfo
    number: str | None
    settings: dict[str, Any]
    fail_on: frozenset[str] = frozenset()
    typed: tuple[str, ...] = ()
    """What was typed of it, for commands that are proposed."""

    def status(self, result: Any, status: int) -> int:
        """The exit status: that of reading, or (where all was well) that of a finding that ``--fail-on`` names."""
        if not self.fail_on or interrupts.ends_early(status):
            return status
        from ..output.derived import findings_of

        found = [each for each in findings_of(result) if not self.fail_on.isdisjoint((each.code, each.severity))]
        return FOUND if found else status

    def read(self, *, partly: bool = True) -> tuple[Any, int]:
        """The result, and the exit status so far; warnings go to standard error.

        Parameters
        ----------
        partly : bool
            Whether Ctrl-C gives the result so far; otherwise it ends the command.

        Raises
        ------
        CaptureError
            If nothing could be read.
        """
        from .. import pipeline
        from ..capture.stopping import NOT_READ, is_interrupted
        from ..errors import CaptureError
        from ..options import Options

        with ProgressBar() as bar, interrupts.reading(partly=partly) as stop:

            def update(progress: pipeline.Progress) -> None:
                if progress.bytes_read < progress.bytes_total:  # a large capture: the reading thread is busy with it,
                    from ..findings import engine  # noqa: F401 (and this one has time to load what comes after)
                    from ..output import tables  # noqa: F401
                bar.update(progress)

            try:
                result = pipeline.analyze(list(self.captures), Options(**self.settings), update, stop)
            except CaptureError:
                if stop is not None and stop.asked:  # it came before there was anything to be told
                    raise interrupts.Interrupted from None
                raise
        if cli.results is not None:  # half a million objects, whose last reference would go with the command's
            cli.results.append(result)
        status = DONE
        if result.options.redact:
            from ..redaction.door import wiped

            if count := wiped(result.options):
                warn(f"{count} compressed WebSocket messages cannot be redacted where they stand, and were wiped")
        passed = result.extra.get("passed_over", ())
        if passed:
            from ..output.summary_page import passed_over

            say(passed_over(passed))
        unread = [error for error in result.extra.get("unreadable", ()) if error.reason != NOT_READ]
        for error in unread:
            warn(str(error))
            status = DAMAGED
        for capture in result.captures:
            if capture.damage is not None and not is_interrupted(capture.damage):
                told = (
                    capture.damage if capture.damage.startswith(capture.file) else f"{capture.file}: {capture.damage}"
                )
                warn(f"{told}; what stands before it is reported")
                status = DAMAGED
        if stop is not None and stop.asked:
            status = interrupts.status_of()
            _tell_interrupt(result)
        if self.number is not None:
            from ..output.by_number import call_ids_of, shown_number
            from ..output.lookup import narrow

            with usage_errors():
                result = narrow(result, call_ids_of(result, self.number), number=shown_number(result, self.number))
        return result, status


def _tell_interrupt(result: Any) -> None:
    """Say how far reading came when it was interrupted."""
    from ..capture.stopping import NOT_READ, is_interrupted

    broken = [capture for capture in result.captures if is_interrupted(capture.damage)]
    left = sum(error.reason == NOT_READ for error in result.extra.get("unreadable", ()))
    left += sum(capture.damage == NOT_READ for capture in broken)
    packets = sum(capture.packets for capture in result.captures)
    if not broken and not left:
        say("interrupted, but all was read by then; what follows is whole")
        return
    files = f"; {left} file{' was' if left == 1 else 's were'} not begun" if left else ""
    say(f"interrupted after {packets:,} packets{files}; what was read by then is reported")


def make_reading(
    captures: Sequence[str],
    *,
    tz: str,
    from_time: str | None = None,
    to_time: str | None = None,
    sort_records: int | None = None,
    number: str | None = None,
    set_: Sequence[str] = (),
    fail_on: str | None = None,
    redact: bool = False,
    redact_key: str | None = None,
    redact_key_file: str | None = None,
    show_secrets: bool = False,
) -> Reading:
    """Check how captures are to be read.

    Raises
    ------
    click.UsageError
        If a time, a zone or an option cannot be read, or there is no such finding.
    """
    with usage_errors():
        place = zone(tz)
        settings: dict[str, Any] = {}
        for name, text in (("from_time_ns", from_time), ("to_time_ns", to_time)):
            if text is not None:
                settings[name] = parse_time(text, place)
        if from_time is not None and to_time is not None and settings["from_time_ns"] > settings["to_time_ns"]:
            raise ValueError(f"--from-time {from_time} is later than --to-time {to_time}")
        if sort_records is not None:
            settings["sort_records"] = sort_records
        if set_:
            from ..options import parse_settings

            settings |= parse_settings(set_)
        if show_secrets:
            settings["show_secrets"] = True
        if redact:
            settings["redact"] = True
        redact_key = _redact_key(redact_key, redact_key_file, bool(settings.get("redact")))
        if redact_key is not None:
            settings["redact_key"] = redact_key
        if list(captures).count("-") > 1:
            raise ValueError("standard input (-) can be read once only")
        codes = _codes(fail_on)
    typed = [("--tz", tz if tz.upper() != "UTC" else None), ("--from-time", from_time), ("--to-time", to_time)]
    redacted = bool(settings.get("redact"))  # what is typed may be shown: not the number that was meant, nor the key
    typed += [("--sort-records", None if sort_records is None else str(sort_records))]
    typed += [("--number", None if redacted else number)]
    typed += [("--set", each) for each in set_ if not each.strip().startswith("redact")]
    told = tuple(part for name, value in typed if value is not None for part in (name, value))
    told += ("--redact",) if redacted else ()
    return Reading(tuple(captures), place, number, settings, codes, told)


def _redact_key(text: str | None, file: str | None, redacted: bool) -> str | None:
    """The key that is given by an option, a file, or, with ``--redact``, by the environment; None: a random one.

    Raises
    ------
    ValueError
        If it is empty, given twice or without ``--redact``, or its file cannot be read.
    """
    if text is None and file is None:
        return os.environ.get(KEY_VARIABLE) or None if redacted else None
    if text is not None and file is not None:
        raise ValueError("--redact-key and --redact-key-file exclude each other")
    if text is not None:
        if not text or not redacted:
            raise ValueError("--redact-key takes a text and goes with --redact")
        return text
    if not redacted:
        raise ValueError("--redact-key-file goes with --redact")
    try:
        with pathlib.Path(str(file)).open("rb") as stream:
            line = stream.readline(_LONGEST_KEY).rstrip(b"\r\n")
    except OSError as error:
        raise ValueError(f"--redact-key-file cannot be read: {error.strerror or error}") from None
    except ValueError:  # a name with a zero byte
        raise ValueError("--redact-key-file cannot be read: that is no name of a file") from None
    if not line:
        raise ValueError("--redact-key-file has nothing in its first line")
    return line.decode("utf-8", "surrogateescape")


def _codes(text: str | None) -> frozenset[str]:
    """Codes and severities that ``--fail-on`` names.

    Raises
    ------
    ValueError
        If there is no such finding.
    """
    if text is None:
        return frozenset()
    from ..explanations import explanations
    from ..facts import SEVERITIES

    wanted = frozenset(each.strip().lower() for each in text.split(",") if each.strip())
    known = (*explanations("finding"), *SEVERITIES)
    unknown = sorted(wanted.difference(known))
    if unknown:
        import difflib

        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f", did you mean {near[0]!r}" if near else "; sipanalyzer explain finding lists them"
        raise ValueError(f"there is no finding {unknown[0]!r}{hint}")
    if not wanted:
        raise ValueError("--fail-on names no finding")
    return wanted
