"""The texts: each there, whole, well-formed, and true to the command line, the options and Wireshark."""

from __future__ import annotations

import ast
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import fields

import pytest

from sipanalyzer.explanations import KINDS, Explanation, explanation, explanations, names, titles
from sipanalyzer.explanations.lookup import explain
from sipanalyzer.facts import SEVERITIES
from sipanalyzer.options import Options
from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.selection import make_selection

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALL = [each for kind in KINDS for each in explanations(kind).values()]
IDS = [f"{each.kind} {each.name}" for each in ALL]

FINDINGS = """
    one-way-audio no-media late-media media-timeout no-rtp-captured nat-mismatch private-address-in-sdp sip-alg
    codec-mismatch ptime-mismatch dtmf-not-negotiated dscp-mismatch high-loss high-jitter low-mos ssrc-change
    sequence-reset clock-drift early-media held transferred reinvite-failed t38-fax encrypted-media ice-or-dtls-failed
    retransmissions missing-ack missing-prack missing-bye unanswered-request high-post-dial-delay session-timer-expiry
    call-rejected server-error auth-failure registration-failure routing-loop fragmented-sip pager-limit-exceeded
    malformed-sip scanner icmp-unreachable tcp-connect-failed tls-handshake-failure truncated-capture capture-drops
    capture-duplicates one-sided-capture clock-step
"""
STATUSES = """
    100 180 181 182 183 199 200 202 204 300 301 302 305 380 400 401 402 403 404 405 406 407 408 410 412 413 414 415 416
    417 420 421 422 423 424 425 428 429 430 433 436 437 438 439 440 469 470 480 481 482 483 484 485 486 487 488 489 491
    493 494 500 501 502 503 504 505 513 555 580 600 603 604 606 607 608
"""
"""As IANA lists them."""
METHODS = "INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK UPDATE INFO SUBSCRIBE NOTIFY PUBLISH REFER MESSAGE"
HEADERS = """
    Via From To Call-ID CSeq Contact Max-Forwards Record-Route Route Content-Type Content-Length Expires Min-Expires
    Session-Expires Min-SE Allow Supported Require Proxy-Require Unsupported WWW-Authenticate Authorization
    Proxy-Authenticate Proxy-Authorization RSeq RAck Refer-To Referred-By Replaces Join Event Subscription-State Reason
    Warning Retry-After Diversion History-Info P-Asserted-Identity P-Preferred-Identity Remote-Party-ID Privacy
    Session-ID P-Charging-Vector Path Service-Route User-Agent Server Identity Alert-Info Accept Date Timestamp Subject
    X-RTP-Stat Call-Info Content-Disposition Target-Dialog P-Early-Media Geolocation
"""
STATISTICS = "SER SEER ISA SCR SRD SDD SDT RRD IRA ASR NER ACD PDD"
IDENTIFIERS = {
    "call_id", "capture", "dst", "dst_port", "first_frame", "last_frame", "from_uri", "to_uri", "request_uri", "src",
    "src_port", "start",
}  # fmt: skip
"""Columns that need no explanation beyond the one that the list of columns gives."""


def texts(each: Explanation) -> list[str]:
    return [each.title, each.meaning, each.advice or "", *each.causes, *each.confirm, *each.mend]


# ---- all there
@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("finding", FINDINGS), ("status", STATUSES), ("method", METHODS), ("header", HEADERS), ("metric", STATISTICS)],
)
def test_nothing_is_missing_of_what_standards_and_contract_list(kind: str, wanted: str) -> None:
    assert set(wanted.split()) - set(names(kind)) == set()


def test_every_assigned_q850_cause_is_explained() -> None:
    assigned = {
        *range(1, 10),
        *range(16, 32),
        34,
        *range(38, 48),
        49,
        50,
        53,
        54,
        55,
        57,
        58,
        62,
        63,
        65,
        66,
        69,
        70,
        79,
    }
    assigned |= {*range(81, 89), 90, 91, *range(95, 104), 110, 111, 127}
    assert assigned - set(map(int, names("cause"))) == set()


def test_every_measured_column_of_calls_and_streams_is_explained() -> None:
    columns = {column.name for table in ("calls", "streams") for column in COLUMNS[table]}
    assert columns - set(names("metric")) == IDENTIFIERS


def test_every_code_that_a_rule_raises_has_an_explanation() -> None:
    raised = set()
    for path in (ROOT / "sipanalyzer" / "findings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "finding":
                raised |= {each.value for each in node.args[:1] if isinstance(each, ast.Constant)}
    assert raised, "no rule was found: has the way of making findings changed?"
    assert raised - set(names("finding")) == set()


# ---- whole
@pytest.mark.parametrize("each", ALL, ids=IDS)
def test_every_field_is_filled(each: Explanation) -> None:
    assert each.title and each.meaning and each.causes and each.confirm and each.mend and each.source
    assert each.see or each.name == "wireshark_filter"
    if each.kind == "finding":
        assert each.advice and each.severity in SEVERITIES and 0 <= each.likelihood <= 100
    else:
        assert each.advice is None and each.severity is None


@pytest.mark.parametrize("each", ALL, ids=IDS)
def test_texts_are_clean_and_of_a_length_to_be_read(each: Explanation) -> None:
    assert len(each.title) <= 90
    assert 10 <= len(each.meaning) <= 900
    for text in texts(each):
        assert text == " ".join(text.split())
        assert len(text) <= 900
        assert text.count("`") % 2 == 0, text
        assert not text or text[0] in "`({" or text[0].isalnum(), text
        assert "  " not in text and " ," not in text and ".." not in text.replace("...", ""), text
    for text in (each.meaning, each.advice or ".", *each.causes, *each.confirm, *each.mend):
        assert text[-1] in ".)?", text


def test_advice_is_one_or_two_sentences() -> None:
    for each in explanations("finding").values():
        sentences = re.findall(r"[.!?](?:\s|$)", each.advice or "")
        assert 1 <= len(sentences) <= 2, each.name


def test_no_text_stands_twice() -> None:
    for take in (lambda each: each.meaning, lambda each: each.advice):
        found = [text for text in map(take, ALL) if text]
        assert len(found) == len(set(found)), {text for text in found if found.count(text) > 1}
    for each in ALL:
        items = [*each.causes, *each.confirm, *each.mend]
        assert len(items) == len(set(items)), each.name


def test_files_have_no_long_lines_and_no_blanks_at_their_ends() -> None:
    for kind in KINDS:
        path = ROOT / "sipanalyzer" / "explanations" / f"{kind}.toml"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            assert len(line) <= 120 and line == line.rstrip() and "\t" not in line, f"{path.name}:{number}"


# ---- true
@pytest.mark.parametrize("each", ALL, ids=IDS)
def test_what_it_refers_to_exists(each: Explanation) -> None:
    for name in each.see:
        assert explain(name), name
        assert name != each.name or each.kind != explain(name)[0].kind, name
    for text in texts(each):  # See `high-loss`.
        for name in re.findall(r"\b[Ss]ee (?:the finding )?`([^`]+)`", text):
            assert explain(name), name


def test_settings_that_decide_are_options() -> None:
    known = {field.name for field in fields(Options)}
    assert {option for each in ALL for option in each.options} <= known


def test_every_threshold_of_a_finding_is_told_with_a_finding() -> None:
    told = {option for each in explanations("finding").values() for option in each.options}
    beginning = list(fields(Options)).index(next(f for f in fields(Options) if f.name == "min_quality_ns"))
    end = list(fields(Options)).index(next(f for f in fields(Options) if f.name == "duplicated_percent"))
    thresholds = {field.name for field in list(fields(Options))[beginning : end + 1]}
    assert thresholds - told == set()


COMMANDS = sorted({text for each in ALL for line in texts(each) for text in re.findall(r"`(sipanalyzer [^`]+)`", line)})


def test_commands_are_shown_at_all() -> None:
    assert len(COMMANDS) > 200


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_can_be_typed_as_they_stand(command: str) -> None:
    _, name, *words = shlex.split(command)
    if name == "explain":
        assert len(words) == 1 and explain(words[0])
        return
    assert name in {*COLUMNS, "summary", "call"}
    assert words[0] == "CAPTURE"
    wishes = dict(zip(words[1::2], words[2::2], strict=True))
    assert set(wishes) <= {"--where", "--sort", "--columns", "--limit", "--format", "--id", "--number"}
    if name in COLUMNS:
        make_selection(
            name, where=wishes.get("--where"), sort=wishes.get("--sort"), columns=wishes.get("--columns")
        )  # an unknown column or a mistake is a ValueError
    else:
        assert (name == "call") == ("--id" in wishes)


def test_filters_are_valid_in_wireshark(tmp_path: pathlib.Path) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("no tshark")
    filters = sorted(
        {text for each in ALL for line in texts(each) for text in re.findall(r"Wireshark filter `([^`]+)`", line)}
    )
    assert len(filters) > 200
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for begin in range(0, len(filters), 60):  # several at a time: tshark takes half a second to start
        whole = " or ".join(f"({each})" for each in filters[begin : begin + 60])
        done = subprocess.run([tshark, "-r", str(empty), "-Y", whole], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_no_filter_stands_without_its_mark() -> None:
    """What looks like a filter is introduced by the words by which the test above finds it."""
    for each in ALL:
        for text in texts(each):
            for quoted in re.finditer(r"`((?:sip|sdp|rtp|rtcp|icmp|frame|ip|udp|tcp|tls)\.[^`]*)`", text):
                if " " in quoted[1]:
                    assert text[: quoted.start()].endswith("Wireshark filter "), text


def test_names_of_causes_are_those_that_wireshark_has() -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("no tshark")
    listed = subprocess.run([tshark, "-G", "values"], capture_output=True, text=True).stdout
    theirs = dict(re.findall(r"^V\tisup\.cause_indicator\t(\d+)\t(.+)$", listed, re.MULTILINE))
    if len(theirs) < 100:
        pytest.skip("this tshark lists no causes")
    for number, name in theirs.items():
        if name == "Unassigned" or number == "0":
            continue
        ours = titles("cause")[number]
        shared = set(re.findall(r"[a-z]+", name.lower())) & set(re.findall(r"[a-z]+", ours.lower()))
        assert len(shared) >= len(name.split()) / 2, (number, name, ours)


def test_phrases_of_statuses_are_the_registered_ones() -> None:
    samples = {
        "181": "Call Is Being Forwarded", "407": "Proxy Authentication Required", "437": "Unsupported Credential",
        "481": "Call/Transaction Does Not Exist", "500": "Server Internal Error", "504": "Server Time-out",
        "606": "Not Acceptable", "608": "Rejected",
    }  # fmt: skip
    assert {code: titles("status")[code] for code in samples} == samples


@pytest.mark.parametrize(
    ("cause", "status"),
    [(1, 404), (17, 486), (18, 408), (19, 480), (20, 480), (21, 403), (22, 410), (27, 502), (28, 484), (29, 501),
     (31, 480), (34, 503), (38, 503), (41, 503), (42, 503), (47, 503), (55, 403), (57, 403), (58, 503), (65, 488),
     (70, 488), (79, 501), (87, 403), (88, 503), (102, 504), (111, 500), (127, 500)],
)  # fmt: skip
def test_the_mapping_to_sip_is_that_of_rfc_3398(cause: int, status: int) -> None:
    """RFC 3398 section 7.2.4.1, the table."""
    told = explanation("cause", str(cause)).meaning
    assert re.search(rf"In SIP: {status}\b", told), told


# ---- read
@pytest.mark.parametrize("kind", KINDS)
def test_one_explanation_alone_is_the_same_as_of_the_whole_file(kind: str) -> None:
    whole = explanations(kind)
    assert names(kind) == tuple(whole)
    assert titles(kind) == {name: each.title for name, each in whole.items()}
    for name, each in whole.items():
        assert explanation(kind, name) == each
        assert (each.kind, each.name) == (kind, name)


def test_a_kind_that_does_not_exist_is_refused_by_name() -> None:
    for read in (explanations, names, titles):
        with pytest.raises(ValueError, match="no"):
            read("codec")
    with pytest.raises(KeyError):
        explanation("finding", "no-such-thing")


def test_files_are_read_quickly() -> None:
    """What a run with findings reads, and what ``explain`` reads: the best of some interpreters."""
    for code in (
        "from sipanalyzer.explanations import explanations as work; thing = 'finding'",
        "from sipanalyzer.explanations.lookup import explain as work; thing = 'max_jitter_ms'",
    ):
        script = f"import time; {code}; begin = time.perf_counter(); work(thing); print(time.perf_counter() - begin)"
        best = min(
            float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
            for _ in range(4)
        )
        assert best < 0.05


def test_a_second_look_costs_nothing() -> None:
    explanations("finding")
    begin = time.perf_counter()
    for _ in range(1000):
        explanations("finding")["one-way-audio"]
    assert time.perf_counter() - begin < 0.05
