"""What calls take and give. Answers are described here and rendered as they are, without a second validation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict, StringConstraints, create_model

from yiwang.core.cases.fields import ASKED, CASE_FIELDS, LISTED, REPORTED
from yiwang.core.cases.readers import read_code, read_latitude, read_longitude, read_text
from yiwang.server.cases.api import FLAG_NAMES
from yiwang.server.common.moments import Moment

Code = Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9._:-]*$")]
Line = Annotated[str, StringConstraints(max_length=400)]
Text = Annotated[str, StringConstraints(max_length=4000)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Picture = Annotated[str, StringConstraints(max_length=20_000_000)]


class Strict(Schema):
    """A body without fields that nobody reads: a misspelt one is an error, not silence."""

    model_config = ConfigDict(extra="forbid")


# how the value of a case's field comes and goes in JSON; what is not here is an object, which the field's reader checks
_GIVEN: dict[Any, Any] = {read_text: Text, read_code: Code, read_longitude: Longitude, read_latitude: Latitude}
_ANSWERED: dict[Any, Any] = {read_text: str, read_code: str, read_longitude: float | None, read_latitude: float | None}


def _input_fields(names: Iterable[str]) -> dict[str, Any]:
    """Fields of a case as a call may give them."""
    return {name: (_GIVEN.get(CASE_FIELDS[name].reader, dict[str, Any]) | None, None) for name in names}


def _output_fields(names: Iterable[str]) -> dict[str, Any]:
    """Fields of a case as answers have them."""
    return {name: (_ANSWERED.get(CASE_FIELDS[name].reader, dict[str, Any] | None), ...) for name in names}


class ReportIn(create_model("ReportFields", __base__=Strict, **_input_fields(REPORTED))):  # type: ignore[misc]
    """A report. It needs a text or a category; a place by point, region or address is asked for, but a report without one is taken."""

    region: Code | None = Field(None, description="Code of a region or unit grid.")
    address: Line | None = None
    crs: Code = Field("", description="wgs84, cgcs2000, gcj02 or bd09; empty is what the city's pack says.")
    contact: Annotated[str, StringConstraints(max_length=200)] = ""
    source: Code = Field("", description="Channel; anonymous callers always report as the public.")
    photos: list[Picture] = Field(default_factory=list, max_length=6, description="Pictures, base64.")
    follow: bool = Field(
        False,
        description="Answer with `follow`, a secret address by which this citizen follows, rates and reopens; without an account only.",
    )


class Why(Schema):
    """A row of a decision table that decided."""

    table: str
    row: str
    value: str
    runner_up: str
    verb: str
    text: str
    text_en: str


class RefusedPhoto(Schema):
    """A photo that was not taken; the others were."""

    index: int = Field(description="Which of `photos`, from 0.")
    reason: str
    reason_zh: str


class ReportAnswer(Schema):
    """What became of a report."""

    number: str
    case: str
    region: str
    region_names: list[str]
    grid: str
    flag: str
    category: str
    priority: str
    step: str
    holder: str
    deadline: datetime | None
    deadline_estimated: bool
    seq: int
    why: list[Why]
    notice: str = Field("", description="What was said twice and differently: a region that the point does not lie in.")
    notice_zh: str = ""
    follow: str | None = Field(
        "", description="Secret address, when it was asked for; shown only now, null for a report that came before."
    )
    photos_refused: list[RefusedPhoto] = Field(
        default_factory=list, description="Photos that were not taken; left out where all were."
    )


class Part(Strict):
    """One part of a case that is split."""

    text: Text = ""
    category: Code = ""


class VerbIn(create_model("VerbFields", __base__=Strict, **_input_fields((*ASKED, "lon", "lat")))):  # type: ignore[misc]
    """What verbs take; `GET /cities/{city}/workflow` says which verb requires what."""

    seq: int | None = Field(
        None, ge=0, le=2_000_000_000, description="The last event seen; another one since then is a conflict."
    )
    reason: Text | None = None
    note: Text | None = None
    opinion: Text | None = None
    result: Text | None = None
    reply: Text | None = Field(None, description="To the citizen: everybody may read it.")
    unit: Code | None = None
    person: Code | None = Field(
        None, description="Somebody with a post at the unit that has the case: name of the account, or `user:ID`."
    )
    units: Annotated[list[Code], Field(max_length=50)] | None = None
    crs: Code | None = Field(None, description="Of `lon` and `lat`; empty is what the city's pack says.")
    address: Line | None = None
    place: Line | None = Field(None, description="The same as `address`, its first name.")
    until: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="A day, or a moment with offset."
    )
    into: Code | None = None
    parts: Annotated[list[Part], Field(max_length=20)] | None = None
    stars: int | None = Field(None, ge=1, le=5)
    photos: Annotated[list[Picture], Field(max_length=6)] | None = Field(None, description="Pictures, base64.")


class EventOut(Schema):
    """Something that happened."""

    seq: int
    at: datetime
    verb: str
    actor: str
    actor_name: str
    actor_unit: str
    role: str
    from_step: str
    to_step: str
    from_holder: str
    holder: str
    reason: str
    payload: dict[str, Any]


class VerbAnswer(Schema):
    """A case after a verb."""

    number: str
    seq: int
    step: str
    stage: str
    holder: str
    deadline: datetime | None
    deadline_estimated: bool
    head: str
    events: list[EventOut]
    photos_refused: list[RefusedPhoto] = Field(
        default_factory=list, description="Photos that were not taken; left out where all were."
    )


class CaseRow(create_model("CaseFields", __base__=Schema, **_output_fields(LISTED))):  # type: ignore[misc]
    """A case in a list."""

    number: str
    seq: int
    step: str
    stage: str
    place: str = Field(description="The same as `address`, its first name.")
    holder: str
    opened_at: datetime
    filed_at: datetime | None
    closed_at: datetime | None
    deadline: datetime | None
    deadline_estimated: bool
    overdue: bool
    late: bool
    rating: int
    merged_into: str
    flag: str


class CasePage(Schema):
    """A page of cases; ``next`` is the cursor of the following one."""

    items: list[CaseRow]
    next: str | None


class CaseQuery(Schema):
    """Filters of a list."""

    model_config = ConfigDict(extra="ignore")

    state: Annotated[str, StringConstraints(pattern=r"^(open|overdue|closed|closed_on_time|closed_late)?$")] = ""
    step: Code = ""
    holder: Code = ""
    category: Code = ""
    region: Code = Field("", description="A prefix: a district gives everything below it.")
    flag: Annotated[str, StringConstraints(pattern=f"^({'|'.join(FLAG_NAMES)})?$")] = Field(
        "",
        description="How it was located; `undrawn`: what no map draws (no point, a stand-in for one, outside the city).",
    )
    opened_after: Moment | None = None
    opened_before: Moment | None = None
    due_before: Moment | None = Field(None, description="Open cases whose deadline comes before.")
    overdue: bool | None = Field(None, description="Open cases whose deadline has passed.")
    closed_after: Moment | None = None
    closed_before: Moment | None = None
    q: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="Part of the text or the place, or the beginning of a number."
    )
    bbox: Annotated[str, StringConstraints(max_length=120)] = Field("", description="west,south,east,north in degrees.")
    order: Annotated[str, StringConstraints(pattern=r"^(-opened_at|opened_at|-?deadline)$")] = "-opened_at"
    cursor: Annotated[str, StringConstraints(max_length=300)] = ""
    limit: int = Field(50, ge=1, le=500)


class EventPage(Schema):
    """The history of a case."""

    items: list[EventOut]
    next: str | None


class Problem(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]]
