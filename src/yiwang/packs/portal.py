"""`portal.toml`: how a city runs its public portal. Without the file the defaults hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from yiwang.core.cases.workflow import Workflow
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.toml_tables import Expected, Line, Texts, TomlTable, Words, read_table, wrong

FILE = "portal.toml"
MODERATOR = "moderator"  # may always be assigned, whatever the workflow's roles are
BEFORE, AFTER = "before", "after"
_WAYS = Expected(
    Text('可填 "before" 或 "after"。', '"before" or "after".'),
    Text("「{value}」不是审核方式。", "{value!r} is no way to moderate."),
)


def _check_address(url: str) -> str:
    if not url.startswith("https://"):
        hint = Text("请以 https:// 开头。", "Begin with https://.")
        raise wrong(Text("「{url}」不是网址。", "{url!r} is no address.", url=url), hint)
    return url


def _with_moderator(roles: tuple[str, ...]) -> tuple[str, ...]:
    return roles if MODERATOR in roles else (*roles, MODERATOR)


Roles = Annotated[Texts, AfterValidator(_with_moderator)]


class PortalPolicy(TomlTable):
    """What the portal needs to know of a city.

    Attributes:
        moderation: ``after``: words are published at once with personal data masked, and looked at afterwards;
            ``before``: nothing is published until a moderator has released it.
        moderators: Roles that decide what is published; the assignment ``moderator`` always may.
        answerers: Roles that answer citizens' ideas for their unit.
        license, license_url: Terms of the open data.
        emergency: Whom to call instead when there is danger.
    """

    moderation: Annotated[Literal["before", "after"], _WAYS] = "after"
    moderators: Roles = (MODERATOR,)
    answerers: Roles = (MODERATOR,)
    license: Line = "CC BY 4.0"
    license_url: Annotated[Line, AfterValidator(_check_address)] = "https://creativecommons.org/licenses/by/4.0/"
    emergency: Words = NO_TEXT


def read_portal(files: PackFiles, *, workflow: Workflow | None) -> PortalPolicy:
    """Read the file; problems go to ``files``."""
    data = files.toml(FILE, required=False)
    policy = read_table(PortalPolicy, data or {}, files, FILE)
    for key, named in (("moderators", policy.moderators), ("answerers", policy.answerers)):
        for role in named if workflow else ():
            if role != MODERATOR and workflow is not None and role not in workflow.roles:
                message = Text("流程中没有角色「{role}」。", "There is no role {role!r} in the workflow.", role=role)
                files.fault(
                    message, did_you_mean(role, workflow.roles) or one_of(workflow.roles), file=FILE, column=key
                )
    return policy
