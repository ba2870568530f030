"""`python -m yiwang.cli`: the command line without the installed script."""

from __future__ import annotations

from yiwang.cli.main import main

main(prog_name="yiwang")
