"""Things that observe, their datastreams and observations, as the OGC SensorThings API 1.1 (18-088) names them.

Times of observations are microseconds since 1970-01-01T00:00:00Z (`yiwang.core.kernel.instants`): a year of quarter hours of ten
thousand sensors is 350 million of them, and a whole number is what databases, Parquet and NumPy compare fastest.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Described(models.Model):
    """What most entities have: a name, a description and properties of the owner's choice."""

    city = models.CharField(max_length=40)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    properties = models.JSONField(default=dict)

    class Meta:
        abstract = True


class Location(Described):
    """Where something is.

    Attributes:
        encoding: Media type of ``location``, mostly ``application/geo+json``.
        location: A GeoJSON geometry or feature in WGS 84.
        lon, lat: Degrees of its middle; none for a place without a geometry.
        region: Code of the region in which the middle lies; empty outside the city.
    """

    encoding = models.CharField(max_length=100, default="application/geo+json")
    location = models.JSONField()
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    region = models.CharField(max_length=20, blank=True)


class Thing(Described):
    """What stands in the city and is observed: a manhole, a bin, a bridge.

    Attributes:
        key: What its owner calls it, unique in the city; empty for one made through the API without a key.
        component: Code of the component of the inventory that it is; empty when it is none.
        locations: Where it is now.
    """

    key = models.CharField(max_length=100, blank=True)
    component = models.CharField(max_length=40, blank=True)
    locations = models.ManyToManyField(Location, related_name="things")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "key"], condition=~Q(key=""), name="thing_key_once")]


class HistoricalLocation(models.Model):
    """Where a thing was from a moment on."""

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="historical_locations")
    time = models.DateTimeField(default=timezone.now)
    locations = models.ManyToManyField(Location, related_name="historical_locations")


class Sensor(Described):
    """The instrument or procedure that observes.

    Attributes:
        encoding: Media type of ``metadata``.
        metadata: Its description, or where it is found.
    """

    encoding = models.CharField(max_length=100, default="text/html")
    metadata = models.JSONField(default=str)


class ObservedProperty(Described):
    """The quantity that is observed.

    Attributes:
        definition: URI that defines it.
    """

    definition = models.CharField(max_length=500)


class FeatureOfInterest(Described):
    """What an observation says something about, mostly the place of the thing.

    Attributes:
        location: Of which location it was made, where a client gave none.
    """

    encoding = models.CharField(max_length=100, default="application/geo+json")
    feature = models.JSONField()
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    location = models.ForeignKey(Location, on_delete=models.SET_NULL, null=True, related_name="features")


class Datastream(Described):
    """A series of observations of one property by one sensor at one thing.

    Attributes:
        key: What its owner calls it, unique in the city: the ``stream`` of a file, the end of an MQTT topic.
        unit: ``name``, ``symbol`` and ``definition`` of the unit, as the standard has them; the symbol is UCUM's where it has one.
        observation_type: URI of the kind of result.
        least, greatest: The instrument's range, in its unit; a reading outside is kept and not judged.
    """

    key = models.CharField(max_length=100, blank=True)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="datastreams")
    sensor = models.ForeignKey(Sensor, on_delete=models.CASCADE, related_name="datastreams")
    observed_property = models.ForeignKey(ObservedProperty, on_delete=models.CASCADE, related_name="datastreams")
    unit = models.JSONField(default=dict)
    observation_type = models.CharField(
        max_length=200, default="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    )
    observed_area = models.JSONField(null=True)
    least = models.FloatField(null=True)
    greatest = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], condition=~Q(key=""), name="datastream_key_once")
        ]


class DatastreamState(models.Model):
    """How far a datastream is. Who writes observations of it holds this row until the transaction ends.

    Attributes:
        first_time, last_time: Phenomenon times of the earliest and the latest observation.
        value, result: What the latest says, see `Observation`.
        received_time: When the latest arrived.
        first_result_time, last_result_time: The same for result times.
    """

    datastream = models.OneToOneField(Datastream, on_delete=models.CASCADE, primary_key=True, related_name="state")
    first_time = models.BigIntegerField(null=True)
    last_time = models.BigIntegerField(null=True)
    value = models.FloatField(null=True)
    result = models.JSONField(null=True)
    received_time = models.BigIntegerField(null=True)
    first_result_time = models.BigIntegerField(null=True)
    last_result_time = models.BigIntegerField(null=True)


class Observation(models.Model):
    """What was observed at a moment.

    Attributes:
        phenomenon_time: When it was so; where that is an interval, its start, and ``phenomenon_end`` its end.
        value: The result as a number; none for one that is no number.
        result: The result where it is no number: a word, a truth value, a JSON value.
        result_time: When the result was there, where the client said it.
        received_time: When it arrived here.
        quality: Flags, see `yiwang.core.observations.quality`.
        feature: What it is about; none for the datastream's own place.
        more: ``validTime``, ``resultQuality`` and ``parameters``, where the client gave them.
    """

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="observations", db_index=False)
    phenomenon_time = models.BigIntegerField()
    phenomenon_end = models.BigIntegerField(null=True)
    value = models.FloatField(null=True)
    result = models.JSONField(null=True)
    result_time = models.BigIntegerField(null=True)
    received_time = models.BigIntegerField()
    quality = models.SmallIntegerField(default=0)
    feature = models.ForeignKey(
        FeatureOfInterest, on_delete=models.SET_NULL, null=True, related_name="observations", db_index=False
    )
    more = models.JSONField(null=True)

    class Meta:
        constraints = [
            # one observation of a datastream a moment: what comes again is the same, or corrects it (see `writing`)
            models.UniqueConstraint(fields=["datastream", "phenomenon_time"], name="observation_once")
        ]
        indexes = [models.Index(fields=["feature"], condition=Q(feature__isnull=False), name="observation_feature")]


class KeptDay(models.Model):
    """A day (UTC) of a city whose observations lie in the lake, wholly or until the database's copies are taken away.

    What a reader finds in the database counts more than what the files say of the same moment, so both may be there at once.

    Attributes:
        day: Days since 1970-01-01.
        version: Grows with every change of the row, and when an observation of the day is taken away or moved by somebody:
            who writes files for the day publishes them only where nothing has come between.
        files: Kind (``raw``, ``minute``, ``hour``, ``day``) → bucket → file in the city's folder; empty while none has been
            published. A kind that is no longer kept is not there.
        rows: Observations that were put into the files.
    """

    city = models.CharField(max_length=40)
    day = models.IntegerField()
    version = models.PositiveIntegerField(default=0)
    files = models.JSONField(default=dict)
    rows = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "day"], name="kept_day_once")]


class Device(models.Model):
    """A device that sends messages, and its signs of life.

    Attributes:
        key: Its id in its network (an EUI in capitals) or the user name with which it signs in to the broker; unique in the city.
        secret: Hash of its password; empty for a device whose network signs in for it.
        adapter: Name of the pack's adapter that reads its messages.
        silence_after: Seconds without a message after which it counts as silent; none for never.
        added: Since when it is registered.
        last_seen: When its last message arrived.
        silent_at: From when on it is silent unless it speaks before: ``last_seen`` (or ``added``) and ``silence_after``.
        battery: Per cent. ``firmware``: as it says.
        said: What else it said of itself last: signal, counter.
    """

    city = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=255, blank=True)
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="devices")
    secret = models.CharField(max_length=128, blank=True)
    adapter = models.CharField(max_length=60, blank=True)
    enabled = models.BooleanField(default=True)
    silence_after = models.PositiveIntegerField(null=True)
    added = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(null=True)
    silent_at = models.DateTimeField(null=True)
    battery = models.FloatField(null=True)
    firmware = models.CharField(max_length=60, blank=True)
    said = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="device_key_once")]
        indexes = [
            models.Index(
                fields=["city", "silent_at"], condition=Q(silent_at__isnull=False, enabled=True), name="device_silent"
            )
        ]


class Rejected(models.Model):
    """Messages that could not be read, or not wholly: one row for all of a topic with one reason.

    Attributes:
        city: Empty where no city could be told from the topic.
        topic: Its beginning, where it is very long.
        digest: Of the kind of fault, without the values that it quotes.
        device: Key of the device, where it could be told. ``user``: with which name the last one was sent.
        why: What was wrong with the last one, in words by language.
        partly: Whether the rest of the last one was taken.
        payload: The last one, cut after 64 KiB; ``encoding`` is ``text`` or ``base64``, ``size`` its whole length in bytes.
        count: How many there were; ``first_time`` and ``last_time`` in microseconds, when they arrived.
    """

    city = models.CharField(max_length=40, blank=True)
    topic = models.CharField(max_length=400)
    digest = models.CharField(max_length=16)
    device = models.CharField(max_length=100, blank=True)
    user = models.CharField(max_length=100, blank=True)
    why = models.JSONField()
    partly = models.BooleanField(default=False)
    payload = models.TextField(blank=True)
    encoding = models.CharField(max_length=6)
    size = models.PositiveIntegerField()
    count = models.BigIntegerField(default=1)
    first_time = models.BigIntegerField()
    last_time = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "topic", "digest"], name="rejected_once")]
        indexes = [models.Index(fields=["city", "last_time"], name="rejected_latest")]


class AlarmState(models.Model):
    """How far a condition is with a datastream. It is read and written by whoever holds the `DatastreamState`.

    Attributes:
        condition: Id of the condition in `sensing.toml`; ``digest`` changes with what it says.
        state: What its detector remembers, as JSON that nobody else reads.
        level: Of the alarm that stands; 0 for none.
        due: When silence changes something, in microseconds; none for never.
    """

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="alarm_states", db_index=False)
    condition = models.CharField(max_length=60)
    digest = models.CharField(max_length=16)
    state = models.TextField()
    level = models.PositiveSmallIntegerField(default=0)
    due = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["datastream", "condition"], name="alarm_state_once")]
        indexes = [models.Index(fields=["due"], condition=Q(due__isnull=False), name="alarm_state_due")]


class KeptBaseline(models.Model):
    """What is usual for a datastream by hour of the week, for a condition of kind ``pattern``; see `sensing.judging.usual`.

    Attributes:
        made_by: Changes with what it is made by; of another ``made_by`` it is of no use.
        figures: JSON text of 168 medians and 168 spreads; empty while nothing has been learned.
        readings: How many it was learned from. ``hours``: hours of the week that can be judged.
        learned_at: When it was learned; none while nothing has been. ``tried_at``: when that was last tried, in microseconds.
    """

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="baselines", db_index=False)
    condition = models.CharField(max_length=60)
    made_by = models.CharField(max_length=16, blank=True)
    figures = models.TextField(blank=True)
    readings = models.PositiveIntegerField(default=0)
    hours = models.PositiveSmallIntegerField(default=0)
    learned_at = models.DateTimeField(null=True)
    tried_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["datastream", "condition"], name="baseline_once")]


class CombinationState(models.Model):
    """How far a combination of alarms is with a group of streams. Who feeds it holds the row until the transaction ends.

    Attributes:
        group: The thing, and what the parts in braces of the members' patterns are; ``city`` where there is one group only.
        digest: Changes with what the combination says; empty for a row that was only just made.
        state: What its `Combiner` remembers, as JSON that nobody else reads.
        datastream: That whose alarm decided, of the alarm that stands or stood last.
        since: When the alarm that stands was raised, in microseconds; none where none stands.
        due: When the passing of time ends the alarm that stands, in microseconds; none for never.
    """

    city = models.CharField(max_length=40)
    condition = models.CharField(max_length=60)
    group = models.CharField(max_length=300)
    digest = models.CharField(max_length=16, blank=True)
    state = models.TextField(blank=True)
    datastream = models.ForeignKey(Datastream, on_delete=models.SET_NULL, null=True, related_name="+")
    since = models.BigIntegerField(null=True)
    due = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "condition", "group"], name="combination_state_once")]
        indexes = [models.Index(fields=["due"], condition=Q(due__isnull=False), name="combination_state_due")]


class Alarm(models.Model):
    """One turn of an alarm, and what became of it.

    Attributes:
        condition, version: Id of the condition, and the version of the city's pack by which it was judged.
        datastream: Which one; of a combination, that whose alarm decided. ``group``: of a combination, see `CombinationState`.
        turn: ``raised``, ``worsened``, ``eased`` or ``cleared``.
        time: When, in microseconds; ``since`` when it was raised. Condition, datastream and ``since`` name the episode.
        value: The reading; none for a stream that was never heard of, and for a combination.
        level, severity: 1 for the mildest, 0 once cleared; see `yiwang.core.observations.alarms`.
        peak: The worst figure since it was raised. ``silent``: cleared because nothing was heard any more.
        why: In words, by language.
        known_at: When it became known here, in microseconds.
        region: Where the thing was.
        outcome: What became of it; empty while it waits.
        look_at: Not to be looked at before, while the thing is being maintained.
        case: The case that it opened or is noted on. ``problem``: why it could not be, in words by language.
    """

    class Outcome(models.TextChoices):
        WAITING = ""
        OPENED = "opened"
        JOINED = "joined"
        NOTED = "noted"
        MAINTENANCE = "maintenance"
        NOTHING = "nothing"
        FAILED = "failed"

    city = models.CharField(max_length=40)
    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="alarms", db_index=False)
    condition = models.CharField(max_length=60)
    group = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField()
    turn = models.CharField(max_length=10)
    time = models.BigIntegerField()
    since = models.BigIntegerField()
    value = models.FloatField(null=True)
    level = models.PositiveSmallIntegerField()
    severity = models.PositiveSmallIntegerField()
    peak = models.FloatField()
    silent = models.BooleanField(default=False)
    why = models.JSONField()
    known_at = models.BigIntegerField()
    region = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True, default=Outcome.WAITING)
    look_at = models.DateTimeField(null=True)
    case = models.CharField(max_length=40, blank=True)
    problem = models.JSONField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(outcome=""), name="alarm_waiting"),
            models.Index(fields=["datastream", "condition", "since"], name="alarm_episode"),
            models.Index(
                fields=["city", "condition", "time"], condition=Q(turn__in=("raised", "worsened")), name="alarm_storm"
            ),
            models.Index(fields=["city", "case"], condition=~Q(case=""), name="alarm_case"),
            models.Index(fields=["city", "done_at"], condition=Q(done_at__isnull=False), name="alarm_done"),
        ]


class Cause(models.Model):
    """What alarms have in common that belong to one case: the thing or component and the category, or a storm.

    Attributes:
        key: Names it in its city.
        opener: Id of the alarm with which its case was opened or joined; the key of that report.
        joined: The case was there already, reported by people.
        case: Its case; empty while it is being opened.
    """

    city = models.CharField(max_length=40)
    key = models.CharField(max_length=400)
    opener = models.BigIntegerField(null=True)
    joined = models.BooleanField(default=False)
    case = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="cause_once")]


class Maintenance(models.Model):
    """Somebody works on a thing: its alarms are kept, and open no case in that time.

    Attributes:
        start, end: From and until when. ``by``: who says so. ``reason``: why.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="maintenances")
    start = models.DateTimeField()
    end = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="maintenance_ends")]


class Follower(models.Model):
    """Somebody who is told of what changes: a broker with subscribers. While there is one, writers leave `Change` rows for it.

    Attributes:
        holder: Which of its processes takes the rows; another one may once ``until`` has passed.
        until: It is there until then, in microseconds, and says so again before.
    """

    name = models.CharField(max_length=200, unique=True)
    holder = models.CharField(max_length=32)
    until = models.BigIntegerField()


class Change(models.Model):
    """Entities that a transaction wrote, until the follower has told of them.

    Who writes observations holds the datastream's state, so the rows of a datastream stand in the order of their transactions.

    Attributes:
        kind: ``Observation``, or another entity type by its name in the standard.
        refs: Ids; of observations datastream and phenomenon time in microseconds.
    """

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    refs = models.JSONField()
