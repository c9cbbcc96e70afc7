"""Which captures are read: as they are, or redacted. Floor 3. Loads nothing of the redaction where none is wanted.

In: what a person named, and the options. Out: inputs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..capture.source import Input, expand
from ..options import Options

__all__ = ["inputs_of", "with_key"]


def with_key(options: Options) -> Options:
    """The options, with a key where something is to be redacted and none was given."""
    if not options.redact or options.redact_key is not None:
        return options
    import secrets

    return dataclasses.replace(options, redact_key=secrets.token_hex(16))


def inputs_of(captures: Any, options: Options) -> list[Input]:
    """Everything that `captures` names, as inputs; redacted where the options say so.

    Parameters
    ----------
    captures : path, str, file object, or sequence of these
        As for :func:`sipanalyzer.capture.source.expand`.
    options : Options
        `redact`, `redact_key`.

    Raises
    ------
    ValueError
        As there; and where a redaction has no key (:func:`with_key` makes one).
    """
    if not options.redact:
        return expand(captures, options)
    from .door import redacted

    return redacted(captures, options)
