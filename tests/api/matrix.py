"""What `test_permissions` runs in a process of its own, on the database that the environment names. Prints a line of JSON."""

from __future__ import annotations

import json
from pathlib import Path

import django

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"


def main() -> None:
    """The whole permission matrix; every situation is undone before the next."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction
    from tests.api.test_permissions import check_situation, maker
    from tests.situations import SITUATIONS

    from yiwang.server.cities.queries import runtime
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    answered = {}
    for name in SITUATIONS:
        with transaction.atomic():
            answered[name] = check_situation(name, runtime("mini"), maker()).total()
            transaction.set_rollback(True)
    print(json.dumps({"vendor": connection.vendor, "answered": answered}))
