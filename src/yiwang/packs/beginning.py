"""`yiwang pack new`: a small pack that checks without a fault, for a city's staff to begin with."""

from __future__ import annotations

from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.packs.info import RESERVED_IDS, is_id

TEMPLATE = Path(__file__).parent / "template"
_LONGEST_PREFIX = 12  # of numbers, so that they stay short enough to be said on the telephone


def write_pack(id: str, path: Path) -> list[str]:
    """Write a pack's files into a new or empty folder.

    Args:
        id: Of the city: small letters, digits and single dashes.
        path: The folder.

    Returns:
        Names of the files written.

    Raises:
        BadInput: The id cannot be one, or something is in the folder already; then nothing is written.
    """
    if not is_id(id):
        raise BadInput(
            Problem(f"{id!r} is no id.", "Small letters, digits and single dashes, e.g. new-york.", column="id")
        )
    if id in RESERVED_IDS:
        raise BadInput(Problem(f"{id!r} is an address of the site itself.", "Take the city's name.", column="id"))
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput(Problem(f"{path} exists already and is not an empty folder.", "Name a new folder."))
    names = sorted(file.relative_to(TEMPLATE).as_posix() for file in TEMPLATE.rglob("*") if file.is_file())
    prefix = id.replace("-", "").upper()[:_LONGEST_PREFIX]
    try:
        for name in names:
            text = (TEMPLATE / name).read_text(encoding="utf-8").replace("@ID@", id).replace("@PREFIX@", prefix)
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(Problem(f"{path} cannot be written: {error.strerror}.", "Name a folder of yours.")) from error
    return names
