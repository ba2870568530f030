"""What lies beside a case's events and is told by them: the report that opened it, its photos and their files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from yiwang.core.cases.events import Event
from yiwang.core.cases.fields import CASE_FIELDS
from yiwang.server.cases.api import Photo, Report
from yiwang.server.common import photos
from yiwang.server.verification.faults import Fault

# fields of a report that the event which it opened a case with tells too
TOLD = tuple(
    column.name for column in Report._meta.concrete_fields if column.name in CASE_FIELDS and column.name != "city"
)
_PIECE = 1 << 20


@dataclass(slots=True)
class Witnesses:
    """Reports and photos of some cases, by the case's id."""

    reports: Mapping[int, list[dict[str, Any]]]
    photos: Mapping[int, list[dict[str, Any]]]
    _digests: dict[str, str] = field(default_factory=dict)

    def faults(self, row: Mapping[str, Any], events: Sequence[Event]) -> Iterator[Fault]:
        """What the reports and photos of a case say otherwise than its events, which fit their hashes."""
        yield from self._report_faults(row, events[0])
        yield from self._photo_faults(row, events)

    def _report_faults(self, row: Mapping[str, Any], opening: Event) -> Iterator[Fault]:
        number, reports, said = row["number"], self.reports.get(row["id"], []), opening.payload.get("set", {})
        if said.get("part_of"):
            return  # split off another case, so nobody reported it
        if not reports:
            yield Fault("report", number, 0, f"The report that opened {number} is gone.")
            return
        first = reports[0]
        names = [name for name in TOLD if first[name] != said.get(name, None if name in ("lon", "lat") else "")]
        names += ["at"] if first["at"] != opening.at else []
        if names:
            yield Fault(
                "report", number, 1,
                f"The report {first['number']} that opened {number} is not what event 1 tells, in: {', '.join(names)}.",
            )  # fmt: skip
        for report in reports:
            if report["city"] != row["city"]:
                yield Fault("report", number, 0, f"The report {report['number']} is said to be of another city.")

    def _photo_faults(self, row: Mapping[str, Any], events: Sequence[Event]) -> Iterator[Fault]:
        number, kept = row["number"], self.photos.get(row["id"], [])
        told = {(event.seq, digest) for event in events for digest in event.payload.get("photos", ())}
        for seq, digest in sorted(told - {(photo["seq"], photo["digest"]) for photo in kept}):
            yield Fault("photo", number, seq, f"The photo {digest[:12]}… of event {seq} of {number} is gone.")
        joined = len(self.reports.get(row["id"], [])) > 1  # what others add to a case comes without an event
        for photo in kept:
            seq, digest = photo["seq"], photo["digest"]
            if (seq, digest) not in told and not joined:
                yield Fault("photo", number, seq, f"A photo {digest[:12]}… of {number} came with no event.")
            elif photo["path"] != photos.path_of(digest):
                yield Fault("photo", number, seq, f"The photo {digest[:12]}… of {number} points to another file.")
            elif (lying := self._digest(photo["path"])) != digest:
                state = "is not what was taken" if lying else "is missing"
                yield Fault("photo", number, seq, f"The file of a photo of {number}, {photo['path']}, {state}.")

    def _digest(self, path: str) -> str:
        """SHA-256 of a file of the data folder, in hexadecimal; empty when there is none."""
        if path not in self._digests:
            self._digests[path] = _digest_of(Path(settings.YIWANG_HOME, path))
        return self._digests[path]


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


def of_cases(ids: Sequence[int]) -> Witnesses:
    """The reports and photos of some cases, in the order in which they came."""
    reports: dict[int, list[dict[str, Any]]] = defaultdict(list)
    pictures: dict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = ("case_id", "number", "city", "at", *TOLD)
    for report in Report.objects.filter(case_id__in=ids).order_by("id").values(*columns):
        reports[report["case_id"]].append(dict(report))
    for photo in Photo.objects.filter(case_id__in=ids).order_by("id").values("case_id", "seq", "path", "digest"):
        pictures[photo["case_id"]].append(dict(photo))
    return Witnesses(reports=reports, photos=pictures)
