"""Write the index of the decision records, docs/decisions/README.md, from their heads. `make docs` calls it; a test compares."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "decisions"
INDEX = FOLDER / "README.md"
_TITLE = re.compile(r"# (?P<id>\d{4}):? (?P<title>.+)")
_STATUS = re.compile(r"\*\*Status\*\* (?P<status>[^,\n]+), (?P<day>\d{4}-\d{2}-\d{2})(?P<more>[^\n]*)")


def index() -> str:
    """The page: a line for each record, the newest first."""
    lines = [
        "# Decisions",
        "",
        "One page each: what was decided, why, and what was rejected. Made by `make docs` from the records.",
        "",
        "| id | decided | status | day |",
        "|---|---|---|---|",
    ]
    for path in sorted(FOLDER.glob("[0-9]*.md"), reverse=True):
        content = path.read_text(encoding="utf-8")
        title, status = _TITLE.match(content), _STATUS.search(content)
        if title is None or status is None or title["id"] != path.name[:4]:
            raise SystemExit(
                f"{path.name}: begin with '# {path.name[:4]} Title' and '**Status** accepted, YYYY-MM-DD'."
            )
        state = f"{status['status']}{status['more']}"
        lines.append(f"| [{title['id']}]({path.name}) | {title['title']} | {state} | {status['day']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
