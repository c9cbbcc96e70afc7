"""The commands that take something out of a capture: one call's frames, one call's sound. Floor 10.

Loads click and the standard library only.
"""

from __future__ import annotations

from typing import Any

import click

from .arguments import captures_argument, id_option, reading_options
from .messages import CannotWrite, say
from .reading import make_reading, usage_errors

__all__ = ["audio", "extract"]


@click.command(short_help="One call as a capture of its own.")
@captures_argument
@id_option
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to: FILE.pcapng.")
@click.option("--session", is_flag=True, help="All legs of the call's conversation.")
@click.option("--force", is_flag=True, help="Overwrite FILE where it exists.")
@reading_options()
def extract(captures: tuple[str, ...], which: str, output: str, session: bool, force: bool, **options: Any) -> int:
    """One call as a capture of its own, a pcapng that Wireshark opens: its SIP, RTP and RTCP as they were on the wire.

    IP fragments and TCP segments, ICMP errors, STUN, DTLS and T.38 of the call are in it as well, with their times and
    interfaces; a comment says which call it is and from where, and comments on packets which frames they were.
    """
    from .writing import check_output

    if "-" in captures:
        raise click.UsageError("frames are read from the capture once more, and standard input can be read once only")
    reading = make_reading(captures, **options)
    check_output(output, force)
    result, status = reading.read(partly=False)
    from ..analysis import Analysis

    with usage_errors():
        try:
            Analysis(result, list(captures)).call(which).extract(output, session=session, force=force)
        except OSError as error:
            raise CannotWrite(output, error) from None
    say(f"wrote {output}")
    return reading.status(result, status)


@click.command(short_help="One call as a WAV file.")
@captures_argument
@id_option
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to: FILE.wav.")
@click.option("--force", is_flag=True, help="Overwrite FILE where it exists.")
@reading_options()
def audio(captures: tuple[str, ...], which: str, output: str, force: bool, **options: Any) -> int:
    """What was said in one call: a WAV file, the caller left, the callee right."""
    from .writing import check_output

    reading = make_reading(captures, **options)
    if reading.settings.get("redact"):
        raise click.UsageError("what was said is content: there is no audio of a redacted capture")
    check_output(output, force)
    result, status = reading.read(partly=False)
    from ..analysis import Analysis

    with usage_errors():
        try:
            Analysis(result, list(captures)).call(which).audio(output, force=force)
        except OSError as error:
            raise CannotWrite(output, error) from None
    say(f"wrote {output}")
    return reading.status(result, status)
