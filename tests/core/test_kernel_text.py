"""Texts in several languages: which words are said to whom, values within them, and how files carry them."""

from __future__ import annotations

import pytest

from yiwang.core.kernel.text import NO_TEXT, Text, is_language_of, language_keys, text_of

NAME = Text.of({"zh": "无锡市", "en": "Wuxi", "zh-Hant": "無錫市"})


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "无锡市"),
        ("zh-Hans-CN", "无锡市"),
        ("zh-Hant", "無錫市"),
        ("zh-Hant-TW", "無錫市"),
        ("en", "Wuxi"),
        ("en-GB", "Wuxi"),
        ("fr", "Wuxi"),
    ],
)
def test_a_reader_is_given_the_nearest_language(language: str, said: str) -> None:
    assert NAME.into(language) == said


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "en", "fr"])
def test_a_name_in_one_language_stands_in_all(language: str) -> None:
    assert Text("崇安寺").into(language) == "崇安寺"
    assert Text.of({"zh": "", "fr": "Genève"}).into(language) == "Genève"


def test_words_that_are_empty_on_purpose_say_nothing() -> None:
    assert Text(" 次", "").into("en") == ""
    assert NO_TEXT.into("zh") == NO_TEXT.into("en") == ""
    assert not NO_TEXT
    assert not Text("", "")
    assert Text(" 次", "")


def test_values_are_said_in_the_language_of_the_sentence() -> None:
    step = Text("待派遣", "Waiting for dispatch")
    refusal = Text("案卷 {number} 在「{step}」。", "Case {number!r} is at “{step}”.", number="W{1}", step=step)
    assert refusal.zh == "案卷 W{1} 在「待派遣」。"
    assert refusal.en == "Case 'W{1}' is at “Waiting for dispatch”."
    assert str(refusal) == refusal.en


def test_a_text_without_values_is_no_template() -> None:
    assert Text("{n} 件", "{n} cases").zh == "{n} 件"


def test_texts_are_joined_with_the_separator_of_each_language() -> None:
    roles = [Text("值班长", "Shift leader"), Text("派遣员{}", "Dispatcher{}")]
    who = Text.join({"zh": "、", "en": ", "}, roles)
    assert (who.zh, who.en) == ("值班长、派遣员{}", "Shift leader, Dispatcher{}")
    assert Text("只能由{who}来做。", "Only {who}.", who=who).zh == "只能由值班长、派遣员{}来做。"


def test_a_catalogue_is_asked_for_what_the_code_does_not_say() -> None:
    asked: list[tuple[str, str]] = []

    def catalogue(text: Text, language: str) -> str | None:
        asked.append((text["en"], language))
        return {"Case {number} at {step}": "案卷 {number} 於 {step}"}.get(text["en"])

    step = Text("待派遣", "Waiting")
    assert Text("案卷 {number} 在 {step}", "Case {number} at {step}", number=1, step=step).into(
        "zh-Hant", catalogue
    ) == ("案卷 1 於 待派遣")
    assert asked == [("Case {number} at {step}", "zh-Hant"), ("Waiting", "zh-Hant")]
    assert step.into("zh", catalogue) == "待派遣"
    assert len(asked) == 2


def test_texts_compare_by_words_and_values() -> None:
    assert Text("一", "one") == Text.of({"zh": "一", "en": "one"})
    assert Text("{n}", "{n}", n=1) != Text("{n}", "{n}", n=2)
    assert len({Text("一", "one"), Text("一", "one")}) == 1


def test_a_row_says_a_text_in_the_languages_that_it_has() -> None:
    row = {"name": " 小城 ", "name_en": "Mini", "name_zh-Hant": "小城", "name_fr": "", "named": "x", "major_name": "y"}
    assert language_keys(row, "name") == {
        "zh": "name", "en": "name_en", "zh-Hant": "name_zh-Hant", "fr": "name_fr",
    }  # fmt: skip
    assert text_of(row, "name") == Text.of({"zh": "小城", "en": "Mini", "zh-Hant": "小城"})
    assert is_language_of("name_zh-Hant", ("name",))
    assert not is_language_of("name_of_the_city", ("name",))
    assert not is_language_of("name", ("name",))
