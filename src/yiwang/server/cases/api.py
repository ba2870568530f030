"""The door of the cases: what any other app may ask of them or do to them. Nothing else of this app is to be imported."""

from __future__ import annotations

from yiwang.server.cases.models import Case, Event, Outbox, Photo, Report, Tally
from yiwang.server.cases.reading.access import Reader, Readers, readers_as
from yiwang.server.cases.reading.access import readers as readers_for
from yiwang.server.cases.reading.actors import actor_for, actors_for, outsider
from yiwang.server.cases.reading.answers import case as case_answer
from yiwang.server.cases.reading.answers import case_list as list_answer
from yiwang.server.cases.reading.answers import events as events_answer
from yiwang.server.cases.reading.case_photos import SidedPhoto, is_after, photos_of_cases
from yiwang.server.cases.reading.city_moment import REPLAYED, lateness_moment, stands_at
from yiwang.server.cases.reading.deeds import deeds_since
from yiwang.server.cases.reading.estimates import among as estimates_among
from yiwang.server.cases.reading.estimates import is_estimated
from yiwang.server.cases.reading.explaining import TABLES as TABLE_NAMES
from yiwang.server.cases.reading.explaining import whys as whys_of
from yiwang.server.cases.reading.first_photos import first_photos
from yiwang.server.cases.reading.listing import page as list_page
from yiwang.server.cases.reading.map_points import map_cases as cases_on_map
from yiwang.server.cases.reading.map_points import undrawn as undrawn_cases
from yiwang.server.cases.reading.map_points import unplaced_points
from yiwang.server.cases.reading.nearby import COLUMNS as NEARBY_COLUMNS
from yiwang.server.cases.reading.nearby import open_near
from yiwang.server.cases.reading.of_component import cases_of_component
from yiwang.server.cases.reading.placing import UNPLACED, no_region
from yiwang.server.cases.reading.presentation import (
    FIGURE_NAMES,
    FLAG_NAMES,
    SOURCE_NAMES,
    YELLOW_FROM,
    category_name,
    duration_words,
    light,
    map_labels,
    region_name,
    source_name,
    step_name,
    time_left,
    unit_name,
)
from yiwang.server.cases.reading.presentation import (
    clocks as clocks_of,
)
from yiwang.server.cases.reading.presentation import row as shown_row
from yiwang.server.cases.reading.presentation import (
    story as story_of,
)
from yiwang.server.cases.reading.queries import (
    CaseDetail,
    CaseFilters,
    Page,
    case_of,
    city_of,
    figures_below,
    hand_on,
    is_past_deadline,
    list_cases,
    narrow,
    outbox_backlog,
    photo_path,
    photo_paths,
    prefixes_of,
    sequence_of,
    within,
)
from yiwang.server.cases.reading.queries import (
    by_step as cases_by_step,
)
from yiwang.server.cases.reading.queries import figures as case_figures
from yiwang.server.cases.reading.queries import (
    get_case as load_case,
)
from yiwang.server.cases.reading.reach import reach
from yiwang.server.cases.reading.totals import COUNTED as MOST_COUNTED
from yiwang.server.cases.reading.totals import count_up_to as count_cases_up_to
from yiwang.server.cases.reading.totals import total as list_total
from yiwang.server.cases.reading.wording import Words, event_key, event_words
from yiwang.server.cases.reading.wording import texts_of as event_texts
from yiwang.server.cases.storage.numbering import CASE as CASE_NUMBERS
from yiwang.server.cases.storage.numbering import REPORT as REPORT_NUMBERS
from yiwang.server.cases.storage.numbering import format_number, serial_day
from yiwang.server.cases.storage.numbering import take as take_numbers
from yiwang.server.cases.storage.row_from_events import COMPARED, DerivedRow, differences
from yiwang.server.cases.storage.row_from_events import derive as derive_row
from yiwang.server.cases.storage.rows import (
    CASE_COLUMNS,
    EVENT_COLUMNS,
    case_values,
    event_of,
    event_values,
    hash_chain,
)
from yiwang.server.cases.storage.rows import LOADED as LOADED_COLUMNS
from yiwang.server.cases.storage.rows import load as load_rows
from yiwang.server.cases.storage.rows import state_of as state_of_row
from yiwang.server.cases.storage.tallies import COLUMNS as TALLY_COLUMNS
from yiwang.server.cases.storage.walking import first_ids
from yiwang.server.cases.storage.words import upsert_statement as word_index_entry
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cases.writing.intake import disagreeing_region, place_report
from yiwang.server.cases.writing.joining import join as join_case
from yiwang.server.cases.writing.operations import OUTBOX_COLUMNS, REPORT_COLUMNS
from yiwang.server.cases.writing.operations import act as act_on_case
from yiwang.server.cases.writing.operations import report as report_case
from yiwang.server.cases.writing.outbox import drain as drain_outbox
from yiwang.server.cases.writing.outbox import never
from yiwang.server.cases.writing.recounting import recount_all, recount_deadlines

__all__ = [
    "CASE_COLUMNS",
    "CASE_NUMBERS",
    "COMPARED",
    "EVENT_COLUMNS",
    "FIGURE_NAMES",
    "FLAG_NAMES",
    "LOADED_COLUMNS",
    "MOST_COUNTED",
    "NEARBY_COLUMNS",
    "OUTBOX_COLUMNS",
    "REPLAYED",
    "REPORT_COLUMNS",
    "REPORT_NUMBERS",
    "SOURCE_NAMES",
    "TABLE_NAMES",
    "TALLY_COLUMNS",
    "UNPLACED",
    "YELLOW_FROM",
    "Case",
    "CaseDetail",
    "CaseFilters",
    "DerivedRow",
    "Event",
    "Outbox",
    "Page",
    "Photo",
    "Reader",
    "Readers",
    "Report",
    "ReportDraft",
    "SidedPhoto",
    "Tally",
    "Words",
    "act_on_case",
    "actor_for",
    "actors_for",
    "case_answer",
    "case_figures",
    "case_of",
    "case_values",
    "cases_by_step",
    "cases_of_component",
    "cases_on_map",
    "category_name",
    "city_of",
    "clocks_of",
    "count_cases_up_to",
    "deeds_since",
    "derive_row",
    "differences",
    "disagreeing_region",
    "drain_outbox",
    "duration_words",
    "estimates_among",
    "event_key",
    "event_of",
    "event_texts",
    "event_values",
    "event_words",
    "events_answer",
    "figures_below",
    "first_ids",
    "first_photos",
    "format_number",
    "hand_on",
    "hash_chain",
    "is_after",
    "is_estimated",
    "is_past_deadline",
    "join_case",
    "lateness_moment",
    "light",
    "list_answer",
    "list_cases",
    "list_page",
    "list_total",
    "load_case",
    "load_rows",
    "map_labels",
    "narrow",
    "never",
    "no_region",
    "open_near",
    "outbox_backlog",
    "outsider",
    "photo_path",
    "photo_paths",
    "photos_of_cases",
    "place_report",
    "prefixes_of",
    "reach",
    "readers_as",
    "readers_for",
    "recount_all",
    "recount_deadlines",
    "region_name",
    "report_case",
    "sequence_of",
    "serial_day",
    "shown_row",
    "source_name",
    "stands_at",
    "state_of_row",
    "step_name",
    "story_of",
    "take_numbers",
    "time_left",
    "undrawn_cases",
    "unit_name",
    "unplaced_points",
    "whys_of",
    "within",
    "word_index_entry",
]
