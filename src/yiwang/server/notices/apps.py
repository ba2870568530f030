from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import BarPart, Chore, Phase, Stop, Topic, YiwangApp, signed_in

if TYPE_CHECKING:
    from ninja import Router


class NoticesConfig(YiwangApp):
    name = "yiwang.server.notices"
    label = "notices"
    urls = "yiwang.server.notices.urls"
    log_secrets = (r"(/notices/confirm/)",)

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.notices import confirming, operations, sending

        yield Chore("confirmations", 5, lambda: confirming.send(stop), apart=True)
        yield Chore("messages", 5, lambda: sending.send(stop), apart=True)
        yield Chore("old notices", 3600, operations.forget, Phase.CLEANS)

    def correspondents(self) -> Iterable[Any]:
        from yiwang.server.notices import operations

        return (operations.take_note,)

    def bar(self) -> Iterable[BarPart]:
        yield BarPart(template="notices/bell.html", shown=signed_in)

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.notices.calls import router

        return (router,)

    def commands(self) -> Mapping[str, tuple[str, str]]:
        return {"notices": ("yiwang.server.notices.commands", "A gateway to try the webhook of notices with.")}

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("通知", "notice"),
            Text(
                "与您或您的单位有关的办理情况：指派、转来、督办、待答复、临近或超过时限。",
                "What has happened to a case that concerns you or your unit: assigned, handed on, supervised, to be answered, "
                "close to or past its deadline.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="notices",
            title=Text("通知", "Notices"),
            text=Text(
                "铃铛收着与您有关的办理情况；在设置里选择是否也发邮件、短信或微信，以及免打扰时段。",
                "The bell gathers what concerns you; in its settings you choose e-mail, SMS or WeChat, and quiet hours.",
            ),
        )
