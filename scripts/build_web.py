"""Install the npm packages and run a script of web/package.json, with the machine's Node.js or the one that a wheel brings.

``build_web.py`` builds the front end; ``build_web.py lint`` and ``build_web.py test`` check it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
OLDEST_NODE = (20, 19)  # what Vite 8 asks for
DOCUMENT = ROOT / "build" / "openapi.json"  # what web/src/api.d.ts is made from; neither is in git


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


def installed() -> bool:
    """Whether what npm installed last is what the lock file asks for. npm writes its own copy when it is through."""
    copy, lock = WEB / "node_modules" / ".package-lock.json", WEB / "package-lock.json"
    return copy.exists() and copy.stat().st_mtime > lock.stat().st_mtime


def describe_api() -> None:
    """Write the description of the API, as the server gives it, for the types of what the front end asks and is answered."""
    DOCUMENT.parent.mkdir(exist_ok=True)
    yiwang = str(Path(sys.executable).parent / "yiwang")
    api = ["--api", "yiwang.server.api.application.api"]
    export = [yiwang, "manage", "export_openapi_schema", *api, "--output", str(DOCUMENT)]
    with tempfile.TemporaryDirectory() as home:  # building makes no secret and no database where the platform will run
        subprocess.run(export, env={**os.environ, "YIWANG_HOME": home}, check=True)


def main(script: str = "build") -> None:
    npm, environment = find_npm()
    if not installed():
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([npm, "ci", *quiet], cwd=WEB, env=environment, check=True)
    if script == "build":
        describe_api()
    if (done := subprocess.run([npm, "run", "--silent", script], cwd=WEB, env=environment, check=False)).returncode:
        sys.exit(done.returncode)  # the script has said what is wrong


if __name__ == "__main__":
    main(*sys.argv[1:])
