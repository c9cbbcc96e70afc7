"""A flow chart shows itself in a notebook, and on sites that show notebooks."""

from __future__ import annotations

import base64
import html.parser
import xml.etree.ElementTree as ET

import pytest

from sipanalyzer.output.flow.picture import Flow
from tests.output.flow.charts import HOSTILE, chart, message
from tests.output.results import make_result


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("title", ["alice to bob, completed", *HOSTILE, '"><script>alert(1)</script>', "x" * 10_000])
def test_a_page_that_takes_styles_out_still_has_the_chart_with_its_style(title: str) -> None:
    flow = Flow(make_result(), chart([message(0)], title=title))
    reader = _Tags()
    reader.feed(flow._repr_html_())
    reader.close()
    [(tag, attributes)] = reader.tags  # one tag, whatever the title is
    assert tag == "img" and set(attributes) == {"alt", "src"}
    kind, _, content = str(attributes["src"]).partition(",")
    assert kind == "data:image/svg+xml;base64"
    inside = base64.b64decode(content)
    assert ET.fromstring(inside).tag.endswith("svg") and b"<style>" in inside
    assert inside == flow._repr_svg_().encode("utf-8", "replace")
    assert len(str(attributes["alt"])) < 2000
