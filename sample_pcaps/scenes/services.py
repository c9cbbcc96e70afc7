"""SIP that is no call: registrations, messages, pings, and somebody who tries doors."""

from __future__ import annotations

from dataclasses import replace

from ..words.scene import ALICE, BOB, Scene, Talk, fragments_of
from ..words.sip import Dialog, Message, Party, digest, reply

REGISTRAR = Party("203.0.113.5", "", agent="Middle PBX 12", domain="pbx.example.com")
TEXT = ("Content-Type", "text/plain")


def registration() -> Scene:
    scene = Scene(
        "register.pcap",
        "alice registers: 401, again with credentials, 200 (expires 3600); 60 s later she refreshes, and 60 s "
        "after that signs off (expires 0).",
        "No call. 3 registrations of sip:alice@pbx.example.com: registered (2 attempts, 130 ms), refresh, "
        "unregistered.",
    )
    alice = replace(ALICE, domain="pbx.example.com")
    line = Dialog(alice, REGISTRAR, "register-1@192.0.2.10")
    nonce = "9f2c5b7a"

    def register(expires: int, *, proven: bool) -> Message:
        uri = "sip:pbx.example.com"
        proof = (
            [digest("Authorization", "alice", "pbx.example.com", nonce, uri, "secret", "REGISTER")] if proven else []
        )
        message = line.request("REGISTER", tagged=False, uri=uri, headers=[("Expires", str(expires)), *proof])
        return replace(
            message, headers=tuple((n, f"<{alice.uri}>") if n == "To" else (n, v) for n, v in message.headers)
        )

    challenge = ("WWW-Authenticate", f'Digest realm="pbx.example.com", nonce="{nonce}", algorithm=MD5')
    first = scene.say(0, register(3600, proven=False))
    scene.answer(40, first, 401, tag="r1", headers=[challenge])
    for at_ms, expires in ((70, 3600), (60_000, 3600), (120_000, 0)):
        request = scene.say(at_ms, register(expires, proven=True))
        bound = [("Contact", f"{alice.contact};expires={expires}")] if expires else []
        scene.answer(at_ms + 60, request, 200, tag="r1", headers=[*bound, ("Expires", str(expires))])
    common = {"aor": "sip:alice@pbx.example.com", "registrar": "203.0.113.5:5060", "status_code": 200}
    scene.expect("registrations", **common, state="registered", refresh=False, expires_s=3600, attempts=2,
                 registration_delay_ms=130.0)  # fmt: skip
    scene.expect("registrations", **common, state="registered", refresh=True, expires_s=3600, attempts=1,
                 registration_delay_ms=60.0)  # fmt: skip
    scene.expect("registrations", **common, state="unregistered", expires_s=0, attempts=1, registration_delay_ms=60.0)
    scene.expect("endpoints", address=REGISTRAR.host, roles="registrar", products="Middle PBX 12", calls=0)
    scene.expect("statistics", metric="RRD mean", scope="all", basis=3, value=round(250 / 3, 6))
    scene.quiet = ("registration-failure", "auth-failure", "retransmissions")
    return scene


def pager() -> Scene:
    scene = Scene(
        "message.pcap",
        "Pager model: alice sends bob three MESSAGE requests: a short one; one of 1400 bytes, over the 1300 that "
        "RFC 3428 allows on UDP; and one with a body over 1300 bytes, in two IP fragments, answered 202.",
        "No call. 3 pages, 200 after 25 ms, 200 after 25 ms, 202 after 25 ms; the second and third over the limit.",
    )
    short = "The meeting is at three."
    long = "A pager carries short notes; what is longer belongs into a session (MSRP). "
    for number, (length, code) in enumerate(((len(short), 200), (0, 200), (1340, 202))):
        line = Dialog(ALICE, BOB, f"message-{number + 1}@192.0.2.10")
        probe = line.request("MESSAGE", tagged=False, headers=[TEXT], contact=False)
        body = (short if number == 0 else (long * 30)[: length or 1400 - len(probe.encode()) - 3]).encode()
        message = replace(probe, body=body)
        if length > 1300:
            scene.tally(message)
            for part, fragment in enumerate(fragments_of(message, 0x9A6E, 1480)):
                scene.put(1000 * number + part * 0.1, fragment, ALICE.host, BOB.host)
        else:
            scene.say(1000 * number, message)
        done = 0.1 if length > 1300 else 0
        scene.answer(1000 * number + 25 + done, message, code, tag="m1")
        size = len(message.encode())
        scene.expect(
            "pages", call_id=message.call_id, from_uri=ALICE.uri, to_uri=BOB.uri, content_type="text/plain",
            size_bytes=len(body), request_bytes=size, status_code=code, delivery_ms=25.0, over_limit=size > 1300,
            text=body.decode(),
        )  # fmt: skip
    scene.finding("pager-limit-exceeded", "warning", values=["1300", "2"])
    scene.finding("fragmented-sip", "info")
    scene.quiet = ("unanswered-request", "malformed-sip")
    return scene


def pings() -> Scene:
    scene = Scene(
        "options.pcap",
        "A gateway pings two trunks with OPTIONS, six times each: the first answers all after 12 ms, the second five "
        "after 30 ms; the unanswered one is sent again after 0.5, 1.5 and 3.5 s and given up.",
        "No call. 6 of 6 answered (mean 12 ms), 5 of 6 answered (mean 30 ms); 3 retransmissions.",
    )
    gateway = Party("192.0.2.77", "ping", agent="Gateway 5")
    for host, delay_ms, silent in (("198.51.100.31", 12, None), ("198.51.100.32", 30, 3)):
        trunk = Party(host, "trunk", agent="Carrier SBC")
        for number in range(6):
            line = Dialog(gateway, trunk, f"ping-{host[-2:]}-{number}@192.0.2.77")
            at_ms = 5000 * number + delay_ms * 10
            request = scene.say(at_ms, line.request("OPTIONS", tagged=False, contact=False))
            if number == silent:
                for later in (500, 1500, 3500):
                    scene.say(at_ms + later, request, again=True)
            else:
                scene.answer(at_ms + delay_ms, request, 200, tag="o1", headers=[("Allow", "INVITE, ACK, BYE, CANCEL")])
        answered = 6 if silent is None else 5
        scene.expect(
            "probes", src="192.0.2.77:5060", dst=f"{host}:5060", sent=6, answered=answered,
            answered_percent=round(100 * answered / 6, 6), mean_response_ms=float(delay_ms),
            max_response_ms=float(delay_ms),
        )  # fmt: skip
    scene.finding("unanswered-request", "info", values=["1 of 6"])
    scene.quiet = ("scanner", "retransmissions", "one-sided-capture")
    return scene


def scanner() -> Scene:
    scene = Scene(
        "scanner.pcap",
        "`friendly-scanner` tries OPTIONS at 14 addresses (5 answer, with 404 or 200), guesses 6 extensions with "
        "REGISTER (403 or 404), and tries one call abroad, which is challenged (401) and given up.",
        "1 call, rejected with 401, auth failed; 35 messages; the rest are no calls.",
    )
    scene.expect("calls", call_id="scan-call@203.0.113.200", state="rejected", status_code=401, reason="Unauthorized",
                 caller="100", callee="900972592277524", src="203.0.113.200:5070", dst="198.51.100.5:5060",
                 auth="failed", dialogs=0, partial=False)  # fmt: skip
    probe = Party("203.0.113.200", "100", port=5070, agent="friendly-scanner")
    for number in range(14):
        target = Party(f"198.51.100.{number + 1}", "100")
        line = Dialog(probe, target, f"scan-{number}@203.0.113.200")
        request = scene.say(100 * number, line.request("OPTIONS", tagged=False, contact=False))
        if number in (1, 4, 7, 8, 12):
            scene.answer(100 * number + 35, request, 200 if number == 4 else 404, tag=f"s{number}")
    target = Party("198.51.100.5", "")
    for number, guess in enumerate(("100", "101", "200", "1000", "1001", "admin")):
        line = Dialog(replace(probe, user=guess), target, f"guess-{number}@203.0.113.200")
        request = scene.say(2000 + 150 * number, line.request("REGISTER", tagged=False, uri="sip:198.51.100.5"))
        scene.answer(2030 + 150 * number, request, 403 if guess == "100" else 404, tag=f"g{number}")
    talk = Talk(scene, "scan-call@203.0.113.200", probe, replace(target, user="900972592277524"))
    invite = scene.say(4000, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    challenge = ("WWW-Authenticate", 'Digest realm="asterisk", nonce="4f1a", algorithm=MD5')
    scene.say(4030, reply(invite, 401, tag="c1", headers=[challenge]))
    scene.say(4060, talk.dialog.ack_failure(invite, "c1"))
    line = Dialog(probe, Party("198.51.100.15", "100"), "scan-last@203.0.113.200")
    scene.say(12_000, line.request("OPTIONS", tagged=False, contact=False))
    for number in range(15):
        answered = number in (1, 4, 7, 8, 12)
        measured = dict.fromkeys(("mean_response_ms", "max_response_ms"), 35.0 if answered else None)
        scene.expect(
            "probes", src="203.0.113.200:5070", dst=f"198.51.100.{number + 1}:5060", sent=1, answered=int(answered),
            answered_percent=100.0 * answered, **measured,
        )  # fmt: skip
    for number, guess in enumerate(("100", "101", "200", "1000", "1001", "admin")):
        scene.expect(
            "registrations", registrar="198.51.100.5:5060", call_id=f"guess-{number}@203.0.113.200", state="rejected",
            status_code=403 if guess == "100" else 404, attempts=1, refresh=False, registration_delay_ms=None,
        )  # fmt: skip
    scene.finding("scanner", "warning", values=["203.0.113.200", "friendly-scanner"])
    scene.finding("auth-failure", "info", "scan-call@203.0.113.200", values=["401"])
    scene.quiet = ("unanswered-request", "registration-failure", "call-rejected", "no-media")
    return scene


SCENES = (registration, pager, pings, scanner)
