"""Install the npm packages and build the front end, with the machine's Node.js or the one that a wheel brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
OLDEST_NODE = (20, 19)  # what Vite 8 asks for


def node_version(node: str) -> tuple[int, ...]:
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return tuple(int(part) for part in text.lstrip("v").split(".")[:2] if part.isdigit())


def find_npm() -> tuple[str, dict[str, str]]:
    """Return npm and the environment to run it in; installs the Node.js wheel where the machine has none."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and node_version(node) >= OLDEST_NODE:
        return npm, dict(os.environ)
    binaries = Path(sys.executable).parent
    if not (binaries / "npm").exists():
        print("No Node.js 20.19 or newer here: taking it from a wheel.", file=sys.stderr)
        lock = str(ROOT / "requirements-node.txt")
        subprocess.run(
            [str(binaries / "uv"), "pip", "install", "-q", "--python", sys.executable, "--require-hashes", "-r", lock],
            check=True,
        )
    return str(binaries / "npm"), {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}


def main() -> None:
    npm, environment = find_npm()
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "ci", *quiet], cwd=WEB, env=environment, check=True)
    subprocess.run([npm, "run", "--silent", "build"], cwd=WEB, env=environment, check=True)


if __name__ == "__main__":
    main()
