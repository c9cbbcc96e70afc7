"""A browser on a capture told in words, driven by keys; what its screen shows, as text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from sipanalyzer.analysis import Analysis
from sipanalyzer.browser.app import Browser
from tests.tape import A, B, C, Tape, sdp

Piloted = Pilot[None]
HOSTILE = 'x\x1b[2J[bold red]\u202e"<script>alert(1)</script>;$x$\ud800]]>'


def drive(
    analysis: Analysis,
    steps: Callable[[Browser, Piloted], Awaitable[None]],
    size: tuple[int, int] = (100, 30),
    notifications: bool = False,
) -> None:
    """Open the browser, do the steps, close it; an exception in the application fails the test."""

    async def run() -> None:
        app = Browser(analysis)
        async with app.run_test(size=size, notifications=notifications) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())


async def press(pilot: Piloted, *keys: str) -> None:
    """Press keys and let the application come to rest."""
    await pilot.press(*keys)
    await pilot.pause()


async def type_in(pilot: Piloted, text: str) -> None:
    """Type a text."""
    names = {" ": "space", "/": "slash", ".": "full_stop", "'": "apostrophe", "=": "equals_sign", "_": "underscore"}
    names |= {">": "greater_than_sign", "-": "minus", "(": "left_parenthesis", "@": "at"}
    for character in text:
        await pilot.press(names.get(character, character))
    await pilot.pause()


def seen(app: Browser) -> str:
    """What the screen shows, line by line."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    assert len(lines) == height and all(len(line) <= width * 2 for line in lines)
    return "\n".join(line.rstrip() for line in lines)


async def until(pilot: Piloted, true: Callable[[], object]) -> None:
    """Let the application work until something is true of it."""
    for _ in range(200):
        if true():
            return
        await pilot.pause()
    raise AssertionError("it does not become true")


def name_of(app: Browser) -> str:
    """Which screen is shown."""
    return type(app.screen).__name__


def three_calls() -> Analysis:
    """alice calls bob (answered, 3 s of RTP one way lost in part), carol calls bob (486), dave registers."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), call="first", tags=("alice", "bob"))
    tape.talk(2.1, A, 4000, B, 5000, 1500)
    tape.talk(2.1, B, 5000, A, 4000, 1500)
    tape.bye(33, call="first", tags=("alice", "bob"))
    tape.request(40, C, B, "INVITE", sdp(C, 6000), call="second", initial=True, tags=("carol", "bob"))
    tape.reply(40.1, B, C, 486, call="second", tags=("carol", "bob"))
    tape.request(40.2, C, B, "ACK", call="second", tags=("carol", "bob"))
    tape.request(50, C, B, "INVITE", sdp(C, 6000), call="third", initial=True, tags=("erin", "frank"))
    tape.reply(50.1, B, C, 503, call="third", tags=("erin", "frank"))
    tape.request(50.2, C, B, "ACK", call="third", tags=("erin", "frank"))
    tape.request(60, A, B, "REGISTER", call="reg", initial=True, tags=("dave", "dave"), headers=["Expires: 60"])
    tape.reply(60.1, B, A, 200, method="REGISTER", call="reg", tags=("dave", "dave"), headers=["Expires: 60"])
    tape.request(70, A, B, "OPTIONS", call="probe", initial=True)
    tape.reply(70.1, B, A, 200, method="OPTIONS", call="probe")
    return tape.analyze()
