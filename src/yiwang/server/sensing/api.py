"""The door to what sensors observe: what other apps may use of it."""

from yiwang.server.sensing.alarms.episodes import Episode, Limit, episodes_of, limits_of_stream
from yiwang.server.sensing.alarms.standing import PlacedThing, StandingAlarm, ThingState, placed_things, standing_alarms
from yiwang.server.sensing.changing import change_observation, delete_observations, observation_ids
from yiwang.server.sensing.devices.heard import Silence, device_silences
from yiwang.server.sensing.devices.importing import Imported, import_devices
from yiwang.server.sensing.devices.reading import Message
from yiwang.server.sensing.devices.registry import (
    DeviceSaid,
    add_device,
    change_device,
    check_device,
    device_of,
    list_devices,
    list_rejected,
    speaking_device,
)
from yiwang.server.sensing.devices.rejecting import Refused, keep_refused, refuse_message
from yiwang.server.sensing.devices.routes import topic_filters
from yiwang.server.sensing.following import Told, follow, leave, note, told, unfollow, waiting
from yiwang.server.sensing.judging.judge import tick as tick_silences
from yiwang.server.sensing.judging.learning import learn_due
from yiwang.server.sensing.judging.trying import Trial, read_settings, try_rules
from yiwang.server.sensing.kept.days import span as kept_span
from yiwang.server.sensing.kept.keeping import Kept, boundary, keep_city
from yiwang.server.sensing.kept.moving import planned
from yiwang.server.sensing.kept.reading import walk as walk_observations
from yiwang.server.sensing.loading import Loaded, load_readings, load_streams
from yiwang.server.sensing.messages import Taken, take_messages
from yiwang.server.sensing.models import (
    Alarm,
    AlarmState,
    Cause,
    CombinationState,
    Datastream,
    DatastreamState,
    Device,
    FeatureOfInterest,
    HistoricalLocation,
    KeptBaseline,
    KeptDay,
    Location,
    Maintenance,
    Observation,
    ObservedProperty,
    Rejected,
    Sensor,
    Thing,
)
from yiwang.server.sensing.queries import (
    alarms_of,
    alarms_of_case,
    latest_of,
    list_streams,
    rollup_of,
    rules_of_stream,
    series,
    series_points,
    stream_counts,
    stream_row,
    streams_of_thing,
)
from yiwang.server.sensing.raising import maintain, raise_cases
from yiwang.server.sensing.streams import StreamSaid, datastream_of, find_or_make, move_thing, stream_ids, streams_of
from yiwang.server.sensing.writing import Reading, Written, write_observations

__all__ = [
    "Alarm",
    "AlarmState",
    "Cause",
    "CombinationState",
    "Datastream",
    "DatastreamState",
    "Device",
    "DeviceSaid",
    "Episode",
    "FeatureOfInterest",
    "HistoricalLocation",
    "Imported",
    "Kept",
    "KeptBaseline",
    "KeptDay",
    "Limit",
    "Loaded",
    "Location",
    "Maintenance",
    "Message",
    "Observation",
    "ObservedProperty",
    "PlacedThing",
    "Reading",
    "Refused",
    "Rejected",
    "Sensor",
    "Silence",
    "StandingAlarm",
    "StreamSaid",
    "Taken",
    "Thing",
    "ThingState",
    "Told",
    "Trial",
    "Written",
    "add_device",
    "alarms_of",
    "alarms_of_case",
    "boundary",
    "change_device",
    "change_observation",
    "check_device",
    "datastream_of",
    "delete_observations",
    "device_of",
    "device_silences",
    "episodes_of",
    "find_or_make",
    "follow",
    "import_devices",
    "keep_city",
    "keep_refused",
    "kept_span",
    "latest_of",
    "learn_due",
    "leave",
    "limits_of_stream",
    "list_devices",
    "list_rejected",
    "list_streams",
    "load_readings",
    "load_streams",
    "maintain",
    "move_thing",
    "note",
    "observation_ids",
    "placed_things",
    "planned",
    "raise_cases",
    "read_settings",
    "refuse_message",
    "rollup_of",
    "rules_of_stream",
    "series",
    "series_points",
    "speaking_device",
    "standing_alarms",
    "stream_counts",
    "stream_ids",
    "stream_row",
    "streams_of",
    "streams_of_thing",
    "take_messages",
    "tick_silences",
    "told",
    "topic_filters",
    "try_rules",
    "unfollow",
    "waiting",
    "walk_observations",
    "write_observations",
]
