"""Messages become transactions, dialogs and calls: each shape of call is judged once (:mod:`.shapes`).

Owns: the order of the steps. In: the message table. Out: what :func:`~.transactions.match_transactions`,
:func:`~.dialogs.track_dialogs` and :func:`~.calls.build_calls` find when they judge call after call, and exactly that:
they are the twins of this file in the tests.
"""

from __future__ import annotations

import numpy as np

from ..options import Options
from ..result import Call, Dialog, Messages, Transaction
from ..sip.sdp import sdp_limits
from .assembly import Judged, make_calls
from .calls import judge_calls
from .dialogs import Followed, follow_dialogs, make_dialogs
from .negotiation import read_descriptions
from .rows import pick_rows
from .shapes import Shapes, find_shapes
from .transactions import make_transactions, match_rows

__all__ = ["group_messages"]


def group_messages(
    messages: Messages, capture_end: int, options: Options
) -> tuple[list[Transaction], list[Dialog], list[Call]]:
    """Group messages into transactions, dialogs and calls.

    Parameters
    ----------
    messages : Messages
        In order of time, capture duplicates dropped, retransmissions marked.
    capture_end : int
        Time of the last packet of the captures, ns.
    options : Options
        `transaction_timeout_ns` is 64*T1.

    Returns
    -------
    transactions, dialogs, calls : list
        Each in order of start.
    """
    if not len(messages):
        return [], [], []
    descriptions = read_descriptions(messages, sdp_limits(options))
    shapes = find_shapes(messages, descriptions, capture_end, options)
    models = pick_rows(messages, shapes.models)
    matched = match_rows(models)
    of_models = make_transactions(models, matched)
    followed = follow_dialogs(models, of_models, int(messages.time[-1]), options)
    judged = judge_calls(models, of_models, descriptions.pick(shapes.models), capture_end, options)
    del models, of_models  # where every call has a shape of its own, these are as large as what follows

    thing, owner = shapes.spread(matched.rows[matched.begin[:-1]])
    firsts = shapes.place(matched.rows[matched.begin[thing]], owner)
    order = np.argsort(firsts)
    transactions = make_transactions(messages, shapes.place_bundles(matched, thing[order], owner[order]))
    dialogs = make_dialogs(messages, _dialogs_of_all(followed, shapes), options)
    calls = make_calls(messages, _calls_of_all(judged, shapes), dialogs, descriptions)
    return transactions, dialogs, calls


def _dialogs_of_all(followed: Followed, shapes: Shapes) -> Followed:
    thing, owner = shapes.spread(followed.rows[:, 0])
    rows = shapes.place(followed.rows[thing], owner)
    order = np.argsort(rows[:, 0])
    return Followed(rows[order], [followed.said[number] for number in thing[order].tolist()])


def _calls_of_all(judged: Judged, shapes: Shapes) -> Judged:
    thing, owner = shapes.spread(judged.members.rows[judged.members.begin[:-1]])
    return Judged(
        members=shapes.place_bundles(judged.members, thing, owner),
        rows=shapes.place(judged.rows[thing], owner),
        asked=shapes.place_bundles(judged.asked, thing, owner),
        said=[judged.said[number] for number in thing.tolist()],
    )
