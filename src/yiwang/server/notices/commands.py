"""The command `yiwang notices`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click


@click.group()
def notices() -> None:
    """Notices: a gateway to try the webhook with."""


@notices.command()
@click.option("--port", default=8801, show_default=True, help="Port on this machine.")
def gateway(port: int) -> None:
    """Take messages as a gateway for SMS would, check their signature and print them. Nothing is sent on.

    The secret is the one of the environment, YIWANG_NOTICES_SECRET; numbers are masked. Run the site and the worker with
    YIWANG_NOTICES_GATEWAY=http://127.0.0.1:8801/.
    """
    from yiwang.server.notices.gateway import serve
    from yiwang.server.people.masking import mask_contact

    secret = os.environ.get("YIWANG_NOTICES_SECRET", "")
    if not secret:
        raise click.ClickException("Set YIWANG_NOTICES_SECRET to the secret of the site and the worker.")

    def took(message: Mapping[str, Any]) -> str:
        click.echo(f"{message['id']} → {mask_contact(str(message['to']))}: {message['title']}\n{message['text']}")
        return "accepted"

    try:
        server = serve(secret=secret, port=port, took=took)
    except (OSError, OverflowError) as error:
        raise click.ClickException(f"Port {port} cannot be used: {error}") from error
    click.echo(f"Listening at http://127.0.0.1:{server.server_port}/ (stop with Ctrl-C)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
