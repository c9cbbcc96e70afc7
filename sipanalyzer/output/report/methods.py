"""How a report's figures come about: its methods page. Floor 8.

In: a result. Out: sections of plain text and tables: what was read, with which settings; what each figure means, by
which formula and standard; what was assumed; what a capture cannot show. Meanings and sources are those of
:mod:`sipanalyzer.explanations`, which ``sipanalyzer explain`` shows too; formulae are those of ``docs/quality.md``.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...result import Result
from ..cells import visible
from ..columns import STATES
from ..settings import changed_settings, list_settings, measured, typed
from ..summary_parts import bytes_text
from .data import Limits, Method
from .wording import metric, plain

__all__ = ["make_methods"]

_DELAYS = (
    "post_dial_delay_ms", "setup_latency_ms", "answer_to_ack_ms", "media_latency_ms", "disconnect_delay_ms",
    "duration_s",
    "mean_response_ms", "p95_response_ms", "registration_delay_ms",
)  # fmt: skip
_STATISTICS = ("ASR", "NER", "SER", "SEER", "ISA", "SCR", "SRD", "SDD", "SDT", "RRD", "IRA", "ACD", "PDD")
_STREAMS = (
    "expected", "lost", "loss_percent", "duplicates", "out_of_order", "restarts", "mean_jitter_ms", "max_jitter_ms",
    "mean_delta_ms", "max_delta_ms", "max_skew_ms", "clock_drift_ppm", "loss_bursts", "burst_density_percent",
    "gap_density_percent", "max_consecutive_lost", "one_way", "rtcp_lost_percent", "rtcp_jitter_ms", "rtt_ms",
)  # fmt: skip
_QUALITY = (
    "discarded_percent", "effective_loss_percent", "burst_ratio", "delay_ms", "r_factor", "mos", "mos_min", "mos_scale",
    "mos_basis",
)  # fmt: skip
_CAPTURE = ("grade", "duplicated_percent", "cut_packets", "dropped", "clock_steps")
_BREAKS = (
    "a timestamp step that differs from sequence step times packet time by more than one packet time",
    "a marker after an arrival gap of more than 200 ms: a talk spurt",
    "hold or re-INVITE in SDP, a change of the clock rate",
    "a restart of the sequence numbers",
    "the first packet after a telephone event or comfort noise",
    "a capture clock that was set back",
)
_FORMULAE = (
    (
        "Narrowband (NB)",
        "ITU-T G.107 (06/2015)",
        "R = Ro - Is - Id - Ie,eff + A, with Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)",
        "1 + 0.035 R + R (R - 60) (100 - R) 7e-6, within 1 and 4.5",
    ),
    (
        "Wideband (WB)",
        "ITU-T G.107.1 (06/2019)",
        "R = 129 - Id - Ie,eff, Ie,eff with 95 likewise; Idd is 1.29 times that of narrowband",
        "from R / 1.29",
    ),
    (
        "Fullband (FB)",
        "ITU-T G.107.2 (06/2019)",
        "R = 148 - Id - Ie,eff, Ie,eff with 132 in place of 95; Idd is 1.48 times that of narrowband",
        "from R / 1.48",
    ),
)
"""Scale, source, R, MOS."""
_CODECS = 40
"""Codecs, and likewise assumptions, that are listed."""
_PACKAGES = ("numpy", "numba", "dpkt")


def make_methods(result: Result, clock: Callable[[int], str], zone: str, limits: Limits) -> Iterator[Method]:
    """The sections of the methods page.

    Parameters
    ----------
    result : Result
        Of an analysis.
    clock : callable
        Writes a time.
    zone : str
        Name of the zone that it writes in.
    limits : Limits
        What the report holds at most.
    """
    yield _section(
        "How to read the figures",
        [
            "Every figure is that of the place where the capture was taken. What is lost or delayed behind that "
            "place only RTCP and the endpoints know; delays are those at the hop nearest to the caller.",
            "What is not known, or cannot be judged from the capture, is left blank: never 0. Percentiles are linear "
            "between neighbours: of n values in order the place is share times (n - 1), counted from 0.",
            f"Times are those of the capture's clock, in {zone}, to the millisecond (cut, not rounded). Numbers in "
            "the tables have three decimals; sipanalyzer's CSV and JSON have more. Frame numbers count from 1, as "
            "Wireshark's.",
        ],
    )
    yield _read(result, clock)
    yield from _setting_sections(result)
    yield _section(
        "Calls and their states",
        [
            "A call is all messages of one Call-ID that has an INVITE outside a dialog; several of them that are "
            "legs of one conversation share a session number. Its state is the first of these that fits; only the "
            "initial INVITE at the hop nearest to the caller counts. A 401 or 407 that was answered with "
            "credentials is no failure, a re-INVITE no new call. A call that was up when the capture began is "
            "marked partial: what is only known from its beginning is blank.",
        ],
        _table(("state", "when"), [[state, plain(when)] for state, when in STATES.items()]),
    )
    yield _section("Delays", ["Differences of times in the capture."], _metrics(_DELAYS))
    yield _section(
        "Statistics",
        [
            "A call counts once, whatever its forks, challenges and redirections (RFC 6076 5.3, 5.4). Calls that "
            "were up when the capture began are in none of these figures. Calls that are undecided when it ends "
            "count as requests for SER, SEER, ISA and SCR, as RFC 6076 has it; ASR and NER leave them out.",
        ],
        _metrics(_STATISTICS),
    )
    yield _section(
        "RTP streams",
        [
            "A stream is one direction: source, destination and SSRC. All its payload types share one space of "
            "sequence numbers, so that key presses and comfort noise make no holes. Expected packets are those "
            "between the lowest and the highest extended sequence number; a jump that the arrival times explain is "
            "loss, any other confirmed jump of the numbers a restart.",
            "Duplicates, key presses and comfort noise move no figure of timing. Timing begins anew at: "
            f"{'; '.join(_BREAKS)}. A packet that is merely late is no break. Video follows RFC 3550 to the letter.",
        ],
        _metrics(_STREAMS),
    )
    yield _quality(result)
    yield _section(
        "How far a capture can be trusted",
        [
            "What was captured is not what happened: a mirror port doubles frames, a host drops some, a snapshot "
            "length cuts them, one direction may be missing. Each file is graded good, fair (figures may be a "
            "little off) or poor (figures may be wrong), with its doubts. A finding that rests on what the capture "
            "may have lost is marked doubtful, and its severity lowered.",
        ],
        _metrics(_CAPTURE),
    )
    yield _left_out(limits)
    yield _versions()


def _section(title: str, paragraphs: Sequence[str], *tables: dict[str, Any]) -> Method:
    return {"title": title, "paragraphs": list(paragraphs), "tables": [each for each in tables if each["rows"]]}


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {"headings": list(headings), "rows": [list(row) for row in rows]}


def _metrics(names: Sequence[str]) -> dict[str, Any]:
    """Figures with what they are, and by which source."""
    told = [(name, metric(name)) for name in names]
    return _table(
        ("figure", "what it is", "source"),
        [[name, plain(f"{each.title}. {each.meaning}"), plain(each.source)] for name, each in told],
    )


# ---- what was read
def _read(result: Result, clock: Callable[[int], str]) -> Method:
    rows = [
        [
            visible(each.file),
            ", ".join((each.format, *each.link_types)),
            f"{each.packets:,}",
            bytes_text(each.bytes),
            "" if each.first is None else clock(each.first),
            "" if each.last is None else clock(each.last),
            each.grade or "",
            visible("; ".join(each.doubts)),
            visible(each.damage or ""),
        ]
        for each in result.captures
    ]
    headings = ("file", "format", "packets", "bytes", "first", "last", "grade", "doubts", "damage")
    kept = [at for at in range(len(headings)) if any(row[at] for row in rows)]
    kinds = ", ".join(f"{count:,} {visible(kind)}" for kind, count in result.packets_by_kind.items() if count)
    paragraphs = [f"Packets by kind: {kinds}."] if kinds else []
    if result.extra.get("number"):
        paragraphs.append(f"Of what was read only the calls of {visible(str(result.extra['number']))} are reported.")
    paragraphs += [f"Not read: {visible(str(error))}." for error in result.extra.get("unreadable", ())[:_CODECS]]
    return _section(
        "What was read", paragraphs, _table([headings[at] for at in kept], [[row[at] for at in kept] for row in rows])
    )


def _setting_sections(result: Result) -> Iterator[Method]:
    changed = changed_settings(result.options)
    known = {each.name: each for each in list_settings()}
    rows = [
        [name, _value(name, value), _value(name, known[name].default), plain(known[name].meaning)]
        for name, value in changed.items()
    ]
    paragraphs = (
        ["These settings are not the defaults."] if rows else ["All settings have their defaults: nothing was changed."]
    )
    yield _section("Settings", paragraphs, _table(("setting", "value", "default", "meaning"), rows))
    limits = [each for each in known.values() if each.section.startswith("findings")]
    yield _section(
        "Thresholds of the findings",
        ["A figure is found worth telling from here. Thresholds are settings; each names the source of its default."],
        _table(
            ("setting", "value", "meaning"),
            [
                [each.name, _value(each.name, getattr(result.options, each.name)), plain(each.meaning)]
                for each in limits
            ],
        ),
    )


def _value(name: str, value: Any) -> str:
    unit = measured(name, value)
    return typed(name, value) + (f" ({unit})" if unit else "")


# ---- quality
def _quality(result: Result) -> Method:
    options = result.options
    buffer = f"a jitter buffer of {options.playout_ms:g} ms, fixed"
    if options.playout_mode != "fixed":
        buffer = f"an adaptive jitter buffer, from {options.playout_ms:g} to {options.playout_most_ms:g} ms"
    delay = "half the round trip, where RTCP tells it both ways, plus the jitter buffer's depth; else that depth alone"
    if options.one_way_delay_ms is not None:
        delay = f"{options.one_way_delay_ms:g} ms, as it was set"
    concealed = "are taken to conceal lost packets" if options.concealment else "are taken not to conceal lost packets"
    return _section(
        "Quality: R and MOS",
        [
            "R and MOS are those of the ITU-T E-model, computed from what the capture shows. They say what such a "
            "connection is usually thought of (MOS-CQE), and do not foretell one listener's opinion. They are not "
            "comparable with PESQ or POLQA, which listen to the sound, nor with the simpler formulae of other "
            "tools. What a far end says of itself in RTCP XR or SIP is shown, and never mixed into these figures.",
            f"Loss (Ppl) is what was lost or came too late for {buffer}. A packet is too late by its own stream's "
            "schedule, which is taken anew where timing begins anew. BurstR is the mean run of such packets over "
            "that of random loss, at least 1.",
            f"One-way delay is {delay}. Not in it, as no capture shows it: the time to fill a packet, the codec's "
            f"look-ahead, the sound card. Talker echo: TELR {options.talker_echo_loudness_db:g} dB. Advantage factor "
            f"A: {options.advantage:g}. Receivers of G.711 {concealed}. All else has the default of G.107 table 3: "
            "without loss and delay R is 93.2 and MOS 4.41.",
            "Scales are not comparable with each other: a wideband 4.2 is a better call than a narrowband 4.3. "
            "Where streams of several scales are put in order, R is taken over the highest of its scale, times "
            "93.2; on that range the bands of ITU-T G.109 hold: from 90 very satisfied, 80 satisfied, 70 some "
            "dissatisfied, 60 many, 50 nearly all.",
            f"The figures of a call are those of its worst stream that lasted {options.min_quality_ns / 1e9:g} s. "
            f"Over time, MOS is that of intervals of {options.interval_ns / 1e9:g} s: their own loss and runs, "
            "everything else of the stream. G.107 vouches for loss up to 20 %, delay up to 500 ms, and a burst "
            "ratio over 2 only where less than 2 % are lost; beyond, the formula goes on, and the notes say so.",
        ],
        _table(("scale", "source", "R", "MOS"), _FORMULAE),
        _metrics(_QUALITY),
        _codecs(result),
        _assumptions(result),
    )


def _codecs(result: Result) -> dict[str, Any]:
    """Codecs that occur here, with what the rating takes them for."""
    seen: Counter[tuple[str, str, str, str, str]] = Counter()
    for stream in result.streams:
        quality = stream.quality
        if quality is not None:
            ie, bpl = f"{quality.equipment_impairment:g}", f"{quality.loss_robustness:g}"
            seen[visible(stream.codec or "?"), quality.scale, ie, bpl, quality.basis] += 1
    rows = [[*row, f"{count:,}"] for row, count in seen.most_common(_CODECS)]
    return _table(("codec here", "scale", "Ie", "Bpl", "basis (ITU-T G.113, 09/2024)", "streams"), rows)


def _assumptions(result: Result) -> dict[str, Any]:
    """What was assumed of how many streams."""
    seen = Counter(note for stream in result.streams if stream.quality is not None for note in stream.quality.notes)
    return _table(("assumed here", "streams"), [[visible(note), f"{n:,}"] for note, n in seen.most_common(_CODECS)])


# ---- the report itself
def _left_out(limits: Limits) -> Method:
    return _section(
        "What is not in this report",
        [
            f"Calls: {limits.details:,} have a page of their own, those with findings first. Of a call "
            f"{limits.messages:,} messages, {bytes_text(limits.message_bytes)} of each, and {limits.streams:,} "
            f"streams are held; of a table {limits.rows:,} rows. Where such a limit bites, the place says so.",
            "Of streams the figures by the second are there where the capture could be read once more (up to "
            f"{limits.packets:,} packets of {bytes_text(limits.read_bytes)}, the calls with findings first); else "
            "those of the intervals. Sound is never in a report.",
            "In raw messages the answers to challenges (response of Digest, and all of Basic, Bearer and others), "
            "passwords in URIs and keys of media (a=crypto, a=key-mgmt, k=) are blanked: ***. Numbers, names, "
            "addresses and keys pressed are not.",
        ],
    )


def _versions() -> Method:
    rows = [["sipanalyzer", importlib.metadata.version("sipanalyzer")], ["Python", platform.python_version()]]
    for name in _PACKAGES:
        try:
            rows.append([name, importlib.metadata.version(name)])
        except importlib.metadata.PackageNotFoundError:  # numba is not built for every Python
            continue
    return _section("Versions", [], _table(("program", "version"), rows))
