"""`yiwang token`: tokens for programs that use the API."""

from __future__ import annotations

import click

from yiwang.cli.output import emit, json_option, say, wants_json


@click.group()
def token() -> None:
    """Make and revoke tokens for programs that use the API."""


@token.command()
@click.option("--user", required=True, help="Account whose roles the token has.")
@click.option("--name", default="", help="What it is for, to recognise it by.")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="Valid for so many days.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "report", "act"]),
    help="What it may be used for, once for each; all three when none is named. Never more than the account may do.",
)
@json_option
def create(user: str, name: str, days: int, scopes: tuple[str, ...]) -> None:
    """Make a token and print it, once: only its hash is kept.

    `read` is for reading, `report` for making reports, `act` for doing verbs. A new password, or disabling the account, ends its
    tokens.

    \b
    Example: yiwang token create --user dispatcher --name "hotline bridge" --days 90 --scope report
    """
    from yiwang.cli.site import site

    with site():
        from yiwang.server.people.operations import SCOPES, create_token

        scopes = scopes or SCOPES
        text = create_token(user=user, name=name, days=days, scopes=scopes)
    if wants_json():
        emit({"user": user, "name": name, "token": text, "days": days, "scopes": list(scopes)})
    else:
        click.echo(text)
        say("Keep it: it is not shown again. Use it as `Authorization: Bearer TOKEN`.")


@token.command()
@click.option("--user", required=True, help="Account whose tokens end.")
@click.option("--name", default="", help="Only those of this name.")
@json_option
def revoke(user: str, name: str) -> None:
    """End an account's tokens at once.

    \b
    Example: yiwang token revoke --user dispatcher --name "hotline bridge"
    """
    from yiwang.cli.site import site

    with site():
        from yiwang.server.people.operations import revoke_tokens

        count = revoke_tokens(user=user, name=name)
    if wants_json():
        emit({"user": user, "name": name, "revoked": count})
    else:
        say(f"{count} tokens revoked.")
