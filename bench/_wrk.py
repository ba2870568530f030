"""Load by `wrk`, which takes little of the two cores."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

SECONDS = 8
CONNECTIONS = 16


def get(wrk: str, base: str, paths: list[str], token: str) -> float:
    """GET these paths in turn for some seconds; answers a second."""
    return run(wrk, base, paths, f'wrk.headers["Authorization"] = "Bearer {token}"\n' if token else "")[0]


def run(wrk: str, base: str, paths: list[str], prepare: str) -> tuple[float, int]:
    """Ask for paths in turn; calls a second that were answered well, and how many.

    Args:
        wrk: The program.
        base: Address of the site.
        paths: What is asked for, below it.
        prepare: Lua that sets method, body and headers.

    Raises:
        AssertionError: When more than one call in a hundred was refused.
    """
    script = (
        f"local paths = {{{', '.join(json.dumps(path) for path in paths)}}}\nlocal turn = 0\n{prepare}"
        "request = function() turn = turn % #paths + 1 return wrk.format(nil, paths[turn]) end\n"
        "done = function(s) io.write(string.format('RESULT %d %d %d\\n', s.requests, s.errors.status, s.duration)) end\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as file:
        # Lua knows no \\u escapes below 5.3: bytes as decimal escapes
        file.write(
            "".join(char if ord(char) < 128 else "".join(f"\\{byte}" for byte in char.encode()) for char in script)
        )
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", file.name, base]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    Path(file.name).unlink()
    calls, failed, microseconds = (int(part) for part in out.split("RESULT ")[1].split()[:3])
    if failed > calls / 100:
        raise AssertionError(f"{failed} of {calls} calls were refused")
    return (calls - failed) / (microseconds / 1e6), calls - failed
