"""Registrations: rounds, states, expiry and refreshes, worked by hand; and that neither order nor hops matter."""

from __future__ import annotations

import pathlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.contacts import granted_expires, read_bindings
from sipanalyzer.calls.registrations import find_registrations
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.facts import Registration
from sipanalyzer.options import Options
from sipanalyzer.result import host_port
from tests.calls.words import seconds, table

CONTACT = "| Contact: <sip:al@10.0.0.1> "
HOUR = "| Expires: 3600 "


def found(script: str, end: float | None = None) -> list[Registration]:
    messages = table(script)
    last = seconds(end) if end is not None else int(messages.time[-1]) if len(messages) else 0
    return find_registrations(messages, match_transactions(messages, Options()), last, Options())


def register(at: float, n: int = 1, *, more: str = CONTACT + HOUR, ends: str = "A>R", **words: str) -> str:
    words = {"branch": f"b{n}{ends}", "from": "x", **words}
    return f"{at} {ends} REGISTER cseq={n} {' '.join(f'{k}={v}' for k, v in words.items())} {more}\n"


def reply(at: float, status: int, n: int = 1, *, more: str = "", ends: str = "A>R", **words: str) -> str:
    words = {"branch": f"b{n}{ends}", "from": "x", "to": "y", **words}
    back = ">".join(reversed(ends.split(">")))
    return f"{at} {back} {status} R cseq={n},REGISTER {' '.join(f'{k}={v}' for k, v in words.items())} {more}\n"


ACCEPTED = "| Contact: <sip:al@10.0.0.1>;expires=300 "
PLAIN = register(0) + reply(0.04, 200, more=ACCEPTED)


def test_a_plain_registration() -> None:
    (one,) = found(PLAIN)
    assert one.aor == "sip:bob@example.com" and one.contact == "sip:al@10.0.0.1"
    assert (one.registrar, one.source) == (("10.0.0.18", 5060), ("10.0.0.1", 5060))
    assert (one.state, one.refresh, one.status_code, one.attempts) == ("registered", False, 200, 1)
    assert (one.expires_s, one.registration_delay_ms) == (300.0, 40.0)
    assert (one.start, one.end, one.first_frame, one.rows) == (0, seconds(0.04), 1, (0, 1))


@pytest.mark.parametrize("challenge", [401, 407, 423])
def test_a_challenge_and_its_retry_are_one_registration_and_its_time_counts(challenge: int) -> None:
    (one,) = found(
        register(0) + reply(0.04, challenge) + register(0.07, 2) + reply(0.13, 200, 2, more=ACCEPTED)
    )  # RFC 6076 4.1: from the first REGISTER to the 200
    assert (one.state, one.attempts, one.registration_delay_ms, one.status_code) == ("registered", 2, 130.0, 200)
    assert one.rows == (0, 1, 2, 3)


def test_three_rounds_are_one_registration() -> None:
    script = register(0) + reply(0.1, 401) + register(0.2, 2) + reply(0.3, 423, 2)
    (one,) = found(script + register(0.4, 3) + reply(0.5, 200, 3, more=ACCEPTED))
    assert (one.attempts, one.registration_delay_ms) == (3, 500.0)


def test_a_retransmission_is_no_attempt() -> None:
    (one,) = found(register(0) + register(0.5) + reply(0.6, 200, more=ACCEPTED))
    assert (one.attempts, one.registration_delay_ms, len(one.rows)) == (1, 600.0, 3)


@pytest.mark.parametrize(
    ("status", "state"), [(403, "rejected"), (404, "rejected"), (423, "rejected"), (503, "rejected"), (603, "rejected"),
                          (302, "rejected"), (401, "challenged"), (407, "challenged")],
)  # fmt: skip
def test_what_is_not_taken_has_neither_delay_nor_expiry(status: int, state: str) -> None:
    (one,) = found(register(0) + reply(0.1, status), end=90)
    assert (one.state, one.status_code) == (state, status)
    assert (one.registration_delay_ms, one.expires_s, one.end) == (None, None, seconds(0.1))


def test_credentials_that_are_refused_with_403_are_rejected_and_with_401_stay_challenged() -> None:
    start = register(0) + reply(0.1, 401) + register(0.2, 2)
    (rejected,), (challenged,) = found(start + reply(0.3, 403, 2)), found(start + reply(0.3, 401, 2))
    assert (rejected.state, rejected.status_code, rejected.attempts) == ("rejected", 403, 2)
    assert (challenged.state, challenged.status_code, challenged.attempts) == ("challenged", 401, 2)


@pytest.mark.parametrize(
    ("gap", "nonce", "rows"), [(5.0, "", 1), (5.1, "", 2), (17.3, 'nonce="abc"', 1), (17.3, 'nonce="other"', 2)]
)
def test_a_retry_comes_soon_or_has_the_nonce_of_the_challenge(gap: float, nonce: str, rows: int) -> None:
    challenge = reply(0, 401, more='| WWW-Authenticate: Digest realm="r", nonce="abc"')
    again = register(gap, 2, more=f"{CONTACT}{HOUR}| Authorization: Digest username=al, {nonce}")
    made = found(register(-1) + challenge + again + reply(gap + 1, 200, 2, more=ACCEPTED))
    assert len(made) == rows
    assert [one.state for one in made][-1] == "registered"


@pytest.mark.parametrize("other", [{"call": "d"}, {"tu": "sip:carol@example.com"}, {"ends": "A>S"}])
def test_another_call_id_address_or_registrar_is_no_retry(other: dict[str, str]) -> None:
    made = found(register(0) + reply(0.1, 401) + register(0.2, 2, **other) + reply(0.3, 200, 2, **other))
    assert [one.state for one in made] == ["challenged", "registered"]


def test_a_lower_cseq_is_no_retry() -> None:
    assert len(found(register(0, 5) + reply(0.1, 401, 5) + register(0.2, 4) + reply(0.3, 200, 4))) == 2


@pytest.mark.parametrize(("end", "state"), [(31.9, "challenged"), (32.2, "no-response")])
def test_a_retry_that_waits_when_the_capture_ends_was_challenged(end: float, state: str) -> None:
    (one,) = found(register(0) + reply(0.1, 401) + register(0.2, 2), end=end)
    assert (one.state, one.end, one.registration_delay_ms) == (state, None, None)
    assert one.status_code == (401 if state == "challenged" else None)


def test_silence_and_a_provisional_response_are_no_response() -> None:
    (one,) = found(register(0) + register(0.5) + reply(0.6, 100), end=60)
    assert (one.state, one.status_code, one.end, one.attempts) == ("no-response", None, None, 1)


# ---- expiry
@pytest.mark.parametrize(
    ("asked", "granted", "seconds_"),
    [
        ("Contact: <sip:a@h>\r\nExpires: 60", "Contact: <sip:a@h>;expires=30\r\nExpires: 10", 30),
        ("Contact: <sip:a@h>\r\nExpires: 60", "Contact: <sip:a@h>\r\nExpires: 10", 10),
        ("Contact: <sip:a@h>\r\nExpires: 60", "Contact: <sip:a@h>", 60),
        ("Contact: <sip:a@h>;expires=70\r\nExpires: 60", "", 70),
        ("Contact: <sip:a@h>", "", None),
        # the contact that matches, not the first
        ("Contact: <sip:a@h>", "Contact: <sip:b@h>;expires=5, <sip:a@h>;expires=30", 30),
        ("Contact: <sip:a@H:5060;x=1>", "Contact: <sip:b@h>;expires=5\r\nm: <sip:a@h>;expires=30", 30),
        ("Contact: <sip:a@10.0.0.1>\r\nExpires: 60", "Contact: <sip:a@192.0.2.1>;expires=30", 30),
        ("Contact: <sip:a@h>\r\nExpires: 60", "Contact: <sip:b@h>;expires=5,<sip:c@h>;expires=6\r\nExpires: 7", 7),
        # gone, though others stay
        ("Contact: <sip:a@h>;expires=0", "Contact: <sip:b@h>;expires=5\r\nExpires: 9", 0),
        ("Contact: *\r\nExpires: 0", "Contact: <sip:b@h>;expires=5", 0),
        ("Contact: <sip:old@h>;expires=0, <sip:a@h>;expires=60", "Contact: <sip:a@h>;expires=50", 50),
        # as people write it
        ('m: "A, B" <sip:a@h>;expires="3600";q=1', "", 3600),
        ('m: "A <x>;expires=1" <sip:a@h;expires=2>;+sip.instance="<urn:x>;expires=3";Expires = 4;q=0.1', "", 4),
        ("Contact: sip:a@h;expires=8\r\nExpires: Thu, 01 Dec 1994 16:00:00 GMT", "", 8),
        ("Contact: <sip:a@h>\r\nExpires: Thu, 01 Dec 1994 16:00:00 GMT", "", None),
        ("Contact: <sip:a@h>;expires=99999999999999\r\nExpires: 5", "", 5),
    ],
)
def test_the_time_granted(asked: str, granted: str, seconds_: int | None) -> None:
    def raw(lines: str) -> bytes:
        return f"REGISTER sip:r SIP/2.0\r\nTo: <sip:a@r>\r\n{lines}\r\n\r\nContact: <sip:body>;expires=77\r\n".encode()

    assert granted_expires(read_bindings(raw(asked)), read_bindings(raw(granted))) == seconds_


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (CONTACT + "| Expires: 0", ""),
        ("| Contact: * | Expires: 0", ""),
        ("| Contact: <sip:al@10.0.0.1>;expires=0", "| Contact: <sip:other@h>;expires=50 | Expires: 50"),
        (CONTACT + HOUR, "| Contact: <sip:al@10.0.0.1>;expires=0"),
    ],
)
def test_a_contact_that_goes_is_unregistered(asked: str, granted: str) -> None:
    (one,) = found(register(0, more=asked) + reply(0.06, 200, more=granted))
    assert (one.state, one.expires_s, one.registration_delay_ms, one.refresh) == ("unregistered", 0.0, 60.0, False)


@pytest.mark.parametrize(("granted", "state"), [(ACCEPTED, "registered"), ("", "unregistered")])
def test_a_query_says_what_is_there_and_binds_nothing(granted: str, state: str) -> None:
    query = register(0, more="") + reply(0.1, 200, more=granted)
    one, later = found(query + register(9, 2) + reply(9.1, 200, 2, more=ACCEPTED))
    assert (one.state, one.contact, one.expires_s, one.refresh) == (state, None, None, False)
    assert not later.refresh


# ---- refreshes
def refreshes(script: str) -> list[bool]:
    return [one.refresh for one in found(script)]


def again(at: float, n: int, more: str = CONTACT + HOUR, granted: str = ACCEPTED, status: int = 200, **w: str) -> str:
    return register(at, n, more=more, **w) + reply(at + 0.1, status, n, more=granted, **w)


def test_a_refresh_is_a_new_row() -> None:
    assert refreshes(PLAIN + again(200, 2) + again(400, 3)) == [False, True, True]


def test_what_has_expired_is_no_refresh() -> None:
    assert refreshes(PLAIN + again(299, 2)) == [False, True]
    assert refreshes(PLAIN + again(301, 2)) == [False, False]


@pytest.mark.parametrize("gone", [CONTACT + "| Expires: 0", "| Contact: * | Expires: 0"])
def test_what_was_unregistered_is_no_refresh(gone: str) -> None:
    assert refreshes(PLAIN + again(50, 2, gone, "") + again(60, 3)) == [False, False, False]


def test_the_same_contact_under_another_call_id_and_another_contact_under_the_same_are_refreshes() -> None:
    other = "| Contact: <sip:al@10.0.0.1:7000> " + HOUR
    assert refreshes(PLAIN + again(50, 1, call="d")) == [False, True]
    assert refreshes(PLAIN + again(50, 2, other, "| Expires: 300")) == [False, True]
    assert refreshes(PLAIN + again(50, 1, other, "| Expires: 300", call="d")) == [False, False]


def test_a_refresh_that_fails_is_one_and_a_failure_before_makes_none() -> None:
    assert refreshes(PLAIN + again(50, 2, granted="", status=403)) == [False, True]
    assert refreshes(again(0, 1, granted="", status=403) + again(9, 2)) == [False, False]


def test_another_address_of_record_is_no_refresh() -> None:
    assert refreshes(PLAIN + again(50, 2, tu="sip:carol@example.com")) == [False, False]


# ---- hops
HOPS = (
    register(0, ends="A>P")
    + register(0.01, ends="P>R", vias="2")
    + reply(0.05, 401, ends="P>R")
    + reply(0.06, 401, ends="A>P")
    + register(0.10, 2, ends="A>P")
    + register(0.11, 2, ends="P>R", vias="2")
    + reply(0.15, 200, 2, ends="P>R", more=ACCEPTED)
    + reply(0.16, 200, 2, ends="A>P", more=ACCEPTED)
)


def test_a_proxy_makes_no_second_row_and_the_clients_hop_counts() -> None:
    (one,) = found(HOPS)
    assert (one.registrar[0], one.source[0]) == ("10.0.0.16", "10.0.0.1")
    assert (one.attempts, one.registration_delay_ms, one.state) == (2, 160.0, "registered")


def test_a_proxy_that_hides_the_hops_before_it_is_not_taken_for_the_client() -> None:
    (one,) = found(HOPS.replace("vias=2", "vias=1").replace("A>P REGISTER", "A>P REGISTER vias=3"))
    assert one.source[0] == "10.0.0.1"


def test_three_hops_on_one_host_are_told_apart_by_port() -> None:
    ports = {"A>P": "H:5070>H:5060", "P>R": "H:5060>H:5080"}
    script = HOPS
    for hop, ends in ports.items():
        backwards = ">".join(reversed(ends.split(">")))
        script = script.replace(f" {hop} ", f" {ends} ").replace(f" {hop[::-1]} ", f" {backwards} ")
    (one,) = found(script)
    assert (one.source[1], one.registrar[1], one.registration_delay_ms) == (5070, 5060, 160.0)


def test_a_client_that_moves_keeps_its_call_id_and_its_rows() -> None:
    made = found(PLAIN + again(100, 2, ends="B>R") + again(200, 3, ends="C>R"))
    assert [one.source[0] for one in made] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_no_message_and_no_register_give_nothing() -> None:
    assert found("") == []
    assert found("0 A>B INVITE from=x\n1 B>A 200 OK from=x to=y\n") == []


@given(st.lists(st.sampled_from([200, 401, 403, 423, 0]), min_size=1, max_size=12), st.integers(0, 1))
def test_every_register_is_in_one_row(statuses: list[int], slow: int) -> None:
    script = ""
    for n, status in enumerate(statuses, 1):
        script += register(n * (1 + 9 * slow), n)
        script += reply(n * (1 + 9 * slow) + 0.5, status, n, more=ACCEPTED) if status else ""
    made = found(script, end=1000)
    rows = [row for one in made for row in one.rows]
    assert sorted(rows) == list(range(len(table(script))))
    assert sum(one.attempts for one in made) == len(statuses)
    # twin: a row ends wherever no round follows in time
    cuts = sum(1 for status in statuses[:-1] if slow or status not in (401, 423)) + 1
    assert len(made) == cuts
    assert [one.start for one in made] == sorted(one.start for one in made)


# ---- captures
def test_the_sample_is_as_its_rows_say(samples: pathlib.Path) -> None:
    from sipanalyzer.pipeline import analyze

    entries = tomllib.loads((samples / "expected.toml").read_text(encoding="utf-8"))["file"]
    (entry,) = [entry for entry in entries if entry["name"] == "register.pcap"]
    result = analyze(samples / "register.pcap")
    end = result.captures[0].last
    assert end is not None
    made = find_registrations(result.messages, result.transactions, end, Options())
    assert len(made) == len(entry["registrations"]) == 3
    for one, wanted in zip(made, entry["registrations"], strict=True):
        seen = {name: getattr(one, name) for name in wanted} | {"registrar": host_port(one.registrar)}
        assert seen == wanted


def test_retries_that_somebody_typed_belong_to_their_challenge(corpus: pathlib.Path) -> None:
    """In this capture each retry has the nonce of a challenge 17 to 34 s before it."""
    from sipanalyzer.pipeline import analyze

    result = analyze(corpus / "zeek__zeek__wireshark.pcap")
    end = result.captures[0].last
    assert end is not None
    made = find_registrations(result.messages, result.transactions, end, Options())
    states = [(one.state, one.attempts, one.refresh) for one in made]
    assert states == [
        ("rejected", 2, False), ("challenged", 2, False), ("challenged", 2, False), ("registered", 2, False),
        ("challenged", 2, False), ("challenged", 2, False), ("registered", 2, False), ("challenged", 2, True),
        ("registered", 2, True),
    ]  # fmt: skip
