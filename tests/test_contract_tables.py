"""The public contract's words on registrations, pages, subscriptions and probes, checked on whole captures.

Every message is written by :mod:`tests.said`, which knows nothing of sipanalyzer; times are in ms.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import pathlib
import random
import shutil
import subprocess
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.calls.pages import find_pages
from sipanalyzer.calls.probes import find_probes
from sipanalyzer.calls.registrations import find_registrations
from sipanalyzer.calls.subscriptions import find_subscriptions
from sipanalyzer.cli import main
from sipanalyzer.options import Options
from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result, host_port
from tests.builders import START_NS, Packet, ethernet, ipv4_fragments, pcap_bytes, tcp_frame
from tests.said import ALICE, BOB, HOSTS, Said, gone, invite, said, taken, until
from tests.tape import A, B, C, P, Tape, records, sdp


def read(*given: Said | list[Said], **options: Any) -> Result:
    flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
    return analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), Options(**options))


def rows(result: Result, table: str, names: str) -> list[list[Any]]:
    """Some columns of a table; endpoints as ``A``, ``B`` and so on, times in ms since the capture began."""
    end = max(capture.last or 0 for capture in result.captures)
    messages, transactions = result.messages, result.transactions
    made: dict[str, list[Any]] = {
        "registrations": find_registrations(messages, transactions, end, result.options),
        "pages": find_pages(messages, transactions),
        "subscriptions": find_subscriptions(messages, transactions, end, result.options),
        "probes": find_probes(messages, transactions),
    }
    return [[cell(name, getattr(one, name)) for name in names.split()] for one in made[table]]


def cell(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        host = {address: letter for letter, address in HOSTS.items()}
        return host[value[0]] if value[1] == 5060 else host_port(value)
    return (value - START_NS) / 1e6 if name in ("start", "end", "time") and value is not None else value


CONTACT = "Contact: <sip:alice@192.0.2.1:5060>"


def register(ms: float, n: int = 1, way: str = "A>B", expires: int = 3600, contact: str = CONTACT, **more: Any) -> Said:
    headers = [contact, f"Expires: {expires}", *more.pop("h", [])]
    return said(ms, way, "REGISTER", n=n, tags="a", callee=ALICE, uri="sip:b.example", h=headers, **more)


def answer(ms: float, status: int, n: int = 1, way: str = "B>A", expires: int | None = 3600, **more: Any) -> Said:
    headers = [f"{CONTACT};expires={expires}"] if status == 200 and expires else []
    return said(ms, way, status, "REGISTER", n=n, callee=ALICE, h=[*headers, *more.pop("h", [])], **more)


# ---- registrations
def test_a_row_is_a_register_with_its_rounds_and_a_refresh_a_new_row() -> None:
    result = read(
        register(0), answer(40, 401), register(70, 2), answer(130, 200, 2), register(60_000, 3), answer(60_020, 200, 3),
        register(90_000, 4, expires=0), answer(90_030, 200, 4, expires=None),
    )  # fmt: skip
    names = "aor contact registrar refresh state expires_s registration_delay_ms status_code attempts start end"
    common = [ALICE, "sip:alice@192.0.2.1:5060", "B"]
    assert rows(result, "registrations", names) == [
        [*common, False, "registered", 3600.0, 130.0, 200, 2, 0.0, 130.0],
        [*common, True, "registered", 3600.0, 20.0, 200, 1, 60_000.0, 60_020.0],
        [*common, False, "unregistered", 0.0, 30.0, 200, 1, 90_000.0, 90_030.0],
    ]
    assert not result.calls


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ([answer(10, 403)], ["rejected", None, None, 403, 1, 10.0]),
        ([answer(10, 401)], ["challenged", None, None, 401, 1, 10.0]),
        ([answer(10, 407), register(20, 2), answer(30, 404, 2)], ["rejected", None, None, 404, 2, 30.0]),
        ([answer(10, 423), register(20, 2), answer(30, 200, 2)], ["registered", 3600.0, 30.0, 200, 2, 30.0]),
        ([register(500), register(1500)], ["no-response", None, None, None, 1, None]),
        ([answer(10, 200, expires=None, h=["Expires: 60"])], ["registered", 60.0, 10.0, 200, 1, 10.0]),
        ([answer(10, 200, expires=None)], ["registered", 3600.0, 10.0, 200, 1, 10.0]),
    ],
)
def test_what_becomes_of_a_registration(given: list[Said], row: list[Any]) -> None:
    result = read(register(0), given, until(90_000))
    names = "state expires_s registration_delay_ms status_code attempts end"
    assert rows(result, "registrations", names) == [row]


def test_a_proxy_shows_a_registration_twice_and_the_clients_side_counts() -> None:
    result = read(
        register(0, way="A>P"), register(3, way="P>B", h=["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfar"]),
        answer(20, 200, way="B>P"), answer(25, 200, way="P>A"),
    )  # fmt: skip
    assert rows(result, "registrations", "source registrar registration_delay_ms") == [["A", "P", 25.0]]


def test_a_mirror_port_makes_no_second_attempt() -> None:
    given = [register(0), answer(40, 401), register(70, 2), answer(130, 200, 2)]
    result = read(given, [(ms + 0.01, frame) for ms, frame in given])
    assert rows(result, "registrations", "attempts registration_delay_ms") == [[2, 130.0]]


# ---- pages
def page(ms: float, text: bytes = b"Hello", n: int = 1, way: str = "A>B", **more: Any) -> Said:
    words = {"tags": "a", "kind": "text/plain", **more}
    return said(ms, way, "MESSAGE", n=n, body=text, **words)


def test_a_row_is_a_message_transaction_at_each_hop() -> None:
    result = read(
        page(0, way="A>P"), page(5, way="P>B"), page(500, way="A>P"), said(530, "B>P", 202, "MESSAGE"),
        said(540, "P>A", 202, "MESSAGE"),
    )  # fmt: skip
    names = "time from_uri to_uri call_id content_type size_bytes status_code delivery_ms over_limit text"
    common = [ALICE, BOB, "c1", "text/plain", 5, 202]
    assert rows(result, "pages", names) == [
        [0.0, *common, 540.0, False, "Hello"],
        [5.0, *common, 525.0, False, "Hello"],
    ]


def test_the_pager_limit_counts_the_whole_request() -> None:
    short, long = page(0, b"x" * 900), page(1, b"x" * 1290, call_id="c2")
    result = read(short, long)
    sizes = [len(frame) - 42 for _, frame in (short, long)]  # Ethernet, IP and UDP
    assert sizes[0] < 1300 < sizes[1]
    assert rows(result, "pages", "size_bytes request_bytes over_limit") == [
        [900, sizes[0], False],
        [1290, sizes[1], True],
    ]


# ---- subscriptions
def test_a_row_is_a_subscription_with_its_notifies() -> None:
    event = "Event: message-summary"
    result = read(
        said(0, "A>B", "SUBSCRIBE", tags="a", h=[event, "Expires: 600"]),
        said(20, "B>A", 200, "SUBSCRIBE", h=["Expires: 500"]),
        said(30, "B>A", "NOTIFY", tags="b a", back=True, h=[event, "Subscription-State: active;expires=500"]),
        said(40, "A>B", 200, "NOTIFY", tags="b a", back=True),
        said(9000, "B>A", "NOTIFY", n=2, tags="b a", back=True, h=[event, "Subscription-State: terminated"]),
        said(9010, "A>B", 200, "NOTIFY", n=2, tags="b a", back=True),
        said(10_000, "A>B", "PUBLISH", tags="a", h=["Event: presence"], call_id="c2"),
    )
    names = "event subscriber notifier state expires_s notifies start end"
    assert rows(result, "subscriptions", names) == [
        ["message-summary", ALICE, BOB, "terminated", 500.0, 2, 0.0, 9000.0]
    ]


def test_a_transfer_in_a_call_is_a_subscription_and_the_call_stays_one() -> None:
    event = "Event: refer;id=2"
    result = read(
        invite(), taken(1000), said(3000, "A>B", "REFER", n=2, tags="a b", h=["Refer-To: <sip:carol@c.example>"]),
        said(3010, "B>A", 202, "REFER", n=2, tags="a b"),
        said(3020, "B>A", "NOTIFY", tags="b a", back=True, h=[event, "Subscription-State: active;expires=60"]),
        said(3030, "A>B", 200, "NOTIFY", tags="b a", back=True),
        said(4000, "B>A", "NOTIFY", n=2, tags="b a", back=True,
             h=[event, "Subscription-State: terminated;reason=noresource"]),
        said(4010, "A>B", 200, "NOTIFY", n=2, tags="b a", back=True), gone(5000, n=3),
    )  # fmt: skip
    assert len(result.calls) == 1
    assert rows(result, "subscriptions", "event subscriber state notifies") == [["refer", ALICE, "terminated", 2]]


# ---- probes
def test_a_row_is_a_pair_of_peers() -> None:
    pings = [said(1000 * k, "A>B", "OPTIONS", n=k + 1, tags="a", call_id=f"p{k}") for k in range(4)]
    again = said(2500, "A>B", "OPTIONS", n=3, tags="a", call_id="p2")
    pongs = [
        said(1000 * k + 10 * (k + 1), "B>A", status, "OPTIONS", n=k + 1, tags="a z", call_id=f"p{k}")
        for k, status in enumerate((200, 404))
    ]
    inside = said(9000, "A>B", "OPTIONS", n=9, tags="a b", call_id="q")
    names = "src dst sent answered answered_percent mean_response_ms max_response_ms"
    assert rows(read(pings, again, pongs, inside), "probes", names) == [["A", "B", 4, 2, 50.0, 15.0, 20.0]]


# ---- laws
def everything() -> list[Said]:
    script: list[Said] = []
    for k in range(6):
        call_id, at = f"r{k}", 700.0 * k
        script += [register(at, call_id=call_id), answer(at + 40, 401, call_id=call_id)]
        script += [register(at + 70, 2, call_id=call_id), answer(at + 130, 200, 2, call_id=call_id)]
        script += [page(at + 5, call_id=f"m{k}"), said(at + 30, "B>A", 200, "MESSAGE", call_id=f"m{k}")]
        script += [said(at + 9, "A>B", "OPTIONS", tags="a", call_id=f"o{k}")]
        script += [said(at + 19, "B>A", 200, "OPTIONS", call_id=f"o{k}")]
        script += [said(at + 11, "A>B", "SUBSCRIBE", tags="a", call_id=f"s{k}", h=["Event: reg", "Expires: 9"])]
        script += [said(at + 12, "B>A", 200, "SUBSCRIBE", call_id=f"s{k}")]
    return script


TABLES = {
    "registrations": "aor contact refresh state expires_s registration_delay_ms status_code attempts start first_frame",
    "pages": "time call_id size_bytes request_bytes status_code delivery_ms text first_frame",
    "subscriptions": "event subscriber state expires_s notifies start first_frame call_id",
    "probes": "src dst sent answered mean_response_ms start first_frame",
}


def all_tables(result: Result) -> dict[str, list[list[Any]]]:
    return {name: rows(result, name, columns) for name, columns in TABLES.items()}


def test_neither_blocks_nor_compression_nor_the_order_of_records_change_a_table() -> None:
    given = everything()
    whole = all_tables(read(given))
    assert [len(table) for table in whole.values()] == [6, 6, 6, 1]
    assert all_tables(read(given, block_bytes=300)) == whole
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(given, key=lambda one: one[0])]
    packed = gzip.compress(pcap_bytes(packets, nanoseconds=True))
    assert all_tables(analyze(io.BytesIO(packed))) == whole
    random.Random(5).shuffle(packets)
    shuffled = all_tables(analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), Options(sort_ns=10**11)))
    without_frames = {name: [row[:-1] for row in table] for name, table in whole.items() if name != "subscriptions"}
    assert {name: [row[:-1] for row in shuffled[name]] for name in without_frames} == without_frames


def test_a_capture_cut_anywhere_still_gives_tables() -> None:
    given = everything()[:20]
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(given, key=lambda one: one[0])]
    data = pcap_bytes(packets, nanoseconds=True)
    for end in range(24, len(data), 97):
        tables = all_tables(analyze(io.BytesIO(data[:end])))
        assert len(tables["registrations"]) <= 6


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
@pytest.mark.parametrize("name", ["register", "message", "options", "scanner", "plain"])
def test_tshark_counts_the_same_requests(samples: Any, name: str) -> None:
    """An outside witness: distinct (Call-ID, CSeq) of each method."""
    path = samples / f"{name}.pcap"
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-Y", "sip.Method", "-T", "fields", "-e", "sip.Method", "-e", "sip.Call-ID",
         "-e", "sip.CSeq.seq"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = {tuple(line.split("\t")) for line in shown.stdout.splitlines()}
    result = analyze(path)
    assert sum(row[0] for row in rows(result, "registrations", "attempts")) == sum(s[0] == "REGISTER" for s in seen)
    assert len(rows(result, "pages", "call_id")) == sum(s[0] == "MESSAGE" for s in seen)
    assert sum(row[0] for row in rows(result, "probes", "sent")) == sum(s[0] == "OPTIONS" for s in seen)


# ---- from outside, through the public tables alone
def analysis(*given: Said | list[Said], **options: Any) -> sipanalyzer.Analysis:
    flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
    return sipanalyzer.analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), **options)


def line(ms: float, n: int, aor: str) -> Said:
    return said(ms, "A>B", "REGISTER", n=n, tags="a", callee=aor, h=[CONTACT, "Expires: 60"])


def reply(ms: float, status: int, n: int, aor: str) -> Said:
    headers = [f"{CONTACT};expires=60"] if status == 200 else []
    return said(ms, "B>A", status, "REGISTER", n=n, callee=aor, h=headers)


OTHER_LINE = "sip:line2@a.example"


def test_two_addresses_of_record_in_one_call_id_do_not_mix() -> None:
    result = read(
        line(0, 1, ALICE), reply(10, 401, 1, ALICE), line(12, 2, OTHER_LINE), reply(20, 401, 2, OTHER_LINE),
        line(30, 3, ALICE), reply(40, 200, 3, ALICE), line(50, 4, OTHER_LINE), reply(66, 200, 4, OTHER_LINE),
    )  # fmt: skip
    assert rows(result, "registrations", "aor state attempts registration_delay_ms start") == [
        [ALICE, "registered", 2, 40.0, 0.0],
        [OTHER_LINE, "registered", 2, 54.0, 12.0],
    ]


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ([answer(10, 401), register(20, 2), answer(30, 401, 2)], ["challenged", None, 401, 2]),
        ([answer(10, 401), register(20, 2), answer(30, 401, 2), register(40, 3), answer(55, 200, 3)],
         ["registered", 55.0, 200, 3]),
        ([answer(10, 401), register(20, 2), answer(30, 403, 2)], ["rejected", None, 403, 2]),
        ([answer(10, 401), register(20, 2), answer(30, 423, 2), register(40, 3), answer(60, 200, 3)],
         ["registered", 60.0, 200, 3]),
        ([answer(10, 302)], ["rejected", None, 302, 1]),
        ([answer(10, 503)], ["rejected", None, 503, 1]),
        ([answer(10, 100)], ["no-response", None, None, 1]),
    ],
)  # fmt: skip
def test_rounds_and_what_ends_them(given: list[Said], row: list[Any]) -> None:
    result = read(register(0), given, until(90_000))
    assert rows(result, "registrations", "state registration_delay_ms status_code attempts") == [row]


@pytest.mark.parametrize(
    ("given", "row"), [([], ["no-response", None, 1]), ([answer(10, 401), register(20, 2)], ["challenged", 401, 2])]
)
def test_a_capture_that_ends_before_the_answer(given: list[Said], row: list[Any]) -> None:
    result = read(register(0), given, until(1000))
    assert rows(result, "registrations", "state status_code attempts") == [row]


def test_a_star_takes_all_away_and_what_comes_after_is_no_refresh() -> None:
    result = read(
        register(0), answer(10, 200), register(5000, 2, contact="Contact: *", expires=0),
        answer(5020, 200, 2, expires=None), register(9000, 3), answer(9010, 200, 3),
    )  # fmt: skip
    assert rows(result, "registrations", "contact state refresh expires_s") == [
        ["sip:alice@192.0.2.1:5060", "registered", False, 3600.0],
        ["*", "unregistered", False, 0.0],
        ["sip:alice@192.0.2.1:5060", "registered", False, 3600.0],
    ]


def test_a_registrar_that_fails_and_its_stand_in_are_two_rows() -> None:
    given = [register(at) for at in (0, 500, 1500)]
    result = read(given, register(40_000, 2, way="A>C"), answer(40_010, 200, 2, way="C>A"))
    assert rows(result, "registrations", "registrar state start") == [
        ["B", "no-response", 0.0],
        ["C", "registered", 40_000.0],
    ]


def test_challenges_behind_a_proxy_are_the_clients_rounds() -> None:
    def below(n: int) -> dict[str, Any]:
        return {"way": "P>B", "h": [f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfar{n}"]}

    result = read(
        register(0, way="A>P"), register(2, **below(1)), answer(20, 401, way="B>P"), answer(22, 401, way="P>A"),
        register(40, 2, way="A>P"), register(42, 2, **below(2)), answer(70, 200, 2, way="B>P"),
        answer(75, 200, 2, way="P>A"),
    )  # fmt: skip
    assert rows(result, "registrations", "source registrar registration_delay_ms attempts") == [["A", "P", 75.0, 2]]


# ---- pages
def test_a_page_in_fragments_has_its_whole_size() -> None:
    _, frame = page(0, b"y" * 3000)
    pieces = ipv4_fragments(frame[34:], "192.0.2.1", "192.0.2.2", 17, size=1480, identification=7)
    given = [(float(k), ethernet(piece, "192.0.2.1", "192.0.2.2")) for k, piece in enumerate(pieces)]
    assert len(given) == 3
    assert rows(read(given), "pages", "size_bytes request_bytes over_limit text") == [
        [3000, len(frame) - 42, True, "y" * 3000]
    ]


def test_over_tcp_no_page_is_too_long() -> None:
    _, frame = page(0, b"x" * 2000)
    data = frame[42:].replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    segments = [(0.0, tcp_frame(data, "192.0.2.1", 40_000, "192.0.2.2", 5060, seq=1))]
    assert rows(read(segments), "pages", "transport size_bytes request_bytes over_limit") == [
        ["TCP", 2000, len(data), False]
    ]


def test_a_page_sent_again_is_one_and_a_challenged_one_two() -> None:
    result = read(
        page(0), page(500), said(530, "B>A", 202, "MESSAGE"), page(2000, n=2, call_id="c2"),
        said(2040, "B>A", 407, "MESSAGE", n=2, call_id="c2"), page(2100, n=3, call_id="c2"),
        said(2150, "B>A", 200, "MESSAGE", n=3, call_id="c2"), page(4000, call_id="c3"),
        said(4080, "B>A", 480, "MESSAGE", call_id="c3"), page(5000, call_id="c4"),
    )  # fmt: skip
    assert rows(result, "pages", "call_id status_code delivery_ms") == [
        ["c1", 202, 530.0], ["c2", 407, None], ["c2", 200, 50.0], ["c3", 480, None], ["c4", None, None],
    ]  # fmt: skip


# ---- subscriptions
def subscribe(ms: float, n: int = 1, event: str = "presence", expires: int = 600, **more: Any) -> Said:
    return said(ms, "A>B", "SUBSCRIBE", n=n, h=[f"Event: {event}", f"Expires: {expires}"], **{"tags": "a", **more})


def granted(ms: float, status: int = 200, n: int = 1, expires: int = 600, **more: Any) -> Said:
    return said(ms, "B>A", status, "SUBSCRIBE", n=n, h=[f"Expires: {expires}"], **more)


def notify(
    ms: float, n: int = 1, state: str = "active;expires=600", event: str = "presence", tags: str = "b a",
    status: int = 200,
) -> list[Said]:  # fmt: skip
    branch = f"z9hG4bKnotify{n}{tags[0]}"
    headers = [f"Event: {event}", *([f"Subscription-State: {state}"] if state else [])]
    return [
        said(ms, "B>A", "NOTIFY", n=n, tags=tags, back=True, h=headers, branch=branch),
        said(ms + 3, "A>B", status, "NOTIFY", n=n, tags=tags, back=True, branch=branch),
    ]


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ([subscribe(0), granted(9), notify(12)], ["presence", "active", 600.0, 1, 200, None]),
        ([subscribe(0), notify(5), granted(9)], ["presence", "active", 600.0, 1, 200, None]),
        ([subscribe(0), granted(9), notify(12, state="pending")], ["presence", "pending", 600.0, 1, 200, None]),
        ([subscribe(0), granted(9), notify(12), subscribe(300_000, 2, tags="a b"), granted(300_010, n=2, expires=500),
          notify(300_020, 2, "terminated;reason=timeout")], ["presence", "terminated", 500.0, 2, 200, 300_020.0]),
        ([subscribe(0), granted(9), notify(12), notify(5000, 2, status=481)],
         ["presence", "terminated", 600.0, 2, 200, 5003.0]),
        ([subscribe(0), granted(9, 489)], ["presence", "rejected", None, 0, 489, 9.0]),
        ([subscribe(0), granted(9, 401), subscribe(20, 2), granted(40, 202, 2)],
         ["presence", "pending", 600.0, 0, 202, None]),
        ([subscribe(0), subscribe(500)], ["presence", "no-response", None, 0, None, None]),
        ([subscribe(0, expires=0), granted(9, expires=0), notify(12, state="terminated;reason=timeout")],
         ["presence", "terminated", None, 1, 200, 12.0]),
        ([subscribe(0, event="dialog;sla"), granted(9), notify(12, event="dialog")],
         ["dialog", "active", 600.0, 1, 200, None]),
        ([notify(0, event="message-summary", state="active", tags="b")],
         ["message-summary", "active", None, 1, None, None]),
        ([notify(0, event="message-summary", state="", tags="b")], ["message-summary", None, None, 1, None, None]),
    ],
)  # fmt: skip
def test_what_becomes_of_a_subscription(given: list[Any], row: list[Any]) -> None:
    result = read(*given, until(400_000))
    assert rows(result, "subscriptions", "event state expires_s notifies status_code end") == [row]


def test_a_fork_is_a_row_for_each_who_notifies() -> None:
    result = read(subscribe(0), granted(9), notify(12), notify(15, tags="c a"), notify(20, 2, "terminated", tags="c a"))
    assert rows(result, "subscriptions", "notifier state notifies") == [[BOB, "active", 1], [BOB, "terminated", 2]]


# ---- probes
def test_probes_are_counted_for_each_pair_and_answers_of_every_kind_count() -> None:
    def ping(ms: float, way: str, n: int, status: int | None, after: float) -> list[Said]:
        call_id = f"{way}{n}"
        asked = said(ms, way, "OPTIONS", n=n, tags="a", call_id=call_id)
        back = f"{way[2]}>{way[0]}"
        return [asked] if status is None else [asked, said(ms + after, back, status, "OPTIONS", n=n, call_id=call_id)]

    made = analysis(
        ping(0, "A>B", 1, 200, 10), ping(10_000, "A>B", 2, 404, 30), ping(20_000, "A>B", 3, None, 0),
        ping(5000, "B>A", 1, 200, 7), until(60_000),
    )  # fmt: skip
    table = made.probes[["src", "dst", "sent", "answered", "answered_percent", "mean_response_ms", "max_response_ms"]]
    assert table.to_numpy().tolist() == [
        ["192.0.2.1:5060", "192.0.2.2:5060", 3, 2, pytest.approx(200 / 3), 20.0, 30.0],
        ["192.0.2.2:5060", "192.0.2.1:5060", 1, 1, 100.0, 7.0, 7.0],
    ]


# ---- captures
def a_call() -> Tape:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, 500).talk(2.1, B, 5000, A, 4000, 500, ssrc=99)
    tape.bye(12.5)
    return tape


def capture_row(tape: Tape) -> dict[str, Any]:
    (row,) = records(tape.analyze(), "captures")
    return row


def test_a_clean_capture_is_good_and_nothing_is_said_against_it() -> None:
    row = capture_row(a_call())
    assert (row["packets"], row["format"], row["link_types"]) == (1006, "pcap-ns", "Ethernet")
    assert (row["grade"], row["doubts"], row["duplicated_percent"], row["cut_packets"]) == ("good", None, 0.0, 0)
    assert (row["dropped"], row["clock_steps"], row["large_frames"], row["damage"]) == (None, 0, 0, None)


@pytest.mark.parametrize("lost", [0, 50])
def test_a_mirror_port_is_a_hundred_percent_whatever_was_lost(lost: int) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(2.1, A, 4000, B, 5000, 500, lost=range(100, 100 + lost))
    tape.bye(12.5)
    row = capture_row(tape.doubled())
    assert row["duplicated_percent"] == 100.0
    assert "mirror" in row["doubts"]
    (call,) = tape.both()[0]
    assert (call["lost"], call["messages"], call["retransmissions"]) == (lost, 6, 0)


def test_half_of_the_frames_twice_is_fifty_percent() -> None:
    tape = a_call()
    half = tape.packets[: len(tape.packets) // 2]
    tape.packets += [packet._replace(time_ns=packet.time_ns + 10_000) for packet in half]
    assert capture_row(tape)["duplicated_percent"] == 50.0


def test_one_direction_of_signalling_is_a_poor_capture() -> None:
    tape = a_call()
    tape.packets = [packet for packet in tape.packets if packet.data[26:30] == bytes((10, 0, 0, 1))]
    row = capture_row(tape)
    assert row["grade"] == "poor"
    assert "one direction" in row["doubts"]


def test_cut_packets_are_counted_and_no_packets_have_no_grade() -> None:
    tape = a_call()
    tape.packets = [
        packet._replace(data=packet.data[:100], original_length=len(packet.data)) for packet in tape.packets
    ]
    row = capture_row(tape)
    assert (row["cut_packets"], row["grade"] != "good") == (1006, True)
    nothing = capture_row(Tape())
    assert (nothing["packets"], nothing["grade"], nothing["duplicated_percent"]) == (0, None, None)


# ---- tables agree with each other
@pytest.fixture(scope="module")
def mixed() -> tuple[bytes, sipanalyzer.Analysis]:
    """Two calls of other people, a registration, pages and probes, and media of one call."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), tags=("1001", "2001"))
    tape.talk(2.1, A, 4000, B, 5000, 600, lost=(20, 21, 22)).talk(2.1, B, 5000, A, 4000, 600, ssrc=99)
    tape.set_up(sdp(C, 4000), sdp(P, 5000), src=C, dst=P, call="two", tags=("3001", "4001"), at=1.0)
    tape.talk(3.2, C, 4000, P, 5000, 300, ssrc=7)
    for k, (method, who) in enumerate((("REGISTER", "1001"), ("MESSAGE", "3001"), ("OPTIONS", "3001"))):
        tape.request(20 + k, C, B, method, call=f"x{k}", initial=True, tags=(who, who))
        tape.reply(20.1 + k, B, C, 200, method=method, call=f"x{k}", tags=(who, who))
    tape.bye(30, tags=("1001", "2001"))
    return tape.bytes(), tape.analyze()


def test_sums_of_one_table_are_the_rows_of_another(mixed: tuple[bytes, sipanalyzer.Analysis]) -> None:
    made = mixed[1]
    assert made.endpoints.messages_sent.sum() == made.endpoints.messages_received.sum() == len(made.messages)
    assert made.endpoints.retransmissions.sum() == made.messages.retransmission.sum()
    assert set(made.calls.session) == {1, 2}
    for row in made.intervals.itertuples():
        assert (row.ssrc, row.call_id) == (made.streams.ssrc[row.stream], made.streams.call_id[row.stream])
    by_stream = made.intervals.groupby("stream")[["packets", "lost"]].sum()
    assert by_stream.packets.tolist() == made.streams.packets.tolist()
    assert by_stream.lost.tolist() == made.streams.lost.tolist()
    counts = made.statistics.set_index("metric").value
    assert (
        counts[[name for name in counts.index if name.startswith("method ")]].sum()
        == made.messages.method.notna().sum()
    )


def test_a_number_narrows_every_table(mixed: tuple[bytes, sipanalyzer.Analysis]) -> None:
    whole, one = mixed[1], sipanalyzer.analyze(io.BytesIO(mixed[0]), number="1001")
    assert one.calls.call_id.tolist() == ["one"]
    assert set(one.messages.call_id) == {"one", "x0"}
    assert set(one.transactions.call_id) == {"one", "x0"}
    assert set(one.streams.call_id) == set(one.intervals.call_id) == {"one"}
    assert (len(one.registrations), len(one.pages), len(one.probes)) == (1, 0, 0)
    assert (len(whole.registrations), len(whole.pages), len(whole.probes)) == (1, 1, 1)
    # who had no part in it does not stand there with zeros
    assert set(one.endpoints.address) == {A, B, C}
    assert one.endpoints.messages_sent.sum() == len(one.messages)
    other = sipanalyzer.analyze(io.BytesIO(mixed[0]), number="3001")
    assert (len(other.registrations), len(other.pages), len(other.probes)) == (0, 1, 1)
    assert set(other.endpoints.address) == {B, C, P}
    counts = one.statistics[one.statistics.scope == "all"].set_index("metric").value
    assert (counts["calls"], counts["method INVITE"], counts.get("method OPTIONS")) == (1.0, 1.0, None)


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_types_of_columns_do_not_depend_on_what_was_captured(
    mixed: tuple[bytes, sipanalyzer.Analysis], name: str
) -> None:
    nothing = sipanalyzer.analyze(io.BytesIO(pcap_bytes([])))
    full, empty = getattr(mixed[1], name), getattr(nothing, name)
    assert dict(full.dtypes) == dict(empty.dtypes)
    assert list(full.columns) == [column.name for column in COLUMNS[name]]


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_table_can_be_chosen_from_sorted_and_written(
    mixed: tuple[bytes, sipanalyzer.Analysis], name: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mixed.pcap"
    path.write_bytes(mixed[0])

    def run(*words: str) -> str:
        assert main([name, str(path), *words]) == 0
        return capsys.readouterr().out

    def strict(text: str) -> Any:
        raise AssertionError(f"{text} is no JSON")

    whole = json.loads(run("--format", "json"), parse_constant=strict)
    assert whole == [json.loads(text, parse_constant=strict) for text in run("--format", "jsonl").splitlines()]
    assert len(list(csv.reader(io.StringIO(run("--format", "csv"))))) == len(whole) + 1
    first = COLUMNS[name][0].name
    assert json.loads(run("--format", "json", "--columns", first)) == [{first: row[first]} for row in whole]
    assert len(json.loads(run("--format", "json", "--where", f"{first} != None"))) == sum(
        row[first] is not None for row in whole
    )
    measured = [column for column in COLUMNS[name] if column.dtype in ("int", "float", "time")]
    for each in measured[:3]:
        found = [row[each.name] for row in json.loads(run("--format", "json", "--sort", f"-{each.name}"))]
        known = [value for value in found if value is not None]
        assert found == known + [None] * (len(found) - len(known))
        assert known == sorted(known, reverse=True)
