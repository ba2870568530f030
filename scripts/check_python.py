"""Refuse a Python that the locked requirements do not fit, with a sentence instead of a resolver's page."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"Yiwang needs Python 3.11, 3.12 or 3.13; {sys.executable} is {found}. Try: make run PYTHON=python3.12")
