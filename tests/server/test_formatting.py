"""Lengths of time, limits, numbers, shares and moments are written in one place, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from tests.reading_pages import Page

from yiwang.core.worktime import TimeUnit
from yiwang.packs.info import CreditTable, PackInfo
from yiwang.server.common import formatting
from yiwang.server.common.templatetags.yiwang import coded, confidence

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600
AT = datetime(2026, 3, 4, 16, 5, tzinfo=UTC)


def both(write: object, *given: object, **named: object) -> tuple[str, str]:
    """What is written for a reader of Chinese and for one of English."""
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said.append(str(write(*given, **named)))  # type: ignore[operator]
    return said[0], said[1]


@pytest.mark.parametrize(
    ("amount", "unit", "zh", "en"),
    [
        (1, TimeUnit.WORK_DAYS, "1 工作日", "1 working day"),
        (7, TimeUnit.WORK_DAYS, "7 工作日", "7 working days"),
        (1, TimeUnit.WORK_HOURS, "1 工作时", "1 working hour"),
        (1.5, TimeUnit.WORK_HOURS, "1.5 工作时", "1.5 working hours"),
        (2, TimeUnit.URGENT_HOURS, "2 紧急工作时", "2 urgent hours (day and night)"),
        (1, TimeUnit.CALENDAR_DAYS, "1 自然日", "1 calendar day"),
    ],
)
def test_limits(amount: float, unit: TimeUnit, zh: str, en: str) -> None:
    assert both(formatting.limit_text, amount, unit) == (zh, en)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "—", "—"),
        (0, "0 分钟", "0 min"),
        (59, "不到 1 分钟", "< 1 min"),
        (51 * HOUR, "2 天 3 小时", "2 d 3 h"),
        (-90 * 60, "−1 小时 30 分钟", "−1 h 30 min"),
    ],
)
def test_lengths_of_time(seconds: float | None, zh: str, en: str) -> None:
    assert both(formatting.lasting_text, seconds) == (zh, en)


def test_working_time() -> None:
    assert both(formatting.working_text, 10 * HOUR, seconds_per_day=8 * HOUR) == (
        "1 工作日 2 工作时",
        "1 working day 2 working h",
    )
    assert both(formatting.working_text, 0, seconds_per_day=8 * HOUR) == ("0 分钟", "0 min")


def test_numbers_shares_and_moments() -> None:
    assert [formatting.number_text(12345), formatting.number_text(1234.56, 1)] == ["12,345", "1,234.6"]
    assert [formatting.percent_text(share) for share in (None, 0, 0.125)] == ["—", "0.0 %", "12.5 %"]
    shanghai = ZoneInfo("Asia/Shanghai")
    assert formatting.moment_text(AT, shanghai) == "2026-03-05 00:05"
    assert formatting.month_text(datetime(2026, 3, 31, 20, tzinfo=UTC), shanghai) == "2026-04"
    assert formatting.moment_text(None) == "—"


def test_nobody_else_writes_a_moment_or_a_share() -> None:
    ways = re.compile(
        r":%Y-%m-%d %H:%M\}|:%Y-%m\}|:\.\df\} ?%|(?<!lon)(?<!lat)(?<!edge)(?<!value)\.toFixed\("
        r"|Intl\.DateTimeFormat\(\"sv|toLocale"
    )
    own = {"src/yiwang/server/common/formatting.py", "web/src/shared/format.ts"}
    files = [*(ROOT / "src/yiwang/server").rglob("*.py"), *(ROOT / "web/src").rglob("*.ts")]
    found = {
        str(path.relative_to(ROOT)): hit
        for path in files
        if str(path.relative_to(ROOT)) not in own and not path.name.endswith(".test.ts")
        if (hit := ways.findall(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_how_sure_a_pack_is_has_words_and_its_own_words_are_marked() -> None:
    assert both(confidence, "medium-high") == ("较高", "medium-high")
    assert confidence("so <so>") == '<span lang="">so &lt;so&gt;</span>'
    assert coded("empty or `a<b`, `true`") == "empty or <code>a&lt;b</code>, <code>true</code>"


def test_a_credit_without_languages_says_the_same_in_both() -> None:
    from yiwang.packs.info import _in_both

    lines = [CreditTable.model_validate(one) for one in _in_both(["China", {"text": "区界", "text_en": "Outlines"}])]
    assert [(line.text.zh, line.text.en) for line in lines] == [("China", "China"), ("区界", "Outlines")]
    assert PackInfo.model_fields["credit_tables"].alias == "attribution"


def test_what_is_read_on_a_page() -> None:
    page = Page.read(
        '<html lang="en"><title>Cases</title><p>Said: <span lang="">垃圾</span> <b translate="no">CTR</b> again</p>'
        '<img alt="Photo"><p lang="zh" title="标题">字<br>字</p><script>var 字</script><code>码</code>'
        '<script type="application/json">{"words": {"a": "Open"}, "id": "码"}</script><a href="/x" hx-get="/y">Go</a></html>'
    )
    assert page.texts == ["Cases", "Said:", "again", "Photo", "Open", "Go"]
    assert page.links == ["/x", "/y"]
