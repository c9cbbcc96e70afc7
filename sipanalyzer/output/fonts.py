"""Which fonts pictures are written in: matplotlib's own, and for letters that it does not have, what is installed.

Floor 8. Names on the wire are in any language; matplotlib's own font has no Chinese, Japanese, Korean or Arabic ones.
"""

from __future__ import annotations

import functools

__all__ = ["families"]

_FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "SimHei",
    "PingFang SC", "Hiragino Sans", "Yu Gothic", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Malgun Gothic",
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Thai", "Noto Sans Devanagari", "Arial Unicode MS",
)  # fmt: skip


@functools.cache
def families() -> list[str]:
    """Font families for matplotlib's ``fontfamily``, the first that has a letter draws it."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FALLBACKS if name in installed)]
