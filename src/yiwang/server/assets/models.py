"""Components, their history, and the censuses that found them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class State(models.TextChoices):
    """What state a component is in."""

    INTACT = "intact"
    DAMAGED = "damaged"
    LOST = "lost"
    ABANDONED = "abandoned"
    REMOVED = "removed"


GONE = (State.LOST.value, State.REMOVED.value)  # a census that does not find one of these says nothing new


class Census(models.Model):
    """A file of components of one class that was brought, and how far it is taken up.

    The first census of a class is the inventory. A later one is compared with it, and what differs waits for a person.

    Attributes:
        kind: The class: a category of components of the city's scheme.
        digest: Of the file and of how it is read; the same again goes on where it stopped.
        options: Columns, coordinate system, metres: how the file is read and compared.
        step: ``writing`` while it is taken up, ``waiting`` for decisions, ``done``, or ``dropped``.
        done: Rows of the file that are taken up.
        counts: Of its rows: new, same, moved, changed, missing, refused.
        problems: The first faults of its rows, as the page shows them.
    """

    class Step(models.TextChoices):
        WRITING = "writing"
        WAITING = "waiting"
        DONE = "done"
        DROPPED = "dropped"

    city = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    file = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    options = models.JSONField(default=dict)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.WRITING)
    first = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    brought_by = models.CharField(max_length=150, blank=True)
    brought_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["city", "kind"],
                condition=models.Q(step__in=["writing", "waiting"]),
                name="census_one_at_a_time",
            )
        ]


class Component(models.Model):
    """A component 部件. The names follow GB/T 47678.5, table 2.

    Attributes:
        code: 标识码, unique in the city.
        kind: The class.
        source_id: The id that the surveyor's file gives it.
        lon, lat: Degrees, WGS 84.
        cell: Morton code of the place on the web map (`yiwang.core.space.tiles`), less 2⁶³.
        region, grid: Where it lies.
        authority, owner, maintainer: 主管部门, 权属单位, 养护单位: a unit of the city, or a name.
        attributes: What else the census says of it, by name.
        first_on: 初始日期. ``changed_on``: 变更日期.
        version: Grows with every change; who changes one says which version was seen.
    """

    city = models.CharField(max_length=40)
    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    source_id = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.INTACT)
    lon = models.FloatField()
    lat = models.FloatField()
    cell = models.BigIntegerField()
    region = models.CharField(max_length=20)
    grid = models.CharField(max_length=30, blank=True)
    authority = models.CharField(max_length=100, blank=True)
    owner = models.CharField(max_length=100, blank=True)
    maintainer = models.CharField(max_length=100, blank=True)
    attributes = models.JSONField(default=dict)
    note = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=100, blank=True)
    first_on = models.DateField(null=True)
    changed_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    census = models.ForeignKey(Census, on_delete=models.SET_NULL, null=True, related_name="components")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "code"], name="component_code_once")]
        indexes = [
            # every list is a walk along one of these, or along what is found by words: see `queries`
            models.Index(fields=["city", "kind", "region", "id"], name="component_kind"),
            models.Index(fields=["city", "region", "id"], name="component_region"),
            models.Index(
                fields=["city", "state", "kind", "region", "id"],
                condition=~Q(state=State.INTACT.value),
                name="component_state",
            ),
            models.Index(fields=["city", "source_id"], condition=~Q(source_id=""), name="component_source"),
            models.Index(fields=["city", "name"], condition=~Q(name=""), name="component_name"),
            models.Index(fields=["city", "cell"], name="component_cell"),
        ]


class ComponentChange(models.Model):
    """What was changed of a component, by whom; the first census needs none.

    Attributes:
        fields: Name of each changed field → [before, after].
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True)
    census = models.ForeignKey(Census, on_delete=models.SET_NULL, null=True)
    fields = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]


class ComponentPhoto(models.Model):
    """A photo of a component, re-encoded; the file lies beside those of cases.

    Attributes:
        taken_at: As the camera says.
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="photos")
    path = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["component", "digest"], name="component_photo_once")]


class ComponentCost(models.Model):
    """What a component has cost once; see `costs`.

    Attributes:
        day: On which it arose, in the city.
        amount: In the currency of the city's country.
        voucher: Number of the document in the accounts 凭证号.
        case: Number of the case for which it arose.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase"
        INSTALLATION = "installation"
        MAINTENANCE = "maintenance"
        REPAIR = "repair"
        REMOVAL = "removal"

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="costs")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    day = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    voucher = models.CharField(max_length=80, blank=True)
    case = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=300, blank=True)
    by = models.CharField(max_length=150, blank=True)
    added_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["component", "kind", "voucher"],
                condition=Q(cancelled_at=None) & ~Q(voucher=""),
                name="component_cost_once",
            )
        ]


class CensusFinding(models.Model):
    """Where a census differs from the inventory, and what was decided about it.

    Attributes:
        outcome: ``new``, ``moved``, ``changed`` or ``missing``.
        component: Of the inventory; none for a new one.
        row: Of the file, as a spreadsheet shows it; none for a missing one.
        metres: How far it has moved.
        values: What the census says of it.
    """

    class Decision(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        REFUSED = "refused"

    census = models.ForeignKey(Census, on_delete=models.CASCADE, related_name="findings")
    outcome = models.CharField(max_length=10)
    component = models.ForeignKey(Component, on_delete=models.CASCADE, null=True, related_name="findings")
    row = models.PositiveIntegerField(null=True)
    metres = models.FloatField(null=True)
    values = models.JSONField(default=dict)
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["census", "decision", "outcome", "id"], name="finding_open")]


class ColumnMapping(models.Model):
    """What the columns of a surveyor's files mean, kept under a name for the next file."""

    city = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    columns = models.JSONField(default=dict)
    saved_by = models.CharField(max_length=150, blank=True)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "name"], name="component_mapping_once")]


class CodeSerial(models.Model):
    """The last number that was given to a component of a division and class."""

    city = models.CharField(max_length=40)
    prefix = models.CharField(max_length=20)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "prefix"], name="component_serial_once")]


class InventoryVersion(models.Model):
    """How often the inventory of a city has been written: what a tile of it is as fresh as.

    Who writes moves it on first and holds it until the transaction ends (`versions.write_begins`), so that the ids of a city's
    components and changes become visible in their order.
    """

    city = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveBigIntegerField(default=0)
