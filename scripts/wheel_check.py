"""A hook of the wheel's build: a wheel without the built front end would install and then show bare pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndIsBuilt(BuildHookInterface):
    """Refuses a wheel when the front end was not built. An editable install may come before its build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        manifest = Path(self.root, "src", "yiwang", "server", "static", "build", "manifest.json")
        if version == "standard" and not manifest.is_file():
            raise FileNotFoundError(f"{manifest} is missing: build the wheel with `make wheel`.")
