"""How a chart drawn as SVG looks: its classes and their style. Floor 8.

In: the palette. Out: CSS whose every rule begins with ``.sf``, so that it touches nothing else of a page. Names are
short, and differ in more than capitals (a page in quirks mode does not tell them apart). Narrow fonts come first: texts
are measured for wider ones.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping

from .escape import escaped
from .palette import INK, KINDS, LEGS, LOSS_STEPS, SEVERITY, Ink, Look

__all__ = ["KIND_CLASS", "MARKS", "SEVERITY_CLASS", "draw_line", "flow_css", "standalone_css"]

KIND_CLASS = {
    "invite": "ki",
    "request": "kr",
    "ending": "ke",
    "provisional": "kp",
    "success": "ks",
    "redirect": "kd",
    "challenge": "kc",
    "failure": "kf",
}
"""Classes of :data:`.palette.KINDS`."""
SEVERITY_CLASS = {"error": "xe", "warning": "xw", "info": "xi"}
MARKS = {
    "error": "l8 8m0-8l-8 8",
    "warning": "m4-1l5 9.5h-10z",
    "info": "m4-.5a4.5 4.5 0 1 0 .01 0m0 7.2v-3.2m0-2.2v.9",
}
"""Ways from the upper left corner of a box of 8 px: a cross, a triangle, an i."""

_SHAPES = """
.sf{font:12.5px Helvetica Neue,Helvetica,Arial,Liberation Sans,sans-serif}
.sf text{stroke:none}
.sf .t,.sf .f{font:10px Consolas,Liberation Mono,DejaVu Sans Mono,Menlo,monospace}
.sf .f{text-anchor:end}
.sf .l,.sf .d,.sf .n,.sf .a,.sf .q,.sf .z{text-anchor:middle}
.sf .ls,.sf .ds{text-anchor:start}
.sf .le,.sf .de{text-anchor:end}
.sf .l,.sf .n,.sf .c{font-weight:600}
.sf .c{font-size:14px}
.sf .d,.sf .a,.sf .w{font-size:11px}
.sf .q,.sf .z,.sf .y{font-size:10px}
.sf .u{fill:none}
.sf .h,.sf .pb{stroke:none}
.sf .r>path,.sf .r .l,.sf .r .d{opacity:.6}
.sf .k{stroke-width:1.6;stroke-dasharray:1 4;stroke-linecap:round}
.sf .fo{fill:none;stroke-dasharray:4 3;stroke-width:1.2}
.sf .xe,.sf .xi{fill:none;stroke-width:2.4}
.sf .xi{stroke-width:1.4}
.sf .xe,.sf .xw,.sf .xi{stroke-dasharray:none}
.sf .hm{stroke-dasharray:4 3}
.sf .m,.sf .s{cursor:pointer;outline:0}
.sf .b{fill:none;stroke:none;pointer-events:all}
"""


_COLOURS = """
.sf .g{fill:$ground}
.sf text{fill:$text}
.sf .t,.sf .f,.sf .d,.sf .a,.sf .q,.sf .z,.sf .y,.sf .p{fill:$quiet}
.sf .v{stroke:$line;stroke-width:1.3}
.sf .hd,.sf .no{fill:$panel;stroke:$line}
.sf .pb{fill:$panel}
.sf .o{fill:none;stroke:$quiet}
.sf .k{stroke:$text;fill:$text}
.sf .b:hover,.sf :focus>.b,.sf .on>.b{fill:$panel;stroke:$line;stroke-width:1;stroke-dasharray:none}
.sf :focus-visible>.b{stroke:$ki;stroke-width:2}
.sf .xw{fill:$xw}
@supports (paint-order:stroke){
.sf .l,.sf .d{paint-order:stroke;stroke:$ground;stroke-width:3px;stroke-dasharray:none;stroke-linejoin:round}
}
"""
"""A ``$name`` is put in. The halo hides lifelines behind a text; drawing programs that know none
would paint it over the text, hence ``@supports``."""


@functools.cache
def standalone_css() -> str:
    """Style of a chart that stands alone, in words that any drawing program reads.

    Light and dark follow the reader's system; print is light.
    """
    rules = _rules()
    light = _filled(rules, {name: pair[0] for name, pair in _colours().items()})
    dark = _filled(rules, {name: pair[1] for name, pair in _colours().items()})
    return f"{_shapes()}{light}@media screen and (prefers-color-scheme:dark){{{dark}}}"


@functools.cache
def flow_css() -> str:
    """Style of all charts that were drawn with ``standalone=False``: once in a page.

    Light and dark follow the reader's system, or ``data-theme="light"`` or ``"dark"`` of the page's root; print is
    light.
    """
    colours = _colours()
    light, dark = ("".join(f"--sf-{name}:{pair[at]};" for name, pair in colours.items()) for at in (0, 1))
    return (
        f".sf{{{light}}}@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]) .sf{{{dark}}}}}"
        f"@media screen{{:root[data-theme=dark] .sf{{{dark}}}}}"
        f"{_shapes()}{_filled(_rules(), {name: f'var(--sf-{name})' for name in colours})}"
    )


def draw_line(style: str, x: int, y: int, text: str) -> str:
    """A line of text; nothing where there is none."""
    return f'<text class="{style}" x="{x}" y="{y}">{escaped(text)}</text>' if text else ""


def _shapes() -> str:
    strokes = []
    for kind, look in KINDS.items():
        dash = f";stroke-dasharray:{' '.join(map(str, look.dash))}" if look.dash else ""
        strokes.append(f".sf .{KIND_CLASS[kind]}{{stroke-width:{look.width:g}{dash}}}")
    return _SHAPES.replace("\n", "") + "".join(strokes)


def _colours() -> dict[str, tuple[str, str]]:
    """Every colour by its class or its ink: on light and on dark ground."""
    looks: dict[str, Ink | Look] = {KIND_CLASS[kind]: look for kind, look in KINDS.items()}
    looks |= {SEVERITY_CLASS[name]: look for name, look in SEVERITY.items()}
    inks = dict[str, Ink | Look](INK) | {f"g{leg}": ink for leg, ink in enumerate(LEGS)}
    steps = {f"s{step}": (light, dark) for step, (_, light, dark) in enumerate(LOSS_STEPS)}
    return {name: (each.light, each.dark) for name, each in (inks | looks).items()} | steps


def _rules() -> str:
    """The rules that name a colour, the colours as ``$name``."""
    rules = [_COLOURS.replace("\n", "")]
    rules += [
        f".sf .{name}{{stroke:${name};fill:${name}}}.sf .{name} .l{{fill:${name}}}" for name in KIND_CLASS.values()
    ]
    rules += [f".sf .{name},.sf .no.n{name}{{stroke:${name}}}" for name in SEVERITY_CLASS.values()]
    rules += [f".sf .g{leg}{{fill:$g{leg}}}" for leg in range(len(LEGS))]
    return "".join(rules + [f".sf .s{step}{{fill:$s{step}}}" for step in range(len(LOSS_STEPS))])


def _filled(rules: str, colours: Mapping[str, str]) -> str:
    return string.Template(rules).substitute(colours)
