"""Draws the pictures of the README: a flow chart, and the first screen and a call of a report. Needs Chromium.

python docs/pictures/make.py
"""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

from playwright.sync_api import sync_playwright

import sipanalyzer

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "sample_pcaps"


def main() -> int:
    """Write the pictures beside this file."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("no Chromium: install Debian's chromium", file=sys.stderr)
        return 2
    lossy = sipanalyzer.analyze(SAMPLES / "lossy.pcap")
    sipanalyzer.analyze(SAMPLES / "two_legs.pcap").call(0).flow(session=True).save(HERE / "flow.svg", force=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        report = pathlib.Path(folder) / "report.html"
        lossy.report(report, title="One call that sounded bad")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1180}, device_scale_factor=1.5)
        page.goto(f"{report.as_uri()}#call=0")
        page.wait_for_selector("canvas")
        page.wait_for_timeout(1_000)  # charts draw themselves frame by frame
        page.screenshot(path=HERE / "report.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
