"""What a city's own file of past requests holds, in the words of its pack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One request of the file.

    Attributes:
        external_id: The city's number of it.
        row: Its row, as a spreadsheet shows it.
        opened_at: When it was opened, in UTC.
        deadline: When it was due, in UTC; None when it had no deadline.
        closed_at: When it was closed, in UTC; None when it was open when the file was drawn.
        flag: ``ontime``, ``overdue`` or empty, as the city marked it.
        category: Code in the pack's scheme.
        category_text: The city's name of it, as the file has it.
        condition: Filing condition, or empty.
        text: What was reported.
        place: Where, in words.
        lon, lat: Where, in degrees (the pack's coordinate system), or None. It may be a known default point: only the
            pack's locator tells.
        region: Finest region that the record's own words name, or empty.
        source: Channel that the report came by, in the words of the rules.
        unit: Unit that had it in the end, or empty when the directory does not know it.
        unit_text: The city's name of that unit.
        department: Unit of the department that had it in the end, or empty.
        closing_text: What was said when it was closed.
        says_duplicate: Whether the closing text says that it repeats another request.
        duplicate_of: External id of that other one, or empty; the reader fills in only what the text names.
    """

    external_id: str
    row: int
    opened_at: datetime
    deadline: datetime | None = None
    closed_at: datetime | None = None
    flag: str = ""
    category: str
    category_text: str = ""
    condition: str = ""
    text: str = ""
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    region: str = ""
    source: str = ""
    unit: str = ""
    unit_text: str = ""
    department: str = ""
    closing_text: str = ""
    says_duplicate: bool = False
    duplicate_of: str = ""

    @property
    def status(self) -> str:
        return "open" if self.closed_at is None else "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a pack can call things: the codes that a record may be given.

    Attributes:
        categories: Category name in small letters → code.
        units: Unit name in small letters → code.
        regions: Codes of the tree.
    """

    categories: Mapping[str, str]
    units: Mapping[str, str]
    regions: Collection[str]

    @classmethod
    def of(
        cls,
        *,
        categories: Mapping[str, str],
        units: Mapping[str, str],
        regions: Collection[str],
    ) -> Vocabulary:
        """From code → name, as the pack's files have them."""
        return cls(
            categories={name_key(name): code for code, name in categories.items()},
            units={name_key(name): code for code, name in units.items()},
            regions=frozenset(regions),
        )


@dataclass(slots=True)
class Counts:
    """What became of a file's rows, complete once the reader is through.

    Attributes:
        rows: Rows read, without the header and empty lines.
        records: Records given out.
        skipped: Rows left out because of a fault; each is among the problems.
        repeated: Rows left out because an earlier row has the same number.
        other_category: Records whose category the pack does not know under its own name, by the city's name of it; they
            got a wider one.
        unknown_unit: Records whose unit the directory does not know, by the city's name.
        other_source: Records whose source the mapping does not know, by the city's name.
        without_region: Records whose words name no region.
        odd: Faults that cost no row, such as coordinates that are no numbers.
    """

    rows: int = 0
    records: int = 0
    skipped: int = 0
    repeated: int = 0
    other_category: Counter[str] = field(default_factory=Counter)
    unknown_unit: Counter[str] = field(default_factory=Counter)
    other_source: Counter[str] = field(default_factory=Counter)
    without_region: int = 0
    odd: int = 0


def name_key(text: str) -> str:
    """A name as it is compared: small letters, single spaces."""
    return " ".join(text.split()).casefold()
