"""Personal data is hidden before anybody else reads it; what a moderator decides holds; the original stays."""

from __future__ import annotations

from typing import Any

import pytest

from yiwang.server.common import publishing
from yiwang.server.common.masking import MARK, redact
from yiwang.server.common.models import PublicText, PublicTextDecision

HIDDEN = [
    ("请打13812345678找我", "phone", "13812345678"),
    ("138 1234 5678 张先生", "phone", "1234"),
    ("138-1234-5678", "phone", "5678"),
    ("+86 138 1234 5678", "phone", "86"),
    ("1 3 8 1 2 3 4 5 6 7 8", "phone", "5 6 7"),
    ("１３８１２３４５６７８", "phone", "１３８"),
    ("138\u200b1234\u200b5678", "phone", "1234"),
    ("一三八一二三四五六七八", "phone", "三八"),
    ("家里电话0510-82712345", "phone", "82712345"),
    ("(0510) 82712345", "phone", "82712345"),
    ("call (617) 555-0123 please", "phone", "555"),
    ("617-555-0123", "phone", "0123"),
    ("+44 20 7946 0958", "phone", "7946"),
    ("身份证320204199001011234", "identity", "1990"),
    ("32020419900101123X", "identity", "123X"),
    ("320204 19900101 1234", "identity", "0101"),
    ("SSN 078-05-1120", "identity", "078"),
    ("护照号 E12345678", "identity", "12345678"),
    ("6222 0212 3456 7890 123", "card", "0212"),
    ("写信到 li.si+a@mail.example.com.cn 吧", "email", "li.si"),
    ("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "email", "ｌｉ"),
    ("车牌苏B·12345乱停", "plate", "12345"),
    ("苏BD12345", "plate", "D123"),
    ("沪A 88888", "plate", "888"),
    ("a car, plate 123-ABC, parked", "plate", "123"),
    ("微信号：zhang_san88", "account", "zhang"),
    ("QQ 123456789", "account", "123456"),
]
LEFT = [
    "12345热线说三天内处理",
    "案卷 WX2026112300001 的回复",
    "MNR2026112300012",
    "门牌 128 号 3 栋 502",
    "2026-11-23 晚上 19:30",
    "坑有 30 厘米深，20 米长，已经 15 天",
    "气温 38.5 度，限速 60",
    "110、119、120",
    "The lamp at 1600 Washington St has been out for 12 days",
]


@pytest.mark.parametrize(("text", "kind", "secret"), HIDDEN)
def test_personal_data_is_hidden(text: str, kind: str, secret: str) -> None:
    found = redact(text)
    assert kind in found.kinds
    assert MARK in found.text
    assert secret not in found.text


@pytest.mark.parametrize("text", LEFT)
def test_other_numbers_stay(text: str) -> None:
    assert redact(text).text == text


def test_what_is_around_it_stays() -> None:
    text = "路口垃圾，请打13812345678或写 a@b.cn，车牌苏B12345"
    assert redact(text).text == "路口垃圾，请打***或写 ***，车牌***"


def test_long_texts_take_no_time() -> None:
    import time

    begun = time.process_time()
    for text in (
        "1 " * 2000,
        "苏B" * 1500,
        "@a." * 1300,
        "微信" * 2000,
        "0" * 4000,
        "plate a " * 500,
        "a" * 4000,
        "a." * 2000,
        "a@" * 2000,
    ):
        redact(text)
    assert time.process_time() - begun < 1.0


@pytest.mark.django_db
def test_a_moderator_decides_and_the_original_stays(report: Any, mini: str) -> None:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.portal import operations, queries

    place = runtime(mini)
    text = "王五家门口的垃圾，电话13812345678"
    number = report(text=text)["case"]
    shown = queries.public_text(place=place, kind=publishing.CASE, key=number, original=text)
    assert shown == "王五家门口的垃圾，***" or (shown and "13812345678" not in shown)
    operations.decide(
        place=place, kind="case", key=number, state="edited", published="门口的垃圾", why="姓名", by="user:1"
    )
    assert queries.public_text(place=place, kind="case", key=number, original=text) == "门口的垃圾"
    operations.decide(place=place, kind="case", key=number, state="withheld", published="", why="骂人", by="user:1")
    assert queries.public_text(place=place, kind="case", key=number, original=text) is None
    row = PublicText.objects.get(kind="case", key=number)
    assert (row.original, row.by, row.why) == (text, "user:1", "骂人")
    assert list(PublicTextDecision.objects.order_by("id").values_list("state", "published")) == [
        ("edited", "门口的垃圾"),
        ("withheld", ""),
    ]


@pytest.mark.django_db
def test_a_decision_is_about_the_words_that_were_read(report: Any, mini: str) -> None:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.portal import operations

    number = report(text="第一版")["case"]
    operations.decide(place=runtime(mini), kind="case", key=number, state="released", published="", why="", by="user:1")
    assert publishing.public_text(kind="case", key=number, original="第二版 13812345678") == "第二版 ***"


@pytest.mark.django_db
def test_a_city_that_releases_first_shows_nothing_before(mini: str) -> None:
    assert publishing.public_text(kind="case", key="X", original="垃圾", released_only=True) is None
    assert publishing.public_text(kind="case", key="X", original="垃圾") == "垃圾"


@pytest.mark.django_db
def test_words_of_other_channels_come_before_the_moderators(report: Any, mini: str) -> None:
    from yiwang.server.portal import gathering

    report(text="旧的，13812345678")
    gathering.gather()  # begins with what comes from now on
    assert not PublicText.objects.exists()
    number = report(text="新的，13812345678", channel="hotline")["case"]
    report(text="没有个人信息")
    gathering.gather()
    gathering.gather()
    assert list(PublicText.objects.filter(key=number).values_list("kinds", "state")) == [("phone", "waiting")]
    assert not PublicText.objects.filter(original="没有个人信息").exists()
