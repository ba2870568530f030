"""`portal.toml`: how a city runs its public portal. Without the file the defaults hold."""

from __future__ import annotations

from dataclasses import dataclass

from yiwang.core.cases.workflow import Workflow
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of

FILE = "portal.toml"
MODERATOR = "moderator"  # may always be assigned, whatever the workflow's roles are
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPolicy:
    """What the portal needs to know of a city.

    Attributes:
        moderation: ``after``: words are published at once with personal data masked, and looked at afterwards;
            ``before``: nothing is published until a moderator has released it.
        moderators: Roles that decide what is published; the assignment ``moderator`` always may.
        answerers: Roles that answer citizens' ideas for their unit.
        license, license_url: Terms of the open data.
        emergency: Whom to call instead when there is danger.
    """

    moderation: str = AFTER
    moderators: tuple[str, ...] = (MODERATOR,)
    answerers: tuple[str, ...] = (MODERATOR,)
    license: str = "CC BY 4.0"
    license_url: str = "https://creativecommons.org/licenses/by/4.0/"
    emergency: Text = NO_TEXT


def read_portal(files: PackFiles, *, workflow: Workflow | None) -> PortalPolicy:
    """Read the file; problems go to ``files``."""
    data = files.toml(FILE, required=False)
    usual = PortalPolicy()
    if data is None:
        return usual
    fields = Fields(files, FILE, data)
    policy = PortalPolicy(
        moderation=fields.text("moderation", default=usual.moderation),
        moderators=_roles(fields, "moderators", workflow),
        answerers=_roles(fields, "answerers", workflow),
        license=fields.text("license", default=usual.license),
        license_url=fields.text("license_url", default=usual.license_url),
        emergency=fields.words("emergency", required=False),
    )
    if policy.moderation not in (BEFORE, AFTER):
        fields.fault(
            "moderation",
            Text("「{way}」不是审核方式。", "{way!r} is no way to moderate.", way=policy.moderation),
            Text('可填 "{before}" 或 "{after}"。', '"{before}" or "{after}".', before=BEFORE, after=AFTER),
        )
    if not policy.license_url.startswith("https://"):
        fields.fault(
            "license_url",
            Text("「{url}」不是网址。", "{url!r} is no address.", url=policy.license_url),
            Text("请以 https:// 开头。", "Begin with https://."),
        )
    fields.check_keys()
    return policy


def _roles(fields: Fields, key: str, workflow: Workflow | None) -> tuple[str, ...]:
    named = fields.texts(key)
    for role in named if workflow else ():
        if role != MODERATOR and workflow is not None and role not in workflow.roles:
            message = Text("流程中没有角色「{role}」。", "There is no role {role!r} in the workflow.", role=role)
            fields.fault(key, message, did_you_mean(role, workflow.roles) or one_of(workflow.roles))
    return named if MODERATOR in named else (*named, MODERATOR)
