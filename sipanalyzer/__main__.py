"""``python -m sipanalyzer`` is the command ``sipanalyzer``."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
