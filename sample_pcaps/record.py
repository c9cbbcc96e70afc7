"""Record the captures of real software: sipp and baresip on the loopback interface, and nothing but the loopback.

``python sample_pcaps/record.py [NAME...]`` (as root: tcpdump needs it) writes them into this folder. They are not the
same bytes twice: after a new recording `recorded.toml` must be written anew from what tshark says. Needs tcpdump, sipp
(3.6, with its pcap and RTP support) and baresip. Each recording is one call of at most 12 s and ends by itself after
30 s.
"""

from __future__ import annotations

import math
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from sample_pcaps.words.media import g711  # noqa: E402

SCENARIOS = HERE / "record"
SIPP_MEDIA = pathlib.Path("/usr/share/sip-tester")
CALLER, CALLEE = "127.0.77.1", "127.0.77.2"
SECONDS = 30


def run(commands: Sequence[Sequence[str]], folder: pathlib.Path, between_s: float = 1.0) -> None:
    """Start the commands one after the other, wait for the last, then end the others."""
    started = []
    try:
        for number, command in enumerate(commands):
            if number:
                time.sleep(between_s)
            log = (folder / f"log{number}").open("wb")
            started.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        started[-1].wait(SECONDS)
        time.sleep(1)  # until the kernel has handed over the last packets
    finally:
        for process in reversed(started):
            if process.poll() is None:
                process.terminate()
            process.wait(5)


def tcpdump(name: str, expression: str = f"host {CALLEE}") -> list[str]:
    """Capture what the expression names on the loopback interface, at most 3000 packets."""
    return ["timeout", str(SECONDS), "tcpdump", "-i", "lo", "-U", "-s", "0", "-c", "3000", "--immediate-mode", "-w",
            str(HERE / name), "-Z", "root", expression]  # fmt: skip


def sipp(*words: str) -> list[str]:
    """One sipp process that makes or takes one call."""
    return ["sipp", "-m", "1", "-timeout", str(SECONDS), "-nostdin", *words]


def sipp_uac_pcap(folder: pathlib.Path) -> None:
    """sipp's built-in scenarios: the caller plays a G.711 file and a DTMF digit, the callee echoes."""
    (folder / "pcap").symlink_to(SIPP_MEDIA)
    callee = sipp("-sn", "uas", "-i", CALLEE, "-p", "5060", "-mp", "6000", "-rtp_echo")
    caller = sipp("-sn", "uac_pcap", "-i", CALLER, "-p", "5061", "-mp", "7000", "-s", "echo", f"{CALLEE}:5060")
    run([tcpdump("sipp_uac_pcap.pcap"), callee, caller], folder)


def sipp_tcp_auth(folder: pathlib.Path) -> None:
    """sipp over TCP with digest authentication and an RTP stream towards the callee, who says nothing."""
    tone = g711([round(7919 * math.sin(2 * math.pi * 440 * at / 8000)) for at in range(8000)], "PCMA")
    (folder / "tone.alaw").write_bytes(tone)
    callee = sipp("-sf", str(SCENARIOS / "uas_auth_tcp.xml"), "-t", "t1", "-i", CALLEE, "-p", "5060", "-mp", "6100")
    caller = sipp("-sf", str(SCENARIOS / "uac_auth_tcp.xml"), "-t", "t1", "-i", CALLER, "-p", "5061", "-s", "desk",
                  "-mp", "7100", "-au", "loop", "-ap", "secret", f"{CALLEE}:5060")  # fmt: skip
    run([tcpdump("sipp_tcp_auth.pcap"), callee, caller], folder)


def baresip(folder: pathlib.Path) -> None:
    """Two baresip: the callee answers at once, both send a sine tone in Opus, with RTCP."""
    common = (
        "audio_source ausine,440\naudio_player aufile,/dev/null\naudio_alert aufile,/dev/null\nsip_transports udp\n"
        "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule opus.so\nmodule ausine.so\nmodule aufile.so\n"
        "module_tmp account.so\nmodule_app menu.so\nmodule uuid.so\nrtcp_mux no\nrtp_stats yes\n"
    )
    # on one address: its RTP sockets are bound to none, so the kernel would pick 127.0.0.1 as their source anyhow
    for name, port, rtp in (("caller", 5060, "7400-7499"), ("callee", 5070, "6400-6499")):
        home = folder / name
        home.mkdir()
        listen = f"net_interface 127.0.0.1\nsip_listen 127.0.0.1:{port}\nrtp_ports {rtp}\n"
        (home / "config").write_text(listen + common)
        mode = ";answermode=auto" if name == "callee" else ""
        (home / "accounts").write_text(f"<sip:{name}@127.0.0.1:{port}>;regint=0;audio_codecs=opus/48000/2{mode}\n")
        (home / "contacts").write_text("")
    callee = ["baresip", "-f", str(folder / "callee"), "-t", "14"]
    caller = ["baresip", "-f", str(folder / "caller"), "-e", "/dial sip:callee@127.0.0.1:5070", "-t", "8"]
    expression = "host 127.0.0.1 and udp and (port 5060 or port 5070 or portrange 6400-7499)"
    run([tcpdump("baresip.pcap", expression), callee, caller], folder, between_s=2.0)


RECORDINGS: tuple[Callable[[pathlib.Path], None], ...] = (sipp_uac_pcap, sipp_tcp_auth, baresip)


def main(names: Sequence[str]) -> int:
    """Record what is named, or everything."""
    for record in RECORDINGS:
        if not names or record.__name__ in names:
            with tempfile.TemporaryDirectory() as folder:
                record(pathlib.Path(folder))
                for log in sorted(pathlib.Path(folder).glob("log*")):
                    print(f"--- {record.__name__} {log.name}", log.read_text(errors="replace")[-600:], sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
