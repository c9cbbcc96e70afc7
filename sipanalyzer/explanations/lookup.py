"""Finding an explanation by what a person types. Floor 0, standard library only.

In: ``486``, ``486 Busy Here``, ``Q.850;cause=17``, ``INVITE``, ``i``, ``one way audio``, ``MOS``. Out: the explanations
that fit, or a :class:`ValueError` that names near ones.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections import defaultdict

from . import KINDS, Explanation, explanation, names, titles

__all__ = ["explain", "find_near"]

_LONGEST = 120
"""Characters that are looked at: no name is longer."""

_CAUSE = re.compile(
    r"(?:reason\s*:\s*)?(?:q[.\s-]?850|isup|q[.\s-]?931|isdn)?[\s;:/=]*(?:cause|cc)?[\s:=#]*(\d{1,3})\b.*", re.DOTALL
)
_NAMES_CAUSE = re.compile(r"(?:reason\s*:\s*)?(?:q[.\s-]?850|q[.\s-]?931|isup|isdn|cause)")
_STATUS = re.compile(
    r"(?:reason\s*:\s*)?(?:sip(?:/2\.0)?|status|code|response)?[\s;:/=]*(?:cause|code)?[\s:=#]*(\d{3})\b.*", re.DOTALL
)
_BETWEEN_WORDS = re.compile(r"[\s_./:-]+")

_SPREAD = re.compile(r"(?:-(?:failed|mean|median|p\d\d|max))+$")
"""What stands behind a metric's name in the table statistics."""

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject",
    "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
"""Compact forms of headers, as IANA lists them."""

_ALSO = {
    "finding": {
        "one-way-audio": "one way, no audio, one-sided audio, half duplex audio",
        "no-media": "silence, dead air, no sound, no rtp",
        "nat-mismatch": "nat, symmetric rtp, latching",
        "sip-alg": "alg, sip helper, sip inspection, sip fixup",
        "held": "hold, on hold, music on hold, moh",
        "transferred": "transfer, call transfer",
        "t38-fax": "t38, t.38, fax, udptl",
        "encrypted-media": "srtp, sdes, encryption",
        "ice-or-dtls-failed": "ice, dtls, dtls-srtp, stun, turn, webrtc",
        "icmp-unreachable": "icmp, port unreachable, host unreachable",
        "tcp-connect-failed": "tcp, connection refused, rst",
        "tls-handshake-failure": "tls, certificate, handshake",
        "routing-loop": "loop, spiral",
        "fragmented-sip": "fragmentation, mtu, fragments",
        "session-timer-expiry": "session timer, drops after 15 minutes, drops after 30 minutes",
        "missing-ack": "no ack, drops after 32 seconds, drops after 30 seconds",
        "scanner": "friendly-scanner, sipvicious, attack",
        "retransmissions": "retransmission, resent",
        "clock-drift": "drift",
        "reinvite-failed": "reinvite, re-invite",
        "auth-failure": "authentication, wrong password",
        "capture-duplicates": "mirror port, span",
        "truncated-capture": "snaplen, cut packets",
    },
    "metric": {
        "r_factor": "r, r value, e-model, g.107, rating",
        "mos": "mos-cq, mos-lq, mos-cqe, mean opinion score, quality",
        "max_jitter_ms": "maximum jitter",
        "rtt_ms": "rtt, round trip, round trip time, delay, latency",
        "loss_bursts": "burst, bursts, gap",
        "discarded_percent": "discarded, late packets, jitter buffer, playout",
        "ptime_ms": "ptime, packet time, packetization",
        "dscp": "qos, ef, tos",
        "dtmf": "digits, keys, telephone-event, rfc 4733, rfc 2833",
        "max_skew_ms": "skew",
        "max_delta_ms": "delta",
        "state": "setup, ringing, in call, completed, cancelled, no answer, redirected, rejected, failed",
        "status_code": "final response, response code",
        "session": "legs, correlation, b2bua",
        "loss": "packet loss, lost packets",
    },
    "status": {"486": "busy", "408": "timeout, time out", "487": "canceled"},
}  # fmt: skip
"""What people call some things."""


def explain(thing: str) -> tuple[Explanation, ...]:
    """What a thing means.

    Parameters
    ----------
    thing : str
        A finding code, SIP status (also with its phrase, or the phrase alone), Q.850 cause (``17``, ``cause 17``, a
        Reason header), method, header (also its compact form) or metric; in any case, with blanks, ``-`` or ``_``. A
        kind before it (``header reason``) leaves the other kinds out.

    Returns
    -------
    tuple of Explanation
        All that fit, in the order of :data:`KINDS`: of a number the status first, then the cause.

    Raises
    ------
    ValueError
        If nothing fits; the message names near ones.
    """
    text = _shortened(thing).lower()
    found = _by_number(text) or _by_name(text)
    kind, _, rest = text.replace(":", " ", 1).partition(" ")
    if not found and kind in KINDS:
        found = [each for each in _by_name(rest.strip()) if each[0] == kind]
    if found:
        return tuple(explanation(kind, name) for kind, name in found)
    near = find_near(thing)
    hint = f"near it: {', '.join(near)}" if near else f"it is no {', '.join(KINDS[:-1])} or {KINDS[-1]}"
    raise ValueError(f"nothing is explained of {_shortened(thing)!r}; {hint}")


def find_near(thing: str, count: int = 5) -> tuple[str, ...]:
    """What to type instead: names that look like `thing`, the likest first; empty where none does."""
    wanted = _plain(_shortened(thing).lower())
    if wanted.isdecimal():
        return _near_numbers(int(wanted), count)
    index = _index()
    keys = difflib.get_close_matches(wanted, index, n=count, cutoff=0.6)
    keys += [key for key in index if len(wanted) > 2 and f"-{wanted}-" in f"-{key}-"]
    near = (f"cause {name}" if kind == "cause" else name for key in keys for kind, name in index[key])
    return tuple(dict.fromkeys(near))[:count]


def _near_numbers(number: int, count: int) -> tuple[str, ...]:
    """Of a status that nobody registered the x00 first, as which SIP takes it; else the causes beside the number."""
    if number <= 127:
        return tuple(
            f"cause {each}" for each in sorted(map(int, names("cause")), key=lambda n: abs(n - number))[:count]
        )
    known = [int(name) for name in names("status") if int(name) // 100 == number // 100]
    order = sorted(known, key=lambda each: (each % 100 != 0, abs(each - number)))
    return tuple(map(str, order[:count]))


def _shortened(thing: str) -> str:
    """On one line, and no longer than any name is."""
    return " ".join(thing[: 8 * _LONGEST].split())[:_LONGEST]


def _by_number(text: str) -> list[tuple[str, str]]:
    """What a number means, alone or where Reason headers and people put it."""
    found = []
    status, cause = _STATUS.fullmatch(text), _CAUSE.fullmatch(text)
    if _NAMES_CAUSE.match(text):
        status = None
    elif cause is not None and text != cause[1]:
        cause = None
    if status is not None and status[1] in names("status"):
        found.append(("status", status[1]))
    if cause is not None and (number := cause[1].lstrip("0")) in names("cause"):
        found.append(("cause", number))
    return found


def _by_name(text: str) -> list[tuple[str, str]]:
    if "_" in text and text in names("metric"):  # a column, typed as one
        return [("metric", text)]
    compact = _COMPACT.get(text.removesuffix(":"), "")
    found = [("header", compact)] if compact in names("header") else []
    index, plain = _index(), _plain(text)
    return list(dict.fromkeys([*found, *(index.get(plain) or index.get(_SPREAD.sub("", plain), []))]))


def _plain(text: str) -> str:
    """The text with one ``-`` wherever blanks, dots and the like stand."""
    return _BETWEEN_WORDS.sub("-", text).strip("-")


@functools.cache
def _index() -> dict[str, list[tuple[str, str]]]:
    """What each plain name, phrase and other word for something stands for."""
    index: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind in KINDS:
        for name, title in titles(kind).items():
            words = [title] if kind in ("status", "cause") else [name]
            words += _ALSO.get(kind, {}).get(name, "").split(", ")
            for word in dict.fromkeys(map(_plain, map(str.lower, words))):
                if word:
                    index[word].append((kind, name))
    return dict(index)
