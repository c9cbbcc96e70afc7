"""The commands. Floor 10. Loads click and the standard library only; what works is loaded when a command runs."""

from __future__ import annotations

from typing import Any

import click

from .. import __version__
from ..output.columns import names
from . import DONE
from .arguments import captures_argument, id_option, output_options, reading_options, table_options
from .browsing import browse
from .messages import CannotWrite, say
from .pictures import flow, report
from .reading import make_reading, usage_errors
from .taking import audio, extract

__all__ = ["Ended", "ReaderGone", "sipanalyzer"]

_EPILOG = """CAPTURE is a file, a folder, a glob, a URL, or - for standard input; several are one capture, in order of
time. Exit status: 0 done; 1 a capture is damaged (what could be read was reported); 2 wrong usage; 3 nothing could be
read; 4 there is a finding that --fail-on names."""
_ABOUT = {
    "calls": ("One row a call.", "Who, when, what became of it, how long set-up took, how the media was."),
    "streams": ("One row an RTP stream.", "Packets, loss, jitter, codec, and the call that it belongs to."),
    "messages": ("One row a SIP message.", "As it was on the wire at one hop; of a resent one, every copy."),
    "dialogs": ("One row a dialog.", "A Call-ID with its two tags; a forked call has several."),
    "transactions": ("One row a transaction.", "A request with its responses at one hop, and how long they took."),
    "registrations": ("One row a registration.", "A REGISTER with its challenges up to its final response."),
    "pages": ("One row a MESSAGE request.", "The pager model: sizes, status, how long delivery took, the text."),
    "subscriptions": ("One row a subscription.", "SUBSCRIBE and REFER with their NOTIFYs: event, state, lifetime."),
    "probes": ("One row a pair of peers that ping each other.", "OPTIONS sent and answered, and how fast."),
    "endpoints": ("One row an address.", "Roles, products, messages, calls, response times, loss to and from it."),
    "findings": ("One row a finding.", "What is wrong, the frames that show it, and what to do about it."),
    "statistics": ("One row a figure.", "RFC 6076, ASR, NER, ACD: over the capture, by pair of hosts, by hour."),
    "intervals": ("One row an interval of a stream.", "Ten seconds each: packets, lost, discarded, jitter, R, MOS."),
    "rtcp": ("One row a report in RTCP.", "Loss, jitter and round trip as the far end reported them."),
    "captures": ("One row a file.", "Packets, time span, drops, what was wrong with single packets, damage, grade."),
}
_WHERE = """EXPRESSION: columns, numbers and texts in quotes, with == != < <= > >= in and or not + - * / and
column.startswith('..'), .endswith, .contains, .lower(), .upper(); times as '2022-01-12T23:38:26'; missing is None.
What is missing fits no comparison but == None."""


class ReaderGone(Exception):
    """Whoever read the output (head, less) has seen enough."""


class Ended(Exception):
    """Somebody wished the command to end."""


class _InOrder(click.Group):
    """Lists its commands in the order in which they stand in this file."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what click would take for its own (a broken pipe, Ctrl-C) is renamed."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None
        except KeyboardInterrupt:
            raise Ended from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sipanalyzer")
def sipanalyzer() -> None:
    """Reads packet captures of SIP and RTP and says what happened to every call.

    Begin with: sipanalyzer summary CAPTURE
    """


@sipanalyzer.command()
@captures_argument
@reading_options()
@output_options("text", "json", default="text")
def summary(captures: tuple[str, ...], format: str | None, output: str | None, force: bool, **options: Any) -> int:
    """What is in it: calls, success, quality, problems."""
    from .writing import make_target, page_width, write_json, write_page

    target = make_target(format, output, force, people="text", pipe="text")
    reading = make_reading(captures, **options)
    result, status = reading.read()
    from ..output.summary import summarize
    from ..output.summary_page import summary_lines

    data = summarize(result)
    if target.format == "json":
        write_json(data, target)
    else:
        write_page(summary_lines(data, page_width() or 80, reading.tz, captures, reading.typed), target)
    return reading.status(result, status)


def _table_command(name: str) -> None:
    """Add the command that shows one table."""
    about = _ABOUT[name]
    epilog = f"{_WHERE}\n\nColumns: {', '.join(names(name))}."

    @sipanalyzer.command(name, help="\n\n".join(about), short_help=about[0], epilog=epilog)
    @captures_argument
    @reading_options(number=name != "captures")
    @table_options()
    def show(
        captures: tuple[str, ...],
        format: str | None,
        output: str | None,
        force: bool,
        columns: str | None,
        sort: str | None,
        limit: int | None,
        where: str | None,
        **options: Any,
    ) -> int:
        from ..output.selection import make_selection
        from ..output.tables import table
        from .writing import make_target, write_rows

        reading = make_reading(captures, **options)
        with usage_errors():
            selection = make_selection(name, where=where, sort=sort, limit=limit, columns=columns, tz=reading.tz)
        target = make_target(format, output, force)
        result, status = reading.read()
        write_rows(selection.apply(table(result, name)), target, reading.tz, chosen=columns is not None)
        return reading.status(result, status)


for _name in _ABOUT:
    _table_command(_name)


@sipanalyzer.command()
@captures_argument
@id_option
@reading_options()
@output_options("text", "json", default="text")
def call(
    captures: tuple[str, ...], which: str, format: str | None, output: str | None, force: bool, **options: Any
) -> int:
    """One call whole: facts, messages, streams."""
    from .writing import make_target, page_width, write_json, write_page

    target = make_target(format, output, force, people="text", pipe="text")
    reading = make_reading(captures, **options)
    result, status = reading.read()
    from ..output.call_page import call_data, call_lines
    from ..output.lookup import find_call

    with usage_errors():
        found = find_call(result, which)
    if target.format == "json":
        write_json(call_data(result, found), target)
    else:
        write_page(call_lines(result, found, page_width() or 120, reading.tz), target)
    return reading.status(result, status)


for _command in (flow, report):
    sipanalyzer.add_command(_command)


@sipanalyzer.command()
@captures_argument
@click.option(
    "-o", "--output", required=True, metavar="FOLDER", help="Where the files go; made where it does not exist."
)
@click.option(
    "--format", "format", type=click.Choice(("csv", "parquet", "json", "xlsx")), default="csv", show_default=True,
    help="How the tables are written.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@reading_options()
def export(captures: tuple[str, ...], output: str, format: str, force: bool, **options: Any) -> int:
    """Every table as a file in a folder."""
    from ..output.export import check_target, export_tables, planned_files
    from ..output.formats import require_library

    reading = make_reading(captures, **options)
    with usage_errors():
        require_library(format)
    import pathlib

    if pathlib.Path(output).is_dir():
        for path in planned_files(output, format):
            with usage_errors():
                try:
                    check_target(path, force=force)
                except OSError as error:
                    raise ValueError(str(error)) from None
    result, status = reading.read()
    try:
        with usage_errors():
            written = export_tables(result, output, format, force=force)
    except OSError as error:
        raise CannotWrite(output, error) from None
    say(f"wrote {len(written)} files to {output}")
    return reading.status(result, status)


for _command in (extract, audio, browse):
    sipanalyzer.add_command(_command)


@sipanalyzer.command()
@click.argument("thing", nargs=-1)
@output_options("text", "json", default="text")
def explain(thing: tuple[str, ...], format: str | None, output: str | None, force: bool) -> int:
    r"""What a finding, SIP status, Q.850 cause, method, header, metric or setting means, and what to do about it.

    \b
    sipanalyzer explain one-way-audio
    sipanalyzer explain 488
    sipanalyzer explain cause 17
    sipanalyzer explain Session-Expires
    sipanalyzer explain max_jitter_ms
    sipanalyzer explain playout_ms
    sipanalyzer explain list                 what can be explained
    sipanalyzer explain finding              every finding; likewise status, cause, method, header, metric, option
    """
    from ..output.explain_list import find_things, list_data, list_lines, wanted_list
    from ..output.explain_page import explain_data, explain_lines
    from .writing import make_target, page_width, write_json, write_page

    target = make_target(format, output, force, people="text", pipe="text")
    kind = wanted_list(thing)
    if kind is not None:
        if target.format == "json":
            write_json(list_data(kind), target)
        else:
            write_page(list_lines(kind, page_width() or 80), target)
        return DONE
    with usage_errors():
        found = find_things(" ".join(thing))
    if target.format == "json":
        write_json(explain_data(found), target)
    else:
        write_page(explain_lines(found, page_width() or 80), target)
    return DONE


@sipanalyzer.command()
@output_options("text", "json", default="text")
def options(format: str | None, output: str | None, force: bool) -> int:
    """Every setting of the analysis, its default and what it means; what --set takes."""
    from ..output.settings_page import settings_data, settings_lines
    from .writing import make_target, page_width, write_json, write_page

    target = make_target(format, output, force, people="text", pipe="text")
    if target.format == "json":
        write_json(settings_data(), target)
    else:
        write_page(settings_lines(page_width() or 80), target)
    return DONE
