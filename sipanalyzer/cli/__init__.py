"""The command line: arguments, exit statuses, progress and warnings on standard error. Floor 10.

In: what was typed. Out: the result on standard output, an exit status. :func:`run` is the console script; whatever
goes wrong on the way ends in :func:`main` as one line on standard error.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..errors import CaptureError
from . import interrupts

__all__ = ["DAMAGED", "DONE", "FOUND", "UNREADABLE", "USAGE", "main", "run"]

DONE, DAMAGED, USAGE, UNREADABLE, FOUND = 0, 1, 2, 3, 4
"""Exit statuses: all was read; something was damaged, the rest is reported; wrong usage; nothing could be read; a
finding that ``--fail-on`` names. What a signal ended has :func:`.interrupts.status_of`."""
_NO_ROOM = frozenset(getattr(errno, name, 0) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO"))
"""Why nothing more can be written."""
results: list[object] | None = None
"""Results of this process; a list in the console script alone, which ends without taking them apart."""


def run() -> NoReturn:
    """The console script: run the command and end the process at once, without taking its data apart piece by piece."""
    global results
    interrupts.listen()
    results = []
    gc.disable()  # a command lives for seconds and makes no garbage in cycles worth looking for
    status = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed where writing to it failed
            stream.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind the command's name; without it what was typed.
    """
    import click

    _open_closed()
    from .commands import Ended, ReaderGone, sipanalyzer
    from .messages import CannotWrite, say, show_error

    for stream in (sys.stdout, sys.stderr):  # a terminal that is not UTF-8 shows ? rather than a traceback
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = sipanalyzer.main(
            list(arguments) if arguments is not None else None, prog_name="sipanalyzer", standalone_mode=False
        )
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotWrite("standard output", error) from None
        return status if isinstance(status, int) else DONE
    except click.ClickException as error:
        show_error(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, Ended):
        say("interrupted")
        return interrupts.status_of()
    except (BrokenPipeError, ReaderGone):  # Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except CannotWrite as error:
        say(str(error))
        return USAGE
    except CaptureError as error:
        say(str(error))
    except MemoryError:
        say("out of memory")
    except OSError as error:
        if error.filename is None and error.errno in _NO_ROOM:  # click's own: help, version
            say(str(CannotWrite("standard output", error)))
            return USAGE
        reason = error.strerror or str(error)
        say(reason if error.filename is None else f"{error.filename}: {reason}")
    return UNREADABLE


def _open_closed() -> None:
    """Give standard output and error that were closed (``>&-``, as some schedulers do) a place to go."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (open to the end)
