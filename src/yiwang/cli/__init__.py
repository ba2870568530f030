"""The command line `yiwang`: one small module per command group, loaded only when its command is called."""

from __future__ import annotations

from yiwang.cli.main import main

__all__ = ["main"]
