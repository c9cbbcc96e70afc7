"""Options that several commands share, as click decorators. Floor 10. Loads click and the standard library only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["captures_argument", "id_option", "output_options", "reading_options", "table_options", "zone_option"]

_F = TypeVar("_F", bound=Callable[..., Any])
_TABLE_FORMATS = ("table", "csv", "json", "jsonl", "md", "parquet", "xlsx")


def _stacked(*decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(function: _F) -> _F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


captures_argument = click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
id_option = click.option(
    "--id", "which", required=True, metavar="CALL", help="Call-ID, the beginning of one, or a row number from 0."
)
_number_option = click.option(
    "--number", metavar="N",
    help="Only calls whose From, To, Request-URI, asserted identity or diversion is N, however it is written.",
)  # fmt: skip
_time_options = (
    click.option("--from-time", metavar="TIME", help="Leave out packets before TIME (ISO 8601, in the zone of --tz)."),
    click.option("--to-time", metavar="TIME", help="Leave out packets after TIME."),
    click.option(
        "--sort-records", type=click.IntRange(0, 1_000_000), metavar="N",
        help="Put records in order that stand up to N records too late (default 1000).",
    ),
)  # fmt: skip
_fail_option = click.option(
    "--fail-on", metavar="CODE[,CODE]",
    help="End with status 4 where there is a finding with one of these codes (sipanalyzer explain finding lists them) "
    "or severities (error, warning, info).",
)  # fmt: skip
_set_option = click.option(
    "--set", "set_", multiple=True, metavar="OPTION=VALUE",
    help="Set an option of the analysis, such as playout_ms=40 or high_loss_warning_percent=0.5; as often as needed. "
    "sipanalyzer options lists them.",
)  # fmt: skip
_redact_options = (
    click.option(
        "--show-secrets", is_flag=True,
        help="Show answers to challenges, passwords in URIs and keys of media in messages; they are blanked otherwise.",
    ),
    click.option(
        "--redact", is_flag=True,
        help="Replace numbers, names, hosts, addresses, identifiers, bodies and media, consistently; figures stay.",
    ),
    click.option(
        "--redact-key", metavar="TEXT",
        help="With --redact: equal TEXT gives equal replacements, run after run.  [a random one for each run]",
    ),
    click.option(
        "--redact-key-file", metavar="FILE",
        help="With --redact: the key is the first line of FILE, which other users do not see as they see TEXT. So is "
        "SIPANALYZER_REDACT_KEY in the environment.",
    ),
)  # fmt: skip
zone_option = click.option(
    "--tz", default="UTC", metavar="ZONE", help="Zone in which times are shown to people: a name, or local.  [UTC]"
)


def reading_options(*, number: bool = True) -> Callable[[_F], _F]:
    """How captures are read and judged: ``--number``, ``--from-time``, ``--to-time``, ``--redact``, ``--set``, ..."""
    first = (_number_option,) if number else ()
    return _stacked(*first, *_time_options, zone_option, *_redact_options, _set_option, _fail_option)


def output_options(*formats: str, default: str) -> Callable[[_F], _F]:
    """Where the result goes: ``--format``, ``-o``, ``--force``."""
    return _stacked(
        click.option("--format", "format", type=click.Choice(formats), help=f"How it is written.  [{default}]"),
        click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output."),
        click.option("--force", is_flag=True, help="Overwrite FILE where it exists."),
    )


def table_options() -> Callable[[_F], _F]:
    """Which rows and columns, and in what form."""
    return _stacked(
        output_options(*_TABLE_FORMATS, default="by the name of FILE; table on a terminal, csv in a pipe"),
        click.option("--columns", metavar="A,B", help="These columns, in this order."),
        click.option(
            "--sort",
            metavar="COLUMN",
            help="By this column; -COLUMN: descending. Missing values come last; of severities and grades the worst "
            "comes first.",
        ),
        click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most N rows."),
        click.option("--where", metavar="EXPRESSION", help="Only rows for which it is true: \"state == 'failed'\"."),
    )
