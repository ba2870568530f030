"""Photos and costs of components: who adds and takes back, what is refused, and what stays to be read."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image
from tests.server.test_inventory import client_of

from yiwang.core.kernel.errors import BadInput
from yiwang.server.assets import photos
from yiwang.server.assets.api import class_costs, cost_sums, read_cost, take_costs
from yiwang.server.assets.models import Component, ComponentChange, ComponentCost, ComponentPhoto
from yiwang.server.assets.rows import cell_of

CODE = "9001010100100001"


@pytest.fixture
def lamp(mini: str, settings: Any, tmp_path: Path) -> Component:
    settings.YIWANG_HOME = tmp_path
    return make(CODE)


def make(code: str) -> Component:
    return Component.objects.create(
        city="mini",
        code=code,
        kind="01001",
        lon=120.003,
        lat=31.003,
        cell=int(cell_of(120.003, 31.003)),
        region="9001010001",
    )


@pytest.fixture
def keeper(lamp: Component) -> Client:
    return client_of("keeper", administrator=("", ""))


@pytest.fixture
def reader(lamp: Component) -> Client:
    return client_of("reader", dispatcher=("", "9001"))


def picture(colour: str) -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(content, "JPEG")
    return SimpleUploadedFile(f"{colour}.jpg", content.getvalue())


def add(client: Client, *colours: str) -> Any:
    files = [picture(colour) for colour in colours]
    return client.post(f"/mini/components/add-photos/{CODE}", {"photos": files})


def test_photos_are_shown_to_staff_of_the_region_only(keeper: Client, reader: Client) -> None:
    assert add(keeper, "red", "blue").status_code == 302
    photo = ComponentPhoto.objects.order_by("id").first()
    assert photo is not None
    assert (photo.width, photo.height, photo.by) == (640, 480, "keeper")
    page = reader.get(f"/mini/components/{CODE}").content.decode()
    assert f"/mini/components/photos/{photo.pk}/small" in page
    assert "Add photos" not in page
    for path, side in (
        (f"/mini/components/photos/{photo.pk}", 640),
        (f"/mini/components/photos/{photo.pk}/small", 240),
    ):
        answer = reader.get(path)
        assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).width == side  # type: ignore[attr-defined]
        assert "private" in answer["Cache-Control"]
        assert client_of(f"far{side}", dispatcher=("", "9002")).get(path).status_code == 404
        assert client_of(f"none{side}").get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_the_same_photo_is_added_once(keeper: Client, lamp: Component) -> None:
    add(keeper, "red", "red")
    add(keeper, "red")
    assert lamp.photos.count() == 1
    assert list(ComponentChange.objects.values_list("fields", flat=True)) == [{"photos": [0, 1]}]


def test_a_photo_is_removed_and_the_history_says_so(keeper: Client, reader: Client, lamp: Component) -> None:
    add(keeper, "red")
    key = {"photo": lamp.photos.get().pk}
    assert reader.post(f"/mini/components/remove-photo/{CODE}", key).status_code == 403
    assert keeper.post(f"/mini/components/remove-photo/{CODE}", key).status_code == 302
    assert lamp.photos.count() == 0
    page = keeper.get(f"/mini/components/{CODE}").content.decode()
    assert "Photos: 1 → <strong>0</strong>" in page
    again = keeper.post(f"/mini/components/remove-photo/{CODE}", key)
    assert again.status_code == 404
    assert "not there any more" in again.content.decode()


def test_photos_that_cannot_be_taken_are_said_and_none_is_kept(
    keeper: Client, reader: Client, lamp: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert add(reader, "red").status_code == 403
    nothing = keeper.post(f"/mini/components/add-photos/{CODE}", {})
    assert (nothing.status_code, "Choose a photo" in nothing.content.decode()) == (422, True)
    files = [picture("red"), SimpleUploadedFile("x.jpg", b"no picture")]
    bad = keeper.post(f"/mini/components/add-photos/{CODE}", {"photos": files})
    assert (bad.status_code, "Photo 2 (x.jpg)" in bad.content.decode()) == (422, True)
    monkeypatch.setattr(photos, "MOST", 1)
    many = add(keeper, "red", "blue")
    assert (many.status_code, "at most 1 photos" in many.content.decode()) == (422, True)
    assert lamp.photos.count() == 0


def cost(client: Client, **said: str) -> Any:
    form = {
        "kind": "repair",
        "day": "2026-03-04",
        "amount": "1,280.50",
        "voucher": "V-7",
        "case": "",
        "note": "",
        **said,
    }
    return client.post(f"/mini/components/add-cost/{CODE}", form)


def test_costs_are_entered_summed_and_cancelled(keeper: Client, reader: Client, lamp: Component) -> None:
    assert cost(keeper).status_code == 302
    assert cost(keeper, kind="purchase", amount="300", voucher="", note="a <b>lamp</b>").status_code == 302
    page = reader.get(f"/mini/components/{CODE}", headers={"accept-language": "zh-hans"}).content.decode()
    assert "¥1,580.50" in page
    assert '维修 <span class="number">¥1,280.50</span>' in page
    assert "a &lt;b&gt;lamp&lt;/b&gt;" in page
    assert "登记费用" not in page
    one = ComponentCost.objects.get(voucher="V-7")
    assert reader.post(f"/mini/components/cancel-cost/{CODE}", {"cost": one.pk}).status_code == 403
    assert keeper.post(f"/mini/components/cancel-cost/{CODE}", {"cost": one.pk}).status_code == 302
    assert cost_sums(lamp) == {"purchase": Decimal("300.00")}
    assert "<s>CN¥1,280.50</s>" in keeper.get(f"/mini/components/{CODE}").content.decode()
    again = keeper.post(f"/mini/components/cancel-cost/{CODE}", {"cost": one.pk})
    assert (again.status_code, "cancelled already" in again.content.decode()) == (422, True)
    assert keeper.post(f"/mini/components/cancel-cost/{CODE}", {"cost": "x"}).status_code == 404
    assert cost(keeper).status_code == 302  # its voucher is free again


def test_a_voucher_stands_once_at_a_component(keeper: Client, reader: Client, lamp: Component) -> None:
    assert cost(reader).status_code == 403
    cost(keeper)
    twice = cost(keeper, amount="5", note="kept words")
    assert twice.status_code == 409
    assert 'value="kept words"' in twice.content.decode()
    assert lamp.costs.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        ComponentCost.objects.create(component=lamp, kind="repair", day=date(2026, 1, 1), amount=1, voucher="V-7")


@pytest.mark.parametrize(
    ("said", "column"),
    [
        ({"kind": "gift"}, "kind"),
        ({"day": "4.3.2026"}, "day"),
        ({"day": "2026-02-30"}, "day"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-3"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": "1e-30"}, "amount"),
        ({"amount": "twelve"}, "amount"),
        ({"voucher": "v" * 81}, "voucher"),
        ({"note": "n" * 301}, "note"),
    ],
)
def test_what_is_no_cost_is_said_at_its_field(said: dict[str, str], column: str) -> None:
    cells = {"kind": "repair", "day": "2026-03-04", "amount": "12", **said}
    with pytest.raises(BadInput) as refused:
        read_cost(cells, today=date(2026, 3, 5))
    assert [problem.column for problem in refused.value.problems] == [column]


def test_no_cost_is_of_a_later_day(keeper: Client) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).date()
    answer = cost(keeper, day=f"{later}")
    assert (answer.status_code, "has not come yet" in answer.content.decode()) == (422, True)


def test_a_file_of_costs_may_be_brought_again(lamp: Component, tmp_path: Path) -> None:
    make("9001010100100002")
    path = tmp_path / "costs.csv"
    path.write_text(
        "code,kind,day,amount,voucher,note\n"
        f"{CODE},purchase,2025-01-02,100.00,A1,\n"
        f"{CODE},repair,2026-01-02,10.50,A2,bulb\n"
        f"9001010100100002,repair,2026-01-02,10.50,A2,bulb\n"
        f"{CODE},repair,2026-01-02,11,A2,another\n"
        f"{CODE},repair,2026-01-02,11,,no voucher\n"
        f"77,repair,2026-01-02,11,A3,\n"
        f"{CODE},repair,yesterday,x,A4,\n",
        encoding="utf-8",
    )
    taken = take_costs(city="mini", path=path, by="cli")
    assert (taken.rows, taken.new, taken.same, taken.refused) == (7, 3, 0, 4)
    assert [(one.row, one.column) for one in taken.problems] == [
        (5, "voucher"), (6, "voucher"), (7, "code"), (8, "day"), (8, "amount")
    ]  # fmt: skip
    again = take_costs(city="mini", path=path, by="cli")
    assert (again.new, again.same, again.refused) == (0, 3, 4)
    assert class_costs(city="mini") == [
        {"class": "01001", "year": 2025, "kind": "purchase", "amount": Decimal("100.00"), "components": 1},
        {"class": "01001", "year": 2026, "kind": "repair", "amount": Decimal("21.00"), "components": 2},
    ]


def test_a_file_without_its_columns_is_refused(lamp: Component, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("code,kind,day,sum\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        take_costs(city="mini", path=path, by="cli")
    assert len(refused.value.problems) == 3


def test_the_api_tells_staff_of_costs(keeper: Client, reader: Client) -> None:
    cost(keeper)
    told = reader.get(f"/api/v1/cities/mini/components/{CODE}").json()
    assert [(one["kind"], one["amount"]) for one in told["costs"]] == [("repair", "1280.50")]
    assert told["currency"] == "CNY"
    others = Client().get(f"/api/v1/cities/mini/components/{CODE}").json()
    assert (others.get("costs", []), others.get("currency", "")) == ([], "")
