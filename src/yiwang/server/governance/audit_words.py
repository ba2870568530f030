"""What the record of reads says, in the reader's language. Rows hold short English words, whoever made them and in which language."""

from __future__ import annotations

from collections.abc import Mapping

from yiwang.core.kernel.text import Text
from yiwang.server.common.language import say

WORDS: Mapping[str, Text] = {
    # what was read
    "words": Text("案卷文字", "words of the case"),
    "words, masked": Text("案卷文字（已遮盖）", "words of the case, masked"),
    "contact": Text("联系方式", "contact"),
    "the record of reads": Text("读取记录", "the record of reads"),
    "notices: email": Text("通知邮箱", "address for notices"),
    "notices: phone": Text("通知手机号", "phone for notices"),
    # for what
    "desk": Text("工作台办理", "work at a desk"),
    "survey": Text("回访调查", "survey"),
    "case page": Text("案卷页", "case page"),
    "API": Text("接口", "API"),
    "search by personal data": Text("按个人信息检索", "search by personal data"),
    "export of a list": Text("导出列表", "export of a list"),
    "moderation": Text("公开文字审核", "moderation"),
    "own settings": Text("本人设置", "own settings"),
    "looking at the audit": Text("查看审计", "looking at the audit"),
}


def told(word: str) -> str | None:
    """The word in the reader's language; None for one that is not known here."""
    known = WORDS.get(word)
    return say(known) if known else None
