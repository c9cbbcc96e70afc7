"""Every finding about signalling: one capture in which it is raised, and one that looks alike in which it is not."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sipanalyzer.facts import SEVERITIES, Page, Registration
from sipanalyzer.findings.context import MAX_FRAMES
from sipanalyzer.findings.engine import find_findings
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.builders import START_NS
from tests.findings.scenes import again, capture, found, only, result
from tests.said import Said, cancelled, gone, invite, refused, said, sdp, taken, until
from tests.tape import A, B, Tape
from tests.tape import sdp as tape_sdp

VOICE = sdp("8 PCMA/8000")
HOLD = VOICE + b"a=sendonly\r\n"
FAX = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=image 4500 udptl t38\r\n"
BOTH_OFFERED = VOICE + b"m=image 4500 udptl t38\r\n"
FAX_DECLINED = VOICE + b"m=image 0 udptl t38\r\n"


def up(at: float = 1000, **more: Any) -> list[Said]:
    """A call that is answered."""
    return [invite(body=VOICE, **more), said(100, "B>A", 180), *taken(at, body=VOICE)]


def plain() -> Result:
    return result(up(), gone(9000), until(60_000))


# ---- retransmissions and what was waited for


def invite_lost_twice() -> Result:
    return result(again(invite(), 500, 1500), said(1600, "B>A", 180), taken(3000), gone(9000))


def invite_lost_once() -> Result:
    return result(again(invite(), 500), said(600, "B>A", 180), taken(3000), gone(9000))


def invite_at_two_hops() -> Result:
    hops = [invite(way="A>P"), invite(5, way="P>B"), said(20, "B>P", 180), said(25, "P>A", 180)]
    return result(hops, said(2000, "B>P", 200), said(2005, "P>A", 200), until(50_000))


def mirrored(seen: Result) -> Result:
    return dataclasses.replace(seen, captures=(dataclasses.replace(seen.captures[0], duplicated_percent=100.0),))


def answer_unacknowledged() -> Result:
    return result(invite(), again(said(1000, "B>A", 200), 1500, 2500, 4500), until(60_000))


def answer_acknowledged_late() -> Result:
    return result(invite(), again(said(1000, "B>A", 200), 1500, 2500), said(4600, "A>B", "ACK", tags="a b"))


def ack_that_the_proxy_kept() -> Result:
    hops = [invite(way="A>P"), invite(5, way="P>B"), *again(said(1000, "B>P", 200), 1500, 2500)]
    return result(hops, said(1005, "P>A", 200), said(1020, "A>P", "ACK", tags="a b"))


def ack_past_the_proxy() -> Result:
    hops = [invite(way="A>P"), invite(5, way="P>B"), *again(said(1000, "B>P", 200), 1500, 2500)]
    return result(hops, said(1005, "P>A", 200), said(1020, "A>B", "ACK", tags="a b"))


RELIABLE = ["Require: 100rel", "RSeq: 7"]


def fork_unacknowledged() -> Result:
    """Two forks answered, and only the first one's 2xx was acknowledged."""
    second = again(said(1100, "B>A", 200, tags="a c"), 1600, 2600)
    return result(invite(), said(1000, "B>A", 200), said(1020, "A>B", "ACK", tags="a b"), second)


def progress_unacknowledged() -> Result:
    return result(invite(), again(said(100, "B>A", 183, h=RELIABLE), 600, 1600), until(5000))


def progress_acknowledged() -> Result:
    prack = said(1700, "A>B", "PRACK", n=2, tags="a b", h=["RAck: 7 1 INVITE"])
    return result(invite(), again(said(100, "B>A", 183, h=RELIABLE), 600, 1600), prack, until(5000))


def progress_unreliable() -> Result:
    return result(invite(), again(said(100, "B>A", 183), 600, 1600), until(5000))


TIMER_A = (500, 1500, 3500, 7500, 15_500, 31_500)


def nobody_there() -> Result:
    return result(again(invite(), *TIMER_A), until(70_000))


def one_direction() -> Result:
    """The caller's side of a call that went well: no response was captured, and nothing was sent again."""
    return result(
        invite(), said(3000, "A>B", "ACK", tags="a b"), said(9000, "A>B", "BYE", n=2, tags="a b"), until(80_000)
    )


def failure_unseen() -> Result:
    """Sent again often, and then acknowledged: the response was there, and the capture lacks it."""
    return result(again(invite(), *TIMER_A), said(31_600, "A>B", "ACK", tags="a b", branch="z9hG4bK1INVITEAB"))


def silent_probes() -> Result:
    pings = [said(k * 10_000, "A>C", "OPTIONS", n=k + 1, tags="o", call_id=f"ping{k}") for k in range(6)]
    pongs = [
        said(k * 10_000 + 12, "C>A", 200, "OPTIONS", n=k + 1, tags="o p", call_id=f"ping{k}")
        for k in range(6)
        if k != 2
    ]
    return result(pings, pongs, until(120_000))


def answered_probes() -> Result:
    ping = again(said(0, "A>C", "OPTIONS", tags="o", call_id="ping"), 500, 1500, 3500)
    return result(ping, said(3600, "C>A", 200, "OPTIONS", tags="o p", call_id="ping"), until(50_000))


# ---- how calls went


def rang_after(ms: float) -> Callable[[], Result]:
    return lambda: result(invite(), said(50, "B>A", 100), said(ms, "B>A", 180), taken(ms + 3000), gone(ms + 9000))


def answered_slowly() -> Result:
    return result(invite(), said(900, "B>A", 180), taken(25_000), gone(40_000))


def timed(*, ends: float, refreshed: bool = False, expires: int = 90) -> Callable[[], Result]:
    """A call with a session timer, answered after 1 s."""

    def make() -> Result:
        header = [f"Session-Expires: {expires};refresher=uac"]
        script = [invite(), *taken(1000, h=header)]
        if refreshed:
            script += [said(46_000, "A>B", "UPDATE", n=2), said(46_020, "B>A", 200, "UPDATE", n=2, h=header)]
        return result(script, gone(ends, n=3))

    return make


def talk(*, runs_on: float, hold: bool = False, bye: bool = False) -> Callable[[], Result]:
    """A call with 2 s of media both ways; the capture runs on (s)."""

    def make() -> Result:
        tape = Tape()
        tape.set_up(tape_sdp(A, 4000), tape_sdp(B, 5000))
        tape.talk(2.1, A, 4000, B, 5000, 100, ssrc=1).talk(2.1, B, 5000, A, 4000, 100, ssrc=2)
        if hold:
            tape.reinvite(4.2, A, B, tape_sdp(A, 4000, lines=["sendonly"], version=2), tape_sdp(B, 5000))
        if bye:
            tape.bye(5)
        tape.udp(4.1 + runs_on, "198.51.100.1", 9, "198.51.100.2", 9, b"something else")
        return analyze(io.BytesIO(tape.bytes()))

    return make


def media_from(at: float) -> Callable[[], Result]:
    def make() -> Result:
        tape = Tape()
        tape.set_up(tape_sdp(A, 4000), tape_sdp(B, 5000), ringing=tape_sdp(B, 5000))
        tape.talk(at, B, 5000, A, 4000, 200, ssrc=2)
        tape.bye(9)
        return analyze(io.BytesIO(tape.bytes()))

    return make


# ---- refusals


def ended_with(status: int, *, of: Callable[..., Result] = result) -> Callable[[], Result]:
    return lambda: of(invite(), refused(500, status), until(9000))


def withdrawn() -> Result:
    return result(
        invite(), said(100, "B>A", 180), cancelled(5000), said(5010, "B>A", 487),
        said(5020, "A>B", "ACK", branch="z9hG4bK1INVITEAB"),
    )  # fmt: skip


CHALLENGE = ['Proxy-Authenticate: Digest realm="a", nonce="1"']
CREDENTIALS = ['Proxy-Authorization: Digest username="a", realm="a", nonce="1", response="2"']


def challenged(answer: bool) -> Callable[[], Result]:
    def make() -> Result:
        script = [invite(), *refused(10, 407, h=CHALLENGE), invite(30, n=2, h=CREDENTIALS)]
        script += taken(900, n=2) if answer else refused(60, 407, n=2, h=CHALLENGE)
        return result(script, until(20_000))

    return make


def cut_after_challenge() -> Result:
    return result(invite(), refused(10, 407, h=CHALLENGE))


def change_crossed_by_bye() -> Result:
    change = said(3000, "A>B", "INVITE", n=2, body=VOICE)
    return result(up(), change, said(3005, "B>A", "BYE", tags="b a", back=True), refused(3020, 481, n=2))


def refusing_change(status: int, *, then: int | None = None) -> Callable[[], Result]:
    def make() -> Result:
        script = [*up(), said(3000, "A>B", "INVITE", n=2, body=VOICE), *refused(3020, status, n=2)]
        if then is not None:
            script += [said(4000, "A>B", "INVITE", n=3, body=VOICE), *taken(4100, n=3)]
        return result(script, gone(9000, n=4))

    return make


def other_gateway() -> Result:
    """A gateway answers 503, and the proxy finds another one."""
    return result(
        invite(way="A>P"), invite(5, way="P>B"),
        said(10, "B>P", 503), said(12, "P>B", "ACK", branch="z9hG4bK1INVITEBP"),
        invite(20, way="P>C", branch="z9hG4bKother"), said(900, "C>P", 200, branch="z9hG4bKother"),
        said(905, "P>A", 200), said(930, "A>P", "ACK"), said(931, "P>C", "ACK"),
    )  # fmt: skip


def circle(second_uri: str, *, route: str | None = None) -> Callable[[], Result]:
    """P sends the call to C, and C back to P."""

    def make() -> Result:
        uri = "sip:bob@p.example"
        routes = [f"Route: <{route}>"] if route else []
        via = ["Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKp1"]
        return result(
            invite(way="A>P", uri=uri),
            invite(5, way="P>C", uri=uri, branch="z9hG4bKp1"),
            invite(9, way="C>P", uri=second_uri, branch="z9hG4bKc1", h=[*via, *routes]),
            until(2000),
        )

    return make


def merged() -> Result:
    """Two forks of a call meet at the same phone: the second is no loop, since the phone sent nothing on."""
    return result(
        invite(way="A>P"), invite(5, way="P>C", branch="z9hG4bKp1"), invite(5, way="P>B", branch="z9hG4bKp2"),
        invite(9, way="C>B", branch="z9hG4bKc1", h=["Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKp1"]),
        said(800, "B>P", 200, branch="z9hG4bKp2"), said(801, "P>A", 200), said(820, "A>B", "ACK"),
    )  # fmt: skip


def traced() -> Result:
    probe = said(0, "A>P", "OPTIONS", tags="o", call_id="trace", h=["Max-Forwards: 0"])
    return result(probe, said(5, "P>A", 483, "OPTIONS", tags="o p", call_id="trace"))


# ---- events


def changed(offer: bytes, answer: int = 200, reply: bytes = VOICE) -> Callable[[], Result]:
    def make() -> Result:
        script = [*up(), said(3000, "A>B", "INVITE", n=2, body=offer)]
        script += taken(3020, n=2, body=reply) if answer < 300 else refused(3020, answer, n=2)
        return result(script, gone(9000, n=4))

    return make


def offered_at_once(offer: bytes, answer: bytes) -> Callable[[], Result]:
    return lambda: result(invite(body=offer), taken(1000, body=answer), gone(9000))


def referred(status: int) -> Callable[[], Result]:
    def make() -> Result:
        refer = said(3000, "A>B", "REFER", n=2, h=["Refer-To: <sip:carol@c.example>"])
        return result(up(), refer, said(3010, "B>A", status, "REFER", n=2), gone(9000, n=3))

    return make


# ---- what others make of messages: facts by hand


def registration(**facts: Any) -> Registration:
    return Registration(
        **{
            "aor": "sip:alice@a.example", "contact": "sip:alice@192.0.2.1", "registrar": ("192.0.2.2", 5060),
            "source": ("192.0.2.1", 5060), "refresh": False, "state": "rejected", "expires_s": None,
            "registration_delay_ms": None, "status_code": 403, "attempts": 2, "start": START_NS, "end": None,
            "call_id": "r1", "capture": 0, "first_frame": 1, "rows": (0, 1, 2, 3), **facts,
        }
    )  # fmt: skip


def registering(last: int, **facts: Any) -> Callable[[], Result]:
    def make() -> Result:
        more = {"call_id": "r1", "callee": "sip:alice@a.example"}
        seen = result(
            said(0, "A>B", "REGISTER", tags="r", **more), said(5, "B>A", 401, "REGISTER", tags="r s", **more),
            said(10, "A>B", "REGISTER", n=2, tags="r", **more),
            said(15, "B>A", last, "REGISTER", n=2, tags="r s", **more),
            until(60_000),
        )  # fmt: skip
        return dataclasses.replace(seen, registrations=(registration(status_code=last, **facts),))

    return make


def paging(over: bool) -> Callable[[], Result]:
    def make() -> Result:
        seen = result(said(0, "A>B", "MESSAGE", tags="m", call_id="m1", body=b"x" * (1400 if over else 100)))
        page = Page(
            time=START_NS, from_uri="sip:alice@a.example", to_uri="sip:bob@b.example", call_id="m1",
            src=("192.0.2.1", 5060), dst=("192.0.2.2", 5060), transport="UDP", content_type="text/plain",
            size_bytes=1400, request_bytes=1700, status_code=200, delivery_ms=5.0, over_limit=over, text=None,
            capture=0, first_frame=1,
        )  # fmt: skip
        return dataclasses.replace(seen, pages=(page,))

    return make


def in_fragments(*rows: int) -> Callable[[], Result]:
    return lambda: dataclasses.replace(plain(), extra={"fragmented": set(rows)})


def too_short() -> Result:
    ms, frame = said(0, "A>B", "OPTIONS", tags="o", call_id="cut", body=b"x" * 50)
    return result((ms, frame.replace(b"Content-Length: 50", b"Content-Length: 90")), until(100))


# ---- who tries doors

TRIED = [f"sip:{100 + k}@b.example" for k in range(12)]


def trying(status: int, *, then: int | None = None, agent: str | None = None, count: int = 12) -> Callable[[], Result]:
    """One host sends INVITE to many targets, one a second."""

    def make() -> Result:
        script: list[Said] = []
        for k, uri in enumerate(TRIED[:count]):
            more: dict[str, Any] = {"call_id": f"try{k}", "uri": uri, "callee": uri}
            named = [f"User-Agent: {agent}"] if agent else []
            script += [invite(k * 1000, h=named, **more), said(k * 1000 + 20, "B>A", status, **more)]
            script.append(said(k * 1000 + 22, "A>B", "ACK", branch="z9hG4bK1INVITEAB", **more))
            if then is not None:
                script += [invite(k * 1000 + 40, n=2, h=[*named, *CREDENTIALS], **more)]
                script += [said(k * 1000 + 90, "B>A", then, n=2, **more)]
                script += [said(k * 1000 + 99, "A>B", "ACK", n=2, **more)]
        return result(script, until(40_000))

    return make


Case = tuple[str, Callable[[], Result], Sequence[Callable[[], Result]]]

CASES: dict[str, Case] = {
    "sent-again": (
        "retransmissions", invite_lost_twice, [invite_lost_once, invite_at_two_hops, nobody_there],
    ),
    "no-ack": ("missing-ack", answer_unacknowledged, [answer_acknowledged_late, ack_past_the_proxy]),
    "no-ack-fork": ("missing-ack", fork_unacknowledged, [answer_acknowledged_late]),
    "ack-stuck": ("missing-ack", ack_that_the_proxy_kept, [ack_past_the_proxy]),
    "no-prack": ("missing-prack", progress_unacknowledged, [progress_acknowledged, progress_unreliable]),
    "no-bye": (
        "missing-bye", talk(runs_on=61), [talk(runs_on=58), talk(runs_on=61, bye=True), talk(runs_on=70, hold=True)],
    ),
    "no-response": (
        "unanswered-request", nobody_there, [one_direction, failure_unseen, invite_lost_twice, answered_probes],
    ),
    "probe": ("unanswered-request", silent_probes, [answered_probes]),
    "slow": ("high-post-dial-delay", rang_after(8000), [rang_after(7900), answered_slowly]),
    "timer": ("session-timer-expiry", timed(ends=91_500), [timed(ends=70_000), timed(ends=91_000, refreshed=True)]),
    "timer-early": ("session-timer-expiry", timed(ends=61_000), [timed(ends=61_000, expires=1800)]),
    "refused": (
        "call-rejected", ended_with(404),
        [
            ended_with(486), ended_with(480), ended_with(302), ended_with(503), withdrawn,
            challenged(answer=True), cut_after_challenge,
        ],
    ),
    "5xx": ("server-error", ended_with(503), [ended_with(404), ended_with(486), plain]),
    "password": ("auth-failure", challenged(answer=False), [challenged(answer=True), ended_with(404)]),
    "registration": (
        "registration-failure", registering(403),
        [registering(200, state="registered"), registering(401, state="challenged", attempts=1)],
    ),
    "registration-401": (
        "registration-failure", registering(401, state="challenged"), [registering(200, state="unregistered")],
    ),
    "loop-told": ("routing-loop", ended_with(482), [ended_with(486), traced, plain]),
    "loop-seen": (
        "routing-loop", circle("sip:bob@p.example"),
        [circle("sip:carol@p.example"), circle("sip:bob@p.example", route="sip:orig@other.example;lr"), merged],
    ),
    "change": (
        "reinvite-failed", refusing_change(488),
        [
            refusing_change(491, then=200), refusing_change(401, then=200), refusing_change(487), ended_with(488),
            change_crossed_by_bye,
        ],
    ),
    "hold": ("held", changed(HOLD), [changed(VOICE), changed(HOLD, answer=488), offered_at_once(HOLD, VOICE)]),
    "transfer": ("transferred", referred(202), [referred(603), plain]),
    "fax": ("t38-fax", changed(FAX, reply=FAX), [offered_at_once(BOTH_OFFERED, FAX_DECLINED), plain]),
    "early": ("early-media", media_from(0.6), [media_from(2.1)]),
    "fragments": ("fragmented-sip", in_fragments(0), [in_fragments(), plain]),
    "page": ("pager-limit-exceeded", paging(over=True), [paging(over=False)]),
    "malformed": ("malformed-sip", too_short, [plain]),
    "scanner-name": (
        "scanner", trying(200, agent="friendly-scanner", count=1), [trying(200, agent="Linphone", count=1)],
    ),
    "scanner-deeds": (
        "scanner", trying(403),
        [trying(403, count=8), trying(486), trying(407, then=200), trying(503), trying(487)],
    ),
}  # fmt: skip
"""Code, raised where, quiet where."""


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_raised_once_with_its_evidence(name: str) -> None:
    code, raised, _ = CASES[name]
    seen = raised()
    finding = only(seen, code)
    assert finding.explanation.endswith(".") and finding.advice
    assert finding.frames and finding.frame == finding.frames[0] and len(finding.frames) <= MAX_FRAMES
    assert finding.capture == 0
    assert finding.time is not None or code == "malformed-sip"
    assert finding.call_id is None or finding.call_id in seen.messages.texts["call_id"]


@pytest.mark.parametrize(
    ("code", "quiet"),
    [
        pytest.param(code, each, id=f"{name}-{k}")
        for name, (code, _, quiet) in CASES.items()
        for k, each in enumerate(quiet)
    ],
)
def test_what_looks_alike_raises_nothing(code: str, quiet: Callable[[], Result]) -> None:
    assert code not in found(quiet())


@pytest.mark.parametrize("name", ["plain", "busy", "no-answer", "cancelled", "redirected", "declined", "challenged"])
def test_what_people_do_is_no_error(name: str) -> None:
    scenes: dict[str, Callable[[], Result]] = {
        "plain": plain, "busy": ended_with(486), "no-answer": ended_with(480), "cancelled": withdrawn,
        "redirected": ended_with(302), "declined": ended_with(603), "challenged": challenged(answer=True),
    }  # fmt: skip
    assert {each.severity for each in find_findings(scenes[name]())} <= {"info"}


# ---- what the sentences say


def said_of(seen: Result, code: str) -> str:
    return only(seen, code).explanation


def test_an_unanswered_invite_names_hop_count_and_time() -> None:
    text = said_of(nobody_there(), "unanswered-request")
    assert text == ("INVITE from 192.0.2.1:5060 to 192.0.2.2:5060 was sent 7 times in 31.5 s and drew no response.")
    finding = only(nobody_there(), "unanswered-request")
    assert (finding.severity, finding.affects, finding.frames) == ("error", "caller", (1, 2, 3, 4, 5, 6, 7))


def test_probes_are_one_finding_a_pair_with_counts() -> None:
    finding = only(silent_probes(), "unanswered-request")
    assert "OPTIONS from 192.0.2.1:5060 to 192.0.2.3:5060 drew no response 1 of 6 times" in finding.explanation
    assert (finding.severity, finding.call_id) == ("info", None)


def test_a_call_that_timed_out_has_always_one_finding() -> None:
    """Sent once, and nothing else in the capture: it may be one-sided, and the finding says so."""
    seen = result(invite(), until(40_000))
    assert (seen.calls[0].state, seen.calls[0].reason) == ("failed", "timeout")
    finding = only(seen, "unanswered-request")
    assert finding.severity == "info" and finding.doubtful is not None


def a_second_server(after: float, *copies: float) -> Result:
    return result(
        again(invite(way="A>B"), *copies), invite(after, way="A>C", n=2), said(after + 500, "C>A", 200, n=2),
        said(after + 520, "A>C", "ACK", n=2), until(99_000),
    )  # fmt: skip


def test_a_request_that_a_second_server_took_is_a_warning() -> None:
    assert only(a_second_server(4000, *TIMER_A[:3]), "unanswered-request").severity == "warning"


def test_the_delay_that_a_silent_server_made_is_its_consequence() -> None:
    codes = found(a_second_server(32_000, *TIMER_A))
    (delay,), (silence,) = codes["high-post-dial-delay"], codes["unanswered-request"]
    assert (delay.severity, delay.causes, silence.severity) == ("info", ("unanswered-request",), "error")


def test_what_a_network_says_of_a_host_explains_its_silence() -> None:
    from sipanalyzer.facts import IcmpError

    fault = IcmpError(
        START_NS, 2, 0, "192.0.2.2", "port-unreachable", "UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060), 3, START_NS
    )
    probe = result(again(said(0, "A>B", "OPTIONS", tags="o", call_id="ping"), *TIMER_A), until(60_000))
    assert "unanswered-request" in found(probe)
    assert "unanswered-request" not in found(dataclasses.replace(probe, icmp=(fault,)))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (invite_lost_twice, "retransmissions"),
        (answer_unacknowledged, "missing-ack"),
        (progress_unacknowledged, "missing-prack"),
    ],
)
def test_what_was_sent_again_is_doubtful_at_a_mirror_port(made: Callable[[], Result], code: str) -> None:
    sure, doubtful = only(made(), code), only(mirrored(made()), code)
    assert sure.doubtful is None
    assert doubtful.doubtful == "packets stand twice in the capture"
    assert SEVERITIES.index(doubtful.severity) == SEVERITIES.index(sure.severity) + 1


def test_missing_ack_names_the_sender_and_where_the_ack_stuck() -> None:
    assert said_of(answer_unacknowledged(), "missing-ack") == (
        "192.0.2.2 sent its 200 to INVITE 4 times in 3.5 s, and no ACK came."
    )
    assert "the ACK that came to 192.0.2.9 was not passed on" in said_of(ack_that_the_proxy_kept(), "missing-ack")


@pytest.mark.parametrize(
    ("after", "severity"), [(7_999, None), (8_000, "warning"), (10_999, "warning"), (11_000, "error")]
)
def test_post_dial_delay_is_judged_by_its_thresholds(after: float, severity: str | None) -> None:
    findings = found(rang_after(after)()).get("high-post-dial-delay", [])
    assert [each.severity for each in findings] == ([severity] if severity else [])


def test_a_capture_put_together_is_no_delay() -> None:
    assert "high-post-dial-delay" not in found(rang_after(100_000_000)())


@pytest.mark.parametrize(
    ("lived", "raised"),
    [(84.9, False), (85.0, True), (95.0, True), (95.1, False), (54.9, False), (65, True), (65.1, False)],
)
def test_a_bye_within_5_s_of_a_timer_is_its_doing(lived: float, raised: bool) -> None:
    """RFC 4028 section 10: at 90 s, or at 90 - min(32, 90 / 3) = 60 s after the last refresh."""
    assert ("session-timer-expiry" in found(timed(ends=1000 + lived * 1000)())) == raised


def test_the_compact_form_of_session_expires_counts() -> None:
    seen = result(invite(), taken(1000, h=["x:  120"]), gone(121_000))
    assert "expire after 120 s" in said_of(seen, "session-timer-expiry")


def test_the_answer_that_switches_the_timer_off_ends_it() -> None:
    update = [said(40_000, "A>B", "UPDATE", n=2), said(40_020, "B>A", 200, "UPDATE", n=2)]
    assert "session-timer-expiry" not in found(result(invite(), taken(1000, h=["x: 90"]), update, gone(91_000, n=3)))


def test_a_transfer_says_where_to_and_how_it_ended() -> None:
    refer = said(3000, "A>B", "REFER", n=2, h=["Refer-To: <sip:carol@c.example?Replaces=x%3Bto-tag%3Dy>"])
    notify = said(
        4000, "B>A", "NOTIFY", n=1, tags="b a", back=True, body=b"SIP/2.0 486 Busy Here\r\n", kind="message/sipfrag"
    )
    finding = only(result(up(), refer, said(3010, "B>A", 202, "REFER", n=2), notify, gone(9000, n=3)), "transferred")
    assert "The caller transferred the call to sip:carol@c.example, after a consultation" in finding.explanation
    assert "486" in finding.explanation and finding.severity == "warning"


def test_a_call_that_replaces_another_says_which() -> None:
    seen = result(invite(h=["Replaces: other@x;to-tag=1;from-tag=2"]), taken(900), gone(5000))
    assert "call other@x" in said_of(seen, "transferred")
    assert "transferred" not in found(result(invite(h=["Supported: replaces"]), taken(900), gone(5000)))


def test_a_hold_says_who_and_how_long() -> None:
    back = [said(8000, "A>B", "INVITE", n=3, body=VOICE), *taken(8020, n=3, body=VOICE)]
    hold = [said(3000, "A>B", "INVITE", n=2, body=HOLD), *taken(3020, n=2, body=VOICE)]
    assert said_of(result(up(), hold, back, gone(9000, n=4)), "held") == (
        "The caller put the other side on hold, for 5.0 s."
    )
    assert "not taken back" in said_of(changed(HOLD)(), "held")


def test_a_hold_seen_at_two_hops_is_one() -> None:
    hold = [said(3000, "A>P", "INVITE", n=2, body=HOLD), said(3005, "P>B", "INVITE", n=2, body=HOLD)]
    assert " times" not in said_of(result(up(), hold, said(3050, "P>A", 200, n=2), gone(9000, n=3)), "held")


def test_a_refused_fax_is_told_of_a_running_call() -> None:
    finding = only(changed(FAX, answer=488)(), "t38-fax")
    assert "did not agree" in finding.explanation and "reinvite-failed" in found(changed(FAX, answer=488)())


def test_a_gateway_passed_over_is_information() -> None:
    finding = only(other_gateway(), "server-error")
    assert (finding.severity, finding.call_id) == (
        "info",
        "c1",
    ) and "192.0.2.2 answered INVITE with 503" in finding.explanation


def test_5xx_to_other_requests_is_told_once_a_pair() -> None:
    script = [
        each
        for k in range(4)
        for each in (
            said(k * 100, "A>C", "PUBLISH", n=k + 1, tags="p", call_id="pub"),
            said(k * 100 + 5, "C>A", 501, "PUBLISH", n=k + 1, tags="p q", call_id="pub"),
        )
    ]
    finding = only(result(script), "server-error")
    assert (finding.severity, finding.call_id) == ("info", None) and finding.explanation.endswith("4 times.")


def test_registrations_of_one_address_are_one_finding() -> None:
    seen = registering(403)()
    twice = (
        seen.registrations[0],
        registration(start=START_NS + 10**9),
        registration(state="registered", start=START_NS + 2 * 10**9),
    )
    finding = only(dataclasses.replace(seen, registrations=twice), "registration-failure")
    assert "2 of 3 attempts failed" in finding.explanation and "a later one succeeded" in finding.explanation
    assert finding.severity == "warning"
    assert only(seen, "registration-failure").severity == "error"


def test_a_registration_that_waits_when_the_capture_ends_has_not_failed() -> None:
    seen = result(said(0, "A>B", "REGISTER", tags="r", call_id="r1"), until(20_000))
    waiting = registration(state="no-response", status_code=None, attempts=1, rows=(0,))
    assert not find_findings(dataclasses.replace(seen, registrations=(waiting,)))


def test_a_silent_registrar_is_told_by_its_retransmissions() -> None:
    seen = result(again(said(0, "A>B", "REGISTER", tags="r", call_id="r1"), *TIMER_A), until(60_000))
    silent = registration(state="no-response", status_code=None, attempts=1, rows=tuple(range(7)))
    codes = found(dataclasses.replace(seen, registrations=(silent,)))
    assert list(codes) == ["registration-failure"] and "no response" in codes["registration-failure"][0].explanation


def test_a_scanners_own_calls_are_no_trouble() -> None:
    seen = trying(403, agent="friendly-scanner")()
    findings = find_findings(seen)
    assert [each.code for each in findings if each.severity != "info"] == ["scanner"]
    assert all(each.causes == ("scanner",) for each in findings if each.code == "call-rejected")


def test_a_scanner_that_got_in_is_an_error() -> None:
    assert only(trying(200, agent="sipvicious", count=1)(), "scanner").severity == "error"


def test_a_proxy_that_passes_a_scanner_on_is_none() -> None:
    script = [
        invite(0, way="A>P", h=["User-Agent: friendly-scanner"]),
        invite(5, way="P>B", h=["User-Agent: friendly-scanner"]),
        said(20, "B>P", 403),
        said(22, "P>A", 403),
    ]
    assert only(result(script), "scanner").explanation.startswith("192.0.2.1 ")


def test_an_unanswered_request_in_fragments_names_them() -> None:
    seen = dataclasses.replace(nobody_there(), extra={"fragmented": {0}})
    codes = found(seen)
    assert codes["unanswered-request"][0].causes == ("fragmented-sip",)
    assert (codes["unanswered-request"][0].severity, codes["fragmented-sip"][0].severity) == ("error", "warning")


def test_rotated_files_find_what_one_file_finds() -> None:
    script = again(invite(), *TIMER_A)
    first, second = capture(*script[:3]), capture(*script[3:], until(70_000))
    parts = analyze([io.BytesIO(first), io.BytesIO(second)])
    assert [each.code for each in find_findings(parts)] == [each.code for each in find_findings(nobody_there())]
