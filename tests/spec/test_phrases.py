"""常用语: words that are written often stand in the workflow's file and beside the field that they are for."""

from __future__ import annotations

import pytest
from tests.case_driver import mini, rules_with

from yiwang.core.kernel.errors import BadInput

WRONG = '[[phrase]]\nid = "wrong"'


def test_they_are_read_in_both_languages() -> None:
    phrases = mini()[1].workflow.phrases
    assert phrases["cleaned"].name.zh == "已清理干净。"
    assert phrases["cleaned"].name.en == "Cleaned up."
    assert (phrases["cleaned"].field, phrases["cleaned"].verbs) == ("note", ("finish",))
    assert phrases["wrong"].verbs == (), "for every verb that asks for a reason"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[[phrase]]\nid = "x"\nname = "甲"\nname_en = "A"\nfield = "unit"\n\n', "takes no words"),
        (
            '[[phrase]]\nid = "x"\nname = "甲"\nname_en = "A"\nfield = "reply"\nverbs = ["finish"]\n\n',
            "no field 'reply'",
        ),
        ('[[phrase]]\nid = "x"\nname = "甲"\nname_en = "A"\nfield = "note"\nverbs = ["none"]\n\n', "the verb 'none'"),
        ('[[phrase]]\nid = "x"\nname = "甲"\nfield = "note"\n\n', "name_en"),
    ],
)
def test_one_that_can_stand_nowhere_is_a_fault_of_the_pack(written: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        rules_with((WRONG, written + WRONG))
