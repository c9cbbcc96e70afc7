"""The commands that draw: flow charts and reports. Floor 10. Loads click and the standard library only."""

from __future__ import annotations

import contextlib
import gc
from typing import Any

import click

from . import interrupts
from .arguments import captures_argument, id_option, reading_options
from .messages import CannotWrite, say
from .reading import make_reading, usage_errors

__all__ = ["flow", "report"]


@click.command(short_help="Flow chart of one call.")
@captures_argument
@id_option
@click.option(
    "-o", "--output", metavar="FILE",
    help="Write to FILE.svg, .png, .pdf, .txt, .mmd (Mermaid) or .html instead of standard output.",
)  # fmt: skip
@click.option("--session", is_flag=True, help="All legs of the call's conversation on one page.")
@click.option("--all", "whole", is_flag=True, help="Draw every message: fold no exchange that repeats.")
@click.option("--width", type=click.IntRange(40, 1000), metavar="N", help="Columns of the text.  [the terminal's]")
@click.option("--force", is_flag=True, help="Overwrite FILE where it exists.")
@reading_options()
def flow(
    captures: tuple[str, ...],
    which: str,
    output: str | None,
    session: bool,
    whole: bool,
    width: int | None,
    force: bool,
    **options: Any,
) -> int:
    """Flow chart of one call: who sent what to whom, and when; its media and findings."""
    from .writing import make_target, page_width, write_page

    reading = make_reading(captures, **options)
    output = None if output == "-" else output
    end = "txt"
    if output:
        from ..output.flow.picture import check_name

        with usage_errors():
            end = check_name(output)
    target = make_target("text", output, force)
    result, status = reading.read()
    from ..analysis import Analysis

    with usage_errors():
        drawn = Analysis(result, list(captures)).call(which).flow(session=session, fold=not whole, tz=options["tz"])
    if output is None or end == "txt":
        from ..output.flow.text import draw_text

        wide = width or (None if output else page_width()) or 100
        write_page(draw_text(drawn.chart, wide, reading.tz), target)
    else:
        try:
            drawn.save(output, force=force)
        except OSError as error:
            raise CannotWrite(output, error) from None
    if output is not None:
        say(f"wrote {output}")
    return reading.status(result, status)


@click.command(short_help="One file to hand on: verdict, calls, flows.")
@captures_argument
@click.option(
    "-o", "--output", required=True, metavar="FILE",
    help="Where to: FILE.html, or FILE.md for a ticket; - is standard output (Markdown, unless --format html).",
)  # fmt: skip
@click.option(
    "--format", "format", type=click.Choice(("html", "md")), help="How it is written.  [by the name of FILE; html]"
)
@click.option("--title", metavar="TEXT", help="What stands above it.  [the names of the captures]")
@click.option("--force", is_flag=True, help="Overwrite FILE where it exists.")
@reading_options()
def report(
    captures: tuple[str, ...], output: str, format: str | None, title: str | None, force: bool, **options: Any
) -> int:
    """One file to hand on: verdict, calls, flow charts, messages, quality, findings. Works offline in any browser."""
    from .writing import check_output, opened

    reading = make_reading(captures, **options)
    from ..output.report import report_bytes, report_format
    from ..output.report.sharing import usable_processes

    with usage_errors():
        written = report_format(output, format or ("md" if output == "-" else None))
    if output != "-":
        check_output(output, force)
    result, status = reading.read()
    from ..analysis import Analysis

    sources: list[Any] | None = None
    if not interrupts.ends_early(status):  # else a second reading would find more than the first
        with contextlib.suppress(ValueError):  # read from a pipe: the report has what needs no second reading
            sources = Analysis(result, list(captures)).sources()
    gc.freeze()  # the result stays to the end: to look through it for garbage with each call costs a tenth of the time
    try:
        with opened(None if output == "-" else output, force) as stream:
            processes = usable_processes()
            for piece in report_bytes(result, sources, written, title=title, tz=reading.tz, processes=processes):
                stream.write(piece)
    finally:
        gc.unfreeze()
    if output != "-":
        say(f"wrote {output}")
    return reading.status(result, status)
