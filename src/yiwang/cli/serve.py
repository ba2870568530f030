"""`yiwang serve` and `yiwang worker`: the site, and background work."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from yiwang.cli.output import emit, json_option, say, wants_json


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 256), help="Processes that answer.")
@json_option
def serve(host: str, port: int, workers: int) -> None:
    """Run the site. The database is prepared first; Ctrl-C stops it.

    Background work (deadlines, jobs, notifications) is done by `yiwang worker`, beside it. YIWANG_HOME, YIWANG_DATABASE_URL and
    the other settings are described in docs/operations.

    \b
    Example: yiwang serve --port 8123 --workers 4
    """
    from yiwang.cli.processes import Family, require_free_port, site_command, wait_until_ready
    from yiwang.cli.site import prepare_database, site

    require_free_port(host, port)
    with site():
        prepare_database()
    url = address(host, port)
    family = Family()
    family.start("site", site_command(host=host, port=port, workers=workers), essential=True)
    wait_until_ready(url, family, "site")
    announce(url)
    sys.exit(family.run())


def address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only shown
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def announce(url: str) -> None:
    if wants_json():
        emit({"url": url})
    say(f"The site is on {url}", style="green")


@click.command()
@json_option
def worker() -> None:
    """Run background work: deadlines and escalations, queued jobs, notifications, the daily seal of the ledger.

    One is enough; several may run at once on PostgreSQL. Ctrl-C stops it after the piece of work in hand.

    \b
    Example: yiwang worker
    """
    from yiwang.cli.site import prepare_database, site

    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with site():
        prepare_database()
        from yiwang.server.provision.worker import run

        run(stop=lambda: stopping)
