"""A site with the toy app installed, asked from outside: `test_toy.py` runs this in a process of its own.

Prints one JSON object: what each thing that the app brings gave.
"""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from yiwang.server.cases.api import load_case  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.common import operations as common  # noqa: E402
from yiwang.server.common.logs import HideSecrets  # noqa: E402
from yiwang.server.common.models import Job  # noqa: E402
from yiwang.server.ledger import api as ledger  # noqa: E402
from yiwang.server.people import operations as people  # noqa: E402
from yiwang.server.people.models import User  # noqa: E402
from yiwang.server.provision import worker  # noqa: E402
from yiwang.server.provision.backup import backup  # noqa: E402
from yiwang.server.provision.operations import install_pack  # noqa: E402
from yiwang.server.scores import queries as figures  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
CITY = "mini"


def main() -> dict[str, Any]:
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    install_pack(MINI)
    found: dict[str, Any] = {}
    found["api"] = readings()
    worker.run(lambda: True, once=True)
    pages(found)
    jobs(found)
    history(found)
    hidden(found)
    return found


def readings() -> list[int]:
    """Two bins say how full they are; nobody may without a token."""
    User.objects.create_user(username="bridge", password="a-password-for-tests")
    token = people.create_token(user="bridge", name="bins", scopes=["report"])
    said = {"bin": "B-1", "full": 0.95, "lon": 120.003, "lat": 31.003}
    url, client = f"/api/v1/cities/{CITY}/bins/readings", Client(headers={"Authorization": f"Bearer {token}"})
    statuses = [
        client.post(url, json.dumps(body), "application/json").status_code
        for body in (said, said | {"bin": "B-2", "full": 0.3}, {"bin": "B-3"})
    ]
    described = Client().get("/api/v1/openapi.json").content.decode()
    return [*statuses, described.count("bins/readings")]


def pages(found: dict[str, Any]) -> None:
    english = Client(headers={"accept-language": "en"})
    page = english.get(f"/{CITY}/bins").content.decode()
    found["page"] = page
    found["elsewhere"] = english.get(f"/{CITY}/cases").content.decode()
    found["help"] = english.get(f"/{CITY}/help").content.decode()
    found["glossary"] = english.get(f"/{CITY}/help/glossary").content.decode()


def jobs(found: dict[str, Any]) -> None:
    job, _ = common.ask_job(kind="count-bins", city=CITY)
    worker.run(lambda: True, once=True)
    found["job"] = Job.objects.values("state", "result").get(pk=job.pk)


def history(found: dict[str, Any]) -> None:
    from tests.apps.toy.models import Reading

    case = Reading.objects.exclude(case="").get().case
    detail = load_case(number=str(case))
    assert detail is not None
    state = detail.state
    found["case"] = {
        "component": state.component, "source": state.source, "evidence": detail.events[0].payload["set"]["evidence"],
    }  # fmt: skip
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=1)
    sealed = ledger.seal_days(stream="bins", city=CITY, at=tomorrow)
    found["sealed"] = [seal.size for seal in sealed]
    found["facts"] = figures.store_of(runtime(CITY), "bins").rows


def hidden(found: dict[str, Any]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "GET /mini/bins/key/verysecret?x=1", (), None)
    HideSecrets().filter(record)
    found["log"] = record.getMessage()
    for name in ("bins", "kept"):
        folder = settings.YIWANG_HOME / name
        folder.mkdir()
        (folder / "file").write_text("x", encoding="utf-8")
    target = settings.YIWANG_HOME / "out.zip"
    backup(target)
    found["backup"] = [name for name in zipfile.ZipFile(io.BytesIO(target.read_bytes())).namelist() if "file" in name]


if __name__ == "__main__":
    print(json.dumps(main(), default=str, ensure_ascii=False))
