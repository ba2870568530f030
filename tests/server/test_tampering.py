"""Each kind of tampering with what is kept of cases, by plain SQL, and what `verify` says of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from PIL import Image
from tests.forging import allow_forging
from tests.outsiders import CITIZEN

from yiwang.core.cases.events import Actor
from yiwang.server.cases.models import Case, Event, Tally
from yiwang.server.cases.models import Photo as PhotoRow
from yiwang.server.cases.writing import joining, operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.ledger import api as log
from yiwang.server.ledger.models import Node, Seal
from yiwang.server.verification import ledger, rebuilding

pytestmark = pytest.mark.django_db
WEST = {"lon": 120.003, "lat": 31.003}
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, nine o'clock


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    return buffer.getvalue()


def report(at: datetime, photos: Any = (), **data: Any) -> str:
    said = {"text": "垃圾", "category": "02001", **WEST, **data}
    return str(operations.report(city="mini", draft=ReportDraft(**said, photos=photos), actor=CITIZEN, at=at)["case"])


@pytest.fixture
def town(mini: str, act: Any, actor: Callable[..., Actor]) -> list[str]:
    """Three cases of three days, the first with a photo and a second reporter, the last on the border; two days sealed."""
    numbers = [report(START, [picture()])]
    joining.join(city=mini, number=numbers[0], draft=ReportDraft(text="我也看到了"), actor=CITIZEN, at=START)
    numbers.append(report(START + timedelta(days=1), photos=[picture()]))
    numbers.append(report(START + timedelta(days=2), lon=120.01, lat=31.005))
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=2))
    act(numbers[2], "file", actor("leader"))
    act(numbers[2], "dispatch", actor("dispatcher"))  # a clock runs, so the system will look at it again
    late = Case.objects.get(number=numbers[2])
    assert late.flag == "border"
    assert late.next_due is not None
    assert ledger.verify(city=mini).faults == []
    return numbers


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        if "DELETE FROM ledger_seal" in statement:  # the database holds a seal as long as its sending is noted
            cursor.execute("DELETE FROM ledger_publication")
        cursor.execute(statement, values)
        assert cursor.rowcount > 0, "the forger changed something"


def kinds() -> set[str]:
    return {fault.kind for fault in ledger.verify(city="mini").faults}


FORGERIES: dict[str, tuple[str, str, str]] = {
    "newest seal": ("DELETE FROM ledger_seal WHERE day = '2026-03-03'", "seal", "A seal is gone: 2 entries"),
    "all seals": ("DELETE FROM ledger_seal", "seal", "there is no seal"),
    "day of the first seal": ("UPDATE ledger_seal SET day = '2026-03-01' WHERE first = 0", "seal", "it is of 2026-03-02"),
    "day of the newest seal": ("UPDATE ledger_seal SET day = '2026-03-09' WHERE first > 0", "seal", "it is of 2026-03-03"),
    "root": ("UPDATE ledger_seal SET root = (SELECT head FROM cases_case LIMIT 1)", "root", "history was rewritten"),
    "next_due": ("UPDATE cases_case SET next_due = NULL WHERE number = '{2}'", "row", "next_due"),
    "next_due put off": ("UPDATE cases_case SET next_due = '2036-01-01 00:00:00+00' WHERE number = '{2}'", "row", "next_due"),
    "waits": ("UPDATE cases_case SET waits = ' @DEPT-WORKS ' WHERE number = '{0}'", "row", "waits"),
    "flag": ("UPDATE cases_case SET flag = '' WHERE number = '{2}'", "row", "flag"),
    "holder": ("UPDATE cases_case SET holder = 'DEPT-WORKS' WHERE number = '{0}'", "row", "holder"),
    "deadline": ("UPDATE cases_case SET deadline = '2036-01-01 00:00:00+00' WHERE number = '{0}'", "row", "deadline"),
    "photo row gone": ("DELETE FROM cases_photo WHERE case_id = (SELECT id FROM cases_case WHERE number = '{1}')", "photo", "is gone"),
    "photo of another event": ("UPDATE cases_photo SET seq = 2", "photo", "is gone"),
    "photo pointing elsewhere": ("UPDATE cases_photo SET path = 'secret-key'", "photo", "points to another file"),
    "report's words": ("UPDATE cases_report SET text = '没事' WHERE id = (SELECT min(id) FROM cases_report)", "report", "in: text"),
    "report's place": ("UPDATE cases_report SET lon = 120.004 WHERE id = (SELECT min(id) FROM cases_report)", "report", "in: lon"),
    "report's time": ("UPDATE cases_report SET at = '2026-03-01 00:00:00+00' WHERE text <> '我也看到了'", "report", "in: at"),
    "report gone": ("DELETE FROM cases_report WHERE case_id = (SELECT id FROM cases_case WHERE number = '{2}')", "report", "is gone"),
    "tally": ("UPDATE cases_tally SET count = 7 WHERE id = (SELECT min(id) FROM cases_tally)", "tally", "The counts tell of"),
    "tallies": ("DELETE FROM cases_tally", "tally", "The counts tell of 0"),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_is_named(town: list[str], what: str) -> None:
    statement, kind, words = FORGERIES[what]
    sql(statement.format(*town).replace("+00'", "'" if connection.vendor == "sqlite" else "+00'"))
    found = [fault for fault in ledger.verify(city="mini").faults if fault.kind == kind]
    assert any(words in fault.sentence for fault in found), found


@pytest.mark.parametrize("how", ["gone", "another"])
def test_a_photo_file_that_is_gone_or_another_is_named(town: list[str], how: str) -> None:
    path = Path(settings.YIWANG_HOME, PhotoRow.objects.values_list("path", flat=True)[0])
    content = path.read_bytes()
    try:
        path.unlink()
        if how == "another":
            path.write_bytes(b"x" + content)
        faults = ledger.verify(city="mini").faults
    finally:
        path.write_bytes(content)
    assert {fault.kind for fault in faults} == {"photo"}
    assert ("is missing" if how == "gone" else "is not what was taken") in faults[0].sentence


# --- nodes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_nodes(mini: str) -> str:
    """A log with a kept node: more than 256 events are sealed."""
    for index in range(130):
        report(START + timedelta(seconds=index))
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=1))
    assert Node.objects.count() == 1
    return mini


NODES = {
    "altered": "UPDATE ledger_node SET hash = (SELECT head FROM cases_case LIMIT 1)",
    "gone": "DELETE FROM ledger_node",
}


@pytest.mark.parametrize("how", NODES)
def test_a_forged_node_is_named_and_poisons_no_later_seal(with_nodes: str, how: str) -> None:
    sql(NODES[how])
    assert kinds() == {"node"}
    report(START + timedelta(days=1))
    log.seal_days(stream="cases", city=with_nodes, at=START + timedelta(days=2))
    assert ledger.verify(city=with_nodes).faults == [], "the sealer made it anew from the events"
    sql(NODES[how])
    assert rebuilding.rebuild(city=with_nodes).nodes == 1
    assert kinds() == set()


def test_nothing_is_sealed_on_top_of_a_log_that_was_rewritten(with_nodes: str) -> None:
    with allow_forging():
        sql("UPDATE cases_event SET hash = (SELECT hash FROM cases_event WHERE seq = 2 LIMIT 1) WHERE seq = 1")
    sql("DELETE FROM ledger_node")
    report(START + timedelta(days=1))
    with pytest.raises(log.LogMismatch, match="2026-03-02"):
        log.seal_days(stream="cases", city=with_nodes, at=START + timedelta(days=2))
    assert Seal.objects.count() == 1


# --- published roots ----------------------------------------------------------------------------------------------


def test_a_forger_who_takes_everything_back_is_found_by_the_published_root_only(town: list[str]) -> None:
    """The newest seal with all that it sealed: what is left is a smaller log without a flaw."""
    roots = {seal.day: bytes(seal.root).hex() for seal in Seal.objects.all()}
    found = ledger.verify(city="mini", roots=roots)
    assert (found.faults, set(found.published.values()), found.unsealed) == ([], {True}, 4)
    size = log.size("cases", "mini")
    first = Seal.objects.order_by("-size").values_list("first", flat=True)[0]
    sql("DELETE FROM ledger_leaf WHERE position >= %s AND position < %s", first, size)
    sql("DELETE FROM ledger_seal WHERE first = %s", first)
    assert ledger.verify(city="mini").faults == []
    found = ledger.verify(city="mini", roots=roots)
    assert [fault.kind for fault in found.faults] == ["published"]
    assert found.published == {date(2026, 3, 2): True, date(2026, 3, 3): False}
    assert "rewritten or cut off" in found.faults[0].sentence


def test_a_root_of_a_day_before_the_first_seal_matches_nothing(town: list[str]) -> None:
    found = ledger.verify(city="mini", roots={date(2020, 1, 1): "00" * 32})
    assert "nothing is sealed up to that day" in found.faults[0].sentence


# --- the database refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["UPDATE cases_event SET reason = 'x'", "DELETE FROM cases_event WHERE seq = 2"])
def test_the_database_refuses_to_alter_or_delete_an_event(town: list[str], statement: str) -> None:
    count = Event.objects.count()
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        sql(statement)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        Event.objects.filter(seq=1).update(actor="nobody")
    assert Event.objects.count() == count
    with allow_forging():
        sql("UPDATE cases_event SET reason = 'x' WHERE seq = 1")
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        sql(statement)


@pytest.mark.django_db(transaction=True)
def test_emptying_the_whole_database_is_possible_and_leaves_the_guard(mini: str) -> None:
    report(START)
    call_command("flush", interactive=False, verbosity=0)
    assert not Event.objects.exists()
    with connection.cursor() as cursor:
        table = "pg_trigger" if connection.vendor == "postgresql" else "sqlite_master"
        name = "tgname" if connection.vendor == "postgresql" else "name"
        cursor.execute(
            f"SELECT {name} FROM {table} WHERE {name} LIKE 'cases_event_%%ed' OR {name} LIKE 'cases_event_%%only'"
        )
        assert {row[0] for row in cursor.fetchall()} == {"cases_event_append_only", "cases_event_never_deleted"}


# --- rebuilding ---------------------------------------------------------------------------------------------------

DAMAGE = {
    "row": "UPDATE cases_case SET holder = 'X', step = 'closed', next_due = NULL, waits = 'x', rest = '{}', text = 'x', overdue = (1 = 1)",
    "tallies": "DELETE FROM cases_tally",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_rebuild_puts_right_what_is_derived_and_then_finds_nothing(town: list[str], what: str) -> None:
    before = list(Case.objects.order_by("id").values())
    sql(DAMAGE[what])
    assert kinds() != set()
    told = rebuilding.rebuild(city="mini", dry_run=True)
    assert kinds() != set(), "a dry run changes nothing"
    done = rebuilding.rebuild(city="mini")
    assert (done.differed, done.columns) == (told.differed, told.columns)
    assert (done.differed if what == "row" else done.tallies) > 0
    assert ledger.verify(city="mini").faults == []
    assert list(Case.objects.order_by("id").values()) == before
    again = rebuilding.rebuild(city="mini")
    assert (again.cases, again.differed, again.tallies, again.nodes, again.left) == (3, 0, 0, 0, [])


def test_a_rebuild_leaves_alone_what_was_really_forged(town: list[str]) -> None:
    with allow_forging():
        sql("UPDATE cases_event SET reason = 'x' WHERE seq = 1 AND case_id = (SELECT min(id) FROM cases_case)")
    sql("UPDATE cases_case SET holder = 'X' WHERE id = (SELECT min(id) FROM cases_case)")
    assert rebuilding.rebuild(city="mini").left == [town[0]]
    assert Case.objects.get(number=town[0]).holder == "X"


def test_the_newest_events_cut_off_are_not_rebuilt_away(town: list[str]) -> None:
    with allow_forging():
        sql("DELETE FROM cases_event WHERE id = (SELECT max(id) FROM cases_event)")
    assert rebuilding.rebuild(city="mini").left == [town[2]]
    assert "truncated" in kinds()


# --- no false alarms ----------------------------------------------------------------------------------------------


def test_a_case_on_its_whole_way_is_never_called_forged(
    mini: str, close: Callable[[str], None], act: Any, actor: Callable[..., Actor]
) -> None:
    number = report(datetime.now(UTC) - timedelta(hours=1))
    act(number, "file", actor("leader"))
    act(number, "note", actor("leader"), note="看过了")
    close(report(datetime.now(UTC)))
    assert ledger.verify(city=mini).faults == []
    assert Tally.objects.exists()


def test_changed_rules_say_anew_when_open_cases_are_due(town: list[str], tmp_path: Path) -> None:
    """An upgrade whose escalations come earlier: the rows follow at once, and nobody is called a forger."""
    import shutil

    from tests.toy_city import MINI

    from yiwang.server.provision.operations import install_pack

    before = Case.objects.get(number=town[2]).next_due
    changed = Path(shutil.copytree(MINI, tmp_path / "mini"))
    workflow = changed / "workflow.toml"
    workflow.write_text(workflow.read_text(encoding="utf-8").replace('at = "80%"', 'at = "50%"'), encoding="utf-8")
    install_pack(changed)
    after = Case.objects.get(number=town[2]).next_due
    assert before is not None
    assert after is not None
    assert after < before
    assert ledger.verify(city="mini").faults == []
