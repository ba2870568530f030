"""The plan of a list of items, and its file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.reserves.items import item_faults, plan_item
from yiwang.core.planning.reserves.items_file import read_items

TEXT = """
[[item]]
id = "tents"
stock = 260
mean = 4
lead = 7
review = 7
last = 15
surge = 100
surge_days = 20

[[item]]
id = "masks"
stock = 900
on_order = 100
mean = 55
deviation = 14
lead = 3
service = 0.99
order_cost = 60
holding_cost = 0.02
waiting_cost = 1

[[item]]
id = "serum"
stock = 4
history = [0, 0, 1, 0, 3, 0, 0, 2]
lead = 2

[[contract]]
id = "works"
item = "tents"
lead = 3
a_day = 120
"""


def test_each_item_has_a_plan_that_passes_its_check() -> None:
    items, contracts = read_items(TEXT)
    plans = {item.id: plan_item(item, contracts) for item in items}
    for item in items:
        assert item_faults(item, contracts, plans[item.id]) == []
    tents, masks, serum = plans.values()
    assert tents.days == pytest.approx(65.0)
    assert (tents.bridge and tents.bridge.units, tents.keep) == (300.0, 300)
    assert (tents.order, tents.order_in) == (40, 0.0)
    assert masks.policy is not None
    assert masks.order == 0
    assert masks.order_in > 0
    assert serum.service >= 0.95 > serum.service_below


def test_a_wrong_plan_does_not_pass() -> None:
    items, contracts = read_items(TEXT)
    tents, masks, _ = items
    plan = plan_item(tents, contracts)
    assert plan.bridge is not None
    assert item_faults(tents, contracts, replace(plan, level=plan.level + 1))
    assert item_faults(tents, contracts, replace(plan, bridge=replace(plan.bridge, units=299.0)))
    assert item_faults(tents, contracts, replace(plan, bridge=replace(plan.bridge, units=301.0)))
    plan = plan_item(masks, contracts)
    assert plan.policy is not None
    assert item_faults(masks, contracts, replace(plan, policy=replace(plan.policy, up_to=plan.policy.up_to + 40)))


def test_every_fault_of_a_file_is_told() -> None:
    wrong = TEXT.replace("stock = 260", "stock = -1").replace("holding_cost = 0.02\n", "").replace("0, 3,", "'x',")
    wrong = wrong.replace('item = "tents"', 'item = "tent"').replace("last = 15", "lasts = 15")
    wrong = wrong.replace('id = "serum"', 'id = "tents"')
    with pytest.raises(BadInput) as caught:
        read_items(wrong, file="r.toml")
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [
        (1, "item.lasts"),
        (1, "item.stock"),
        (2, "item.holding_cost"),
        (3, "item.history"),
        (1, "contract.item"),
        (3, "item.id"),
    ]
    with pytest.raises(BadInput, match="Not TOML"):
        read_items("[[")
    with pytest.raises(BadInput, match=r"no \[\[item\]\]"):
        read_items("")
