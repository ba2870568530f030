"""Cases, their events, and what belongs to writing them safely.

A case's row is a fold of its events, kept in the same transaction; `yiwang ledger verify` compares the two.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

CODE = 40


class Case(models.Model):
    """A case as it is now.

    Attributes:
        region: Path code of the finest region known: a prefix finds everything below.
        next_due: When the system must look at it again by itself; null when never.
        flag: How it was located: empty, ``outside``, ``border`` or ``default_point``.
        head: Hash of the last event.
        rest: The parts of the state that have no column of their own, as JSON.
        sought: What searches look at: text and address, folded, personal data masked (`words.search_text`).
        assignee: Who at the holder works on it (`user:ID`); empty for nobody in particular.
        waits: What somebody is still to answer, each word between spaces: the kind of the request that waits, and
            ``@unit`` for each unit that was asked to assist. Null for the most cases, which wait for nobody.
    """

    city = models.CharField(max_length=CODE)
    number = models.CharField(max_length=CODE, unique=True)
    seq = models.PositiveIntegerField()
    step = models.CharField(max_length=CODE)
    stage = models.CharField(max_length=CODE)
    category = models.CharField(max_length=CODE)
    condition = models.CharField(max_length=CODE)
    region = models.CharField(max_length=CODE)
    grid = models.CharField(max_length=CODE)
    component = models.CharField(max_length=200, default="", db_default="")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    text = models.TextField()
    address = models.TextField()
    source = models.CharField(max_length=CODE)
    priority = models.CharField(max_length=CODE)
    holder = models.CharField(max_length=60)
    level = models.CharField(max_length=CODE)
    assignee = models.CharField(max_length=60, default="", db_default="")
    opened_at = models.DateTimeField()
    filed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    next_due = models.DateTimeField(null=True)
    overdue = models.BooleanField()
    rating = models.PositiveSmallIntegerField()
    merged_into = models.CharField(max_length=CODE)
    flag = models.CharField(max_length=20)
    head = models.BinaryField(max_length=32)
    rest = models.TextField()
    sought = models.TextField(default="")
    waits = models.TextField(null=True)  # noqa: DJ001 - an index on what is not null is the same on both databases

    class Meta:
        indexes = [
            # every list is a walk along one of these; the id makes the order total, so that a cursor never skips
            models.Index("city", F("opened_at").desc(), F("id").desc(), name="case_opened"),
            models.Index("city", "step", F("opened_at").desc(), F("id").desc(), name="case_step"),
            models.Index("city", "category", F("opened_at").desc(), F("id").desc(), name="case_category"),
            models.Index("city", "holder", F("opened_at").desc(), F("id").desc(), name="case_holder"),
            # a region is a range of codes, so no order is left to walk in: this one holds what a gathering looks at
            models.Index(
                fields=["city", "region", "step", "category", "closed_at", "opened_at", "id"], name="case_region"
            ),
            models.Index(
                fields=["city", "deadline", "id", "region"], condition=Q(closed_at=None), name="case_deadline"
            ),
            # what lies near a point: a box of latitudes, then longitudes, of open cases only
            models.Index(
                fields=["city", "lat", "lon"],
                condition=Q(closed_at=None, lat__isnull=False),
                name="case_open_point",
            ),
            # what a desk gathers when few of the most urgent are its own: open cases only, so it stays small. All that
            # `reach` asks is in it: to fetch every open row only to see that nothing waits there costs half a second
            models.Index(
                fields=["city", "step", "deadline", "id", "holder", "region", "waits"],
                condition=Q(closed_at=None),
                name="case_open_step",
            ),
            # few cases wait for an answer, so this index is small; closed ones may too (appeals)
            models.Index(fields=["city", "deadline", "id"], condition=Q(waits__isnull=False), name="case_waits"),
            # somebody's own cases: few have an assignee, and only while they are open
            models.Index(
                fields=["city", "assignee", "deadline", "id"],
                condition=Q(closed_at=None) & ~Q(assignee=""),
                name="case_assignee",
            ),
            # what was reported of a component; few cases name one
            models.Index("city", "component", F("opened_at").desc(), condition=~Q(component=""), name="case_component"),
            models.Index(fields=["next_due"], condition=Q(next_due__isnull=False), name="case_next_due"),
        ]


class Event(models.Model):
    """Something that happened to a case. Written once, never changed. ``hash`` covers it and the hash before."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events", db_index=False)
    city = models.CharField(max_length=CODE)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    verb = models.CharField(max_length=CODE)
    actor = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=120)
    actor_unit = models.CharField(max_length=60)
    role = models.CharField(max_length=CODE)
    from_step = models.CharField(max_length=CODE)
    to_step = models.CharField(max_length=CODE)
    from_holder = models.CharField(max_length=60)
    holder = models.CharField(max_length=60)
    reason = models.TextField()
    payload = models.TextField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="event_seq")]


class Report(models.Model):
    """What someone or something said. Many reports may concern one case.

    Attributes:
        contact: How to reach the person; shown only to roles that need it.
        origin, external: The system a report came from and its id there: the same one is never taken twice.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    number = models.CharField(max_length=CODE, unique=True)
    city = models.CharField(max_length=CODE)
    at = models.DateTimeField()
    text = models.TextField()
    category = models.CharField(max_length=CODE)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    region = models.CharField(max_length=CODE)
    address = models.TextField()
    source = models.CharField(max_length=CODE)
    contact = models.CharField(max_length=200)
    reporter = models.CharField(max_length=80)
    origin = models.CharField(max_length=CODE)
    external = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "origin", "external"], condition=~Q(external=""), name="report_once"
            )
        ]


class Photo(models.Model):
    """A picture, re-encoded, without what the camera wrote into it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="photos")
    seq = models.PositiveIntegerField(help_text="The event with which it came.")
    path = models.CharField(max_length=200, help_text="Relative to the data folder.")
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, help_text="By the camera's clock, where it said so.")


class Outbox(models.Model):
    """What others are still to be told. One row per command: the events ``first``–``last`` of a case.

    Attributes:
        next_at: When it is due; while a worker has it in hand, when it is due again should that worker have died.
        told: Marks of the addresses that have been told already, while others of the row are still to be tried.
    """

    city = models.CharField(max_length=CODE)
    number = models.CharField(max_length=CODE)
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(default="")
    told = models.TextField(default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["next_at", "id"], condition=Q(sent_at=None), name="outbox_waiting"),
            models.Index(fields=["number"], name="outbox_number"),
        ]


class Tally(models.Model):
    """How many cases came to (or, below zero, left) a region, a step and lateness. The sum is how many there are.

    Commands only add rows, so no writer waits for another at a counter; the worker sums rows up from time to time.
    """

    city = models.CharField(max_length=CODE)
    region = models.CharField(max_length=CODE)
    step = models.CharField(max_length=CODE)
    late = models.BooleanField()
    count = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["city", "region"], name="tally_region")]


class Serial(models.Model):
    """The next free number of a kind on a day. Processes take blocks, so intake does not queue at one row."""

    city = models.CharField(max_length=CODE)
    kind = models.CharField(max_length=10)
    day = models.CharField(max_length=10, blank=True)
    next = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "kind", "day"], name="serial_once")]
