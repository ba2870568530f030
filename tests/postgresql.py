"""The PostgreSQL server of the tests, and the second run of the server's tests on it: ``python -m tests.postgresql``.

The first run has SQLite under all tests. The second repeats those that use the tests' database, with PostgreSQL under them;
`tests/conftest.py` leaves out the others and those marked ``first_run_only``. Each worker has a database of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SERVER = os.environ.get("YIWANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
ROOT = Path(__file__).resolve().parents[1]
REPEATED = ("tests/server", "tests/api", "tests/apps")
IF_THERE = "--if-there"


def missing_postgresql() -> str:
    """Why there is no PostgreSQL server to test on; empty when there is."""
    import psycopg

    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server at {SERVER}: {error}".splitlines()[0]
    return ""


def second_run(arguments: list[str]) -> int:
    """Run pytest on PostgreSQL and give its exit code.

    Args:
        arguments: Paths and options for pytest instead of all that is repeated; ``--if-there`` passes without a server, in CI never.
    """
    if missing := missing_postgresql():
        passed = IF_THERE in arguments and not os.environ.get("YIWANG_CI")
        print(f"The second run of the server's tests was left out: {missing}" if passed else missing)
        return 0 if passed else 1
    chosen = [argument for argument in arguments if argument != IF_THERE] or [
        "-n",
        "3",  # on two cores: half of the time a test waits for a process or a browser
        "--dist",
        "worksteal",
        *REPEATED,
    ]
    environment = {**os.environ, "YIWANG_DATABASE_URL": f"{SERVER}/yiwang_{os.getpid()}"}
    command = [sys.executable, "-m", "pytest", "--create-db", *chosen]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(second_run(sys.argv[1:]))
